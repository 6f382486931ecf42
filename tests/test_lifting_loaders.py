"""Pieces of tracks and whole ones, against the values of the reference."""

import json

import numpy as np
import pytest

from deephar.data.lifting import Sequence
from deephar.data.lifting_loaders import ChunkedLoader, whole_sequence

SIDES = {
    "joints_left": (4, 5, 6, 11, 12, 13),
    "joints_right": (1, 2, 3, 14, 15, 16),
    "keypoints_left": (4, 5, 6, 11, 12, 13),
    "keypoints_right": (1, 2, 3, 14, 15, 16),
}
CHUNKED = ("aug", "chunk4", "noaug_noshuffle", "semi_endless")


def read(shared, name):
    with np.load(shared / "golden" / "lifting" / f"gen_{name}.npz") as file:
        return dict(file)


def tracks(values, poses=True):
    return [
        Sequence(
            *("S9", "Walking 1", i, values[f"in2d_{i}"]),
            values[f"in3d_{i}"] if poses else None,
            values[f"cam_{i}"],
        )
        for i in range(3)
    ]


def check_batch(batch, values, name):
    for found, key in zip(batch, ("cam", "3d", "2d"), strict=True):
        assert (found is None) == (f"{name}_{key}" not in values)
        if found is not None:
            assert found.dtype == np.float32
            np.testing.assert_array_equal(found, values[f"{name}_{key}"])


@pytest.mark.parametrize("name", CHUNKED)
def test_pieces_equal_the_references(shared, name):
    values = read(shared, f"chunked_{name}")
    settings = json.loads(str(values["cfg"]))
    data = tracks(values, poses=not settings["endless"])
    loader = ChunkedLoader(sequences=data, **settings, **SIDES)
    assert (loader.num_batches, loader.num_frames) == (
        values["num_batches"],
        values["num_frames"],
    )
    sums, stream = values["batch_sums_cam_3d_2d_n"], loader.next_epoch()
    for number, expected in enumerate(sums):
        batch = next(stream)
        if f"b{number}_2d" in values:
            check_batch(batch, values, f"b{number}")
        found = [0 if part is None else part.sum(dtype=np.float64) for part in batch]
        np.testing.assert_allclose([*found, len(batch[2])], expected, atol=1e-6)
    if "ep1_b0_2d" in values:
        assert next(stream, None) is None
        check_batch(next(loader.next_epoch()), values, "ep1_b0")


@pytest.mark.parametrize("augment", [False, True])
def test_whole_tracks_equal_the_references(shared, augment):
    values = read(shared, f"unchunked_{'aug' if augment else 'noaug'}")
    for number, track in enumerate(tracks(values)):
        batch = whole_sequence(track, 13, 0, augment, **SIDES)
        check_batch(batch, values, f"b{number}")


def counting(*lengths):
    """Tracks whose key points say which track, from 1, and frame they are of."""
    return [
        Sequence(
            *("S1", "Walking", track),
            np.float32([[[track, frame]] for frame in range(length)]),
        )
        for track, length in enumerate(lengths, 1)
    ]


@pytest.mark.parametrize(
    ("name", "chunk", "seed"), [("chunk4", 4, 1234), ("semi", 1, 4321)]
)
def test_the_order_is_the_references(golden, name, chunk, seed):
    with np.load(golden / "lifting_order.npz") as file:
        expected = file[name].astype(int)
    data, options = counting(37, 50, 9), {"random_seed": seed, "augment": True}
    loader = ChunkedLoader(16, data, chunk, **options)
    points = np.concatenate([batch[2] for batch in loader.next_epoch()])[:, :, 0]
    track = points[:, 0, 0]
    np.testing.assert_array_equal(np.abs(track) - 1, expected[:, 0])
    np.testing.assert_array_equal(track < 0, expected[:, 3])
    last = np.minimum(expected[:, 2], np.array([37, 50, 9])[expected[:, 0]]) - 1
    np.testing.assert_array_equal(points[:, -1, 1], last)
    np.testing.assert_array_equal(points[:, 0, 1], np.maximum(expected[:, 1], 0))


