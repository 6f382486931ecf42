"""BatchLoader: the stream of batches, alike by every way it is read."""

import keras
import numpy as np
import pytest
from tiny_mpii import write_tiny_mpii

from deephar.config import DataConfig
from deephar.data import BatchLoader, MpiiSinglePerson
from deephar.utils.modes import TEST_MODE, TRAIN_MODE, VALID_MODE

CONFIG = DataConfig(crop_resolution=(32, 32), angles=(-20, 0, 20), scales=(0.8, 1.0))


class Numbers:
    """Samples whose value is their key; with `noise` the generator adds to it."""

    def __init__(self, length, offset=0, noise=False, shape=(1,)):
        self.length, self.offset, self.noise, self.shape = length, offset, noise, shape

    def get_length(self, mode):
        return self.length

    def get_shape(self, dictkey):
        return self.shape

    def get_data(self, key, mode, rng=None):
        value = key + self.offset + (rng.random() if self.noise else 0)
        return {"x": np.full(self.shape, value), "y": np.full(self.shape, -value)}


class Old(Numbers):
    """The original's signature, without a generator."""

    def get_data(self, key, mode):
        return {"x": np.array([key]), "y": np.array([key])}


def loader(dataset, batch_size=2, mode=TRAIN_MODE, **options):
    return BatchLoader(dataset, ["x"], ["y"], mode, batch_size, **options)


def epoch_of(batches, epoch):
    """All x of an epoch, (samples,)."""
    got = [batches.get_batch(epoch, i)[0][0] for i in range(len(batches))]
    return np.concatenate(got)[:, 0]


def stream_of(batches, epoch, steps, workers, **options):
    stream = iter(batches.as_dataset(epoch, steps, workers, **options))
    elements = []
    for _ in range(steps):
        x, y = batches.next_batch(stream)
        elements.append([tensor.numpy() for tensor in (*x, *y)])
    with pytest.raises(StopIteration):
        batches.next_batch(stream)
    return elements


def equal(these, those):
    return all(np.array_equal(a, b) for a, b in zip(these, those, strict=True))


@pytest.fixture(scope="module")
def mpii(tmp_path_factory):
    folder = write_tiny_mpii(tmp_path_factory.mktemp("whole") / "MPII", 7, 3)
    return MpiiSinglePerson(folder, CONFIG)


def pose_loader(mpii, mode=TRAIN_MODE, keys=("pose",), **options):
    return BatchLoader(mpii, ["frame"], list(keys), mode, 2, **options)


@pytest.mark.parametrize("shuffle", [True, False])
def test_every_sample_comes_once_an_epoch(shuffle):
    batches = loader(Numbers(10), shuffle=shuffle)
    assert len(batches) == batches.get_length(TRAIN_MODE) == 5
    for epoch in (0, 1):
        assert sorted(epoch_of(batches, epoch)) == list(range(10))
    assert (epoch_of(batches, 0).tolist() == list(range(10))) is not shuffle


def test_the_order_depends_on_seed_and_epoch_alone():
    orders = [
        tuple(epoch_of(loader(Numbers(30), seed=seed), epoch))
        for seed, epoch in [(0, 0), (0, 0), (0, 1), (1, 0), (1, 1)]
    ]
    assert orders[0] == orders[1]
    assert len(set(orders)) == 4


def test_the_last_batch_starts_over_without_shuffle():
    batches = loader(Numbers(5), 3, shuffle=False)
    assert epoch_of(batches, 0).tolist() == [0, 1, 2, 3, 4, 0]


def test_the_last_batch_goes_on_in_a_new_order_with_shuffle():
    batches = loader(Numbers(5), 3)
    x = epoch_of(batches, 0)
    assert sorted(x[:5]) == [0, 1, 2, 3, 4]
    further = [batches.get_batch(0, i)[0][0][:, 0] for i in range(2, 5)]
    stream = np.concatenate([x, *further])
    assert sorted(stream[5:10]) == [0, 1, 2, 3, 4]


def test_a_batch_larger_than_the_data_set_goes_round():
    batches = loader(Numbers(2), 5, shuffle=False)
    assert epoch_of(batches, 0).tolist() == [0, 1, 0, 1, 0]


def test_mixed_data_sets_fill_their_part_of_the_batch():
    batches = loader([Numbers(4), Numbers(9, offset=100)], [1, 3])
    assert (len(batches), batches.get_batch_size(), batches.num_datasets) == (4, 4, 2)
    x = epoch_of(batches, 0).reshape(4, 4)
    assert sorted(x[:, 0]) == [0, 1, 2, 3]
    assert sorted(x[:, 1:].ravel()[:9]) == [100 + i for i in range(9)]
    assert (x[:, 1:] >= 100).all()


