"""COCO's people, one at a time, from its person_keypoints files.

Source of the format: https://cocodataset.org/#format-data, read with its own
pycocotools.
"""

import collections
import contextlib
import functools
import io
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from pycocotools.coco import COCO

from deephar.config import DataConfig, mpii_sp_dataconf
from deephar.data.boxed import BoxedPeople, BoxedPerson, are_finite
from deephar.data.cache import PictureCache
from deephar.data.records import FARTHEST, check_keys, picture_size, read_json, text
from deephar.utils.messages import shown
from deephar.utils.modes import TRAIN_MODE, VALID_MODE
from deephar.utils.pose import INVALID, coco17j, pa16j2d

logger = logging.getLogger(__name__)

COCO_PARTS = {TRAIN_MODE: "train", VALID_MODE: "val"}
"""Names of the parts in those of the owners' files."""

_NUMBERS = {"bbox": 4, "keypoints": 3 * coco17j.num_joints}
_REQUIRED = {
    "images": ("id", "file_name"),
    "categories": ("id",),
    "annotations": (
        *("id", "image_id", "category_id", "iscrowd", "num_keypoints", "area"),
        *_NUMBERS,
    ),
}
_SIZE = ("width", "height")
_HIDDEN = 1
"""Flag of a key point that is labelled and hidden; 2 is visible."""
_SHORT = (
    *(("left_", "l_"), ("right_", "r_")),
    *(("shoulder", "shoul"), ("elbow", "elb")),
)


def coco_files(folder: str | os.PathLike, part: str) -> tuple[str, str]:
    """Returns where pictures and annotations of a part lie, as the owners name them.

    Args:
        folder: Such as datasets/COCO; "" for paths below it.
        part: "train" or "val".
    """
    annotations = f"person_keypoints_{part}2017.json"
    return (
        os.path.join(folder, f"{part}2017"),
        os.path.join(folder, "annotations", annotations),
    )


@contextlib.contextmanager
def prints_to_log(target: logging.Logger) -> Iterator[None]:
    """Sends what is printed meanwhile to a log, at the level DEBUG, line by line."""
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            yield
    finally:
        for line in printed.getvalue().splitlines():
            target.debug("%s", line)


def read_coco(path: str | os.PathLike) -> COCO:
    """Reads a person_keypoints file.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is no JSON, lacks something, holds what is not as it should
            be, or annotations of a category with key points other than COCO's 17; it
            names the file and the entry.
    """
    path = os.fspath(path)
    if not os.path.isfile(path):
        raise FileNotFoundError(
            f"no annotation file: {path}. See datasets/COCO/README.md"
        )
    content = read_json(path)
    _check(path, content)
    coco = COCO()
    coco.dataset = content
    with prints_to_log(logger):
        coco.createIndex()
    return coco


def _check(path: str, content: Any) -> None:
    """Raises ValueError unless all that is read later is there."""
    for part, keys in _REQUIRED.items():
        entries = content.get(part) if isinstance(content, dict) else None
        if not isinstance(entries, list):
            raise ValueError(
                f"{path} must be a person_keypoints file of COCO: an object with the "
                f"lists {', '.join(_REQUIRED)}. Received: none named {part!r}"
            )
        for number, entry in enumerate(entries):
            _check_entry(f"{path}: entry {number} of {part}", entry, keys)
        ids = collections.Counter(entry["id"] for entry in entries)
        twice = [number for number, count in ids.items() if count > 1]
        if twice:
            raise ValueError(
                f"{path}: the ids of {part} must differ. "
                f"Received: id={twice[0]} {ids[twice[0]]} times"
            )
    for image in content["images"]:
        _check_image(f"{path}: image {image['id']}", image)
    categories = {one["id"]: one for one in content["categories"]}
    known = {
        "image_id": {image["id"] for image in content["images"]},
        "category_id": set(categories),
    }
    for annotation in content["annotations"]:
        _check_annotation(f"{path}: annotation {annotation['id']}", annotation, known)
    for number in {one["category_id"] for one in content["annotations"]}:
        _check_names(path, categories[number])


def _check_entry(owner: str, entry: Any, keys: Sequence[str]) -> None:
    check_keys(owner, entry, keys)
    if type(entry["id"]) not in (int, str):
        raise _wrong(owner, entry, "id", "an integer or a text")


def _wrong(owner: str, entry: dict[str, Any], key: str, rule: str) -> ValueError:
    value = shown(entry[key])
    return ValueError(f"{owner}: `{key}` must be {rule}. Received: {key}={value}")


def _check_image(owner: str, image: dict[str, Any]) -> None:
    text(owner, "file_name", image["file_name"])
    if {*_SIZE} <= {*image}:
        picture_size(owner, [image[key] for key in _SIZE])


def _check_names(path: str, category: dict[str, Any]) -> None:
    found = category.get("keypoints")
    names = [str(name) for name in found] if isinstance(found, list) else []
    for long, short in _SHORT:
        names = [name.replace(long, short) for name in names]
    if names != coco17j.joint_names:
        raise ValueError(
            f"{path}: the key points of category {category['id']} must be COCO's 17, "
            f"nose to right_ankle. Received: {shown(found)}"
        )


