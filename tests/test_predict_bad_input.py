"""What `python -m deephar predict` says to input that is not as it should be."""

import re

import numpy as np
import pytest
from PIL import Image
from scripts import read_json
from tiny_watching import pose_predictor
from video_files import cut, turn, write_sound, write_timed_video, write_video

from deephar.commands import eyes, main, predict

LIST = "path, score, x1, y1, x2, y2, parted by tabs"

BAD = {
    "none.jpg": "no such picture, video, folder or list: none.jpg",
    "text.jpg": "cannot read the picture text.jpg: cannot identify image file",
    "cut.jpg": "cannot read the picture cut.jpg: image file is truncated",
    "levels.tif": "levels.tif: a floating point picture must have levels in [0, 1]",
    "phone.heic": "cannot read the picture phone.heic: save it as JPEG or PNG",
    "text.mp4": "text.mp4 must be a video with frames that FFmpeg can read",
    "empty.mp4": "empty.mp4 must be a video with frames that FFmpeg can read",
    "noframe.mp4": "noframe.mp4 must be a video with frames that FFmpeg can read",
    "sound.wav": "sound.wav must be a video with frames that FFmpeg can read",
    "early.avi": "early.avi must be whole. Received: ",
    "nothing": "nothing: no pictures (.bmp .gif .jpeg ",
    "half": "half: 1 of 2 pictures could not be read: cannot read the picture ",
    "lost.txt": "lost.txt: 1 of 1 pictures could not be read: ",
    "broken.txt": f"broken.txt, line 2 must be {LIST}",
    "outside.txt": "outside.txt: 1 of 2 pictures could not be looked at: seen.png: ",
    "99": "camera 99 gives no picture: is it there, and free?",
}
"""By source, what is said of it."""

FAIR = {
    "pixel.png": 0,
    "grey.png": 1,
    "alpha.png": 1,
    "deep.png": 1,
    "cmyk.jpg": 1,
    "turned.jpg": 1,
    "pages.tif": 1,
    "varying.mp4": 1,
    "upright.mp4": 1,
}
"""Input that is unusual and fine, and the people who are found in a frame."""


@pytest.fixture(scope="module")
def tiny():
    return pose_predictor()


@pytest.fixture
def place(tmp_path, monkeypatch, tiny, quiet):
    """The current folder; whatever the weights, a tiny network looks."""
    monkeypatch.chdir(tmp_path)
    known = {"network": "mpii"}
    monkeypatch.setattr(eyes, "weights_settings", lambda name, _: (name, known))
    monkeypatch.setattr(eyes.PosePredictor, "load", lambda *_, **__: tiny)
    return tmp_path


def plain(path, mode="RGB", size=(64, 48), **options):
    path.parent.mkdir(exist_ok=True)
    Image.new(mode, size, 90 if mode in "LF" else None).save(path, **options)
    return path


def write_bad(place):
    """Writes what `BAD` names."""
    for name in ("text.jpg", "text.mp4"):
        (place / name).write_text("neither picture nor video")
    cut(plain(place / "cut.jpg", size=(640, 480)))
    plain(place / "levels.tif", "F")
    (place / "phone.heic").write_bytes(b"\0\0\0\x18ftypheic")
    (place / "empty.mp4").touch()
    whole = write_timed_video(place / "noframe.mp4", [0, 40]).read_bytes()
    head = whole.index(b"mdat") - 4
    (place / "noframe.mp4").write_bytes(whole[:head])
    write_sound(place / "sound.wav")
    cut(write_video(place / "early.avi", 9), 0.8)
    (place / "nothing").mkdir()
    plain(place / "half" / "good.png")
    (place / "half" / "bad.png").write_text("no picture")
    row = "good.png\t1\t{}\t10\t{}\t40\n"
    (place / "lost.txt").write_text(row.format(10, 40))
    (place / "broken.txt").write_text(row.format(10, 40) + "good.png\t1\t10\n")
    plain(place / "seen.png")
    rows = "seen.png\t1\t300\t10\t340\t40\n" + row.format(10, 40)
    (place / "outside.txt").write_text(rows.replace("good", "half/good"))


