import re

import numpy as np
import pytest
from PIL import Image

from deephar.evaluation.cuts import (
    cut_page,
    cut_table,
    plot_cuts,
    speed,
    time_in_turn,
)


def _cut(number, action, accuracy=None, **scores):
    """Prediction k costs k ms a frame."""
    return {
        "prediction": number,
        "pose": f"dp1_pb{number}",
        "action": action,
        "parameters": 1000 * number,
        "frames_per_second": 1000.0 / number,
        "ms_per_frame": float(number),
        "ms_per_frame_quartiles": [number - 0.25, number + 0.5],
        "accuracy": accuracy,
        **(scores or {"pckh": 0.2 * number}),
    }


def _scores(*cuts):
    facts = {"batch_size": 2, "frames": 8, "repeats": 5, "device": "a machine"}
    facts |= {"cores": 2, "precision": "float32"}
    return {"cuts": list(cuts), **facts}


CUTS = _scores(_cut(1, None), _cut(2, "act1_a0", 0.5), _cut(3, "act2_a0", 0.75))


def test_functions_are_timed_in_turn_and_every_second_round_the_other_way():
    calls = []
    runs = [lambda name=name: calls.append(name) for name in "abc"]
    seconds = time_in_turn(runs, repeats=3, warm=2)
    assert "".join(calls) == "aabbcc" + "abc" + "cba" + "abc"
    assert seconds.shape == (3, 3) and (seconds > 0).all()


def test_nothing_can_be_told_from_no_repeats():
    with pytest.raises(ValueError, match="`repeats` must be at least 1. .*repeats=0"):
        time_in_turn([print], 0)


def test_speed_is_that_of_the_median_step_with_its_quartiles():
    found = speed(np.array([0.3, 0.1, 0.2]), frames=10)
    assert found["ms_per_frame"] == pytest.approx(20)
    assert found["frames_per_second"] == pytest.approx(50)
    assert found["ms_per_frame_quartiles"] == pytest.approx([15, 25])


def test_a_row_for_each_cut_and_one_without_an_action_says_so():
    rows = [
        re.split(r"\s*\|\s*", row.strip("| ")) for row in cut_table(CUTS).split("\n")
    ]
    assert rows[0][-2:] == ["PCKh@0.5 (%)", "accuracy (%)"]
    first = ["1", "dp1_pb1, no action", "1,000", "1000.0", "1.00", "0.75 to 1.50"]
    assert rows[2] == [*first, "20.0", "no action"]
    assert rows[4][1] == "dp1_pb3, act2_a0" and rows[4][-2:] == ["60.0", "75.0"]


def test_the_page_says_what_the_scores_are_of():
    text = "\n".join(cut_page(CUTS))
    assert "On a machine, 2 cores, in float32: 2 clips of 8 frames a step" in text
    assert "median and quartiles of 5 steps" in text
    assert "PCKh@0.5: MPII validation" in text
    torso = _scores(_cut(1, None, pck=0.4))
    assert "PCK@0.2 of the torso: Penn Action test frames" in "\n".join(cut_page(torso))


@pytest.mark.parametrize("scores", [CUTS, _scores(_cut(1, None), _cut(2, None))])
def test_scores_are_drawn_against_time(tmp_path, scores):
    plot_cuts(tmp_path / "speed.png", scores)
    with Image.open(tmp_path / "speed.png") as picture:
        assert picture.size == (1100, 440)
        blue = (np.asarray(picture.convert("RGB")) == (31, 119, 180)).all(axis=-1)
    left, right = blue[:, :550].sum(), blue[:, 550:].sum()
    acts = any(cut["action"] for cut in scores["cuts"])
    assert left > 300 and (right > 300) == acts
