"""Errors in mm: against the original's evaluation, and by what is strict."""

import dataclasses

import numpy as np
import pytest
from evaluation_workers import Workers

from deephar import measures
from deephar.data.human36m_format import ACTION_LABELS
from deephar.evaluation.pose3d import (
    FIGURES,
    PosePredictions3D,
    predict_poses_3d,
    score_mpjpe,
)
from deephar.evaluation.root_depth import (
    FARTHEST,
    NEAREST,
    bone_lengths,
    find_root_depth,
)
from deephar.utils.camera import Camera, camera_deserialize
from deephar.utils.modes import TEST_MODE, VALID_MODE
from deephar.utils.pose import pa17j3d
from deephar.utils.transform import transform_pose_sequence

LINKS = pa17j3d.links


class Frames:
    """Frames of Human3.6M in memory: each picture is the number of its sample."""

    dataset_path = "memory"

    def __init__(self, golden, unreadable=()):
        self.golden, self.unreadable = golden, unreadable

    def get_length(self, mode):
        return len(self.golden["pose_w"]) if mode == VALID_MODE else 0

    def get_shape(self, key):
        shapes = {"frame": (2, 2, 3), "camera": (21,), "action": (1,), "afmat": (3, 3)}
        return shapes.get(key, (17, 3))

    def get_data(self, key, mode):
        if key in self.unreadable:
            raise OSError(5, "no such picture", f"{key}.jpg")
        return self.get_blank_data(key, mode)

    def get_blank_data(self, key, mode, rng=None):
        values = {k: self.golden[k][key] for k in ("pose_w", "afmat", "camera")}
        uvd = camera_deserialize(values["camera"]).project(values["pose_w"])
        number = np.full((2, 2, 3), float(key), np.float32)
        action = np.array([self.golden["action"][key]])
        return {**values, "pose_uvd": uvd, "action": action, "frame": number}


@pytest.fixture(scope="module")
def golden(golden):
    with np.load(golden / "h36m_error.npz") as file:
        return {name: file[name] for name in file.files}


def _predictor(golden):
    return lambda frames: golden["pred"][:, frames[:, 0, 0, 0].astype(int)]


def _predictions(golden):
    """What the network of the golden file found, without single precision."""
    crops = golden["pred"].astype(np.float64)
    places = [transform_pose_sequence(golden["afmat"], b[..., :2]) for b in crops]
    depths = 2000 * (crops[..., 2:3] - 0.5)
    return PosePredictions3D(
        np.concatenate([np.stack(places), depths], axis=-1),
        *(golden[k].copy() for k in ("pose_w", "root_depth", "camera", "action")),
        readable=np.ones(len(golden["action"]), bool),
    )


def _bones(golden):
    poses = golden["pose_w"]
    return bone_lengths([(i, pose[None]) for i, pose in enumerate(poses)], LINKS)


def _score(golden, predictions):
    return score_mpjpe(predictions, pa17j3d, _bones(golden))


def test_the_original_s_figures_are_those_of_its_evaluation(golden):
    scores = _score(golden, _predictions(golden))
    found = scores["blocks"]["mpjpe_original"]
    np.testing.assert_allclose(found, golden["scores"], atol=1e-6)
    assert scores["best_block"] == 2
    assert scores["mpjpe_original"] == pytest.approx(min(golden["scores"]), abs=1e-6)
    names = [ACTION_LABELS[number] for number in golden["actions"]]
    assert list(scores["per_action"]) == names
    found = [scores["per_action"][name]["mpjpe_original"] for name in names]
    np.testing.assert_allclose(found, golden["per_action"], atol=1e-6)
    np.testing.assert_allclose(found, golden["per_action_printed"], atol=0.05)
    mean = scores["actions_mean"]["mpjpe_original"]
    assert mean == pytest.approx(np.mean(golden["per_action"]))


def test_a_stream_of_batches_gives_the_same_figures(golden):
    data = Frames(golden)
    found = predict_poses_3d(_predictor(golden), data, VALID_MODE, batch_size=7)
    assert found.poses.shape == (3, 20, 17, 3)
    streamed, whole = (_score(golden, p) for p in (found, _predictions(golden)))
    for name in FIGURES:
        assert streamed[name] == pytest.approx(whole[name], abs=0.02), name
    assert (streamed["samples"], streamed["unreadable"]) == (20, 0)


@pytest.mark.parametrize("count", [2, 5])
def test_workers_share_the_frames_and_get_the_errors_of_one(golden, count):
    data = Frames(golden, unreadable=(4,))
    alone = predict_poses_3d(_predictor(golden), data, VALID_MODE, 6)

    def evaluate(**sharing):
        return predict_poses_3d(_predictor(golden), data, VALID_MODE, 6, 1, **sharing)

    for found in Workers(evaluate, count).whole:
        np.testing.assert_array_equal(found.poses, alone.poses)
        assert _score(golden, found) == _score(golden, alone)


