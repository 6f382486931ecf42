"""Predicts the actions of clips, shared among workers, and writes down what came out.

    python clip_worker_run.py OUT.npz KIND [--replicas N]

KIND is a strategy of `deephar.devices`. Run by test_clip_workers.py, in processes of
their own because devices are set up once.
"""

import argparse
import pathlib

import numpy as np
from tiny_merged import ACTIONS, FRAMES, SIZE, build_merged, formula_clips
from tiny_videos import TinyVideos

from deephar import devices
from deephar.evaluation.action import GROUP, predict_actions
from deephar.experiment.compute import Compute
from deephar.experiment.described import DescribedClips
from deephar.experiment.training import TrainingRun
from deephar.utils.modes import TEST_MODE, TRAIN_MODE

LENGTHS = [8, 8, 5, 5, *[8] * (GROUP - 1)]
"""More videos, and more frames of the first four, for the first of two workers."""


class Videos(TinyVideos):
    """Two or all of some videos of noise, for the tiny merged network."""

    clip_size = FRAMES
    action_labels = tuple(f"action{number}" for number in range(ACTIONS))
    pictures = formula_clips(len(LENGTHS), (max(LENGTHS), *SIZE))

    def __init__(self, first, last):
        super().__init__(LENGTHS[first:last], [0] * (last - first))
        self.first = first

    def crop_frame(self, source, window, hflip=0):
        video, number = source
        frame = self.pictures[self.first + video, number]
        return frame[:, ::-1] if hflip else frame


def predict(args):
    """What this process finds: scores of all videos, features of its own clips."""
    strategy = devices.make_strategy(args.kind, args.replicas)
    with strategy.scope():
        model = build_merged(num_blocks=1)
    worker = devices.this_worker(args.kind)
    compute = Compute("float32", False)
    run = TrainingRun(args, args.out.parent, worker, strategy, compute, False)
    predictor = run.clip_predictor(model)
    found = predict_actions(
        predictor, Videos(0, len(LENGTHS)), TEST_MODE, **run.sharing
    )
    features = []
    for part in (0, 1) if len(worker.addresses) == 1 else (worker.index,):
        clips = DescribedClips(
            predictor, Videos(2 * part, 2 * part + 2), TRAIN_MODE, "action"
        )
        keys = range(clips.get_length(TRAIN_MODE))
        features += [clips.get_data(key, TRAIN_MODE)["features"] for key in keys]
    return {"scores": found.scores, "features": np.stack(features)}


def parse(argv=None):
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("kind")
    parser.add_argument("--replicas", type=int)
    parser.add_argument("--eval-batch-size", type=int, default=16)
    return parser.parse_args(argv)


if __name__ == "__main__":
    args = parse()
    np.savez(args.out, **predict(args))
