"""Batches from data sets: as a Keras PyDataset and as a tf.data pipeline."""

import contextlib
import functools
import inspect
import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from deephar.utils.modes import mode_name

logger = logging.getLogger(__name__)

READABLE = "readable"
"""Key that every loader provides: (1,) 1.0, or 0.0 where the picture was unreadable."""

_ORDER_STREAM, _SAMPLE_STREAM, _BATCH_STREAM = 1, 2, 3
_MAX_SKIPS = 100
_ON_ERROR = ("raise", "skip", "mark")


class BatchLoader(keras.utils.PyDataset):
    """Makes batches of float32 arrays from one or several data sets.

    A data set is any object with `get_length(mode)`, `get_shape(dictkey)` and
    `get_data(key, mode)`, which returns a dictionary of one sample; where `get_data`
    has a parameter `rng`, the loader passes a generator. A BatchLoader is a data set
    itself: its batches are the samples of an outer loader, so that pictures can be
    grouped into clips.

    Sample i of epoch e is a function of (seed, e, i) alone: not of the number of
    workers, of the batches asked for before, or of the time. With `shuffle` a data set
    is gone through in a new random order in every epoch, and again in every further
    pass where the epoch is longer than the data set. The last batch is full: it is
    filled up with the samples that follow, from the start of the data set without
    `shuffle`; an evaluation keeps the first `get_length` samples.

    Args:
        dataset: A data set or a list of them; a batch has samples of each, in order.
        x_dictkeys: Keys of the inputs, in order.
        y_dictkeys: Keys of the targets, in order. `"readable"` may be among them.
        mode: TEST_MODE, TRAIN_MODE or VALID_MODE.
        batch_size: Samples from each data set, one number or one for each.
        num_predictions: How often each target is repeated, one number or one for each
            target (those of `custom_dummy_dictkey` included).
        shuffle: Whether to shuffle the samples.
        custom_dummy_dictkey: Constant targets to add: (key, shape of the batch, value).
        seed: Integer of at least 0.
        on_error: What to do with a picture that cannot be read (OSError): `"raise"`;
            `"skip"` takes the next sample of the pass in its place; `"mark"` gives a
            black picture with its true labels and 0 under the key `"readable"`, so that
            an evaluation can count it as wrong. See `take_errors`.
        workers: Threads of Keras' own loops.
        max_queue_size: Batches that Keras' own loops prepare ahead.

    `fit` of Keras 3 takes a loader as it is. A model of one input is then best made
    with a list, `keras.Model([x], outputs)`, since the inputs come as a tuple.

    Raises:
        ValueError: if an argument breaks these rules, a data set is empty in this mode,
            or the data sets differ in the shape of a key.

    Source: deephar/data/loader.py of https://github.com/dluvizon/deephar.
    """

    def __init__(
        self,
        dataset: Any,
        x_dictkeys: Sequence[str],
        y_dictkeys: Sequence[str],
        mode: int,
        batch_size: int | Sequence[int] = 24,
        num_predictions: int | Sequence[int] = 1,
        shuffle: bool = True,
        custom_dummy_dictkey: Sequence[tuple[str, tuple[int, ...], float]] = (),
        *,
        seed: int = 0,
        on_error: str = "raise",
        workers: int = 1,
        max_queue_size: int = 10,
    ):
        super().__init__(workers=workers, max_queue_size=max_queue_size)
        self.datasets = (
            list(dataset) if isinstance(dataset, list | tuple) else [dataset]
        )
        self.x_dictkeys = list(x_dictkeys)
        self.custom_dummy_dictkey = list(custom_dummy_dictkey)
        self.custom_dictkeys = [key for key, _, _ in self.custom_dummy_dictkey]
        self.y_dictkeys = [*y_dictkeys, *self.custom_dictkeys]
        self.allkeys = list(dict.fromkeys([*x_dictkeys, *y_dictkeys]))
        self.mode = mode
        self.batch_sizes = _one_each(batch_size, self.num_datasets)
        self.num_predictions = _one_each(num_predictions, len(self.y_dictkeys))
        self.shuffle = shuffle
        self.seed = seed
        self.on_error = on_error
        self.epoch = 0
        self._check()
        self._shapes = {key: self._sample_shape(key) for key in self.allkeys}
        signatures = [inspect.signature(one.get_data) for one in self.datasets]
        self._takes_rng = ["rng" in one.parameters for one in signatures]
        self._lock = threading.Lock()
        self._errors: dict[str, str] = {}
        self._failures: dict[int, BaseException] = {}

    def _check(self) -> None:
        mode_name(self.mode)
        if len(self.batch_sizes) != self.num_datasets:
            raise ValueError(
                "`dataset` and `batch_size` must have the same length. Received: "
                f"{self.num_datasets} data sets, batch_size={self.batch_sizes}"
            )
        if min(self.batch_sizes) < 1:
            raise ValueError(
                f"`batch_size` must be at least 1. Received: {self.batch_sizes}"
            )
        if len(self.num_predictions) != len(self.y_dictkeys):
            raise ValueError(
                "`num_predictions` must have one number for each target. Received: "
                f"num_predictions={self.num_predictions}, targets={self.y_dictkeys}"
            )
        for key in self.custom_dictkeys:
            if key in self.allkeys:
                raise ValueError(
                    "`custom_dummy_dictkey` must not repeat a key of the data. "
                    f"Received: {key!r}"
                )
        if self.on_error not in _ON_ERROR:
            raise ValueError(
                f"`on_error` must be one of {_ON_ERROR}. Received: {self.on_error!r}"
            )
        if not isinstance(self.seed, int | np.integer) or self.seed < 0:
            raise ValueError(
                f"`seed` must be an integer of at least 0. Received: seed={self.seed!r}"
            )
        for one in self.datasets:
            self._check_dataset(one)

    def _check_dataset(self, one: Any) -> None:
        name = type(one).__name__
        if one.get_length(self.mode) < 1:
            raise ValueError(
                f"{name} must have samples to load. Received: an empty data set in "
                f"mode {mode_name(self.mode)!r}"
            )
        blank = isinstance(one, BatchLoader) or hasattr(one, "get_blank_data")
        if self.on_error == "mark" and not blank:
            raise ValueError(
                "on_error='mark' needs data sets with `get_blank_data`. "
                f"Received: {name}"
            )

    def _sample_shape(self, key: str) -> tuple[int, ...]:
        """Shape of a key in one sample, equal in all data sets."""
        if key == READABLE and not isinstance(self.datasets[0], BatchLoader):
            return (1,)
        shapes = [tuple(one.get_shape(key)) for one in self.datasets]
        if len(set(shapes)) > 1:
            raise ValueError(
                f"The data sets must agree in the shape of {key!r}. Received: {shapes}"
            )
        return shapes[0]

    @property
    def num_datasets(self) -> int:
        """Number of data sets."""
        return len(self.datasets)

    def __len__(self) -> int:
        """Batches in which every sample of the longest data set comes once."""
        sizes = zip(self.datasets, self.batch_sizes, strict=True)
        return max(-(-one.get_length(self.mode) // size) for one, size in sizes)

    def get_length(self, mode: int) -> int:
        """Number of batches; ValueError for a mode other than the loader's own."""
        self._check_mode(mode)
        return len(self)

    def get_batch_size(self) -> int:
        """Samples in a batch, those of all data sets together."""
        return sum(self.batch_sizes)

    def get_shape(self, dictkey: str) -> tuple[int, ...]:
        """Shape of a key in a batch, the batch first; custom keys have their own."""
        for key, shape, _ in self.custom_dummy_dictkey:
            if dictkey == key:
                return tuple(shape)
        shape = self._shapes.get(dictkey)
        shape = self._sample_shape(dictkey) if shape is None else shape
        return (self.get_batch_size(), *shape)

    def get_data(
        self, idx: int, mode: int, epoch: int | None = None
    ) -> dict[str, np.ndarray]:
        """Returns batch `idx` as {key: float32 array}.

        Args:
            idx: Number of the batch, 0 or more; beyond `len(self)` the stream goes on.
            mode: The loader's own mode.
            epoch: Number of the epoch; None for the present one.
        """
        self._check_mode(mode)
        if idx < 0:
            raise IndexError(f"`idx` must be at least 0. Received: idx={idx}")
        epoch = self.epoch if epoch is None else epoch
        batch = {key: np.empty(self.get_shape(key), np.float32) for key in self.allkeys}
        for key, shape, value in self.custom_dummy_dictkey:
            batch[key] = np.full(shape, value, dtype=np.float32)
        row = 0
        for d, size in enumerate(self.batch_sizes):
            for position in range(idx * size, (idx + 1) * size):
                sample = self._sample(epoch, d, position)
                for key in self.allkeys:
                    batch[key][row] = sample[key]
                row += 1
        return batch

    def get_batch(
        self, epoch: int, index: int
    ) -> tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...]]:
        """Returns batch `index` of an epoch, the same whenever it is asked for.

        Returns:
            (inputs, targets): tuples of float32 arrays in the order of `x_dictkeys` and
            `y_dictkeys`, each target repeated as `num_predictions` says. (Lists, as in
            the original, are not accepted by `fit` of Keras 3.)
        """
        batch = self.get_data(index, self.mode, epoch)
        return self._structure(batch)

    def __getitem__(
        self, idx: int
    ) -> tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...]]:
        """Returns batch `idx` of the present epoch."""
        if not 0 <= idx < len(self):
            raise IndexError(
                f"The loader has {len(self)} batches. Received: index {idx}"
            )
        return self.get_batch(self.epoch, idx)

    def on_epoch_end(self) -> None:
        """Goes on to the next epoch. `fit` of Keras calls it, also before its first."""
        self.epoch += 1

    def take_errors(self) -> dict[str, str]:
        """Returns {path: message} of what was skipped or marked since the last call."""
        with self._lock:
            errors, self._errors = self._errors, {}
        for one in self.datasets:
            if isinstance(one, BatchLoader):
                errors.update(one.take_errors())
        return errors

    def as_dataset(
        self,
        epoch: int,
        steps: int | None = None,
        workers: int = 1,
        *,
        prefetch: int = 2,
        shuffle_batches: bool = False,
    ) -> Any:
        """Returns the batches of an epoch as a tf.data.Dataset of (inputs, targets).

        The elements are `get_batch(epoch, 0)`, `get_batch(epoch, 1)` ... in this order,
        as tuples of tensors with static shapes. Read it through `next_batch`, which
        raises what went wrong in Python as it was raised there.

        Args:
            epoch: Number of the epoch.
            steps: Number of batches; None for `len(self)`.
            workers: Batches that are prepared in parallel.
            prefetch: Batches that wait ready.
            shuffle_batches: Whether to give the batches in a random order of the epoch.
        """
        import tensorflow as tf  # the one place here that needs it

        order = np.arange(len(self) if steps is None else steps)
        if shuffle_batches:
            rng = np.random.default_rng((_BATCH_STREAM, self.seed, epoch))
            order = rng.permutation(order)
        keys = [*self.allkeys, *self.custom_dictkeys]
        self._failures.clear()

        def make(index):
            with contextlib.ExitStack() as stack:
                stack.push(functools.partial(self._keep, int(index)))
                batch = self.get_data(int(index), self.mode, epoch)
            return [batch[key] for key in keys]

        def load(index):
            arrays = tf.numpy_function(make, [index], [tf.float32] * len(keys))
            batch = dict(zip(keys, arrays, strict=True))
            for key, tensor in batch.items():
                tensor.set_shape(self.get_shape(key))
            return self._structure(batch)

        indices = tf.data.Dataset.from_tensor_slices(order.astype(np.int64))
        batches = indices.map(load, num_parallel_calls=workers, deterministic=True)
        return batches.prefetch(prefetch)

    def next_batch(self, stream: Iterator) -> Any:
        """Returns the next element of an iterator over `as_dataset`.

        Raises:
            StopIteration: at the end.
            Exception: what a data set raised while it made this batch, unchanged.
        """
        import tensorflow as tf

        try:
            return next(stream)
        except tf.errors.OpError:
            if not self._failures:
                raise
            failure = next(iter(self._failures.values()))
            self._failures.clear()
        raise failure

    def _keep(self, index, kind, error, trace) -> None:
        """Keeps for `next_batch` what goes wrong in a batch, and lets it pass."""
        if error is not None:
            self._failures[index] = error

    def _structure(self, batch: Mapping[str, Any]) -> tuple[tuple, tuple]:
        """(inputs, targets) of a batch, the targets repeated."""
        x = tuple(batch[key] for key in self.x_dictkeys)
        counts = zip(self.y_dictkeys, self.num_predictions, strict=True)
        return x, tuple(batch[key] for key, count in counts for _ in range(count))

    def _check_mode(self, mode: int) -> None:
        if mode != self.mode:
            raise ValueError(
                f"The loader is for mode {mode_name(self.mode)!r}. "
                f"Received: mode={mode_name(mode)!r}"
            )

    def _sample(self, epoch: int, d: int, position: int) -> Mapping[str, np.ndarray]:
        """Sample `position` of data set d in an epoch, as `on_error` has it."""
        length = self.datasets[d].get_length(self.mode)
        turn, place = divmod(position, length)
        rng_key = (_SAMPLE_STREAM, self.seed, epoch, d, position)
        tries = min(length, _MAX_SKIPS) if self.on_error == "skip" else 1
        for step in range(tries):
            key = self._key(epoch, d, turn, (place + step) % length)
            try:
                sample = self._read(epoch, d, key, turn * length, rng_key)
                return {READABLE: np.ones(1, np.float32), **sample}
            except OSError as error:
                if self.on_error == "raise":
                    raise
                self._note(error, d, key)
                last = error
        if self.on_error == "skip":
            raise OSError(
                f"{tries} samples in a row cannot be read; the last: {last}"
            ) from last
        rng = np.random.default_rng(rng_key)
        sample = self.datasets[d].get_blank_data(key, self.mode, rng=rng)
        return {**sample, READABLE: np.zeros(1, np.float32)}

    def _read(self, epoch, d, key, start, rng_key):
        one = self.datasets[d]
        if isinstance(one, BatchLoader):
            return one.get_data(start + key, self.mode, epoch)
        if not self._takes_rng[d]:
            return one.get_data(key, self.mode)
        return one.get_data(key, self.mode, rng=np.random.default_rng(rng_key))

    def _key(self, epoch: int, d: int, turn: int, place: int) -> int:
        """The data set's key at a place of a pass."""
        if not self.shuffle:
            return place
        length = self.datasets[d].get_length(self.mode)
        return int(_permutation(length, (self.seed, epoch, d, turn))[place])

    def _note(self, error: OSError, d: int, key: int) -> None:
        path = getattr(error, "path", None) or error.filename
        name = str(path or f"{type(self.datasets[d]).__name__}[{key}]")
        with self._lock:
            self._errors[name] = str(error)
        logger.debug("unreadable: %s", error)


@functools.lru_cache(maxsize=64)
def _permutation(length: int, key: tuple[int, ...]) -> np.ndarray:
    order = np.random.default_rng((_ORDER_STREAM, *key)).permutation(length)
    order.setflags(write=False)
    return order


def _one_each(value: int | Sequence[int], count: int) -> list[int]:
    if isinstance(value, list | tuple):
        return list(value)
    if not isinstance(value, int | np.integer):
        raise ValueError(f"Expected an integer or a list of them. Received: {value!r}")
    return [int(value)] * count
