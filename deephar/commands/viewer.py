"""A window that shows pictures as they come: Tk's, as our OpenCV has none."""

import numpy as np
from PIL import Image

_SHARE = 0.9
"""Of the screen that a window may cover."""
_STOPS = ("<Escape>", "q", "Q")
_NEXT = ("<space>", "<Return>", "<Right>")


class Viewer:
    """A window; with `with`, it is closed at the end.

    Args:
        title: Of the window.

    Raises:
        OSError: if there is no display to open a window on, or Python has no tkinter.
    """

    def __init__(self, title: str = "deephar"):
        try:
            # Python can be built without it.
            import tkinter

            from PIL import ImageTk
        except ImportError as error:
            raise OSError(
                "a window needs Python's tkinter (of Debian and Ubuntu: apt install "
                f"python3-tk). Received: {error}"
            ) from error
        self._photo = ImageTk.PhotoImage
        try:
            self.window = tkinter.Tk()
        except tkinter.TclError as error:
            raise OSError(
                f"a window needs a display to open on. Received: {error}"
            ) from error
        self.window.title(title)
        self.window.configure(background="black")
        self._label = tkinter.Label(self.window, borderwidth=0, background="black")
        self._label.pack(expand=True)
        self._shown = None
        self.open = True
        self.window.protocol("WM_DELETE_WINDOW", self.close)
        for key in _STOPS:
            self.window.bind(key, self.close)
        self._next = False
        for key in _NEXT:
            self.window.bind(key, self._go_on)

    def __enter__(self) -> "Viewer":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def show(self, picture: np.ndarray) -> bool:
        """Shows a picture, made smaller where it is larger than the screen.

        Args:
            picture: uint8 array (h, w, 3), RGB.

        Returns:
            False once the window was closed, or q or Esc pressed in it.
        """
        if self.open:
            screen = self.window.winfo_screenwidth(), self.window.winfo_screenheight()
            image = fit_screen(picture, screen)
            # Tk shows a picture only as long as somebody holds it.
            self._shown = self._photo(image, master=self.window)
            self._label.configure(image=self._shown)
            self.window.update()
        return self.open

    def wait(self) -> bool:
        """Waits for the space bar, Return or the right arrow, or the end.

        Returns:
            False once the window was closed.
        """
        self._next = False
        while self.open and not self._next:
            self.window.update()
            if self.open:
                self.window.after(20)
        return self.open

    def _go_on(self, _event) -> None:
        self._next = True

    def close(self, _event=None) -> None:
        """Closes the window; a second time does nothing."""
        if self.open:
            self.open = False
            self.window.destroy()


def fit_screen(picture: np.ndarray, screen: tuple[int, int]) -> Image.Image:
    """A picture that a screen (w, h) has room for, in its own proportions."""
    image = Image.fromarray(picture)
    room = tuple(max(1, int(_SHARE * length)) for length in screen)
    image.thumbnail(room, Image.Resampling.BILINEAR)
    return image
