"""From nothing to the papers' tables: generated data, small networks, their scores."""

import pathlib
import shlex
from collections.abc import Mapping

from deephar.experiment.reproduction import DATA, Places, tables
from deephar.plans import Plan, Step

_RUN = "--bn-momentum 0.9 --checkpoint-minutes 1 --workers 2 --verbose 2"
_PLAIN = f"{_RUN} --schedule cosine --no-augmentation"
_FROZEN = f"--batch-size 16 --lr 1e-2 --frozen-features {_PLAIN}"

_SPNET = "--size 96 --pyramids 2 --levels 3 --growth 48 --ksize 3"
_SPNET_CLIPS = (
    "--frames 8 --step 3 --pyramids 2 --action-pyramids 1,2 --replica no "
    "--pose-features 64 --visual-features 64"
)
_TINY = "--size 32 --pyramids 2 --levels 2 --growth 8 --ksize 3"
_TINY_CLIPS = (
    "--frames 4 --step 1 --pyramids 2 --action-pyramids 1,2 --replica no "
    "--pose-features 16 --visual-features 16 --batch-size 2"
)

SIZES: Mapping[str, Mapping[str, str]] = {
    "small": {
        "mpii_data": "--train 3000 --valid 300",
        "h36m_data": "--train 15 --valid 15 --frames 8 4",
        "penn_data": "--train 240 --test 75",
        "ntu_data": "--train 40 --test 20",
        "mpii_pose": f"--size 96 --blocks 2 --batch-size 16 --epochs 2 {_PLAIN}",
        "h36m_pose": f"--size 96 --blocks 2 --batch-size 8 --epochs 4 {_PLAIN}",
        "penn_action": f"--frames 8 --step 3 --epochs 10 --eval-every 5 {_FROZEN}",
        "ntu_pose": f"--size 96 --blocks 2 --batch-size 16 --epochs 1 {_PLAIN} "
        "--steps-per-epoch 200",
        "ntu_action": f"--frames 8 --step 3 --epochs 10 --eval-every 5 {_FROZEN}",
        "spnet_pose": f"{_SPNET} --epochs 4 --batch-size 16 {_PLAIN}",
        "penn_spnet": f"{_SPNET_CLIPS} --epochs 4 {_PLAIN}",
        "penn_joint": f"--epochs 4 --steps-per-epoch 100 {_PLAIN}",
        "pose_baseline": f"{_SPNET} --epochs 2 --steps-per-epoch 200 {_PLAIN} "
        "--mpii-samples 4 --h36m-samples 8 --penn-samples 2 --ntu-samples 2",
        "ntu_spnet": f"{_SPNET_CLIPS} --epochs 8 {_PLAIN}",
    },
    "tiny": {
        "mpii_data": "--train 12 --valid 4",
        "h36m_data": "--train 2 --valid 2 --frames 2 2",
        "penn_data": "--train 16 --test 4 --frames 8 10",
        "ntu_data": "--train 4 --test 2 --frames 8 10",
        "mpii_pose": f"--size 32 --blocks 1 --batch-size 4 --epochs 2 {_PLAIN}",
        "h36m_pose": f"--size 32 --blocks 1 --batch-size 4 --epochs 2 {_PLAIN}",
        "penn_action": f"--frames 4 --step 1 --epochs 2 {_FROZEN}",
        "ntu_pose": f"--size 32 --blocks 1 --batch-size 4 --epochs 1 {_PLAIN} "
        "--steps-per-epoch 4",
        "ntu_action": f"--frames 4 --step 1 --epochs 2 {_FROZEN}",
        "spnet_pose": f"{_TINY} --epochs 2 --batch-size 4 {_PLAIN}",
        "penn_spnet": f"{_TINY_CLIPS} --epochs 1 --steps-per-epoch 2 {_PLAIN}",
        "penn_joint": f"--epochs 2 --batch-size 2 --steps-per-epoch 2 {_PLAIN}",
        "speed_eval": "--repeats 2",
        "pose_baseline": f"{_TINY} --epochs 1 --steps-per-epoch 2 {_PLAIN} "
        "--mpii-samples 1 --h36m-samples 1 --penn-samples 1 --ntu-samples 1",
        "ntu_spnet": f"{_TINY_CLIPS} --epochs 1 --steps-per-epoch 2 {_PLAIN}",
    },
}
"""Flags of the steps by size: "small" learns something, "tiny" only shows that it runs.
"""

