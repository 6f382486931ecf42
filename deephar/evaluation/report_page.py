"""The report of an evaluation as one page of HTML, of the parts of its Markdown."""

import pathlib
from collections.abc import Callable, Sequence

from deephar.evaluation.tables import Drawing
from deephar.evaluation.training_page import add_training
from deephar.pages import Page, add_markdown

REPORT_PAGE = "report.html"
_TRAINING = "## Training"


def write_report_page(
    folder: str | pathlib.Path,
    parts: Sequence[str],
    cases: Sequence[Callable[[Page], None]] = (),
    run_folder: str | pathlib.Path | None = None,
) -> pathlib.Path:
    """Writes report.html: what evaluation.md tells, with cases and the training.

    Args:
        folder: where to, and where pictures of `parts` lie that are no `Drawing`.
        parts: Markdown, the first of it the title (`# ...`), the second the receipt,
            which goes to the end. What follows a part `## Training` is left out: the
            page has more of it.
        cases: each puts a part on the page.
        run_folder: the training's run folder, for its curves.

    Returns:
        The path of report.html.
    """
    title, receipt, *parts = parts
    if _TRAINING in parts:
        parts = parts[: parts.index(_TRAINING)]
    page = Page(title.removeprefix("# "))
    drawn = {part.name: part.figure for part in parts if isinstance(part, Drawing)}
    if not parts[0].startswith("#"):
        page.heading("Scores")
    add_markdown(page, "\n\n".join(filter(None, parts)), folder, drawn)
    for case in cases:
        case(page)
    if run_folder is not None:
        add_training(page, run_folder)
    if receipt:
        page.heading("Receipt")
        add_markdown(page, receipt, folder)
    return page.write(pathlib.Path(folder) / REPORT_PAGE)
