"""The state of a training on disk: arrays and a record, whole or not at all.

A state is a NumPy `.npz` file, `state-EPOCH-STEP.npz`. It is written beside, brought to
the disk, then given its name, and the one before it is kept: whatever moment the
machine dies at, one whole file is there. Every part of the file carries a checksum.
"""

import json
import logging
import os
import pathlib
import zipfile
import zlib
from collections.abc import Mapping

import numpy as np

from deephar.utils.fs import whole_file

logger = logging.getLogger(__name__)

KEPT = 2
"""How many states a folder keeps: the last one, and one to fall back to."""

STATES = "state-*.npz"
"""Names of the states in their folder."""

_RECORD = "record"
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, KeyError, ValueError)


def write_state(
    folder: str | os.PathLike,
    epoch: int,
    step: int,
    arrays: Mapping[str, np.ndarray],
    record: Mapping,
) -> pathlib.Path:
    """Writes a state, keeps it and the one before, and removes all others.

    Those are older ones, damaged ones of a later step that was gone back behind, and
    what a death left half written.

    Args:
        folder: where to; made if need be.
        epoch: epochs that are complete.
        step: steps of the next epoch that are complete.
        arrays: arrays by name.
        record: dictionaries, lists, strings and numbers; NaN is kept.

    Returns:
        The file.

    Raises:
        OSError: if it cannot be written; what was there before is still there.
    """
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"state-{epoch:05d}-{step:07d}.npz"
    text = json.dumps({**record, "epoch": epoch, "step": step})
    content = {**arrays, _RECORD: np.frombuffer(text.encode(), np.uint8)}
    with whole_file(path) as file:
        np.savez(file, **content)
    states = _states(folder)
    passed_over = [other for other in states if other.name > path.name]
    kept = states[len(passed_over) :][:KEPT]
    for other in [*states, *folder.glob(f".{STATES}.part")]:
        if other not in kept:
            other.unlink(missing_ok=True)
    return path


def read_state(folder: str | os.PathLike) -> tuple[dict[str, np.ndarray], dict] | None:
    """Reads the last whole state of a folder.

    A damaged one is passed over, which the log says.

    Returns:
        (arrays, record), the record with `epoch` and `step`; None if there is no state.

    Raises:
        OSError: if there are states and all are damaged.
    """
    states = _states(pathlib.Path(folder))
    reasons = []
    for path in states:
        try:
            arrays = _read(path)
            record = json.loads(arrays.pop(_RECORD).tobytes())
        except _DAMAGE as error:
            reasons.append(f"{path}: {error or type(error).__name__}")
            logger.warning("a damaged checkpoint is passed over: %s", reasons[-1])
            continue
        logger.info("checkpoint %s", path)
        return arrays, record
    if reasons:
        raise OSError(f"no checkpoint can be read: {'; '.join(reasons)}")
    return None


def _states(folder: pathlib.Path) -> list[pathlib.Path]:
    """The states of a folder, the last first."""
    return sorted(folder.glob(STATES), reverse=True)


def _read(path: pathlib.Path) -> dict[str, np.ndarray]:
    with open(path, "rb") as raw, np.load(raw, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}
