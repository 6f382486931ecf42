"""Weight files: what is accepted, what is refused, and that refusal changes nothing."""

import os
import shutil

import h5py
import keras
import numpy as np
import pytest
from formula_weights import formula_pictures, set_formula_weights

from deephar import checkpoints
from deephar.models import reception

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


@pytest.fixture(scope="module")
def source():
    model = build()
    set_formula_weights(model)
    return model


@pytest.fixture(scope="module")
def receiver():
    """A model that tests of refusal fill with sevens and look at afterwards."""
    return build()


@pytest.fixture(scope="module")
def written(source, tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    checkpoints.save_weights(source, folder / "good.h5")
    return folder / "good.h5"


@pytest.fixture
def copy(written, tmp_path):
    return shutil.copy(written, tmp_path / "damaged.h5")


@pytest.fixture(scope="module")
def written3(source, tmp_path_factory):
    path = tmp_path_factory.mktemp("weights3") / "good.weights.h5"
    checkpoints.save_weights(source, path)
    return path


@pytest.fixture
def copy3(written3, tmp_path):
    return shutil.copy(written3, tmp_path / "damaged.weights.h5")


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


# --- files that are read ---


@pytest.mark.parametrize("by_name", [False, True])
def test_keras_2_file_comes_back_whole(written, source, by_name):
    model = constant(build())
    checkpoints.load_weights(model, written, by_name=by_name)
    assert_equal(model, source)


def test_keras_2_file_has_the_original_layout(written):
    with h5py.File(written) as file:
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


def test_frozen_layers_make_no_difference(written, source):
    model = constant(build())
    for name in ("Stem", "rBlock2", "SepConv1"):
        model.get_layer(name).trainable = False
    checkpoints.load_weights(model, written)
    assert_equal(model, source)


@pytest.mark.parametrize("model", [build(dim=3), build(old_model=True)])
def test_other_models_make_the_round_trip(tmp_path, model):
    set_formula_weights(model)
    values = model.get_weights()
    checkpoints.save_weights(model, tmp_path / "w.hdf5")
    checkpoints.load_weights(constant(model), tmp_path / "w.hdf5")
    for a, b in zip(model.get_weights(), values, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("positions", ["centers", "ends"])
def test_positions_of_the_depth_come_from_the_file(tmp_path, positions):
    model, other = build(dim=3), build(dim=3)
    model.get_layer("zSAM").get_layer("conv1d_1").positions = positions
    set_formula_weights(model)
    checkpoints.save_weights(model, tmp_path / "w.h5")
    x = formula_pictures((1, 32, 32, 3))
    other.predict(x, verbose=0)
    checkpoints.load_weights(other, tmp_path / "w.h5")
    assert other.get_layer("zSAM").get_layer("conv1d_1").positions == positions
    expected, received = model(x), other.predict(x, verbose=0)
    for a, b in zip(received, expected, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_file_of_a_whole_keras_2_model_is_read(copy, source):
    with h5py.File(copy, "a") as file:
        whole = file.create_group("model_weights")
        for key, value in file.attrs.items():
            whole.attrs[key] = value
        for layer in names(file, "layer_names"):
            file.move(layer, f"model_weights/{layer}")
        del file.attrs["layer_names"]
    model = constant(build())
    checkpoints.load_weights(model, copy)
    assert_equal(model, source)


def test_the_empty_group_of_late_keras_2_is_passed_over(copy, source):
    with h5py.File(copy, "r+") as file:
        file.create_group("top_level_model_weights").attrs["weight_names"] = []
    model = constant(build())
    checkpoints.load_weights(model, copy)
    assert_equal(model, source)


def test_numbers_of_unnamed_layers_may_be_any(copy, source):
    with h5py.File(copy, "a") as file:
        rename(file["RegMap1"], "conv2d_13/kernel:0", "conv2d_113/kernel:0")
        sam = file["sSAM"]
        for name in names(sam):
            rename(sam, name, name.replace("custom_sam_", "separable_conv2d_7"))
    model = constant(build())
    checkpoints.load_weights(model, copy)
    assert_equal(model, source)


@pytest.mark.parametrize("compiled", [False, True])
def test_keras_3_file_comes_back_whole(written3, source, compiled):
    model = constant(build())
    if compiled:
        model.compile("rmsprop", "mse")
    checkpoints.load_weights(model, written3)
    assert_equal(model, source)


def test_keras_3_file_with_an_optimizer_is_read(tmp_path):
    model = build(num_blocks=1)
    model.compile("rmsprop", "mse")
    x = formula_pictures((1, 32, 32, 3))
    model.fit(x, model.predict(x, verbose=0), verbose=0)
    model.save_weights(tmp_path / "w.weights.h5")
    other = build(num_blocks=1)
    checkpoints.load_weights(other, tmp_path / "w.weights.h5")
    assert_equal(other, model)


# --- Keras 2 files that are refused: (damage, message, by_name) ---


def drop_tensor(file):
    del file["rBlock1/conv2d_12/kernel:0"]


def drop_tensor_and_its_name(file):
    set_names(file["rBlock1"], names(file["rBlock1"])[1:])
    drop_tensor(file)


def add_tensor(file):
    file["Stem"].create_dataset("conv2d_99/kernel:0", data=np.zeros(3, "float32"))


def add_tensor_and_its_name(file):
    add_tensor(file)
    set_names(file["Stem"], [*names(file["Stem"]), "conv2d_99/kernel:0"])


def rename_role(file):
    rename(file["RegMap1"], "conv2d_13/kernel:0", "conv2d_13/gamma:0")


def rename_family(file):
    rename(file["RegMap1"], "conv2d_13/kernel:0", "dense_13/kernel:0")


def rename_named_layer(file):
    old = "sepconv_l3_1/beta:0"
    rename(file["rBlock1"], old, "sepconv_l3_9/beta:0")


def split_layer(file):
    old = "sepconv_l3_1/moving_mean:0"
    rename(file["rBlock1"], old, "sepconv_l3_1_5/moving_mean:0")


def merge_layers(file):
    stem = file["Stem"]
    rename(stem, "batch_normalization_2/moving_mean:0", "batch_normalization_1/x:0")
    rename(stem, "batch_normalization_1/x:0", "batch_normalization_77/moving_mean:0")


def reshape(file):
    old = file["RegMap1/conv2d_13/kernel:0"][...]
    replace(file["RegMap1"], "conv2d_13/kernel:0", old.reshape(1, 1, 4, 576))


def swap_numbered_layers(file):
    stem = file["Stem"]
    swapped = {"conv2d_6/kernel:0": "conv2d_10/kernel:0"}
    swapped |= {b: a for a, b in swapped.items()}
    set_names(stem, [swapped.get(name, name) for name in names(stem)])


def swap_named_layers(file):
    block = file["rBlock1"]
    swapped = {}
    for role in ("depthwise_kernel", "pointwise_kernel"):
        a, b = (f"sepconv_l3_{i}_conv/{role}:0" for i in (1, 2))
        swapped |= {a: b, b: a}
    set_names(block, [swapped.get(name, name) for name in names(block)])


def make_nan(file):
    file["SepConv2/batch_normalization_16/beta:0"][3] = np.nan


def make_infinite(file):
    value = file["RegMap2/conv2d_16/kernel:0"][...].astype("float64")
    value[...] = 1e300
    replace(file["RegMap2"], "conv2d_16/kernel:0", value)


def make_variance_negative(file):
    file["Stem/batch_normalization_1/moving_variance:0"][3] = -0.5


def make_integer(file):
    value = file["RegMap2/conv2d_16/kernel:0"][...].astype("int32")
    replace(file["RegMap2"], "conv2d_16/kernel:0", value)


def drop_layer(file):
    del file["RegMap2"]


def drop_layer_and_its_name(file):
    drop_layer(file)
    kept = [n for n in names(file, "layer_names") if n != "RegMap2"]
    set_names(file, kept, "layer_names")


def add_layer(file):
    file.copy("RegMap2", "RegMap3")


def add_layer_and_its_name(file):
    add_layer(file)
    set_names(file, [*names(file, "layer_names"), "RegMap3"], "layer_names")


def rename_layer(file):
    file.move("rBlock2", "rBlock7")
    renamed = ["rBlock7" if n == "rBlock2" else n for n in names(file, "layer_names")]
    set_names(file, renamed, "layer_names")


def reorder_layers(file):
    set_names(file, names(file, "layer_names")[::-1], "layer_names")


def list_layer_twice(file):
    set_names(file, [*names(file, "layer_names"), "Stem"], "layer_names")


def rename_all_layers(file):
    renamed = []
    for name in names(file, "layer_names"):
        file.move(name, f"my_{name}")
        renamed.append(f"my_{name}")
    set_names(file, renamed, "layer_names")


def change_soft_argmax(file):
    file["sSAM/custom_sam_1/depthwise_kernel:0"][1, 1] += 0.01


def swap_soft_argmax_axes(file):
    x, y = (file[f"sSAM/custom_sam_{i}/depthwise_kernel:0"] for i in (0, 1))
    x[...], y[...] = y[...], x[...]


def change_identity(file):
    file["cSAM/custom_sam_2/pointwise_kernel:0"][0, 0, 0, 1] = 1


def change_aggregation(file):
    file["Agg/dense_1/kernel:0"][...] = 0.5


def drop_layer_names(file):
    del file.attrs["layer_names"]


def drop_weight_names(file):
    del file["Stem"].attrs["weight_names"]


def make_theano(file):
    file.attrs["backend"] = b"theano"


DAMAGES = [
    (drop_tensor, r"weight_names of /rBlock1 .* Missing: conv2d_12/kernel:0"),
    (drop_tensor_and_its_name, r"tensor 1 of rBlock1 .* it must be a kernel"),
    (add_tensor, r"weight_names of /Stem .* Not listed: conv2d_99/kernel:0"),
    (add_tensor_and_its_name, r"tensor 54 of Stem .* the number of tensors differs"),
    (rename_role, r"tensor 1 of RegMap1 .* it must be a kernel"),
    (rename_family, r"tensor 1 of RegMap1 .* its layer must be conv2d_1"),
    (rename_named_layer, r"of rBlock1 .* its layer must be sepconv_l3_1"),
    (split_layer, r"the rest of sepconv_l3_1 is in sepconv_l3_1"),
    (merge_layers, r"the rest of batch_normalization_2 is in batch_normalization_2"),
    (reshape, r"of RegMap1 .* its shape must be \(1, 1, 576, 4\)"),
    (swap_numbered_layers, r"of Stem are in another order"),
    (swap_named_layers, r"its layer must be sepconv_l3_1_conv"),
    (make_nan, r"/SepConv2/.*beta:0 holds values that are not finite: 1 of 576"),
    (make_infinite, r"/RegMap2/.*kernel:0 holds values that are not finite"),
    (make_variance_negative, r"/Stem/.*moving_variance:0 holds negative variances"),
    (make_integer, r"must hold real numbers. Received: dtype=int32"),
    (drop_layer, r"layer_names lists RegMap2, which is not there"),
    (drop_layer_and_its_name, r"layer 8 is not .* RegMap2, .*The file has 10"),
    (add_layer, r"groups that layer_names does not list: RegMap3"),
    (add_layer_and_its_name, r"layer 12 is not .* Agg, RegMap3"),
    (rename_layer, r"layer 6 is not .*rBlock2.*rBlock7"),
    (reorder_layers, r"layer 1 is not .*near here Stem.*near here Agg"),
    (list_layer_twice, r"layer_names of / names twice: Stem"),
    (change_soft_argmax, r"must hold the constants of custom_sam_1 .* up to 0.01"),
    (swap_soft_argmax_axes, r"must hold the constants of custom_sam_0"),
    (change_identity, r"must hold the constants of custom_sam_0 .* up to 1"),
    (change_aggregation, r"must hold the constants of dense_1 .* up to 0.5"),
    (drop_layer_names, r"holds no weights: neither an attribute layer_names"),
    (drop_weight_names, r"/Stem has no attribute weight_names"),
    (make_theano, r"other backends flip the kernels"),
]

DAMAGES_BY_NAME = [
    (drop_layer_and_its_name, r"has 10 of the model's 11 .*Missing: RegMap2"),
    (add_layer_and_its_name, r"Only in the file: RegMap3"),
    (rename_layer, r"Missing: rBlock2. Only in the file: rBlock7"),
    (rename_all_layers, r"has none of the model's 11 layers"),
    (drop_tensor_and_its_name, r"tensor 1 of rBlock1"),
    (make_nan, r"not finite"),
]


@pytest.mark.parametrize(
    "damage, message, by_name",
    [(d, m, False) for d, m in DAMAGES] + [(d, m, True) for d, m in DAMAGES_BY_NAME],
)
def test_damaged_file_is_refused_and_nothing_changes(
    copy, receiver, damage, message, by_name
):
    constant(receiver)
    with h5py.File(copy, "a") as file:
        damage(file)
    with pytest.raises(ValueError, match=message) as caught:
        checkpoints.load_weights(receiver, copy, by_name=by_name)
    assert str(copy) in str(caught.value)
    assert_untouched(receiver)


def test_order_does_not_matter_by_name(copy, source):
    with h5py.File(copy, "a") as file:
        reorder_layers(file)
    model = constant(build())
    checkpoints.load_weights(model, copy, by_name=True)
    assert_equal(model, source)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"num_blocks": 1}, r"layer 5 is not the model's"),
        ({"num_blocks": 3}, r"layer 9 is not the model's"),
        ({"num_context_per_joint": 2}, r"of RegMap1 .* its shape must be"),
        ({"num_context_per_joint": 0}, r"of RegMap1 .* its shape must be"),
        ({"ksize": (5, 5)}, r"of rBlock1 .* its shape must be \(5, 5, 288, 1\)"),
        ({"old_model": True}, r"tensor 3 of Stem|layer 2 is not"),
        ({"dim": 3}, r"of RegMap1 .* its shape must be"),
    ],
)
def test_file_of_another_model_is_refused(written, arguments, message):
    model = constant(build(**arguments))
    with pytest.raises(ValueError, match=message):
        checkpoints.load_weights(model, written)
    assert_untouched(model)


