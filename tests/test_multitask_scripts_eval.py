"""The scripts that evaluate SPNet in both its tasks, and its cuts."""

import dataclasses
import json
import os
import re

import numpy as np
import pytest
from browser import read_through
from formula_weights import set_formula_weights
from scripts import load
from tiny_clips import draw, penn_video, write_pennaction
from tiny_mpii import tiny_person, write_tiny_mpii

from deephar import checkpoints, experiment
from deephar.config import (
    human36m_dataconf,
    mpii_dataconf,
    ntu_dataconf,
    pennaction_dataconf,
)
from deephar.data import MpiiSinglePerson, Ntu, PennAction
from deephar.data.human36m_frames import Human36MFrames
from deephar.data.mpii_format import write_annotations
from deephar.evaluation.action import predict_actions, score_actions
from deephar.evaluation.pose import predict_poses, score_pckh
from deephar.evaluation.pose3d import predict_poses_3d, score_mpjpe
from deephar.evaluation.results import read_result
from deephar.evaluation.root_depth import bone_lengths
from deephar.inference import ClipPredictor, PosePredictor
from deephar.models import spnet
from deephar.utils import TRAIN_MODE, VALID_MODE, pa16j2d, pa17j3d, pa20j3d

SIDE = 32
SHAPE = {
    **{"size": SIDE, "pyramids": 2, "levels": 2, "ksize": 3, "growth": 8},
    **{"frames": 4, "step": 2, "pose_features": 16, "visual_features": 16},
}
WEIGHTS = ("--weights", "net/w.weights.h5")
FRAMES = (14, 9, 8, 6, 9)
"""Frames of four test videos and one for training: clips of 4, every second one."""
UNREADABLE = ("000004.jpg", "000005.jpg")
"""Of the second video; one clip has one of them."""
PENN = load("exp/pennaction/eval_penn_multitask.py")
NTU = load("exp/ntu/eval_ntu_multitask.py")
MERGED_NTU = load("exp/ntu/eval_ntu_ar_pe_merge.py")
SPEED = load("exp/pennaction/eval_speed2d.py")


def _network(name, folder, **shape):
    """Makes a small SPNet with formula weights and saves it as a training does."""
    settings = experiment.default_settings(name) | SHAPE | shape
    model = experiment.build_network(name, settings)
    set_formula_weights(model)
    (folder / "net").mkdir()
    checkpoints.save_weights(model, folder / "net" / "w.weights.h5")
    experiment.write_json(folder / "net" / "model.json", settings)
    return model, settings


def _sized(dataconf):
    changes = {"crop_resolution": (SIDE, SIDE), "geoocclusion": None}
    return dataclasses.replace(dataconf, fixed_subsampling=2, **changes)


def _videos(folder):
    options = {"use_gt_bbox": True, "clip_size": 4}
    return PennAction(folder, _sized(pennaction_dataconf), **options)


def _write_videos(folder, actions, pictures=False):
    videos = []
    for number, count in enumerate(FRAMES, start=1):
        one = penn_video(number, actions[number - 1], number == len(FRAMES), count)
        videos.append(one)
        for frame in one.frames if pictures else ():
            path = folder / f"frames/{number:04d}/{frame:06d}.jpg"
            draw(path, one.size, 40 * number + 9 * frame)
    write_pennaction(folder / "annotations.mat", videos)


def _found(folder, model, settings):
    """The poses of MPII's validation people by the pose part."""
    part = experiment.pose_view(model, settings)
    people = MpiiSinglePerson(folder, _sized(mpii_dataconf))
    return predict_poses(PosePredictor(part, pa16j2d).predict_crops, people, VALID_MODE)


