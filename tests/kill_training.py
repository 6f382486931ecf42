"""Kills a training at random moments, resumes it, and compares its end.

    python tests/kill_training.py FOLDER [--kills 10] [--seed 1]

FOLDER gets a tiny data set, a training that runs through, and one that is killed
(SIGKILL) so often and then goes on. Weights, losses and scores must be equal.
"""

import argparse
import pathlib
import random
import subprocess
import sys
import time

import h5py
import numpy as np
from tiny_mpii import write_tiny_mpii

SCRIPT = (
    pathlib.Path(__file__).parents[1] / "exp" / "mpii" / "train_mpii_singleperson.py"
)
FLAGS = (
    *("--data", "mpii", "--size", "64", "--blocks", "2", "--ksize", "3"),
    *("--batch-size", "4", "--epochs", "3", "--steps-per-epoch", "40"),
    *("--checkpoint-steps", "7", "--bn-momentum", "0.9", "--verbose", "2"),
)


def start(folder, run, *flags):
    """Starts a training in FOLDER/RUN; its output goes to RUN.txt."""
    with open(folder / f"{run}.txt", "a") as output:
        command = [sys.executable, str(SCRIPT), run, *flags]
        return subprocess.Popen(
            command, cwd=folder, stdout=output, stderr=subprocess.STDOUT
        )


def tensors(path):
    """All tensors of an HDF5 file by name."""
    found = {}

    def visit(name, item):
        if isinstance(item, h5py.Dataset):
            found[name] = item[...]

    with h5py.File(path) as file:
        file.visititems(visit)
    return found


def equal(one, other):
    """Whether two runs ended alike in every bit."""
    for name in ("weights_last.weights.h5", "weights_best.weights.h5"):
        ours, theirs = tensors(one / name), tensors(other / name)
        if ours.keys() != theirs.keys() or not all(
            np.array_equal(ours[key], theirs[key]) for key in ours
        ):
            return False
    names = ("losses.csv", "scores.json")
    return all((one / n).read_text() == (other / n).read_text() for n in names)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    args.folder.mkdir(parents=True)
    write_tiny_mpii(args.folder / "mpii", train=9, valid=3)
    starting, steps = run_through(args.folder)
    # Most kills fall into the steps; seldom does the training end before the last.
    earliest, latest = 0.8 * starting, starting + 1.5 * steps / args.kills
    moments = random.Random(args.seed)
    kills = 0
    while kills < args.kills:
        process = start(args.folder, "killed", "--resume", *FLAGS)
        try:
            process.wait(moments.uniform(earliest, latest))
            break
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            kills += 1
    start(args.folder, "killed", "--resume", *FLAGS).wait()
    if not equal(args.folder / "whole", args.folder / "killed"):
        raise SystemExit(f"the two trainings ended differently, after {kills} kills")
    print(f"the two trainings ended alike, after {kills} kills")


def run_through(folder):
    """Trains without a kill; seconds until the first step, and from there on."""
    begin = time.monotonic()
    process = start(folder, "whole", *FLAGS)
    while process.poll() is None and not any(folder.glob("whole/checkpoints/*.npz")):
        time.sleep(0.1)
    first = time.monotonic()
    if process.wait() != 0:
        raise SystemExit(f"the training failed, see {folder / 'whole.txt'}")
    return first - begin, time.monotonic() - first


if __name__ == "__main__":
    main()
