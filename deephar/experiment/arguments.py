"""The flags of the scripts, and what the training flags stand for."""

import argparse
import functools
import pathlib
from collections.abc import Callable

import keras

from deephar.callbacks import (
    EvaluationCallback,
    SaveModel,
    cosine_schedule,
    step_schedule,
)
from deephar.experiment.compute import add_compute_arguments
from deephar.experiment.settings import MODEL_FILE, RECEPTION
from deephar.optimizers import rmsprop
from deephar.utils.numbers import (
    fraction,
    natural,
    positive_float,
    positive_int,
    seed,
)

OPTIMIZERS = {
    "rmsprop": rmsprop,
    "sgd": functools.partial(keras.optimizers.SGD, momentum=0.95, nesterov=True),
    "adam": keras.optimizers.Adam,
}


def argument_parser(doc: str, logdir: str) -> argparse.ArgumentParser:
    """Parser with what all scripts share; the script's docstring is its help.

    Args:
        doc: the script's docstring.
        logdir: default of the run folder.
    """
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "logdir", nargs="?", default=logdir, help="run folder (%(default)s)"
    )
    parser.add_argument(
        "--seed", type=seed, default=0, help="random seed (%(default)s)"
    )
    add_compute_arguments(parser)
    return parser


def add_reception_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags that shape the 2D pose network.

    Their default is None, so that `reception_settings` can tell a flag that was given
    from one that `model.json` or the recipe decides.
    """
    group = parser.add_argument_group(
        "network", f"without a flag: {MODEL_FILE} beside --weights, else the paper's"
    )
    for name, setting in RECEPTION.items():
        group.add_argument(
            "--" + name.replace("_", "-"),
            type=setting.type,
            choices=setting.choices,
            help=f"{setting.help} (paper: {setting.default})",
        )


def add_training_arguments(
    parser: argparse.ArgumentParser, batch_size: int, epochs: int, lr_drops: list[int]
) -> None:
    """Adds the flags of a training run.

    Args:
        parser: the script's parser.
        batch_size: samples a step of the recipe.
        epochs: epochs of the recipe.
        lr_drops: epochs, counted from 0, at which the recipe lowers the rate.
    """
    group = parser.add_argument_group("training")

    def add(flag, default=None, help="", **options):
        if default is not None:
            help += f" ({default})"
        group.add_argument(flag, default=default, help=help.strip(), **options)

    switch = functools.partial(group.add_argument, action="store_true")
    add("--weights", help="weights to start from, a file or a published name")
    switch("--overwrite", help="train in a run folder that holds weights already")
    add("--batch-size", batch_size, "samples a step", type=positive_int)
    add("--epochs", epochs, "times through the data", type=positive_int)
    add("--steps-per-epoch", help="default: once through the data", type=positive_int)
    add("--optimizer", "rmsprop", "update rule", choices=sorted(OPTIMIZERS))
    add("--lr", 1e-3, "learning rate at the start", type=positive_float)
    schedules = ("steps", "cosine")
    add("--schedule", "steps", "how the rate falls", choices=schedules)
    drops = {"type": natural, "nargs": "*"}
    add(
        "--lr-drops", lr_drops, "with steps: epochs, from 0, at which it falls", **drops
    )
    add(
        "--lr-factor",
        0.2,
        "with steps: multiplier at each of them",
        type=positive_float,
    )
    add("--clip-norm", help="largest norm of the whole gradient", type=positive_float)
    add("--bn-momentum", 0.99, "of batch norm; 0.9 for short runs", type=fraction)
    switch("--no-augmentation", help="train on the plain crops")
    switch("--strict", help="an unreadable picture ends the run")
    add("--workers", 4, "batches prepared in parallel", type=positive_int)
    add("--eval-every", 1, "epochs between evaluations", type=positive_int)
    add("--eval-batch-size", 8, "samples a step of evaluation", type=positive_int)
    add("--patience", help="epochs without a best score to stop", type=positive_int)
    switch("--tensorboard", help="write TensorBoard logs to the run folder")
    add(
        "--verbose", 1, "1 progress bar, 2 a line an epoch", type=int, choices=(0, 1, 2)
    )


def optimizer(args: argparse.Namespace) -> keras.optimizers.Optimizer:
    """The optimiser of the training flags."""
    return OPTIMIZERS[args.optimizer](args.lr, global_clipnorm=args.clip_norm)


def training_callbacks(
    args: argparse.Namespace,
    folder: pathlib.Path,
    evaluate: Callable[[keras.Model], dict] | None,
    monitor: str,
) -> list[keras.callbacks.Callback]:
    """Schedule, evaluation, saved weights and logs of a training run, in that order.

    Args:
        args: parsed arguments of `add_training_arguments`.
        folder: the run folder; gets scores.json, losses.csv, weights_last.weights.h5
            and weights_best.weights.h5.
        evaluate: from the model to its figures; None saves the last weights only.
        monitor: the figure that decides which epoch is best.

    Raises:
        ValueError: if --patience is given and nothing is evaluated.
    """
    if args.schedule == "cosine":
        schedule = cosine_schedule(args.lr, args.epochs)
    else:
        schedule = step_schedule(args.lr, args.lr_drops, args.lr_factor)
    result = [
        keras.callbacks.LearningRateScheduler(schedule),
        SaveModel(_plain(folder / "weights_last.weights.h5"), verbose=0),
    ]
    if evaluate is not None:
        score = EvaluationCallback(
            evaluate,
            monitor,
            filename=folder / "scores.json",
            every=args.eval_every,
            patience=args.patience,
        )
        best = _plain(folder / "weights_best.weights.h5")
        result += [score, SaveModel(best, None, True, score)]
    elif args.patience is not None:
        raise ValueError("--patience needs validation data to watch")
    if args.tensorboard:
        result.append(keras.callbacks.TensorBoard(folder / "tensorboard"))
    return [*result, keras.callbacks.CSVLogger(folder / "losses.csv")]


def _plain(path: pathlib.Path) -> str:
    """A file name for SaveModel, in which braces would stand for the epoch."""
    return str(path).replace("{", "{{").replace("}", "}}")
