"""What is each data set's own: Penn Action, Human3.6M and NTU RGB+D."""

import dataclasses
import pathlib
import shutil

import numpy as np
import pytest
import scipy.io
from tiny_clips import (
    H36M_NAMES,
    H36M_SIZE,
    NTU_NAMES,
    draw,
    h36m_sequence,
    ntu_video,
    penn_video,
    save_again,
    write_tiny_ntu,
)

from deephar.config import DataConfig
from deephar.data import AnnotationError, BatchLoader, Human36M, Ntu, PennAction
from deephar.data import human36m as human36m_module
from deephar.data import ntu as ntu_module
from deephar.data import pennaction as pennaction_module
from deephar.data.human36m_format import write_human36m
from deephar.data.ntu_format import write_ntu
from deephar.data.pennaction_format import write_pennaction
from deephar.utils import bbox as bbox_module
from deephar.utils.camera import camera_deserialize, project_pred_to_camera
from deephar.utils.modes import TEST_MODE, TRAIN_MODE, VALID_MODE
from deephar.utils.pose import INVALID, coco17j, pa16j2d, pa16j3d, pa17j2d, pa17j3d

CONFIG = DataConfig(crop_resolution=(32, 32))
MODES = (TEST_MODE, TRAIN_MODE, VALID_MODE)


def names(data, mode):
    return [data.video_name(key, mode) for key in range(data.get_length(mode))]


def test_labels_of_actions_are_constants():
    assert pennaction_module.ACTION_LABELS[3] == "bowl"
    assert len(pennaction_module.ACTION_LABELS) == 15
    assert ntu_module.ACTION_LABELS[0] == "drink water"
    assert (len(ntu_module.ACTION_LABELS), len(ntu_module.JOINT_LABELS)) == (60, 25)
    assert human36m_module.ACTION_LABELS[1] == "Directions"
    assert len(human36m_module.ACTION_LABELS) == 16


def test_penn_action_gives_the_action_of_each_video(clip_folders):
    data = PennAction(clip_folders["penn"], CONFIG, pose_only=True)
    assert [data.get_length(mode) for mode in MODES] == [2, 2, 0]
    actions = [data.action(key, TRAIN_MODE) for key in (0, 1)]
    assert actions == [7, 14]
    sample = data.get_data(1, TRAIN_MODE)
    assert sample["pennaction"].argmax() == 14 and "frame" not in sample
    with pytest.raises(ValueError, match="`dictkey` must be one of pose.*'frame'"):
        data.get_shape("frame")
    assert "frame" not in data.get_blank_data(1, TRAIN_MODE)


def test_penn_action_of_ones_own_classes_has_their_number(tmp_path):
    labels = ["wave", "jump", "fall"]
    videos = [dataclasses.replace(penn_video(5, 2, False, 4))]
    write_pennaction(tmp_path / "annotations.mat", videos, labels)
    data = PennAction(tmp_path, CONFIG, pose_only=True, clip_size=4)
    assert data.get_shape("pennaction") == (3,)
    assert data.get_data(0, TEST_MODE)["pennaction"].tolist() == [0, 0, 1]
    assert tuple(data.action_labels) == ("wave", "jump", "fall")


def test_whole_pictures_come_with_the_clip_where_asked_for(clip_folders):
    data = PennAction(clip_folders["penn"], CONFIG, clip_size=2, output_fullframe=True)
    for get in (data.get_data, data.get_blank_data):
        assert get(0, TEST_MODE)["fullframe"].shape == (2, 120, 200, 3)
    sample = data.get_data(0, TEST_MODE)
    inner = sample["fullframe"][:, 54:66, 94:106].mean(axis=(1, 2))
    crop = sample["frame"][:, 15:17, 15:17].mean(axis=(1, 2))
    np.testing.assert_allclose(inner, crop, atol=0.03)


