"""What is known of the settings of weights, before any flag."""

import pathlib
from collections.abc import Sequence

from deephar.networks.known_weights import NETWORK, chosen_network, known_settings
from deephar.networks.recipes import LAYOUT, NETWORKS, default_settings


def weights_settings(
    weights: str | pathlib.Path, networks: str | Sequence[str]
) -> tuple[str, dict]:
    """The path of weights, and all settings of their network.

    Args:
        weights: a file, or a published name, which is found or fetched.
        networks: a name of NETWORKS; or several: then it is what the weights are known
            to be of, else the first.

    Returns:
        The path, and the settings, with the network's name under "network": the
        recipe's where nothing is known.

    Raises:
        ValueError: if the weights are known to be of another kind of network.
        OSError: if there are no such weights, or published ones cannot be fetched.
    """
    weights = str(weights)
    named = isinstance(networks, str)
    network = networks if named else chosen_network(weights, networks)
    path, known = known_settings(weights, network)
    return path, {**default_settings(network), **known, NETWORK: network}


def pose_part_settings(weights: str, settings: dict) -> dict:
    """The settings of the weights that a network of actions begins with.

    Args:
        weights: a file of its pose part, or of a whole network of its kind.
        settings: the network's, of `network_settings`; they count where nothing is
            known of the weights, but for those that each network has of its own.
    """
    network = part_of(weights, settings[NETWORK])
    own = NETWORKS[network].settings
    same = {n: settings[n] for n in own if n in settings and not own[n].own}
    known = known_settings(weights, network)[1]
    if not known and LAYOUT in settings:
        same[LAYOUT] = settings[LAYOUT]
    return {**default_settings(network), **same, **known, NETWORK: network}


def part_of(weights: str, network: str) -> str:
    """The network that weights of a pose part are of."""
    recipe = NETWORKS[network]
    whole = [network] if recipe.family.architecture == "spnet" else []
    return chosen_network(weights, [recipe.pose_part, *whole])
