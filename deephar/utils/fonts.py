"""Fonts that have the letters of a text: matplotlib's own, and those of the machine."""

import functools
import importlib.util
import pathlib

_OF_BOXES = "lastresort"
"""Such a font draws every letter that there is as a box."""


@functools.lru_cache(maxsize=512)
def font_file(text: str) -> str:
    """Returns the file of a font that has all letters of a text.

    That is matplotlib's own or, where that lacks one, the first of the machine's, those
    called regular before others; matplotlib's own, too, where none has them.
    """
    home = pathlib.Path(importlib.util.find_spec("matplotlib").origin).parent
    own = str(home / "mpl-data/fonts/ttf/DejaVuSans.ttf")
    if _has_letters(own, text):
        return own
    from matplotlib.font_manager import findSystemFonts

    files = [one for one in findSystemFonts() if _OF_BOXES not in one.lower()]
    files.sort(key=lambda one: ("regular" not in one.lower(), one))
    return next((one for one in files if _has_letters(one, text)), own)


def give_letters(figure) -> None:
    """Gives the texts of a `matplotlib.figure.Figure` fonts that have their letters."""
    from matplotlib.text import Text

    for text in figure.findobj(Text):
        if not text.get_text().isascii():
            text.get_fontproperties().set_file(font_file(text.get_text()))


def _has_letters(file: str, text: str) -> bool:
    from matplotlib.ft2font import FT2Font

    try:
        font = FT2Font(file)
    except RuntimeError:  # FreeType cannot scale it: pixels, or no font at all
        return False
    return all(font.get_char_index(ord(one)) for one in text if not one.isspace())
