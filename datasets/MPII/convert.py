"""Makes annotations.mat for MpiiSinglePerson from the lists that are in use.

    python datasets/MPII/convert.py mpii_human_pose_v1_u12_1.mat --valid-list valid.h5
    python datasets/MPII/convert.py --train train.h5 --valid valid.h5
    python datasets/MPII/convert.py --valid test_mpii.json --copy-images PICTURES

A source is told by its ending: .mat is the owners' release, .h5 or .hdf5 a list in
the form of the stacked hourglass code, .json a list in MMPose's form. README.md in
this folder says where they come from and what is done to each.
"""

import argparse
import collections
import dataclasses
import functools
import json
import math
import pathlib
import shutil
import sys

import h5py
import numpy as np

from deephar.data.matfile import read_mat
from deephar.data.mpii_benchmark import (
    BenchmarkPicture,
    from_release,
    list_of,
    number_of,
)
from deephar.data.mpii_format import JOINT_NAMES, MpiiPerson, write_annotations

UPPER_NECK, HEAD_TOP = 8, 9
HEAD_SIZE_PER_SCALE = 25.0
"""Head size (0.6 x the head box's diagonal, px) over scale (person height / 200 px).
MPII's scale is made from the head box: on all 2958 people of valid.h5 it is 25."""
HOURGLASS_SCALE = 1.25
HOURGLASS_SHIFT = 15.0
MAX_CENTRE_DISTANCE = 2.0
"""Centres of one person in two lists differ by less than this many px."""


class Notes(collections.Counter):
    """Counts of what was left out, by reason."""


def head_box(head_size: float, pose: np.ndarray, objpos: np.ndarray) -> np.ndarray:
    """Returns a square box of the given head size where the true box is not known.

    Only its diagonal has a meaning. It is centred on the head where head top and upper
    neck are labelled, on the person otherwise.

    Args:
        head_size: 0.6 x the diagonal, px.
        pose: (16, 2) joints, px.
        objpos: (2,) centre of the person, px.
    """
    center = (pose[UPPER_NECK] + pose[HEAD_TOP]) / 2
    if np.isnan(center).any():
        center = np.asarray(objpos)
    half = head_size / 0.6 / math.sqrt(2) / 2
    return np.concatenate([center - half, center + half])


def read_json(path: pathlib.Path) -> list[MpiiPerson]:
    """Reads a list in MMPose's form: image, center, scale, joints, joints_vis."""
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} must be a whole JSON file. {error}") from error
    if not isinstance(rows, list):
        raise ValueError(f"{path} must hold a list. Received: {type(rows).__name__}")
    people = []
    for number, row in enumerate(rows):
        if not isinstance(row, dict):
            raise ValueError(
                f"{path}: person {number} must be a dictionary with image, center, "
                f"scale, joints and joints_vis. Received: {row!r:.60}"
            )
        try:
            pose = np.array(row["joints"], dtype=float)
            known = np.array(row["joints_vis"]) > 0
            pose = np.where(known[:, None], pose, np.nan)
            objpos, scale = np.array(row["center"], dtype=float), float(row["scale"])
            people.append(
                _person(row["image"], objpos, scale, pose, HEAD_SIZE_PER_SCALE * scale)
            )
        except KeyError as error:
            raise ValueError(f"{path}: person {number} has no {error}") from error
        except (IndexError, TypeError, ValueError) as error:
            raise ValueError(f"{path}: person {number}: {error}") from error
    return people


def read_hourglass(path: pathlib.Path) -> list[MpiiPerson]:
    """Reads a list in the form of the stacked hourglass code.

    Its scale is 1.25 times the official one and its centre 15 px x the official scale
    lower; both are undone. A joint at (0, 0) is not labelled.
    """
    names = ("imgname", "center", "scale", "part", "normalize")
    try:
        with h5py.File(path) as file:
            table = {name: file[name][()] for name in names}
    except KeyError as error:
        raise ValueError(
            f"{path} must hold the data sets {', '.join(names)}. {error}"
        ) from error
    except OSError as error:
        raise ValueError(f"{path} must be a whole HDF5 file. {error}") from error
    people = []
    for i, name in enumerate(table["imgname"]):
        try:
            scale = float(table["scale"][i]) / HOURGLASS_SCALE
            objpos = table["center"][i] - [0.0, HOURGLASS_SHIFT * scale]
            pose = np.array(table["part"][i], dtype=float)
            pose[(pose == 0).all(axis=-1)] = np.nan
            size = float(table["normalize"][i])
            people.append(_person(_text(name), objpos, scale, pose, size))
        except (IndexError, TypeError, ValueError) as error:
            raise ValueError(f"{path}: row {i}: {error}") from error
    return people


@functools.lru_cache(maxsize=1)
def load_release(path: pathlib.Path):
    """Reads the struct RELEASE of the owners' file."""
    options = {"struct_as_record": False, "squeeze_me": True}
    release = read_mat(path, ("RELEASE",), **options)["RELEASE"]
    for name in ("annolist", "img_train"):
        if not hasattr(release, name):
            raise ValueError(f"{path}: RELEASE must have the field {name}")
    return release


