"""The affine chain and the one resampling, against values of the original."""

import tracemalloc

import numpy as np
import pytest
from PIL import Image

from deephar.utils.transform import (
    T,
    normalize_channels,
    transform_2d_points,
    transform_pose_sequence,
)
from deephar.utils.warp import Resampler, warp

TURN = np.array([[0, -1, 4.0], [1, 0, 0], [0, 0, 1]])
"""A quarter turn that brings the columns of a picture of 4 rows to rows."""


@pytest.fixture(scope="module")
def values(golden):
    with np.load(golden / "transform.npz") as file:
        return dict(file)


@pytest.fixture
def picture():
    return np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)


def chain(img, case, resolution, img_size=None):
    angle, x, y, width, height, flip = case
    t = T(img, img_size)
    t.rotate_crop(angle, (x, y), (width, height))
    t.resize(resolution)
    if flip:
        t.horizontal_flip()
    return t


@pytest.mark.parametrize("index", range(24))
def test_matrix_equals_the_originals(index, values):
    size = tuple(values["picture_size"])
    t = chain(None, values["cases"][index], (256, 256), size)
    t.normalize_affinemap()
    np.testing.assert_array_equal(t.afmat, values[f"t{index:02d}_afmat"])
    points = transform_2d_points(t.afmat, values["pts"], transpose=True)
    np.testing.assert_allclose(points, values[f"t{index:02d}_pts"], atol=1e-12)
    back = transform_2d_points(t.afmat, points, transpose=True, inverse=True)
    np.testing.assert_allclose(back, values["pts"], atol=1e-9)


@pytest.mark.parametrize("index", range(7))
def test_picture_equals_the_originals(index, values):
    t = chain(Image.fromarray(values["image"]), values["image_cases"][index], (48, 48))
    difference = np.abs(t.asarray() - values[f"i{index:02d}_img"].astype(float))
    np.testing.assert_array_equal(t.afmat, values[f"i{index:02d}_afmat"])
    assert difference.mean() <= (8 if values["image_cases"][index][0] else 1)


@pytest.mark.parametrize("index", range(24))
def test_large_pictures_equal_the_originals(index, shared):
    with np.load(shared / "golden" / "small" / "transform.npz") as file:
        image, case = file["image"], file["cases"][index]
        expected = file[f"t{index:02d}_img"].astype(float)
    difference = np.abs(chain(image, case, (256, 256)).asarray() - expected)
    assert difference.mean() <= (8 if case[0] else 1)


def test_arrays_and_pictures_give_the_same_crop(values):
    case = values["image_cases"][4]
    sources = (values["image"], Image.fromarray(values["image"]))
    crops = [chain(source, case, (48, 32)).asarray(np.uint8) for source in sources]
    assert crops[0].shape == (32, 48, 3)
    np.testing.assert_array_equal(crops[0], crops[1])


def test_normalized_matrix_leaves_the_picture_alone(picture):
    t = chain(picture, (10, 30, 20, 24, 24, 1), (16, 16))
    before = t.asarray()
    t.normalize_affinemap()
    np.testing.assert_array_equal(t.asarray(), before)
    assert t.hflip


def test_crop_resize_rotate_is_both_steps_in_one(picture):
    t = T(picture)
    t.crop_resize_rotate((30, 20), (24, 24), (16, 16), 10)
    expected = chain(picture, (10, 30, 20, 24, 24, 0), (16, 16))
    np.testing.assert_array_equal(t.afmat, expected.afmat)
    np.testing.assert_array_equal(t.asarray(), expected.asarray())


def test_rotation_about_the_middle_is_the_default(picture):
    t, expected = T(picture), T(picture)
    t.rotate_crop(15, None, (20, 20))
    expected.rotate_crop(15, (30, 20), (20, 20))
    np.testing.assert_array_equal(t.afmat, expected.afmat)


def test_without_a_picture_the_frame_is_black():
    t = chain(None, (0, 30, 20, 24, 24, 0), (16, 8), (60, 40))
    frame = t.asarray()
    assert frame.shape == (8, 16, 3)
    assert frame.dtype == np.float32
    assert not frame.any()


