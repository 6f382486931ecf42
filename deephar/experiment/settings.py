"""The settings of a network: the recipe's, then the weights', then the flags'.

Training writes `model.json` beside its weights; evaluation and prediction read it, so
that the size of the network need not be typed again, and that nobody is tested on what
the network has learnt from. Published weights have theirs in the table of
`deephar.checkpoints`.
"""

import argparse
import dataclasses
import logging
import pathlib
from collections.abc import Iterable, Mapping, Sequence

from deephar.config import DataConfig
from deephar.experiment.arguments import flag_names
from deephar.networks.cuts import cut_of, first_actions
from deephar.networks.known_weights import (
    MODEL_FILE,
    NETWORK,
    chosen_network,
    known_settings,
    network_of,
    one_like,
    read_model_file,
)
from deephar.networks.recipes import LAYOUT, NETWORKS, Setting, default_settings
from deephar.networks.settings import part_of
from deephar.utils.numbers import positive_int

logger = logging.getLogger(__name__)


def add_network_arguments(
    parser: argparse.ArgumentParser,
    network: str | Sequence[str] | None = None,
    also: Mapping[str, str] | None = None,
) -> None:
    """Adds the flags of a network's settings, `--network` where there is a choice, and
    `--block`, which cuts it.

    Their default is None, so that `network_settings` can tell a flag that was given
    from one that `model.json` or the recipe decides.

    Args:
        parser: the script's parser.
        network: a name of NETWORKS; or several, whose flags are those that shape any of
            them; or None for those that shape any network, without the choice.
        also: further names of flags, such as FORK_FLAGS.
    """
    group = parser.add_argument_group(
        "network", f"without a flag: {MODEL_FILE} beside --weights, else the recipe's"
    )
    single = isinstance(network, str)
    names = [network] if single else list(network or NETWORKS)
    if network is not None and not single:
        unless = f"default: what the weights are known to be of, else {names[0]}"
        group.add_argument("--network", choices=names, help=unless)
    block = "cut it after its first K predictions, of --weights or as it begins"
    group.add_argument("--block", type=positive_int, metavar="K", help=block)
    found: dict[str, list[Setting]] = {}
    for name, setting in (i for n in names for i in NETWORKS[n].settings.items()):
        if setting.flag and (single or not setting.of_data):
            found.setdefault(name, []).append(setting)
    for name, settings in found.items():
        _add_flag(group, name, settings, also)


def add_protocol_argument(parser: argparse.ArgumentParser) -> None:
    """Adds `--protocol`, the split of NTU, where `add_network_arguments` does not."""
    _add_flag(parser, "protocol", [NETWORKS["ntu"].settings["protocol"]])


def _add_flag(
    parser,
    name: str,
    settings: Sequence[Setting],
    also: Mapping[str, str] | None = None,
) -> None:
    values = dict.fromkeys(setting.default for setting in settings)
    recipes = " or ".join(map(str, values))
    parser.add_argument(
        *flag_names("--" + name.replace("_", "-"), also),
        type=settings[0].type,
        choices=settings[0].choices,
        help=f"{settings[0].help} ({recipes})",
    )


def network_settings(
    args: argparse.Namespace,
    network: str | Sequence[str],
    model_file: pathlib.Path | None = None,
) -> dict:
    """Settings of a network, with its name under "network".

    Weights named as in the table of published files are found or fetched, and
    `args.weights` becomes their path. Their settings are the table's, as are those of
    a file with the md5 of a published one, whatever lies beside it; a model.json goes
    before a mere file name. So it is with `args.pose_weights`, those of the pose part
    of a network of actions, whose settings are the network's too, but for the number of
    pyramids; its other settings are the recipe's. A step that a flag names is the only
    one that training draws, of this stage and the later ones.

    With `args.block` they are those of the network cut there, as a network of its own;
    what it is cut from, which the weights are of, is under CUT_FROM.

    Args:
        args: parsed arguments of `add_network_arguments`, with `weights`, and
            `pose_weights` and `multi_clip` where the script has them.
        network: a name of NETWORKS; or several: then the flag `--network` decides,
            else what the weights are known to be of, else it is the first.
        model_file: a model.json to read instead of what the weights are known by.

    Raises:
        ValueError: if the model.json beside the weights cannot be read, has an unknown
            key or a value that may not be; if the weights are known to be of another
            kind of network; if a flag is given that this network has not, or that
            gainsays what the weights settle, as `--protocol`; or no such block.
        OSError: if published weights cannot be fetched.
    """
    return _merged(args, network, model_file)[0]


