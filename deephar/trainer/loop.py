"""One training loop for one or several (model, data) pairs in turn.

The same loop serves one device or many, through `tf.distribute`: `Model.fit` of Keras 3
does not run under MultiWorkerMirroredStrategy. Batches come from
`BatchLoader.as_dataset`, steps from `trainer.step`, and `trainer.progress` keeps and
restores the state of a training between any two steps.
"""

import logging
import math
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence

import keras
import numpy as np
import tensorflow as tf

from deephar import devices
from deephar.callbacks import learning_rate
from deephar.data.loader import BatchLoader
from deephar.trainer.interruption import until_signal
from deephar.trainer.progress import Progress, SavePlan, read_progress
from deephar.trainer.step import TOTAL, TrainingStep, batch_norms

logger = logging.getLogger(__name__)


class MultiModelTrainer:
    """Trains several models in turn, one batch of each a step.

    The models may share variables: the parts of one network that see different data.
    Models must be built and compiled within the scope of the strategy. XLA compiles the
    steps of a model with `jit_compile` on GPUs, and never on the CPU.

    Args:
        models: compiled models.
        generators: one BatchLoader a model; its batches are divided among the replicas
            of all workers, so no sample comes twice.
        workers: parallel calls that prepare batches, one number or one a model.
        shuffle: take the batches of an epoch in a random order. The samples in them are
            shuffled by the loader.
        max_queue_size: batches prepared ahead.
        print_full_losses: show the losses of every output, not only their sum.
        callbacks: Keras callbacks; they see the first model. Where they change its
            learning rate, those of the other models change by the same factor. Those
            with `get_state` and `set_state` go on where they were after a resume.
        strategy: a tf.distribute strategy; None takes the current one.
        accumulate: into how many parts to divide what a replica gets of a batch, to
            save memory: one after the other, then one step of the optimizer.
        sync_batch_norm: whether batch normalisation takes the statistics of the whole
            step over all replicas, as one replica would. Without, each takes those of
            its own samples, which saves communication, and the moving statistics are
            the replicas' averages.
        save: where and how often to save the state of the training; None saves none.
        network: a model that the others are parts of: the state then holds those of its
            variables too that are in none of the parts. None where there is no more.

    Raises:
        ValueError: if the lists do not match, a model is not compiled, or a batch
            cannot be divided.
    """

    def __init__(
        self,
        models: Sequence[keras.Model],
        generators: Sequence[BatchLoader],
        workers: int | Sequence[int] = 1,
        shuffle: bool = True,
        max_queue_size: int = 10,
        print_full_losses: bool = False,
        *,
        callbacks: Sequence[keras.callbacks.Callback] = (),
        strategy: tf.distribute.Strategy | None = None,
        accumulate: int = 1,
        sync_batch_norm: bool = True,
        save: SavePlan | None = None,
        network: keras.Model | None = None,
    ):
        self.models = list(models)
        self.generators = list(generators)
        count = len(self.models)
        self.workers = [workers] * count if isinstance(workers, int) else list(workers)
        self.shuffle = shuffle
        self.max_queue_size = max_queue_size
        self.callbacks = list(callbacks)
        self.strategy = strategy or tf.distribute.get_strategy()
        self.accumulate = accumulate
        self.save = save
        self.network = network
        self._check()
        replicas = self.strategy.num_replicas_in_sync
        for model in self.models:
            for layer in batch_norms(model):
                layer.synchronized = sync_batch_norm and replicas > 1
        self._rates = [learning_rate(model) for model in self.models]
        self._steps = [
            TrainingStep(
                model,
                generator.get_batch_size(),
                self.strategy,
                accumulate,
                print_full_losses,
                jit=bool(model.jit_compile) and devices.on_gpu(),
                average_statistics=not sync_batch_norm and replicas > 1,
            )
            for model, generator in zip(self.models, self.generators, strict=True)
        ]
        self._interrupted = threading.Event()

    def _check(self) -> None:
        if not len(self.models) == len(self.generators) == len(self.workers) > 0:
            raise ValueError(
                "`models`, `generators` and `workers` must be lists of equal length. "
                f"Received: {len(self.models)}, {len(self.generators)} and "
                f"{len(self.workers)}"
            )
        if self.accumulate < 1:
            raise ValueError(
                f"`accumulate` must be at least 1. Received: {self.accumulate}"
            )
        for model in self.models:
            if not model.compiled:
                raise ValueError(f"The model must be compiled. Received: {model.name}")
        for generator in self.generators:
            if not isinstance(generator, BatchLoader):
                raise ValueError(
                    "`generators` must be BatchLoader objects. "
                    f"Received: {type(generator).__name__}"
                )
            numbers, count = self._parts()
            try:
                for number in numbers:
                    generator.part_size((number, count))
            except ValueError as error:
                raise ValueError(
                    f"A batch is divided among {self.strategy.num_replicas_in_sync} "
                    f"replicas and `accumulate`={self.accumulate} turns. {error}"
                ) from error

    def _parts(self) -> tuple[list[int], int]:
        """(numbers, count): the parts of a batch that this worker computes, in order.

        The first `replicas` parts are computed at once, then, with accumulation, the
        next ones.
        """
        replicas = self.strategy.num_replicas_in_sync
        here = devices.replicas_here(self.strategy)
        turns = range(self.accumulate)
        return [turn * replicas + r for turn in turns for r in here], (
            replicas * self.accumulate
        )

    def train(
        self,
        epochs: int,
        steps_per_epoch: int,
        initial_epoch: int = 0,
        end_of_epoch_callback: Callable[[int], None] | None = None,
        verbose: int = 1,
        resume: bool = False,
    ) -> keras.callbacks.History:
        """Runs the loop.

        Args:
            epochs: epoch to stop at.
            steps_per_epoch: batches of every model in an epoch.
            initial_epoch: epoch to start at, counted from 0.
            end_of_epoch_callback: called with the epoch after the Keras callbacks.
            verbose: 1 shows a progress bar, 2 a line an epoch, 0 nothing.
            resume: go on from the last saved state, if there is one.

        Returns:
            The history of the losses by epoch, of this call.

        Raises:
            ValueError: if there is nothing to train on, or the saved state is of
                another training.
            FloatingPointError: if a loss is not finite.
            ConnectionError: if another worker has ended.
            KeyboardInterrupt: after Ctrl-C or SIGTERM, once the state is saved.
        """
        if steps_per_epoch < 1:
            raise ValueError(
                "`steps_per_epoch` must be at least 1. "
                f"Received: steps_per_epoch={steps_per_epoch}"
            )
        history = keras.callbacks.History()
        shown = [keras.callbacks.ProgbarLogger()] if verbose else []
        callbacks = keras.callbacks.CallbackList(
            [*shown, *self.callbacks, history],
            model=self.models[0],
            epochs=epochs,
            steps=steps_per_epoch,
            verbose=verbose,
        )
        self.models[0].stop_training = False
        facts = None if self.save is None else self.save.facts
        parts = (self.models, self.callbacks, steps_per_epoch, facts)
        progress = Progress(*parts, self.network)
        start, step = initial_epoch, 0
        if resume:
            start, step = self._restore(progress, initial_epoch)
        callbacks.on_train_begin()
        try:
            with until_signal(self._interrupted):
                self._save(progress, start, step)
                for epoch in range(start, epochs):
                    if self.models[0].stop_training:
                        break
                    self._run_epoch(epoch, step, progress, callbacks)
                    step = 0
                    if end_of_epoch_callback is not None:
                        end_of_epoch_callback(epoch)
                    self._save(progress, epoch + 1, 0)
                    self._stop_if_interrupted()
        finally:
            callbacks.on_train_end()
        return history

    def _restore(self, progress: Progress, initial_epoch: int) -> tuple[int, int]:
        """Epoch and step to go on from, the same on every worker."""
        found = None if self.save is None else read_progress(self.save.folder)
        place = (initial_epoch, 0) if found is None else found.place
        places = devices.gather(self.strategy, {"place": np.array([place])})["place"]
        if (places != places[0]).any():
            raise ValueError(
                f"{self.save.folder}: every worker must see the same checkpoints. "
                f"Received: epoch and step by worker {places.tolist()}"
            )
        if found is None:
            logger.info("no checkpoint yet: the training starts at its beginning")
        else:
            try:
                progress.restore(found)
            except ValueError as error:
                raise ValueError(f"{self.save.folder}: {error}") from error
            logger.info("resumed: %d epochs and %d steps are done", *place)
        return place

    def _save(self, progress: Progress, epoch: int, step: int) -> None:
        if self.save is not None and devices.share_of(self.strategy)[0] == 0:
            self.save.write(progress, epoch, step)

    def _stop_if_interrupted(self) -> None:
        if self._interrupted.is_set():
            raise KeyboardInterrupt

    def _run_epoch(
        self,
        epoch: int,
        start: int,
        progress: Progress,
        callbacks: keras.callbacks.CallbackList,
    ) -> None:
        callbacks.on_epoch_begin(epoch)
        self._share_learning_rate()
        try:
            self._run_steps(epoch, start, progress, callbacks)
        except BaseException as error:
            # Its frames hold streams, whose threads must end before the interpreter.
            for one in filter(None, (error, error.__cause__)):
                traceback.clear_frames(one.__traceback__)
            raise
        finally:
            self._report_errors(epoch)
        logs = progress.means()
        logs["learning_rate"] = learning_rate(self.models[0])
        callbacks.on_epoch_end(epoch, logs)
        progress.start_epoch()

    def _run_steps(
        self,
        epoch: int,
        start: int,
        progress: Progress,
        callbacks: keras.callbacks.CallbackList,
    ) -> None:
        streams = self._streams(epoch, start, progress.steps)
        for index in range(start, progress.steps):
            callbacks.on_train_batch_begin(index)
            for number, stream in enumerate(streams):
                losses = self._take_step(number, stream)
                self._check_finite(losses[TOTAL], number, epoch, index)
                suffix = "" if len(self.models) == 1 else str(number)
                progress.add({name + suffix: x for name, x in losses.items()})
            callbacks.on_train_batch_end(index, progress.means())
            if index + 1 < progress.steps:
                due = self.save is not None and self.save.is_due(index + 1)
                if due or self._interrupted.is_set():
                    self._save(progress, epoch, index + 1)
                self._stop_if_interrupted()

    def _take_step(self, number: int, stream: Iterator) -> dict[str, float]:
        next_batch = self.generators[number].next_batch
        with devices.lost_worker():
            # No comprehension: its function would hold the stream in an error's frames.
            batches = list(map(next_batch, [stream] * self.accumulate))
            return self._steps[number](batches)

    def _streams(self, epoch: int, start: int, steps: int) -> list[Iterator]:
        """Streams of batches, each divided among the replicas of this worker."""
        parts = self._parts()

        def stream(generator, workers):
            def parts_of_this_worker(_):
                return generator.as_dataset(
                    epoch,
                    steps,
                    workers=workers,
                    prefetch=self.max_queue_size,
                    shuffle_batches=self.shuffle,
                    start=start,
                    parts=parts,
                )

            return iter(
                self.strategy.distribute_datasets_from_function(parts_of_this_worker)
            )

        return list(map(stream, self.generators, self.workers))

    def _share_learning_rate(self) -> None:
        factor = learning_rate(self.models[0]) / self._rates[0]
        for model, rate in zip(self.models[1:], self._rates[1:], strict=True):
            model.optimizer.learning_rate = rate * factor

    def _check_finite(self, loss: float, number: int, epoch: int, step: int) -> None:
        if not math.isfinite(loss):
            raise FloatingPointError(
                f"The loss of model {self.models[number].name} is {loss} at "
                f"epoch {epoch + 1}, step {step + 1}. A lower learning rate or "
                "gradient clipping may help."
            )

    def _report_errors(self, epoch: int) -> None:
        for generator in self.generators:
            errors = generator.take_errors()
            if errors:
                logger.warning(
                    "epoch %d: %d unreadable pictures were skipped: %s",
                    epoch + 1,
                    len(errors),
                    "; ".join(list(errors.values())[:5]),
                )
