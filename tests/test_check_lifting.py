"""check-data lifting: what a folder of tracks has, and what is wrong with it."""

import json
import shutil

import numpy as np
import pytest
from tiny_lifting import LAYOUT, make_positions, see, write_tiny_lifting

from deephar.commands import check_data as check
from deephar.data.lifting_format import (
    Layout,
    write_keypoints_2d,
    write_positions_3d,
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return write_tiny_lifting(tmp_path_factory.mktemp("whole"))


@pytest.fixture
def folder(whole, tmp_path):
    return shutil.copytree(whole, tmp_path / "data")


def inspect(folder, capsys, *more):
    status = check.main(["lifting", str(folder), "--json", *map(str, more)])
    result = json.loads(capsys.readouterr().out)
    assert status == int(bool(result["missing"] or result["wrong"]))
    return result


def test_a_sound_folder_is_counted(whole, capsys):
    assert check.main(["lifting", str(whole)]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == [
        "  data_2d_h36m_gt.npz: 2 people, 5 takes, 20 views, 596 frames, "
        "17 key points, 0.0 px on average from where the joints are seen",
        "  data_3d_h36m.npz: 2 people, 5 takes, 149 frames, 32 joints",
        "sound",
    ]


def test_key_points_of_other_motion_are_wrong(folder, capsys):
    other = see(make_positions(seed=1))
    write_keypoints_2d(folder / "data_2d_h36m_other.npz", other, LAYOUT)
    (line,) = inspect(folder, capsys)["wrong"]
    assert line.startswith("data_2d_h36m_other.npz: key points are ")
    assert line.endswith("they are of other motion or in another order")


def test_key_points_near_the_joints_are_measured(folder, capsys):
    near = see(make_positions())
    for takes in near.values():
        for views in takes.values():
            views[:] = [view + np.float32([3, 4]) for view in views]
    write_keypoints_2d(folder / "data_2d_h36m_near.npz", near, LAYOUT)
    coco = Layout(17, (1, 3), (2, 4), "coco")
    write_keypoints_2d(folder / "data_2d_h36m_coco.npz", near, coco)
    result = inspect(folder, capsys)
    text = "px on average from where the joints are seen"
    assert result["wrong"] == []
    assert result["parts"]["data_2d_h36m_near.npz"][text] == pytest.approx(5)
    assert text not in result["parts"]["data_2d_h36m_coco.npz"]


def test_people_without_cameras_are_named(folder, capsys):
    keypoints = see(make_positions())
    keypoints["S3"] = keypoints["S9"]
    write_keypoints_2d(folder / "data_2d_h36m_more.npz", keypoints, LAYOUT)
    result = inspect(folder, capsys)
    assert result["wrong"] == []
    assert result["extra"] == ["data_2d_h36m_more.npz: no cameras of S3"]


def test_joints_in_millimetres_are_wrong(folder, capsys):
    positions = make_positions()
    positions["S1"]["Walking"] *= 1000
    write_positions_3d(folder / "data_3d_h36m.npz", positions)
    first = inspect(folder, capsys)["wrong"][0]
    assert "thigh is not 0.3 to 0.6 m long in 1 takes, the first S1 Walking, 450 m" in (
        first
    )


def test_nan_short_views_and_damage_are_wrong(folder, capsys):
    keypoints = see(make_positions())
    keypoints["S1"]["Walking"][0][3] = np.nan
    keypoints["S9"]["WalkDog"][1] = keypoints["S9"]["WalkDog"][1][:5]
    write_keypoints_2d(folder / "data_2d_h36m_bad.npz", keypoints, LAYOUT)
    (folder / "data_2d_h36m_gt.npz").write_bytes(b"no zip")
    (folder / "data_3d_mpii.npz").write_bytes(b"")
    lines = inspect(folder, capsys)["wrong"]
    assert len(lines) == 4
    assert "data_2d_h36m_bad.npz: 1 frames have key points of NaN" in lines[0]
    assert "S9, WalkDog must have key points of as many frames" in lines[1]
    assert "data_2d_h36m_gt.npz must be a whole .npz file" in lines[2]
    assert "data_3d_mpii.npz must be data_3d_DATASET or data_2d" in lines[3]


def test_what_is_missing_is_named(folder, tmp_path, capsys):
    (folder / "data_3d_h36m.npz").unlink()
    assert inspect(folder, capsys)["missing"] == [str(folder / "data_3d_h36m.npz")]
    (tmp_path / "empty").mkdir()
    missing = inspect(tmp_path / "empty", capsys)["missing"]
    assert missing == [str(tmp_path / "empty" / "data_2d_h36m_gt.npz")]


def test_humaneva_is_compared_where_cameras_are_given(tmp_path, capsys):
    joints = np.random.default_rng(0).random((4, 15, 3))
    joints[:, 12] = joints[:, 11] - [0, 0, 0.4]
    positions = {"Train/S1": {"Jog 1": joints}}
    write_positions_3d(tmp_path / "data_3d_humaneva15.npz", positions)
    keypoints = {"Train/S1": {"Jog 1": [np.zeros((5, 17, 2), np.float32)]}}
    write_keypoints_2d(tmp_path / "data_2d_humaneva15_gt.npz", keypoints, LAYOUT)
    result = inspect(tmp_path, capsys)
    assert result["wrong"] == [] and "no --cameras" in result["extra"][0]
    camera = {"name": "C1", "size": [640, 480], "orientation": [1, 0, 0, 0]}
    content = {"S1": [{**camera, "translation": [0, 0, 0]}] * 2}
    (tmp_path / "c.json").write_text(json.dumps(content))
    (line,) = inspect(tmp_path, capsys, "--cameras", tmp_path / "c.json")["wrong"]
    assert "Train/S1, Jog 1 must have key points of 2 cameras. Received: of 1" in line


def test_flags_of_other_data_are_refused(whole, capsys):
    for command in (
        ["lifting", str(whole), "--clip-size", "8"],
        ["COCO", str(whole), "--cameras", "c.json"],
    ):
        with pytest.raises(SystemExit):
            check.main(command)
    error = capsys.readouterr().err
    assert "--clip-size is of data sets with pictures" in error
    assert "--cameras is of lifting" in error
