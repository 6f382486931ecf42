"""What each prediction of SPNet costs, and what it scores."""

import argparse
import logging

import keras
import numpy as np

from deephar.data.clips import ClipDataset
from deephar.evaluation.cuts import speed, time_in_turn
from deephar.evaluation.frames import predict_frames, score_frames
from deephar.experiment.compute import Compute
from deephar.experiment.people_scores import part_predictor, score_mpii
from deephar.experiment.recognition import clip_predictor, score_videos
from deephar.frameworks import processor
from deephar.inference.folding import fold_batch_norm
from deephar.models import spnet
from deephar.networks.building import build_network, model_config
from deephar.utils.machine import cores
from deephar.utils.modes import TEST_MODE
from deephar.utils.numbers import positive_int

logger = logging.getLogger(__name__)


def add_cut_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds what is timed, and how often."""
    group = parser.add_argument_group("time")
    add = group.add_argument
    numbers = {"type": positive_int, "nargs": "+", "metavar": "K"}
    add("--predictions", help="cuts, counted from 1 (default: all)", **numbers)
    number = {"type": positive_int, "metavar": "N"}
    add("--timed-clips", default=2, help="clips a timed step (%(default)s)", **number)
    add("--repeats", default=20, help="timed steps of each cut (%(default)s)", **number)


def _chosen_predictions(args: argparse.Namespace, settings: dict) -> dict:
    """The predictions of the flags by their number, each once."""
    known = dict(enumerate(spnet.predictions(model_config(settings)), start=1))
    chosen = sorted(set(args.predictions or known))
    if chosen[-1] > len(known):
        raise ValueError(
            f"--predictions: the network has {len(known)}. Received: {chosen[-1]}"
        )
    return {number: known[number] for number in chosen}


def score_cuts(
    args: argparse.Namespace,
    compute: Compute,
    settings: dict,
    videos: ClipDataset,
    frames: ClipDataset | None,
) -> dict:
    """Scores and times the network cut after each of the predictions of the flags.

    Args:
        args: parsed arguments of `add_clip_arguments` and `add_cut_arguments`, with
            `mpii`, a folder or None, and `eval_frames`.
        compute: what `configure_compute` chose.
        settings: what `network_settings` returned.
        videos: whose actions are told.
        frames: whose poses are found where `args.mpii` is None.

    Returns:
        As of `evaluation.cuts.cut_page`, without a receipt.

    Raises:
        ValueError: if the network has not so many predictions.
    """
    chosen = _chosen_predictions(args, settings)
    model = build_network(settings["network"], settings, weights=args.weights)
    predictor = part_predictor(args, compute, model, settings)
    poses = _pose_scores(args, settings, predictor, frames)
    actions = score_videos(args, clip_predictor(args, compute, model), videos, False)
    times = _time(args, compute, model, settings, list(chosen))
    return {
        "cuts": [
            {**_scores(number, one, poses, actions), **time}
            for (number, one), time in zip(chosen.items(), times, strict=True)
        ],
        "batch_size": args.timed_clips,
        "frames": settings["frames"],
        "repeats": args.repeats,
        "device": processor().name,
        "cores": cores(),
        "precision": compute.precision,
        "videos": actions["videos"],
        "unreadable": actions["unreadable"],
        "too_short": actions["too_short"],
    }


def _scores(number: int, one: spnet.Prediction, poses: dict, actions: dict) -> dict:
    """What a prediction is, and what it scores; None for an action that is not."""
    action = one.actions[0] if one.actions else None
    return {
        "prediction": number,
        "pose": one.pose,
        "action": action,
        **{key: values[number - 1] for key, values in poses.items()},
        "accuracy": actions["outputs"].get(action),
        "accuracy_original": actions["outputs_original"].get(action),
    }


def _pose_scores(
    args: argparse.Namespace, settings: dict, predictor, frames
) -> dict[str, list[float]]:
    """Scores of the poses of all predictions, by kind."""
    if args.mpii is None:
        return {"pck": _torso_scores(args, predictor, frames)}
    people = score_mpii(predictor, args.mpii, settings, args.workers)
    return {"pckh": people["blocks"], "pckh_original": people["blocks_original"]}


def _torso_scores(args, predictor, frames) -> list[float]:
    """PCK by the torso of every prediction."""
    looked = predict_frames(
        predictor.predict_crops,
        frames,
        TEST_MODE,
        args.eval_frames,
        batch_size=args.batch_size,
        workers=args.workers,
    )
    return score_frames(looked, frames.poselayout)["blocks"]


def _time(
    args: argparse.Namespace,
    compute: Compute,
    model: keras.Model,
    settings: dict,
    numbers: list[int],
) -> list[dict]:
    """The speed and the size of every cut, on clips of noise."""
    config = model_config(settings)
    shape = (args.timed_clips, *config.input_shape)
    noise = np.random.default_rng(args.seed).uniform(-1, 1, shape)
    clips = keras.ops.convert_to_tensor(noise.astype(np.float32))
    cuts = [spnet.cut(model, config, number) for number in numbers]
    sizes = [cut.count_params() for cut in cuts]
    if compute.fold:
        cuts = [fold_batch_norm(cut) for cut in cuts]
    for cut in cuts:
        cut.jit_compile = compute.jit
    logger.info("timing %d cuts, %d steps each", len(cuts), args.repeats)
    runs = [lambda cut=cut: cut.predict_on_batch(clips) for cut in cuts]
    seconds = time_in_turn(runs, args.repeats)
    frames = args.timed_clips * settings["frames"]
    return [
        {"parameters": size, **speed(times, frames)}
        for size, times in zip(sizes, seconds, strict=True)
    ]
