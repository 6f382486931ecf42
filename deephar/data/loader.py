"""Batches from data sets: as a Keras PyDataset and as a tf.data pipeline."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from deephar.data.checks import check_loader, one_each
from deephar.data.samples import (
    READABLE,
    WHOLE,
    SampleStream,
    batch_order,
    part_of,
)
from deephar.data.workers import WorkerProcesses
from deephar.utils.modes import mode_name

__all__ = ["READABLE", "BatchLoader"]


class BatchLoader(keras.utils.PyDataset):
    """Makes batches of float32 arrays from one or several data sets.

    A data set is any object with `get_length(mode)`, `get_shape(dictkey)` and
    `get_data(key, mode)`, which returns a dictionary of one sample; where `get_data`
    has a parameter `rng`, the loader passes a generator; where it has a parameter
    `out`, the rows of the batch, into which it may write values and return them as they
    are, so that they need not be copied. A BatchLoader is a data set
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
        processes: Processes in which `as_dataset` makes its batches, one each; 0 for
            threads. The batches are the same.

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
        processes: int = 0,
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
        self.batch_sizes = one_each(batch_size, self.num_datasets)
        self.num_predictions = one_each(num_predictions, len(self.y_dictkeys))
        self.shuffle = shuffle
        self.seed = seed
        self.on_error = on_error
        self.epoch = 0
        self.processes = processes
        check_loader(self)
        self._shapes = {key: self._sample_shape(key) for key in self.allkeys}
        self._samples = SampleStream(self.datasets, mode, shuffle, seed, on_error)
        self._failures: dict[int, BaseException] = {}
        self._crew = WorkerProcesses(self, processes)

    def __getstate__(self):
        """A copy in another process makes its batches itself."""
        return {**self.__dict__, "_failures": {}, "processes": 0, "_crew": None}

    def __setstate__(self, state):
        self.__dict__.update(state)
        self._crew = WorkerProcesses(self, self.processes)

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
        return (self.get_batch_size(), *self._shape(dictkey))

    def _shape(self, dictkey: str) -> tuple[int, ...]:
        shape = self._shapes.get(dictkey)
        return self._sample_shape(dictkey) if shape is None else shape

    def get_data(
        self,
        idx: int,
        mode: int,
        epoch: int | None = None,
        part: tuple[int, int] = WHOLE,
        out: Mapping[str, np.ndarray] | None = None,
    ) -> dict[str, np.ndarray]:
        """Returns batch `idx` as {key: float32 array}, "readable" always among them.

        Args:
            idx: Number of the batch, 0 or more; beyond `len(self)` the stream goes on.
            mode: The loader's own mode.
            epoch: Number of the epoch; None for the present one.
            part: (number, count): only this one of `count` parts, see `part_size`.
            out: Arrays to write values into, by key; None for new ones.
        """
        self._check_mode(mode)
        if idx < 0:
            raise IndexError(f"`idx` must be at least 0. Received: idx={idx}")
        epoch = self.epoch if epoch is None else epoch
        keys, rows = {*self.allkeys, READABLE}, self.part_size(part)
        batch = {key: out[key] for key in keys if out is not None and key in out}
        for key in keys - set(batch):
            batch[key] = np.empty((rows, *self._shape(key)), np.float32)
        for key, shape, value in self.custom_dummy_dictkey:
            count = shape[0] if part == WHOLE else rows
            batch[key] = np.full((count, *shape[1:]), value, dtype=np.float32)
        row = 0
        for d, size in enumerate(self.batch_sizes):
            first, last = part_of(size, part, d)
            for position in range(idx * size + first, idx * size + last):
                places = {key: batch[key][row] for key in keys}
                sample = self._samples.get(epoch, d, position, places)
                for key in keys:
                    if sample[key] is not places[key]:
                        places[key][...] = sample[key]
                row += 1
        return batch

    def part_size(self, part: tuple[int, int]) -> int:
        """Returns the number of samples in a part of a batch.

        The samples of each data set are divided as evenly as their number allows, so
        that the parts 0 ... count - 1 together are the batch, no sample twice.

        Args:
            part: (number, count).

        Raises:
            ValueError: if there are more parts than samples, or a custom target has
                another number of rows than the batch and so cannot be divided.
        """
        number, count = part
        if not 0 <= number < count <= self.get_batch_size():
            raise ValueError(
                f"A batch of {self.get_batch_size()} samples has at most as many "
                f"parts, counted from 0. Received: part {number} of {count}"
            )
        for key, shape, _ in self.custom_dummy_dictkey:
            if count > 1 and shape[0] != self.get_batch_size():
                raise ValueError(
                    f"`custom_dummy_dictkey` {key!r} must have one row a sample to be "
                    f"divided into {count} parts. Received: shape={tuple(shape)}"
                )
        rows = 0
        for d, size in enumerate(self.batch_sizes):
            first, last = part_of(size, part, d)
            rows += last - first
        if rows < 1:
            raise ValueError(
                f"Every part of a batch must have a sample. Received: {count} parts of "
                f"batch_size={self.batch_sizes}"
            )
        return rows

    def get_batch(
        self, epoch: int, index: int
    ) -> tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...]]:
        """Returns batch `index` of an epoch, the same whenever it is asked for.

        Returns:
            (inputs, targets): tuples of float32 arrays in the order of `x_dictkeys` and
            `y_dictkeys`, each target repeated as `num_predictions` says. (Lists, as in
            the original, are not accepted by `fit` of Keras 3.)
        """
        return self._structure(self.get_data(index, self.mode, epoch))

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
        errors = self._samples.take_errors()
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
        start: int = 0,
        parts: tuple[Sequence[int], int] = ((0,), 1),
    ) -> Any:
        """Returns the batches of an epoch as a tf.data.Dataset of (inputs, targets).

        The elements are `get_batch(epoch, 0)`, `get_batch(epoch, 1)` ... in this order,
        as tuples of tensors; or, of each batch, the given parts one after the other.
        Shapes are static but for the rows of parts that differ in size. Read it through
        `next_batch`, which raises what went wrong in Python as it was raised there.

        Args:
            epoch: Number of the epoch.
            steps: Number of batches in the epoch; None for `len(self)`.
            workers: Threads, each of which prepares a batch (or part); of a loader with
                `processes` these do it.
            prefetch: Batches that wait ready.
            shuffle_batches: Whether to give the batches in a random order of the epoch.
            start: Batches at the beginning of the epoch to leave out.
            parts: (numbers, count): which of the `count` parts of a batch to give.
        """
        import tensorflow as tf  # the one place here that needs it

        steps = len(self) if steps is None else steps
        order = np.arange(steps)
        if shuffle_batches:
            order = batch_order(steps, self.seed, epoch)
        keys = [*self.allkeys, *self.custom_dictkeys]
        numbers, count = parts
        sizes = {self.part_size((number, count)) for number in numbers}
        rows = sizes.pop() if len(sizes) == 1 else None
        self._failures.clear()

        def make(index, number):
            try:
                part = (int(number), count)
                batch = self._make(epoch, int(index), part)
            except BaseException as error:  # for `next_batch`
                self._failures[int(index)] = error
                raise
            return [batch[key] for key in keys]

        def load(index, number):
            arrays = tf.numpy_function(make, [index, number], [tf.float32] * len(keys))
            batch = dict(zip(keys, arrays, strict=True))
            for key, tensor in batch.items():
                shape = self.get_shape(key)
                tensor.set_shape(shape if count == 1 else (rows, *shape[1:]))
            return self._structure(batch)

        order = order[start:].astype(np.int64)
        indices = (np.repeat(order, len(numbers)), np.tile(numbers, len(order)))
        dataset = tf.data.Dataset.from_tensor_slices(indices)
        calls = self.processes or workers
        batches = dataset.map(load, num_parallel_calls=calls, deterministic=True)
        return batches.prefetch(prefetch * len(numbers))

    def _make(self, epoch, index, part) -> dict[str, np.ndarray]:
        """Makes a batch for `as_dataset`, here or in another process."""
        if not self.processes:
            return self.get_data(index, self.mode, epoch, part)
        batch, errors = self._crew.get(epoch, index, part)
        self._samples.add_errors(errors)
        return batch

    def close(self) -> None:
        """Ends the worker processes, if there are any; they start again when needed."""
        self._crew.close()

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
        try:
            raise failure
        finally:
            del failure  # else the error and this frame keep each other, and `stream`

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
