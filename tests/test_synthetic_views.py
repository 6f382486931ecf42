"""Generated people before several cameras: recordings, their labels, on disk."""

import numpy as np
import pytest
from PIL import Image
from scripts import load

from deephar.data import human36m_format, ntu_format
from deephar.data.synthetic import (
    JOINTS,
    human36m_pose,
    make_ntu_recording,
    make_recording,
    write_human36m_sequences,
    write_ntu_clips,
)
from deephar.data.synthetic.film import Film
from deephar.data.synthetic.h36m_moves import H36M_MOVES
from deephar.data.synthetic.merl_moves import MERL_MOVES
from deephar.data.synthetic.ntu_moves import NTU_MOVES
from deephar.data.synthetic.penn_moves import PENN_MOVES
from deephar.data.synthetic.props import PROPS
from deephar.utils.pose import pa20j3d, pa21j3d

SMALL = {"frames": (3, 2), "size": (64, 64)}


def joint(name):
    return JOINTS.index(name)


def plain_film(view):
    return Film(np.arange(256), 0.0, np.zeros((*view.size[::-1], 3), np.int16))


def test_moves_have_the_names_of_the_data_sets():
    names = tuple(move.name for move in H36M_MOVES)
    assert sorted(names) == sorted(human36m_format.ACTIONS.values())
    names = {move.name for move in NTU_MOVES}
    assert len(names) == len(NTU_MOVES) == 20
    assert names <= set(ntu_format.ACTIONS)
    merl = [move for ways in MERL_MOVES.values() for move in ways]
    used = {move.prop for move in (*PENN_MOVES, *H36M_MOVES, *NTU_MOVES, *merl)}
    assert used - {""} == set(PROPS)


@pytest.mark.parametrize("index", range(15))
def test_all_four_cameras_have_the_person_where_the_labels_say(index):
    _, recording, views = make_recording(1, 0, index, 2, 25, (200, 200))
    owned = []
    for view in views:
        for i, take in enumerate(recording.film(view, plain_film(view))):
            found = view.camera.project(recording.show.joints[i])[:, :2]
            assert (found > 5).all() and (found < 195).all()
            x, y = (found - take.corner).astype(int).T
            index_at = take.index[y, x]
            owned.append((index_at >= 0) & (take.owner[index_at] == 0))
    inner = np.arange(len(JOINTS)) != joint("head")  # the top of it
    assert np.mean(owned, axis=0)[inner].min() >= 0.5
    assert np.mean(owned) > 0.9


def test_cameras_stand_around_people_four_to_six_metres_off():
    (_, _, take), recording, views = make_recording(1, 1, 16, 4, 64)
    places = np.array([view.position for view in views])
    away = np.linalg.norm(places[:, :2], axis=1)
    assert take == 1 and away.min() > 4000 and away.max() < 6000
    turns = np.sort(np.degrees(np.arctan2(places[:, 1], places[:, 0])))
    assert np.diff(turns).min() > 55
    pelvis = recording.show.joints[:, 0, :2]
    np.testing.assert_allclose(pelvis.min(axis=0) + pelvis.max(axis=0), 0, atol=1e-6)


def test_those_who_walk_go_somewhere():
    _, recording, _ = make_recording(2, 0, 12, 20, 5)
    assert recording.show.move.name == "Walking"
    path = recording.show.joints[:, 0, :2]
    speed = np.linalg.norm(np.diff(path, axis=0), axis=1) * 10
    assert 600 < np.median(speed) < 2000  # mm a second


def test_human36m_joints_are_where_the_layouts_look_for_them():
    _, recording, _ = make_recording(3, 0, 0, 2, 5)
    show = recording.show
    poses = human36m_pose(recording.person.body, show.joints, show.frames)
    assert poses.shape == (2, 32, 3) and np.isfinite(poses).all()
    np.testing.assert_array_equal(poses[:, pa21j3d.map_from_h36m], show.joints)
    for first, second in ((16, 13), (24, 13), (20, 19), (28, 27), (23, 22), (31, 30)):
        np.testing.assert_array_equal(poses[:, first], poses[:, second])