def test_one_batch_size_is_for_each_data_set():
    assert loader([Numbers(4), Numbers(4)], 3).get_shape("x") == (6, 1)


def test_targets_repeat_and_constant_ones_come_last():
    y_keys, dummy = ["y"], [("action", (2, 5), 0.5)]
    batches = BatchLoader(
        Numbers(4), ["x"], y_keys, TRAIN_MODE, 2, [3, 2], custom_dummy_dictkey=dummy
    )
    x, y = batches[0]
    assert [array.shape for array in y] == [(2, 1)] * 3 + [(2, 5)] * 2
    assert all(array.dtype == np.float32 for array in [*x, *y])
    assert (y[3] == 0.5).all()
    assert batches.get_shape("action") == (2, 5)
    assert np.array_equal(y[0], -x[0])
    assert y_keys == ["y"] and dummy == [("action", (2, 5), 0.5)]
    keys = batches.get_data(0, TRAIN_MODE).keys()
    assert keys == {"x", "y", "action", "readable"}


def test_a_sample_s_randomness_does_not_depend_on_what_was_asked_before():
    batches = loader(Numbers(8, noise=True), seed=3)
    late = batches.get_batch(5, 2)
    again = loader(Numbers(8, noise=True), seed=3)
    for index in (3, 0, 2):
        got = again.get_batch(5, index)
    assert equal(got[0], late[0])
    assert not equal(batches.get_batch(6, 2)[0], late[0])


def test_indexing_follows_the_epoch():
    batches = loader(Numbers(8, noise=True))
    first = batches[1]
    assert equal(first[0], batches.get_batch(0, 1)[0])
    batches.on_epoch_end()
    assert equal(batches[1][0], batches.get_batch(1, 1)[0])
    assert not equal(batches[1][0], first[0])
    with pytest.raises(IndexError, match="4 batches. Received: index 4"):
        batches[4]


def test_data_sets_without_a_generator_are_served():
    assert sorted(epoch_of(loader(Old(4)), 0)) == [0, 1, 2, 3]


def test_a_loader_groups_the_batches_of_another():
    inner = loader(Numbers(12, noise=True), 3)
    outer = loader(inner, 2, shuffle=False, seed=9)
    assert (len(outer), outer.get_shape("x")) == (2, (2, 3, 1))
    x = outer.get_batch(4, 1)[0][0]
    for row, index in enumerate((2, 3)):
        assert np.array_equal(x[row], inner.get_batch(4, index)[0][0])
    beyond = outer.get_batch(4, 2)[0][0]
    assert np.array_equal(beyond[0], inner.get_batch(4, 4)[0][0])


@pytest.mark.parametrize("workers", [1, 4])
def test_tf_data_gives_the_same_stream(mpii, workers):
    batches = pose_loader(mpii, keys=["pose", "afmat"], num_predictions=[2, 1])
    elements = stream_of(batches, 3, 9, workers)
    assert len(elements) == 9
    for index, element in enumerate(elements):
        x, y = batches.get_batch(3, index)
        assert equal(element, [*x, *y])
    assert {array.dtype for array in elements[0]} == {np.dtype(np.float32)}


def test_tf_data_has_static_shapes(mpii):
    x, y = pose_loader(mpii).as_dataset(0, 1, 1).element_spec
    assert (x[0].shape.as_list(), y[0].shape.as_list()) == ([2, 32, 32, 3], [2, 16, 3])


def test_tf_data_can_shuffle_the_batches():
    batches = loader(Numbers(40), shuffle=False)
    orders = []
    for epoch in (0, 0, 1):
        stream = stream_of(batches, epoch, 20, 2, shuffle_batches=True)
        orders.append([int(element[0][0, 0]) // 2 for element in stream])
    assert sorted(orders[0]) == list(range(20)) != orders[0]
    assert orders[0] == orders[1] != orders[2]


def test_keras_trains_on_it():
    x = keras.Input((1,))
    model = keras.Model([x], [keras.layers.Dense(1)(x)])
    model.compile("sgd", "mse", jit_compile=False)
    batches = loader(Numbers(6))
    model.fit(batches, epochs=2, verbose=0)
    assert batches.epoch >= 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": [1, 2]}, "same length. Received: 1 data sets"),
        ({"batch_size": 0}, "`batch_size` must be at least 1"),
        ({"batch_size": 2.5}, "Expected an integer.*2.5"),
        ({"num_predictions": [1, 2]}, "one number for each target"),
        ({"on_error": "ignore"}, "`on_error` must be one of.*'ignore'"),
        ({"on_error": "mark"}, "needs data sets with `get_blank_data`.*Numbers"),
        ({"seed": -1}, "`seed` must be an integer of at least 0.*-1"),
        ({"mode": 9}, "`mode` must be TEST_MODE"),
        ({"custom_dummy_dictkey": [("y", (2, 1), 0)]}, "must not repeat.*'y'"),
    ],
)
def test_wrong_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        loader(Numbers(4), **options)


