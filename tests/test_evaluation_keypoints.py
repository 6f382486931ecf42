"""PCK and OKS of people with boxes, against pycocotools itself."""

import contextlib
import copy
import io
import json

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from tiny_coco import annotation, four_people, unlabelled, write_tiny_coco

from deephar.config import DataConfig
from deephar.data import COCOSinglePerson
from deephar.evaluation.keypoints import score_pck
from deephar.evaluation.oks import keypoint_results, score_oks
from deephar.evaluation.pose import PosePredictions, predict_poses
from deephar.utils.pose import INVALID, coco17j, is_valid, pa16j2d

CONFIG = DataConfig(crop_resolution=(64, 64))
LAYOUTS = pytest.mark.parametrize("layout", [coco17j, pa16j2d])


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    return write_tiny_coco(tmp_path_factory.mktemp("coco"), four_people())


@pytest.fixture(scope="module")
def real_paths(shared):
    folder = shared / "samples" / "coco"
    return folder, folder / "test_coco.json"


def truth_of(dataset):
    every = [
        dataset.person(k, 0, {"transx": 0, "transy": 0, "scale": 1})
        for k in range(dataset.get_length(0))
    ]
    return np.stack([one.joints for one in every])


def predicted(dataset, shift=(0.0, 0.0), confidence=None, unreadable=()):
    """The truth, shifted by px; where nothing is labelled, the middle of the box."""
    truth = truth_of(dataset)
    middles = np.array(
        [[x + w / 2, y + h / 2] for x, y, w, h in (p.box for p in dataset.people)]
    )
    last = np.where(is_valid(truth), truth, middles[:, None]) + shift
    last[list(unreadable)] = np.nan
    sure = np.full(truth.shape[:2], 0.5)
    if confidence is not None:
        sure = np.tile(np.asarray(confidence)[:, None], (1, truth.shape[1]))
    readable = np.ones(len(truth), bool)
    readable[list(unreadable)] = False
    return PosePredictions(
        poses=np.stack([last + 500, last]),
        confidence=np.stack([sure * 0, sure]),
        truth=truth,
        truth_inside=truth,
        head_size=np.full((len(truth), 1), np.nan),
        readable=readable,
        errors={},
    )


def by_hand(paths, results):
    """What pycocotools says of a results file, over all key points."""
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(paths[1]))
        evaluation = COCOeval(truth, truth.loadRes(copy.deepcopy(results)), "keypoints")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation.stats.tolist()


STATS = "ap ap50 ap75 ap_medium ap_large ar ar50 ar75 ar_medium ar_large".split()


def stats(scores):
    return [-1.0 if np.isnan(scores[name]) else scores[name] for name in STATS]


@LAYOUTS
def test_the_real_annotations_against_themselves_give_ap_1(real_paths, layout):
    coco = COCOSinglePerson(*real_paths, poselayout=layout)
    scores = score_oks(coco, keypoint_results(predicted(coco), coco))
    assert stats(scores) == pytest.approx([1.0] * 10)
    assert scores["keypoints"] == (17 if layout is coco17j else 12)
    assert scores["people"] == scores["results"] == 12
    assert score_pck(predicted(coco), coco.box_sides(), layout)["pck"] == 1.0


@pytest.mark.parametrize("shift", [(2, 0), (5, 5), (0, 12)])
def test_a_shift_lowers_ap_as_pycocotools_says(real_paths, shift):
    coco = COCOSinglePerson(*real_paths, poselayout=coco17j)
    confidence = np.linspace(0.9, 0.1, 12)
    results = keypoint_results(predicted(coco, shift, confidence), coco)
    scores = score_oks(coco, results)
    assert stats(scores) == by_hand(real_paths, results)
    assert 0 < scores["ap"] < 1


@LAYOUTS
def test_a_known_shift_gives_the_oks_of_the_formula(paths, layout):
    """Every key point off by d: OKS is the mean of exp(-d2 / (8 area sigma2))."""
    coco = COCOSinglePerson(*paths, CONFIG, layout)
    sigmas = COCOeval(iouType="keypoints").params.kpt_oks_sigmas
    rows = np.arange(17) if layout is coco17j else np.arange(5, 17)
    seen = {}
    for distance in (4.0, 6.0):
        similarity = np.exp(-(distance**2) / (8 * 2000 * sigmas**2))
        kept = [rows, np.setdiff1d(rows, [0, 9, 10])]
        people = [similarity[k].mean() for k in (kept[0], kept[0], kept[1], kept[0])]
        found = predicted(coco, (0, distance))
        seen[distance] = score_oks(coco, keypoint_results(found, coco))["ar"]
        thresholds = np.linspace(0.5, 0.95, 10)
        right = [np.mean(np.array(people) >= limit) for limit in thresholds]
        assert seen[distance] == pytest.approx(np.mean(right))
    assert 0 < seen[6.0] < seen[4.0] < 1


