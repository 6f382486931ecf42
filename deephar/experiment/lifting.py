"""What training, evaluation and rendering of temporal lifting share.

Data of the flags, checkpoints and what they tell, the network, the evaluation.
"""

import argparse
import dataclasses
import functools
import logging
import pathlib
from collections.abc import Mapping

import keras

from deephar.checkpoints.lifting import (
    NETWORKS,
    LiftingCheckpoint,
    network_arguments,
    read_lifting,
)
from deephar.checkpoints.pytorch import is_pytorch
from deephar.data.lifting import LiftingData, Sequence, open_lifting_data
from deephar.evaluation.lifting import (
    Notice,
    by_action,
    lifting_parts,
    score_lifting,
)
from deephar.evaluation.lifting_cases import LiftingCases
from deephar.evaluation.report_page import write_report_page
from deephar.experiment.lifting_flags import flag_of, lifting_parser
from deephar.experiment.run import command, open_run, write_evaluation
from deephar.inference.lifting import Lifter, StreamingLifter
from deephar.networks.lifting import build_lifting, load_lifting
from deephar.utils.animation import Bones

logger = logging.getLogger(__name__)

POSE, TRAJECTORY = NETWORKS

_SHAPE = ("filter_widths", "channels", "causal", "dense")
_FLAGS = {"filter_widths": "architecture"}
_DATA = ("dataset", "keypoints", "subjects_test")


@dataclasses.dataclass(frozen=True)
class Weights:
    """A file of weights, and what is known of its training.

    Attributes:
        path: the file.
        checkpoint: what it holds, of a PyTorch file; None for weights of Keras.
        training: flags of the training as `parse_lifting` gives them, where deephar
            wrote the file.
        layout: name of the layout of its key points, where known.
    """

    path: pathlib.Path
    checkpoint: LiftingCheckpoint | None
    training: Mapping
    layout: str = ""


def find_checkpoint(args: argparse.Namespace, name: str) -> pathlib.Path:
    """A checkpoint by its name in the folder of checkpoints, or by its path.

    Raises:
        FileNotFoundError: if there is none.
    """
    places = (pathlib.Path(args.checkpoint) / name, pathlib.Path(name))
    for path in places:
        if path.is_file():
            return path
    raise FileNotFoundError(
        f"{name}: no such checkpoint, neither in {args.checkpoint} nor here"
    )


def read_weights(path: pathlib.Path) -> Weights:
    """Reads a checkpoint, this program's or VideoPose3D's, or names weights of Keras.

    Raises:
        OSError: if it cannot be read.
        ValueError: if it is no checkpoint of a lifting network.
    """
    if not is_pytorch(path):
        return Weights(path, None, {})
    checkpoint = read_lifting(path)
    own = checkpoint.deephar
    try:
        training = _recorded(own.get("training", {}))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    return Weights(path, checkpoint, training, own.get("layout", ""))


def _recorded(training: Mapping) -> dict:
    """The flags that a checkpoint keeps, as `parse_lifting` gives them.

    Raises:
        ValueError: if a flag would not take its value.
    """
    flags = {one.dest: one for one in lifting_parser("")._actions}
    found = {}
    for name, value in training.items():
        if name in flags:
            value = tuple(value) if isinstance(value, list) else value
            if not _takes(flags[name], value):
                raise ValueError(
                    f"{flag_of(name)} of its training is not one. Received: {value!r}"
                )
            found[name] = value
    return found


def _takes(flag: argparse.Action, value) -> bool:
    """Whether a command line with a flag can give it a value."""
    if flag.nargs == 0:
        return isinstance(value, bool)
    text = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
    try:
        return (flag.type or str)(text) == value
    except argparse.ArgumentTypeError:
        return False


def follow_training(args: argparse.Namespace, weights: Weights) -> None:
    """Takes data, key points and test subjects of the training, unless flags say.

    Another data set than the training's has neither its key points nor its subjects.
    """
    training = weights.training
    if "dataset" in args.given and args.dataset != training.get("dataset"):
        return
    for name in _DATA:
        if name not in args.given and name in training:
            setattr(args, name, training[name])


def lifting_data(args: argparse.Namespace) -> LiftingData:
    """Opens the data of the flags.

    Raises:
        OSError, ValueError: as `open_lifting_data`.
    """
    data = open_lifting_data(args.data, args.dataset, args.keypoints, args.cameras)
    logger.info(
        "%s, %s: %d key points, subjects %s",
        *(args.dataset, args.keypoints, data.num_keypoints, ", ".join(data.subjects)),
    )
    return data


def actions_of(args: argparse.Namespace) -> list[str] | None:
    """The actions of the flag `--actions`; None for all."""
    return None if args.actions == ("*",) else list(args.actions)


def network_arguments_of(
    args: argparse.Namespace, data: LiftingData, weights: Weights | None = None
) -> dict:
    """Arguments of `models.lifting.build`: of the file, the flags and the data.

    Raises:
        ValueError: if a flag or the data gainsay the file.
    """
    found = {
        "num_joints_in": data.num_keypoints,
        "in_features": 2,
        "num_joints_out": len(data.skeleton.parents),
        "filter_widths": args.architecture,
        "channels": args.channels,
        "dropout": args.dropout,
        "causal": args.causal,
        "dense": args.dense,
    }
    if weights is None:
        return found
    known = {}
    if weights.checkpoint is not None:
        known = network_arguments(weights.checkpoint, dense=args.dense)
    for name, value in known.items():
        flag = _FLAGS.get(name, name)
        said = name in _SHAPE and flag in args.given or name.startswith("num_joints")
        if said and found[name] != value:
            source = f"--{flag}" if name in _SHAPE else "the data"
            raise ValueError(
                f"{weights.path}: is of a network with {name} {as_typed(value)}. "
                f"Received: {as_typed(found[name])} ({source})"
            )
    if weights.layout and data.layout_name and weights.layout != data.layout_name:
        raise ValueError(
            f"{weights.path}: has learned key points {weights.layout}. "
            f"Received: {data.layout_name} ({args.keypoints})"
        )
    return found | known


