"""Processes that make batches: the same batches, and nothing hidden."""

import os
import pickle
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from tiny_mpii import write_tiny_mpii

from deephar.config import DataConfig
from deephar.data import BatchLoader, MpiiSinglePerson, PictureError, open_cache
from deephar.utils.modes import TRAIN_MODE, VALID_MODE

CONFIG = DataConfig(crop_resolution=(32, 32), angles=(-20, 0, 20), scales=(0.8, 1.2))


class Deadly:
    """Numbers; 2 cannot be read, and the process that reads 5 is killed."""

    def get_length(self, mode):
        return 8

    def get_shape(self, dictkey):
        return (1,)

    def get_data(self, key, mode):
        if key == 2:
            raise PictureError("two.jpg", "cut short")
        if key == 5:
            os.kill(os.getpid(), signal.SIGKILL)
        return {"x": np.full(1, key, np.float32)}


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
    options = {"batch_size": 1, "shuffle": False, "processes": 1}
    loader = BatchLoader(Deadly(), ["x"], [], TRAIN_MODE, **options)
    stream, found = iter(loader.as_dataset(0, prefetch=1)), []
    while len(found) < 8:
        try:
            (x,), _ = loader.next_batch(stream)
            found.append(x.numpy().item())
        except OSError as error:
            found.append((type(error), getattr(error, "path", None)))
            message = str(error)
        if found[-1] == (ChildProcessError, None):
            break
    bad = (PictureError, "two.jpg")
    assert found == [0, 1, bad, 3, 4, (ChildProcessError, None)]
    assert "was ended from outside: killed" in message
    loader.close()


PARENT = """
import multiprocessing, os, sys
from deephar.config import DataConfig
from deephar.data import BatchLoader, MpiiSinglePerson
from deephar.utils.modes import TRAIN_MODE

if __name__ == "__main__":
    data = MpiiSinglePerson(sys.argv[1], DataConfig(crop_resolution=(32, 32)))
    loader = BatchLoader(data, ["frame"], ["pose"], TRAIN_MODE, 2, processes=1)
    loader.next_batch(iter(loader.as_dataset(0)))
    print(*(child.pid for child in multiprocessing.active_children()), flush=True)
    os.kill(os.getpid(), 9)
"""


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="looks into /proc")
def test_processes_end_with_the_one_that_made_them(folder, tmp_path):
    (tmp_path / "parent.py").write_text(PARENT)
    command = [sys.executable, str(tmp_path / "parent.py"), str(folder)]
    repository = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    path = os.pathsep.join([repository, os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
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
