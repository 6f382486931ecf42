"""How a run computes: its precision and its compiler, behind one flag.

`--compute safe` is float32 without XLA. `--compute fast` takes what was measured to
gain on the processor at hand (docs/speed.md), and the log says what that is; results
then have the accuracy of 16-bit numbers. `--mixed-precision` decides the precision
whatever `--compute` says.
"""

import argparse
import dataclasses
import logging

import keras

from deephar.frameworks import Processor, processor
from deephar.utils.machine import PRECISIONS

logger = logging.getLogger(__name__)

COMPUTE = ("safe", "fast")


@dataclasses.dataclass(frozen=True)
class Compute:
    """What `configure_compute` chose.

    Attributes:
        precision: one of PRECISIONS; less than float32 is mixed: weights, soft-argmax,
            losses and outputs stay float32.
        jit: value of `jit_compile` for `keras.Model.compile`.
        fold: whether to fold batch norms for prediction.
    """

    precision: str
    jit: bool
    fold: bool = False


def add_compute_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags `--compute` and `--mixed-precision`."""
    parser.add_argument(
        "--compute",
        choices=COMPUTE,
        default="safe",
        help="fast: 16 bits and XLA where this processor gains by them (%(default)s)",
    )
    parser.add_argument(
        "--mixed-precision",
        choices=PRECISIONS,
        help="precision of the network, whatever --compute says; soft-argmax and "
        "losses stay float32",
    )


def configure_compute(args: argparse.Namespace) -> Compute:
    """Sets the precision of the layers that are built from here on.

    float16 needs loss scaling, which Keras adds in `Model.compile`.

    Args:
        args: parsed arguments of `add_compute_arguments`.

    Returns:
        What was chosen.

    Raises:
        ValueError: for `--compute fast` on a backend other than TensorFlow.
    """
    backend = keras.backend.backend()
    if args.compute == "fast" and backend != "tensorflow":
        raise ValueError(f"--compute fast needs TensorFlow. Received: {backend=}")
    machine = processor()
    chosen = choose(args.compute, args.mixed_precision, machine)
    chosen = dataclasses.replace(chosen, jit=chosen.jit or backend == "jax")
    low = chosen.precision != "float32"
    policy = f"mixed_{chosen.precision}" if low else "float32"
    keras.mixed_precision.set_dtype_policy(policy)
    xla = "with" if chosen.jit else "without"
    logger.info("compute %s on %s: %s, %s XLA", args.compute, machine.name, policy, xla)
    return chosen


def choose(compute: str, precision: str | None, machine: Processor) -> Compute:
    """What the flags mean on a processor.

    Args:
        compute: one of COMPUTE.
        precision: one of PRECISIONS, or None to let `compute` decide.
        machine: where it will run.
    """
    fast = compute == "fast"
    if precision is None:
        precision = machine.precision if fast else "float32"
    return Compute(precision, jit=fast and machine.gpu, fold=fast)
