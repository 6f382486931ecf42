"""The networks that the scripts know: their properties, in the paper and by flag.

mpii         2D pose, 16 joints, 8 blocks
human36m     3D pose, 17 joints, 8 blocks
penn, ntu    the merged networks: pose and action from clips, 2D and 3D
penn_pose,   their pose parts: 2D, 16 joints, and 3D, 20 joints; 4 blocks
ntu_pose
"""

import dataclasses
import logging
from collections.abc import Callable, Mapping

import keras

from deephar.checkpoints import Network, Published, load_weights
from deephar.config import get_dataconf
from deephar.data.ntu import PROTOCOLS
from deephar.models import action, reception
from deephar.utils.numbers import crop_side, natural, positive_int

logger = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Setting:
    """One property of a network: the recipe's value, what may be, what it means.

    Attributes:
        default: value of the recipe.
        help: what it means.
        type: from a flag's text to the value; an error where it may not be.
        choices: the values that there are; None for all of the type.
        of_data: whether it says what the network is shown, and not its shape.
        settled: whether the weights settle it, so that flags can only repeat it.
        flag: whether it has a flag of its own.
    """

    default: int | str
    help: str
    type: Callable[[str], int | str] = str
    choices: tuple[str, ...] | None = None
    of_data: bool = False
    settled: bool = False
    flag: bool = True


_POSE = {
    "size": Setting(256, "side of the crop, px", crop_side),
    "blocks": Setting(8, "prediction blocks", positive_int),
    "ksize": Setting(5, "kernel of the blocks' separable convolutions", positive_int),
    "stem": Setting("inception", "entry flow", choices=reception.STEMS),
}
_2D = {
    "context": Setting(2, "context maps of each joint", natural),
    "joint_probability": Setting(
        "sigmoid",
        "confidence: sigmoid of a map's maximum (CVPR'18), or its best 2x2 window",
        choices=("sigmoid", "window"),
    ),
}
_3D = {"depth_maps": Setting(16, "heat maps of each joint over depth", positive_int)}
_CLIP = {
    "frames": Setting(16, "frames of a clip", positive_int),
    "step": Setting(
        2,
        "frames of the video from one of a clip to the next",
        positive_int,
        of_data=True,
    ),
    "drawn_steps": Setting(
        "several",
        "steps that training draws: those of the data set, or `step` alone",
        choices=("several", "one"),
        of_data=True,
        flag=False,
    ),
    "actions": Setting(15, "classes", positive_int),
    "pose_version": Setting(
        "v1", "size of the part that sees poses", choices=("v1", "v2")
    ),
}
_SPLIT = {
    "protocol": Setting(
        "cs",
        "training and test videos by person (cs) or by camera (cv)",
        choices=PROTOCOLS,
        of_data=True,
        settled=True,
    )
}


@dataclasses.dataclass(frozen=True)
class Family:
    """What networks share that can use each other's settings and weights.

    Attributes:
        joints: joints of a pose.
        dim: coordinates of a joint, 2 or 3.
        merged: whether it recognises actions too.
    """

    joints: int
    dim: int
    merged: bool = False


@dataclasses.dataclass(frozen=True)
class Recipe:
    """A network of the paper.

    Attributes:
        about: what it is, in words.
        family: which networks its weights could be of.
        settings: its properties; the keys are flags of the scripts.
        pose_part: name of the network that a merged one begins with.
    """

    about: str
    family: Family
    settings: Mapping[str, Setting] = dataclasses.field(hash=False)
    pose_part: str | None = None


def _settings(*groups: Mapping[str, Setting], **defaults) -> dict[str, Setting]:
    settings = {name: one for group in groups for name, one in group.items()}
    for name, value in defaults.items():
        settings[name] = dataclasses.replace(settings[name], default=value)
    return settings


NETWORKS = {
    "mpii": Recipe("the 2D pose network of MPII", Family(16, 2), _settings(_POSE, _2D)),
    "human36m": Recipe(
        "the 3D pose network of Human3.6M", Family(17, 3), _settings(_POSE, _3D)
    ),
    "penn_pose": Recipe(
        "the pose part of the network of Penn Action",
        Family(16, 2),
        _settings(_POSE, _2D, blocks=4),
    ),
    "ntu_pose": Recipe(
        "the pose part of the network of NTU RGB+D",
        Family(20, 3),
        _settings(_POSE, _3D, _SPLIT, blocks=4, depth_maps=8),
    ),
    "penn": Recipe(
        "the merged network of Penn Action",
        Family(16, 2, merged=True),
        _settings(_POSE, _2D, _CLIP, blocks=4),
        pose_part="penn_pose",
    ),
    "ntu": Recipe(
        "the merged network of NTU RGB+D",
        Family(20, 3, merged=True),
        _settings(
            *(_POSE, _3D, _CLIP, _SPLIT),
            blocks=4,
            depth_maps=8,
            frames=20,
            actions=60,
            pose_version="v2",
        ),
        pose_part="ntu_pose",
    ),
}
"""The networks by name."""


