"""What the writers of generated data share: folders, numbers, processes."""

import dataclasses
import multiprocessing
import os
import pathlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image

from deephar.data.marker import MARKER
from deephar.utils.fs import write_json

_QUALITY = 90


@dataclasses.dataclass(frozen=True)
class Layout:
    """Which files a data set consists of.

    Attributes:
        kind: The data set, named as its folder in datasets/.
        pictures: Folder of the pictures.
        pattern: What their paths below that folder look like.
        labels: Patterns (glob) of the files of annotations.
        others: Further folders of pictures, their paths alike.
        own_names: Whether the owners have no such names, so that pictures are known to
            be generated without `MARKER` too.
    """

    kind: str
    pictures: str
    pattern: str
    labels: tuple[str, ...] = ("annotations.mat",)
    others: tuple[str, ...] = ()
    own_names: bool = False


def check_numbers(counts: Mapping[str, int], seed: int, workers: int) -> None:
    """Raises ValueError for negative numbers, no worker, or nothing to write."""
    for name, value in (*counts.items(), ("seed", seed)):
        if value < 0:
            raise ValueError(f"`{name}` must be at least 0. Received: {name}={value}")
    if sum(counts.values()) < 1:
        received = ", ".join(f"{name}={value}" for name, value in counts.items())
        raise ValueError(f"nothing to write. Received: {received}")
    if workers < 1:
        raise ValueError(f"`workers` must be at least 1. Received: {workers=}")


def check_size(size: tuple[int, int], least: int = 32) -> None:
    """Raises ValueError for pictures (width, height) too small to show somebody."""
    if min(size) < least:
        raise ValueError(
            f"`size` must be (width, height), at least {least} px. "
            f"Received: size={tuple(size)}"
        )


def prepare(
    folder: pathlib.Path, layout: Layout, overwrite: bool, flags: Mapping[str, Any]
) -> None:
    """Makes the folders, drops what an earlier call wrote, and writes the marker.

    Args:
        folder: Where a data set is to be written.
        layout: Which files it consists of.
        overwrite: Replace generated files.
        flags: Those of generate.py that determine the files.

    Raises:
        FileExistsError: if the folder is not empty and `overwrite` is false, or it
            holds pictures or annotations of another origin.
    """
    if folder.is_dir() and any(folder.iterdir()) and not overwrite:
        raise FileExistsError(f"the folder must be empty, or overwritten: {folder}")
    images = [folder / name for name in (layout.pictures, *layout.others)]
    marker = folder / MARKER
    known = marker.exists() or layout.own_names
    pattern = re.compile(layout.pattern)
    ours, theirs = [], []
    for part in images:
        for path in sorted(part.rglob("[!.]*")):
            if not path.is_dir():
                name = path.relative_to(part).as_posix()
                (ours if known and pattern.fullmatch(name) else theirs).append(path)
    labels = [path for name in layout.labels for path in sorted(folder.glob(name))]
    if labels and not (ours or marker.exists()):
        theirs += labels
    if theirs:
        raise FileExistsError(
            f"the folder holds what this program did not generate: {theirs[0]}. "
            "It is left as it is; write to another folder"
        )
    for path in (*labels, *ours):
        path.unlink()
    for part in images:
        for path in sorted(part.rglob("*"), reverse=True):
            if path.is_dir() and not any(path.iterdir()):
                path.rmdir()
        part.mkdir(parents=True, exist_ok=True)
    command = make_command(layout.kind, flags)
    write_json(marker, {"kind": layout.kind, "command": command, **flags})


def make_command(kind: str, flags: Mapping[str, Any]) -> str:
    """Returns the command that generates a data set to OUT."""
    words = ["python", f"datasets/{kind}/generate.py", "OUT"]
    for name, value in flags.items():
        values = value if isinstance(value, tuple | list) else (value,)
        words += [f"--{name}", *map(str, values)]
    return " ".join(words)


def map_jobs(
    work: Callable[[Any], Any],
    jobs: Sequence[Any],
    workers: int,
    chunk: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Any]:
    """Yields the results of the jobs in their order.

    Args:
        work: What to do with a job; must travel to another process.
        jobs: The jobs.
        workers: Processes; this one alone for 1.
        chunk: Jobs that a process takes at once.
        progress: Called with the number of jobs done and of all jobs.
    """
    workers = min(workers, len(jobs))
    if workers == 1:
        yield from _counted(map(work, jobs), len(jobs), progress)
        return
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        results = pool.imap(work, jobs, chunksize=chunk)
        yield from _counted(results, len(jobs), progress)


def _counted(results, total, progress):
    for done, result in enumerate(results, 1):
        if progress is not None:
            progress(done, total)
        yield result


def jobs_of(counts: Sequence[int]) -> list[tuple[int, int]]:
    """Returns (part, index) for every index below each part's count."""
    return [(part, i) for part, count in enumerate(counts) for i in range(count)]


def save_picture(picture: np.ndarray, path: str | os.PathLike) -> None:
    """Writes a picture (height, width, 3) uint8 as JPEG."""
    Image.fromarray(picture).save(path, quality=_QUALITY)


def draw_count(rng: np.random.Generator, frames: tuple[int, int]) -> int:
    """Draws a number of frames from the smallest to the largest allowed."""
    return int(rng.integers(frames[0], frames[1] + 1))


def check_frames(frames: tuple[int, int]) -> None:
    """Raises ValueError unless `frames` is (smallest, largest) number of frames."""
    if not 1 <= frames[0] <= frames[1]:
        raise ValueError(
            "`frames` must be (smallest, largest), at least 1. "
            f"Received: frames={tuple(frames)}"
        )
