"""utils/bvh.py: what a reader of the file makes of it, against the poses."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from deephar.data.lifting_skeletons import HUMAN36M_SKELETON
from deephar.utils.bvh import write_bvh

PARENTS = HUMAN36M_SKELETON.parents
NAMES = (
    "pelvis r_hip r_knee r_ankle l_hip l_knee l_ankle spine thorax neck head "
    "l_shoul l_elb l_wrist r_shoul r_elb r_wrist"
).split()


def read_bvh(path):
    """Joints (frames, joints, 3) in the order of the file, its names and its rate."""
    words = iter(path.read_text().split())
    joints, offsets, parents, stack, names = [], [], [], [], []
    for word in words:
        if word in ("ROOT", "JOINT", "End"):
            names.append(next(words))
            parents.append(stack[-1] if stack else -1)
            joints.append(word)
        elif word == "OFFSET":
            offsets.append([float(next(words)) for _ in range(3)])
        elif word == "CHANNELS":
            channels = [next(words) for _ in range(int(next(words)))]
            assert channels[-3:] == ["Zrotation", "Xrotation", "Yrotation"]
            places = ["Xposition", "Yposition", "Zposition"]
            assert channels[:-3] == ([] if stack[:-1] else places)
        elif word == "{":
            stack.append(len(names) - 1)
        elif word == "}":
            stack.pop()
        elif word == "MOTION":
            break
    assert next(words) == "Frames:"
    frames = int(next(words))
    assert [next(words), next(words)] == ["Frame", "Time:"]
    period = float(next(words))
    values = np.array([float(word) for word in words]).reshape(frames, -1)
    inner = [i for i, kind in enumerate(joints) if kind != "End"]
    turns = values[:, 3:].reshape(frames, len(inner), 3)
    places, whole = {}, {}
    for number, joint in enumerate(inner):
        turn = Rotation.from_euler("ZXY", turns[:, number], degrees=True)
        up = parents[joint]
        if up < 0:
            places[joint], whole[joint] = values[:, :3], turn
        else:
            places[joint] = places[up] + whole[up].apply(offsets[joint])
            whole[joint] = whole[up] * turn
    poses = np.stack([places[joint] for joint in inner], axis=1)
    return (
        poses,
        [names[joint] for joint in inner],
        1 / period,
        turns,
        np.array(offsets),
    )


def to_world(poses):
    """From y up, as BVH has it, to z up."""
    return poses[..., [0, 2, 1]] * (1, -1, 1)


def moving(frames=40, seed=0):
    """A person of fixed lengths whose joints turn, smoothly and far; z is up."""
    rng = np.random.default_rng(seed)
    rest = rng.normal(0, 0.3, (17, 3))
    phases = np.linspace(0, 2, frames)[:, None]
    poses = np.zeros((frames, 17, 3))
    whole = []
    for joint, parent in enumerate(PARENTS):
        swing = rng.normal(0, 1, 3) * np.sin(phases + rng.uniform(0, 6))
        turn = Rotation.from_rotvec(swing)
        whole.append(turn if parent < 0 else whole[parent] * turn)
        if parent >= 0:
            poses[:, joint] = poses[:, parent] + whole[parent].apply(rest[joint])
    return poses + phases[:, None] * (1.0, 0.5, 0.0) + (0, 0, 0.9)


@pytest.mark.parametrize("names", [NAMES, [f"joint {i}" for i in range(17)]])
def test_a_person_of_fixed_lengths_comes_back_as_it_was(tmp_path, names):
    poses = moving()
    write_bvh(tmp_path / "a.bvh", poses, PARENTS, names, 50)
    found, found_names, rate, _, _ = read_bvh(tmp_path / "a.bvh")
    np.testing.assert_allclose(to_world(found), poses, atol=2e-5)
    assert found_names == [name.replace(" ", "_") for name in names]
    assert rate == pytest.approx(50)


@pytest.mark.parametrize("names", [NAMES, HUMAN36M_SKELETON.names])
def test_the_rest_pose_is_a_t_where_the_names_are_known(tmp_path, names):
    write_bvh(tmp_path / "a.bvh", moving(), PARENTS, names, 50)
    offsets = dict(zip(NAMES, _inner_offsets(tmp_path / "a.bvh"), strict=True))
    for name, axis in (("r_knee", (0, -1, 0)), ("l_elb", (1, 0, 0))):
        offset = offsets[name]
        np.testing.assert_allclose(offset / np.linalg.norm(offset), axis, atol=1e-5)
    assert offsets["l_hip"][0] > 0 > offsets["r_hip"][0]


def _inner_offsets(path):
    *_, offsets = read_bvh(path)
    last = {3, 7, 12, 16, 20}
    ends = {number + 1 for number in last}
    return [one for number, one in enumerate(offsets) if number not in ends]


def test_lengths_that_change_become_their_median_and_directions_stay(tmp_path):
    poses = moving()
    bones = poses[:, 3] - poses[:, 2]
    factors = np.where(np.arange(len(poses)) % 3, 1.0, 1.3)[:, None]
    poses[:, 3] = poses[:, 2] + bones * factors
    write_bvh(tmp_path / "a.bvh", poses, PARENTS, NAMES, 50)
    found = to_world(read_bvh(tmp_path / "a.bvh")[0])
    np.testing.assert_allclose(found[:, 3] - found[:, 2], bones, atol=2e-5)
    np.testing.assert_allclose(found[:, 13], poses[:, 13], atol=2e-5)


def test_angles_do_not_jump(tmp_path):
    """Legs and arms swing full circles, past where an angle leaves its range."""
    circle = np.linspace(0, 4 * np.pi, 100)
    poses = np.zeros((100, 3, 3))
    poses[:, 1] = (0, 0, 1)
    poses[:, 2, 0] = np.sin(circle)
    poses[:, 2, 2] = 1 + np.cos(circle)
    write_bvh(tmp_path / "a.bvh", poses, [-1, 0, 1], ["a", "b", "c"], 25)
    found, _, _, turns, _ = read_bvh(tmp_path / "a.bvh")
    np.testing.assert_allclose(to_world(found), poses, atol=2e-5)
    assert np.abs(np.diff(turns, axis=0)).max() < 8


def test_bones_without_length_and_children_in_a_line_do_not_turn_at_random(tmp_path):
    poses = np.zeros((5, 4, 3))
    poses[:, 1], poses[:, 2] = (0.1, 0, 0), (-0.1, 0, 0)
    write_bvh(tmp_path / "a.bvh", poses, [-1, 0, 0, 1], list("abcd"), 25)
    found, _, _, turns, _ = read_bvh(tmp_path / "a.bvh")
    np.testing.assert_allclose(to_world(found), poses[:, [0, 1, 3, 2]], atol=1e-6)
    np.testing.assert_allclose(turns, 0, atol=1e-3)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"poses": np.zeros((4, 2, 3))}, r"shape \(frames, 3, 3\)"),
        ({"poses": np.zeros((0, 3, 3))}, "a frame at least"),
        ({"poses": np.full((2, 3, 3), np.inf)}, "`poses` must be finite"),
        ({"parents": [-1, 2, 0]}, r"an earlier joint. Received: parents=\[-1, 2, 0\]"),
        ({"parents": [0, 0, 1]}, "must start with -1"),
        ({"names": ["a", "b/c", "b c"]}, "`names` must be 3 different ones"),
        ({"names": ["a", "b"]}, r"Received: names=\['a', 'b'\]"),
        ({"rate": 0}, "`rate` must be positive. Received: rate=0"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, changed, message):
    good = {
        "poses": np.ones((2, 3, 3)),
        "parents": [-1, 0, 1],
        "names": ["a", "b", "c"],
        "rate": 25,
    }
    with pytest.raises(ValueError, match=message):
        write_bvh(tmp_path / "a.bvh", **{**good, **changed})
    assert not list(tmp_path.iterdir())
