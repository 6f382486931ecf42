"""What the command `predict` is about to do: sources, names, boxes, and flags."""

import argparse
import collections
import dataclasses
import pathlib
from collections.abc import Iterable, Iterator, Mapping, Sequence

from deephar.data.box_lists import BoxRow, read_box_list
from deephar.data.sources import SourceFiles, is_camera, source_files

_VIDEO = "a video, a camera, or pictures with --rate"
_NO_BOXES = "a source without boxes of its own"


@dataclasses.dataclass(frozen=True)
class Plan:
    """One source, and where its results go.

    Attributes:
        source: as of the flags.
        known: what it is; None where it cannot be told, as it will be when it is
            opened.
        moving: whether its pictures are frames of a video.
        drawing: the picture, the video, or the folder of pictures; None without.
        drawings: of a folder, the drawing of each picture by its path.
        json: the file; None without.
        boxes: of the people by the number of the picture, where a list tells them.
    """

    source: str
    known: SourceFiles | None
    moving: bool
    drawing: pathlib.Path | None
    drawings: Mapping[str, pathlib.Path]
    json: pathlib.Path | None
    boxes: Mapping[int, Sequence[BoxRow]] | None = None

    @property
    def targets(self) -> list[pathlib.Path]:
        """Everything that will be written."""
        paths = (self.drawing, self.json, *self.drawings.values())
        return [path for path in paths if path is not None]


def plan_sources(args: argparse.Namespace) -> list[Plan]:
    """Plans all sources of the flags, before the first is looked at.

    Args:
        args: of `predict.parse`.

    Raises:
        FileExistsError: if a result is there, and not `--overwrite`.
        OSError: if the list of `--boxes` cannot be read.
        ValueError: if a source would be replaced, two results have one place, or a flag
            has no meaning for a source.
    """
    names = source_names(args.sources)
    plans = [
        _plan(args, source, name)
        for source, name in zip(args.sources, names, strict=True)
    ]
    for plan in plans:
        if plan.known is not None:
            _check_flags(args, plan)
    _check_targets(args, plans)
    if args.boxes is not None:
        boxes = _shared(args.boxes, plans)
        plans = [
            dataclasses.replace(plan, boxes=found)
            for plan, found in zip(plans, boxes, strict=True)
        ]
    return plans


def _plan(args: argparse.Namespace, source: str, name: str) -> Plan:
    try:
        known = source_files(source)
    except (OSError, ValueError):
        # It is told, and the others done, when its turn comes.
        return Plan(source, None, False, None, {}, None)
    folder, kind = pathlib.Path(args.out), known.kind
    moving = kind in ("video", "camera")
    moving = moving or (args.rate is not None and kind != "picture")
    ending = ".mp4" if moving else ".jpg" if kind == "picture" else ""
    drawing = folder / f"{name}{ending}" if args.draw else None
    json = folder / f"{name}.json" if args.json else None
    drawings = {}
    if drawing is not None and not ending:
        each = distinct_names(known.files, known.name)
        drawings = {
            file: drawing / f"{one}.jpg"
            for file, one in zip(known.files, each, strict=True)
        }
    return Plan(source, known, moving, drawing, drawings, json, known.boxes or None)


def source_names(sources: Sequence[str]) -> list[str]:
    """A name for what is written of each source.

    It is the file's name without ending; with it where two of the sources then had the
    same, and with the folders' names before it where they still have. Cameras are
    camera0, camera1, ...

    Raises:
        ValueError: if two have the same name all the same.
    """
    return distinct_names(sources, "SOURCE")


def distinct_names(paths: Sequence[str], owner: str) -> list[str]:
    """The shortest names by which files differ, as of `source_names`.

    Args:
        paths: of the files; numbers of cameras are fine too.
        owner: what they are of, for the message.

    Raises:
        ValueError: if two have the same name all the same.
    """
    same = collections.Counter(map(_place, paths)).most_common(1)
    if same and same[0][1] > 1:
        raise ValueError(
            f"{owner}: each must be another, as their results are. "
            f"Received: {same[0][1]} times {same[0][0]}"
        )
    ways = [list(_names(path)) for path in paths]
    names = [way[0] for way in ways]
    for longer in range(1, max(map(len, ways), default=0)):
        counts = collections.Counter(names)
        if len(counts) == len(names):
            break
        names = [
            way[min(longer, len(way) - 1)] if counts[name] > 1 else name
            for name, way in zip(names, ways, strict=True)
        ]
    counts = collections.Counter(names).most_common(1)
    if counts and counts[0][1] > 1:
        name, count = counts[0]
        raise ValueError(
            f"{owner}: each must have a name of its own, as their results do. "
            f"Received: {count} named {name}"
        )
    return names