@pytest.fixture(scope="module")
def h36m(tmp_path_factory):
    folder = tmp_path_factory.mktemp("h36m")
    write_human36m_sequences(folder, 2, 1, steps=(5, 64), seed=4, **SMALL)
    return folder


def test_written_recordings_read_back_with_their_cameras(h36m):
    parts, labels, _ = human36m_format.read_human36m(h36m / "annotations.mat")
    assert labels == human36m_format.ACTION_LABELS
    assert [len(part) for part in parts] == [0, 8, 4]
    names = [sequence.name for sequence in parts[1]]
    assert names[:5] == [
        *(f"a02_s01_e01_c{camera:02d}" for camera in (1, 2, 3, 4)),
        "a03_s05_e01_c01",
    ]
    assert parts[2][0].name == "a02_s09_e01_c01"
    assert parts[1][0].frames.tolist() == [1, 6, 11]
    assert parts[2][0].frames.tolist() == [1, 65]
    _, recording, views = make_recording(4, 0, 1, 3, 5, SMALL["size"])
    for sequence, view in zip(parts[1][4:], views, strict=True):
        joints = sequence.poses[:, pa21j3d.map_from_h36m].reshape(-1, 3)
        expected = view.camera.project(recording.show.joints.reshape(-1, 3))
        found = sequence.camera.project(joints)
        np.testing.assert_allclose(found, expected, atol=1e-9)
        assert sequence.camera.serialize().shape == (21,)
        for number in sequence.frames:
            path = h36m / "images" / sequence.name / f"{number:05d}.jpg"
            with Image.open(path) as picture:
                assert picture.size == sequence.size == (64, 64)


def test_recordings_do_not_depend_on_how_many_there_are(h36m, tmp_path):
    write_human36m_sequences(tmp_path, 1, 0, steps=(5, 64), seed=4, **SMALL)
    pictures = sorted((tmp_path / "images").rglob("*.jpg"))
    assert len(pictures) == 12
    for path in pictures:
        other = h36m / path.relative_to(tmp_path)
        assert other.read_bytes() == path.read_bytes()


def test_a_person_keeps_the_body_and_the_calibration(tmp_path):
    people = {}
    for index in range(0, 80, 3):
        (_, subject, _), recording, views = make_recording(5, 0, index, 1, 5)
        body = recording.person.body
        known = people.setdefault(subject, (body.height, views[0].position))
        assert body.height == known[0]
        np.testing.assert_array_equal(views[0].position, known[1])
    assert sorted(people) == [1, 5, 6, 7, 8]
    assert len({height for height, _ in people.values()}) == 5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"valid": -1}, "`valid` must be at least 0"),
        ({"frames": (0, 1)}, r"`frames` must be at least 1.*frames=\(0, 1\)"),
        ({"steps": (5, 0)}, r"`steps` must be at least 1.*steps=\(5, 0\)"),
        ({"valid": 9999}, "must be at most 2970, as names count takes"),
    ],
)
def test_senseless_recordings_are_refused(tmp_path, arguments, message):
    numbers = {"train": 1, "valid": 0, **SMALL, **arguments}
    with pytest.raises(ValueError, match=message):
        write_human36m_sequences(tmp_path / "out", **numbers)
    assert not (tmp_path / "out").exists()


