"""Checkpoints of the original fill our models and optimizers, and ours are alike."""

import keras
import lifting_values
import numpy as np
import pytest

from deephar import checkpoints
from deephar.checkpoints.lifting import (
    LiftingCheckpoint,
    load_optimizer_state,
    network_arguments,
    optimizer_state,
    read_lifting,
    state_dict,
    write_lifting,
)
from deephar.checkpoints.pytorch import write_pytorch
from deephar.inference import fold_batch_norm
from deephar.models import lifting

SHAPE = (3, 2, 3, (3, 3), 4)
NETWORK = {
    "num_joints_in": 3,
    "in_features": 2,
    "num_joints_out": 3,
    "filter_widths": (3, 3),
    "channels": 4,
}


@pytest.fixture(scope="module")
def models():
    """A pose network and one of the trajectory."""
    return lifting.build(*SHAPE), lifting.build(3, 2, 1, (3, 3), 4)


@pytest.fixture(scope="module")
def model(models):
    return models[0]


@pytest.fixture(scope="module")
def causal():
    return lifting.build(*SHAPE, dropout=0.5, causal=True)


@pytest.fixture(scope="module", params=["old", "semi"])
def theirs(request, golden):
    """Name, path and numbers of a checkpoint that PyTorch wrote."""
    with np.load(golden / "lifting_checkpoints.npz") as file:
        numbers = file[request.param]
    path = golden / f"lifting_{request.param}.bin"
    return request.param, path, numbers


def numbers_of(checkpoint):
    """All numbers of weights and moments, one after the other."""
    parts = [checkpoint.model_pos, checkpoint.model_traj or {}]
    parts += checkpoint.optimizer["state"].values()
    return np.concatenate([one.ravel() for part in parts for one in part.values()])


def values_of(model):
    return [weight.numpy() for weight in model.weights]


def test_every_number_of_both_forms_comes_back_bit_for_bit(theirs, golden):
    name, path, numbers = theirs
    found = read_lifting(path)
    np.testing.assert_array_equal(numbers_of(found), numbers)
    with np.load(golden / "lifting_checkpoints.npz") as file:
        np.testing.assert_array_equal(found.random_state.uniform(size=3), file["draws"])
    assert (found.epoch, found.lr) == {
        "old": (3, 1e-3 * 0.95**3),
        "semi": (2, 1e-3 * 0.95**2),
    }[name]
    assert (found.random_state_semi is None) == (found.model_traj is None)
    assert network_arguments(found) == NETWORK


def test_a_model_and_an_optimizer_take_and_give_every_number(theirs, models, tmp_path):
    name, path, numbers = theirs
    models = models[: 1 if name == "old" else 2]
    optimizer = lifting_values.optimizer_of(models)
    found = read_lifting(path)
    for key, model in zip(("model_pos", "model_traj"), models, strict=False):
        checkpoints.load_weights(model, path, key=key)
    load_optimizer_state(optimizer, models, found.optimizer, path)
    assert int(optimizer.iterations) == 3
    ours = LiftingCheckpoint(
        **vars(found)
        | {
            "optimizer": optimizer_state(optimizer, models),
            "model_pos": state_dict(models[0], batches=found_batches(found)),
            "model_traj": state_dict(models[1], 3) if len(models) == 2 else None,
        }
    )
    write_lifting(tmp_path / "ours.bin", ours)
    again = read_lifting(tmp_path / "ours.bin")
    np.testing.assert_array_equal(numbers_of(again), numbers)
    assert list(again.model_pos) == list(found.model_pos)
    groups = found.optimizer["param_groups"]
    assert again.optimizer["param_groups"] == groups
    assert (again.epoch, again.lr) == (found.epoch, found.lr)


def found_batches(checkpoint):
    return int(checkpoint.model_pos["expand_bn.num_batches_tracked"])


def test_the_outputs_are_those_of_pytorch(model, golden):
    checkpoints.load_weights(model, golden / "lifting_semi.bin")
    with np.load(golden / "lifting_checkpoints.npz") as file:
        found = keras.ops.convert_to_numpy(model(file["keypoints"]))
        np.testing.assert_allclose(found, file["poses"], rtol=0, atol=1e-6)


