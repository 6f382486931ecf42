"""Measures against the original's values, and where it had none."""

import logging

import numpy as np
import pytest

from deephar import measures
from deephar.utils.pose import INVALID, pa16j2d, pa17j2d


@pytest.fixture(scope="module")
def values(golden):
    with np.load(golden / "measures.npz") as file:
        return dict(file)


@pytest.fixture
def arguments(values):
    return values["yt"].copy(), values["yp"].copy(), values["head"]


@pytest.fixture
def person():
    """One person with a head of 10 px, predicted 4 px to the right everywhere."""
    truth = np.random.default_rng(0).uniform(50, 200, (1, 16, 2))
    return truth, truth + [4.0, 0.0], np.array([[10.0]])


@pytest.mark.parametrize("refp", [0.1, 0.2, 0.5])
def test_pckh_equals_the_originals(refp, arguments, values):
    score = measures.pckh(*arguments, refp=refp)
    assert score == pytest.approx(values[f"pckh_{refp}"], abs=1e-9)


def test_distances_and_pck3d_equal_the_originals(arguments, values):
    error = measures.mean_distance_error(*arguments[:2])
    assert error == pytest.approx(values["mean_distance_error"], abs=1e-9)
    space = values["yt3"], values["yp3"]
    error = measures.mean_distance_error(*space)
    assert error == pytest.approx(values["mean_distance_error_3d"], abs=1e-9)
    assert measures.pck3d(*space) == pytest.approx(values["pck3d"], abs=1e-9)
    score = measures.pck3d(*space, refp=100)
    assert score == pytest.approx(values["pck3d_100"], abs=1e-9)


def test_pckh_per_joint_equals_what_the_original_prints(arguments, values, caplog):
    with caplog.at_level(logging.INFO):
        score = measures.pckh_per_joint(*arguments, pa16j2d)
    np.testing.assert_allclose(
        100 * score, values["pckh_per_joint_percent"], atol=0.00501
    )
    assert "percent: pelvis 61.11, thorax 53.70" in caplog.text
    caplog.clear()
    measures.pckh_per_joint(*arguments, pa16j2d, verbose=0)
    assert not caplog.records


def test_pelvis_and_thorax_do_not_count(person):
    truth, found, head = person
    found[:, :2] = 0
    assert measures.pckh(truth, found, head) == 1.0
    found[:, 2] = 0
    assert measures.pckh(truth, found, head) == pytest.approx(13 / 14)


def test_the_threshold_itself_is_right(person):
    assert measures.pckh(*person, refp=0.4 + 1e-9) == 1.0
    assert measures.pckh(*person, refp=0.39) == 0.0


def test_the_curve_steps_at_the_distance_and_auc_is_its_mean(person):
    curve = measures.pckh_curve(*person)
    np.testing.assert_array_equal(curve[[0, 39, 41, 50]], [0, 0, 1, 1])
    assert len(curve) == 51
    truth, _, head = person
    assert measures.auc(truth, truth + [2.05, 0], head) == pytest.approx(30 / 51)
    assert measures.auc(truth, truth, head) == 1.0
    np.testing.assert_array_equal(measures.pckh_curve(*person, [0.3, 0.5]), [0, 1])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_prediction_that_is_no_number_is_wrong(bad, person):
    truth, found, head = person
    found[0, 5, 0] = bad
    assert measures.pckh(truth, found, head) == pytest.approx(13 / 14)
    assert measures.pckh_per_joint(truth, found, head, pa16j2d)[5] == 0.0
    assert measures.mean_distance_error(truth, found) == np.inf


def test_invalid_truth_does_not_count_whatever_is_predicted(person):
    truth, found, head = person
    truth[0, 5] = INVALID
    found[0, 5] = np.nan
    assert measures.pckh(truth, found, head) == 1.0
    assert measures.mean_distance_error(truth, found) == pytest.approx(4.0)
    assert np.isnan(measures.pckh_per_joint(truth, found, head, pa16j2d)[5])


