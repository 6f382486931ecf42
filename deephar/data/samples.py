"""The samples of a loader's data sets, as a function of (seed, epoch, position).

Whatever was asked for before makes no difference, nor does the number of workers.
"""

import functools
import inspect
import logging
import threading
from collections.abc import Mapping, Sequence

import numpy as np

logger = logging.getLogger(__name__)

READABLE = "readable"
"""Key of every sample: (1,) 1.0, or 0.0 where the picture was unreadable."""

ON_ERROR = ("raise", "skip", "mark")
"""What can be done with a sample that cannot be read."""

WHOLE = (0, 1)
"""The part of a batch that is all of it."""

_ORDER_STREAM, _SAMPLE_STREAM, _BATCH_STREAM = 1, 2, 3
_MAX_SKIPS = 100


class SampleStream:
    """An endless stream of samples from each of several data sets.

    Args:
        datasets: Data sets, see `deephar.data.loader.BatchLoader`. One whose `get_data`
            has a parameter `epoch` is a loader: it is given the epoch, and the number
            of its batch in a stream that goes on from pass to pass.
        mode: TEST_MODE, TRAIN_MODE or VALID_MODE.
        shuffle: Whether every pass has a random order of its own.
        seed: Integer of at least 0.
        on_error: One of `ON_ERROR`.
    """

    def __init__(
        self, datasets: Sequence, mode: int, shuffle: bool, seed: int, on_error: str
    ):
        self.datasets = datasets
        self.mode = mode
        self.shuffle = shuffle
        self.seed = seed
        self.on_error = on_error
        readers = (self._read, self._read_or_next, self._read_or_blank)
        self._reader = dict(zip(ON_ERROR, readers, strict=True))[on_error]
        self._parameters = [
            inspect.signature(one.get_data).parameters for one in datasets
        ]
        self._lock = threading.Lock()
        self._errors: dict[str, str] = {}

    def get(
        self,
        epoch: int,
        d: int,
        position: int,
        out: Mapping[str, np.ndarray] | None = None,
    ) -> Mapping[str, np.ndarray]:
        """Returns sample `position` of data set d in an epoch.

        Its values lie in the arrays of `out` where the data set can write into them.
        """
        sample = self._reader(epoch, d, position, out)
        return {READABLE: np.ones(1, np.float32), **sample}

    def __reduce__(self):
        arguments = self.datasets, self.mode, self.shuffle, self.seed, self.on_error
        return type(self), arguments

    def add_errors(self, errors: Mapping[str, str]) -> None:
        """Adds what another stream of the same samples has skipped or marked."""
        with self._lock:
            self._errors.update(errors)

    def take_errors(self) -> dict[str, str]:
        """Returns {path: message} of what was skipped or marked since the last call."""
        with self._lock:
            errors, self._errors = self._errors, {}
        return errors

    def _read(self, epoch, d, position, out, step=0):
        """Reads the sample, or the one `step` places further in the same pass."""
        one, key = self.datasets[d], self._key(epoch, d, position, step)
        options = {}
        if "epoch" in self._parameters[d]:
            options["epoch"] = epoch
            length = one.get_length(self.mode)
            key += position // length * length
        if "rng" in self._parameters[d]:
            options["rng"] = self._rng(epoch, d, position)
        if "out" in self._parameters[d]:
            options["out"] = out
        return one.get_data(key, self.mode, **options)

    def _read_or_next(self, epoch, d, position, out):
        """Reads the sample, or the first after it in the same pass that can be read."""
        tries = min(self.datasets[d].get_length(self.mode), _MAX_SKIPS)
        errors = []
        for step in range(tries):
            try:
                return self._read(epoch, d, position, out, step)
            except OSError as error:
                self._note(error, d, self._key(epoch, d, position, step))
                errors.append(error)
        raise OSError(
            f"{tries} samples in a row cannot be read; the last: {errors[-1]}"
        ) from errors[-1]

    def _read_or_blank(self, epoch, d, position, out):
        """Reads the sample, or gives a black one with a mark."""
        one, key = self.datasets[d], self._key(epoch, d, position)
        try:
            return self._read(epoch, d, position, out)
        except OSError as error:
            if "epoch" in self._parameters[d]:
                raise  # a loader marks its samples itself, if it is told to
            self._note(error, d, key)
        blank = one.get_blank_data(key, self.mode, rng=self._rng(epoch, d, position))
        return {**blank, READABLE: np.zeros(1, np.float32)}

    def _rng(self, epoch: int, d: int, position: int) -> np.random.Generator:
        return np.random.default_rng((_SAMPLE_STREAM, self.seed, epoch, d, position))

    def _key(self, epoch: int, d: int, position: int, step: int = 0) -> int:
        """The data set's key at a position, or `step` places further in its pass."""
        length = self.datasets[d].get_length(self.mode)
        turn, place = divmod(position, length)
        place = (place + step) % length
        if not self.shuffle:
            return place
        return int(_pass_order(length, (self.seed, epoch, d, turn))[place])

    def _note(self, error: OSError, d: int, key: int) -> None:
        path = getattr(error, "path", None) or error.filename
        name = str(path or f"{type(self.datasets[d]).__name__}[{key}]")
        with self._lock:
            self._errors[name] = str(error)
        logger.debug("unreadable: %s", error)


def batch_order(steps: int, seed: int, epoch: int) -> np.ndarray:
    """Returns a random order (steps,) of the batches of an epoch."""
    return np.random.default_rng((_BATCH_STREAM, seed, epoch)).permutation(steps)


@functools.lru_cache(maxsize=64)
def _pass_order(length: int, key: tuple[int, ...]) -> np.ndarray:
    order = np.random.default_rng((_ORDER_STREAM, *key)).permutation(length)
    order.setflags(write=False)
    return order


def part_of(size: int, part: tuple[int, int], d: int) -> tuple[int, int]:
    """First row, and the one after the last, of a part of the `size` of data set d.

    Every second data set is dealt out from the other end: parts stay of like size.
    """
    number, count = part
    if d % 2:
        number = count - 1 - number
    return size * number // count, size * (number + 1) // count
