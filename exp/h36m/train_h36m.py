"""Trains the 3D pose network on Human3.6M, or on MPII and Human3.6M mixed.

Paper     Luvizon, Picard, Tabia: 2D/3D Pose Estimation and Action Recognition Using
          Multitask Deep Learning, CVPR 2018 (arXiv 1802.09232), section 4.2
Command   python exp/h36m/train_h36m.py runs/h36m --data datasets/Human3.6M \
              --mpii datasets/MPII
Recipe    8 blocks, 256x256, batch 24 (half of MPII), RMSprop 1e-3, 120 epochs of as
          many steps as MPII has half batches, x0.2 at 80 and 100
Hardware  the paper's recipe: not tried here; the run of docs/human36m.md:
          two CPU cores
Time      the paper's recipe: not tried here; that run: 23 minutes with data and
          evaluation, much other work beside
Expected  MPJPE as the original counts, one crop: 55.1 mm (the paper's weights)
Measured  93.7 mm strict, 80.9 as the original counts, on 960 generated
          frames (that run: 4,800 to learn from, 2 blocks, 128 px, 3 epochs)

MPII's people have no depth, so that theirs does not count in the loss. The original has
no script for this training: schedule and shares are those of its training on MPII and
of train_pose_baseline.py of its branch master.

Writes to the run folder: log.txt, losses.csv, scores.json (by epoch), model.json,
weights_best.weights.h5, weights_last.weights.h5, and checkpoints for --resume.
docs/training.md: several GPUs or machines, and how to go on after a stop.
"""

from deephar import experiment
from deephar.config import human36m_dataconf, mpii_sp_dataconf
from deephar.data import Human36MFrames, MpiiSinglePerson, open_cache
from deephar.utils import VALID_MODE


def parse(argv=None):
    """The recipe's defaults, a flag for each."""
    parser = experiment.argument_parser(__doc__, logdir="runs/h36m")
    add = parser.add_argument
    add("--data", default="datasets/Human3.6M", help="folder of annotations.mat")
    add("--mpii", metavar="FOLDER", help="mix in MPII's people")
    share = "of a batch, with --mpii (0.5)"
    add("--mpii-share", type=experiment.fraction, help=share)
    experiment.add_frames_argument(parser)
    experiment.add_network_arguments(parser, "human36m")
    args = experiment.parse_pose_training(parser, argv)
    if args.mpii_share is not None and not args.mpii:
        parser.error("--mpii-share is a share of --mpii: give that too")
    return args


def batch(args, run, h36m, settings, cache):
    """The data sets of a batch, and how many samples it has of each."""
    if not args.mpii:
        return [h36m], [run.batch_size]
    dataconf = experiment.sized(mpii_sp_dataconf, settings, not args.no_augmentation)
    mpii = MpiiSinglePerson(args.mpii, dataconf, h36m.poselayout, cache=cache)
    share = 0.5 if args.mpii_share is None else args.mpii_share
    return [mpii, h36m], experiment.shares(run.batch_size, [share, 1 - share])


def main(argv=None):
    """Trains, evaluates after the epochs, saves the best and the last weights."""
    args = parse(argv)
    run = experiment.start_training(args)
    settings = experiment.network_settings(args, "human36m", run.model_file)
    augmented = not args.no_augmentation
    dataconf = experiment.sized(human36m_dataconf, settings, augmented)
    cache, every = open_cache(args.cache), {VALID_MODE: args.every}
    h36m = Human36MFrames(args.data, dataconf, every=every, cache=cache)
    datasets, sizes = batch(args, run, h36m, settings, cache)
    loader = experiment.pose_loader(run, datasets, sizes, settings)
    model = experiment.pose_model(run, settings)
    predict = run.predictor(model, h36m.poselayout).predict_crops
    score = experiment.human36m_scorer(run, predict, h36m)
    callbacks = run.callbacks(score, "mpjpe", mode="min")
    steps = experiment.epoch_steps(args, datasets, sizes, experiment.MOST_STEPS)
    run.train([model], [loader], steps, callbacks, settings)


if __name__ == "__main__":
    experiment.run_script(main)
