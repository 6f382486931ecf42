"""Functions that return functional Keras models."""

from deephar.models import blocks, reception, stems

__all__ = ["blocks", "reception", "stems"]
