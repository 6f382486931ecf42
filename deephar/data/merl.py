"""MERL Shopping as pminhtam's fork of deephar has it: people, and two sets of clips.

The layout of the files is described in `deephar.data.merl_format`. The clips of MERL
Shopping's own labels are made by datasets/MERL/convert.py, for `MERL5Action`.
"""

import collections
import dataclasses
import logging
import os
import pathlib
from collections.abc import Sequence
from typing import Any

from deephar.config import DataConfig, mpii_sp_dataconf, pennaction_ar_dataconf
from deephar.data import merl_format, merl_shopping
from deephar.data.boxed import BoxedPeople, BoxedPerson, is_box
from deephar.data.boxed_clips import BoxedClips, BoxedVideo
from deephar.data.cache import PictureCache
from deephar.utils.modes import TEST_MODE, TRAIN_MODE, VALID_MODE
from deephar.utils.pose import is_valid, pa16j2d

logger = logging.getLogger(__name__)

REACH_CLASSES = ("ReachToShelf", "RetractFromShelf")
"""Actions of the pickles, which the names of their pictures tell."""
SHELF_CLASSES = ("ApproachtoShelf", "GlanceAtShelf", "LookatShelf")
"""Actions of the fork's JSON files."""
PEOPLE_FILES = {
    TRAIN_MODE: "prepare_train_merl.pkl",
    VALID_MODE: "prepare_val_merl.pkl",
}
"""Names of the pickles, by mode."""
PEOPLE_PICTURES = "images"
"""Name of the folder of their pictures, beside them."""
ACTION_FILES = {
    TRAIN_MODE: {"train_2.json": SHELF_CLASSES, "train.json": merl_shopping.ACTIONS},
    VALID_MODE: {"val.json": merl_shopping.ACTIONS},
    TEST_MODE: {"test_2.json": SHELF_CLASSES, "test.json": merl_shopping.ACTIONS},
}
"""Names of the JSON files, by mode, and the actions that they hold. Those of the fork
have a 2 in them; the others are what datasets/MERL/convert.py makes."""

_README = "See datasets/MERL/README.md"
_TRIED = 100
"""So many urls are looked for to find where the pictures lie."""


class MERLSinglePerson(BoxedPeople):
    """People of MERL Shopping, each in a square window around his box.

    A key point counts where its flag is 1, labelled and visible, as in the fork; with
    `occluded` those with 0, labelled but hidden, count too. Left out, and counted in
    `left_out`: people without a key point that counts, and with a box of no width or
    height.

    Args:
        dataset_path: Folder of the pictures, such as datasets/MERL/images.
        anno_path: A pickle of people, such as datasets/MERL/prepare_train_merl.pkl.
        dataconf: Size of the crop and augmentation.
        poselayout: `pa16j2d` or `coco17j`.
        occluded: Whether hidden key points count.
        cache: Where decoded pictures are kept for the next epochs, see
            `deephar.data.open_cache`; None to decode them each time.

    Attributes:
        anno_path: Path of the annotations.
        left_out: {"no key points", "empty box"}: number of people.

    Raises:
        FileNotFoundError: if the annotations or the folder of pictures are missing.
            Pictures are looked for when they are read; see `missing_pictures`.
        ValueError: if the annotations or the layout are not as they should be, or the
            file asks for anything but data.

    Source: deephar/data/merl.py of https://github.com/pminhtam/
    2D-3D_Multitask_Deep_Learning.
    """

    def __init__(
        self,
        dataset_path: str | os.PathLike,
        anno_path: str | os.PathLike,
        dataconf: DataConfig = mpii_sp_dataconf,
        poselayout: Any = pa16j2d,
        occluded: bool = False,
        cache: PictureCache | None = None,
    ):
        self.anno_path = os.fspath(anno_path)
        self.left_out = {"no key points": 0, "empty box": 0}
        folder, people = os.fspath(dataset_path), []
        for one in merl_format.read_people(anno_path):
            joints = one.joints(occluded)
            if not is_valid(joints).any():
                self.left_out["no key points"] += 1
            elif not is_box(one.box):
                self.left_out["empty box"] += 1
            else:
                path = os.path.join(folder, one.picture)
                people.append(BoxedPerson(path, one.box, joints, one.size))
        _check_folder(folder)
        super().__init__(folder, people, dataconf, poselayout, cache=cache)


