"""The papers' tables: which rows they have, what the papers say, what was measured."""

import dataclasses
import functools
from collections.abc import Callable, Sequence

from deephar.evaluation.papers import (
    PAPER_ACTIONS,
    PAPER_H36M,
    PAPER_MPII,
    PAPER_SPEED,
    SOURCES,
)
from deephar.evaluation.receipts import OWNERS, Receipt
from deephar.evaluation.results import (
    BEST_BLOCK,
    BEST_OUTPUT,
    BOXES,
    MANY_CLIPS,
    MEAN_ACTIONS,
    MEAN_FRAMES,
    ONE_CLIP,
    ONE_CROP,
    TOTAL,
    Measured,
    action_row,
    human36m_part,
    mpii_part,
    network_name,
    ntu_part,
)
from deephar.evaluation.tables import GROUPS

SEVERAL_CROPS = "7 crops"
"""How a receipt begins to say of several crops; the papers do not say how many."""
EVERY = "every one"
"""Stands for the rows of a part that nothing was measured of."""
TEST = mpii_part(network_name("mpii"), f"{SEVERAL_CROPS}, mirrored", "test")
H36M_CROPS = human36m_part(network_name("human36m"), SEVERAL_CROPS)

_WAYS = (
    *(action_row("truth", many) for many in (False, True)),
    action_row("file", True),
)
"""Rows of the tables of actions that are listed though not run."""
_NTU_PARTS = [
    ntu_part(network_name(network), protocol)
    for network in ("ntu", "ntu_spnet")
    for protocol in ("cs", "cv")
]


@dataclasses.dataclass(frozen=True)
class Table:
    """A table of the papers.

    Attributes:
        title: its heading.
        figure: its figure, short.
        unit: of its figures.
        about: what the figures are, and what the paper's are.
        head: the row that tells a part's figure in one line; "" where every one does.
        row_by_row: whether the newest result is sought for every row; else it is for
            a part, so that its rows come from one run.
        script: what measures it.
    """

    title: str
    figure: str
    unit: str
    about: str
    head: str
    row_by_row: bool
    script: str


TABLES = {
    "mpii": Table(
        "MPII: PCKh@0.5 by body part",
        "PCKh@0.5",
        "%",
        f"Paper: {SOURCES['mpii']}. The labels of the test people are not public; "
        "exp/mpii/predict_test_mpii.py writes the file that the benchmark scores. "
        "Strictly every annotated joint counts, of the last block; as the original "
        "counts, those in the crop, of the last block and of the best one.",
        TOTAL,
        False,
        "exp/mpii/eval_mpii_singleperson.py, exp/pennaction/eval_penn_multitask.py",
    ),
    "human36m": Table(
        "Human3.6M: MPJPE by action, protocol 1",
        "MPJPE",
        "mm",
        f"Paper: {SOURCES['human36m']}. It states one mean and not of what: its "
        "figures by action average to the same, and the original's script prints the "
        'mean of the frames. It says "multi-crop" and not which crops; those here '
        "are this project's. As the original counts: with the true depth of the root, "
        "of the block that is best on these frames (docs/human36m.md).",
        MEAN_ACTIONS,
        False,
        "exp/h36m/eval_h36m.py, exp/ntu/eval_ntu_multitask.py",
    ),
    "penn": Table(
        "Penn Action: accuracy",
        "accuracy",
        "%",
        f"Paper: {SOURCES['penn']}; it is set beside one clip as beside many, as the "
        "source at hand does not say which. Strictly every video counts, by the last "
        "output; as the original counts, the output that is best on these videos, and "
        "of many clips a video too short or unreadable is right.",
        "",
        True,
        "exp/pennaction/eval_penn_ar_pe_merge.py, eval_penn_multitask.py",
    ),
    "ntu": Table(
        "NTU RGB+D: accuracy, cross-subject (cs) and cross-view (cv)",
        "accuracy",
        "%",
        f"Paper: {SOURCES['ntu']}, cross-subject. Counted as for Penn Action.",
        "",
        True,
        "exp/ntu/eval_ntu_ar_pe_merge.py, eval_ntu_multitask.py",
    ),
    "ablation": Table(
        "Ablation of the outputs: accuracy of each",
        "accuracy",
        "%",
        "p1, p2, ... see the poses alone, v1, v2, ... the appearance alone, m both; "
        "act1, act2, ... are SPNet's, which see both, by depth, a0, a1, ... its sets "
        "of actions.",
        BEST_OUTPUT,
        False,
        "the same commands as the tables of actions",
    ),
    "speed": Table(
        "Speed and score of each prediction",
        "score",
        "%",
        f"The network cut after each prediction. Paper: {PAPER_SPEED}, of a network "
        f"and machine that the source does not name ({SOURCES['speed']}). Frames a "
        "second are of the machine named in each row's result, and of no other.",
        "",
        False,
        "exp/pennaction/eval_speed2d.py",
    ),
}


@dataclasses.dataclass(frozen=True)
class Line:
    """A row of a table, with what was measured for it, if anything.

    Attributes:
        table, part, row: its place.
        paper: the paper's figure in the table's unit; None where it is not stated, or
            cannot be compared because the data are generated.
        measured: None if it was not run.
        shown: whether it stands in the table, and not below it.
    """

    table: str
    part: str
    row: str
    paper: float | None
    measured: Measured | None
    shown: bool = True

    @property
    def generated(self) -> bool:
        """Whether it was measured on generated data."""
        return self.measured is not None and self.measured.generated


