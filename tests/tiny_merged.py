"""A small merged model of actions, and clips for it."""

import numpy as np
from formula_weights import formula_pictures, set_formula_weights

from deephar.models import action, reception

FRAMES, SIZE, JOINTS, ACTIONS = 8, (32, 32, 3), 4, 3


def build_pose(dim=2, num_blocks=2, **options):
    """Its pose network; 3D has 4 depth maps."""
    options = {"depth_maps": 4, "concat_pose_confidence": False, **options}
    return reception.build(SIZE, JOINTS, dim, num_blocks=num_blocks, **options)


def build_merged(dim=2, num_blocks=2, model_pe=None, **options):
    """A merged model on a pose network of `build_pose`, with formula weights."""
    model_pe = model_pe or build_pose(dim, num_blocks)
    options = {"pose_dim": dim, "depth_maps": 4, **options}
    sizes = (ACTIONS, SIZE, FRAMES, JOINTS, num_blocks)
    model = action.build_merge_model(model_pe, *sizes, **options)
    set_formula_weights(model)
    return model


def formula_clips(number=2, shape=(FRAMES, *SIZE)):
    """Clips `(number, *shape)` in [-1, 1], frames of different colours."""
    colours = np.random.RandomState(8).uniform(-1, 1, (number, shape[0], 1, 1, 3))
    noise = formula_pictures((number, *shape))
    return (0.7 * colours + 0.3 * noise).astype("float32")
