"""Small weight files for tests, and what one does to them."""

import numpy as np

from deephar.checkpoints import save_weights
from deephar.models import reception
from deephar.networks import MODEL_FILE, build_network, default_settings
from deephar.utils.fs import write_json

ARGUMENTS = {"num_blocks": 2, "num_context_per_joint": 1}


def build(dim=2, **kwargs):
    arguments = {**({} if dim == 3 else ARGUMENTS), "depth_maps": 4, **kwargs}
    return reception.build((32, 32, 3), 2, dim, **arguments)


def constant(model, value=7.0):
    for variable in model.weights:
        variable.assign(np.full(variable.shape, value))
    return model


def assert_untouched(model, value=7.0):
    assert all(np.all(v.numpy() == value) for v in model.weights)


def assert_equal(model, other):
    for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def names(group, attribute="weight_names"):
    return [name.decode() for name in group.attrs[attribute]]


def set_names(group, values, attribute="weight_names"):
    del group.attrs[attribute]
    group.attrs[attribute] = np.array([v.encode() for v in values])


def replace(group, name, value):
    del group[name]
    group.create_dataset(name, data=value)


def rename(group, old, new):
    group.move(old, new)
    set_names(group, [new if name == old else name for name in names(group)])


def write_tiny_network(folder, network, **shape):
    """Writes w.weights.h5 of an untrained network, and its model.json; the path."""
    settings = default_settings(network) | shape
    save_weights(build_network(network, settings), folder / "w.weights.h5")
    write_json(folder / MODEL_FILE, settings)
    return folder / "w.weights.h5"
