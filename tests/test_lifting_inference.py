"""Tracks lifted whole, in blocks and frame by frame give the same poses."""

import json

import lifting_values
import numpy as np
import pytest

from deephar.inference import Lifter, StreamingLifter
from deephar.models import lifting
from deephar.utils.pose import h36m17j

SIDES = (h36m17j.joints_left, h36m17j.joints_right)
FORMS = {
    "symmetric": {},
    "causal": {"causal": True},
    "dense": {"dense": True},
    "wider": {"filter_widths": (1, 5, 3)},
    "one frame": {"filter_widths": (1,)},
    "trajectory": {"num_joints_out": 1, "causal": True},
}


def network(**changes):
    """A small network whose every weight and statistic matters."""
    options = {"filter_widths": (3, 3), "channels": 8, "dropout": 0.0, **changes}
    outputs = options.pop("num_joints_out", 17)
    model = lifting.build(17, 2, outputs, **options)
    rng = np.random.default_rng(0)
    for weight in model.weights:
        weight.assign(rng.uniform(0.1, 1, weight.shape))
        if weight.name in ("kernel", "beta", "moving_mean", "bias"):
            weight.assign(rng.normal(0, 0.4, weight.shape))
    return model


@pytest.fixture(scope="module", params=FORMS)
def form(request):
    """A network, its sides, and its Lifter with the poses of the track."""
    model = network(**FORMS[request.param])
    joints = SIDES if lifting.settings(model)["num_joints_out"] == 17 else ((), ())
    lifter = Lifter(model, *SIDES, *joints)
    return model, (*SIDES, *joints), lifter, lifter.lift(track())


@pytest.fixture(scope="module")
def model():
    return network()


@pytest.fixture(scope="module")
def lift(model):
    return Lifter(model, flip=False).lift


def track(frames=20):
    rng = np.random.default_rng(1)
    return rng.uniform(-1, 1, (frames, 17, 2)).astype(np.float32)


def stream(lifter, keypoints):
    """All poses of a stream of one person, put in order."""
    poses = [lifter.step(frame[None]) for frame in keypoints]
    return np.concatenate([np.stack(poses), lifter.finish()])[lifter.delay :, 0]


def test_flipped_poses_are_averaged_as_the_originals(shared):
    folder = shared / "golden" / "lifting"
    with np.load(folder / "tta.npz") as file:
        values = dict(file)
    model = lifting.build(17, 2, 17, (3, 3, 3), channels=64)
    lifting_values.set_weights(model, values, "sd/")
    skeleton = json.loads((folder / "skeleton.json").read_text())
    sides = skeleton["joints_left"], skeleton["joints_right"]
    lifter = Lifter(model, *sides, *sides)
    for number in range(3):
        keypoints = values[f"in2d_{number}"][0, 13:-13]
        poses = lifter.lift(keypoints)
        assert poses.dtype == np.float32
        np.testing.assert_allclose(poses, values[f"tta_{number}"][0], atol=1e-5)


def test_a_track_is_padded_by_its_end_frames_and_the_mirror_image_averaged(form):
    model, sides, _, whole = form
    settings = lifting.settings(model)
    pad = lifting.padding(settings["filter_widths"])
    shift = lifting.causal_shift(settings["filter_widths"], settings["causal"])
    pads = [(pad + shift, pad - shift), (0, 0), (0, 0)]
    exchanged = track()[:, h36m17j.map_hflip] * np.float32([-1, 1])
    plain, mirrored = (
        model(np.pad(x, pads, mode="edge")[None])[0].numpy()
        for x in (track(), exchanged)
    )
    joints = h36m17j.map_hflip if len(plain[0]) == 17 else [0]
    expected = (plain + mirrored[:, joints] * np.float32([-1, 1, 1])) / 2
    plainly = Lifter(model, *sides, fold=False).lift(track())
    for poses in (whole, plainly):
        np.testing.assert_allclose(poses, expected, atol=1e-5)
    alone = Lifter(model, flip=False, fold=False).lift(track())
    np.testing.assert_allclose(alone, plain, atol=1e-5)
    assert np.abs(plain - expected).max() > 0.1


