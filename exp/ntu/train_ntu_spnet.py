r"""Trains SPNet on NTU RGB+D's actions and poses in space: one task, or both in turn.

Paper     Luvizon, Picard, Tabia: Multi-task Deep Learning for Real-Time 3D Human Pose
          Estimation and Action Recognition, TPAMI 2020 (arXiv 1912.08077)
Command   python exp/ntu/train_ntu_spnet.py runs/ntu_spnet_action --stage action \
              --data datasets/NTU \
              --pose-weights runs/pose_baseline/weights_last.weights.h5
          python exp/ntu/train_ntu_spnet.py runs/ntu_spnet_joint --stage joint \
              --weights runs/ntu_spnet_action/weights_last.weights.h5
Recipe    4 clips of 8 frames a step: NTU's frames, 8 a clip, for the poses, its clips
          for the actions, weight 0.1; SGD, momentum 0.9: 50 epochs of actions alone at
          0.01 (commented out in the original), then 70 of both at 0.001, x0.1 at 39, 51
Hardware  two CPU cores, generated data, a small network; the recipe not tried here
Time      small, 240 steps of 4 clips: 1.3 minutes, other work beside
Expected  the paper's figures are not at hand
Measured  generated data, 20 actions, --stage action: 26.7 % by one clip, which says
          that it learns and no more (docs/reproduce.md, ntu_spnet)

--mpii FOLDER --mpii-share 0.375 --h36m FOLDER --h36m-share 0.5 mixes MPII's people and
Human3.6M's frames into the poses, as much as the original names and does not use, and
scores them after epochs.
--stage pose-only and action-only train one task by the same recipe, to compare. --help
with a --stage shows its flags; the run folder gets what all trainings write.
docs/multitask.md tells more.
"""

from functools import cached_property

from deephar import experiment
from deephar.config import mpii_dataconf, ntu_dataconf, ntu_pe_dataconf
from deephar.data import MpiiSinglePerson, Ntu
from deephar.utils import pa17j3d

JOINT = {
    **{"batch_size": 4, "epochs": 70, "lr_drops": [39, 51], "lr_factor": 0.1},
    **{"optimizer": "sgd", "momentum": 0.9, "lr": 1e-3},
}


class NtuTasks(experiment.TaskData):
    """Frames and clips of NTU, and frames of what is mixed in."""

    network, target, folder = "ntu_spnet", "ntuaction", "datasets/NTU"
    poselayout = pa17j3d
    recipes = dict.fromkeys(experiment.TASK_STAGES, JOINT) | {
        "action": {**JOINT, "epochs": 50, "lr_drops": [], "lr": 1e-2}
    }
    action_weight = 0.1

    @staticmethod
    def add_arguments(parser, stage):
        """Which further data sets have poses, and how much of a batch is theirs."""
        if stage in experiment.POSE_STAGES:
            experiment.add_share_arguments(parser)
            frames = {"type": experiment.positive_int, "default": 1000}
            about = "test frames that score an epoch (1000)"
            parser.add_argument("--eval-frames", help=about, **frames)

    check_arguments = staticmethod(experiment.check_shares)

    def _ntu(self, dataconf, **options):
        options |= {"use_gt_bbox": True, "protocol": self.settings["protocol"]}
        return self.make(Ntu, self.args.data, dataconf, **options)

    @cached_property
    def _frames(self):
        return self._ntu(ntu_pe_dataconf, topology="frames")

    @cached_property
    def _h36m(self):
        return experiment.human36m(self.make, self.args)

    def frames(self):
        """Frames of NTU, and of the data sets that are asked for."""
        args, sets = self.args, []
        if args.mpii:
            mpii = self.make(MpiiSinglePerson, args.mpii, mpii_dataconf)
            sets.append((mpii, args.mpii_share))
        if args.h36m:
            sets.append((self._h36m, args.h36m_share))
        rest = 1 - args.mpii_share - args.h36m_share
        return [*sets, (self._frames, rest)]

    @cached_property
    def _clips(self):
        return self._ntu(ntu_dataconf, clip_size=self.settings["frames"])

    def clips(self):
        """Clips of NTU."""
        return self._clips

    def pose_scorers(self, run, predict):
        """NTU's test frames, and the validation parts of what is mixed in."""
        own = experiment.frame_scorer(run, predict, self._frames, self.args.eval_frames)
        h36m = self._h36m if self.args.h36m else None
        mixed = (self.args.mpii, h36m)
        others = experiment.space_scorers(run, predict, self.make, *mixed)
        return {"pck_torso": own, **others}

    def steps(self, batch_size):
        """Once through NTU's videos, a clip of each."""
        return experiment.epoch_steps(self.args, [self._clips], [batch_size])


def main(argv=None):
    """Trains the stage that is asked for."""
    args = experiment.parse_multitask(__doc__, NtuTasks, argv)
    experiment.train_multitask(args, NtuTasks)


if __name__ == "__main__":
    experiment.run_script(main)
