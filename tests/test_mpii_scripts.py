"""The MPII scripts as a user runs them, from a temporary folder."""

import contextlib
import csv
import io
import json
import shutil

import numpy as np
import pytest
from browser import read_through
from PIL import Image
from scripts import load, run
from tiny_mpii import write_tiny_mpii

from deephar.evaluation.results import read_result

TRAIN = load("exp/mpii/train_mpii_singleperson.py")
EVALUATE = load("exp/mpii/eval_mpii_singleperson.py")
PREDICT = load("exp/mpii/predict_one_img.py")
CONVERT = load("datasets/MPII/convert.py")
SMALL = ("--size", "32", "--blocks", "1", "--ksize", "3", "--stem", "vgg16")
SMALL += ("--context", "0")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a tiny data set in `mpii` and a trained network in `run`."""
    folder = tmp_path_factory.mktemp("place")
    write_tiny_mpii(folder / "mpii", train=5, valid=3)
    done = run(
        "exp/mpii/train_mpii_singleperson.py",
        *("run", "--data", "mpii", *SMALL, "--batch-size", "2", "--epochs", "2"),
        *("--steps-per-epoch", "2", "--clip-norm", "1", "--tensorboard"),
        *("--bn-momentum", "0.9", "--patience", "5", "--workers", "2"),
        cwd=folder,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (folder / "train_output.txt").write_text(done.stdout)
    return folder


def test_training_writes_weights_scores_losses_and_its_command(place):
    run_folder = place / "run"
    names = {p.name for p in run_folder.iterdir()}
    assert names >= {
        *("log.txt", "model.json", "losses.csv", "scores.json"),
        "arguments_train_mpii_singleperson.json",
        *("weights_best.weights.h5", "weights_last.weights.h5", "tensorboard"),
    }
    with open(run_folder / "losses.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2
    assert all(np.isfinite(float(row["loss"])) for row in rows)
    assert float(rows[0]["learning_rate"]) == pytest.approx(1e-3)
    assert all(0 <= float(row["val_pckh"]) <= 1 for row in rows)
    assert set(json.loads((run_folder / "scores.json").read_text())) == {"1", "2"}
    path = run_folder / "arguments_train_mpii_singleperson.json"
    arguments = json.loads(path.read_text())
    assert arguments["batch_size"] == 2
    assert "--clip-norm 1" in arguments["command"]


def test_the_progress_bar_shows_steps_and_loss(place):
    output = (place / "train_output.txt").read_text()
    assert "2/2" in output
    assert "loss:" in output


@pytest.fixture(scope="module")
def told(place):
    """What an evaluation to the folder `run` printed."""
    weights = ("--weights", "run/weights_last.weights.h5")
    flags = ("--flip", "--report", "--untrained", "--batch-size", "2")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        EVALUATE.main(["run", "--data", "mpii", *weights, *flags])
    return printed.getvalue()


def test_evaluation_prints_writes_and_draws(place, told):
    assert "paper, MPII val" in told
    scores = json.loads((place / "run" / "evaluation.json").read_text())
    assert scores["samples"] == 3
    assert 0 <= scores["pckh"] <= 1
    assert len(scores["receipt"]["weights_md5"]) == 32
    figures = {one.row: one for one in read_result(place / "run" / "evaluation.json")}
    assert figures["total"].strict == pytest.approx(100 * scores["pckh"])
    names = {p.name for p in (place / "run").iterdir()}
    assert names >= {"evaluation.md", "report.md", "predictions.png", "training.png"}
    assert set(json.loads((place / "run" / "scores.json").read_text())) == {"1", "2"}


@pytest.mark.usefixtures("told")
def test_a_browser_shows_the_report_of_people(place, page):
    heads = read_through(page, place / "run" / "report.html")
    assert heads[:4] == ["Scores", "By joint", "By block", "Best and worst cases"]
    assert page.locator("img").count() == 3


def test_prediction_of_a_folder_writes_a_picture_and_joints_each(here, place):
    _predict(place, "--picture", "mpii/images")
    with (
        Image.open(place / "predict" / "t0.png") as drawn,
        Image.open(place / "mpii" / "images" / "t0.jpg") as picture,
    ):
        assert drawn.size == (200, 120)
        assert (np.asarray(drawn) != np.asarray(picture)).any()
    (person,) = json.loads((place / "predict" / "v2.json").read_text())["people"]
    assert len(person["joints"]) == 16
    assert len(list((place / "predict").glob("*.png"))) == 8


def test_a_mistake_ends_in_one_line_without_a_trace(place):
    done = run(
        "exp/mpii/eval_mpii_singleperson.py",
        *("eval", "--data", "nowhere", "--weights", "run/weights_last.weights.h5"),
        cwd=place,
    )
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1].startswith("error: ")
    assert "nowhere" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture
def data(place, tmp_path, monkeypatch):
    """A copy of the data set to damage, with the current folder beside it."""
    shutil.copytree(place / "mpii", tmp_path / "mpii")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "mpii"


def _train(*arguments):
    short = ("--epochs", "1", "--steps-per-epoch", "3", "--batch-size", "2")
    TRAIN.main(["new", "--data", "mpii", *SMALL, *short, "--verbose", "0", *arguments])


@pytest.fixture(scope="module")
def trained(place):
    """The run of `_train()` on whole data; not to be changed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        _train()
    return place / "new"


