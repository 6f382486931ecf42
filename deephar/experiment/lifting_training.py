"""The training of temporal lifting by the flags of its scripts."""

import argparse
import logging
import math
import pathlib
import zlib
from collections.abc import Callable, Mapping

import keras

from deephar.callbacks import TrainingPage
from deephar.data.lifting import LiftingData, Sequence
from deephar.data.lifting_loaders import ChunkedLoader
from deephar.devices import on_gpu
from deephar.evaluation.lifting import epoch_errors, plot_training
from deephar.evaluation.training_page import TRAINING_PAGE, write_training_page
from deephar.experiment.lifting import (
    POSE,
    TRAJECTORY,
    Weights,
    actions_of,
    as_typed,
    find_checkpoint,
    finish_lifting,
    lifter_of,
    lifting_data,
    network_arguments_of,
    read_weights,
    scored_sequences,
)
from deephar.experiment.lifting_flags import check_pairs, flag_of
from deephar.experiment.run import (
    clear_earlier_training,
    open_run,
    refuse_earlier_training,
)
from deephar.models import lifting
from deephar.optimizers import adam
from deephar.trainer.lifting import LAST, LOSSES, LiftingRecipe, LiftingTrainer
from deephar.trainer.lifting_step import LiftingStep

logger = logging.getLogger(__name__)

_SEED = 1234
"""The original's seed of the data's order, that of --seed 0."""

_FILES = ("epoch_*.bin", LAST, LOSSES, "loss_*.png", TRAINING_PAGE)
"""What a training writes."""

_FREE = frozenset({"epochs", "subjects_test"})
_RECORDED = (
    *("dataset", "keypoints", "subjects_train", "subjects_unlabeled", "actions"),
    *("subjects_test", "seed", "disable_optimizations", "stride", "epochs"),
    *("batch_size", "dropout", "learning_rate", "lr_decay", "no_data_augmentation"),
    *("subset", "downsample", "warmup", "linear_projection", "no_bone_length"),
    *("no_proj", "architecture", "channels", "causal", "dense"),
)
"""Flags that a checkpoint keeps; of these a resumed training may change _FREE."""


def train_lifting(args: argparse.Namespace) -> str:
    """Trains by the flags of `parse_lifting`, then evaluates.

    Returns:
        The text of evaluation.md.

    Raises:
        OSError, ValueError: if flags, data and checkpoint do not fit together.
        FloatingPointError: if a loss is not finite.
        KeyboardInterrupt: after Ctrl-C or SIGTERM.
    """
    folder = pathlib.Path(args.checkpoint)
    weights = _weights_to_resume(args)
    if weights is None or weights.path.resolve().parent != folder.resolve():
        refuse_earlier_training(folder, args.overwrite, _FILES)
    open_run(args)
    data = lifting_data(args)
    tested = scored_sequences(args, data)
    trainer = lifting_trainer(args, data, tested, weights)
    if weights is None:
        clear_earlier_training(folder, _FILES)
    path = folder / LAST if trainer.epoch < args.epochs else weights.path
    try:
        trainer.train()
    finally:
        write_training_page(folder)
    about = {"weights": str(path), "epochs": trainer.epoch}
    return finish_lifting(args, data, trainer.models[POSE], tested, about)


def _weights_to_resume(args: argparse.Namespace) -> Weights | None:
    """The checkpoint to go on from, whose flags `args` takes over; None without."""
    if not args.resume:
        return None
    weights = read_weights(find_checkpoint(args, args.resume))
    if weights.checkpoint is None:
        raise ValueError(
            f"{weights.path}: a training goes on from a checkpoint, such as "
            "epoch_N.bin, not from weights alone"
        )
    for name in _RECORDED:
        if name not in weights.training:
            continue
        value = weights.training[name]
        if name not in args.given:
            setattr(args, name, value)
        elif getattr(args, name) != value and name not in _FREE:
            raise ValueError(
                f"{weights.path}: {flag_of(name)} was {as_typed(value)}, and "
                "a training that goes on must not change it. "
                f"Received: {as_typed(getattr(args, name))}"
            )
    check_pairs(args)
    semi = weights.checkpoint.model_traj is not None
    if semi != bool(args.subjects_unlabeled):
        kind = "semi-supervised" if semi else "supervised"
        raise ValueError(
            f"{weights.path}: is of a {kind} training. Received: "
            f"--subjects-unlabeled {as_typed(args.subjects_unlabeled)}"
        )
    _check_epochs(args, weights)
    return weights