def _perfect(golden, blocks=2):
    """A network that is right, from the true projection of the joints."""
    poses = []
    for pose, camera in zip(golden["pose_w"], golden["camera"], strict=True):
        uvd = camera_deserialize(camera).project(pose)
        poses.append(uvd - [0, 0, uvd[0, 2]])
    poses = np.stack([np.stack(poses)] * blocks)
    return dataclasses.replace(_predictions(golden), poses=poses)


def test_a_right_pose_with_the_subject_s_bones_has_no_error(golden):
    alike = {**golden, "pose_w": golden["pose_w"][[0] * 20]}
    camera = camera_deserialize(golden["camera"][0])
    alike["camera"] = golden["camera"][[0] * 20]
    alike["root_depth"] = np.full(20, camera.project(alike["pose_w"][0])[0, 2])
    scores = _score(alike, _perfect(alike))
    for name in ("mpjpe", "p_mpjpe", "n_mpjpe", "mpjpe_root_depth"):
        assert scores[name] < 1e-6, name
    assert scores["root_depth_error"] < 1e-5
    assert 1e-4 < scores["mpjpe_original"] < 1.0


def test_the_strict_figure_knows_no_depth_and_the_others_do(golden):
    far = {**golden, "root_depth": golden["root_depth"] + 1000}
    one, other = (_score(g, _predictions(g)) for g in (golden, far))
    assert one["mpjpe"] == other["mpjpe"] and one["p_mpjpe"] == other["p_mpjpe"]
    assert other["mpjpe_root_depth"] > 1.1 * one["mpjpe_root_depth"]
    assert other["mpjpe_original"] > 1.1 * one["mpjpe_original"]
    bones = 1.5 * _bones(golden)
    longer = score_mpjpe(_predictions(golden), pa17j3d, bones)
    assert longer["mpjpe"] > 1.1 * one["mpjpe"]
    assert longer["mpjpe_root_depth"] == one["mpjpe_root_depth"]


def test_a_picture_that_cannot_be_read_counts_as_joints_at_the_root(golden):
    data = Frames(golden, unreadable=(3, 8))
    found = predict_poses_3d(_predictor(golden), data, VALID_MODE, batch_size=4)
    assert list(found.errors) == ["3.jpg", "8.jpg"] and found.num_unreadable == 2
    assert np.isnan(found.poses[:, [3, 8]]).all()
    scores = _score(golden, found)
    assert (scores["samples"], scores["unreadable"]) == (20, 2)
    truth = golden["pose_w"] - golden["pose_w"][:, :1]
    at_root = np.linalg.norm(truth, axis=-1).mean(axis=-1)[[3, 8]]
    some = np.delete(np.arange(20), [3, 8])
    fewer = {k: v for k, v in golden.items() if k in ("actions", "scores")}
    fewer |= {k: golden[k][some] for k in ("pose_w", "afmat", "camera", "action")}
    fewer |= {"root_depth": golden["root_depth"][some], "pred": golden["pred"][:, some]}
    rest = score_mpjpe(_predictions(fewer), pa17j3d, _bones(golden))
    for name in ("mpjpe", "mpjpe_root_depth"):
        expected = (18 * rest[name] + at_root.sum()) / 20
        assert scores[name] == pytest.approx(expected, abs=0.02), name
    assert scores["mpjpe_original"] == pytest.approx(rest["mpjpe_original"], abs=0.02)


def test_without_one_picture_the_error_is_the_mean_length_of_the_truth(golden):
    data = Frames(golden, unreadable=range(20))
    found = predict_poses_3d(_predictor(golden), data, VALID_MODE)
    scores = _score(golden, found)
    truth = golden["pose_w"] - golden["pose_w"][:, :1]
    zeros = measures.mean_distance_error(truth, 0 * truth)
    assert scores["mpjpe"] == pytest.approx(zeros, rel=1e-6)
    assert scores["p_mpjpe"] == pytest.approx(measures.p_mpjpe(truth, 0 * truth))
    assert np.isnan(scores["mpjpe_original"]) and np.isnan(scores["root_depth_error"])


