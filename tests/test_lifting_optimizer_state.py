"""Adam's moments come from checkpoints of the original, whole or not at all."""

import importlib.util

import lifting_values
import numpy as np
import pytest

from deephar.checkpoints.lifting import (
    LiftingCheckpoint,
    load_optimizer_state,
    optimizer_state,
    read_lifting,
    state_dict,
    write_lifting,
)
from deephar.checkpoints.lifting_weights import parameters
from deephar.models import lifting


@pytest.fixture(scope="module")
def models():
    """A pose network and one of the trajectory."""
    return lifting.build(3, 2, 3, (3, 3), 4), lifting.build(3, 2, 1, (3, 3), 4)


@pytest.fixture(scope="module")
def model(models):
    return models[0]


def first_entry(change):
    def changed(state):
        state["state"][0] = {**state["state"][0], **change}

    return changed


def every_step(step):
    def changed(state):
        entries = state["state"].items()
        state["state"] = {number: {**one, "step": step} for number, one in entries}

    return changed


@pytest.fixture(scope="module")
def untouched(model):
    """A new optimizer, which what is refused must not change."""
    return lifting_values.optimizer_of([model])


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
        (every_step(2.0**31), r"a whole number below 2\*\*31. Received: 2147483648.0"),
        (every_step(1e300), r"a whole number below 2\*\*31"),
        (every_step(float("nan")), r"a whole number below 2\*\*31"),
        (group(betas=np.array([0.9, 0.999])), r"with betas \(0.9, 0.999\)"),
        (group(betas=(np.ones(2), 0.999)), r"with betas \(0.9, 0.999\)"),
        (group(eps=np.ones(2)), "with eps 1e-08"),
        (group(amsgrad=np.array([True, False])), "with amsgrad True"),
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
def test_a_bad_state_leaves_the_optimizer_as_it_was(
    model, untouched, golden, spoil, message
):
    state = dict(read_lifting(golden / "lifting_old.bin").optimizer)
    spoil(state)
    with pytest.raises(ValueError, match=rf"file\.bin: .*{message}"):
        load_optimizer_state(untouched, [model], state, "file.bin")
    assert int(untouched.iterations) == 0
    assert not any(moment.numpy().any() for moment in untouched._momentums)


def test_an_optimizer_of_pytorch_that_took_no_step_is_new(model, golden):
    optimizer = lifting_values.optimizer_of([model])
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
    optimizer = lifting_values.optimizer_of([model])
    load_optimizer_state(optimizer, [model], old, "file.bin")
    found = optimizer_state(optimizer, [model])["state"]
    for number, entry in state["state"].items():
        for name, value in entry.items():
            np.testing.assert_array_equal(found[number][name], value)


def test_an_optimizer_of_other_networks_is_refused(models):
    with pytest.raises(ValueError, match="an optimizer of 11, models of 22"):
        optimizer_state(lifting_values.optimizer_of(models[:1]), list(models))


needs_torch = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None, reason="PyTorch is not installed"
)


@needs_torch
def test_adam_of_pytorch_goes_on_from_ours(models, tmp_path):
    import torch

    optimizer = lifting_values.optimizer_of(models)
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
