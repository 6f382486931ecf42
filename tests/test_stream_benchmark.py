"""The benchmarks of streams, at the smallest size."""

import importlib
import json
from types import SimpleNamespace

import numpy as np
import pytest
from scripts import REPOSITORY, load
from tiny_merged import FRAMES, build_merged

from deephar.checkpoints import save_weights
from deephar.inference import FramePrediction, Person
from deephar.models import lifting


@pytest.fixture(autouse=True)
def beside(monkeypatch):
    """What the scripts import lies beside them."""
    monkeypatch.syspath_prepend(REPOSITORY / "exp/benchmark")


def result(benchmark, capsys, *flags):
    """What the last line on the screen says."""
    args = benchmark.parse([str(flag) for flag in flags])
    benchmark.common.run(args, lambda: benchmark.measure(args))
    return json.loads(capsys.readouterr().out.splitlines()[-1])["figures"]


def test_a_stream_of_poses_is_timed_against_its_windows_and_says_the_same(capsys):
    benchmark = load("exp/benchmark/stream.py")
    shape = ("--network", "lifting", "--widths", 3, 3, "--channels", 4)
    figures = result(benchmark, capsys, *shape, "--length", 30)
    check(figures, 26)


def test_a_stream_of_poses_takes_checkpoints_and_needs_frames(capsys, tmp_path):
    benchmark, path = load("exp/benchmark/stream.py"), tmp_path / "a.bin"
    network = lifting.build(17, 2, 17, (3, 3), channels=4)
    for weight in network.trainable_variables:
        weight.assign(np.full(weight.shape, 0.5))
    save_weights(network, path)
    flags = ("--network", "lifting", "--widths", 3, 3, "--channels", 4)
    args = benchmark.parse(list(map(str, (*flags, "--weights", path, "--length", 9))))
    ways = importlib.import_module("stream_ways").Lifting(
        args, SimpleNamespace(jit=False)
    )
    assert all(
        (weight.numpy() == 0.5).all() for weight in ways.model.trainable_variables
    )
    with pytest.raises(ValueError, match="must be at least 10: .* after 5 .*: 9"):
        benchmark.measure(args)


def test_so_is_a_stream_of_actions_of_a_merged_network_in_2d(capsys, monkeypatch):
    benchmark = load("exp/benchmark/stream.py")
    ways = importlib.import_module("stream_ways")
    monkeypatch.setattr(ways, "build_network", lambda *_: build_merged(num_blocks=1))
    figures = result(benchmark, capsys, "--frames", FRAMES, "--length", 13)
    check(figures, 6)


def check(figures, windows):
    assert figures["windows"] == windows
    assert figures["largest_difference"] < 1e-5 < figures["largest_change"]
    for name in ("ratio", "cpu_ratio"):
        middle, low, high = (figures[name + x] for x in ("", "_lowest", "_highest"))
        assert 0 < low <= middle <= high


class Nobody:
    """In place of a `VideoPredictor`."""

    def __init__(self):
        self.numbers = []

    def step(self, picture, number):
        assert picture.shape == (180, 320, 3)
        self.numbers.append(number)
        person = Person(None, id=1 + number // 10)
        return [FramePrediction("", number, None, (320, 180), (person,))]


def test_the_memory_of_a_stream_is_watched_and_drawn(capsys, monkeypatch, tmp_path):
    benchmark, path = load("exp/benchmark/stream_memory.py"), tmp_path / "m.png"
    video = Nobody()
    monkeypatch.setattr(benchmark, "video_predictor", lambda *_: video)
    flags = ("--frames", 12, "--clip", 2, "--plot", path)
    figures = result(benchmark, capsys, *flags)
    assert video.numbers == list(range(1, 13)) and figures["people"] == 2
    assert 0 < figures["first_mib"] < 2 * figures["last_mib"]
    assert path.read_bytes().startswith(b"\x89PNG")
