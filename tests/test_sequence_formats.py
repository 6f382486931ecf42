"""The annotation files of Penn Action, Human3.6M and NTU: written and read back."""

import dataclasses

import numpy as np
import pytest
import scipy.io
from numpy.lib.recfunctions import repack_fields
from tiny_clips import save_again

from deephar.data import human36m_format, ntu_format, pennaction_format
from deephar.data.human36m_format import H36MSequence, read_human36m, write_human36m
from deephar.data.ntu_format import NtuVideo, read_ntu, write_ntu
from deephar.data.pennaction_format import PennVideo, read_pennaction, write_pennaction
from deephar.utils.camera import Camera

CAMERA = Camera(np.eye(3), [1.0, 2, 3], [1100, 1101], [500, 501], [0.1, 0.2], [1, 2, 3])
SQUEEZED = {"struct_as_record": False, "squeeze_me": True}


def penn(number, frames=3, train=False, action=0, **more):
    joints = np.arange(frames * 26, dtype=float).reshape(frames, 13, 2)
    visible = np.arange(frames * 13).reshape(frames, 13) % 2 == 0
    numbers = np.arange(frames) + 1
    return PennVideo(
        number, action, train, (480, 272), numbers, joints, visible, **more
    )


def h36m(name="a02_s01_e01_c01", frames=3):
    poses = np.arange(frames * 96, dtype=float).reshape(frames, 32, 3)
    return H36MSequence(name, CAMERA, 5 * np.arange(frames) + 1, (1000, 1002), poses)


def ntu(name="S001C002P003R002A060", frames=3):
    world = np.arange(frames * 75, dtype=float).reshape(frames, 25, 3)
    return NtuVideo(name, np.arange(frames) * 2 + 1, world, 100 + world)


def same(ours, theirs):
    for field in dataclasses.fields(ours):
        a, b = getattr(ours, field.name), getattr(theirs, field.name)
        if isinstance(a, Camera):
            a, b = a.serialize(), b.serialize()
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("frames", [1, 3])
@pytest.mark.parametrize("count", [1, 2])
def test_penn_videos_come_back_whole(tmp_path, frames, count):
    videos = [penn(i + 7, frames, i % 2 == 1, action=14 - i) for i in range(count)]
    write_pennaction(tmp_path / "a.mat", videos)
    test, train, labels = read_pennaction(tmp_path / "a.mat")
    assert (len(test), len(train)) == (1, count - 1)
    assert labels == pennaction_format.ACTIONS
    for ours, theirs in zip(videos, test + train, strict=True):
        same(ours, theirs)


def test_penn_file_reads_as_the_original_reads_it(tmp_path):
    write_pennaction(tmp_path / "a.mat", [penn(1), penn(2, action=3), penn(5, 4, True)])
    content = scipy.io.loadmat(tmp_path / "a.mat", **SQUEEZED)
    video = content["sequences_te"][1]
    assert (video.idx, video.action_id, len(video.frames)) == (2, 4, 3)
    chosen = video.frames[[0, 2]]
    assert [(f.f, f.w, f.h) for f in chosen] == [(1, 480, 272), (3, 480, 272)]
    np.testing.assert_array_equal(chosen[1].pose.T, penn(2).joints[2])
    np.testing.assert_array_equal(chosen[1].visible, penn(2).visible[2])
    assert content["action_labels"].tolist() == list(pennaction_format.ACTIONS)
    assert content["joint_labels"].tolist() == list(pennaction_format.JOINT_NAMES)


def test_penn_structs_in_cells_are_read_too(tmp_path):
    write_pennaction(tmp_path / "a.mat", [penn(1), penn(2)])
    content = scipy.io.loadmat(tmp_path / "a.mat")
    cells = np.empty((1, 2), dtype=object)
    for i in range(2):
        cells[0, i] = content["sequences_te"][:, i : i + 1]
    del content["__header__"], content["__version__"], content["__globals__"]
    scipy.io.savemat(tmp_path / "b.mat", {**content, "sequences_te": cells})
    for ours, theirs in zip(
        read_pennaction(tmp_path / "a.mat")[0],
        read_pennaction(tmp_path / "b.mat")[0],
        strict=True,
    ):
        same(ours, theirs)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"joints": np.zeros((3, 12, 2))}, r"`joints` of video 1.*\(3, 13, 2\)"),
        ({"joints": np.full((3, 13, 2), np.nan)}, r"finite where `visible`.*head"),
        ({"visible": np.zeros((2, 13))}, r"`visible` of video 1 must have the shape"),
        ({"frames": [1.5, 2, 2]}, r"`frames` of video 1 must be integers.*1.5 at"),
        ({"frames": [-1, 1, 2]}, r"`frames` of video 1 must be integers of at least 0"),
        ({"frames": []}, r"video 1 must have at least one frame"),
        ({"size": (0, 5)}, r"`size` of video 1 must be positive"),
        ({"action": -1}, r"`action` of video 1 must be at least 0"),
    ],
)
def test_a_bad_penn_video_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(penn(1), **change)


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        ([1, 2, 2], "must rise.*2 after 2"),
        ([0, 1, 2], "must be integers of at least 1"),
    ],
)
def test_frames_out_of_order_are_not_written(tmp_path, frames, message):
    with pytest.raises(ValueError, match=f"`frames` of video 1 {message}"):
        write_pennaction(
            tmp_path / "a.mat", [dataclasses.replace(penn(1), frames=frames)]
        )
    with pytest.raises(ValueError, match=f"`frames` of a02_s01_e01_c01 {message}"):
        sequence = dataclasses.replace(h36m(), frames=frames)
        write_human36m(tmp_path / "a.mat", [], [sequence], [])
    assert not list(tmp_path.iterdir())


