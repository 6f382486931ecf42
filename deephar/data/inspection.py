"""What a data set on disk has: the kinds that the command check-data looks at.

An object of a kind counts a part (`count`), lists its pictures (`places`), reads one of
them (`read`) and names those that are not there (`missing`). Those of people name boxes
outside their pictures (`outside`), those of videos what is not annotated.
"""

import collections
import os
import pathlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from deephar.config import (
    human36m_dataconf,
    mpii_sp_dataconf,
    ntu_dataconf,
    pennaction_dataconf,
)
from deephar.data.actions import ActionDataset
from deephar.data.base import SinglePersonDataset
from deephar.data.boxed import BoxedPeople, BoxedPerson
from deephar.data.boxed_clips import BoxedClips, BoxedVideo
from deephar.data.clips import ClipDataset
from deephar.data.coco import COCO_PARTS, COCOSinglePerson, coco_files
from deephar.data.human36m import Human36M
from deephar.data.merl import (
    ACTION_FILES,
    PEOPLE_FILES,
    PEOPLE_PICTURES,
    REACH_CLASSES,
    MERL5Action,
    MERLAction,
    MERLSinglePerson,
)
from deephar.data.mpii import MpiiSinglePerson
from deephar.data.ntu import Ntu
from deephar.data.pennaction import PennAction
from deephar.data.pictures import check_size, open_picture
from deephar.utils.bbox import overlaps
from deephar.utils.modes import TEST_MODE, TRAIN_MODE, VALID_MODE, mode_name

MODES = (TRAIN_MODE, VALID_MODE, TEST_MODE)


class People:
    """MPII, COCO: people in single pictures.

    Args:
        parts: {mode: its people}; modes may lack.
    """

    def __init__(self, parts: Mapping[int, BoxedPeople | MpiiSinglePerson]):
        self.parts = parts
        self.sizes = {
            one.picture: one.size for mode in parts for one in self._people(mode)
        }

    def _people(self, mode: int) -> list[BoxedPerson]:
        return getattr(self.parts.get(mode), "people", [])

    def count(self, mode: int) -> dict[str, Any]:
        """Returns the numbers of a part."""
        people, left_out = 0, {}
        if mode in self.parts:
            people = self.parts[mode].get_length(mode)
            left_out = getattr(self.parts[mode], "left_out", {})
        return {
            "people": people,
            "pictures": len(self.places(mode)),
            **{f"left out ({what})": number for what, number in left_out.items()},
        }

    def datasets(self, mode: int) -> list[SinglePersonDataset | ClipDataset]:
        """Returns the data sets that samples of a part come from."""
        return [self.parts[mode]] if mode in self.parts else []

    def places(self, mode: int) -> list[str]:
        """Returns the path of every picture."""
        if mode not in self.parts:
            return []
        data = self.parts[mode]
        return sorted({data.picture(key, mode) for key in range(data.get_length(mode))})

    def read(self, mode: int, place: str) -> None:
        """Reads a picture; OSError if it cannot be read or has another size."""
        check_size(place, open_picture(place).size, self.sizes.get(place))

    def missing(self, mode: int) -> list[str]:
        """Returns the paths of annotated pictures that are not there."""
        return self.parts[mode].missing_pictures(mode) if mode in self.parts else []

    def boxes(self, mode: int) -> Iterator[tuple[str, Sequence[float]]]:
        """Yields the picture and the corners x1 y1 x2 y2, px, of every box."""
        for one in self._people(mode):
            x, y, width, height = one.box
            yield one.picture, (x, y, x + width, y + height)

    def outside(self, mode: int) -> list[str]:
        """Returns a line if boxes lie wholly outside their pictures."""
        found = []
        for picture, box in self.boxes(mode):
            size = self.sizes[picture]
            if size and not overlaps(box, size):
                found.append(picture)
        if not found:
            return []
        return [
            f"{len(found)} boxes of the part {mode_name(mode)!r} are outside their "
            f"picture, the first in {found[0]}"
        ]


