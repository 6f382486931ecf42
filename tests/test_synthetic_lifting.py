"""Generated motion: long takes, what cameras and a detector see of them, the files."""

import dataclasses
import pickle

import numpy as np
import pytest
from scripts import load

from deephar.data.human36m_names import find_take
from deephar.data.lifting_cameras import human36m_cameras
from deephar.data.lifting_format import read_keypoints_2d, read_positions_3d
from deephar.data.lifting_skeletons import HUMAN36M_SKELETON, KEPT_JOINTS
from deephar.data.marker import is_generated
from deephar.data.synthetic import (
    detections,
    lifting,
    write_lifting,
)
from deephar.data.synthetic.body import BONES, make_body
from deephar.data.synthetic.h36m_moves import H36M_MOVES
from deephar.data.synthetic.lifting import make_take
from deephar.data.synthetic.takes import act, smooth_noise
from deephar.utils.camera import normalize_screen, project_to_2d, world_to_camera

PARENTS = HUMAN36M_SKELETON.parents
ROWS = list(KEPT_JOINTS)
WALKING = 14
KINDS = ("gt", "detected", "small", "coco")


@pytest.fixture(scope="module")
def take():
    return make_take(0, 6.0, (9, WALKING, 1))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Files of two of the people."""
    folder = tmp_path_factory.mktemp("motion")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lifting, "SUBJECTS", (7, 11))
        write_lifting(folder, 0.04, seed=1)
    return folder


def walk(seed=0, count=300):
    move = dataclasses.replace(H36M_MOVES[-3], floor="walk")
    rng = np.random.default_rng(seed)
    return act(rng, move, make_body(rng), count, 50.0)


def test_those_who_walk_go_ahead_and_stay_in_the_room():
    show = walk(count=900)
    steps = np.diff(show.joints[:, 0, :2], axis=0) * 50
    ahead = (steps * show.frames[1:, 0, :2, 0]).sum(axis=-1)
    assert 500 < np.median(ahead) < 1400  # mm a second
    assert (ahead < -100).mean() < 0.05
    assert np.linalg.norm(show.joints[:, 0, :2], axis=-1).max() < 1900


def test_feet_that_stand_do_not_slide():
    show = walk()
    foot = show.joints[:, -4]
    assert foot[:, 2].min() > 0
    low = foot[:, 2] < np.quantile(foot[:, 2], 0.3)
    speed = np.linalg.norm(np.gradient(foot[:, :2], axis=0), axis=-1) * 50
    assert np.median(speed[low]) < 0.3 * np.median(speed[~low])


def test_bones_keep_their_length_and_nothing_jumps():
    show = walk()
    bones = np.array([show.joints[:, b] - show.joints[:, a] for a, b in BONES])
    lengths = np.linalg.norm(bones, axis=-1)
    np.testing.assert_allclose(lengths, lengths[:, :1].repeat(300, 1), rtol=1e-9)
    speed = np.linalg.norm(np.diff(show.joints, axis=0), axis=-1) * 50
    assert speed.max() < 8000


def test_a_move_is_never_done_twice_alike():
    rng = np.random.default_rng(3)
    move = H36M_MOVES[2]
    show = act(rng, move, make_body(rng), 1000, 50.0)
    poses = show.joints - show.joints[:, :1]
    first, rest = poses[50], poses[150:]
    nearest = np.linalg.norm(rest - first, axis=-1).mean(axis=-1).min()
    assert nearest > 10  # mm


def test_smooth_noise_has_deviation_one_and_no_edges():
    noise = smooth_noise(np.random.default_rng(0), 40, 3000, 6.0)
    np.testing.assert_allclose(noise.std(axis=1), 1, atol=0.06)
    assert np.abs(np.diff(noise, axis=0)).mean() < 0.15


@pytest.mark.parametrize("change", [{"count": 0}, {"fps": 0.0}, {"cyclic": False}])
def test_what_cannot_be_acted_is_refused(change):
    move = dataclasses.replace(H36M_MOVES[0], cyclic=change.pop("cyclic", True))
    rng = np.random.default_rng(0)
    arguments = {"count": 10, "fps": 50.0} | change
    with pytest.raises(ValueError, match=r"`(count|move)` must be .* Received: "):
        act(rng, move, make_body(rng), **arguments)


def test_joints_lie_as_those_of_the_recordings(take, shared):
    real = np.load(shared / "golden/lifting/prep_S9_Walking_cam1.npz")
    real = real["positions_world17"]
    ours = take.positions[:, ROWS]
    for child in range(1, 17):
        pair = [
            np.linalg.norm(p[:, child] - p[:, PARENTS[child]], axis=-1).mean()
            for p in (ours, real)
        ]
        assert abs(pair[0] - pair[1]) < 0.07, child  # m: another person
    np.testing.assert_allclose(take.positions[:, 11], take.positions[:, 0])
    left = (ours[:, 11] - ours[:, 14]).astype(np.float64)
    ahead = np.cross(left, [0, 0, 1])
    nose = ((ours[:, 9] - ours[:, 8]) * ahead).sum(axis=-1)
    assert (nose > 0).mean() > 0.95
    assert (ours[..., 2] > -0.05).all() and ours[..., 2].max() < 2.2


def test_cameras_see_the_joints_where_they_are(take):
    assert set(take.keypoints) == set(KINDS)
    for camera, seen in zip(
        human36m_cameras()["S9"], take.keypoints["gt"], strict=True
    ):
        points = take.positions[:, ROWS]
        local = world_to_camera(points, camera.orientation, camera.translation)
        lens = np.repeat(camera.intrinsics[None], len(local), axis=0)
        wanted = project_to_2d(local, lens)
        found = normalize_screen(seen, camera.size)
        np.testing.assert_allclose(found, wanted, atol=1e-5)
        assert np.abs(found).max() < 1
        assert seen.dtype == np.float32 and seen.shape == (300, 17, 2)


def test_detections_are_as_good_as_real_ones(take):
    error = np.array(take.keypoints["detected"]) - take.keypoints["gt"]
    away = np.linalg.norm(error, axis=-1)
    assert 4 < away.mean() < 6.5  # px of 1000
    assert np.quantile(away, 0.995) > 4 * np.median(away)
    assert away[..., 16].mean() > 1.3 * away[..., 8].mean()  # wrist, thorax
    lag = (error[:, 1:] * error[:, :-1]).mean() / (error**2).mean()
    assert 0.1 < lag < 0.5  # of what is wrong, that much stays for a frame


def test_coco_has_the_same_limbs_and_a_face(take):
    coco, found = take.keypoints["coco"][0], take.keypoints["gt"][0]
    for ours, theirs in ((9, 13), (10, 16), (15, 6), (16, 3), (5, 11)):
        away = np.linalg.norm(coco[:, ours] - found[:, theirs], axis=-1)
        assert np.median(away) < 10
    assert np.linalg.norm(coco[:, :5] - found[:, 9:10], axis=-1).mean() < 40


def test_what_is_behind_the_trunk_is_hidden():
    body = make_body(np.random.default_rng(0))
    rest = np.zeros((1, 21, 3))
    rest[0, :, 2] = 5.0
    rest[0, 1, 1], rest[0, 0, 1] = -0.5, 0.0  # thorax above pelvis
    points = np.array([[[0, -0.25, 5.3], [0, -0.25, 4.8], [0.4, -0.25, 5.3]]])
    hidden = detections.find_hidden(points, rest, body.height / 1000)
    assert hidden.tolist() == [[True, False, False]]


def test_hidden_points_are_found_worse():
    rng = np.random.default_rng(0)
    points, hidden = np.zeros((4000, 2, 2)), np.zeros((4000, 2), bool)
    hidden[:, 1] = True
    stature = np.full(4000, 800.0)
    found = detections.detect(rng, points, hidden, stature, ("hip",) * 2, 50.0)
    plain, worse = found.reshape(-1, 2, 2).std(axis=(0, 2))
    wanted = 2 * np.hypot(detections.DRIFT, detections.JITTER * np.sqrt(1.3))
    assert plain == pytest.approx(wanted, rel=0.06)
    assert worse == pytest.approx(2.5 * wanted, rel=0.06)


def test_the_files_have_all_takes_of_all_people(folder):
    positions = read_positions_3d(folder / "data_3d_h36m.npz")
    assert lifting.SUBJECTS == (1, 5, 6, 7, 8, 9, 11)
    assert list(positions) == ["S7", "S11"]
    for subject, takes in positions.items():
        found = [find_take(int(subject[1:]), name) for name in takes]
        assert sorted(found) == [(a, t) for a in range(2, 17) for t in (1, 2)]
        assert all(one.shape == (2, 32, 3) for one in takes.values())
    for kind in KINDS:
        keypoints, layout = read_keypoints_2d(folder / f"data_2d_h36m_{kind}.npz")
        assert layout.num_keypoints == 17
        assert layout.name == ("coco" if kind == "coco" else "h36m")
        assert {k: list(v) for k, v in keypoints.items()} == {
            k: list(v) for k, v in positions.items()
        }
        views = [v for one in keypoints.values() for v in one.values()]
        assert all([a.shape for a in v] == [(2, 17, 2)] * 4 for v in views)


def test_a_take_is_the_same_alone_and_in_the_files(folder):
    alone = make_take(1, 0.04, (7, 5, 2))
    name = [
        n
        for n in read_positions_3d(folder / "data_3d_h36m.npz")["S7"]
        if find_take(7, n) == (5, 2)
    ][0]
    positions = read_positions_3d(folder / "data_3d_h36m.npz")
    np.testing.assert_array_equal(alone.positions, positions["S7"][name])
    keypoints, _ = read_keypoints_2d(folder / "data_2d_h36m_coco.npz")
    np.testing.assert_array_equal(alone.keypoints["coco"], keypoints["S7"][name])


def test_files_do_not_depend_on_the_process_that_makes_takes(tmp_path, monkeypatch):
    def map_elsewhere(work, jobs, workers, progress):
        return (pickle.loads(pickle.dumps(work(job))) for job in jobs)

    monkeypatch.setattr(lifting, "SUBJECTS", (9,))
    monkeypatch.setattr(lifting, "ACTIONS", {i: lifting.ACTIONS[i] for i in (4, 14)})
    write_lifting(tmp_path / "here", 0.04)
    monkeypatch.setattr(lifting.writing, "map_jobs", map_elsewhere)
    write_lifting(tmp_path / "elsewhere", 0.04)
    names = sorted(path.name for path in (tmp_path / "here").iterdir())
    assert len(names) == 6
    for name in names:
        here, elsewhere = (tmp_path / part / name for part in ("here", "elsewhere"))
        assert here.read_bytes() == elsewhere.read_bytes(), name


def test_folders_with_files_of_another_origin_are_left_alone(folder, tmp_path):
    own = tmp_path / "data_3d_h36m.npz"
    own.write_bytes(b"real")
    with pytest.raises(FileExistsError, match="did not generate: .*data_3d_h36m"):
        write_lifting(tmp_path, 0.02, overwrite=True)
    assert own.read_bytes() == b"real" and not is_generated(tmp_path)
    with pytest.raises(FileExistsError, match="must be empty"):
        write_lifting(folder, 0.02)


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "4000"])
def test_lengths_that_make_no_sense_are_refused(seconds, tmp_path, capsys):
    main = load("datasets/lifting/generate.py").main
    assert main([str(tmp_path / "out"), "--seconds", seconds]) == 1
    assert "`seconds` must be " in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