def _check_annotation(
    owner: str, annotation: dict[str, Any], known: Mapping[str, set]
) -> None:
    for key, ids in known.items():
        value = annotation[key]
        if type(value) not in (int, str) or value not in ids:
            part = "images" if key == "image_id" else "categories"
            raise _wrong(owner, annotation, key, f"an id of {part}")
    for key, count in _NUMBERS.items():
        if not are_finite(annotation[key], count):
            raise _wrong(owner, annotation, key, f"{count} finite numbers")
    if max(map(abs, annotation["bbox"])) > FARTHEST:
        raise _wrong(owner, annotation, "bbox", f"px, none beyond {FARTHEST:g}")
    flags = annotation["keypoints"][2::3]
    if not set(flags) <= {0, 1, 2}:
        raise ValueError(
            f"{owner}: the flags of `keypoints` must be 0, 1 or 2. Received: {flags}"
        )
    if annotation["iscrowd"] not in (0, 1):
        raise _wrong(owner, annotation, "iscrowd", "0 or 1")
    for key in ("num_keypoints", "area"):
        if not are_finite([annotation[key]], 1) or annotation[key] < 0:
            raise _wrong(owner, annotation, key, "a number of at least 0")
    if annotation["area"] == 0 and _reason_to_leave_out(annotation) is None:
        raise _wrong(owner, annotation, "area", "above 0 where somebody is labelled")


class COCOSinglePerson(BoxedPeople):
    """People of COCO, each in a square window around his box.

    A key point counts where COCO's flag is 1 (labelled, hidden) or 2 (visible). Left
    out, and counted in `left_out`: annotations of crowds, those without a key point,
    and those whose box has no width or height.

    Args:
        dataset_path: Folder of the pictures, such as datasets/COCO/train2017.
        anno_path: A person_keypoints file, such as
            datasets/COCO/annotations/person_keypoints_train2017.json.
        dataconf: Size of the crop and augmentation.
        poselayout: `pa16j2d` or `coco17j`.
        remove_outer_joints: Whether joints outside the crop become INVALID.
        cache: Where decoded pictures are kept for the next epochs, see
            `deephar.data.open_cache`; None to decode them each time.

    Attributes:
        anno_path: Path of the annotations.
        left_out: {"crowd", "no key points", "empty box"}: number of annotations.
        visible: (people, 17) bool: labelled, and not hidden.

    Raises:
        FileNotFoundError: if the annotations or the folder of pictures are missing.
            Pictures are looked for when they are read; see `missing_pictures`.
        ValueError: if the annotations or the layout are not as they should be, or
            nobody is left.
    """

    def __init__(
        self,
        dataset_path: str | os.PathLike,
        anno_path: str | os.PathLike,
        dataconf: DataConfig = mpii_sp_dataconf,
        poselayout: Any = pa16j2d,
        remove_outer_joints: bool = True,
        cache: PictureCache | None = None,
    ):
        self.anno_path = os.fspath(anno_path)
        folder = os.fspath(dataset_path)
        self.left_out = {"crowd": 0, "no key points": 0, "empty box": 0}
        self._ids: list[int] = []
        people, visible = [], []
        for annotation in self.coco.dataset["annotations"]:
            reason = _reason_to_leave_out(annotation)
            if reason is not None:
                self.left_out[reason] += 1
                continue
            image = self.coco.imgs[annotation["image_id"]]
            people.append(_person(folder, image, annotation))
            visible.append(np.array(annotation["keypoints"][2::3]) > _HIDDEN)
            self._ids.append(annotation["id"])
        if not os.path.isdir(folder):
            raise FileNotFoundError(
                f"no folder of pictures: {folder}. See datasets/COCO/README.md"
            )
        super().__init__(
            folder, people, dataconf, poselayout, remove_outer_joints, cache
        )
        self.visible = np.array(visible)

    @functools.cached_property
    def coco(self) -> COCO:
        """The annotations as pycocotools has them."""
        return read_coco(self.anno_path)

    @property
    def annotations(self) -> list[dict[str, Any]]:
        """The annotation of every sample, as the file has it."""
        return [self.coco.anns[number] for number in self._ids]

    def __getstate__(self) -> dict[str, Any]:
        """Leaves the file's content out of copies for processes that make batches."""
        return {k: value for k, value in vars(self).items() if k != "coco"}


def _reason_to_leave_out(annotation: dict[str, Any]) -> str | None:
    if annotation["iscrowd"]:
        return "crowd"
    if not annotation["num_keypoints"] or not any(
        flag > 0 for flag in annotation["keypoints"][2::3]
    ):
        return "no key points"
    return None if min(annotation["bbox"][2:]) > 0 else "empty box"


def _person(
    folder: str, image: dict[str, Any], annotation: dict[str, Any]
) -> BoxedPerson:
    points = np.array(annotation["keypoints"], dtype=np.float64).reshape(-1, 3)
    return BoxedPerson(
        picture=os.path.join(folder, image["file_name"]),
        box=tuple(annotation["bbox"]),
        joints=np.where(points[:, 2:] > 0, points[:, :2], INVALID),
        size=tuple(image[key] for key in _SIZE) if {*_SIZE} <= {*image} else None,
    )