def test_a_network_written_as_a_checkpoint_tells_what_it_is(causal, tmp_path):
    path = tmp_path / "a.bin"
    checkpoints.save_weights(causal, path)
    found = read_lifting(path)
    told = {"dropout": 0.5, "causal": True, "dense": False}
    assert network_arguments(found) == NETWORK | told
    again = lifting.build(**network_arguments(found))
    checkpoints.load_weights(again, path)
    for one, other in zip(values_of(again), values_of(causal), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_causal_checkpoint_is_refused_by_another_network(model, causal, tmp_path):
    path = tmp_path / "a.bin"
    checkpoints.save_weights(causal, path)
    with pytest.raises(ValueError, match=r"a\.bin: is of a network with causal=True"):
        checkpoints.load_weights(model, path)


def test_a_dense_checkpoint_tells_its_filter_widths(tmp_path):
    dense = lifting.build(3, 2, 3, (3, 3, 5), 4, dense=True)
    checkpoints.save_weights(dense, tmp_path / "a.bin")
    found = read_lifting(tmp_path / "a.bin")
    assert found.model_pos["layers_conv.2.weight"].shape == (4, 4, 37)
    assert network_arguments(found)["filter_widths"] == (3, 3, 5)
    assert network_arguments(found.model_pos)["filter_widths"] == (3, 7, 37)


def test_names_of_parallel_training_are_known(model, golden, tmp_path):
    found = read_lifting(golden / "lifting_old.bin")
    found.model_pos = {f"module.{k}": v for k, v in found.model_pos.items()}
    write_lifting(tmp_path / "a.bin", found)
    checkpoints.load_weights(model, tmp_path / "a.bin")
    np.testing.assert_array_equal(
        model.get_layer("shrink").bias.numpy(), found.model_pos["module.shrink.bias"]
    )


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        (
            {"expand_bn.bias": None},
            r"Missing: expand_bn\.bias\. Only in the file: none",
        ),
        ({"other": np.ones(1)}, r"Missing: none\. Only in the file: other"),
        (
            {"other.num_batches_tracked": np.array(1)},
            r"Only in the file: other\.num_batches_tracked",
        ),
        (
            {"layers_conv.2.weight": np.ones((4, 4, 3)), "x": np.ones(1)},
            r"Only in the file: layers_conv\.2\.weight, x",
        ),
        ({"shrink.bias": np.ones(8)}, r"shrink\.bias must be of the shape \(9,\)"),
        ({"shrink.bias": np.ones(9, int)}, r"in floating point.*int64"),
        (
            {"shrink.bias": np.full(9, np.nan)},
            r"shrink\.bias holds values that are not",
        ),
        (
            {"expand_bn.running_var": -np.ones(4)},
            "running_var holds negative variances",
        ),
        ({"expand_conv.weight": np.ones(3)}, r"kernels \(out, in, width\).*\(3,\)"),
        ({"shrink.weight": None}, r"kernels .*shrink\.weight=none"),
        ({"shrink.weight": np.ones((8, 4, 1))}, "6 inputs, 8 outputs"),
        ({3: np.ones(1)}, "must have tensors by name. Received: 3"),
        ({"shrink.bias": "text"}, "tensors by name. Received: 'shrink.bias': str"),
    ],
)
def test_weights_of_another_network_leave_the_model_as_it_was(
    model, golden, tmp_path, tensors, message
):
    found = read_lifting(golden / "lifting_old.bin")
    weights = {**found.model_pos, **tensors}
    found.model_pos = {k: one for k, one in weights.items() if one is not None}
    path = tmp_path / "bad.bin"
    write_lifting(path, found)
    before = values_of(model)
    with pytest.raises(ValueError, match=rf"bad\.bin: .*{message}"):
        checkpoints.load_weights(model, path)
    for one, other in zip(values_of(model), before, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("network", "message"),
    [
        ({"filter_widths": [3, 5]}, "describes another network than its weights"),
        ({"filter_widths": 3}, "describes another network than its weights"),
        ({"causal": 1}, "describes another network"),
        ({"dropout": "much"}, "describes another network"),
        ({"in_features": 0}, "describes another network"),
        ([1], "describes another network"),
        ({"dense": True, "filter_widths": [3, 1]}, "describes another network"),
        ({"filter_widths": np.array([3, 3])}, "describes another network"),
        ({"filter_widths": [np.ones(2)]}, "describes another network"),
        ({"channels": 5}, "describes another network"),
        ({"num_joints_in": 77}, "describes another network"),
        ({"num_joints_out": 17}, "describes another network"),
        ({"in_features": 3}, "describes another network"),
        ({"in_features": 4}, "weights must be for key points of 4 numbers"),
        ({"activation": "elu"}, "describes another network"),
    ],
)
def test_a_wrong_description_of_the_network_is_refused(
    golden, tmp_path, network, message
):
    found = read_lifting(golden / "lifting_old.bin")
    right = {"dropout": 0.25, "causal": False, "dense": False, "filter_widths": [3, 3]}
    if isinstance(network, dict):
        network = NETWORK | right | network
    found.deephar = {"network": network}
    write_lifting(tmp_path / "bad.bin", found)
    with pytest.raises(ValueError, match=rf"bad\.bin: {message}"):
        read_lifting(tmp_path / "bad.bin")