def lifting_networks(
    args: argparse.Namespace, data: LiftingData, weights: Weights
) -> list[keras.Model]:
    """The pose network, and the trajectory network if the checkpoint has one.

    Raises:
        OSError, ValueError: if they do not fit; the message names the file.
    """
    settings = network_arguments_of(args, data, weights)
    models = build_lifting(weights.checkpoint, settings)
    load_lifting(models, weights.path)
    return models


def lifter_of(
    model: keras.Model,
    data: LiftingData,
    flip: bool,
    joints: bool = True,
    kind: type = Lifter,
) -> Lifter | StreamingLifter:
    """A lifter of a network, with the sides of the data.

    Args:
        model: of poses, or of the trajectory.
        data: says which key points and joints are left and right.
        flip: whether to average with the mirrored track.
        joints: whether it is of poses.
        kind: `Lifter`, or `StreamingLifter` for a single person.
    """
    skeleton = data.skeleton
    return kind(
        model,
        keypoints_left=data.keypoints_left,
        keypoints_right=data.keypoints_right,
        joints_left=skeleton.joints_left if joints else (),
        joints_right=skeleton.joints_right if joints else (),
        flip=flip,
    )


def scored_sequences(
    args: argparse.Namespace, data: LiftingData
) -> dict[str, list[Sequence]]:
    """What the flags test on, by subject.

    Raises:
        ValueError: if there is nothing to test on of one of them.
    """
    actions = actions_of(args)
    return {one: data.sequences([one], actions) for one in args.subjects_test}


def score_of(
    args: argparse.Namespace,
    data: LiftingData,
    model: keras.Model,
    tested: Mapping[str, list[Sequence]],
    notice: Notice | None = None,
) -> dict:
    """Scores a network on what `scored_sequences` gives, as evaluations report it.

    Args:
        args: of `parse_lifting`.
        data: of `lifting_data`.
        model: the network of poses.
        tested: of `scored_sequences`.
        notice: as of `score_lifting`.

    Returns:
        What `score_lifting` returns; with --by-subject {"subjects": {subject: that}}.
    """
    lifter = lifter_of(model, data, flip=not args.no_test_time_augmentation)

    def score(sequences):
        return score_lifting(lifter.lift, by_action(sequences), notice)

    if args.by_subject:
        return {"subjects": {one: score(tested[one]) for one in tested}}
    return score([sequence for one in tested.values() for sequence in one])


def finish_lifting(
    args: argparse.Namespace,
    data: LiftingData,
    model: keras.Model,
    tested: Mapping[str, list[Sequence]],
    about: Mapping,
) -> str:
    """Scores a network; writes evaluation.json, evaluation.md and, if asked, the page.

    Args:
        args, data, model, tested: as of `score_of`.
        about: what the receipt begins with.

    Returns:
        The text of evaluation.md, and where report.html is.
    """
    cases = LiftingCases()
    notice = cases.notice if args.report else None
    scores = score_of(args, data, model, tested, notice)
    scores["receipt"] = {
        "command": command(),
        **about,
        "data": f"{args.dataset}, {args.keypoints} ({args.data})",
        "subjects": ", ".join(args.subjects_test),
        "actions": ", ".join(args.actions),
        "flip averaging": "no" if args.no_test_time_augmentation else "yes",
    }
    keypoints = args.keypoints if args.dataset == "h36m" else None
    parts = lifting_parts(scores, keypoints)
    text, folder = "\n\n".join(parts), pathlib.Path(args.checkpoint)
    write_evaluation(folder, scores, text)
    if args.report:
        skeleton = data.skeleton
        sides = skeleton.joints_left, skeleton.joints_right
        bones = Bones.of_parents(skeleton.parents, *sides)
        shown = [functools.partial(cases.add, bones=bones)]
        trained = pathlib.Path(about["weights"]).parent
        text += f"\n\nreport: {write_report_page(folder, parts, shown, trained)}"
    return text


def evaluate_lifting(args: argparse.Namespace) -> str:
    """Evaluates a checkpoint by the flags of `parse_lifting`.

    The record of the flags of a training in the same folder stays as it is.

    Returns:
        The text of evaluation.md.

    Raises:
        OSError, ValueError: if checkpoint, flags and data do not fit together.
    """
    open_run(args, record=False)
    weights = read_weights(find_checkpoint(args, args.evaluate))
    follow_training(args, weights)
    data = lifting_data(args)
    if "subjects_train" in args.given:
        refuse_unknown(data, args.subjects_train)
    tested = scored_sequences(args, data)
    model = lifting_networks(args, data, weights)[0]
    about = {"weights": str(weights.path)}
    return finish_lifting(args, data, model, tested, about)


def refuse_unknown(data: LiftingData, subjects) -> None:
    """Refuses subjects that the data do not have, before anything takes time."""
    unknown = [one for one in subjects if one not in data.subjects]
    if unknown:
        raise ValueError(
            f"the subjects must be among {', '.join(data.subjects)}. "
            f"Received: {', '.join(unknown)}"
        )


def as_typed(value) -> str:
    """A flag's value as messages have it."""
    if isinstance(value, tuple):
        return ",".join(map(str, value)) or "none"
    return str(value)
