"""What exported files are calibrated with and checked on: crops, clips and tracks."""

import itertools
from collections.abc import Iterator, Sequence

import keras
import numpy as np
from PIL import Image

from deephar.data.sources import open_source
from deephar.data.synthetic import make_sample
from deephar.inference.crops import crop
from deephar.inference.export_parts import Part
from deephar.inference.looker import person_window
from deephar.inference.running import runner

_PEOPLE = 20260
"""Seed of the generated people."""
_BATCH = 8

People = Iterator[tuple[Image.Image, Sequence[float] | None]]
"""Pictures, each with a person's box (x1, y1, x2, y2), px, or None for all of it."""


def generated_people(first: int = 0) -> People:
    """Generated pictures without end, with the box of the person.

    Args:
        first: number of the first of them.
    """
    for number in itertools.count(first):
        sample = make_sample(_PEOPLE, number)
        yield Image.fromarray(sample.picture), sample.labels.bbox.tolist()


def people_in(sources: Sequence[str]) -> People:
    """The people of pictures, folders, videos and lists of boxes.

    Of a list of boxes it is everybody in it, of others the whole pictures.

    Raises:
        OSError, ValueError: if a source cannot be read, or a picture of it.
    """
    for name in sources:
        with open_source(name) as source:
            for frame in source:
                rows = source.boxes.get(frame.number)
                boxes = [None] if rows is None else [row.box for row in rows]
                for box in boxes:
                    yield Image.fromarray(frame.picture), box
            if source.problem is not None:
                raise ValueError(source.problem)


def crops_of(people: People, count: int, resolution: tuple[int, int]) -> np.ndarray:
    """The first people as a network sees them.

    Args:
        people: pictures with boxes.
        count: how many at most.
        resolution: (w, h) of the network's input, px.

    Returns:
        `(n, h, w, 3)` float32 in [-1, 1], n at least 1.

    Raises:
        ValueError: if there is nobody, or a box is not as it should be.
    """
    found = [
        crop(picture, person_window(picture.size, box, resolution), resolution)[0]
        for picture, box in itertools.islice(people, count)
    ]
    if not found:
        raise ValueError("the sources must have at least one picture. Received: none")
    return np.stack(found)


def clips_of(described: Sequence[np.ndarray], frames: int) -> list[np.ndarray]:
    """Clips of descriptions, one beginning at each; after the last comes the first.

    Args:
        described: arrays `(n, ...)`, what frames are described by.
        frames: of a clip.

    Returns:
        Arrays `(n, frames, ...)`.
    """
    count = len(described[0])
    rows = (np.arange(count)[:, None] + np.arange(frames)) % count
    return [x[rows] for x in described]


def made_up_tracks(part: Part, count: int, first: int = 0) -> np.ndarray:
    """Tracks of key points that wander smoothly, `(n, frames, key points, 2)`."""
    rng = np.random.default_rng((_PEOPLE, first))
    frames, *keypoint = part.inputs[0].shape
    start = rng.uniform(-0.5, 0.5, (count, 1, *keypoint))
    steps = rng.normal(0, 0.005, (count, frames, *keypoint))
    return (start + steps.cumsum(axis=1)).astype(np.float32)


def outputs_of(part: Part, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
    """What Keras makes of inputs `(n, ...)`, batch norms as they are."""
    run, parts = runner(part.model, jit=False, frozen=False), []
    for start in range(0, len(inputs[0]), _BATCH):
        batch = [x[start : start + _BATCH] for x in inputs]
        found = run.predict_on_batch(batch if len(batch) > 1 else batch[0])
        parts.append(keras.tree.flatten(found))
    return [np.concatenate(some) for some in zip(*parts, strict=True)]