def test_human36m_has_its_three_parts_and_the_actions_of_the_names(clip_folders):
    data = Human36M(clip_folders["h36m"], CONFIG)
    assert [names(data, mode) for mode in MODES] == [
        list(part) for part in H36M_NAMES.values()
    ]
    assert [data.action(key, VALID_MODE) for key in (0, 1)] == [4, 14]
    assert data.action_labels[data.action(0, VALID_MODE)] == "Greeting"
    assert data.get_data(1, VALID_MODE)["action"].tolist() == [14]


@pytest.mark.parametrize("hflip", [0, 1])
def test_the_way_from_the_crop_back_to_the_world(clip_folders, hflip):
    config = dataclasses.replace(CONFIG, fixed_scale=4, fixed_hflip=hflip)
    data = Human36M(clip_folders["h36m"], config, clip_size=3)
    sample = data.get_data(0, VALID_MODE)
    pose = sample["pose"]
    assert pose[..., 3].all()
    if hflip:
        pose = pose[:, data.poselayout.map_hflip]
    afmat, root = np.stack([sample["afmat"]] * 3), sample["pose_uvd"][:1, 0, 2]
    uvd = project_pred_to_camera(pose[..., :3], afmat, 8000.0, np.repeat(root, 3))
    np.testing.assert_allclose(uvd, sample["pose_uvd"], atol=2e-3)
    camera = camera_deserialize(sample["camera"])
    world = camera.inverse_project(uvd.reshape(-1, 3), exact=True)
    np.testing.assert_allclose(world, sample["pose_w"].reshape(-1, 3), atol=0.05)


def test_human36m_gives_poses_without_depth_for_a_layout_in_the_picture(clip_folders):
    data = Human36M(clip_folders["h36m"], CONFIG, pa17j2d, topology="frames")
    three = Human36M(clip_folders["h36m"], CONFIG, topology="frames")
    flat, deep = (one.get_data(3, VALID_MODE) for one in (data, three))
    assert flat["pose"].shape == (17, 3) and flat["pose_w"].shape == (17, 3)
    assert np.array_equal(flat["pose"], deep["pose"][:, [0, 1, 3]])


def test_a_test_sequence_without_poses_needs_a_box(tmp_path):
    one = h36m_sequence("a02_s02_e01_c01", 3)
    unknown = dataclasses.replace(one, poses=np.full_like(one.poses, np.nan))
    write_human36m(tmp_path / "annotations.mat", [unknown], [], [])
    (tmp_path / "images").mkdir()
    data = Human36M(tmp_path, CONFIG, clip_size=2)
    with pytest.raises(
        AnnotationError, match="a02_s02_e01_c01, frame 0: the root joint must be known"
    ):
        data.get_data(0, TEST_MODE)
    boxed = data.get_blank_data(0, TEST_MODE, bbox=(10, 10, 90, 90))
    whole = data.get_blank_data(0, TEST_MODE)
    assert boxed["bbox"].tolist() == [10, 10, 90, 90]
    assert whole["bbox"].tolist() == [0, 0, 160, 120]
    for sample in (boxed, whole):
        for key in ("pose_w", "pose_uvd"):
            assert (sample[key] == np.float32(INVALID)).all()
        assert (sample["pose"][..., :3] == np.float32(INVALID)).all()
        assert sample["action"].tolist() == [1]


def test_clips_without_a_root_are_marked_or_skipped(tmp_path):
    draw_pictures = ("a02_s01_e01_c01", "a03_s01_e01_c01")
    train = [h36m_sequence(name, 3) for name in draw_pictures]
    write_human36m(tmp_path / "annotations.mat", [], train, [])
    for name in draw_pictures:
        for number in (1, 2, 3):
            draw(tmp_path / "images" / name / f"{number:05d}.jpg", H36M_SIZE, number)
    content = scipy.io.loadmat(tmp_path / "annotations.mat")
    content["sequences_tr"]["frames"][0, 1]["pose3d"][0, 1][:, 0] = np.nan
    save_again(tmp_path / "annotations.mat", content)
    data = Human36M(tmp_path, CONFIG, topology="frames")
    for on_error, readable in (("mark", [1, 1, 1, 1, 0, 1]), ("skip", [1] * 6)):
        loader = BatchLoader(
            *(data, ["frame"], ["readable", "pose"], TRAIN_MODE, 6),
            shuffle=False,
            on_error=on_error,
        )
        _, (marks, _) = loader[0]
        assert marks[:, 0].tolist() == readable
        assert list(loader.take_errors()) == ["a03_s01_e01_c01, frame 1"]