def frames_of(batch):
    return batch[2][:, :, 0, 1].astype(int).tolist()


def test_causal_pieces_look_back_only():
    data = counting(6)
    loader = ChunkedLoader(3, data, 2, pad=2, causal_shift=2, shuffle=False)
    batches = list(loader.next_epoch())
    assert batches[0][:2] == (None, None)
    assert frames_of(batches[0]) == [
        *([0, 0, 0, 0, 0, 1], [0, 0, 0, 1, 2, 3], [0, 1, 2, 3, 4, 5]),
    ]
    whole = whole_sequence(data[0], pad=2, causal_shift=2)
    assert frames_of(whole) == [[0, 0, 0, 0, 0, 1, 2, 3, 4, 5]]


def test_pieces_end_at_the_ends_of_their_track():
    loader = ChunkedLoader(9, counting(5, 1), 3, pad=1, shuffle=False)
    (batch,) = loader.next_epoch()
    assert frames_of(batch) == [[0, 0, 1, 2, 3], [2, 3, 4, 4, 4], [0] * 5]
    assert batch[2][:, :, 0, 0].max(axis=1).tolist() == [1, 1, 2]


@pytest.mark.parametrize("endless", [False, True])
def test_a_loader_goes_on_where_another_was_left(endless):
    arguments = {"sequences": counting(7, 4), "chunk_length": 1, "endless": endless}
    one, other = (ChunkedLoader(2, **arguments, random_seed=n) for n in (1, 2))
    for _ in range(2):
        stream = one.next_epoch()
        taken = [frames_of(next(stream)) for _ in range(4)]
        state, position = one.random_state, one.position
        rest = [frames_of(batch) for _, batch in zip("ab", stream, strict=False)]
        assert (position, len(rest), len(taken)) == (4, 2, 4)
        other.random_state, other.position = state, position
        again = zip("ab", other.next_epoch(), strict=False)
        assert [frames_of(batch) for _, batch in again] == rest
        assert other.position == one.position == 0
        want = one.random_state.randint(1000, size=5).tolist()
        assert other.random_state.randint(1000, size=5).tolist() == want


def test_setting_the_state_begins_an_epoch():
    loader = ChunkedLoader(2, counting(9), 1)
    state = loader.random_state
    first = [frames_of(batch) for batch in loader.next_epoch()]
    second = [frames_of(batch) for batch in loader.next_epoch()]
    loader.random_state = state
    assert [frames_of(batch) for batch in loader.next_epoch()] == first != second


def test_bad_arguments_are_named():
    data = counting(4)
    with pytest.raises(ValueError, match="`batch_size` must be at least 1.*=0"):
        ChunkedLoader(0, data, 1)
    with pytest.raises(ValueError, match="`chunk_length` must be at least 1"):
        ChunkedLoader(1, data, 0)
    with pytest.raises(ValueError, match="`causal_shift` 0 or `pad`.*causal_shift=3"):
        ChunkedLoader(1, data, 1, pad=4, causal_shift=3)
    with pytest.raises(ValueError, match="`sequences` must have tracks"):
        ChunkedLoader(1, [], 1)
    with pytest.raises(ValueError, match="`joints_left` and `joints_right`"):
        whole_sequence(data[0], joints_left=[1])
    lens = Sequence("S1", "Sit", 0, data[0].keypoints, intrinsics=np.ones(9, "f4"))
    with pytest.raises(ValueError, match=r"all `sequences` must have intrinsics.*1 of"):
        ChunkedLoader(1, [*data, lens], 1)
    short = Sequence("S1", "Sit", 0, data[0].keypoints, np.ones((3, 17, 3), "f4"))
    with pytest.raises(ValueError, match="S1, Sit: poses and key points.*3, 4"):
        ChunkedLoader(1, [short], 1)
    loader = ChunkedLoader(2, data, 1)
    loader.position = 2
    with pytest.raises(ValueError, match="`position` must be 0 to 1"):
        next(loader.next_epoch())
