import dataclasses
import functools

import numpy as np
import pytest
from evaluation_workers import Workers
from PIL import Image
from tiny_mpii import POSE, write_tiny_mpii

from deephar.config import DataConfig
from deephar.data import MpiiSinglePerson
from deephar.evaluation.blocks import parts_table, score_blocks
from deephar.evaluation.pose import predict_poses, score_pckh
from deephar.evaluation.report import (
    block_table,
    group_scores,
    joint_table,
    pckh_table,
    write_report,
)
from deephar.utils import TEST_MODE, VALID_MODE, pa16j2d
from deephar.utils.transform import transform_2d_points


@pytest.fixture
def mpii(tmp_path):
    folder = write_tiny_mpii(tmp_path / "mpii", valid=5)
    return MpiiSinglePerson(folder, DataConfig(crop_resolution=(64, 64)))


def _oracle(mpii, blocks=1, shift=(0, 0)):
    """A predictor that knows the truth and errs by `shift` px in the picture."""
    keys = iter(range(mpii.get_length(VALID_MODE)))

    def predict(frames):
        result = np.zeros((blocks, len(frames), 16, 3), np.float32)
        for row in range(len(frames)):
            key = next(keys, 0)
            matrix = mpii.get_data(key, VALID_MODE)["afmat"].astype(float)
            pose = np.empty((16, 2))
            pose[mpii.poselayout.map_to_mpii] = POSE + [2.0 * key, 0] + shift
            result[:, row, :, :2] = transform_2d_points(matrix, pose, transpose=True)
        return result

    return predict


def _head_size():
    return 0.6 * np.hypot(12, 16)


def test_the_truth_scores_100_percent(mpii):
    found = predict_poses(_oracle(mpii, blocks=2), mpii, batch_size=2)
    scores = score_pckh(found, mpii.poselayout)
    assert scores["pckh"] == scores["pckh_original"] == 1.0
    assert scores["blocks"] == [1.0, 1.0]
    assert scores["samples"] == 5
    assert scores["mean_distance_px"] < 1e-2
    assert set(scores["per_joint"].values()) == {1.0}


@pytest.mark.parametrize(("share", "score"), [(0.45, 1.0), (0.55, 0.0)])
def test_a_shift_of_half_a_head_decides(mpii, share, score):
    shift = (share * _head_size(), 0)
    found = predict_poses(_oracle(mpii, shift=shift), mpii, batch_size=5)
    assert score_pckh(found, mpii.poselayout)["pckh"] == score


def test_the_batch_size_does_not_change_the_result(mpii):
    one = predict_poses(_oracle(mpii), mpii, batch_size=1)
    four = predict_poses(_oracle(mpii), mpii, batch_size=4)
    assert one.poses.shape == four.poses.shape == (1, 5, 16, 2)
    np.testing.assert_allclose(one.poses, four.poses, atol=1e-4)


def test_a_joint_outside_the_crop_counts_only_in_the_strict_figure(mpii):
    sample = mpii.samples[VALID_MODE][0]
    sample["pose"] = sample["pose"].copy()
    sample["pose"][:, 5] = (199, 119)
    found = predict_poses(_oracle(mpii), mpii)
    scores = score_pckh(found, mpii.poselayout)
    annotated = 5 * 14 - 2
    assert scores["pckh"] == pytest.approx((annotated - 1) / annotated)
    assert scores["pckh_original"] == 1.0


def test_an_unreadable_picture_counts_as_wrong(mpii):
    with open(f"{mpii.dataset_path}/images/v1.jpg", "r+b") as file:
        file.truncate(300)
    found = predict_poses(_oracle_without_pictures(mpii), mpii)
    scores = score_pckh(found, mpii.poselayout)
    assert scores["unreadable"] == found.num_unreadable == 1
    assert list(found.errors) == [f"{mpii.dataset_path}/images/v1.jpg"]
    annotated = 5 * 14 - 2
    assert scores["pckh"] == pytest.approx((annotated - 14) / annotated)