def test_a_truncated_picture_is_skipped_in_training(data, place):
    _truncate(data / "images" / "t1.jpg")
    _train()
    log = (data.parent / "new" / "log.txt").read_text()
    assert "1 unreadable pictures were skipped" in log
    assert "t1.jpg" in log


def _losses(data):
    return (data.parent / "new" / "losses.csv").read_text()


def test_a_cache_and_processes_change_nothing_but_the_time(data, trained):
    plain = (trained / "losses.csv").read_text()
    _train("--cache", "kept")
    assert _losses(data) == plain
    assert any((data.parent / "kept").iterdir())
    _train("--overwrite", "--cache", "kept", "--processes", "1")
    assert _losses(data) == plain


def test_a_training_goes_on_without_the_weights_that_it_started_from(data, place):
    first = data.parent / "first.weights.h5"
    shutil.copy(place / "run" / "weights_last.weights.h5", first)
    _train("--weights", str(first))
    first.unlink()
    TRAIN.main(["new", "--resume", "--epochs", "2"])
    assert len(_losses(data).splitlines()) == 3


def test_a_training_script_takes_replicas_and_their_batch(data):
    flags = ("--strategy", "mirrored", "--replicas", "2", "--scale-batch")
    arguments = ("new", "--data", "mpii", *SMALL, "--batch-size", "2", "--epochs", "1")
    script = "exp/mpii/train_mpii_singleperson.py"
    done = run(script, *arguments, *flags, "--local-batch-norm", cwd=data.parent)
    assert done.returncode == 0, done.stderr
    assert "2 replicas" in done.stdout
    assert "[5] training samples, [4] a batch: 1 steps an epoch" in done.stdout
    scores = json.loads((data.parent / "new" / "scores.json").read_text())
    assert scores["1"]["samples"] == 3


def test_a_truncated_picture_ends_a_strict_training(data):
    _truncate(data / "images" / "t1.jpg")
    with pytest.raises(OSError, match=r"t1\.jpg"):
        _train("--strict")


def test_a_missing_picture_counts_as_wrong_in_evaluation(data, place):
    (data / "images" / "v1.jpg").unlink()
    weights = str(place / "run" / "weights_last.weights.h5")
    EVALUATE.main(["eval", "--data", "mpii", "--weights", weights])
    scores = json.loads((data.parent / "eval" / "evaluation.json").read_text())
    assert (scores["samples"], scores["unreadable"]) == (3, 1)
    assert "v1.jpg" in (data.parent / "eval" / "log.txt").read_text()


def test_a_missing_annotation_file_is_named(data):
    (data / "annotations.mat").unlink()
    with pytest.raises(FileNotFoundError, match=r"annotations\.mat"):
        _train()


def test_a_truncated_annotation_file_is_named(data):
    _truncate(data / "annotations.mat")
    with pytest.raises(ValueError, match=r"annotations\.mat"):
        _train()


def test_an_unwritable_log_directory_is_named(data):
    (data.parent / "new").write_text("a file, not a folder")
    with pytest.raises(OSError, match="new: cannot write to the log directory"):
        _train()


def test_weights_of_another_network_are_refused(data, place):
    weights = str(place / "run" / "weights_last.weights.h5")
    with pytest.raises(ValueError, match=r"weights_last\.weights\.h5"):
        EVALUATE.main(["e", "--data", "mpii", "--weights", weights, "--blocks", "2"])


