"""The training of networks of actions on clips, whatever the data set and the stage.

Of merged networks and SPNets alike. A frozen pose part is what `models` freezes: of an
SPNet all that is not the actions', so that joint maps of the actions' own learn.
"""

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
from deephar.models import spnet
from deephar.models.common import set_trainable_layers
from deephar.networks.building import build_network, model_config
from deephar.networks.cuts import CUT_FROM, CUT_OF_ACTIONS
from deephar.networks.known_weights import find_weights, known_settings
from deephar.networks.recipes import NETWORKS, REPLACED
from deephar.networks.replacing import start_network
from deephar.trainer import set_batch_norm_momentum
from deephar.utils.modes import TRAIN_MODE


@dataclasses.dataclass(frozen=True)
class ClipLesson:
    """What a network of actions learns, and from which clips.

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

    @property
    def of_pyramids(self) -> bool:
        """Whether it is an SPNet, which puts out a pose for each of its blocks."""
        return NETWORKS[self.network].family.architecture == "spnet"


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
    """Trains a network of actions, scores epochs, saves best and last.

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
    _check_described(lesson)
    with run.strategy.scope():
        network, new = _build(run, lesson)
        set_batch_norm_momentum(network, args.bn_momentum)
        model = _learner(network, lesson)
        actions = len(network.get_layer("clip_head").outputs)
        _compile(model, run, actions)
    predictor = run.clip_predictor(network)
    inputs, targets, counts = ["frame"], [lesson.target], [actions]
    if lesson.pose_loss:
        poses = len(model.outputs) - actions
        targets, counts = ["pose", *targets], [poses, *counts]
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
    whole = network if lesson.of_pyramids and not lesson.described else None
    run.train([model], [loader], steps, callbacks, settings, facts, whole)


def _check_described(lesson: ClipLesson) -> None:
    """Refuses to look once with what learns to look."""
    if lesson.described and lesson.settings.get("replica") == "yes":
        raise ValueError(
            "--frozen-features needs a network whose actions have no joint maps of "
            "their own, which learn. Received: --replica yes"
        )


def _build(run: TrainingRun, lesson: ClipLesson) -> tuple[keras.Model, list[str]]:
    """The network with the weights that the training begins with; what is new.

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
            shared = known.keys() & CUT_OF_ACTIONS
            before = {n: known[n] for n in shared if known[n] != settings[n]}
            if before:
                settings = {**settings, CUT_FROM: before}
        else:
            part = NETWORKS[network].pose_part
            pose_weights = args.pose_weights = find_weights(given, part)
    more = {"pose_weights": pose_weights}
    if not lesson.of_pyramids:
        more["full_trainable"] = lesson.learns_poses
        more["output_poses"] = lesson.pose_loss
    if lesson.replaces:
        model, new = start_network(settings, weights, **more)
    else:
        model, new = build_network(network, settings, weights, **more), []
    if lesson.of_pyramids:
        set_trainable_layers(model, "action", None, lesson.learns_poses)
    return model, new


def _learner(network: keras.Model, lesson: ClipLesson) -> keras.Model:
    """The model of what is learned: of a network, or of a part of it."""
    if lesson.described:
        return _copy_of(network.get_layer("clip_head"))
    if lesson.of_pyramids:
        config = model_config(lesson.settings)
        return network if lesson.pose_loss else spnet.split_model(network, config)[1]
    return _with_joined_poses(network) if lesson.pose_loss else network


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
    poses = len(model.outputs) - actions
    if poses:
        pose_loss = pose_regression_loss(args.loss, args.visibility_weight)
        losses = [pose_loss] * poses + losses
        weights = [args.pose_weight] * poses + weights
    model.compile(
        optimizer(args), losses, loss_weights=weights, jit_compile=run.compute.jit
    )
