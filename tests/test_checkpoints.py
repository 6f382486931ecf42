"""Weight files that are read and tiny_file."""

import os
import shutil

import h5py
import keras
import numpy as np
import pytest
from formula_weights import formula_pictures, set_formula_weights
from weight_damages import reorder_layers
from weight_files import assert_equal, build, constant, names, rename

from deephar import checkpoints
from deephar.models import reception


@pytest.fixture
def copy(tiny_file, tmp_path):
    return shutil.copy(tiny_file, tmp_path / "damaged.h5")


# --- files that are read ---


@pytest.mark.parametrize("by_name", [False, True])
def test_keras_2_file_comes_back_whole(tiny_file, tiny_model, by_name):
    model = constant(build())
    checkpoints.load_weights(model, tiny_file, by_name=by_name)
    assert_equal(model, tiny_model)


def test_keras_2_file_has_the_original_layout(tiny_file):
    with h5py.File(tiny_file) as file:
        layers = names(file, "layer_names")
        assert (
            layers
            == (
                "Stem rBlock1 SepConv1 RegMap1 fReMap1 rBlock2 SepConv2 RegMap2 "
                "sSAM cSAM Agg"
            ).split()
        )
        assert file.attrs["keras_version"] == "2.1.4"
        stem = [n for n in names(file["Stem"]) if n.startswith("conv2d")]
        order = [int(n.split("/")[0].split("_")[1]) for n in stem]
        assert order == [1, 2, 3, 4, 7, 8, 5, 9, 6, 10, 11]
        assert names(file["rBlock2"])[2] == "sepconv_l2_1_conv_1/depthwise_kernel:0"
        assert names(file["cSAM"])[0] == "custom_sam_2/depthwise_kernel:0"
        assert file["Agg/dense_1/kernel:0"].shape == (2, 2)


def test_written_names_are_those_of_the_original(shared, tmp_path):
    folder = shared / "golden" / "models" / "a_rec2d"
    model = reception.build(
        (256, 256, 3), 16, 2, num_blocks=2, ksize=(5, 5), concat_pose_confidence=False
    )
    checkpoints.load_weights(model, folder / "weights.h5")
    checkpoints.save_weights(model, tmp_path / "again.h5")
    with (
        h5py.File(tmp_path / "again.h5") as ours,
        h5py.File(folder / "weights.h5") as theirs,
    ):
        for layer in names(ours, "layer_names"):
            assert names(ours[layer]) == names(theirs[layer])
            for name in names(ours[layer]):
                np.testing.assert_array_equal(
                    ours[layer][name][...], theirs[layer][name][...]
                )


def test_frozen_layers_make_no_difference(tiny_file, tiny_model):
    model = constant(build())
    for name in ("Stem", "rBlock2", "SepConv1"):
        model.get_layer(name).trainable = False
    checkpoints.load_weights(model, tiny_file)
    assert_equal(model, tiny_model)


@pytest.mark.parametrize("model", [build(dim=3), build(old_model=True)])
def test_other_models_make_the_round_trip(tmp_path, model):
    set_formula_weights(model)
    values = model.get_weights()
    checkpoints.save_weights(model, tmp_path / "w.hdf5")
    checkpoints.load_weights(constant(model), tmp_path / "w.hdf5")
    for a, b in zip(model.get_weights(), values, strict=True):
        np.testing.assert_array_equal(a, b)


def depth_layer(model):
    return model.get_layer("zSAM").get_layer("conv1d_1")


