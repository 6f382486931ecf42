"""Data sets and the loader that makes batches of them."""

from deephar.data.base import Person, SinglePersonDataset
from deephar.data.cache import PictureCache, open_cache
from deephar.data.mpii import MpiiSinglePerson
from deephar.data.pictures import PictureError, open_picture, to_rgb

__all__ = [
    "BatchLoader",
    "MpiiSinglePerson",
    "Person",
    "PictureCache",
    "PictureError",
    "SinglePersonDataset",
    "open_cache",
    "open_picture",
    "to_rgb",
]


def __getattr__(name: str):
    """Imports the loader, and with it Keras, only for those who ask for it."""
    if name == "BatchLoader":
        from deephar.data.loader import BatchLoader

        return BatchLoader
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
