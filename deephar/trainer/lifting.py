"""The training of temporal lifting: epochs, schedules, checkpoints, going on.

Source: Pavllo et al., "3D human pose estimation in video with temporal convolutions and
semi-supervised training", CVPR 2019. A checkpoint is VideoPose3D's file; what that has
no place for (dropout, the order of unlabelled data, the losses so far) lies under its
key "deephar".
"""

import concurrent.futures
import contextlib
import dataclasses
import itertools
import logging
import math
import pathlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

import keras
import numpy as np

from deephar.checkpoints.lifting import (
    LiftingCheckpoint,
    load_optimizer_state,
    load_state_dict,
    optimizer_state,
    state_dict,
    write_lifting,
)
from deephar.trainer.interruption import until_signal
from deephar.trainer.lifting_step import LiftingStep, bn_momentum
from deephar.trainer.step import set_batch_norm_momentum
from deephar.utils.fs import write_csv

logger = logging.getLogger(__name__)

LAST = "last.bin"
"""The checkpoint of the last whole epoch; those to keep are epoch_N.bin."""

LOSSES = "losses.csv"
"""The losses, a row an epoch, counted from 1."""

_TERMS = ("pos", "traj", "proj", "bone", "total")
"""The losses of a step, in the order of losses.csv."""
_LOG_SECONDS = 60.0
"""Of a long epoch the log tells how far it is so often."""


class Loader(Protocol):
    """Makes batches of chunks, as `deephar.data.lifting_loaders.ChunkedLoader`."""

    num_batches: int
    position: int
    random_state: np.random.RandomState

    def next_epoch(self) -> Iterator[tuple]:
        """Yields (cameras, poses_3d, poses_2d)."""


@dataclasses.dataclass(frozen=True)
class LiftingRecipe:
    """What decides a training beside its data.

    Attributes:
        epochs: times through the labelled data; the momentum of batch norms falls to
            its last value over them.
        learning_rate: in the first epoch.
        lr_decay: its factor after every epoch.
        warmup: epochs without the unlabelled data.
        checkpoint_frequency: epochs between the checkpoints that are kept.
    """

    epochs: int = 60
    learning_rate: float = 1e-3
    lr_decay: float = 0.95
    warmup: int = 1
    checkpoint_frequency: int = 10


