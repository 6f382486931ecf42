"""The page of the papers' tables: Markdown, a CSV each, and figures."""

import datetime
import itertools
import pathlib
from collections.abc import Iterator, Mapping, Sequence

from deephar.evaluation.paper_tables import TABLES, Line
from deephar.evaluation.receipts import GENERATED, OWNERS, UNKNOWN, Receipt
from deephar.evaluation.results import TIMES
from deephar.evaluation.results_plots import draw_figures
from deephar.evaluation.tables import markdown_table
from deephar.utils.fs import write_csv, write_text

PAGE = "tables.md"

_READING = """\
- **measured strict**: every joint, frame and video counts, by the last prediction.
- **measured as the original counts**: the figure that the authors' code would print.
- **not run**: no result was given for the row. **not stated**: no source at hand has
  the paper's figure. **-**: this evaluation has no such figure.
- **generated**: measured on pictures that a program drew. Such a figure says that the
  code works and nothing of the paper's, and is never set beside it: *not comparable*.
- **of unknown origin**: the annotations are neither the authors' file, by its md5, nor
  marked as generated: a conversion of the owners' files, or anything else. Data without
  a word have the authors' annotations; no md5 of their pictures is known.
- **not comparable: other network**: settings of the network are not the paper's; its
  name has them. Its rows are its own.
- **†**: of weights that a training chose by its scores; too good if those were made on
  the same data. The receipt says so.
- **weights md5**: its first 8 digits; whole, with the weights, in the receipts.
- **command**: the number of its receipt, at the end of the page.
- Of several results for a row that of the published weights (by their md5) stands in
  the table, then one with the authors' annotations, then the newest; the others are
  listed below it, and all are in the CSV."""


_GENERATED = "On **generated** data, not comparable with the paper:"
_CHOSEN = "†"
_ORIGINS = {
    GENERATED: "**generated**: ",
    OWNERS: "",
    UNKNOWN: "**of unknown origin**: ",
}
_COLUMNS = (
    *("measured_strict", "measured_original", "data", "origin", "weights"),
    *("weights_md5", "published", "weights_chosen", "command", "date", "network"),
    *("other_settings", "shown", "file"),
)
"""Columns of the CSVs that a row has only if it was measured."""


def write_page(
    folder: str | pathlib.Path, lines: Sequence[Line], left_out: Mapping[object, str]
) -> pathlib.Path:
    """Writes tables.md, a CSV for each table, and the figures.

    Args:
        folder: where to; made if it is not there.
        lines: what `paper_tables.fill` returns.
        left_out: by path why a file or folder gave no figures.

    Returns:
        The path of tables.md.
    """
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for table in TABLES:
        rows = [csv_row(line) for line in lines if line.table == table]
        write_csv(folder / f"{table}.csv", rows)
    pictures = draw_figures(folder, lines)
    write_text(folder / PAGE, "\n\n".join(page(lines, left_out, pictures)) + "\n")
    return folder / PAGE