def test_sources_that_cannot_be_read_are_told_and_the_others_done(place, caplog):
    write_bad(place)
    with pytest.raises(OSError, match="16 of 17 sources had errors: none.jpg, text"):
        predict.main([*BAD, "seen.png", "--model", "pose"])
    for source, message in BAD.items():
        assert message in caplog.text, source
    assert len(read_json("runs/predict/seen.json")["frames"]) == 1
    bad, good = read_json("runs/predict/half.json")["frames"]
    assert bad["error"].startswith("cannot read the picture ") and not good["error"]
    assert (bad["number"], bad["size"], bad["people"]) == (1, [0, 0], [])
    assert bad["source"].endswith("bad.png") and len(good["people"]) == 1
    wrong, right = read_json("runs/predict/outside.json")["frames"]
    assert wrong["error"].startswith("A box must overlap") and wrong["people"] == []
    assert right["error"] is None and len(right["people"]) == 1
    early = read_json("runs/predict/early.json")
    assert 1 <= len(early["frames"]) < 9 and not early["complete"]
    written = {path.name for path in (place / "runs/predict").iterdir()}
    assert not written & {"text.mp4", "empty.mp4", "noframe.mp4"}


def test_unusual_pictures_and_videos_are_looked_at(place, caplog):
    plain(place / "pixel.png", size=(1, 1))
    plain(place / "grey.png", "L")
    plain(place / "alpha.png", "RGBA")
    deep = np.full((48, 64), 20000, np.uint16)
    Image.fromarray(deep).save(place / "deep.png")
    plain(place / "cmyk.jpg", "CMYK")
    exif = Image.Exif()
    exif[274] = 6
    plain(place / "turned.jpg", exif=exif)
    pages = [Image.new("RGB", (64, 48)) for _ in range(3)]
    pages[0].save(place / "pages.tif", save_all=True, append_images=pages[1:])
    write_timed_video(place / "varying.mp4", [0, 40, 400])
    turn(write_video(place / "upright.mp4", 3), (0, 1, -1, 0))
    predict.main([*FAIR, "--model", "pose"])
    frames = {
        name: read_json(f"runs/predict/{name.split('.')[0]}.json") for name in FAIR
    }
    first = {name: found["frames"][0] for name, found in frames.items()}
    assert {name: len(frame["people"]) for name, frame in first.items()} == FAIR
    assert first["turned.jpg"]["size"] == first["upright.mp4"]["size"] == [48, 64]
    times = [frame["time"] for frame in frames["varying.mp4"]["frames"]]
    assert times == pytest.approx([0, 0.04, 0.4])
    assert "pages.tif: only the first of its 3 pages is looked at" in caplog.text


def test_a_picture_without_people_is_drawn_as_it_is(place, monkeypatch, capsys):
    nobody = pose_predictor(confidence=0.05)
    monkeypatch.setattr(eyes.PosePredictor, "load", lambda *_, **__: nobody)
    plain(place / "a.png")
    predict.main(["a.png"])
    assert "1 of 1 frame, people in 0" in capsys.readouterr().out
    assert read_json("runs/predict/a.json")["frames"][0]["people"] == []
    assert (place / "runs/predict/a.jpg").exists()


FLAGS = {
    "--out file/x": "--out file/x: cannot write there: ",
    "--no-draw --no-json": "--no-draw and --no-json leave nothing to do without --show",
    "a.png": "SOURCE: each must be another, as their results are. Received: 2 times ",
    "--model human": "--model must be pose, action or the name of a network: mpii",
    "--model penn": "--model penn needs --weights of that network",
    "--rate 5 --model action --weights w.h5": "--model action: w.h5 must be of a ",
    "--box 9 9 5 5": "A box must be x1 y1 x2 y2 in pixels with x1 < x2 and y1 < y2",
    "--box 90 90 99 99": "A box must overlap the picture",
    "--boxes none.txt": "no list of boxes: none.txt",
    "--out .": "a.jpg: is there already; --overwrite replaces it",
    "--out . --overwrite": "is a source; --out must be elsewhere",
}
"""By flags, what is said of them."""


@pytest.mark.parametrize("flags", FLAGS)
def test_flags_that_do_not_fit_are_told(place, flags):
    plain(place / "a.png").rename(place / "a.jpg")
    (place / "file").touch()
    (place / "a.json").touch()
    source = "a.jpg" if "--overwrite" in flags else "a.png"
    source = "." if "--rate" in flags else source
    plain(place / "a.png")
    with pytest.raises(SystemExit, match=re.escape(FLAGS[flags])):
        main(["predict", source, *flags.split()])