TAKES: Mapping[str, Mapping[str, float]] = {
    "small": {
        "mpii_data": 2.1,
        "h36m_data": 0.9,
        "penn_data": 3.2,
        "ntu_data": 1.8,
        "mpii_pose": 6.1,
        "mpii_eval": 0.4,
        "h36m_pose": 2.4,
        "h36m_eval": 0.3,
        "penn_action": 4.0,
        "penn_eval": 0.9,
        "ntu_pose": 3.6,
        "ntu_action": 5.2,
        "ntu_eval": 1.2,
        "spnet_pose": 5.4,
        "penn_spnet": 9.4,
        "penn_joint": 5.4,
        "penn_joint_eval": 0.3,
        "speed_eval": 0.3,
        "pose_baseline": 2.2,
        "ntu_spnet": 1.3,
        "ntu_spnet_eval": 0.3,
        "tables": 0.1,
    },
    "tiny": {},
}
"""Minutes on two CPU cores, as far as they were measured; the longer ones with as much
other work beside."""


class _Maker:
    """Makes the steps: each with its folder, its files by flag, the flags of its size.

    The further arguments of trainings and evaluations are flags: `pose_weights="a"` is
    `--pose-weights` with what the training `a` ends with, and `mpii="b"` is `--mpii`
    with the folder of the data set `b`.
    """

    def __init__(self, places: Places, size: str, seed: int):
        self.places, self.size, self.seed = places, size, seed
        self.parts: dict[str, tuple[pathlib.Path, ...]] = {}

    def data(self, name: str, kind: str, about: str) -> Step:
        """Draws a data set to OUT/data/."""
        folder = self.places.out / "data" / name
        self.parts[name] = tuple(folder / part for part in DATA[kind])
        words = (f"datasets/{kind}/generate.py", folder, "--overwrite")
        return self._step(f"{name}_data", about, words, self.parts[name])

    def training(
        self, name: str, about: str, script: str, flags: str = "", **files: str
    ) -> Step:
        """Trains a network in OUT/training/; "{}" in a script is "train"."""
        weights = self._weights(name)
        words = (script.format("train"), weights.parent, *flags.split())
        makes = (weights, weights.with_name("model.json"))
        return self._step(name, f"trains {about}", words, makes, files, resumes=True)

    def evaluation(
        self, name: str, about: str, script: str, flags: str = "", **files: str
    ) -> Step:
        """Scores a network in OUT/evaluations/; "{}" in a script is "eval"."""
        folder = self.places.out / "evaluations" / name
        words = (script.format("eval"), folder, *flags.split())
        makes = (folder / "evaluation.json",)
        return self._step(f"{name}_eval", f"scores {about}", words, makes, files)

    def _weights(self, name: str) -> pathlib.Path:
        return self.places.out / "training" / name / "weights_last.weights.h5"

    def _step(self, name, about, words, makes, files=None, resumes=False) -> Step:
        given, needs = [], []
        for flag, one in (files or {}).items():
            if not flag.endswith("weights"):
                path = self.places.out / "data" / one
                needs += self.parts[one]
            else:
                path = self._weights(one)
                needs += [path, path.with_name("model.json")]
            given += [f"--{flag.replace('_', '-')}", path]
        own = shlex.split(SIZES[self.size].get(name, ""))
        command = (*words, *given, *own, "--seed", str(self.seed))
        takes = TAKES[self.size].get(name)
        return Step(
            name=name,
            about=about,
            command=command,
            needs=tuple(needs),
            makes=makes,
            takes=takes,
            resumes=resumes,
            folder=words[1],
        )


def generated(places: Places, size: str = "small", seed: int = 0) -> Plan:
    """From nothing: draws data sets, trains small networks on them, scores these.

    Args:
        places: where things lie; only `root` and `out` matter.
        size: a key of SIZES.
        seed: of data and trainings.
    """
    make = _Maker(places, size, seed)
    steps = [*_data(make), *_cvpr(make), *_tpami(make)]
    return Plan((*steps, tables(places, steps)), places.out, places.root)


