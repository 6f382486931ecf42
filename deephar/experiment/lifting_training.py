"""The training of temporal lifting by the flags of its scripts."""

import argparse
import logging
import math
import pathlib
from collections.abc import Callable, Mapping

import keras

from deephar.checkpoints.lifting import LiftingCheckpoint
from deephar.data.lifting import LiftingData
from deephar.data.lifting_loaders import ChunkedLoader
from deephar.devices import on_gpu
from deephar.evaluation.lifting import epoch_errors, plot_training
from deephar.experiment.lifting import (
    POSE,
    TRAJECTORY,
    Weights,
    actions_of,
    find_checkpoint,
    lifter_of,
    lifting_data,
    network_arguments_of,
    read_weights,
    refuse_unknown,
    score_of,
    write_scores,
)
from deephar.experiment.lifting_flags import check_pairs, flag_of
from deephar.experiment.run import open_run
from deephar.models import lifting
from deephar.optimizers import adam
from deephar.trainer.lifting import LAST, LOSSES, LiftingRecipe, LiftingTrainer
from deephar.trainer.lifting_step import LiftingStep

logger = logging.getLogger(__name__)

_SEED = 1234
"""The original's seed of the data's order, that of --seed 0."""

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
        refuse_earlier(folder, args.overwrite)
    open_run(args)
    data = lifting_data(args)
    refuse_unknown(data, [*args.subjects_test, *args.subjects_unlabeled])
    keras.utils.set_random_seed(args.seed)
    models = _models(args, data, weights)
    trainer = _trainer(args, data, models)
    if weights is None:
        clear_earlier(folder)
    else:
        trainer.restore(weights.checkpoint, weights.path)
        _check_rate(args, weights.checkpoint, weights.path)
    trainer.train()
    scores = score_of(args, data, models[POSE])
    about = {"weights": str(folder / LAST), "epochs": trainer.epoch}
    return write_scores(args, scores, about)


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
        value = tuple(value) if isinstance(value, list) else value
        if name not in args.given:
            setattr(args, name, value)
        elif getattr(args, name) != value and name not in _FREE:
            raise ValueError(
                f"{weights.path}: {flag_of(name)} was {_shown(value)}, and "
                "a training that goes on must not change it. "
                f"Received: {_shown(getattr(args, name))}"
            )
    check_pairs(args)
    semi = weights.checkpoint.model_traj is not None
    if semi != bool(args.subjects_unlabeled):
        kind = "semi-supervised" if semi else "supervised"
        raise ValueError(
            f"{weights.path}: is of a {kind} training. Received: "
            f"--subjects-unlabeled {_shown(args.subjects_unlabeled)}"
        )
    return weights


def refuse_earlier(folder: pathlib.Path, overwrite: bool) -> None:
    """Refuses a folder that holds another training, unless it may be replaced.

    Raises:
        FileExistsError: if there is one and `overwrite` is false.
    """
    earlier = _earlier(folder)
    if earlier and not overwrite:
        raise FileExistsError(
            f"{folder}: holds an earlier training ({earlier[0].name}); go on with it "
            f"(--resume {LAST}), choose another folder (-c), or --overwrite"
        )


def clear_earlier(folder: pathlib.Path) -> None:
    """Removes the checkpoints and losses of an earlier training."""
    for path in _earlier(folder):
        path.unlink()


def _earlier(folder: pathlib.Path) -> list[pathlib.Path]:
    names = ("epoch_*.bin", LAST, LOSSES)
    return [path for name in names for path in sorted(folder.glob(name))]


def _models(
    args: argparse.Namespace, data: LiftingData, weights: Weights | None
) -> dict[str, keras.Model]:
    """The networks as they are saved, for sequences of any length."""
    arguments = network_arguments_of(args, data, weights)
    models = {POSE: lifting.build(**arguments)}
    if args.subjects_unlabeled:
        models[TRAJECTORY] = lifting.build(**arguments | {"num_joints_out": 1})
    for name, model in models.items():
        count = sum(math.prod(v.shape) for v in model.trainable_variables)
        logger.info("%s: %s parameters", name, f"{count:,}")
    return models