def read_release(path: pathlib.Path, notes: Notes) -> list[MpiiPerson]:
    """Reads the labelled people of RELEASE; counts whom it leaves out."""
    release = load_release(path)
    annolist, in_train = list_of(release.annolist), np.atleast_1d(release.img_train)
    if len(annolist) != len(in_train):
        raise ValueError(
            f"{path}: RELEASE.annolist and RELEASE.img_train must have one length. "
            f"Received: {len(annolist)} and {len(in_train)}"
        )
    people = []
    for number, (picture, wanted) in enumerate(zip(annolist, in_train, strict=True)):
        if not wanted:
            continue
        try:
            name = str(picture.image.name)
            for rect in list_of(picture.annorect):
                person = _released_person(name, rect, notes)
                if person is not None:
                    people.append(person)
        except (AttributeError, IndexError, TypeError, ValueError) as error:
            raise ValueError(f"{path}: picture {number + 1}: {error}") from error
    return people


def read_test(sources, notes: Notes) -> list[BenchmarkPicture]:
    """Returns the test pictures of the owners' file, if it is among the sources."""
    releases = [pathlib.Path(path) for path in sources if str(path).endswith(".mat")]
    if not releases:
        return []
    release = load_release(releases[0])
    if not hasattr(release, "single_person"):
        count = np.count_nonzero(np.atleast_1d(release.img_train) == 0)
        notes["test pictures, since RELEASE.single_person is absent"] += count
        return []
    try:
        return from_release(release)
    except ValueError as error:
        raise ValueError(f"{releases[0]}: {error}") from error


def _released_person(name, rect, notes):
    """Returns the person of one annorect, None where something is not labelled."""
    points = list_of(getattr(getattr(rect, "annopoints", None), "point", None))
    if not points:
        notes["people without joints"] += 1
        return None
    head = [number_of(rect, key) for key in ("x1", "y1", "x2", "y2")]
    scale = number_of(rect, "scale")
    objpos = getattr(rect, "objpos", None)
    objpos = [number_of(objpos, "x"), number_of(objpos, "y")]
    boxed = head[0] < head[2] and head[1] < head[3]
    if not (np.isfinite([*head, scale, *objpos]).all() and boxed and scale > 0):
        notes["people without head box, centre or scale"] += 1
        return None
    pose = np.full((len(JOINT_NAMES), 2), np.nan)
    for point in points:
        joint = int(point.id)
        if not 0 <= joint < len(JOINT_NAMES):
            raise ValueError(f"joint numbers run from 0 to 15. Received: id={joint}")
        pose[joint] = point.x, point.y
    return MpiiPerson(name, head, objpos, scale, pose, _not_hidden(points))


def _not_hidden(points):
    """Returns for each joint whether nothing hides it, None where no point tells.

    A point that does not tell, as those of head top and upper neck, is not hidden.
    """
    told = {int(point.id): number_of(point, "is_visible") for point in points}
    if all(np.isnan(value) for value in told.values()):
        return None
    visible = np.ones(len(JOINT_NAMES), dtype=bool)
    visible[[joint for joint, value in told.items() if value == 0]] = False
    return visible


def _person(picture, objpos, scale, pose, head_size):
    if np.shape(pose) != (len(JOINT_NAMES), 2):
        raise ValueError(
            f"the joints must have the shape (16, 2). Received: {np.shape(pose)}"
        )
    return MpiiPerson(picture, head_box(head_size, pose, objpos), objpos, scale, pose)


def _text(name):
    """Picture name from bytes, text or an array of character codes."""
    if isinstance(name, bytes):
        return name.decode()
    if isinstance(name, str):
        return name
    return "".join(chr(int(code)) for code in name if code)


