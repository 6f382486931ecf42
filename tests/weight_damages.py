"""Kinds of damage to a Keras 2 weight file, each with what its refusal says.

A damage is a function of an open file of a 2D pose network of two blocks.
"""

import numpy as np
from weight_files import names, rename, replace, set_names


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
    replace(file["RegMap1"], "conv2d_13/kernel:0", old.reshape(1, 1, -1, 576))


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


def swap_blocks(file):
    file.move("rBlock1", "kept")
    file.move("rBlock2", "rBlock1")
    file.move("kept", "rBlock2")


def swap_blocks_of_one_layer(file):
    file.move("SepConv1", "kept")
    file.move("SepConv2", "SepConv1")
    file.move("kept", "SepConv2")


def list_tensor_twice(file):
    regmap = file["RegMap1"]
    set_names(regmap, names(regmap) * 2)


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


def resize_soft_argmax(file):
    value = file["sSAM/custom_sam_1/depthwise_kernel:0"][1:]
    replace(file["sSAM"], "custom_sam_1/depthwise_kernel:0", value)


def drop_soft_argmax(file):
    sam = file["sSAM"]
    set_names(sam, names(sam)[:2])
    del sam["custom_sam_1"]


def make_constant_nan(file):
    file["Agg/dense_1/kernel:0"][0, 0] = np.nan


def make_text(file):
    replace(file["RegMap2"], "conv2d_16/kernel:0", "weights")


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
    (reshape, r"of RegMap1 .* its shape must be \(1, 1, 576, "),
    (swap_numbered_layers, r"of Stem are in another order"),
    (swap_named_layers, r"its layer must be sepconv_l3_1_conv"),
    (swap_blocks, r"of rBlock1 and rBlock2 are in another order"),
    (swap_blocks_of_one_layer, r"of SepConv1 and SepConv2 are in another order"),
    (list_tensor_twice, r"weight_names of /RegMap1 names twice: conv2d_13/kernel:0"),
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
    (resize_soft_argmax, r"of sSAM .* its shape must be"),
    (drop_soft_argmax, r"tensor 3 of sSAM .* the number of tensors differs"),
    (make_constant_nan, r"/Agg/dense_1/kernel:0 holds values that are not finite"),
    (make_text, r"of RegMap2 .* its shape must be"),
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
