"""MPII's protocol by the scripts: every block, several crops, the benchmark's file."""

import csv
import json
import types

import h5py
import keras
import numpy as np
import pytest
import scipy.io
from PIL import Image
from scripts import load
from tiny_mpii import tiny_person, write_tiny_mpii

from deephar.checkpoints import save_weights
from deephar.checkpoints.vgg16 import USED
from deephar.data.mpii_benchmark import BenchmarkPicture
from deephar.data.mpii_format import write_annotations
from deephar.data.synthetic import write_mpii
from deephar.experiment import build_network, default_settings, write_json
from deephar.inference import crops

EVALUATE = load("exp/mpii/eval_mpii_singleperson.py")
PREDICT = load("exp/mpii/predict_one_img.py")
TRAIN = load("exp/mpii/train_mpii_singleperson.py")
TEST = load("exp/mpii/predict_test_mpii.py")
SETTINGS = {
    **default_settings("mpii"),
    "size": 64,
    "blocks": 2,
    "ksize": 3,
    "context": 0,
    "stem": "vgg16",
}
LOOKING = ("--flip", "--multi-crop", "--refine", "1")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A tiny data set with test people in `mpii`, an untrained network in `run`."""
    folder = tmp_path_factory.mktemp("protocol")
    write_tiny_mpii(folder / "mpii", train=1, valid=3)
    test = [
        BenchmarkPicture("v0.jpg", (0,), [[100, 56, 0.5], [150, 56, 0.5]]),
        BenchmarkPicture("nowhere.jpg", (), np.zeros((0, 3))),
        BenchmarkPicture("lost.jpg", (1,), [[np.nan] * 3, [100, 56, 0.5]]),
        BenchmarkPicture("v1.jpg", (0,), [[102, 56, 0.5]]),
    ]
    people = [tiny_person(f"v{i}.jpg", 2.0 * i) for i in range(3)]
    write_annotations(
        folder / "mpii" / "annotations.mat", [tiny_person("t0.jpg")], people, test
    )
    (folder / "run").mkdir()
    write_json(folder / "run" / "model.json", SETTINGS)
    save_weights(build_network("mpii", SETTINGS), folder / "run" / "w.weights.h5")
    return folder


@pytest.fixture
def weights(place, monkeypatch):
    monkeypatch.chdir(place)
    return ("--weights", "run/w.weights.h5")


def test_evaluation_through_several_crops_of_every_block(place, weights, capsys):
    EVALUATE.main(["eval", "--data", "mpii", *weights, *LOOKING, "--every-block"])
    scores = json.loads((place / "eval" / "evaluation.json").read_text())
    assert scores["receipt"]["looking"] == "7 crops, mirrored, 1 refinement"
    assert scores["samples"] == 3
    assert [len(v) for v in scores["every_block"]["parts"].values()] == [2] * 7
    text = (place / "eval" / "evaluation.md").read_text()
    assert text.strip() in capsys.readouterr().out
    assert "| block 2" in text
    for name in ("blocks.png", "pckh.png"):
        with Image.open(place / "eval" / name) as picture:
            assert picture.format == "PNG"


def test_the_test_people_s_file_is_written_in_the_release_s_order(place, weights):
    TEST.main(["test", "--data", "mpii", *weights, *LOOKING, "--batch-size", "2"])
    path = place / "test" / "pred_keypoints_mpii.mat"
    options = {"struct_as_record": False, "squeeze_me": True}
    pred = scipy.io.loadmat(path, **options)["pred"]
    names = ["v0.jpg", "nowhere.jpg", "lost.jpg", "v1.jpg"]
    assert [row.image.name for row in pred] == names
    first, second = pred[0].annorect
    pose = np.array([(p.x, p.y) for p in first.annopoints.point])
    assert pose.shape == (16, 2) and np.isfinite(pose).all()
    assert (np.abs(pose - [100, 63]) < 125).all()
    assert second.annopoints.size == 0
    lost = pred[2].annorect[1].annopoints.point
    assert np.isnan([p.x for p in lost]).all()
    record = json.loads((place / "test" / "test.json").read_text())
    assert (record["people"], record["looking"]) == (
        3,
        "7 crops, mirrored, 1 refinement",
    )
    assert "1 people will count as wrong" in (place / "test" / "log.txt").read_text()


def test_a_folder_without_test_people_is_named(place, weights, tmp_path):
    write_tiny_mpii(tmp_path / "other")
    with pytest.raises(ValueError, match=r"other: annotations\.mat has no test people"):
        TEST.main(["none", "--data", str(tmp_path / "other"), *weights])


def test_a_picture_is_looked_at_as_the_flags_say(place, weights, monkeypatch):
    def half(window, *_):
        return window.changed(0.5, 0, 0)

    monkeypatch.setattr(crops, "refined", half)
    PREDICT.main(["p", *weights, "--picture", "mpii/images/v0.jpg", *LOOKING])
    (person,) = json.loads((place / "p" / "v0.json").read_text())["people"]
    assert person["box"] == [50, 10, 150, 110]


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ((False, False, 0), "1 crop"),
        ((True, False, 2), "1 crop, mirrored, 2 refinements"),
        ((False, True, 0), "7 crops"),
    ],
)
def test_the_receipt_says_how_was_looked(flags, words):
    flip, multi_crop, refine = flags
    args = types.SimpleNamespace(flip=flip, multi_crop=multi_crop, refine=refine)
    assert EVALUATE.experiment.describe_looking(args) == words


@pytest.fixture(scope="module")
def lesson(tmp_path_factory):
    """A folder with generated people, and VGG-16's first three blocks as new ones."""
    folder = tmp_path_factory.mktemp("lesson")
    write_mpii(folder / "people", train=16, valid=4)
    theirs = keras.applications.VGG16(weights=None, include_top=False)
    with h5py.File(folder / "vgg16.h5", "w") as file:
        file.attrs["layer_names"] = [name.encode() for name in USED]
        for name in USED:
            group, values = (
                file.create_group(name),
                theirs.get_layer(name).get_weights(),
            )
            names = [f"{name}/kernel:0", f"{name}/bias:0"]
            group.attrs["weight_names"] = [one.encode() for one in names]
            for key, value in zip(names, values, strict=True):
                group[key] = value
    return folder


