"""One HTML file with its style, scripts and pictures within: no request leaves it."""

import base64
import html
import io
import json
import os
import pathlib
import re
from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image

from deephar.utils.fonts import give_letters
from deephar.utils.fs import write_text
from deephar.utils.pose import is_valid

STATIC = pathlib.Path(__file__).parent / "static"
"""Folder of page.css and pose3d.js."""
_POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
)
"""What a browser then refuses: everything that is not in the file."""
_START = (
    'for (const canvas of document.querySelectorAll("canvas.pose3d")) '
    "drawPose3d(canvas, JSON.parse(canvas.nextElementSibling.textContent));"
)
_TURNS = "Turns with the mouse, a finger or the arrow keys."
_NUMBER = re.compile(r"[-+±−]?[\d.,]+ ?(%|‰|ms|s|px|mm|m|k|M)?|[-–—]?|nan")
_QUALITY = 85
_PX = 96 / 72
"""Of a browser, in a point."""
_WIDE, _SMALLEST = 600, 0.6
"""A drawing that is wider, px, is made so many times as large at least: its letters
are to be read."""


class Page:
    """Text, tables, figures and pictures, one after the other, and a file of them.

    Every text is taken as text: what looks like markup in it is shown, not obeyed.

    Args:
        title: The page's heading and its name in the browser.
        about: A line below it.
    """

    def __init__(self, title: str, about: str = ""):
        self.title = title
        self.about = about
        self._parts: list[str] = []
        self._contents: list[str] = []
        self._figures = 0
        self._turns = False

    def heading(self, text: str, level: int = 2) -> None:
        """Begins a part; those of level 2 stand in the page's contents."""
        if level not in (2, 3):
            raise ValueError(f"`level` must be 2 or 3. Received: level={level}")
        place = ""
        if level == 2:
            self._contents.append(text)
            place = f' id="part{len(self._contents)}"'
        self._parts.append(f"<h{level}{place}>{_text(text)}</h{level}>")

    def text(self, text: str) -> None:
        """Adds a paragraph."""
        self._parts.append(f"<p>{_text(text)}</p>")

    def code(self, text: str) -> None:
        """Adds lines that keep their form, such as a command."""
        self._parts.append(f"<pre>{_text(text)}</pre>")

    def bullets(self, items: Sequence[object]) -> None:
        """Adds a list."""
        inside = "".join(f"<li>{_text(item)}</li>" for item in items)
        self._parts.append(f"<ul>{inside}</ul>")

    def table(self, header: Sequence[object], rows: Sequence[Sequence[object]]) -> None:
        """Adds a table; columns of numbers are set right.

        Args:
            header: Names of the columns.
            rows: The cells, text or numbers; None leaves one empty.

        Raises:
            ValueError: A row has more or fewer cells than the header.
        """
        texts = [["" if cell is None else str(cell) for cell in row] for row in rows]
        for row in texts:
            if len(row) != len(header):
                raise ValueError(
                    f"`rows` must have {len(header)} cells each. Received: {row}"
                )
        right = [
            bool(texts) and all(_NUMBER.fullmatch(row[column]) for row in texts)
            for column in range(len(header))
        ]
        lines = [_row("th", header, right)], [_row("td", row, right) for row in texts]
        head, body = ("".join(part) for part in lines)
        self._parts.append(
            f'<div class="scroll"><table><thead>{head}</thead>'
            f"<tbody>{body}</tbody></table></div>"
        )

    def facts(self, values: Mapping[str, object], folded: str = "") -> None:
        """Adds a table without a header: what, and its value.

        Args:
            values: By name.
            folded: A line on which one clicks to see the table; "" shows it.
        """
        rows = "".join(
            f'<tr><th scope="row">{_text(name)}</th><td>{_text(value)}</td></tr>'
            for name, value in values.items()
        )
        table = f'<div class="scroll"><table class="facts">{rows}</table></div>'
        if folded:
            summary = f"<summary>{_text(folded)}</summary>"
            table = f"<details>{summary}{table}</details>"
        self._parts.append(table)

    def figure(self, figure, caption: str) -> None:
        """Adds a drawing of matplotlib's as SVG, and its caption, also read aloud.

        What is black or white in it takes the page's colours, light or dark; a white
        that is to stay is #fefefe. A large one is moved sideways in a narrow window.

        Args:
            figure: A `matplotlib.figure.Figure`.
            caption: The line below.
        """
        self._parts.append(self._drawn(figure, caption))

    def figures(self, figures: Sequence[tuple[object, str]], width: int = 420) -> None:
        """Adds a grid of drawings of matplotlib's, see `figure`.

        Args:
            figures: Pairs (figure, caption).
            width: Least width of a column, px.
        """
        self._grid([self._drawn(figure, text) for figure, text in figures], width)

    def picture(self, array: np.ndarray, caption: str) -> None:
        """Adds a picture, uint8 (h, w, 3) RGB, at most as wide as it is in px."""
        self._parts.append(_captioned(_img(array, caption), caption))

    def pictures(
        self,
        pictures: Sequence[tuple[np.ndarray, str]],
        width: int = 220,
        least: int | None = None,
    ) -> None:
        """Adds a grid of pictures.

        Args:
            pictures: Pairs (picture, caption): uint8 (h, w, 3) RGB, and the line below.
            width: Least width of a column, px.
            least: Least width of a picture, px, which is moved sideways where the
                window is narrower; None to make it as narrow as the window.
        """
        shown = []
        for array, text in pictures:
            picture = _img(array, text)
            if least is not None:
                picture = _scrolled(picture, least)
            shown.append(_captioned(picture, text))
        self._grid(shown, width)

    def poses_3d(
        self,
        poses: Sequence[tuple[np.ndarray, str]],
        links: Sequence[Sequence[int]],
        colors: Sequence[str] = (),
        tints: Sequence[str | None] = (),
        width: int = 280,
    ) -> None:
        """Adds a grid of poses in space that turn with the mouse, a finger or keys.

        Args:
            poses: Pairs (joints, caption): (joints, 3), or (figures, joints, 3) for
                figures of one space; mm along camera axes: x to the right, y down,
                z away. A joint that is not valid is left out.
            links: Pairs of joints between which a limb is drawn.
            colors: A CSS colour for every joint; a limb has that of its second joint.
            tints: For every figure one CSS colour instead, or None.
            width: Least width of a column, px.
        """
        shown = []
        for joints, caption in poses:
            figures = np.asarray(joints, dtype=np.float64)
            figures = figures[None] if figures.ndim == 2 else figures
            if figures.ndim != 3 or figures.shape[-1] != 3:
                raise ValueError(
                    "`poses` must have the shape (joints, 3) or (figures, joints, 3). "
                    f"Received: shape {np.shape(joints)}"
                )
            value = {
                "poses": [[_joint(joint) for joint in figure] for figure in figures],
                "links": np.asarray(links, dtype=int).tolist(),
                "colors": list(colors),
                "tints": list(tints),
            }
            label = _text(f"{caption}. {_TURNS}" if caption else _TURNS)
            canvas = f'<canvas class="pose3d" role="img" aria-label="{label}"></canvas>'
            shown.append(_captioned(canvas + _data(value), caption))
        self._turns = True
        self._grid(shown, width)
        self._parts.append(f'<p class="about">{_TURNS}</p>')

    def html(self) -> str:
        """The whole page."""
        title = _text(self.title)
        head = [
            "<!doctype html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<link rel="icon" href="data:,">',
            f"<title>{title}</title>",
            f"<style>{_static('page.css')}</style>",
            "</head>",
            "<body>",
            "<main>",
            f"<h1>{title}</h1>",
        ]
        about = [f'<p class="about">{_text(self.about)}</p>'] if self.about else []
        script = f"{_static('pose3d.js')}\n{_START}" if self._turns else ""
        end = [f"<script>{script}</script>"] if script else []
        lines = [*head, *about, *self._nav(), *self._parts, "</main>", *end]
        return "\n".join([*lines, "</body>", "</html>", ""])

    def write(self, path: str | os.PathLike) -> pathlib.Path:
        """Writes the page, whole or not at all; returns its path."""
        write_text(path, self.html())
        return pathlib.Path(path)

    def _nav(self) -> list[str]:
        if len(self._contents) < 2:
            return []
        items = (
            f'<li><a href="#part{number}">{_text(text)}</a></li>'
            for number, text in enumerate(self._contents, 1)
        )
        return [f'<nav aria-label="Contents"><ul>{"".join(items)}</ul></nav>']

    def _drawn(self, figure, caption: str) -> str:
        self._figures += 1
        svg = _svg(figure, f"figure{self._figures}", caption)
        wide = _PX * float(re.search(r'width="([\d.]+)pt"', svg)[1])
        if wide > _WIDE:
            svg = _scrolled(svg, _SMALLEST * wide)
        return _captioned(svg, caption)

    def _grid(self, shown: Sequence[str], width: int) -> None:
        style = f"--width: {int(width)}px"
        body = "".join(shown)
        self._parts.append(f'<div class="grid" style="{style}">{body}</div>')


