"""The picture pipeline: decoding, the crop and what becomes of the joints."""

import dataclasses
import io
import pathlib

import numpy as np
import pytest
from PIL import Image
from tiny_mpii import JOINT_COLOR, POSE, SIZE, draw, tiny_person

from deephar.config import DataConfig
from deephar.data import (
    Person,
    PictureError,
    SinglePersonDataset,
    open_picture,
    to_rgb,
)
from deephar.utils.modes import TEST_MODE, TRAIN_MODE, VALID_MODE
from deephar.utils.pose import INVALID, pa16j2d, pa17j3d
from deephar.utils.transform import normalize_channels, transform_2d_points

CONFIG = DataConfig(crop_resolution=(128, 128))
SHAPES = {
    "frame": (128, 128, 3),
    "pose": (16, 3),
    "afmat": (3, 3),
    "headsize": (1,),
    "bbox": (4,),
    "keypoints": (16, 2),
}


class OnePicture(SinglePersonDataset):
    """One person, whom the augmentation scales and shifts by whole px."""

    def __init__(
        self, path, config=CONFIG, layout=pa16j2d, window=(100.0, 100.0), **kw
    ):
        super().__init__(path.parent, config, layout, **kw)
        self.path, self.window = str(path), window
        self.joints = np.full((layout.num_joints, 2), INVALID)
        self.joints[layout.map_to_mpii] = POSE

    def get_length(self, mode):
        return 1

    def person(self, key, mode, augmentation):
        window = tuple(side * augmentation["scale"] for side in self.window)
        center = (100.0 + augmentation["transx"], 62.0 + augmentation["transy"])
        return Person(self.path, center, window, self.joints, 9.6)


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "a.png"
    draw(tiny_person("a.png")).save(path)
    return path


def fixed(**changes):
    return dataclasses.replace(CONFIG, **changes)


def joint_colors(sample):
    """Colour [0, 255] of the frame at every joint inside it."""
    pose = sample["pose"][sample["pose"][:, 2] == 1]
    size = np.array(sample["frame"].shape[1::-1])
    x, y = (pose[:, :2] * size).astype(int).T
    return (sample["frame"][y, x] + 1) * 127.5


def test_samples_are_float32_in_the_stated_shapes(picture):
    data = OnePicture(picture)
    sample = data.get_data(0, VALID_MODE)
    assert {key: value.shape for key, value in sample.items()} == SHAPES
    assert {value.dtype for value in sample.values()} == {np.dtype(np.float32)}
    assert all(data.get_shape(key) == shape for key, shape in SHAPES.items())


def test_the_frame_is_the_window_in_plus_minus_one(picture):
    data = OnePicture(picture, fixed(crop_resolution=(100, 100)))
    frame = data.get_data(0, VALID_MODE)["frame"]
    window = np.asarray(Image.open(picture))[12:112, 50:150]
    np.testing.assert_allclose(frame, window / 127.5 - 1, atol=1e-6)


def test_frame_is_rows_by_columns_where_the_crop_is_not_square(picture):
    config = fixed(crop_resolution=(64, 96))
    sample = OnePicture(picture, config, window=(80.0, 120.0)).get_data(0, VALID_MODE)
    assert sample["frame"].shape == config.input_shape == (96, 64, 3)
    assert np.abs(joint_colors(sample) - JOINT_COLOR).max() < 60


@pytest.mark.parametrize("angle", [0, 33, -90])
@pytest.mark.parametrize("flip", [0, 1])
def test_joints_lie_on_their_pixels_after_rotation_and_flip(picture, angle, flip):
    config = fixed(fixed_angle=angle, fixed_hflip=flip, fixed_scale=1.2)
    sample = OnePicture(picture, config).get_data(0, VALID_MODE)
    assert sample["pose"][:, 2].sum() == 16
    assert np.abs(joint_colors(sample) - JOINT_COLOR).max() < 60


def test_afmat_takes_picture_pixels_to_the_crop(picture):
    config = fixed(fixed_angle=20, fixed_trans_x=3, fixed_trans_y=-2)
    sample = OnePicture(picture, config).get_data(0, VALID_MODE)
    moved = transform_2d_points(sample["afmat"], sample["keypoints"], transpose=True)
    np.testing.assert_allclose(sample["pose"][:, :2], moved, atol=1e-6)
    assert sample["bbox"].tolist() == [53, 10, 153, 110]
    assert sample["headsize"].tolist() == [np.float32(9.6)]


