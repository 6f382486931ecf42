"""Tells what is here: versions, devices, weights; or what weights are of.

    python -m deephar info
    python -m deephar info small_pose
    python -m deephar info small_pose --block 1
    python -m deephar info runs/mpii/weights_best.weights.h5 --json
    python -m deephar info --schema > predictions.schema.json

Of WEIGHTS, files or names, it tells the network, its settings, joints and actions, and
whether the file fits it: the network is built, and the file read whole. With --block
the network, its settings and its parameters are those of what is left when it is cut
there, and "cuts" tells how many predictions it can be cut after. Nothing is fetched.
The exit status is 1 if a file does not fit.
"""

import argparse
import importlib.metadata
import json
import platform
from collections.abc import Sequence

import keras

from deephar import __version__, checkpoints
from deephar.checkpoints.download import state_of, weights_folder
from deephar.commands import command_parser, say
from deephar.commands.described_weights import describe_weights
from deephar.frameworks import device, device_names, processor
from deephar.inference.schema import SCHEMA
from deephar.networks import NETWORKS, SHIPPED
from deephar.networks.published import network_like
from deephar.utils.machine import machine
from deephar.utils.numbers import positive_int
from deephar.utils.timing import table

PACKAGES = (
    *("keras", "tensorflow", "jax", "torch", "numpy", "scipy", "pillow", "av"),
    *("opencv-python-headless", "h5py", "matplotlib", "pycocotools", "jsonschema"),
)


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The flags."""
    parser = command_parser("info", __doc__)
    add = parser.add_argument
    add("weights", nargs="*", metavar="WEIGHTS", help="a file, or a name")
    add("--json", action="store_true", help="print JSON")
    block = "of the network cut after its first K predictions"
    add("--block", type=positive_int, metavar="K", help=block)
    schema = "print the JSON schema of what predict writes"
    add("--schema", action="store_true", help=schema)
    args = parser.parse_args(argv)
    if args.schema and args.weights:
        parser.error("--schema is not of WEIGHTS")
    if args.block is not None and not args.weights:
        parser.error("--block is of WEIGHTS: name some")
    return args


def main(argv: Sequence[str] | None = None) -> int:
    """Tells; returns the exit status."""
    args = parse(argv)
    if args.schema:
        say(json.dumps(SCHEMA, indent=1))
        return 0
    if not args.weights:
        found = describe_machine()
        say(json.dumps(found, indent=1) if args.json else table(_rows(found)))
        return 0
    found = [describe_weights(weights, args.block) for weights in args.weights]
    if args.json:
        say(json.dumps(found, indent=1))
    else:
        say("\n\n".join(table(_rows(one)) for one in found))
    return int(any(one.get("fits") is False for one in found))


def describe_machine() -> dict:
    """Versions, devices, packages, and the weights at hand."""
    framework, here = device(), machine()
    return {
        "deephar": __version__,
        "python": here["python"],
        "system": platform.platform(),
        "backend": f"{framework['backend']} {framework['version']}",
        "keras": framework["keras"],
        "device": framework["device"],
        "devices": [*device_names("cpu"), *device_names("gpu")],
        "cpu": here["cpu"],
        "cores": here["cores"],
        "precision": keras.config.dtype_policy().name,
        "fastest precision": _fastest(framework["backend"]),
        "packages": {name: _version(name) for name in PACKAGES},
        "weights folder": str(weights_folder()),
        "weights": _weights_at_hand(),
    }


def _fastest(backend: str) -> str | None:
    """What --precision auto is; other backends than TensorFlow do not tell."""
    return processor().precision if backend == "tensorflow" else None


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "absent"


def _weights_at_hand() -> dict[str, str]:
    found = {}
    for name, shipped in SHIPPED.items():
        state = "here" if shipped.is_here() else "absent"
        found[name] = f"{state}: {shipped.about}"
    for name, published in checkpoints.KNOWN.items():
        about = NETWORKS[network_like(published.network)].about
        figure = f"; {published.figure}" if published.figure else ""
        found[name] = f"{state_of(published)}: {about}{figure}"
    return found


def _rows(found: dict) -> list[tuple[str, str]]:
    """A description as lines of two columns; dictionaries become lines of their own."""
    rows = []
    for name, value in found.items():
        if isinstance(value, dict):
            rows.append((name, ""))
            rows += [(f"  {key}", _text(one)) for key, one in value.items()]
        elif value is not None:
            rows.append((name, _text(value)))
    return rows


def _text(value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    return str(value)
