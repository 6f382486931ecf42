"""exp/lifting/lift_video.py: from pictures to motion in space, and what is refused."""

import pathlib
import re

import keras
import numpy as np
import pytest
from formula_weights import set_formula_weights
from scripts import load, read_json
from tiny_boxes import SIZE, video
from video_files import write_video

from deephar import checkpoints, experiment
from deephar.checkpoints.pytorch import read_pytorch, write_pytorch
from deephar.data.box_lists import BoxRow, write_box_list
from deephar.data.pictures import open_picture
from deephar.data.videos import video_info
from deephar.experiment import video_lifting
from deephar.experiment.picture_poses import flags_predictor
from deephar.experiment.video_lifting import custom_data
from deephar.inference import Lifter, PosePredictor
from deephar.inference.crops import refined
from deephar.models import lifting
from deephar.utils.camera import normalize_screen
from deephar.utils.pose import coco17j, h36m17j, pa16j2d
from deephar.utils.pose_conversion import convert_to_h36m17j

SCRIPT = load("exp/lifting/lift_video.py")
WEIGHTS = ("--weights-pose", "net/w.weights.h5", "--weights-lifting")
SIDES = (h36m17j.joints_left, h36m17j.joints_right)
SHAPE = {"channels": 8, "dropout": 0.0}
COUNT = 7


def lifting_network(path, joints=17, **shape):
    """A small network, whose poses change with the key points; its file."""
    model = lifting.build(17, 2, joints, (3, 3), **SHAPE, **shape)
    rng = np.random.default_rng(joints)
    for weight in model.trainable_weights:
        weight.assign(rng.normal(0.1, 0.3, weight.shape))
    checkpoints.save_weights(model, path)
    return model


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Pictures of a walk, a film, a pose network in net/ and lifting networks."""
    folder = tmp_path_factory.mktemp("lift")
    video(folder, "walk", None, COUNT)
    write_video(folder / "film.avi", 4, rate=20)
    settings = experiment.default_settings("mpii") | {"size": 32, "blocks": 1}
    model = experiment.build_network("mpii", settings)
    set_formula_weights(model)
    (folder / "net").mkdir()
    checkpoints.save_weights(model, folder / "net/w.weights.h5")
    experiment.write_json(folder / "net/model.json", settings)
    lifting_network(folder / "pose.bin")
    lifting_network(folder / "causal.bin", causal=True)
    lifting_network(folder / "root.bin", 1)
    both = read_pytorch(folder / "pose.bin")
    both["model_traj"] = read_pytorch(folder / "root.bin")["model_pos"]
    write_pytorch(folder / "both.bin", both)
    return folder, PosePredictor(model, pa16j2d)


@pytest.fixture
def here(place, monkeypatch, quiet):
    """The folder as the current one; the script looks by the fixture's predictor."""
    folder, predictor = place
    monkeypatch.chdir(folder)
    monkeypatch.setattr(video_lifting, "flags_predictor", lambda *_: predictor)
    return predictor


def lift(run, *flags, source="walk", weights="pose.bin"):
    """Runs the script; what its JSON says, and the joints."""
    SCRIPT.main([run, source, *WEIGHTS, weights, "--height", "64", *flags])
    name = source.split(".")[0]
    return read_json(run, f"{name}.json"), np.load(f"{run}/{name}.npy")


def look(predictor, boxes=None):
    """Joints in every frame of the walk, px."""
    pictures = [open_picture(f"walk/{n}.jpg") for n in range(COUNT)]
    found = [predictor.predict(picture, boxes) for picture in pictures]
    return np.stack([person.joints for (person,) in found])


def lifted(joints, file="pose.bin", joints_out=17, **shape):
    model = lifting.build(17, 2, joints_out, (3, 3), **SHAPE, **shape)
    key = "model_traj" if joints_out == 1 else None
    checkpoints.load_weights(model, file, key=key)
    sides = SIDES if joints_out == 17 else ((), ())
    points = normalize_screen(convert_to_h36m17j(joints, pa16j2d), SIZE)
    return Lifter(model, *SIDES, *sides).lift(points)