def test_empty_and_unlike_data_sets_are_refused(mpii):
    message = "MpiiSinglePerson of .*MPII must have samples.*in the part 'test'"
    with pytest.raises(ValueError, match=message):
        pose_loader(mpii, TEST_MODE)
    with pytest.raises(ValueError, match="Numbers must have samples.*part 'train'"):
        loader(Numbers(0))
    with pytest.raises(ValueError, match=r"agree in the shape of 'x'.*\(1,\), \(2,\)"):
        loader([Numbers(4), Numbers(4, shape=(2,))])
    with pytest.raises(ValueError, match="`dictkey` must be one of.*'depth'"):
        pose_loader(mpii, keys=["depth"])


def test_another_mode_is_refused():
    batches = loader(Numbers(4))
    with pytest.raises(ValueError, match="for mode 'train'. Received: mode='valid'"):
        batches.get_length(VALID_MODE)
    with pytest.raises(IndexError, match="idx=-1"):
        batches.get_data(-1, TRAIN_MODE)


def keys_of(batch):
    return [int(value) for value in batch["x"][:, 0]]


@pytest.mark.parametrize(
    ("count", "sizes"), [(2, [2, 3]), (3, [1, 2, 2]), (5, [1] * 5)]
)
def test_the_parts_of_a_batch_together_are_the_batch(count, sizes):
    batches = loader(Numbers(40), batch_size=5)
    whole = keys_of(batches.get_data(1, TRAIN_MODE, epoch=2))
    parts = [
        keys_of(batches.get_data(1, TRAIN_MODE, 2, (n, count))) for n in range(count)
    ]
    assert sum(parts, []) == whole
    assert [len(part) for part in parts] == sizes
    assert [batches.part_size((n, count)) for n in range(count)] == sizes


def test_each_data_set_is_divided_among_the_parts_and_so_are_constant_targets():
    custom = [("dummy", (6, 2), 1.0)]
    batches = loader(
        [Numbers(40), Numbers(40, 100)],
        batch_size=[3, 3],
        shuffle=False,
        custom_dummy_dictkey=custom,
    )
    parts = [batches.get_data(0, TRAIN_MODE, part=(n, 2)) for n in range(2)]
    assert [keys_of(part) for part in parts] == [[0, 101, 102], [1, 2, 100]]
    assert parts[0]["dummy"].shape == (3, 2)


def test_a_stream_of_parts_starts_where_it_is_told():
    batches = loader(Numbers(40), batch_size=3)
    options = {"steps": 4, "shuffle_batches": True}

    def rows(**more):
        dataset = batches.as_dataset(1, **options, **more)
        return [int(v) for x, _ in dataset for v in x[0][:, 0]]

    whole = rows()
    assert rows(start=2) == whole[6:]
    assert rows(start=2, parts=((0,), 2)) == [whole[6], whole[9]]
    assert rows(start=2, parts=((1,), 2)) == [whole[i] for i in (7, 8, 10, 11)]
    assert rows(parts=((0, 1), 2)) == whole
    spec = batches.as_dataset(1, parts=((0, 1), 2)).element_spec
    assert spec[1][0].shape == (None, 1)


def test_a_batch_that_cannot_be_divided_is_refused():
    with pytest.raises(ValueError, match="at most as many parts.*part 3 of 6"):
        loader(Numbers(9), batch_size=5).part_size((3, 6))
    with pytest.raises(ValueError, match="Every part of a batch must have a sample"):
        loader([Numbers(9)] * 3, batch_size=[1, 1, 1]).part_size((1, 3))
    odd = loader(Numbers(9), 4, custom_dummy_dictkey=[("dummy", (2, 2), 1.0)])
    with pytest.raises(ValueError, match="'dummy' must have one row a sample"):
        odd.part_size((0, 2))
