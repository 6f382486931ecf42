"""Score against time of cut networks: the Pareto front, its table, picture, script."""

import json

import numpy as np
import pytest
from PIL import Image
from scripts import REPOSITORY, load, read_json
from tiny_clips import write_tiny_penn
from tiny_mpii import write_tiny_mpii
from weight_files import write_tiny_network

from deephar.evaluation.tradeoff import Cut, fronts, pareto_front, tradeoff_page

SMALL = {"size": 32, "ksize": 3, "context": 0, "stem": "vgg16"}
ACTS = {"frames": 8, "actions": 15, "step": 1}
QUICK = ("--batch-sizes", "1", "2", "--repeat", "1")


def cut(network, block, milliseconds, score):
    times = {1: np.array([0.5, 1, 2]) * milliseconds, 8: np.ones(3) * milliseconds}
    return Cut(network, block, 1000 * block, score, times)


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(REPOSITORY / "exp/benchmark")
    return load("exp/benchmark/speed_accuracy.py")


CUTS = [cut("a", 1, 10, 0.5), cut("a", 2, 20, 0.7), cut("b", 1, 15, 0.4)]


def test_no_other_point_beats_those_of_the_front():
    times, scores = [1, 2, 2, 3, 4, 4], [5, 7, 6, 7, 9, 9]
    on_it = [True, True, False, False, True, True]
    assert pareto_front(times, scores).tolist() == on_it
    assert pareto_front([], []).shape == (0,)


def test_times_and_scores_are_as_many():
    with pytest.raises(ValueError, match=r"of one length. Received: shapes \(2,\) and"):
        pareto_front([1, 2], [1])


def test_the_front_is_that_of_all_networks_together():
    assert fronts(CUTS) == dict.fromkeys((1, 8), [True, True, False])


def test_the_page_marks_the_front_and_gives_median_and_range(tmp_path):
    text = tradeoff_page(tmp_path / "a.png", CUTS, "PCKh@0.5", "crop", "People.")
    rows = [[x.strip() for x in row.strip("| ").split("|")] for row in text.split("\n")]
    assert ["a", "2", "2,000", "70.0", "20.00 (10.00 to 40.00) \\*"] == rows[7][:5]
    assert rows[8][4] == "15.00 (7.50 to 30.00)"
    assert "ms a crop, batch 8 (range)" in text and "](a.png)" in text
    with Image.open(tmp_path / "a.png") as picture:
        pixels = np.asarray(picture.convert("RGB"))
    assert pixels.shape[1] > pixels.shape[0] > 400
    for color in ((31, 119, 180), (214, 39, 40), (68, 68, 68)):
        assert (pixels == color).all(axis=-1).sum() > 20, color


def test_poses_of_several_networks_are_scored_and_timed(tmp_path, script):
    write_tiny_mpii(tmp_path / "mpii")
    weights = []
    for blocks in (1, 2):
        (tmp_path / f"b{blocks}").mkdir()
        made = write_tiny_network(
            tmp_path / f"b{blocks}", "mpii", blocks=blocks, **SMALL
        )
        weights.append(str(made.rename(made.with_name("weights_best.weights.h5"))))
    out = tmp_path / "out"
    flags = ["--weights", *weights, "--mpii", str(tmp_path / "mpii"), "--out", str(out)]
    figures = script.measure(script.parse([*flags, *QUICK]))
    found = read_json(out, "speed_accuracy.json")
    assert [(one["network"], one["block"]) for one in found["cuts"]] == [
        *[("b1", 1), ("b2", 1), ("b2", 2)]
    ]
    first, _, last = found["cuts"]
    assert 0 < first["parameters"] < last["parameters"]
    assert last["milliseconds"]["2"]["lowest"] > 0
    assert len(found["front"]["1"]) == 3
    assert (
        figures["b2_2_score"] == last["score"] and (out / "speed_accuracy.png").exists()
    )
    assert "| b2 " in (out / "speed_accuracy.md").read_text()
    with pytest.raises(ValueError, match=r"--predictions: there are none of \[9\]"):
        script.measure(script.parse([*flags, *QUICK, "--predictions", "9"]))


def test_actions_are_scored_and_timed(tmp_path, script):
    write_tiny_penn(tmp_path / "penn")
    path = write_tiny_network(tmp_path, "penn", blocks=1, **SMALL, **ACTS)
    flags = ["--weights", str(path), "--penn", str(tmp_path / "penn")]
    flags += ["--out", str(tmp_path), "--predictions", "1", "4", *QUICK[:2]]
    figures = script.measure(script.parse([*flags, "--repeat", "1"]))
    cuts = json.loads((tmp_path / "speed_accuracy.json").read_text())["cuts"]
    assert [one["block"] for one in cuts] == [1, 4]
    assert cuts[0]["parameters"] < cuts[1]["parameters"]
    assert figures["w.weights.h5_4_score"] in (0, 0.5, 1)


def test_a_network_is_called_by_its_folder_unless_two_are_alike(script):
    name = script.name_of
    paths = ["runs/b8/weights_best.weights.h5", "b8/weights_best.weights.h5", "mpii"]
    assert name(paths[0], paths[::2]) == "b8"
    assert name(paths[0], paths) == paths[0] and name("mpii", paths) == "mpii"
