"""Files of lifting: written, read, and seen by the cameras."""

import json
import zipfile

import numpy as np
import pytest
from tiny_lifting import LAYOUT, TAKES, make_positions, see, write_tiny_lifting

from deephar.data.lifting import LiftingData, base_action, open_lifting_data
from deephar.data.lifting_cameras import human36m_cameras
from deephar.data.lifting_format import (
    Layout,
    read_keypoints_2d,
    read_positions_3d,
    write_keypoints_2d,
    write_positions_3d,
)
from deephar.data.lifting_skeletons import KEPT_JOINTS
from deephar.utils.camera import project_to_2d


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_tiny_lifting(tmp_path_factory.mktemp("lifting"))


@pytest.fixture(scope="module")
def data(folder):
    return open_lifting_data(folder, "h36m", "gt")


def takes_of(sequences):
    return [(one.subject, one.action, one.camera) for one in sequences]


def test_files_are_read_as_they_were_written(folder, data):
    assert (data.subjects, data.fps, data.layout_name) == (["S1", "S9"], 50, "h36m")
    assert (data.num_keypoints, data.keypoints_left[:3]) == (17, (4, 5, 6))
    world = make_positions()
    read = read_positions_3d(folder / "data_3d_h36m.npz")
    np.testing.assert_array_equal(read["S1"]["Walking"], world["S1"]["Walking"])
    kept = world["S9"]["WalkDog"][:, KEPT_JOINTS]
    np.testing.assert_array_equal(data.positions["S9"]["WalkDog"], kept)
    keypoints, layout = read_keypoints_2d(folder / "data_2d_h36m_gt.npz")
    assert layout == LAYOUT
    np.testing.assert_array_equal(
        keypoints["S9"]["WalkDog"][2], see(world)["S9"]["WalkDog"][2]
    )


def test_sequences_come_in_order_and_project_onto_their_key_points(data):
    sequences = data.sequences(["S9", "S1"])
    assert takes_of(sequences) == [
        (subject, take, camera)
        for subject in ("S9", "S1")
        for take in TAKES[subject]
        for camera in range(4)
    ]
    for one in sequences:
        joints = one.positions.copy()
        joints[:, 1:] += joints[:, :1]
        lenses = np.repeat(one.intrinsics[None], len(joints), axis=0)
        plane = project_to_2d(joints, lenses)
        np.testing.assert_allclose(plane, one.keypoints, atol=1e-5)
        assert one.positions.dtype == one.keypoints.dtype == np.float32


def test_real_motion_is_prepared_as_the_reference_does(shared):
    with np.load(shared / "golden" / "lifting" / "prep_S9_Walking_cam1.npz") as file:
        values = dict(file)
    keypoints = {"S9": {"Walking": [values["kp_px"]] * 4}}
    positions = {"S9": {"Walking": values["positions_world17"]}}
    data = LiftingData("h36m", keypoints, LAYOUT, human36m_cameras(), positions)
    one = data.sequences(["S9"])[1]
    np.testing.assert_array_equal(one.keypoints, values["positions_2d"])
    np.testing.assert_allclose(one.positions, values["positions_3d"], atol=3e-6)
    np.testing.assert_array_equal(one.intrinsics, values["intrinsic"])


@pytest.mark.parametrize(
    ("actions", "expected"),
    [
        (["Walking"], ["Walking"]),
        (["WalkDog", "Sit"], ["WalkDog 1", "Sitting 1"]),
        (["WalkDog 1"], ["WalkDog 1"]),
        (None, ["Walking", "WalkDog 1", "Sitting 1"]),
    ],
)
def test_actions_are_taken_by_name(data, actions, expected):
    assert data.takes("S1", actions) == expected
    assert [base_action(take) for take in expected][0] == expected[0].split()[0]


def test_an_action_that_several_begin_with_is_refused(data):
    with pytest.raises(ValueError, match="Sitting, WalkDog, Walking.*'Walk'"):
        data.takes("S1", ["Walk"])
    with pytest.raises(ValueError, match="one of Sitting.*Received: ''"):
        data.sequences(["S1"], [""])


