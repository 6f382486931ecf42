"""Checkpoints of the original fill our models and optimizers, and ours are alike."""

import importlib.util

import keras
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
from deephar.checkpoints.lifting_weights import parameters
from deephar.checkpoints.pytorch import write_pytorch
from deephar.models import lifting
from deephar.optimizers import adam

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


def trained(models):
    optimizer = adam(1e-3)
    optimizer.build([v for model in models for v in model.trainable_variables])
    return optimizer


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
    optimizer = trained(models)
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


def test_a_network_written_as_a_checkpoint_tells_what_it_is(tmp_path, golden):
    causal = lifting.build(*SHAPE, dropout=0.5, causal=True)
    path = tmp_path / "a.bin"
    checkpoints.save_weights(causal, path)
    found = read_lifting(path)
    told = {"dropout": 0.5, "causal": True, "dense": False}
    assert network_arguments(found) == NETWORK | told
    again = lifting.build(**network_arguments(found))
    checkpoints.load_weights(again, path)
    for one, other in zip(values_of(again), values_of(causal), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_causal_checkpoint_is_refused_by_another_network(model, tmp_path):
    path = tmp_path / "a.bin"
    checkpoints.save_weights(lifting.build(*SHAPE, causal=True), path)
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
        ({"dense": True, "filter_widths": [3, 3]}, "describes another network"),
    ],
)
def test_a_wrong_description_of_the_network_is_refused(
    golden, tmp_path, network, message
):
    found = read_lifting(golden / "lifting_old.bin")
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
    write_pytorch(path, values | {"lr": float("nan")})
    with pytest.raises(ValueError, match=r"a\.bin: epoch and lr must be numbers"):
        read_lifting(path)


def first_entry(change):
    def changed(state):
        state["state"][0] = {**state["state"][0], **change}

    return changed


def group(**change):
    return lambda state: state["param_groups"][0].update(change)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (first_entry({"step": np.array(2.0)}), r"as many steps. Received: \[2, 3\]"),
        (first_entry({"step": 2.5}), "parameter 0 must have a step, a whole number"),
        (first_entry({"exp_avg": None}), "parameter 0 lacks exp_avg"),
        (first_entry({"exp_avg": np.ones(3)}), r"exp_avg must be of the shape \(4,\)"),
        (first_entry({"exp_avg_sq": -np.ones(4)}), "exp_avg_sq holds negative squares"),
        (first_entry({"exp_avg": np.full(4, np.inf)}), "exp_avg holds values that are"),
        (group(params=[0, 1]), "must be of 11 parameters. Received: 2"),
        (group(params=[0, 0]), "has a parameter twice"),
        (group(params="all"), "params must be numbers"),
        (group(amsgrad=False), "must be Adam with amsgrad True. Received: False"),
        (group(betas=(0.5, 0.9)), r"with betas \(0.9, 0.999\)"),
        (lambda state: state["state"].pop(1), "must know all its parameters, or none"),
        (lambda state: state.pop("param_groups"), "must have param_groups"),
        (lambda state: state.update(param_groups=[]), "must have param_groups"),
    ],
)
def test_a_bad_state_leaves_the_optimizer_as_it_was(model, golden, spoil, message):
    state = dict(read_lifting(golden / "lifting_old.bin").optimizer)
    spoil(state)
    optimizer = trained([model])
    with pytest.raises(ValueError, match=rf"file\.bin: .*{message}"):
        load_optimizer_state(optimizer, [model], state, "file.bin")
    assert int(optimizer.iterations) == 0
    assert not any(moment.numpy().any() for moment in optimizer._momentums)


def test_an_optimizer_of_pytorch_that_took_no_step_is_new(model, golden):
    optimizer = trained([model])
    state = read_lifting(golden / "lifting_old.bin").optimizer
    load_optimizer_state(optimizer, [model], state, "file.bin")
    load_optimizer_state(optimizer, [model], {**state, "state": {}}, "file.bin")
    assert int(optimizer.iterations) == 0
    assert not optimizer._momentums[0].numpy().any()
    assert optimizer_state(optimizer, [model])["state"] == {}


def test_numbers_of_parameters_may_be_any_as_pytorch_before_1_4_had(model, golden):
    state = read_lifting(golden / "lifting_old.bin").optimizer
    names = {number: 10**14 + 17 * number for number in state["state"]}
    old = {
        "state": {
            names[number]: {**entry, "step": 3}
            for number, entry in reversed(state["state"].items())
        },
        "param_groups": [{**state["param_groups"][0], "params": list(names.values())}],
    }
    optimizer = trained([model])
    load_optimizer_state(optimizer, [model], old, "file.bin")
    found = optimizer_state(optimizer, [model])["state"]
    for number, entry in state["state"].items():
        for name, value in entry.items():
            np.testing.assert_array_equal(found[number][name], value)


def test_an_optimizer_of_other_networks_is_refused(models):
    with pytest.raises(ValueError, match="an optimizer of 11, models of 22"):
        optimizer_state(trained(models[:1]), list(models))


needs_torch = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None, reason="PyTorch is not installed"
)


@needs_torch
def test_adam_of_pytorch_goes_on_from_ours(models, tmp_path):
    import torch

    optimizer = trained(models)
    optimizer.apply([np.ones(v.shape) for v in optimizer._trainable_variables])
    checkpoint = LiftingCheckpoint(
        model_pos=state_dict(models[0]), optimizer=optimizer_state(optimizer, models)
    )
    write_lifting(tmp_path / "a.bin", checkpoint)
    found = torch.load(tmp_path / "a.bin", weights_only=True)
    tensors = [
        torch.nn.Parameter(torch.zeros(tuple(variable.shape)[::-1]))
        for variable in parameters(models)
    ]
    theirs = torch.optim.Adam(tensors, lr=0.5, amsgrad=True)
    theirs.load_state_dict(found["optimizer"])
    assert theirs.param_groups[0]["lr"] == 1e-3
    for tensor in tensors:
        tensor.grad = torch.ones_like(tensor)
    theirs.step()
    assert theirs.state[tensors[0]]["step"] == 2
    np.testing.assert_allclose(tensors[0].detach().numpy(), -1e-3, rtol=1e-5)