def _write_people(folder, model, settings):
    """Writes a tiny MPII whose true joints are the second pose that is found.

    The heads are so small that joints 0.3 px away are wrong.
    """
    write_tiny_mpii(folder, train=1, valid=2)
    second = _found(folder, model, settings).poses[1][:, list(pa16j2d.map_to_mpii)]
    head, people = np.array([0, 0, 0.6, 0.8]), []
    for i, pose in enumerate(second):
        person = tiny_person(f"v{i}.jpg", 2.0 * i)
        people.append(dataclasses.replace(person, pose=pose, head=head))
    write_annotations(folder / "annotations.mat", [tiny_person("t0.jpg")], people)


@pytest.fixture(scope="module")
def penn(tmp_path_factory):
    """A folder with `data`, `mpii`, a network of Penn Action and its evaluation.

    The last action is right on the second video, which cannot be read, the third, and
    the fourth, which is too short; of the first it tells another. The second pose is
    right on MPII.
    """
    folder = tmp_path_factory.mktemp("penn_spnet")
    model, settings = _network("penn_spnet", folder, pyramids=3, action_pyramids="2,3")
    _write_videos(folder / "data", [0] * 5, pictures=True)
    found = predict_actions(ClipPredictor(model), _videos(folder / "data"))
    told = found.scores[-1].argmax(axis=-1)
    _write_videos(folder / "data", [(told[0] + 1) % 15, *told[1:], 0])
    for name in UNREADABLE:
        (folder / "data" / "frames" / "0002" / name).write_bytes(b"no picture")
    _write_people(folder / "mpii", model, settings)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        PENN.main(["eval", "--data", "data", "--mpii", "mpii", *WEIGHTS, "--report"])
    return folder, model, settings


@pytest.fixture
def here(penn, monkeypatch):
    """That folder, which is the current one."""
    monkeypatch.chdir(penn[0])
    return penn[0]


def _scores(folder="eval"):
    with open(f"{folder}/evaluation.json", encoding="utf-8") as file:
        return json.load(file)


def test_a_browser_shows_the_report_of_both_tasks(here, page):
    heads = read_through(page, here / "eval" / "report.html")
    mpii = "Poses of MPII's validation people"
    assert heads[-3:] == [mpii, "Best and worst cases", "Receipt"]
    assert page.locator("img").count() == 2


def test_both_tasks_of_penn_are_scored_as_by_the_functions_of_the_package(penn, here):
    scores, (_, model, settings) = _scores(), penn
    predictor, videos = ClipPredictor(model), _videos("data")
    assert scores["actions"] == score_actions(predict_actions(predictor, videos))
    many = predict_actions(predictor, videos, subsamples=[2], flip=True)
    assert scores["actions_multi_clip"] == score_actions(many)
    assert scores["actions_multi_clip"]["clips"] > scores["actions"]["clips"] == 4
    people = score_pckh(_found("mpii", model, settings), pa16j2d)
    for name in ("blocks", "per_joint", "pckh_original"):
        assert scores["pose"][name] == pytest.approx(people[name])
    assert people["blocks"][1] == 1 > max(people["blocks"][::2])
    assert scores["pose"]["block_names"] == ["dp1_pb1", "up2_pb0", "dp3_pb1"]
    receipt = scores["receipt"]
    assert receipt["data"] == {"penn": "data", "mpii": "mpii"}
    assert receipt["evaluation"] == "penn_multitask"
    assert receipt["network"] == "penn_spnet"
    places = {(one.table, one.data) for one in read_result("eval/evaluation.json")}
    assert places == {("penn", "data"), ("ablation", "data"), ("mpii", "mpii")}
    text = (here / "eval" / "evaluation.md").read_text()
    pictures = re.findall(r"\((\w+\.png)\)", text)
    assert len(pictures) == 4 and all((here / "eval" / p).is_file() for p in pictures)


def test_an_unreadable_video_is_wrong_and_a_short_one_in_the_strict_figure(here):
    for scores in (_scores()["actions"], _scores()["actions_multi_clip"]):
        assert (scores["unreadable"], scores["too_short"]) == (["0002"], ["0004"])
        assert sum(row[-1] for row in scores["confusion"]) == 2
    one = _scores()["actions"]
    assert (one["accuracy"], one["accuracy_shortened"]) == (0.25, 0.5)
    assert one["outputs_original"]["act2_a0"] == 0.5
    assert one["outputs"]["act1_a0"] < one["outputs"]["act2_a0"]


