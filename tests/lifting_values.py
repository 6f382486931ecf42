"""Lifting networks with the weights of the original's reference values."""

import numpy as np

from deephar.models import lifting

_TENSORS = {
    "kernel": "weight",
    "gamma": "weight",
    "beta": "bias",
    "bias": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}


def arguments(values):
    """Arguments of `lifting.build` for a file of values, without dropout."""
    return {
        "num_joints_in": int(values["jin"]),
        "in_features": int(values["fin"]),
        "num_joints_out": int(values["jout"]),
        "filter_widths": tuple(int(width) for width in values["arc"]),
        "channels": int(values["channels"]),
        "dropout": 0.0,
        "causal": bool(values["causal"]),
        "dense": bool(values["dense"]),
    }


def build(values):
    model = lifting.build(**arguments(values))
    set_weights(model, values, "sd/")
    return model


def tensor_name(variable):
    """The original's name of a variable of ours."""
    layer, kind = variable.path.split("/")[-2:]
    layer = layer.replace("_conv_", "_conv.").replace("_bn_", "_bn.")
    return f"{layer}.{_TENSORS[kind]}"


def tensor(variable, values, prefix):
    """A variable's value in a file, in our order of axes."""
    value = values[prefix + tensor_name(variable)]
    return np.transpose(value, range(value.ndim)[::-1])


def set_weights(model, values, prefix):
    for variable in model.weights:
        if variable.name != "momentum" and "seed" not in variable.path:
            variable.assign(tensor(variable, values, prefix))


def statistics(model):
    return [v for v in model.non_trainable_variables if v.name.startswith("moving")]


def assert_close(pairs, values, prefix, rtol):
    """Holds (variable, array) pairs against a file, by the largest of each."""
    for variable, found in pairs:
        expected = tensor(variable, values, prefix)
        error = np.abs(np.asarray(found) - expected).max() / np.abs(expected).max()
        assert error < rtol, (variable.path, error)
