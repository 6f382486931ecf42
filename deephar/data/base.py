"""The one picture pipeline: from pictures and the people in them to training samples.

A data set says which pictures, which joints and which box (`Person` here, `Clip` in
`deephar.data.clips`). Everything else is done here, once: draw the augmentation, place
the window, decode, crop by one affine warp, flip, normalise, bring the joints along
with the same matrix, mark what is not to be used.
"""

import abc
import dataclasses
import itertools
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image

from deephar.config import DataConfig
from deephar.data.cache import PictureCache, View
from deephar.data.pictures import (
    PictureFile,
    PictureSource,
    check_size,
    open_picture,
)
from deephar.utils.modes import TRAIN_MODE, mode_name
from deephar.utils.pose import INVALID, get_visible_joints, is_valid
from deephar.utils.transform import (
    T,
    normalize_channels,
    transform_2d_points,
)

HALF_DEPTH = 1000.0
"""Depth to either side of the root that [0, 1] covers, mm at a scale of 1."""
MIN_WINDOW = 32
"""A window around a box with a shorter side becomes a square of this side, px."""


@dataclasses.dataclass(frozen=True, eq=False)
class Person:
    """What a data set knows of one sample.

    Attributes:
        picture: Path of the picture.
        center: (x, y) of the window's centre, px.
        window: (w, h) of the window, px.
        joints: (num_joints, 2 or 3) x, y in px, and depth as it shall be in samples, in
            the layout's order; INVALID where not annotated.
        head_size: Head size of PCKh, px.
        picture_size: Annotated (w, h) of the picture, px; None where there is none.
    """

    picture: str
    center: tuple[float, float]
    window: tuple[float, float]
    joints: np.ndarray
    head_size: float
    picture_size: tuple[int, int] | None = None