def test_a_part_of_the_frames_is_one_piece_the_same_for_all_cameras(data):
    whole = data.sequences(["S1"], ["Walking"])
    part = data.sequences(["S1"], ["Walking"], subset=0.25, downsample=2)
    again = data.sequences(["S1"], ["Walking"], subset=0.25, downsample=2)
    starts = []
    for one, piece, same in zip(whole, part, again, strict=True):
        assert piece.keypoints.shape == (5, 17, 2)
        np.testing.assert_array_equal(piece.positions, same.positions)
        hits = (one.keypoints == piece.keypoints[0]).all(axis=(1, 2))
        starts.append(int(np.flatnonzero(hits)[0]))
        rows = slice(starts[-1], starts[-1] + 10, 2)
        np.testing.assert_array_equal(piece.keypoints, one.keypoints[rows])
        np.testing.assert_array_equal(piece.positions, one.positions[rows])
    assert len(set(starts)) == 1


def test_sequences_without_labels_have_lenses_only(data):
    for one in data.sequences(["S1"], labelled=False):
        assert one.positions is None and one.intrinsics.shape == (9,)


def test_key_points_are_cut_to_the_motion(caplog):
    positions = make_positions({"S1": {"Walking": 8}}, joints=17)
    longer = see(make_positions({"S1": {"Walking": 10, "Waiting": 4}}, joints=17))
    cameras = human36m_cameras()
    data = LiftingData("h36m", longer, LAYOUT, cameras, positions)
    assert data.sequences(["S1"])[0].keypoints.shape == (8, 17, 2)
    assert "no poses in space of S1 Waiting" in caplog.text
    assert len(data.sequences(["S1"])) == 4
    assert len(data.sequences(["S1"], labelled=False)) == 8
    with pytest.raises(ValueError, match="S1, Walking .* as many frames.*8.*: 7"):
        short = see(make_positions({"S1": {"Walking": 7}}, joints=17))
        LiftingData("h36m", short, LAYOUT, cameras, positions)
    with pytest.raises(ValueError, match="every take. Received: none of Walking"):
        longer["S1"].pop("Walking")
        LiftingData("h36m", longer, LAYOUT, cameras, positions)


def test_a_custom_file_has_the_sizes_of_its_videos(tmp_path):
    videos = {"a.mp4": {"w": 200, "h": 100, "fps": 25}}
    layout = Layout(3, (1,), (2,), "three", videos)
    keypoints = {"a.mp4": {"custom": [np.float32([[[0, 0], [200, 100], [100, 50]]])]}}
    write_keypoints_2d(tmp_path / "data_2d_custom_mine.npz", keypoints, layout)
    data = open_lifting_data(tmp_path, "custom", "mine")
    (one,) = data.sequences(["a.mp4"], labelled=False)
    np.testing.assert_array_equal(one.keypoints, [[[-1, -0.5], [1, 0.5], [0, 0]]])
    assert (one.intrinsics, one.positions, data.positions) == (None, None, {})
    assert (data.layout, data.fps) == (layout, None)
    assert len(data.skeleton.parents) == 17
    with pytest.raises(ValueError, match=r"a.mp4 must .* poses in space .* none"):
        data.sequences(["a.mp4"])


def test_no_one_is_left_out_silently(caplog):
    world = make_positions({"S1": {"Walking": 8, "Sitting": 6}, "S9": {"Walking": 8}})
    data = LiftingData("h36m", see(world), LAYOUT, human36m_cameras(), world)
    assert len(data.sequences(["S1", "S9"], ["Walking", "Sitting"])) == 12
    assert "S9 has no takes with poses in space of Sitting" in caplog.text
    assert "S1" not in caplog.text
    with pytest.raises(
        ValueError, match=r"S9 must have takes of the actions Sitting\."
    ):
        data.sequences(["S1", "S9"], ["Sitting"], labelled=False)
    del data.positions["S9"]
    with pytest.raises(
        ValueError, match=r"S9 must .* poses in space of the actions \*"
    ):
        data.sequences(["S1", "S9"])
    with pytest.raises(ValueError, match="`subjects` must name people"):
        data.sequences([])


