"""data/video_writing.py: MP4 and GIF, read back; whole or not at all."""

import re

import numpy as np
import pytest
from PIL import Image

from deephar.data.video_writing import write_video
from deephar.data.videos import Video, VideoInfo

COLOURS = ((200, 30, 30), (30, 180, 30), (30, 30, 200), (220, 220, 220))


def plain(count, size=(64, 48)):
    """Frames of one colour each, in turn."""
    for number in range(count):
        yield np.full((size[1], size[0], 3), COLOURS[number % 4], np.uint8)


@pytest.mark.parametrize("suffix", [".mp4", ".gif"])
def test_frames_come_back_in_order_with_size_and_rate(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    assert write_video(path, plain(9), 25) == 9
    with Video(path) as video:
        assert video.info == VideoInfo((64, 48), 9, 25.0)
        means = [frame.mean(axis=(0, 1)) for _, frame, _ in video.frames()]
    np.testing.assert_allclose(means, [COLOURS[i % 4] for i in range(9)], atol=6)
    assert [found.name for found in tmp_path.iterdir()] == [f"a{suffix}"]


def test_an_mp4_has_its_head_in_front_and_a_format_that_browsers_show(tmp_path):
    import av

    write_video(tmp_path / "a.mp4", plain(3), 30000 / 1001)
    data = (tmp_path / "a.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    with av.open(str(tmp_path / "a.mp4")) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert stream.codec_context.pix_fmt == "yuv420p"
        assert stream.average_rate * 1001 == 30000


def test_an_mp4_of_odd_lengths_gets_a_row_and_a_column_more(tmp_path):
    write_video(tmp_path / "a.mp4", plain(2, (33, 21)), 10)
    with Video(tmp_path / "a.mp4") as video:
        assert video.info.size == (34, 22)
        _, frame, _ = next(video.frames())
    np.testing.assert_allclose(frame[-1, -1], COLOURS[0], atol=6)


def test_the_bit_rate_changes_the_size_of_an_mp4(tmp_path):
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 256, (96, 128, 3), np.uint8) for _ in range(20)]
    for name, bitrate in (("low", 200_000), ("high", 2_000_000)):
        write_video(tmp_path / f"{name}.mp4", noise, 20, bitrate)
    low, high = ((tmp_path / f"{name}.mp4").stat().st_size for name in ("low", "high"))
    assert 3 * low < high


def test_a_gif_of_many_frames_a_second_lasts_as_long_with_fewer(tmp_path):
    write_video(tmp_path / "a.gif", plain(100), 100)
    with Image.open(tmp_path / "a.gif") as gif:
        assert 49 <= gif.n_frames <= 51
        assert gif.info["duration"] == 20
        assert gif.info["loop"] == 0


def test_progress_counts_the_frames(tmp_path):
    seen = []
    write_video(tmp_path / "a.mp4", plain(4), 10, progress=seen.append)
    assert seen == [1, 2, 3, 4]


def test_a_broken_source_leaves_what_was_there(tmp_path):
    path = tmp_path / "a.mp4"
    path.write_text("before")

    def broken():
        yield from plain(2)
        raise OSError("no more pictures")

    with pytest.raises(OSError, match="no more pictures"):
        write_video(path, broken(), 10)
    assert [found.name for found in tmp_path.iterdir()] == ["a.mp4"]
    assert path.read_text() == "before"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"path": "a.avi"},
            "`path` must end in .mp4 or .gif. Received: path='.*a.avi'",
        ),
        ({"frames": []}, "`frames` must hold a frame at least"),
        ({"rate": 0}, "`rate` and `bitrate` must be positive. Received: rate=0"),
        ({"bitrate": 0}, "Received: rate=10, bitrate=0"),
        (
            {"frames": [np.zeros((4, 4, 3), np.uint8), np.zeros((4, 6, 3), np.uint8)]},
            r"of one size, the first has \(4, 4, 3\). Received: an array \(4, 6, 3\)",
        ),
        ({"frames": [np.zeros((4, 4, 3))]}, "must be uint8 arrays .* of float64"),
        ({"frames": [np.zeros((4, 4), np.uint8)]}, r"must be uint8 arrays \(h, w, 3\)"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, changed, message):
    given = {"path": "a.mp4", "frames": plain(2), "rate": 10} | changed
    given["path"] = tmp_path / given["path"]
    with pytest.raises(ValueError, match=message):
        write_video(**given)
    assert not list(tmp_path.iterdir())


def test_a_missing_folder_is_named(tmp_path):
    message = re.escape(f"Received: path={str(tmp_path / 'no' / 'a.mp4')!r}")
    with pytest.raises(FileNotFoundError, match=message):
        write_video(tmp_path / "no" / "a.mp4", plain(1), 10)