class MERLAction(BoxedClips):
    """Videos of a pickle of people: hands that reach to a shelf or retract from it.

    The pictures VIDEO-NUMBER.jpg of one VIDEO are its frames, and VIDEO holds the name
    of the action. Key points that are labelled and visible are in `pose`.

    Args:
        dataset_path: Folder of the pictures, such as datasets/MERL/images.
        anno_path: A pickle of people, such as datasets/MERL/prepare_train_merl.pkl.
        dataconf: Size of the crop and augmentation; its steps are not used.
        poselayout: `pa16j2d` or `coco17j`.
        clip_size: Frames of a clip.
        classes: Names of the actions, in order.
        cache: As of `MERLSinglePerson`.

    Samples have the further key merlaction (classes,), 1.0 at the action. How clips and
    windows are chosen is said in `BoxedClips`.

    Raises:
        FileNotFoundError, ValueError: As `MERLSinglePerson`; also if a name of a
            picture tells no video or action, or a video has several sizes.

    Source: deephar/data/merl_action.py of https://github.com/pminhtam/
    2D-3D_Multitask_Deep_Learning.
    """

    def __init__(
        self,
        dataset_path: str | os.PathLike,
        anno_path: str | os.PathLike,
        dataconf: DataConfig = pennaction_ar_dataconf,
        poselayout: Any = pa16j2d,
        clip_size: int = 3,
        classes: Sequence[str] = REACH_CLASSES,
        cache: PictureCache | None = None,
    ):
        self.anno_path = os.fspath(anno_path)
        check_classes(classes)
        people = merl_format.read_people(anno_path)
        frames = merl_format.action_frames(anno_path, people, classes)
        _check_folder(dataset_path)
        videos = [
            _moved(one, lambda name: os.path.join(dataset_path, name))
            for one in merl_format.group_frames(anno_path, frames)
        ]
        super().__init__(
            *(dataset_path, videos, dataconf, poselayout, clip_size),
            *(classes, "merlaction", cache),
        )


class MERL5Action(BoxedClips):
    """Videos of a JSON file of actions, by default what people do before a shelf.

    Args:
        anno_path: A JSON file of actions, such as datasets/MERL/train_2.json.
        dataconf: Size of the crop and augmentation; its steps are not used.
        poselayout: `pa16j2d` or `coco17j`; no joint is annotated.
        clip_size: Frames of a clip.
        classes: Names of the actions, in order.
        image_path: Where the pictures lie, if the urls are paths of another machine: of
            each url the tail that exists below this folder. None takes the urls as they
            are, or their tails below the folder of the file or its folder `actions` if
            none of them is a file. How many folders are cut off is the same for all
            urls: so many that the most of them are found, and as few as will do.
        cache: As of `MERLSinglePerson`.

    Samples have the further key merlaction (classes,), 1.0 at the action. How clips and
    windows are chosen is said in `BoxedClips`.

    Raises:
        FileNotFoundError: if the annotations are missing, or no picture is found. Of
            many a part is looked for; single pictures are when they are read, see
            `missing_pictures`.
        ValueError: if a record lacks something, its action is none of `classes`, a
            video has several actions or sizes, or the tails of different urls are the
            same.

    Source: deephar/data/merl_3_action.py of https://github.com/pminhtam/
    2D-3D_Multitask_Deep_Learning.
    """

    def __init__(
        self,
        anno_path: str | os.PathLike,
        dataconf: DataConfig = pennaction_ar_dataconf,
        poselayout: Any = pa16j2d,
        clip_size: int = 4,
        classes: Sequence[str] = SHELF_CLASSES,
        image_path: str | os.PathLike | None = None,
        cache: PictureCache | None = None,
    ):
        self.anno_path = os.fspath(anno_path)
        check_classes(classes)
        entries = merl_format.read_entries(anno_path)
        frames = merl_format.entry_frames(anno_path, entries, classes)
        place = picture_places(anno_path, [one.picture for one in frames], image_path)
        videos = merl_format.group_frames(anno_path, frames)
        super().__init__(
            os.fspath(pathlib.Path(anno_path).parent),
            [_moved(one, place) for one in videos],
            *(dataconf, poselayout, clip_size, classes, "merlaction", cache),
        )


