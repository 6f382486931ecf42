r"""Times the 2D pose network: build, compile, forward pass and training step; memory.

Command   KERAS_BACKEND=jax python exp/benchmark/model.py --precision bfloat16 \
              [--parts forward step] [--blocks 8] [--batch-size 8] [--fold] \
              [--against COMMAND]

Runs on any backend (KERAS_BACKEND), without TensorFlow too. Pictures lie on the device
when the clock starts. TFLOP/s are the model's own multiplications and additions, a
training step counted as three forward passes; the share is of the chip's matrix peak.
"""

import argparse
import time

import common
import numpy as np

from deephar.utils.numbers import crop_side, positive_float, positive_int
from deephar.utils.timing import seconds

JOINTS = 16


def parse(argv=None):
    """The flags."""
    parser = common.argument_parser(__doc__)
    add = parser.add_argument
    parts = ("forward", "step")
    add("--parts", nargs="+", choices=parts, default=list(parts), help="what to time")
    add("--size", type=crop_side, default=256, help="side, px (%(default)s)")
    add("--blocks", type=positive_int, default=8, help="(%(default)s)")
    add("--batch-size", type=positive_int, default=8, help="(%(default)s)")
    precisions = ("float32", "bfloat16", "float16")
    add("--precision", choices=precisions, default="float32", help="(%(default)s)")
    add("--fold", action="store_true", help="forward with batch norms folded")
    switch = argparse.BooleanOptionalAction
    add("--jit", action=switch, help="XLA (default: JAX, and TensorFlow on a GPU)")
    add("--repeat", type=positive_int, default=10, help="timed calls (%(default)s)")
    add("--peak", type=positive_float, metavar="TFLOPS", help="of a chip not known")
    return parser.parse_args(argv)


def measure(args):
    """The figures by name, and what they were taken on."""
    import backends
    import flops
    import keras

    from deephar.frameworks import device, jit_gains, peak_device_memory_mib
    from deephar.inference.folding import fold_batch_norm
    from deephar.losses import pose_regression_loss
    from deephar.models import reception
    from deephar.optimizers import rmsprop

    found = device()
    if args.jit is None:
        args.jit = jit_gains(found)
    if args.precision != "float32":
        keras.mixed_precision.set_dtype_policy(f"mixed_{args.precision}")
    shape = (args.size, args.size, 3)
    start = time.perf_counter()
    model = reception.build(shape, JOINTS, dim=2, num_blocks=args.blocks, ksize=(5, 5))
    figures = {"build_s": time.perf_counter() - start}
    cost = flops.count_flops(model)
    figures |= {"parameters": model.count_params(), "gflop": cost / 1e9}
    peak = args.peak or flops.peak_tflops(found["device"], args.precision)
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (args.batch_size, *shape)).astype("float32")
    y = rng.uniform(0, 1, (args.batch_size, JOINTS, 3)).astype("float32")

    def report(part, function, cost):
        times = seconds(function, args.repeat)
        figures[f"{part}_first_s"] = times["first"]
        figures[f"{part}_s"] = times["median"]
        figures[f"{part}_pictures_per_s"] = args.batch_size / times["median"]
        rate = cost * args.batch_size / times["median"] / 1e12
        figures[f"{part}_tflops"] = rate
        if peak:
            figures[f"{part}_peak_share"] = rate / peak
        figures[f"{part}_peak_mib"] = peak_device_memory_mib()

    if "forward" in args.parts:
        used = fold_batch_norm(model) if args.fold else model
        report("forward", backends.forward(used, x, args.jit), cost)
    if "step" in args.parts:
        loss = pose_regression_loss("l1l2bincross", 0.01)
        model.compile(rmsprop(), loss, jit_compile=args.jit)
        step = backends.training(model, x, [y] * args.blocks, args.jit)
        report("step", step, flops.TRAINING * cost)
    return {**found, **figures}


if __name__ == "__main__":
    arguments = parse()
    common.run(arguments, lambda: measure(arguments))
