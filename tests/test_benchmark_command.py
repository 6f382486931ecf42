"""benchmark: the network alone, a stream, and a whole window, at the smallest size."""

import json

import pytest
from weight_files import write_tiny_network

from deephar.commands import benchmark


def timed(capsys, *flags):
    """The figures, and what is on the screen above them."""
    benchmark.main(["--repeat", "2", *map(str, flags)])
    text = capsys.readouterr().out
    return json.loads(text.splitlines()[-1]), text


def test_a_network_of_poses_is_timed_in_batches_and_in_a_stream(tmp_path, capsys):
    weights = write_tiny_network(
        tmp_path, "mpii", size=32, blocks=1, context=0, ksize=3
    )
    flags = ("--no-fold", "--batch-sizes", 1, 3, "--json", tmp_path / "speed.json")
    result, text = timed(capsys, "--weights", weights, *flags)
    assert json.loads((tmp_path / "speed.json").read_text()) == result
    figures = result["figures"]
    assert (figures["network"], figures["input"]) == ("mpii", "32x32")
    assert figures["batch_3_per_s"] == pytest.approx(3 / figures["batch_3_s"])
    assert figures["stream_per_s"] == pytest.approx(1 / figures["stream_s"])
    assert 0 < figures["stream_s"] <= figures["stream_slowest_s"]
    assert "window_s" not in figures and figures["peak_mib"] > 50
    assert "stream_per_s" in text and result["settings"]["precision"] == "float32"


def test_of_a_network_of_actions_a_whole_window_is_timed_too(tmp_path, capsys):
    shape = {"size": 32, "blocks": 1, "context": 0, "ksize": 3, "frames": 4}
    weights = write_tiny_network(tmp_path, "penn", **shape)
    result, _ = timed(capsys, "--weights", weights, "--no-fold", "--batch-sizes", 1)
    figures = result["figures"]
    assert (figures["network"], result["settings"]["fold"]) == ("penn", False)
    assert min(figures[f"{n}_s"] for n in ("batch_1", "stream", "window")) > 0


def test_lifting_is_timed_elsewhere(golden):
    for weights in ("small_lift", str(golden / "lifting_semi.bin")):
        with pytest.raises(ValueError, match="lifting is timed by exp/benchmark/lift"):
            benchmark.main(["--weights", weights])
