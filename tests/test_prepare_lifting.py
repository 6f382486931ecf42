"""Files of lifting made by the scripts of datasets/Human3.6M and datasets/lifting."""

import json

import numpy as np
import PIL.Image
import pytest
from scripts import load
from test_human36m_preparation import make_joints, write_hdf5, write_npz
from tiny_lifting import make_positions

from deephar.data.lifting import open_lifting_data
from deephar.data.lifting_detections import (
    layout_of,
    read_detectron,
    read_predictions,
)
from deephar.inference.predictor import Pose
from deephar.utils.camera import project_to_2d
from deephar.utils.pose import INVALID, coco17j, h36m17j, pa16j2d

human36m = load("datasets/Human3.6M/prepare_lifting.py")
detections = load("datasets/lifting/prepare_detections.py")


def open_made(folder, keypoints="gt", dataset="h36m"):
    return open_lifting_data(folder, dataset, keypoints)


def check_projection(data):
    for one in data.sequences(data.subjects):
        joints = one.positions.copy()
        joints[:, 1:] += joints[:, :1]
        lenses = np.repeat(one.intrinsics[None], len(joints), axis=0)
        found = project_to_2d(joints, lenses)
        np.testing.assert_allclose(found, one.keypoints, atol=1e-5)


def test_joints_of_an_archive_become_key_points(tmp_path, capsys):
    positions = make_positions({"S1": {"WalkDog 1": 6}, "S9": {"Directions": 4}})
    source = write_npz(tmp_path / "archive.npz", positions)
    out = tmp_path / "data"
    assert human36m.main([str(source), "--data", str(out)]) == 0
    text = capsys.readouterr().out
    assert "S1: 1 takes, 6 frames by four cameras" in text
    assert "207 takes without joints: S1 Directions 1, S1 Directions, " in text
    data = open_made(out)
    assert data.takes("S1") == ["WalkDog 1"] and data.layout_name == "h36m"
    check_projection(data)
    read = data.positions["S9"]["Directions"]
    expected = positions["S9"]["Directions"][:, human36m.KEPT_JOINTS]
    np.testing.assert_array_equal(read, expected)


def test_joints_of_the_owners_are_read_by_take(tmp_path, capsys):
    folder = tmp_path / "owners"
    for name in ("S11/Directions", "S11/Directions 1", "S11/Waiting"):
        subject, take = name.split("/")
        path = folder / subject / "MyPoses/3D_positions" / f"{take}.h5"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_hdf5(path, make_joints(5).reshape(5, 96))
    path.write_bytes(b"cut short")
    arguments = [str(folder), "--data", str(tmp_path / "data"), "--subjects", "11"]
    assert human36m.main(arguments) == 1
    assert "1 are bad. Wrote nothing; --bad leave-out" in capsys.readouterr().err
    assert human36m.main([*arguments, "--bad", "leave-out"]) == 0
    assert "left out: " + str(path) in capsys.readouterr().err
    data = open_made(tmp_path / "data")
    assert data.takes("S11") == ["Directions 1"]
    expected = make_joints(5)[:, human36m.KEPT_JOINTS] / 1000
    np.testing.assert_allclose(
        data.positions["S11"]["Directions 1"], expected, rtol=1e-6
    )


def test_a_source_in_the_folder_stays_as_it_is(tmp_path, capsys):
    folder, source = tmp_path, tmp_path / "data_3d_h36m.npz"
    positions = make_positions({"S11": {"Directions": 4, "Waiting": 4}})
    write_npz(source, positions)
    assert human36m.main([str(source), "--data", str(folder)]) == 1
    assert "has 1 takes that are left out, and stays" in capsys.readouterr().err
    del positions["S11"]["Directions"]
    write_npz(source, positions)
    before = source.read_bytes()
    assert human36m.main([str(source), "--data", str(folder)]) == 0
    assert source.read_bytes() == before
    check_projection(open_made(folder))


