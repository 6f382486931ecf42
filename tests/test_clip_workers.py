"""Several replicas and several workers predict the actions that one process does."""

import os
import subprocess
import sys

import numpy as np
import pytest
from clip_worker_run import parse, predict
from scripts import REPOSITORY
from test_devices import config, free_ports


def start(out, arguments=("multiworker",), tf_config=""):
    """Starts clip_worker_run.py in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    if tf_config:
        environment["TF_CONFIG"] = tf_config
    script = REPOSITORY / "tests" / "clip_worker_run.py"
    command = [sys.executable, str(script), str(out), *arguments]
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)


def finish(process, out):
    errors = process.communicate(timeout=300)[1]
    assert process.returncode == 0, errors
    with np.load(out) as file:
        return dict(file)


@pytest.fixture(scope="module")
def alone():
    found = predict(parse(["a.npz", "none"]))
    assert np.ptp(found["scores"], axis=1).max() > 1e-2
    return found


@pytest.fixture(scope="module")
def others(tmp_path_factory):
    """What two replicas find, and what each of two workers does."""
    folder = tmp_path_factory.mktemp("others")
    addresses = [f"localhost:{port}" for port in free_ports(2)]
    flags = {
        "replicas": {"arguments": ("mirrored", "--replicas", "2")},
        "first": {"tf_config": config(*addresses, index=0)},
        "second": {"tf_config": config(*addresses, index=1)},
    }
    outs = {name: folder / f"{name}.npz" for name in flags}
    processes = [start(outs[name], **options) for name, options in flags.items()]
    try:
        return dict(zip(flags, map(finish, processes, outs.values()), strict=True))
    finally:
        for process in processes:
            process.kill()


def test_two_replicas_predict_what_one_process_does(alone, others):
    found = others["replicas"]
    np.testing.assert_allclose(found["scores"], alone["scores"], atol=1e-5)
    np.testing.assert_allclose(found["features"], alone["features"], atol=1e-3)


def test_two_workers_predict_what_one_process_does(alone, others):
    first, second = others["first"], others["second"]
    np.testing.assert_array_equal(first["scores"], second["scores"])
    np.testing.assert_allclose(first["scores"], alone["scores"], atol=1e-6)
    features = np.concatenate([first["features"], second["features"]])
    np.testing.assert_allclose(features, alone["features"], atol=1e-3)
