"""Human3.6M's annotations and frames made by the scripts of datasets/Human3.6M."""

import numpy as np
import pytest
from scripts import load
from test_human36m_preparation import (
    make_joints,
    write_cameras,
    write_hdf5,
    write_npz,
)
from video_files import write_video

from deephar.data.human36m_format import CAMERAS, SIZES, read_human36m
from deephar.data.human36m_positions import read_cameras

convert = load("datasets/Human3.6M/convert.py")
extract = load("datasets/Human3.6M/extract_frames.py")


@pytest.fixture
def sources(tmp_path):
    """Joints of two takes, cameras and the videos of one."""
    people = {
        "S1": {"Directions 1": make_joints(12) / 1000},
        "S9": {"Directions": make_joints(70) / 1000},
    }
    joints = write_npz(tmp_path / "joints.npz", people)
    cameras = write_cameras(tmp_path / "cameras.json")
    for camera in CAMERAS:
        path = tmp_path / "raw" / f"S1/Videos/Directions 1.{camera}.mp4"
        write_video(path, 12 if camera != CAMERAS[2] else 14)
    return joints, cameras


def run_convert(tmp_path, sources, *more):
    out = tmp_path / "out"
    arguments = [*map(str, sources), "--out", str(out), *map(str, more)]
    return convert.main(arguments), out / "annotations.mat"


def test_joints_and_cameras_become_annotations(tmp_path, sources, capsys):
    status, path = run_convert(tmp_path, sources)
    (test, train, valid), _, _ = read_human36m(path)
    assert (status, len(test), len(train), len(valid)) == (0, 0, 4, 4)
    assert [s.name for s in train] == [f"a02_s01_e01_c0{i}" for i in (1, 2, 3, 4)]
    assert train[0].frames.tolist() == [1, 6, 11]
    assert valid[0].frames.tolist() == [1, 65]
    np.testing.assert_allclose(train[1].poses, make_joints(12)[::5], rtol=1e-12)
    assert [s.size for s in train] == [SIZES[camera] for camera in CAMERAS]
    expected = read_cameras(sources[1])[1, CAMERAS[0]].serialize()
    np.testing.assert_array_equal(train[0].camera.serialize(), expected)
    text = capsys.readouterr().out
    assert "831 sequences without joints: S1 Directions, S1 Discussion" in text
    assert "8 sequences of which the size is taken to be the camera's usual" in text
    assert "training: 4 sequences, 12 frames" in text


def test_a_missing_camera_is_named_and_stops_or_leaves_out(tmp_path, sources, capsys):
    write_cameras(sources[1], cameras=CAMERAS[:3])
    status, path = run_convert(tmp_path, sources)
    assert (status, path.exists()) == (1, False)
    error = capsys.readouterr().err
    assert "a02_s01_e01_c04: camera 60457274 of S1 is not in" in error
    assert "2 are bad. Wrote nothing" in error
    status, path = run_convert(tmp_path, sources, "--bad", "leave-out")
    assert (status, [len(part) for part in read_human36m(path)[0]]) == (0, [0, 3, 3])
    assert "left out: a02_s01_e01_c04" in capsys.readouterr().err


def test_videos_are_compared_with_the_joints(tmp_path, sources, capsys):
    raw = tmp_path / "raw"
    write_video(raw / f"S1/Videos/Directions 1.{CAMERAS[0]}.mp4", 9)
    more = ["--videos", raw, "--subjects", 1, "--bad", "leave-out"]
    status, path = run_convert(tmp_path, sources, *more)
    train = read_human36m(path)[0][1]
    assert (status, len(train), train[0].size) == (0, 3, (64, 48))
    printed = capsys.readouterr()
    assert "must have as many frames as there are joints for. Received: 9 frames" in (
        printed.err
    )
    assert "1 sequences with more frames in the video than joints" in printed.out


