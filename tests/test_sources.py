"""data/sources.py: everything that can be looked at, good and bad."""

import logging

import cv2
import numpy as np
import pytest
from PIL import Image
from video_files import cut, turn, write_sound, write_timed_video, write_video

from deephar.data.box_lists import BoxRow, write_box_list
from deephar.data.pictures import PictureError
from deephar.data.sources import open_source

TIMES = [0, 40, 80, 200, 240, 400, 1000]


def seen(source):
    """The source, closed, and its frames."""
    with open_source(source) as opened:
        return opened, list(opened)


def save(path, level=50, size=(8, 6), **options):
    Image.new("RGB", size, (level, 0, 0)).save(path, **options)
    return path


def test_a_picture_is_one_frame(tmp_path):
    source, (frame,) = seen(save(tmp_path / "a.png"))
    assert (source.kind, source.count, source.size) == ("picture", 1, (8, 6))
    assert (frame.number, frame.time, frame.name) == (1, None, str(tmp_path / "a.png"))
    np.testing.assert_array_equal(frame.picture[5, 7], [50, 0, 0])
    assert source.problem is None and not source.boxes and not source.has_sound


def stored(array):
    """Saves an array with 16 bits, which Pillow cannot."""
    return lambda path: cv2.imwrite(str(path), np.broadcast_to(array, (6, 8, 3)))


def of_mode(mode, colour, **options):
    return lambda path: Image.new(mode, (8, 6), colour).save(path, **options)


KINDS = {
    "grey.png": (of_mode("L", 77), (77, 77, 77)),
    "black-and-white.png": (of_mode("1", 1), (255, 255, 255)),
    "alpha.png": (of_mode("RGBA", (200, 100, 50, 128)), (100, 50, 25)),
    "grey-alpha.png": (of_mode("LA", (200, 128)), (100, 100, 100)),
    "16-bit.png": (stored(np.array([4096, 32768, 65535], np.uint16)), (255, 128, 16)),
    "16-bit.tif": (stored(np.array([4096, 32768, 65535], np.uint16)), (255, 128, 16)),
    "floating.tif": (of_mode("F", 0.5), (128, 128, 128)),
    "cmyk.jpg": (of_mode("CMYK", (0, 255, 255, 0)), (255, 0, 0)),
    "palette.gif": (of_mode("P", 1, transparency=1), (0, 0, 0)),
}


@pytest.mark.parametrize("name", KINDS)
def test_pictures_of_all_kinds_are_rgb_of_8_bits(tmp_path, name):
    save, colour = KINDS[name]
    save(tmp_path / name)
    source, (frame,) = seen(tmp_path / name)
    assert source.kind == "picture" and source.size == (8, 6)
    assert frame.picture.dtype == np.uint8
    np.testing.assert_allclose(frame.picture, np.full((6, 8, 3), colour), atol=1)


def test_a_picture_may_be_one_pixel_and_lie_on_its_side(tmp_path):
    assert seen(save(tmp_path / "a.png", size=(1, 1)))[0].size == (1, 1)
    exif = Image.Exif()
    exif[0x0112] = 6
    assert seen(save(tmp_path / "a.jpg", exif=exif))[0].size == (6, 8)


def test_a_folder_gives_its_pictures_by_name_and_tells_of_bad_ones(tmp_path, caplog):
    for number, name in enumerate(("b.png", "a.jpg", "c.PNG"), 1):
        save(tmp_path / name, 40 * number)
    (tmp_path / "b.png").write_text("no picture")
    (tmp_path / "notes.txt").write_text("no picture either")
    source, frames = seen(tmp_path)
    assert (source.kind, source.count, source.size) == ("pictures", 3, None)
    assert [frame.number for frame in frames] == [1, 3]
    assert [frame.name[-5:] for frame in frames] == ["a.jpg", "c.PNG"]
    assert "1 of 3 pictures could not be read: cannot read" in source.problem
    assert "b.png" in source.problem and "b.png" in caplog.text


def test_a_video_of_varying_rate_tells_its_times(tmp_path):
    source, frames = seen(write_timed_video(tmp_path / "a.mp4", TIMES))
    assert (source.kind, source.count, source.size) == ("video", 7, (64, 48))
    assert source.rate == pytest.approx(7 / 0.36, rel=0.7)
    assert [frame.number for frame in frames] == [1, 2, 3, 4, 5, 6, 7]
    np.testing.assert_allclose([f.time for f in frames], np.array(TIMES) / 1000)
    levels = [frame.picture.mean() for frame in frames]
    np.testing.assert_allclose(levels, np.arange(10, 80, 10), atol=2)
    assert source.problem is None


