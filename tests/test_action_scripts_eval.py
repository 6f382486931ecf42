"""The scripts that evaluate actions and predict boxes, run as a user does."""

import dataclasses
import json

import numpy as np
import pytest
from formula_weights import set_formula_weights
from scripts import load
from tiny_clips import (
    NTU_NAMES,
    draw,
    penn_video,
    write_pennaction,
    write_tiny_ntu,
)

from deephar import checkpoints, experiment
from deephar.config import ntu_ar_dataconf, pennaction_ar_dataconf
from deephar.data import Ntu, PennAction
from deephar.data.boxes import read_boxes
from deephar.evaluation.action import predict_actions
from deephar.evaluation.results import read_result
from deephar.inference import ClipPredictor
from deephar.utils.modes import TEST_MODE

FRAMES = (18, 9, 9, 18, 5, 8, 8, 8, 8, 8)
"""Frames of ten test videos: clips of 8, so that one is too short."""
UNREADABLE = "0004/000008.jpg"
SIDE = 32
SHAPE = {"size": SIDE, "blocks": 1, "context": 0, "frames": 8, "depth_maps": 4}
SHAPE |= {"stem": "vgg16"}
WEIGHTS = ("--weights", "net/w.weights.h5")


def _network(name, folder, **shape):
    """Makes a small network with formula weights and saves it as a training does."""
    settings = experiment.default_settings(name)
    settings |= {k: v for k, v in (SHAPE | shape).items() if k in settings}
    model = experiment.build_network(name, settings)
    set_formula_weights(model)
    folder.mkdir()
    checkpoints.save_weights(model, folder / "w.weights.h5")
    experiment.write_json(folder / "model.json", settings)
    return model


@pytest.fixture(scope="module")
def penn(tmp_path_factory):
    """A folder with videos in Penn Action's form and a merged network; and that."""
    folder = tmp_path_factory.mktemp("penn")
    videos = []
    for number, count in enumerate((*FRAMES, 9), start=1):
        video = penn_video(number, number % 15, number > len(FRAMES), count)
        for frame in video.frames:
            path = folder / f"data/frames/{number:04d}/{frame:06d}.jpg"
            draw(path, video.size, 7 * number + frame)
        videos.append(video)
    write_pennaction(folder / "data" / "annotations.mat", videos)
    (folder / "data" / "frames" / UNREADABLE).write_bytes(b"no picture")
    return folder, _network("penn", folder / "net")


def _scores(folder):
    return json.loads((folder / "evaluation.json").read_text())


def test_evaluation_prints_strict_and_lenient_figures_and_names_bad_videos(
    penn, monkeypatch, capsys, quiet
):
    place, _ = penn
    monkeypatch.chdir(place)
    script = load("exp/pennaction/eval_penn_ar_pe_merge.py")
    flags = ("--data", "data", *WEIGHTS, "--multi-clip", "--subsample", "1")
    script.main(["eval", *flags])
    told = capsys.readouterr().out
    assert "strict" in told
    assert "as the original counts" in told
    assert "98.6" in told
    assert (place / "eval" / "evaluation.md").read_text() in told
    assert not list((place / "eval").glob("*.part"))
    scores = _scores(place / "eval")
    assert scores["unreadable"] == ["0004"]
    assert scores["too_short"] == ["0005"]
    assert (scores["videos"], scores["clips"]) == (10, 3 + 1 + 1 + 3 + 1 + 5)
    right = sum(row[i] for i, row in enumerate(scores["confusion"]))
    assert scores["accuracy"] == pytest.approx(right / 10)
    bad = [row[-1] for row in scores["confusion"]]
    assert [i for i, count in enumerate(bad) if count] == [4, 5]
    assert scores["accuracy_original"] >= scores["accuracy"] + 0.1
    names = {path.name for path in (place / "eval").iterdir()}
    assert names >= {"evaluation.md", "confusion.png", "outputs.png", "log.txt"}


def test_many_clips_of_a_video_score_as_the_whole_model_scores_each_alone(penn):
    place, model = penn
    config = dataclasses.replace(pennaction_ar_dataconf, crop_resolution=(SIDE, SIDE))
    options = {"use_gt_bbox": True, "clip_size": 8}
    data = PennAction(place / "data", config, **options)
    found = predict_actions(
        ClipPredictor(model), data, subsamples=[1, 2], flip=True, batch_size=7
    )
    clips = data.get_clip_index(0, TEST_MODE, [1, 2])
    products = np.ones((9, 15))
    for flip in (0, 1):
        fixed = dataclasses.replace(config, fixed_hflip=flip)
        mirrored = PennAction(place / "data", fixed, **options)
        for frames in clips:
            clip = mirrored.get_data(0, TEST_MODE, frame_list=frames)["frame"]
            products *= np.squeeze(model(clip[None], training=False), axis=1)
    assert len(clips) == 4
    np.testing.assert_allclose(found.products[:, 0], products, rtol=1e-3)
    assert np.ptp(found.scores[-1, 0]) > 0.1


