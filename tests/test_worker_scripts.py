"""Two worker processes run the training script; one dies, and both go on later."""

import json
import os
import subprocess
import sys
import time

import pytest
from scripts import REPOSITORY
from test_devices import config, free_ports
from tiny_mpii import write_tiny_mpii

FLAGS = (
    *("--data", "mpii", "--size", "32", "--blocks", "1", "--ksize", "3"),
    *("--stem", "vgg16", "--context", "0"),
    *("--batch-size", "4", "--epochs", "2", "--steps-per-epoch", "10"),
    *("--checkpoint-steps", "2", "--eval-batch-size", "2", "--verbose", "2"),
)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("workers")
    write_tiny_mpii(folder / "mpii", train=6, valid=5)
    return folder


def start(place, index, addresses, *flags):
    """Starts one of the workers, its output in a file."""
    script = REPOSITORY / "exp" / "mpii" / "train_mpii_singleperson.py"
    command = [sys.executable, str(script), "run", "--strategy", "multiworker", *flags]
    with open(place / f"output{index}.txt", "w") as output:
        return subprocess.Popen(
            command,
            cwd=place,
            env={**os.environ, "TF_CONFIG": config(*addresses, index=index)},
            stdout=output,
            stderr=subprocess.STDOUT,
        )


def start_both(place, *flags):
    addresses = [f"localhost:{port}" for port in free_ports(2)]
    return [start(place, index, addresses, *flags) for index in (1, 0)]


def output(place, index):
    return (place / f"output{index}.txt").read_text()


def test_a_worker_that_dies_ends_the_other_and_both_go_on(place):
    second, chief = start_both(place, *FLAGS)
    states = place / "run" / "checkpoints"
    while not any(path.name > "state-00000-0000001" for path in states.glob("*.npz")):
        assert chief.poll() is None, output(place, 0)
        time.sleep(0.05)
    second.kill()
    second.wait()
    assert chief.wait(timeout=120) == 1
    assert "another worker has ended, so this one ends too" in output(place, 0)
    assert "--resume" in output(place, 0)

    for process in start_both(place, "--resume"):
        assert process.wait(timeout=300) == 0, output(place, 0) + output(place, 1)
    for index in (0, 1):
        assert "resumed: " in output(place, index)
    names = {path.name for path in (place / "run").iterdir()}
    assert names == {
        *("arguments_train_mpii_singleperson.json", "checkpoints", "log.txt"),
        *("losses.csv", "model.json", "scores.json", "training.html"),
        *("weights_best.weights.h5", "weights_last.weights.h5"),
    }
    scores = json.loads((place / "run" / "scores.json").read_text())
    assert [scores[epoch]["samples"] for epoch in ("1", "2")] == [5, 5]


def test_a_worker_that_fails_before_the_first_step_ends_the_other(place):
    addresses = [f"localhost:{port}" for port in free_ports(2)]
    flags = ("--overwrite", *FLAGS)
    second = start(place, 1, addresses, *flags, "--data", "nowhere")
    chief = start(place, 0, addresses, *flags)
    assert (second.wait(timeout=120), chief.wait(timeout=120)) == (1, 1)
    assert "nowhere" in output(place, 1)
    assert "error: another worker has ended" in output(place, 0)
    assert (place / "run" / "weights_last.weights.h5").exists()
