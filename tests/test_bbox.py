"""Boxes and windows against the original's values, and on clips, where it failed."""

import logging

import numpy as np
import pytest

from deephar.utils import bbox as boxes
from deephar.utils.cluster import clustering_grid
from deephar.utils.fs import mkdir
from deephar.utils.pose import INVALID


@pytest.fixture(scope="module")
def values(golden):
    with np.load(golden / "bbox.npz") as file:
        return dict(file)


def close(ours, theirs):
    np.testing.assert_allclose(ours, theirs, atol=1e-9)


def test_boxes_of_poses_equal_the_originals(values):
    poses = values["Pi"]
    close([boxes.get_valid_bbox(pose) for pose in poses], values["valid_bbox"])
    wide = [boxes.get_valid_bbox(pose, relsize=1.2, square=False) for pose in poses]
    close(wide, values["valid_bbox_rect"])
    close(boxes.get_valid_bbox_array(poses), values["valid_bbox_array"])
    likely = boxes.get_valid_bbox_array(values["P"], values["prob"])
    close(likely, values["valid_bbox_array_prob"])


def test_windows_equal_the_originals(values):
    windows = [boxes.get_objpos_winsize(pose) for pose in values["P"]]
    close([center for center, _ in windows], values["objpos"])
    close([size for _, size in windows], values["winsize"])
    rows = [boxes.bbox_to_objposwin(box) for box in values["valid_bbox"]]
    close([[*center, *size] for center, size in rows], values["bbox_to_objposwin"])
    back = [boxes.objposwin_to_bbox(center, size) for center, size in rows]
    close(back, values["objposwin_to_bbox"])


def test_grids_of_boxes_equal_the_originals(values):
    close(boxes.compute_grid_bboxes((640, 480)), values["grid_32"])
    close(
        boxes.compute_grid_bboxes((1280, 720), grid=(4, 4), relsize=1.3),
        values["grid_44"],
    )
    close(boxes.compute_grid_bboxes((640, 480), square=False), values["grid_rect"])


def test_boxes_of_clips_equal_the_originals(values):
    clip, visible, size = values["seq"], values["vis"], (640, 480)
    close(boxes.get_gt_bbox(clip, visible, size), values["gt_bbox"])
    close(boxes.get_gt_bbox(clip, visible, size, scale=1.3), values["gt_bbox_s"])
    close(boxes.get_gt_bbox(clip[:1], visible[:1], size), values["gt_bbox_one"])
    close(boxes.get_gt_bbox(clip[:2], visible[:2], size), values["gt_bbox_two"])


def test_a_clip_without_joints_takes_the_picture_and_says_so(values, caplog):
    clip = np.full((3, 16, 2), INVALID)
    with caplog.at_level(logging.WARNING):
        box = boxes.get_gt_bbox(clip, np.zeros((3, 16)), (640, 480), logkey="v7")
    close(box, values["gt_bbox_none"])
    assert "No joint in frame 0 of clip v7" in caplog.text


def test_joints_that_nobody_sees_still_make_a_box(values):
    clip = np.abs(values["seq"]) + 1
    hidden = boxes.get_gt_bbox(clip, np.zeros((7, 16)), (640, 480))
    close(hidden, boxes.get_gt_bbox(clip, np.ones((7, 16)), (640, 480)))


@pytest.mark.parametrize("scale", [0.8, 1, 1.2])
@pytest.mark.parametrize("frames", [1, 2, 9])
def test_windows_in_space_equal_the_originals(scale, frames, values):
    focal = np.array([[1145.0, 1143.0]])
    center, size, depth = boxes.get_crop_params(
        values["root"][:frames], (1000, 1002), focal, scale
    )
    close([*center, *size, *depth], values[f"crop_{scale}_{frames}"])


def test_lazy_boxes_equal_the_originals(values):
    lazy = boxes.PoseBBox(values["Pi"])
    close(lazy[:], values["posebbox_all"])
    close(lazy[3], values["posebbox_3"])
    close(lazy[2:9:3], values["posebbox_slice"])
    close(lazy[[3, 1]], values["posebbox_all"][[3, 1]])
    assert len(list(lazy)) == len(lazy) == 20
    assert lazy.shape == (20, 4)


def test_lazy_boxes_work_on_clips(values):
    clips = values["Pi"].reshape(5, 4, 16, 2)
    lazy = boxes.PoseBBox(clips, relsize=1.2, square=False)
    assert lazy.shape == (5, 4, 4)
    close(lazy[:], values["valid_bbox_rect"].reshape(5, 4, 4))
    close(lazy[np.int64(2)], lazy[:][2])


def test_what_has_no_box_is_refused():
    with pytest.raises(ValueError, match="`points` must hold at least one valid"):
        boxes.get_valid_bbox(np.full((16, 2), INVALID))
    with pytest.raises(ValueError, match=r"Received: poses.shape=\(16, 2\)"):
        boxes.PoseBBox(np.zeros((16, 2)))
    with pytest.raises(ValueError, match="`pose` must have the shape"):
        boxes.get_gt_bbox(np.zeros((16, 2)), np.ones(16), (640, 480))
    with pytest.raises(ValueError, match="`rootj` must have the shape"):
        boxes.get_crop_params(np.zeros((0, 3)), (10, 10), np.ones((1, 2)), 1)


def test_clustering_takes_the_mean_of_those_that_agree():
    predictions = np.array([[0.0, 0.0], [0.52, 0.5], [0.54, 0.5], [1.0, 1.0]])
    result = clustering_grid(predictions[:, None, None, :])
    close(result, [[[0.53, 0.5]]])
    same = clustering_grid(np.full((3, 2, 4, 2), 0.25))
    close(same, np.full((2, 4, 2), 0.25))


def test_a_folder_is_made_once(tmp_path):
    mkdir(tmp_path / "a" / "b")
    mkdir(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()


def test_a_box_must_have_a_part_of_its_picture():
    size = (120, 80)
    for box in ((119, 79, 300, 300), (-9, -9, 1, 1), (-9, -9, 300, 300)):
        boxes.check_overlap("the box", box, size)
    for box in ((120, 0, 130, 9), (0, 80, 9, 90), (-9, 0, 0, 9), (0, -9, 9, 0)):
        assert not boxes.overlaps(box, size)
    with pytest.raises(ValueError, match=r"^it must overlap .* 120 x 80 px\. .*130"):
        boxes.check_overlap("it", (120, 0, 130, 9), size)
