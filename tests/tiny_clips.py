"""Writes tiny folders of clips: generated pictures and annotations, without chance.

The values of the original in golden/clips.npz were computed on these folders.
"""

import pathlib

import numpy as np
import scipy.io
from PIL import Image

from deephar.data.human36m_format import H36MSequence, write_human36m
from deephar.data.ntu_format import SMALL_SIZE, NtuVideo, write_ntu
from deephar.data.pennaction_format import PennVideo, write_pennaction
from deephar.utils.camera import Camera

SIZE = (200, 120)

POSE = np.array(
    [
        *[(100, 24), (90, 42), (110, 42), (82, 54), (118, 54), (76, 66), (124, 66)],
        *[(94, 68), (106, 68), (92, 84), (108, 84), (90, 100), (110, 100)],
    ],
    dtype=float,
)
"""A person that stands: the 13 joints of Penn Action, px."""

PENN_VIDEOS = ((1, 3, False, 24), (2, 0, False, 9), (3, 7, True, 14), (4, 14, True, 6))
"""Number, action, whether for training, and frames."""

H36M_NAMES = {
    "test": ("a02_s02_e01_c01", "a16_s02_e02_c03"),
    "train": ("a03_s01_e01_c02", "a02_s05_e01_c01"),
    "valid": ("a05_s09_e01_c04", "a15_s11_e02_c01"),
}
H36M_SIZE = (160, 120)

NTU_NAMES = (
    "S001C001P001R001A001",
    "S001C002P003R001A002",
    "S002C003P002R002A060",
    "S003C001P006R001A017",
)
"""Under cross-subject the first and third are for training, under cross-view the
second and third."""


def wave(count: int, *shape: int) -> np.ndarray:
    """Numbers in [-1, 1] that look like chance, (count, *shape)."""
    steps = np.arange(count * int(np.prod(shape)), dtype=float)
    return np.sin(1.7 * steps + 0.3 * steps**2 % 11).reshape(count, *shape)


def draw(path: pathlib.Path, size: tuple[int, int], time: int) -> None:
    """Writes a smooth coloured picture that moves with the time."""
    x, y = np.meshgrid(np.arange(size[0]), np.arange(size[1]))
    x, y = x / size[0] * 200 + 3 * time, y / size[1] * 120
    waves = [np.sin(x / 15 + y / 31), np.cos(x / 23 - y / 16), np.sin((x + y) / 24)]
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = (127.5 + 110 * np.stack(waves, axis=-1)).astype(np.uint8)
    Image.fromarray(pixels).save(path, quality=95)


def penn_video(number: int, action: int, train: bool, count: int) -> PennVideo:
    """A person that walks to the right, some of his joints not visible."""
    shift = np.stack([2.0 * np.arange(count) - 10, np.zeros(count)], axis=-1)
    joints = POSE + shift[:, None] + np.round(3 * wave(count, 13, 2), 1)
    visible = wave(count, 13) > -0.9
    if number == 1:
        visible[12] = False
        joints[5, 4], joints[11, 3] = (0, 50), (0, 0)
    numbers = np.arange(1, count + 1)
    return PennVideo(number, action, train, SIZE, numbers, joints, visible)


def write_tiny_penn(folder: pathlib.Path) -> pathlib.Path:
    """Writes two test and two training videos; returns the folder.

    In frame 12 of the first nobody is visible; two of its joints have a 0.
    """
    videos = [penn_video(*one) for one in PENN_VIDEOS]
    for video in videos:
        for number in video.frames:
            draw(folder / f"frames/{video.number:04d}/{number:06d}.jpg", SIZE, number)
    write_pennaction(folder / "annotations.mat", videos)
    return folder


def camera(number: int) -> Camera:
    """A camera with a lens like Human3.6M's, near a small person at the origin."""
    angle = 0.5 * number
    c, s = np.cos(angle), np.sin(angle)
    turn = np.array([[c, s, 0], [0, 0, -1], [-s, c, 0]])  # looks along the floor
    return Camera(
        R=turn,
        t=turn.T @ [5.0 * number, 8.0, -700.0 - 20 * number],
        f=[140.0, 141.0],
        c=[81.0, 58.0],
        p=[-0.0009, -0.0014],
        k=[-0.2, 0.24, -0.003],
    )


def h36m_sequence(name: str, count: int = 10) -> H36MSequence:
    """A person a seventh of life size, so that his window fits a small picture."""
    number = int(name[-1])
    height = np.linspace(-120, 120, 32)[None, :, None] * [0, 0, 1]
    drift = 6.0 * np.arange(count)[:, None, None] * [1, 0.5, 0]
    poses = height + drift + 40 * wave(count, 32, 3)
    numbers = np.arange(1, count + 1)
    return H36MSequence(name, camera(number), numbers, H36M_SIZE, poses)


def write_tiny_h36m(folder: pathlib.Path) -> pathlib.Path:
    """Writes two sequences of each part, ten frames each; returns the folder."""
    parts = [[h36m_sequence(name) for name in part] for part in H36M_NAMES.values()]
    for sequence in (one for part in parts for one in part):
        for number in sequence.frames:
            path = folder / "images" / sequence.name / f"{number:05d}.jpg"
            draw(path, H36M_SIZE, number)
    write_human36m(folder / "annotations.mat", *parts)
    return folder


def ntu_video(name: str, count: int = 7) -> NtuVideo:
    """A person who walks; frame 2 has nobody, joint 4 of frame 3 lies outside."""
    image = np.empty((count, 25, 3))
    image[..., 0] = 900 + 20.0 * np.arange(count)[:, None] + 150 * wave(count, 25)
    image[..., 1] = np.linspace(300, 900, 25) + 20 * wave(25, count).T
    image[..., 2] = 3000 + 30.0 * np.arange(count)[:, None] + 200 * wave(count, 25)
    image[2], image[3, 4, 0] = np.nan, -3.0
    return NtuVideo(name, np.arange(1, count + 1), image / 1000, image)


def write_tiny_ntu(folder: pathlib.Path, pictures: bool = True) -> pathlib.Path:
    """Writes two videos for training and two for test; returns the folder."""
    (folder / "images-small").mkdir(parents=True)
    for name in NTU_NAMES:
        video = ntu_video(name)
        write_ntu(folder, video)
        for number in video.frames if pictures else ():
            draw(
                folder / "images-small" / name / f"{number:05d}.jpg", SMALL_SIZE, number
            )
    return folder


def save_again(path: pathlib.Path, content: dict) -> None:
    """Writes what `scipy.io.loadmat` gave, changed."""
    scipy.io.savemat(path, {k: v for k, v in content.items() if k[0] != "_"})