@pytest.mark.parametrize("which", ["copy", "copy3"])
@pytest.mark.parametrize("kept", [0, 500, 0.5, 0.999])
def test_truncated_file_is_refused(request, receiver, which, kept):
    path = request.getfixturevalue(which)
    constant(receiver)
    size = os.path.getsize(path)
    os.truncate(path, kept if kept >= 1 else int(kept * size))
    with pytest.raises(OSError, match="not an HDF5 file, or truncated") as caught:
        checkpoints.load_weights(receiver, path)
    assert str(path) in str(caught.value)
    assert_untouched(receiver)


def test_text_is_refused(receiver, tmp_path):
    path = tmp_path / "weights.h5"
    path.write_text("weights")
    with pytest.raises(OSError, match="weights.h5: not an HDF5 file"):
        checkpoints.load_weights(receiver, path)


def test_missing_file_is_named(receiver, tmp_path):
    with pytest.raises(FileNotFoundError, match="none.h5: there is no such file"):
        checkpoints.load_weights(receiver, tmp_path / "none.h5")


def test_a_folder_is_no_file(receiver, tmp_path):
    with pytest.raises(IsADirectoryError, match=f"{tmp_path}: is a folder; name a"):
        checkpoints.load_weights(receiver, tmp_path)


# --- Keras 3 files that are refused ---


