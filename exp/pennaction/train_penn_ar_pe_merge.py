r"""Trains the network of Penn Action in stages: poses, then actions, then both.

Paper     Luvizon, Picard, Tabia: 2D/3D Pose Estimation and Action Recognition using
          Multitask Deep Learning, CVPR 2018 (arXiv 1802.09232), section 4
Command   python exp/pennaction/train_penn_ar_pe_merge.py runs/penn_pose --stage pose \
              --data datasets/PennAction --mpii datasets/MPII
          python exp/pennaction/train_penn_ar_pe_merge.py runs/penn_action \
              --stage action --pose-weights runs/penn_pose/weights_last.weights.h5
          python exp/pennaction/train_penn_ar_pe_merge.py runs/penn_all --stage all \
              --weights runs/penn_action/weights_last.weights.h5
Hardware  the paper's recipe: not tried here; the README's run: two CPU cores
Time      the paper's recipe: not tried here; the README's run: 9 minutes in all
Expected  97.4 % without given boxes, 98.6 % with them (the paper)
Measured  on 75 generated videos, 240 to learn from (the README's run, stages
          pose and action): one clip 90.7 and 94.7 %, many 96.0 and 94.7 %, twice run

--help with a --stage shows the flags of that stage. The run folder gets log.txt,
losses.csv, scores.json (by epoch), model.json, weights_best.weights.h5,
weights_last.weights.h5, and checkpoints for --resume. docs/actions.md tells more.
"""

from deephar import experiment
from deephar.config import (
    mpii_sp_dataconf,
    pennaction_ar_dataconf,
    pennaction_pe_dataconf,
)
from deephar.data import MpiiSinglePerson, PennAction, open_cache
from deephar.utils import pa16j2d


def frames(args, settings):
    """Single frames of Penn Action, and MPII's pictures where they are asked for."""
    cache, augmented = open_cache(args.cache), not args.no_augmentation
    dataconf = experiment.sized(pennaction_pe_dataconf, settings, augmented)
    options = {"topology": "frames", "use_gt_bbox": True, "cache": cache}
    sets = [PennAction(args.data, dataconf, pa16j2d, **options)]
    if args.mpii:
        dataconf = experiment.sized(mpii_sp_dataconf, settings, augmented)
        sets.append(MpiiSinglePerson(args.mpii, dataconf, pa16j2d, cache=cache))
    return sets


def clips(args, settings):
    """Clips of Penn Action."""
    return PennAction(
        args.data,
        experiment.sized(pennaction_ar_dataconf, settings, not args.no_augmentation),
        pa16j2d,
        use_gt_bbox=True,
        clip_size=settings["frames"],
        cache=open_cache(args.cache),
    )


PENN = experiment.ActionData(
    network="penn",
    target="pennaction",
    folder="datasets/PennAction",
    others={"mpii": "the pictures of MPII"},
    frames=frames,
    clips=clips,
)


def main(argv=None):
    """Trains the stage that is asked for."""
    args = experiment.parse_action_training(__doc__, PENN, argv)
    experiment.train_stage(args, PENN)


if __name__ == "__main__":
    experiment.run_script(main)