def test_people_without_cameras_are_left_out(tmp_path, caplog):
    positions = make_positions({"S1": {"Walking": 4}, "S9": {"Walking": 4}})
    write_positions_3d(tmp_path / "data_3d_h36m.npz", positions)
    keypoints = see(positions)
    keypoints["S2"] = keypoints["S9"]
    write_keypoints_2d(tmp_path / "data_2d_h36m_gt.npz", keypoints, LAYOUT)
    data = open_lifting_data(tmp_path, "h36m", "gt")
    assert data.subjects == ["S1", "S9"] and len(data.sequences(["S9"])) == 4
    assert "gt.npz: left out are S2, no cameras in deephar" in caplog.text
    with pytest.raises(ValueError, match=r"among S1, S9, .* cameras\. Received: S2"):
        data.sequences(["S2"], labelled=False)


def test_humaneva_needs_cameras_and_finds_them_by_person(tmp_path):
    positions = {"Train/S1": {"Jog 1 chunk0": np.zeros((4, 15, 3), np.float32)}}
    write_positions_3d(tmp_path / "data_3d_humaneva15.npz", positions)
    keypoints = {"Train/S1": {"Jog 1 chunk0": [np.zeros((5, 17, 2), np.float32)]}}
    write_keypoints_2d(tmp_path / "data_2d_humaneva15_gt.npz", keypoints, LAYOUT)
    with pytest.raises(ValueError, match="`cameras` must be given for humaneva15"):
        open_lifting_data(tmp_path, "humaneva15", "gt")
    place = {"orientation": [1, 0, 0, 0], "translation": [0, 0, -4]}
    content = {"S1": [{"name": "C1", "size": [640, 480], **place}]}
    (tmp_path / "c.json").write_text(json.dumps(content))
    data = open_lifting_data(tmp_path, "humaneva15", "gt", tmp_path / "c.json")
    (one,) = data.sequences(["Train/S1"], ["Jog"])
    assert (one.positions[0, 0].tolist(), data.fps) == ([0, 0, 4], 60)
    assert len(data.skeleton.names) == 15
    (tmp_path / "c.json").write_text(json.dumps({"S2": content["S1"]}))
    with pytest.raises(ValueError, match=r"its subjects.*Train/S1, of whom .*c\.json"):
        open_lifting_data(tmp_path, "humaneva15", "gt", tmp_path / "c.json")


def test_bad_arguments_are_named(data, folder):
    with pytest.raises(ValueError, match=r"`subset` must be in \(0, 1\].*subset=0"):
        data.sequences(["S1"], subset=0)
    with pytest.raises(ValueError, match="`downsample` must be at least 1"):
        data.sequences(["S1"], downsample=0)
    with pytest.raises(ValueError, match="among S1, S9.*Received: S2"):
        data.sequences(["S2"])
    with pytest.raises(ValueError, match="`dataset` must be one of h36m"):
        open_lifting_data(folder, "mpii")
    with pytest.raises(FileNotFoundError, match="data_2d_h36m_cpn.npz. See datasets/l"):
        open_lifting_data(folder, "h36m", "cpn")


def test_nan_is_named_where_it_is_used():
    positions = make_positions({"S1": {"Walking": 4}}, joints=17)
    keypoints = see(positions)
    keypoints["S1"]["Walking"][2][1, 5] = np.nan
    data = LiftingData("h36m", keypoints, LAYOUT, human36m_cameras(), positions)
    with pytest.raises(ValueError, match="`keypoints` of S1, Walking, camera 2"):
        data.sequences(["S1"])
    positions["S1"]["Walking"][3, 0] = np.nan
    data = LiftingData("h36m", keypoints, LAYOUT, human36m_cameras(), positions)
    with pytest.raises(ValueError, match="`positions` of S1, Walking .*at place 3"):
        data.sequences(["S1"])


