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
from deephar.utils.numbers import one_in
from deephar.utils.pose import pa16j2d


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


def add_space_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of MPII and Human3.6M where poses in space are learnt from both.

    They are `--mpii`, `--h36m` and `--h36m-every`.
    """
    add = parser.add_argument
    add("--mpii", default="datasets/MPII", help="folder (%(default)s)")
    add("--h36m", default="datasets/Human3.6M", help="folder (%(default)s)")
    every = {"type": one_in, "default": 64, "metavar": "N"}
    add("--h36m-every", help="score one frame in N of Human3.6M (64)", **every)


def human36m(make: DataMaker, args: argparse.Namespace) -> Human36MFrames:
    """Frames of Human3.6M: all for training, one in so many to score.

    Args:
        make: for a layout of 17 joints.
        args: flags of `add_space_arguments`.
    """
    every = {VALID_MODE: args.h36m_every}
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