def test_ntu_joints_that_go_bad_or_vanish_are_marked_or_skipped(tmp_path):
    write_tiny_ntu(tmp_path)
    data = Ntu(tmp_path, CONFIG, clip_size=2)
    rows = np.load(data.sequences[TRAIN_MODE][0].path)
    one, two = (
        part[0].path for part in (data.sequences[TRAIN_MODE], data.sequences[0])
    )
    rows[3, 0] = 1
    np.save(one, rows)
    pathlib.Path(two).unlink()
    for mode, path, message in (
        (TRAIN_MODE, one, "`frames` of .* must rise. Received: 1 after 3"),
        (TEST_MODE, two, "no annotation file"),
    ):
        with pytest.raises(AnnotationError, match=message) as info:
            data.get_data(0, mode)
        assert info.value.path == path
        for on_error, marks in (("mark", [0, 1]), ("skip", [1, 1])):
            loader = BatchLoader(
                *(data, ["frame"], ["readable", "ntuaction", "pose", "bbox"], mode, 2),
                shuffle=False,
                on_error=on_error,
            )
            (frames,), (readable, action, pose, box) = loader[0]
            assert readable[:, 0].tolist() == marks
            assert list(loader.take_errors()) == [path]
            if on_error == "mark":
                assert action[0].argmax() == data.action(0, mode)
                assert (frames[0] == -1).all() and (pose[0, ..., 3] == 0).all()
                assert box[0].tolist() == [0, 0, 960, 540]
    np.save(one, np.load(data.sequences[TRAIN_MODE][1].path)[:5])
    with pytest.raises(AnnotationError, match="it had 7 frames, and now 5"):
        data.get_data(0, TRAIN_MODE)


def test_ntu_passes_over_later_actions_and_hidden_files(tmp_path, caplog):
    path = write_ntu(tmp_path, ntu_video(NTU_NAMES[0]))
    for name in ("S001C001P001R001A061", "S018C001P001R001A099", "._S001"):
        shutil.copy(path, path.with_name(f"{name}.npy"))
    data = Ntu(tmp_path, CONFIG, pose_only=True)
    assert [data.get_length(mode) for mode in MODES] == [0, 1, 0]
    assert "passed over 1 files of actions beyond A060" in caplog.text
    path.rename(path.with_name("S001.npy"))
    with pytest.raises(ValueError, match=r"S001\.npy: `name` of a video must be like"):
        Ntu(tmp_path, CONFIG, pose_only=True)


def test_a_sequence_without_frames_is_an_error_when_asked_for(tmp_path):
    one = h36m_sequence("a02_s02_e01_c01", 3)
    empty = dataclasses.replace(one, frames=np.empty(0), poses=np.empty((0, 32, 3)))
    full = h36m_sequence("a03_s02_e01_c01", 3)
    write_human36m(tmp_path / "annotations.mat", [empty, full], [], [])
    (tmp_path / "images").mkdir()
    data = Human36M(tmp_path, CONFIG)
    for call in (data.get_data, data.clips):
        with pytest.raises(ValueError, match="a02_s02_e01_c01 must have frames"):
            call(0, TEST_MODE)
    frames = Human36M(tmp_path, CONFIG, topology="frames")
    assert frames.get_length(TEST_MODE) == 3
    assert frames.video_name(0, TEST_MODE) == "a03_s02_e01_c01"


