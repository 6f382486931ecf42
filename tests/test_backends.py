"""The networks on JAX and PyTorch: the same outputs, and a training step."""

import importlib.util
import os
import pathlib
import subprocess
import sys

import keras
import lifting_values
import numpy as np
import pytest
import tiny_spnet
from formula_weights import (
    formula_pictures,
    set_formula_weights,
    set_named_weights,
)
from tiny_merged import build_merged, formula_clips

from deephar import losses, optimizers
from deephar.inference import Lifter, StreamingLifter
from deephar.models import action_pose, lifting, reception

HERE = pathlib.Path(__file__).parent
MODELS = {
    "2d": {"dim": 2, "num_blocks": 1},
    "3d": {"dim": 3, "num_blocks": 1, "depth_maps": 4},
}
SPNET = {
    **{"num_levels": 2, "num_pyramids": 1, "action_pyramids": (1,), "dim": 3},
    **{"downsampling_type": "conv", "input_shape": (3, 32, 32, 3)},
}

SCRIPT = """
import sys
import keras
import numpy as np
from formula_weights import formula_pictures, set_formula_weights
from test_backends import MODELS, build, lifting_results
from deephar.inference import fold_batch_norm
from deephar.losses import pose_regression_loss

jit = keras.backend.backend() == "jax"
results = {}
x = formula_pictures((2, 32, 32, 3))
loss = pose_regression_loss("l1l2bincross", 0.01)
for name in MODELS:
    model = build(name)
    model.compile("rmsprop", loss, jit_compile=jit)
    results[name] = model.predict_on_batch(x)
    folded = fold_batch_norm(model)
    folded.compile(jit_compile=jit)
    results[f"{name}_folded"] = folded.predict_on_batch(x)
    target = np.full(results[name].shape, 0.5, "float32")
    before = model.get_layer("Stem").get_weights()[0]
    results[f"{name}_loss"] = model.train_on_batch(x, target)
    results[f"{name}_step"] = model.get_layer("Stem").get_weights()[0] - before
results |= lifting_results()
results["backend"] = keras.backend.backend()
np.savez(sys.argv[1], **results)
"""


CLIP_SCRIPT = """
import sys
import keras
import numpy as np
import tiny_spnet
from formula_weights import set_named_weights
from test_backends import SPNET, head_and_inputs
from tiny_merged import ACTIONS, build_merged, formula_clips
from deephar.inference import ClipPredictor
from deephar.models import action, spnet

x = formula_clips(2)
model = build_merged(3, num_blocks=1, apart=True)
predictor = ClipPredictor(model, fold=True)
results = {"actions": predictor.predict_clips(x)}
head, found = head_and_inputs()
head.compile(jit_compile=keras.backend.backend() == "jax")
results["head"] = head.predict_on_batch(found)
net = action.build_pose_model(4, ACTIONS, 8)
action.compile(net, lr=0.01)
before = [v.numpy() for v in net.trainable_variables]
x = [np.ones((2, *x.shape[1:]), "float32") for x in net.inputs]
y = [np.eye(ACTIONS, dtype="float32")[[0, 1]]] * 4
results["loss"] = net.train_on_batch(x, y)[0]
pairs = zip(net.trainable_variables, before)
results["steps"] = [np.abs(v.numpy() - old).max() for v, old in pairs]
network, cfg = tiny_spnet.build(**SPNET)
set_named_weights(network)
clips = formula_clips(2, cfg.input_shape)
parts = spnet.compile_split_models(network, cfg, "sgd", pose_trainable=True)
network.compile(jit_compile=keras.backend.backend() == "jax")
found = network.predict_on_batch(clips)
results |= {f"spnet_{i}": y for i, y in enumerate(found)}
results["spnet_loss"] = parts[0].train_on_batch(clips, found[:1])
results["backend"] = keras.backend.backend()
np.savez(sys.argv[1], **results)
"""


def lifting_network():
    """A small lifting network with weights, and its strided form."""
    joints = len(lifting_values.STEP_PARENTS)
    shape = (joints, 2, joints, lifting_values.STEP_WIDTHS)
    model = lifting.build(*shape, lifting_values.STEP_CHANNELS, dropout=0)
    lifting_values.set_weights(model, lifting_values.step_weights(joints, 1), "")
    options = {"channels": lifting_values.STEP_CHANNELS, "dropout": 0}
    return model, lifting.build_strided(*shape, **options, model=model)