def _oracle_without_pictures(mpii):
    """The oracle, with matrices from an undamaged copy of the second sample."""
    matrices = {
        key: mpii.get_data(key, VALID_MODE)["afmat"].astype(float)
        for key in (0, 2, 3, 4)
    }
    keys = iter(range(5))

    def predict(frames):
        result = np.zeros((1, len(frames), 16, 3), np.float32)
        for row in range(len(frames)):
            key = next(keys)
            pose = np.empty((16, 2))
            pose[mpii.poselayout.map_to_mpii] = POSE + [2.0 * key, 0]
            matrix = matrices.get(key, np.eye(3))
            result[0, row, :, :2] = transform_2d_points(matrix, pose, transpose=True)
        return result

    return predict


def test_a_network_that_answers_nan_is_wrong_and_its_pictures_readable(mpii):
    def predict(frames):
        return np.full((1, len(frames), 16, 3), np.nan, np.float32)

    scores = score_pckh(predict_poses(predict, mpii), mpii.poselayout)
    assert (scores["pckh"], scores["unreadable"]) == (0.0, 0)
    assert scores["mean_distance_px"] == np.inf


def test_a_report_without_one_readable_picture_says_so(mpii, tmp_path):
    for picture in (tmp_path / "mpii" / "images").glob("v*.jpg"):
        picture.unlink()
    found = predict_poses(_oracle_without_pictures_at_all, mpii)
    scores = score_pckh(found, mpii.poselayout)
    assert scores["unreadable"] == 5
    path = write_report(tmp_path / "report", scores, found, mpii, VALID_MODE)
    assert "No picture could be read." in path.with_suffix(".md").read_text()


def _oracle_without_pictures_at_all(frames):
    return np.zeros((1, len(frames), 16, 3), np.float32)


def test_the_papers_figures_stand_only_beside_their_threshold(mpii):
    found = predict_poses(_oracle(mpii), mpii)
    table = pckh_table(score_pckh(found, mpii.poselayout, threshold=0.2))
    assert "PCKh@0.2" in table
    assert "98.1" not in table


@pytest.mark.parametrize("origin", ["generated", "owners", {"mpii": "generated"}])
def test_a_report_on_generated_data_says_so_beside_the_papers_figures(
    mpii, tmp_path, origin
):
    found = predict_poses(_oracle(mpii), mpii)
    scores = score_pckh(found, mpii.poselayout) | {"receipt": {"origin": origin}}
    page = write_report(tmp_path, scores, found, mpii, VALID_MODE).read_text()
    assert ("These data are generated" in page) == (origin != "owners")


def test_an_empty_part_is_refused(mpii):
    with pytest.raises(ValueError, match="no samples to evaluate in the part 'test'"):
        predict_poses(_oracle(mpii), mpii, TEST_MODE)


def test_tables_name_parts_joints_and_blocks(mpii):
    scores = score_pckh(predict_poses(_oracle(mpii, 2), mpii), mpii.poselayout)
    table = pckh_table(scores, untrained={**scores, "pckh": 0.25})
    assert "untrained" in table
    assert "| 25.0" in table
    assert "98.1" in table
    assert joint_table(scores).count("100.0") == 16
    assert block_table(scores).count("100.0") == 4
    assert group_scores(scores["per_joint"])["ankle"] == 1.0


