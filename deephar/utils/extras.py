"""Packages that come with an extra of deephar, imported where they are used."""

import importlib
import types


def load_extra(module: str, extra: str) -> types.ModuleType:
    """Imports a module of a package that an extra brings.

    Args:
        module: Its full name.
        extra: The extra that brings it.

    Raises:
        ValueError: The package is absent; the message says how to get it.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise ValueError(
            f"this needs the package {error.name}, which the extra `{extra}` brings: "
            f'pip install "deephar[{extra}]"'
        ) from error