@functools.cache
def paper_rows() -> dict[tuple[str, str, str], float | None]:
    """The rows that are listed though nothing was measured, with the paper's figures.

    Returns:
        The figure in the table's unit, or None, by (table, part, row).
    """
    return {
        (table, part, row): _percent(figure) if TABLES[table].unit == "%" else figure
        for (table, part), figures in _parts().items()
        for row, figure in figures.items()
    }


def _parts() -> dict[tuple[str, str], dict[str, float | None]]:
    """The figures as `papers` has them, row by row, by table and part."""
    unstated = dict.fromkeys([*GROUPS, TOTAL, BEST_BLOCK])
    valid = {**unstated, TOTAL: PAPER_MPII["pckh"], BEST_BLOCK: PAPER_MPII["pckh"]}
    one, several = PAPER_H36M["single_crop"], PAPER_H36M["multi_crop"]
    actions = PAPER_H36M["actions"]
    means = (MEAN_ACTIONS, MEAN_FRAMES)
    unknown = dict.fromkeys([*actions, *means])
    parts = {
        ("mpii", mpii_part(network_name("mpii"), ONE_CROP)): valid,
        ("mpii", TEST): PAPER_MPII["test"],
        ("mpii", mpii_part(network_name("penn_spnet"), ONE_CROP)): unstated,
        ("human36m", human36m_part(network_name("human36m"), ONE_CROP)): unknown
        | dict.fromkeys(means, one),
        ("human36m", H36M_CROPS): actions | dict.fromkeys(means, several),
        ("human36m", human36m_part(network_name("ntu_spnet"), ONE_CROP)): unknown,
    }
    for part in (network_name("penn"), network_name("penn_spnet"), *_NTU_PARTS):
        table = "ntu" if part in _NTU_PARTS else "penn"
        parts[table, part] = {way: _accuracy(part, way) for way in _WAYS}
        parts["ablation", part] = {EVERY: None}
    parts["speed", network_name("penn_spnet")] = {EVERY: None}
    return parts


def _accuracy(part: str, way: str) -> float | None:
    """The paper's accuracy for a row of a part of a table of actions."""
    if part.endswith(", cv") or not way.endswith((ONE_CLIP, MANY_CLIPS)):
        return None
    names = [name for name in PAPER_ACTIONS if part.startswith(network_name(name))]
    figures = PAPER_ACTIONS[names[0]] if names else {}
    return figures.get("truth" if way.startswith(BOXES["truth"]) else "other")


def paper_figure(table: str, part: str, row: str) -> float | None:
    """The paper's figure for a row, in the table's unit; None if it is not stated."""
    if table in ("penn", "ntu"):
        return _percent(_accuracy(part, row))
    if table == "ablation" and row in ("m", BEST_OUTPUT):
        network, *way = part.rsplit(", ", 2)
        return _percent(_accuracy(network, ", ".join(way)))
    if table == "human36m" and part.startswith(H36M_CROPS):
        other = ("refine", "one in", "every frame")
        part = part if any(words in part for words in other) else H36M_CROPS
    return paper_rows().get((table, part, row))


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share


def fill(figures: Sequence[Measured]) -> list[Line]:
    """The rows of all tables: what was measured, and "not run" where nothing was.

    Args:
        figures: what `results.read_results` returns, newest first.

    Returns:
        The rows, table by table and part by part; of a row other data before generated
        ones. Of several results that of the published weights stands in the table,
        then one on the owners' data, then the newest. A row of the papers for which
        nothing but generated data were measured is there without figures.
    """
    first: dict[tuple, Receipt] = {}
    lines = []
    for one in sorted(figures, key=_rank):
        by_row = one.row if TABLES[one.table].row_by_row else ""
        group = (one.table, one.part, by_row, one.generated)
        shown = first.setdefault(group, one.receipt) is one.receipt
        place = (one.table, one.part, one.row)
        paper = None if one.generated else paper_figure(*place)
        lines.append(Line(*place, paper, one, shown))
    real = {(li.table, li.part, li.row) for li in lines if not li.generated}
    parts = {(one.table, one.part) for one in figures}
    for place, paper in paper_rows().items():
        if place not in real and not _replaced(place, parts):
            lines.append(Line(*place, paper, None))
    return sorted(lines, key=_order())


def _rank(one: Measured) -> tuple[bool, bool]:
    """Which of several results goes first; as they come where this does not say."""
    return one.receipt.published is None, one.origin != OWNERS


def _replaced(place: tuple[str, str, str], parts: set[tuple[str, str]]) -> bool:
    """Whether a row stands for others, of which some were measured."""
    table, part, row = place
    if row != EVERY and part != H36M_CROPS:
        return False
    others = {p for t, p in parts if t == table and p.startswith(part)}
    return bool(others if row == EVERY else others - {part})


def _order() -> Callable[[Line], tuple]:
    """A sorting key: tables, parts and rows as the papers have them, then as found."""
    known = list(paper_rows())
    parts = list(dict.fromkeys([part for _, part, _ in known]))
    names = dict.fromkeys(row for *_, row in known)
    rows = {row: number for number, row in enumerate(names)}
    tables = list(TABLES)

    def key(line: Line) -> tuple:
        begins = [i for i, part in enumerate(parts) if line.part.startswith(part)]
        first = min(begins, default=len(parts))
        part = parts.index(line.part) if line.part in parts else first
        place = (tables.index(line.table), part, line.part, line.generated)
        return (*place, not line.shown, rows.get(line.row, len(rows)))

    return key
