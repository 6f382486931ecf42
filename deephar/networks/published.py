"""The networks of the table of published files among those that the scripts know."""

from collections.abc import Mapping

from deephar.checkpoints import Network, Published
from deephar.config import get_dataconf
from deephar.networks.recipes import NETWORKS, Family


def family_of(network: Network) -> Family | None:
    """The family of a published network; None for one that no script here runs."""
    if network.builder == "spnet.build":
        config = network.arguments["cfg"]
        return Family(
            config.num_joints,
            config.dim,
            bool(config.num_actions),
            architecture="spnet",
        )
    merged = network.builder == "action.build_merge_model"
    if not merged and network.builder != "reception.build":
        return None
    shape = _pose_arguments(network)
    return Family(shape["num_joints"], shape["dim"], merged)


def network_like(network: Network) -> str | None:
    """Name of the network that can use the settings and weights of a published one."""
    family = family_of(network)
    return next((n for n in NETWORKS if NETWORKS[n].family == family), None)


def settings_of(published: Published) -> dict:
    """All settings of a published network, with its name under "network".

    Where its training does not say what its weights settle, that is left out.
    """
    network = network_like(published.network)
    recipe = NETWORKS[network].settings
    settings = {n: one.default for n, one in recipe.items() if not one.settled}
    return {"network": network, **settings, **published_settings(published)}


def published_settings(published: Published, many_clips: bool = False) -> dict:
    """The settings of a published network of a known family.

    Args:
        published: its row in the table of published files.
        many_clips: whether the step is to be that of the authors' evaluation with many
            clips of a video, not with one.
    """
    network = published.network
    if network.builder == "spnet.build":
        settings = _spnet_settings(network)
    else:
        settings = _reception_settings(network)
    if "frames" in settings:
        settings["step"] = get_dataconf(published.dataconf).fixed_subsampling
        if many_clips and published.multi_clip_step is not None:
            settings["step"] = published.multi_clip_step
    if published.protocol is not None:
        settings["protocol"] = published.protocol
    return settings


def _reception_settings(network: Network) -> dict:
    shape = _pose_arguments(network)
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
    return settings


def _pose_arguments(network: Network) -> Mapping:
    """The arguments of a published network's pose part, or of itself if it is one."""
    return network.arguments.get("model_pe", network).arguments


def _spnet_settings(network: Network) -> dict:
    config = network.arguments["cfg"]
    settings = {
        "size": config.input_shape[-2],
        "pyramids": config.num_pyramids,
        "levels": config.num_levels,
        "ksize": config.kernel_size[0],
        "growth": config.growth,
        "image_div": config.image_div,
        "downsampling": config.downsampling_type,
        "sam_alpha": float(config.sam_alpha),
    }
    if config.num_actions:
        settings["frames"] = config.input_shape[0]
        settings["actions"] = config.num_actions[0]
        settings["action_pyramids"] = ",".join(map(str, config.action_pyramids))
        settings["replica"] = "yes" if config.pose_replica else "no"
        settings["pose_features"] = config.num_pose_features
        settings["visual_features"] = config.num_visual_features
    return settings
