r"""Trains the 3D pose network of the second paper, SPNet, on four data sets mixed.

Paper     Luvizon, Picard, Tabia: Multi-task Deep Learning for Real-Time 3D Human Pose
          Estimation and Action Recognition, TPAMI 2020 (arXiv 1912.08077)
Command   python exp/ntu/train_pose_baseline.py runs/pose_baseline \
              --mpii datasets/MPII --h36m datasets/Human3.6M \
              --penn datasets/PennAction --ntu datasets/NTU
Recipe    8 pyramids of 4 levels, 17 joints, 256x256; a batch has 14 samples of MPII, 14
          of Human3.6M, 2 of Penn Action and 2 of NTU; RMSprop 1e-3, 60 epochs of as
          many steps as MPII has 14 people
Hardware  two CPU cores, generated data, a small network; the recipe not tried here
Time      small, 400 steps of 16 samples: 2.2 minutes, other work beside
Expected  the paper's figures are not at hand
Measured  203.0 mm strict (176.9 as the original counts) and PCKh@0.5 43.4 on generated
          people (docs/reproduce.md, pose_baseline)

--mpii-samples, --h36m-samples, --penn-samples and --ntu-samples say how many of each; 0
leaves a data set out, and its folder unread. Joints without a depth count in x and y.
Epochs are scored on MPII's validation people (PCKh of the 16 joints) and Human3.6M's
validation frames (MPJPE, which tells the best epoch). The weights are for the
--pose-weights of train_ntu_spnet.py, whose --protocol is theirs. docs/multitask.md
tells more.

Writes to the run folder: log.txt, losses.csv, scores.json (by epoch), model.json,
weights_best.weights.h5, weights_last.weights.h5, and checkpoints for --resume.
"""

from deephar import experiment
from deephar.config import mpii_dataconf, ntu_pe_dataconf, pennaction_dataconf
from deephar.data import MpiiSinglePerson, Ntu, PennAction
from deephar.utils import pa17j3d

SAMPLES = {
    **{"mpii": ("MPII", 14), "h36m": ("Human3.6M", 14)},
    **{"penn": ("PennAction", 2), "ntu": ("NTU", 2)},
}
RECIPE = {"batch_size": None, "epochs": 60, "lr_drops": [], "vgg": False}


def parse(argv=None):
    """The recipe's defaults, a flag for each."""
    parser = experiment.argument_parser(__doc__, logdir="runs/pose_baseline")
    add = parser.add_argument
    for name, (folder, count) in SAMPLES.items():
        add(f"--{name}", default=f"datasets/{folder}", help="folder (%(default)s)")
        options = {"type": experiment.natural, "default": count}
        add(f"--{name}-samples", help=f"of --{name} a step ({count})", **options)
    experiment.add_every_argument(parser)
    experiment.add_network_arguments(parser, "pose_baseline")
    args = experiment.parse_pose_training(parser, argv, **RECIPE)
    args.batch_size = sum(samples(args).values())
    if not args.batch_size:
        parser.error("a batch must have samples of some data set (--mpii-samples ...)")
    if args.h36m_every and not args.h36m_samples:
        parser.error("--h36m-every is of --h36m, of which --h36m-samples 0 takes none")
    return args


def samples(args):
    """How many samples a step has of the data sets that it has any of."""
    counts = {name: getattr(args, f"{name}_samples") for name in SAMPLES}
    return {name: count for name, count in counts.items() if count}


def data_set(name, args, settings, make):
    """A data set of frames."""
    options = {"topology": "frames", "use_gt_bbox": True}
    if name == "mpii":
        return make(MpiiSinglePerson, args.mpii, mpii_dataconf)
    if name == "h36m":
        return experiment.human36m(make, args)
    if name == "penn":
        return make(PennAction, args.penn, pennaction_dataconf, **options)
    protocol = settings["protocol"]
    return make(Ntu, args.ntu, ntu_pe_dataconf, protocol=protocol, **options)


def main(argv=None):
    """Trains, evaluates after the epochs, saves the best and the last weights."""
    args = parse(argv)
    run = experiment.start_training(args)
    settings = experiment.network_settings(args, "pose_baseline", run.model_file)
    make = experiment.DataMaker(args, settings, pa17j3d)
    sets = {name: data_set(name, args, settings, make) for name in samples(args)}
    scale = run.batch_size // args.batch_size
    sizes = [count * scale for count in samples(args).values()]
    loader = experiment.pose_loader(run, [*sets.values()], sizes, settings)
    model = experiment.pose_model(run, settings)
    predict = run.predictor(model, pa17j3d).predict_crops
    mpii = args.mpii if "mpii" in sets else None
    scorers = experiment.space_scorers(run, predict, make, mpii, sets.get("h36m"))
    score, figure, mode = experiment.join_scorers(scorers)
    callbacks = run.callbacks(score, figure, mode=mode)
    steps = experiment.epoch_steps(args, [*sets.values()], sizes, experiment.MOST_STEPS)
    run.train([model], [loader], steps, callbacks, settings)


if __name__ == "__main__":
    experiment.run_script(main)
