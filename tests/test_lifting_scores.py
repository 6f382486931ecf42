"""Scores of lifted poses, by action."""

import dataclasses

import numpy as np
import pytest

from deephar.data.lifting import Sequence
from deephar.evaluation.lifting import (
    by_action,
    epoch_errors,
    lifting_parts,
    plot_training,
    score_lifting,
    sequence_errors,
)

LENS = np.float32([2, 2, 0, 0, 0, 0, 0, 0, 0])


def _sequence(action, frames, positions=True, seed=0):
    random = np.random.default_rng(seed)
    poses = random.normal(0, 0.3, (frames, 4, 3)).astype(np.float32)
    poses[:, 0] = [0.5, -0.5, 4]
    keypoints = np.zeros((frames, 4, 2), np.float32)
    return Sequence("S9", action, 0, keypoints, poses if positions else None, LENS)


def _off_by(sequences, distance):
    """Predicts the true poses, moved sideways; by the number of frames."""
    truth = {len(one.keypoints): one.positions for one in sequences}

    def predict(keypoints):
        found = truth[len(keypoints)].copy()
        found[:, 0] = 0
        return found + np.float32([distance, 0, 0])

    return predict


def test_takes_of_an_action_are_averaged_by_their_frames_and_actions_evenly():
    walk = [_sequence("Walking", 10), _sequence("Walking 1", 30)]
    sit = [_sequence("Sitting", 20)]
    near, far = _off_by(walk[:1] + sit, 0.01), _off_by(walk[1:], 0.05)
    scores = score_lifting(
        lambda keypoints: (far if len(keypoints) == 30 else near)(keypoints),
        by_action([*walk, *sit]),
    )
    assert list(scores["actions"]) == ["Walking", "Sitting"]
    assert scores["actions"]["Walking"]["mpjpe"] == pytest.approx(40, rel=1e-5)
    assert scores["mpjpe"] == pytest.approx(25, rel=1e-5)
    assert (scores["frames"], scores["actions"]["Walking"]["frames"]) == (60, 40)
    assert scores["p_mpjpe"] == pytest.approx(0, abs=1e-4)
    assert 0 < scores["n_mpjpe"] <= 25
    assert scores["mpjve"] == pytest.approx(0, abs=1e-3)


def test_the_figures_are_those_of_the_original(shared):
    golden = np.load(shared / "golden" / "lifting" / "loss.npz")
    target, pred = golden["target"], golden["pred"]
    poses = [y.reshape(24, 17, 3) for y in (target, pred)]
    errors = sequence_errors(*poses)
    for name in ("mpjpe", "p_mpjpe", "n_mpjpe"):
        wanted = 1000 * golden[f"{name}_float64"]
        assert errors[name] == pytest.approx(wanted, rel=1e-6)
    wanted = 1000 * golden["mean_velocity_error_float64"]
    assert errors["mpjve"] == pytest.approx(wanted, rel=1e-6)


def test_a_single_frame_has_no_velocity():
    one = _sequence("Posing", 1)
    assert score_lifting(_off_by([one], 0.1), {"Posing": [one]})["mpjve"] == 0


def test_what_cannot_be_scored_is_refused():
    unlabelled = _sequence("Sitting", 5, positions=False)
    with pytest.raises(ValueError, match="S9 Sitting, camera 0: has no 3D positions"):
        score_lifting(lambda x: x, {"Sitting": [unlabelled]})
    with pytest.raises(ValueError, match="Sitting has no sequence"):
        score_lifting(lambda x: x, {"Sitting": []})
    with pytest.raises(ValueError, match="no sequence to score"):
        score_lifting(lambda x: x, {})


def test_errors_of_pose_root_and_projection_after_an_epoch():
    one, unlabelled = _sequence("Sitting", 6), _sequence("Sitting", 6, positions=False)
    assert epoch_errors([one], _off_by([one], 0.02)) == {"3d": pytest.approx(0.02)}
    flat = np.zeros((6, 4, 3), np.float32)
    roots = one.positions[:, :1] + np.float32([0, 0.4, 0])
    errors = epoch_errors([one], lambda _: flat, lambda _: roots)
    assert errors["traj"] == pytest.approx(0.1, rel=1e-5)
    # A point 0.5 aside and 4 before the camera lies at 2 * 0.5 / 4.
    root = np.tile(np.float32([0.5, 0, 4]), (6, 1, 1))
    errors = epoch_errors([unlabelled], lambda _: flat, lambda _: root)
    assert errors == {"proj": pytest.approx(0.25)}
    blind = dataclasses.replace(one, intrinsics=None)
    errors = epoch_errors([one, blind], lambda _: flat, lambda _: root)
    assert list(errors) == ["3d", "traj"]


def test_the_page_shows_actions_and_the_paper_s_figures():
    one = _sequence("Sitting", 6)
    scores = score_lifting(_off_by([one], 0.02), {"Sitting": [one]})
    scores["receipt"] = {"weights": "a.bin"}
    page = "\n\n".join(lifting_parts(scores, "gt"))
    assert "| Sitting         | 6      | 20.0 " in page and "- weights: a.bin" in page
    assert "gt: 37.2 / 27.2 mm (243 frames)" in page
    parts = lifting_parts({"subjects": {"S9": scores, "S11": scores}})
    page = "\n\n".join(parts)
    assert page.count("| mean of actions |") == 2 and "## S11" in page
    assert "The paper" not in page


def test_the_losses_are_drawn_once_there_are_two(tmp_path):
    row = {"epoch": 1, "loss_pos": 0.2, "valid_3d": 0.3}
    plot_training(tmp_path, [row])
    assert not list(tmp_path.iterdir())
    plot_training(tmp_path, [row, {**row, "epoch": 2}])
    assert [path.name for path in tmp_path.iterdir()] == ["loss_3d.png"]
    semi = {**row, "loss_traj": 0.1, "loss_proj": 0.2}
    plot_training(tmp_path, [row, {**semi, "epoch": 2}])
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["loss_2d.png", "loss_3d.png", "loss_traj.png"]