def default_settings(network: str) -> dict:
    """The settings of the paper, with the network's name under "network"."""
    settings = NETWORKS[network].settings
    return {
        "network": network,
        **{name: setting.default for name, setting in settings.items()},
    }


def build_network(
    network: str, settings: dict, weights: str | None = None, **more
) -> keras.Model:
    """Builds a network of the table and loads its weights.

    Args:
        network: a name of NETWORKS.
        settings: what `network_settings` returns.
        weights: a weights file that must fit; None leaves the network untrained.
        more: further arguments of the builder in `deephar.models`; for merged networks
            also `pose_weights`, a weights file of the pose part alone.
    """
    recipe = NETWORKS[network]
    build = _build_merged if recipe.family.merged else _build_pose
    model = build(recipe.family, settings, **more)
    logger.info("network: %s, %d parameters", settings, model.count_params())
    if weights is not None:
        load_weights(model, weights)
        logger.info("weights loaded from %s", weights)
    return model


def _build_pose(family: Family, settings: dict, **more) -> keras.Model:
    if family.dim == 2:
        shape = {
            "num_context_per_joint": settings["context"],
            "joint_probability": settings["joint_probability"],
        }
    else:
        shape = {"depth_maps": settings["depth_maps"]}
    return reception.build(
        (settings["size"], settings["size"], 3),
        family.joints,
        dim=family.dim,
        num_blocks=settings["blocks"],
        ksize=(settings["ksize"], settings["ksize"]),
        stem=settings["stem"],
        **shape,
        **more,
    )


def _build_merged(
    family: Family, settings: dict, pose_weights: str | None = None, **more
) -> keras.Model:
    pose = _build_pose(family, settings, concat_pose_confidence=False)
    if pose_weights is not None:
        load_weights(pose, pose_weights)
        logger.info("weights of the pose part loaded from %s", pose_weights)
    if family.dim == 2:
        shape = {"num_context_per_joint": settings["context"]}
    else:
        shape = {"depth_maps": settings["depth_maps"], "num_context_per_joint": 0}
    return action.build_merge_model(
        pose,
        settings["actions"],
        (settings["size"], settings["size"], 3),
        settings["frames"],
        family.joints,
        settings["blocks"],
        pose_dim=family.dim,
        pose_net_version=settings["pose_version"],
        **shape,
        **more,
    )


def family_of(network: Network) -> Family | None:
    """The family of a published network; None for one that no script here runs."""
    merged = network.builder == "action.build_merge_model"
    if not merged and network.builder != "reception.build":
        return None
    shape = pose_arguments(network)
    return Family(shape["num_joints"], shape["dim"], merged)


def published_settings(published: Published, many_clips: bool = False) -> dict:
    """The settings of a published network of a known family.

    Args:
        published: its row in the table of published files.
        many_clips: whether the step is to be that of the authors' evaluation with many
            clips of a video, not with one.
    """
    network = published.network
    shape = pose_arguments(network)
    settings = {
        "size": shape["input_shape"][0],
        "blocks": shape["num_blocks"],
        "ksize": shape["ksize"][0],
    }
    if shape["dim"] == 2:
        settings["context"] = shape["num_context_per_joint"]
        settings["joint_probability"] = shape["joint_probability"]
    else:
        settings["depth_maps"] = shape["depth_maps"]
    if "model_pe" in network.arguments:
        settings["frames"] = network.arguments["num_frames"]
        settings["actions"] = network.arguments["num_actions"]
        settings["pose_version"] = network.arguments["pose_net_version"]
        settings["step"] = get_dataconf(published.dataconf).fixed_subsampling
        if many_clips and published.multi_clip_step is not None:
            settings["step"] = published.multi_clip_step
    if published.protocol is not None:
        settings["protocol"] = published.protocol
    return settings


def pose_arguments(network: Network) -> Mapping:
    """The arguments of a published network's pose part, or of itself if it is one."""
    return network.arguments.get("model_pe", network).arguments
