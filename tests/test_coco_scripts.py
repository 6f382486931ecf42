"""The scripts of COCO as a user calls them, from a folder with datasets/COCO."""

import numpy as np
import pytest
import tiny_coco
from PIL import Image
from scripts import load, read_json

from deephar import experiment
from deephar.config import mpii_sp_dataconf
from deephar.evaluation.results import read_results
from deephar.utils import VALID_MODE, pa16j2d

TRAIN = load("exp/coco/train_coco_singleperson.py")
EVALUATE = load("exp/coco/eval_coco_singleperson.py")
PREDICT = load("exp/coco/predict_one_img.py")

SMALL = ("--num-block", "1", "--size", "32", "--ksize", "3", "--batch-size", "2")
SMALL += ("--stem", "vgg16", "--context", "0")
SHORT = ("--epochs", "1", "--verbose", "0", "--workers", "1")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with datasets/COCO, and trainings of 16 and 17 joints in runs."""
    folder = tmp_path_factory.mktemp("place")
    for part in ("train", "val"):
        people = tiny_coco.four_people()
        tiny_coco.write_tiny_coco(folder / "datasets" / "COCO", people, part)
    (folder / "datasets" / "COCO" / "generated.json").write_text("{}")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for joints in ("16", "17"):
            run = ("--log-dir", f"runs/{joints}", "--num-joints", joints)
            TRAIN.main([*run, *SMALL, *SHORT])
    return folder


def test_the_flags_of_the_fork_keep_their_defaults():
    args = TRAIN.parse([])
    assert (args.batch_size, args.epochs, args.num_joints) == (16, 100, 16)
    assert (args.optimizer, args.lr, args.lr_factor) == ("rmsprop", 1e-3, 0.9)
    assert (args.lr_drops, args.logdir) == ([10, 100], "runs/coco_singleperson")


def test_training_finds_the_owners_files_and_scores_the_epochs(here):
    scores = read_json("runs/16/scores.json")["1"]
    assert scores["by_box"]["samples"] == 4
    assert (scores["keypoints"], scores["people"], scores["results"]) == (12, 4, 4)
    assert scores["pck"] == scores["by_box"]["pck"]
    assert read_json("runs/16/model.json")["network"] == "coco"
    assert (
        "[4] training samples, [2] a batch: 2 steps"
        in (here / "runs/16/log.txt").read_text()
    )


def test_seventeen_joints_are_cocos_own(here):
    assert read_json("runs/17/model.json")["network"] == "coco17"
    assert read_json("runs/17/scores.json")["1"]["keypoints"] == 17


def test_without_validation_data_there_are_no_scores_unless_they_are_asked_for(
    here, caplog
):
    caplog.set_level("INFO")
    look = (experiment.COCO_PEOPLE, mpii_sp_dataconf, pa16j2d)

    def held_out(*flags):
        return experiment.open_validation(TRAIN.parse([*flags]), *look)

    assert held_out().get_length(VALID_MODE) == 4
    assert held_out("--val-anno-path", "none") is None
    assert not caplog.text.count("no scores")
    assert held_out("--data", "elsewhere") is None
    assert "person_keypoints_val2017.json: is not there" in caplog.text
    with pytest.raises(FileNotFoundError, match=r"no annotation file: some\.json"):
        held_out("--val-anno-path", "some.json")


def test_evaluation_writes_scores_a_receipt_and_cocos_results(here, capsys):
    weights = ("--weights-path", "runs/17/weights_last.weights.h5")
    EVALUATE.main(["eval", *weights, "--report", "--flip"])
    scores = read_json("eval/evaluation.json")
    assert scores["keypoints"] == 17
    assert "| AP, mean of the thresholds " in capsys.readouterr().out
    receipt = scores["receipt"]
    assert (receipt["evaluation"], receipt["network"]) == ("coco", "coco17")
    assert (receipt["origin"], receipt["looking"]) == ("generated", "1 crop, mirrored")
    first, *others = read_json("eval/keypoint_results.json")
    assert (first["image_id"], len(first["keypoints"]), len(others)) == (7, 51, 3)
    with Image.open("eval/predictions.png") as sheet:
        assert sheet.width > 4 * 2 * 192
    figures, wrong, other = read_results([here / "eval/evaluation.json"])
    assert (figures, wrong, len(other)) == ([], {}, 1)


def test_a_picture_that_cannot_be_read_counts_as_wrong(here, tmp_path):
    people = tiny_coco.four_people()
    images, annotations = tiny_coco.write_tiny_coco(tmp_path, people)
    (images / "000000000003.jpg").write_bytes(b"no picture")
    files = ("--anno-path", str(annotations), "--image-path", str(images))
    weights = ("--weights", "runs/16/weights_last.weights.h5")
    EVALUATE.main(["wrong", *files, *weights])
    scores = read_json("wrong/evaluation.json")
    assert (scores["by_box"]["unreadable"], scores["results"]) == (1, 3)
    assert scores["receipt"]["origin"] == "unknown"


def test_a_picture_is_predicted_and_drawn_with_the_joints_of_the_weights(here):
    picture = "datasets/COCO/val2017/000000000007.jpg"
    box = ("--box", "70", "20", "130", "110")
    for joints in (16, 17):
        weights = ("--weights-path", f"runs/{joints}/weights_last.weights.h5")
        PREDICT.main(["drawn", "--picture", picture, *weights, *box])
        (person,) = read_json("drawn/000000000007.json")["people"]
        assert len(person["joints"]) == joints
        with Image.open("drawn/000000000007.png") as drawn:
            assert drawn.size == tiny_coco.SIZE
            assert len(np.unique(np.asarray(drawn))) > 10


def test_weights_of_other_joints_are_refused(here):
    weights = ("--weights-path", "runs/17/weights_last.weights.h5")
    with pytest.raises(ValueError, match=r"\(17 joints, 2D\); .* \(16 joints, 2D"):
        TRAIN.main(["other", *weights, *SMALL, *SHORT])
