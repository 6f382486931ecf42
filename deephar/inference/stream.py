"""Actions of people in a stream: each new frame is looked at once, then only the head.

What a frame is described by (`ClipPredictor.describe_frames`) goes into a ring of its
person; the clip head sees the ring. The scores are those of the whole model on the last
frames, which are looked at in every window anew there.
"""

from collections.abc import Hashable, Sequence

import numpy as np

from deephar.inference.clips import ClipPredictor
from deephar.inference.crops import Window

_STAYS = Window((0.5, 0.5), (1.0, 1.0))


class Rows:
    """Rows of arrays, given to keys and taken back when they were not seen for long.

    Args:
        reach: steps; a key that was not seen in so many of them is forgotten.

    Attributes:
        clock: the number of the present step, from 0.
        size: how many rows there are, taken or free.
        first, last: `(size,)` int, the steps at which a row's key was seen.
    """

    def __init__(self, reach: int):
        self.reach, self.clock, self.size = reach, -1, 0
        self.first = self.last = np.zeros(0, np.int64)
        self._row: dict[Hashable, int] = {}
        self._free: list[int] = []

    @property
    def by_key(self) -> dict[Hashable, int]:
        """The row of every key that has one."""
        return dict(self._row)

    def step(self, keys: Sequence[Hashable]) -> tuple[np.ndarray, np.ndarray]:
        """Begins a step in which some keys are seen.

        Args:
            keys: all of them, each once.

        Returns:
            Their rows, and how many steps ago each was seen before; 0 of new ones.

        Raises:
            ValueError: if a key comes twice.
        """
        if len(set(keys)) < len(keys):
            raise ValueError(f"`keys` must differ. Received: keys={list(keys)}")
        self.clock += 1
        for key, row in self.by_key.items():
            if self.clock - self.last[row] >= self.reach:
                self.drop(key)
        rows = np.array([self._take(key) for key in keys], np.int64)
        ago = self.clock - self.last[rows]
        self.last[rows] = self.clock
        return rows, ago

    def drop(self, key: Hashable) -> None:
        """Forgets a key, if it is known."""
        row = self._row.pop(key, None)
        if row is not None:
            self._free.append(row)

    def _take(self, key: Hashable) -> int:
        if key in self._row:
            return self._row[key]
        if not self._free:
            more = max(1, self.size)
            self._free = list(range(self.size + more - 1, self.size - 1, -1))
            self.size += more
            self.first, self.last = (grown(x, more) for x in (self.first, self.last))
        row = self._row[key] = self._free.pop()
        self.first[row] = self.last[row] = self.clock
        return row


def grown(rows: np.ndarray, more: int) -> np.ndarray:
    """An array with `more` rows of zeros after its own."""
    return np.concatenate([rows, np.zeros((more, *rows.shape[1:]), rows.dtype)])


