"""Where data sets come from: the authors' annotations, a program, or nobody knows."""

import os
import pathlib

from deephar.data.marker import is_generated
from deephar.evaluation.receipts import GENERATED, OWNERS, UNKNOWN
from deephar.utils.fs import md5_of

ANNOTATIONS = "annotations.mat"
BOXES = "penn_pred_bboxes_16f.json"

AUTHORS_FILES = {
    ("MPII", ANNOTATIONS): (
        "v0.1/mpii_annotations.mat",
        "cc62b1bb855bf4866d19bc0637526930",
    ),
    ("Human3.6M", ANNOTATIONS): (
        "v0.2/h36m_annotations.mat",
        "4067d52db61737fbebdec850238d87dd",
    ),
    ("PennAction", ANNOTATIONS): (
        "v0.3/penn_annotations.mat",
        "b37a2e72c0ba308bd7ad476bc2aa4d33",
    ),
    ("PennAction", BOXES): (
        "v0.3/penn_pred_bboxes_16f.json",
        "30b124a919185cb031b928bc6154fa9b",
    ),
}
"""The authors' files by data set and name: address below the releases, md5."""


def origin_of(data: str | os.PathLike) -> str:
    """Where a data set comes from, as far as its files tell.

    Args:
        data: its folder; or its file of annotations, which lies in the folder or one
            level below it.

    Returns:
        "generated" if it has the marker of a generate.py; "owners" if its annotations
        are the authors', by their md5 (pictures have none); else "unknown": so are
        annotations that were converted here, and what a generate.py drew before there
        was a marker.
    """
    path = pathlib.Path(data)
    folders = [path] if not path.is_file() else [path.parent, path.parent.parent]
    if any(map(is_generated, folders)):
        return GENERATED
    path = path if path.is_file() else path / ANNOTATIONS
    known = {md5 for (_, name), (_, md5) in AUTHORS_FILES.items() if name == path.name}
    if path.is_file() and md5_of(path) in known:
        return OWNERS
    return UNKNOWN
