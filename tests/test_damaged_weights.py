"""Weight files that are refused, and that refusal changes nothing."""

import os
import shutil

import h5py
import numpy as np
import pytest
from weight_damages import DAMAGES, DAMAGES_BY_NAME
from weight_files import assert_untouched, build, constant, replace

from deephar import checkpoints
from deephar.models import reception


@pytest.fixture(scope="module")
def receiver():
    """A model that tests of refusal fill with sevens and look at afterwards."""
    return build()


@pytest.fixture
def copy(tiny_file, tmp_path):
    return shutil.copy(tiny_file, tmp_path / "damaged.h5")


@pytest.fixture
def copy3(tiny_file3, tmp_path):
    return shutil.copy(tiny_file3, tmp_path / "damaged.weights.h5")


def assert_refused(model, path, message, by_name=False, error=ValueError):
    with pytest.raises(error, match=message) as caught:
        checkpoints.load_weights(model, path, by_name=by_name)
    assert str(path) in str(caught.value)
    assert_untouched(model)


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
    assert_refused(receiver, copy, message, by_name)


@pytest.fixture(scope="module")
def original(shared):
    """A file of the original code, and a model for it that tests do not change."""
    model = reception.build((256, 256, 3), 16, 2, num_blocks=2, ksize=(5, 5))
    models = shared / "golden" / "models"
    return models / "a_rec2d_concat" / "weights.h5", constant(model)


@pytest.mark.parametrize("damage, message", DAMAGES)
def test_damaged_file_of_the_original_is_refused(original, tmp_path, damage, message):
    path, model = original
    path = shutil.copyfile(path, tmp_path / "damaged.h5")
    with h5py.File(path, "a") as file:
        damage(file)
    assert_refused(model, path, message)


@pytest.mark.parametrize("kept", [0, 500, 0.3, 0.9, 0.9999])
def test_truncated_file_of_the_original_is_refused(original, tmp_path, kept):
    path, model = original
    path = shutil.copyfile(path, tmp_path / "damaged.h5")
    size = os.path.getsize(path)
    os.truncate(path, kept if kept >= 1 else int(kept * size))
    assert_refused(model, path, "not an HDF5 file, or truncated", error=OSError)


def test_overwritten_bytes_of_a_compressed_file_are_refused(original, tmp_path):
    path, model = original
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 5000] = b"?" * 5000
    path = tmp_path / "damaged.h5"
    path.write_bytes(data)
    assert_refused(model, path, "damaged", error=(OSError, ValueError))


@pytest.mark.parametrize(
    "other", "a_rec2d_oldmodel b_rec3d d_merge2d_poses f_pose1 g_action_pose".split()
)
def test_another_file_of_the_original_is_refused(original, other):
    path, model = original
    path = path.parents[1] / other / "weights.h5"
    assert_refused(model, path, r"is not the model's|layer \d+ is not")
    assert_refused(model, path, "of the model.s|stand for the same", by_name=True)


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
def test_file_of_another_model_is_refused(tiny_file, arguments, message):
    model = constant(build(**arguments))
    with pytest.raises(ValueError, match=message):
        checkpoints.load_weights(model, tiny_file)
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


def test_keras_3_file_by_another_ending_is_refused(tiny_file3, receiver, tmp_path):
    path = shutil.copy(tiny_file3, tmp_path / "weights.hdf5")
    with pytest.raises(ValueError, match=r"must end in \.weights\.h5"):
        checkpoints.load_weights(receiver, path)


def test_keras_3_files_are_not_read_by_name(tiny_file3, receiver):
    with pytest.raises(ValueError, match="`by_name` is only for files of Keras 2"):
        checkpoints.load_weights(receiver, tiny_file3, by_name=True)
