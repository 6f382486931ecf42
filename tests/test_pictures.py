"""What is decoded of a picture: only the part that a crop looks at, and all alike."""

import io
import sys

import numpy as np
import pytest
from PIL import Image

from deephar.data import PictureError, open_picture
from deephar.data.pictures import PictureFile, reduced_size, widen
from deephar.utils.transform import T
from deephar.utils.warp import warp

KINDS = {
    "4:4:4": {"subsampling": 0},
    "4:2:2": {"subsampling": 1},
    "4:2:0": {"subsampling": 2},
    "progressive": {"progressive": True},
    "coarse": {"quality": 20},
    "restarts": {"restart_marker_blocks": 3},
}


@pytest.fixture(scope="module")
def scene():
    """Smooth colours with some noise, 203 x 149 px."""
    rng = np.random.default_rng(0)
    small = Image.fromarray(rng.integers(0, 256, (12, 16, 3), dtype=np.uint8))
    levels = np.asarray(small.resize((203, 149), Image.Resampling.BICUBIC))
    return Image.fromarray(levels ^ rng.integers(0, 8, levels.shape, dtype=np.uint8))


@pytest.fixture
def jpeg(scene, tmp_path):
    def save(**options):
        scene.save(tmp_path / "a.jpg", **{"quality": 90, **options})
        return str(tmp_path / "a.jpg")

    return save


@pytest.fixture
def decoded(monkeypatch):
    """(rows, cols) of what TensorFlow has decoded."""
    tensorflow = pytest.importorskip("tensorflow")
    original, sizes = tensorflow.raw_ops.DecodeAndCropJpeg, []

    def decode(**arguments):
        part = original(**arguments)
        sizes.append(tuple(part.shape[:2]))
        return part

    monkeypatch.setattr(tensorflow.raw_ops, "DecodeAndCropJpeg", decode)
    return sizes


