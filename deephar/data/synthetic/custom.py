"""Generated people on disk as own data or as an export of CVAT: pictures, clips."""

import functools
import logging
import os
import pathlib
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from deephar.data.custom_drafts import write_custom
from deephar.data.custom_format import FORMAT, VERSION
from deephar.data.pennaction_format import JOINT_NAMES
from deephar.data.synthetic.pennaction import PENN_JOINTS, make_clip
from deephar.data.synthetic.scene import make_sample
from deephar.data.synthetic.writing import (
    Layout,
    check_frames,
    check_numbers,
    jobs_of,
    map_jobs,
    prepare,
    save_picture,
)
from deephar.utils.fs import whole_path

logger = logging.getLogger(__name__)

ACTIONS = ("jumping_jacks", "squat", "golf_swing")
"""What is done in the clips, in turn."""
NAMES = tuple(
    name.replace("shoulder", "shoul").replace("elbow", "elb") for name in JOINT_NAMES
)
"""Names of the joints."""
LAYOUT = {
    "name": "generated13j",
    "joints": list(NAMES),
    "flips": [[one, f"l{one[1:]}"] for one in NAMES if one.startswith("r_")],
    "links": [
        *(["r_shoul", "l_shoul"], ["r_hip", "l_hip"]),
        *(
            [f"{side}_{first}", f"{side}_{second}"]
            for side in "rl"
            for first, second in (
                *(("shoul", "elb"), ("elb", "wrist"), ("shoul", "hip")),
                *(("hip", "knee"), ("knee", "ankle")),
            )
        ),
    ],
}
_PARTS = ("train", "valid")
_SUBSETS = ("Train", "Validation")
_LAYOUT = Layout(
    "Custom",
    "images",
    r"(train|valid)_\d{6}\.jpg|(train|valid)_clip_\d{4}/\d{6}\.jpg",
    ("data.json", "annotations.xml"),
)
_HEAD = 0.6
"""Head size of PCKh by the diagonal of the head's box, as MPII's."""
_ROOM = 0.1
"""Around the joints of a clip, a part of their span: its box."""
_CLIPS = 2  # the parts of clips have seeds of their own


