r"""Trains SPNet on MPII's poses and Penn Action's actions: one task, or both in turn.

Paper     Luvizon, Picard, Tabia: Multi-task Deep Learning for Real-Time 3D Human Pose
          Estimation and Action Recognition, TPAMI 2020 (arXiv 1912.08077)
Command   python exp/pennaction/train_penn_multimodel.py runs/penn_spnet_action \
              --stage action --data datasets/PennAction --mpii datasets/MPII \
              --pose-weights runs/mpii_spnet/weights_last.weights.h5
          python exp/pennaction/train_penn_multimodel.py runs/penn_spnet_joint \
              --stage joint --weights runs/penn_spnet_action/weights_last.weights.h5
Recipe    4 clips of 8 frames a step: MPII's people, 8 a clip, for the poses, clips of
          Penn Action for the actions, weight 0.01; RMSprop 1e-3; epochs of MPII's
          people / 6 steps: 2 of actions alone, then 28 of both, x0.1 at 14 and 24
Hardware  two CPU cores, generated data, a small network; the recipe not tried here
Time      small and joint, 800 steps: 9 minutes of processor time; the recipe not tried
Expected  the paper's figures are not at hand
Measured  generated data, three seeds (README.md): 84.0 to 89.3 % of 75 videos, PCKh@0.5
          68.4 to 69.7; one task alone: 22.7 to 28.0 % and 69.5 to 70.6

--stage pose-only and action-only train one task by the same recipe, to compare.
--penn-share 0.25 mixes Penn Action's frames into the poses: what a line of the original
does that is commented out. --help with a --stage shows the flags of that stage.

Writes to the run folder: log.txt, losses.csv, scores.json (by epoch), model.json,
weights_best.weights.h5, weights_last.weights.h5, and checkpoints for --resume.
docs/multitask.md tells more.
"""

from functools import cached_property

from deephar import experiment
from deephar.config import mpii_dataconf, pennaction_dataconf, pennaction_pe_dataconf
from deephar.data import MpiiSinglePerson, PennAction
from deephar.utils import pa16j2d

JOINT = {"batch_size": 4, "epochs": 28, "lr_drops": [14, 24], "lr_factor": 0.1}


class Penn(experiment.TaskData):
    """People of MPII, and clips of Penn Action."""

    network = "penn_spnet"
    target = "pennaction"
    folder = "datasets/PennAction"
    poselayout = pa16j2d
    recipes = dict.fromkeys(experiment.TASK_STAGES, JOINT) | {
        "action": {**JOINT, "epochs": 2, "lr_drops": []}
    }
    action_weight = 0.01

    @staticmethod
    def add_arguments(parser, stage):
        """MPII, and the share of Penn Action in the poses."""
        about = "folder of MPII: poses, and the steps of an epoch (%(default)s)"
        parser.add_argument("--mpii", default="datasets/MPII", help=about)
        if stage in experiment.POSE_STAGES:
            share = {"type": experiment.fraction, "default": 0.0}
            about = "of Penn Action's frames in the poses; the rest is MPII's (0)"
            parser.add_argument("--penn-share", help=about, **share)

    @cached_property
    def mpii(self):
        """People of MPII."""
        return self.make(MpiiSinglePerson, self.args.mpii, mpii_dataconf)

    def frames(self):
        """MPII's people, and Penn Action's frames where they are asked for."""
        share = self.args.penn_share
        if not share:
            return [(self.mpii, 1.0)]
        options = {"topology": "frames", "use_gt_bbox": True}
        penn = self.make(PennAction, self.args.data, pennaction_pe_dataconf, **options)
        return [(self.mpii, 1 - share), (penn, share)]

    def clips(self):
        """Clips of Penn Action."""
        options = {"use_gt_bbox": True, "clip_size": self.settings["frames"]}
        return self.make(PennAction, self.args.data, pennaction_dataconf, **options)

    def pose_scorers(self, run, predict):
        """MPII's validation people."""
        return {"pckh": experiment.mpii_scorer(run, predict, self.mpii)}

    def steps(self, batch_size):
        """MPII's people / (0.8 x frames) with 4 clips a step, as in the original."""
        clips, frames = JOINT["batch_size"], self.settings["frames"]
        size = max(1, int(0.8 * frames) * batch_size // clips)
        per = f"a step of {batch_size} clips (0.8 x {frames} by {clips} clips)"
        if self.args.steps_per_epoch:
            return self.args.steps_per_epoch
        return experiment.epoch_steps(self.args, [self.mpii], [size], per=per)


def main(argv=None):
    """Trains the stage that is asked for."""
    args = experiment.parse_multitask(__doc__, Penn, argv)
    experiment.train_multitask(args, Penn)


if __name__ == "__main__":
    experiment.run_script(main)