def _trainer(
    args: argparse.Namespace, data: LiftingData, models: Mapping[str, keras.Model]
) -> LiftingTrainer:
    shape = lifting.settings(models[POSE])
    widths = shape["filter_widths"]
    pad, shift = lifting.padding(widths), lifting.causal_shift(widths, shape["causal"])
    single = args.stride == 1 and not shape["dense"] and not args.disable_optimizations
    trained = {
        name: _strided(model) if single else model for name, model in models.items()
    }
    step = LiftingStep(
        trained[POSE],
        adam(args.learning_rate, amsgrad=True),
        trained.get(TRAJECTORY),
        parents=data.skeleton.parents,
        linear_projection=args.linear_projection,
        bone_length=not args.no_bone_length,
        projection=not args.no_proj,
        target_frame=pad + shift,
        jit=on_gpu(),
    )
    labelled, unlabelled = _loaders(args, data, pad, shift)
    recipe = LiftingRecipe(
        args.epochs,
        args.learning_rate,
        args.lr_decay,
        args.warmup,
        args.checkpoint_frequency,
    )
    folder = pathlib.Path(args.checkpoint)

    def set_momentum(momentum):
        for model in models.values():
            lifting.set_batch_norm_momentum(model, momentum)

    def draw(rows):
        plot_training(folder, rows)

    return LiftingTrainer(
        *(recipe, step, models, labelled, unlabelled),
        folder=folder,
        set_momentum=set_momentum,
        evaluate=None if args.no_eval else _evaluation(args, data, models),
        after_epoch=draw if args.export_training_curves else None,
        about=_about(args, data, shape),
    )


def _strided(model: keras.Model) -> keras.Model:
    arguments = lifting.settings(model)
    arguments.pop("dense")
    return lifting.build_strided(**arguments, model=model)


def _loaders(args, data: LiftingData, pad: int, shift: int):
    """Loaders of labelled and of unlabelled chunks; None where there are none."""
    actions, every = actions_of(args), args.downsample
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
    chunks = (args.batch_size // args.stride,)
    parts = {"subset": args.subset, "downsample": every}
    sequences = data.sequences(args.subjects_train, actions, **parts)
    labelled = ChunkedLoader(*chunks, sequences, args.stride, **options)
    logger.info(
        "%d labelled frames, %d batches", labelled.num_frames, labelled.num_batches
    )
    if not args.subjects_unlabeled:
        return labelled, None
    parts = {"downsample": every, "labelled": False}
    sequences = data.sequences(args.subjects_unlabeled, actions, **parts)
    for one in sequences:
        if one.intrinsics is None:
            raise ValueError(
                "--subjects-unlabeled needs the lens of every camera. "
                f"Received: none of {one.subject}, camera {one.camera}"
            )
    unlabelled = ChunkedLoader(*chunks, sequences, args.stride, endless=True, **options)
    logger.info("%d unlabelled frames", unlabelled.num_frames)
    return labelled, unlabelled


def _evaluation(
    args: argparse.Namespace, data: LiftingData, models: Mapping[str, keras.Model]
) -> Callable[[], dict[str, float]]:
    """A function that scores the networks on what they train on, and on the test's."""
    actions, every = actions_of(args), {"downsample": args.downsample}
    parts = {
        "train": data.sequences(
            args.subjects_train, actions, subset=args.subset, **every
        ),
        "valid": data.sequences(args.subjects_test, actions),
    }
    if args.subjects_unlabeled:
        semi = (args.subjects_unlabeled, actions)
        parts["unlabelled"] = data.sequences(*semi, **every, labelled=False)

    def evaluate():
        predict = [lifter_of(models[POSE], data, flip=False).lift]
        if TRAJECTORY in models:
            root = lifter_of(models[TRAJECTORY], data, flip=False, joints=False)
            predict.append(root.lift)
        return {
            f"{part}_{name}": error
            for part, sequences in parts.items()
            for name, error in epoch_errors(
                sequences, *predict, linear=args.linear_projection
            ).items()
        }

    return evaluate


def _about(args: argparse.Namespace, data: LiftingData, shape: Mapping) -> dict:
    """What a checkpoint keeps of its training: plain values."""
    training = {name: getattr(args, name) for name in _RECORDED}
    return {
        "network": _plain(shape),
        "training": _plain(training),
        "layout": data.layout_name,
    }


def _check_rate(
    args: argparse.Namespace, checkpoint: LiftingCheckpoint, path: pathlib.Path
) -> None:
    """Refuses a checkpoint whose learning rate is not that of the flags."""
    rate = args.learning_rate * args.lr_decay**checkpoint.epoch
    if not math.isclose(rate, checkpoint.lr, rel_tol=1e-6):
        raise ValueError(
            f"{path}: goes on with the learning rate {checkpoint.lr:.6g}. Received: "
            f"--learning-rate {args.learning_rate} --lr-decay {args.lr_decay}, which "
            f"give {rate:.6g} after {checkpoint.epoch} epochs"
        )


def _plain(values: Mapping) -> dict:
    return {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}


def _shown(value) -> str:
    if isinstance(value, tuple):
        return ",".join(map(str, value)) or "none"
    return str(value)