def without_tensorflow(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow", None)


def read(path, ratio, box):
    """The pixels of a box alone."""
    pixels, (x, y) = PictureFile(path).read(ratio, box)
    x1, y1, x2, y2 = box
    return pixels[y1 - y : y2 - y, x1 - x : x2 - x]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ratio", [1, 2, 4, 8])
def test_a_part_has_the_pixels_of_the_whole(jpeg, kind, ratio, decoded, monkeypatch):
    path = jpeg(**KINDS[kind])
    width, height = reduced_size((203, 149), ratio)
    boxes = [(0, 0, width, height), (3, 5, width - 2, 9), (width - 4, 6, width, 11)]
    parts = [read(path, ratio, box) for box in boxes]
    assert decoded == [(height, width), (8, width - 1), (9, 6)]
    without_tensorflow(monkeypatch)
    for part, box in zip(parts, boxes, strict=True):
        np.testing.assert_array_equal(part, read(path, ratio, box))
    assert len(decoded) == 3


@pytest.mark.parametrize("angle", [0, 25])
@pytest.mark.parametrize("fast", [False, True])
def test_crops_do_not_depend_on_the_decoder(jpeg, angle, fast, decoded, monkeypatch):
    t = T(None, (203, 149))
    t.rotate_crop(angle, (120, 60), (90, 90))
    t.resize((50, 50))
    path = jpeg()
    part = PictureFile(path, fast).crop(t.afmat, t.size)
    assert len(decoded) == 1 and np.prod(decoded) < 203 * 149 * 0.6
    without_tensorflow(monkeypatch)
    np.testing.assert_array_equal(part, PictureFile(path, fast).crop(t.afmat, t.size))
    if not fast:
        np.testing.assert_array_equal(part, warp(open_picture(path), t.afmat, t.size))


def test_a_shrunk_jpeg_is_decoded_small_and_looks_the_same(jpeg, scene, decoded):
    matrix = np.array([[0.24, 0.04, 1], [-0.04, 0.24, 2], [0, 0, 1]])
    path = jpeg(quality=97)
    source, fast = PictureFile(path), PictureFile(path, fast=True)
    assert (source.ratio(4.1), fast.ratio(4.1)) == (4, 4)
    assert (source.ratio(3.5), fast.ratio(3.5)) == (2, 4)
    crop = source.crop(matrix, (50, 40)).astype(float)
    assert max(decoded[0]) <= 51
    assert np.abs(crop - warp(scene, matrix, (50, 40))).mean() < 4


def test_only_jpegs_are_decoded_small_and_none_to_nothing(jpeg, scene, tmp_path):
    scene.save(tmp_path / "a.png")
    assert PictureFile(str(tmp_path / "a.png")).ratio(1000) == 1
    assert PictureFile(jpeg()).ratio(1000) == 8
    scene.crop((0, 0, 60, 3)).save(tmp_path / "flat.jpg")
    flat = PictureFile(str(tmp_path / "flat.jpg"))
    assert flat.ratio(1000) == 2
    assert flat.crop(np.diag([0.2, 0.2, 1]), (12, 1)).mean() > 20


@pytest.mark.parametrize("mode", ["CMYK", "L"])
def test_other_colours_of_jpegs_are_as_open_picture_has_them(
    scene, mode, tmp_path, decoded
):
    path = str(tmp_path / "a.jpg")
    scene.convert(mode).save(path)
    part = read(path, 1, (20, 30, 90, 80))
    whole = np.asarray(open_picture(path))
    np.testing.assert_array_equal(part, whole[30:80, 20:90])
    assert len(decoded) == (mode == "L")


def test_a_picture_cut_short_below_the_part_is_an_error_all_the_same(jpeg):
    path = jpeg()
    with open(path, "rb") as file:
        content = file.read()
    for end in (len(content) - 1, len(content) * 3 // 4):
        with open(path, "wb") as file:
            file.write(content[:end])
        with pytest.raises(PictureError, match=r"a\.jpg: image file is truncated"):
            read(path, 1, (0, 0, 20, 10))


def test_bytes_after_the_end_change_nothing(jpeg, decoded):
    path = jpeg()
    expected = read(path, 1, (9, 9, 50, 50))
    for rest, parts in ((b"\0\0\0", 2), (b"more", 2)):
        with open(path, "ab") as file:
            file.write(rest)
        np.testing.assert_array_equal(read(path, 1, (9, 9, 50, 50)), expected)
        assert len(decoded) == parts


def test_what_tensorflow_refuses_pillow_reads_or_names(jpeg, monkeypatch):
    tensorflow = pytest.importorskip("tensorflow")

    def refuse(**_):
        raise tensorflow.errors.InvalidArgumentError(None, None, "no")

    path = jpeg()
    expected = read(path, 2, (9, 9, 50, 50))
    monkeypatch.setattr(tensorflow.raw_ops, "DecodeAndCropJpeg", refuse)
    np.testing.assert_array_equal(read(path, 2, (9, 9, 50, 50)), expected)


def test_a_crop_beside_the_picture_is_black_and_the_picture_checked(jpeg):
    path = jpeg()
    far = np.array([[1, 0, 5000.0], [0, 1, 0], [0, 0, 1]])
    assert not PictureFile(path).crop(far, (8, 8)).any()
    with open(path, "rb+") as file:
        file.truncate(2000)
    with pytest.raises(PictureError, match="truncated"):
        PictureFile(path).crop(far, (8, 8))


def test_folders_and_text_are_no_pictures(tmp_path):
    with pytest.raises(PictureError, match="cannot read the picture .*directory"):
        PictureFile(str(tmp_path))
    (tmp_path / "a.jpg").write_text("hello")
    with pytest.raises(PictureError, match=r"a\.jpg: cannot identify"):
        PictureFile(str(tmp_path / "a.jpg"))


def test_a_margin_ends_at_the_picture():
    assert widen((1, 5, 8, 9), 2, (10, 10)) == (0, 3, 10, 10)
    assert widen((1.5, 5, 8, 9.2), 0, (10, 10)) == (1, 5, 8, 10)
    assert reduced_size((9, 16), 8) == (2, 2)


def test_every_tag_of_transparency_is_seen_in_parts(tmp_path):
    content = io.BytesIO()
    picture = Image.new("L", (9, 7), 100)
    picture.save(content, "PNG", transparency=100)
    (tmp_path / "a.png").write_bytes(content.getvalue())
    part = read(str(tmp_path / "a.png"), 1, (2, 2, 5, 5))
    assert part.shape == (3, 3, 3) and not part.any()