def test_a_traced_model_computes_with_the_positions_of_the_file(tmp_path):
    model, other = build(dim=3), build(dim=3)
    depth_layer(model).positions = "ends"
    set_formula_weights(model)
    checkpoints.save_weights(model, tmp_path / "w.h5")
    x = formula_pictures((1, 32, 32, 3))
    other.compile(jit_compile=False)
    other.predict(x, verbose=0)
    checkpoints.load_weights(other, tmp_path / "w.h5")
    expected, received = model(x), other.predict(x, verbose=0)
    for a, b in zip(received, expected, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


@pytest.fixture(scope="module")
def depth_models():
    return build(dim=3), build(dim=3)


@pytest.mark.parametrize("positions", ["centers", "ends"])
@pytest.mark.parametrize("name", ["w.h5", "w.weights.h5"])
def test_positions_of_the_depth_come_from_the_file(
    depth_models, tmp_path, name, positions
):
    model, other = depth_models
    depth_layer(model).positions = positions
    checkpoints.save_weights(model, tmp_path / name)
    for before in ("centers", "ends"):
        depth_layer(other).positions = before
        checkpoints.load_weights(other, tmp_path / name)
        assert depth_layer(other).positions == positions


def test_a_file_of_keras_alone_leaves_the_positions(depth_models, tmp_path):
    model, other = depth_models
    model.save_weights(tmp_path / "w.weights.h5")
    depth_layer(other).positions = "ends"
    checkpoints.load_weights(other, tmp_path / "w.weights.h5")
    assert depth_layer(other).positions == "ends"


@pytest.mark.parametrize("options", ['{"zSAM/conv1d_1": "x"}', '{"sSAM/y": "ends"}'])
def test_an_unknown_form_in_a_keras_3_file_is_refused(depth_models, tmp_path, options):
    path = tmp_path / "w.weights.h5"
    checkpoints.save_weights(depth_models[0], path)
    with h5py.File(path, "a") as file:
        file.attrs["deephar_options"] = options
    with pytest.raises(ValueError, match=r"w\.weights\.h5: deephar_options has .SAM/"):
        checkpoints.load_weights(depth_models[1], path)


def test_file_of_a_whole_keras_2_model_is_read(copy, tiny_model):
    with h5py.File(copy, "a") as file:
        whole = file.create_group("model_weights")
        for key, value in file.attrs.items():
            whole.attrs[key] = value
        for layer in names(file, "layer_names"):
            file.move(layer, f"model_weights/{layer}")
        del file.attrs["layer_names"]
    model = constant(build())
    checkpoints.load_weights(model, copy)
    assert_equal(model, tiny_model)


def test_the_empty_group_of_late_keras_2_is_passed_over(copy, tiny_model):
    with h5py.File(copy, "r+") as file:
        file.create_group("top_level_model_weights").attrs["weight_names"] = []
    model = constant(build())
    checkpoints.load_weights(model, copy)
    assert_equal(model, tiny_model)


def test_numbers_of_unnamed_layers_may_be_any(copy, tiny_model):
    with h5py.File(copy, "a") as file:
        rename(file["RegMap2"], "conv2d_16/kernel:0", "conv2d_113/kernel:0")
        sam = file["sSAM"]
        for name in names(sam):
            rename(sam, name, name.replace("custom_sam_", "separable_conv2d_7"))
    model = constant(build())
    checkpoints.load_weights(model, copy)
    assert_equal(model, tiny_model)


@pytest.mark.parametrize("compiled", [False, True])
def test_keras_3_file_comes_back_whole(tiny_file3, tiny_model, compiled):
    model = constant(build())
    if compiled:
        model.compile("rmsprop", "mse", jit_compile=False)
    checkpoints.load_weights(model, tiny_file3)
    assert_equal(model, tiny_model)


def test_keras_3_file_with_an_optimizer_is_read(tmp_path):
    model = build(num_blocks=1)
    model.compile("rmsprop", "mse", jit_compile=False)
    x = formula_pictures((1, 32, 32, 3))
    model.fit(x, model.predict(x, verbose=0), verbose=0)
    model.save_weights(tmp_path / "w.weights.h5")
    other = build(num_blocks=1)
    checkpoints.load_weights(other, tmp_path / "w.weights.h5")
    assert_equal(other, model)


def test_order_does_not_matter_by_name(copy, tiny_model):
    with h5py.File(copy, "a") as file:
        reorder_layers(file)
    model = constant(build())
    checkpoints.load_weights(model, copy, by_name=True)
    assert_equal(model, tiny_model)


# --- writing ---


def test_writing_leaves_nothing_but_the_file(tiny_model, tmp_path):
    checkpoints.save_weights(tiny_model, tmp_path / "a.weights.h5")
    checkpoints.save_weights(tiny_model, tmp_path / "a.weights.h5")
    checkpoints.save_weights(tiny_model, tmp_path / "b.h5")
    assert sorted(os.listdir(tmp_path)) == ["a.weights.h5", "b.h5"]


def test_failed_writing_keeps_the_old_file(tiny_model, tmp_path, monkeypatch):
    path = tmp_path / "a.h5"
    path.write_text("old")

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(checkpoints.keras2, "write", fail)
    with pytest.raises(OSError, match="disk full"):
        checkpoints.save_weights(tiny_model, path)
    assert path.read_text() == "old" and os.listdir(tmp_path) == ["a.h5"]


@pytest.mark.parametrize("name", ["weights", "weights.npz"])
def test_other_endings_are_refused(tiny_model, tmp_path, name):
    with pytest.raises(ValueError, match=r"`path` must end in \.weights\.h5"):
        checkpoints.save_weights(tiny_model, tmp_path / name)


def test_missing_folder_is_named(tiny_model, tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        checkpoints.save_weights(tiny_model, tmp_path / "none" / "a.h5")


def test_model_without_a_place_in_the_layout_is_refused(tmp_path):
    inp = keras.Input((4, 3))
    model = keras.Model(inp, keras.layers.LSTM(2, name="lstm")(inp))
    with pytest.raises(ValueError, match="no place for these variables"):
        checkpoints.save_weights(model, tmp_path / "a.h5")


def test_unbuilt_model_is_refused(tmp_path):
    with pytest.raises(ValueError, match="`model` must be a built keras.Model"):
        checkpoints.load_weights(keras.Sequential(), tmp_path / "a.h5")


def test_a_full_disk_is_told_before_anything_is_written(
    tiny_model, tmp_path, monkeypatch
):
    full = type("Usage", (), {"free": 1000})
    monkeypatch.setattr("shutil.disk_usage", lambda folder: full)
    with pytest.raises(OSError, match="no room for [0-9]+ bytes, 1000 are free"):
        checkpoints.save_weights(tiny_model, tmp_path / "w.weights.h5")
    assert not list(tmp_path.iterdir())