@pytest.mark.parametrize(("protocol", "train"), [("cs", (0, 2)), ("cv", (1, 2))])
def test_ntu_is_divided_by_people_or_by_cameras(clip_folders, protocol, train):
    data = Ntu(clip_folders["ntu"], CONFIG, protocol=protocol)
    assert names(data, TRAIN_MODE) == [NTU_NAMES[i] for i in train]
    assert names(data, TEST_MODE) == [n for n in NTU_NAMES if n not in names(data, 1)]
    assert data.action(1, TRAIN_MODE) == 59


def test_ntu_passes_over_frames_and_setups(clip_folders):
    data = Ntu(clip_folders["ntu"], CONFIG, video_subsample=2, num_S=2)
    assert [data.get_length(mode) for mode in MODES] == [1, 2, 0]
    assert data.num_frames(0, TEST_MODE) == 4
    last = data.clip(0, TEST_MODE, [3]).pictures
    assert last[0].endswith(NTU_NAMES[1] + "/00007.jpg")
    frames = Ntu(clip_folders["ntu"], CONFIG, video_subsample=2, topology="frames")
    assert frames.get_length(TRAIN_MODE) == 8


def test_ntu_depth_is_a_half_at_the_mean_of_the_first_joint(clip_folders):
    data = Ntu(clip_folders["ntu"], CONFIG, pose_only=True, clip_size=7)
    pose = data.get_data(0, TEST_MODE)["pose"]
    seen = pose[:, 0, 3] == 1
    assert seen.tolist() == [True, True, False, True, True, True, True]
    assert pose[seen, 0, 2].mean() == pytest.approx(0.5, abs=1e-6)
    assert (pose[2, :, :3] == np.float32(INVALID)).all()


@pytest.mark.parametrize("layout", [pa16j2d, pa16j3d, pa17j3d])
def test_ntu_joint_4_of_frame_3_lies_outside(clip_folders, layout):
    data = Ntu(clip_folders["ntu"], CONFIG, layout, pose_only=True)
    joint = layout.map_from_ntu.index(4)
    pose = data.get_data(0, TEST_MODE, frame_list=[3])["pose"]
    assert (pose[0, :, -1] == 0).nonzero()[0].tolist() == [joint]


def test_a_clip_of_nobody_takes_the_whole_picture(clip_folders, caplog):
    data = Ntu(clip_folders["ntu"], CONFIG, use_gt_bbox=True)
    bbox_module._warned.clear()
    for _ in range(3):
        sample = data.get_data(0, TEST_MODE, frame_list=[2, 2])
    assert sample["bbox"].tolist() == [0, 0, 960, 540]
    assert not sample["pose"][..., -1].any()
    assert caplog.text.count(f"No joint in frame 0 of clip {NTU_NAMES[1]}") == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"protocol": "xs"}, "`protocol` must be one of .*protocol='xs'"),
        ({"num_S": 0}, "`num_S` must be an integer of at least 1.*num_S=0"),
        ({"video_subsample": 0}, "`video_subsample` must be.*video_subsample=0"),
        ({"poselayout": coco17j}, "`poselayout` must have `map_from_ntu`.*coco17j"),
    ],
)
def test_wrong_options_of_ntu_are_named(clip_folders, options, message):
    with pytest.raises(ValueError, match=message):
        Ntu(clip_folders["ntu"], CONFIG, **options)


def test_files_of_joints_that_are_not_as_they_should_be_are_named(tmp_path):
    path = write_ntu(tmp_path, ntu_video(NTU_NAMES[0]))
    np.save(path, np.zeros((4, 76)))
    with pytest.raises(ValueError, match=r"A001\.npy must hold an array \(n, 151\)"):
        Ntu(tmp_path, CONFIG, pose_only=True)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ValueError, match=r"A001\.npy must be a whole \.npy file"):
        Ntu(tmp_path, CONFIG, pose_only=True)
