"""Generated people on disk, as MPII has them: pictures and `annotations.mat`."""

import functools
import logging
import os
import pathlib
from collections.abc import Callable

from deephar.data.mpii_format import MpiiPerson, write_annotations
from deephar.data.synthetic.scene import (
    FRONTAL,
    MPII_JOINTS,
    check_frontal,
    make_sample,
)
from deephar.data.synthetic.writing import (
    Layout,
    check_numbers,
    jobs_of,
    map_jobs,
    prepare,
    save_picture,
)

logger = logging.getLogger(__name__)

_PARTS = ("train", "valid")  # the number of a part belongs to the seed of its people
_PICTURES = rf"({'|'.join(_PARTS)})_\d{{6,}}\.jpg"
_LAYOUT = Layout("MPII", "images", _PICTURES, own_names=True)
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
    check_numbers({"train": train, "valid": valid}, seed, workers)
    check_frontal(frontal)
    folder = pathlib.Path(folder)
    flags = {"train": train, "valid": valid, "frontal": frontal, "seed": seed}
    prepare(folder, _LAYOUT, overwrite, flags)
    work = functools.partial(_write_one, folder / "images", seed, frontal)
    jobs = jobs_of((train, valid))
    people = list(map_jobs(work, jobs, workers, _CHUNK, progress))
    write_annotations(folder / "annotations.mat", people[:train], people[train:])
    logger.info("wrote %d pictures to %s", len(people), folder)


def _write_one(
    images: pathlib.Path, seed: int, frontal: float, job: tuple[int, int]
) -> MpiiPerson:
    """Draws and writes one picture; returns its annotation."""
    part, index = job
    name = f"{_PARTS[part]}_{index:06d}.jpg"
    sample = make_sample((seed, part), index, frontal)
    save_picture(sample.picture, images / name)
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