def test_a_mirrored_crop_exchanges_left_and_right(picture):
    plain = OnePicture(picture).get_data(0, VALID_MODE)
    mirrored = OnePicture(picture, fixed(fixed_hflip=1)).get_data(0, VALID_MODE)
    expected = plain["pose"][pa16j2d.map_hflip]
    expected[:, 0] = 1 - expected[:, 0]
    np.testing.assert_allclose(mirrored["pose"], expected, atol=1e-6)
    right, left = (pa16j2d.joint_names.index(s + "_wrist") for s in "rl")
    assert plain["pose"][right, 0] < plain["pose"][left, 0]
    assert mirrored["pose"][right, 0] < mirrored["pose"][left, 0]
    assert np.array_equal(mirrored["keypoints"], plain["keypoints"])
    np.testing.assert_allclose(
        mirrored["frame"], plain["frame"][:, ::-1], atol=2.1 / 127.5
    )


def test_joints_outside_the_crop_are_invalid_unless_kept(picture):
    config = fixed(fixed_scale=0.5)
    removed = OnePicture(picture, config).get_data(0, VALID_MODE)["pose"]
    kept = OnePicture(picture, config, remove_outer_joints=False)
    kept = kept.get_data(0, VALID_MODE)["pose"]
    outside = removed[:, 2] == 0
    assert outside.sum() == 3
    assert (removed[outside, :2] == np.float32(INVALID)).all()
    assert np.abs(kept[:, :2]).max() < 2
    assert np.array_equal(kept[~outside], removed[~outside])
    assert np.array_equal(kept[:, 2], removed[:, 2])


def test_joints_that_are_not_annotated_and_depths_are_invalid(picture):
    sample = OnePicture(picture, layout=pa17j3d).get_data(0, VALID_MODE)
    assert sample["pose"].shape == (17, 4)
    assert sample["pose"][16].tolist() == [np.float32(INVALID)] * 3 + [0]
    assert (sample["keypoints"][16] == np.float32(INVALID)).all()
    assert (sample["pose"][:, 2] == np.float32(INVALID)).all()
    assert sample["pose"][:16, 3].tolist() == [1] * 16


def test_channel_powers_act_channel_by_channel(picture):
    powers = (0.9, 1.0, 1.1)
    plain = OnePicture(picture).get_data(0, VALID_MODE)["frame"]
    changed = OnePicture(picture, fixed(fixed_chpower=powers))
    changed = changed.get_data(0, VALID_MODE)["frame"]
    crop = np.rint((plain + 1) * 127.5).astype(np.uint8)
    assert np.array_equal(changed, normalize_channels(crop, powers))
    assert np.array_equal(changed[..., 1], plain[..., 1])
    assert (changed[..., 0] >= plain[..., 0]).all()


def test_the_occluding_box_is_grey_and_nothing_else_changes(picture):
    plain = OnePicture(picture).get_data(0, VALID_MODE)
    config = fixed(fixed_geoocclusion=(10, 20, 40, 60))
    hidden = OnePicture(picture, config).get_data(0, VALID_MODE)
    assert (hidden["frame"][20:60, 10:40] == 0).all()
    hidden["frame"][20:60, 10:40] = plain["frame"][20:60, 10:40]
    assert all(np.array_equal(hidden[key], plain[key]) for key in plain)


def test_training_draws_from_the_generator_and_other_modes_do_not(picture):
    config = fixed(angles=(-30, 0, 30), scales=(0.8, 1.2), trans_x=(-5, 0, 5))
    data = OnePicture(picture, config)
    frames = [
        data.get_data(0, TRAIN_MODE, rng=np.random.default_rng(seed))["frame"]
        for seed in (1, 1, 2)
    ]
    assert np.array_equal(frames[0], frames[1])
    assert not np.array_equal(frames[0], frames[2])
    rng = np.random.default_rng(1)
    still = data.get_data(0, VALID_MODE, rng=rng)["frame"]
    assert np.array_equal(still, data.get_data(0, TEST_MODE)["frame"])
    assert rng.random() == np.random.default_rng(1).random()
    drawn = [data.get_data(0, TRAIN_MODE)["afmat"].tobytes() for _ in range(12)]
    assert len(set(drawn)) > 1


