"""data/extraction.py: frames of videos as whole pictures, and what was wrong."""

import pathlib

import numpy as np
import pytest
from PIL import Image
from video_files import cut, write_video

from deephar.data.extraction import Extraction, extract_frames, write_jpeg


def pixels(path):
    with Image.open(path) as picture:
        return np.asarray(picture)


def test_colours_are_rgb(tmp_path):
    picture = np.zeros((16, 16, 3), np.uint8)
    picture[..., 0] = 200
    write_jpeg(tmp_path / "a.jpg", picture)
    again = pixels(tmp_path / "a.jpg")
    np.testing.assert_allclose(again[8, 8], [200, 0, 0], atol=4)
    assert [path.name for path in tmp_path.iterdir()] == ["a.jpg"]


def test_a_picture_may_be_written_by_another_process_meanwhile(tmp_path, monkeypatch):
    path, picture = tmp_path / "a.jpg", np.zeros((16, 16, 3), np.uint8)
    write = pathlib.Path.write_bytes

    def write_before_another(draft, data):
        write(draft, data)
        monkeypatch.undo()
        write_jpeg(path, picture)

    monkeypatch.setattr(pathlib.Path, "write_bytes", write_before_another)
    write_jpeg(path, picture)
    assert pixels(path).shape == (16, 16, 3) and list(tmp_path.iterdir()) == [path]


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
