"""The networks that the scripts know: their properties, in the papers and by flag.

CVPR'18, blocks of Inception:
mpii            2D pose, 16 joints, 8 blocks
human36m        3D pose, 17 joints, 8 blocks
penn, ntu       the merged networks: pose and action from clips, 2D and 3D
penn_pose,      their pose parts: 2D, 16 joints, and 3D, 20 joints; 4 blocks
ntu_pose

Of its fork, the same blocks:
coco, coco17    2D pose, 16 joints, or the 17 key points of COCO; 8 blocks
merl            the merged network of MERL Shopping, 2D, with what its parts say apart;
                it begins with coco

TPAMI'20, SPNet, pyramids of several resolutions:
mpii_spnet      2D pose, 16 joints, 8 pyramids
pose_baseline   3D pose, 17 joints, 8 pyramids
penn_spnet,     pose and action from clips, 2D and 3D; they begin with the frame part of
ntu_spnet       the two above
"""

import argparse
import dataclasses
import functools
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from deephar.data.ntu import PROTOCOLS
from deephar.models import reception
from deephar.utils.layouts import describe_layout, layout_from
from deephar.utils.numbers import (
    ascending,
    crop_side,
    names,
    natural,
    positive_float,
    positive_int,
)
from deephar.utils.pose import coco17j, pa16j2d, pa17j3d, pa20j3d

LAYOUT, CLASSES, REPLACED = "layout", "classes", "replaced"
"""What the settings of a network have where they are not its recipe's: its layout, as
`describe_layout` gives it; the names of its actions, with commas between them; and the
heads that its training made anew, which shape nothing."""

