"""The lifting networks: values of the original, and its other forms."""

import lifting_values
import numpy as np
import pytest
import tensorflow as tf

from deephar import losses
from deephar.models import lifting

NAMES = [
    "model_333_c64",
    "model_333_c64_causal",
    "model_333_c64_dense",
    "model_333_c64_traj",
    "model_333_c64_traj_causal",
    "model_33333_c16",
]


@pytest.fixture(scope="module", params=NAMES)
def original(request, shared):
    """Values of a network of the original, and ours with its weights."""
    with np.load(shared / "golden" / "lifting" / f"{request.param}.npz") as file:
        values = dict(file)
    return values, lifting_values.build(values)


def test_outputs_are_the_originals(original):
    values, model = original
    for x, y in (("x", "y_eval"), ("x1", "y1_eval")):
        np.testing.assert_allclose(model(values[x]), values[y], atol=1e-5)


@pytest.mark.parametrize("form", ["full", "opt"])
def test_training_gives_the_originals_gradients_and_statistics(original, form):
    values, model = original
    if f"{form}_train_loss" not in values:
        pytest.skip("the original trains dense networks whole")
    model = lifting_values.build(values)
    trained = model
    if form == "opt":
        trained = lifting.build_strided(
            **{k: v for k, v in lifting.settings(model).items() if k != "dense"},
            model=model,
        )
        np.testing.assert_allclose(
            trained(values["x1"]), values["y1_opt_eval"], atol=1e-5
        )
    with tf.GradientTape() as tape:
        y = trained(values["x1"], training=True)
        loss = losses.mpjpe(values["t1"], y)
    np.testing.assert_allclose(y, values[f"{form}_train_y1"], atol=1e-5)
    np.testing.assert_allclose(loss, values[f"{form}_train_loss"], rtol=1e-5)
    gradients = tape.gradient(loss, trained.trainable_variables)
    pairs = zip(trained.trainable_variables, gradients, strict=True)
    lifting_values.assert_close(pairs, values, f"{form}_grad/", 1e-4)
    moved = [(v, v) for v in lifting_values.statistics(trained)]
    lifting_values.assert_close(moved, values, f"{form}_after/", 1e-5)
