"""Keras callbacks of the training scripts: evaluation, saved weights, learning rate."""

import logging
import math
import os
import time
from collections.abc import Callable, Sequence

import keras

from deephar.checkpoints import load_weights, save_weights
from deephar.evaluation.training_page import write_training_page
from deephar.utils.fs import write_csv, write_json

logger = logging.getLogger(__name__)


class EvaluationCallback(keras.callbacks.Callback):
    """Scores the model after epochs, remembers the best one, stops when there is none.

    The watched score joins the logs of every epoch as `val_<monitor>`, NaN where the
    epoch was not evaluated, so that callbacks later in the list (TensorBoard, CSV) have
    it. A score that is not finite is never the best.

    Args:
        evaluate: called with the model; returns a dictionary with the figure `monitor`.
        monitor: name of the figure that decides which epoch is best.
        mode: "max" or "min".
        filename: JSON file that keeps all figures by epoch; None keeps no file.
        every: epochs between two evaluations; the last epoch is always evaluated.
        patience: stop once the best epoch lies so many epochs back; None never stops.
        model: the model to score; None takes the one in training.

    Attributes:
        scores: `{epoch: figures}`, epochs counted from 1.
    """

    def __init__(
        self,
        evaluate: Callable[[keras.Model], dict],
        monitor: str = "pckh",
        mode: str = "max",
        filename: str | None = None,
        every: int = 1,
        patience: int | None = None,
        model: keras.Model | None = None,
    ):
        super().__init__()
        if mode not in ("max", "min"):
            raise ValueError(f'`mode` must be "max" or "min". Received: mode={mode!r}')
        if every < 1:
            raise ValueError(f"`every` must be at least 1. Received: every={every}")
        self.evaluate = evaluate
        self.monitor = monitor
        self.mode = mode
        self.filename = filename
        self.every = every
        self.patience = patience
        self.eval_model = model
        self.scores: dict[int, dict] = {}

    def on_train_begin(self, logs=None):
        """Ends a training that goes on, where it had stopped for want of a best."""
        if self.scores:
            self._stop_after(max(self.scores))

    def on_epoch_end(self, epoch, logs=None):
        """Evaluates, logs the best score so far and rewrites the JSON file."""
        number = epoch + 1
        due = number % self.every == 0 or number == self.params.get("epochs")
        if due:
            self._score(number)
        if logs is not None:
            scores = self.scores.get(number, {})
            logs[f"val_{self.monitor}"] = scores.get(self.monitor, math.nan)
        if due:
            self._stop_after(number)

    def _stop_after(self, number: int) -> None:
        waited = number - self.best_epoch
        if self.patience is not None and waited >= self.patience:
            logger.info("no better %s for %d epochs: stop", self.monitor, waited)
            self.model.stop_training = True

    def _score(self, number: int) -> None:
        model = self.model if self.eval_model is None else self.eval_model
        self.scores[number] = self.evaluate(model)
        logger.info(
            "epoch %d: %s %.4f; best %.4f at epoch %s",
            number,
            self.monitor,
            self.scores[number][self.monitor],
            self.best_score,
            self.best_epoch,
        )
        if self.filename is not None:
            write_json(self.filename, self.scores)

    def get_state(self) -> dict:
        """What a checkpoint keeps: the figures by epoch."""
        return {"scores": {str(epoch): v for epoch, v in self.scores.items()}}

    def set_state(self, state: dict) -> None:
        """Goes back to what `get_state` gave."""
        self.scores = {int(epoch): v for epoch, v in state["scores"].items()}

    @property
    def best_epoch(self) -> float:
        """Epoch of the best score, counted from 1; infinity before the first one."""
        values = {
            epoch: figures[self.monitor] for epoch, figures in self.scores.items()
        }
        values = {
            epoch: value for epoch, value in values.items() if math.isfinite(value)
        }
        if not values:
            return math.inf
        return (max if self.mode == "max" else min)(values, key=values.get)

    @property
    def best_score(self) -> float:
        """The best score so far; 0 before the first one."""
        best = self.best_epoch
        return self.scores[best][self.monitor] if math.isfinite(best) else 0.0


class SaveModel(keras.callbacks.Callback):
    """Saves the weights after every epoch, or after every best one.

    Args:
        filepath: file name; `{epoch}` stands for the epoch, counted from 1. The ending
            decides the format, see `checkpoints.save_weights`.
        model_to_save: the model to save; None takes the one in training.
        save_best_only: save only when the epoch is `callback_to_monitor.best_epoch`.
        callback_to_monitor: a callback with the attribute `best_epoch`.
        verbose: whether to log the file name.

    Raises:
        ValueError: if only the best are asked for and nothing tells which they are.
    """

    def __init__(
        self,
        filepath,
        model_to_save=None,
        save_best_only=False,
        callback_to_monitor=None,
        verbose=1,
    ):
        super().__init__()
        if save_best_only and callback_to_monitor is None:
            raise ValueError(
                "`save_best_only` needs a `callback_to_monitor` with the attribute "
                "`best_epoch`. Received: callback_to_monitor=None"
            )
        self.filepath = str(filepath)
        self.model_to_save = model_to_save
        self.save_best_only = save_best_only
        self.callback_to_monitor = callback_to_monitor
        self.verbose = verbose

    def on_epoch_end(self, epoch, logs=None):
        """Saves if this epoch is to be saved."""
        if self.save_best_only and self.best_epoch != epoch + 1:
            return
        filename = self.filepath.format(epoch=epoch + 1)
        model = self.model if self.model_to_save is None else self.model_to_save
        save_weights(model, filename)
        if self.verbose:
            logger.info("epoch %d: weights saved to %s", epoch + 1, filename)

    @property
    def best_epoch(self):
        """Best epoch of the monitored callback; None without one."""
        monitor = self.callback_to_monitor
        return None if monitor is None else monitor.best_epoch


