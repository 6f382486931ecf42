"""Lifting networks with the weights of the original's reference values."""

import math

import numpy as np

from deephar.models import lifting
from deephar.optimizers import adam

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


def optimizer_of(models):
    """A new optimizer of networks."""
    optimizer = adam(1e-3)
    optimizer.build([v for model in models for v in model.trainable_variables])
    return optimizer


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
    """Holds (variable, array) pairs against a file, by the length of the difference."""
    for variable, found in pairs:
        expected = tensor(variable, values, prefix)
        error = np.linalg.norm(found - expected) / np.linalg.norm(expected)
        assert error < rtol, (variable.path, error)


STEP_CASES = {
    "plain": {},
    "bones alone": {"projection": False},
    "projection alone, causal, linear": {
        "bone_length": False,
        "causal": True,
        "linear_projection": True,
    },
    "warm up": {"warm_up": True},
    "chunks": {"frames": 3},
}
"""Trainings whose values PyTorch gave, in tests/golden/lifting_steps.npz."""

STEP_PARENTS = [-1, 0, 1, 2, 0, 4]
STEP_WIDTHS = (3, 3)
STEP_CHANNELS = 4
STEPS = 5


def step_weights(joints, seed):
    """First weights of the trainings, by the original's names."""
    rng = np.random.RandomState(seed)
    channels, weights = STEP_CHANNELS, {}
    shapes = {
        "shrink": (3 * joints, channels, 1),
        "expand_conv": (channels, 2 * len(STEP_PARENTS), 3),
        "layers_conv.0": (channels, channels, 3),
        "layers_conv.1": (channels, channels, 1),
    }
    for name, shape in shapes.items():
        bound = (shape[1] * shape[2]) ** -0.5
        weights[f"{name}.weight"] = rng.uniform(-bound, bound, shape)
    for name in ("expand_bn", "layers_bn.0", "layers_bn.1"):
        weights[f"{name}.weight"] = rng.uniform(0.5, 1.5, channels)
        weights[f"{name}.bias"] = rng.uniform(-0.5, 0.5, channels)
        weights[f"{name}.running_mean"] = np.zeros(channels)
        weights[f"{name}.running_var"] = np.ones(channels)
    # A root before the camera, so that projections are well-conditioned.
    weights["shrink.bias"] = np.tile([0.1, 0.2, 4.0 if joints == 1 else 0.3], joints)
    return {name: value.astype("float32") for name, value in weights.items()}


def step_batches(frames=1):
    """Yields labelled key points and poses, unlabelled key points, and cameras."""
    rng = np.random.RandomState(7)
    joints, seen = len(STEP_PARENTS), frames + 8
    for _ in range(STEPS):
        poses = rng.normal(0, 0.3, (5, frames, joints, 3))
        poses[:, :, 0] += [0, 0, 4]
        cameras = rng.normal(0, 0.02, (7, 9)) + [2.2, 2.3, 0, 0, -0.2, 0.2, 0, 0, 0]
        batch = (
            rng.uniform(-1, 1, (5, seen, joints, 2)),
            poses,
            rng.uniform(-1, 1, (7, seen, joints, 2)),
            cameras,
        )
        yield tuple(array.astype("float32") for array in batch)


def step_results(values, joints):
    """The original's tensors {name: array} from those of a network in one array."""
    shapes = {name: value.shape for name, value in step_weights(joints, 0).items()}
    sizes = [math.prod(shapes[name]) for name in sorted(shapes)]
    parts = np.split(values, np.cumsum(sizes)[:-1])
    named = zip(sorted(shapes), parts, strict=True)
    return {name: part.reshape(shapes[name]) for name, part in named}