def test_what_is_no_checkpoint_of_lifting_is_refused(model, tmp_path, golden):
    path = tmp_path / "a.bin"
    checkpoints_of_others = ({"epoch": 1}, "the keys epoch"), ([1], "list")
    for values, received in checkpoints_of_others:
        write_pytorch(path, values)
        with pytest.raises(ValueError, match=rf"a\.bin: .* model_pos.*{received}"):
            read_lifting(path)
    with pytest.raises(
        ValueError, match=r"lifting_old\.bin: has no weights model_traj"
    ):
        checkpoints.load_weights(model, golden / "lifting_old.bin", key="model_traj")
    with pytest.raises(ValueError, match="`key` must be one of model_pos, model_traj"):
        checkpoints.load_weights(model, golden / "lifting_old.bin", key="epoch")
    with pytest.raises(ValueError, match="`by_name` is only for files of Keras 2"):
        checkpoints.load_weights(model, golden / "lifting_old.bin", by_name=True)
    with pytest.raises(FileNotFoundError, match=r"no such file: .*none\.bin"):
        checkpoints.load_weights(model, tmp_path / "none.bin")


def test_a_checkpoint_of_lifting_is_refused_by_other_networks(
    tiny_model, model, golden
):
    folded = fold_batch_norm(model)
    for other, name in (tiny_model, "reception"), (folded, "lifting with the layers"):
        with pytest.raises(
            ValueError, match=rf"lifting_old\.bin: is of a network of lifting: .*{name}"
        ):
            checkpoints.load_weights(other, golden / "lifting_old.bin")


def test_a_key_is_only_for_checkpoints(model, tmp_path):
    path = tmp_path / "a.weights.h5"
    checkpoints.save_weights(model, path)
    with pytest.raises(ValueError, match=r"`key` is only for checkpoints.*model_pos"):
        checkpoints.load_weights(model, path, key="model_pos")
    checkpoints.load_weights(model, path)


def test_another_network_has_no_such_checkpoint(tmp_path):
    other = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    with pytest.raises(ValueError, match="must be a network of `models.lifting`"):
        checkpoints.save_weights(other, tmp_path / "a.bin")
    with pytest.raises(ValueError, match="must be a network of `models.lifting`"):
        state_dict(other)
    assert not list(tmp_path.iterdir())


def test_a_wrong_type_and_unknown_keys_are_told(golden, tmp_path, caplog):
    values = vars(read_lifting(golden / "lifting_old.bin"))
    path = tmp_path / "a.bin"
    write_pytorch(path, values | {"best": 1})
    assert read_lifting(path).epoch == 3
    assert "a.bin: passes over best" in caplog.text
    write_pytorch(path, values | {"epoch": "3"})
    with pytest.raises(ValueError, match=r"a\.bin: epoch must be int. Received: str"):
        read_lifting(path)
    for rate in (float("nan"), float("inf"), 0.0, -1e-3):
        write_pytorch(path, values | {"lr": rate})
        with pytest.raises(ValueError, match=r"a\.bin: epoch and lr must be numbers"):
            read_lifting(path)
