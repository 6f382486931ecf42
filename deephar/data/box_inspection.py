"""Files of boxes beside videos: do they cover the frames, and lie in the pictures?

For `python -m deephar check-data`, beside inspection.py.
"""

import pathlib

from deephar.data.boxes import ClipBoxes, FrameBoxes, read_boxes
from deephar.utils.modes import TEST_MODE, TRAIN_MODE, mode_name

WIDEST = 3.0
"""So many times as wide as the picture a box may be."""
BOXES = "*bbox*.json"
"""Names of the files of boxes, the original's penn_pred_bboxes_16f.json among them."""


def inspect_boxes(folder: pathlib.Path, kind) -> tuple[dict, list[str]]:
    """Reads the files of boxes; returns {file: what it covers} and what is wrong."""
    found, wrong = {}, []
    for path in sorted(folder.glob(BOXES)):
        try:
            boxes = read_boxes(path)
        except (OSError, ValueError) as error:
            wrong.append(str(error))
            continue
        compare = (
            _check_frame_boxes if isinstance(boxes, FrameBoxes) else _check_clip_boxes
        )
        found[path.name], more = compare(path.name, boxes, kind)
        wrong += more
    return found, wrong


def _check_frame_boxes(name: str, boxes: FrameBoxes, kind) -> tuple[str, list[str]]:
    """Compares boxes by frame with the frames.

    Returns:
        What they cover, and what is wrong: frames without a box in a part that has
        boxes, boxes of frames that do not exist or that cannot be in the picture.
    """
    texts, wrong = [], []
    for mode in (TEST_MODE, TRAIN_MODE):
        part, frames = mode_name(mode), {*kind.places(mode)}
        found = boxes.modes[mode]
        lacking, beyond = sorted(frames - set(found)), sorted(set(found) - frames)
        if not found and frames:
            texts.append(f"none of the part {part!r}")
        elif lacking:
            wrong.append(
                f"{name}: {len(lacking)} of {len(frames)} frames of the part {part!r} "
                f"have no box, the first {_key(lacking[0])}"
            )
        if beyond:
            wrong.append(
                f"{name}: {len(beyond)} boxes of the part {part!r} are of frames that "
                f"do not exist, the first {_key(beyond[0])}"
            )
        near = {key: found[key] for key in frames & set(found)}
        wrong += _check_sizes(name, kind, mode, near)
    covered = "; ".join(["boxes by frame", *texts])
    return covered, wrong


def _check_clip_boxes(name: str, boxes: ClipBoxes, kind) -> tuple[str, list[str]]:
    """Compares boxes by clip with the clips of the test videos; as above."""
    steps = sorted({step for _, step, _, _ in boxes.boxes})
    flips = sorted({flip for *_, flip in boxes.boxes})
    known, optional = set(), set()
    for video in range(kind.data.get_length(TEST_MODE)):
        for step in steps:
            clips = kind.data.get_clip_index(video, TEST_MODE, [step])
            known.update((video, step, clip) for clip in range(len(clips)))
        optional.add((video, min(steps, default=0), 0))  # of a video that is too short
    wanted = {(*clip, flip) for clip in known for flip in flips}
    allowed = wanted | {(*clip, flip) for clip in optional for flip in flips}
    lacking, beyond = sorted(wanted - {*boxes.boxes}), sorted({*boxes.boxes} - allowed)
    wrong = []
    for keys, what in ((lacking, "clips have no box"), (beyond, "boxes have no clip")):
        if keys:
            wrong.append(
                f"{name}: {len(keys)} {what} (test videos, steps {steps}, clips of "
                f"{kind.data.clip_size} frames), the first {_key(keys[0])}. Were they "
                "made for these annotations?"
            )
    near = {key: boxes.boxes[key] for key in allowed & set(boxes.boxes)}
    wrong += _check_sizes(name, kind, TEST_MODE, near)
    return f"{len(boxes.boxes)} boxes by clip", wrong


def _check_sizes(name: str, kind, mode: int, boxes: dict) -> list[str]:
    """Returns a line if boxes lie outside their pictures or are far too wide."""
    odd = []
    for key, (x1, y1, x2, y2) in sorted(boxes.items()):
        width, height = kind.sizes[mode, key[0]]
        outside = x1 >= width or y1 >= height or x2 <= 0 or y2 <= 0
        if outside or max(x2 - x1, y2 - y1) > WIDEST * max(width, height):
            odd.append(key)
    if not odd:
        return []
    return [
        f"{name}: {len(odd)} boxes of the part {mode_name(mode)!r} are outside their "
        f"picture or more than {WIDEST:g} times as wide, the first {_key(odd[0])}"
    ]


def _key(numbers) -> str:
    return ".".join(str(number) for number in numbers)