def test_a_lost_pelvis_is_named(tmp_path, sources, capsys):
    joints = make_joints(12) / 1000
    joints[5, 0] = np.nan
    write_npz(sources[0], {"S1": {"Directions 1": joints}})
    assert run_convert(tmp_path, sources)[0] == 1
    text = "a02_s01_e01_c01: the pelvis must be finite. Received: NaN in frame 6"
    assert text in capsys.readouterr().err


def test_takes_that_are_bad_are_left_out_by_name(tmp_path, capsys, sources):
    folder = tmp_path / "owners"
    for name, frames in (("S1/Directions 1", 12), ("S1/Photo 1", 6), ("S9/Photo", 5)):
        subject, take = name.split("/")
        path = folder / subject / "MyPoses/3D_positions" / f"{take}.h5"
        path.parent.mkdir(parents=True, exist_ok=True)
        joints = make_joints(frames)
        joints[1, 2] = np.nan
        write_hdf5(path, joints.reshape(frames, 96))
    path.write_bytes(b"cut short")
    path.with_name("._Photo.h5").write_bytes(b"left by a copy")
    files = folder, sources[1]
    status, out = run_convert(tmp_path, files)
    error = capsys.readouterr().err
    assert (status, out.exists()) == (1, False)
    assert "Photo.h5 must be a whole HDF5 file" in error
    assert "1 are bad. Wrote nothing; --bad leave-out leaves them out" in error
    assert "._Photo" not in error
    status, out = run_convert(tmp_path, files, "--bad", "leave-out")
    train = read_human36m(out)[0][1]
    assert (status, len(train)) == (0, 8)
    assert np.isnan(train[0].poses).sum() == 0  # frame 2 is not among them
    printed = capsys.readouterr()
    assert f"left out: {path} must be a whole" in printed.err
    assert "warning: nothing for validation in" in printed.err
    assert printed.out.count("without joints") == 1
    assert " more takes" in printed.out
    more = ["--train-every", 1, "--subjects", 1]
    status, out = run_convert(tmp_path, files, *more)
    assert (status, capsys.readouterr().err) == (0, "")
    lost = np.isnan(read_human36m(out)[0][1][0].poses)
    assert (lost[1, 2].all(), lost.sum()) == (True, 3)


def test_frames_are_extracted_as_the_annotations_want_them(tmp_path, sources, capsys):
    out = tmp_path / "out"
    raw = str(tmp_path / "raw")
    command = [raw, "--out", str(out), "--subjects", "1"]
    assert extract.main(command) == 1
    printed = capsys.readouterr()
    assert "no such video: " + str(tmp_path / "raw/S1/Videos/Disc") in printed.err
    assert "120 videos: 12 pictures written, 0 there before, 116 missing" in printed.out
    pictures = sorted(p.name for p in (out / "images" / "a02_s01_e01_c01").iterdir())
    assert pictures == ["00001.jpg", "00006.jpg", "00011.jpg"]
    status, path = run_convert(tmp_path, sources)
    assert (status, read_human36m(path)[0][1][0].size) == (0, (64, 48))
    (out / "images" / "a02_s01_e01_c01" / "00006.jpg").unlink()
    assert run_convert(tmp_path, sources)[0] == 1
    text = "joints of 3 frames, but 1 pictures are lacking, the first 00006.jpg"
    assert text in capsys.readouterr().err
    extract.main(command)
    assert "1 pictures written, 11 there before" in capsys.readouterr().out


def test_every_frame_can_be_taken(tmp_path, sources):
    out = tmp_path / "out"
    raw = str(tmp_path / "raw")
    extract.main([raw, "--out", str(out), "--subjects", "1", "--train-every", "4"])
    pictures = sorted(p.name for p in (out / "images" / "a02_s01_e01_c02").iterdir())
    assert pictures == ["00001.jpg", "00005.jpg", "00009.jpg"]
    path = run_convert(tmp_path, sources, "--train-every", 4)[1]
    assert read_human36m(path)[0][1][0].frames.tolist() == [1, 5, 9]