def test_penn_files_are_read_as_leniently_as_by_the_original(tmp_path, caplog):
    path = tmp_path / "a.mat"
    write_pennaction(path, [penn(1), penn(2, frames=4)])
    assert read_pennaction(path)[0][0].visible[1, 3] and not caplog.text
    content = scipy.io.loadmat(path)
    first, second = content["sequences_te"]["frames"][0]
    first["pose"][0, 1][0, 3] = np.nan
    second["w"][0, 1], second["f"][0, 2] = 482, 0
    save_again(path, content)
    one, two = read_pennaction(path)[0]
    assert not one.visible[1, 3]
    assert one.visible.sum() == penn(1).visible.sum() - 1
    assert (two.size, two.frames.tolist()) == ((480, 272), [1, 2, 0, 4])
    (line,) = caplog.messages
    assert line == (
        f"{path}: read all the same: visible joints without a place in 1 (video 1); "
        "numbers of frames that do not rise from 1 in 1 (video 2); frames of several "
        "sizes, of which the first is taken, in 1 (video 2)"
    )


def test_human36m_files_are_read_as_leniently_as_by_the_original(tmp_path, caplog):
    path = tmp_path / "a.mat"
    names = [f"a02_s{subject:02d}_e01_c01" for subject in (2, 3, 1, 5, 6, 7, 8)]
    write_human36m(
        path, *[[h36m(one) for one in names[i:j]] for i, j in ((0, 2), (2, 7), (7, 7))]
    )
    content = scipy.io.loadmat(path)
    content["sequences_te"]["frames"][0] = [
        repack_fields(one[["f", "w", "h"]])
        for one in content["sequences_te"]["frames"][0]
    ]
    for sequence in content["sequences_tr"]["frames"][0]:
        sequence["h"][0, 2], sequence["f"][0, 1] = 1000, 1
    content["sequences_tr"]["frames"][0, 0]["pose3d"][0, 1][:, 0] = np.nan
    save_again(path, content)
    test, train, _ = read_human36m(path)[0]
    assert all(np.isnan(one.poses).all() for one in test)
    assert np.isnan(train[0].poses).sum() == 3
    assert [one.size for one in train] == [(1000, 1002)] * 5
    assert train[0].frames.tolist() == [1, 1, 11]
    (line,) = caplog.messages
    some = "a02_s01_e01_c01, a02_s05_e01_c01, a02_s06_e01_c01 and 2 more"
    assert f"rise from 1 in 5 ({some}); a pelvis that is not known in 1 (a02" in line
    assert line.endswith(
        f"frames of several sizes, of which the first is taken, in 5 ({some})"
    )


def test_penn_actions_without_a_name_and_numbers_twice_are_refused(tmp_path):
    with pytest.raises(ValueError, match="video 4 must be one of 15.*action=15"):
        write_pennaction(tmp_path / "a.mat", [penn(4, action=15)])
    with pytest.raises(ValueError, match="own number. Received: 4 twice"):
        write_pennaction(tmp_path / "a.mat", [penn(4), penn(4, train=True)])
    assert not list(tmp_path.iterdir())


def test_a_penn_file_with_an_unknown_action_is_named_with_its_place(tmp_path):
    path = tmp_path / "a.mat"
    write_pennaction(path, [penn(3), penn(4, action=2)], ("one", "two", "three"))
    content = scipy.io.loadmat(path)
    for name in ("__header__", "__version__", "__globals__"):
        del content[name]
    scipy.io.savemat(path, {**content, "action_labels": content["joint_labels"][:, :2]})
    with pytest.raises(ValueError, match=r"a\.mat: sequences_te, place 1: .*video 4"):
        read_pennaction(path)
    scipy.io.savemat(path, {**content, "sequences_tr": np.ones((1, 2))})
    with pytest.raises(ValueError, match=r"sequences_tr, place 0: expected structs"):
        read_pennaction(path)


@pytest.mark.parametrize("frames", [1, 3])
@pytest.mark.parametrize("count", [0, 1, 2])
def test_human36m_sequences_come_back_whole(tmp_path, frames, count):
    train = [h36m(f"a02_s01_e01_c{i:02d}", frames) for i in range(count)]
    valid = [h36m("a16_s09_e02_c04", frames)]
    write_human36m(tmp_path / "a.mat", [], train, valid)
    parts, actions, joints = read_human36m(tmp_path / "a.mat")
    assert [len(part) for part in parts] == [0, count, 1]
    for ours, theirs in zip(train + valid, parts[1] + parts[2], strict=True):
        same(ours, theirs)
    assert (actions[1], actions[15]) == ("Directions", "WalkTogether")
    assert joints == human36m_format.JOINT_NAMES
    assert (parts[2][0].action, parts[2][0].subject) == (15, 9)


