"""The benchmark of lifting, at the smallest size."""

import json
import os

import pytest
import tensorflow as tf
from scripts import REPOSITORY, load

SMALL = (
    *("--widths", "3", "3", "--channels", "4", "--batch-size", "4"),
    *("--frames", "12", "--repeat", "1"),
)


@pytest.fixture
def benchmark(monkeypatch):
    """The script; what it imports lies beside it."""
    monkeypatch.syspath_prepend(REPOSITORY / "exp/benchmark")
    return load("exp/benchmark/lifting.py")


def result(benchmark, capsys, *flags):
    """What the last line on the screen says."""
    args = benchmark.parse([*SMALL, *flags])
    benchmark.common.run(args, lambda: benchmark.measure(args))
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def test_steps_sequences_and_streams_are_timed(benchmark, capsys, monkeypatch):
    limits = []
    for kind in ("intra", "inter"):
        name = f"set_{kind}_op_parallelism_threads"
        monkeypatch.setattr(tf.config.threading, name, limits.append)
    for name in benchmark.THREADS:
        monkeypatch.setenv(name, "7")
    found = result(benchmark, capsys, "--threads", "1")
    figures = found["figures"]
    assert limits == [1, 1]
    assert {os.environ[name] for name in benchmark.THREADS} == {"1"}
    assert found["settings"]["widths"] == [3, 3]
    assert figures["step_poses_per_s"] == pytest.approx(4 / figures["step_s"])
    assert figures["whole_frames_per_s"] == pytest.approx(12 / figures["whole_s"])
    assert 0 < figures["stream_s"] <= figures["stream_slowest_s"]


def test_pytorch_has_no_stream_and_is_timed_where_it_is_installed(benchmark, capsys):
    flags = ("--framework", "torch")
    with pytest.raises(SystemExit, match="2"):
        benchmark.parse(flags)
    assert "torch has no stream" in capsys.readouterr().err
    pytest.importorskip("torch")
    found = result(benchmark, capsys, *flags, "--parts", "step", "whole")
    assert found["figures"]["framework"] == "torch"
    assert found["figures"]["whole_frames_per_s"] > 0