_LAYOUTS = {
    (16, 2): pa16j2d,
    (17, 2): coco17j,
    (17, 3): pa17j3d,
    (20, 3): pa20j3d,
}


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
        own: whether a network of actions has its own, whatever its pose part's.
    """

    default: int | float | str
    help: str
    type: Callable[[str], int | float | str] = str
    choices: tuple[int | str, ...] | None = None
    of_data: bool = False
    settled: bool = False
    flag: bool = True
    own: bool = False


_SIZE = {"size": Setting(256, "side of the crop, px", crop_side)}
_POSE = {
    **_SIZE,
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
_FRAMES = {
    "frames": Setting(16, "frames of a clip", positive_int),
    "actions": Setting(15, "classes", positive_int),
}
_STEPS = {
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
}
_CLIP = {
    **_FRAMES,
    "pose_version": Setting(
        "v1", "size of the part that sees poses", choices=("v1", "v2")
    ),
    "predictions": Setting(
        4,
        "predictions of actions by pose, and by appearance",
        positive_int,
        choices=(1, 2, 3, 4),
        flag=False,
    ),
}
_CLASSES = {
    "classes": Setting(
        "ApproachtoShelf,GlanceAtShelf,LookatShelf",
        "names of the classes in their order",
        names,
        of_data=True,
    )
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
_SPNET = {
    **_SIZE,
    "pyramids": Setting(8, "pyramids, down and up in turn", positive_int, own=True),
    "levels": Setting(4, "resolutions of a pyramid", positive_int),
    "ksize": Setting(5, "kernel of the separable convolutions", positive_int),
    "growth": Setting(96, "features added with each level down", positive_int),
    "image_div": Setting(
        8, "side of the crop over that of the first level", int, choices=(4, 8, 16, 32)
    ),
    "downsampling": Setting(
        "maxpooling", "from level to level", choices=("maxpooling", "conv")
    ),
    "sam_alpha": Setting(1.0, "sharpness of the spatial softmax", positive_float),
    "predictions": Setting(
        0,
        "predictions, the first of the pyramids'; 0: all",
        natural,
        flag=False,
        own=True,
    ),
}
_SPNET_CLIP = {
    **_FRAMES,
    **_STEPS,
    "action_pyramids": Setting("5,6", "pyramids that tell actions", ascending),
    "replica": Setting(
        "yes", "whether actions have joint maps of their own", choices=("yes", "no")
    ),
    "pose_features": Setting(160, "features of poses for actions", positive_int),
    "visual_features": Setting(160, "features of appearance for actions", positive_int),
}


@dataclasses.dataclass(frozen=True)
class Family:
    """What networks share that can use each other's settings and weights.

    Attributes:
        joints: joints of a pose, unless its settings have a layout of their own.
        dim: coordinates of a joint, 2 or 3.
        merged: whether it recognises actions too, from clips.
        apart: whether it puts out what the pose and the appearance say of them too,
            of clips that are spread over a video, without a step.
        architecture: "reception" (CVPR'18) or "spnet" (TPAMI'20).
    """

    joints: int
    dim: int
    merged: bool = False
    apart: bool = False
    architecture: str = "reception"

    @property
    def poselayout(self) -> Any:
        """Layout of its joints in the papers; see `poselayout` for that of settings."""
        return _LAYOUTS[self.joints, self.dim]


@dataclasses.dataclass(frozen=True)
class Recipe:
    """A network of the paper.

    Attributes:
        about: what it is, in words.
        family: which networks its weights could be of.
        settings: its properties; the keys are flags of the scripts.
        pose_part: name of the network that one of actions begins with.
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
        _settings(_POSE, _2D, _CLIP, _STEPS, blocks=4),
        pose_part="penn_pose",
    ),
    "ntu": Recipe(
        "the merged network of NTU RGB+D",
        Family(20, 3, merged=True),
        _settings(
            *(_POSE, _3D, _CLIP, _STEPS, _SPLIT),
            blocks=4,
            depth_maps=8,
            frames=20,
            actions=60,
            pose_version="v2",
        ),
        pose_part="ntu_pose",
    ),
    "coco": Recipe("the 2D pose network of COCO", Family(16, 2), _settings(_POSE, _2D)),
    "coco17": Recipe(
        "the 2D pose network of COCO's key points",
        Family(17, 2),
        _settings(_POSE, _2D),
    ),
    "merl": Recipe(
        "the merged network of MERL Shopping",
        Family(16, 2, merged=True, apart=True),
        _settings(_POSE, _2D, _CLIP, _CLASSES, frames=8, actions=3),
        pose_part="coco",
    ),
    "mpii_spnet": Recipe(
        "the SPNet of 2D poses", Family(16, 2, architecture="spnet"), _settings(_SPNET)
    ),
    "pose_baseline": Recipe(
        "the SPNet of 3D poses",
        Family(17, 3, architecture="spnet"),
        _settings(_SPNET, _SPLIT),
    ),
    "penn_spnet": Recipe(
        "the SPNet of Penn Action",
        Family(16, 2, merged=True, architecture="spnet"),
        _settings(_SPNET, _SPNET_CLIP, pyramids=6, frames=8, step=6),
        pose_part="mpii_spnet",
    ),
    "ntu_spnet": Recipe(
        "the SPNet of NTU RGB+D",
        Family(17, 3, merged=True, architecture="spnet"),
        _settings(
            *(_SPNET, _SPNET_CLIP, _SPLIT),
            pyramids=2,
            action_pyramids="1,2",
            replica="no",
            pose_features=192,
            visual_features=192,
            frames=8,
            step=4,
            actions=60,
        ),
        pose_part="pose_baseline",
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


def other_settings(settings: Mapping[str, Any]) -> dict:
    """Those settings that shape a network and are not the paper's."""
    known = NETWORKS[settings["network"]].settings
    others = {
        name: settings[name]
        for name, setting in known.items()
        if not setting.of_data and settings[name] != setting.default
    }
    if LAYOUT in settings:
        others[LAYOUT] = settings[LAYOUT]["name"]
    return others


def poselayout(settings: Mapping[str, Any]) -> Any:
    """Layout of the joints of a network, from what `network_settings` returns.

    Equal settings give one layout.
    """
    described = settings.get(LAYOUT)
    if described is None:
        return NETWORKS[settings["network"]].family.poselayout
    return _described_layout(json.dumps(described, sort_keys=True))


@functools.lru_cache
def _described_layout(text: str) -> type:
    return layout_from(json.loads(text))


def with_layout(settings: Mapping[str, Any], layout: Any) -> dict:
    """The settings of a network with another layout of joints.

    Raises:
        ValueError: if the network finds joints of another dimension.
    """
    family = NETWORKS[settings["network"]].family
    if layout.dim != family.dim:
        raise ValueError(
            f"{settings['network']} finds joints in {family.dim}D. "
            f"Received: the layout {layout.__name__}, of {layout.dim}D"
        )
    others = {name: value for name, value in settings.items() if name != LAYOUT}
    if layout is family.poselayout:
        return others
    return {**others, LAYOUT: describe_layout(layout)}


def with_classes(settings: Mapping[str, Any], labels: Sequence[str]) -> dict:
    """The settings of a network of actions that tells these apart.

    Raises:
        ValueError: if they are fewer than two, or two are one, or one has a comma.
    """
    commas = [label for label in labels if "," in label]
    if commas:
        raise ValueError(f"an action's name has no comma. Received: {commas[0]!r}")
    try:
        classes = names(",".join(labels))
    except argparse.ArgumentTypeError as error:
        raise ValueError(f"the actions {error}") from error
    return {**settings, "actions": len(labels), CLASSES: classes}


def pose_networks(first: str, as_many_joints: bool = False) -> tuple[str, ...]:
    """The networks that find poses, which all of them do.

    Args:
        first: the one to stand first.
        as_many_joints: only those whose joints are the first one's.
    """
    of_first = NETWORKS[first].family.poselayout
    names = dict.fromkeys([first, *NETWORKS])
    if as_many_joints:
        return tuple(n for n in names if NETWORKS[n].family.poselayout is of_first)
    return tuple(names)


def clip_networks() -> tuple[str, ...]:
    """The networks that recognise actions."""
    return tuple(name for name, one in NETWORKS.items() if one.family.merged)