def lifting_results():
    """What the small network gives, before and after steps on one batch."""
    x, y, *_ = next(lifting_values.step_batches())
    model, strided = lifting_network()
    jit = keras.backend.backend() == "jax"
    model.compile(jit_compile=jit)
    whole = model.predict_on_batch(np.concatenate([x, x], axis=1))
    lifted = Lifter(model, flip=False).lift(x[0])
    stream = StreamingLifter(model)
    streamed = [stream.step(frame[None])[0] for frame in x[0]][stream.delay :]
    strided.compile(optimizers.adam(1e-2), losses.mpjpe, jit_compile=jit)
    found = [strided.train_on_batch(x, y) for _ in range(3)]
    after = strided.predict_on_batch(x)
    kernel = model.get_layer("expand_conv").kernel
    names = ("whole", "lifted", "streamed", "losses", "after", "kernel")
    values = (whole, lifted, streamed, found, after, kernel)
    results = zip(names, values, strict=True)
    return {f"lifting_{k}": keras.ops.convert_to_numpy(v) for k, v in results}


def build(name):
    model = reception.build((32, 32, 3), 3, **MODELS[name])
    set_formula_weights(model)
    return model


def head_and_inputs():
    """A head on poses that were found elsewhere, and such things."""
    head = action_pose.build_merge_model(3, (32, 32, 3), 4, 4)
    set_formula_weights(head)
    rng = np.random.RandomState(5)
    return head, [rng.uniform(0, 1, (2, *x.shape[1:])) for x in head.inputs]


def run_on(backend, script, folder):
    """The arrays that a script saves when it runs on a backend."""
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    paths = [str(HERE.parent), str(HERE), os.environ.get("PYTHONPATH", "")]
    environment = {
        **os.environ,
        "KERAS_BACKEND": backend,
        "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",
        "PYTHONPATH": os.pathsep.join(paths),
    }
    result = subprocess.run(
        [sys.executable, "-c", script, str(folder / "results.npz")],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr[-3000:]
    with np.load(folder / "results.npz") as file:
        results = dict(file)
    assert results["backend"] == backend
    return results


@pytest.fixture(scope="module", params=["jax", "torch"])
def found(request, tmp_path_factory):
    """What `SCRIPT` gives on a backend."""
    return run_on(request.param, SCRIPT, tmp_path_factory.mktemp(request.param))


def test_outputs_are_those_of_tensorflow_and_a_step_trains(found):
    x = formula_pictures((2, 32, 32, 3))
    for name in MODELS:
        y = build(name)(x, training=False)
        np.testing.assert_allclose(found[name], y, atol=1e-4)
        np.testing.assert_allclose(found[f"{name}_folded"], found[name], atol=1e-5)
        assert np.isfinite(found[f"{name}_loss"]).all()
        assert np.abs(found[f"{name}_step"]).max() > 1e-5


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_actions_are_those_of_tensorflow_and_a_step_trains(backend, tmp_path):
    results = run_on(backend, CLIP_SCRIPT, tmp_path)
    model = build_merged(3, num_blocks=1, apart=True)
    expected = model(formula_clips(2), training=False)
    np.testing.assert_allclose(results["actions"], expected, atol=1e-4)
    head, found = head_and_inputs()
    np.testing.assert_allclose(results["head"], head(found), atol=1e-4)
    assert np.isfinite(results["loss"])
    assert len(results["steps"]) > 40 and results["steps"].max() > 1e-5
    network, cfg = tiny_spnet.build(**SPNET)
    set_named_weights(network)
    expected = network(formula_clips(2, cfg.input_shape), training=False)
    for i, y in enumerate(expected):
        np.testing.assert_allclose(results[f"spnet_{i}"], y, atol=1e-4)
    assert np.isfinite(results["spnet_loss"]).all()


@pytest.fixture(scope="module")
def lifted():
    return lifting_results()


def test_lifting_is_that_of_tensorflow_and_trains_alike(found, lifted):
    tolerances = {
        **{"whole": 1e-5, "lifted": 1e-5, "streamed": 1e-5},
        **{"losses": 1e-4, "after": 1e-3, "kernel": 1e-4},
    }
    for name, tolerance in tolerances.items():
        expected = lifted[f"lifting_{name}"]
        np.testing.assert_allclose(found[f"lifting_{name}"], expected, atol=tolerance)
    assert lifted["lifting_losses"][0] > lifted["lifting_losses"][2] > 0
