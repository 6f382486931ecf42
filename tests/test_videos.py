"""data/videos.py: frames of videos, whole pictures, damaged files by name."""

import numpy as np
import pytest
from PIL import Image
from video_files import write_video

from deephar.data.videos import (
    Extraction,
    Video,
    VideoInfo,
    extract_frames,
    video_info,
    write_jpeg,
)


def pixels(path):
    with Image.open(path) as picture:
        return np.asarray(picture)


def test_the_head_tells_size_number_and_rate(tmp_path):
    path = write_video(tmp_path / "a.mp4", 7)
    assert video_info(path) == VideoInfo((64, 48), 7, 25.0)


def test_frames_come_in_order_with_their_number(tmp_path):
    with Video(write_video(tmp_path / "a.avi", 5)) as video:
        frames = list(video.frames())
    assert [number for number, _ in frames] == [1, 2, 3, 4, 5]
    levels = [frame.mean() for _, frame in frames]
    np.testing.assert_allclose(levels, [10, 20, 30, 40, 50], atol=2)
    assert frames[0][1].shape == (48, 64, 3)


def test_only_wanted_frames_are_given_and_none_behind_them_decoded(tmp_path):
    with Video(write_video(tmp_path / "a.avi", 9)) as video:
        found = {n: frame.mean() for n, frame in video.frames(range(2, 7, 3))}
        assert video.num_decoded == 5
    assert found == {2: pytest.approx(20, abs=2), 5: pytest.approx(50, abs=2)}


def test_colours_are_rgb(tmp_path):
    picture = np.zeros((16, 16, 3), np.uint8)
    picture[..., 0] = 200
    write_jpeg(tmp_path / "a.jpg", picture)
    again = pixels(tmp_path / "a.jpg")
    np.testing.assert_allclose(again[8, 8], [200, 0, 0], atol=4)
    assert [path.name for path in tmp_path.iterdir()] == ["a.jpg"]


def test_a_bad_video_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no such video: .*a\.avi"):
        Video(tmp_path / "a.avi")
    (tmp_path / "a.avi").write_text("no video")
    with pytest.raises(ValueError, match=r"a\.avi must be a video with frames"):
        Video(tmp_path / "a.avi")
    write_video(tmp_path / "b.avi", 0)
    with pytest.raises(ValueError, match=r"b\.avi must be a video with frames"):
        Video(tmp_path / "b.avi")


def cut(path, part=0.8):
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * part)])
    return path


def test_a_video_cut_short_gives_its_frames_and_then_its_name(tmp_path):
    numbers = []
    with Video(cut(write_video(tmp_path / "a.avi", 20))) as video:
        with pytest.raises(ValueError, match=r"a\.avi must be whole.*promises 20"):
            for number, _ in video.frames():
                numbers.append(number)
    assert numbers == list(range(1, len(numbers) + 1))
    assert 5 < len(numbers) < 20


def test_extraction_writes_what_is_lacking(tmp_path):
    path = write_video(tmp_path / "a.avi", 6)
    out = tmp_path / "x" / "y"
    assert extract_frames(path, out, lambda info: [2, 4]) == Extraction(2, 0)
    (out / "00002.jpg").write_bytes(b"mine")
    assert extract_frames(path, out, lambda info: [2, 4, 6]) == Extraction(1, 2)
    assert extract_frames(path, out, lambda info: [2, 4, 6]) == Extraction(0, 3)
    assert sorted(p.name for p in out.iterdir()) == [
        "00002.jpg",
        "00004.jpg",
        "00006.jpg",
    ]
    assert (out / "00002.jpg").read_bytes() == b"mine"
    assert pixels(out / "00006.jpg").mean() == pytest.approx(60, abs=2)


def test_extraction_shrinks(tmp_path):
    path = write_video(tmp_path / "a.avi", 1)
    extract_frames(path, tmp_path / "out", lambda info: [1], shrink=2)
    assert pixels(tmp_path / "out" / "00001.jpg").shape == (24, 32, 3)


def test_extraction_says_what_is_wrong_and_keeps_what_there_is(tmp_path):
    path = cut(write_video(tmp_path / "a.avi", 20))
    done = extract_frames(path, tmp_path / "a", lambda info: range(1, 21, 5))
    assert done.written == len(list((tmp_path / "a").iterdir())) in (2, 3, 4)
    assert "a.avi must be whole" in done.problem
    path = write_video(tmp_path / "b.avi", 3)
    done = extract_frames(path, tmp_path / "b", lambda info: [3, 8])
    assert done.written == 1
    assert "b.avi must have the frame 8. Received: 3 frames" in done.problem
    done = extract_frames(tmp_path / "c.avi", tmp_path / "c", lambda info: [1])
    assert done == Extraction(0, 0, f"no such video: {tmp_path / 'c.avi'}")
