"""Opens what browse looks at: data sets, their counts, what of their files is wrong."""

import dataclasses
import os
import pathlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from deephar.commands.check_data import by_folder, check_arrays
from deephar.data.clips import ClipDataset
from deephar.data.custom import CustomClips, CustomPeople
from deephar.data.custom_data import (
    CustomClip,
    CustomData,
    CustomPerson,
    CustomPicture,
)
from deephar.data.custom_format import read_custom
from deephar.data.custom_inspection import inspect_custom
from deephar.data.inspection import KINDS, People
from deephar.data.showing import SAMPLES
from deephar.utils.modes import mode_name
from deephar.utils.pose import is_valid

LINES = 4
"""So many lines of a kind of fault are listed."""

Fault = tuple[str, str, str]
"""The part, what is missing or wrong, and where."""


@dataclasses.dataclass(frozen=True, eq=False)
class Opened:
    """What is to be looked at.

    Attributes:
        datasets: By mode, data sets that have samples.
        counts: By name of the part, numbers by what they count.
        faults: What is missing or wrong in files.
    """

    datasets: Mapping[int, Sequence[SAMPLES]]
    counts: Mapping[str, Mapping[str, Any]]
    faults: Sequence[Fault]

    def titled(self) -> Iterator[tuple[str, int, SAMPLES]]:
        """Yields what each data set is called, its mode, and itself.

        Where a part has several of a kind their files are named.
        """
        for mode, datasets in self.datasets.items():
            kinds = [
                "videos" if isinstance(data, ClipDataset) else "people"
                for data in datasets
            ]
            for kind, data in zip(kinds, datasets, strict=True):
                title = f"{mode_name(mode)}: {kind}"
                if Counter(kinds)[kind] > 1:
                    title += f" of {os.path.basename(data.anno_path)}"
                yield title, mode, data


def open_kind(
    name: str, folder: pathlib.Path, clip_size: int, modes: Sequence[int]
) -> Opened:
    """Opens a data set that check-data knows.

    Files of joints of NTU that are damaged are left out, and told.
    """
    damaged = check_arrays(folder) if name == "NTU" else {}
    kind = KINDS[name](folder, clip_size, damaged)
    faults = lines_of("all", "files of joints that are damaged", [*damaged.values()])
    datasets, counts = {}, {}
    for mode in modes:
        filled = [one for one in kind.datasets(mode) if one.get_length(mode)]
        if filled:
            datasets[mode] = filled
            counts[mode_name(mode)] = kind.count(mode)
            faults += _faults_of(kind, mode)
    return Opened(datasets, counts, faults)


def open_custom(
    path: str | os.PathLike, clip_size: int, modes: Sequence[int]
) -> Opened:
    """Opens own data, see docs/custom.md.

    Raises:
        OSError, ValueError: as `deephar.data.custom_format.read_custom`.
    """
    data = read_custom(path)
    found = inspect_custom(path, 0, clip_size)
    faults = lines_of("all", "files missing", by_folder(found["missing"]))
    faults += lines_of("all", "wrong", found["wrong"])
    faults += lines_of("all", "beside", found["extra"])
    datasets, counts = {}, {}
    for mode in modes:
        part = mode_name(mode)
        filled: list[SAMPLES] = []
        if _has_people(data, part):
            filled.append(CustomPeople(data, part))
        if _has_actions(data, part):
            filled.append(CustomClips(data, part, clip_size=clip_size))
        if filled:
            datasets[mode], counts[part] = filled, found["parts"][part]
    return Opened(datasets, counts, faults)


def _has_people(data: CustomData, part: str) -> bool:
    """Tells whether a part has a person with a box and a joint."""
    people = [
        person
        for picture in (*data.pictures, *data.clips)
        if picture.part == part
        for person in _people_of(picture)
    ]
    return any(one.box is not None and is_valid(one.joints).any() for one in people)


def _people_of(one: CustomPicture | CustomClip) -> Iterable[CustomPerson]:
    return one.people.values() if isinstance(one, CustomClip) else one.people


def _has_actions(data: CustomData, part: str) -> bool:
    """Tells whether a part has a clip with an action."""
    clips = [clip for clip in data.clips if clip.part == part]
    return any(span.action is not None for clip in clips for span in clip.spans)


def _faults_of(kind: Any, mode: int) -> list[Fault]:
    """Returns what is missing or wrong of the pictures of a part."""
    name, missing = mode_name(mode), kind.missing(mode)
    what = f"{len(missing)} picture{'s' * (len(missing) > 1)} missing"
    found = lines_of(name, what, by_folder(missing))
    if isinstance(kind, People):
        found += lines_of(name, "boxes outside their pictures", kind.outside(mode))
    return found


def lines_of(part: str, what: str, lines: Sequence[str]) -> list[Fault]:
    """Returns faults of a kind, a row each; of many the first, and how many more."""
    shown = [(part, what, line) for line in lines[:LINES]]
    more = len(lines) - len(shown)
    return [*shown, *([(part, what, f"and {more} more")] if more else [])]
