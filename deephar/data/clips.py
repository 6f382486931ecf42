"""Clips: frames of a video that are cropped, turned and mirrored alike.

A data set says which pictures a video has, which joints they show and which box holds
the person (`Clip`); the pipeline is that of `deephar.data.base`.
"""

import abc
import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from deephar.data.base import HALF_DEPTH, MIN_WINDOW
from deephar.data.cache import View
from deephar.data.pictures import (
    AnnotationError,
    KeptPicture,
    PictureError,
    PictureSource,
    check_size,
    open_picture,
)
from deephar.data.sequences import VideoDataset, get_clip_frame_index
from deephar.utils.bbox import bbox_to_objposwin
from deephar.utils.modes import TRAIN_MODE
from deephar.utils.transform import T, normalize_channels

__all__ = ["Clip", "ClipDataset", "get_clip_frame_index"]


@dataclasses.dataclass(frozen=True, eq=False)
class Clip:
    """What a data set knows of some frames of a video.

    Attributes:
        pictures: Path of each frame's picture.
        size: (w, h) of the pictures, px.
        joints: (frames, num_joints, 2 or 3) x, y, px, and depth, mm, in the layout's
            order; NaN where there is none.
        box: Gives, for a scale of the window, the box (4,) x1 y1 x2 y2, px.
        root_depth: Depth that becomes 0.5, mm.
        labels: Further values of the sample.
        tracks: Further values, of each frame: (frames, ...).
    """

    pictures: Sequence[str]
    size: tuple[int, int]
    joints: np.ndarray
    box: Callable[[float], np.ndarray]
    root_depth: float = np.nan
    labels: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)
    tracks: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)