def test_nan_among_the_joints_that_remain_is_named(tmp_path, capsys):
    positions = make_positions({"S1": {"Walking": 4}})
    positions["S1"]["Walking"][2, 15] = np.nan
    source = write_npz(tmp_path / "a.npz", positions)
    assert human36m.main([str(source), "--data", str(tmp_path)]) == 1
    assert "`positions` of S1 Walking must be finite at the 17" in (
        capsys.readouterr().err
    )


@pytest.fixture
def found(golden):
    with np.load(golden / "detectron_decoded.npz") as file:
        return dict(file)


def test_detections_equal_the_references(golden, found, tmp_path, capsys):
    folder = tmp_path / "in"
    folder.mkdir()
    raw = (golden / "detectron_raw.npz").read_bytes()
    for name in ("one.mp4.npz", "two.mp4.npz"):
        (folder / name).write_bytes(raw)
    arguments = ["-i", str(folder), "-o", "mine", "--data", str(tmp_path)]
    assert detections.main([*arguments, "--fps", "25"]) == 0
    text = "two.mp4: 12 frames, 4 of them without a person and filled in, 5 with"
    assert text in capsys.readouterr().out
    data = open_made(tmp_path, "mine", "custom")
    assert data.subjects == ["one.mp4", "two.mp4"]
    for video in data.subjects:
        (view,) = data.keypoints[video]["custom"]
        np.testing.assert_array_equal(view, found["keypoints"])
    assert data.layout.videos["one.mp4"] == {"w": 1000, "h": 800, "fps": 25}
    assert (data.layout_name, data.keypoints_right[:2]) == ("coco", (2, 4))
    assert detections.main([*arguments, "--layout", "h36m"]) == 0
    data = open_made(tmp_path, "mine", "custom")
    assert (data.layout_name, data.keypoints_left) == ("h36m", (4, 5, 6, 11, 12, 13))
    (view,) = data.keypoints["one.mp4"]["custom"]
    hips = found["keypoints"][:, [11, 12]].mean(axis=1)
    np.testing.assert_allclose(view[:, 0], hips, atol=1e-3)


def person(x, confidence, names=pa16j2d.joint_names):
    joints = np.tile([x, 2.0], (len(names), 1))
    sure = np.full(len(names), confidence)
    return Pose(joints, sure, (0, 0, 9, 9), tuple(names)).to_dict()


def write_predictions(folder):
    """A run folder: pictures 9 to 11, nobody in the second, two people in the last."""
    folder.mkdir()
    people = {9: [person(1, 0.5)], 10: [], 11: [person(4, 0.2), person(3, 0.9)]}
    for number, found in people.items():
        picture = folder / f"{number}.png"
        PIL.Image.new("RGB", (40, 30)).save(picture)
        record = {"picture": str(picture), "people": found}
        (folder / f"{number}.json").write_text(json.dumps(record))
    (folder / "arguments_predict_one_img.json").write_text("{}")
    return folder


def test_predictions_of_ours_are_joined_in_the_order_of_the_pictures(tmp_path, capsys):
    folder = write_predictions(tmp_path / "walk")
    arguments = ["-i", str(folder), "-o", "ours", "--data", str(tmp_path)]
    assert detections.main(arguments) == 0
    assert "walk: 3 frames, 1 of them without a person" in capsys.readouterr().out
    data = open_made(tmp_path, "ours", "custom")
    (view,) = data.keypoints["walk"]["custom"]
    assert view[:, 5, 0].tolist() == [1, 2, 3]
    assert data.layout.videos["walk"] == {"w": 40, "h": 30}
    names = pa16j2d.joint_names
    pairs = zip(data.keypoints_left, data.keypoints_right, strict=True)
    assert [(names[a][2:], names[b][:2]) for a, b in pairs] == [
        (name[2:], "r_") for name in names if name[:2] == "l_"
    ]


