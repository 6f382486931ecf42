"""The state of a training between two steps: what to keep, and how to go on from it.

A state holds the variables of the models and of their optimizers (the learning rate and
the scale of float16 losses among them), the means of the losses so far in the epoch,
what the callbacks remember, and how far the training is. The data need none: a batch is
a function of (seed, epoch, index).
"""

import dataclasses
import errno
import itertools
import logging
import os
import re
import time
from collections.abc import Mapping, Sequence

import keras
import numpy as np

from deephar.checkpoints.state import read_state, write_state

logger = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Saved:
    """A state as it was read.

    Attributes:
        arrays: the variables by number.
        record: everything else.
    """

    arrays: Mapping[str, np.ndarray]
    record: Mapping

    @property
    def place(self) -> tuple[int, int]:
        """(complete epochs, complete steps of the next one)."""
        return self.record["epoch"], self.record["step"]


def read_progress(folder: str | os.PathLike) -> Saved | None:
    """The last whole state of a folder; see `checkpoints.state.read_state`."""
    found = read_state(folder)
    return None if found is None else Saved(*found)


class Progress:
    """How far a training is.

    Args:
        models: the models, built and compiled.
        callbacks: those with `get_state` and `set_state` are kept and restored.
        steps: steps of an epoch.
        facts: what else a training must not change when it goes on, by name.
        network: what the models are parts of, if all of it is to be kept.
    """

    def __init__(
        self,
        models: Sequence[keras.Model],
        callbacks: Sequence[keras.callbacks.Callback],
        steps: int,
        facts: Mapping[str, object] | None = None,
        network: keras.Model | None = None,
    ):
        self.steps = steps
        self._facts = dict(facts or {})
        self._sums: dict[str, float] = {}
        self._count = 0
        self._callbacks = [c for c in callbacks if hasattr(c, "get_state")]
        self._variables = _variables_of(models, network)

    def add(self, losses: Mapping[str, float]) -> None:
        """Counts the losses of a step of one model."""
        for name, value in losses.items():
            self._sums.setdefault(name, 0.0)
            self._sums[name] += value
        first = next(iter(self._sums))
        self._count += first in losses

    def means(self) -> dict[str, float]:
        """Mean losses of the epoch so far."""
        return {name: total / self._count for name, total in self._sums.items()}

    def start_epoch(self) -> None:
        """Forgets the losses of the epoch before."""
        self._sums, self._count = {}, 0

    def state(self) -> tuple[dict[str, np.ndarray], dict]:
        """(arrays, record) to be written."""
        arrays = {
            f"{i:05d}": np.asarray(variable.numpy())
            for i, variable in enumerate(self._variables)
        }
        record = {
            "variables": self._described(),
            "steps": self.steps,
            "facts": self._facts,
            "sums": self._sums,
            "count": self._count,
            "callbacks": {
                name: callback.get_state() for name, callback in self._named_callbacks()
            },
        }
        return arrays, record

    def restore(self, saved: Saved) -> None:
        """Goes back to a state; ValueError if it is of another training."""
        self._check(saved.record)
        for i, variable in enumerate(self._variables):
            variable.assign(saved.arrays[f"{i:05d}"])
        self._sums = dict(saved.record["sums"])
        self._count = saved.record["count"]
        for name, callback in self._named_callbacks():
            callback.set_state(saved.record["callbacks"][name])

    def _check(self, record: Mapping) -> None:
        ours = {
            "variables": self._described(),
            "callbacks": [name for name, _ in self._named_callbacks()],
            "steps of an epoch": self.steps,
            **self._facts,
        }
        theirs = {
            "variables": record["variables"],
            "callbacks": list(record["callbacks"]),
            "steps of an epoch": record["steps"],
            **record["facts"],
        }
        for key in {**ours, **theirs}:
            before, now = theirs.get(key), ours.get(key)
            if before == now:
                continue
            if isinstance(now, list) and isinstance(before, list):
                pairs = itertools.zip_longest(before, now)
                before, now = next(pair for pair in pairs if pair[0] != pair[1])
            raise ValueError(
                f"the checkpoint is of another training: its {key} differ. "
                f"In the checkpoint: {before}. Now: {now}"
            )

    def _described(self) -> list[list]:
        """Name, shape and type of each; the numbers in names are Keras' own affair."""
        return [
            [re.sub(r"_\d+", "", v.name), list(v.shape), str(v.dtype)]
            for v in self._variables
        ]

    def _named_callbacks(self):
        for i, callback in enumerate(self._callbacks):
            yield f"{i}-{type(callback).__name__}", callback


class SavePlan:
    """Where and how often the state of a training is saved.

    It is saved before the first step, after every epoch, and, where asked for, within
    an epoch. A full disk does not end the training here: the log says so, the state
    before stays, and the next one is tried again.

    Args:
        folder: for the states.
        steps: steps of an epoch between two of them; None saves none so.
        minutes: minutes between two of them; None saves none so.
        facts: what a training that goes on must not have changed, by name; numbers and
            strings.
    """

    def __init__(
        self,
        folder: str | os.PathLike,
        steps: int | None = None,
        minutes: float | None = None,
        facts: Mapping[str, object] | None = None,
    ):
        self.folder = folder
        self.facts = facts
        self.steps = steps
        self.minutes = minutes
        self._last = time.monotonic()

    def is_due(self, step: int) -> bool:
        """Whether to save after so many steps of the epoch."""
        if self.steps is not None and step % self.steps == 0:
            return True
        waited = time.monotonic() - self._last
        return self.minutes is not None and waited >= 60 * self.minutes

    def write(self, progress: Progress, epoch: int, step: int) -> None:
        """Saves a state."""
        self._last = time.monotonic()
        try:
            write_state(self.folder, epoch, step, *progress.state())
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            logger.error(
                "%s: no checkpoint could be written after epoch %d, step %d: %s",
                self.folder,
                epoch,
                step,
                error,
            )


def _variables_of(
    models: Sequence[keras.Model], network: keras.Model | None
) -> list[keras.Variable]:
    """Variables of models and optimizers, each once, without metrics.

    Those of the network that are in no model are last.
    """
    found = {}
    for model in models:
        metrics = {id(v) for metric in model.metrics for v in metric.variables}
        own = [v for v in model.variables if id(v) not in metrics]
        for variable in [*own, *model.optimizer.variables]:
            found[id(variable)] = variable
    for variable in [] if network is None else network.weights:
        found.setdefault(id(variable), variable)
    return list(found.values())
