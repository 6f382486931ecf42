"""How the scripts look at people: mirrored, through several crops, window refined."""

import argparse
from collections.abc import Callable, Mapping

import keras

from deephar.data.base import SinglePersonDataset
from deephar.data.human36m_frames import Human36MFrames
from deephar.evaluation.pose import PosePredictions, locate_poses, predict_poses
from deephar.evaluation.pose3d import (
    PosePredictions3D,
    locate_poses_3d,
    predict_poses_3d,
)
from deephar.experiment.arguments import flag_names
from deephar.experiment.compute import Compute
from deephar.inference.crops import MULTI_CROP, SINGLE_CROP, Located
from deephar.inference.predictor import PosePredictor
from deephar.utils.numbers import natural, one_in, positive_int
from deephar.utils.pose import pa16j2d


def add_looking_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags `--flip`, `--multi-crop` and `--refine`."""
    group = parser.add_argument_group("looking at a person")
    add = group.add_argument
    add("--flip", action="store_true", help="average with the mirrored crop")
    crops = f"average over {len(MULTI_CROP)} crops: two scales, four shifts"
    add("--multi-crop", action="store_true", help=crops)
    times = "new windows around the pose before the last look (%(default)s)"
    add("--refine", type=natural, default=0, metavar="N", help=times)


def add_people_arguments(
    parser: argparse.ArgumentParser,
    data: str | None,
    published: str,
    also: Mapping[str, str] | None = None,
) -> None:
    """Adds what a script that predicts the people of a data set needs.

    Args:
        parser: the script's parser.
        data: default of the data set's folder; None where the script has other flags
            for its files.
        published: names of published weights that fit.
        also: further names of flags, such as FORK_FLAGS.
    """
    add = parser.add_argument
    if data is not None:
        add("--data", default=data, help="folder of annotations.mat and images/")
    named = f"weights file, or a published name: {published}"
    add(*flag_names("--weights", also), required=True, help=named)
    add("--batch-size", type=positive_int, default=8, help="(%(default)s)")
    add("--workers", type=positive_int, default=2, help="threads that read")
    add_looking_arguments(parser)


def add_frames_argument(
    parser: argparse.ArgumentParser, flag: str = "--protocol"
) -> None:
    """Adds `--protocol` (or `flag`), which frames of Human3.6M to evaluate."""
    which = 'one frame in 64, in 60 (or another number), or "all" (64)'
    add = parser.add_argument
    add(flag, dest="every", type=one_in, default=64, metavar="N|all", help=which)


def describe_frames(args: argparse.Namespace) -> str:
    """Which frames the flag of `add_frames_argument` takes, in words."""
    return "every frame" if args.every == 1 else f"one in {args.every}"


def pose_predictor(
    args: argparse.Namespace,
    compute: Compute,
    model: keras.Model,
    poselayout,
    batch_size: int = 8,
) -> PosePredictor:
    """The predictor of the flags.

    Args:
        args: parsed arguments of `add_looking_arguments`.
        compute: what `configure_compute` chose.
        model: the network.
        poselayout: layout of its joints.
        batch_size: most crops a step.
    """
    crops = MULTI_CROP if args.multi_crop else SINGLE_CROP
    return PosePredictor(
        model,
        poselayout,
        args.flip,
        crops=crops,
        refine=args.refine,
        batch_size=batch_size,
        fold=compute.fold,
        jit=compute.jit,
    )


def describe_looking(args: argparse.Namespace) -> str:
    """The flags in words: "7 crops, mirrored, 2 refinements"."""
    words = [f"{len(MULTI_CROP)} crops" if args.multi_crop else "1 crop"]
    words += ["mirrored"] * args.flip
    plural = "s" * (args.refine > 1)
    words += [f"{args.refine} refinement{plural}"] * (args.refine > 0)
    return ", ".join(words)


def predict_people(
    args: argparse.Namespace,
    compute: Compute,
    model: keras.Model,
    dataset: SinglePersonDataset | Human36MFrames,
    mode: int,
    poselayout=None,
) -> PosePredictions | PosePredictions3D:
    """Predicts everybody of a part of a data set, with a progress bar.

    A network may have more joints than the data set, and their depth too: those that
    the data set has are kept.

    Args:
        args: parsed arguments of `add_people_arguments`.
        compute: what `configure_compute` chose.
        model: the network.
        dataset: the data set.
        mode: TEST_MODE, TRAIN_MODE or VALID_MODE.
        poselayout: layout of the network's joints; None for the data set's.

    Returns:
        Poses in pixels, or in space where the data set's are, in its own layout.

    Raises:
        ValueError: if the network has not the joints of the data set.
    """
    poselayout = poselayout or dataset.poselayout
    predictor = pose_predictor(args, compute, model, poselayout, args.batch_size)
    return look_at_people(predictor, dataset, mode, args.workers)


def look_at_people(
    predictor: PosePredictor,
    dataset: SinglePersonDataset | Human36MFrames,
    mode: int,
    workers: int = 2,
) -> PosePredictions | PosePredictions3D:
    """As `predict_people`, by a predictor, in its batches.

    Args:
        predictor: what `pose_predictor` returned.
        dataset: the data set.
        mode: TEST_MODE, TRAIN_MODE or VALID_MODE.
        workers: threads that read.

    Raises:
        ValueError: if the network has not the joints of the data set.
    """

    def seen(predict):
        return in_layout(predict, predictor.poselayout, dataset.poselayout)

    bar = keras.utils.Progbar(dataset.get_length(mode), unit_name="person")
    options = (dataset, mode, predictor.batch_size, workers, bar.update)
    in_space = isinstance(dataset, Human36MFrames)
    if predictor.crops != SINGLE_CROP or predictor.refine:
        locate = locate_poses_3d if in_space else locate_poses
        return locate(seen(predictor.locate), *options)
    predict = predict_poses_3d if in_space else predict_poses
    return predict(seen(predictor.predict_crops), *options)


def in_layout(predict: Callable, source, target) -> Callable:
    """A function that predicts as another does, in another layout of joints.

    Args:
        predict: to `(blocks, batch, joints, dim + 1)` with the confidence last, or to
            `Located`; such as `PosePredictor.predict_crops`.
        source: layout of its joints.
        target: the same layout; or one in the picture, whose joints the source has
            under the same names, or `pa16j2d`, if the source has its way to that.

    Raises:
        ValueError: if the target is another.
    """
    if source is target:
        return predict
    joints = _joints_of(source, target)
    if joints is None:
        known = source.joint_names
        lacking = ", ".join(one for one in target.joint_names if one not in known)
        raise ValueError(
            f"the data set's joints must be the network's, or some of them by name. "
            f"Received: {target.__name__} of {source.__name__}, which has not: "
            f"{lacking or 'its third dimension'}"
        )
    columns = [*range(source.dim if target.dim == source.dim else 2), source.dim]

    def chosen(*args, **options):
        found = predict(*args, **options)
        if isinstance(found, Located):
            return found._replace(joints=found.joints[:, :, joints][..., columns])
        return found[:, :, joints][..., columns]

    return chosen


def _joints_of(source, target) -> list[int] | None:
    """The rows of the target's joints in the source; None if it has not all of them."""
    if target.dim not in (2, source.dim):
        return None
    if target is pa16j2d and hasattr(source, "map_to_pa16j"):
        return source.map_to_pa16j
    names = list(source.joint_names)
    if not set(target.joint_names) <= set(names):
        return None
    return [names.index(name) for name in target.joint_names]
