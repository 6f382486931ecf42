"""Adam's state between our optimizers and PyTorch's checkpoints."""

import os
import reprlib
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from deephar.checkpoints.lifting_weights import from_pytorch, parameters, to_pytorch

_MOMENTS = {
    "exp_avg": "_momentums",
    "exp_avg_sq": "_velocities",
    "max_exp_avg_sq": "_velocity_hats",
}
"""PyTorch's names of the moments, and Keras'."""

_MOST_STEPS = 2**31


def optimizer_state(
    optimizer: keras.optimizers.Adam, models: Sequence[keras.Model]
) -> dict[str, Any]:
    """The state of an optimizer as PyTorch's `state_dict` gives it.

    Args:
        optimizer: Of `optimizers.adam`, built.
        models: The networks that it trains, the pose network first.

    Raises:
        ValueError: if the optimizer does not train just these.
    """
    variables = _trained(optimizer, models)
    steps = int(optimizer.iterations)
    state = {}
    if steps:
        for number, variable in enumerate(variables):
            moments = _moments(optimizer, variable)
            state[number] = {"step": np.array(steps, np.float32)} | {
                name: to_pytorch(moment) for name, moment in moments.items()
            }
    group = {
        "lr": _shortest(optimizer.learning_rate),
        "betas": (float(optimizer.beta_1), float(optimizer.beta_2)),
        "eps": float(optimizer.epsilon),
        "weight_decay": 0,
        "amsgrad": bool(optimizer.amsgrad),
        "maximize": False,
        "foreach": None,
        "capturable": False,
        "differentiable": False,
        "fused": None,
        "decoupled_weight_decay": False,
        "params": list(range(len(variables))),
    }
    return {"state": state, "param_groups": [group]}


def load_optimizer_state(
    optimizer: keras.optimizers.Adam,
    models: Sequence[keras.Model],
    state: Mapping,
    path: str | os.PathLike,
) -> None:
    """Sets the moments and steps of an optimizer, all or none.

    Its learning rate is left alone: a checkpoint tells that of the next epoch beside.

    Args:
        optimizer: Of `optimizers.adam`, built.
        models: The networks that it trains, the pose network first.
        state: What a checkpoint has as its `optimizer`.
        path: Its file, for messages.

    Raises:
        ValueError: naming the file, if the state is damaged, of other networks or of
            another rule; the optimizer is unchanged.
    """
    variables = _trained(optimizer, models)
    numbers = _parameter_numbers(optimizer, state, path)
    if len(numbers) != len(variables):
        raise ValueError(
            f"{path}: the optimizer must be of {len(variables)} parameters. "
            f"Received: {len(numbers)}; is it of a training with as many networks?"
        )
    found = state.get("state")
    if not isinstance(found, Mapping) or set(found) not in (set(), set(numbers)):
        raise ValueError(f"{path}: the optimizer must know all its parameters, or none")
    values, steps = [], set()
    for number, variable in zip(numbers, variables, strict=True):
        where = f"{path}: the optimizer's parameter {number}"
        moments = _moments(optimizer, variable)
        step, found_values = _values_of(found.get(number), moments, where)
        steps.add(step)
        values += found_values
    if len(steps) != 1:
        raise ValueError(
            f"{path}: all parameters must have taken as many steps. "
            f"Received: {sorted(steps)[:5]}"
        )
    for moment, value in values:
        moment.assign(value)
    optimizer.iterations.assign(steps.pop())


def _shortest(number) -> float:
    """The shortest decimal number that is the same in float32, as 0.001 is."""
    return float(str(np.float32(keras.ops.convert_to_numpy(number))))


def _trained(optimizer, models) -> list[keras.Variable]:
    """The variables of models in PyTorch's order, which the optimizer must train."""
    variables = parameters(models)
    known = {id(one) for one in getattr(optimizer, "_trainable_variables", ())}
    if known != {id(variable) for variable in variables}:
        raise ValueError(
            "`optimizer` must be built for the variables of `models`. "
            f"Received: an optimizer of {len(known)}, models of {len(variables)}"
        )
    return variables


def _moments(optimizer, variable) -> dict[str, keras.Variable]:
    number = optimizer._get_variable_index(variable)
    names = dict(_MOMENTS)
    if not optimizer.amsgrad:
        del names["max_exp_avg_sq"]
    return {name: getattr(optimizer, ours)[number] for name, ours in names.items()}


def _parameter_numbers(optimizer, state: Mapping, path) -> list[int]:
    """The numbers of the parameters, in their order, of groups of the same rule."""
    groups = state.get("param_groups")
    right = isinstance(groups, list) and all(isinstance(one, Mapping) for one in groups)
    if not right or not groups:
        raise ValueError(f"{path}: the optimizer must have param_groups")
    ours = {
        "betas": (float(optimizer.beta_1), float(optimizer.beta_2)),
        "eps": float(optimizer.epsilon),
        "weight_decay": 0,
        "amsgrad": bool(optimizer.amsgrad),
    }
    numbers = []
    for group in groups:
        for name, value in ours.items():
            given = group.get(name)
            given = tuple(given) if isinstance(given, list) else given
            if not _is_plain(given) or given != value:
                raise ValueError(
                    f"{path}: the optimizer must be Adam with {name} {value}. "
                    f"Received: {reprlib.repr(given)}"
                )
        given = group.get("params")
        if not isinstance(given, list) or any(type(one) is not int for one in given):
            raise ValueError(f"{path}: the optimizer's params must be numbers")
        numbers += given
    if len(set(numbers)) != len(numbers):
        raise ValueError(f"{path}: the optimizer has a parameter twice")
    return numbers


def _is_plain(value: Any) -> bool:
    parts = value if type(value) is tuple else (value,)
    return all(type(part) in (bool, int, float) for part in parts)


def _values_of(entry: Any, moments: dict, where: str) -> tuple[int, list[tuple]]:
    """The steps that a parameter has taken, and its moments with their values."""
    if entry is None:
        return 0, [(m, np.zeros(tuple(m.shape), np.float32)) for m in moments.values()]
    step, values = _step(entry, where), []
    for name, moment in moments.items():
        if not isinstance(entry.get(name), np.ndarray):
            raise ValueError(f"{where} lacks {name}")
        value = from_pytorch(entry[name], moment, f"{where}: {name}")
        if name != "exp_avg" and value.min() < 0:
            raise ValueError(f"{where}: {name} holds negative squares")
        values.append((moment, value))
    return step, values


def _step(entry: Any, where: str) -> int:
    """The steps that a parameter has taken; PyTorch before 1.12 has an integer."""
    step = entry.get("step") if isinstance(entry, Mapping) else None
    if isinstance(step, np.ndarray) and step.size == 1:
        step = step.item()
    right = type(step) in (int, float) and 0 <= step < _MOST_STEPS
    if not right or step != int(step):
        raise ValueError(
            f"{where} must have a step, a whole number below 2**31. "
            f"Received: {reprlib.repr(step)}"
        )
    return int(step)