def csv_row(line: Line) -> dict[str, object]:
    """A row of a CSV: a figure, or a row of the papers that was not run.

    The paper's figure is left empty beside generated data.
    """
    one = line.measured
    row = {
        "part": line.part,
        "row": line.row,
        "unit": TABLES[line.table].unit,
        "state": "not run" if one is None else "measured",
        "paper": _rounded(line.paper),
    }
    if one is None:
        return row | dict.fromkeys(_COLUMNS)
    receipt = one.receipt
    return {
        **row,
        "measured_strict": _rounded(one.strict),
        "measured_original": _rounded(one.original),
        "data": one.data,
        "origin": one.origin,
        "weights": receipt.weights,
        "weights_md5": receipt.weights_md5,
        "published": receipt.published,
        "weights_chosen": receipt.notes.get("weights_chosen"),
        "command": receipt.command,
        "date": receipt.date.isoformat(),
        "network": receipt.network,
        "other_settings": _words_of(receipt),
        "shown": "yes" if line.shown else "no",
        "file": str(receipt.file),
        **one.more,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def page(
    lines: Sequence[Line], left_out: Mapping[object, str], pictures: Mapping[str, str]
) -> list[str]:
    """The parts of tables.md.

    Args:
        lines, left_out: as of `write_page`.
        pictures: what `draw_figures` returns.
    """
    numbers = _numbers(lines)
    today = datetime.date.today().isoformat()
    counted = f"{len(numbers)} result{'s' * (len(numbers) != 1)}"
    parts = [f"# The papers' tables\n\n{today}, from {counted}.", _READING]
    if left_out:
        parts.append("## Left out\n\nThese gave no figures:")
        parts.append("\n".join(f"- {reason}" for reason in left_out.values()))
    parts += ["## At a glance", *_glance(lines, numbers)]
    for name in TABLES:
        parts += _section(name, lines, numbers, pictures)
    return [*parts, "## Receipts", *_receipts(numbers)]


def _section(
    name: str, lines: Sequence[Line], numbers: dict, pictures: Mapping[str, str]
) -> Iterator[str]:
    """A table of the papers: its parts, what was not run of it, its figures."""
    table, idle = TABLES[name], []
    yield f"## {table.title}"
    yield table.about
    own = [line for line in lines if line.table == name]
    for part, group in itertools.groupby(own, lambda line: line.part):
        chosen = list(group)
        if any(line.measured or line.paper is not None for line in chosen):
            yield from _part(name, part, chosen, numbers)
        else:
            idle.append(part)
    if idle:
        yield "Not run, and the paper's figures not stated:"
        yield "\n".join(f"- {part}" for part in idle)
    for file, text in pictures.items():
        if file.removesuffix(".png").removesuffix("_generated") == name:
            yield f"![{text}]({file})"
    yield f"Every figure: [{name}.csv]({name}.csv). Measured by {table.script}."


def _numbers(lines: Sequence[Line]) -> dict[pathlib.Path, tuple[int, Receipt]]:
    """The receipts by file, numbered as they come."""
    found = {}
    for line in lines:
        if line.measured is not None:
            receipt = line.measured.receipt
            found.setdefault(receipt.file, (len(found) + 1, receipt))
    return found


def _glance(lines: Sequence[Line], numbers: dict) -> Iterator[str]:
    """The figures that the papers are known by; those of generated data apart."""
    rows = {False: [], True: []}
    for line in lines:
        table = TABLES[line.table]
        wanted = line.table not in ("ablation", "speed") and line.shown
        if not wanted or (table.head and line.row != table.head):
            continue
        if line.measured is not None or line.paper is not None:
            name = f"{table.title.split(':')[0]}, {table.figure} ({table.unit}): "
            name += line.part if table.head else f"{line.part}, {line.row}"
            rows[line.generated].append([name, *_cells(line, numbers)])
    yield _table("figure", rows[False])
    if rows[True]:
        yield _GENERATED
        yield _table("figure", rows[True])


def _part(name: str, part: str, lines: list[Line], numbers: dict) -> Iterator[str]:
    """A part of a table: the owners' data, generated data, and earlier results."""
    yield f"### {part}"
    table, shown = TABLES[name], [line for line in lines if line.shown]
    head = f"{table.figure} ({table.unit})"
    for generated in (False, True):
        chosen = [line for line in shown if line.generated == generated]
        if generated and chosen:
            yield _GENERATED
        if not any(line.measured or line.paper is not None for line in chosen):
            continue
        if name == "speed":
            yield _speed_table(head, chosen, numbers)
        else:
            rows = [[line.row, *_cells(line, numbers)] for line in chosen]
            yield _table(head, rows)
    others = [_other(line, numbers) for line in lines if not line.shown]
    told = [text for text in dict.fromkeys(others) if text]
    if told:
        yield "Other results:"
        yield "\n".join(f"- {text}" for text in told)


def _table(head: str, rows: list[list[str]], more: Sequence[str] = ()) -> str:
    columns = [
        head,
        *more,
        "paper",
        "measured strict",
        "measured as the original counts",
    ]
    return markdown_table([[*columns, "data", "weights md5", "command", "date"], *rows])


def _speed_table(head: str, lines: list[Line], numbers: dict) -> str:
    """The table of cuts, with their times; the last prediction is the whole network."""
    rows = []
    for line in lines:
        if line.measured is None:
            continue
        more = line.measured.more
        times = [more[name] for name in TIMES]
        shown = [f"{times[0]}", f"{times[1]:.1f}", f"{times[2]:.2f}", f"{times[3]:,}"]
        cells = _cells(line, numbers)
        rows.append([line.row, *shown, str(more["device"]), *cells])
    columns = ["prediction", "frames/s", "ms a frame", "parameters", "machine"]
    return _table(head, rows, columns)


def _cells(line: Line, numbers: dict) -> list[str]:
    """The seven columns of a row."""
    paper = "not stated" if line.paper is None else f"{line.paper:.1f}"
    one = line.measured
    if one is None:
        return [paper, "not run", "not run", "-", "-", "-", "-"]
    receipt, number = one.receipt, numbers[one.receipt.file][0]
    if one.generated:
        paper = "not comparable"
    elif receipt.other_settings:
        paper = "not comparable: other network"
    return [
        paper,
        *_pair(line),
        _data(line),
        receipt.weights_md5[:8] if receipt.weights_md5 else "untrained",
        f"[{number}](#receipt-{number})",
        receipt.date.strftime("%Y-%m-%d %H:%M"),
    ]


def _pair(line: Line) -> list[str]:
    """The strict figure and the original's, marked if weights were chosen by scores."""
    one = line.measured
    mark = f" {_CHOSEN}" * ("weights_chosen" in one.receipt.notes)
    return ["-" if v is None else f"{v:.1f}{mark}" for v in (one.strict, one.original)]


def _data(line: Line) -> str:
    """The data of a figure, with a word of their origin unless they are the owners'."""
    frames = line.measured.receipt.notes.get("frames")
    text = line.measured.data
    if line.table == "human36m" and frames:
        text += f", {frames}"
    return _ORIGINS[line.measured.origin] + text


def _other(line: Line, numbers: dict) -> str:
    """A result that stands below the table; "" for a row that does not tell of all."""
    table, one = TABLES[line.table], line.measured
    number = numbers[one.receipt.file][0]
    when = one.receipt.date.strftime("%Y-%m-%d %H:%M")
    text = f"[{number}](#receipt-{number}), {when}, {_data(line)}"
    if line.table == "speed":
        return text
    if table.head and line.row != table.head:
        return ""
    strict, original = _pair(line)
    return f"{line.row}: {strict} strict, {original} as the original counts ({text})"


def _receipts(numbers: dict[pathlib.Path, tuple[int, Receipt]]) -> Iterator[str]:
    if not numbers:
        yield "None."
    for number, receipt in numbers.values():
        known = {
            "date": receipt.date.isoformat(),
            "network": receipt.network,
            "weights": receipt.weights or "none: an untrained network",
            "weights md5": receipt.weights_md5,
            "data": receipt.data,
            "origin of the data": receipt.origin,
            "published weights": receipt.published or "none, by the md5",
            "settings that are not the paper's": _words_of(receipt),
            **receipt.notes,
            "file": receipt.file,
        }
        yield f"### Receipt {number}"
        yield f"```\n{receipt.command}\n```"
        yield "\n".join(f"- {key}: {_words(value)}" for key, value in known.items())


def _words_of(receipt: Receipt) -> str:
    """The settings of a network that are not the paper's, in words."""
    return ", ".join(f"{k} {v}" for k, v in receipt.other_settings.items()) or "none"


def _words(value: object) -> str:
    """A value of a receipt in words."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{key}: {one}" for key, one in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value)) or "none"
    return str(value)
