"""datasets/PennAction/convert.py: the owners' labels become annotations.mat."""

import importlib.util
import pathlib

import numpy as np
import pytest
import scipy.io

from deephar.data.pennaction_format import ACTIONS, read_pennaction

SCRIPT = pathlib.Path(__file__).parents[1] / "datasets" / "PennAction" / "convert.py"
spec = importlib.util.spec_from_file_location("convert_penn", SCRIPT)
convert = importlib.util.module_from_spec(spec)
spec.loader.exec_module(convert)


def write_label(folder, number, frames=3, **more):
    folder.mkdir(exist_ok=True)
    grid = np.arange(frames * 13, dtype=float).reshape(frames, 13)
    label = {
        "action": "bowl",
        "x": grid,
        "y": grid + 1000,
        "visibility": np.ones((frames, 13), np.uint8),
        "train": np.array([[1 if number % 2 else -1]], np.int32),
        "dimensions": np.array([[272, 480, frames]], np.uint16),
        "nframes": np.uint8(frames),
    }
    scipy.io.savemat(folder / f"{number:04d}.mat", {**label, **more})


@pytest.fixture
def labels(tmp_path):
    folder = tmp_path / "labels"
    for number in (1, 2, 3):
        write_label(folder, number, frames=number)
    return folder


def run(tmp_path, *arguments):
    out = tmp_path / "out"
    return convert.main([str(tmp_path / "labels"), "--out", str(out), *arguments]), out


def test_labels_become_videos(tmp_path, labels, capsys):
    visibility = np.ones((2, 13))
    visibility[0, :2] = 0
    x = np.full((2, 13), 7.0)
    y, x[0, 0] = x + 1, 0
    y[0, 0] = 0
    write_label(labels, 2, 2, action="squat", x=x, y=y, visibility=visibility)
    status, out = run(tmp_path)
    test, train, actions = read_pennaction(out / "annotations.mat")
    assert (status, actions) == (0, ACTIONS)
    assert [video.number for video in train] == [1, 3]
    assert [(v.number, v.action, v.size) for v in test] == [(2, 11, (480, 272))]
    assert np.isnan(test[0].joints[0, 0]).all()
    assert test[0].joints[0, 1].tolist() == [7, 8]
    assert test[0].visible[0].tolist() == [False] * 2 + [True] * 11
    text = capsys.readouterr().out
    assert "the last label is 0003.mat; the owners have 2326\n" in text
    assert "training: 2 videos, 4 frames" in text
    assert "all: 3 videos, 6 frames, 2 actions" in text


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (
            {"nframes": np.uint8(2)},
            r"must agree.*nframes 2, dimensions 3, x 3, y 3, vi",
        ),
        ({"visibility": np.ones((2, 13))}, "must agree.*visibility 2"),
        ({"action": "dance"}, "the action must be one of baseball_pitch.*'dance'"),
        ({"train": np.int32(0)}, "`train` must be 1 or -1. Received: 0"),
        ({"x": np.full((3, 13), np.nan)}, "finite where `visible` is true.*head"),
        ({"x": np.ones((3, 12)), "y": np.ones((3, 12))}, r"`x` of 0003\.mat must"),
    ],
)
def test_a_bad_label_stops_or_is_left_out_by_name(
    tmp_path, labels, capsys, more, message
):
    write_label(labels, 3, **more)
    with pytest.raises(ValueError, match=rf"0003\.mat: .*{message}"):
        convert.read_label(labels / "0003.mat")
    status, out = run(tmp_path)
    assert (status, out.exists()) == (1, False)
    error = capsys.readouterr().err
    assert "0003.mat" in error and "1 labels are bad. Wrote nothing" in error
    status, out = run(tmp_path, "--bad", "leave-out")
    test, train, _ = read_pennaction(out / "annotations.mat")
    assert (status, [video.number for video in test + train]) == (0, [2, 1])
    assert f"left out: {labels / '0003.mat'}" in capsys.readouterr().err


def test_a_missing_or_damaged_label_is_named(tmp_path, labels, capsys):
    (labels / "0001.mat").unlink()
    (labels / "0002.mat").write_bytes((labels / "0002.mat").read_bytes()[:200])
    assert run(tmp_path)[0] == 1
    error = capsys.readouterr().err
    assert f"no such file: {labels / '0001.mat'}" in error
    assert "0002.mat must be a whole MATLAB file" in error
    assert "2 labels are bad" in error


def test_a_folder_without_labels_is_named(tmp_path, capsys):
    assert run(tmp_path)[0] == 1
    assert f"no labels NNNN.mat in the folder: {tmp_path}" in capsys.readouterr().err


def test_pictures_are_counted(tmp_path, labels, capsys):
    for number, count in ((1, 1), (3, 2)):
        folder = tmp_path / "out" / "frames" / f"{number:04d}"
        folder.mkdir(parents=True)
        for i in range(count):
            (folder / f"{i + 1:06d}.jpg").touch()
    assert run(tmp_path)[0] == 1
    printed = capsys.readouterr()
    assert "0003: 2 pictures, but labels of 3 frames" in printed.err
    assert "1 videos have no pictures" in printed.out
    status, out = run(tmp_path, "--bad", "leave-out")
    test, train, _ = read_pennaction(out / "annotations.mat")
    assert [video.number for video in test + train] == [2, 1]
    run(tmp_path, "--bad", "leave-out", "--only-with-pictures")
    test, train, _ = read_pennaction(out / "annotations.mat")
    assert [video.number for video in test + train] == [1]


def test_the_owners_labels_have_2326_videos_of_15_actions(shared, capsys):
    videos, wrong = convert.read_labels(shared / "samples" / "penn" / "labels")
    assert wrong == []
    convert.report(videos)
    text = capsys.readouterr().out
    assert "training: 1258 videos, 87543 frames" in text
    assert "test: 1068 videos, 76298 frames" in text
    assert "all: 2326 videos, 163841 frames, 15 actions" in text
    assert len({video.action for video in videos if video.train}) == 15
