"""Pictures and videos of own data: whether they are there, and what their heads say."""

import numpy as np
from PIL import Image

from deephar.data.pictures import PictureError, check_size, reading
from deephar.data.placed_json import Node
from deephar.data.videos import VideoInfo, video_info

_ORIENTATION = 0x0112
"""The tag of EXIF that says how a picture is to be turned; 1 is upright."""


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
    if turned != 1:
        node.wrong(
            "must be stored upright: viewers turn it by its EXIF orientation, and "
            f"labels would lie beside the people (orientation {turned})"
        )
    return found


def video_head(
    node: Node, path: str | None, size: tuple[int, int] | None
) -> VideoInfo | None:
    """Returns what a video's head says; what is wrong is noted, as above."""
    if path is None:
        return None
    try:
        info = video_info(path)
    except FileNotFoundError:
        return node.wrong("must be a video that is there")
    except ValueError as error:
        return node.wrong(f"must be a video that can be read: {error}")
    if size and np.abs(np.subtract(info.size, size)).max() > 0:
        return node.wrong(f"must have the size {size} px that is said, not {info.size}")
    return info
