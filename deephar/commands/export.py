"""Writes a network as files for other runtimes: ONNX, TFLite, SavedModel.

    python -m deephar export small_pose --out runs/onnx
    python -m deephar export small_action --out runs/phone --formats onnx tflite-int8
    python -m deephar export runs/mpii/weights_best.weights.h5 --block 4 \\
        --formats onnx tflite-float16 --pictures people.txt --out runs/mpii4

A network of poses is one file, pose.onnx; one of actions two, frame_model.onnx and
clip_head.onnx; one of lifting lifting.onnx. Batch norms are folded. Each file is run
at once on --crops people of --pictures (generated ones without) beside the Keras
network; beside it stands its card, NAME.json and NAME.md: inputs, outputs, units, how
a crop is made, the largest error seen, md5 of weights and file, how to call it. A file
whose error is above the bound of its format becomes NAME.rejected, until there is a
good one, and the exit status is 1. The packages are those of the extra `export`:
pip install "deephar[export]".
"""

import argparse
import dataclasses
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from deephar.checkpoints.pytorch import is_pytorch
from deephar.commands import command_parser, say
from deephar.inference.export import (
    FORMATS,
    INTEGER,
    check_format,
    export_part,
    remove,
)
from deephar.inference.export_parts import Part, lifting_parts, network_parts
from deephar.inference.export_samples import (
    clips_of,
    crops_of,
    generated_people,
    made_up_tracks,
    outputs_of,
    people_in,
)
from deephar.inference.exported import (
    Difference,
    ExportedModel,
    beyond_bound,
    differences,
)
from deephar.inference.eye import lifting_networks
from deephar.inference.loading import load
from deephar.inference.model_card import make_card, remove_card, write_card
from deephar.models import lifting
from deephar.networks import NETWORKS, SMALL_POSE
from deephar.networks.settings import weights_settings
from deephar.networks.shipped import shipped_path
from deephar.utils.fs import md5_of
from deephar.utils.numbers import positive_int
from deephar.utils.timing import MIB, table