def test_predictions_in_one_file_are_of_the_pictures_they_name(tmp_path):
    names = [str(tmp_path / f"{number}.jpg") for number in (10, 9)]
    people = [{"picture": name, **person(i, 0.5)} for i, name in enumerate(names)]
    path = tmp_path / "poses.json"
    path.write_text(json.dumps({"receipt": {}, "people": people}))
    found = read_predictions([path], (100, 50))
    assert found.keypoints[:, 0, 0].tolist() == [1, 0]
    assert (found.size, found.crowded, found.found.all()) == ((100, 50), 0, True)
    with pytest.raises(OSError, match=r"9\.jpg|10\.jpg"):
        read_predictions([path])


def write_poses(folder, names):
    """A poses.json with a person in each picture of these names, x from 0 on."""
    people = [{"picture": name, **person(i, 0.5)} for i, name in enumerate(names)]
    path = folder / "poses.json"
    path.write_text(json.dumps({"people": people}))
    return path


def test_frames_that_no_picture_names_are_filled_in_and_counted(tmp_path, capsys):
    path = write_poses(tmp_path, [f"v2/f_{n}.jpg" for n in ("001", "002", "003", "7")])
    arguments = ["-i", str(path), "-o", "gap", "--size", "9", "9"]
    assert detections.main([*arguments, "--data", str(tmp_path)]) == 0
    assert "7 frames, 3 of them without a person" in capsys.readouterr().out
    data = open_made(tmp_path, "gap", "custom")
    (view,) = data.keypoints[tmp_path.name]["custom"]
    np.testing.assert_allclose(view[:, 0, 0], [0, 1, 2, 2.25, 2.5, 2.75, 3])
    for number, picture in ((1, "v/1.png"), (9, "v/9.png")):
        record = {"picture": picture, "people": [person(number, 1)]}
        (tmp_path / f"{number}.json").write_text(json.dumps(record))
    found = read_predictions([tmp_path / "1.json", tmp_path / "9.json"], (9, 9))
    assert np.flatnonzero(found.found).tolist() == [0, 8]


def test_names_that_do_not_count_frames_are_said(tmp_path, caplog):
    path = write_poses(tmp_path, ["a2_10.jpg", "a2_9.jpg", "a1_11.jpg"])
    found = read_predictions([path], (9, 9))
    assert found.keypoints[:, 0, 0].tolist() == [2, 1, 0]
    assert "such as a2_10.jpg, do not differ in a number alone" in caplog.text
    path = write_poses(tmp_path, ["t0.jpg", "t1700000000.jpg"])
    with pytest.raises(ValueError, match="must count frames.*2 pictures, such as t0"):
        read_predictions([path], (9, 9))


def test_layouts_are_known_by_their_names():
    assert layout_of(coco17j.joint_names).left == (1, 3, 5, 7, 9, 11, 13, 15)
    layout = layout_of(h36m17j.joint_names)
    assert (layout.name, list(layout.right)) == ("h36m", h36m17j.joints_right)
    assert layout_of(["a", "l_b", "r_c"]).left == ()


def save_detectron(path, boxes, points, metadata=None):
    """A frame a row: what was found of class 0 and of class 1."""
    cells = {}
    for name, rows in (("boxes", boxes), ("keypoints", points)):
        cells[name] = np.empty((len(rows), 2), object)
        for row, value in enumerate(rows):
            cells[name][row, 0], cells[name][row, 1] = [], value
    np.savez(path, **cells, metadata={"w": 4, "h": 3} if metadata is None else metadata)
    return path


BOX, POINTS = np.ones((1, 5)), np.ones((1, 4, 17))