@pytest.fixture(scope="module")
def ntu(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ntu")
    write_ntu_clips(folder, 1, 1, (2, 2), seed=8)
    return folder


def test_ntu_joints_in_space_land_on_those_in_the_picture(ntu):
    paths = sorted((ntu / ntu_format.FOLDER).glob("*.npy"))
    assert len(paths) == 6
    for path in paths:
        video = ntu_format.read_ntu(path)
        right, up, away = np.moveaxis(video.world, -1, 0)
        x, y, depth = np.moveaxis(video.image, -1, 0)
        np.testing.assert_allclose(960 + 1081.4 * right / away, x, atol=1e-6)
        np.testing.assert_allclose(540 - 1081.4 * up / away, y, atol=1e-6)
        np.testing.assert_allclose(depth, 1000 * away)
        assert (2000 < depth).all() and (depth < 5500).all()
        assert len(video.frames) == 2
        for number in video.frames:
            name = ntu / "images-small" / video.name / f"{number:05d}.jpg"
            with Image.open(name) as picture:
                assert picture.size == ntu_format.SMALL_SIZE


def test_ntu_people_keep_to_the_parts_of_the_protocol(ntu):
    names = sorted(path.stem for path in (ntu / ntu_format.FOLDER).glob("*.npy"))
    found = [ntu_format.parse_name(name) for name in names]
    train = [one for one in found if one[2] in ntu_format.CROSS_SUBJECT_TRAIN]
    assert len(train) == 3
    assert {one[1] for one in train} == {1, 2, 3}
    assert {one[4] for one in found} == {1}
    made = {make_ntu_recording(0, 0, index, (1, 1))[0] for index in range(0, 900, 7)}
    assert len(made) == len(range(0, 900, 7))


def test_all_three_cameras_have_the_person_where_the_labels_say():
    for index in (2, 12, 19):
        _, recording, views = make_ntu_recording(9, 1, index, (3, 3))
        for view in views:
            takes = recording.film(view, plain_film(view))
            for i, take in enumerate(takes):
                found = view.camera.project(recording.show.joints[i])[:, :2]
                assert (found > 0).all() and (found < (960, 540)).all()
                x, y = (found - take.corner).astype(int).T
                owned = take.owner[take.index[y, x]] == 0
                assert (owned & (take.index[y, x] >= 0)).mean() > 0.9


def test_what_ntu_calls_left_is_the_right_of_the_layouts(ntu):
    pattern, recording, views = make_ntu_recording(8, 0, 0, (2, 2))
    path = ntu / ntu_format.FOLDER / f"{pattern.format(2)}.npy"
    image = ntu_format.read_ntu(path).image[:, pa20j3d.map_from_ntu]
    row = pa20j3d.joint_names.index("r_shoul")
    expected = views[1].camera.project(recording.show.joints[:, joint("r_shoulder")])
    np.testing.assert_allclose(image[:, row, :2], 2 * expected[:, :2], atol=1e-6)


def test_real_ntu_annotations_are_not_overwritten(tmp_path):
    (tmp_path / ntu_format.FOLDER).mkdir()
    real = tmp_path / ntu_format.FOLDER / "S001C001P001R001A001.npy"
    real.write_text("real")
    with pytest.raises(FileExistsError, match="did not generate: .*A001.npy"):
        write_ntu_clips(tmp_path, 1, 0, (1, 1), overwrite=True)
    assert real.read_text() == "real"
    with pytest.raises(ValueError, match="must be at most 13600, as many as .*names"):
        write_ntu_clips(tmp_path, 99999, 0)


def test_the_scripts_write_recordings(tmp_path, capsys):
    main = load("datasets/Human3.6M/generate.py").main
    numbers = ["--train", "1", "--valid", "0", "--workers", "1"]
    numbers += ["--frames", "1", "1", "--step", "5", "64", "--size", "64", "64"]
    assert main([str(tmp_path / "h36m"), *numbers]) == 0
    assert "1 training and 0 validation recordings by four" in capsys.readouterr().out
    main = load("datasets/NTU/generate.py").main
    numbers = ["--train", "0", "--test", "1", "--workers", "1", "--frames", "1", "1"]
    assert main([str(tmp_path / "ntu"), *numbers]) == 0
    assert "0 training and 1 test recordings by three" in capsys.readouterr().out
    assert main([str(tmp_path / "ntu"), *numbers]) == 1
    assert "(--overwrite)" in capsys.readouterr().err