REJECTED = ".rejected"
CALIBRATION = 100
"""People to calibrate with, where nothing is said."""


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The flags."""
    parser = command_parser("export", __doc__)
    add = parser.add_argument
    name = SMALL_POSE.name
    add("weights", nargs="?", default=name, help="a file, or a name (%(default)s)")
    add("--out", default="runs/export", metavar="FOLDER", help="(%(default)s)")
    formats = {"nargs": "+", "choices": list(FORMATS), "default": ["onnx"]}
    add("--formats", help=f"{', '.join(FORMATS)} (onnx)", metavar="FORMAT", **formats)
    block = "cut the network after its first K predictions (all)"
    add("--block", type=positive_int, metavar="K", help=block)
    batch = "pictures at once (any number; of TFLite 1)"
    add("--batch", type=positive_int, metavar="N", help=batch)
    sources = {"nargs": "+", "metavar": "SOURCE"}
    pictures = "what to check on: pictures, folders, videos, lists of boxes"
    add("--pictures", help=f"{pictures} (generated people)", **sources)
    number = {"type": positive_int, "metavar": "N"}
    add("--crops", default=20, help="people to check on (%(default)s)", **number)
    calibration = "what tflite-int8 is calibrated with (generated people)"
    add("--calibration", help=calibration, **sources)
    most = f"people to calibrate with ({CALIBRATION})"
    add("--calibration-crops", help=most, **number)
    args = parser.parse_args(argv)
    if INTEGER not in args.formats and (args.calibration or args.calibration_crops):
        parser.error(f"--calibration and --calibration-crops are of {INTEGER}")
    return args


@dataclasses.dataclass(frozen=True)
class _Network:
    """What is exported.

    Attributes:
        parts: of the network.
        settings: its settings, with its name under "network".
        weights: name and md5 of the file, for cards.
    """

    parts: list[Part]
    settings: dict[str, Any]
    weights: dict[str, str]


@dataclasses.dataclass(frozen=True)
class _Samples:
    """What the parts see.

    Attributes:
        inputs: for each part an array `(n, ...)` for each of its inputs.
        what: what they are, in words.
    """

    inputs: list[list[np.ndarray]]
    what: str


def main(argv: Sequence[str] | None = None) -> int:
    """Exports, checks and tells; returns the exit status."""
    args = parse(argv)
    for form in args.formats:
        check_format(form, args.batch)
    network = _load(args.weights, args.block)
    checked, calibration = _samples(network, args.pictures, args.crops), None
    if INTEGER in args.formats:
        given = args.calibration, args.calibration_crops or CALIBRATION
        calibration = _samples(network, *given, first=args.crops)
    rows, problems = [("file", "MiB", "output", "largest error", "of", "mean")], []
    for number, part in enumerate(network.parts):
        expected = outputs_of(part, checked.inputs[number])
        for form in args.formats:
            path = pathlib.Path(args.out, part.name + FORMATS[form].ending)
            integer = calibration if form == INTEGER else None
            seen = None if integer is None else integer.inputs[number]
            remove_card(path)
            export_part(part, path, form, args.batch, seen)
            more = {"weights": network.weights, "block": args.block}
            if integer is not None:
                more["calibrated with"] = integer.what
            card = make_card(part, network.settings, form, path, args.batch, **more)
            try:
                exported = ExportedModel(path, card)
                found = differences(exported, checked.inputs[number], expected)
                problem = beyond_bound(form, found)
            except ValueError as error:
                problem = str(error)
            if problem is None:
                remove(_aside(path))
                write_card(path, {**card, "checked": _checked(form, checked, found)})
                rows.append(_row(path, card, found))
            else:
                problems.append(f"{path}: {problem}; it is now {_reject(path).name}")
    say(table(rows))
    for problem in problems:
        say(f"error: {problem}")
    return int(bool(problems))


def _load(weights: str, block: int | None) -> _Network:
    """The parts of the network that weights are of."""
    path = pathlib.Path(shipped_path(weights))
    if is_pytorch(path):
        if block is not None:
            raise ValueError(f"--block: {path} is of lifting, which predicts once")
        models, keypoints = lifting_networks(weights)
        settings = {"network": "lifting", "keypoints": keypoints}
        settings |= lifting.settings(models[0])
        parts = lifting_parts(models, keypoints)
    else:
        model, settings, _ = load(weights, list(NETWORKS), None, "float32", block)
        path = weights_settings(weights, list(NETWORKS))[0]
        parts = network_parts(model, settings)
    return _Network(parts, settings, {"name": weights, "md5": md5_of(path)})


def _samples(
    network: _Network, sources: Sequence[str] | None, count: int, first: int = 0
) -> _Samples:
    """What the parts see of sources, or of generated people from a number on."""
    part, *others = network.parts
    if "picture" not in [x.name for x in part.inputs]:
        if sources is not None:
            raise ValueError(
                "--pictures and --calibration are of networks that look at pictures; "
                f"{part.name} sees tracks, which are made up. Received: {sources}"
            )
        tracks = [made_up_tracks(one, count, first) for one in network.parts]
        what = f"{count} made-up tracks"
        return _Samples([[x] for x in tracks], what)
    people = generated_people(first) if sources is None else people_in(sources)
    height, width = part.inputs[0].shape[:2]
    crops = crops_of(people, count, (width, height))
    of = "generated people" if sources is None else ", ".join(sources)
    what, inputs = f"{len(crops)} crops of {of}", [[crops]]
    for head in others:
        described = outputs_of(part, [crops])[: len(head.inputs)]
        inputs.append(clips_of(described, head.inputs[0].shape[0]))
    return _Samples(inputs, what)


def _checked(
    form: str, samples: _Samples, found: Mapping[str, Difference]
) -> dict[str, Any]:
    """What the check found, for the card."""
    return {
        "against": f"Keras {keras.__version__} on {keras.backend.backend()}, float32",
        "inputs": samples.what,
        "bound": {"largest": FORMATS[form].bound, "mean": FORMATS[form].mean_bound},
        "errors": {name: one._asdict() for name, one in found.items()},
    }


def _row(path: pathlib.Path, card: Mapping, found: Mapping[str, Difference]) -> tuple:
    """A file with its worst output, as a line of the table."""
    name, worst = max(found.items(), key=lambda one: one[1].largest / one[1].unit)
    mib = card["bytes"] / MIB
    return (str(path), mib, name, worst.largest, worst.unit, worst.mean)


def _reject(path: pathlib.Path) -> pathlib.Path:
    """Puts a file aside; returns where it is now."""
    remove(_aside(path))
    return path.replace(_aside(path))


def _aside(path: pathlib.Path) -> pathlib.Path:
    """Returns where a file is put whose error is too large."""
    return path.with_name(path.name + REJECTED)
