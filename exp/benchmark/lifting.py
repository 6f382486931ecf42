r"""Times temporal lifting: a training step, a whole sequence, a stream's frame.

Command   python exp/benchmark/lifting.py --threads 2 [--parts step whole stream] \
              [--framework torch] [--against COMMAND]

`step` is a step of training of the strided network on --batch-size single poses, Adam
and dropout included; `whole` lifts a sequence of --frames frames, as evaluation does
without flip; `stream` takes a frame of one causal track. --framework torch times the
same network of plain torch.nn (step and whole), for pairs:

    B=exp/benchmark/lifting.py; P="--threads 1 --parts step whole"
    python $B $P --against "python $B $P --framework torch"
"""

import os

import common

from deephar.utils.numbers import natural, positive_int
from deephar.utils.timing import peak_memory_mib, seconds

JOINTS = 17
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def parse(argv=None):
    """The flags."""
    parser = common.argument_parser(__doc__)
    add = parser.add_argument
    parts = ("step", "whole", "stream")
    add("--parts", nargs="+", choices=parts, default=list(parts), help="what to time")
    add("--framework", choices=("keras", "torch"), default="keras")
    add("--threads", type=natural, default=0, help="0 for all (%(default)s)")
    add("--widths", type=positive_int, nargs="+", default=[3] * 5, help="of the layers")
    add("--channels", type=positive_int, default=1024, help="(%(default)s)")
    add("--batch-size", type=positive_int, default=256, help="(%(default)s)")
    add("--frames", type=positive_int, default=2000, help="(%(default)s)")
    add("--repeat", type=positive_int, default=10, help="timed calls (%(default)s)")
    args = parser.parse_args(argv)
    if args.framework == "torch" and "stream" in args.parts:
        parser.error("--framework torch has no stream: give --parts step whole")
    return args


def measure(args):
    """The figures by name."""
    if args.threads:
        os.environ.update(dict.fromkeys(THREADS, str(args.threads)))
    if args.framework == "torch":
        import lifting_torch as framework
    else:
        import lifting_keras as framework
    import numpy as np

    rng = np.random.default_rng(0)
    sees = int(np.prod(args.widths))

    def tracks(*shape):
        return rng.uniform(-1, 1, (*shape, JOINTS, 2)).astype("float32")

    framework.limit_threads(args.threads)
    figures = framework.describe()
    if "step" in args.parts:
        poses = rng.normal(0, 0.3, (args.batch_size, 1, JOINTS, 3)).astype("float32")
        step = framework.training(args, tracks(args.batch_size, sees), poses)
        times = seconds(step, args.repeat)
        rate = args.batch_size / times["median"]
        figures |= {"step_s": times["median"], "step_poses_per_s": rate}
    if "whole" in args.parts:
        lift = framework.whole(args, tracks(args.frames))
        times = seconds(lift, args.repeat)
        rate = args.frames / times["median"]
        figures |= {"whole_s": times["median"], "whole_frames_per_s": rate}
    if "stream" in args.parts:
        step = framework.stream(args, tracks(1))
        times = seconds(step, 10 * args.repeat)
        figures |= {"stream_s": times["median"], "stream_slowest_s": times["slowest"]}
    return {**figures, "peak_mib": peak_memory_mib()}


if __name__ == "__main__":
    arguments = parse()
    common.run(arguments, lambda: measure(arguments))
