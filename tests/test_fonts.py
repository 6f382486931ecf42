"""utils/fonts.py: letters that matplotlib's own font lacks come from the machine's."""

import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import font_manager
from matplotlib.figure import Figure

from deephar.pages import Page
from deephar.utils.drawing import draw_action
from deephar.utils.fonts import font_file, give_letters
from deephar.utils.painting import INK, paint_text

JUMP = "跳"


def write_font(path, letters):
    """Writes a font in which each letter is a slab, and others are nothing."""
    pen = TTGlyphPen(None)
    pen.moveTo((100, 0))
    for corner in ((900, 0), (900, 200), (100, 200)):
        pen.lineTo(corner)
    pen.closePath()
    names = {ord(letter): f"uni{ord(letter):04X}" for letter in letters}
    empty, order = TTGlyphPen(None).glyph(), [".notdef", *names.values()]
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(order)
    builder.setupCharacterMap(names)
    builder.setupGlyf({".notdef": empty, **dict.fromkeys(names.values(), pen.glyph())})
    builder.setupHorizontalMetrics(dict.fromkeys(order, (1000, 0)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "Slabs", "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    builder.save(path)
    return str(path)


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Fonts of a machine: a broken one, one of all boxes, three that are sound."""
    broken = tmp_path / "a-regular.ttf"
    broken.write_bytes(b"no font")
    files = [
        write_font(tmp_path / "Bold.ttf", f"{JUMP}1 "),
        str(broken),
        write_font(tmp_path / "LastResort-Regular.ttf", f"{JUMP}1고é"),
        write_font(tmp_path / "Slabs-Regular.ttf", f"{JUMP}1lp"),  # a line's height
        write_font(tmp_path / "b-regular.ttf", "1"),
    ]
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: files)
    font_file.cache_clear()
    yield tmp_path
    font_file.cache_clear()


def test_a_font_of_the_machine_is_taken_where_matplotlibs_lacks_a_letter(machine):
    slabs, own = str(machine / "Slabs-Regular.ttf"), font_file("é")
    assert own.endswith("DejaVuSans.ttf")
    assert font_file(f"{JUMP} 1") == slabs
    assert font_file("고") == font_file(f"{JUMP}고") == own


def test_texts_on_pictures_have_the_letters_of_such_fonts(machine):
    picture = np.zeros((60, 100, 3), np.uint8)
    paint_text(picture, f"{JUMP}1", (10, 30), INK, 20)
    rows = np.flatnonzero(picture[..., 0].any(axis=1))
    assert len(rows) <= 6 and picture[rows[2], 14:24, 0].min() > 200
    slab = draw_action(np.zeros((240, 320, 3), np.uint8), [JUMP], [0.0])
    box = draw_action(np.zeros((240, 320, 3), np.uint8), ["고"], [0.0])
    assert np.asarray(slab).tobytes() != np.asarray(box).tobytes()


@pytest.mark.filterwarnings("error")
def test_texts_of_plots_have_them_too(machine, tmp_path):
    figure = Figure(figsize=(2, 2))
    axes = figure.add_subplot()
    axes.set_yticks([0, 1], [JUMP, "run"], fontsize=8)
    axes.plot([0, 1], label=f"{JUMP}1")
    legend = axes.legend()
    give_letters(figure)
    figure.savefig(tmp_path / "plot.png")
    first, second = axes.get_yticklabels()
    slabs = str(machine / "Slabs-Regular.ttf")
    assert str(first.get_fontproperties().get_file()) == slabs
    assert first.get_fontsize() == 8 and not second.get_fontproperties().get_file()
    assert str(legend.get_texts()[0].get_fontproperties().get_file()) == slabs


@pytest.mark.filterwarnings("error")
def test_figures_of_pages_are_measured_with_them(machine):
    figure = Figure(figsize=(2, 2))
    figure.suptitle(JUMP)
    page = Page("Title", "About")
    page.figure(figure, "caption")
    assert JUMP in page.html()
