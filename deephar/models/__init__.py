"""Functions that return functional Keras models."""

from deephar.models import action, blocks, reception, stems

__all__ = ["action", "blocks", "reception", "stems"]