class LiftingTrainer:
    """Trains a lifting network, with unlabelled data or without.

    Args:
        recipe: how long, and how fast.
        step: takes a batch, updates the network.
        models: `{"model_pos": model}`, with "model_traj" in semi-supervised training:
            those that are saved, over the variables that `step` trains.
        loader: of labelled chunks.
        unlabelled: endless loader of unlabelled chunks; None trains supervised.
        folder: where checkpoints and losses go; made if need be.
        evaluate: returns figures after an epoch; what it is given it calls now and
            then, and lets it end the evaluation. None evaluates nothing.
        after_epoch: called with the rows of the losses so far.
        about: what checkpoints keep under "deephar": plain values by name.

    Attributes:
        epoch: epochs that are complete.
        rows: the losses by epoch, in m, with the figures of `evaluate`.

    Raises:
        ValueError: if there is a trajectory network without unlabelled data, or the
            other way about.
    """

    def __init__(
        self,
        recipe: LiftingRecipe,
        step: LiftingStep,
        models: Mapping[str, keras.Model],
        loader: Loader,
        unlabelled: Loader | None = None,
        *,
        folder: str | pathlib.Path,
        evaluate: Callable[[Callable[[], None]], dict[str, float]] | None = None,
        after_epoch: Callable[[list[dict]], None] | None = None,
        about: Mapping | None = None,
    ):
        if ("model_traj" in models) != (unlabelled is not None):
            raise ValueError(
                "a trajectory network and unlabelled data go together. "
                f"Received: models={sorted(models)}, unlabelled={unlabelled}"
            )
        self.recipe = recipe
        self.step = step
        self.models = dict(models)
        self.loader = loader
        self.unlabelled = unlabelled
        self.folder = pathlib.Path(folder)
        self.evaluate = evaluate
        self.after_epoch = after_epoch
        self.about = dict(about or {})
        self.epoch = 0
        self.learning_rate = recipe.learning_rate
        self.batches = 0
        self.rows: list[dict] = []
        self._interrupted = threading.Event()

    def restore(self, checkpoint: LiftingCheckpoint, path: str | pathlib.Path) -> None:
        """Goes back to where a checkpoint was written, by this program or the original.

        Args:
            checkpoint: what `read_lifting` returns.
            path: its file, for messages.

        Raises:
            ValueError: if it is of another training, or of none.
        """
        for name in self.models:
            if getattr(checkpoint, name) is None:
                raise ValueError(f"{path}: has no {name} to go on with")
        states = [("random_state", self.loader)]
        if self.unlabelled is not None:
            states.append(("random_state_semi", self.unlabelled))
        needed = ["lr", "optimizer", *(name for name, _ in states)]
        if any(getattr(checkpoint, name) is None for name in needed):
            raise ValueError(
                f"{path}: holds weights only; a training goes on from a checkpoint "
                f"with {', '.join(needed)}"
            )
        own = checkpoint.deephar
        self._check_own(own, path)
        for name, model in self.models.items():
            load_state_dict(model, getattr(checkpoint, name), path)
        parts = (self.step.optimizer, list(self.models.values()))
        load_optimizer_state(*parts, checkpoint.optimizer, path)
        for name, loader in states:
            loader.random_state = getattr(checkpoint, name)
        self.epoch, self.learning_rate = checkpoint.epoch, checkpoint.lr
        tracked = checkpoint.model_pos.get("expand_bn.num_batches_tracked", 0)
        self.batches = int(tracked)
        if "dropout" in own:
            _set_dropout(self._trained(), own["dropout"])
        if self.unlabelled is not None:
            self.unlabelled.position = own.get("unlabelled_position", 0)
        self.rows = [dict(row) for row in own.get("losses", ())]
        logger.info("%s: %d epochs are done", path, self.epoch)

    def _check_own(self, own: Mapping, path) -> None:
        """Refuses what only this program's checkpoints tell, if it is of others."""
        ours = len(_seeds(self._trained()))
        dropouts = len(own.get("dropout", range(ours)))
        if dropouts != ours:
            raise ValueError(
                f"{path}: is of a training with {dropouts} dropouts. Received: {ours}"
            )
        position = own.get("unlabelled_position", 0)
        if self.unlabelled is not None and position >= self.unlabelled.num_batches:
            raise ValueError(
                f"{path}: goes on at batch {position} of the unlabelled data. "
                f"Received: {self.unlabelled.num_batches} batches"
            )

    def train(self) -> list[dict]:
        """Trains to the last epoch.

        Returns:
            The losses by epoch, as in losses.csv.

        Raises:
            FloatingPointError: if a loss is not finite.
            KeyboardInterrupt: after Ctrl-C or SIGTERM, between two steps or within an
                evaluation; the training goes on from the last whole epoch.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with until_signal(self._interrupted):
            while self.epoch < self.recipe.epochs:
                begin = time.monotonic()
                self._set_schedules()
                row = {"epoch": self.epoch + 1, "learning_rate": self.learning_rate}
                row |= self._run_epoch()
                self.learning_rate *= self.recipe.lr_decay
                self.epoch += 1
                self._set_schedules()
                self.rows.append(row)
                self._save()
                if self.evaluate is not None:
                    row |= self.evaluate(self._stop_if_interrupted)
                    self._save()
                if self.after_epoch is not None:
                    self.after_epoch(self.rows)
                logger.info("%s (%.0f s)", _in_words(row), time.monotonic() - begin)
                self._stop_if_interrupted()
        return self.rows

    def _set_schedules(self) -> None:
        self.step.optimizer.learning_rate = self.learning_rate
        share_of_new = bn_momentum(self.epoch, self.recipe.epochs)
        for model in self.models.values():
            set_batch_norm_momentum(model, 1 - share_of_new)

    def _run_epoch(self) -> dict[str, float]:
        """Takes the steps of an epoch; returns its mean losses."""
        semi = self.unlabelled is not None
        warm_up = semi and self.epoch < self.recipe.warmup
        sums, frames, told = {}, 0, time.monotonic()
        with contextlib.closing(_ahead(self._batches(semi and not warm_up))) as batches:
            for number, batch in enumerate(batches, 1):
                losses = self._take_step(batch, warm_up)
                self._check_finite(losses, number)
                self.batches += 1
                poses_3d = batch[1]
                weight = poses_3d.shape[0] * poses_3d.shape[1]
                frames += weight
                for name, loss in losses.items():
                    sums[name] = sums.get(name, 0.0) + loss * weight
                if time.monotonic() - told > _LOG_SECONDS:
                    told = time.monotonic()
                    self._tell(number, sums["pos"] / frames)
                self._stop_if_interrupted()
        return {f"loss_{k}": sums[k] / frames for k in _TERMS if k in sums}

    def _batches(self, both: bool) -> Iterator[tuple]:
        """Yields (key points, poses, unlabelled key points, their cameras)."""
        others = self.unlabelled.next_epoch() if both else itertools.repeat((None,) * 3)
        for _, poses_3d, poses_2d in self.loader.next_epoch():
            cameras, _, unlabelled = next(others)
            yield poses_2d, poses_3d, unlabelled, cameras

    def _take_step(self, batch: tuple, warm_up: bool) -> dict[str, float]:
        if self.unlabelled is None:
            return self.step.supervised(*batch[:2])
        return self.step.semi_supervised(*batch, warm_up)

    def _tell(self, number: int, error: float) -> None:
        place = (self.epoch + 1, number, self.loader.num_batches)
        logger.info("epoch %d, batch %d of %d: %.1f mm", *place, 1000 * error)

    def _stop_if_interrupted(self) -> None:
        if self._interrupted.is_set():
            raise KeyboardInterrupt

    def _check_finite(self, losses: Mapping[str, float], number: int) -> None:
        for name, loss in losses.items():
            if not math.isfinite(loss):
                raise FloatingPointError(
                    f"The loss {name} is {loss} at epoch {self.epoch + 1}, batch "
                    f"{number}. A lower learning rate may help."
                )

    def _save(self) -> None:
        """Writes the checkpoint of this epoch and the losses."""
        write_csv(self.folder / LOSSES, self.rows)
        checkpoint = self.checkpoint()
        if self.epoch % self.recipe.checkpoint_frequency == 0:
            path = self.folder / f"epoch_{self.epoch}.bin"
            write_lifting(path, checkpoint)
            logger.info("checkpoint %s", path)
        write_lifting(self.folder / LAST, checkpoint)

    def checkpoint(self) -> LiftingCheckpoint:
        """The state between two epochs."""
        states = {
            name: state_dict(model, self.batches) for name, model in self.models.items()
        }
        own = {
            **self.about,
            "dropout": _dropout(self._trained()),
            "losses": self.rows,
        }
        semi = self.unlabelled is not None
        if semi:
            own["unlabelled_position"] = self.unlabelled.position
        return LiftingCheckpoint(
            epoch=self.epoch,
            lr=self.learning_rate,
            random_state=self.loader.random_state,
            optimizer=optimizer_state(self.step.optimizer, list(self.models.values())),
            model_pos=states["model_pos"],
            model_traj=states.get("model_traj"),
            random_state_semi=self.unlabelled.random_state if semi else None,
            deephar=own,
        )

    def _trained(self) -> list[keras.Model]:
        """The models whose dropout is drawn."""
        both = (self.step.model_pos, self.step.model_traj)
        return [model for model in both if model is not None]


def _ahead(batches: Iterator[tuple]) -> Iterator[tuple]:
    """Makes the next batch in a thread while one is used."""
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, batches, None)
        while (batch := coming.result()) is not None:
            coming = pool.submit(next, batches, None)
            yield batch


def _seeds(models: list[keras.Model]) -> list[keras.Variable]:
    """The states of the dropouts, in the order of the layers."""
    return [
        layer.seed_generator.state
        for model in models
        for layer in model.layers
        if getattr(layer, "seed_generator", None) is not None
    ]


def _dropout(models: list[keras.Model]) -> list[list[int]]:
    return [
        [int(number) for number in keras.ops.convert_to_numpy(state)]
        for state in _seeds(models)
    ]


def _set_dropout(models: list[keras.Model], values: list[list[int]]) -> None:
    for state, value in zip(_seeds(models), values, strict=True):
        state.assign(np.array(value, np.uint32))


def _in_words(row: Mapping[str, float]) -> str:
    """A row of the losses as a line of the log; what are lengths in mm."""
    parts = [f"epoch {row['epoch']}", f"lr {row['learning_rate']:.3g}"]
    for name, value in row.items():
        if name in ("epoch", "learning_rate"):
            continue
        plain = name.endswith(("_traj", "_proj", "_total"))
        text = f"{value:.4f}" if plain else f"{1000 * value:.1f} mm"
        parts.append(f"{name} {text}")
    return ", ".join(parts)
