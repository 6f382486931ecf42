"""exp/lifting/render_lifting.py: what is drawn and written, and what is refused."""

import argparse

import numpy as np
import pytest
from scripts import load
from tiny_lifting import TAKES, see, write_tiny_lifting
from video_files import write_video

from deephar.checkpoints import load_weights, save_weights
from deephar.checkpoints.pytorch import read_pytorch, write_pytorch
from deephar.data.lifting import open_lifting_data
from deephar.data.lifting_format import Layout, keypoints_path, write_keypoints_2d
from deephar.data.videos import Video, video_info
from deephar.experiment.lifting_rendering import (
    Lifted,
    find_sequence,
    keypoint_bones,
    world_poses,
)
from deephar.inference.lifting import Lifter
from deephar.models import lifting
from deephar.utils.pose import coco17j

SCRIPT = load("exp/lifting/render_lifting.py")
TRAIN = load("exp/lifting/train_lifting.py")
DATA = ("--data", "data", "-k", "gt", "-c", "run", "--evaluate", "pose.bin")
WALK = (*DATA, "--viz-subject", "S9", "--viz-action", "Walking 1")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Tiny data; a network, `run/pose.bin`; it and a trajectory's, `run/both.bin`."""
    folder = tmp_path_factory.mktemp("rendering")
    write_tiny_lifting(folder / "data")
    (folder / "run").mkdir()
    for joints, name in ((17, "pose.bin"), (1, "trajectory.bin")):
        model = lifting.build(17, 2, joints, (3, 3), channels=8)
        weights = [w + 0.01 * i for i, w in enumerate(model.get_weights())]
        model.set_weights(weights)
        save_weights(model, folder / "run" / name)
    both = read_pytorch(folder / "run" / "pose.bin")
    trajectory = read_pytorch(folder / "run" / "trajectory.bin")
    both["model_traj"] = trajectory["model_pos"]
    write_pytorch(folder / "run" / "both.bin", both)
    custom = see_custom(folder)
    assert custom == 12
    return folder


def see_custom(folder):
    """Writes a custom file of two videos, one of known rate; their length."""
    positions = {"S1": {"Walking": np.random.default_rng(0).random((12, 17, 3)) + 0.1}}
    points = see(positions)["S1"]["Walking"][0]
    size = {"w": 1000, "h": 1000}
    layout = Layout(
        *(17, (4, 5, 6, 11, 12, 13), (1, 2, 3, 14, 15, 16), "h36m"),
        {"a.mp4": {**size, "fps": 20}, "b.mp4": size},
    )
    keypoints = {name: {"custom": [points]} for name in ("a.mp4", "b.mp4")}
    write_keypoints_2d(
        keypoints_path(folder / "data", "custom", "own"), keypoints, layout
    )
    return len(points)


def lifted(name, joints, track):
    """What a network of a file makes of a track."""
    model = lifting.build(17, 2, joints, (3, 3), channels=8)
    key = "model_traj" if joints == 1 else None
    load_weights(model, f"run/{name}", key=key)
    data = open_lifting_data("data", "h36m", "gt")
    sides = (data.keypoints_left, data.keypoints_right)
    body = (data.skeleton.joints_left, data.skeleton.joints_right)
    return Lifter(model, *sides, *(body if joints > 1 else ((), ()))).lift(track)


def track():
    views = open_lifting_data("data", "h36m", "gt").sequences(["S9"], ["Walking 1"])
    return views[2]


def test_a_track_is_drawn_and_written(here, capsys):
    out = ("--viz-output", "a.mp4", "--viz-export", "a", "--viz-bvh", "a.bvh")
    SCRIPT.main([*WALK, *out, "--viz-size", "1", "--viz-camera", "2"])
    assert video_info("a.mp4").num_frames == TAKES["S9"]["Walking 1"]
    assert (video_info("a.mp4").size, video_info("a.mp4").rate) == ((300, 100), 50)
    poses = np.load("a.npy")
    assert poses.dtype == np.float32
    np.testing.assert_allclose(
        poses, lifted("pose.bin", 17, track().keypoints), atol=1e-5
    )
    motion = (here / "a.bvh").read_text().split("MOTION\n")[1]
    assert motion.startswith("Frames: 35\nFrame Time: 0.02")
    said = capsys.readouterr().out
    assert "a.mp4: 35 frames, 50 a second" in said
    assert "35 of 35 frames drawn" in said


def test_a_trajectory_network_places_the_root(here):
    flags = [*WALK, "--viz-camera", "2", "--viz-export", "b.npy", "--render"]
    TRAIN.main([*flags, "--evaluate", "both.bin"])
    points = track().keypoints
    whole = lifted("both.bin", 17, points) + lifted("both.bin", 1, points)
    np.testing.assert_allclose(np.load("b.npy"), whole, atol=1e-5)


