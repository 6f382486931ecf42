"""The file that says of a data set that it was generated."""

import os
import pathlib

MARKER = "generated.json"


def is_generated(folder: str | os.PathLike) -> bool:
    """Whether the data set in a folder was written by its generate.py."""
    return (pathlib.Path(folder) / MARKER).is_file()