def test_without_a_valid_joint_every_score_is_nan():
    empty, head = np.full((2, 17, 3), INVALID), np.ones((2, 1))
    assert np.isnan(measures.mean_distance_error(empty, empty))
    assert np.isnan(measures.pckh(empty, empty, head))
    assert np.isnan(measures.auc(empty, empty, head))
    assert np.isnan(measures.pck3d(empty, empty))
    assert np.isnan(measures.pck_torso(empty, empty))
    assert np.isnan(measures.pckh_per_joint(empty, empty, head, pa17j2d)).all()
    none = np.zeros((0, 16, 2))
    assert np.isnan(measures.pckh(none, none, np.zeros((0, 1))))


def test_torso_pck_measures_in_torsos():
    truth = np.zeros((2, 16, 2))
    truth[:, 10] = [30.0, 40.0]
    found = truth + [9.0, 0.0]
    found[1, :8] += [2.0, 0.0]
    assert measures.pck_torso(truth, found) == 24 / 32
    assert measures.pck_torso(truth, found, refp=0.22) == 1.0
    assert measures.pck_torso(truth, found, torso_joints=(10, 15)) == 24 / 32


def test_samples_without_a_torso_do_not_count():
    truth = np.zeros((3, 16, 2))
    truth[:2, 10] = [30.0, 40.0]
    truth[1, 5] = INVALID
    found = np.where(truth > -1e6, truth, 0.0)
    found[1:] += 100
    assert measures.pck_torso(truth, found) == 1.0


def test_wrong_shapes_are_refused(person):
    truth, found, head = person
    with pytest.raises(ValueError, match=r"y_true.shape=\(1, 16, 2\), y_pred.shape="):
        measures.mean_distance_error(truth, found[:, :15])
    with pytest.raises(ValueError, match=r"`head_size` must have the shape \(1, 1\)"):
        measures.pckh(truth, found, np.ones((1, 2)))
    with pytest.raises(ValueError, match=r"Received: head_size\[0\]=0.0"):
        measures.pckh(truth, found, 0 * head)
    with pytest.raises(ValueError, match="`pck3d` needs at least 17 joints"):
        measures.pck3d(truth, found)
    with pytest.raises(ValueError, match="must have the 17 joints of `pose_layout`"):
        measures.pckh_per_joint(truth, found, head, pa17j2d)
    with pytest.raises(ValueError, match=r"Received: torso_joints=\(5, 16\)"):
        measures.pck_torso(truth, found, torso_joints=(5, 16))


def test_arguments_are_left_as_they_were(arguments, values):
    measures.pckh(*arguments)
    measures.auc(*arguments)
    np.testing.assert_array_equal(arguments[0], values["yt"])
    np.testing.assert_array_equal(arguments[1], values["yp"])


def _lifting(shared):
    with np.load(shared / "golden" / "lifting" / "loss.npz") as file:
        return {name: file[name] for name in file.files}


def test_3d_errors_equal_the_lifting_papers(shared):
    golden = _lifting(shared)
    truth, found = (golden[k].reshape(-1, 17, 3) for k in ("target", "pred"))
    for name, measure in (
        ("mpjpe", measures.mean_distance_error),
        ("p_mpjpe", measures.p_mpjpe),
        ("n_mpjpe", measures.n_mpjpe),
        ("mean_velocity_error", measures.mpjve),
    ):
        expected = float(golden[f"{name}_float64"])
        assert measure(truth, found) == pytest.approx(expected, abs=1e-7), name
    pair = golden["target_reflect"], golden["pred_reflect"]
    expected = float(golden["p_mpjpe_reflect_float64"])
    assert measures.p_mpjpe(*pair) == pytest.approx(expected, abs=1e-7)


@pytest.fixture
def space():
    return np.random.default_rng(3).normal(size=(6, 17, 3)) * 400


