"""A training run: devices, optimizer, callbacks, checkpoints, and how it goes on."""

import argparse
import dataclasses
import functools
import logging
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from deephar import devices
from deephar.callbacks import (
    EvaluationCallback,
    LossLog,
    SaveModel,
    TrainingPage,
    cosine_schedule,
    step_schedule,
)
from deephar.data.loader import BatchLoader
from deephar.evaluation.training_page import write_training_page
from deephar.experiment.compute import Compute, configure_compute
from deephar.experiment.run import (
    CHECKPOINTS,
    clear_earlier_training,
    holds_checkpoint,
    holds_training,
    open_run,
    refuse_earlier_training,
    refuse_other_results,
    write_record,
)
from deephar.inference.clips import ClipPredictor
from deephar.inference.predictor import PosePredictor
from deephar.networks.cuts import own_settings
from deephar.networks.known_weights import MODEL_FILE
from deephar.optimizers import rmsprop
from deephar.trainer import MultiModelTrainer, SavePlan
from deephar.utils.fs import write_json
from deephar.utils.modes import TRAIN_MODE

logger = logging.getLogger(__name__)

_OPTIMIZERS = {
    "rmsprop": rmsprop,
    "sgd": functools.partial(keras.optimizers.SGD, nesterov=True),
    "adam": keras.optimizers.Adam,
}


@dataclasses.dataclass(frozen=True)
class TrainingRun:
    """What a training script works with.

    Attributes:
        args: the flags.
        folder: the run folder, which all workers must see.
        worker: which of the processes that train together this one is.
        strategy: build and compile models in its `scope()`.
        compute: precision and compiler.
        goes_on: whether there is a checkpoint, from which the training goes on.
    """

    args: argparse.Namespace
    folder: pathlib.Path
    worker: devices.Worker
    strategy: tf.distribute.Strategy
    compute: Compute
    goes_on: bool

    @property
    def batch_size(self) -> int:
        """Samples of a step, those of all replicas together."""
        scale = self.strategy.num_replicas_in_sync if self.args.scale_batch else 1
        return self.args.batch_size * scale

    @property
    def model_file(self) -> pathlib.Path | None:
        """The model.json of the training that goes on; None for a new one."""
        return self.folder / MODEL_FILE if self.goes_on else None

    def first(self, weights: str | None) -> str | None:
        """The weights that a new training starts from; one that goes on has its own."""
        return None if self.goes_on else weights

    @property
    def sharing(self) -> dict:
        """Arguments by which the workers share an evaluation and join its result."""
        gather = functools.partial(devices.gather, self.strategy)
        return {"share": devices.share_of(self.strategy), "gather": gather}

    def predictor(self, model: keras.Model, poselayout) -> PosePredictor:
        """What predicts with the model, on all replicas of this worker at once."""
        model = self._spread(model)
        return PosePredictor(model, poselayout, jit=self.compute.jit)

    def clip_predictor(self, model: keras.Model) -> ClipPredictor:
        """What predicts actions with a merged model, likewise."""
        size = self.args.eval_batch_size
        return ClipPredictor(model, size, jit=self.compute.jit, spread=self._spread)

    def _spread(self, model: keras.Model) -> keras.Model | devices.SpreadModel:
        if self.strategy.num_replicas_in_sync == 1:
            return model
        return devices.SpreadModel(model, self.strategy)

    def loader(
        self,
        datasets: Any,
        sizes: int | Sequence[int],
        targets: Sequence[str] = ("pose",),
        counts: int | Sequence[int] = 1,
        inputs: Sequence[str] = ("frame",),
        clips: int | None = None,
    ) -> BatchLoader:
        """Batches of the training parts, as the flags say.

        Args:
            datasets: one or several; a batch has samples of each.
            sizes: how many samples of each.
            targets: keys of the targets.
            counts: how often each target is repeated, once for each output.
            inputs: keys of the inputs.
            clips: how many clips a batch has; `sizes` are then those of a clip, whose
                frames are samples drawn one by one. None where samples are no frames.
        """
        args = self.args
        options = {"seed": args.seed, "on_error": "raise" if args.strict else "skip"}
        if clips is not None:
            size = {"batch_size": sizes, **options}
            datasets = BatchLoader(datasets, inputs, targets, TRAIN_MODE, **size)
            # What cannot be read is the frames' affair.
            options.update(shuffle=False, on_error="raise")
            sizes = clips
        return BatchLoader(
            datasets,
            inputs,
            targets,
            TRAIN_MODE,
            batch_size=sizes,
            num_predictions=counts,
            processes=args.processes,
            **options,
        )

    def callbacks(
        self,
        evaluate: Callable[[keras.Model], dict] | None,
        monitor: str,
        network: keras.Model | None = None,
        mode: str = "max",
    ) -> list[keras.callbacks.Callback]:
        """Schedule, evaluation, saved weights and logs, in that order.

        The chief's write scores.json, losses.csv, training.html,
        weights_last.weights.h5 and weights_best.weights.h5 to the run folder; those of
        other workers write nothing.

        Args:
            evaluate: from the model to its figures; None saves the last weights only.
            monitor: the figure that decides which epoch is best.
            network: the model whose weights are saved; None for the one in training.
            mode: "max" where the largest is best, "min" where the smallest is.

        Raises:
            ValueError: if --patience is given and nothing is evaluated.
        """
        args, chief = self.args, self.worker.is_chief
        score = None
        if evaluate is not None:
            score = EvaluationCallback(
                evaluate,
                monitor,
                mode,
                filename=self.folder / "scores.json" if chief else None,
                every=args.eval_every,
                patience=args.patience,
            )
        elif args.patience is not None:
            raise ValueError("--patience needs validation data to watch")
        log = LossLog(self.folder / "losses.csv" if chief else None)
        writers = self._writers(score, network) if chief else []
        schedule = keras.callbacks.LearningRateScheduler(_schedule(args))
        page = [TrainingPage(self.folder)] if chief else []
        found = (schedule, score, *writers, log, *page)
        return [callback for callback in found if callback is not None]

    def _writers(
        self, score: EvaluationCallback | None, network: keras.Model | None
    ) -> list:
        weights = "weights_{}.weights.h5"
        last, best = (_plain(self.folder / weights.format(n)) for n in ("last", "best"))
        writers = [SaveModel(last, network, verbose=0)]
        if score is not None:
            writers.append(SaveModel(best, network, True, score))
        if self.args.tensorboard:
            writers.append(keras.callbacks.TensorBoard(self.folder / "tensorboard"))
        return writers

    def train(
        self,
        models: Sequence[keras.Model],
        loaders: Sequence[BatchLoader],
        steps: int,
        callbacks: Sequence[keras.callbacks.Callback],
        settings: dict,
        facts: Mapping[str, object] | None = None,
        network: keras.Model | None = None,
    ) -> None:
        """Trains, from the beginning or from the last checkpoint.

        Args:
            models: built and compiled under the strategy.
            loaders: one a model, with batches of `batch_size`.
            steps: steps of an epoch.
            callbacks: what `callbacks` gives.
            settings: the shape of the network, kept in model.json.
            facts: what else must be as it was when the training goes on, by name.
            network: what the models are parts of, if checkpoints are to hold all of it.
        """
        args = self.args
        save = SavePlan(
            self.folder / CHECKPOINTS,
            args.checkpoint_steps,
            args.checkpoint_minutes,
            {**self._facts(), **(facts or {})},
        )
        trainer = MultiModelTrainer(
            models,
            loaders,
            args.workers,
            callbacks=callbacks,
            strategy=self.strategy,
            accumulate=args.accumulate,
            sync_batch_norm=not args.local_batch_norm,
            save=save,
            network=network,
        )
        if self.worker.is_chief:
            if not args.resume:
                clear_earlier_training(self.folder)
            write_record(args)
            write_json(self.folder / MODEL_FILE, own_settings(settings))
        verbose = args.verbose if self.worker.is_chief else 0
        try:
            trainer.train(args.epochs, steps, verbose=verbose, resume=args.resume)
        finally:
            for loader in loaders:
                loader.close()
            if self.worker.is_chief:
                write_training_page(self.folder)

    def _facts(self) -> dict:
        """What decides the course of a training beside its flags."""
        facts = {"batch size": self.batch_size, "precision": self.compute.precision}
        if self.args.schedule == "cosine":
            facts["epochs of the cosine schedule"] = self.args.epochs
        return facts


