"""Several replicas and several workers compute what one process does."""

import functools
import json
import os
import pathlib
import socket
import subprocess
import sys

import numpy as np
import pytest
from replica_run import CASES
from scripts import run_together

from deephar import devices

HERE = pathlib.Path(__file__).parent
SCRIPT = HERE / "replica_run.py"


def config(*addresses, index=0, job="worker"):
    task = {"type": "worker", "index": index}
    return json.dumps({"cluster": {job: list(addresses)}, "task": task})


def free_ports(count):
    doors = [socket.create_server(("", 0)) for _ in range(count)]
    ports = [door.getsockname()[1] for door in doors]
    for door in doors:
        door.close()
    return ports


def start(folder, *arguments, tf_config=None):
    """Starts replica_run.py in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(HERE.parent)}
    if tf_config is not None:
        environment["TF_CONFIG"] = tf_config
    command = [sys.executable, str(SCRIPT), str(folder), *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=environment, stdout=pipe, stderr=pipe)


def finish(process, folder):
    """Waits for a process; returns {case: what came out}."""
    output = process.communicate(timeout=600)[1].decode()
    assert process.returncode == 0, output
    return {path.stem: dict(np.load(path)) for path in folder.glob("*.npz")}


@pytest.fixture(scope="module")
def processes(tmp_path_factory):
    """What one process has in the end by strategy and case."""
    flags = {
        "none": ("plain", "accumulated", "clipped"),
        "mirrored": (*CASES, "--replicas", "2"),
    }

    def train(kind):
        folder = tmp_path_factory.mktemp(kind)
        return finish(start(folder, kind, *flags[kind]), folder)

    return run_together({kind: functools.partial(train, kind) for kind in flags})


@pytest.fixture(scope="module")
def alone(processes):
    """What one replica has in the end, by case."""
    return processes["none"]


@pytest.fixture(scope="module")
def mirrored(processes):
    """What two replicas in a process have in the end, by case."""
    return processes["mirrored"]


@pytest.fixture(scope="module")
def two_workers(tmp_path_factory):
    """What each of two worker processes has in the end."""
    folders = [tmp_path_factory.mktemp("worker") for _ in range(2)]
    addresses = [f"localhost:{port}" for port in free_ports(2)]
    processes = [
        start(folder, "multiworker", "plain", tf_config=config(*addresses, index=i))
        for i, folder in enumerate(folders)
    ]
    try:
        found = [finish(*pair) for pair in zip(processes, folders, strict=True)]
    finally:
        for process in processes:
            process.kill()
    return [one["plain"] for one in found]


def assert_alike(ours, theirs):
    """Equal losses, weights and moving statistics, but for the order of sums.

    A batch of 5 is divided into 2 and 3; a wrong weight of the parts shows at 1e-2.
    """
    np.testing.assert_allclose(ours["losses"], theirs["losses"], atol=1e-5)
    for name in [name for name in ours if name.startswith(("w", "o_"))]:
        np.testing.assert_allclose(ours[name], theirs[name], atol=5e-6, err_msg=name)


def test_two_replicas_compute_what_one_process_does(alone, mirrored):
    assert_alike(mirrored["plain"], alone["plain"])
    assert sorted(mirrored["plain"]["keys"]) == sorted(alone["plain"]["keys"])


def test_two_workers_compute_what_one_process_does(alone, two_workers):
    first, second = two_workers
    assert_alike(first, alone["plain"])
    for name in set(first) - {"keys"}:
        np.testing.assert_array_equal(first[name], second[name], err_msg=name)


def test_every_sample_goes_to_one_worker(alone, two_workers):
    first, second = (set(result["keys"].tolist()) for result in two_workers)
    assert not first & second
    assert first | second == set(alone["plain"]["keys"].tolist())


def test_parts_computed_in_turn_are_the_same_as_on_replicas_of_their_own(
    alone, mirrored
):
    turns, replicas = alone["accumulated"], mirrored["local"]
    np.testing.assert_allclose(turns["losses"], replicas["losses"], atol=1e-5)


def test_parts_in_turn_on_replicas_take_every_sample_once(mirrored):
    turns = mirrored["accumulated"]
    assert len(set(turns["keys"])) == len(turns["keys"])
    assert np.isfinite(turns["losses"]).all()
    assert turns["moved"] > 0


def test_replicas_clip_the_whole_gradient(alone, mirrored):
    assert_alike(mirrored["clipped"], alone["clipped"])
    moved = mirrored["clipped"]["moved"], alone["clipped"]["moved"]
    assert moved[0] == pytest.approx(moved[1], rel=0.02)
    assert moved[0] < 0.5 * mirrored["plain"]["moved"]


def test_float16_trains_on_replicas(mirrored):
    assert np.isfinite(mirrored["float16"]["losses"]).all()
    assert mirrored["float16"]["moved"] > 0


def test_a_step_that_overflows_is_left_out_on_all_replicas(mirrored):
    assert mirrored["overflowing"]["scale"] == pytest.approx(2.5e29)
    assert mirrored["overflowing"]["moved"] == 0


def test_a_worker_alone_is_the_chief():
    assert devices.this_worker("none").is_chief


def test_a_worker_finds_its_place_after_the_chief(monkeypatch):
    cluster = {"worker": ["b:1", "c:1"], "chief": ["a:1"]}
    task = {"type": "worker", "index": 1}
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": cluster, "task": task}))
    worker = devices.this_worker("multiworker")
    assert (worker.index, worker.is_chief) == (2, False)
    assert worker.addresses == ("a:1", "b:1", "c:1")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "must be JSON such as"),
        ("[]", "must be JSON such as"),
        ('{"cluster": {}}', "must be JSON such as"),
        (config("a:1", index=1), "must list this task"),
        (config("a:1", job="ps"), "must list this task"),
        (config("a"), "must list HOST:PORT"),
    ],
)
def test_a_wrong_tf_config_is_shown(monkeypatch, text, message):
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(ValueError, match=f"TF_CONFIG {message}.*Received: "):
        devices.this_worker("multiworker")


def test_a_missing_tf_config_is_asked_for(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    with pytest.raises(ValueError, match="needs the environment variable TF_CONFIG"):
        devices.make_strategy("multiworker")


def test_a_worker_that_does_not_come_is_named(monkeypatch):
    here, nobody = free_ports(2)
    text = config(f"localhost:{here}", f"localhost:{nobody}")
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(ConnectionError, match=f"workers localhost:{nobody} for 0.3 s"):
        devices.make_strategy("multiworker", patience=0.3)


def test_wrong_strategies_are_refused():
    with pytest.raises(ValueError, match="must be one of .*Received: 'two'"):
        devices.make_strategy("two")
    with pytest.raises(ValueError, match="for the strategy mirrored. Received: 2"):
        devices.make_strategy("none", replicas=2)
