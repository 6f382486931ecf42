"""Markdown as our reports are written in, put on a page."""

import pathlib
import re
from collections.abc import Mapping

import numpy as np
from PIL import Image

from deephar.pages.page import Page

_PICTURE = re.compile(r"!\[(.*)\]\((.*)\)")
_FACT = re.compile(r"- ([a-z][a-z0-9_ ]*): (.*)")
_CELL = re.compile(r"(?<!\\)\|")


def add_markdown(
    page: Page,
    text: str,
    folder: str | pathlib.Path,
    figures: Mapping[str, object] | None = None,
) -> None:
    """Puts Markdown on a page: headings, paragraphs, lists, tables and pictures.

    It knows what reports use: blocks with an empty line between them; `##` and `###`;
    lists and tables of one line an item; a picture in a block of its own. A list of
    `name: value` becomes a table. A heading `#`, the page's title, is passed over.

    Args:
        page: the page.
        text: Markdown.
        folder: where its pictures lie.
        figures: by the name of a picture's file the matplotlib figure that it is of,
            which is drawn instead.

    Raises:
        OSError: if a picture is missing or cannot be read.
    """
    for block in filter(None, map(str.strip, text.split("\n\n"))):
        picture, lines = _PICTURE.fullmatch(block), block.splitlines()
        if picture and picture[2] in (figures or {}):
            page.figure(figures[picture[2]], picture[1])
        elif picture:
            with Image.open(pathlib.Path(folder) / picture[2]) as image:
                page.picture(np.asarray(image.convert("RGB")), picture[1])
        elif block.startswith("|"):
            header, _, *rows = map(_cells, lines)
            page.table(header, rows)
        elif all(map(_FACT.fullmatch, lines)):
            page.facts(dict(_FACT.fullmatch(line).groups() for line in lines))
        elif all(line.startswith("- ") for line in lines):
            page.bullets([line[2:] for line in lines])
        elif block.startswith("##"):
            marks, _, words = block.partition(" ")
            page.heading(words, len(marks))
        elif not block.startswith("# "):
            page.text(" ".join(lines))


def _cells(line: str) -> list[str]:
    cells = _CELL.split(line.strip())[1:-1]
    return [cell.strip().replace("\\|", "|") for cell in cells]
