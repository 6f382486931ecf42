"""VGG-16's weights in the entry flow, from files of every form."""

import logging

import h5py
import keras
import numpy as np
import pytest

from deephar.checkpoints import md5_of, vgg16
from deephar.checkpoints.vgg16 import PASSED_OVER, USED, load_vgg16_weights
from deephar.models import reception

WIDTHS = {1: 64, 2: 128, 3: 256, 4: 4, 5: 4}


def _build(stem="vgg16"):
    return reception.build(
        (32, 32, 3), 16, dim=2, num_blocks=1, num_context_per_joint=0, stem=stem
    )


@pytest.fixture(scope="module")
def model():
    return _build()


@pytest.fixture
def tensors():
    """Random tensors of all convolutions by layer; those that nobody reads are tiny."""
    rng, result, channels = np.random.default_rng(0), {}, 3
    for name in (*USED, *PASSED_OVER[:6]):
        width = WIDTHS[int(name[5])]
        kernel = rng.normal(size=(3, 3, channels, width)).astype("float32")
        result[name] = [kernel, rng.normal(size=width).astype("float32")]
        channels = width
    return result


def _keras2(path, tensors, names="{layer}/{role}:0", root=""):
    with h5py.File(path, "w") as file:
        top = file.create_group(root) if root else file
        layers = [*tensors, "block1_pool"]
        top.attrs["layer_names"] = [name.encode() for name in layers]
        for layer in layers:
            group = top.create_group(layer)
            values = tensors.get(layer, [])
            roles = ("W_1", "b_1") if "_{role}" in names else ("kernel", "bias")
            inner = [
                names.format(layer=layer, role=role)
                for role, _ in zip(roles, values, strict=False)
            ]
            group.attrs["weight_names"] = [name.encode() for name in inner]
            for name, value in zip(inner, values, strict=True):
                group[name] = value
    return path


def _keras3(path, tensors):
    with h5py.File(path, "w") as file:
        for number, (layer, values) in enumerate(tensors.items()):
            key = f"layers/conv2d_{number}".removesuffix("_0")
            group = file.create_group(f"{key}/vars")
            group.attrs["name"] = layer
            for i, value in enumerate(values):
                group[str(i)] = value
    return path


def _state(model):
    return [variable.numpy() for variable in model.weights]


def _stem(model):
    return {layer.name: layer for layer in model.get_layer("Stem").layers}


@pytest.mark.parametrize("form", ["keras1", "keras2", "whole model", "keras3"])
def test_the_first_three_blocks_come_from_a_file_of_every_form(
    model, tensors, tmp_path, form, caplog
):
    if form == "keras3":
        path = _keras3(tmp_path / "vgg.weights.h5", tensors)
    else:
        names = "{layer}_{role}:0" if form == "keras1" else "{layer}/{role}:0"
        root = "model_weights" if form == "whole model" else ""
        path = _keras2(tmp_path / "vgg.h5", tensors, names, root)
    with caplog.at_level(logging.INFO, "deephar"):
        load_vgg16_weights(model, path)
    for name in USED:
        layer = _stem(model)[name]
        np.testing.assert_array_equal(layer.kernel, tensors[name][0])
        np.testing.assert_array_equal(layer.bias, tensors[name][1])
    assert "7 layers set; passed over: block4_conv1, block4_conv2" in caplog.text


def test_the_entry_flow_computes_what_keras_own_vgg16_does(model, tensors, tmp_path):
    load_vgg16_weights(model, _keras2(tmp_path / "vgg.h5", tensors))
    theirs = keras.applications.VGG16(weights=None, include_top=False)
    for name in USED:
        theirs.get_layer(name).set_weights(tensors[name])
    picture = np.random.default_rng(1).uniform(0, 255, (1, 32, 32, 3))
    expected = keras.Model(theirs.input, theirs.get_layer("block3_pool").output)(
        keras.applications.vgg16.preprocess_input(picture.copy())
    )
    stem = model.get_layer("Stem")
    ours = keras.Model(stem.input, stem.get_layer("block3_pool").output)(
        (picture / 127.5 - 1).astype("float32")
    )
    np.testing.assert_allclose(ours, expected, rtol=1e-3, atol=1e-3 * np.max(expected))


def _drop(tensors):
    del tensors["block2_conv1"]


def _reshape(tensors):
    tensors["block1_conv1"][0] = tensors["block1_conv1"][0][:, :, :2]


def _no_bias(tensors):
    tensors["block3_conv3"].pop()


def _infinite(tensors):
    tensors["block1_conv2"][1][3] = np.inf


def _other_network(tensors):
    tensors["dense_7"] = [np.zeros((2, 2), "float32"), np.zeros(2, "float32")]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_drop, r"block2_conv1 must have .* Received: no such layer"),
        (_reshape, r"block1_conv1 must .*\(3, 3, 3, 64\).* Received: \[\(3, 3, 2, 64"),
        (_no_bias, r"block3_conv3 must have a kernel and a bias"),
        (_infinite, r"block1_conv2 holds values that are not finite"),
        (_other_network, r"must be a file of VGG-16. Received: .* layers dense_7"),
    ],
)
@pytest.mark.parametrize("write", [_keras2, _keras3])
def test_what_does_not_fit_is_refused_and_the_model_untouched(
    model, tensors, tmp_path, damage, message, write
):
    damage(tensors)
    path, before = write(tmp_path / "damaged.h5", tensors), _state(model)
    with pytest.raises(ValueError, match=rf"damaged\.h5: {message}"):
        load_vgg16_weights(model, path)
    for one, other in zip(before, _state(model), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_file_cut_short_or_of_another_kind_is_named(model, tensors, tmp_path):
    path = _keras2(tmp_path / "vgg.h5", tensors)
    with open(path, "r+b") as file:
        file.truncate(path.stat().st_size // 2)
    with pytest.raises(OSError, match=r"vgg\.h5"):
        load_vgg16_weights(model, path)
    h5py.File(tmp_path / "empty.h5", "w").close()
    with pytest.raises(ValueError, match=r"empty\.h5: holds no weights"):
        load_vgg16_weights(model, tmp_path / "empty.h5")
    with pytest.raises(FileNotFoundError, match="nowhere"):
        load_vgg16_weights(model, tmp_path / "nowhere.h5")


def test_another_entry_flow_is_refused_before_the_file_is_read(tmp_path):
    with pytest.raises(ValueError, match='stem="vgg16". Received: .* Stem/block1_conv'):
        load_vgg16_weights(_build("inception"), tmp_path / "nowhere.h5")


def test_imagenet_is_downloaded_or_said_how_to_fetch(
    model, tensors, tmp_path, monkeypatch
):
    source = _keras2(tmp_path / "published.h5", tensors)
    published = vgg16._PUBLISHED
    nowhere = f"file://{tmp_path}/nowhere.h5"
    monkeypatch.setattr(vgg16, "_PUBLISHED", _with(published, address=nowhere))
    with pytest.raises(OSError, match=r"By hand: fetch file://.*notop\.h5 \(md5 6d6b"):
        load_vgg16_weights(model, "imagenet", tmp_path)
    md5 = md5_of(source)
    here = _with(published, address=source.as_uri(), md5=md5)
    monkeypatch.setattr(vgg16, "_PUBLISHED", here)
    load_vgg16_weights(model, "imagenet", tmp_path)
    kernel = _stem(model)["block1_conv1"].kernel
    np.testing.assert_array_equal(kernel, tensors["block1_conv1"][0])
    assert (tmp_path / published.file).is_file()


def _with(published, **changes):
    return vgg16._File(**{**vars(published), **changes})
