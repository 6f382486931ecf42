r"""Times a merged model of actions: building it, and a clip against its frames.

Command   python exp/benchmark/clip_model.py [--dim 3] [--frames 16] [--blocks 4] \
              [--clips 1] [--fold] [--against COMMAND]

The clips go through the whole model and their frames, in one batch, through the frame
model alone, in turn: A B A B. `forward_ratio`, what a clip costs over its frames, is
the median of the pairs' ratios. Runs on any backend (KERAS_BACKEND).
"""

import argparse
import statistics
import time

import common
import numpy as np

from deephar.utils.numbers import crop_side, positive_int
from deephar.utils.timing import seconds

JOINTS, ACTIONS = {2: 16, 3: 20}, {2: 15, 3: 60}


def parse(argv=None):
    """The flags."""
    parser = common.argument_parser(__doc__)
    add = parser.add_argument
    add("--dim", type=int, choices=(2, 3), default=2, help="of the poses (%(default)s)")
    add("--size", type=crop_side, default=256, help="side, px (%(default)s)")
    add("--frames", type=positive_int, default=16, help="of a clip (%(default)s)")
    add("--blocks", type=positive_int, default=4, help="(%(default)s)")
    add("--clips", type=positive_int, default=1, help="of a batch (%(default)s)")
    add("--fold", action="store_true", help="with batch norms folded")
    switch = argparse.BooleanOptionalAction
    add("--jit", action=switch, help="XLA (default: JAX, and TensorFlow on a GPU)")
    add("--repeat", type=positive_int, default=10, help="timed pairs (%(default)s)")
    return parser.parse_args(argv)


def build(args, reception, action):
    """The merged model of the flags, its weights as initialised."""
    shape, joints = (args.size, args.size, 3), JOINTS[args.dim]
    pose = reception.build(
        *(shape, joints, args.dim), num_blocks=args.blocks, depth_maps=8, ksize=(5, 5)
    )
    sizes = (ACTIONS[args.dim], shape, args.frames, joints, args.blocks, args.dim)
    version = {2: "v1", 3: "v2"}[args.dim]
    return action.build_merge_model(pose, *sizes, pose_net_version=version)


def measure(args):
    """The figures by name, and what they were taken on."""
    import backends
    import flops

    from deephar.frameworks import device, jit_gains
    from deephar.inference.folding import fold_batch_norm
    from deephar.models import action, reception

    found = device()
    if args.jit is None:
        args.jit = jit_gains(found)
    start = time.perf_counter()
    model = build(args, reception, action)
    figures = {"build_s": time.perf_counter() - start}
    parts = [model.get_layer(name) for name in ("frame_model", "clip_head")]
    frame, head = (flops.count_flops(part) / 1e9 for part in parts)
    figures |= {"parameters": model.count_params(), "frame_gflop": frame}
    figures["head_share"] = head / (args.frames * frame + head)
    if args.fold:
        model = fold_batch_norm(model)
    shape = (args.clips, args.frames, args.size, args.size, 3)
    x = np.random.default_rng(0).uniform(-1, 1, shape).astype("float32")
    whole = backends.forward(model, x, args.jit)
    frames = model.get_layer("frame_model")
    part = backends.forward(frames, x.reshape(-1, *shape[2:]), args.jit)
    pairs = [
        [seconds(f, 1, warm=0)["median"] for f in (whole, part)]
        for _ in range(1 + args.repeat)
    ][1:]
    clip_s, frames_s = (statistics.median(times) for times in zip(*pairs, strict=True))
    ratios = sorted(a / b for a, b in pairs)
    return {
        **found,
        **figures,
        "clips_s": clip_s,
        "frames_s": frames_s,
        "clips_per_s": args.clips / clip_s,
        "forward_ratio": statistics.median(ratios),
        "forward_ratio_lowest": ratios[0],
        "forward_ratio_highest": ratios[-1],
    }


if __name__ == "__main__":
    arguments = parse()
    common.run(arguments, lambda: measure(arguments))