def _check_epochs(args: argparse.Namespace, weights: Weights) -> None:
    """Refuses a training with nothing left to do, but for its scores."""
    done = weights.checkpoint.epoch
    here = weights.path.resolve().parent == pathlib.Path(args.checkpoint).resolve()
    own = here and bool(weights.training)
    if done > args.epochs or done == args.epochs and not own:
        raise ValueError(
            f"{weights.path}: {done} epochs are done; to go on --epochs must be more, "
            f"to score it take --evaluate. Received: --epochs {args.epochs}"
        )


def _models(
    args: argparse.Namespace, data: LiftingData, weights: Weights | None
) -> dict[str, keras.Model]:
    """The networks as they are saved, for sequences of any length."""
    keras.utils.set_random_seed(args.seed)
    arguments = network_arguments_of(args, data, weights)
    models = {POSE: lifting.build(**arguments)}
    if args.subjects_unlabeled:
        models[TRAJECTORY] = lifting.build(**arguments | {"num_joints_out": 1})
    for name, model in models.items():
        count = sum(math.prod(v.shape) for v in model.trainable_variables)
        logger.info("%s: %s parameters", name, f"{count:,}")
    return models


def lifting_trainer(
    args: argparse.Namespace,
    data: LiftingData,
    tested: Mapping[str, list[Sequence]],
    weights: Weights | None = None,
) -> LiftingTrainer:
    """The training of the flags, at its beginning or where a checkpoint left it.

    Args:
        args: of `parse_lifting`.
        data: of `lifting_data`.
        tested: of `scored_sequences`.
        weights: the checkpoint to go on from.

    Raises:
        ValueError: if flags, data and checkpoint do not fit together.
    """
    models = _models(args, data, weights)
    sequences = _sequences(args, data)
    about = _about(args, data, models)
    labelled, unlabelled = _loaders(args, data, models, sequences)
    evaluate = None
    if not args.no_eval:
        valid = [sequence for one in tested.values() for sequence in one]
        parts = {"train": sequences["train"], "valid": valid, **sequences}
        evaluate = _evaluation(args, data, models, parts)
    folder = pathlib.Path(args.checkpoint)
    page = TrainingPage(folder)

    def draw(rows):
        if args.export_training_curves:
            plot_training(folder, rows)
        page.on_epoch_end(trainer.epoch - 1)

    trainer = LiftingTrainer(
        *(_recipe(args), _step(args, data, models), models, labelled, unlabelled),
        folder=folder,
        evaluate=evaluate,
        after_epoch=draw,
        about=about,
    )
    if weights is not None:
        _check_course(args, about, weights)
        trainer.restore(weights.checkpoint, weights.path)
    return trainer


def _recipe(args: argparse.Namespace) -> LiftingRecipe:
    return LiftingRecipe(
        args.epochs,
        args.learning_rate,
        args.lr_decay,
        args.warmup,
        args.checkpoint_frequency,
    )


def _reach(model: keras.Model) -> tuple[int, int]:
    """Padding and causal shift of a network."""
    shape = lifting.settings(model)
    widths = shape["filter_widths"]
    return lifting.padding(widths), lifting.causal_shift(widths, shape["causal"])


def _step(
    args: argparse.Namespace, data: LiftingData, models: Mapping[str, keras.Model]
) -> LiftingStep:
    dense = lifting.settings(models[POSE])["dense"]
    dilated = args.stride > 1 or dense or args.disable_optimizations
    trained = {
        name: model if dilated else _strided(model) for name, model in models.items()
    }
    return LiftingStep(
        trained[POSE],
        adam(args.learning_rate, amsgrad=True),
        trained.get(TRAJECTORY),
        parents=data.skeleton.parents,
        linear_projection=args.linear_projection,
        bone_length=not args.no_bone_length,
        projection=not args.no_proj,
        target_frame=sum(_reach(models[POSE])),
        jit=on_gpu(),
    )


def _strided(model: keras.Model) -> keras.Model:
    arguments = lifting.settings(model)
    arguments.pop("dense")
    return lifting.build_strided(**arguments, model=model)


