"""Results of evaluations: what their evaluation.json say, as one flat list of figures.

Every figure has its place in the papers' tables (table, part, row), the strict value
and that of the original's count, and the receipt of the run it came from.
`results_page` makes pages of them.
"""

import dataclasses
import json
import pathlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType

from deephar.evaluation.receipts import GENERATED, Checked, Receipt, read_receipt
from deephar.evaluation.tables import GROUPS, POSE_SCORES

FILE = "evaluation.json"
"""What evaluations write to their run folders."""

BOXES = {"truth": "annotated boxes", "whole": "whole picture"}
"""Boxes of clips as rows call them; others are those of a file."""
FILE_BOXES = "boxes of a file"
ONE_CLIP, MANY_CLIPS = "one clip", "many clips"
ONE_CROP = "1 crop"
PAPER_FRAMES = ("one in 64", "one in 60")
"""The frames of Human3.6M that the original scores, and those of the paper."""
TOTAL, BEST_BLOCK = "total", "total, best block"
MEAN_ACTIONS, MEAN_FRAMES = "mean of actions", "mean of frames"
BEST_OUTPUT = "best output on these videos"
"""Rows beside those of body parts, actions and outputs."""

_PAPERS = {
    **dict.fromkeys(("mpii", "human36m", "penn", "ntu"), "CVPR 2018"),
    **dict.fromkeys(("mpii_spnet", "pose_baseline"), "TPAMI 2020"),
    **dict.fromkeys(("penn_spnet", "ntu_spnet"), "TPAMI 2020"),
}


@dataclasses.dataclass(frozen=True)
class Measured:
    """A figure of a result.

    Attributes:
        table, part, row: its place; see `paper_tables`.
        strict: the strict figure, % or mm; None where there is none.
        original: as the original counts; None where it does not, or is not computed.
        receipt: where it comes from.
        data: folder of the data that it was measured on.
        origin: where these come from, one of `receipts.ORIGINS`.
        more: further columns, by name.
    """

    table: str
    part: str
    row: str
    strict: float | None
    original: float | None
    receipt: Receipt
    data: str
    origin: str
    more: dict[str, object] = dataclasses.field(default_factory=dict)

    @property
    def generated(self) -> bool:
        """Whether the data are generated."""
        return self.origin == GENERATED


def find_files(
    results: Iterable[str | pathlib.Path],
) -> tuple[list[pathlib.Path], dict[pathlib.Path, str]]:
    """The evaluation.json of files and folders, each once, sorted by path.

    Args:
        results: files, or folders that are searched with all below them.

    Returns:
        The files, and by path what is said of a folder that holds none.

    Raises:
        FileNotFoundError: if there is no such file or folder.
    """
    found, empty = {}, {}
    for path in map(pathlib.Path, results):
        if path.is_dir():
            files = sorted(path.rglob(FILE))
            if not files:
                empty[path] = f"{path}: holds no {FILE}"
            found |= {file.resolve(): file for file in files}
        elif path.is_file():
            found[path.resolve()] = path
        else:
            raise FileNotFoundError(f"{path}: no such file or folder of results")
    return sorted(found.values()), empty


def read_results(
    files: Iterable[pathlib.Path],
) -> tuple[list[Measured], dict[pathlib.Path, str], dict[pathlib.Path, str]]:
    """The figures of all files, newest first, and what is said of files without.

    Args:
        files: evaluation.json of any kind of evaluation.

    Returns:
        The figures; by path what is wrong with a file that was left out; and by path
        that a file is sound, but of data that the papers have no table of.
    """
    figures, wrong, other = [], {}, {}
    for file in files:
        try:
            found = read_result(file)
        except (ValueError, OSError) as error:
            wrong[file] = str(error)
            continue
        figures += found
        if not found:
            other[file] = f"{file}: of data that the papers have no table of"
    figures.sort(key=lambda one: one.receipt.date, reverse=True)
    return figures, wrong, other


def read_result(file: str | pathlib.Path) -> list[Measured]:
    """The figures of an evaluation.json; none if its kind is one of OTHER_KINDS.

    Raises:
        ValueError: if it is damaged, of an unknown kind or lacks something; the message
            names the file.
        OSError: if it cannot be read.
    """
    file = pathlib.Path(file)
    try:
        text = file.read_text(encoding="utf-8")
        values = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{file}: no JSON, or damaged: {error}") from error
    scores = Checked(str(file), values)
    receipt = read_receipt(file, scores.part("receipt"), [*KINDS, *OTHER_KINDS])
    if receipt.evaluation in OTHER_KINDS:
        return []
    return list(KINDS[receipt.evaluation](scores, receipt))