def test_the_report_holds_its_pictures(mpii, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    (run / "losses.csv").write_text("epoch,loss,val_pckh\n0,0.5,nan\n1,0.25,0.4\n")
    found = predict_poses(_oracle(mpii), mpii)
    scores = score_pckh(found, mpii.poselayout)
    path = write_report(tmp_path / "report", scores, found, mpii, VALID_MODE, run)
    names = {p.name for p in path.parent.iterdir()}
    drawn = {"pckh.png", "training.png", "predictions.png"}
    assert names == {"report.md", "report.html", *drawn}
    text = path.with_suffix(".md").read_text()
    assert all(f"({name})" in text for name in drawn)


def _mean_colour(frames):
    """A predictor whose answer depends on the picture alone, 2 blocks."""
    colour = frames.mean(axis=(1, 2), dtype=np.float64)[:, None, :]
    pose = (colour + 1) / 2 * np.linspace(0.1, 1, 16)[:, None]
    return np.stack([pose, 0.9 * pose])


@pytest.mark.parametrize(("count", "batch_size"), [(2, 2), (3, 1), (7, 2)])
def test_workers_that_share_the_samples_get_the_scores_of_one(mpii, count, batch_size):
    with open(f"{mpii.dataset_path}/images/v1.jpg", "r+b") as file:
        file.truncate(300)
    alone = predict_poses(_mean_colour, mpii, batch_size=batch_size)
    evaluate = functools.partial(predict_poses, _mean_colour, mpii, VALID_MODE)
    workers = Workers(functools.partial(evaluate, batch_size, 1), count)
    assert sum(len(part["poses"]) for part in workers.parts) == 5
    for found in workers.whole:
        for name in ("poses", "confidence", "truth", "truth_inside", "head_size"):
            np.testing.assert_array_equal(getattr(found, name), getattr(alone, name))
        assert found.num_unreadable == 1
        assert score_pckh(found, mpii.poselayout) == score_pckh(alone, mpii.poselayout)
    assert sum(len(found.errors) for found in workers.whole) >= 1


def test_a_share_is_a_worker_of_the_workers_and_needs_gather(mpii):
    with pytest.raises(ValueError, match=r"0 <= index < count. Received: share=\(2, 2"):
        predict_poses(_mean_colour, mpii, share=(2, 2), gather=dict)
    with pytest.raises(ValueError, match="`share` needs `gather`"):
        predict_poses(_mean_colour, mpii, share=(0, 2))
    with pytest.raises(ValueError, match="arrays of all 5 samples. Received: {'poses"):
        predict_poses(_mean_colour, mpii, batch_size=1, share=(0, 2), gather=dict)


def _two_blocks(mpii):
    """Predictions whose first block errs by a head in the ankles, the last is right."""
    predict = _oracle(mpii, blocks=2)
    ankles = [mpii.poselayout.joint_names.index(f"{side}_ankle") for side in "rl"]

    def worse(frames):
        result = predict(frames)
        result[0, :, ankles, 0] += 0.5
        return result

    return predict_poses(worse, mpii)


def test_every_block_has_its_parts_and_curves(mpii, tmp_path):
    found = _two_blocks(mpii)
    scores = score_pckh(found, mpii.poselayout)
    scores["every_block"] = score_blocks(found, mpii.poselayout)
    parts, joints = (scores["every_block"][key] for key in ("parts", "joints"))
    assert parts["ankle"] == [0.0, 1.0] and parts["knee"] == [1.0, 1.0]
    assert joints["l_ankle"] == [0.0, 1.0] and len(joints) == 16
    assert scores["blocks"] == [pytest.approx(58 / 68), 1.0]
    table = parts_table(scores).splitlines()
    assert table[0].split("|")[2:4] == [" block 1 ", " block 2 "]
    assert table[-1].split("|")[1:4] == [" total        ", " 85.3    ", " 100.0   "]
    path = write_report(tmp_path / "report", scores, found, mpii, VALID_MODE)
    assert "(blocks.png)" in path.with_suffix(".md").read_text()
    with Image.open(path.parent / "blocks.png") as picture:
        assert picture.width > 500


def test_the_best_block_counts_as_in_the_original(mpii):
    found = _two_blocks(mpii)
    scores = score_pckh(dataclasses.replace(found, poses=found.poses[::-1]), pa16j2d)
    assert (scores["pckh"], scores["best_block"]) == (pytest.approx(58 / 68), 1)
    assert scores["pckh_best_block"] == 1.0 > scores["pckh_original"]
    assert "the same, best block" in pckh_table(scores)
