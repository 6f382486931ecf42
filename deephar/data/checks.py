"""What the arguments of a loader must be."""

import inspect
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from deephar.data.samples import ON_ERROR
from deephar.utils.modes import mode_name


def check_loader(loader: Any) -> None:
    """Checks what a `BatchLoader` was made with.

    Raises:
        ValueError: see `BatchLoader`.
    """
    mode_name(loader.mode)
    if len(loader.batch_sizes) != loader.num_datasets:
        raise ValueError(
            "`dataset` and `batch_size` must have the same length. Received: "
            f"{loader.num_datasets} data sets, batch_size={loader.batch_sizes}"
        )
    if min(loader.batch_sizes) < 1:
        raise ValueError(
            f"`batch_size` must be at least 1. Received: {loader.batch_sizes}"
        )
    if len(loader.num_predictions) != len(loader.y_dictkeys):
        raise ValueError(
            "`num_predictions` must have one number for each target. Received: "
            f"num_predictions={loader.num_predictions}, targets={loader.y_dictkeys}"
        )
    for key in loader.custom_dictkeys:
        if key in loader.allkeys:
            raise ValueError(
                "`custom_dummy_dictkey` must not repeat a key of the data. "
                f"Received: {key!r}"
            )
    if loader.on_error not in ON_ERROR:
        raise ValueError(
            f"`on_error` must be one of {ON_ERROR}. Received: {loader.on_error!r}"
        )
    if not isinstance(loader.seed, int | np.integer) or loader.seed < 0:
        raise ValueError(
            f"`seed` must be an integer of at least 0. Received: seed={loader.seed!r}"
        )
    if not isinstance(loader.processes, int) or loader.processes < 0:
        raise ValueError(
            "`processes` must be an integer of at least 0. "
            f"Received: processes={loader.processes!r}"
        )
    for one in loader.datasets:
        _check_dataset(loader, one)


def _check_dataset(loader: Any, one: Any) -> None:
    name = type(one).__name__
    if one.get_length(loader.mode) < 1:
        folder = getattr(one, "dataset_path", None)
        where = f" of {os.fspath(folder)}" if folder is not None else ""
        raise ValueError(
            f"{name}{where} must have samples to load. "
            f"Received: no sample in the part {mode_name(loader.mode)!r}"
        )
    parameters = inspect.signature(one.get_data).parameters
    blank = "epoch" in parameters or hasattr(one, "get_blank_data")
    if loader.on_error == "mark" and not blank:
        raise ValueError(
            f"on_error='mark' needs data sets with `get_blank_data`. Received: {name}"
        )


def one_each(value: int | Sequence[int], count: int) -> list[int]:
    """Returns a number for each of `count`; a list is taken as it is."""
    if isinstance(value, list | tuple):
        return list(value)
    if not isinstance(value, int | np.integer):
        raise ValueError(f"Expected an integer or a list of them. Received: {value!r}")
    return [int(value)] * count