def test_twelve_key_points_do_not_ask_for_a_face(paths):
    coco = COCOSinglePerson(*paths, CONFIG, pa16j2d)
    found = predicted(coco)
    found.poses[-1][:, 3] += 1000
    results = keypoint_results(found, coco)
    assert results[0]["keypoints"][:15] == [0.0] * 15
    assert results[0]["keypoints"][15:18] == [110.0, 42.0, 1.0]
    scores = score_oks(coco, results)
    assert (scores["ap"], scores["keypoints"]) == (pytest.approx(1.0), 12)


def test_people_with_nothing_but_a_face_are_no_truth_of_twelve_key_points(tmp_path):
    face = unlabelled(annotation(3, 4), *range(5, 17))
    paths = write_tiny_coco(tmp_path, [annotation(1, 2), face])
    coco = COCOSinglePerson(*paths, CONFIG, pa16j2d)
    scores = score_oks(coco, keypoint_results(predicted(coco), coco))
    assert (scores["people"], scores["results"]) == (1, 2)
    assert scores["ap"] == pytest.approx(1.0)


def test_people_whom_the_file_gives_no_key_points_are_no_truth(tmp_path):
    """Whatever flags they have: as pycocotools takes num_keypoints."""
    paths = write_tiny_coco(
        tmp_path, [annotation(1, 2), annotation(2, 3, num_keypoints=0)]
    )
    coco = COCOSinglePerson(*paths, CONFIG, coco17j)
    results = keypoint_results(predicted(coco), coco)
    scores = score_oks(coco, results)
    assert stats(scores) == by_hand(paths, results)
    assert (scores["people"], scores["ar"]) == (1, pytest.approx(1.0))


@LAYOUTS
def test_a_score_is_the_mean_confidence_of_the_key_points_that_are_given(paths, layout):
    coco = COCOSinglePerson(*paths, CONFIG, layout)
    found = predicted(coco)
    sure = np.linspace(0.1, 0.9, layout.num_joints) ** 2
    found.confidence[-1][2] = sure
    names = set(coco17j.joint_names)
    given = [name in names for name in layout.joint_names]
    results = keypoint_results(found, coco)
    assert results[2]["score"] == pytest.approx(sure[given].mean())
    assert results[1]["score"] == 0.5


def test_an_annotation_numbered_0_is_found(tmp_path):
    paths = write_tiny_coco(tmp_path, [annotation(0, 2)])
    coco = COCOSinglePerson(*paths, CONFIG, coco17j)
    scores = score_oks(coco, keypoint_results(predicted(coco), coco))
    assert scores["ap"] == pytest.approx(1.0)


def test_unreadable_pictures_are_missed_people(paths, caplog):
    coco = COCOSinglePerson(*paths, CONFIG, coco17j)
    found = predicted(coco, unreadable=[1])
    results = keypoint_results(found, coco)
    assert [one["image_id"] for one in results] == [7, 3, 5]
    assert "no pose of 1 of 4 people, counted as missed" in caplog.text
    scores = score_oks(coco, results)
    assert scores["ar"] == pytest.approx(3 / 4)
    scores = score_pck(found, coco.box_sides(), coco17j)
    assert scores["pck"] == pytest.approx(1 - 17 / 65)
    assert (scores["samples"], scores["unreadable"]) == (4, 1)
    assert scores["mean_distance_px"] == 0


def test_nothing_found_scores_nothing(paths):
    scores = score_oks(COCOSinglePerson(*paths, CONFIG, coco17j), [])
    assert (scores["ap"], scores["ar"], scores["people"]) == (0.0, 0.0, 4)
    assert np.isnan(scores["ap_large"])


def test_results_are_those_of_coco_s_files_and_stay_as_they_are(paths, capsys):
    coco = COCOSinglePerson(*paths, CONFIG, coco17j)
    results = keypoint_results(predicted(coco, confidence=[0.1, 0.2, 0.3, 0.4]), coco)
    assert [one["score"] for one in results] == pytest.approx([0.1, 0.2, 0.3, 0.4])
    assert set(results[0]) == {"image_id", "category_id", "keypoints", "score"}
    read = json.loads(json.dumps(results))
    before = copy.deepcopy(coco.coco.dataset)
    assert score_oks(coco, read)["ap"] == pytest.approx(1.0)
    assert read == results
    assert coco.coco.dataset == before
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image_id": 99}, "result 1 must be of a picture of the annotations.*99"),
        ({"keypoints": [1.0] * 48}, "result 1 must have 51 finite numbers"),
        ({"image_id": [7]}, r"of a picture of the annotations.*image_id=\[7\]"),
        ({"category_id": 7}, "of a category of the annotations.*category_id=7"),
        ({"category_id": "1"}, "of a category of the annotations.*category_id='1'"),
        ({"keypoints": ["1"] * 51}, "result 1 must have 51 finite numbers"),
        ({"score": "0.5"}, "finite `score`.*score='0.5'"),
        ({"score": True}, "finite `score`.*score=True"),
        ({"score": 10**400}, "finite `score`"),
        ({"score": float("nan")}, "finite `score`.*score=nan"),
        ({"score": "high"}, "finite `score`.*score='high'"),
    ],
)
def test_results_of_another_form_are_refused(paths, change, message):
    coco = COCOSinglePerson(*paths, CONFIG, coco17j)
    results = keypoint_results(predicted(coco), coco)
    results[1].update(change)
    with pytest.raises(ValueError, match=message):
        score_oks(coco, results)
    del results[1]["score"]
    with pytest.raises(ValueError, match="result 1 must have image_id.*named score"):
        score_oks(coco, results)
    with pytest.raises(ValueError, match="result 0 must be a dictionary.*NoneType"):
        score_oks(coco, [None])


