"""data/videos.py: frames of videos, damaged files by name."""

import numpy as np
import pytest
from video_files import cut, write_timed_video, write_video

from deephar.data.videos import Video, VideoInfo, video_info


def test_the_head_tells_size_number_and_rate(tmp_path):
    path = write_video(tmp_path / "a.mp4", 7)
    assert video_info(path) == VideoInfo((64, 48), 7, 25.0)


def test_frames_come_in_order_with_their_number(tmp_path):
    with Video(write_video(tmp_path / "a.avi", 5)) as video:
        frames = list(video.frames())
    assert [number for number, _, _ in frames] == [1, 2, 3, 4, 5]
    levels = [frame.mean() for _, frame, _ in frames]
    np.testing.assert_allclose(levels, [10, 20, 30, 40, 50], atol=2)
    assert frames[0][1].shape == (48, 64, 3)


def test_only_wanted_frames_are_given_and_none_behind_them_decoded(tmp_path):
    with Video(write_video(tmp_path / "a.avi", 9)) as video:
        found = {n: frame.mean() for n, frame, _ in video.frames(range(2, 7, 3))}
        assert video.num_decoded == 5
    assert found == {2: pytest.approx(20, abs=2), 5: pytest.approx(50, abs=2)}


def test_a_bad_video_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no such video: .*a\.avi"):
        Video(tmp_path / "a.avi")
    (tmp_path / "a.avi").write_text("no video")
    with pytest.raises(ValueError, match=r"a\.avi must be a video with frames"):
        Video(tmp_path / "a.avi")
    write_video(tmp_path / "b.avi", 0)
    with pytest.raises(ValueError, match=r"b\.avi must be a video with frames"):
        Video(tmp_path / "b.avi")


def test_a_video_cut_short_gives_its_frames_and_then_its_name(tmp_path):
    numbers = []
    with Video(cut(write_video(tmp_path / "a.avi", 20))) as video:
        with pytest.raises(ValueError, match=r"a\.avi must be whole.*promises"):
            for number, _, _ in video.frames():
                numbers.append(number)
    assert numbers == list(range(1, len(numbers) + 1))
    assert 5 < len(numbers) < 20


def test_times_are_read_without_decoding(tmp_path):
    times = [0, 30, 50, 130, 200, 210]
    for name in ("a.mp4", "a.mkv"):
        with Video(write_timed_video(tmp_path / name, times)) as video:
            np.testing.assert_allclose(video.times() * 1000, times, atol=1)
            decoded = [frame.time for frame in video.frames()]
            np.testing.assert_allclose(video.times(), decoded, atol=1e-6)
    with Video(write_video(tmp_path / "a.avi", 5)) as video:
        np.testing.assert_allclose(video.times(), np.arange(5) / 25)