def drop_tensor3(file):
    del file["layers/functional/layers/conv2d/vars/0"]


def add_tensor3(file):
    file.create_dataset("layers/extra/vars/0", data=np.zeros(2, "float32"))


def reshape3(file):
    replace(file["layers/functional/layers/conv2d/vars"], "0", np.zeros((1, 2), "f4"))


def make_nan3(file):
    file["layers/functional/layers/conv2d/vars/0"][0, 0, 0, 0] = np.nan


def drop_names3(path):
    with h5py.File(path, "a") as file:
        file.visititems(lambda _, item: item.attrs.pop("name", None))


def rename3(file):
    file["layers/functional/vars"].attrs["name"] = "Trunk"


@pytest.mark.parametrize(
    "damage, message",
    [
        (
            drop_tensor3,
            r"Missing: Stem/conv2d_1/0 float32\(3, 3, 3, 32\). Only .* none",
        ),
        (add_tensor3, r"Missing: none. Only in the file: extra \(tensors: 1\)"),
        (
            reshape3,
            r"Stem/conv2d_1/0 \(lay.* must be float32\(3, 3, 3, 32\). R.*\(1, 2",
        ),
        (make_nan3, r"conv2d/vars/0 holds values that are not finite"),
        (rename3, r"layers/functional must be Stem. Received: Trunk"),
    ],
)
def test_damaged_keras_3_file_is_refused_and_nothing_changes(
    copy3, receiver, damage, message
):
    constant(receiver)
    with h5py.File(copy3, "a") as file:
        damage(file)
    with pytest.raises(ValueError, match=message) as caught:
        checkpoints.load_weights(receiver, copy3)
    assert str(copy3) in str(caught.value)
    assert_untouched(receiver)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"num_blocks": 1}, r"Missing: none. .* file: rBlock2 .*another size or kind"),
        ({"num_blocks": 3}, r"Missing: rBlock3 \(tensors: \d+\), .* file: none"),
        (
            {"ksize": (5, 5)},
            r"rBlock1/.* must be float32\(5, 5, .*another size or kind",
        ),
    ],
)
@pytest.mark.parametrize("old_keras", [False, True])
def test_keras_3_file_of_another_model_is_refused(copy3, arguments, message, old_keras):
    if old_keras:
        drop_names3(copy3)
        message = r"another size or kind"
    model = constant(build(**arguments))
    with pytest.raises(ValueError, match=message):
        checkpoints.load_weights(model, copy3)
    assert_untouched(model)


