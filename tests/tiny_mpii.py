"""Writes a tiny MPII folder: a few generated pictures and their annotations.mat."""

import pathlib

import numpy as np
from PIL import Image

from deephar.data.mpii_format import MpiiPerson, write_annotations

SIZE = (200, 120)
JOINT_COLOR = (250, 40, 40)

POSE = np.array(
    [
        *[(90, 100), (92, 84), (94, 68), (106, 68), (108, 84), (110, 100)],
        *[(100, 68), (100, 42), (100, 40), (100, 24)],
        *[(76, 66), (82, 54), (90, 42), (110, 42), (118, 54), (124, 66)],
    ],
    dtype=float,
)
"""A person that stands and faces the viewer: his right is on the left, MPII order."""


def tiny_person(picture: str, shift: float = 0.0, missing=(), **more) -> MpiiPerson:
    """The one pose, `shift` px to the right, without the joints `missing`."""
    pose = POSE + [shift, 0]
    pose[list(missing)] = np.nan
    head = np.array([94, 24, 106, 40]) + [shift, 0, shift, 0]
    return MpiiPerson(picture, head, np.array([100 + shift, 56.0]), 0.5, pose, **more)


def draw(person: MpiiPerson, seed: int = 0) -> Image.Image:
    """A smooth dark background with a bright red block of 5 x 5 px at every joint."""
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(40, 90, (6, 10, 3), dtype=np.uint8))
    pixels = np.array(small.resize(SIZE, Image.Resampling.BICUBIC))
    for x, y in person.pose[~np.isnan(person.pose[:, 0])]:
        rows, cols = slice(int(y) - 2, int(y) + 3), slice(int(x) - 2, int(x) + 3)
        pixels[rows, cols] = JOINT_COLOR
    return Image.fromarray(pixels)


def write_tiny_mpii(folder: pathlib.Path, train: int = 5, valid: int = 3):
    """Writes `train` + `valid` pictures with a person each; returns the folder.

    Person i of a part stands 2 i px further right; the last validation person has no
    head top and no right wrist.
    """
    (folder / "images").mkdir(parents=True)
    parts = []
    for part, count in (("t", train), ("v", valid)):
        people = []
        for i in range(count):
            missing = (9, 10) if part == "v" and i == count - 1 else ()
            person = tiny_person(f"{part}{i}.jpg", 2.0 * i, missing)
            draw(person, i).save(folder / "images" / person.picture, quality=95)
            people.append(person)
        parts.append(people)
    write_annotations(folder / "annotations.mat", *parts)
    return folder
