"""Predictions drawn on the pictures that they are of: people, actions, time, space."""

from collections.abc import Sequence

import cv2
import numpy as np

from deephar.commands.space import People3D
from deephar.commands.timeline import Timeline
from deephar.inference.results import FramePrediction
from deephar.utils.drawing import paint_pose
from deephar.utils.painting import (
    INK,
    fit_text,
    ink_on,
    paint_box,
    paint_plate,
    paint_text,
    person_color,
    picture_array,
    text_size,
    text_width,
)
from deephar.utils.pose import is_valid

LEAST_SIDE = 320
"""Pictures whose longer side is shorter, px, are enlarged by a whole number."""

RATE = 25.0
"""Frames a second where a source tells no time."""

_ROOM = 0.08
"""Between the joints of who is followed and the box about them, by its longer side."""

_ERROR = (200, 50, 45)


class Overlay:
    """Draws the predictions of one source, frame after frame.

    All pictures of a size become drawings of a size: the picture, space to its right
    with `view_3d`, time below it with `labels`. Small pictures are enlarged, so that
    one can read what is written on them.

    Args:
        layout: Layout of `deephar.utils.pose` of the joints in the picture.
        labels: Names of the actions; None where there are none.
        view_3d: Whether to draw people in space beside the picture.
        timeline: Whether to draw the scores of the last seconds below it; pictures that
            are no video have none.
        seconds: How much time that is.
    """

    def __init__(
        self,
        layout,
        labels: Sequence[str] | None = None,
        view_3d: bool = False,
        timeline: bool = True,
        seconds: float = 8.0,
    ):
        self.layout = layout
        self._timeline = Timeline(labels, seconds) if labels and timeline else None
        self._space = People3D() if view_3d else None

    def size(self, size: tuple[int, int]) -> tuple[int, int]:
        """(w, h) of the drawing of a picture of (w, h), px."""
        (width, height), wide, high = self._parts(size)
        return width + wide, height + high

    def draw(self, picture, prediction: FramePrediction) -> np.ndarray:
        """Draws a frame; the frames of a source come in their order.

        Args:
            picture: The frame, uint8 array (h, w, 3), RGB, or PIL picture.
            prediction: What was found in it.

        Returns:
            uint8 array (h, w, 3), RGB; a picture of its own.

        Raises:
            ValueError: if `picture` is none, or what was found is not of the layout
                and the labels.
        """
        picture = picture_array(picture)
        height, width = picture.shape[:2]
        size, wide, high = self._parts((width, height))
        drawing = np.empty((size[1] + high, size[0] + wide, 3), np.uint8)
        scene = drawing[: size[1], : size[0]]
        if size == (width, height):
            scene[:] = picture
        else:
            scene[:] = cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC)
        letters = text_size(size)
        people = list(_named(prediction.people))
        self._draw_people(scene, people, size[0] / width, letters)
        if prediction.error:
            _draw_error(scene, prediction.error, letters)
        time = prediction.time
        time = prediction.number / RATE if time is None else time
        if wide:
            space = drawing[: size[1], size[0] :]
            self._space.add(time, {key: _figure(key, one) for key, one in people})
            self._space.paint(space, letters)
        if high:
            self._timeline.add(time, {key: _row(key, one) for key, one in people})
            self._timeline.paint(drawing[size[1] :], letters)
        return drawing

    def _parts(self, size):
        """Size of the enlarged picture, width of space, height of the time."""
        zoom = max(1, -(-LEAST_SIDE // max(size)))
        width, height = zoom * size[0], zoom * size[1]
        letters = text_size((width, height))
        wide = high = 0
        if self._space is not None:
            wide = int(round(max(min(0.62 * height, 0.8 * width), 12 * letters)))
        if self._timeline is not None:
            high = int(round(np.clip(0.3 * height, 3.2 * letters, 9 * letters)))
        return (width, height), wide, high

    def _draw_people(self, scene, people, zoom, letters):
        """Draws boxes and poses, the lower ones above the others, then their names."""
        places = {key: _place_of(person, zoom) for key, person in people}
        people = [(key, person) for key, person in people if places[key] is not None]
        people.sort(key=lambda one: places[one[0]][3])
        for key, person in people:
            if person.box is not None or person.id is not None:
                width = max(1.2, letters / 10)
                paint_box(scene, np.array(places[key]), _color(key), width)
        for _, person in people:
            if person.pose is not None:
                points = np.array(person.pose.joints[:, :2], np.float64)
                points = np.where(is_valid(points), zoom * (points + 0.5) - 0.5, points)
                paint_pose(scene, points, self.layout, person.pose.confidence)
        taken = []
        for key, person in people:
            words = _words(person)
            if words:
                taken.append(
                    _draw_tag(scene, words, places[key], _color(key), letters, taken)
                )


def _named(people):
    """Each person with a key: its colour's number, and the number in the video."""
    for number, person in enumerate(people):
        yield ((number if person.id is None else person.id - 1), person.id), person


def _color(key):
    return person_color(key[0])


def _name(person):
    return "" if person.id is None else f"#{person.id}"


def _words(person):
    """What is written at a person."""
    words = [_name(person)]
    if person.action is not None:
        words += [person.action.answer, f"{person.action.score:.2f}"]
    return " ".join(word for word in words if word)


def _row(key, person):
    """What the timeline takes of a person."""
    action = person.action
    scores = None if action is None else action.scores[action.output]
    return _name(person), _color(key), scores


def _figure(key, person):
    """What space takes of a person."""
    return _name(person), _color(key), person.pose_3d


def _place_of(person, zoom):
    """(x1, y1, x2, y2) px of the drawing; None for nowhere.

    It is the box that was told, of a person who is followed that about the joints.
    """
    followed = person.id is not None and person.pose is not None
    if person.box is not None and not followed:
        return tuple(zoom * float(value) for value in person.box)
    if person.pose is None:
        return None
    points = person.pose.joints[:, :2]
    points = points[is_valid(points).all(axis=1) & np.isfinite(points).all(axis=1)]
    if not len(points):
        return None
    low, high = zoom * points.min(axis=0), zoom * points.max(axis=0)
    if followed:
        room = _ROOM * (high - low).max()
        low, high = low - room, high + room
    return (*low.tolist(), *high.tolist())


def _draw_tag(scene, words, place, color, letters, taken):
    """Writes a person's name above or below, where no other name is; tells where."""
    height, width = scene.shape[:2]
    pad = 0.35 * letters
    words = fit_text(words, width - 2 * pad, letters)
    wide, high = text_width(words, letters) + 2 * pad, 1.35 * letters
    x = float(np.clip(place[0] - pad / 2, 0, max(width - wide, 0)))
    gap = 0.25 * letters
    above, below = place[1] - high - gap, place[3] + gap
    tries = [above, above - high, above - 2 * high, place[1] + gap]
    tries += [below, place[3] - high - gap]
    tries += [above + n * high for n in range(1, 9)]
    free = [y for y in tries if 0 <= y <= height - high]
    clear = (y for y in free if not any(_touch((x, y, wide, high), t) for t in taken))
    y = next(clear, free[0] if free else 0.0)
    plate = (x, y, x + wide, y + high)
    paint_plate(scene, plate, color, 0.3 * letters, 0.92)
    paint_text(scene, words, (x + pad, y + high / 2), ink_on(color), letters)
    return x, y, wide, high


def _touch(one, other):
    return all(
        one[axis] < other[axis] + other[axis + 2]
        and other[axis] < one[axis] + one[axis + 2]
        for axis in (0, 1)
    )


def _draw_error(scene, message, letters):
    height, width = scene.shape[:2]
    high = 1.8 * letters
    paint_plate(scene, (0, height - high, width, height), _ERROR, 0, 0.85)
    text = fit_text(message, width - letters, letters)
    paint_text(scene, text, (letters / 2, height - high / 2), INK, letters)