def test_keras_3_file_by_another_ending_is_refused(written3, receiver, tmp_path):
    path = shutil.copy(written3, tmp_path / "weights.hdf5")
    with pytest.raises(ValueError, match=r"must end in \.weights\.h5"):
        checkpoints.load_weights(receiver, path)


def test_keras_3_files_are_not_read_by_name(written3, receiver):
    with pytest.raises(ValueError, match="`by_name` is only for files of Keras 2"):
        checkpoints.load_weights(receiver, written3, by_name=True)


# --- writing ---


def test_writing_leaves_nothing_but_the_file(source, tmp_path):
    checkpoints.save_weights(source, tmp_path / "a.weights.h5")
    checkpoints.save_weights(source, tmp_path / "a.weights.h5")
    checkpoints.save_weights(source, tmp_path / "b.h5")
    assert sorted(os.listdir(tmp_path)) == ["a.weights.h5", "b.h5"]


def test_failed_writing_keeps_the_old_file(source, tmp_path, monkeypatch):
    path = tmp_path / "a.h5"
    path.write_text("old")

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(checkpoints.keras2, "write", fail)
    with pytest.raises(OSError, match="disk full"):
        checkpoints.save_weights(source, path)
    assert path.read_text() == "old" and os.listdir(tmp_path) == ["a.h5"]


@pytest.mark.parametrize("name", ["weights", "weights.npz"])
def test_other_endings_are_refused(source, tmp_path, name):
    with pytest.raises(ValueError, match=r"`path` must end in \.weights\.h5"):
        checkpoints.save_weights(source, tmp_path / name)


def test_missing_folder_is_named(source, tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        checkpoints.save_weights(source, tmp_path / "none" / "a.h5")


def test_model_without_a_place_in_the_layout_is_refused(tmp_path):
    inp = keras.Input((4, 3))
    model = keras.Model(inp, keras.layers.LSTM(2, name="lstm")(inp))
    with pytest.raises(ValueError, match="no place for these variables"):
        checkpoints.save_weights(model, tmp_path / "a.h5")


def test_unbuilt_model_is_refused(tmp_path):
    with pytest.raises(ValueError, match="`model` must be a built keras.Model"):
        checkpoints.load_weights(keras.Sequential(), tmp_path / "a.h5")
