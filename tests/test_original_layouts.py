"""Every layout of the original is read: nested, per frame, by order and by name.

The mirror models have a file's layers in its order; they are no networks.
"""

import dataclasses
import logging
import shutil

import h5py
import keras
import numpy as np
import pytest
from mirror_models import groups_of_file, mirror_model
from weight_damages import rename_all_layers, swap_numbered_layers
from weight_files import assert_equal, build, constant, names, set_names

from deephar import checkpoints
from deephar.checkpoints import KNOWN
from deephar.layers import FoldFrames, LayerNames, SplitChannels, UnfoldFrames
from deephar.models import reception
from deephar.models.blocks import build_softargmax_2d

MERGED = ("d_merge2d_poses", "e_merge3d", "g_cvpr18_merge2d")
# What the soft-argmaxes, the aggregation and the like hold in each file.
CONSTANTS = {**dict.fromkeys(MERGED, 9), "e_merge3d": 5}


def file_of(shared, name):
    return shared / "golden" / "models" / name / "weights.h5"


def assert_all_used(path, places):
    """Every tensor of a file that has a variable is in it; the number of the others."""
    constants = 0
    with h5py.File(path) as file:
        for group in names(file, "layer_names"):
            for name in names(file[group]):
                key = f"{group}/{name}"
                if key in places:
                    np.testing.assert_array_equal(places[key], file[group][name])
                constants += key not in places
    return constants


def without_td(name):
    return name.removeprefix("td_")


@pytest.mark.parametrize("by_name, rename", [(False, str), (True, without_td)])
@pytest.mark.parametrize("name", MERGED)
def test_merged_models_are_read_by_order_and_by_name(shared, name, by_name, rename):
    path = file_of(shared, name)
    model, places = mirror_model(path, rename)
    checkpoints.load_weights(model, path, by_name=by_name)
    assert assert_all_used(path, places) == CONSTANTS[name]
    assert len(places) == len(model.weights)


def pose_parts(pose):
    """The frame model of a merged network, built from the layers of a pose network."""
    part, names = pose.get_layer, LayerNames()
    xi = keras.Input((32, 32, 576), name="features")
    x = part("SepConv1")(xi)
    x = keras.layers.Add(name=names("add"))(
        [xi, x, part("fReMap1")(part("RegMap1")(x))]
    )
    x = part("RegMap2")(part("SepConv2")(part("rBlock2")(x)))
    regression = keras.Model(xi, x, name="Model1")
    features = part("rBlock1")(part("Stem")(pose.input))
    hs, hc = SplitChannels(16, name="split")(regression(features))
    y = part("Agg")([part("sSAM")(hs), part("cSAM")(hc), part("cjProb")(hc)])
    return keras.Model(pose.input, [y, features], name="frame_model")


def test_a_frame_model_and_a_clip_head_are_read_as_one(shared, tmp_path):
    path = file_of(shared, "d_merge2d_poses")
    pose = reception.build((256, 256, 3), 16, 2, num_blocks=2, ksize=(5, 5))
    frames = keras.Input((2, 256, 256, 3))
    parts = pose_parts(pose)(FoldFrames(name="fold")(frames))
    poses = [UnfoldFrames(2, name=f"unfold_{i}")(x) for i, x in enumerate(parts)]
    head, places = mirror_model(
        path, keep=lambda g: "AR" in g or g.startswith("sep"), name="clip_head"
    )
    model = keras.Model([frames, *head.inputs], [*poses, *head(head.inputs)])
    checkpoints.load_weights(model, path)
    assert assert_all_used(path, places) == 164
    with h5py.File(path) as file:
        inner = pose.get_layer("rBlock2").get_layer("sepconv_l3_2_conv")
        np.testing.assert_array_equal(
            inner.pointwise_kernel,
            file["td_Model1/sepconv_l3_2_conv_1/pointwise_kernel:0"],
        )
    checkpoints.save_weights(model, tmp_path / "again.h5")
    assert_same_tensors(path, tmp_path / "again.h5")


