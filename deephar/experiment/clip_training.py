"""The training of merged networks on clips, whatever the data set and the stage."""

import argparse
import dataclasses
import hashlib
from typing import Any

import keras
import numpy as np

from deephar.experiment.described import DescribedClips
from deephar.experiment.pose import epoch_steps
from deephar.experiment.scoring import action_scorer
from deephar.experiment.stages import check_actions
from deephar.experiment.training import TrainingRun, optimizer
from deephar.losses import pose_regression_loss
from deephar.networks.building import build_network
from deephar.networks.cuts import CUT_FROM
from deephar.networks.known_weights import find_weights, known_settings
from deephar.networks.recipes import NETWORKS, REPLACED
from deephar.networks.replacing import start_network
from deephar.trainer import set_batch_norm_momentum
from deephar.utils.modes import TRAIN_MODE


@dataclasses.dataclass(frozen=True)
class ClipLesson:
    """What a merged network learns, and from which clips.

    Attributes:
        settings: the network's, of `network_settings`.
        target: key of the action among the targets.
        clips: the clips to learn from.
        test_clips: the clips whose test part scores an epoch; None scores none.
        learns_poses: whether the pose part learns too, or is frozen.
        pose_loss: whether poses have a loss of their own (`--pose-weight`, `--loss`).
        described: whether the frozen pose part looks at every clip, and its mirror
            image, once and for all.
        replaces: whether the weights that a new training begins with may be of other
            joints and actions, as `start_network` has it.
    """

    settings: dict
    target: str
    clips: Any
    test_clips: Any
    learns_poses: bool = False
    pose_loss: bool = False
    described: bool = False
    replaces: bool = False

    @property
    def network(self) -> str:
        """The network's name."""
        return self.settings["network"]


def add_frozen_features(parser: argparse.ArgumentParser) -> None:
    """Adds the flag `--frozen-features`."""
    once = "the pose part looks at every clip, and its mirror image, once and for "
    once += "all (with --no-augmentation)"
    parser.add_argument("--frozen-features", action="store_true", help=once)


def check_frozen_features(parser: argparse.ArgumentParser, args) -> None:
    """Refuses `--frozen-features` with what looks at clips more than once."""
    if args.frozen_features and (args.processes or not args.no_augmentation):
        parser.error("--frozen-features needs --no-augmentation, and no --processes")


def train_clips(run: TrainingRun, lesson: ClipLesson) -> None:
    """Trains a merged network, scores epochs, saves best and last.

    Args:
        run: the training run; its flags `weights` and `pose_weights` name what a new
            training begins with.
        lesson: what is learned.

    Raises:
        ValueError: if network and clips differ in their actions, or weights do not fit.
        OSError: if a file cannot be read.
    """
    args, settings = run.args, lesson.settings
    check_actions(lesson.clips, settings)
    with run.strategy.scope():
        network, new = _build_merged(run, lesson)
        set_batch_norm_momentum(network, args.bn_momentum)
        model = network
        if lesson.pose_loss:
            model = _with_joined_poses(network)
        elif lesson.described:
            model = _copy_of(network.get_layer("clip_head"))
        actions = len(network.get_layer("clip_head").outputs)
        _compile(model, run, actions)
    predictor = run.clip_predictor(network)
    inputs, targets, counts = ["frame"], [lesson.target], [actions]
    if lesson.pose_loss:
        targets, counts = ["pose", *targets], [1, *counts]
    samples, facts = lesson.clips, {}
    if lesson.described:
        options = {"workers": args.workers, "strict": args.strict}
        clips = (predictor, lesson.clips, TRAIN_MODE, lesson.target)
        samples = DescribedClips(*clips, **options)
        inputs = samples.inputs
        facts["weights of the frozen pose part (md5)"] = _md5(predictor.frame_model)
    loader = run.loader(samples, run.batch_size, targets, counts, inputs)

    score = None
    if lesson.test_clips is not None:
        score = action_scorer(run, predictor, lesson.test_clips)
    callbacks = run.callbacks(score, "accuracy", network)
    steps = epoch_steps(args, [samples], [run.batch_size])
    if new and not run.goes_on:
        settings = {**settings, REPLACED: new}
    run.train([model], [loader], steps, callbacks, settings, facts)


def _build_merged(
    run: TrainingRun, lesson: ClipLesson
) -> tuple[keras.Model, list[str]]:
    """The merged network with the weights that the training begins with; what is new.

    A checkpoint of the clip head alone has no frame model, so that one comes from the
    given weights again when the training goes on.
    """
    args, network, settings = run.args, lesson.network, lesson.settings
    given = getattr(args, "pose_weights", None)
    weights, pose_weights = run.first(args.weights), run.first(given)
    if lesson.described and run.goes_on:
        if args.weights is not None:
            weights, known = known_settings(args.weights, network)
            args.weights = weights
            if "predictions" in known:
                before = {"predictions": known["predictions"]}
                settings = {**settings, CUT_FROM: before}
        else:
            part = NETWORKS[network].pose_part
            pose_weights = args.pose_weights = find_weights(given, part)
    more = {
        "pose_weights": pose_weights,
        "full_trainable": lesson.learns_poses,
        "output_poses": lesson.pose_loss,
    }
    if lesson.replaces:
        return start_network(settings, weights, **more)
    return build_network(network, settings, weights, **more), []


def _with_joined_poses(network: keras.Model) -> keras.Model:
    """A model of the network whose poses are one output with their confidence."""
    join = keras.layers.Concatenate(dtype="float32", name="PoseConf")
    pose, confidence, *actions = network.outputs
    return keras.Model(network.input, [join([pose, confidence]), *actions])


def _copy_of(head: keras.Model) -> keras.Model:
    """A model of the same layers, whose optimizer is no part of the network's file."""
    return keras.Model(head.inputs, head.outputs)


def _md5(model: keras.Model) -> str:
    """The md5 of a model's weights, whatever file they come from."""
    found = hashlib.md5()
    for variable in model.weights:
        found.update(np.asarray(variable.numpy()).tobytes())
    return found.hexdigest()


def _compile(model: keras.Model, run: TrainingRun, actions: int) -> None:
    """Compiles a model whose last outputs, `actions` of them, tell actions."""
    args = run.args
    losses, weights = ["categorical_crossentropy"] * actions, [1.0] * actions
    if len(model.outputs) > actions:
        losses = [pose_regression_loss(args.loss, args.visibility_weight), *losses]
        weights = [args.pose_weight, *weights]
    model.compile(
        optimizer(args), losses, loss_weights=weights, jit_compile=run.compute.jit
    )
