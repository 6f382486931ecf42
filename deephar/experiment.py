"""What every script needs: arguments, run folder, logging, seed, precision, the model.

A run folder holds `log.txt`, `arguments.json` (the command and every flag), and, after
training, `model.json` beside the weights: evaluation and prediction read it, so that
the size of the network need not be typed again.
"""

import argparse
import datetime
import functools
import hashlib
import json
import logging
import os
import pathlib
import shlex
import sys
from collections.abc import Callable

import keras

from deephar.callbacks import (
    EvaluationCallback,
    SaveModel,
    cosine_schedule,
    step_schedule,
)
from deephar.checkpoints import load_weights
from deephar.models import reception

logger = logging.getLogger(__name__)

MODEL_FILE = "model.json"

RECEPTION_DEFAULTS = {
    "size": 256,
    "blocks": 8,
    "context": 2,
    "ksize": 5,
    "stem": "inception",
    "joint_probability": "sigmoid",
}
"""The MPII network of the paper; the keys are flags of the scripts."""

PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")

OPTIMIZERS = {
    "rmsprop": keras.optimizers.RMSprop,
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
        "logdir", nargs="?", default=logdir, help=f"run folder (default: {logdir})"
    )
    parser.add_argument("--seed", type=int, default=0, help="random seed (default: 0)")
    parser.add_argument(
        "--mixed-precision",
        nargs="?",
        choices=PRECISIONS,
        const="mixed_bfloat16",
        default="float32",
        help="dtype policy of the network; soft-argmax and losses stay float32 "
        "(without a value: mixed_bfloat16)",
    )
    return parser