def assert_same_tensors(path, other):
    """Two files hold the same values in the same order, whatever the names."""
    assert [[shapes for _, shapes in layers] for _, layers in groups_of_file(path)] == [
        [shapes for _, shapes in layers] for _, layers in groups_of_file(other)
    ]
    with h5py.File(path) as a, h5py.File(other) as b:
        pairs = zip(tensors(a), tensors(b), strict=True)
        for ours, theirs in pairs:
            np.testing.assert_array_equal(ours, theirs)


def tensors(file):
    for group in names(file, "layer_names"):
        yield from (file[group][name] for name in names(file[group]))


def test_swapped_last_convolutions_of_a_merged_model_are_refused(shared, tmp_path):
    path = shutil.copyfile(file_of(shared, "d_merge2d_poses"), tmp_path / "w.h5")
    model, _ = mirror_model(path)
    constant(model)
    with h5py.File(path, "a") as file:
        swap = {"separable_conv2d_3": "separable_conv2d_4"}
        swap |= {b: a for a, b in swap.items()}
        order = [swap.get(name, name) for name in names(file, "layer_names")]
        set_names(file, order, "layer_names")
    with pytest.raises(ValueError, match=r"of the model are in another order .*_3"):
        checkpoints.load_weights(model, path)
    assert all((v.numpy() == 7).all() for v in model.weights)


def test_the_identity_of_the_kl_regulariser_is_checked_and_dropped(tmp_path):
    inp = keras.Input((8, 8, 3))
    model = keras.Model(inp, build_softargmax_2d((8, 8, 3), rho=0.1, name="sSAM")(inp))
    checkpoints.save_weights(model, tmp_path / "w.h5")
    with h5py.File(tmp_path / "w.h5", "a") as file:
        assert names(file["sSAM"])[0] == "conv2d_1/kernel:0"
        checkpoints.load_weights(model, tmp_path / "w.h5")
        file["sSAM/conv2d_1/kernel:0"][0, 0, 1, 2] = 0.5
    with pytest.raises(ValueError, match=r"constants of conv2d_1 \(KLDivergenceReg"):
        checkpoints.load_weights(model, tmp_path / "w.h5")


# --- files whose md5 is published ---


@pytest.fixture
def published(tiny_file, tmp_path, monkeypatch):
    """A function that damages a file and puts its md5 into the table."""

    def publish(damage):
        path = shutil.copy(tiny_file, tmp_path / "published.h5")
        with h5py.File(path, "a") as file:
            damage(file)
        known = dataclasses.replace(KNOWN["mpii"], md5=checkpoints.md5_of(path))
        monkeypatch.setitem(KNOWN, "mpii", known)
        return path

    return publish


def test_a_published_file_is_read_by_order_whatever_its_names(
    published, tiny_model, caplog
):
    path, model = published(rename_all_layers), constant(build())
    with caplog.at_level(logging.WARNING):
        checkpoints.load_weights(model, path)
    assert_equal(model, tiny_model)
    assert "layer 1 is not the model's" in caplog.text
    assert "it is the published mpii" in caplog.text


def test_numbers_of_a_published_file_do_not_count(published, tiny_model):
    path, model = published(swap_numbered_layers), constant(build())
    checkpoints.load_weights(model, path)
    stem, theirs = model.get_layer("Stem"), tiny_model.get_layer("Stem")
    np.testing.assert_array_equal(
        stem.get_layer("conv2d_6").kernel, theirs.get_layer("conv2d_10").kernel
    )


def test_a_published_file_must_still_fit_in_every_tensor(published):
    def change(file):
        rename_all_layers(file)
        file["my_Agg/dense_1/kernel:0"][...] = 0.5

    path, model = published(change), constant(build())
    with pytest.raises(ValueError, match="must hold the constants of dense_1"):
        checkpoints.load_weights(model, path)
    with pytest.raises(ValueError, match="has none of the model's 11 layers"):
        checkpoints.load_weights(model, path, by_name=True)
