"""Times the reception network: build, trace, forward pass and training step.

Command   python exp/benchmark/reception.py [--blocks 8] [--size 256] [--batch-size 8]

Runs on any backend (KERAS_BACKEND); absolute times depend on the machine, so compare in
pairs. XLA compiles on JAX only: on the CPU it is slow for this network elsewhere.
"""

import argparse
import json
import statistics
import time

import keras
import numpy as np

from deephar import experiment
from deephar.losses import pose_regression_loss
from deephar.models import reception
from deephar.optimizers import rmsprop


def parse(argv=None):
    """The flags."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for flag, default in (
        ("--size", 256),
        ("--blocks", 8),
        ("--batch-size", 8),
        ("--repeat", 5),
    ):
        number = {"type": experiment.positive_int, "default": default}
        parser.add_argument(flag, help="(%(default)s)", **number)
    return parser.parse_args(argv)


def seconds(function, repeat):
    """Times of the first call, and of `repeat` further ones."""
    times = []
    for _ in range(repeat + 1):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return times[0], times[1:]


def main(argv=None):
    """Prints a table row for each part, and a line of JSON."""
    args = parse(argv)
    start = time.perf_counter()
    shape = (args.size, args.size, 3)
    model = reception.build(shape, 16, dim=2, num_blocks=args.blocks, ksize=(5, 5))
    result = {"backend": keras.backend.backend(), **vars(args)}
    result["build_s"] = round(time.perf_counter() - start, 3)
    jit = keras.backend.backend() == "jax"
    loss = pose_regression_loss("l1l2bincross", 0.01)
    model.compile(rmsprop(), loss, jit_compile=jit)
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (args.batch_size, *shape)).astype("float32")
    y = rng.uniform(0, 1, (args.batch_size, 16, 3)).astype("float32")
    targets = [y] * args.blocks if args.blocks > 1 else y
    parts = {
        "forward": lambda: model.predict_on_batch(x),
        "step": lambda: model.train_on_batch(x, targets),
    }
    for name, function in parts.items():
        first, others = seconds(function, args.repeat)
        middle = statistics.median(others)
        result[f"{name}_first_s"] = round(first, 3)
        result[f"{name}_s"] = round(middle, 4)
        result[f"{name}_pictures_per_s"] = round(args.batch_size / middle, 2)
    for name, value in result.items():
        print(f"{name:24} {value}")
    print(json.dumps(result))


if __name__ == "__main__":
    experiment.run_script(main)