def test_boxes_by_clip_and_several_steps_are_for_many_clips_alone(here):
    (here / "penn_pred_bboxes_4f.json").write_text('{"0000.2.000.0": [1, 2, 30, 40]}')
    boxes = ("--boxes", "penn_pred_bboxes_4f.json")
    flags = ("--data", "data", *WEIGHTS)
    with pytest.raises(ValueError, match=r"boxes by clip are for --clips many; .*json"):
        PENN.main(["no", *flags, *boxes])
    with pytest.raises(ValueError, match=r"are for --clips many. Received: \[1, 2\]"):
        PENN.main(["no", *flags, "--subsample", "1", "2"])


def test_cuts_are_scored_by_one_clip_a_video(here):
    flags = ("--data", "data", *WEIGHTS, "--subsample", "1", "2")
    with pytest.raises(ValueError, match="several are for evaluations by many clips"):
        SPEED.main(["no", *flags])


def test_cuts_have_no_flag_for_what_their_page_does_not_tell(capsys):
    with pytest.raises(SystemExit):
        SPEED.parse(["no", *WEIGHTS, "--flip"])
    assert "unrecognized arguments: --flip" in capsys.readouterr().err


def test_every_cut_has_its_time_and_the_score_of_its_own_outputs(penn, here):
    _, model, settings = penn
    flags = ("--timed-clips", "1", "--repeats", "2")
    SPEED.main(["speed", "--data", "data", "--mpii", "mpii", *WEIGHTS, *flags])
    scores, whole = _scores("speed"), _scores()
    cuts = scores["cuts"]
    assert [cut["prediction"] for cut in cuts] == [1, 2, 3]
    assert [cut["pose"] for cut in cuts] == whole["pose"]["block_names"]
    assert [cut["action"] for cut in cuts] == [None, "act1_a0", "act2_a0"]
    assert [cut["pckh"] for cut in cuts] == pytest.approx(whole["pose"]["blocks"])
    told = [None, *whole["actions"]["outputs"].values()]
    assert [cut["accuracy"] for cut in cuts] == told and told[1] != told[2]
    config = experiment.model_config(settings)
    sizes = [spnet.cut(model, config, number).count_params() for number in (1, 2)]
    sizes.append(model.count_params())
    assert [cut["parameters"] for cut in cuts] == sizes == sorted(sizes)
    for cut in cuts:
        low, high = cut["ms_per_frame_quartiles"]
        assert 0 < low <= cut["ms_per_frame"] <= high
    assert (scores["batch_size"], scores["frames"], scores["repeats"]) == (1, 4, 2)
    assert scores["cores"] == len(os.sched_getaffinity(0))
    assert scores["receipt"]["evaluation"] == "speed2d"
    assert (here / "speed" / "speed.png").is_file()
    figures = read_result("speed/evaluation.json")
    assert [one.data for one in figures] == [*("mpii", "mpii", "data", "mpii", "data")]
    text = (here / "speed" / "evaluation.md").read_text()
    assert "dp1_pb1, no action" in text and "dp3_pb1, act2_a0" in text


def test_a_folded_cut_is_scored_by_the_torso_without_mpii(here):
    flags = ("--predictions", "2", "2", "--repeats", "1", "--timed-clips", "1")
    shape = ("--eval-frames", "5", "--compute", "fast", "--mixed-precision", "float32")
    SPEED.main(["torso", "--data", "data", *WEIGHTS, *flags, *shape])
    (cut,) = _scores("torso")["cuts"]
    assert 0 <= cut["pck"] <= 1 and "pckh" not in cut
    assert "PCK@0.2 of the torso" in (here / "torso" / "evaluation.md").read_text()
    (pose, _) = read_result("torso/evaluation.json")
    assert (pose.row, pose.data) == ("up2_pb0: PCK@0.2 of the torso", "data")