class CropDataset(abc.ABC):
    """What data sets of single pictures and of clips share: the pipeline.

    Sizes and augmentation come from `dataconf`: drawn in TRAIN_MODE, fixed in the other
    modes. The rectangle `geoocclusion` that is drawn or fixed is filled with grey.

    Args:
        dataset_path: Folder of the data.
        dataconf: Size of the crop and augmentation.
        poselayout: A layout of `deephar.utils.pose`.
        remove_outer_joints: Whether joints outside the crop become INVALID.
        cache: Where decoded pictures are kept for the next epochs; None to decode them
            each time. The samples are the same.

    Raises:
        ValueError: if the configuration is not for pictures of three channels.
    """

    def __init__(
        self,
        dataset_path: str | os.PathLike,
        dataconf: DataConfig,
        poselayout: Any,
        remove_outer_joints: bool = True,
        cache: PictureCache | None = None,
    ):
        self.cache = cache
        self.dataset_path = os.fspath(dataset_path)
        self.dataconf = dataconf
        self.poselayout = poselayout
        self.remove_outer_joints = remove_outer_joints
        if dataconf.input_shape[-1] != 3:
            raise ValueError(
                "`dataconf` must be for pictures of 3 channels. "
                f"Received: input_shape={dataconf.input_shape}"
            )

    @abc.abstractmethod
    def get_length(self, mode: int) -> int:
        """Returns the number of samples."""

    @abc.abstractmethod
    def _shapes(self) -> dict[str, tuple[int, ...]]:
        """Returns the shape of every value of a sample."""

    def get_shape(self, dictkey: str) -> tuple[int, ...]:
        """Returns the shape of one value of `get_data`; ValueError for another key."""
        shapes = self._shapes()
        if dictkey not in shapes:
            raise ValueError(
                f"`dictkey` must be one of {', '.join(shapes)}. "
                f"Received: dictkey={dictkey!r}"
            )
        return shapes[dictkey]

    def _check_key(self, key: int, mode: int) -> None:
        name, length = mode_name(mode), self.get_length(mode)
        if not 0 <= key < length:
            raise IndexError(
                f"`key` must be in [0, {length}) in mode {name!r} of "
                f"{type(self).__name__}. Received: key={key}"
            )

    def _draw(self, mode: int, rng: np.random.Generator | None) -> dict[str, Any]:
        """Returns the augmentation of a sample."""
        if mode == TRAIN_MODE:
            return self.dataconf.random_data_generator(rng)
        return self.dataconf.get_fixed_config()

    def _open(
        self, path: str, fast: bool, mode: int, window: Callable[[dict], tuple]
    ) -> PictureSource:
        """Opens a picture, from the cache if there is one.

        `window` gives, for an augmentation, the window's centre and size.
        """
        if self.cache is None:
            return PictureFile(path, fast)
        return self.cache.open(path, fast, lambda: self._views(mode, window))

    def _views(self, mode: int, window: Callable[[dict], tuple]) -> list[View]:
        """Returns all that a sample may look at, whatever augmentation is drawn."""
        fixed = self.dataconf.get_fixed_config()
        choices = [(fixed["scale"],), (fixed["transx"],), (fixed["transy"],)]
        angles = (fixed["angle"],)
        if mode == TRAIN_MODE:
            config = self.dataconf
            choices = [config.scales, _ends(config.trans_x), _ends(config.trans_y)]
            angles = config.angles
        radians = np.deg2rad(angles)
        cosines, sines = np.abs(np.cos(radians)), np.abs(np.sin(radians))
        views = []
        for scale, x, y in itertools.product(*choices):
            drawn = {**fixed, "scale": scale, "transx": x, "transy": y}
            center, (width, height) = window(drawn)
            half = np.array(
                [
                    (width * cosines + height * sines).max() / 2,
                    (width * sines + height * cosines).max() / 2,
                ]
            )
            area = np.prod(self.dataconf.crop_resolution)
            step = float(np.sqrt(width * height / area))
            views.append(View((*(center - half), *(center + half)), step))
        return views

    def _place(
        self,
        augmentation: Mapping[str, Any],
        center: Sequence[float],
        window: Sequence[float],
        picture_size: Sequence[int],
    ) -> T:
        """Returns the transformation from the picture to the crop, both in px."""
        transform = T(None, img_size=picture_size)
        transform.rotate_crop(augmentation["angle"], center, window)
        transform.resize(self.dataconf.crop_resolution)
        if augmentation["hflip"]:
            transform.horizontal_flip()
        return transform

    def _frame(
        self,
        picture: PictureSource,
        transform: T,
        augmentation: Mapping[str, Any],
        out: np.ndarray | None = None,
    ) -> np.ndarray:
        """Returns the crop (h, w, 3) in [-1, 1], written into `out` if it is given.

        `transform` ends in px of the crop.
        """
        crop = picture.crop(transform.afmat, transform.size)
        frame = normalize_channels(crop, augmentation["chpower"], out)
        if augmentation["geoocclusion"] is not None:
            x1, y1, x2, y2 = (
                max(0, round(edge)) for edge in augmentation["geoocclusion"]
            )
            frame[y1:y2, x1:x2] = 0
        return frame

    def _pose(self, joints: np.ndarray, transform: T) -> np.ndarray:
        """Joints in the picture as poses in the crop.

        Args:
            joints: (..., num_joints, 2 or 3) x and y, px, and depth as it shall be.
            transform: Its matrix ends in [0, 1] of the crop.

        Returns:
            (..., num_joints, dim + 1): see `SinglePersonDataset.get_data`.
        """
        dim = self.poselayout.dim
        plane = joints[..., :2]
        known = is_valid(plane).all(axis=-1, keepdims=True)
        points = np.where(known, plane, 0).reshape(-1, 2)
        moved = transform_2d_points(transform.afmat, points, transpose=True)
        pose = np.full((*joints.shape[:-1], dim), INVALID)
        pose[..., :2] = np.where(known, moved.reshape(plane.shape), INVALID)
        depth = joints[..., 2:dim]
        pose[..., 2 : 2 + depth.shape[-1]] = np.where(is_valid(depth), depth, INVALID)
        if transform.hflip:
            pose = pose[..., self.poselayout.map_hflip, :]
        visible = get_visible_joints(pose[..., :2])
        if self.remove_outer_joints:
            pose[visible == 0] = INVALID
        return np.concatenate([pose, visible[..., None]], axis=-1).astype(np.float32)


