"""Functions that return functional Keras models."""

from deephar.models import action, blocks, common, reception, spnet, stems

__all__ = ["action", "blocks", "common", "reception", "spnet", "stems"]