def start_training(args: argparse.Namespace) -> TrainingRun:
    """Starts a training run: folder, log, devices, seed and precision.

    Args:
        args: what `parse_training` returns.

    Raises:
        FileExistsError: if the folder holds a training, which is neither to go on nor
            to be replaced, or which cannot go on.
        OSError: if the folder cannot be written to.
        ValueError: if the machine has not the devices that are asked for, or Keras
            another backend than TensorFlow.
    """
    backend = keras.backend.backend()
    if backend != "tensorflow":
        raise ValueError(
            f"training needs KERAS_BACKEND=tensorflow. Received: {backend}"
        )
    worker = devices.this_worker(args.strategy)
    folder = pathlib.Path(args.logdir)
    goes_on = args.resume and holds_checkpoint(folder)
    if worker.is_chief:
        if args.resume:
            refuse_other_results(folder)
        else:
            refuse_earlier_training(folder, args.overwrite)
    # What is on record of an earlier training stays until the new one begins.
    open_run(args, worker.is_chief, record=not holds_training(folder))
    strategy = devices.make_strategy(args.strategy, args.replicas)
    logger.info("%d replicas", strategy.num_replicas_in_sync)
    keras.utils.set_random_seed(args.seed)
    compute = configure_compute(args)
    return TrainingRun(args, folder, worker, strategy, compute, goes_on)


def optimizer(args: argparse.Namespace) -> keras.optimizers.Optimizer:
    """The optimiser of the training flags."""
    options = {"momentum": args.momentum} if args.optimizer == "sgd" else {}
    rule = _OPTIMIZERS[args.optimizer]
    return rule(args.lr, global_clipnorm=args.clip_norm, **options)


def _schedule(args: argparse.Namespace) -> Callable[[int, float], float]:
    if args.schedule == "cosine":
        return cosine_schedule(args.lr, args.epochs)
    return step_schedule(args.lr, args.lr_drops, args.lr_factor)


def _plain(path: pathlib.Path) -> str:
    """A file name for SaveModel, in which braces would stand for the epoch."""
    return str(path).replace("{", "{{").replace("}", "}}")
