r"""Predicts MPII's test people and writes the file that the benchmark takes.

Paper     Luvizon, Picard, Tabia, CVPR 2018 (arXiv 1802.09232), table 2
Command   python exp/mpii/predict_test_mpii.py runs/test --data datasets/MPII \
              --weights FILE --flip --multi-crop [--refine N]
Hardware  two CPU cores, a generated release; on MPII not tried here
Time      not measured
Expected  PCKh@0.5 of the benchmark, multi-crop and flip: 91.2 with the paper's weights
          (as the paper reports; the labels of the test set are not public)
Measured  nothing: the labels are not public, and nothing was sent

Writes pred_keypoints_mpii.mat to the run folder: the poses of all people of the
single-person benchmark, in the order of the owners' release. annotations.mat must have
been made from that release (datasets/MPII/README.md). docs/mpii.md has the protocol;
weights/README.md says which networks there are (--network).
"""

import logging

from deephar import experiment
from deephar.config import mpii_sp_dataconf
from deephar.data import MpiiSinglePerson
from deephar.data.mpii_benchmark import write_predictions
from deephar.networks import NAMED
from deephar.utils import TEST_MODE

NETWORKS = experiment.pose_networks("mpii")


def parse(argv=None):
    """The flags."""
    parser = experiment.argument_parser(__doc__, logdir="runs/test_mpii")
    experiment.add_people_arguments(parser, "datasets/MPII", ", ".join(NAMED))
    experiment.add_network_arguments(parser, NETWORKS)
    return parser.parse_args(argv)


def main(argv=None):
    """Predicts, writes."""
    args = parse(argv)
    folder = experiment.start(args)
    compute = experiment.configure_compute(args)
    settings = experiment.network_settings(args, NETWORKS)
    mpii = MpiiSinglePerson(args.data, experiment.sized(mpii_sp_dataconf, settings))
    if mpii.get_length(TEST_MODE) == 0:
        raise ValueError(
            f"{args.data}: annotations.mat has no test people; make it from the "
            "owners' release with datasets/MPII/convert.py"
        )
    model = experiment.build_network(settings["network"], settings, args.weights)
    layout = experiment.poselayout(settings)
    model = experiment.pose_view(model, settings)
    found = experiment.predict_people(args, compute, model, mpii, TEST_MODE, layout)
    if found.num_unreadable:
        logging.warning("%d people will count as wrong", found.num_unreadable)
    path = folder / "pred_keypoints_mpii.mat"
    poses = found.poses[-1][:, mpii.poselayout.map_to_mpii]
    write_predictions(path, mpii.benchmark, poses)
    receipt = experiment.receipt(args.weights, args.data, settings=settings)
    receipt["looking"] = experiment.describe_looking(args)
    experiment.write_json(folder / "test.json", {"people": len(poses), **receipt})
    print(f"{path}: {len(poses)} people, {len(mpii.benchmark)} pictures")


if __name__ == "__main__":
    experiment.run_script(main)