class ActionStream:
    """Actions of any number of people, frame after frame.

    Every person has a ring of described frames, as many as a window spans. One call of
    `push` is one frame of the video. A person who is not in it keeps, when coming back,
    the last description for the frames between; who was away for a whole window begins
    anew, and is forgotten meanwhile. So memory is bounded by the people of a window.

    Poses are stored as they stand in the window they were seen through, and shown to
    the clip head as they stand in the newest one: a window that moves does not make the
    person move. With a window that stays, nothing is changed.

    Args:
        predictor: what describes frames and classifies clips.
        step: frames of the stream from one of a window to the next; None, of networks
            whose clips are spread over a whole video, is 1.
        every: frames from one window that is classified to the next.
        early: whether people have scores from their first frame on, as if it had always
            been there, and not only when a window is full.

    Attributes:
        span: frames that a window spans, (frames - 1) * step + 1.

    Raises:
        ValueError: if a number is below 1.
    """

    def __init__(
        self,
        predictor: ClipPredictor,
        step: int | None = 1,
        every: int = 1,
        early: bool = False,
    ):
        step = 1 if step is None else step
        for name, value in (("step", step), ("every", every)):
            if value < 1:
                raise ValueError(
                    f"`{name}` must be at least 1. Received: {name}={value}"
                )
        self.predictor, self.step, self.every = predictor, step, every
        self.early = early
        self.span = (predictor.num_frames - 1) * step + 1
        self._offsets = np.arange(predictor.num_frames - 1, -1, -1) * step
        self._rows = Rows(self.span)
        self._rings: list[np.ndarray] = []

    def push(
        self,
        keys: Sequence[Hashable],
        described: Sequence[np.ndarray],
        windows: Sequence[Window] | None = None,
    ) -> dict[Hashable, np.ndarray]:
        """Takes a frame of the stream.

        Args:
            keys: who is in it; nobody is fine.
            described: an array `(people, ...)` for each of the predictor's `described`,
                in the order of `keys`, as `describe_frames` returns them.
            windows: through which they were seen, px of the picture; None for windows
                that stay.

        Returns:
            `{key: (outputs, classes)}` float32, of those whose window is full (or
            `early`) and due: the predictor's outputs for the window that ends here.

        Raises:
            ValueError: if keys, descriptions and windows do not fit together.
        """
        keys, described = list(keys), [np.asarray(x, np.float32) for x in described]
        windows = [_STAYS] * len(keys) if windows is None else windows
        self._check(keys, described, windows)
        rows, ago = self._rows.step(keys)
        if not keys:
            return {}
        boxes = np.array([(*w.box[:2], *w.size) for w in windows], np.float64)
        self._store(rows, ago, [*described, boxes])
        age = self._rows.clock - self._rows.first[rows]
        due = (age - (self.span - 1)) % self.every == 0
        if not self.early:
            due &= age >= self.span - 1
        if not due.any():
            return {}
        scores = self.predictor.classify(*self._clips(rows[due]))
        chosen = [key for key, now in zip(keys, due, strict=True) if now]
        return {key: scores[:, number] for number, key in enumerate(chosen)}

    def seen(self, key: Hashable) -> int:
        """How many frames a person's window reaches back now, `span` at most."""
        row = self._rows.by_key[key]
        return int(min(self._rows.clock - self._rows.first[row] + 1, self.span))

    def drop(self, key: Hashable) -> None:
        """Forgets a person, if known; who comes back begins anew."""
        self._rows.drop(key)

    def _check(self, keys, described, windows) -> None:
        named, counts = self.predictor.described, [len(keys)] * (len(described) + 1)
        fits = len(described) == len(named) or not (keys or described)
        fits &= [*map(len, described), len(windows)] == counts
        if keys and self._rings:
            known = [ring.shape[2:] for ring in self._rings[:-1]]
            fits &= [x.shape[1:] for x in described] == known
        if not fits:
            raise ValueError(
                f"`described` must be {', '.join(named)} of every person, always of "
                f"the same shapes, and `windows` one each. Received: {len(keys)} keys, "
                f"{len(windows)} windows, described of {[x.shape for x in described]}"
            )

    def _store(self, rows: np.ndarray, ago: np.ndarray, values: list) -> None:
        """Puts what was seen of some people into the present place of their rings."""
        now, span = self._rows.clock, self.span
        if not self._rings:
            self._rings = [np.zeros((0, span, *x.shape[1:]), x.dtype) for x in values]
        more = self._rows.size - len(self._rings[0])
        if more:
            self._rings = [grown(ring, more) for ring in self._rings]
        for ring, x in zip(self._rings, values, strict=True):
            ring[rows, now % span] = x
            for row, gap in zip(rows[ago > 1], ago[ago > 1], strict=True):
                between = np.arange(now - gap + 1, now) % span
                ring[row, between] = ring[row, (now - gap) % span]

    def _clips(self, rows: np.ndarray) -> list[np.ndarray]:
        """The descriptions `(people, frames, ...)` of the windows that end now."""
        frames = np.maximum(
            self._rows.clock - self._offsets, self._rows.first[rows, None]
        )
        places = frames % self.span
        *clips, boxes = (ring[rows[:, None], places] for ring in self._rings)
        return [
            reexpressed(clip, boxes) if name.endswith("pose") else clip
            for name, clip in zip(self.predictor.described, clips, strict=True)
        ]


def reexpressed(poses: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Brings the poses of a clip into the window of its last frame.

    Args:
        poses: `(clips, frames, joints, dim)`: x and y in [0, 1] of the frame's window,
            in 3D then z, whose [0, 1] covers more the larger the window is, around 0.5.
        boxes: `(clips, frames, 4)`: left, top, width and height of the windows, px.

    Returns:
        float32 array of the same shape, equal where the window is the last one.
    """
    corner, size = boxes[:, :, None, :2], boxes[:, :, None, 2:]
    scale = size / size[:, -1:]
    shift = (corner - corner[:, -1:]) / size[:, -1:]
    found = poses.astype(np.float64)
    found[..., :2] = found[..., :2] * scale + shift
    found[..., 2:] = (found[..., 2:] - 0.5) * scale[..., :1] + 0.5
    return found.astype(np.float32)
