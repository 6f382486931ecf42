"""Receipts say where a result comes from, as far as that can be known."""

import dataclasses
import datetime
import json

import pytest

from deephar import experiment
from deephar.checkpoints import KNOWN
from deephar.experiment import default_settings
from deephar.experiment.receipts import why_chosen
from deephar.networks.published import network_like, settings_of
from deephar.networks.recipes import other_settings

ABC = "900150983cd24fb0d6963f7d28e17f72"
"""The md5 of "abc"."""


def test_a_receipt_knows_the_weights(tmp_path):
    weights = tmp_path / "w.h5"
    weights.write_bytes(b"abc")
    receipt = experiment.receipt(str(weights), "data")
    assert receipt["weights_md5"] == ABC
    assert experiment.receipt(None, "data")["weights_md5"] is None


def test_a_receipt_knows_what_was_evaluated_and_when():
    settings = default_settings("penn")
    receipt = experiment.receipt(None, "data", evaluation="penn", settings=settings)
    assert (receipt["evaluation"], receipt["network"]) == ("penn", "penn")
    assert receipt["other_settings"] == {}
    when = datetime.datetime.fromisoformat(receipt["date"])
    age = datetime.datetime.now(datetime.timezone.utc) - when
    assert abs(age.total_seconds()) < 3600


def test_a_receipt_says_where_the_data_come_from(tmp_path):
    (tmp_path / "generated.json").write_text("{}")
    drawn, other = str(tmp_path), str(tmp_path / "other")
    assert experiment.receipt(None, drawn)["origin"] == "generated"
    assert experiment.receipt(None, other)["origin"] == "unknown"
    receipt = experiment.receipt(None, {"actions": other, "pose": drawn})
    assert receipt["data"] == {"actions": other, "pose": drawn}
    assert receipt["origin"] == {"actions": "unknown", "pose": "generated"}


def test_a_receipt_names_the_settings_that_are_not_the_papers():
    settings = default_settings("mpii") | {"blocks": 1, "size": 32}
    receipt = experiment.receipt(None, "data", settings=settings)
    assert receipt["other_settings"] == {"size": 32, "blocks": 1}
    clips = default_settings("ntu") | {"step": 1, "protocol": "cv"}
    assert experiment.receipt(None, "data", settings=clips)["other_settings"] == {}


RUN_HERE = [name for name, one in KNOWN.items() if network_like(one.network)]


@pytest.mark.parametrize("name", RUN_HERE)
def test_published_networks_have_the_papers_settings(name):
    assert other_settings(settings_of(KNOWN[name])) == {}


def test_a_receipt_knows_published_weights_by_their_md5(tmp_path, monkeypatch):
    weights = tmp_path / "w.h5"
    weights.write_bytes(b"abc")
    assert experiment.receipt(str(weights), "data")["published"] is None
    mpii = dataclasses.replace(KNOWN["mpii"], md5=ABC)
    monkeypatch.setitem(KNOWN, "mpii", mpii)
    assert experiment.receipt(str(weights), "data")["published"] == "mpii"


@pytest.mark.parametrize(
    ("name", "scored", "chosen"),
    [
        ("weights_best.weights.h5", True, True),
        ("weights_best.weights.h5", False, False),
        ("weights_last.weights.h5", True, False),
    ],
)
def test_a_receipt_says_that_weights_were_chosen_by_scores(
    tmp_path, name, scored, chosen
):
    (tmp_path / name).write_bytes(b"abc")
    if scored:
        (tmp_path / "scores.json").write_text("{}")
    receipt = experiment.receipt(str(tmp_path / name), "data")
    assert ("weights_chosen" in receipt) == chosen
    if chosen:
        assert "the figures are too good" in receipt["weights_chosen"]


def test_a_copy_of_the_best_weights_counts_as_chosen_and_the_last_ones_do_not(tmp_path):
    names = ("weights_best.weights.h5", "weights_last.weights.h5", "renamed.h5")
    for name in names:
        (tmp_path / name).write_bytes(b"abc")
    (tmp_path / "other.h5").write_bytes(b"other")
    (tmp_path / "scores.json").write_text("{}")
    chosen = [why_chosen(tmp_path / name) is not None for name in (*names, "other.h5")]
    assert chosen == [True, False, True, False]


def test_weights_of_a_training_that_began_with_chosen_ones_say_so(tmp_path):
    pose, action, joint = (tmp_path / name for name in ("pose", "action", "joint"))
    for folder in (pose, action, joint):
        folder.mkdir()
        (folder / "scores.json").write_text("{}")
    best, last = pose / "weights_best.weights.h5", "weights_last.weights.h5"
    flags = {"weights": None, "pose_weights": str(best)}
    (action / "arguments_train_x.json").write_text(json.dumps(flags))
    flags = {"weights": str(action / last)}
    (joint / "arguments_train_x.json").write_text(json.dumps(flags))
    assert f"began with {best}, which is the best" in why_chosen(joint / last)
    flags = {"weights": None, "pose_weights": str(pose / last)}
    (action / "arguments_train_x.json").write_text(json.dumps(flags))
    assert why_chosen(joint / last) is None
