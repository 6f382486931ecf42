"""Cameras of lifting against the values of the reference."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from deephar.data.human36m_format import CAMERAS
from deephar.data.human36m_positions import read_cameras
from deephar.data.lifting_cameras import (
    LensCamera,
    human36m_cameras,
    level_camera,
    read_lens_cameras,
)
from deephar.utils.camera import (
    camera_to_world,
    denormalize_screen,
    inverse_quaternion,
    normalize_screen,
    project_to_2d,
    quaternion_of,
    rotate,
    world_to_camera,
)


@pytest.fixture(scope="module")
def values(golden):
    with np.load(golden / "lifting_camera.npz") as file:
        return dict(file)


def test_rotations_equal_the_references(values):
    q, v = values["q"], values["v"]
    np.testing.assert_allclose(rotate(v, q), values["qrot"], atol=1e-12)
    np.testing.assert_array_equal(inverse_quaternion(q), values["qinverse"])
    back = rotate(rotate(v, q), inverse_quaternion(q))
    np.testing.assert_allclose(back, v, atol=1e-12)


def test_camera_and_world_axes_equal_the_references(values):
    place = values["R"], values["t"]
    seen = world_to_camera(values["X_world"], *place)
    np.testing.assert_allclose(seen, values["X_cam"], atol=3e-6)
    back = camera_to_world(values["X_cam"], *place)
    np.testing.assert_allclose(back, values["X_world_back"], atol=3e-6)


def test_normalised_pictures_equal_the_references(values):
    size = int(values["res_w"]), int(values["res_h"])
    normal = normalize_screen(values["uv_px"], size)
    assert normal.dtype == np.float32
    np.testing.assert_array_equal(normal, values["uv_norm"].astype(np.float32))
    back = denormalize_screen(values["uv_norm"], size)
    np.testing.assert_allclose(back, values["uv_px_back"], atol=1e-9)
    whole = normalize_screen(np.array([[0, 0], [1000, 1002]]), size)
    np.testing.assert_allclose(whole, [[-1, -1.002], [1, 1.002]])


@pytest.mark.parametrize("clamp", ["", "_clamp"])
@pytest.mark.parametrize("linear", [False, True])
def test_projections_and_gradients_equal_the_references(values, linear, clamp):
    name = f"project_to_2d{'_linear' * linear}{clamp}"
    points, lenses = values[f"X_cam{clamp}"], values["intr_batch"]
    found = project_to_2d(points, lenses, linear)
    np.testing.assert_allclose(found, values[name], atol=1e-6)
    points = tf.constant(points)
    with tf.GradientTape() as tape:
        tape.watch(points)
        found = project_to_2d(points, tf.constant(lenses), linear, keras.ops)
        loss = tf.reduce_sum(found**2)
    np.testing.assert_allclose(found, values[name], atol=1e-6)
    slopes = tape.gradient(loss, points)
    expected = values[f"{name}_grad_sumsq"]
    np.testing.assert_allclose(slopes, expected, rtol=1e-4, atol=1e-5)


def test_points_may_have_more_axes(values):
    points = values["X_cam"][:, None]
    found = project_to_2d(points, values["intr_batch"])
    np.testing.assert_allclose(found, values["project_to_2d_4d"], atol=1e-6)


def test_human36ms_cameras_equal_the_references(shared):
    with np.load(shared / "golden" / "lifting" / "h36m_cameras.npz") as file:
        expected = dict(file)
    cameras = human36m_cameras()
    assert len(expected) == 4 * sum(map(len, cameras.values())) == 112
    for subject, views in cameras.items():
        for number, camera in enumerate(views):
            for name, value in (
                ("orientation", camera.orientation),
                ("translation", camera.translation),
                ("intrinsic", camera.intrinsics),
                ("res", camera.size),
            ):
                np.testing.assert_array_equal(
                    value, expected[f"{subject}/{number}/{name}"]
                )


def test_human36ms_cameras_see_what_the_owners_calibration_sees(shared):
    known = read_cameras(shared / "samples" / "h36m" / "camera-parameters.json")
    world = np.random.default_rng(0).uniform([-1, -1, 0], [1, 1, 1.8], (50, 3))
    for subject, views in human36m_cameras().items():
        for name, camera in zip(CAMERAS, views, strict=True):
            owners = known[int(subject[1:]), name]
            np.testing.assert_allclose(camera.translation, owners.t[:, 0] / 1000, 1e-6)
            turned = quaternion_of(owners.R.T)
            sign = np.sign(turned @ camera.orientation)
            np.testing.assert_allclose(turned * sign, camera.orientation, atol=1e-7)
            expected = owners.project(world * 1000)[:, :2]
            np.testing.assert_allclose(camera.see(world[None])[0], expected, atol=2e-3)


def test_a_level_camera_looks_along_y():
    camera = level_camera((640, 480))
    seen = camera.to_axes(np.eye(3))
    np.testing.assert_allclose(seen, [[1, 0, 0], [0, 0, 1], [0, -1, 0]], atol=1e-6)
    with pytest.raises(ValueError, match="the lens of camera level must be known"):
        camera.see(np.ones((1, 1, 3)))
    assert (camera.size, camera.intrinsics) == ((640, 480), None)


CAMERA = {
    "name": "C1",
    "size": [640, 480],
    "orientation": [1, 0, 0, 0],
    "translation": [0, 0, -3],
    "focal": [640, 660],
    "centre": [320, 240],
    "radial": [0.1, 0.2, 0.3],
    "tangential": [0.01, 0.02],
}


def write(path, content):
    path.write_text(json.dumps(content))
    return path


def test_cameras_are_read_from_a_file(tmp_path):
    bare = {name: CAMERA[name] for name in list(CAMERA)[:4]}
    path = write(tmp_path / "cameras.json", {"S1": [CAMERA, bare], "S2": [bare]})
    cameras = read_lens_cameras(path)
    assert {name: len(views) for name, views in cameras.items()} == {"S1": 2, "S2": 1}
    one, other = cameras["S1"]
    lens = [2, 2.0625, 0, 0, 0.1, 0.2, 0.3, 0.01, 0.02]
    np.testing.assert_allclose(one.intrinsics, lens, rtol=1e-6)
    assert (one.name, one.size, other.intrinsics) == ("C1", (640, 480), None)
    np.testing.assert_array_equal(other.translation, [0, 0, -3])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"size": [640, 0]}, r"c\.json, S1, camera 0: `size`.*positive integers"),
        ({"orientation": [1, 1, 0, 0]}, "quaternion of length 1.*length 1.414"),
        ({"translation": [0, "x", 0]}, "`translation` of camera C1 must be 3 finite"),
        ({"radial": [1, 2]}, "`radial` of it must be 3 finite numbers"),
        ({"name": ""}, "`name` of it must be a text"),
    ],
)
def test_bad_cameras_are_named(tmp_path, change, message):
    path = write(tmp_path / "c.json", {"S1": [CAMERA | change]})
    with pytest.raises(ValueError, match=message):
        read_lens_cameras(path)


def test_other_files_are_refused(tmp_path):
    lacking = {name: CAMERA[name] for name in CAMERA if name != "centre"}
    path = write(tmp_path / "c.json", {"S1": [lacking]})
    with pytest.raises(ValueError, match="its lens must have .*none named centre"):
        read_lens_cameras(path)
    with pytest.raises(ValueError, match="a dictionary of people, of lists of cam"):
        read_lens_cameras(write(path, {"S1": []}))
    with pytest.raises(OSError, match="none.json"):
        read_lens_cameras(tmp_path / "none.json")


def test_bad_arguments_are_named(values):
    with pytest.raises(ValueError, match=r"`intrinsics` .* \(n, 9\).*\(9,\)"):
        project_to_2d(values["X_cam"], values["intrinsic"])
    with pytest.raises(ValueError, match=r"quaternion.shape=\(3,\)"):
        rotate(values["v"], values["v"][0])
    with pytest.raises(ValueError, match="`R` must be a rotation"):
        quaternion_of(-np.eye(3))
    with pytest.raises(ValueError, match="`size` of camera A"):
        LensCamera("A", (0, 1), np.eye(4)[0], np.zeros(3))
