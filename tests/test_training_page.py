"""What a run folder tells of a training, as a page."""

import json
import math

import pytest

from deephar.evaluation.training_page import (
    best_epoch,
    read_losses,
    write_training_page,
)


def scores(value):
    return {"pckh": value, "blocks": [value], "per_joint": {"head|top": value}}


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    rows = ["epoch,learning_rate,loss,val_pckh", "0,0.1,9,nan", "1,0.1,.3,.5"]
    (folder / "losses.csv").write_text("\n".join([*rows, "2,0.01,.2,.4\n"]))
    by_epoch = {"2": scores(0.5), "3": scores(0.4)}
    (folder / "scores.json").write_text(json.dumps(by_epoch))
    (folder / "model.json").write_text('{"network": "mpii", "size": 64}')
    flags = {"command": "python train.py <b>", "lr": 0.1}
    (folder / "arguments_train_a.json").write_text(json.dumps(flags))
    return folder


def test_the_page_shows_curves_scores_and_flags(run, page):
    from browser import watched

    seen = watched(page)
    page.goto(write_training_page(run).as_uri())
    assert page.locator(".about").first.inner_text() == "network mpii, size 64"
    captions = page.locator("figcaption").all_inner_texts()
    assert [text.split(",")[0] for text in captions] == [
        "Loss over the epochs",
        "PCKh@0.5 (%) on the validation data",
        "Learning rate",
    ]
    course = page.locator("main > p").nth(1).inner_text()
    assert course == (
        "3 epochs. PCKh@0.5 (%): 50.0 at epoch 2, the best; 40.0 at epoch 3, the last."
    )
    heads = page.locator("thead th").all_inner_texts()
    assert heads == ["joint", "PCKh@0.5 (%)"]
    assert page.locator("tbody td").all_inner_texts()[:2] == ["head|top", "40.0"]
    assert page.locator("pre").inner_text() == "python train.py <b>"
    assert not page.locator(".facts td").first.is_visible()
    page.locator("summary").click()
    assert page.locator(".facts td").first.inner_text() == "0.1"
    assert not seen


def test_no_epoch_is_marked_where_no_score_is_finite(run):
    (run / "scores.json").write_text(json.dumps({"3": scores(math.nan)}))
    text = write_training_page(run).read_text()
    assert "No PCKh@0.5 (%) is finite." in text
    assert "on the validation data" in text and "marked" not in text


def test_epochs_are_counted_from_1_whoever_wrote_the_losses(run):
    assert [row["epoch"] for row in read_losses(run)] == [1, 2, 3]
    (run / "losses.csv").write_text("epoch,loss_pos\n1,0.2\n2,\n")
    rows = read_losses(run)
    assert [row["epoch"] for row in rows] == [1, 2]
    assert rows[1]["loss_pos"] != rows[1]["loss_pos"]


def test_nothing_is_written_before_an_epoch_is_over(tmp_path):
    assert write_training_page(tmp_path) is None
    assert not list(tmp_path.iterdir())


def test_the_best_epoch_is_the_smallest_error_or_the_largest_score():
    by_epoch = {1: {"mpjpe": 50.0, "pckh": 0.2}, 2: {"mpjpe": 40.0, "pckh": 0.1}}
    assert best_epoch(by_epoch, "mpjpe") == 2
    assert best_epoch(by_epoch, "pckh") == 1
    assert best_epoch({1: {"pckh": float("nan")}}, "pckh") is None
