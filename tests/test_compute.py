import argparse
import logging

import keras
import numpy as np
import pytest

from deephar import experiment, frameworks
from deephar.checkpoints import load_weights
from deephar.experiment import compute
from deephar.experiment.compute import Compute, choose
from deephar.frameworks import Processor
from deephar.inference import PosePredictor
from deephar.models import reception
from deephar.utils import pa16j2d
from deephar.utils.machine import PRECISIONS

PLAIN = Processor("old", False, "float32")
MODERN = Processor("new", False, "bfloat16")
ZEN5 = "processor : 0\nmodel name : A\nflags : avx avx512_bf16\n\nmodel name : B\n"


def _arguments(*flags):
    parser = argparse.ArgumentParser()
    compute.add_compute_arguments(parser)
    return parser.parse_args(list(flags))


@pytest.fixture
def policy():
    """Puts the dtype policy back."""
    yield keras.mixed_precision.dtype_policy
    keras.mixed_precision.set_dtype_policy("float32")


@pytest.fixture
def modern(monkeypatch):
    monkeypatch.setattr(compute, "processor", lambda: MODERN)


@pytest.mark.parametrize("machine", [PLAIN, MODERN, frameworks.gpu("H100", (9, 0))])
def test_the_default_is_float32_without_xla_everywhere(machine):
    args = _arguments()
    expected = Compute("float32", jit=False)
    assert choose(args.compute, args.mixed_precision, machine) == expected


@pytest.mark.parametrize(
    ("capability", "precision"),
    [((6, 1), "float32"), ((7, 5), "float16"), ((8, 0), "bfloat16")],
)
def test_fast_on_a_gpu_is_xla_and_what_its_cores_are_made_for(capability, precision):
    machine = frameworks.gpu("a GPU", capability)
    assert choose("fast", None, machine) == Compute(precision, jit=True, fold=True)


def test_fast_on_a_cpu_never_compiles_by_xla():
    assert choose("fast", None, PLAIN) == Compute("float32", jit=False, fold=True)
    assert choose("fast", None, MODERN) == Compute("bfloat16", jit=False, fold=True)


def test_a_precision_that_is_given_wins():
    assert choose("fast", "float32", MODERN).precision == "float32"
    assert choose("safe", "float16", PLAIN).precision == "float16"


def test_a_cpu_is_known_by_its_flags(tmp_path):
    path = tmp_path / "cpuinfo"
    path.write_text(ZEN5)
    assert frameworks.cpu(path, {}) == Processor("A", False, "bfloat16")
    off = {"TF_ENABLE_ONEDNN_OPTS": "0"}
    assert frameworks.cpu(path, off).precision == "float32"
    path.write_text(ZEN5.replace("avx512_bf16", "avx512f"))
    assert frameworks.cpu(path, {}).precision == "float32"
    nowhere = Processor("CPU", False, "float32")
    assert frameworks.cpu(tmp_path / "none", {}) == nowhere


def test_this_machine_is_described():
    machine = frameworks.processor()
    assert machine.name and machine.precision in PRECISIONS


@pytest.mark.parametrize("bits", ["bfloat16", "float16"])
def test_mixed_precision_is_the_policy_of_the_run(policy, bits):
    chosen = experiment.configure_compute(_arguments("--mixed-precision", bits))
    assert policy().name == f"mixed_{bits}"
    assert chosen == Compute(bits, jit=False)


def test_the_log_says_what_fast_chose(policy, modern, caplog):
    caplog.set_level(logging.INFO)
    experiment.configure_compute(_arguments("--compute", "fast"))
    assert policy().name == "mixed_bfloat16"
    assert "compute fast on new: mixed_bfloat16, without XLA" in caplog.text


def test_a_run_after_another_starts_from_float32(policy, modern):
    experiment.configure_compute(_arguments("--compute", "fast"))
    experiment.configure_compute(_arguments())
    assert policy().name == "float32"


def test_fast_is_for_tensorflow(policy, monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
    with pytest.raises(ValueError, match=r"needs TensorFlow. Received: backend='torch"):
        experiment.configure_compute(_arguments("--compute", "fast"))


def _one_weight_step(optimizer, x, y):
    """Weight of a 1 x 1 layer, from 0, after one step on one sample."""
    layer = keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")
    model = keras.Sequential([keras.Input((1,)), layer])
    model.compile(optimizer, "mse", jit_compile=False)
    model.train_on_batch(np.full((1, 1), x), np.full((1, 1), y))
    return float(model.get_weights()[0][0, 0]), model.optimizer


def test_a_float16_step_scales_the_loss(policy):
    experiment.configure_compute(_arguments("--mixed-precision", "float16"))
    # The gradient, -2e-8, is less than the smallest float16 above zero, 6e-8.
    weight, optimizer = _one_weight_step(keras.optimizers.SGD(0.5), x=1e-4, y=1e-4)
    assert weight == pytest.approx(1e-8, rel=0.05)
    assert float(optimizer.dynamic_scale) == 2.0**15


def test_a_float16_step_that_overflows_is_left_out_and_lowers_the_scale(policy):
    experiment.configure_compute(_arguments("--mixed-precision", "float16"))
    weight, optimizer = _one_weight_step(keras.optimizers.SGD(0.5), x=1e4, y=1.0)
    assert weight == 0
    assert float(optimizer.dynamic_scale) == 2.0**14


def test_a_bfloat16_step_needs_no_scale(policy):
    experiment.configure_compute(_arguments("--mixed-precision", "bfloat16"))
    weight, optimizer = _one_weight_step(keras.optimizers.SGD(0.5), x=1e-4, y=1e-4)
    assert weight == pytest.approx(1e-8, rel=0.05)
    assert not isinstance(optimizer, keras.optimizers.LossScaleOptimizer)


def test_what_16_bits_cost_in_pixels(policy, shared):
    folder = shared / "golden" / "models" / "a_rec2d_concat"

    def joints(name):
        keras.mixed_precision.set_dtype_policy(name)
        model = reception.build(
            (256, 256, 3), 16, 2, num_blocks=2, ksize=(5, 5), joint_probability="window"
        )
        load_weights(model, folder / "weights.h5")
        predict = PosePredictor(model, pa16j2d, fold=True).predict_crops
        return 256 * predict(np.load(folder / "input.npz")["in_0"])[..., :2]

    exact = joints("float32")
    for name, limit in (("mixed_bfloat16", 4.0), ("mixed_float16", 0.6)):
        shift = np.linalg.norm(joints(name) - exact, axis=-1)
        assert 0 < shift.max() < limit
        assert shift.mean() < limit / 2
