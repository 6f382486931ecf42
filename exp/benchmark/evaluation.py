"""Times an evaluation end to end, pictures on disk to a score, and its peak memory.

Command   python exp/benchmark/evaluation.py [--data FOLDER] [--people 2958] \\
              [--compute fast] [--against COMMAND]

Without --data, generated people are drawn into a temporary folder first; that takes no
part in the time. The network is untrained, which changes nothing here. The time counts
from the first picture to the score, compiling included.
"""

import dataclasses
import pathlib
import tempfile
import time

import common

from deephar import experiment
from deephar.config import mpii_sp_dataconf
from deephar.data import MpiiSinglePerson
from deephar.data.synthetic import write_mpii
from deephar.evaluation.pose import predict_poses, score_pckh
from deephar.experiment.compute import add_compute_arguments
from deephar.inference import PosePredictor
from deephar.models import reception
from deephar.utils.modes import VALID_MODE
from deephar.utils.numbers import crop_side, positive_int
from deephar.utils.timing import peak_memory_mib


def parse(argv=None):
    """The flags."""
    parser = common.argument_parser(__doc__)
    add = parser.add_argument
    add("--data", help="folder in MPII's format; all its validation people are taken")
    add("--people", type=positive_int, default=2958, help="generated (%(default)s)")
    add("--size", type=crop_side, default=256, help="side, px (%(default)s)")
    add("--blocks", type=positive_int, default=8, help="(%(default)s)")
    add("--batch-size", type=positive_int, default=8, help="(%(default)s)")
    add("--workers", type=positive_int, default=2, help="threads that read")
    add("--flip", action="store_true", help="average with the mirrored crop")
    add_compute_arguments(parser)
    return parser.parse_args(argv)


def measure(args):
    """Evaluates the folder, or one that is drawn for it."""
    if args.data is not None:
        return evaluate(args, pathlib.Path(args.data))
    with tempfile.TemporaryDirectory() as folder:
        write_mpii(folder, train=0, valid=args.people, workers=args.workers)
        return evaluate(args, pathlib.Path(folder))


def evaluate(args, folder):
    """Pictures a second and peak memory of one evaluation."""
    compute = experiment.configure_compute(args)
    side = (args.size, args.size)
    dataconf = dataclasses.replace(mpii_sp_dataconf, crop_resolution=side)
    mpii = MpiiSinglePerson(folder, dataconf)
    model = reception.build(
        (*side, 3), mpii.poselayout.num_joints, 2, num_blocks=args.blocks, ksize=(5, 5)
    )
    before = peak_memory_mib()
    start = time.perf_counter()
    predictor = PosePredictor(
        model, mpii.poselayout, args.flip, fold=compute.fold, jit=compute.jit
    )
    found = predict_poses(
        predictor.predict_crops, mpii, VALID_MODE, args.batch_size, args.workers
    )
    scores = score_pckh(found, mpii.poselayout)
    seconds = time.perf_counter() - start
    return {
        "precision": compute.precision,
        "samples": scores["samples"],
        "evaluate_s": seconds,
        "pictures_per_s": scores["samples"] / seconds,
        "before_mib": before,
        "peak_mib": peak_memory_mib(),
    }


if __name__ == "__main__":
    arguments = parse()
    common.run(arguments, lambda: measure(arguments))