class Shop(People):
    """MERL: people in single pictures, and videos of people with boxes.

    Args:
        parts: {mode: its people}; modes may lack.
        clips: {mode: the sets of its videos}; modes may lack.
    """

    def __init__(
        self,
        parts: Mapping[int, BoxedPeople],
        clips: Mapping[int, Sequence[BoxedClips]],
    ):
        super().__init__(parts)
        self.clips = clips
        for mode in clips:
            for one in self._videos(mode):
                self.sizes.update(dict.fromkeys(one.pictures, one.size))

    def _videos(self, mode: int) -> list[BoxedVideo]:
        return [one for data in self.clips.get(mode, ()) for one in data.videos]

    def count(self, mode: int) -> dict[str, Any]:
        """Returns the numbers of a part."""
        actions, short = collections.Counter(), collections.Counter()
        for data in self.clips.get(mode, ()):
            actions.update(data.action_labels[one.action] for one in data.videos)
            name = f"videos shorter than {data.clip_size} frames"
            lengths = [len(one.pictures) for one in data.videos]
            short[name] += sum(length < data.clip_size for length in lengths)
        boxes = [one.boxes for one in self._videos(mode)]
        nameless = sum(not _names_action(one.picture) for one in self._people(mode))
        return {
            **super().count(mode),
            "people whose pictures name no action": nameless,
            "videos": len(boxes),
            "frames": sum(map(len, boxes)),
            "frames without a box": int(sum(np.isnan(b[:, 0]).sum() for b in boxes)),
            **short,
            "actions": dict(actions),
        }

    def datasets(self, mode: int) -> list[SinglePersonDataset | ClipDataset]:
        """Returns the data sets that samples of a part come from."""
        return [*super().datasets(mode), *self.clips.get(mode, ())]

    def places(self, mode: int) -> list[str]:
        """Returns the path of every picture."""
        paths = {path for one in self._videos(mode) for path in one.pictures}
        return sorted({*super().places(mode), *paths})

    def boxes(self, mode: int) -> Iterator[tuple[str, Sequence[float]]]:
        """Yields the picture and the corners x1 y1 x2 y2, px, of every box.

        Those of a pickle's videos are those of its people.
        """
        yield from super().boxes(mode)
        for data in self.clips.get(mode, ()):
            if not isinstance(data, MERLAction):
                for one in data.videos:
                    known = np.isfinite(one.boxes).all(axis=1)
                    paths = np.array(one.pictures)[known].tolist()
                    yield from zip(paths, one.boxes[known], strict=True)

    def missing(self, mode: int) -> list[str]:
        """Returns the paths of annotated pictures that are not there."""
        paths = {*super().missing(mode)}
        for data in self.clips.get(mode, ()):
            paths.update(data.missing_pictures(mode))
        return sorted(paths)


class Videos:
    """Penn Action, Human3.6M, NTU: annotated frames of videos."""

    def __init__(self, data: ActionDataset | Human36M):
        self.data = data
        self.sizes: dict[tuple[int, int], tuple[int, int]] = {}
        self.pictures: dict[str, set[str]] = collections.defaultdict(set)

    def count(self, mode: int) -> dict[str, Any]:
        """Returns the numbers of a part; reads the joints of all frames."""
        actions, short, empty = collections.Counter(), 0, 0
        lengths = [self.data.num_frames(key, mode) for key in self._keys(mode)]
        labels = dict(enumerate(self.data.action_labels))
        for key, length in enumerate(lengths):
            action = self.data.action(key, mode)
            actions[labels.get(action, f"action {action}")] += 1
            short += length < self.data.clip_size
            if length:
                clip = self.data.clip(key, mode, range(length))
                empty += int(np.isnan(clip.joints).any(axis=-1).all(axis=-1).sum())
                self.sizes[mode, key] = clip.size
                names = {os.path.basename(path) for path in clip.pictures}
                self.pictures[os.path.dirname(clip.pictures[0])] |= names
        return {
            "videos": len(lengths),
            "frames": sum(lengths),
            "actions": dict(actions),
            f"videos shorter than {self.data.clip_size} frames": short,
            "frames without a joint": empty,
        }

    def _keys(self, mode: int) -> range:
        return range(self.data.get_length(mode))

    def datasets(self, mode: int) -> list[ClipDataset]:
        """Returns the data sets that samples of a part come from."""
        return [self.data] if self.data.get_length(mode) else []

    def places(self, mode: int) -> list[tuple[int, int]]:
        """Returns what `read` takes, for every picture."""
        counts = ((key, self.data.num_frames(key, mode)) for key in self._keys(mode))
        return [(key, frame) for key, count in counts for frame in range(count)]

    def read(self, mode: int, place: tuple[int, int]) -> None:
        """Reads a picture; OSError if it cannot be read or has another size."""
        picture = self.data.open_frame(place[0], mode, place[1])
        picture.read(1, (0, 0, *picture.size))

    def missing(self, mode: int) -> list[str]:
        """Returns the paths of annotated pictures that are not there."""
        return self.data.missing_pictures(mode)

    def unannotated(self) -> tuple[list[str], list[str]]:
        """Returns lines of the pictures that no video counted has.

        Those beside annotated ones come first, then the folders without any.
        """
        root = pathlib.Path(self.data.dataset_path, self.data.pattern.split("/")[0])
        beside, folders = [], []
        for folder in sorted(path for path in root.iterdir() if path.is_dir()):
            found = {path.name for path in folder.glob("*.jpg") if path.name[0] != "."}
            known = self.pictures.get(os.fspath(folder))
            if known is None:
                folders.append(f"{folder}: {len(found)} pictures, none annotated")
            elif found - known:
                extra = sorted(found - known)
                beside.append(
                    f"{folder}: {len(extra)} pictures more than the {len(known)} "
                    f"annotated, the first {extra[0]}"
                )
        return beside, folders


