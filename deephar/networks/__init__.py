"""The networks of the papers: properties, what weights are of, how they are built.

recipes        the networks that the package knows, and their settings
known_weights  what weights are known to be of;  published: by the authors' table
shipped        small weights that come with the package
settings       of weights, before any flag
building       from the settings to the network;  lifting: from a checkpoint
cuts           what ends after some of its predictions
classes        what their actions are called
"""

from deephar.networks.building import (
    build_network,
    cut_network,
    load_network,
    model_config,
    num_predictions,
    pose_view,
)
from deephar.networks.classes import class_names
from deephar.networks.cuts import count_cuts, cut_settings
from deephar.networks.known_weights import (
    MODEL_FILE,
    NAMED,
    describes,
    network_of,
    replaced_heads,
    what_is_known,
)
from deephar.networks.recipes import (
    NETWORKS,
    clip_networks,
    default_settings,
    pose_networks,
    poselayout,
)
from deephar.networks.settings import pose_part_settings, weights_settings
from deephar.networks.shipped import SHIPPED, SMALL_ACTION, SMALL_LIFT, SMALL_POSE

__all__ = [
    "MODEL_FILE",
    "NAMED",
    "NETWORKS",
    "SHIPPED",
    "SMALL_ACTION",
    "SMALL_LIFT",
    "SMALL_POSE",
    "build_network",
    "class_names",
    "clip_networks",
    "count_cuts",
    "cut_network",
    "cut_settings",
    "default_settings",
    "describes",
    "load_network",
    "model_config",
    "network_of",
    "num_predictions",
    "pose_networks",
    "pose_part_settings",
    "pose_view",
    "poselayout",
    "replaced_heads",
    "weights_settings",
    "what_is_known",
]