@pytest.mark.parametrize(
    ("people", "message"),
    [
        ({"S1": {"Walk": [np.zeros((4, 17))]}}, r"S1, Walk must be an array \(frames"),
        ({"S1": {"Walk": [np.zeros((0, 17, 2))]}}, "S1, Walk must be an array"),
        ({"S1": {"Walk": [np.full((2, 3, 2), np.inf)]}}, "finite or NaN"),
        ({"S1": {"Walk": 3}}, "must be a list of an array for each camera"),
        ({"S1": {}}, "must be a dictionary of people, of dictionaries of takes"),
        ([1, 2], "object|dictionary of people"),
        (
            {"S1": {"A": [np.zeros((1, 3, 2))], "B": [np.zeros((1, 4, 2))]}},
            r"same number of key points. Received: \[3, 4\]",
        ),
    ],
)
def test_bad_key_points_are_named(tmp_path, people, message):
    path = tmp_path / "bad.npz"
    np.savez(path, positions_2d=people, metadata={"keypoints_symmetry": [[1], [2]]})
    with pytest.raises(ValueError, match=message) as caught:
        read_keypoints_2d(path)
    assert "bad.npz" in str(caught.value)


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({}, "must have keypoints_symmetry"),
        ({"keypoints_symmetry": [[1], []]}, r"of 3 key points. Received: \(1,\), \(\)"),
        ({"keypoints_symmetry": [[1], [3]]}, r"Received: \(1,\), \(3,\)"),
        ({"keypoints_symmetry": [[1], [1]]}, "in the same order"),
        (
            {"keypoints_symmetry": [[1], [2]], "video_metadata": {"a": {"w": 3}}},
            "w and",
        ),
        (
            {
                "keypoints_symmetry": [[1], [2]],
                "video_metadata": {"a": {"w": np.inf, "h": 3}},
            },
            "`video_metadata` of a must have the picture's w and h",
        ),
        ({"keypoints_symmetry": [[1], [2]], "video_metadata": [3]}, "of dictionaries"),
    ],
)
def test_bad_metadata_are_named(tmp_path, metadata, message):
    path = tmp_path / "bad.npz"
    people = {"S1": {"Walk": [np.zeros((1, 3, 3))]}}
    np.savez(path, positions_2d=people, metadata=metadata)
    with pytest.raises(ValueError, match=message) as caught:
        read_keypoints_2d(path)
    assert "bad.npz" in str(caught.value)


def test_a_third_column_is_passed_over(tmp_path):
    values = np.arange(12.0).reshape(1, 4, 3)
    metadata = {"keypoints_symmetry": [[1], [2]], "num_joints": 17}
    np.savez(
        tmp_path / "a.npz", positions_2d={"S1": {"A": values[None]}}, metadata=metadata
    )
    keypoints, layout = read_keypoints_2d(tmp_path / "a.npz")
    np.testing.assert_array_equal(keypoints["S1"]["A"][0], values[..., :2])
    assert layout.num_keypoints == 4


def test_a_pickle_in_a_file_runs_nothing(tmp_path):
    class Evil:
        def __reduce__(self):
            return (tmp_path / "evil").touch, ()

    np.savez(tmp_path / "a.npz", positions_3d={"S1": Evil()})
    with pytest.raises(ValueError, match=r"a\.npz must be a whole"):
        read_positions_3d(tmp_path / "a.npz")
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize("header", ["{'descr': (", "{'descr': '|O'", "  x\n y"])
def test_a_damaged_header_is_named(tmp_path, header):
    path = tmp_path / "a.npz"
    data = header.ljust(54).encode() + b"\n"
    start = b"\x93NUMPY\x01\x00" + len(data).to_bytes(2, "little")
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("positions_3d.npy", start + data)
    with pytest.raises(ValueError, match=r"a\.npz must be a whole"):
        read_positions_3d(path)


def test_what_cannot_be_read_is_not_written(tmp_path):
    with pytest.raises(ValueError, match="S1, A must be an array"):
        write_positions_3d(tmp_path / "a.npz", {"S1": {"A": np.zeros((3, 3))}})
    keypoints = {"S1": {"A": [np.zeros((2, 4, 2))]}}
    with pytest.raises(ValueError, match="must have 3 key points.*Received: 4"):
        write_keypoints_2d(tmp_path / "a.npz", keypoints, Layout(3))
    with pytest.raises(ValueError, match="Received: no take"):
        write_positions_3d(tmp_path / "a.npz", {})
    assert list(tmp_path.iterdir()) == []
