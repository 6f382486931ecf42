"""What the scripts share that train pose networks."""

import argparse
import logging
from collections.abc import Sequence
from typing import Any

import keras

from deephar.checkpoints.vgg16 import load_vgg16_weights
from deephar.data.loader import BatchLoader
from deephar.experiment.arguments import (
    add_pose_loss_arguments,
    add_training_arguments,
    parse_training,
)
from deephar.experiment.training import TrainingRun, optimizer
from deephar.losses import pose_regression_loss
from deephar.networks.building import build_network, num_predictions
from deephar.trainer import set_batch_norm_momentum
from deephar.utils.modes import TRAIN_MODE

logger = logging.getLogger(__name__)

MOST_STEPS = 4000
"""Steps of an epoch of poses at most: NTU alone has more than 100,000 batches."""


_RECIPE = {"batch_size": 24, "epochs": 120, "lr_drops": [80, 100]}
"""Of the networks of CVPR'18."""


def parse_pose_training(
    parser: argparse.ArgumentParser,
    argv: Sequence[str] | None = None,
    vgg: bool = True,
    **recipe,
) -> argparse.Namespace:
    """Parses the flags of a training of poses, with the recipe as defaults.

    Args:
        parser: with the data's and the network's flags.
        argv: the command line; None for the real one.
        vgg: whether the network can have the entry flow of VGG-16.
        recipe: arguments of `add_training_arguments`, where they are not those of the
            networks of CVPR'18; `also` among them, further names of flags.
    """
    add_training_arguments(parser, **{**_RECIPE, **recipe})
    add_pose_loss_arguments(parser)
    parser.set_defaults(vgg_weights=None)
    if vgg:
        imagenet = 'file of VGG-16\'s weights for --stem vgg16, or "imagenet"'
        parser.add_argument("--vgg-weights", metavar="FILE", help=imagenet)
    args = parse_training(parser, argv)
    if args.weights and args.vgg_weights:
        parser.error("--vgg-weights sets what --weights sets too: name one of them")
    return args


def pose_loader(
    run: TrainingRun, datasets: Sequence[Any], sizes: Sequence[int], settings: dict
) -> BatchLoader:
    """Batches of crops and poses of the training parts.

    Args:
        run: the training run.
        datasets: data sets of one layout; a batch has samples of each.
        sizes: how many samples of each.
        settings: what `network_settings` returned.
    """
    return run.loader(datasets, sizes, counts=num_predictions(settings))


def pose_model(run: TrainingRun, settings: dict) -> keras.Model:
    """The network, with its first weights and compiled for training.

    Args:
        run: the training run, of the flags of `parse_pose_training`.
        settings: what `network_settings` returned.
    """
    with run.strategy.scope():
        weights = run.first(run.args.weights)
        model = build_network(settings["network"], settings, weights=weights)
        compile_poses(run, model)
    return model


def compile_poses(run: TrainingRun, model: keras.Model) -> None:
    """Compiles a pose network for training, under the strategy's scope.

    Args:
        run: as of `pose_model`; its --vgg-weights are loaded.
        model: the network.
    """
    args = run.args
    if run.first(args.vgg_weights):
        load_vgg16_weights(model, args.vgg_weights)
    set_batch_norm_momentum(model, args.bn_momentum)
    loss = pose_regression_loss(args.loss, args.visibility_weight)
    model.compile(optimizer(args), loss, jit_compile=run.compute.jit)


def shares(
    total: int,
    parts: Sequence[float],
    flag: str = "--batch-size",
    of: str = "a batch",
    named: str = "samples",
) -> list[int]:
    """Divides a batch among data sets.

    Args:
        total: samples of a batch.
        parts: share of each data set; the sum is 1. What is left over by rounding down
            goes to those that lost most by it, the first of them first.
        flag: what sets `total`; it is named in the error, as are the next two.
        of: what is divided.
        named: what it consists of.

    Raises:
        ValueError: if a data set would have no sample.
    """
    exact = [total * part for part in parts]
    sizes = [int(size) for size in exact]
    lost = sorted(range(len(parts)), key=lambda i: sizes[i] - exact[i])
    for i in lost[: total - sum(sizes)]:
        sizes[i] += 1
    if min(sizes) < 1:
        raise ValueError(
            f"{of} must have {named} of every data set ({flag}, shares). "
            f"Received: {total} {named}, shares {[round(part, 4) for part in parts]}"
        )
    return sizes


def epoch_steps(
    args: argparse.Namespace,
    datasets: Sequence[Any],
    sizes: Sequence[int],
    most: int | None = None,
    per: str = "a batch",
) -> int:
    """Steps of an epoch: --steps-per-epoch, or once through the data.

    Args:
        args: the training flags.
        datasets: those of a batch; the one that is first at its end counts. With MPII
            mixed in, the epochs are those of the original's training of poses.
        sizes: samples of each in a batch.
        most: steps at most, unless the flag asks for more.
        per: what `sizes` are counted by, for the log.
    """
    counts = [dataset.get_length(TRAIN_MODE) for dataset in datasets]
    once = min(max(1, n // size) for n, size in zip(counts, sizes, strict=True))
    steps = args.steps_per_epoch or min(once, most or once)
    logger.info(
        "%s training samples, %s %s: %d steps an epoch", counts, sizes, per, steps
    )
    return steps
