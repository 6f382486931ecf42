"""Files and folders."""

import os


def mkdir(path) -> None:
    """Makes a folder and the folders above it, unless it is there.

    Raises:
        OSError: It cannot be made, or a file is in its place.
    """
    os.makedirs(path, exist_ok=True)
