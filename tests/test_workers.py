"""Processes that make batches: the same batches, and nothing hidden."""

import os
import pathlib
import pickle
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from number_loader import NumberLoader
from tiny_mpii import write_tiny_mpii

from deephar.config import DataConfig
from deephar.data import BatchLoader, MpiiSinglePerson, PictureError, open_cache
from deephar.data.samples import WHOLE
from deephar.data.workers import WorkerProcesses
from deephar.utils.modes import TRAIN_MODE, VALID_MODE

CONFIG = DataConfig(crop_resolution=(32, 32), angles=(-20, 0, 20), scales=(0.8, 1.2))


@pytest.fixture
def folder(tmp_path):
    return write_tiny_mpii(tmp_path / "MPII")


@pytest.fixture
def make():
    """Makes loaders and ends their processes."""
    loaders = []

    def loader(data, mode=TRAIN_MODE, **options):
        options = {"batch_size": 2, "processes": 1, "seed": 4, **options}
        loaders.append(BatchLoader(data, ["frame"], ["pose"], mode, **options))
        return loaders[-1]

    yield loader
    for one in loaders:
        one.close()


def elements(loader, epoch=0, **options):
    stream = iter(loader.as_dataset(epoch, **options))
    found = []
    while True:
        try:
            (frame,), (pose,) = loader.next_batch(stream)
        except StopIteration:
            return found
        found.append((frame.numpy(), pose.numpy()))


@pytest.fixture
def broken(folder):
    """A folder whose second validation picture is cut short."""
    path = folder / "images" / "v1.jpg"
    path.write_bytes(path.read_bytes()[:500])
    return folder


def test_processes_make_the_batches_of_threads(broken, tmp_path, make):
    data = MpiiSinglePerson(broken, CONFIG)
    cached = MpiiSinglePerson(broken, CONFIG, cache=open_cache(tmp_path / "cache"))
    options = {"mode": VALID_MODE, "on_error": "mark"}
    threads = make(data, processes=0, **options)
    processes = make(cached, processes=2, **options)
    for options in ({}, {"epoch": 3, "steps": 5}, {"parts": ((1,), 2), "start": 1}):
        expected, found = elements(threads, **options), elements(processes, **options)
        assert len(found) == len(expected) > 0
        for one, other in zip(found, expected, strict=True):
            assert all(map(np.array_equal, one, other))
        assert processes.take_errors() == threads.take_errors()
    assert any((tmp_path / "cache").iterdir())


def test_errors_come_as_they_were_raised_and_a_killed_process_ends_the_run():
    workers = WorkerProcesses(NumberLoader(), 2)
    for part, shape in ((WHOLE, (4, 2)), ((1, 2), (2, 2))):
        batch, errors = workers.get(3, 1, part)
        assert errors == {} and batch["x"].shape == shape
        assert (batch["x"] == 31).all()
    with pytest.raises(PictureError, match="two.jpg: cut short") as info:
        workers.get(0, 2, WHOLE)
    assert info.value.path == "two.jpg"
    for index in (5, 3):
        with pytest.raises(ChildProcessError, match="ended from outside.* 2 processes"):
            workers.get(0, index, WHOLE)
    workers.close()
    assert (workers.get(0, 3, WHOLE)[0]["x"] == 3).all()
    workers.close()


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="looks into /proc")
def test_processes_end_with_the_one_that_made_them():
    tests = pathlib.Path(__file__).parent
    path = os.pathsep.join([str(tests.parent), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, str(tests / "number_loader.py")],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": path},
        text=True,
    )
    assert done.returncode == -signal.SIGKILL
    (pid,) = map(int, done.stdout.split())
    end = time.monotonic() + 30
    while is_running(pid) and time.monotonic() < end:
        time.sleep(0.1)
    assert not is_running(pid)


def test_what_cannot_be_sent_is_refused(folder, make):
    data = MpiiSinglePerson(folder, CONFIG, cache=open_cache("memory"))
    with pytest.raises(ValueError, match="memory cannot be shared by processes"):
        elements(make(data))
    data = MpiiSinglePerson(folder, CONFIG)
    data.note = lambda: None
    with pytest.raises(ValueError, match="`processes` needs data sets that can be p"):
        elements(make(data))
    with pytest.raises(ValueError, match="`processes` must be an integer.*-1"):
        make(data, processes=-1)


def test_a_copied_loader_makes_its_batches_itself(folder, make):
    loader = make(MpiiSinglePerson(folder, CONFIG), on_error="skip")
    copy = pickle.loads(pickle.dumps(loader))
    assert (copy.processes, loader.processes) == (0, 1)
    (frame,), _ = copy.get_batch(1, 2)
    assert np.array_equal(frame, loader.get_batch(1, 2)[0][0])
    copy.close()


def test_an_error_of_a_picture_survives_the_journey():
    error = pickle.loads(pickle.dumps(PictureError("a.jpg", "cut short")))
    assert (error.path, error.reason) == ("a.jpg", "cut short")
    assert str(error) == "cannot read the picture a.jpg: cut short"