def write_custom_data(
    folder: str | os.PathLike,
    train: int = 24,
    valid: int = 6,
    clips: tuple[int, int] = (0, 0),
    frames: tuple[int, int] = (16, 24),
    form: str = "deephar",
    seed: int = 0,
    workers: int = 1,
    overwrite: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Writes FOLDER/images/ and FOLDER/data.json, or annotations.xml of CVAT.

    A picture shows one person with 13 joints and a head size, a clip one who does one
    of `ACTIONS`. The files depend on `seed`, `frames` and `form` and on nothing else.
    Validation shows other people than training. The annotations come last.

    Args:
        folder: Where to write; made if it does not exist.
        train, valid: Numbers of pictures.
        clips: Numbers of clips, of training and validation.
        frames: Smallest and largest number of frames of a clip.
        form: "deephar" for docs/custom.md's, "cvat" for "CVAT for images 1.1", which
            has no head sizes.
        seed: Which people.
        workers: Processes that draw.
        overwrite: Replace the generated files of a folder that is not empty.
        progress: Called with the number of pictures and clips done and of all.

    Raises:
        ValueError: if a number or the form is none, or there is nothing to write.
        FileExistsError: if the folder is not empty and `overwrite` is false, or it
            holds pictures or annotations of another origin.
        OSError: if the folder cannot be written.
    """
    counts = (train, valid, *clips)
    names = ("train", "valid", "train clips", "valid clips")
    check_numbers(dict(zip(names, counts, strict=True)), seed, workers)
    check_frames(frames)
    if form not in ("deephar", "cvat"):
        raise ValueError(f"`form` must be deephar or cvat. Received: form={form!r}")
    folder = pathlib.Path(folder)
    flags = {"train": train, "valid": valid, "clips": clips, "frames": frames}
    prepare(folder, _LAYOUT, overwrite, {**flags, "as": form, "seed": seed})
    work = functools.partial(_write_one, folder, seed, frames)
    entries = list(map_jobs(work, jobs_of(counts), workers, 1, progress))
    pictures, found = entries[: train + valid], entries[train + valid :]
    if form == "cvat":
        _write_cvat(folder / "annotations.xml", entries)
    else:
        _write_own(folder / "data.json", pictures, found)
    logger.info("wrote %d pictures and clips to %s", len(entries), folder)


def _write_one(
    folder: pathlib.Path, seed: int, frames: tuple[int, int], job: tuple[int, int]
) -> dict[str, Any]:
    """Draws and writes a picture or clip; returns its entry of the file."""
    part, index = job
    if part >= _CLIPS:
        return _write_clip(folder, seed, frames, part, index)
    file = f"images/{_PARTS[part]}_{index:06d}.jpg"
    sample = make_sample((seed, part), index)
    save_picture(sample.picture, folder / file)
    size = sample.picture.shape[1::-1]
    labels, chosen = sample.labels, list(PENN_JOINTS)
    x1, y1, x2, y2 = labels.bbox.tolist()
    person = {
        "box_xywh": _rounded(x1, y1, x2 - x1, y2 - y1),
        "joints": _joints(labels.picture[chosen], labels.visible[chosen], size),
        "head_size": _rounded(_HEAD * np.hypot(*(labels.head[2:] - labels.head[:2])))[
            0
        ],
    }
    return {
        "file": file,
        "size": [*size],
        "split": _PARTS[part],
        "people": [person],
    }


def _write_clip(folder, seed, frames, part, index) -> dict[str, Any]:
    name, action = f"{_PARTS[part - _CLIPS]}_clip_{index:04d}", ACTIONS[index % 3]
    (folder / "images" / name).mkdir(exist_ok=True)
    entries, size = [], None
    clip = make_clip((seed, part, index), action, frames)
    for number, (picture, points, visible) in enumerate(clip, 1):
        file, size = f"images/{name}/{number:06d}.jpg", picture.shape[1::-1]
        save_picture(picture, folder / file)
        low = np.clip(points.min(axis=0), 0, size)
        span = np.clip(points.max(axis=0), 0, size) - low
        room = _ROOM * span.max()
        box = _rounded(*(low - room), *(span + 2 * room))
        joints = _joints(points, visible, size)
        entries.append({"file": file, "box_xywh": box, "joints": joints})
    return {
        "name": name,
        "split": _PARTS[part - _CLIPS],
        "size": [*size],
        "action": action,
        "frames": entries,
    }


def _joints(
    points: np.ndarray, visible: np.ndarray, size: tuple[int, ...]
) -> dict[str, list[float]]:
    """Returns the joints inside the picture by name, those hidden with a 0."""
    inside = ((points >= 0) & (points < size)).all(axis=1).tolist()
    rows = zip(NAMES, points.tolist(), visible.tolist(), inside, strict=True)
    return {
        name: [*_rounded(*xy), *([] if seen else [0])]
        for name, xy, seen, within in rows
        if within
    }


def _rounded(*values: float) -> list[float]:
    return [round(float(value), 2) for value in values]


def _write_own(path: pathlib.Path, pictures: list[dict], clips: list[dict]) -> None:
    """Writes the entries as own data."""
    content = {"format": FORMAT, "version": VERSION, "layout": LAYOUT}
    content |= {"actions": list(ACTIONS), "pictures": pictures, "clips": clips}
    write_custom(path, content)


def _write_cvat(path: pathlib.Path, entries: Sequence[dict[str, Any]]) -> None:
    """Writes the entries as CVAT exports a task of pictures."""
    root = ElementTree.Element("annotations")
    ElementTree.SubElement(root, "version").text = "1.1"
    task = ElementTree.SubElement(ElementTree.SubElement(root, "meta"), "task")
    ElementTree.SubElement(task, "mode").text = "annotation"
    labels = ElementTree.SubElement(task, "labels")
    kinds = [("person", "skeleton", None)]
    kinds += [(name, "points", "person") for name in NAMES]
    kinds += [(name, "tag", None) for name in ACTIONS]
    for name, kind, parent in kinds:
        label = ElementTree.SubElement(labels, "label")
        for key, text in (("name", name), ("type", kind), ("parent", parent)):
            if text:
                ElementTree.SubElement(label, key).text = text
        if kind == "skeleton":
            ElementTree.SubElement(label, "svg").text = _svg()
    for entry in entries:
        people = entry.get("people")
        frames = entry.get("frames") or [{"file": entry["file"], **people[0]}]
        for frame in frames:
            number = len(root) - 2
            _add_image(root, number, frame, entry)
    ElementTree.indent(root)
    with whole_path(path) as draft:
        ElementTree.ElementTree(root).write(draft, "utf-8", xml_declaration=True)


def _add_image(root, number: int, frame: dict[str, Any], entry: dict[str, Any]) -> None:
    width, height = map(str, entry["size"])
    subset = _SUBSETS[_PARTS.index(entry["split"])]
    name = frame["file"].removeprefix("images/")
    image = ElementTree.SubElement(
        root,
        "image",
        {"id": str(number), "name": name, "subset": subset}
        | {"width": width, "height": height},
    )
    x, y, w, h = frame["box_xywh"]
    corners = {"xtl": x, "ytl": y, "xbr": x + w, "ybr": y + h}
    common = {"source": "manual", "occluded": "0", "z_order": "0"}
    corners = {key: f"{value:.2f}" for key, value in corners.items()}
    ElementTree.SubElement(image, "box", {"label": "person", **common, **corners})
    shape = {"label": "person", "source": "manual", "z_order": "0"}
    skeleton = ElementTree.SubElement(image, "skeleton", shape)
    for joint, (px, py, *hidden) in frame["joints"].items():
        place = {"label": joint, "source": "manual", "outside": "0"}
        place |= {"occluded": str(len(hidden)), "points": f"{px:.2f},{py:.2f}"}
        ElementTree.SubElement(skeleton, "points", place)
    if "action" in entry:
        tag = {"label": entry["action"], "source": "manual"}
        ElementTree.SubElement(image, "tag", tag)


def _svg() -> str:
    """Returns the drawing of the skeleton as CVAT keeps it: edges and nodes."""
    number = {name: i for i, name in enumerate(NAMES, 1)}
    edges = [
        f'<line data-type="edge" data-node-from="{number[first]}" '
        f'data-node-to="{number[second]}"></line>'
        for first, second in LAYOUT["links"]
    ]
    nodes = [
        f'<circle data-type="element node" data-element-id="{i}" data-node-id="{i}" '
        f'data-label-name="{name}"></circle>'
        for name, i in number.items()
    ]
    return "".join([*edges, *nodes])
