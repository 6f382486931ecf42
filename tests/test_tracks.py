"""Tracks: gaps are filled and counted."""

import numpy as np
import pytest

from deephar.utils.pose import INVALID
from deephar.utils.tracks import join_track


def moving(frames=6):
    """Two joints at even pace: (t, 2 t) and (10 - t, 0)."""
    time = np.arange(frames, dtype=float)
    zeros = np.zeros(frames)
    return np.stack(
        [np.stack([time, 2 * time], -1), np.stack([10 - time, zeros], -1)], 1
    )


def test_a_track_without_gaps_stays():
    track = join_track(moving())
    np.testing.assert_array_equal(track.joints, moving())
    assert (track.num_filled, track.longest_gap) == (0, 0)


@pytest.mark.parametrize("missing", [INVALID, np.nan, np.inf])
def test_gaps_lie_on_a_straight_line_and_the_ends_stay(missing):
    joints = moving()
    joints[2:4, 0] = missing
    joints[[0, 5], 1, 0] = missing
    track = join_track(joints)
    np.testing.assert_allclose(track.joints[:, 0], moving()[:, 0])
    assert track.joints[:, 1, 0].tolist() == [9, 9, 8, 7, 6, 6]
    assert track.filled.tolist() == [
        *([False, True], [False, False], [True, False]),
        *([True, False], [False, False], [False, True]),
    ]
    assert (track.num_filled, track.longest_gap) == (4, 2)


def test_a_stream_knows_no_later_frame():
    joints = moving()
    joints[2:4, 0] = INVALID
    joints[5, 1, 0] = INVALID
    track = join_track(joints, ahead=False)
    assert track.joints[:, 0, 1].tolist() == [0, 2, 2, 2, 8, 10]
    assert track.joints[:, 1, 0].tolist() == [10, 9, 8, 7, 6, 6]
    assert (track.num_filled, track.longest_gap) == (3, 2)


def test_a_stream_begins_where_every_joint_has_been_seen():
    joints = moving()
    joints[[0, 1, 4], 1, 0] = INVALID
    joints[2, 0] = np.nan
    track = join_track(joints, ahead=False)
    assert track.joints[:, 0, 1].tolist() == [2, 2, 2, 6, 8, 10]
    assert track.joints[:, 1, 0].tolist() == [8, 8, 8, 7, 7, 5]
    assert np.argwhere(~track.filled).tolist() == [
        *([2, 1], [3, 0], [3, 1], [4, 0], [5, 0], [5, 1])
    ]
    assert (track.num_filled, track.longest_gap) == (6, 3)


def test_joints_below_the_least_confidence_are_missing():
    joints, confidence = moving(), np.ones((6, 2))
    joints[1, 1] = 99
    confidence[1, 1] = 0.49
    track = join_track(joints, confidence, least=0.5)
    np.testing.assert_allclose(track.joints, moving())
    assert np.argwhere(track.filled).tolist() == [[1, 1]]
    assert join_track(joints, confidence).num_filled == 0


def test_a_joint_that_is_never_seen_is_refused():
    confidence = np.ones((6, 2))
    confidence[:, 1] = 0.1
    with pytest.raises(ValueError, match=r"at least 0\.2\. Received: .*\[1\] in 6"):
        join_track(moving(), confidence, least=0.2)


def test_wrong_shapes_are_refused():
    with pytest.raises(ValueError, match=r"\(frames, joints, dim\).*=\(0, 2, 2\)"):
        join_track(np.zeros((0, 2, 2)))
    with pytest.raises(ValueError, match=r"Received: .*\(5, 2\) of confidence"):
        join_track(moving(), np.ones((5, 2)))
