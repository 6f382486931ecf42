"""The flags of the scripts, and those of a training that goes on."""

import argparse
import functools
import json
import os
import pathlib
import sys
from collections.abc import Mapping, Sequence

from deephar.devices import STRATEGIES
from deephar.experiment.compute import add_compute_arguments
from deephar.utils.numbers import (
    fraction,
    natural,
    positive_float,
    positive_int,
    seed,
    weight,
)

OPTIMIZERS = ("adam", "rmsprop", "sgd")

_FREE_ON_RESUME = frozenset(
    """logdir resume overwrite epochs data cache workers processes verbose weights
    vgg_weights pose_weights strategy replicas checkpoint_steps checkpoint_minutes
    eval_every eval_batch_size patience tensorboard
    anno_path image_path val_anno_path val_image_path""".split()
)
"""Flags that a resumed training may change; the others decide what it computes."""

_FOLDERS = frozenset({"mpii", "h36m", "penn", "ntu"})
"""Folders of further data sets: they may move, but none may come on the way."""

FORK_FLAGS = {
    "--blocks": "--num-block",
    "--frames": "--num-frames",
    "--actions": "--num-actions",
    "--lr": "--learning-rate",
    "--weights": "--weights-path",
    "--pose-weights": "--weights-pose-path",
}
"""Names that flags have in the scripts of the fork with COCO and MERL."""


def flag_names(flag: str, also: Mapping[str, str] | None) -> tuple[str, ...]:
    """A flag, and its further name if it has one."""
    return (flag, also[flag]) if also and flag in also else (flag,)


class _Parser(argparse.ArgumentParser):
    """A parser whose run folder may be given by the flag `--log-dir` as well."""

    def __init__(self, logdir: str, **options):
        super().__init__(**options)
        self._logdir = logdir
        self.add_argument("--log-dir", help="the run folder, too")

    def parse_args(self, args=None, namespace=None):
        return self._with_folder(super().parse_args(args, namespace))

    def parse_intermixed_args(self, args=None, namespace=None):
        return self._with_folder(super().parse_intermixed_args(args, namespace))

    def _with_folder(self, found: argparse.Namespace) -> argparse.Namespace:
        flag = vars(found).pop("log_dir")
        if flag is not None and found.logdir not in (None, flag):
            self.error(
                "the run folder is given twice. "
                f"Received: {found.logdir}, --log-dir {flag}"
            )
        found.logdir = flag or found.logdir or self._logdir
        return found


def argument_parser(
    doc: str, logdir: str, log_dir_flag: bool = False
) -> argparse.ArgumentParser:
    """Parser with what all scripts share; the script's docstring is its help.

    Args:
        doc: the script's docstring.
        logdir: default of the run folder.
        log_dir_flag: whether there is a flag `--log-dir` beside the run folder's place,
            as in the fork's scripts.
    """
    look = {
        "description": doc,
        "formatter_class": argparse.RawDescriptionHelpFormatter,
    }
    if log_dir_flag:
        parser, default = _Parser(logdir, **look), None
    else:
        parser, default = argparse.ArgumentParser(**look), logdir
    folder = f"run folder ({logdir.replace('%', '%%')})"
    parser.add_argument("logdir", nargs="?", default=default, help=folder)
    parser.add_argument(
        "--seed", type=seed, default=0, help="random seed (%(default)s)"
    )
    add_compute_arguments(parser)
    return parser


