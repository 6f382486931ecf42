"""What people did in the last seconds: the scores of their actions over time."""

import collections
import dataclasses
from collections.abc import Hashable, Mapping, Sequence

import cv2
import numpy as np

from deephar.utils.painting import (
    INK,
    fit_text,
    ink_on,
    paint_plate,
    paint_text,
    text_width,
)

GROUND, TRACK, FAINT = (24, 26, 31), (36, 39, 46), (150, 155, 165)
_GRID = (58, 62, 70)
_SAMPLES = 500
"""Scores of a person that are kept for the time that is seen; more are left out."""
_GAP = 1.0
"""S without scores after which a curve is broken."""
_MOST_ROWS = 5
"""Classes of a person."""
_STEPS = (1, 2, 5, 10, 30, 60)
"""S between the lines of the time."""
_SHIFT = 4


@dataclasses.dataclass
class _Track:
    """A person's scores: (time, (classes,)), the oldest first; the classes shown."""

    color: tuple[int, int, int]
    name: str
    seen: collections.deque = dataclasses.field(default_factory=collections.deque)
    rows: list[int] = dataclasses.field(default_factory=list)


class Timeline:
    """A strip that moves: of each person the best classes, a row each.

    A row is a class: its name, its score over the last seconds, now on the right, and
    the last score in figures. Each person has rows of his colour, the fewer the more
    people there are; the class with the best score now is bright.

    Args:
        labels: Names of the classes.
        seconds: How much time is seen.
    """

    def __init__(self, labels: Sequence[str], seconds: float = 8.0):
        self.labels, self.seconds = tuple(labels), seconds
        self._tracks: dict[Hashable, _Track] = {}
        self._now = 0.0

    def add(
        self,
        time: float,
        people: Mapping[Hashable, tuple[str, tuple[int, int, int], np.ndarray | None]],
    ) -> None:
        """Takes a frame; an earlier time than the last one's begins anew.

        Args:
            time: Of the frame, s.
            people: By key: name, RGB and scores (classes,), None where they are not
                known yet.

        Raises:
            ValueError: if there are not as many scores as labels.
        """
        if time < self._now:
            self._tracks.clear()
        self._now = time
        for key, (name, color, scores) in people.items():
            track = self._tracks.setdefault(key, _Track(color, name))
            if scores is not None and np.shape(scores) != (len(self.labels),):
                raise ValueError(
                    f"`scores` must be one for each of the {len(self.labels)} labels. "
                    f"Received: scores.shape={np.shape(scores)}"
                )
            early = track.seen and time - track.seen[-1][0] < self.seconds / _SAMPLES
            if scores is not None and not early:
                track.seen.append((time, np.nan_to_num(np.asarray(scores, float))))
        for key, track in list(self._tracks.items()):
            # The last one that has left is kept, so that the curve reaches the border.
            while len(track.seen) > 1 and track.seen[1][0] < time - self.seconds:
                track.seen.popleft()
            gone = not track.seen or track.seen[-1][0] < time - self.seconds
            if gone and key not in people:
                del self._tracks[key]

    def paint(self, strip: np.ndarray, size: float) -> None:
        """Paints the strip, a uint8 array (h, w, 3), with texts of `size` px."""
        paint_plate(strip, (0, 0, strip.shape[1], len(strip)), GROUND)
        pad = 0.4 * size
        tracks = [track for track in self._tracks.values() if track.seen]
        room = max(1, int((len(strip) - pad) / (1.35 * size)))
        tracks = sorted(tracks, key=lambda track: -track.seen[-1][0])[:room]
        chosen = {id(track) for track in tracks}
        tracks = [track for track in self._tracks.values() if id(track) in chosen]
        if not tracks:
            place = (strip.shape[1] / 2, len(strip) / 2)
            paint_text(strip, "no actions", place, FAINT, size, 0.5)
            return
        gap = pad if len(tracks) > 1 else 0.0
        per = max(1, min(int(room / len(tracks)), len(self.labels), _MOST_ROWS))
        free = len(strip) - 2 * pad - gap * (len(tracks) - 1)
        height = min(free / (per * len(tracks)), 3 * size)
        used = height * per * len(tracks) + gap * (len(tracks) - 1)
        columns = self._columns(strip.shape[1], size, pad)
        top = (len(strip) - used) / 2
        for track in tracks:
            self._paint_track(strip, track, per, (top, height), columns, size)
            top += height * per + gap

    def _columns(self, width, size, pad):
        """Where the person, the names, the curves and the figures begin, px."""
        names = max(text_width(t.name, size) for t in self._tracks.values())
        names = pad + names + (1.2 * size if names else 0)
        widest = max(text_width(label, size) for label in self.labels)
        curves = names + min(widest, 0.34 * width) + pad
        figures = width - pad - text_width("0.00", size)
        return pad, names, curves, figures - pad, figures

    def _paint_track(self, strip, track, per, rows, columns, size):
        top, height = rows
        left, names, start, end, figures = columns
        now = track.seen[-1][1]
        best = int(np.argmax(now))
        track.rows = _best_classes(track, per)
        self._paint_who(strip, track, (left, names, top, height * per), size)
        for number, label in enumerate(track.rows):
            low = top + height * number
            middle = low + height / 2
            bright = label == best
            paint_plate(strip, (start, low + 1, end, low + height - 1), TRACK)
            color = _mixed(track.color, TRACK, 1.0 if bright else 0.45)
            self._paint_curve(strip, track, label, (start, end, low, height), color)
            ink = INK if bright else FAINT
            text = fit_text(self.labels[label], start - names - 0.4 * size, size)
            paint_text(strip, text, (names, middle), ink, size)
            paint_text(strip, f"{now[label]:.2f}", (figures, middle), ink, size)
        self._paint_time(strip, (start, end, top, top + height * per))

    @staticmethod
    def _paint_who(strip, track, place, size):
        left, right, top, height = place
        if not track.name:
            return
        box = (left, top + 1, right - 0.5 * size, top + height - 1)
        paint_plate(strip, box, track.color, 0.25 * size)
        middle = ((box[0] + box[2]) / 2, top + height / 2)
        small = 0.85 * size
        paint_text(strip, track.name, middle, ink_on(track.color), small, 0.5)

    def _paint_curve(self, strip, track, label, place, color):
        start, end, top, height = place
        times = np.array([time for time, _ in track.seen])
        values = np.array([scores[label] for _, scores in track.seen]).clip(0, 1)
        x = end + (times - self._now) / self.seconds * (end - start)
        y = top + height - 1 - values * (height - 2)
        breaks = np.flatnonzero(np.diff(times) > _GAP) + 1
        for part in np.split(np.arange(len(x)), breaks):
            px, py = x[part], y[part]
            last = min(px[-1] + 2, end) if len(px) == 1 else px[-1]
            px, py = np.append(px, last), np.append(py, py[-1])
            if px[0] < start < px[-1]:
                first = np.interp(start, px, py)
                inside = px > start
                px, py = np.append(start, px[inside]), np.append(first, py[inside])
            base = top + height - 1
            px = np.concatenate([px, px[[-1, 0]]])
            py = np.concatenate([py, [base, base]])
            shape = np.rint(np.stack([px, py], axis=1) * (1 << _SHIFT)).astype(np.int32)
            cv2.fillPoly(strip, [shape], color, cv2.LINE_AA, _SHIFT)

    def _paint_time(self, strip, place):
        start, end, top, bottom = (int(round(v)) for v in place)
        step = next((s for s in _STEPS if self.seconds / s <= 10), self.seconds)
        first = np.ceil((self._now - self.seconds) / step) * step
        for time in np.arange(first, self._now, step):
            x = int(end + (time - self._now) / self.seconds * (end - start))
            if start < x < end:
                line = strip[top + 1 : bottom - 1, x]
                line[:] = (0.7 * line + 0.3 * np.array(_GRID) + 8).astype(np.uint8)


def _best_classes(track, count):
    """The classes with the highest scores of the time seen; they keep their rows."""
    scores = np.stack([scores for _, scores in track.seen])
    age = np.linspace(0.5, 1.0, len(scores))
    worth = (scores * age[:, None]).max(axis=0)
    worth[int(np.argmax(scores[-1]))] = np.inf
    wanted = np.argsort(-worth, kind="stable")[:count].tolist()
    rows = [label if label in wanted else None for label in track.rows[:count]]
    rows += [None] * (count - len(rows))
    new = sorted(label for label in wanted if label not in rows)
    return [new.pop(0) if label is None else label for label in rows]


def _mixed(color, ground, share):
    return tuple(
        int(share * c + (1 - share) * g) for c, g in zip(color, ground, strict=True)
    )