def test_boxes_by_a_merged_network_are_written_and_evaluated_with(penn, monkeypatch):
    place, _ = penn
    monkeypatch.chdir(place)
    predict = load("exp/pennaction/predict_bboxes.py")
    flags = ("--data", "data", *WEIGHTS, "--network", "penn", "--batch-size", "32")
    predict.main(["boxes", *flags, "--clip-size", "8", "--subsample", "1"])
    frames = read_boxes("boxes/pred_bboxes_penn.json")
    assert [len(part) for part in frames.modes] == [sum(FRAMES), 9, 0]
    assert frames.modes[0][3, 7] == (0, -40, 200, 160)
    report = json.loads((place / "boxes" / "boxes.json").read_text())
    assert report["test"]["unreadable"] == ["0004.7"]
    assert set(read_boxes("boxes/penn_pred_bboxes_8f.json").boxes) >= {(0, 1, 0, 0)}
    evaluate = load("exp/pennaction/eval_penn_ar_pe_merge.py")
    flags = ("--data", "data", *WEIGHTS, "--no-flip", "--subsample", "1")
    boxes = ("--boxes", "boxes/penn_pred_bboxes_8f.json")
    evaluate.main(["with", *flags, *boxes, "--multi-clip"])
    scores = _scores(place / "with")
    assert (scores["unboxed"], scores["flip"]) == (0, False)
    assert "97.4" in (place / "with" / "evaluation.md").read_text()


