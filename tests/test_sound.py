"""data/sound.py and VideoWriter: pictures at their times, with the sound they had."""

import os
import signal

import av
import numpy as np
import pytest
from video_files import full_disk, write_timed_video

from deephar.data.video_writing import VideoWriter
from deephar.data.videos import Video

TIMES = [0, 40, 80, 200, 240, 400, 1000]
MP2_FRAME = b"\xff\xfd"
"""Begins a frame of MPEG-1 Layer II."""
AAC = ("aac", 0, 3000, 44100)


def copy(path, out, first=1, last=7, **options):
    """Writes frames of a video again, with its sound."""
    with Video(path) as video, VideoWriter(out, 10, path, **options) as writer:
        for frame in video.frames(range(first, last + 1)):
            writer.write(frame.picture, frame.time)
    return out


def streams(path):
    """{type: (name of codec, duration s)}."""
    with av.open(str(path)) as container:
        return {
            s.type: (s.codec_context.name, float(s.duration * s.time_base))
            for s in container.streams
        }


def sound_packets(path):
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]


def heard(path):
    """(levels, rate): the sound from second 0 on."""
    with av.open(str(path)) as container:
        frames = list(container.decode(audio=0))
    levels = np.concatenate([frame.to_ndarray()[0] for frame in frames])
    rate = frames[0].sample_rate
    skipped = round(frames[0].time * rate)
    return np.pad(levels, (max(skipped, 0), 0))[max(-skipped, 0) :], rate


def first_loud(levels):
    """Number of the first sample of a tone."""
    return int((np.abs(levels) > np.abs(levels).max() / 2).argmax())


def test_times_are_kept_and_the_first_is_zero(tmp_path):
    path = write_timed_video(tmp_path / "a.mp4", TIMES)
    with Video(copy(path, tmp_path / "b.mp4")) as video:
        times = [frame.time for frame in video.frames()]
    np.testing.assert_allclose(times, np.array(TIMES) / 1000, atol=1e-5)
    with Video(copy(path, tmp_path / "c.mp4", 4)) as video:
        times = [frame.time for frame in video.frames()]
        assert video.start == 0
    np.testing.assert_allclose(times, [0, 0.04, 0.2, 0.8], atol=1e-5)
    # Without sound, as it had none, and as long as its last picture is shown.
    assert streams(tmp_path / "c.mp4") == {"video": ("h264", pytest.approx(0.9))}


def test_sound_is_copied_packet_by_packet_and_ends_with_the_pictures(tmp_path):
    path = write_timed_video(tmp_path / "a.mp4", TIMES, sound=AAC)
    before, after = streams(path), streams(copy(path, tmp_path / "b.mp4"))
    assert before["audio"] == ("aac", pytest.approx(3, abs=0.03))
    assert after["audio"] == ("aac", pytest.approx(1.1, abs=0.03))
    assert after["video"] == ("h264", pytest.approx(1.1, abs=0.001))
    packets, copied = sound_packets(path), sound_packets(tmp_path / "b.mp4")
    assert copied == packets[: len(copied)] and len(copied) < len(packets)


@pytest.mark.parametrize(
    ("file", "sound", "codec"),
    [
        ("a.mov", ("pcm_s16le", 500, 1500, 8000), "libx264"),
        ("a.mkv", ("aac", 500, 1500, 44100), "libx264"),
        ("a.avi", ("pcm_s16le", 0, 1500, 11025), "mpeg4"),
        ("a.ts", ("aac", 500, 1500, 48000), "libx264"),
    ],
)
@pytest.mark.parametrize("first", [1, 4])
def test_sound_of_other_files_is_heard_when_it_was(tmp_path, file, sound, codec, first):
    path = write_timed_video(tmp_path / file, TIMES, sound=sound, codec=codec)
    out = copy(path, tmp_path / "b.mp4", first)
    length = (1000 - TIMES[first - 1]) / 1000 + 0.1
    assert streams(out)["audio"][0] == "aac"
    levels, rate = heard(out)
    assert len(levels) / rate == pytest.approx(length, abs=0.15)
    begins = max(sound[1] - TIMES[first - 1], 0) / 1000
    assert first_loud(levels) / rate == pytest.approx(begins, abs=0.03)


@pytest.mark.parametrize("how", ["raised", "signal", "error"])
def test_what_breaks_it_off_leaves_a_file_that_plays(tmp_path, how):
    path = write_timed_video(tmp_path / "a.mp4", range(0, 1000, 40), sound=AAC)
    out, error = tmp_path / "b.mp4", OSError if how == "error" else KeyboardInterrupt
    with pytest.raises(error):
        with Video(path) as video, VideoWriter(out, 25, path) as writer:
            for frame in video.frames():
                if how == "signal" and frame.number == 12:
                    broken_by_signal(writer)
                if how != "signal" and frame.number == 13:
                    raise error
                writer.write(frame.picture, frame.time)
    with Video(out) as video:
        levels = [frame.picture.mean() for frame in video.frames()]
    np.testing.assert_allclose(levels, np.arange(10, 130, 10), atol=2)
    assert streams(out)["audio"][1] == pytest.approx(0.48, abs=0.03)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.mp4", "b.mp4"]