def _sequences(args: argparse.Namespace, data: LiftingData) -> dict:
    """What is learned from: "train", and "unlabelled" if there are such subjects."""
    actions, every = actions_of(args), {"downsample": args.downsample}
    train = data.sequences(args.subjects_train, actions, args.subset, **every)
    found = {"train": train}
    if args.subjects_unlabeled:
        semi = (args.subjects_unlabeled, actions)
        found["unlabelled"] = data.sequences(*semi, **every, labelled=False)
        for one in found["unlabelled"]:
            if one.intrinsics is None:
                raise ValueError(
                    "--subjects-unlabeled needs the lens of every camera. "
                    f"Received: none of {one.subject}, camera {one.camera}"
                )
    return found


def _loaders(
    args: argparse.Namespace,
    data: LiftingData,
    models: Mapping[str, keras.Model],
    sequences: Mapping[str, list[Sequence]],
) -> tuple[ChunkedLoader, ChunkedLoader | None]:
    """Loaders of labelled and of unlabelled chunks; None where there are none."""
    pad, shift = _reach(models[POSE])
    options = {
        "pad": pad,
        "causal_shift": shift,
        "random_seed": _SEED + args.seed,
        "augment": not args.no_data_augmentation,
        "joints_left": data.skeleton.joints_left,
        "joints_right": data.skeleton.joints_right,
        "keypoints_left": data.keypoints_left,
        "keypoints_right": data.keypoints_right,
    }
    size = args.batch_size // args.stride
    labelled = ChunkedLoader(size, sequences["train"], args.stride, **options)
    count = (labelled.num_frames, labelled.num_batches)
    logger.info("%d labelled frames, %d batches", *count)
    if "unlabelled" not in sequences:
        return labelled, None
    parts = (sequences["unlabelled"], args.stride)
    unlabelled = ChunkedLoader(size, *parts, endless=True, **options)
    logger.info("%d unlabelled frames", unlabelled.num_frames)
    return labelled, unlabelled


def _evaluation(
    args: argparse.Namespace,
    data: LiftingData,
    models: Mapping[str, keras.Model],
    parts: Mapping[str, list[Sequence]],
) -> Callable[[Callable[[], None]], dict[str, float]]:
    """A function that scores the networks on what they train on, and on the test's.

    It calls what it is given before each sequence.
    """

    def evaluate(pause):
        def lifting_by(name):
            lifter = lifter_of(models[name], data, flip=False, joints=name == POSE)

            def lift(keypoints):
                pause()
                return lifter.lift(keypoints)

            return lift

        predict = [lifting_by(name) for name in (POSE, TRAJECTORY) if name in models]
        return {
            f"{part}_{name}": error
            for part, sequences in parts.items()
            for name, error in epoch_errors(
                sequences, *predict, linear=args.linear_projection
            ).items()
        }

    return evaluate


def _about(
    args: argparse.Namespace, data: LiftingData, models: Mapping[str, keras.Model]
) -> dict:
    """What a checkpoint keeps of its training: plain values."""
    training = {name: getattr(args, name) for name in _RECORDED}
    return {
        "network": _plain(lifting.settings(models[POSE])),
        "training": _plain(training),
        "layout": data.layout_name,
        "cameras": _sum_of_cameras(args, data),
    }


def _sum_of_cameras(args: argparse.Namespace, data: LiftingData) -> int:
    """A checksum of the cameras of those who are learned from."""
    total = 0
    for subject in (*args.subjects_train, *args.subjects_unlabeled):
        for camera in data.cameras[subject]:
            for part in (camera.orientation, camera.translation, camera.intrinsics):
                total = zlib.crc32(b"" if part is None else part.tobytes(), total)
    return total


def _check_course(args: argparse.Namespace, about: Mapping, weights: Weights) -> None:
    """Refuses a checkpoint of other cameras, or of another learning rate."""
    cameras = weights.checkpoint.deephar.get("cameras", about["cameras"])
    if cameras != about["cameras"]:
        raise ValueError(
            f"{weights.path}: a training that goes on must not change its cameras. "
            f"Received: others, --cameras {args.cameras}"
        )
    rate, done = weights.checkpoint.lr, weights.checkpoint.epoch
    due = args.learning_rate * args.lr_decay**done
    if rate is not None and not math.isclose(due, rate, rel_tol=1e-6):
        raise ValueError(
            f"{weights.path}: goes on with the learning rate {rate:.6g}. Received: "
            f"--learning-rate {args.learning_rate} --lr-decay {args.lr_decay}, which "
            f"give {due:.6g} after {done} epochs"
        )


def _plain(values: Mapping) -> dict:
    return {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}
