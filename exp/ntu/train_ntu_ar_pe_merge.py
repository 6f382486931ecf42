r"""Trains the network of NTU RGB+D in stages: poses, then actions, then both.

Paper     Luvizon, Picard, Tabia: 2D/3D Pose Estimation and Action Recognition using
          Multitask Deep Learning, CVPR 2018 (arXiv 1802.09232), section 4
Command   python exp/ntu/train_ntu_ar_pe_merge.py runs/ntu_pose --stage pose \
              --data datasets/NTU --h36m datasets/Human3.6M --mpii datasets/MPII
          python exp/ntu/train_ntu_ar_pe_merge.py runs/ntu_action --stage action \
              --pose-weights runs/ntu_pose/weights_last.weights.h5
          python exp/ntu/train_ntu_ar_pe_merge.py runs/ntu_all --stage all \
              --weights runs/ntu_action/weights_last.weights.h5
Hardware  the paper's recipe: not tried here
Time      not tried here
Expected  85.5 % cross-subject (the paper)
Measured  no figure: run on generated clips only to see that it runs

--protocol cv in the first command is the cross-view split; model.json keeps it for the
later stages and for evaluations, which refuse the other one.
--help with a --stage shows the flags of that stage. The run folder gets log.txt,
losses.csv, scores.json (by epoch), model.json, weights_best.weights.h5,
weights_last.weights.h5, and checkpoints for --resume. docs/actions.md tells more.
"""

from deephar import experiment
from deephar.config import (
    human36m_dataconf,
    mpii_sp_dataconf,
    ntu_ar_dataconf,
    ntu_pe_dataconf,
)
from deephar.data import Human36M, MpiiSinglePerson, Ntu, open_cache
from deephar.utils import pa20j3d


def frames(args, settings):
    """Single frames of NTU, and of the data sets that are asked for."""
    cache = open_cache(args.cache)

    def make(kind, folder, dataconf, **options):
        dataconf = experiment.sized(dataconf, settings, not args.no_augmentation)
        return kind(folder, dataconf, pa20j3d, cache=cache, **options)

    options = {"topology": "frames", "protocol": settings["protocol"]}
    sets = [make(Ntu, args.data, ntu_pe_dataconf, use_gt_bbox=True, **options)]
    if args.h36m:
        sets.append(make(Human36M, args.h36m, human36m_dataconf, topology="frames"))
    if args.mpii:
        sets.append(make(MpiiSinglePerson, args.mpii, mpii_sp_dataconf))
    return sets


def clips(args, settings):
    """Clips of NTU."""
    return Ntu(
        args.data,
        experiment.sized(ntu_ar_dataconf, settings, not args.no_augmentation),
        pa20j3d,
        use_gt_bbox=True,
        clip_size=settings["frames"],
        protocol=settings["protocol"],
        cache=open_cache(args.cache),
    )


NTU = experiment.ActionData(
    network="ntu",
    target="ntuaction",
    folder="datasets/NTU",
    others={"h36m": "frames of Human3.6M", "mpii": "MPII, without depth"},
    frames=frames,
    clips=clips,
)


def main(argv=None):
    """Trains the stage that is asked for."""
    args = experiment.parse_action_training(__doc__, NTU, argv)
    experiment.train_stage(args, NTU)


if __name__ == "__main__":
    experiment.run_script(main)