def keypoints(record):
    return np.array([one["keypoints"] for one in record["poses"]])[..., :2]


def test_the_poses_of_the_frames_are_lifted_and_written(here, monkeypatch, capsys):
    monkeypatch.setattr(video_lifting, "flags_predictor", flags_predictor)
    record, joints = lift("run", "--height", "500")
    seen = look(here)
    np.testing.assert_allclose(keypoints(record), seen, atol=2e-3)
    np.testing.assert_allclose(joints, lifted(seen), atol=1e-4)
    written = [one["joints"] for one in record["poses"]]
    np.testing.assert_allclose(written, joints, atol=1e-5)
    assert (record["frames"], record["rate"], record["filled"]) == (COUNT, 25, 0)
    assert record["joint_names"] == h36m17j.joint_names
    info = video_info("run/walk.mp4")
    assert (info.num_frames, info.size, info.rate) == (COUNT, (1250, 500), 25)
    assert f"Frames: {COUNT}\n" in pathlib.Path("run/walk.bvh").read_text()
    assert "run/walk.mp4: 7 frames, 25 a second" in capsys.readouterr().out


def test_a_video_file_is_lifted_at_its_own_rate_and_drawn_as_gif(here):
    flags = ("--out", "film.gif", "-no-tta")
    record, joints = lift("film", *flags, source="film.avi")
    assert joints.shape == (4, 17, 3) and record["rate"] == 20
    assert video_info("film.gif").num_frames == 4


@pytest.mark.parametrize(
    ("weights", "flags"), [("causal.bin", ["-no-tta"]), ("both.bin", ())]
)
def test_a_stream_gives_the_same_motion(here, weights, flags):
    whole, joints = lift("whole", *flags, weights=weights)
    stream, streamed = lift("stream", "--stream", *flags, weights=weights)
    np.testing.assert_allclose(streamed, joints, atol=1e-4)
    assert whole["lifting_ms"] is None and stream["lifting_ms"] > 0
    late = 0 if weights == "causal.bin" else 4
    assert f"a frame, {late} frames (" in pathlib.Path("stream/log.txt").read_text()
    assert stream["root"] == ("placed" if "both" in weights else "stays where it is")


def test_a_trajectory_network_moves_the_root(here):
    _, joints = lift("placed", weights="both.bin")
    seen = look(here)
    expected = lifted(seen) + lifted(seen, "both.bin", 1)
    np.testing.assert_allclose(joints, expected, atol=1e-4)


def test_lifting_computes_in_float32_whatever_looks(here, monkeypatch):
    def predictor(*_):
        keras.mixed_precision.set_dtype_policy("mixed_bfloat16")
        return here

    monkeypatch.setattr(video_lifting, "flags_predictor", predictor)
    try:
        _, joints = lift("low")
    finally:
        keras.mixed_precision.set_dtype_policy("float32")
    np.testing.assert_allclose(joints, lifted(look(here)), atol=1e-4)


def test_frames_without_a_box_are_gaps_that_are_filled(here):
    box = (20.0, 8.0, 60.0, 72.0)
    rows = [BoxRow(f"{n}.jpg", 1.0, box) for n in range(COUNT) if n not in (2, 3, 6)]
    write_box_list("boxes.txt", rows)
    record, joints = lift("boxes", "--boxes", "boxes.txt")
    seen = look(here, [box])
    seen[2] = (2 * seen[1] + seen[4]) / 3
    seen[3] = (seen[1] + 2 * seen[4]) / 3
    seen[6] = seen[5]
    np.testing.assert_allclose(keypoints(record), seen, atol=2e-3)
    np.testing.assert_allclose(joints, lifted(seen), atol=1e-4)
    filled = [len(one["filled"]) for one in record["poses"]]
    assert filled == [0, 0, 16, 16, 0, 0, 16]
    assert (record["filled"], record["longest_gap"]) == (48, 2)