def read_people(path: str, notes: Notes) -> list[MpiiPerson]:
    """Reads a list of any of the three forms.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the ending is unknown or the content is not in the form.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no such file: {path}")
    readers = {
        ".mat": functools.partial(read_release, notes=notes),
        ".h5": read_hourglass,
        ".hdf5": read_hourglass,
        ".json": read_json,
    }
    if path.suffix not in readers:
        raise ValueError(f"a source must end in {', '.join(readers)}. Received: {path}")
    people = readers[path.suffix](path)
    print(f"{path}: {len(people)} people, {_num_pictures(people)} pictures")
    if path.suffix == ".json":
        print(f"{path}: head size is not in the list; taken as 25 x scale (README.md)")
    return people


def split_by_list(people, listed, notes):
    """Splits people into (train, valid): valid are those on the list.

    A person is found by picture and centre. Other people of a listed picture go to
    neither part, so that no validation picture is seen in training.
    """
    centres = collections.defaultdict(list)
    for person in listed:
        centres[person.picture].append(person.objpos)
    train, valid = [], []
    for person in people:
        near = [
            np.linalg.norm(person.objpos - centre) < MAX_CENTRE_DISTANCE
            for centre in centres.get(person.picture, [])
        ]
        if any(near):
            valid.append(person)
        elif near:
            notes["people beside a validation person"] += 1
        else:
            train.append(person)
    if not valid:
        raise ValueError("nobody of the validation list is in the sources")
    if len(valid) < len(listed):
        lacking = len(listed) - len(valid)
        notes["people of the validation list that no source has"] += lacking
    return train, valid


def split_by_fraction(people, fraction, seed):
    """Splits people into (train, valid) by picture, drawn with a seed."""
    if not 0 <= fraction < 1:
        raise ValueError(f"`--valid-fraction` must be in [0, 1). Received: {fraction}")
    pictures = sorted({person.picture for person in people})
    order = np.random.default_rng(seed).permutation(len(pictures))
    held_out = {pictures[i] for i in order[: round(fraction * len(pictures))]}
    train = [person for person in people if person.picture not in held_out]
    valid = [person for person in people if person.picture in held_out]
    return train, valid


def copy_pictures(names, source: pathlib.Path, target: pathlib.Path) -> None:
    """Copies the pictures that `source` has and `target` has not."""
    if not source.is_dir():
        raise FileNotFoundError(f"no such folder: {source}")
    count = 0
    for name in sorted(names):
        if (source / name).is_file() and not (target / name).exists():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / name, target / name)
            count += 1
    print(f"{target}: {count} pictures copied")


def parse_arguments(argv):
    here = pathlib.Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sources", nargs="*", help="lists that are split in two parts")
    parser.add_argument("--train", nargs="+", default=[], help="lists for training")
    parser.add_argument("--valid", nargs="+", default=[], help="lists for validation")
    split = parser.add_mutually_exclusive_group()
    split.add_argument("--valid-list", help="list of the sources' validation people")
    split.add_argument(
        "--valid-fraction", type=float, default=0.0, help="pictures to hold out [0, 1)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of --valid-fraction")
    parser.add_argument("--out", type=pathlib.Path, default=here, help="data folder")
    parser.add_argument(
        "--copy-images", type=pathlib.Path, help="folder to take pictures from"
    )
    parser.add_argument(
        "--only-with-picture",
        action="store_true",
        help="leave out people whose picture is not in OUT/images",
    )
    arguments = parser.parse_args(argv)
    if not (arguments.sources or arguments.train or arguments.valid):
        parser.error("name at least one list")
    if not arguments.sources and (arguments.valid_list or arguments.valid_fraction):
        parser.error(
            "--valid-list and --valid-fraction split the lists that are named without "
            "an option, not those of --train and --valid: name at least one"
        )
    return arguments


def convert(arguments, notes: Notes):
    """Reads all lists; returns the people of (train, valid) and the test pictures."""
    people = [p for path in arguments.sources for p in read_people(path, notes)]
    if arguments.valid_list:
        listed = read_people(arguments.valid_list, notes)
        train, valid = split_by_list(people, listed, notes)
    else:
        fraction, seed = arguments.valid_fraction, arguments.seed
        train, valid = split_by_fraction(people, fraction, seed)
    train += [p for path in arguments.train for p in read_people(path, notes)]
    valid += [p for path in arguments.valid for p in read_people(path, notes)]
    test = read_test([*arguments.sources, *arguments.train], notes)
    return train, valid, test


def only_with_picture(parts, absent):
    """The parts without the people of absent pictures; the test pictures all stay."""
    *people, test = parts
    people = [[p for p in part if p.picture not in absent] for part in people]
    test = [dataclasses.replace(p, single=()) if p.name in absent else p for p in test]
    return *people, test


def write(arguments, notes: Notes):
    """Writes annotations.mat; returns its parts and the absent pictures' names."""
    images = arguments.out / "images"
    parts = convert(arguments, notes)
    names = {person.picture for part in parts[:2] for person in part}
    names |= {picture.name for picture in parts[2] if picture.single}
    arguments.out.mkdir(parents=True, exist_ok=True)
    if arguments.copy_images:
        copy_pictures(names, arguments.copy_images, images)
    absent = {name for name in names if not (images / name).is_file()}
    if arguments.only_with_picture:
        parts = only_with_picture(parts, absent)
    if not any(parts):
        beside = f" with a picture in {images}" if absent else ""
        raise ValueError(f"the lists have nobody to use{beside}. Wrote nothing")
    write_annotations(arguments.out / "annotations.mat", *parts)
    return parts, absent


def main(argv=None) -> int:
    """Runs the command line; returns the exit status."""
    arguments = parse_arguments(argv)
    notes = Notes()
    try:
        (train, valid, test), absent = write(arguments, notes)
    except (OSError, ValueError) as error:
        print(f"convert.py: {error}", file=sys.stderr)
        return 1
    for reason, count in sorted(notes.items()):
        print(f"left out: {count} {reason}")
    if absent:
        images = arguments.out / "images"
        print(f"{images}: {len(absent)} pictures of the lists are not there")
    for name, part in (("training", train), ("validation", valid)):
        print(f"{name}: {len(part)} people, {_num_pictures(part)} pictures")
    if test:
        single = sum(len(picture.single) for picture in test)
        print(f"test: {single} people without labels, {len(test)} pictures")
    print(f"wrote {arguments.out / 'annotations.mat'}")
    return 0


def _num_pictures(people):
    return len({person.picture for person in people})


if __name__ == "__main__":
    sys.exit(main())