class ClipDataset(VideoDataset):
    """Videos of people, as clips (`"sequences"`) or frame by frame (`"frames"`).

    All frames of a clip have one augmentation and one window. In training a clip starts
    anywhere in its video, otherwise it lies in the middle. A data set overrides `clip`
    and what `VideoDataset` says.

    Args:
        dataset_path: Folder of the data.
        dataconf: Size of the crop, augmentation, steps between frames.
        poselayout: A layout of `deephar.utils.pose`.
        topology: `"sequences"` or `"frames"`.
        clip_size: Frames of a clip.
        remove_outer_joints: Whether joints outside the crop become INVALID.
        cache: Where decoded pictures are kept for the next epochs; None to decode them
            each time. The samples are the same.

    Attributes:
        sequences: {mode: list of the data set's videos}.
        action_labels: Names of the actions.
        unused_actions: Indices of names that are no action's.

    Raises:
        ValueError: if an argument breaks these rules.
    """

    pose_only = False
    unused_actions: tuple[int, ...] = ()
    output_fullframe = False

    @abc.abstractmethod
    def clip(self, sequence: int, mode: int, frames: Sequence[int]) -> Clip:
        """Returns some frames of a video; both count from 0.

        Raises:
            AnnotationError: if they cannot be read. Its box raises it where the
                annotations do not tell one.
        """

    def blank_clip(self, sequence: int, mode: int, frames: Sequence[int]) -> Clip:
        """Returns what is known of frames whose `clip` or box is an AnnotationError.

        Its box is the whole picture.
        """
        clip = self.clip(sequence, mode, frames)
        whole = np.array([0.0, 0.0, *clip.size])
        return dataclasses.replace(clip, box=lambda scale: whole)

    def _shapes(self):
        clip, joints = self.clip_shape(), self.poselayout.num_joints
        shapes = {
            "frame": (*clip, *self.dataconf.input_shape),
            "pose": (*clip, joints, self.poselayout.dim + 1),
            "afmat": (3, 3),
            "bbox": (4,),
            "seq_idx": (1,),
            "frame_list": clip or (1,),
        }
        if self.pose_only:
            del shapes["frame"]
        return shapes

    def get_data(
        self,
        key: int,
        mode: int,
        frame_list: Sequence[int] | None = None,
        bbox: Sequence[float] | None = None,
        fast_crop: bool = False,
        rng: np.random.Generator | None = None,
        out: Mapping[str, np.ndarray] | None = None,
    ) -> dict[str, np.ndarray]:
        """Returns one sample.

        Args:
            key: Number of the video, or of the frame by topology, from 0.
            mode: TEST_MODE, TRAIN_MODE or VALID_MODE.
            frame_list: Frames of the video, from 0; None for a clip of `clip_size`.
            bbox: Box (4,) x1 y1 x2 y2 of the window, px; None for the data set's own.
            fast_crop, rng, out: As of `SinglePersonDataset.get_data`.

        Returns:
            Arrays, float32 but for the last two. Without `clip_size` where samples are
            frames. frame (clip_size, h, w, 3): RGB, [-1, 1]; absent with `pose_only`.
            pose (clip_size, num_joints, dim + 1): x and y in the crop, [0, 1], depth
            (0.5 at the root), then 1.0 for a joint inside it, else 0.0; INVALID for
            what is not annotated (and, with `remove_outer_joints`, not inside). In a
            mirrored crop the rows are exchanged. afmat (3, 3): px of the picture to
            [0, 1] of the crop. bbox (4,): the box of the window before it is shifted
            and widened to `MIN_WINDOW`, px. seq_idx (1,), frame_list (clip_size,):
            integers, the video and its frames, from 0. Further keys: see the data set.

        Raises:
            IndexError: if there is no such sample.
            ValueError: if `frame_list` or the box is not as it should be.
            FileNotFoundError: if a picture is missing.
            PictureError: if a picture cannot be read or has not the annotated size.
            AnnotationError: if the annotations cannot be read or do not tell a box.
        """
        sample = self._choose(key, mode, frame_list, bbox, rng)
        if self.pose_only:
            return self._labels(sample, self._transform(sample, sample.clip.size))
        shape = self._fold((len(sample.frames), *self.dataconf.input_shape))
        frame = None if out is None else out.get("frame")
        frame = np.empty(shape, np.float32) if frame is None else frame
        if frame.shape != shape:
            raise ValueError(
                f"`out` must hold a frame {shape}. Received: {frame.shape}"
            )
        pictures, transform = self._read(sample, mode, fast_crop, frame)
        return {**pictures, **self._labels(sample, transform)}

    def get_blank_data(
        self,
        key: int,
        mode: int,
        frame_list: Sequence[int] | None = None,
        bbox: Sequence[float] | None = None,
        fast_crop: bool = False,
        rng: np.random.Generator | None = None,
    ) -> dict[str, np.ndarray]:
        """Returns a sample as `get_data`, its pictures unread and all black.

        Of annotations that cannot be read the labels are INVALID, but for those that
        the video's name tells, and the box is the whole picture.
        """
        sample = self._choose(key, mode, frame_list, bbox, rng, blank=True)
        labels = self._labels(sample, self._transform(sample, sample.clip.size))
        width, height = sample.clip.size
        shapes = {} if self.pose_only else {"frame": self.dataconf.input_shape}
        if self.output_fullframe and not self.pose_only:
            shapes["fullframe"] = (height, width, 3)
        black = {
            name: np.full(self._fold((len(sample.frames), *shape)), -1, np.float32)
            for name, shape in shapes.items()
        }
        return {**black, **labels}

    def clip_window(
        self,
        key: int,
        mode: int,
        frame_list: Sequence[int],
        bbox: Sequence[float] | None = None,
    ) -> tuple[tuple[float, float], tuple[float, float]]:
        """Returns the window of a clip with the configuration of evaluations.

        Args:
            key, mode, frame_list, bbox: As of `get_data`.

        Returns:
            Centre (x, y) and size (w, h), px.
        """
        sequence, frames = self._frames_of(key, mode, frame_list)
        clip = self.clip(sequence, mode, frames)
        window = self._window(clip, self.dataconf.get_fixed_config(), bbox)
        (x, y), (width, height) = window.center, window.size
        return (float(x), float(y)), (float(width), float(height))

    def open_frame(self, key: int, mode: int, frame: int) -> PictureSource:
        """Opens the picture of one frame of a sample's video, from 0.

        However many crops are made of it, it is decoded once for each reduced size.

        Raises:
            IndexError: if there is no such sample.
            ValueError: if there is no such frame.
            OSError: as of `get_data`.
        """
        sequence, frames = self._frames_of(key, mode, [frame])
        clip = self.clip(sequence, mode, frames)
        path = clip.pictures[0]
        if self.cache is None:
            picture = KeptPicture(path)
        else:
            whole = [View((0, 0, *clip.size), step) for step in (1, 2, 4, 8)]
            picture = self.cache.open(path, False, lambda: whole)
        check_size(path, picture.size, clip.size)
        return picture

    def crop_frame(
        self,
        source: PictureSource,
        window: tuple[Sequence[float], Sequence[float]],
        hflip: int = 0,
    ) -> np.ndarray:
        """Returns a window of a picture as evaluations see it.

        Args:
            source: What `open_frame` gave.
            window: What `clip_window` gave.
            hflip: 1 to mirror it.

        Returns:
            float32 (h, w, 3): the very frame that `get_data` gives with this window and
            a configuration whose `fixed_hflip` is `hflip`.
        """
        augmentation = {**self.dataconf.get_fixed_config(), "hflip": hflip}
        transform = self._place(augmentation, *window, source.size)
        return self._frame(source, transform, augmentation)

    def _choose(self, key, mode, frame_list, bbox, rng, blank=False) -> "_Sample":
        """Checks the key, draws the augmentation and places the window."""
        if frame_list is not None:
            self._check_sequences("frame_list")
        rng = np.random.default_rng() if rng is None else rng
        self._check_key(key, mode)
        augmentation = self._draw(mode, rng)
        start = rng if mode == TRAIN_MODE else None
        sequence, frames = self._frames_of(
            key, mode, frame_list, augmentation["subspl"], start
        )
        try:
            clip = self.clip(sequence, mode, frames)
            window = self._window(clip, augmentation, bbox)
        except AnnotationError:
            if not blank:
                raise
            clip = self.blank_clip(sequence, mode, frames)
            window = self._window(clip, augmentation, bbox)
        return _Sample(sequence, frames, clip, augmentation, window, bbox)

    def _window(self, clip, augmentation, bbox) -> "_Window":
        """Returns the window of a clip, shifted and wide enough."""
        scale = augmentation["scale"]
        box = clip.box(scale) if bbox is None else bbox
        box = np.asarray(box, dtype=np.float64)
        fits = box.shape == (4,) and np.isfinite(box).all()
        if not fits or (box[:2] > box[2:]).any():
            raise ValueError(
                f"the box of a clip must be four finite numbers, x1 y1 x2 y2 px, "
                "none reversed. "
                f"Received: {box.tolist()} for {clip.pictures[0]}"
            )
        center, size = bbox_to_objposwin(box)
        if min(size) < MIN_WINDOW:
            size = (MIN_WINDOW, MIN_WINDOW)
        drawn = np.array([augmentation["transx"], augmentation["transy"]])
        shift = drawn * self._shift_unit(size, scale)
        return _Window(box, center + shift, size)

    def _shift_unit(self, size, scale) -> float:
        """Returns what a drawn shift of 1 is in a window (w, h) of a scale, px."""
        return scale

    def _window_of(self, clip, bbox):
        """Returns a function from an augmentation to the window's centre and size."""

        def window(augmentation):
            placed = self._window(clip, augmentation, bbox)
            return placed.center, placed.size

        return window

    def _read(self, sample, mode, fast, frame) -> tuple[dict[str, np.ndarray], T]:
        """Fills `frame`; returns the pictures of a sample and the transformation."""
        places = frame.reshape(-1, *self.dataconf.input_shape)
        transform, whole = None, []
        sources = self._open_all(sample, mode, fast)
        for picture, place in zip(sources, places, strict=True):
            if transform is None:
                transform = self._transform(sample, picture.size)
            self._frame(picture, transform, sample.augmentation, place)
            if self.output_fullframe:
                pixels = np.asarray(open_picture(picture.path))
                whole.append(normalize_channels(pixels, sample.augmentation["chpower"]))
        if not whole:
            return {"frame": frame}, transform
        fullframe = np.stack(whole)
        fullframe = fullframe.reshape(self._fold(fullframe.shape))
        return {"frame": frame, "fullframe": fullframe}, transform

    def _open_all(self, sample, mode, fast) -> Iterator[PictureSource]:
        """Opens the pictures of a sample, all of one size."""
        window, size = self._window_of(sample.clip, sample.bbox), None
        for path in sample.clip.pictures:
            picture = self._open(path, fast, mode, window)
            check_size(path, picture.size, sample.clip.size)
            if size not in (None, picture.size):
                raise PictureError(
                    path, f"it must have the clip's size {size}, not {picture.size}"
                )
            size = picture.size
            yield picture

    def _transform(self, sample, picture_size) -> T:
        window = sample.window
        return self._place(
            sample.augmentation, window.center, window.size, picture_size
        )

    def _labels(self, sample, transform) -> dict[str, np.ndarray]:
        transform.normalize_affinemap()
        clip, joints = sample.clip, sample.clip.joints.copy()
        half = HALF_DEPTH * sample.augmentation["scale"]
        joints[..., 2:] = (joints[..., 2:] - (clip.root_depth - half)) / (2 * half)
        tracks = {"pose": self._pose(joints, transform), **clip.tracks}
        labels = {"afmat": transform.afmat, "bbox": sample.window.box, **clip.labels}
        values = {name: np.asarray(one, np.float32) for name, one in labels.items()}
        for name, one in tracks.items():
            track = np.asarray(one, np.float32)
            values[name] = track.reshape(self._fold(track.shape))
        values["seq_idx"] = np.array([sample.sequence])
        values["frame_list"] = np.array(sample.frames)
        return values

    def _fold(self, shape) -> tuple[int, ...]:
        """Returns a shape (frames, ...) without its frames where samples are frames."""
        return tuple(shape) if self.topology == "sequences" else tuple(shape[1:])


@dataclasses.dataclass(frozen=True, eq=False)
class _Window:
    """The box as it was given, and centre and size of the window made of it."""

    box: np.ndarray
    center: np.ndarray
    size: tuple[float, float]


@dataclasses.dataclass(frozen=True, eq=False)
class _Sample:
    """What was drawn: the frames of a video, the augmentation and the window."""

    sequence: int
    frames: list[int]
    clip: Clip
    augmentation: Mapping[str, Any]
    window: _Window
    bbox: Sequence[float] | None