def broken_by_signal(writer):
    """Has Ctrl-C come while the next picture is encoded."""
    encode = writer._encoder.encode

    def interrupted(*given):
        signal.raise_signal(signal.SIGINT)
        encode(*given)

    writer._encoder.encode = interrupted


def test_before_the_first_picture_there_is_no_file(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        with VideoWriter(tmp_path / "a.mp4", 25):
            raise KeyboardInterrupt
    with pytest.raises(ValueError, match=r"a\.mp4 must get a picture at least"):
        with VideoWriter(tmp_path / "a.mp4", 25):
            pass
    assert not list(tmp_path.iterdir())


def test_a_constant_rate_needs_no_times(tmp_path):
    with VideoWriter(tmp_path / "a.mp4", 30000 / 1001) as writer:
        for level in (10, 20, 30):
            writer.write(np.full((21, 33, 3), level, np.uint8))
        assert writer.count == 3
    with Video(tmp_path / "a.mp4") as video:
        assert video.info.rate == pytest.approx(30000 / 1001)
        assert video.info.size == (34, 22)


def pictures(*calls):
    def write(path):
        with VideoWriter(path, 25) as writer:
            for shape, time in calls:
                writer.write(np.zeros(shape, np.uint8), time)

    return write


FRAME = (4, 6, 3)


@pytest.mark.parametrize(
    ("write", "error", "message"),
    [
        (pictures((FRAME, 1), (FRAME, 1)), ValueError, "`time` must grow .* Got: 1"),
        (pictures((FRAME, 1), (FRAME, None)), ValueError, "always or never.*None"),
        (
            *(pictures((FRAME, 0), ((5, 6, 3), 1)), ValueError),
            r"`picture` must be .* first has \(4, 6, 3\). Received: an array \(5, 6, 3",
        ),
        (pictures(((4, 6), 0)), ValueError, "`picture` must be uint8"),
        (lambda p: VideoWriter(p, 0), ValueError, "must be positive. Received: rate=0"),
        (lambda p: VideoWriter(p, 9, None, 0), ValueError, "bitrate=0"),
        (lambda p: VideoWriter(p, 9, "no.mp4"), FileNotFoundError, "no such video: no"),
        (
            *(lambda p: VideoWriter(p.with_suffix(".gif"), 9), ValueError),
            "`path` must end in .mp4. Received: path='.*a.gif'",
        ),
        (
            *(lambda p: VideoWriter(p.parent / "no" / "a.mp4", 9), FileNotFoundError),
            "the folder of `path` must exist",
        ),
    ],
)
def test_what_is_wrong_is_named(tmp_path, write, error, message):
    with pytest.raises(error, match=message):
        write(tmp_path / "a.mp4")
    assert not list(tmp_path.glob(".*"))


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)
    with pytest.raises(PermissionError, match="the folder of `path` must be writable"):
        VideoWriter(tmp_path / "a.mp4", 25)


@pytest.mark.parametrize(
    ("codec", "rate", "becomes"),
    [
        ("flac", 96000, ("aac", 48000)),
        ("libmp3lame", 11025, ("aac", 11025)),
        ("libmp3lame", 44100, ("mp3", 44100)),
    ],
)
def test_sound_keeps_its_rate_as_far_as_an_mp4_can(tmp_path, codec, rate, becomes):
    path = write_timed_video(tmp_path / "a.mkv", TIMES, sound=(codec, 0, 900, rate))
    with av.open(str(copy(path, tmp_path / "b.mp4"))) as container:
        found = container.streams.audio[0].codec_context
        assert (found.codec.canonical_name, found.sample_rate) == becomes
        assert len(list(container.decode(video=0))) == 7


def test_sound_that_cannot_be_taken_over_is_told(tmp_path, monkeypatch, caplog):
    def broken(*_):
        raise av.error.ArgumentError(22, "no such layout")

    monkeypatch.setattr("deephar.data.sound.Sound._graph", broken)
    path = write_timed_video(tmp_path / "a.mkv", TIMES, sound=("flac", 0, 900, 8000))
    assert list(streams(copy(path, tmp_path / "b.mp4"))) == ["video"]
    assert "a.mkv: the sound cannot be taken over: no such layout" in caplog.text


def test_a_file_that_can_no_longer_be_written_to_is_told_and_not_kept(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (96, 128, 3), np.uint8)
    with pytest.raises(OSError, match=r"a\.mp4"), full_disk(60_000):
        with VideoWriter(tmp_path / "a.mp4", 25) as writer:
            for number in range(200):
                writer.write(np.roll(noise, number * 7, axis=1))
    assert not list(tmp_path.iterdir())


def test_sound_that_cannot_be_read_on_is_told_and_the_pictures_kept(tmp_path, caplog):
    sound = ("mp2", 0, 800, 44100)
    path = write_timed_video(tmp_path / "a.mkv", range(0, 800, 40), sound=sound)
    damaged = tmp_path / "b.mkv"
    first, *others = path.read_bytes().split(MP2_FRAME)
    damaged.write_bytes(MP2_FRAME.join([first, bytes(2).join(others[:9]), *others[9:]]))
    with VideoWriter(tmp_path / "c.mp4", 25, damaged) as writer:
        for number in range(20):
            writer.write(np.zeros((8, 8, 3), np.uint8), number / 25)
    assert "b.mkv: no sound at" in caplog.text
    with Video(tmp_path / "c.mp4") as video:
        assert video.info.num_frames == 20