def test_identity_returns_the_picture(picture):
    np.testing.assert_array_equal(warp(picture, np.eye(3), (60, 40)), picture)
    np.testing.assert_array_equal(T(picture).asarray(), picture)


def test_a_quarter_turn_moves_whole_pixels(picture):
    corner = picture[:4, :6]
    turned = warp(corner, TURN, (4, 6), antialias=False)
    np.testing.assert_array_equal(turned, np.rot90(corner, -1))


def test_outside_the_picture_it_is_black(picture):
    shift = np.array([[1, 0, 10.0], [0, 1, 0], [0, 0, 1]])
    result = warp(picture, shift, (60, 40))
    assert not result[:, :10].any()
    np.testing.assert_array_equal(result[:, 10:], picture[:, :50])
    far = np.array([[1, 0, 1000.0], [0, 1, 0], [0, 0, 1]])
    assert not warp(picture, far, (8, 8)).any()


@pytest.mark.parametrize("angle", [0, 30])
@pytest.mark.parametrize("side", [24, 60, 130, 500])
def test_shrinking_averages_as_wide_as_pillow(angle, side):
    """A wave becomes as faint as Pillow's triangle makes it, turned or not."""
    x = np.arange(700) / side * 20
    wave = np.rint(127 + 100 * np.cos(2 * np.pi * x / 3)).astype(np.uint8)
    wave = np.repeat(np.tile(wave, (700, 1))[..., None], 3, axis=-1)
    expected = Image.fromarray(wave).resize(
        (20, 20), Image.Resampling.BILINEAR, box=(90, 90, 90 + side, 90 + side)
    )
    t = T(wave)
    t.rotate_crop(angle, (350, 350), (side, side))
    t.resize((20, 20))
    found = warp(wave, t.afmat, (20, 20)).std()
    assert found == pytest.approx(np.asarray(expected).std(), abs=12)


def test_a_window_far_larger_than_the_picture_stays_small_in_memory(picture):
    matrix = np.diag([1e-4, 1e-4, 1.0])
    tracemalloc.start()
    try:
        assert warp(picture, matrix, (32, 32)).shape == (32, 32, 3)
        assert tracemalloc.get_traced_memory()[1] < 1e8
    finally:
        tracemalloc.stop()


def test_antialiasing_averages_a_fine_pattern():
    checks = np.indices((64, 64)).sum(axis=0) % 2 * 255
    checks = np.repeat(checks[..., None], 3, axis=-1).astype(np.uint8)
    angle = np.deg2rad(45)
    c, s = np.cos(angle) / 4, np.sin(angle) / 4
    matrix = np.array([[c, s, 0], [-s, c, 5.7], [0, 0, 1]])
    smooth = warp(checks, matrix, (8, 8))[3:6, 3:6]
    rough = warp(checks, matrix, (8, 8), antialias=False)[3:6, 3:6]
    assert abs(smooth.astype(float) - 127.5).max() < 2
    assert rough.std() > smooth.std() + 5


@pytest.mark.parametrize("antialias", [True, False])
@pytest.mark.parametrize("angle", [0, 20])
def test_the_box_is_all_that_a_crop_looks_at(picture, angle, antialias):
    t = chain(None, (angle, 40, 18, 30, 26, 1), (12, 10), (60, 40))
    resampler = Resampler(t.afmat, t.size, (60, 40), antialias)
    expected = warp(picture, t.afmat, t.size, antialias)
    x1, y1, x2, y2 = resampler.box
    part = picture[y1:y2, x1:x2]
    assert part.size < picture.size
    np.testing.assert_array_equal(resampler(part, (x1, y1)), expected)
    np.testing.assert_array_equal(resampler(picture), expected)


def test_the_longest_pictures_are_read_too():
    long = np.zeros((2, 70_000, 3), np.uint8)
    long[:, 35_000:] = 200
    matrix = np.diag([1e-3, 4.0, 1])
    matrix[0, 1] = 1e-3
    result = warp(long, matrix, (70, 8), antialias=False)
    assert result[4, 5:30].max() == 0 and result[4, 40:65].min() == 200


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK", "1"])
def test_any_mode_of_picture_becomes_three_channels(mode, picture):
    image = Image.fromarray(picture).convert(mode)
    expected = np.asarray(image.convert("RGB"))
    np.testing.assert_array_equal(warp(image, np.eye(3), (60, 40)), expected)


