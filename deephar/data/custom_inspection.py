"""What own data have: counts, and all that is wrong with file and line."""

import collections
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from deephar.data.custom import span_frames
from deephar.data.custom_data import PARTS, CustomClip, CustomData, CustomPerson
from deephar.data.custom_files import read_film
from deephar.data.custom_format import Checked, check_custom
from deephar.data.pictures import ENDINGS, open_picture
from deephar.data.placed_json import JsonFile, Problem
from deephar.utils.pose import is_valid


def inspect_custom(
    path: str | os.PathLike, count: int | None = None, clip_size: int = 8
) -> dict[str, Any]:
    """Checks own data, their pictures and videos.

    The head of every file is read, and some of the pictures are decoded.

    Args:
        path: File or folder, see `deephar.data.custom_format.check_custom`.
        count: So many pictures, spread evenly, are decoded; None for all.
        clip_size: Frames of a clip; shorter ones are counted.

    Returns:
        parts: {part: numbers}; pictures_read; missing, wrong, extra: lists of texts, as
        the command check-data tells them.

    Raises:
        OSError: if there is nothing of this name, or it cannot be read.
    """
    found = check_custom(path, look=True)
    result = {"parts": {}, "pictures_read": 0, "missing": []}
    result["wrong"] = [str(problem) for problem in found.problems]
    result["extra"] = [f"{one}: of another format" for one in found.passed_over]
    if found.data is None:
        return result
    for part in PARTS:
        numbers = _count(found.data, part, clip_size)
        if numbers:
            result["parts"][part] = numbers
    depths = sum(one["joints with depth"] for one in result["parts"].values())
    dim = found.data.layout.dim
    if depths and dim == 2:
        what = f"{depths} joints with depth, which a layout of dim 2 leaves out"
        result["extra"].append(f"{path}: {what}")
    if dim == 3 and not depths and not found.problems:
        result["missing"].append(f"{path} has no depth (joints_3d) for its dim 3")
    if len(found.data.actions) == 1:
        what = f"one action, {found.data.actions[0]}; a network tells two or more apart"
        result["extra"].append(f"{path}: {what}")
    places = _pictures(found.data)
    if count is not None and len(places) > count:
        rows = np.linspace(0, len(places) - 1, count).astype(int)
        places = [places[row] for row in rows]
    damaged = {}
    for place in places:
        try:
            open_picture(place)
        except FileNotFoundError:
            continue  # is told with its line
        except OSError as error:
            damaged[place] = error
        else:
            result["pictures_read"] += 1
    result["wrong"] += map(str, _placed(damaged, found))
    result["extra"] += _beside(found.data)
    if not found.problems and not (found.data.pictures or found.data.clips):
        result["missing"].append(f"{path} has neither pictures nor clips")
    return result


def _placed(damaged: Mapping[str, OSError], found: Checked) -> list[Problem]:
    """Returns what is wrong with pictures, each at its first place in each file."""
    known = {_place(problem) for problem in found.problems}
    problems = []
    for name, places in found.places.items() if damaged else ():
        file = JsonFile(name)
        for path in damaged.keys() & places.keys():
            file.root.at(*places[path]).wrong(
                f"must be a whole picture: {damaged[path]}"
            )
        problems += file.problems()
    return [problem for problem in problems if _place(problem) not in known]


def _place(problem: Problem) -> tuple[str, int, str]:
    return problem.file, problem.line, problem.text.split()[0]


def _pictures(data: CustomData) -> list[str]:
    paths = {one.path for one in data.pictures}
    return sorted(paths.union(*(one.pictures for one in data.clips)))


def _count(data: CustomData, part: str, clip_size: int) -> dict[str, Any]:
    """Returns the numbers of a part; none if it is empty."""
    pictures = [one for one in data.pictures if one.part == part]
    clips = [one for one in data.clips if one.part == part]
    if not pictures and not clips:
        return {}
    people = [one for picture in pictures for one in picture.people]
    in_clips = [one for clip in clips for one in clip.people.values()]
    spans = [(clip, span) for clip in clips for span in clip.spans]
    actions = collections.Counter(
        data.actions[span.action] for _, span in spans if span.action is not None
    )
    lengths = [length for one in spans if (length := _length(*one)) is not None]
    return {
        "pictures": len(pictures),
        "pictures without people": sum(not one.people for one in pictures),
        "people": len(people),
        **_count_joints(data, [*people, *in_clips]),
        "clips": len(clips),
        "labelled frames of clips": len(in_clips),
        "actions": dict(actions),
        "spans without an action": len(spans) - actions.total(),
        f"spans shorter than {clip_size} frames": sum(n < clip_size for n in lengths),
    }


def _count_joints(data: CustomData, people: Sequence[CustomPerson]) -> dict[str, int]:
    known = np.array([is_valid(one.joints).all(axis=-1) for one in people])
    visible = np.array([one.visible for one in people])
    known = known.reshape(-1, data.layout.num_joints)
    depths = np.zeros_like(known)
    for row, one in enumerate(people):
        if one.joints_3d is not None:
            depths[row] = is_valid(one.joints_3d).all(axis=-1)
    unlabelled = int((~known.any(axis=1)).sum())
    return {
        "people without a joint": unlabelled,
        "joints": int(known.sum()),
        "joints hidden": int(known.sum() - visible.sum()),
        "joints with depth": int(depths.sum()),
        "joints never labelled": int((~known.any(axis=0)).sum()) * bool(len(known)),
    }


def _length(clip: CustomClip, span) -> int | None:
    """Returns the frames of a span; None where its video does not tell."""
    if clip.video is None:
        first, last = span.frames or (1, len(clip.pictures))
    else:
        try:
            first, last = span_frames(span, read_film(clip.video))
        except (OSError, ValueError):
            return None  # is told with its line
    return last - first + 1


def _beside(data: CustomData) -> list[str]:
    """Returns a line for each folder that has pictures which are not annotated."""
    known = collections.defaultdict(set)
    for path in _pictures(data):
        known[os.path.dirname(path)].add(os.path.basename(path))
    lines = []
    for folder, names in sorted(known.items()):
        if not os.path.isdir(folder):
            continue
        found = {
            one for one in os.listdir(folder) if os.path.splitext(one)[1] in ENDINGS
        }
        if others := sorted(found - names):
            lines.append(
                f"{folder}: {len(others)} pictures without annotations, the first "
                f"{others[0]}"
            )
    return lines
