"""utils/animation.py: figures in space beside their video, frame by frame."""

import numpy as np
import pytest

from deephar.utils.animation import Bones, animate, azimuth_of, stand_on_floor
from deephar.utils.pose import coco17j

# A root, a joint on either side of it along y, and one above.
CROSS = np.array([(0, 0, 1), (0, 0.6, 1), (0, -0.6, 1), (0, 0, 1.6)], float)
BONES = Bones.of_parents([-1, 0, 0, 0], [1], [2])


def reds(panel):
    """Rows and columns of what is drawn in the right side's colour."""
    return np.nonzero((panel.astype(int) @ (1, -1, -1)) > 100)


def blues(panel):
    return np.nonzero((panel.astype(int) @ (-1, -1, 1)) > 60)


def walk(frames=4, step=0.0):
    """The cross, carried along x by `step` m a frame."""
    return CROSS + np.arange(frames)[:, None, None] * (step, 0, 0)


def test_the_bones_of_a_layout_have_its_sides():
    bones = Bones.of_layout(coco17j)
    assert bones.color(coco17j.joint_names.index("l_wrist")) == BONES.color(1)
    assert bones.color(coco17j.joint_names.index("r_wrist")) == BONES.color(2)
    assert BONES.color(0) == BONES.color(3) != BONES.color(1)
    assert BONES.links == [(0, 1), (0, 2), (0, 3)]


def test_a_frame_has_a_panel_for_each_figure():
    drawn = list(animate({"a": walk(), "b": walk()}, BONES, size=120))
    assert len(drawn) == 4
    assert drawn[0].shape == (120, 240, 3) and drawn[0].dtype == np.uint8
    (title,) = {tuple(panel[0, 0]) for panel in drawn}
    assert title == (255, 255, 255)


def test_the_azimuth_turns_the_figure():
    (front,) = animate({"": walk(1)}, BONES, size=200, azimuth=0)
    (back,) = animate({"": walk(1)}, BONES, size=200, azimuth=180)
    (side,) = animate({"": walk(1)}, BONES, size=200, azimuth=90)
    assert reds(front)[1].max() < 100 < blues(front)[1].min()
    assert blues(back)[1].max() < 100 < reds(back)[1].min()
    assert np.ptp(blues(front)[1]) > 3 * np.ptp(blues(side)[1])


def test_a_figure_that_comes_nearer_hides_the_far_limb():
    pose = np.array([(0, 0, 1), (0.5, 0.0, 1), (-0.5, 0.0, 1), (0, 0, 1.6)], float)
    (front,) = animate({"": pose[None]}, BONES, size=200, azimuth=0)
    (back,) = animate({"": pose[None]}, BONES, size=200, azimuth=180)
    assert reds(front)[0].size < blues(front)[0].size
    assert reds(back)[0].size > blues(back)[0].size


def test_the_root_stays_in_the_middle_and_the_floor_moves():
    still = list(animate({"": walk(80)}, BONES, size=120, azimuth=90))
    moving = list(animate({"": walk(80, 0.02)}, BONES, size=120, azimuth=90))
    assert all((frame == still[0]).all() for frame in still)
    assert abs(blues(moving[40])[1].mean() - blues(still[40])[1].mean()) < 1
    floor = slice(90, None)
    assert (moving[40][floor] != moving[41][floor]).any()


def test_one_scale_for_all_figures():
    (both,) = animate({"a": walk(1), "b": 0.5 * walk(1)}, BONES, size=200, azimuth=0)
    large, small = np.ptp(blues(both[:, :200])[1]), np.ptp(blues(both[:, 200:])[1])
    assert small == pytest.approx(0.5 * large, abs=5)


def test_key_points_lie_on_the_picture_where_they_are():
    pictures = [np.full((100, 200, 3), 128, np.uint8)] * 2
    keypoints = np.full((2, 2, 2), 50.0)
    keypoints[:, 1] = (150, 50)
    keypoints[1, 0] = np.nan
    sides = Bones([], left=[0], right=[1])
    place = (keypoints, sides, pictures)
    first, second = animate({"": walk(2)}, BONES, *place, size=200)
    assert first.shape == (200, 600, 3)
    for found, column in ((blues(first[:, :400]), 101), (reds(first[:, :400]), 301)):
        assert found[0].mean() == pytest.approx(100.5, abs=1)
        assert found[1].mean() == pytest.approx(column, abs=1)
    assert not blues(second[:, :400])[0].size and reds(second[:, :400])[0].size
    assert (pictures[0] == 128).all()


def test_without_pictures_key_points_lie_on_a_ground_of_their_size():
    keypoints = np.full((1, 1, 2), 30.0)
    (frame,) = animate({"": walk(1)}, BONES, keypoints, None, None, (120, 60), size=100)
    assert frame.shape == (100, 300, 3)
    assert frame[2, 2].max() < 60


def test_pictures_are_taken_as_they_are_needed():
    taken = []

    def film():
        for number in range(9):
            taken.append(number)
            yield np.zeros((40, 40, 3), np.uint8)

    frames = animate({"": walk(3)}, BONES, pictures=film(), size=40)
    next(frames)
    assert taken == [0]
    assert len(list(frames)) == 2 and len(taken) == 3


def test_pictures_that_end_early_are_named():
    pictures = [np.zeros((40, 40, 3), np.uint8)] * 2
    with pytest.raises(ValueError, match="as many as the poses, 4. Received: 2"):
        list(animate({"": walk()}, BONES, pictures=pictures, size=40))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"poses": {}}, "a figure at least"),
        ({"poses": {"a": walk(), "b": walk(3)}}, r"'b' with the shape \(3, 4, 3\)"),
        ({"poses": {"a": walk(0)}}, r"a frame at least. Received: 'a'"),
        ({"poses": {"a": np.full((2, 4, 3), np.nan)}}, "must be finite. Received: 'a'"),
        ({"keypoints": np.zeros((3, 4, 2))}, r"the shape \(4, keypoints, 2\)"),
        ({"keypoints": np.zeros((4, 4, 2))}, "`pictures` or a `picture_size`"),
        ({"size": 8}, "at least 32. Received: size=8"),
    ],
)
def test_what_is_wrong_is_named_at_once(changed, message):
    with pytest.raises(ValueError, match=message):
        animate(**{"poses": {"a": walk()}, "bones": BONES, **changed})


def test_a_figure_is_seen_as_its_camera_sees_it():
    """A camera that looks along y stands where y is low."""
    level = np.array([1, -1, 0, 0]) / np.sqrt(2)
    assert azimuth_of(level) == pytest.approx(-90)
    (frame,) = animate({"": CROSS[None]}, BONES, size=200, azimuth=0)
    turned = CROSS[:, [1, 0, 2]] * (1, -1, 1)
    (same,) = animate({"": turned[None]}, BONES, size=200, azimuth=azimuth_of(level))
    assert reds(same)[1].mean() == pytest.approx(reds(frame)[1].mean(), abs=1)


def test_a_figure_is_put_on_the_floor():
    low = np.stack([CROSS, CROSS - (1, 2, 1.5)])
    found = stand_on_floor(low)
    assert found[1, 0, 2] == 0 and found[0, 0, 2] == 1.5
    np.testing.assert_array_equal(found[..., :2], low[..., :2])


def test_a_few_wrong_poses_do_not_lower_the_floor():
    poses = np.repeat(CROSS[None], 100, axis=0)
    poses[40:44] -= (0, 0, 3)
    found = stand_on_floor(poses)
    assert found[0, :, 2].min() == 0 and found[40, :, 2].min() == -3