def _turned(poses):
    turn, _ = np.linalg.qr(np.random.default_rng(4).normal(size=(3, 3)))
    turn *= np.sign(np.linalg.det(turn))
    return 0.3 * poses @ turn + [1000, -50, 4000]


def test_procrustes_undoes_place_turn_and_scale_but_no_mirror(space):
    np.testing.assert_allclose(measures.procrustes(space, _turned(space)), space)
    assert measures.p_mpjpe(space, _turned(space)) < 1e-9
    assert measures.p_mpjpe(space, space * [-1, 1, 1]) > 100
    assert measures.n_mpjpe(space, 0.25 * space) < 1e-9
    assert measures.n_mpjpe(space, _turned(space)) > 100


def test_invalid_joints_do_not_decide_the_alignment(space):
    truth, found = space.copy(), _turned(space)
    truth[:, 4], truth[2] = INVALID, np.nan
    found[:, 4], found[2] = np.nan, 77.0
    assert measures.p_mpjpe(truth, found) < 1e-9
    assert measures.n_mpjpe(truth, np.where(np.isnan(found), found, 2 * truth)) < 1e-9
    assert np.isnan(measures.p_mpjpe(np.full_like(truth, INVALID), space))


def test_a_pose_in_one_point_is_aligned_to_the_middle_of_the_truth(space):
    middle = np.broadcast_to(space.mean(axis=1, keepdims=True), space.shape)
    expected = measures.mean_distance_error(space, middle)
    assert measures.p_mpjpe(space, 0 * space) == pytest.approx(expected)
    at_root = measures.mean_distance_error(space, 0 * space)
    assert measures.n_mpjpe(space, 0 * space) == pytest.approx(at_root)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_prediction_without_end_is_so_wrong_after_alignment_too(space, value):
    found = _turned(space)
    found[1, 3] = value, 0, 0
    aligned = measures.procrustes(space, found)
    np.testing.assert_allclose(aligned[[0, *range(2, 6)]], space[[0, *range(2, 6)]])
    for measure in (measures.p_mpjpe, measures.n_mpjpe, measures.mpjve):
        assert measure(space, found) == np.inf


def test_velocity_counts_joints_that_two_frames_know(space):
    found = space + np.arange(6)[:, None, None] * [3.0, 0, 4]
    assert measures.mpjve(space, found) == pytest.approx(5)
    truth = space.copy()
    truth[2, 0] = INVALID
    found[:, 0] = 0
    found[:, 0] += space[:, 0]
    moved = 5 * 16 * 5 / (16 * 5 + 3)
    assert measures.mpjve(truth, found) == pytest.approx(moved)
    assert np.isnan(measures.mpjve(truth[:1], found[:1]))


def test_groups_have_their_own_means():
    values, groups = np.array([1.0, 4, 2, np.nan, 7]), np.array([5, 5, 1, 1, 9])
    means = measures.group_means(values, np.array([2, 1, 17, 0, 0]), groups)
    assert list(means) == [1, 5, 9]
    assert means[1] == 2 and means[5] == 2 and np.isnan(means[9])
    assert measures.weighted_mean(values, np.array([0, 1, 3, 0, 0])) == 2.5


def test_measures_of_lifting_are_the_originals(shared):
    with np.load(shared / "golden" / "lifting" / "loss.npz") as file:
        values = dict(file)
    poses = [values[name].reshape(24, 17, 3) for name in ("target", "pred")]
    mirrored = values["target_reflect"], values["pred_reflect"]
    found = {
        "mpjpe_float64": measures.mean_distance_error(*poses),
        "p_mpjpe_float64": measures.p_mpjpe(*poses),
        "n_mpjpe_float64": measures.n_mpjpe(*poses),
        "mean_velocity_error_float64": measures.mpjve(*poses),
        "p_mpjpe_reflect_float64": measures.p_mpjpe(*mirrored),
    }
    for name, value in found.items():
        assert value == pytest.approx(values[name], rel=1e-9), name
