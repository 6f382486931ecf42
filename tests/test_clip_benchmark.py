"""The pair of the two ways to evaluate many clips, at the smallest size."""

import json

import pytest
from scripts import run


def test_clips_together_and_alone_are_timed_and_give_the_same(tmp_path):
    size = ("--size", 32, "--blocks", 1, "--frames", 8, "--videos", 1, "--length", 20)
    flags = ("--steps", 1, 2, "--repeat", 1, "--call", "batch", "--boxes", "truth")
    done = run("exp/benchmark/multi_clip.py", *size, *flags, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])["figures"]
    assert figures["clips"] == 2 * (4 + 1)
    assert figures["same_answers"]
    assert figures["largest_difference"] < 1e-5
    rates = figures["together_clips_per_s"], figures["alone_clips_per_s"]
    assert figures["ratio"] == pytest.approx(rates[0] / rates[1])
    for name in ("ratio", "cpu_ratio"):
        assert figures[f"{name}_lowest"] == figures[f"{name}_highest"] == figures[name]
