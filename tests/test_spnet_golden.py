"""SPNet against the original: values, names, files, losses."""

import functools
import shutil

import h5py
import numpy as np
import pytest
from formula_weights import formula_pictures, set_named_weights
from test_original_layouts import assert_all_used
from tiny_spnet import build
from weight_files import names, set_names

from deephar import checkpoints
from deephar.checkpoints.layout import groups_of
from deephar.config import ModelConfig
from deephar.models import spnet
from deephar.utils import pa16j2d, pa17j3d

CLIP = (4, 256, 256, 3)
# Folder in shared/golden/models -> configuration, and how many of the file's tensors
# are constants of soft-argmaxes.
PUBLISHED_MODELS = {
    "f_penn_replica": (
        ModelConfig(
            *(CLIP, pa16j2d, (15,), 2, (1, 2)),
            pose_replica=True,
            num_pose_features=160,
            num_visual_features=160,
        ),
        48,
    ),
    "f_ntu": (
        ModelConfig(
            *(CLIP, pa17j3d, (60,), 2, (1, 2)),
            num_pose_features=192,
            num_visual_features=192,
        ),
        48,
    ),
    "f_pose1": (ModelConfig(CLIP[1:], pa17j3d, (), 2, ()), 24),
}

# Fields of tiny_spnet.CONFIG that differ, for each case of tests/golden/spnet.npz.
CASES = {
    "sets_late": {
        **{"joints": 6, "num_actions": (3, 4), "num_pyramids": 3},
        **{"action_pyramids": (2,), "pose_replica": True},
    },
    "one_four": {"joints": 7, "num_pyramids": 4, "action_pyramids": (1, 4)},
    "conv16": {
        **{"joints": 5, "dim": 3, "input_shape": (4, 64, 64, 3), "num_levels": 2},
        **{"downsampling_type": "conv", "image_div": 16, "pose_replica": True},
    },
    "frames18": {"joints": 20, "dim": 3, "input_shape": (18, 32, 32, 3)},
    "dbg3d": {
        **{"joints": 5, "dim": 3, "num_actions": (3, 4), "num_pyramids": 3},
        **{"action_pyramids": (1, 3), "pose_replica": True},
        **{"dbg_decoupled_pose": True},
    },
    "long32": {
        **{"joints": 5, "dim": 3, "input_shape": (16, 96, 96, 3), "image_div": 32},
        **{"num_levels": 2, "num_pyramids": 1, "action_pyramids": (1,)},
        **{"sam_alpha": 2, "kernel_size": (3, 5)},
    },
}


def arrays(path):
    with np.load(path) as file:
        return dict(file)


@pytest.fixture(scope="module")
def loaded(shared, tmp_path_factory):
    """A function from a name to the network, with weights read by name."""

    @functools.cache
    def load(name):
        model = spnet.build(PUBLISHED_MODELS[name][0])
        for variable in model.weights:
            variable.assign(np.full(variable.shape, 7.0))
        source = shared / "golden" / "models" / name / "weights.h5"
        path = tmp_path_factory.mktemp(name) / "shuffled.h5"
        shutil.copyfile(source, path)
        with h5py.File(path, "a") as file:
            order = np.random.default_rng(0).permutation(names(file, "layer_names"))
            set_names(file, order.tolist(), "layer_names")
        checkpoints.load_weights(model, path, by_name=True)
        return model, path

    return load


@pytest.mark.parametrize("name", PUBLISHED_MODELS)
def test_published_layouts_are_read_by_name_in_any_order(loaded, name):
    model, path = loaded(name)
    places = {
        f"{layer.name}/{slot.layer.name}/{slot.role}:0": slot.variable
        for layer, slots in groups_of(model, path)
        for slot in slots
        if slot.variable is not None
    }
    assert len(places) == len(model.weights)
    assert assert_all_used(path, places) == PUBLISHED_MODELS[name][1]
    with pytest.raises(ValueError, match="layer 1 is not the model's"):
        checkpoints.load_weights(model, path)


@pytest.mark.parametrize("name", PUBLISHED_MODELS)
def test_published_layouts_give_the_outputs_of_the_original(shared, loaded, name):
    (model, _), folder = loaded(name), shared / "golden" / "models" / name
    expected = arrays(folder / "output.npz")
    found = model(arrays(folder / "input.npz")["in_0"][:1], training=False)
    assert len(found) == len(expected)
    for i, y in enumerate(found):
        np.testing.assert_allclose(y, expected[f"out_{i:02d}"][:1], atol=1e-4)


def test_split_models_have_the_losses_of_the_original(shared, loaded):
    model, _ = loaded("f_penn_replica")
    weights, values = model.get_weights(), arrays(shared / "golden/split_losses.npz")
    cfg = PUBLISHED_MODELS["f_penn_replica"][0]
    models = spnet.compile_split_models(model, cfg, "rmsprop", copy_replica=True)
    for part, key, target in zip(models, ("pose", "action"), ("y", "act"), strict=True):
        part.run_eagerly = True
        losses = part.test_on_batch(values["x"], [values[target]] * 6, return_dict=True)
        found = [losses[n] for n in ("loss", *(f"{o}_loss" for o in part.output_names))]
        np.testing.assert_allclose(found, values[f"{key}_losses"], rtol=1e-4)
    model.set_weights(weights)


@pytest.mark.parametrize("case", CASES)
def test_formula_weights_give_the_outputs_of_the_original(golden, case):
    values, (model, cfg) = arrays(golden / "spnet.npz"), build(growth=16, **CASES[case])
    assert set_named_weights(model) == values[f"{case}_names"].astype(str).tolist()
    found = model(formula_pictures((2, *cfg.input_shape)), training=False)
    assert f"{case}_{len(found)}" not in values
    for i, y in enumerate(found):
        np.testing.assert_allclose(y, values[f"{case}_{i}"], atol=2e-5)