def test_a_large_jpeg_is_decoded_small_without_a_shift(tmp_path):
    picture = draw(tiny_person("a.jpg")).resize((8 * SIZE[0] + 3, 8 * SIZE[1] + 5))
    picture.save(tmp_path / "a.jpg", quality=95)
    picture.save(tmp_path / "a.png")
    for path in (tmp_path / "a.jpg", tmp_path / "a.png"):
        data = OnePicture(path, window=(800.0, 800.0))
        data.joints = np.where(data.joints > 0, data.joints * 8, data.joints)
        frames = [data.get_data(0, VALID_MODE, fast)["frame"] for fast in (False, True)]
        if path.suffix == ".jpg":
            jpeg = frames
    for ours, theirs in zip(jpeg, frames, strict=True):
        assert np.abs(ours - theirs).mean() * 127.5 < 1.5


def test_fast_crop_samples_and_the_full_crop_averages(tmp_path):
    stripes = np.zeros((400, 400, 3), np.uint8)
    stripes[:, ::2] = 255
    Image.fromarray(stripes).save(tmp_path / "a.png")
    data = OnePicture(tmp_path / "a.png", fixed(crop_resolution=(30, 30)))
    full = data.get_data(0, VALID_MODE)["frame"]
    fast = data.get_data(0, VALID_MODE, fast_crop=True)["frame"]
    assert full.std() < 0.05
    assert data.get_data(0, VALID_MODE)["afmat"].tolist() == (
        data.get_data(0, VALID_MODE, fast_crop=True)["afmat"].tolist()
    )
    assert fast.std() > 0.2


def test_blank_data_has_the_true_labels_and_a_black_frame(picture):
    data = OnePicture(picture, fixed(fixed_angle=10))
    sample, blank = data.get_data(0, VALID_MODE), data.get_blank_data(0, VALID_MODE)
    picture.unlink()
    assert (data.get_blank_data(0, VALID_MODE)["frame"] == -1).all()
    for key in ("keypoints", "headsize", "bbox"):
        assert np.array_equal(blank[key], sample[key])
    np.testing.assert_allclose(blank["pose"], sample["pose"], atol=1 / 100)