def add_reception_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags that shape the 2D pose network.

    Their default is None, so that `reception_settings` can tell a flag that was given
    from one that `model.json` or the recipe decides.
    """
    group = parser.add_argument_group(
        "network", f"without a flag: {MODEL_FILE} beside --weights, else the paper's"
    )
    default = RECEPTION_DEFAULTS
    group.add_argument(
        "--size", type=int, help=f"side of the crop, px ({default['size']})"
    )
    group.add_argument(
        "--blocks", type=int, help=f"prediction blocks ({default['blocks']})"
    )
    group.add_argument(
        "--context", type=int, help=f"context maps a joint ({default['context']})"
    )
    group.add_argument(
        "--ksize", type=int, help=f"kernel of the blocks ({default['ksize']})"
    )
    group.add_argument("--stem", choices=("inception", "vgg16"))
    group.add_argument("--joint-probability", choices=("sigmoid", "window"))


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
    add = group.add_argument
    add("--weights", help="weights to start from")
    add("--batch-size", type=int, default=batch_size)
    add("--epochs", type=int, default=epochs)
    add("--steps-per-epoch", type=int, help="default: once through the data")
    add("--optimizer", choices=sorted(OPTIMIZERS), default="rmsprop")
    add("--lr", type=float, default=1e-3, help="learning rate")
    add("--schedule", choices=("steps", "cosine"), default="steps")
    add("--lr-drops", type=int, nargs="*", default=lr_drops, help="epochs, from 0")
    add("--lr-factor", type=float, default=0.2, help="multiplier at each drop")
    add("--clip-norm", type=float, help="largest norm of the whole gradient")
    add("--bn-momentum", type=float, default=0.99, help="0.9 for short trainings")
    add("--no-augmentation", action="store_true", help="train on the plain crops")
    add("--strict", action="store_true", help="an unreadable picture ends the run")
    add("--workers", type=int, default=4, help="parallel preparation of batches")
    add("--eval-every", type=int, default=1, help="epochs between evaluations")
    add("--eval-batch-size", type=int, default=8)
    add("--patience", type=int, help="stop after so many epochs without a best score")
    add("--tensorboard", action="store_true", help="write TensorBoard logs")
    add("--verbose", type=int, choices=(0, 1, 2), default=1, help="1 bar, 2 lines")


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
        SaveModel(folder / "weights_last.weights.h5", verbose=0),
    ]
    if evaluate is not None:
        score = EvaluationCallback(
            evaluate, monitor, filename=folder / "scores.json", every=args.eval_every
        )
        best = folder / "weights_best.weights.h5"
        result += [score, SaveModel(best, None, True, score)]
    if args.patience is not None:
        if evaluate is None:
            raise ValueError("--patience needs validation data to watch")
        watched = f"val_{monitor}"
        result.append(
            keras.callbacks.EarlyStopping(watched, patience=args.patience, mode="max")
        )
    if args.tensorboard:
        result.append(keras.callbacks.TensorBoard(folder / "tensorboard"))
    return [*result, keras.callbacks.CSVLogger(folder / "losses.csv")]


def reception_settings(args: argparse.Namespace) -> dict:
    """Settings of the network: the recipe's, then model.json's, then the flags'.

    Args:
        args: parsed arguments of `add_reception_arguments`, with `weights`.

    Raises:
        ValueError: if model.json cannot be read or has unknown keys.
    """
    settings = dict(RECEPTION_DEFAULTS)
    if args.weights is not None:
        settings.update(_read_model_file(pathlib.Path(args.weights).parent))
    flags = {name: getattr(args, name) for name in RECEPTION_DEFAULTS}
    settings.update({k: v for k, v in flags.items() if v is not None})
    return settings


def _read_model_file(folder: pathlib.Path) -> dict:
    path = folder / MODEL_FILE
    if not path.is_file():
        return {}
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}: not a JSON file: {error}") from error
    unknown = sorted(set(settings) - set(RECEPTION_DEFAULTS))
    if unknown:
        raise ValueError(
            f"{path}: unknown keys {unknown}; known are {sorted(RECEPTION_DEFAULTS)}"
        )
    return settings


def build_reception(
    settings: dict, num_joints: int = 16, weights: str | None = None
) -> keras.Model:
    """Builds the 2D pose network of the settings and loads its weights.

    Args:
        settings: what `reception_settings` returns.
        num_joints: joints of the layout.
        weights: a weights file that must fit; None leaves the network untrained.
    """
    model = reception.build(
        (settings["size"], settings["size"], 3),
        num_joints,
        dim=2,
        num_context_per_joint=settings["context"],
        num_blocks=settings["blocks"],
        ksize=(settings["ksize"], settings["ksize"]),
        joint_probability=settings["joint_probability"],
        stem=settings["stem"],
    )
    if weights is not None:
        load_weights(model, weights)
        logger.info("weights loaded from %s", weights)
    return model


def start(args: argparse.Namespace) -> pathlib.Path:
    """Prepares a run: folder, logging, arguments.json, seed and precision.

    Args:
        args: parsed arguments of `argument_parser`.

    Returns:
        The run folder.

    Raises:
        OSError: if the folder cannot be written to; the message names it.
    """
    folder = pathlib.Path(args.logdir)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        log = logging.FileHandler(folder / "log.txt", encoding="utf-8")
    except OSError as error:
        raise OSError(
            f"{folder}: cannot write to the log directory: {error}"
        ) from error
    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(message)s",
        datefmt="%H:%M:%S",
        handlers=[log, logging.StreamHandler(sys.stdout)],
        force=True,
    )
    logging.getLogger("absl").setLevel(logging.WARNING)
    write_json(folder / "arguments.json", {"command": command(), **vars(args)})
    keras.utils.set_random_seed(args.seed)
    keras.mixed_precision.set_dtype_policy(args.mixed_precision)
    return folder


def command() -> str:
    """The command line that runs now, as one would type it."""
    return shlex.join(["python", *sys.argv])


def receipt(weights: str | None, data: str) -> dict:
    """Where a result comes from: command, date, data folder, weights and their md5."""
    digest = None
    if weights is not None:
        digest = hashlib.md5(pathlib.Path(weights).read_bytes()).hexdigest()
    return {
        "command": command(),
        "date": datetime.date.today().isoformat(),
        "data": str(data),
        "weights": weights,
        "weights_md5": digest,
    }


def write_json(path: pathlib.Path, value: dict) -> None:
    """Writes a JSON file whole or not at all."""
    temporary = path.with_name(path.name + ".part")
    temporary.write_text(json.dumps(value, indent=1, default=str), encoding="utf-8")
    os.replace(temporary, path)


def run_script(main) -> None:
    """Calls a script's main; a mistake of the user ends in a message, not a trace.

    Args:
        main: function without arguments.

    Raises:
        SystemExit: with the message, for a ValueError, OSError or FloatingPointError.
    """
    try:
        main()
    except (ValueError, OSError, FloatingPointError) as error:
        logger.debug("failed", exc_info=True)
        raise SystemExit(f"error: {error}") from error