class SinglePersonDataset(CropDataset):
    """Pictures of people, each cropped to one person.

    A data set overrides `get_length` and `person`. Arguments and errors are those of
    `CropDataset`.
    """

    @abc.abstractmethod
    def person(self, key: int, mode: int, augmentation: dict[str, Any]) -> Person:
        """Returns a sample's annotation; `augmentation` moves and scales the window."""

    def visible_joints(self, key: int, mode: int) -> np.ndarray | None:
        """Returns (num_joints,) whether nothing hides a joint; None where none tells.

        No sample has it: it is for those who look at a data set.
        """
        return None

    def _shapes(self):
        joints = self.poselayout.num_joints
        return {
            "frame": self.dataconf.input_shape,
            "pose": (joints, self.poselayout.dim + 1),
            "afmat": (3, 3),
            "headsize": (1,),
            "bbox": (4,),
            "keypoints": (joints, 2),
        }

    def get_data(
        self,
        key: int,
        mode: int,
        fast_crop: bool = False,
        rng: np.random.Generator | None = None,
        out: Mapping[str, np.ndarray] | None = None,
    ) -> dict[str, np.ndarray]:
        """Returns one sample.

        Args:
            key: Number of the sample, from 0.
            mode: TEST_MODE, TRAIN_MODE or VALID_MODE.
            fast_crop: Interpolate between four pixels instead of averaging over all
                that a pixel of the crop covers, and decode a JPEG at half its size
                already where the window is 1.4 times the crop's size instead of 2:
                faster and rougher.
            rng: Where the augmentation of TRAIN_MODE comes from; None for a fresh one.
            out: Where to write values, if not into new arrays: the frame is written
                into `out["frame"]`, contiguous float32 of its shape, and returned.

        Returns:
            float32 arrays. frame (h, w, 3): RGB, [-1, 1]. pose (num_joints, dim + 1): x
            and y in the crop, [0, 1], then 1.0 for a joint inside it, else 0.0; INVALID
            for what is not annotated (and, with `remove_outer_joints`, not inside). In
            a mirrored crop the rows are exchanged, so that left is left as one sees it.
            afmat (3, 3): px of the picture to [0, 1] of the crop. headsize (1,): px.
            bbox (4,): window x1 y1 x2 y2, px. keypoints (num_joints, 2): the annotated
            joints in px of the picture, never exchanged or removed.

        Raises:
            IndexError: if there is no such sample.
            FileNotFoundError: if the picture is missing.
            PictureError: if the picture cannot be read or has not the annotated size.
        """
        augmentation, person = self._choose(key, mode, rng)
        picture = self._open(
            person.picture,
            fast_crop,
            mode,
            lambda drawn: self._window(key, mode, drawn),
        )
        check_size(person.picture, picture.size, person.picture_size)
        transform = self._transform(person, augmentation, picture.size)
        place = None if out is None else out.get("frame")
        frame = self._frame(picture, transform, augmentation, place)
        return {"frame": frame, **self._labels(person, transform)}

    def get_blank_data(
        self,
        key: int,
        mode: int,
        fast_crop: bool = False,
        rng: np.random.Generator | None = None,
    ) -> dict[str, np.ndarray]:
        """Returns a sample as `get_data`, its picture unread and all black.

        The labels are true; `afmat` may differ by less than a pixel of the picture.
        """
        augmentation, person = self._choose(key, mode, rng)
        transform = self._transform(person, augmentation, person.window)
        frame = np.full(self.dataconf.input_shape, -1.0, dtype=np.float32)
        return {"frame": frame, **self._labels(person, transform)}

    def get_picture(
        self, key: int, mode: int, rng: np.random.Generator | None = None
    ) -> tuple[Image.Image, Person, dict[str, np.ndarray]]:
        """Returns a sample's whole picture (RGB), its person and its labels.

        For those who cut their own windows. The labels are those of `get_data`, which
        has the arguments and errors.
        """
        augmentation, person = self._choose(key, mode, rng)
        image = open_picture(person.picture)
        check_size(person.picture, image.size, person.picture_size)
        transform = self._transform(person, augmentation, image.size)
        return image, person, self._labels(person, transform)

    def _choose(self, key, mode, rng):
        """Checks the key; returns the augmentation and the person."""
        self._check_key(key, mode)
        augmentation = self._draw(mode, rng)
        person = self.person(key, mode, augmentation)
        if not min(person.window) >= 1:
            raise ValueError(
                f"the window in {person.picture} must be at least 1 px wide and high. "
                f"Received: window={person.window}"
            )
        return augmentation, person

    def _window(self, key, mode, augmentation):
        person = self.person(key, mode, augmentation)
        return np.array(person.center), person.window

    def _transform(self, person, augmentation, picture_size) -> T:
        return self._place(augmentation, person.center, person.window, picture_size)

    def _labels(self, person: Person, transform: T) -> dict[str, np.ndarray]:
        transform.normalize_affinemap()
        center, window = np.array(person.center), np.array(person.window)
        box = np.concatenate([center - window / 2, center + window / 2])
        return {
            "pose": self._pose(person.joints, transform),
            "afmat": transform.afmat.astype(np.float32),
            "headsize": np.array([person.head_size], dtype=np.float32),
            "bbox": box.astype(np.float32),
            "keypoints": person.joints[:, :2].astype(np.float32),
        }


def _ends(values):
    """Returns the least and the greatest of some numbers, one if they are equal."""
    return tuple({min(values), max(values)})
