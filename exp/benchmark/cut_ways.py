"""Networks cut after each of their predictions: what they score, and how they run."""

import functools

import numpy as np

from deephar.config import (
    ntu_ar_dataconf,
    ntu_dataconf,
    pennaction_ar_dataconf,
    pennaction_dataconf,
)
from deephar.data import Ntu, PennAction
from deephar.experiment.people_scores import score_mpii
from deephar.experiment.recognition import score_videos
from deephar.experiment.settings import sized
from deephar.inference import ClipPredictor, PosePredictor
from deephar.inference.loading import load
from deephar.inference.predictor import cut_model
from deephar.models import spnet
from deephar.networks import (
    NETWORKS,
    clip_networks,
    count_cuts,
    cut_network,
    pose_networks,
    pose_view,
    poselayout,
)
from deephar.networks.building import model_config

_VIDEOS = {
    "penn": (PennAction, pennaction_ar_dataconf, pennaction_dataconf),
    "ntu": (Ntu, ntu_ar_dataconf, ntu_dataconf),
}
"""Data sets by flag, with the configuration of merged networks and of SPNets."""


def cut_poses(args, weights):
    """Yields (block, parameters, score, run) of each prediction of poses.

    `run` makes what is timed of a number of crops.
    """
    found = load(weights, pose_networks("mpii"), args.device, args.precision)
    view, layout = pose_view(found.model, found.settings), poselayout(found.settings)
    options = {"fold": args.fold, "jit": args.jit, "device": args.device}
    whole = PosePredictor(view, layout, batch_size=args.eval_batch_size, **options)
    scores = score_mpii(whole, args.mpii, found.settings, args.workers)["blocks"]
    for block, score in enumerate(scores, start=1):
        if args.predictions and block not in args.predictions:
            continue
        predictor = PosePredictor(view, layout, block=block, **options)
        parameters = cut_model(view, layout.dim, block).count_params()
        run = functools.partial(_run, predictor.predict_crops, view.input_shape[1:])
        yield block, parameters, score, run


def cut_actions(args, weights):
    """As `cut_poses`, of each prediction of actions; `run` takes a number of clips."""
    found = load(weights, clip_networks(), args.device, args.precision)
    settings, known = found.settings, None
    videos = _open_videos(args, settings)
    spnets = NETWORKS[settings["network"]].family.architecture == "spnet"
    if spnets:
        known = score_videos(args, _predictor(args, found.model), videos, False)
        plan = enumerate(spnet.predictions(model_config(settings)), start=1)
        blocks = {block: one.actions[0] for block, one in plan if one.actions}
    else:
        blocks = dict.fromkeys(range(1, count_cuts(settings) + 1), "m")
    for block, output in blocks.items():
        if args.predictions and block not in args.predictions:
            continue
        model, _ = cut_network(found.model, settings, block)
        predictor = _predictor(args, model)
        if not spnets:
            known = score_videos(args, predictor, videos, False)
        shape = model.input_shape[1:]
        run = functools.partial(_run, predictor.predict_clips, shape)
        yield block, model.count_params(), known["outputs"][output], run


def _predictor(args, model):
    options = {"fold": args.fold, "jit": args.jit, "device": args.device}
    return ClipPredictor(model, args.eval_batch_size, **options)


def _open_videos(args, settings):
    """The test videos of the flags, for a network."""
    name = "penn" if args.penn else "ntu"
    kind, merged, spnets = _VIDEOS[name]
    architecture = NETWORKS[settings["network"]].family.architecture
    config = spnets if architecture == "spnet" else merged
    options = {key: settings[key] for key in ("protocol",) if key in settings}
    options |= {"clip_size": settings["frames"], "use_gt_bbox": True}
    layout = poselayout(settings)
    return kind(getattr(args, name), sized(config, settings), layout, **options)


def _run(predict, shape, size):
    """What is timed: so many crops or clips of noise, which cost what others do."""
    noise = np.random.default_rng(0).uniform(-1, 1, (size, *shape)).astype(np.float32)
    return functools.partial(predict, noise)
