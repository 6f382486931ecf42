"""Pose layouts and joint helpers against the original's."""

import numpy as np
import pytest

from deephar.utils import pose as poses
from deephar.utils.math import linspace_2d, normalpdf2d
from deephar.utils.modes import TRAIN_MODE, mode_name

LAYOUTS = [
    *("pa16j2d", "pa16j3d", "pa17j2d", "pa17j3d"),
    *("pa20j3d", "pa21j3d", "coco17j", "ntu25j3d"),
]
NAMES_16 = poses.pa16j2d.joint_names
OTHER_SIDE = {"r_": "l_", "l_": "r_"}


@pytest.fixture(scope="module")
def values(golden):
    with np.load(golden / "pose.npz") as file:
        return dict(file)


@pytest.mark.parametrize("name", LAYOUTS)
def test_layout_equals_the_originals(name, values):
    keys = [key for key in values if key.startswith(f"layout_{name}_")]
    assert len(keys) >= 2
    for key in keys:
        ours = getattr(getattr(poses, name), key.removeprefix(f"layout_{name}_"))
        np.testing.assert_array_equal(ours, values[key], err_msg=key)


@pytest.mark.parametrize("name", [*LAYOUTS, "h36m17j"])
def test_mirroring_swaps_the_names_of_the_sides(name):
    layout = getattr(poses, name)
    assert len(set(layout.joint_names)) == layout.num_joints
    for joint, mirrored in enumerate(layout.map_hflip):
        before = layout.joint_names[joint]
        after = OTHER_SIDE.get(before[:2], before[:2]) + before[2:]
        assert layout.joint_names[mirrored] == after


@pytest.mark.parametrize("name", [*LAYOUTS, "h36m17j"])
def test_limbs_do_not_cross_sides_in_colour(name):
    layout = getattr(poses, name)
    assert len(layout.cmap) == layout.num_joints
    for joint, label in enumerate(layout.joint_names):
        letter = layout.color[layout.cmap[joint]]
        assert not (label.startswith("r_") and letter in "bm")
        assert not (label.startswith("l_") and letter in "ry")


def test_layouts_agree_on_the_joints_they_share():
    small, large = poses.pa16j2d, poses.pa20j3d
    picked = [large.joint_names[joint] for joint in large.map_to_pa16j]
    assert picked == small.joint_names
    assert small.joint_names[12] == "r_knee"


def test_invalid_joints_are_told_by_one_rule():
    values = np.array([0.0, -1e5, np.inf, poses.INVALID, np.nan, -np.inf])
    assert poses.is_valid(values).tolist() == [True] * 3 + [False] * 3


def test_visible_and_valid_joints_equal_the_originals(values):
    visible = poses.get_visible_joints(values["P"])
    np.testing.assert_array_equal(visible, values["visible"])
    margin = poses.get_visible_joints(values["P"], margin=0.1)
    np.testing.assert_array_equal(margin, values["visible_m"])
    valid = poses.get_valid_joints(values["valid_P"])
    np.testing.assert_array_equal(valid, values["valid"])


def test_spine_is_dropped_from_one_pose_and_from_many(values):
    many = poses.convert_sequence_pa17j3d_to_pa16j(values["p17"])
    np.testing.assert_array_equal(many, values["p17to16"])
    one = poses.convert_pa17j3d_to_pa16j(values["p17"][0], dim=2)
    np.testing.assert_array_equal(one, values["p17to16"][0, :, :2])
    with pytest.raises(ValueError, match=r"`p` must end in the shape \(17, 3\)"):
        poses.convert_pa17j3d_to_pa16j(np.zeros((16, 3)))


def coco_pose():
    """A person who stands, in COCO's order: joint i at (10 i, i)."""
    return np.array([[10.0 * i, float(i)] for i in range(17)])


