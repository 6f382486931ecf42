"""From the settings of a network to the network, with its weights."""

import contextlib
import logging
import pathlib
import re

import keras

from deephar.checkpoints import describe, load_weights
from deephar.config import ModelConfig
from deephar.models import action, reception, spnet
from deephar.networks.cuts import (
    CUT_FROM,
    copy_cut_weights,
    count_cuts,
    cut_settings,
    own_settings,
    whole_settings,
)
from deephar.networks.recipes import NETWORKS, Family, poselayout
from deephar.networks.settings import pose_part_settings

logger = logging.getLogger(__name__)

_FLAGS = {
    "input_shape": "size",
    "num_pyramids": "pyramids",
    "num_levels": "levels",
    "kernel_size": "ksize",
    "downsampling_type": "downsampling",
    "num_actions": "actions",
    "pose_replica": "replica",
    "num_pose_features": "pose_features",
    "num_visual_features": "visual_features",
    "num_temp_frames": "frames",
}
"""Settings by the builders' names of them; others have their own."""


def build_network(
    network: str, settings: dict, weights: str | None = None, **more
) -> keras.Model:
    """Builds a network of the table and loads its weights.

    Args:
        network: a name of NETWORKS.
        settings: what `network_settings` returns.
        weights: a weights file that must fit; None leaves the network untrained. Of
            settings with CUT_FROM it is of the whole network, which is cut.
        more: further arguments of the builder in `deephar.models`; for networks of
            actions also `pose_weights`, a weights file of the pose part alone. That of
            an SPNet may have more pyramids; its own settings are those of the
            model.json beside it.

    Raises:
        ValueError: if the settings gainsay each other, or the weights do not fit.
        OSError: if a file cannot be read.
    """
    if weights is not None and CUT_FROM in settings:
        return _build_cut(network, settings, weights, **more)
    settings = own_settings(settings)
    model = new_network(network, settings, **more)
    logger.info("network: %s, %d parameters", settings, model.count_params())
    if weights is not None:
        load_network(model, weights, network)
        logger.info("weights loaded from %s", weights)
    return model


def new_network(network: str, settings: dict, **more) -> keras.Model:
    """As `build_network` without weights, and without a word in the log."""
    family = NETWORKS[network].family
    if family.architecture == "spnet":
        build = _build_spnet_of_clips if family.merged else _build_spnet
    else:
        build = _build_merged if family.merged else _build_pose
    return build(family, {**own_settings(settings), "network": network}, **more)


def _build_cut(network: str, settings: dict, weights: str, **more) -> keras.Model:
    """The network of settings with CUT_FROM, with weights of the whole one."""
    whole = whole_settings(settings)
    source = build_network(whole["network"], whole, weights)
    model = build_network(network, own_settings(settings), **more)
    copy_cut_weights(source, model)
    logger.info("cut: %d of %d parameters", model.count_params(), source.count_params())
    return model


def cut_network(
    model: keras.Model, settings: dict, block: int, **more
) -> tuple[keras.Model, dict]:
    """Cuts a network after one of its predictions, whatever network it is.

    The result is a network of its own: `build_network` makes another such of its
    settings, and saved weights of the one load into the other.

    Args:
        model: what `build_network` returned; it stays as it is.
        settings: the model's.
        block: the prediction after which it ends, from 1: see `networks.cuts`.
        more: further arguments of the builder of the result.

    Returns:
        (model, settings) of the first `block` predictions, with copies of the weights.
        An SPNet of actions that is cut before it tells any is one of poses, of
        pictures.

    Raises:
        ValueError: if the network has not so many predictions.
    """
    settings = cut_settings(settings, block)
    cut = build_network(settings["network"], settings, **more)
    copy_cut_weights(model, cut)
    return cut, settings


def model_config(settings: dict) -> ModelConfig:
    """Size and shape of an SPNet.

    Args:
        settings: what `network_settings` returns for a network of that architecture.

    Raises:
        ValueError: if the settings gainsay each other, as pyramids that tell actions
            and are not there.
    """
    family = NETWORKS[settings["network"]].family
    shape, of_clips = (settings["size"], settings["size"], 3), {"action_pyramids": ()}
    if family.merged:
        shape = (settings["frames"], *shape)
        pyramids = settings["action_pyramids"].split(",")
        of_clips = {
            "action_pyramids": tuple(map(int, pyramids)),
            "num_actions": (settings["actions"],),
            "pose_replica": settings["replica"] == "yes",
            "num_pose_features": settings["pose_features"],
            "num_visual_features": settings["visual_features"],
        }
    with _naming_flags():
        return ModelConfig(
            shape,
            poselayout(settings),
            num_pyramids=settings["pyramids"],
            num_levels=settings["levels"],
            kernel_size=(settings["ksize"], settings["ksize"]),
            growth=settings["growth"],
            image_div=settings["image_div"],
            downsampling_type=settings["downsampling"],
            sam_alpha=settings["sam_alpha"],
            num_predictions=settings.get("predictions") or None,
            **of_clips,
        )


