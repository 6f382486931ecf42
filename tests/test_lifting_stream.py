"""People lifted in a stream have the poses of their whole tracks."""

import numpy as np
import pytest
from test_lifting_inference import SIDES, network

from deephar.inference import Lifter, LiftingStream
from deephar.utils.camera import normalize_screen
from deephar.utils.pose import coco17j, h36m17j, pa16j2d
from deephar.utils.pose_conversion import convert_to_h36m17j

SIZE = (640, 480)


@pytest.fixture(scope="module")
def model():
    return network()


def walk(frames, joints=16, seed=0):
    """A track `(frames, joints, 2)`, px."""
    steps = np.random.default_rng(seed).normal(0, 4, (frames, joints, 2))
    return [300, 200] + steps.cumsum(axis=0)


def whole(models, track, layout=pa16j2d):
    """What the lifters of whole tracks say, mm."""
    points = normalize_screen(convert_to_h36m17j(track, layout), SIZE)
    sides = [SIDES, ((), ())]
    lifters = [Lifter(m, *SIDES, *s) for m, s in zip(models, sides, strict=False)]
    poses = 1000.0 * sum(lifter.lift(points) for lifter in lifters)
    return poses if len(models) > 1 else poses - poses[:, :1]


def run(stream, people):
    """Pushes frames, {key: joints} each, and the end; poses by key, None without."""
    found = []
    for seen in [*people, *[{}] * stream.delay]:
        joints = np.array(list(seen.values()))
        found.append(stream.push(seen, joints, np.ones(joints.shape[:2]), SIZE))
    return found[stream.delay :]


@pytest.mark.parametrize("causal", [True, False])
def test_a_stream_gives_the_poses_of_the_whole_track(causal):
    models = [network(causal=causal), network(causal=causal, num_joints_out=1)]
    stream, track = LiftingStream(models, pa16j2d), walk(100)
    assert stream.delay == (0 if causal else 4)
    found = run(stream, [{"a": pose} for pose in track])
    assert found[0]["a"].placed and found[0]["a"].layout is h36m17j
    poses = [one["a"].joints for one in found]
    np.testing.assert_allclose(poses, whole(models, track), rtol=0, atol=0.01)


def test_people_come_and_go_and_rows_are_used_again(model):
    stream = LiftingStream([model], pa16j2d)
    tracks = {name: walk(12, seed=n) for n, name in enumerate("abcd")}
    begins = {"a": 0, "b": 2, "c": 3, "d": 30}
    people = [
        {
            name: tracks[name][now - begin]
            for name, begin in begins.items()
            if 0 <= now - begin < 12
        }
        for now in range(42)
    ]
    found = run(stream, people)
    for name, begin in begins.items():
        poses = [one[name].joints for one in found[begin : begin + 12]]
        expected = whole([model], tracks[name])
        np.testing.assert_allclose(poses, expected, rtol=0, atol=0.01)
    assert stream._rows.size == 4 and "a" not in found[29]


def test_what_is_not_seen_stays_where_it_was(model):
    track, stream = walk(10), LiftingStream([model], pa16j2d, least=0.5)
    held, found = track.copy(), []
    held[4, 3], held[6] = track[3, 3], track[5]
    for number, pose in enumerate([*track, *[None] * stream.delay]):
        confidence = np.ones((1, 16))
        confidence[0, 3] = 0.4 if number in (0, 1, 4) else 0.5
        if pose is None or number == 6:
            found.append(stream.push([], [], [], SIZE))
        else:
            found.append(stream.push(["a"], pose[None], confidence, SIZE))
    poses = [one["a"].joints for one in found[stream.delay :]]
    np.testing.assert_allclose(poses, whole([model], held), rtol=0, atol=0.01)


def test_who_is_never_seen_as_a_whole_is_lifted_too(model):
    track, stream, found = walk(8), LiftingStream([model], pa16j2d, least=0.5), []
    confidence = np.where(np.arange(16) == 3, 0.1, 1.0)[None]
    for pose in [*track, *[None] * stream.delay]:
        one = ([], [], []) if pose is None else (["a"], pose[None], confidence)
        found.append(stream.push(*one, SIZE))
    poses = np.array([one["a"].joints for one in found[stream.delay :]])
    np.testing.assert_allclose(poses, whole([model], track), rtol=0, atol=0.01)
    assert not poses[:, 0].any() and not found[-1]["a"].placed


def test_a_joint_without_a_place_keeps_a_track_from_beginning(model):
    track, stream = walk(6), LiftingStream([model], pa16j2d)
    track[:2, 3] = np.nan
    found = run(stream, [{"a": pose} for pose in track])
    expected = whole([model], np.concatenate([track[[2, 2]], track[2:]]))
    assert ["a" in one for one in found] == [False] * 2 + [True] * 4
    poses = [one["a"].joints for one in found[2:]]
    np.testing.assert_allclose(poses, expected[2:], rtol=0, atol=0.01)


def test_coco_joints_go_to_networks_of_both_key_points(model):
    track = walk(9, 17)
    by_name = run(LiftingStream([model], coco17j), [{1: pose} for pose in track])
    expected = whole([model], track, coco17j)
    np.testing.assert_allclose([one[1].joints for one in by_name], expected, atol=0.01)
    stream = LiftingStream([model], coco17j, "coco", flip=False)
    plain = run(stream, [{1: pose} for pose in track])
    points = normalize_screen(track, SIZE)
    expected = 1000 * Lifter(model, flip=False).lift(points)
    expected -= expected[:, :1]
    np.testing.assert_allclose([one[1].joints for one in plain], expected, atol=0.01)


def test_what_does_not_fit_together_is_refused(model):
    with pytest.raises(ValueError, match="coco where the 2D network.*of pa16j2d"):
        LiftingStream([model], pa16j2d, "coco")
    with pytest.raises(ValueError, match=r"of \[17, 1\] joints, \[0, 4\] frames late"):
        LiftingStream([model, network(num_joints_out=1, causal=True)], pa16j2d)
    stream = LiftingStream([model], pa16j2d)
    with pytest.raises(ValueError, match=r"1 keys, \(1, 17, 2\) and \(1, 16\)"):
        stream.push(["a"], walk(1, 17), np.ones((1, 16)), SIZE)