def test_ntu_is_evaluated_by_one_clip_with_boxes_by_a_pose_network(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    write_tiny_ntu(tmp_path / "data")
    _network("ntu_pose", tmp_path / "pose")
    model = _network("ntu", tmp_path / "net", frames=4)
    predict = load("exp/ntu/predict_bboxes.py")
    pose = ("--weights", "pose/w.weights.h5", "--clip-size", "8")
    predict.main(["boxes", "--data", "data", *pose, "--refine", "1"])
    evaluate = load("exp/ntu/eval_ntu_ar_pe_merge.py")
    boxes = ("--boxes", "boxes/pred_bboxes_ntu.json", "--protocol", "cs")
    flags = ("--data", "data", *WEIGHTS, *boxes, "--subsample", "1", "--report")
    evaluate.main(["eval", *flags])
    page = (tmp_path / "eval" / "report.html").read_text(encoding="utf-8")
    scores = _scores(tmp_path / "eval")
    assert (scores["videos"], scores["clips"], scores["flip"]) == (2, 2, False)
    assert scores["too_short"] == scores["unreadable"] == []
    assert page.count('class="pose3d"') == page.count("<img ") == scores["videos"]
    assert scores["receipt"]["protocol"] == "cs"
    config = {"crop_resolution": (SIDE, SIDE), "fixed_subsampling": 1}
    data = Ntu(
        "data",
        dataclasses.replace(ntu_ar_dataconf, **config),
        clip_size=4,
        pred_bboxes_file=tmp_path / boxes[1],
    )
    confusion = np.zeros((60, 61), int)
    for key, frames in ((0, [1, 2, 3, 4]), (1, [1, 2, 3, 4])):
        clip = data.get_data(key, TEST_MODE, frame_list=frames)["frame"]
        answer = np.argmax(model(clip[None], training=False)[-1])
        confusion[data.action(key, TEST_MODE), answer] += 1
    np.testing.assert_array_equal(scores["confusion"], confusion)
    evaluate.main(["eval", "--data", "data", *WEIGHTS, *boxes])
    scores = _scores(tmp_path / "eval")
    assert len(scores["too_short"]) == 2 and scores["accuracy"] == 0
    assert np.sum(scores["confusion"], axis=0)[-1] == 2


def test_boxes_by_clip_are_for_many_clips(penn, monkeypatch, tmp_path):
    monkeypatch.chdir(penn[0])
    path = tmp_path / "penn_pred_bboxes_8f.json"
    path.write_text('{"0000.1.000.0": [1, 2, 30, 40]}')
    evaluate = load("exp/pennaction/eval_penn_ar_pe_merge.py")
    flags = ("--data", "data", *WEIGHTS, "--boxes", str(path))
    with pytest.raises(ValueError, match=r"--multi-clip; .* by frame.*_8f\.json"):
        evaluate.main(["no", *flags])
    assert not (penn[0] / "no" / "evaluation.json").exists()


@pytest.fixture(scope="module")
def cross_view(tmp_path_factory):
    """A folder with videos of NTU and networks of which cv is on record."""
    place = tmp_path_factory.mktemp("ntu")
    write_tiny_ntu(place / "data")
    for name, folder in (("ntu_pose", "pose"), ("ntu", "net")):
        _network(name, place / folder, protocol="cv", step=1)
    return place


def test_cross_view_weights_are_tested_on_the_other_camera_alone(
    cross_view, monkeypatch
):
    monkeypatch.chdir(cross_view)
    evaluate = load("exp/ntu/eval_ntu_ar_pe_merge.py")
    evaluate.main(["eval", "--data", "data", *WEIGHTS])
    scores = _scores(cross_view / "eval")
    assert scores["receipt"]["protocol"] == "cv"
    figure, *_ = read_result(cross_view / "eval" / "evaluation.json")
    assert figure.table == "ntu" and figure.part.startswith("ntu (")
    assert figure.part.endswith("), cv") and "px" in figure.part
    assert figure.row == "annotated boxes, one clip, step 1 instead of 2"
    assert scores["videos"] == sum("C001" in name for name in NTU_NAMES)
    text = (cross_view / "eval" / "evaluation.md").read_text()
    assert "- protocol: cv" in text and "85.5" not in text
    refused = "w.weights.h5: is of protocol cv, .* Received: protocol cs"
    with pytest.raises(ValueError, match=refused):
        evaluate.main(["no", "--data", "data", *WEIGHTS, "--protocol", "cs"])
    predict = load("exp/ntu/predict_bboxes.py")
    pose = ("--weights", "pose/w.weights.h5", "--protocol", "cs")
    with pytest.raises(ValueError, match=refused):
        predict.main(["no", "--data", "data", *pose])


def test_boxes_by_a_merged_network_are_of_its_clips_and_its_split(
    cross_view, monkeypatch
):
    monkeypatch.chdir(cross_view)
    predict = load("exp/ntu/predict_bboxes.py")
    predict.main(["boxes", "--data", "data", *WEIGHTS, "--network", "ntu"])
    assert (cross_view / "boxes" / "ntu_pred_bboxes_8f.json").is_file()
    report = json.loads((cross_view / "boxes" / "boxes.json").read_text())
    assert report["receipt"] | {"steps": [1], "protocol": "cv"} == report["receipt"]
    both = ("--network", "ntu", "--frames", "8", "--clip-size", "8")
    with pytest.raises(ValueError, match="--clip-size is instead of --frames"):
        predict.main(["no", "--data", "data", *WEIGHTS, *both])
    for flag in ("--step", "--drawn-steps"):
        with pytest.raises(SystemExit):
            predict.main(["no", "--data", "data", *WEIGHTS, flag, "2"])


def test_two_flags_of_steps_are_one_too_many(penn, monkeypatch):
    monkeypatch.chdir(penn[0])
    evaluate = load("exp/pennaction/eval_penn_ar_pe_merge.py")
    flags = ("--subsample", "1", "--step", "2")
    with pytest.raises(
        ValueError, match=r"--subsample is instead of --step.* --step 2"
    ):
        evaluate.main(["no", "--data", "data", *WEIGHTS, *flags])


def test_several_steps_are_for_many_clips(penn, monkeypatch):
    monkeypatch.chdir(penn[0])
    evaluate = load("exp/pennaction/eval_penn_ar_pe_merge.py")
    with pytest.raises(ValueError, match=r"one clip has one --subsample.*\[1, 2\]"):
        evaluate.main(["no", "--data", "data", *WEIGHTS, "--subsample", "1", "2"])


def test_a_missing_file_of_boxes_is_named(penn, monkeypatch):
    monkeypatch.chdir(penn[0])
    evaluate = load("exp/pennaction/eval_penn_ar_pe_merge.py")
    with pytest.raises(FileNotFoundError, match=r"no file of boxes: nothing\.json"):
        evaluate.main(["no", "--data", "data", *WEIGHTS, "--boxes", "nothing.json"])