def _refuse_constant(name: str) -> float:
    raise json.JSONDecodeError(f"{name} is no number of JSON", name, 0)


NO_SETTINGS: Mapping[str, object] = MappingProxyType({})
"""The settings of the paper's own network that are not the paper's."""


def network_name(
    network: str, other_settings: Mapping[str, object] = NO_SETTINGS
) -> str:
    """A network as parts of tables call it: with its paper, or what is other in it.

    Args:
        network: its name.
        other_settings: those that are not the paper's.
    """
    if other_settings:
        words = [_setting(name, value) for name, value in other_settings.items()]
        return f"{network} ({', '.join(words)})"
    paper = _PAPERS.get(network)
    return network if paper is None else f"{network} ({paper})"


def _setting(name: str, value: object) -> str:
    """A setting in words: "32 px", "1 block", "ksize 3"."""
    if name == "size":
        return f"{value} px"
    if name in ("blocks", "pyramids", "levels", "frames", "actions"):
        return f"{value} {name.removesuffix('s') if value == 1 else name}"
    return f"{name.replace('_', ' ')} {value}"


def mpii_part(network: str, looking: str, people: str = "validation") -> str:
    """What MPII's tables call a network, of `network_name`, that looks so."""
    return f"{network}, {people} people, {looking}"


def human36m_part(network: str, looking: str) -> str:
    """What Human3.6M's tables call a network, of `network_name`, that looks so."""
    return f"{network}, {looking}"


def ntu_part(network: str, protocol: str) -> str:
    """What NTU's tables call a network, of `network_name`, on a split."""
    return f"{network}, {protocol}"


def action_row(boxes: str, multi_clip: bool, other: Iterable[str] = ()) -> str:
    """What tables of actions call a way to look at videos.

    Args:
        boxes: those of a receipt.
        multi_clip: whether all clips of a video count, or one.
        other: what is not as in the paper's evaluation.
    """
    clips = MANY_CLIPS if multi_clip else ONE_CLIP
    return ", ".join([BOXES.get(boxes, FILE_BOXES), clips, *other])


def _other_looks(scores: Checked, receipt: Receipt) -> Iterator[str]:
    """What an evaluation of actions does not do as the paper's."""
    many, flip = scores.flag("multi_clip"), scores.flag("flip")
    if many != flip:
        yield "mirrored" if flip else "not mirrored"
    steps, recipe = map(receipt.notes.get, ("steps", "recipe_step"))
    if not isinstance(steps, list) or not isinstance(recipe, int):
        raise ValueError(
            f'{receipt.file}: the receipt must have "steps", a list, and '
            f'"recipe_step", an integer. Received: {steps!r}, {recipe!r}'
        )
    if steps != [recipe]:
        yield f"step {' and '.join(map(str, steps))} instead of {recipe}"


def _name(receipt: Receipt) -> str:
    """The network of a receipt, as parts of tables call it."""
    return network_name(receipt.network, receipt.other_settings)


def _looking(receipt: Receipt) -> str:
    """How people were looked at; the pose parts of networks of clips have no choice."""
    if receipt.evaluation.endswith("_multitask"):
        return ONE_CROP
    return receipt.note("looking")


def _mpii(scores: Checked, receipt: Receipt) -> Iterator[Measured]:
    part = mpii_part(_name(receipt), _looking(receipt))
    threshold = scores.number("threshold")
    if threshold != 0.5:
        part += f", PCKh@{threshold}"
    place = _place("mpii", part, receipt, "mpii")
    joints = scores.part("per_joint")
    for name, members in GROUPS.items():
        values = [joints.number(joint, 100) for joint in members]
        known = None not in values
        yield place(name, sum(values) / len(values) if known else None, None)
    strict = scores.number("pckh", 100)
    yield place(TOTAL, strict, scores.number("pckh_original", 100))
    yield place(BEST_BLOCK, None, scores.number("pckh_best_block", 100))