def test_frames_of_the_video_stand_beside_their_own_poses(here):
    write_video(here / "film.mp4", 24)
    flags = ("--viz-skip", "3", "--viz-limit", "11", "--viz-downsample", "2")
    look = ("--viz-size", "1", "--viz-no-ground-truth", "--viz-video", "film.mp4")
    SCRIPT.main([*WALK, *flags, *look, "--viz-output", "c.mp4"])
    with Video("c.mp4") as video:
        assert (video.info.size, video.info.rate) == ((234, 100), 12.5)
        corners = [frame[2:8, 2:8].mean() for _, frame, _ in video.frames()]
    np.testing.assert_allclose(corners, [40, 60, 80, 100, 120, 140], atol=8)


def test_a_video_of_another_length_is_said(here, capsys):
    write_video(here / "short.mp4", 8)
    flags = ("--viz-video", "short.mp4", "--viz-output", "d.gif", "--viz-size", "1")
    SCRIPT.main([*WALK, *flags])
    assert "short.mp4 has 8 frames, the track 35" in capsys.readouterr().out
    assert video_info("d.gif").num_frames == 8


def test_a_custom_video_has_the_rate_of_its_file(here):
    own = ("-d", "custom", "-k", "own", "--viz-action", "custom")
    SCRIPT.main([*WALK, *own, "--viz-subject", "a.mp4", "--viz-bvh", "e.bvh"])
    assert "Frame Time: 0.05" in (here / "e.bvh").read_text()
    with pytest.raises(ValueError, match="--viz-video must be given.*b.mp4"):
        SCRIPT.main([*WALK, *own, "--viz-subject", "b.mp4", "--viz-bvh", "f.bvh"])


def test_the_true_pose_is_where_it_was(here):
    data = open_lifting_data("data", "h36m", "gt")
    names = argparse.Namespace(
        viz_subject="S9",
        viz_action="WalkDog",
        viz_camera=1,
        viz_no_ground_truth=False,
    )
    sequence = find_sequence(names, data)
    assert (sequence.action, sequence.camera) == ("WalkDog", 1)
    relative = sequence.positions.copy()
    relative[:, 0] = 0
    found = Lifted(sequence, data.cameras["S9"][1], relative, placed=False)
    world = world_poses(found)
    truth = data.positions["S9"]["WalkDog"]
    np.testing.assert_allclose(world["Ground truth"], truth, atol=1e-5)
    np.testing.assert_allclose(world["Reconstruction"], truth, atol=1e-5)
    names.viz_no_ground_truth = True
    alone = Lifted(find_sequence(names, data), found.camera, relative, placed=False)
    (pose,) = world_poses(alone).values()
    assert pose[..., 2].min() == pytest.approx(0, abs=1e-6)
    moves = np.diff(truth - truth[:, :1], axis=0)
    np.testing.assert_allclose(np.diff(pose, axis=0), moves, atol=1e-5)


def test_key_points_are_joined_as_what_they_are(here):
    data = open_lifting_data("data", "h36m", "gt")
    assert (8, 9) in keypoint_bones(data).links
    sides = [
        [i for i, name in enumerate(coco17j.joint_names) if name.startswith(side)]
        for side in ("l_", "r_")
    ]
    data.layout = Layout(17, *map(tuple, sides))
    assert keypoint_bones(data).links == [tuple(link) for link in coco17j.links]
    data.layout = Layout(9, (1,), (2,))
    assert (keypoint_bones(data).links, keypoint_bones(data).left) == ((), (1,))


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--viz-camera", "4"], "--viz-camera must be below 4, .* Received: 4"),
        (["--viz-skip", "35"], "--viz-skip must be below 35"),
        (["--viz-action", "Run"], "an action must be one of Sitting, WalkDog, Walking"),
        (["--viz-action", "Sit"], "must be one take of S9: Walking 1, WalkDog"),
        (["--viz-subject", "S3"], "the subjects must be among S1, S9"),
        (["--viz-output", "a.avi"], "must end in .mp4 or .gif. Received: .*a.avi"),
        (
            ["--viz-output", "no/a.mp4"],
            "the folder of --viz-output must exist.*no/a",
        ),
        (["--viz-export", "no/a"], "the folder of --viz-export must exist.*: no/a$"),
        (["--viz-bvh", "no/a.bvh"], "the folder of --viz-bvh must exist.*no/a.bvh$"),
        (["--viz-bvh", "run"], "--viz-bvh must be a file. Received: the folder run"),
        (["--viz-video", "no.mp4"], "no such video: no.mp4"),
        (["--evaluate", "no.bin"], "no.bin: no such checkpoint"),
    ],
)
def test_what_is_wrong_is_named(here, flags, message):
    with pytest.raises((ValueError, OSError), match=message):
        SCRIPT.main([*WALK, "--viz-output", "g.mp4", *flags])
    assert not (here / "g.mp4").exists()


@pytest.mark.parametrize("flag", ["--viz-output", "--viz-bvh"])
def test_a_video_is_not_written_over_itself(here, flag):
    film = write_video(here / "own.mp4", 2)
    before = film.read_bytes()
    (here / "link.mp4").unlink(missing_ok=True)
    (here / "link.mp4").symlink_to(film)
    with pytest.raises(ValueError, match=f"{flag} must not be the video .*link.mp4"):
        SCRIPT.main([*WALK, "--viz-video", "own.mp4", flag, "link.mp4"])
    assert film.read_bytes() == before