def test_a_long_track_is_lifted_in_blocks_to_the_same_poses(form, monkeypatch):
    _, _, lifter, whole = form
    for block in (1, 7, 19):
        monkeypatch.setattr(lifter, "block", block)
        poses = lifter.lift(track())
        np.testing.assert_allclose(poses, whole, rtol=0, atol=1e-6)


def test_a_stream_gives_the_poses_of_the_whole_track(form):
    model, sides, _, whole = form
    alone = Lifter(model, flip=False, fold=False).lift(track())
    for flip, expected in ((False, alone), (True, whole)):
        lifter = StreamingLifter(model, 1, *sides, flip=flip)
        np.testing.assert_allclose(stream(lifter, track()), expected, atol=1e-5)


def test_a_causal_pose_needs_no_later_frame_and_another_is_late_by_half_its_reach():
    causal, symmetric = (
        StreamingLifter(network(causal=causal)) for causal in (True, False)
    )
    assert (causal.delay, symmetric.delay) == (0, 4)
    late = [np.isnan(symmetric.step(frame[None])).all() for frame in track(6)]
    assert late == [True] * 4 + [False] * 2
    assert np.isfinite(causal.step(track(1))).all()
    assert causal.finish().shape == (0, 1, 17, 3)


def test_people_come_and_go(model, lift):
    lifter = StreamingLifter(model, people=2)
    tracks = np.stack([track(30)[:20], track(30)[10:]], axis=1)
    poses = []
    for number, frame in enumerate(tracks):
        if number == 8:
            lifter.start([1])
        poses.append(lifter.step(frame))
    poses = np.concatenate([np.stack(poses), lifter.finish()])[lifter.delay :]
    np.testing.assert_allclose(poses[:, 0], lift(tracks[:, 0]), atol=1e-5)
    np.testing.assert_allclose(poses[8:, 1], lift(tracks[8:, 1]), atol=1e-5)
    assert np.isnan(poses[4:8, 1]).all() and np.isfinite(poses[:4, 1]).all()


def test_after_its_end_a_stream_begins_anew(model, lift):
    lifter = StreamingLifter(model)
    first, second = stream(lifter, track()[:3]), stream(lifter, track())
    np.testing.assert_allclose(first, lift(track()[:3]), atol=1e-5)
    np.testing.assert_allclose(second, lift(track()), atol=1e-5)


def test_later_training_does_not_change_a_lifter():
    model = network()
    lifter, streaming = Lifter(model, flip=False), StreamingLifter(model)
    before = lifter.lift(track())
    model.get_layer("shrink").bias.assign_add([1.0] * 51)
    np.testing.assert_array_equal(lifter.lift(track()), before)
    np.testing.assert_allclose(stream(streaming, track()), before, atol=1e-5)


@pytest.mark.parametrize(
    ("keypoints", "message"),
    [
        (np.zeros((0, 17, 2)), r"\(frames, 17, 2\).*Received: .*=\(0, 17, 2\)"),
        (np.zeros((4, 16, 2)), r"\(frames, 17, 2\).*Received: .*=\(4, 16, 2\)"),
        (np.full((4, 17, 2), np.nan), r"must be finite.*keypoints\[0, 0, 0\]=nan"),
    ],
)
def test_wrong_key_points_are_refused(lift, keypoints, message):
    with pytest.raises(ValueError, match=message):
        lift(keypoints)


def test_wrong_arguments_are_refused(model):
    with pytest.raises(ValueError, match=r"\(2, 17, 2\).*=\(1, 17, 2\)"):
        StreamingLifter(model, people=2).step(track(1))
    with pytest.raises(ValueError, match=r"`people` must be at least 1.*people=0"):
        StreamingLifter(model, people=0)
    with pytest.raises(ValueError, match=r"`block` must be at least 1.*block=0"):
        Lifter(model, *SIDES, *SIDES, block=0)
    with pytest.raises(ValueError, match=r"`keypoints_left` and.*pair rows of the 17"):
        Lifter(model)
    with pytest.raises(ValueError, match=r"joints.*joints_left=\[4\].*right=\[4\]"):
        Lifter(model, *SIDES, [4], [4])
