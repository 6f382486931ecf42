"""One training loop for one or several (model, data) pairs in turn.

A step is `model.train_step` traced once and run through `tf.distribute`, so that the
same loop serves one device or many; `Model.fit` of Keras 3 does not run under
MultiWorkerMirroredStrategy. Batches come from `BatchLoader.as_dataset`.
"""

import logging
import math
import os
from collections.abc import Callable, Sequence

import keras
import tensorflow as tf

from deephar.callbacks import ReduceFromBest
from deephar.data.loader import BatchLoader

logger = logging.getLogger(__name__)


def set_batch_norm_momentum(model: keras.Model, momentum: float) -> None:
    """Sets the momentum of the moving averages of every batch normalisation.

    Keras averages with momentum 0.99 from zero means and unit variances, so a network
    looks bad in its first few hundred steps however good it is; a short training wants
    0.9. Call it before the first step.

    Args:
        model: any model; nested models are reached too.
        momentum: share of the old average, in [0, 1).

    Raises:
        ValueError: if the momentum is out of range.
    """
    if not 0 <= momentum < 1:
        raise ValueError(f"`momentum` must be in [0, 1). Received: {momentum}")
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = momentum


class MultiModelTrainer:
    """Trains several models in turn, one batch of each a step.

    The models may share variables: the parts of one network that see different data.

    Args:
        models: compiled models.
        generators: one BatchLoader a model.
        workers: parallel calls that prepare batches, one number or one a model.
        shuffle: take the batches of an epoch in a random order. The samples in them are
            shuffled by the loader.
        max_queue_size: batches prepared ahead.
        print_full_losses: show the losses of every output, not only their sum.
        callbacks: Keras callbacks; they see the first model. Where they change its
            learning rate, those of the other models change by the same factor.
        strategy: a tf.distribute strategy; None takes the current one.

    Raises:
        ValueError: if the lists do not match or a model is not compiled.
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
    ):
        self.models = list(models)
        self.generators = list(generators)
        count = len(self.models)
        self.workers = [workers] * count if isinstance(workers, int) else list(workers)
        self.shuffle = shuffle
        self.max_queue_size = max_queue_size
        self.print_full_losses = print_full_losses
        self.callbacks = list(callbacks)
        self.strategy = strategy or tf.distribute.get_strategy()
        self._check()
        self._rates = [float(model.optimizer.learning_rate) for model in self.models]
        self._steps = [self._traced_step(model) for model in self.models]

    def _check(self) -> None:
        if not len(self.models) == len(self.generators) == len(self.workers) > 0:
            raise ValueError(
                "`models`, `generators` and `workers` must be lists of equal length. "
                f"Received: {len(self.models)}, {len(self.generators)} and "
                f"{len(self.workers)}"
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

    def _traced_step(self, model: keras.Model) -> Callable:
        targets = model.outputs if len(model.outputs) > 1 else model.outputs[0]

        @tf.function(reduce_retracing=True)
        def step(batch):
            x, y = batch
            x = keras.tree.pack_sequence_as(model.input, x)
            y = keras.tree.pack_sequence_as(targets, y)
            return self.strategy.run(model.train_step, args=((x, y),))

        return step

    def train(
        self,
        epochs: int,
        steps_per_epoch: int,
        initial_epoch: int = 0,
        end_of_epoch_callback: Callable[[int], None] | None = None,
        verbose: int = 1,
    ) -> keras.callbacks.History:
        """Runs the loop.

        Args:
            epochs: epoch to stop at.
            steps_per_epoch: batches of every model in an epoch.
            initial_epoch: epoch to start at, counted from 0.
            end_of_epoch_callback: called with the epoch after the Keras callbacks.
            verbose: 1 shows a progress bar, 2 a line an epoch, 0 nothing.

        Returns:
            The history of the losses by epoch.

        Raises:
            ValueError: if there is nothing to train on.
            FloatingPointError: if a loss is not finite.
        """
        if steps_per_epoch < 1:
            raise ValueError(
                "`steps_per_epoch` must be at least 1. "
                f"Received: steps_per_epoch={steps_per_epoch}"
            )
        history = keras.callbacks.History()
        progress = [keras.callbacks.ProgbarLogger()] if verbose else []
        callbacks = keras.callbacks.CallbackList(
            [*progress, *self.callbacks, history],
            model=self.models[0],
            epochs=epochs,
            steps=steps_per_epoch,
            verbose=verbose,
        )
        self.models[0].stop_training = False
        callbacks.on_train_begin()
        try:
            for epoch in range(initial_epoch, epochs):
                self._run_epoch(epoch, steps_per_epoch, callbacks)
                if end_of_epoch_callback is not None:
                    end_of_epoch_callback(epoch)
                if self.models[0].stop_training:
                    break
        finally:
            callbacks.on_train_end()
        return history

    def _run_epoch(
        self, epoch: int, steps: int, callbacks: keras.callbacks.CallbackList
    ) -> None:
        callbacks.on_epoch_begin(epoch)
        self._share_learning_rate()
        try:
            logs = self._run_steps(epoch, steps, callbacks)
        finally:
            self._report_errors(epoch)
        logs["learning_rate"] = float(self.models[0].optimizer.learning_rate)
        callbacks.on_epoch_end(epoch, logs)

    def _run_steps(
        self, epoch: int, steps: int, callbacks: keras.callbacks.CallbackList
    ) -> dict[str, float]:
        streams = [
            iter(
                generator.as_dataset(
                    epoch,
                    steps,
                    workers=workers,
                    prefetch=self.max_queue_size,
                    shuffle_batches=self.shuffle,
                )
            )
            for generator, workers in zip(self.generators, self.workers, strict=True)
        ]
        for model in self.models:
            model.reset_metrics()
        logs: dict[str, float] = {}
        for index in range(steps):
            callbacks.on_train_batch_begin(index)
            for run, generator, stream in zip(
                self._steps, self.generators, streams, strict=True
            ):
                run(generator.next_batch(stream))
            logs = self._logs(epoch, index)
            callbacks.on_train_batch_end(index, logs)
        return logs

    def _share_learning_rate(self) -> None:
        factor = float(self.models[0].optimizer.learning_rate) / self._rates[0]
        for model, rate in zip(self.models[1:], self._rates[1:], strict=True):
            model.optimizer.learning_rate = rate * factor

    def _logs(self, epoch: int, step: int) -> dict[str, float]:
        """Mean losses of the epoch so far: `loss`, or `loss0`, `loss1`, ..."""
        logs = {}
        for number, model in enumerate(self.models):
            suffix = "" if len(self.models) == 1 else str(number)
            for name, value in model.get_metrics_result().items():
                if name == "loss" or self.print_full_losses:
                    logs[name + suffix] = float(value)
            if not math.isfinite(logs["loss" + suffix]):
                raise FloatingPointError(
                    f"The loss of model {model.name} is {logs['loss' + suffix]} at "
                    f"epoch {epoch + 1}, step {step + 1}. A lower learning rate or "
                    "gradient clipping may help."
                )
        return logs

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


class TrainerOnGenerator:
    """Trains one model; lowers the rate when its validation score stalls.

    Args:
        model: the model whose weights are saved.
        gen_tr: BatchLoader of the training data.
        gpu_model: the model that is trained, if it is another view of `model`.
        steps_per_epoch: batches an epoch; None takes the whole data set.
        initial_lr: learning rate at the start.
        lr_factor: multiplier of the rate when the score stalls.
        lr_patience: epochs without a new best before that.
        minimum_lr: training stops below this rate.
        epochs: epoch to stop at.
        verbose: 1 shows a progress bar, 2 a line an epoch, 0 nothing.
        workers: parallel calls that prepare batches.
        shuffle: take the batches in a random order.
        initial_epoch: epoch to start at.
        validation_callbacks: one callback or a list; the last one has `best_epoch`.
        custom_lr_scheduler: a function of (epoch, rate) instead of the scheme above.
        save_tensor_board: write TensorBoard logs to `logdir`.
        weights_fname: name of the best weights in `logdir`.
        logdir: folder for weights and logs.
    """

    def __init__(
        self,
        model,
        gen_tr,
        gpu_model=None,
        steps_per_epoch=None,
        initial_lr=1e-3,
        lr_factor=0.1,
        lr_patience=10,
        minimum_lr=1e-7,
        epochs=1,
        verbose=1,
        workers=1,
        shuffle=True,
        initial_epoch=0,
        validation_callbacks=None,
        custom_lr_scheduler=None,
        save_tensor_board=False,
        weights_fname="weights.hdf5",
        logdir=None,
    ):
        validation = validation_callbacks or []
        if not isinstance(validation, (list, tuple)):
            validation = [validation]
        callbacks = list(validation)
        trained = model if gpu_model is None else gpu_model
        if custom_lr_scheduler is not None:
            callbacks.append(keras.callbacks.LearningRateScheduler(custom_lr_scheduler))
        elif validation:
            trained.optimizer.learning_rate = initial_lr
            weights = None if logdir is None else os.path.join(logdir, weights_fname)
            callbacks.append(
                ReduceFromBest(
                    validation[-1], lr_factor, lr_patience, minimum_lr, weights, model
                )
            )
        if logdir is not None and save_tensor_board:
            callbacks.append(keras.callbacks.TensorBoard(logdir))
        self.epochs = epochs
        self.steps_per_epoch = steps_per_epoch or len(gen_tr)
        self.initial_epoch = initial_epoch
        self.verbose = verbose
        self.trainer = MultiModelTrainer(
            [trained], [gen_tr], workers, shuffle, callbacks=callbacks
        )

    def train(self) -> keras.callbacks.History:
        """Runs the training and returns the history of the losses."""
        return self.trainer.train(
            self.epochs, self.steps_per_epoch, self.initial_epoch, verbose=self.verbose
        )
