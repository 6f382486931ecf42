"""The parts of a network that are exported: what goes in, what comes out, of what unit.

A network of poses is one part, `pose`. One of actions is two: `frame_model` looks at a
frame, and its outputs have the names of the inputs of `clip_head`, which sees those of
all frames of a clip together. A network of lifting is one, `lifting`, or two with
`trajectory`.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any, NamedTuple

import keras

from deephar.inference.predictor import cut_model, split_outputs
from deephar.models import lifting
from deephar.models.common import clip_parts
from deephar.networks.building import pose_view
from deephar.networks.recipes import NETWORKS, poselayout

JOINTS = "joints"
"""Name of the output that is a pose with its confidence."""


class Array(NamedTuple):
    """An input or output of a part, float32.

    Attributes:
        name: what it is called in the file.
        shape: without the batch.
        what: axes, order and units, in words.
    """

    name: str
    shape: tuple[int, ...]
    what: str


@dataclasses.dataclass(frozen=True)
class Part:
    """A part of a network.

    Attributes:
        name: "pose", "frame_model", "clip_head", "lifting" or "trajectory".
        model: the part, as it was loaded.
        inputs, outputs: the model's, in its order.
    """

    name: str
    model: keras.Model
    inputs: tuple[Array, ...]
    outputs: tuple[Array, ...]


def network_parts(model: keras.Model, settings: dict[str, Any]) -> list[Part]:
    """The parts of a network, to be exported one by one.

    Args:
        model: what `build_network` or `cut_network` returned.
        settings: its settings, with its name under "network".
    """
    if not NETWORKS[settings["network"]].family.merged:
        return [_pose(pose_view(model, settings), settings)]
    return _clips(*clip_parts(model, None, True), settings)


def lifting_parts(models: Sequence[keras.Model], keypoints: str) -> list[Part]:
    """The parts of a network of lifting, for windows of as many frames as it sees.

    Args:
        models: of poses and, where there is one, of the trajectory.
        keypoints: name of the key points.
    """
    parts = []
    for name, model in zip(("lifting", "trajectory"), models, strict=False):
        settings = lifting.settings(model)
        frames = lifting.receptive_field(settings["filter_widths"])
        joints, features = settings["num_joints_in"], settings["in_features"]
        frame = "last" if settings["causal"] else "middle"
        tracks = (
            f"(x, y) of the key points {keypoints} in {frames} frames, oldest first; "
            "centre of the picture 0, its left and right edge -1 and 1, y down at the "
            "same scale"
        )
        poses = f"(x, y, z) in the {frame} frame: right, down, forward, m"
        poses += ", the root at 0" if name == "lifting" else " from the camera"
        taken = Array("keypoints", (frames, joints, features), tracks)
        given = Array("poses", (1, settings["num_joints_out"], 3), poses)
        parts.append(Part(name, model, (taken,), (given,)))
    return parts


def _pose(model: keras.Model, settings: dict) -> Part:
    """The network with the pose of its last block alone."""
    layout = poselayout(settings)
    last = len(split_outputs(model.outputs, layout.dim))
    model = cut_model(model, layout.dim, last)
    return Part("pose", model, (_picture(model),), (_joints(model, layout),))


def _clips(
    frame_model: keras.Model, clip_head: keras.Model, settings: dict
) -> list[Part]:
    layout = poselayout(settings)
    described = [_described(x.name, x.shape[2:], layout) for x in clip_head.inputs]
    own = len(frame_model.outputs) > len(described)
    seen = [*described, _joints(frame_model, layout)] if own else described
    frames = clip_head.inputs[0].shape[1]
    rings = [
        x._replace(
            shape=(frames, *x.shape), what=f"{x.what}; of {frames} frames, oldest first"
        )
        for x in described
    ]
    actions = [
        Array(name, y.shape[1:], "probability of each action, as `actions` names them")
        for name, y in zip(clip_head.output_names, clip_head.outputs, strict=True)
    ]
    return [
        Part("frame_model", frame_model, (_picture(frame_model),), tuple(seen)),
        Part("clip_head", clip_head, tuple(rings), tuple(actions)),
    ]


def _picture(model: keras.Model) -> Array:
    what = "crop (row, column, channel), RGB, [-1, 1]"
    return Array("picture", model.input_shape[1:], what)


def _joints(model: keras.Model, layout) -> Array:
    return Array(
        JOINTS,
        tuple(model.outputs[-1].shape[1:]),
        f"of each joint {_axes(layout)}; then its confidence, [0, 1]",
    )


def _axes(layout) -> str:
    """What the coordinates of a joint mean."""
    plane = "x to the right, y down, [0, 1] over the crop's width and height"
    if layout.dim == 2:
        return plane
    return f"{plane}, z to the back, [0, 1] over `depth_range_mm`, the root at 0.5"


def _described(name: str, shape: Sequence[int], layout) -> Array:
    """What the clip head wants to know of a frame."""
    meanings = {
        "pose": f"of each joint {_axes(layout)}",
        "confidence": "confidence of each joint, [0, 1]",
        "features": "what each joint looks like, features without a unit",
    }
    return Array(name, tuple(shape), meanings[name.rsplit("_", 1)[-1]])
