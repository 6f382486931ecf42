import re

import numpy as np
import pytest
from PIL import Image

from deephar.evaluation import action_report
from deephar.evaluation.action import ActionPredictions, score_actions
from deephar.evaluation.report_page import write_report_page

LABELS = ("wave", "jump")
NAMES = ("p1", "p2", "v1", "v2", "m")
ANSWERS = {"p1": "0000", "p2": "0101", "v1": "1111", "v2": "0111", "m": "0110"}


def _scores(**changes):
    """Four videos, of waves, waves, jumps and jumps; the last is too short."""
    answers = np.array([[int(a) for a in ANSWERS[name]] for name in NAMES])
    scores = np.log(np.where(np.eye(2)[answers] > 0, 0.9, 0.1))
    values = {
        "names": NAMES,
        "labels": LABELS,
        "videos": ("a", "b", "c", "d"),
        "actions": np.array([0, 0, 1, 1]),
        "scores": scores,
        "products": np.exp(scores),
        "seen": np.array([True, True, True, False]),
        "readable": np.full(4, True),
        "too_short": np.array([False, False, False, True]),
        "clips": np.array([3, 2, 2, 1]),
        "unboxed": np.zeros(4, int),
        "errors": {},
        "multi_clip": True,
        "flip": True,
        **changes,
    }
    return score_actions(ActionPredictions(**values))


def cells(table):
    lines = [re.split(r"\s*\|\s*", line.strip("| ")) for line in table.splitlines()]
    return [lines[0], *lines[2:]]


def test_the_ablation_compares_the_last_outputs_three_ways_with_the_paper():
    head, *rows = cells(action_report.accuracy_table(_scores(), 0.974))
    assert head[1:] == [
        "strict",
        "short ones by a shortened clip",
        "as the original counts",
        "paper",
    ]
    assert rows == [
        ["pose only (p2)", "25.0", "50.0", "50.0", "-"],
        ["appearance only (v2)", "50.0", "75.0", "75.0", "-"],
        ["merged (m)", "50.0", "50.0", "75.0", "97.4"],
        ["best output on these videos", "-", "-", "75.0", "97.4"],
    ]


def test_every_output_has_a_row():
    rows = cells(action_report.output_table(_scores()))
    assert [row[0] for row in rows[1:]] == list(NAMES)
    assert rows[1][1:] == ["50.0", "50.0", "75.0"]


def test_actions_have_their_accuracy_and_their_commonest_mistake():
    rows = cells(action_report.class_table(_scores()))
    assert rows[1] == ["wave", "2", "50.0", "jump (1)"]
    assert rows[2] == ["jump", "2", "50.0", "no answer that counts (1)"]


def test_an_action_without_videos_has_no_accuracy():
    rows = cells(action_report.class_table(_scores(actions=np.zeros(4, int))))
    assert rows[2] == ["jump", "0", "-", "-"]


def test_findings_name_the_videos_that_are_wrong_for_what_they_are():
    scores = np.where([[False], [True], [False], [False]], np.nan, np.zeros((5, 4, 2)))
    text = action_report.findings(
        _scores(scores=scores, unboxed=np.array([0, 0, 2, 0]))
    )
    assert (
        text.splitlines()[0]
        == "4 videos, many clips each, also mirrored; 8 clips in all."
    )
    assert "- 1 too short for a clip, strictly counted as wrong: d" in text
    assert "- 1 with scores that are not finite, counted as wrong: b" in text
    assert "- 2 looks without a box" in text
    readable = np.array([True, False, True, True])
    text = action_report.findings(_scores(readable=readable))
    assert "- 1 with pictures that cannot be read, counted as wrong: b" in text


def test_findings_do_not_list_hundreds_of_names():
    scores = {**_scores(), "too_short": [f"v{i:03d}" for i in range(25)]}
    text = action_report.findings(scores)
    assert "v019 and 5 more" in text
    assert "v020" not in text


ELEVEN = (*"p1 p2 p3 p4 v1 v2 v3 v4 m mmm mmmvvv".split(),)