@pytest.mark.parametrize("update", [("sgd", "1e-4"), ("rmsprop", "1e-3")])
def test_the_vgg_16_variant_trains_on_generated_people(
    lesson, tmp_path, monkeypatch, update
):
    monkeypatch.chdir(tmp_path)
    start = lesson / "vgg16.h5"
    optimizer, rate = update
    TRAIN.main(
        [
            *(
                "new",
                "--data",
                str(lesson / "people"),
                "--stem",
                "vgg16",
                "--vgg-weights",
                str(start),
            ),
            *("--loss", "elasticnet", "--optimizer", optimizer, "--lr", rate),
            *("--size", "64", "--blocks", "1", "--ksize", "3", "--context", "0"),
            *("--batch-size", "8", "--epochs", "2", "--steps-per-epoch", "8"),
            *("--no-augmentation", "--verbose", "0", "--eval-every", "2"),
        ]
    )
    with open("new/losses.csv", encoding="utf-8", newline="") as file:
        first, last = (float(row["loss"]) for row in csv.DictReader(file))
    assert last < 0.9 * first
    assert json.loads((tmp_path / "new/model.json").read_text())["stem"] == "vgg16"
    flags = json.loads(next(tmp_path.glob("new/arguments_*.json")).read_text())
    assert (flags["loss"], flags["vgg_weights"]) == ("elasticnet", str(start))
    log = (tmp_path / "new" / "log.txt").read_text()
    assert f"{start}: 7 layers set; passed over: none" in log


def test_the_entry_flow_is_set_once(capsys):
    with pytest.raises(SystemExit):
        TRAIN.parse(["new", "--weights", "a.h5", "--vgg-weights", "b.h5"])
    assert "--vgg-weights sets what --weights sets too" in capsys.readouterr().err


def test_vgg_16_weights_for_another_entry_flow_are_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_tiny_mpii(tmp_path / "mpii")
    small = ("--size", "64", "--blocks", "1", "--ksize", "3")
    with pytest.raises(ValueError, match='`model` must have the entry flow stem="vgg'):
        TRAIN.main(["new", "--data", "mpii", *small, "--vgg-weights", "any.h5"])