@pytest.mark.parametrize("ending", ["mkv", "avi"])
def test_other_containers_with_varying_rate_are_whole_too(tmp_path, ending):
    sound = ("pcm_s16le", 0, 1500, 8000) if ending == "mkv" else None
    path = tmp_path / f"a.{ending}"
    codec = "mpeg4" if ending == "avi" else "libx264"
    source, frames = seen(write_timed_video(path, TIMES, sound=sound, codec=codec))
    assert source.problem is None and source.has_sound == bool(sound)
    np.testing.assert_allclose(
        [f.time for f in frames], np.array(TIMES) / 1000, atol=0.03
    )


@pytest.mark.parametrize(
    ("matrix", "corner"),
    [
        ((1, 0, 0, 1), (0, 0)),
        ((0, 1, -1, 0), (0, -1)),
        ((0, -1, 1, 0), (-1, 0)),
        ((-1, 0, 0, -1), (-1, -1)),
        ((-1, 0, 0, 1), (0, -1)),
    ],
)
def test_a_video_is_turned_as_the_phone_was(tmp_path, matrix, corner):
    path = tmp_path / "a.mp4"
    marked = np.zeros((48, 64, 3), np.uint8)
    marked[:16, :16] = 255
    with_mark(path, marked)
    source, (frame,) = seen(turn(path, matrix))
    turned = bool(matrix[1])
    assert source.size == ((48, 64) if turned else (64, 48))
    assert frame.picture.shape == ((64, 48, 3) if turned else (48, 64, 3))
    assert frame.picture[corner].min() > 240
    assert frame.picture.mean() == pytest.approx(255 / 12, abs=2)


def with_mark(path, picture):
    from deephar.data.video_writing import write_video as write

    write(path, [picture], 25)


def test_a_damaged_video_gives_what_it_has_and_then_tells(tmp_path, caplog):
    times = range(0, 800, 40)
    for ending in ("mkv", "mp4"):
        path = tmp_path / f"cut.{ending}"
        if ending == "mkv":
            write_timed_video(path, times, (320, 240))
        else:
            with_noise(path)
        source, frames = seen(cut(path))
        assert 5 < len(frames) < 20
        expected = f"cut.{ending} must be whole. Received: {len(frames)} frames"
        assert expected in source.problem and not caplog.records


def with_noise(path):
    """An MP4 with its head in front."""
    from deephar.data.video_writing import write_video as write

    rng = np.random.default_rng(0)
    write(path, rng.integers(0, 256, (20, 48, 64, 3), np.uint8), 25)
    return path


def test_a_video_damaged_in_the_middle_is_read_on(tmp_path):
    path = write_video(tmp_path / "a.avi", 20)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 600] = bytes(600)
    path.write_bytes(content)
    source, frames = seen(path)
    assert len(frames) in (18, 19)
    assert frames[-1].picture.mean() == pytest.approx(200, abs=2)
    assert "must be whole. Received: 1" in source.problem


def test_what_ffmpeg_cannot_decode_is_counted(tmp_path):
    path = with_noise(tmp_path / "a.mp4")
    content = bytearray(path.read_bytes())
    content[-4000:-2000] = bytes(2000)
    path.write_bytes(content)
    source, frames = seen(path)
    assert 0 < len(frames) <= 20
    expected = f"must be whole. Received: {len(frames)} frames, damaged parts: "
    assert expected in source.problem


def test_an_animated_gif_is_a_video_and_a_still_one_a_picture(tmp_path):
    first, *others = (Image.new("L", (8, 8), 100 * i) for i in range(3))
    first.save(
        tmp_path / "a.gif", save_all=True, append_images=others, duration=[50, 200, 50]
    )
    source, frames = seen(tmp_path / "a.gif")
    assert source.kind == "video"
    np.testing.assert_allclose([f.time for f in frames], [0, 0.05, 0.25])
    first.save(tmp_path / "b.gif")
    assert seen(tmp_path / "b.gif")[0].kind == "picture"


