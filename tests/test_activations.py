"""Channel softmax."""

import numpy as np
import pytest

from deephar.activations import channel_softmax_1d, channel_softmax_2d


@pytest.fixture(scope="module")
def values(golden):
    with np.load(golden / "layers.npz") as file:
        return dict(file)


@pytest.mark.parametrize(
    "maps, expected, alpha",
    [("h", "softmax2d", 1), ("h", "softmax2d_a", 0.5), ("h5", "softmax2d_5", 1)],
)
def test_softmax_2d_is_the_original(values, maps, expected, alpha):
    y = np.asarray(channel_softmax_2d(alpha)(values[maps]))
    np.testing.assert_allclose(y, values[expected], atol=1e-6)
    np.testing.assert_allclose(y.sum(axis=(-3, -2)), 1.0, atol=1e-5)


def test_softmax_1d_is_the_original(values):
    y = np.asarray(channel_softmax_1d()(values["h1"]))
    np.testing.assert_allclose(y, values["softmax1d"], atol=1e-6)


def test_softmax_of_huge_maps_is_finite():
    y = np.asarray(channel_softmax_2d()(np.full((1, 2, 2, 1), 1e30, "float32")))
    np.testing.assert_allclose(y, 0.25)


@pytest.mark.parametrize(
    "softmax, axes", [(channel_softmax_2d(), 3), (channel_softmax_1d(), 4)]
)
def test_other_numbers_of_axes_are_refused(softmax, axes):
    with pytest.raises(ValueError, match=r"channel softmax takes maps of . axes"):
        softmax(np.zeros((2,) * axes, "float32"))