def test_a_frame_of_nobody_is_empty_in_any_form(tmp_path):
    empty = (None, [], np.empty((0, 4, 17)), [])
    boxes = [BOX, np.empty((0, 5)), [], BOX, BOX]
    path = save_detectron(tmp_path / "a.npz", boxes, [POINTS, *empty])
    assert read_detectron(path).found.tolist() == [True] + [False] * 4
    rows = np.array([[[], POINTS], None, []], dtype=object)
    assert rows.shape == (3,)
    size = {"w": 4, "h": 3}
    boxes = np.array([[[], BOX], [[], BOX[:0]], None], dtype=object)
    np.savez(path, boxes=boxes, keypoints=rows, metadata=size)
    assert read_detectron(path).found.tolist() == [True, False, False]
    nobody = np.array([[[], []]] * 3, dtype=object)
    np.savez(path, boxes=nobody, keypoints=nobody, metadata=size)
    assert read_detectron(path).found.tolist() == [False] * 3
    with pytest.raises(ValueError, match=r"frame 0: boxes must have people as class 1"):
        np.savez(path, boxes=nobody[:, :1], keypoints=nobody, metadata=size)
        read_detectron(path)


@pytest.mark.parametrize(
    ("boxes", "points", "metadata", "message"),
    [
        ([BOX], [POINTS, POINTS], None, "of the same frames. Received: 1 and 2"),
        (
            *([np.ones((2, 5))], [POINTS], None),
            "frame 0: every box must have key points.*2 boxes.*of 1",
        ),
        ([BOX], [[[1], [1, 2]]], None, "frame 0: keypoints must be finite numbers"),
        ([BOX], [POINTS[:, :3]], None, r"keypoints must be finite.*\(people, 4, 17\)"),
        ([BOX * np.nan], [POINTS], None, "frame 0: boxes must be finite numbers"),
        ([BOX], [POINTS], {"w": 4}, "metadata must have the pictures' w and h"),
        ([BOX], [POINTS], {"w": 4, "h": np.inf}, "metadata must have the pictures' w"),
        ([BOX], [POINTS], {"w": 4, "h": np.nan}, "metadata must have the pictures' w"),
    ],
)
def test_bad_detections_are_named(tmp_path, boxes, points, metadata, message):
    path = save_detectron(tmp_path / "bad.npz", boxes, points, metadata)
    with pytest.raises(ValueError, match=message) as caught:
        read_detectron(path)
    assert "bad.npz" in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "must be .*people.*picture"),
        ({"people": [{"joints": {"head": {"x": 1}}}], "picture": "a"}, "must be .*peo"),
        ({"people": [person(1, 1)]}, "must name the picture of all people"),
        ({"people": [], "picture": "a"}, "must have the same joints. Received: nobody"),
        (
            {"people": [person(1, 1), person(1, 1, ["a"])], "picture": "a"},
            "must have the same joints",
        ),
    ],
)
def test_bad_predictions_are_named(tmp_path, content, message):
    path = tmp_path / "bad.json"
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=message):
        read_predictions([path], (4, 3))


def test_what_cannot_be_prepared_is_refused(tmp_path, capsys):
    def fails(path, *more):
        command = ["-i", str(path), "-o", "x", "--data", str(tmp_path), *more]
        assert detections.main(command) == 1
        return capsys.readouterr().err

    empty = tmp_path / "empty"
    empty.mkdir()
    assert "must have either .npz files or .json files. Received: none" in fails(empty)
    assert "no such file" in fails(tmp_path / "none.npz")
    assert "must be a folder, .npz or .json" in fails(tmp_path / "a.mp4")
    save_detectron(empty / "a.npz", [[]], [[]])
    assert "a: nobody is found in 1 frames" in fails(empty)
    (empty / "a.json").write_text("{}")
    assert "Received: .npz and .json" in fails(empty)
    folder = write_predictions(tmp_path / "walk")
    lost = person(1, 0.5)
    lost["joints"]["head"]["x"] = INVALID
    record = {"picture": "a.png", "people": [lost]}
    (tmp_path / "lost.json").write_text(json.dumps(record))
    assert f"{tmp_path.name}: every joint must be seen" in fails(
        tmp_path / "lost.json", "--size", "9", "9"
    )
    for path in folder.glob("[0-9]*.json"):
        path.write_text(path.read_text().replace("r_wrist", "r_paw"))
    assert "--layout h36m needs the joints of a layout" in fails(
        folder, "--layout", "h36m"
    )
    assert list(tmp_path.glob("*.npz")) == []