def test_of_several_pages_the_first_is_taken_and_that_is_said(tmp_path, caplog):
    pages = [Image.new("L", (8, 8), level) for level in (30, 90)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    source, (frame,) = seen(tmp_path / "a.tif")
    assert source.kind == "picture" and frame.picture.mean() == 30
    assert "a.tif: only the first of its 2 pages is looked at" in caplog.text


def test_a_picture_without_an_ending_is_known_by_its_content(tmp_path):
    save(tmp_path / "photo", format="JPEG")
    assert seen(tmp_path / "photo")[0].kind == "picture"
    write_timed_video(tmp_path / "a.mp4", [0]).rename(tmp_path / "film")
    assert seen(tmp_path / "film")[0].kind == "video"


def test_a_list_gives_each_picture_once_with_its_boxes(tmp_path, monkeypatch):
    save(tmp_path / "a.png")
    save(tmp_path / "b.png")
    boxes = [("a.png", (0, 0, 4, 4)), ("b.png", (1, 1, 3, 3)), ("a.png", (2, 0, 6, 5))]
    path = tmp_path / "boxes.txt"
    write_box_list(path, [BoxRow(name, 1.0, box) for name, box in boxes])
    source, frames = seen(path)
    assert (source.kind, source.count) == ("box list", 2)
    boxes = {n: [row.box for row in rows] for n, rows in source.boxes.items()}
    assert boxes == {1: [(0, 0, 4, 4), (2, 0, 6, 5)], 2: [(1, 1, 3, 3)]}
    assert source.boxes[2][0].score == 1.0
    assert [frame.name for frame in frames] == [
        str(tmp_path / "a.png"),
        str(tmp_path / "b.png"),
    ]
    monkeypatch.chdir(tmp_path)
    assert [frame.name for frame in seen("boxes.txt")[1]] == ["a.png", "b.png"]


@pytest.mark.parametrize("name", [2, "2", "/dev/video2"])
def test_a_camera_gives_pictures_until_it_is_taken_away(tmp_path, monkeypatch, name):
    film, opened = write_video(tmp_path / "a.avi", 3), []
    capture = cv2.VideoCapture

    def camera(index):
        opened.append(index)
        return capture(str(film))

    monkeypatch.setattr(cv2, "VideoCapture", camera)
    source, frames = seen(name)
    assert opened == [2]
    assert (source.kind, source.name, source.count) == ("camera", "camera 2", None)
    assert (source.size, source.rate) == ((64, 48), 25.0)
    np.testing.assert_allclose([f.picture.mean() for f in frames], [10, 20, 30], atol=2)
    assert frames[0].time < frames[1].time < frames[2].time < 10
    assert source.problem == "camera 2 gave no more pictures after 3"


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan"), 1e6])
def test_a_rate_that_a_camera_does_not_know_is_none(monkeypatch, rate):
    class Camera:
        def __init__(self, index):
            self.left = 2

        def set(self, *_):
            return True

        def get(self, what):
            return {cv2.CAP_PROP_FPS: rate}[what]

        def read(self):
            self.left -= 1
            return self.left >= 0, np.zeros((4, 6, 3), np.uint8)

        def release(self):
            pass

    monkeypatch.setattr(cv2, "VideoCapture", Camera)
    source, frames = seen("0")
    assert (source.rate, source.size, len(frames)) == (None, (6, 4), 2)


def test_a_camera_that_is_not_there_is_told_and_opencv_silent(capfd):
    with pytest.raises(OSError, match="camera 97 gives no picture: is it there"):
        open_source("97")
    assert capfd.readouterr().err == ""


def text(path):
    path.write_text("hello " * 300)
    return path


def folder(path):
    path.mkdir()
    return path


def short(path):
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 256, (64, 64, 3), np.uint8)).save(path)
    return cut(path, 0.5)


def nothing(path):
    return path


BAD = {
    "no such file": (
        "a.mp4",
        nothing,
        FileNotFoundError,
        "no such picture, video, fol",
    ),
    "text as video": ("a.mp4", text, ValueError, "a.mp4 must be a video with frames"),
    "text as picture": ("a.jpg", text, PictureError, "a.jpg: cannot identify"),
    "text as list": ("a.txt", text, ValueError, "a.txt, line 1 must be path, score"),
    "sound alone": ("a.wav", write_sound, ValueError, "Received: no pictures in it"),
    "no frame": (
        *("a.avi", lambda path: write_video(path, 0)),
        *(ValueError, "a.avi must be a video .* Received: no frame"),
    ),
    "no head": (
        *("a.mp4", lambda path: cut(write_timed_video(path, TIMES), 0.5)),
        *(ValueError, "a.mp4 must be a video"),
    ),
    "empty": ("a.mp4", lambda path: cut(text(path), 0), ValueError, "a.mp4 must be"),
    "empty folder": ("a", folder, ValueError, "a: no pictures .*.png.* in it"),
    "cut picture": ("a.jpg", short, PictureError, "a.jpg: image file is truncated"),
    "phone's picture": ("a.heic", text, PictureError, "save it as JPEG or PNG, .heic"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_looked_at_is_named(tmp_path, name):
    file, make, error, message = BAD[name]
    with pytest.raises(error, match=message):
        open_source(make(tmp_path / file))


def test_a_bad_source_is_told_once(tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    with pytest.raises(ValueError, match="must be a video"):
        open_source(text(tmp_path / "a.mp4"))
    assert not caplog.records