class ReduceFromBest(keras.callbacks.Callback):
    """Lowers the learning rate when the score stalls, going on from the best weights.

    The scheme of the original's TrainerOnGenerator: weights are saved at every best
    epoch; after `patience` epochs without a new best they are loaded again and the rate
    is multiplied by `factor`; below `minimum` training stops.

    Args:
        monitor: a callback with the attribute `best_epoch`, earlier in the list.
        factor: multiplier of the learning rate.
        patience: epochs to wait.
        minimum: smallest learning rate.
        filename: weights of the best epoch; None leaves the weights as they are.
        model: the model that is saved and loaded; None takes the one in training.
    """

    def __init__(
        self, monitor, factor=0.1, patience=10, minimum=1e-7, filename=None, model=None
    ):
        super().__init__()
        self.monitor = monitor
        self.factor = factor
        self.patience = patience
        self.minimum = minimum
        self.filename = filename
        self.saved_model = model
        self.wait = 0
        self.ended = False

    def on_train_begin(self, logs=None):
        """Ends a training that goes on, where its rate had fallen too low."""
        if self.ended:
            self.model.stop_training = True

    def on_epoch_end(self, epoch, logs=None):
        """Saves a best epoch, or waits, or lowers the rate."""
        model = self.model if self.saved_model is None else self.saved_model
        if self.monitor.best_epoch == epoch + 1:
            self.wait = 0
            if self.filename is not None:
                save_weights(model, self.filename)
            return
        self.wait += 1
        if self.wait < self.patience:
            return
        self.wait = 0
        if self.filename is not None and os.path.exists(self.filename):
            load_weights(model, self.filename)
            logger.info("weights of epoch %d loaded again", self.monitor.best_epoch)
        rate = learning_rate(self.model) * self.factor
        if rate < self.minimum:
            logger.info("the learning rate would fall below %g: stop", self.minimum)
            self.ended = self.model.stop_training = True
            return
        self.model.optimizer.learning_rate = rate
        logger.info("epoch %d: learning rate %g", epoch + 1, rate)

    def get_state(self) -> dict:
        """What a checkpoint keeps: the epochs waited, and whether that was enough."""
        return {"wait": self.wait, "ended": self.ended}

    def set_state(self, state: dict) -> None:
        """Goes back to what `get_state` gave."""
        self.wait, self.ended = state["wait"], state["ended"]


class LossLog(keras.callbacks.Callback):
    """Writes what an epoch logs to a CSV file, a row an epoch, counted from 0.

    Keras' CSVLogger appends to its file, and so repeats the epochs that a resumed
    training goes through again; this one knows its rows and writes the file anew.

    Args:
        filename: the file; None keeps the rows only.
    """

    def __init__(self, filename: str | os.PathLike | None):
        super().__init__()
        self.filename = filename
        self.rows: list[dict] = []

    def on_epoch_end(self, epoch, logs=None):
        """Adds the epoch's row."""
        values = {name: float(value) for name, value in sorted((logs or {}).items())}
        self.rows.append({"epoch": epoch, **values})
        if self.filename is not None:
            write_csv(self.filename, self.rows)

    def get_state(self) -> dict:
        """What a checkpoint keeps: the rows."""
        return {"rows": self.rows}

    def set_state(self, state: dict) -> None:
        """Goes back to what `get_state` gave."""
        self.rows = list(state["rows"])


class TrainingPage(keras.callbacks.Callback):
    """Writes training.html to a run folder after epochs, at most once in a while.

    It stands behind what writes losses.csv and scores.json, of which the page is made.

    Args:
        folder: the run folder.
        seconds: least time between two writings, and before the first.
    """

    def __init__(self, folder: str | os.PathLike, seconds: float = 60.0):
        super().__init__()
        self.folder = folder
        self.seconds = seconds
        self._last = time.monotonic()

    def on_epoch_end(self, epoch, logs=None):
        """Writes the page if it is time."""
        if time.monotonic() - self._last >= self.seconds:
            write_training_page(self.folder)
            self._last = time.monotonic()


def learning_rate(model: keras.Model) -> float:
    """The rate that a compiled model trains with now."""
    return float(keras.ops.convert_to_numpy(model.optimizer.learning_rate))


def step_schedule(
    initial: float, drops: Sequence[int], factor: float
) -> Callable[[int, float], float]:
    """Learning rate that is multiplied by `factor` at given epochs.

    Args:
        initial: rate of the first epoch.
        drops: epochs, counted from 0, at which the rate falls.
        factor: multiplier at each of them.

    Returns:
        A function of (epoch, rate) for `keras.callbacks.LearningRateScheduler`; it
        depends on the epoch alone, so that a resumed run has the right rate.
    """
    return lambda epoch, _: initial * factor ** sum(epoch >= drop for drop in drops)


def cosine_schedule(
    initial: float, epochs: int, final: float = 0.02
) -> Callable[[int, float], float]:
    """Learning rate that falls along half a cosine to `final * initial`.

    Args:
        initial: rate of the first epoch.
        epochs: number of epochs.
        final: share of the rate in the last epoch.

    Returns:
        A function of (epoch, rate) for `keras.callbacks.LearningRateScheduler`.
    """

    def rate(epoch: int, _: float) -> float:
        phase = min(epoch / max(epochs - 1, 1), 1.0)
        return initial * (final + (1 - final) * 0.5 * (1 + math.cos(math.pi * phase)))

    return rate