def settings_on_record(
    args: argparse.Namespace,
    network: str | Sequence[str],
    model_file: pathlib.Path | None = None,
) -> dict:
    """As `network_settings`, without what weights settle and nothing says of these."""
    settings, settled = _merged(args, network, model_file)
    known = NETWORKS[settings[NETWORK]].settings
    unsaid = {n for n, setting in known.items() if setting.settled} - settled.keys()
    return {name: value for name, value in settings.items() if name not in unsaid}


def _merged(args, networks, model_file) -> tuple[dict, dict]:
    """The settings, and those of them that are settled, with the source."""
    network = networks
    if not isinstance(networks, str):
        network = getattr(args, "network", None)
        if network is None and model_file is not None:
            network = one_like(network_of(model_file), networks)
        elif network is None:
            network = chosen_network(args.weights, networks)
    settings, settled = default_settings(network), {}
    for source, known in _sources(args, network, model_file):
        _settle(settled, source, known, network)
        settings.update(known)
    flags = _flags(args, network)
    _settle(settled, "the command line", flags, network)
    if "step" in flags:
        flags["drawn_steps"] = "one"
    settings.update(flags)
    settings = {**settings, NETWORK: network}
    if getattr(args, "block", None) is not None:
        settings = _cut(settings, args.block, networks)
    return settings, settled


def _cut(settings: dict, block: int, networks: str | Sequence[str]) -> dict:
    """The settings of the network that `--block` leaves."""
    try:
        cut = cut_of(settings, block)
    except ValueError as error:
        raise ValueError(f"--block: {error}") from error
    if cut[NETWORK] not in ([networks] if isinstance(networks, str) else networks):
        raise ValueError(
            "--block must leave a prediction of actions: it must be at least "
            f"{first_actions(settings)}. Received: --block {block}"
        )
    return cut


def _sources(args, network: str, model_file: pathlib.Path | None):
    """What weights and model.json say: where it is said, and the settings."""
    if model_file is not None:
        return [(str(model_file), read_model_file(model_file, network))]
    found, many = [], getattr(args, "multi_clip", False)
    if getattr(args, "pose_weights", None) is not None:
        part = part_of(args.pose_weights, network)
        args.pose_weights, known = known_settings(args.pose_weights, part)
        shared = NETWORKS[NETWORKS[network].pose_part].settings
        known = {
            n: v
            for n, v in known.items()
            if n == LAYOUT or (n in shared and not shared[n].own)
        }
        found.append((args.pose_weights, known))
    if args.weights is not None:
        args.weights, known = known_settings(args.weights, network, many)
        found.append((args.weights, known))
    for name, setting in NETWORKS[network].settings.items():
        for source, known in found:
            if setting.settled and name not in known:
                logger.warning("%s: nothing says its %s", source, name)
    return found


def _settle(settled: dict, source: str, known: dict, network: str) -> None:
    """Puts what a source settles beside what others did; refuses another value."""
    for name, setting in NETWORKS[network].settings.items():
        if not setting.settled or name not in known:
            continue
        value, first = settled.setdefault(name, (known[name], source))
        if value != known[name]:
            raise ValueError(
                f"{first}: is of {name} {value}, and videos of its training are for "
                f"the test of {known[name]}. Received: {name} {known[name]} "
                f"({source})"
            )


def sized(dataconf: DataConfig, settings: dict, augmented: bool = True) -> DataConfig:
    """A data set's configuration for a network: its crop, and its step in time.

    No rectangle hides a part of the crop: what the original draws for Human3.6M it
    never uses.

    Args:
        dataconf: of the paper.
        settings: what `network_settings` returns. Its step is that of evaluations, and
            the only one that training draws if `drawn_steps` says so.
        augmented: whether training draws what `dataconf` has to draw from.
    """
    side = settings["size"]
    changes = {"crop_resolution": (side, side), "geoocclusion": None}
    if "step" in settings:
        changes["fixed_subsampling"] = settings["step"]
        if settings["drawn_steps"] == "one":
            changes["subsampling"] = (settings["step"],)
    dataconf = dataclasses.replace(dataconf, **changes)
    return dataconf if augmented else dataconf.without_augmentation()


def given_flags(args: argparse.Namespace) -> dict:
    """The flags that were given of those that shape a network, of whatever network."""
    settings = [item for r in NETWORKS.values() for item in r.settings.items()]
    return _given(args, [name for name, setting in settings if not setting.of_data])


def _given(args: argparse.Namespace, names: Iterable[str]) -> dict:
    flags = {name: getattr(args, name, None) for name in names}
    return {name: value for name, value in flags.items() if value is not None}


def _flags(args: argparse.Namespace, network: str) -> dict:
    known = NETWORKS[network].settings
    for name in given_flags(args):
        if name not in known:
            raise ValueError(
                f"--{name.replace('_', '-')}: {NETWORKS[network].about} has no such "
                f"property; it has {', '.join(known)}"
            )
    return _given(args, [name for name, setting in known.items() if setting.flag])
