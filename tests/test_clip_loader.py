"""Batches of clips, and of several data sets at once."""

import shutil

import numpy as np
import pytest
from tiny_mpii import write_tiny_mpii

from deephar.config import DataConfig
from deephar.data import BatchLoader, Human36M, MpiiSinglePerson, Ntu, PennAction
from deephar.utils.modes import TEST_MODE, TRAIN_MODE
from deephar.utils.pose import pa17j3d

CONFIG = DataConfig(crop_resolution=(32, 32), scales=(0.8, 1.0), angles=(0, 15))
LABELS = ["pose", "pennaction", "afmat", "frame_list", "seq_idx"]


@pytest.fixture
def penn(clip_folders):
    return PennAction(clip_folders["penn"], CONFIG, clip_size=3, use_gt_bbox=True)


@pytest.fixture(scope="module")
def mpii_folder(tmp_path_factory):
    return write_tiny_mpii(tmp_path_factory.mktemp("mpii") / "MPII")


def test_a_batch_holds_the_data_sets_samples(penn):
    loader = BatchLoader(penn, ["frame"], LABELS, TEST_MODE, 2, shuffle=False)
    (frames,), targets = loader[0]
    for row in (0, 1):
        sample = penn.get_data(row, TEST_MODE)
        assert np.array_equal(frames[row], sample["frame"])
        for key, target in zip(LABELS, targets, strict=True):
            assert target.dtype == np.float32
            assert np.array_equal(target[row], sample[key])


def test_scalar_labels_are_columns(clip_folders):
    data = Human36M(clip_folders["h36m"], CONFIG, clip_size=3)
    keys = ["action", "camera", "pose_w", "pose_uvd"]
    loader = BatchLoader(data, ["frame"], keys, TEST_MODE, 2, shuffle=False)
    _, (action, camera, world, uvd) = loader[0]
    assert action.tolist() == [[1], [15]]
    assert (camera.shape, world.shape, uvd.shape) == ((2, 21), *[(2, 3, 17, 3)] * 2)


@pytest.mark.parametrize("processes", [0, 1])
def test_pipelines_give_the_same_batches(penn, processes):
    loader = BatchLoader(
        penn, ["frame"], LABELS, TRAIN_MODE, 2, seed=3, processes=processes
    )
    stream = iter(loader.as_dataset(1, 2))
    for index in range(2):
        x, y = loader.next_batch(stream)
        expected = loader.get_batch(1, index)
        for ours, theirs in zip((*x, *y), (*expected[0], *expected[1]), strict=True):
            assert np.array_equal(ours, theirs)
    loader.close()


def test_a_clip_with_an_unreadable_frame_is_marked_or_skipped(clip_folders, tmp_path):
    shutil.copytree(clip_folders["penn"], tmp_path / "penn")
    broken = tmp_path / "penn" / "frames" / "0001" / "000013.jpg"
    broken.write_bytes(broken.read_bytes()[:300])
    data = PennAction(tmp_path / "penn", CONFIG, clip_size=3)
    keys = ["readable", "pennaction", "seq_idx"]
    for on_error, readable, videos in (
        ("mark", [[0], [1]], [[0], [1]]),
        ("skip", [[1], [1]], [[1], [1]]),
    ):
        loader = BatchLoader(
            data, ["frame"], keys, TEST_MODE, 2, shuffle=False, on_error=on_error
        )
        (frames,), (marks, actions, numbers) = loader[0]
        assert (marks.tolist(), numbers.tolist()) == (readable, videos)
        assert (frames[0] == -1).all() == (on_error == "mark")
        assert actions.argmax(axis=1).tolist() == [3 if on_error == "mark" else 0, 0]
        assert list(loader.take_errors()) == [str(broken)]
    with pytest.raises(OSError, match=r"0001.000013\.jpg"):
        BatchLoader(data, ["frame"], keys, TEST_MODE, 2, shuffle=False)[0]


def test_pictures_without_depth_train_beside_poses_in_space(mpii_folder, clip_folders):
    mpii = MpiiSinglePerson(mpii_folder, CONFIG, pa17j3d)
    h36m = Human36M(clip_folders["h36m"], CONFIG, pa17j3d, topology="frames")
    loader = BatchLoader([mpii, h36m], ["frame"], ["pose"], TRAIN_MODE, [2, 3])
    stream = iter(loader.as_dataset(0, 1))
    (frames,), (poses,) = loader.next_batch(stream)
    assert (frames.shape, poses.shape) == ((5, 32, 32, 3), (5, 17, 4))
    depth, seen = np.array(poses)[..., 2] > -1e6, np.array(poses)[..., 3] == 1
    assert not depth[:2].any() and seen[:2, :16].any()
    assert np.array_equal(depth[2:], seen[2:])
    assert len(loader) == 7


def test_two_data_sets_of_poses_in_the_picture_share_a_batch(mpii_folder, clip_folders):
    mpii = MpiiSinglePerson(mpii_folder, CONFIG)
    penn = PennAction(clip_folders["penn"], CONFIG, topology="frames")
    loader = BatchLoader([mpii, penn], ["frame"], ["pose"], TRAIN_MODE, [1, 2])
    (frames,), (poses,) = loader[0]
    assert (frames.shape, poses.shape) == ((3, 32, 32, 3), (3, 16, 3))


def test_clips_of_two_data_sets_have_both_labels(clip_folders):
    options = {"poselayout": pa17j3d, "clip_size": 3, "use_gt_bbox": True}
    both = [
        PennAction(clip_folders["penn"], CONFIG, **options),
        Ntu(clip_folders["ntu"], CONFIG, **options),
    ]
    keys = ["pose", "pennaction", "ntuaction"]
    loader = BatchLoader(both, ["frame"], keys, TRAIN_MODE, 1)
    _, (poses, penn, ntu) = loader[0]
    assert poses.shape == (2, 3, 17, 4)
    assert (penn.sum(axis=1).tolist(), ntu.sum(axis=1).tolist()) == ([1, 0], [0, 1])


def test_data_sets_of_unlike_shapes_are_refused(clip_folders, mpii_folder):
    mpii = MpiiSinglePerson(mpii_folder, CONFIG)
    penn = PennAction(clip_folders["penn"], CONFIG, clip_size=3)
    with pytest.raises(ValueError, match=r"agree in the shape of 'frame'.*\(3, 32, 32"):
        BatchLoader([mpii, penn], ["frame"], ["pose"], TRAIN_MODE)
