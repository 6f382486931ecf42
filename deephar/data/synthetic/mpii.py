"""Generated people on disk, as MPII has them: pictures and `annotations.mat`."""

import functools
import logging
import multiprocessing
import os
import pathlib
import re
from collections.abc import Callable, Iterable, Iterator

from PIL import Image

from deephar.data.mpii_format import MpiiPerson, write_annotations
from deephar.data.synthetic.scene import (
    FRONTAL,
    MPII_JOINTS,
    check_frontal,
    make_sample,
)

logger = logging.getLogger(__name__)

_PARTS = ("train", "valid")  # the number of a part belongs to the seed of its people
_GENERATED = re.compile(rf"({'|'.join(_PARTS)})_\d{{6,}}\.jpg")
_QUALITY = 90
_CHUNK = 16


def write_mpii(
    folder: str | os.PathLike,
    train: int,
    valid: int,
    seed: int = 0,
    workers: int = 1,
    overwrite: bool = False,
    frontal: float = FRONTAL,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Writes FOLDER/images/*.jpg and FOLDER/annotations.mat.

    The files depend on `seed` and `frontal` and on nothing else: picture i is the same
    whatever `workers`, `train` and `valid` are. Validation shows other people than
    training. The annotations come last, so a folder that has them is whole.

    Args:
        folder: Where to write; made if it does not exist.
        train: Number of training pictures, one labelled person each.
        valid: Number of validation pictures.
        seed: Which people.
        workers: Processes that draw.
        overwrite: Replace the generated files of a folder that is not empty.
        frontal: Part of the people who face the camera, see `make_sample`.
        progress: Called with the number of pictures done and of all pictures.

    Raises:
        ValueError: if a number is negative, there is nothing to write or no worker.
        FileExistsError: if the folder is not empty and `overwrite` is false, or it
            holds pictures or annotations of another origin.
        OSError: if the folder cannot be written.
    """
    _check_numbers(train, valid, seed, workers)
    check_frontal(frontal)
    folder = pathlib.Path(folder)
    _prepare(folder, overwrite)
    counts = enumerate((train, valid))
    jobs = [(part, index) for part, count in counts for index in range(count)]
    work = functools.partial(_write_one, folder / "images", seed, frontal)
    people = []
    for person in _map(work, jobs, min(workers, len(jobs))):
        people.append(person)
        if progress is not None:
            progress(len(people), len(jobs))
    write_annotations(folder / "annotations.mat", people[:train], people[train:])
    logger.info("wrote %d pictures to %s", len(people), folder)


def _check_numbers(train: int, valid: int, seed: int, workers: int) -> None:
    for name, value in (("train", train), ("valid", valid), ("seed", seed)):
        if value < 0:
            raise ValueError(f"`{name}` must be at least 0. Received: {name}={value}")
    if train + valid < 1:
        raise ValueError(f"nothing to write. Received: {train=}, {valid=}")
    if workers < 1:
        raise ValueError(f"`workers` must be at least 1. Received: {workers=}")


def _prepare(folder: pathlib.Path, overwrite: bool) -> None:
    """Makes the folders and drops what an earlier call wrote."""
    if folder.is_dir() and any(folder.iterdir()) and not overwrite:
        raise FileExistsError(f"the folder must be empty, or overwritten: {folder}")
    images, annotations = folder / "images", folder / "annotations.mat"
    ours, theirs = [], []
    for path in sorted(images.glob("[!.]*")):
        (ours if _GENERATED.fullmatch(path.name) else theirs).append(path)
    if annotations.exists() and not ours:
        theirs.append(annotations)
    if theirs:
        raise FileExistsError(
            f"the folder holds what this program did not generate: {theirs[0]}. "
            "It is left as it is; write to another folder"
        )
    for path in (annotations, *ours):
        path.unlink(missing_ok=True)
    images.mkdir(parents=True, exist_ok=True)


def _map(
    work: Callable[[tuple[int, int]], MpiiPerson],
    jobs: Iterable[tuple[int, int]],
    workers: int,
) -> Iterator[MpiiPerson]:
    """Yields the results of the jobs in their order."""
    if workers == 1:
        yield from map(work, jobs)
        return
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        yield from pool.imap(work, jobs, chunksize=_CHUNK)


def _write_one(
    images: pathlib.Path, seed: int, frontal: float, job: tuple[int, int]
) -> MpiiPerson:
    """Draws and writes one picture; returns its annotation."""
    part, index = job
    name = f"{_PARTS[part]}_{index:06d}.jpg"
    sample = make_sample((seed, part), index, frontal)
    Image.fromarray(sample.picture).save(images / name, quality=_QUALITY)
    labels = sample.labels
    return MpiiPerson(
        picture=name,
        head=labels.head,
        objpos=labels.objpos,
        scale=labels.scale,
        pose=labels.mpii_pose(),
        visible=labels.visible[list(MPII_JOINTS)],
        bbox=labels.bbox,
    )
