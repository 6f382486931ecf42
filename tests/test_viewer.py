"""commands/viewer.py: the window of `predict --show`."""

import os

import numpy as np
import pytest

from deephar.commands.viewer import Viewer, fit_screen

PICTURE = np.zeros((40, 60, 3), np.uint8)
needs_display = pytest.mark.skipif(
    not os.environ.get("DISPLAY"), reason="there is no display"
)


def test_without_a_display_a_message_says_so(monkeypatch):
    pytest.importorskip("tkinter")
    monkeypatch.setenv("DISPLAY", "")
    with pytest.raises(OSError, match="a window needs a display.*couldn't connect"):
        Viewer()


def test_large_pictures_are_made_smaller_in_their_proportions():
    assert fit_screen(np.zeros((2160, 3840, 3), np.uint8), (1000, 800)).size == (
        *(900, 506),
    )
    assert fit_screen(PICTURE, (1000, 800)).size == (60, 40)


@needs_display
def test_pictures_are_shown_until_q_is_pressed():
    with Viewer("a film") as viewer:
        assert viewer.show(PICTURE) and viewer.open
        window = viewer.window
        window.focus_force()
        window.update()
        window.event_generate("q")
        assert not viewer.show(PICTURE) and not viewer.open
    viewer.wait()