def open_mpii(folder: pathlib.Path, clip_size: int, damaged: Collection[str]) -> People:
    """Opens MPII."""
    mpii = MpiiSinglePerson(folder, mpii_sp_dataconf)
    return People({mode: mpii for mode in MODES})


def open_coco(folder: pathlib.Path, clip_size: int, damaged: Collection[str]) -> People:
    """Opens the parts of COCO of which pictures or annotations are there."""
    parts = {}
    for mode, part in COCO_PARTS.items():
        files = coco_files(folder, part)
        if any(os.path.exists(path) for path in files):
            parts[mode] = COCOSinglePerson(*files)
    if not parts:
        names = " or ".join(coco_files(folder, part)[1] for part in COCO_PARTS.values())
        raise FileNotFoundError(f"no annotation file: {names}")
    return People(parts)


def open_merl(folder: pathlib.Path, clip_size: int, damaged: Collection[str]) -> Shop:
    """Opens the files of MERL that are there, of people and of actions."""
    people, clips = {}, {mode: [] for mode in MODES}
    for mode, name in PEOPLE_FILES.items():
        if (folder / name).exists():
            files = (folder / PEOPLE_PICTURES, folder / name)
            people[mode] = MERLSinglePerson(*files)
            if all(_names_action(one.picture) for one in people[mode].people):
                clips[mode].append(MERLAction(*files, clip_size=clip_size))
    for mode, names in ACTION_FILES.items():
        clips[mode] += [
            MERL5Action(folder / name, clip_size=clip_size, classes=classes)
            for name, classes in names.items()
            if (folder / name).exists()
        ]
    if not people and not any(clips.values()):
        names = [
            *PEOPLE_FILES.values(),
            *(n for one in ACTION_FILES.values() for n in one),
        ]
        raise FileNotFoundError(
            f"no annotation file in {folder}: none of {', '.join(names)}. "
            "See datasets/MERL/README.md"
        )
    return Shop(people, clips)


def _names_action(picture: str) -> bool:
    """Tells whether a picture's name holds an action of `MERLAction`."""
    name = os.path.basename(picture).lower()
    return any(action.lower() in name for action in REACH_CLASSES)


def open_penn(folder: pathlib.Path, clip_size: int, damaged: Collection[str]) -> Videos:
    """Opens Penn Action, with the windows that its trainings have."""
    options = {"use_gt_bbox": True, "clip_size": clip_size}
    return Videos(PennAction(folder, pennaction_dataconf, **options))


def open_human36m(
    folder: pathlib.Path, clip_size: int, damaged: Collection[str]
) -> Videos:
    """Opens Human3.6M."""
    return Videos(Human36M(folder, human36m_dataconf, clip_size=clip_size))


def open_ntu(folder: pathlib.Path, clip_size: int, damaged: Collection[str]) -> Videos:
    """Opens NTU RGB+D but for the files of joints that are damaged.

    Windows are those that its trainings have.
    """

    class Sound(Ntu):
        def files(self):
            return [file for file in super().files() if file not in damaged]

    options = {"use_gt_bbox": True, "clip_size": clip_size}
    return Videos(Sound(folder, ntu_dataconf, **options))


KINDS = {
    "MPII": open_mpii,
    "COCO": open_coco,
    "MERL": open_merl,
    "Human3.6M": open_human36m,
    "PennAction": open_penn,
    "NTU": open_ntu,
}
"""By the data set's name, what opens it: from its folder, the frames of a clip and the
names of files to leave out, to `People` or `Videos`."""