@contextlib.contextmanager
def _naming_flags():
    """Puts the flag before what is said of an argument, or half of it."""
    try:
        yield
    except ValueError as error:
        field = re.match(r"(?:Half of )?`(\w+)`", str(error))
        if field is None:
            raise
        name = _FLAGS.get(field[1], field[1]).replace("_", "-")
        raise ValueError(f"--{name}: {error}") from error


def num_predictions(settings: dict) -> int:
    """How many poses a network puts out: one a block, or one a step of a pyramid."""
    spnets = NETWORKS[settings["network"]].family.architecture == "spnet"
    return count_cuts(settings) if spnets else settings["blocks"]


def pose_view(model: keras.Model, settings: dict) -> keras.Model:
    """The part of a network that finds poses in pictures, for a `PosePredictor`.

    Args:
        model: what `build_network` returned.
        settings: what `network_settings` returned.

    Returns:
        From pictures `(batch, h, w, 3)` to poses; a network of poses itself.
    """
    family = NETWORKS[settings["network"]].family
    if not family.merged:
        return model
    if CUT_FROM in settings:
        check_pose_cut(settings, settings["predictions"])
    if family.architecture == "spnet":
        return spnet.picture_model(model, model_config(settings))
    part = model.get_layer("frame_model")
    return keras.Model(part.input, part.outputs[:2])


def check_pose_cut(settings: dict, block: int) -> None:
    """Refuses to cut what has no part in the poses.

    Args:
        settings: what `network_settings` returned.
        block: the prediction after which the network is to end.

    Raises:
        ValueError: if it is a merged network, whose poses are of its last block.
    """
    recipe = NETWORKS[settings["network"]]
    if recipe.family.merged and recipe.family.architecture != "spnet":
        raise ValueError(
            f"--block cuts what tells actions in {recipe.about}; its poses are of its "
            f"last block. Received: --block {block}"
        )


def load_network(model: keras.Model, weights: str | pathlib.Path, network: str) -> None:
    """Sets all weights of a network from a file.

    Files of SPNets in the original's layout are read by name, as the original reads
    them; all others by order.

    Args:
        model: what `build_network` returns.
        weights: the file.
        network: the network's name.

    Raises:
        OSError, ValueError: as of `checkpoints.load_weights`.
    """
    by_name = NETWORKS[network].family.architecture == "spnet"
    by_name = by_name and describe(weights)["layout"] == "Keras 2"
    load_weights(model, weights, by_name=by_name)


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
        poselayout(settings).num_joints,
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
        load_network(pose, pose_weights, settings["network"])
        logger.info("weights of the pose part loaded from %s", pose_weights)
    if family.dim == 2:
        shape = {"num_context_per_joint": settings["context"]}
    else:
        shape = {"depth_maps": settings["depth_maps"], "num_context_per_joint": 0}
    with _naming_flags():
        return action.build_merge_model(
            pose,
            settings["actions"],
            (settings["size"], settings["size"], 3),
            settings["frames"],
            poselayout(settings).num_joints,
            settings["blocks"],
            pose_dim=family.dim,
            pose_net_version=settings["pose_version"],
            apart=family.apart,
            num_predictions=settings["predictions"],
            **shape,
            **more,
        )


def _build_spnet(_: Family, settings: dict, **more) -> keras.Model:
    config = model_config(settings)
    with _naming_flags():
        return spnet.build(config, **more)


def _build_spnet_of_clips(
    family: Family, settings: dict, pose_weights: str | None = None, **more
) -> keras.Model:
    model = _build_spnet(family, settings, **more)
    if pose_weights is not None:
        part = pose_part_settings(pose_weights, settings)
        if part["pyramids"] < settings["pyramids"]:
            raise ValueError(
                f"{pose_weights}: is of {part['pyramids']} pyramids, and a network "
                "that begins with it has as many or fewer (--pyramids). "
                f"Received: {settings['pyramids']}"
            )
        source = build_network(part["network"], part, pose_weights)
        spnet.copy_pose_weights(source, model)
    return model