def _text(value: object) -> str:
    return html.escape(str(value))


def _static(name: str) -> str:
    return (STATIC / name).read_text(encoding="utf-8")


def _row(tag: str, cells: Sequence[object], right: Sequence[bool]) -> str:
    marks = (' class="number"' if number else "" for number in right)
    inside = (
        f"<{tag}{mark}>{_text(cell)}</{tag}>"
        for mark, cell in zip(marks, cells, strict=True)
    )
    return f"<tr>{''.join(inside)}</tr>"


def _captioned(inside: str, caption: str) -> str:
    below = f"<figcaption>{_text(caption)}</figcaption>" if caption else ""
    return f"<figure>{inside}{below}</figure>"


def _scrolled(inside: str, least: float) -> str:
    """What is `least` px wide, and is moved sideways where the window is narrower."""
    return f'<div class="scroll" style="--least: {int(least)}px">{inside}</div>'


def _img(array: np.ndarray, alt: str) -> str:
    array = np.asarray(array)
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[-1] != 3:
        raise ValueError(
            "`array` must be a picture, uint8 (h, w, 3). "
            f"Received: {array.dtype} {array.shape}"
        )
    data = io.BytesIO()
    Image.fromarray(array).save(data, "JPEG", quality=_QUALITY)
    text = base64.b64encode(data.getvalue()).decode("ascii")
    height, width = array.shape[:2]
    size = f'width="{width}" height="{height}"'
    return f'<img src="data:image/jpeg;base64,{text}" alt="{_text(alt)}" {size}>'