def test_a_prediction_that_the_network_has_not_is_refused(here):
    with pytest.raises(ValueError, match="--predictions: the network has 3. .*: 4"):
        SPEED.main(["no", "--data", "data", *WEIGHTS, "--predictions", "4"])


@pytest.mark.parametrize(
    ("script", "flags", "message"),
    [
        (
            SPEED,
            "--mpii a --eval-frames 5",
            "--eval-frames is for poses without --mpii",
        ),
        (NTU, "--h36m-every 5", "--h36m-every is of --h36m: give that too"),
    ],
)
def test_frames_of_nothing_are_refused(script, flags, message, capsys):
    with pytest.raises(SystemExit):
        script.parse(["no", *WEIGHTS, *flags.split()])
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("script", "evaluate", "layout"),
    [
        (NTU, "evaluate_multitask", pa17j3d),
        (MERGED_NTU, "evaluate_actions", pa20j3d),
    ],
    ids=["spnet", "merged"],
)
def test_boxes_of_the_truth_lie_around_the_joints_of_the_network(
    clip_folders, tmp_path, monkeypatch, script, evaluate, layout
):
    monkeypatch.chdir(tmp_path)
    looked_at = []
    monkeypatch.setattr(
        experiment, evaluate, lambda *taken, **_: looked_at.append(taken[3]) or ""
    )
    (tmp_path / "w.h5").touch()
    script.main(["eval", "--data", str(clip_folders["ntu"]), "--weights", "w.h5"])
    assert looked_at[0].poselayout is layout


def test_both_tasks_of_ntu_are_scored_by_many_clips_and_on_human36m(
    clip_folders, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    model, settings = _network("ntu_spnet", tmp_path, frames=2, protocol="cv")
    folders = (clip_folders["ntu"], clip_folders["h36m"])
    flags = ("--data", folders[0], "--h36m", folders[1], "--h36m-every", "5")
    NTU.main(["eval", *map(str, flags), *WEIGHTS, "--clips", "many", "--no-flip"])
    scores = _scores()
    options = {"use_gt_bbox": True, "clip_size": 2, "protocol": "cv"}
    options["poselayout"] = pa17j3d
    videos = Ntu(folders[0], _sized(ntu_dataconf), **options)
    many = predict_actions(ClipPredictor(model), videos, subsamples=[2])
    assert scores["actions_multi_clip"] == score_actions(many)
    assert scores["actions"] is None and scores["receipt"]["protocol"] == "cv"
    parts = {one.table: one.part for one in read_result("eval/evaluation.json")}
    assert re.fullmatch(r"ntu_spnet \(32 px, .*\), 1 crop, one in 5", parts["human36m"])
    rows = {
        one.row for one in read_result("eval/evaluation.json") if one.table == "ntu"
    }
    assert rows == {"annotated boxes, many clips, not mirrored, step 2 instead of 4"}
    assert re.fullmatch(r"ntu_spnet \(32 px, .*, 2 frames, .*\), cv", parts["ntu"])
    assert scores["receipt"]["frames"] == "one in 5"
    h36m = Human36MFrames(folders[1], _sized(human36m_dataconf), every={VALID_MODE: 5})
    predict = PosePredictor(experiment.pose_view(model, settings), pa17j3d)
    found = predict_poses_3d(predict.predict_crops, h36m)
    bones = bone_lengths(h36m.poses(TRAIN_MODE), pa17j3d.links)
    expected = score_mpjpe(found, pa17j3d, bones)
    for name in ("mpjpe", "mpjpe_original"):
        errors = expected["blocks"][name]
        assert scores["pose"]["blocks"][name] == pytest.approx(errors, rel=1e-4)
    assert np.allclose(scores["pose"]["bones_mm"], bones)
    text = (tmp_path / "eval" / "evaluation.md").read_text()
    assert "| 2 (up2_pb0)" in text and "MPJPE, strict" in text