@pytest.mark.parametrize("missing", [[3, 8], range(10), "an action"])
def test_leaving_pictures_out_makes_no_figure_of_a_bad_network_smaller(golden, missing):
    found = _predictions(golden)
    found.poses[..., 2] *= 20
    if missing == "an action":
        missing = np.flatnonzero(found.action == found.action[3])
    some = np.delete(np.arange(20), missing)
    per_sample = ("truth", "root_depth", "camera", "action", "readable")
    chosen = {name: getattr(found, name)[some] for name in per_sample}
    rest = dataclasses.replace(found, poses=found.poses[:, some], **chosen)
    found.readable[missing] = False
    scores, others = _score(golden, found), _score(golden, rest)
    assert scores["unreadable"] == len(missing)
    for name in FIGURES:
        assert scores[name] >= others[name] - 1e-9, name
        mean = scores["actions_mean"][name]
        assert mean >= others["actions_mean"][name] - 1e-9, name
        for action, values in others["per_action"].items():
            assert scores["per_action"][action][name] >= values[name] - 1e-9
    truth = golden["pose_w"] - golden["pose_w"][:, :1]
    at_root = np.linalg.norm(truth, axis=-1).mean()
    assert others["mpjpe_root_depth"] > 2 * at_root


def test_a_network_that_answers_nan_is_infinitely_wrong(golden):
    found = _predictions(golden)
    found.poses[2, 5, 7] = np.nan
    scores = _score(golden, found)
    assert scores["mpjpe"] == scores["p_mpjpe"] == scores["n_mpjpe"] == np.inf
    assert np.isfinite(scores["blocks"]["mpjpe"][:2]).all()
    assert scores["per_action"][ACTION_LABELS[golden["action"][5]]]["mpjpe"] == np.inf


def test_a_joint_that_is_not_known_does_not_count(golden):
    found = _predictions(golden)
    found.truth[4, 9] = np.nan
    found.poses[:, 4, 9] = 1e5
    scores = _score(golden, found)
    whole = _score(golden, _predictions(golden))
    assert scores["mpjpe_root_depth"] == pytest.approx(
        whole["mpjpe_root_depth"], rel=0.02
    )


def test_a_joint_from_where_the_lens_sends_none_lies_at_the_root(golden):
    found = _perfect(golden)
    found.poses[:, 0, 6, :2] = 1e6
    scores = _score(golden, found)
    truth = golden["pose_w"] - golden["pose_w"][:, :1]
    lost = np.linalg.norm(truth[0, 6]) / (20 * 17)
    assert scores["mpjpe_root_depth"] == pytest.approx(lost, rel=1e-6)


def test_an_empty_part_is_refused(golden):
    with pytest.raises(ValueError, match="memory: no samples to evaluate.*'test'"):
        predict_poses_3d(_predictor(golden), Frames(golden), TEST_MODE)


def test_depth_is_found_from_the_length_of_the_bones():
    camera = Camera(np.eye(3), np.zeros(3), [[1000, 1000]], [[0, 0]], [[0, 0]])
    rng = np.random.default_rng(0)
    person = rng.normal(size=(17, 3)) * 300
    depths = np.array([2000.0, 4000.0, 9000.0])
    places = person - person[:1] + [[[300, -200, depth]] for depth in depths]
    uvd = camera.project(places.reshape(-1, 3)).reshape(3, 17, 3)
    rays = np.concatenate([uvd[..., :2] / 1000, np.ones((3, 17, 1))], axis=-1)
    offsets = uvd[..., 2] - depths[:, None]
    lengths = bone_lengths([(1, person[None])], LINKS)
    first, second = np.transpose(LINKS)
    expected = np.linalg.norm(person[first] - person[second], axis=-1)
    np.testing.assert_allclose(lengths, expected)
    found = find_root_depth(rays, offsets, LINKS, lengths)
    np.testing.assert_allclose(found, depths, rtol=1e-9)
    rays[0, 16] = np.nan
    found = find_root_depth(rays, offsets, LINKS, lengths)
    np.testing.assert_allclose(found, depths, rtol=1e-9)
    rays[0], offsets[1] = [0, 0, 1], 3 * offsets[1]
    offsets[0], rays[2] = 0, np.nan
    found = find_root_depth(rays, offsets, LINKS, 0.5 * lengths)
    assert found[0] == FARTHEST and found[1] == NEAREST and np.isnan(found[2])


def test_every_subject_counts_alike_in_the_length_of_bones():
    short, long = np.zeros((4, 2, 3)), np.zeros((1, 2, 3))
    short[:, 1, 0], long[:, 1, 0], short[3] = 3, 5, np.nan
    parts = [(7, short[:2]), (1, long), (7, short[2:])]
    (length,) = bone_lengths(parts, [(0, 1)])
    assert length == pytest.approx(np.sqrt((9 + 25) / 2))
    with pytest.raises(ValueError, match="whose length no training pose tells"):
        bone_lengths([(7, short[3:])], [(0, 1)])
    with pytest.raises(ValueError, match="whose length no training pose tells"):
        bone_lengths([], [(0, 1)])
