"""Times a network on this machine: pictures in batches, and a stream frame by frame.

    python -m deephar benchmark
    python -m deephar benchmark --weights small_action --json speed.json
    python -m deephar benchmark --weights small_pose --block 1
    python -m deephar benchmark --weights runs/penn/weights_best.weights.h5 \\
        --precision bfloat16 --batch-sizes 1 16

`batch_N` is the network alone on N crops. `stream` is one more frame of a video of one
person, as `predict` does it: the crop is cut out, the network looks at it, and one of
actions tells what the last frames show. `window` is what that would cost if all frames
of the window were looked at anew. Without WEIGHTS those that come with deephar are
timed. The last line on the screen is the result as JSON.

Temporal lifting is timed by exp/benchmark/lifting.py, training by
exp/benchmark/model.py; commands are compared in pairs by the --against of these.
"""

import argparse
import functools
import json
from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image

from deephar import frameworks
from deephar.checkpoints.pytorch import is_pytorch
from deephar.commands import command_parser, say
from deephar.inference import ActionPredictor, ActionStream, PosePredictor
from deephar.networks import NETWORKS, SMALL_LIFT, SMALL_POSE, weights_settings
from deephar.utils.fs import write_json
from deephar.utils.machine import CHOSEN_PRECISIONS
from deephar.utils.numbers import positive_int
from deephar.utils.timing import peak_memory_mib, result_of, seconds

SIZE = (1280, 720)
"""(w, h) of the stream's frames, px."""
BOX = (440, 60, 840, 660)
"""The person in them."""


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The flags."""
    parser = command_parser("benchmark", __doc__)
    add = parser.add_argument
    name = SMALL_POSE.name
    add("--weights", default=name, help="a file, or a name (%(default)s)")
    sizes = {"type": positive_int, "nargs": "+", "metavar": "N", "default": [1, 8]}
    add("--batch-sizes", help="crops at once (%(default)s)", **sizes)
    add("--repeat", type=positive_int, default=20, help="timed calls (%(default)s)")
    block = "of the network cut after its first K predictions"
    add("--block", type=positive_int, metavar="K", help=block)
    add("--flip", action="store_true", help="look at every crop mirrored too")
    add("--device", help="cpu, gpu, gpu:1 (default: what Keras takes)")
    add(
        "--precision",
        choices=CHOSEN_PRECISIONS,
        default="float32",
        help="(%(default)s)",
    )
    switch = argparse.BooleanOptionalAction
    add("--fold", action=switch, default=True, help="batch norms folded (yes)")
    add("--jit", action="store_true", help="XLA; on TensorFlow for GPUs alone")
    add("--json", metavar="FILE", help="write the result there too")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Times and tells."""
    args = parse(argv)
    figures = measure(args)
    settings = {name: value for name, value in vars(args).items() if name != "json"}
    result, text = result_of(settings, figures)
    if args.json:
        write_json(args.json, result)
    say(text)
    say(json.dumps(result))


def measure(args: argparse.Namespace) -> dict:
    """The figures by name, and what they were taken on."""
    if args.weights == SMALL_LIFT.name or is_pytorch(args.weights):
        raise ValueError(
            "--weights must be of poses or actions in pictures; lifting is timed by "
            f"exp/benchmark/lifting.py. Received: {args.weights}"
        )
    network = weights_settings(args.weights, list(NETWORKS))[1]["network"]
    merged = NETWORKS[network].family.merged
    looker = (ActionPredictor if merged else PosePredictor).load(
        args.weights,
        flip=args.flip,
        batch_size=max(args.batch_sizes),
        device=args.device,
        precision=args.precision,
        fold=args.fold,
        jit=args.jit,
        block=args.block,
    )
    if merged:
        clips = looker.clip_predictor
        model, batch = clips.frame_model, clips.describe_frames
    else:
        model, batch = looker.model, looker.predict_crops
    height, width = model.input_shape[1:3]
    figures = {**frameworks.device(), "network": network, "input": f"{width}x{height}"}
    for size in args.batch_sizes:
        crops = _noise(size, height, width, 3)
        times = seconds(functools.partial(batch, crops), args.repeat)
        figures |= _figures(f"batch_{size}", times, size)
    figures |= _figures("stream", seconds(_stream(looker, merged), args.repeat), 1)
    if merged:
        window = _noise(1, clips.num_frames, height, width, 3)
        whole = functools.partial(clips.predict_clips, window)
        times = seconds(whole, args.repeat)
        figures |= _figures("window", times, 1)
    return {**figures, "peak_mib": peak_memory_mib()}


def _stream(looker, merged: bool) -> Callable[[], object]:
    """What is done for one more frame of a video of one person."""
    rng = np.random.default_rng(0)
    shape = (*SIZE[::-1], 3)
    frame = Image.fromarray(rng.integers(0, 256, shape, np.uint8))
    window = looker.window(SIZE, BOX)
    if not merged:
        return lambda: looker.look([frame], [window])
    actions = ActionStream(looker.clip_predictor, looker.step or 1, early=True)

    def step():
        seen = looker.look([frame], [window])
        return actions.push([1], seen.described, seen.windows)

    return step


def _noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)


def _figures(name: str, times: dict, count: int) -> dict[str, float]:
    return {
        f"{name}_first_s": times["first"],
        f"{name}_s": times["median"],
        f"{name}_slowest_s": times["slowest"],
        f"{name}_per_s": count / times["median"],
    }