def _data(make: _Maker) -> list[Step]:
    draw = make.data
    return [
        draw("mpii", "MPII", "draws people in MPII's form"),
        draw("h36m", "Human3.6M", "draws recordings in Human3.6M's form"),
        draw("penn", "PennAction", "draws videos in Penn Action's form"),
        draw("ntu", "NTU", "draws videos in NTU's form"),
    ]


def _cvpr(make: _Maker) -> list[Step]:
    """The networks of CVPR'18."""
    train, score = make.training, make.evaluation
    mpii, h36m = "exp/mpii/{}_mpii_singleperson.py", "exp/h36m/{}_h36m.py"
    penn = "exp/pennaction/{}_penn_ar_pe_merge.py"
    ntu = "exp/ntu/{}_ntu_ar_pe_merge.py"
    pose, action, clips = "--stage pose", "--stage action", "--multi-clip"
    return [
        train("mpii_pose", "2D poses", mpii, data="mpii"),
        score("mpii", "2D poses", mpii, data="mpii", weights="mpii_pose"),
        train("h36m_pose", "3D poses", h36m, data="h36m"),
        score("h36m", "3D poses", h36m, data="h36m", weights="h36m_pose"),
        train(
            *("penn_action", "actions on top of the 2D poses", penn, action),
            **{"data": "penn", "pose_weights": "mpii_pose"},
        ),
        score("penn", "actions", penn, clips, data="penn", weights="penn_action"),
        train("ntu_pose", "3D poses of NTU", ntu, pose, data="ntu"),
        train(
            *("ntu_action", "actions on top of NTU's poses", ntu, action),
            **{"data": "ntu", "pose_weights": "ntu_pose"},
        ),
        score("ntu", "actions", ntu, clips, data="ntu", weights="ntu_action"),
    ]


def _tpami(make: _Maker) -> list[Step]:
    """SPNet, of TPAMI'20."""
    return [*_spnet_penn(make), *_spnet_ntu(make)]


def _spnet_penn(make: _Maker) -> list[Step]:
    """2D poses, and actions of Penn Action."""
    train, score = make.training, make.evaluation
    pose, penn = "exp/mpii/{}_mpii_spnet.py", "exp/pennaction/train_penn_multimodel.py"
    both, speed = (f"exp/pennaction/eval_{n}.py" for n in ("penn_multitask", "speed2d"))
    first = {"data": "penn", "pose_weights": "spnet_pose", "mpii": "mpii"}
    then = {"data": "penn", "weights": "penn_spnet", "mpii": "mpii"}
    last = {"data": "penn", "weights": "penn_joint", "mpii": "mpii"}
    about = "SPNet's poses and actions"
    return [
        train("spnet_pose", "SPNet's 2D poses", pose, data="mpii"),
        train(
            *("penn_spnet", "SPNet's actions on top of them", penn, "--stage action"),
            **first,
        ),
        train("penn_joint", f"{about} in turn", penn, "--stage joint", **then),
        score("penn_joint", about, both, **last),
        score("speed", "SPNet's predictions, and times them", speed, **last),
    ]


def _spnet_ntu(make: _Maker) -> list[Step]:
    """3D poses, and actions of NTU."""
    pose, spnet = "exp/ntu/train_pose_baseline.py", "exp/ntu/train_ntu_spnet.py"
    both, about = "exp/ntu/eval_ntu_multitask.py", "SPNet's poses and actions"
    people = {"mpii": "mpii", "h36m": "h36m", "penn": "penn", "ntu": "ntu"}
    first = {"data": "ntu", "pose_weights": "pose_baseline"}
    last = {"data": "ntu", "weights": "ntu_spnet", "h36m": "h36m"}
    return [
        make.training("pose_baseline", "SPNet's 3D poses", pose, **people),
        make.training(
            *("ntu_spnet", "SPNet's actions on top of them", spnet, "--stage action"),
            **first,
        ),
        make.evaluation("ntu_spnet", about, both, **last),
    ]
