"""Heat maps against the original's values."""

import numpy as np
import pytest

from deephar.utils.heatmaps import HeatMaps2D, pose_heatmaps
from deephar.utils.pose import INVALID


@pytest.fixture(scope="module")
def values(golden):
    with np.load(golden / "pose.npz") as file:
        return dict(file)


def test_heat_maps_equal_the_originals(values):
    maps = HeatMaps2D(values["P"], 32, variance=0.3)
    assert maps.shape == (3, 32, 32, 16)
    np.testing.assert_allclose(maps[:1][..., :4], values["hm"], atol=1e-12)
    np.testing.assert_allclose(maps[0][..., :4], values["hm"][0], atol=1e-12)


def test_heat_maps_sum_to_one_inside_and_to_zero_outside(values):
    maps = HeatMaps2D(values["P"], 32)[:]
    np.testing.assert_allclose(maps.sum(axis=(1, 2)), values["visible"], atol=1e-9)


def test_heat_maps_of_clips_have_the_frames_in_front(values):
    clips = values["P"].reshape(1, 3, 16, 2)
    maps = HeatMaps2D(clips, 16)
    assert maps.shape == maps[:].shape == (1, 3, 16, 16, 16)
    frames = pose_heatmaps(clips[0], 16, 16, variance=0.3, num_frames=3)
    np.testing.assert_array_equal(maps[0], frames)


def test_the_peak_is_at_the_joint():
    pose = np.array([[0.25, 0.75, 9.0], [INVALID, INVALID, INVALID]])
    maps = pose_heatmaps(pose, 32, 2)
    assert np.unravel_index(maps[..., 0].argmax(), (32, 32)) == (24, 8)
    assert not maps[..., 1].any()


def test_other_shapes_are_refused():
    with pytest.raises(ValueError, match=r"`poses` must have the shape"):
        HeatMaps2D(np.zeros((3, 16, 4)), 32)
    with pytest.raises(ValueError, match=r"`p` must have the shape \(16,\)"):
        pose_heatmaps(np.zeros((15, 2)), 32, 16)
