"""Two ways to evaluate videos by many clips: together, and each alone."""

import dataclasses

import numpy as np

from deephar.config import pennaction_ar_dataconf
from deephar.data import PennAction
from deephar.evaluation.action import predict_actions
from deephar.utils.modes import TEST_MODE

CALLS = {
    "predict": lambda model, clip: model.predict(clip, verbose=0),
    "batch": lambda model, clip: model.predict_on_batch(clip),
}
"""How a clip goes through the whole model; the original's is `predict`."""


def open_both(folder, args):
    """The data set of the flags, and its mirror image."""
    data = []
    for flip in (0, 1):
        shape = {"crop_resolution": (args.size, args.size), "fixed_hflip": flip}
        config = dataclasses.replace(pennaction_ar_dataconf, **shape)
        options = {"use_gt_bbox": args.boxes == "truth", "clip_size": args.frames}
        data.append(PennAction(folder, config, **options))
    return data


def together(predictor, data, args):
    """Products over a video's looks, `(videos, outputs, classes)`."""
    options = {"batch_size": args.batch_size, "workers": args.workers, "flip": True}
    found = predict_actions(predictor, data[0], subsamples=args.steps, **options)
    return np.moveaxis(found.products, 1, 0)


def alone(model, data, args):
    """The same, clip by clip; `data` are the data set and its mirror image."""
    results = []
    for key in range(data[0].get_length(TEST_MODE)):
        product = np.ones(())
        for frames in data[0].get_clip_index(key, TEST_MODE, args.steps):
            for one in data:
                clip = one.get_data(key, TEST_MODE, frame_list=frames)["frame"]
                found = np.stack(CALLS[args.call](model, clip[None]))[:, 0]
                product = product * found.astype(np.float64)
        results.append(product)
    return np.stack(results)
