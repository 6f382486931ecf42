"""The camera against the original's values, and its exact inverse."""

import numpy as np
import pytest

from deephar.utils.camera import Camera, camera_deserialize, project_pred_to_camera


@pytest.fixture(scope="module")
def values(golden):
    with np.load(golden / "camera.npz") as file:
        return dict(file)


def camera_of(values, kind):
    k = values["k"] if kind == "dist" else None
    return Camera(*(values[name] for name in "Rtfcp"), k)


@pytest.mark.parametrize("kind", ["dist", "nodist"])
def test_projections_equal_the_originals(kind, values):
    camera = camera_of(values, kind)
    pixels = camera.project(values["pw"])
    np.testing.assert_allclose(pixels, values[f"{kind}_project"], atol=1e-9)
    world = camera.inverse_project(values[f"{kind}_project"])
    np.testing.assert_allclose(world, values[f"{kind}_inverse"], atol=1e-9)


@pytest.mark.parametrize("kind", ["dist", "nodist"])
def test_a_camera_survives_as_an_array(kind, values):
    array = camera_of(values, kind).serialize()
    np.testing.assert_array_equal(array, values[f"{kind}_serialize"])
    pixels = camera_deserialize(array).project(values["pw"])
    np.testing.assert_allclose(pixels, values[f"{kind}_deserialized_project"])


def test_the_exact_inverse_is_exact_where_the_originals_is_not(values):
    camera = camera_of(values, "dist")
    pixels = camera.project(values["pw"])
    exact = camera.inverse_project(pixels, exact=True) - values["pw"]
    approximate = camera.inverse_project(pixels) - values["pw"]
    assert np.abs(exact).max() < 1e-6
    assert 0.1 < np.abs(approximate).max() < 1.5


def test_the_exact_inverse_of_an_impossible_point_is_nan(values):
    camera = Camera(np.eye(3), np.zeros(3), (1, 1), (0, 0), (0, 0), (-1.0, 0, 0))
    world = camera.inverse_project(np.array([[0.1, 0, 1], [5, 0, 1]]), exact=True)
    np.testing.assert_allclose(camera.project(world[:1]), [[0.1, 0, 1]], atol=1e-9)
    assert np.isnan(world[1, 0])


def test_predictions_go_back_to_the_picture(values):
    result = project_pred_to_camera(
        values["pred"], values["afmat"], 2000.0, values["rootz"]
    )
    np.testing.assert_allclose(result, values["project_pred_to_camera"], atol=1e-9)


def test_arguments_are_left_as_they_were(values):
    points, matrices = values["pw"].copy(), values["afmat"].copy()
    camera_of(values, "dist").inverse_project(points, exact=True)
    project_pred_to_camera(values["pred"], matrices, 2000.0, values["rootz"])
    np.testing.assert_array_equal(points, values["pw"])
    np.testing.assert_array_equal(matrices, values["afmat"])


def test_other_shapes_are_refused(values):
    with pytest.raises(ValueError, match=r"`points_w` must have the shape \(n, 3\)"):
        camera_of(values, "dist").project(np.zeros((3, 2)))
    with pytest.raises(ValueError, match=r"Received: s.shape=\(19,\)"):
        camera_deserialize(np.zeros(19))
