r"""Converts weights from the originals' files to Keras 3's, or back.

    python -m deephar convert-weights IN OUT [--name NAME | --model model.json] [flags]
    python -m deephar convert-weights mpii weights/mpii/w.weights.h5
    python -m deephar convert-weights their.h5 ours/w.weights.h5 --blocks 2
    python -m deephar convert-weights mpii weights/cut/w.weights.h5 --block 4

IN is a file, or the name of a published one. OUT is in the form of Keras 3 if it ends
in .weights.h5, and in the original's layout if it ends otherwise in .h5 or .hdf5. The
network is the published NAME's, or that of model.json; or what IN is known by: its md5,
a model.json beside it, or its file name; else --network's, of the flags' shape (without
--network the 2D pose network's). SPNets in the original's layout are read by name, all
else by order. With --block OUT is of the network cut there. OUT is read back and
compared; the report goes to OUT.json too, and the network to the model.json beside OUT,
where every script finds it.

Checkpoints of VideoPose3D, and ours of temporal lifting (FILE.bin, PyTorch's), go to
FILE.weights.h5 and back in the same way; --key model_traj takes the trajectory network,
and --causal and --dense tell what the original's files do not.
"""

import argparse
import json
import pathlib
from collections.abc import Callable, Sequence

import keras
import numpy as np

from deephar import checkpoints, experiment
from deephar.checkpoints.lifting import network_arguments, read_lifting, state_dict
from deephar.checkpoints.pytorch import is_pytorch
from deephar.commands import command_parser, say
from deephar.models import lifting
from deephar.networks import cut_network, cut_settings

