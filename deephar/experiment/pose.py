"""What the scripts share that train pose networks."""

import argparse
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
from deephar.experiment.networks import build_network
from deephar.experiment.training import TrainingRun, optimizer
from deephar.losses import pose_regression_loss
from deephar.trainer import set_batch_norm_momentum


def parse_pose_training(
    parser: argparse.ArgumentParser, argv: Sequence[str] | None = None
) -> argparse.Namespace:
    """Parses the flags of a training of poses, with the paper's recipe as defaults.

    Args:
        parser: with the data's and the network's flags.
        argv: the command line; None for the real one.
    """
    add_training_arguments(parser, batch_size=24, epochs=120, lr_drops=[80, 100])
    add_pose_loss_arguments(parser)
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
    return run.loader(datasets, sizes, counts=settings["blocks"])


def pose_model(run: TrainingRun, settings: dict) -> keras.Model:
    """The network, with its first weights and compiled for training.

    Args:
        run: the training run, of the flags of `parse_pose_training`.
        settings: what `network_settings` returned.
    """
    args = run.args
    with run.strategy.scope():
        weights = run.first(args.weights)
        model = build_network(settings["network"], settings, weights=weights)
        if run.first(args.vgg_weights):
            load_vgg16_weights(model, args.vgg_weights)
        set_batch_norm_momentum(model, args.bn_momentum)
        loss = pose_regression_loss(args.loss, args.visibility_weight)
        model.compile(optimizer(args), loss, jit_compile=run.compute.jit)
    return model
