"""The speed scripts, run as a user does, at the smallest size."""

import functools
import importlib.util
import json
import os
import subprocess
import sys

import keras
import pytest
from keras import layers
from scripts import REPOSITORY, load, run, run_together
from tiny_mpii import write_tiny_mpii

from deephar.models import reception
from deephar.utils import timing

common = load("exp/benchmark/common.py")
flops = load("exp/benchmark/flops.py")
TINY = ("--size", 32, "--blocks", 1, "--batch-size", 1, "--repeat", 1)


def test_ratios_are_taken_pair_by_pair():
    found = [
        ({"a_s": 2.0, "b_per_s": 10}, {"a_s": 1.0, "b_per_s": 5}),
        ({"a_s": 9.0, "b_per_s": 10}, {"a_s": 3.0, "b_per_s": 20}),
        ({"a_s": 4.0, "b_per_s": 10}, {"a_s": 4.0, "b_per_s": 10}),
    ]
    assert common.ratios(found) == {
        "a_s": {"median": 2, "lowest": 1, "highest": 3, "this": 4, "other": 3},
        "b_per_s": {"median": 1, "lowest": 0.5, "highest": 2, "this": 10, "other": 10},
    }


def test_only_figures_that_both_have_are_compared():
    ours = {"a_s": 2.0, "name": "x", "none": None, "zero_s": 0, "on": True, "c_s": 1}
    found = [(ours, {**ours, "c_s": "slow"})] * 2
    assert list(common.ratios(found)) == ["a_s"]


def test_times_leave_out_the_first_call_and_the_warm_up(monkeypatch):
    clock = iter([0, 9, 10, 15, 20, 21, 30, 32, 40, 47])
    monkeypatch.setattr(timing.time, "perf_counter", lambda: next(clock))
    times = timing.seconds(lambda: None, repeat=3, warm=1)
    assert times == {"first": 9, "median": 2, "fastest": 1, "slowest": 7}


def test_a_table_has_columns():
    rows = [("forward_s", 0.123456), ("pictures_per_s", 123456.7), ("who", "me")]
    assert timing.table(rows).splitlines() == [
        "forward_s       0.1235",
        "pictures_per_s  123457",
        "who             me",
    ]


def test_a_command_that_speaks_json_is_compared_by_figures_another_by_wall_time():
    speak = [sys.executable, "-c", "print('hello'); print('{\"figures\": {\"a\": 6}}')"]
    result = common.compare([*speak, *"1234"], 'echo \'{"a": 3, "b": 2}\'', pairs=2)
    ratio = {"median": 2, "lowest": 2, "highest": 2, "this": 6, "other": 3}
    assert result["ratios"]["a"] == ratio
    assert list(result["ratios"]) == ["a", "wall_s"]
    mute = common.compare([*speak, *"1234"], "true", pairs=1)
    assert list(mute["ratios"]) == ["wall_s"]


def test_a_command_that_fails_ends_the_comparison():
    with pytest.raises(ValueError, match="echo no; false: ended with status 1: no"):
        common.compare(["true"], "echo no; false", pairs=1)


@pytest.mark.parametrize(
    ("layer", "products"),
    [
        (layers.Conv2D(5, 3, strides=2, padding="same"), 4 * 4 * 9 * 6 * 5),
        (layers.Conv2D(4, 1, groups=2, use_bias=False), 8 * 8 * 3 * 4),
        (layers.SeparableConv2D(5, 3, padding="same"), 8 * 8 * (9 * 6 + 6 * 5)),
        (layers.DepthwiseConv2D(3, depth_multiplier=2), 6 * 6 * 9 * 12),
        (layers.Conv2DTranspose(5, 2, strides=2), 8 * 8 * 4 * 6 * 5),
        (layers.Dense(7), 8 * 8 * 6 * 7),
        (layers.BatchNormalization(), 0),
    ],
)
def test_flops_of_a_layer_are_two_for_each_product(layer, products):
    x = keras.Input((8, 8, 6))
    assert flops.count_flops(keras.Model(x, layer(x))) == 2 * products


def test_flops_of_a_nested_model_count_as_often_as_it_is_called():
    xi = keras.Input((8, 8, 6))
    part = keras.Model(xi, layers.Dense(6)(xi))
    x = keras.Input((8, 8, 6))
    assert flops.count_flops(keras.Model(x, part(part(x)))) == 4 * 8 * 8 * 6 * 6


@pytest.mark.parametrize(
    ("options", "gflop"),
    [
        ({"num_joints": 16, "dim": 2, "num_blocks": 2}, 8.20),
        ({"num_joints": 16, "dim": 2, "num_blocks": 8}, 19.75),
        ({"num_joints": 17, "dim": 3, "num_blocks": 8}, 23.71),
    ],
)
def test_flops_of_the_networks_are_the_originals_but_for_what_is_no_product(
    options, gflop
):
    model = reception.build((256, 256, 3), ksize=(5, 5), **options)
    assert flops.count_flops(model) / 1e9 == pytest.approx(gflop, rel=0.005)


