"""NTU RGB+D: skeleton files become arrays, videos become pictures."""

import importlib.util
import pathlib

import numpy as np
import pytest
from PIL import Image
from video_files import write_video

from deephar.data.ntu_format import NtuVideo, read_ntu, write_ntu

SCRIPTS = pathlib.Path(__file__).parents[1] / "datasets" / "NTU"
NAME = "S001C002P003R002A013"


def load(name):
    spec = importlib.util.spec_from_file_location(f"ntu_{name}", SCRIPTS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


convert, extract = load("convert"), load("extract_frames")


def joints(level, step=0.0, frame=0):
    """25 joints of 12 values; x of the world and of the colour picture tell apart."""
    values = np.zeros((25, 12))
    values[:, 0] = level + step * frame
    values[:, 1] = np.arange(25) / 100
    values[:, 2] = 3.25
    values[:, 3:5] = -1
    values[:, 5] = 100 * level + np.arange(25)
    values[:, 6] = 500 + frame
    return values


def skeleton(frames):
    """Text of a skeleton file; a frame is {body: (25, 12)}."""
    lines = [str(len(frames))]
    for bodies in frames:
        lines.append(str(len(bodies)))
        for body, values in bodies.items():
            lines += [f"{body} 0 1 1 1 1 0 0.1 0.2 2", "25"]
            lines += [" ".join(f"{x:.7g}" for x in row) for row in values]
    return "\n".join(lines) + "\n"


def run(tmp_path, files, *more):
    source = tmp_path / "skeletons"
    source.mkdir(exist_ok=True)
    for name, text in files.items():
        (source / f"{name}.skeleton").write_text(text)
    out = tmp_path / "out"
    return convert.main([str(source), "--out", str(out), *map(str, more)]), out


def test_a_skeleton_becomes_colour_px_and_depth_in_mm(tmp_path, capsys):
    text = skeleton([{7: joints(2, 0.1, frame)} for frame in range(3)])
    status, out = run(tmp_path, {NAME: text})
    video = read_ntu(out / "nturgb+d_numpy" / f"{NAME}.npy")
    assert (status, video.action, video.frames.tolist()) == (0, 12, [1, 2, 3])
    assert video.image[1, 4].tolist() == [204, 501, 3250]
    np.testing.assert_allclose(video.world[2, 5], [2.2, 0.05, 3.25])
    assert "wrote 1 videos, 3 frames (0 without a body)" in capsys.readouterr().out


def test_the_body_that_is_there_longest_is_kept(tmp_path):
    frames = [{1: joints(1, 9, f), 2: joints(2, 0.01, f)} for f in range(10)]
    for frame in frames[:2]:
        del frame[1]
    _, out = run(tmp_path, {NAME: skeleton(frames)})
    video = read_ntu(out / "nturgb+d_numpy" / f"{NAME}.npy")
    assert video.image[0, 0, 0] == 200


def test_of_complete_bodies_the_one_that_moves_most_is_kept(tmp_path, capsys):
    frames = [{1: joints(1, 0.01, f), 2: joints(2, 0.05, f)} for f in range(10)]
    del frames[3][2]
    _, out = run(tmp_path, {NAME: skeleton(frames)})
    video = read_ntu(out / "nturgb+d_numpy" / f"{NAME}.npy")
    assert video.image[0, 0, 0] == 200
    assert np.flatnonzero(np.isnan(video.image).all(axis=(1, 2))).tolist() == [3]
    text = "10 frames (1 without a body), 1 videos of several people"
    assert text in capsys.readouterr().out


def test_a_person_who_was_lost_and_found_is_one(tmp_path, capsys):
    """7 is lost and comes back as 8; 1 stays, 3 appears elsewhere, 4 is nobody."""
    frames = [{1: joints(1, 0.01, f)} for f in range(20)]
    for f in (0, 1, 2, 3, 4, 5, 6, 7):
        frames[f][7] = joints(2, 0.03, f)
    for f in range(9, 20):
        frames[f][8] = joints(2, 0.03, f)
    for f in range(10, 20):
        frames[f][3] = joints(5, 0.5, f)
        frames[f][4] = joints(2, 0.5, f)
        frames[f][4][9, 0] += 1.6
    _, out = run(tmp_path, {NAME: skeleton(frames)})
    video = read_ntu(out / "nturgb+d_numpy" / f"{NAME}.npy")
    lost = np.isnan(video.image).all(axis=(1, 2))
    assert np.flatnonzero(lost).tolist() == [8]
    np.testing.assert_allclose(video.world[~lost][[0, 8, -1], 0, 0], [2, 2.27, 2.57])
    printed = capsys.readouterr()
    assert "1 videos of several people, 1 of bodies that were joined" in printed.out
    assert "1 bodies are no people, 0 videos lack" in printed.out
    assert printed.err == ""


@pytest.mark.parametrize(
    ("begin", "away", "people"),
    [(6, 0.25, 1), (6, 0.35, 2), (8, 0.35, 1), (8, 0.45, 2), (5, 0.0, 2)],
)
def test_bodies_are_one_person_if_near_and_not_at_once(begin, away, people):
    frames = [{7: joints(2)} if f < 6 else {} for f in range(12)]
    for f in range(begin, 12):
        frames[f][9] = joints(2 + away)
    _, bodies = convert.parse_skeleton(skeleton(frames))
    found = [body.frames for body in convert.join_bodies(bodies)]
    first, second = list(range(6)), list(range(begin, 12))
    assert found == ([first + second] if people == 1 else [first, second])


def test_videos_that_lose_many_frames_are_named(tmp_path, capsys):
    some = [{7: joints(2)} if f < 7 else {} for f in range(10)]
    few = [{7: joints(2)} if f < 8 else {} for f in range(10)]
    status, _ = run(
        tmp_path, {NAME: skeleton(some), "S001C001P001R001A001": skeleton(few)}
    )
    printed = capsys.readouterr()
    assert (status, printed.err) == (
        0,
        f"lossy: {NAME}: 3 of 10 frames without a body\n",
    )
    assert "1 videos lack more than a fifth of their frames" in printed.out


def test_joints_without_a_place_are_nan(tmp_path):
    values = joints(1)
    values[3, 5], values[4, 2] = np.nan, 0
    _, out = run(tmp_path, {NAME: skeleton([{1: values}])})
    image = read_ntu(out / "nturgb+d_numpy" / f"{NAME}.npy").image
    assert np.flatnonzero(np.isnan(image[0]).any(axis=-1)).tolist() == [3, 4]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text[: len(text) // 2], "must have 12 numbers|file ends after"),
        (lambda text: "", "the file ends after line 0"),
        (lambda text: "two\n" + text[2:], "line 1 must be the number of frames.*'two'"),
        (lambda text: text.replace("\n25\n", "\n24\n"), "line 4 must be 25 joints"),
        (lambda text: text.replace("3.25", "x"), "lines 5 to 29: could not convert"),
        (lambda text: skeleton([{}, {}]), "a body in at least one frame"),
        (lambda text: text.replace("3.25", "0"), "joints in the picture"),
        (lambda text: text.replace(" 0.24 ", " 1.61 "), r"within 1.5 m.*: 1.6 m at"),
    ],
)
def test_a_bad_skeleton_is_named_and_left_out(tmp_path, capsys, change, message):
    text = skeleton([{7: joints(2)}, {7: joints(2)}])
    with pytest.raises(ValueError, match=message):
        convert.make_video(NAME, change(text))
    status, out = run(tmp_path, {NAME: change(text), "S001C001P001R001A001": text})
    assert status == 1
    written = [path.name for path in (out / "nturgb+d_numpy").iterdir()]
    assert written == ["S001C001P001R001A001.npy"]
    printed = capsys.readouterr()
    assert f"left out: {tmp_path / 'skeletons' / NAME}.skeleton: " in printed.err
    assert "1 files are bad" in printed.out