def test_poses_of_other_people_are_refused(paths):
    coco = COCOSinglePerson(*paths, CONFIG, coco17j)
    other = predicted(COCOSinglePerson(*paths, CONFIG, pa16j2d))
    with pytest.raises(ValueError, match=r"\(4, 17, 2\) of `dataset`.*\(4, 16, 2\)"):
        keypoint_results(other, coco)


@pytest.mark.parametrize(("share", "score"), [(0.19, 1.0), (0.21, 0.0)])
def test_pck_compares_with_a_fifth_of_the_longer_side(paths, share, score):
    coco = COCOSinglePerson(*paths, CONFIG, coco17j)
    found = predicted(coco, (0, share * 84))
    scores = score_pck(found, coco.box_sides(), coco17j)
    assert (scores["pck"], scores["threshold"]) == (score, 0.2)
    assert scores["blocks"] == [0.0, score]
    assert scores["mean_distance_px"] == pytest.approx(share * 84)
    assert score_pck(found, coco.box_sides(), coco17j, 0.3)["pck"] == 1.0


def test_a_distance_of_just_the_threshold_is_right(paths):
    coco = COCOSinglePerson(*paths, CONFIG, coco17j)
    found = predicted(coco, (0, 21))
    assert score_pck(found, coco.box_sides(), coco17j, 21 / 84)["pck"] == 1.0


def test_pck_counts_every_labelled_joint_and_no_other(paths):
    coco = COCOSinglePerson(*paths, CONFIG, pa16j2d)
    found = predicted(coco)
    found.poses[-1][0, 14] += 100
    scores = score_pck(found, coco.box_sides(), pa16j2d)
    labelled = 4 * 15 - 2
    assert scores["pck"] == pytest.approx((labelled - 1) / labelled)
    assert scores["per_joint"]["r_ankle"] == 0.75
    assert np.isnan(scores["per_joint"]["head"])
    truth = np.full_like(found.truth, INVALID)
    blind = PosePredictions(**{**vars(found), "truth": truth})
    assert np.isnan(score_pck(blind, coco.box_sides(), pa16j2d)["pck"])


@pytest.mark.parametrize(
    ("sides", "message"),
    [
        (np.ones(3), r"`sides` must have the shape \(4,\).*\(3,\)"),
        (np.array([1, 2, 0, 4.0]), r"`sides` must be above 0.*sides\[2\]=0"),
        (np.array([1, np.nan, 3, 4]), r"sides\[1\]=nan"),
    ],
)
def test_sides_that_are_none_are_refused(paths, sides, message):
    coco = COCOSinglePerson(*paths, CONFIG, coco17j)
    with pytest.raises(ValueError, match=message):
        score_pck(predicted(coco), sides, coco17j)


def test_other_layouts_and_thresholds_are_refused(paths):
    coco = COCOSinglePerson(*paths, CONFIG, coco17j)
    with pytest.raises(ValueError, match="the 17 joints of the poses.*pa16j2d"):
        score_pck(predicted(coco), coco.box_sides(), pa16j2d)
    with pytest.raises(ValueError, match="`threshold` must be above 0. Received: 0"):
        score_pck(predicted(coco), coco.box_sides(), coco17j, 0)


@LAYOUTS
def test_the_pipeline_brings_the_truth_back_to_px(paths, layout):
    """Through the crops: what is right there is right in the pictures."""
    coco = COCOSinglePerson(*paths, CONFIG, layout)
    keys = iter(range(4))

    def predict(frames):
        poses = [coco.get_data(next(keys), 0)["pose"] for _ in frames]
        return np.where(is_valid(np.stack(poses)), poses, 0.5)[None]

    found = predict_poses(predict, coco, batch_size=2, workers=1)
    assert score_pck(found, coco.box_sides(), layout)["pck"] == 1.0
    scores = score_oks(coco, keypoint_results(found, coco))
    assert scores["ap"] > 0.999