def eleven():
    """The four videos by eleven outputs: m is right of a, b, c; mmm of a; mmmvvv of c.

    Video d is too short.
    """
    answers = np.array([[0, 0, 0, 0]] * 8 + [[0, 0, 1, 1], [0, 1, 0, 1], [1, 1, 1, 1]])
    scores = np.log(np.where(np.eye(2)[answers] > 0, 0.9, 0.1))
    return _scores(names=ELEVEN, scores=scores, products=np.exp(scores))


def test_the_figure_that_counts_is_that_of_m_though_it_is_not_the_last():
    scores = eleven()
    assert scores["accuracy"] == scores["outputs"]["m"] == 0.75
    assert scores["confusion"] == [[2, 0, 0], [0, 1, 1]]
    assert scores["confusions_apart"] == {
        "mmm": [[1, 1, 0], [1, 0, 1]],
        "mmmvvv": [[0, 2, 0], [0, 1, 1]],
    }
    assert _scores()["confusions_apart"] == {}


def test_pose_and_appearance_apart_have_rows_and_confusions_of_their_own(tmp_path):
    scores = eleven()
    rows = cells(action_report.accuracy_table(scores, 0.9))
    assert [row[0] for row in rows[1:-1]] == [
        *("pose only (p4)", "appearance only (v4)", "merged (m)"),
        *("pose, as merged (mmm)", "appearance, as merged (mmmvvv)"),
    ]
    assert [row[1] for row in rows[3:6]] == ["75.0", "25.0", "25.0"]
    assert [row[-1] for row in rows[1:6]] == ["-", "-", "90.0", "-", "-"]
    text = "\n".join(action_report.action_parts(tmp_path, scores))
    assert "| m: true action | wave | jump | no answer that counts |" in text
    assert "![confusions of pose, as merged (mmm)](confusion_mmm.png)" in text
    table = cells(action_report.confusion_table(scores, "mmmvvv"))
    assert table[1:] == [["wave", "0", "2", "0"], ["jump", "0", "1", "1"]]
    drawn = [(tmp_path / f"confusion{n}.png").read_bytes() for n in ("", "_mmm")]
    assert drawn[0] != drawn[1]
    assert (tmp_path / "confusion_mmmvvv.png").is_file()


def test_videos_that_the_original_does_not_know_are_not_compared_with_it(tmp_path):
    parts = action_report.action_page(tmp_path, eleven(), original=False)
    assert not re.search("original|paper", "\n".join(parts))
    short = "short ones by a shortened clip"
    head, *rows = cells(action_report.accuracy_table(eleven(), original=False))
    assert head == ["accuracy (%)", "strict", short]
    assert rows[2] == ["merged (m)", "75.0", "100.0"] and len(rows) == 5


@pytest.mark.parametrize("training", [False, True])
def test_the_report_draws_confusions_and_curves(tmp_path, training):
    if training:
        rows = "epoch,loss,val_accuracy\n0,2.5,0.25\n1,1.5,nan\n2,1.0,0.5\n"
        (tmp_path / "losses.csv").write_text(rows)
    parts = action_report.action_page(tmp_path, _scores(), 0.855, tmp_path)
    assert parts[0] == "# Action recognition" and all(parts)
    assert action_report.ORIGINAL in parts
    assert any("(training.png)" in part for part in parts) == training
    drawn = {path.name for path in tmp_path.glob("*.png")}
    assert drawn - {"training.png"} == {"confusion.png", "outputs.png"}
    with Image.open(tmp_path / "confusion.png") as picture:
        colors = np.asarray(picture.convert("RGB")).reshape(-1, 3)
    assert len(np.unique(colors, axis=0)) > 50


def test_names_of_actions_are_taken_as_they_are(tmp_path):
    scores = _scores(labels=("$x_{$ | y", "$5\nbet$"))
    drawn = action_report.plot_confusion(tmp_path / "confusion.png", scores)
    axes = drawn.axes[0]
    shown = [label.get_text() for label in axes.get_yticklabels()]
    assert shown == [r"\$x_{\$ | y", r"\$5 bet\$"]
    assert [label.get_text() for label in axes.get_xticklabels()] == [*shown, "none"]
    parts = [action_report.class_table(scores), action_report.confusion_table(scores)]
    write_report_page(tmp_path, ["# Actions", *parts], [], None)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "$x_{$ | y" in page and "$5 bet$" in page