def test_a_missing_picture_is_named(tmp_path):
    path = tmp_path / "absent.jpg"
    for call in (
        lambda: open_picture(path),
        lambda: OnePicture(path).get_data(0, VALID_MODE),
    ):
        with pytest.raises(
            FileNotFoundError, match=r"no such picture: '.*absent\.jpg'"
        ):
            call()


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "TIFF"])
def test_a_picture_cut_short_is_named_with_the_reason(tmp_path, kind):
    buffer = io.BytesIO()
    draw(tiny_person("a")).save(buffer, kind)
    path = tmp_path / "broken.img"
    whole = buffer.getvalue()
    for length in (0, 1, 10, 60, len(whole) // 2, len(whole) * 3 // 4):
        path.write_bytes(whole[:length])
        for call in (
            lambda: open_picture(path),
            lambda: OnePicture(path).get_data(0, VALID_MODE),
        ):
            with pytest.raises(PictureError, match=r"broken\.img: \w+") as info:
                call()
            assert info.value.path == str(path)


def test_text_is_no_picture(tmp_path):
    path = tmp_path / "notes.jpg"
    path.write_text("hello")
    with pytest.raises(PictureError, match=r"cannot read the picture .*notes\.jpg"):
        open_picture(path)


@pytest.mark.parametrize(
    ("mode", "value", "expected"),
    [
        ("L", 100, (100, 100, 100)),
        ("I;16", 100 * 256 + 7, (100, 100, 100)),
        ("RGBA", (200, 100, 50, 0), (0, 0, 0)),
        ("RGBA", (200, 100, 50, 255), (200, 100, 50)),
        ("LA", (80, 255), (80, 80, 80)),
        ("1", 1, (255, 255, 255)),
    ],
)
def test_every_mode_becomes_rgb(tmp_path, mode, value, expected):
    Image.new(mode, (9, 7), value).save(tmp_path / "a.png")
    picture = open_picture(tmp_path / "a.png")
    assert (picture.mode, picture.size) == ("RGB", (9, 7))
    assert picture.getpixel((4, 3)) == expected


def test_palette_and_cmyk_pictures_become_rgb(tmp_path):
    red = Image.new("RGB", (16, 16), (255, 0, 0))
    red.convert("P").save(tmp_path / "a.gif")
    red.convert("CMYK").save(tmp_path / "a.jpg")
    for name in ("a.gif", "a.jpg"):
        pixel = np.array(open_picture(tmp_path / name).getpixel((8, 8)))
        assert np.abs(pixel - [255, 0, 0]).max() < 8


def test_floating_point_levels_go_from_0_1_to_0_255(tmp_path):
    levels = np.array([[0.0, 0.25, 0.5, 1.0]], np.float32)
    Image.fromarray(levels).save(tmp_path / "a.tiff")
    picture = open_picture(tmp_path / "a.tiff")
    assert np.asarray(picture)[0, :, 0].tolist() == [0, 64, 128, 255]
    assert picture.mode == "RGB"


@pytest.mark.parametrize("level", [-0.1, 200.0, np.nan])
def test_other_floating_point_levels_are_refused(tmp_path, level):
    image = Image.fromarray(np.array([[0.5, level]], np.float32))
    with pytest.raises(ValueError, match=r"levels in \[0, 1\]. Received: levels from"):
        to_rgb(image)
    image.save(tmp_path / "a.tiff")
    with pytest.raises(PictureError, match=r"a\.tiff: a floating point picture must"):
        open_picture(tmp_path / "a.tiff")


def test_to_rgb_copies_no_rgb_picture():
    picture = Image.new("RGB", (3, 2))
    assert to_rgb(picture) is picture
    assert to_rgb(picture.convert("CMYK")).getpixel((0, 0)) == (0, 0, 0)


def save_turned(path, orientation):
    """A picture whose upper left corner, as stored, is white."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = Image.new("L", (32, 16))
    picture.paste(255, (0, 0, 16, 8))
    picture.save(path, exif=exif)


def test_exif_orientation_is_not_applied_to_labelled_pictures(tmp_path):
    save_turned(tmp_path / "a.jpg", 6)
    assert open_picture(tmp_path / "a.jpg").size == (32, 16)
    assert open_picture(tmp_path / "a.jpg").getpixel((2, 2)) > (250,) * 3


@pytest.mark.parametrize(
    ("orientation", "size", "corner"),
    [
        (1, (32, 16), (2, 2)),
        (2, (32, 16), (29, 2)),
        (3, (32, 16), (29, 13)),
        (6, (16, 32), (13, 2)),
        (8, (16, 32), (2, 29)),
    ],
)
def test_upright_pictures_are_turned_as_exif_says(tmp_path, orientation, size, corner):
    for name in ("a.jpg", "a.png"):
        save_turned(tmp_path / name, orientation)
        picture = open_picture(tmp_path / name, upright=True)
        assert (picture.mode, picture.size) == ("RGB", size)
        assert picture.getpixel(corner) > (250,) * 3


def test_pictures_without_exif_are_upright_already(picture):
    expected = np.asarray(open_picture(picture))
    assert np.array_equal(open_picture(picture, upright=True), expected)


def test_open_picture_leaves_no_file_open(tmp_path, picture):
    (tmp_path / "b.png").write_bytes(pathlib.Path(picture).read_bytes())
    assert open_picture(str(tmp_path / "b.png")).getpixel((0, 0)) is not None


@pytest.mark.parametrize("key", [-1, 1])
def test_a_key_out_of_range_is_an_error(picture, key):
    with pytest.raises(IndexError, match=rf"\[0, 1\).*valid.*OnePicture.*key={key}"):
        OnePicture(picture).get_data(key, VALID_MODE)


def test_wrong_arguments_are_named(picture):
    with pytest.raises(ValueError, match="`dictkey` must be one of frame.*'depth'"):
        OnePicture(picture).get_shape("depth")
    with pytest.raises(ValueError, match=r"a\.png must be at least 1 px.*0\.0"):
        OnePicture(picture, window=(0.0, 0.0)).get_data(0, VALID_MODE)
    with pytest.raises(ValueError, match="3 channels.*128, 128, 1"):
        OnePicture(picture, fixed(image_channels=(1,)))
    with pytest.raises(ValueError, match="`mode` must be"):
        OnePicture(picture).get_data(0, 7)
