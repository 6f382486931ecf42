"""Trains the 2D pose network on MPII, single person.

Paper     Luvizon, Picard, Tabia: 2D/3D Pose Estimation and Action Recognition Using
          Multitask Deep Learning, CVPR 2018 (arXiv 1802.09232), section 4.2
Command   python exp/mpii/train_mpii_singleperson.py runs/mpii --data datasets/MPII
Recipe    8 blocks, 256x256, batch 24, RMSprop 1e-3, 120 epochs, x0.2 at 80 and 100
Expected  PCKh@0.5 on the validation people, single crop: 89.1 (the paper's weights)
Variant   --stem vgg16 --vgg-weights imagenet --loss elasticnet [--optimizer sgd]: the
          entry flow of VGG-16, docs/mpii.md

Writes to the run folder: log.txt, losses.csv, scores.json (by epoch), model.json,
weights_best.weights.h5, weights_last.weights.h5, and checkpoints for --resume.
docs/training.md: several GPUs or machines, and how to go on after a stop.
"""

import logging

from deephar import experiment
from deephar.config import mpii_sp_dataconf
from deephar.data import MpiiSinglePerson, open_cache
from deephar.evaluation.pose import predict_poses, score_pckh
from deephar.utils import VALID_MODE


def parse(argv=None):
    """The recipe's defaults, a flag for each."""
    parser = experiment.argument_parser(__doc__, logdir="runs/mpii_singleperson")
    add = parser.add_argument
    add("--data", default="datasets/MPII", help="folder of annotations.mat and images/")
    experiment.add_network_arguments(parser, "mpii")
    return experiment.parse_pose_training(parser, argv)


def main(argv=None):
    """Trains, evaluates after the epochs, saves the best and the last weights."""
    args = parse(argv)
    run = experiment.start_training(args)
    settings = experiment.network_settings(args, "mpii", run.model_file)
    dataconf = experiment.sized(mpii_sp_dataconf, settings, not args.no_augmentation)
    mpii = MpiiSinglePerson(args.data, dataconf, cache=open_cache(args.cache))
    loader = experiment.pose_loader(run, [mpii], [run.batch_size], settings)
    model = experiment.pose_model(run, settings)
    predict = run.predictor(model, mpii.poselayout).predict_crops

    def evaluate(_):
        size, workers = args.eval_batch_size, args.workers
        found = predict_poses(predict, mpii, VALID_MODE, size, workers, **run.sharing)
        return score_pckh(found, mpii.poselayout)

    if mpii.get_length(VALID_MODE) == 0:
        logging.warning("%s: no validation people, so no scores", args.data)
        evaluate = None
    callbacks = run.callbacks(evaluate, "pckh")
    steps = experiment.epoch_steps(
        args, [mpii], [run.batch_size], experiment.MOST_STEPS
    )
    run.train([model], [loader], steps, callbacks, settings)


if __name__ == "__main__":
    experiment.run_script(main)