LIFTING = "lifting"


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The flags."""
    parser = command_parser("convert-weights", __doc__)
    parser.add_argument("weights", metavar="IN", help="a file, or a published name")
    parser.add_argument("out", metavar="OUT", type=pathlib.Path)
    network = parser.add_mutually_exclusive_group()
    network.add_argument("--name", choices=checkpoints.KNOWN, help="published network")
    network.add_argument("--model", type=pathlib.Path, help="a training's model.json")
    network.add_argument("--network", choices=experiment.NETWORKS, help="of the flags")
    parser.add_argument("--overwrite", action="store_true", help="replace OUT")
    half = "round kernels to 16 bits, which halves OUT (.weights.h5)"
    parser.add_argument("--float16", action="store_true", help=half)
    experiment.add_network_arguments(parser)
    lift = parser.add_argument_group("checkpoints of temporal lifting")
    lift.add_argument("--key", choices=checkpoints.lifting.NETWORKS)
    lift.add_argument("--causal", action="store_true", help="IN is causal")
    lift.add_argument("--dense", action="store_true", help="IN is dense")
    return parser.parse_args(argv)


def build(args: argparse.Namespace) -> tuple[keras.Model, dict]:
    """The network and its settings, as far as they are known."""
    source = pathlib.Path(args.weights)
    published = checkpoints.KNOWN.get(args.name)
    if args.weights in checkpoints.KNOWN and not source.is_file():
        published = published or checkpoints.KNOWN[args.weights]
        args.weights = str(checkpoints.get(args.weights))
    beside = source.parent / experiment.MODEL_FILE
    if published is None and args.model is None:
        found, certain = checkpoints.recognise(source)
        published = found if certain or not beside.is_file() else None
    shape = list(experiment.given_flags(args))
    if published is not None and shape:
        raise ValueError(f"{published.name} is published, and of one shape: no {shape}")
    if published is not None:
        return published.network.build(), experiment.settings_of(published)
    whole = argparse.Namespace(**{**vars(args), "block": None})
    known = (whole, experiment.NETWORKS, args.model)
    settings = experiment.network_settings(*known)
    args.weights = whole.weights
    model = experiment.build_network(settings["network"], settings)
    return model, experiment.settings_on_record(*known)


def convert(
    model: keras.Model,
    settings: dict,
    source: str,
    out: pathlib.Path,
    short_kernels: bool = False,
    block: int | None = None,
) -> tuple[dict, dict]:
    """Reads, cuts, writes, reads back and compares.

    Returns:
        The report, and the settings of what was written.
    """
    experiment.load_network(model, source, settings["network"])
    whole = len(model.weights)
    if block is not None:
        model, settings = cut_network(model, settings, block)
    values = model.get_weights()
    out.parent.mkdir(parents=True, exist_ok=True)
    checkpoints.save_weights(model, out, short_kernels)
    if short_kernels:
        values = [_rounded(x) if np.ndim(x) > 1 else x for x in values]
    model.set_weights([np.zeros_like(value) for value in values])
    experiment.load_network(model, out, settings["network"])
    if not all(map(np.array_equal, model.get_weights(), values)):
        raise OSError(f"{out}: does not hold what was written")
    before, after = checkpoints.describe(source), checkpoints.describe(out)
    report = {
        "from": before,
        "to": after,
        "tensors_used": len(values),
        "constants_dropped": before["tensors"] - whole,
        "constants_added": after["tensors"] - len(values),
        "parameters": model.count_params(),
    }
    return report | ({} if block is None else {"block": block}), settings


def _rounded(x: np.ndarray) -> np.ndarray:
    return x.astype(np.float16).astype(x.dtype)


def build_lifting(args: argparse.Namespace) -> tuple[keras.Model, dict]:
    """A network of temporal lifting and its settings."""
    shape = [*experiment.given_flags(args), *filter(None, (args.name, args.network))]
    shape += [name for name in ("float16", "block") if getattr(args, name)]
    if shape:
        raise ValueError(f"a network of lifting is known by its file: no {shape}")
    if not args.out.name.endswith((".bin", ".weights.h5")):
        raise ValueError(f"{args.out}: must end in .bin or .weights.h5")
    source = pathlib.Path(args.weights)
    if is_pytorch(source):
        checkpoint = read_lifting(source)
        told = network_arguments(checkpoint, dense=args.dense)
        if args.key == "model_traj":
            told |= {"num_joints_out": 1}
    else:
        file = args.model or source.parent / experiment.MODEL_FILE
        if not file.is_file():
            raise FileNotFoundError(f"{file}: must tell the network of {source}")
        told = read_json(file)
        if told.pop("network", None) != LIFTING or args.key:
            raise ValueError(f"{source}: is no checkpoint, or {file} not of {LIFTING}")
    for name in ("causal", "dense"):
        if getattr(args, name) and not told.setdefault(name, True):
            raise ValueError(f"{source}: is of a network that is not {name}")
    model = lifting.build(**told)
    settings = lifting.settings(model)
    widths = list(settings["filter_widths"])
    return model, {"network": LIFTING, **settings, "filter_widths": widths}


def convert_lifting(
    model: keras.Model, key: str | None, source: str, out: pathlib.Path
) -> dict:
    """Reads, writes, reads back and compares; returns the report."""
    checkpoints.load_weights(model, source, key=key)
    values = state_dict(model)
    out.parent.mkdir(parents=True, exist_ok=True)
    checkpoints.save_weights(model, out)
    model.set_weights([np.zeros_like(value) for value in model.get_weights()])
    checkpoints.load_weights(model, out)
    again = state_dict(model)
    if not all(np.array_equal(again[name], values[name]) for name in values):
        raise OSError(f"{out}: does not hold what was written")
    parameters = sum(int(np.prod(v.shape)) for v in model.trainable_variables)
    sides = {"from": checkpoints.describe(source), "to": checkpoints.describe(out)}
    return {**sides, "parameters": parameters}


def read_json(path: pathlib.Path) -> dict:
    """A model.json."""
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path}: must be a model.json. {error}") from error


def check_folder(model_file: pathlib.Path, same: Callable[[], bool]) -> None:
    """Refuses a folder that has the weights of another network."""
    if model_file.exists() and not same():
        raise ValueError(
            f"{model_file}: is of another network; OUT needs a folder of its own"
        )


def main(argv: Sequence[str] | None = None) -> None:
    """Converts and reports."""
    args = parse(argv)
    record = args.out.with_name(f"{args.out.name}.json")
    for path in (args.out, record):
        if path.exists() and not args.overwrite:
            raise FileExistsError(f"{path}: is there already; --overwrite replaces it")
    if args.out.resolve() == pathlib.Path(args.weights).resolve():
        raise ValueError(f"{args.out}: is IN and OUT at once")
    model_file = args.out.parent / experiment.MODEL_FILE
    if args.out.suffix == ".bin" or is_pytorch(args.weights):
        model, settings = build_lifting(args)
        check_folder(model_file, lambda: read_json(model_file) == settings)
        report = convert_lifting(model, args.key, args.weights, args.out)
    else:
        lift = [name for name in ("key", "causal", "dense") if getattr(args, name)]
        if lift:
            raise ValueError(f"{args.weights}: is no checkpoint of lifting: no {lift}")
        model, settings = build(args)
        left = settings
        if args.block is not None:
            left = cut_settings(settings, args.block)
        check_folder(model_file, lambda: experiment.describes(model_file, left))
        given = (args.weights, args.out, args.float16, args.block)
        report, settings = convert(model, settings, *given)
    if not model_file.exists():
        experiment.write_json(model_file, settings)
    record.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    for side in ("from", "to"):
        facts = "  ".join(f"{k} {v}" for k, v in report[side].items())
        say(f"{side:5} {facts}")
    say("  ".join(f"{k} {v}" for k, v in report.items() if k not in ("from", "to")))
