"""The benchmark of lifting, at the smallest size."""

import importlib.util
import json

import pytest
from scripts import run

SMALL = ("--widths", 3, 3, "--channels", 4, "--batch-size", 4, "--frames", 12)


def test_steps_sequences_and_streams_are_timed(tmp_path):
    script = "exp/benchmark/lifting.py"
    done = run(script, *SMALL, "--repeat", 1, "--threads", 1, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    figures = result["figures"]
    assert result["settings"]["widths"] == [3, 3]
    assert figures["step_poses_per_s"] == pytest.approx(4 / figures["step_s"])
    assert figures["whole_frames_per_s"] == pytest.approx(12 / figures["whole_s"])
    assert 0 < figures["stream_s"] <= figures["stream_slowest_s"]


def test_pytorch_has_no_stream_and_is_timed_where_it_is_installed(tmp_path):
    if importlib.util.find_spec("torch") is None:
        pytest.skip("torch is not installed")
    flags = ("exp/benchmark/lifting.py", *SMALL, "--framework", "torch")
    done = run(*flags, cwd=tmp_path)
    assert done.returncode == 2 and "torch has no stream" in done.stderr
    done = run(*flags, "--parts", "step", "whole", "--repeat", 1, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])["figures"]
    assert figures["framework"] == "torch" and figures["whole_frames_per_s"] > 0
