"""Joints of the 2D networks in the order of the lifting networks."""

import json

import numpy as np
import pytest

from deephar.utils import pose as poses
from deephar.utils.pose_conversion import convert_to_h36m17j

NAMES = poses.h36m17j.joint_names
SPINED = [
    *(poses.pa16j2d, poses.pa16j3d, poses.pa17j2d, poses.pa17j3d),
    *(poses.pa20j3d, poses.pa21j3d),
]
MADE = {"spine", "thorax", "neck", "head", "pelvis"}


def numbered(layout):
    """Joint i at (10 i, -i)."""
    return np.array([[10.0 * i, -1.0 * i] for i in range(layout.num_joints)])


def row(layout, name):
    return layout.joint_names.index(name)


def test_the_layout_is_the_originals(shared):
    path = shared / "golden" / "lifting" / "skeleton.json"
    skeleton = json.loads(path.read_text())
    for name in ("parents", "joints_left", "joints_right"):
        assert getattr(poses.h36m17j, name) == skeleton[name]


@pytest.mark.parametrize("layout", [*SPINED, poses.coco17j])
def test_limbs_are_taken_by_name(layout):
    found = convert_to_h36m17j(numbered(layout), layout)
    assert found.shape == (17, 2)
    for joint, name in enumerate(NAMES):
        if name not in MADE:
            assert found[joint, 1] == -row(layout, name)


@pytest.mark.parametrize("layout", SPINED)
def test_the_spine_lies_on_pelvis_neck_and_head(layout):
    joints = numbered(layout)
    found = dict(zip(NAMES, convert_to_h36m17j(joints, layout), strict=True))
    pelvis, neck, head = (joints[row(layout, n)] for n in ("pelvis", "neck", "head"))
    np.testing.assert_array_equal(found["pelvis"], pelvis)
    np.testing.assert_array_equal(found["spine"], (pelvis + neck) / 2)
    np.testing.assert_array_equal(found["thorax"], neck)
    np.testing.assert_array_equal(found["neck"], (neck + head) / 2)
    np.testing.assert_array_equal(found["head"], head)


def test_cocos_spine_is_made_of_hips_shoulders_nose_and_ears():
    joints = np.zeros((17, 2))
    for name, y in (("hip", 80), ("shoul", 0), ("ear", -30)):
        for side in "lr":
            joints[row(poses.coco17j, f"{side}_{name}"), 1] = y
    joints[0] = (5, -28)
    found = convert_to_h36m17j(joints, poses.coco17j)
    named = dict(zip(NAMES, found.tolist(), strict=True))
    assert named["pelvis"] == [0, 80]
    assert named["thorax"] == [0, -10]
    assert named["spine"] == [0, 35]
    assert named["neck"] == [5, -28]
    assert named["head"] == [0, -50]


@pytest.mark.parametrize("layout", [poses.pa16j2d, poses.coco17j])
def test_what_is_made_of_a_missing_joint_is_missing(layout):
    many = np.tile(numbered(layout), (2, 3, 1, 1))
    many[1, 2, row(layout, "l_hip")] = poses.INVALID
    found = convert_to_h36m17j(many, layout)
    missing = {NAMES[i] for i in np.flatnonzero(~poses.is_valid(found[1, 2, :, 0]))}
    made = {"pelvis", "spine", "thorax", "head"} if layout is poses.coco17j else set()
    assert missing == {"l_hip"} | made
    assert poses.is_valid(found[0]).all()


def test_mirrored_people_stay_mirrored():
    for layout in (*SPINED, poses.coco17j):
        joints = numbered(layout)
        mirrored = convert_to_h36m17j(joints[layout.map_hflip], layout)
        plain = convert_to_h36m17j(joints, layout)
        np.testing.assert_allclose(mirrored, plain[poses.h36m17j.map_hflip])


def test_wrong_layouts_are_refused():
    kept = convert_to_h36m17j(numbered(poses.h36m17j), poses.h36m17j)
    np.testing.assert_array_equal(kept, numbered(poses.h36m17j))
    with pytest.raises(ValueError, match=r"16, dim\) in the layout pa16j2d.*\(17, 2\)"):
        convert_to_h36m17j(np.zeros((17, 2)), poses.pa16j2d)
    with pytest.raises(ValueError, match=r"`layout` must be.*layout=ntu25j3d"):
        convert_to_h36m17j(np.zeros((25, 3)), poses.ntu25j3d)