@pytest.mark.parametrize(
    ("device", "precision", "peak"),
    [
        ("NVIDIA H200", "bfloat16", 989.4),
        ("NVIDIA H100 80GB HBM3", "float32", 494.7),
        ("NVIDIA H100 PCIe", "bfloat16", 756.0),
        ("NVIDIA A100-SXM4-40GB", "float16", 312.0),
        ("Tesla T4", "float16", 65.0),
        ("NVIDIA GeForce RTX 4090", "float32", 82.6),
        ("NVIDIA L40S", "float32", None),
        ("cpu", "float32", None),
    ],
)
def test_a_chip_is_known_by_its_name(device, precision, peak):
    assert flops.peak_tflops(device, precision) == peak


OTHER = """echo '{"evaluate_s": 1e-6, "samples": 6}'"""
PEOPLE = ("--people", 3, "--size", 64, "--blocks", 1, "--workers", 1)
CLIP = ("--size", 32, "--blocks", 1, "--frames", 4, "--repeat", 3, "--fold")
COMMANDS = {
    "model": (*TINY, "--fold", "--precision", "bfloat16", "--peak", "0.5"),
    "evaluation": (*PEOPLE, "--pairs", 1, "--against", OTHER),
    "pictures": ("--data", "MPII", "--samples", 2, "--batch-size", 2, "--workers", 1),
    "clip_model": CLIP,
}


def run_without_tensorflow(backend, folder):
    """Runs model.py where TensorFlow cannot be imported."""
    script = REPOSITORY / "exp/benchmark/model.py"
    code = (
        "import runpy, sys; sys.modules['tensorflow'] = None; "
        f"sys.argv[0] = {str(script)!r}; sys.path.insert(0, {str(script.parent)!r}); "
        "runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, TINY)],
        env={
            **os.environ,
            "KERAS_BACKEND": backend,
            "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",
        },
        capture_output=True,
        text=True,
        cwd=folder,
    )


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("benchmarks")
    write_tiny_mpii(folder / "MPII")
    return folder


@pytest.fixture(scope="module")
def done(place):
    """Processes by benchmark, and model.py's by backend where that is installed."""
    calls = {
        name: functools.partial(
            run, f"exp/benchmark/{name}.py", *flags, "--json", f"{name}.json", cwd=place
        )
        for name, flags in COMMANDS.items()
    }
    for backend in ("jax", "torch"):
        if importlib.util.find_spec(backend) is not None:
            calls[backend] = functools.partial(run_without_tensorflow, backend, place)
    return run_together(calls)


def result_of(process):
    assert process.returncode == 0, process.stderr[-2000:]
    return json.loads(process.stdout.strip().splitlines()[-1])


def test_the_model_is_timed_in_every_part(done, place):
    result = result_of(done["model"])
    assert json.loads((place / "model.json").read_text()) == result
    figures = result["figures"]
    for part in ("forward", "step"):
        rate = figures[f"{part}_pictures_per_s"]
        assert rate == pytest.approx(1 / figures[f"{part}_s"])
        share = figures[f"{part}_tflops"] / 0.5
        assert figures[f"{part}_peak_share"] == pytest.approx(share)
        assert figures[f"{part}_peak_mib"] > 50
    flop = figures["gflop"] * 1e9
    assert figures["forward_tflops"] == pytest.approx(
        flop / figures["forward_s"] / 1e12
    )
    assert figures["step_tflops"] == pytest.approx(3 * flop / figures["step_s"] / 1e12)
    assert (figures["backend"], figures["device"]) == ("tensorflow", "cpu")
    assert result["settings"]["jit"] is False
    assert result["machine"]["cores"] == os.cpu_count()
    assert "forward_pictures_per_s " in done["model"].stdout


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_the_model_is_timed_without_tensorflow(backend, done):
    pytest.importorskip(backend)
    result = result_of(done[backend])
    assert result["figures"]["backend"] == backend
    assert result["settings"]["jit"] is (backend == "jax")
    assert result["figures"]["forward_s"] > 0 and result["figures"]["step_s"] > 0


def test_an_evaluation_is_timed_and_compared(done, place):
    result = result_of(done["evaluation"])
    assert json.loads((place / "evaluation.json").read_text()) == result
    assert list(result["ratios"]) == ["samples", "evaluate_s", "wall_s"]
    assert result["ratios"]["samples"]["median"] == 0.5
    assert result["ratios"]["evaluate_s"]["median"] > 1e4
    assert "exp/benchmark/evaluation.py --people 3 " in result["command"]


def test_pictures_are_timed_on_given_data(done):
    figures = result_of(done["pictures"])["figures"]
    rates = [name for name in figures if name.endswith("_per_s")]
    assert len(rates) == 4 + 1 + 4 and min(figures[name] for name in rates) > 0


def test_a_clip_is_timed_against_its_frames(done):
    figures = result_of(done["clip_model"])["figures"]
    lowest, highest = figures["forward_ratio_lowest"], figures["forward_ratio_highest"]
    assert 0 < lowest <= figures["forward_ratio"] <= highest
    assert figures["clips_per_s"] == pytest.approx(1 / figures["clips_s"])
    assert figures["build_s"] > 0 and figures["parameters"] > 1e6