def test_limbs_of_coco_are_taken_by_name():
    found = poses.convert_coco17j_to_pa16j(coco_pose())
    assert found.shape == (16, 2)
    for joint, name in enumerate(poses.pa16j2d.joint_names):
        if name in poses.coco17j.joint_names:
            assert found[joint, 1] == poses.coco17j.joint_names.index(name)
    assert found[4:6, 1].tolist() == [6, 5]
    assert sum(name in poses.coco17j.joint_names for name in NAMES_16) == 12


def test_the_spine_of_coco_lies_between_hips_and_shoulders():
    found = poses.convert_coco17j_to_pa16j(coco_pose())
    assert found[0].tolist() == [115, 11.5]
    assert found[1].tolist() == [55, 5.5]
    assert found[2].tolist() == [55 - 60 / 8, 5.5 - 6 / 8]
    assert (found[3] == poses.INVALID).all()


@pytest.mark.parametrize(
    ("lost", "invalid"),
    [
        ("l_hip", {"l_hip", "pelvis", "neck", "head"}),
        ("r_shoul", {"r_shoul", "thorax", "neck", "head"}),
        ("l_wrist", {"l_wrist", "head"}),
        ("nose", {"head"}),
    ],
)
def test_what_is_made_of_an_invalid_joint_of_coco_is_invalid(lost, invalid):
    pose = coco_pose()
    pose[poses.coco17j.joint_names.index(lost), 0] = poses.INVALID
    found = poses.convert_coco17j_to_pa16j(pose)
    assert {NAMES_16[i] for i in np.flatnonzero(~poses.is_valid(found[:, 1]))} == (
        invalid
    )
    assert set(found[~poses.is_valid(found)]) == {poses.INVALID}


def test_many_poses_of_coco_are_converted_at_once():
    many = np.tile(coco_pose(), (2, 3, 1, 1))
    many[1, 2, 11] = np.nan
    found = poses.convert_coco17j_to_pa16j(many)
    assert found.shape == (2, 3, 16, 2)
    assert found[0, 1].tolist() == poses.convert_coco17j_to_pa16j(many[0, 1]).tolist()
    assert found[1, 2, 0].tolist() == [poses.INVALID] * 2
    with pytest.raises(
        ValueError, match=r"`p` must have the shape \(\.\.\., 17, dim\)"
    ):
        poses.convert_coco17j_to_pa16j(np.zeros((16, 2)))


def test_mirrored_coco_people_are_mirrored_16_joints():
    pose = coco_pose()
    mirrored = poses.convert_coco17j_to_pa16j(pose[poses.coco17j.map_hflip])
    ours = poses.convert_coco17j_to_pa16j(pose)[poses.pa16j2d.map_hflip]
    np.testing.assert_array_equal(mirrored, ours)


def test_pose_list_is_one_line_a_pose(tmp_path):
    poses.write_poselist(tmp_path / "list.txt", np.arange(8).reshape(2, 2, 2) / 4)
    lines = (tmp_path / "list.txt").read_text().splitlines()
    assert lines[1] == "1.000000,1.250000,1.500000,1.750000"
    with pytest.raises(ValueError, match="`poses` must have the shape"):
        poses.write_poselist(tmp_path / "list.txt", np.zeros((2, 2)))


def test_grids_and_gaussians_equal_the_originals(values):
    np.testing.assert_array_equal(linspace_2d(5, 7), values["lin_x"])
    np.testing.assert_array_equal(linspace_2d(5, 7, dim=1), values["lin_y"])
    np.testing.assert_array_equal(linspace_2d(2, 32), values["lin32_x"])
    bell = normalpdf2d(32, 10.3, 20.7, 0.5)
    np.testing.assert_allclose(bell, values["npdf"], atol=1e-12)
    np.testing.assert_array_equal(normalpdf2d(32, 99, 99, 0.5), values["npdf_out"])
    with pytest.raises(ValueError, match="`var` must be above 0. Received: var=0"):
        normalpdf2d(32, 1, 1, 0)


def test_modes_have_names():
    assert mode_name(TRAIN_MODE) == "train"
    with pytest.raises(ValueError, match="Received: mode=3"):
        mode_name(3)