def add_pose_loss_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags `--loss` and `--visibility-weight`."""
    losses = ("l1l2bincross", "l1l2", "l1", "l2", "elasticnet")
    add = parser.add_argument
    add("--loss", choices=losses, default=losses[0], help="of the pose (%(default)s)")
    share = {"type": weight, "default": 0.01}
    add("--visibility-weight", help="of the confidence's loss (%(default)s)", **share)


def add_training_arguments(
    parser: argparse.ArgumentParser,
    batch_size: int | None,
    epochs: int,
    lr_drops: list[int],
    optimizer: str = "rmsprop",
    lr: float = 1e-3,
    clip_norm: float | None = None,
    lr_factor: float = 0.2,
    momentum: float = 0.95,
    patience: int | None = None,
    also: Mapping[str, str] | None = None,
) -> None:
    """Adds the flags of a training run.

    Args:
        parser: the script's parser.
        batch_size: samples a step of the recipe; None for no such flag, where the
            script has others for it.
        epochs: epochs of the recipe.
        lr_drops: epochs, counted from 0, at which the recipe lowers the rate.
        optimizer: one of OPTIMIZERS.
        lr: learning rate of the recipe at the start.
        clip_norm: largest norm of the recipe's gradient; None for any.
        lr_factor: by what the recipe multiplies the rate where it falls.
        momentum: of the recipe's SGD; other optimizers have none.
        patience: epochs without a best score that end the recipe's training.
        also: further names of flags, such as FORK_FLAGS.
    """
    add_device_arguments(parser)
    group = parser.add_argument_group("training")

    def add(flag, default=None, help="", **options):
        if default is not None:
            help += f" ({default})"
        names = flag_names(flag, also)
        group.add_argument(*names, default=default, help=help.strip(), **options)

    switch = functools.partial(group.add_argument, action="store_true")
    add("--weights", help="weights to start from, a file or a published name")
    switch("--overwrite", help="replace the training that the run folder holds")
    if batch_size is not None:
        add("--batch-size", batch_size, "samples a step", type=positive_int)
    add("--epochs", epochs, "times through the data", type=positive_int)
    once = (
        "default: once through the data, the smallest of several; of poses 4000 most, "
        "but all of COCO's and MERL's"
    )
    add("--steps-per-epoch", help=once, type=positive_int)
    add("--optimizer", optimizer, "update rule", choices=OPTIMIZERS)
    add("--momentum", momentum, "of SGD, Nesterov's", type=fraction)
    add("--lr", lr, "learning rate at the start", type=positive_float)
    schedules = ("steps", "cosine")
    add("--schedule", "steps", "how the rate falls", choices=schedules)
    drops = {"type": natural, "nargs": "*"}
    add(
        "--lr-drops", lr_drops, "with steps: epochs, from 0, at which it falls", **drops
    )
    add(
        "--lr-factor",
        lr_factor,
        "with steps: multiplier at each of them",
        type=positive_float,
    )
    norm = "largest norm of the whole gradient"
    add("--clip-norm", clip_norm, norm, type=positive_float)
    add("--bn-momentum", 0.99, "of batch norm; 0.9 for short runs", type=fraction)
    switch("--no-augmentation", help="train on the plain crops")
    switch("--strict", help="an unreadable picture ends the run")
    add("--workers", 4, "batches prepared in parallel", type=positive_int)
    add("--processes", 0, "prepare them in so many processes instead", type=natural)
    add("--cache", help='keep decoded pictures: "memory" or a folder')
    add("--eval-every", 1, "epochs between evaluations", type=positive_int)
    add("--eval-batch-size", 8, "samples a step of evaluation", type=positive_int)
    best = "epochs without a best score to stop"
    add("--patience", patience, best, type=positive_int)
    switch("--tensorboard", help="write TensorBoard logs to the run folder")
    add(
        "--verbose", 1, "1 progress bar, 2 a line an epoch", type=int, choices=(0, 1, 2)
    )


def add_device_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of devices and of checkpoints to a training script's parser."""
    group = parser.add_argument_group("devices")
    add = group.add_argument
    add(
        "--strategy",
        choices=STRATEGIES,
        default="none",
        help="one device; every GPU; the workers of TF_CONFIG (%(default)s)",
    )
    add(
        "--replicas",
        type=positive_int,
        help="with mirrored: GPUs to use, or, without a GPU, parts of the CPU",
    )
    add(
        "--scale-batch",
        action="store_true",
        help="--batch-size is for one replica, not for all together",
    )
    add(
        "--local-batch-norm",
        action="store_true",
        help="each replica normalises by its own samples: less to communicate",
    )
    add(
        "--accumulate",
        type=positive_int,
        default=1,
        help="compute a replica's samples in so many parts, to save memory (1)",
    )
    group = parser.add_argument_group("checkpoints", "one after every epoch, and")
    add = group.add_argument
    add("--checkpoint-steps", type=positive_int, help="every so many steps")
    minutes = {"type": positive_float, "default": 10.0, "metavar": "MINUTES"}
    add("--checkpoint-minutes", help="so many minutes after the last (10)", **minutes)
    add(
        "--resume",
        action="store_true",
        help="go on from the run folder's last checkpoint, with its flags",
    )


def parse_training(
    parser: argparse.ArgumentParser, argv: Sequence[str] | None = None
) -> argparse.Namespace:
    """Parses the flags of a training script.

    With --resume the flags that the run folder has on record are the defaults, and only
    those may differ that leave what is computed alone. Where there is no record the
    training starts at its beginning, so that one command serves both.

    Args:
        parser: with the flags of `add_training_arguments`.
        argv: the command line; None for the real one.

    Raises:
        ValueError: if a flag differs that must not, or the record cannot be read.
    """
    momentum = parser.get_default("momentum")
    parser.set_defaults(momentum=None)
    args = parser.parse_args(argv)
    given = args.momentum is not None
    if args.resume:
        args = _as_on_record(parser, args, argv)
    if args.optimizer != "sgd" and given:
        parser.error(f"--momentum is of sgd. Received: --optimizer {args.optimizer}")
    if args.optimizer == "sgd" and args.momentum is None:
        args.momentum = momentum
    return args


def _as_on_record(
    parser: argparse.ArgumentParser,
    args: argparse.Namespace,
    argv: Sequence[str] | None,
) -> argparse.Namespace:
    """The flags again, with those that the run folder has on record as defaults."""
    if args.overwrite:
        parser.error("--resume goes on, --overwrite starts anew: give one of them")
    path = pathlib.Path(args.logdir) / record_name()
    record = read_record(args.logdir)
    known = {name: record[name] for name in vars(args) if name in record}
    parser.set_defaults(**{**known, "logdir": args.logdir, "overwrite": False})
    args = parser.parse_args(argv)
    for name, before in known.items():
        now = getattr(args, name)
        free = name in _FREE_ON_RESUME or (name in _FOLDERS and before is not None)
        if now != before and not free:
            raise ValueError(
                f"{path}: --{name.replace('_', '-')} was {before}, and a training that "
                f"goes on must not change it. Received: {now}"
            )
    return args


def read_record(logdir: str | os.PathLike) -> dict:
    """The flags that a run folder has on record of this script; {} if it has none.

    Raises:
        ValueError: if the record cannot be read.
    """
    path = pathlib.Path(logdir) / record_name()
    if not path.is_file():
        return {}
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path}: not a record of flags: {error}") from error


def record_name() -> str:
    """Name of the file in the run folder that holds this script's flags."""
    return f"arguments_{pathlib.Path(sys.argv[0]).stem}.json"