def _place(source: str) -> str:
    """What a source is, whatever it is called."""
    if is_camera(source):
        return f"camera{pathlib.PurePath(source).name.removeprefix('video')}"
    return str(pathlib.Path(source).resolve())


def _names(source: str) -> Iterator[str]:
    """Longer and longer names."""
    if is_camera(source):
        yield _place(source)
        return
    path = pathlib.Path(source).resolve()
    yield path.name if path.is_dir() else path.stem
    parts = path.parts[1:] or (path.name,)
    for count in range(1, len(parts) + 1):
        yield "_".join(parts[-count:])


def _check_flags(args: argparse.Namespace, plan: Plan) -> None:
    """Refuses flags that mean nothing for a source."""
    kind, moving = plan.known.kind, plan.moving
    several, boxless = kind != "picture", kind != "box list"
    rules = {
        "--lift": (args.lift, moving, _VIDEO),
        "--model action": (args.model == "action" or None, moving, _VIDEO),
        "--rate": (args.rate, kind in ("pictures", "box list"), "a folder or a list"),
        "--every": (args.every, several, "more than one picture"),
        "--frames": (args.frames, several, "more than one picture"),
        "--detect-every": (args.detect_every, moving, _VIDEO),
        "--detect-every ": (args.detect_every, boxless, _NO_BOXES),
        "--detector": (args.detector, boxless, _NO_BOXES),
        "--people": (args.people, boxless, _NO_BOXES),
        "--box": (args.box, boxless, _NO_BOXES),
        "--boxes": (args.boxes, boxless, _NO_BOXES),
    }
    for flag, (given, taken, needs) in rules.items():
        if given is not None and not taken:
            raise ValueError(
                f"{flag.strip()} needs {needs}. Received: {plan.source}, which is a "
                f"{'folder' if kind == 'pictures' else kind}"
            )


def _check_targets(args: argparse.Namespace, plans: Sequence[Plan]) -> None:
    """Sees that nothing is replaced that should stay."""
    inputs = {pathlib.Path(path).resolve() for path in _inputs(args, plans)}
    taken: set[pathlib.Path] = set()
    for plan in plans:
        for path in plan.targets:
            place = path.resolve()
            if place in inputs:
                raise ValueError(f"{path}: is a source; --out must be elsewhere")
            if place in taken:
                raise ValueError(
                    f"{path}: would be of two sources. Received: {plan.source}, and "
                    "another before it"
                )
            taken.add(place)
        for path in filter(None, (plan.drawing, plan.json)):
            if path.exists() and not args.overwrite:
                raise FileExistsError(
                    f"{path}: is there already; --overwrite replaces it, --out FOLDER "
                    "leaves it"
                )


def _inputs(args: argparse.Namespace, plans: Iterable[Plan]) -> Iterator[str]:
    """Whatever is read."""
    yield from filter(None, (args.boxes, args.weights, args.lift))
    for plan in plans:
        yield plan.source
        if plan.known is not None:
            yield from plan.known.files


def _shared(path: str, plans: Sequence[Plan]) -> list[dict[int, list[BoxRow]]]:
    """The rows of a list of boxes by source, and by the number of the picture."""
    there, numbered = _pictures(plans)
    whole = all(plan.known is not None for plan in plans)
    found: list[dict[int, list]] = [{} for _ in plans]
    for row in read_box_list(path):
        name = pathlib.PurePath(row.picture)
        places = list(there.get(name.name, ()))
        if name.stem.isdecimal() and int(name.stem) > 0:
            places += [(index, int(name.stem), "") for index in numbered]
        if len(places) > 1:
            exact = {
                str(pathlib.Path(folder, name).resolve())
                for folder in ("", pathlib.Path(path).parent)
            }
            places = [place for place in places if place[2] in exact]
            if len(places) != 1:
                raise ValueError(
                    f"--boxes {path}: {name} could be a picture of several sources, or "
                    "several of one; whole paths tell"
                )
        if not places and whole:
            of = plans[0].source if len(plans) == 1 else "these sources"
            raise ValueError(f"--boxes {path}: {name.name} is no picture of {of}")
        for index, number, _ in places:
            found[index].setdefault(number, []).append(row)
    return found


def _pictures(plans: Sequence[Plan]) -> tuple[dict[str, list], list[int]]:
    """Pictures by their file name: source, number, path; and which are videos."""
    there: dict[str, list[tuple[int, int, str]]] = {}
    numbered = []
    for index, plan in enumerate(plans):
        kind = None if plan.known is None else plan.known.kind
        if kind in ("video", "camera"):
            numbered.append(index)
        elif kind is not None:
            for number, file in enumerate(plan.known.files, 1):
                place = (index, number, str(pathlib.Path(file).resolve()))
                there.setdefault(pathlib.PurePath(file).name, []).append(place)
    return there, numbered