def test_a_window_follows_the_pose_and_begins_again_where_it_is_lost(here):
    flags = ("--box", "20", "8", "60", "72", "--follow")
    record, _ = lift("follow", *flags, "--rate", "10")
    assert record["rate"] == video_info("follow/walk.mp4").rate == 10
    window = first = here.window(SIZE, (20, 8, 60, 72))
    lost = []
    for number, points in enumerate(keypoints(record)):
        picture = open_picture(f"walk/{number}.jpg")
        found = here.locate([picture], [window], keep=0.0)
        person = found.joints[-1, 0]
        np.testing.assert_allclose(points, person[:, :2], atol=2e-3)
        around = refined(window, person[:, :2], person[:, 2], keep=0.0)
        lost.append(around is window)
        window = first if lost[-1] else around
    assert set(lost) == {True, False}
    standing, _ = lift("standing", *flags[:5])
    assert np.abs(keypoints(standing) - keypoints(record))[1:].max() > 1


def test_unreadable_pictures_are_gaps_and_the_script_ends_by_naming_them(
    here, tmp_path
):
    video(tmp_path, "walk", None, 4)
    (tmp_path / "walk/2.jpg").write_bytes(b"no picture")
    with pytest.raises(OSError, match=r"unreadable pictures, 1 in all: .*2\.jpg"):
        lift(str(tmp_path / "run"), source=str(tmp_path / "walk"))
    record = read_json(tmp_path / "run/walk.json")
    assert [len(one["filled"]) for one in record["poses"]] == [0, 0, 16, 0]
    assert video_info(tmp_path / "run/walk.mp4").num_frames == 4


def test_joints_that_are_not_sure_are_gaps(here):
    with pytest.raises(ValueError, match=r"at least 0\.999\. Received: none of the"):
        lift("sure", "--confidence", "0.999")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--follow", "--boxes", "b.txt"], r"--follow is instead of --boxes"),
        (["--keypoints", "coco"], r"pose\.bin: has learned key points coco.*pa16j2d"),
        (["--out", "walk.avi"], r"must end in \.mp4 or \.gif.*walk\.avi"),
        (["--out", "walk/new.gif"], r"nor a picture in its folder\. .*walk/new\.gif"),
        (["--out", "no/walk.mp4"], r"the folder of --out must exist\. .*no/walk\.mp4"),
        (["-arc", "3"], r"pose\.bin: is of a network with filter_widths 3,3.*: 3 "),
    ],
)
def test_flags_that_do_not_fit_are_refused(here, flags, message):
    with pytest.raises((OSError, ValueError), match=message):
        lift("refused", *flags)


def test_a_video_is_not_written_over_itself(here):
    path = write_video(pathlib.Path("own.mp4"), 2)
    with pytest.raises(ValueError, match=r"--out must not be the video.*own\.mp4"):
        lift(".", source=str(path))
    pathlib.Path("twin.mp4").hardlink_to(path)
    with pytest.raises(ValueError, match=r"--out must not be the video.*twin\.mp4"):
        lift("twin", "--out", "twin.mp4", source=str(path))


def test_pictures_of_several_sizes_are_refused(here, tmp_path):
    video(tmp_path, "walk", None, 2)
    small = open_picture(tmp_path / "walk/1.jpg").resize((60, 40))
    small.save(tmp_path / "walk/1.jpg")
    rule = re.escape(f"must have the size of the first picture, {SIZE} px")
    with pytest.raises(ValueError, match=rf"1\.jpg: {rule}.*\(60, 40\)"):
        lift("sizes", source=str(tmp_path / "walk"))


def test_key_points_of_coco_stay_or_become_human36ms():
    points = np.random.default_rng(0).uniform(0, 80, (3, 17, 2))
    stay, become = (
        custom_data("v", points, coco17j, name, SIZE, 25) for name in ("coco", "h36m")
    )
    (of_coco,), (of_h36m,) = (
        data.sequences(["v"], labelled=False) for data in (stay, become)
    )
    expected = normalize_screen(points, SIZE)
    np.testing.assert_allclose(of_coco.keypoints, expected, atol=1e-6)
    assert stay.keypoints_left == tuple(range(1, 17, 2))
    assert become.keypoints_left == tuple(h36m17j.joints_left)
    expected = normalize_screen(convert_to_h36m17j(points, coco17j), SIZE)
    np.testing.assert_allclose(of_h36m.keypoints, expected, atol=1e-6)