def test_missing_weights_are_named(data):
    with pytest.raises(OSError, match=r"none\.h5"):
        EVALUATE.main(["eval", "--data", "mpii", "--weights", "none.h5"])


def _predict(place, *arguments):
    weights = str(place / "run" / "weights_last.weights.h5")
    PREDICT.main(["predict", "--weights", weights, *arguments])


def test_prediction_of_a_missing_picture_names_it(data, place):
    with pytest.raises(FileNotFoundError, match=r"none\.jpg"):
        _predict(place, "--picture", "none.jpg")


def test_prediction_of_a_folder_without_pictures_is_refused(data, place):
    (data / "empty").mkdir()
    with pytest.raises(ValueError, match="empty: no pictures"):
        _predict(place, "--picture", str(data / "empty"))


def test_prediction_of_an_empty_box_is_refused(data, place):
    with pytest.raises(ValueError, match="x1 < x2 and y1 < y2"):
        _predict(place, "--picture", str(data / "images" / "v0.jpg"), "--box", *"9999")


def test_a_folder_with_an_unreadable_picture_is_predicted_and_reported(data, place):
    _truncate(data / "images" / "v0.jpg")
    with pytest.raises(OSError, match="1 of 8 pictures could not be read"):
        _predict(place, "--picture", str(data / "images"))
    assert len(list((data.parent / "predict").glob("*.png"))) == 7
    assert "v0.jpg" in (data.parent / "predict" / "log.txt").read_text()


def test_a_second_training_does_not_overwrite_the_first(data, trained):
    shutil.copytree(trained, data.parent / "new")
    with pytest.raises(FileExistsError, match="new: holds an earlier training"):
        _train()
    last = data.parent / "new" / "weights_last.weights.h5"
    with pytest.raises(FileNotFoundError, match="nowhere"):
        _train("--overwrite", "--data", "nowhere")
    assert last.exists()
    before = last.read_bytes()
    _train("--overwrite", "--weights", str(last))
    assert last.read_bytes() != before


def test_a_drawing_never_replaces_a_picture(data, place):
    with Image.open(data / "images" / "v0.jpg") as picture:
        picture.save(data / "images" / "v0.png")
    before = (data / "images" / "v0.png").read_bytes()
    weights = str(place / "run" / "weights_last.weights.h5")
    images = str(data / "images")
    with pytest.raises(ValueError, match=r"me\.png: would be overwritten"):
        shutil.copy(data / "images" / "v0.png", data / "me.png")
        PREDICT.main([str(data), "--weights", weights, "--picture", f"{data}/me.png"])
    PREDICT.main(["both", "--weights", weights, "--picture", images])
    names = {p.name for p in (data.parent / "both").glob("v0*")}
    assert names == {"v0.jpg.png", "v0.jpg.json", "v0.png.png", "v0.png.json"}
    with pytest.raises(ValueError, match=r"v0\.png: would be overwritten"):
        PREDICT.main([images, "--weights", weights, "--picture", f"{images}/v0.jpg"])
    assert (data / "images" / "v0.png").read_bytes() == before


def test_a_phone_picture_is_looked_at_upright(data, place):
    with Image.open(data / "images" / "v0.jpg") as picture:
        exif = picture.getexif()
        exif[0x0112] = 6
        picture.save(data / "phone.jpg", exif=exif)
    _predict(place, "--picture", str(data / "phone.jpg"))
    with Image.open(data.parent / "predict" / "phone.png") as drawn:
        assert drawn.size == (120, 200)


def _truncate(path):
    with open(path, "r+b") as file:
        file.truncate(path.stat().st_size // 3)


def test_five_real_pictures_are_learned(shared, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    samples = shared / "samples" / "mpii"
    people = samples / "test_mpii.json"
    lists = ("--train", str(people), "--valid", str(people))
    assert CONVERT.main([*lists, "--copy-images", str(samples), "--out", "five"]) == 0
    TRAIN.main(
        [
            *("learned", "--data", "five", "--size", "64", "--blocks", "1"),
            *("--batch-size", "5", "--epochs", "3", "--steps-per-epoch", "40"),
            *("--no-augmentation", "--bn-momentum", "0.9", "--eval-every", "3"),
            *("--verbose", "0", "--strict"),
        ]
    )
    scores = json.loads((tmp_path / "learned" / "scores.json").read_text())
    assert scores["3"]["pckh"] == 1.0