def test_listed_and_later_videos_are_counted(tmp_path, capsys):
    text = skeleton([{7: joints(2)}])
    (tmp_path / "list.txt").write_text(f"302 samples:\n{NAME}\n")
    files = {NAME: "", "S001C001P001R001A001": text, "S018C001P001R001A061": text}
    status, out = run(tmp_path, files, "--missing", tmp_path / "list.txt")
    printed = capsys.readouterr().out
    assert (status, len(list((out / "nturgb+d_numpy").iterdir()))) == (0, 1)
    assert "left out: 1 listed as missing their skeleton" in printed
    assert "left out: 1 of actions beyond the 60" in printed
    (tmp_path / "list.txt").write_text("nothing")
    assert run(tmp_path, files, "--missing", tmp_path / "list.txt")[0] == 1


def annotate(out, name, frames):
    blank = np.full((len(frames), 25, 3), np.nan)
    out.mkdir(exist_ok=True)
    return write_ntu(out, NtuVideo(name, frames, blank, blank))


def run_extract(tmp_path, source):
    return extract.main([str(source), "--out", str(tmp_path / "out")])


def test_annotated_frames_become_small_pictures(tmp_path, capsys):
    path = write_video(tmp_path / "raw" / f"{NAME}_rgb.avi", 3, size=(1920, 1080))
    annotated = annotate(tmp_path / "out", NAME, [1, 3])
    annotated.with_name(f"._{NAME}.npy").write_text("left by a copy")
    assert run_extract(tmp_path, path.parent) == 0
    folder = tmp_path / "out" / "images-small" / NAME
    assert sorted(p.name for p in folder.iterdir()) == ["00001.jpg", "00003.jpg"]
    with Image.open(folder / "00003.jpg") as picture:
        assert picture.size == (960, 540)
        assert np.asarray(picture).mean() == pytest.approx(30, abs=2)
    assert run_extract(tmp_path, path.parent) == 0
    assert "0 pictures written, 2 there before, 0 missing" in capsys.readouterr().out


def test_videos_that_do_not_fit_are_named(tmp_path, capsys):
    raw = tmp_path / "raw"
    write_video(raw / f"{NAME}_rgb.avi", 2, size=(1920, 1080))
    write_video(raw / "S001C001P001R001A001_rgb.avi", 2)
    for name in (NAME, "S001C001P001R001A001", "S001C001P001R001A002"):
        annotate(tmp_path / "out", name, [2, 4])
    assert run_extract(tmp_path, raw) == 1
    printed = capsys.readouterr()
    assert f"{NAME}_rgb.avi must have the frame 4. Received: 2 frames" in printed.err
    assert "must be of (1920, 1080) px. Received: (64, 48)" in printed.err
    assert f"no such video: {raw / 'S001C001P001R001A002_rgb.avi'}" in printed.err
    assert "3 videos: 1 pictures written" in printed.out


def test_frames_of_the_real_video(tmp_path, shared):
    name = "S001C001P001R001A001"
    annotate(tmp_path / "out", name, [1, 50, 103])
    assert run_extract(tmp_path, shared / "samples" / "ntu") == 0
    folder = tmp_path / "out" / "images-small" / name
    assert len(list(folder.iterdir())) == 3
    with Image.open(folder / "00103.jpg") as picture:
        assert picture.size == (960, 540)
        assert 40 < np.asarray(picture).mean() < 215
