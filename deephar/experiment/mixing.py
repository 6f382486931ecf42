"""Data sets that a batch mixes: made alike, and scored each in its way."""

import argparse
from collections.abc import Callable
from typing import Any

from deephar.config import DataConfig, human36m_dataconf, mpii_dataconf
from deephar.data import Human36MFrames, MpiiSinglePerson, open_cache
from deephar.experiment.looking import in_layout
from deephar.experiment.scoring import Predict, Scorer, human36m_scorer, mpii_scorer
from deephar.experiment.settings import sized
from deephar.experiment.training import TrainingRun
from deephar.utils.modes import VALID_MODE
from deephar.utils.numbers import fraction, one_in
from deephar.utils.pose import pa16j2d

_EVERY = 64
"""One frame in so many of Human3.6M's validation frames scores an epoch."""


class DataMaker:
    """Makes data sets of one layout and size, augmented and cached as the flags say.

    Args:
        args: flags of `add_training_arguments`.
        settings: what `network_settings` returned.
        poselayout: layout of the poses.
    """

    def __init__(self, args: argparse.Namespace, settings: dict, poselayout: Any):
        self.augmented = not args.no_augmentation
        self.settings = settings
        self.poselayout = poselayout
        self.cache = open_cache(args.cache)

    def __call__(
        self, kind: Callable, folder: str, dataconf: DataConfig, **options
    ) -> Any:
        """A data set.

        Args:
            kind: its class.
            folder: where it lies.
            dataconf: its configuration in the recipe.
            options: further arguments of the class.
        """
        dataconf = sized(dataconf, self.settings, self.augmented)
        options = {"poselayout": self.poselayout, "cache": self.cache, **options}
        return kind(folder, dataconf, **options)


def add_every_argument(parser: argparse.ArgumentParser) -> None:
    """Adds `--h36m-every`, which validation frames of Human3.6M score an epoch."""
    about = f"score one frame in N of Human3.6M ({_EVERY})"
    parser.add_argument("--h36m-every", help=about, type=one_in, metavar="N")


def add_share_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds what mixes MPII and Human3.6M into poses in space; see `check_shares`.

    The flags are `--mpii`, `--mpii-share`, `--h36m`, `--h36m-share`, `--h36m-every`.
    """
    for name in ("mpii", "h36m"):
        add = parser.add_argument
        add(f"--{name}", metavar="FOLDER", help=f"mix it in, by --{name}-share")
        share = {"type": fraction, "default": 0.0}
        add(f"--{name}-share", help=f"of --{name} in the poses (0)", **share)
    add_every_argument(parser)


def check_shares(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    """Refuses a folder without its share, a share without its folder, and too much."""
    for name in ("mpii", "h36m"):
        folder, share = getattr(args, name), getattr(args, f"{name}_share")
        if share and folder is None:
            parser.error(f"--{name}-share is a share of --{name}: give that too")
        if folder is not None and not share:
            parser.error(f"--{name} is mixed in by --{name}-share: give that too")
    if args.h36m_every is not None and args.h36m is None:
        parser.error("--h36m-every is of --h36m: give that too")
    shares = (args.mpii_share, args.h36m_share)
    if sum(shares) >= 1:
        parser.error(
            "--mpii-share and --h36m-share must leave a share to the data set itself, "
            f"and so be less than 1 together. Received: {shares[0]} and {shares[1]}"
        )


def human36m(make: DataMaker, args: argparse.Namespace) -> Human36MFrames:
    """Frames of Human3.6M: all for training, one in so many to score.

    Args:
        make: for a layout of 17 joints.
        args: with the folder, `h36m`, and the flag of `add_every_argument`.
    """
    every = {VALID_MODE: args.h36m_every or _EVERY}
    return make(Human36MFrames, args.h36m, human36m_dataconf, every=every)


def space_scorers(
    run: TrainingRun,
    predict: Predict,
    make: DataMaker,
    mpii: str | None,
    h36m: Human36MFrames | None,
) -> dict[str, Scorer | None]:
    """What scores a network of 17 joints in space on MPII and Human3.6M.

    Args:
        run: the training run.
        predict: from crops to poses, `PosePredictor.predict_crops`.
        make: for the network.
        mpii: folder of MPII, whose people are scored in the picture, by the 16 joints;
            None for no such score.
        h36m: frames of Human3.6M; None for no such score.

    Returns:
        {"mpjpe": ..., "pckh": ...}, as far as asked for.
    """
    scorers = {}
    if h36m is not None:
        scorers["mpjpe"] = human36m_scorer(run, predict, h36m)
    if mpii is not None:
        people = make(MpiiSinglePerson, mpii, mpii_dataconf, poselayout=pa16j2d)
        flat = in_layout(predict, make.poselayout, pa16j2d)
        scorers["pckh"] = mpii_scorer(run, flat, people)
    return scorers