def _human36m(scores: Checked, receipt: Receipt) -> Iterator[Measured]:
    part = human36m_part(_name(receipt), _looking(receipt))
    frames = receipt.note("frames")
    if frames not in PAPER_FRAMES:
        part += f", {frames}"
    place = _place("human36m", part, receipt, "h36m")
    actions = scores.part("per_action")
    means = {MEAN_ACTIONS: scores.part("actions_mean"), MEAN_FRAMES: scores}
    rows = {name: actions.part(name) for name in actions.values} | means
    for name, row in rows.items():
        yield place(name, row.number("mpjpe"), row.number("mpjpe_original"))
    for name, row in means.items():
        yield place(f"P-MPJPE, {name}", row.number("p_mpjpe"), None)


def _actions(scores: Checked, receipt: Receipt) -> Iterator[Measured]:
    """Figures of `score_actions`: of the tables, and of the ablation of outputs."""
    table = receipt.evaluation.removesuffix("_multitask")
    part = _name(receipt)
    if table == "ntu":
        part = ntu_part(part, receipt.note("protocol", ("cs", "cv")))
    other = _other_looks(scores, receipt)
    row = action_row(receipt.note("boxes"), scores.flag("multi_clip"), other)
    best = scores.number("accuracy_best_output", 100)
    place = _place(table, part, receipt, table)
    yield place(row, scores.number("accuracy", 100), best)
    place = _place("ablation", f"{part}, {row}", receipt, table)
    strict, original = scores.part("outputs"), scores.part("outputs_original")
    for output in strict.values:
        yield place(output, strict.number(output, 100), original.number(output, 100))
    yield place(BEST_OUTPUT, None, best)


def _multitask(scores: Checked, receipt: Receipt) -> Iterator[Measured]:
    pose = _mpii if receipt.evaluation.startswith("penn") else _human36m
    parts = {"actions": _actions, "actions_multi_clip": _actions, "pose": pose}
    kinds = (dict, type(None))
    found = [k for k in parts if scores.take(k, kinds, "scores or null") is not None]
    if not found:
        raise ValueError(
            f"{scores.where}: must have scores under {', '.join(parts)}. Received: none"
        )
    for key in found:
        yield from parts[key](scores.part(key), receipt)


def _speed2d(scores: Checked, receipt: Receipt) -> Iterator[Measured]:
    part, device = _name(receipt), scores.text("device")
    for cut in scores.parts("cuts"):
        more = {name: cut.some_number(name) for name in TIMES}
        more |= {"device": device, "batch_size": scores.some_number("batch_size")}
        quartiles = cut.pair("ms_per_frame_quartiles")
        more |= dict(zip(QUARTILES, quartiles, strict=True))
        key = "pck" if "pck" in cut else "pckh"
        name, data, _ = POSE_SCORES[key]
        place = _place("speed", part, receipt, data, more)
        yield place(f"{cut.text('pose')}: {name}", *_pair(cut, key))
        if "action" in cut:
            place = _place("speed", part, receipt, "penn", more)
            yield place(f"{cut.text('action')}: accuracy", *_pair(cut, "accuracy"))


def _pair(scores: Checked, key: str) -> tuple[float | None, float | None]:
    """A strict score, and that of the original where the file has it, %."""
    name = f"{key}_original"
    original = scores.number(name, 100) if name in scores else None
    return scores.number(key, 100), original


def _place(
    table: str, part: str, receipt: Receipt, data: str, more: dict | None = None
) -> Callable[..., Measured]:
    """A function from row and figures to a figure of that part of a table."""
    where = {"data": receipt.folder(data), "origin": receipt.origin_of(data)}

    def place(row: str, strict: float | None, original: float | None) -> Measured:
        figures = {"strict": strict, "original": original, "more": dict(more or {})}
        return Measured(table, part, row, receipt=receipt, **figures, **where)

    return place


TIMES = ("prediction", "frames_per_second", "ms_per_frame", "parameters")
"""What is known of a cut beside its scores."""
QUARTILES = ("ms_lower_quartile", "ms_upper_quartile")

KINDS = {
    "mpii": _mpii,
    "human36m": _human36m,
    "penn": _actions,
    "ntu": _actions,
    "penn_multitask": _multitask,
    "ntu_multitask": _multitask,
    "speed2d": _speed2d,
}
"""The kinds of evaluation, and what reads their figures."""

OTHER_KINDS = ("coco", "merl", "merl_actions", "custom", "custom_actions")
"""Kinds of evaluation that the papers have no table of."""