def _joint(joint: np.ndarray) -> list[float] | None:
    known = bool(np.all(is_valid(joint) & np.isfinite(joint)))
    return [round(float(value), 1) for value in joint] if known else None


def _data(value: object) -> str:
    """JSON within HTML: no `<` that could end its element."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    text = text.replace("<", "\\u003c")
    return f'<script type="application/json">{text}</script>'


def _svg(figure, name: str, alt: str) -> str:
    """A figure as an element of a page, whose names are those of no other figure."""
    import matplotlib

    settings = {"svg.fonttype": "none", "svg.hashsalt": name}
    text = io.StringIO()
    give_letters(figure)
    with matplotlib.rc_context(settings):
        figure.savefig(
            text,
            format="svg",
            transparent=True,
            bbox_inches="tight",
            metadata={"Date": None},
        )
    svg = text.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'<style type="text/css">.*?</style>', "", svg, flags=re.DOTALL)
    svg = re.sub(r' xmlns(:xlink)?="[^"]*"', "", svg)
    used = set(re.findall(r'url\(#([^)]+)\)|"#([^"]+)"', svg))
    used = {one or other for one, other in used}
    svg = re.sub(r' id="([^"]+)"', lambda m: m[0] if m[1] in used else "", svg)
    svg = svg.replace(": #000000", ": currentColor")
    svg = svg.replace(": #ffffff", ": var(--paper)")
    return svg.replace("<svg", f'<svg role="img" aria-label="{_text(alt)}"', 1).strip()