def picture_places(
    anno_path: str | os.PathLike,
    urls: Sequence[str],
    image_path: str | os.PathLike | None = None,
):
    """Returns the function from a url of a JSON file to the path of the picture here.

    Args:
        anno_path, image_path: As of `MERL5Action`.
        urls: Those of the file.

    Raises:
        FileNotFoundError: if no picture is found.
        ValueError: if the tails of different urls are the same.
    """
    folder = pathlib.Path(anno_path).parent
    tried = urls[:: -(-len(urls) // _TRIED)]

    def as_it_is(url):
        return os.fspath(folder / url)

    if image_path is None and any(os.path.isfile(as_it_is(url)) for url in tried):
        return as_it_is
    roots = [folder, folder / "actions"] if image_path is None else [image_path]
    hits, cut, root = max(
        (_best_cut(pathlib.Path(root), tried) for root in roots),
        key=lambda best: best[0],
    )
    if hits:
        _check_tails(anno_path, urls, cut)
        logger.info("%s: pictures below %s", os.fspath(anno_path), root)
        return lambda url: os.fspath(root.joinpath(*_parts(url)[cut:]))
    if image_path is None:
        below = " or ".join(map(os.fspath, roots))
        raise FileNotFoundError(
            f"no picture of {os.fspath(anno_path)} is at its url, nor an end of it "
            f"below {below}: give `image_path` (--image-path). Received: {urls[0]}. "
            f"{_README}"
        )
    raise FileNotFoundError(
        f"no picture of {os.fspath(anno_path)} lies below the folder "
        f"{os.fspath(image_path)}: neither {urls[0]} nor an end of this path. "
        f"{_README}"
    )


def _best_cut(root: pathlib.Path, urls: Sequence[str]) -> tuple[int, int, pathlib.Path]:
    """Returns how many tails of urls exist below a folder, after which cut, and it."""
    hits = collections.Counter(
        cut
        for parts in map(_parts, urls)
        for cut in range(len(parts))
        if root.joinpath(*parts[cut:]).is_file()
    )
    cut = min(hits, key=lambda cut: (-hits[cut], cut), default=0)
    return hits[cut], cut, root


def _check_tails(anno_path: str | os.PathLike, urls: Sequence[str], cut: int) -> None:
    """Raises ValueError if different urls are the same without their first parts."""
    by_tail: dict[str, list[str]] = {}
    for parts in map(_parts, urls):
        tail = "/".join(parts[cut:])
        other = by_tail.setdefault(tail, parts)
        if other != parts:
            raise ValueError(
                f"{os.fspath(anno_path)}: different urls must be different pictures. "
                f"Received: {'/'.join(other)} and {'/'.join(parts)}, both {tail} here"
            )


def _parts(url: str) -> list[str]:
    return [part for part in url.replace("\\", "/").split("/") if part]


def check_classes(classes: Sequence[str]) -> None:
    """Raises ValueError unless names of actions are there and differ."""
    names = [str(name).lower() for name in classes]
    if isinstance(classes, str) or not names or "" in names:
        raise ValueError(
            f"`classes` must be names of actions. Received: classes={classes!r}"
        )
    if len(set(names)) < len(names):
        raise ValueError(
            "`classes` must differ in more than upper and lower case. "
            f"Received: classes={tuple(classes)}"
        )


def _check_folder(folder: str | os.PathLike) -> None:
    if not os.path.isdir(folder):
        raise FileNotFoundError(f"no folder of pictures: {folder}. {_README}")


def _moved(video: BoxedVideo, place) -> BoxedVideo:
    return dataclasses.replace(video, pictures=tuple(map(place, video.pictures)))