def test_bad_windows_and_matrices_are_refused(picture):
    with pytest.raises(ValueError, match=r"`box` must hold .* box=\(3, 3, 3, 5\)"):
        T(picture).crop((3, 3, 3, 5))
    with pytest.raises(ValueError, match="`matrix` must be an invertible"):
        warp(picture, np.zeros((3, 3)), (8, 8))
    with pytest.raises(ValueError, match="`size` must be at least"):
        warp(picture, np.eye(3), (0, 8))
    with pytest.raises(ValueError, match="`img_size` must be given"):
        T(None)
    with pytest.raises(ValueError, match="`resample` must be"):
        T(picture).resize((8, 8), Image.Resampling.NEAREST)


def test_single_points_and_columns_of_points():
    np.testing.assert_allclose(transform_2d_points(TURN, np.array([1, 2])), [2, 1])
    columns = transform_2d_points(TURN, np.array([[1, 0], [2, 0]]))
    np.testing.assert_allclose(columns, [[2, 4], [1, 0]])
    with pytest.raises(ValueError, match=r"two coordinates. Received: x.shape=\(3,"):
        transform_2d_points(TURN, np.zeros((3, 3)))


def test_pose_sequences_equal_the_originals_and_leave_the_matrices(values):
    matrices, poses = values["seqA"].copy(), values["seqP"]
    inverse = transform_pose_sequence(matrices, poses)
    np.testing.assert_allclose(inverse, values["seq_inv"], atol=1e-9)
    forward = transform_pose_sequence(matrices, poses, inverse=False)
    np.testing.assert_allclose(forward, values["seq_fwd"], atol=1e-9)
    one = transform_pose_sequence(matrices[1], poses)
    np.testing.assert_allclose(one, values["seq_one"], atol=1e-9)
    np.testing.assert_array_equal(matrices, values["seqA"])


def test_pose_sequences_of_other_shapes_are_refused():
    with pytest.raises(ValueError, match=r"`A` must have .* \(4, 3, 3\)"):
        transform_pose_sequence(np.zeros((2, 3, 3)), np.zeros((4, 16, 2)))
    with pytest.raises(ValueError, match="`poses` must have"):
        transform_pose_sequence(np.eye(3), np.zeros((4, 16, 3)))


@pytest.mark.parametrize(
    ("power", "name"), [(1, "norm_1"), (2, "norm_int2"), ((0.9, 1.0, 1.1), "norm_pow")]
)
def test_channels_equal_the_originals(power, name, values):
    frame = values["norm_in"].copy()
    result = normalize_channels(frame, power)
    np.testing.assert_allclose(result, values[name], atol=2e-6)
    np.testing.assert_array_equal(frame, values["norm_in"])
    assert result.dtype == np.float32


def test_the_table_for_bytes_equals_the_formula(picture):
    for power in (1, 0.7, (0.9, 1, 1.1)):
        expected = normalize_channels(picture.astype(np.float32), power)
        np.testing.assert_allclose(
            normalize_channels(picture, power), expected, atol=1e-6
        )


def test_two_exponents_are_refused():
    with pytest.raises(ValueError, match="`channel_power` must be one number or three"):
        normalize_channels(np.zeros((4, 4, 3)), (1, 2))


def test_channels_are_written_where_one_wants_them(picture):
    out = np.zeros((2, *picture.shape), np.float32)
    result = normalize_channels(picture, (0.9, 1, 1.1), out[1])
    assert np.shares_memory(result, out)
    np.testing.assert_array_equal(out[1], normalize_channels(picture, (0.9, 1, 1.1)))
    assert not out[0].any()
    with pytest.raises(ValueError, match=r"float32 array \(40, 60, 3\).*float64"):
        normalize_channels(picture, 1, np.zeros(picture.shape))
