"""Data sets and the loader that makes batches of them."""

from deephar.data.base import Person, SinglePersonDataset
from deephar.data.boxed import BoxedPeople, BoxedPerson
from deephar.data.boxed_clips import BoxedClips, BoxedVideo
from deephar.data.boxes import ClipBoxes, FrameBoxes, read_boxes, write_boxes
from deephar.data.cache import PictureCache, open_cache
from deephar.data.clips import Clip, ClipDataset, get_clip_frame_index
from deephar.data.coco import COCOSinglePerson
from deephar.data.custom import CustomClips, CustomPeople
from deephar.data.custom_format import check_custom, read_custom
from deephar.data.human36m import Human36M
from deephar.data.human36m_frames import Human36MFrames
from deephar.data.lifting import LiftingData, open_lifting_data
from deephar.data.lifting_loaders import ChunkedLoader, whole_sequence
from deephar.data.merl import MERL5Action, MERLAction, MERLSinglePerson
from deephar.data.mpii import MpiiSinglePerson
from deephar.data.ntu import Ntu
from deephar.data.pennaction import PennAction
from deephar.data.pictures import (
    AnnotationError,
    PictureError,
    open_picture,
    to_rgb,
)

__all__ = [
    "AnnotationError",
    "BatchLoader",
    "BoxedClips",
    "BoxedPeople",
    "BoxedPerson",
    "BoxedVideo",
    "COCOSinglePerson",
    "ChunkedLoader",
    "Clip",
    "ClipBoxes",
    "ClipDataset",
    "CustomClips",
    "CustomPeople",
    "FrameBoxes",
    "Human36M",
    "Human36MFrames",
    "LiftingData",
    "MERL5Action",
    "MERLAction",
    "MERLSinglePerson",
    "MpiiSinglePerson",
    "Ntu",
    "PennAction",
    "Person",
    "PictureCache",
    "PictureError",
    "SinglePersonDataset",
    "check_custom",
    "get_clip_frame_index",
    "open_cache",
    "open_lifting_data",
    "open_picture",
    "read_boxes",
    "read_custom",
    "to_rgb",
    "whole_sequence",
    "write_boxes",
]


def __getattr__(name: str):
    """Imports the loader, and with it Keras, only for those who ask for it."""
    if name == "BatchLoader":
        from deephar.data.loader import BatchLoader

        return BatchLoader
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
