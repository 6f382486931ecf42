"""Pictures and videos of own data: whether they are there, and what their heads say."""

import dataclasses

import numpy as np
from PIL import Image

from deephar.data.pictures import PictureError, check_size, reading
from deephar.data.placed_json import Node
from deephar.data.videos import Video

_ORIENTATION = 0x0112
"""The tag of EXIF that says how a picture is to be turned."""
_TURNED = range(2, 9)
"""Its values that turn or mirror; viewers pass over those that there are not."""
_ONE_FRAME = 0.04
"""So long is a video of a single frame, s."""


@dataclasses.dataclass(frozen=True, eq=False)
class Film:
    """The frames of a clip, as far as they are known.

    Attributes:
        size: (w, h) px; None where not known.
        num_frames: 0 where not known.
        times: (frames,) when each is shown, s from the first on; empty where not known.
    """

    size: tuple[int, int] | None
    num_frames: int = 0
    times: np.ndarray = dataclasses.field(default_factory=lambda: np.zeros(0))

    @property
    def end(self) -> float:
        """When the last frame has been shown, s, to ms; 0 where not known."""
        if len(self.times) < 2:
            return _ONE_FRAME * len(self.times)
        # The last one may be shown as long as another one.
        return round(float(self.times[-1] + np.diff(self.times).max()), 3)

    def frame_at(self, time: float) -> int:
        """Returns the number, from 1, of the frame that is shown nearest to a time.

        Raises:
            ValueError: if the film is shorter.
        """
        if not 0 <= time <= self.end:
            raise ValueError(
                f"a span must lie in its video of {self.end:g} s. Received: {time:g} s"
            )
        return int(np.abs(self.times - time).argmin()) + 1


def read_film(path: str) -> Film:
    """Reads size, number and times of a video's frames, of which one is decoded.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is no video.
    """
    with Video(path) as video:
        times = video.times()
        return Film(video.info.size, len(times), times)


def picture_head(
    node: Node, path: str, size: tuple[int, int] | None
) -> tuple[int, int] | None:
    """Returns a picture's (w, h), px; what is wrong is noted.

    Args:
        node: What names it.
        path: The file.
        size: What is said of it.
    """
    try:
        with reading(path), Image.open(path) as image:
            found, turned = image.size, image.getexif().get(_ORIENTATION, 1)
        check_size(path, found, size)
    except FileNotFoundError:
        return node.wrong("must be a picture that is there")
    except PictureError as error:
        return node.wrong(f"must be a picture as it is said to be: {error.reason}")
    if turned in _TURNED:
        node.wrong(
            "must be stored upright: viewers turn it by its EXIF orientation, and "
            f"labels would lie beside the people (orientation {turned})"
        )
    return found


def video_head(
    node: Node, path: str | None, size: tuple[int, int] | None
) -> Film | None:
    """Returns what a video's packets say; what is wrong is noted, as above."""
    if path is None:
        return None
    try:
        film = read_film(path)
    except FileNotFoundError:
        return node.wrong("must be a video that is there")
    except ValueError as error:
        return node.wrong(f"must be a video that can be read: {error}")
    if size and np.abs(np.subtract(film.size, size)).max() > 0:
        return node.wrong(f"must have the size {size} px that is said, not {film.size}")
    return film