def test_human36m_file_reads_as_the_original_reads_it(tmp_path):
    parts = [[], [h36m(), h36m("a03_s05_e01_c02")], [h36m("a04_s09_e01_c01")] * 1]
    write_human36m(tmp_path / "a.mat", *parts)
    content = scipy.io.loadmat(tmp_path / "a.mat", **SQUEEZED)
    assert len(content["sequences_te"]) == 0
    sequence = content["sequences_tr"][1]
    assert sequence.name == "a03_s05_e01_c02"
    chosen = sequence.frames[[1, 2]]
    assert [(f.f, f.w, f.h) for f in chosen] == [(6, 1000, 1002), (11, 1000, 1002)]
    np.testing.assert_array_equal(chosen[1].pose3d.T, h36m().poses[2])
    camera = sequence.camera_parameters
    again = Camera(camera.R, camera.T, camera.f, camera.c, camera.p, camera.k)
    np.testing.assert_array_equal(again.serialize(), CAMERA.serialize())


def test_a_camera_without_distortion_projects_the_same_when_read_back(tmp_path):
    bare = Camera(np.eye(3), [1.0, 2, 3], [1100, 1101], [500, 501], [0.1, 0.2])
    sequence = dataclasses.replace(h36m(), camera=bare)
    write_human36m(tmp_path / "a.mat", [], [sequence], [])
    again = read_human36m(tmp_path / "a.mat")[0][1][0].camera
    points = np.array([[10.0, 20, 3000]])
    np.testing.assert_allclose(again.project(points), bare.project(points), rtol=1e-15)


def test_only_test_sequences_may_lack_the_pelvis(tmp_path):
    lost = h36m("a02_s02_e01_c01").poses.copy()
    lost[0, 5], lost[1] = np.nan, np.nan
    sequence = dataclasses.replace(h36m("a02_s02_e01_c01"), poses=lost)
    write_human36m(tmp_path / "a.mat", [sequence], [], [])
    same(read_human36m(tmp_path / "a.mat")[0][0][0], sequence)
    with pytest.raises(ValueError, match="at the pelvis.*in 1 of 3.*place 1"):
        write_human36m(tmp_path / "b.mat", [], [sequence], [])
    assert not (tmp_path / "b.mat").exists()


def test_human36m_names_are_checked():
    with pytest.raises(ValueError, match="aXX_sXX_eXX_cXX. Received: name='Walking'"):
        h36m("Walking")
    with pytest.raises(ValueError, match="a02 to a16. Received: name='a17_s01"):
        h36m("a17_s01_e01_c01")


@pytest.mark.parametrize("frames", [1, 3])
def test_ntu_videos_come_back_whole(tmp_path, frames):
    path = write_ntu(tmp_path, ntu(frames=frames))
    assert path == tmp_path / "nturgb+d_numpy" / "S001C002P003R002A060.npy"
    same(read_ntu(path), ntu(frames=frames))
    assert (ntu().action, np.load(path).shape) == (59, (frames, 151))


def test_ntu_columns_lie_as_the_original_slices_them(tmp_path):
    rows = np.load(write_ntu(tmp_path, ntu()))
    pose, image = rows[:, 1 + 3 * 25 :], ntu().image
    assert rows[:, 0].tolist() == [1, 3, 5]
    np.testing.assert_array_equal(pose[:, :25], image[:, :, 0])
    np.testing.assert_array_equal(pose[:, 25:50], image[:, :, 1])
    np.testing.assert_array_equal(pose[:, 50:], image[:, :, 2])


def test_bad_ntu_files_are_named(tmp_path):
    path = write_ntu(tmp_path, ntu())
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"A060\.npy must be a whole \.npy file"):
        read_ntu(path)
    np.save(path, np.zeros((3, 150)))
    with pytest.raises(ValueError, match=r"A060\.npy: .*\(n, 151\).*\(3, 150\)"):
        read_ntu(path)
    with pytest.raises(FileNotFoundError, match="S001C001P001R001A001"):
        read_ntu(tmp_path / "S001C001P001R001A001.npy")
    with pytest.raises(ValueError, match="A001 to A060"):
        ntu("S001C002P003R002A061")


def test_the_lists_are_those_of_the_data_sets():
    assert len(pennaction_format.ACTIONS) == 15
    assert list(pennaction_format.ACTIONS) == sorted(pennaction_format.ACTIONS)
    assert [len(pennaction_format.JOINT_NAMES), len(set(ntu_format.ACTIONS))] == [
        13,
        60,
    ]
    assert len(set(ntu_format.JOINT_NAMES)) == 25
    assert len(set(human36m_format.JOINT_NAMES)) == 32
    assert len(ntu_format.CROSS_SUBJECT_TRAIN) == 20
