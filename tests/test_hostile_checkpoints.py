"""Damaged and hostile checkpoints are refused by name, and nothing of them runs."""

import pickle

import numpy as np
import pytest
from hostile_checkpoints import (
    HOSTILE,
    MAGIC,
    NUMBERS,
    PROTOCOL,
    TOUCH,
    Asks,
    old,
    random_state,
    saved,
    zipped,
)

from deephar import checkpoints
from deephar.checkpoints.pytorch import read_pytorch
from deephar.models import lifting


@pytest.fixture(scope="module")
def model():
    return lifting.build(3, 2, 3, (3,), 4)


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_or_damaged_checkpoint_is_refused(tmp_path, monkeypatch, case):
    monkeypatch.chdir(tmp_path)
    data, asked = HOSTILE[case]
    path = tmp_path / "bad.bin"
    path.write_bytes(data)
    with pytest.raises(
        ValueError, match="must be a whole checkpoint of PyTorch"
    ) as info:
        read_pytorch(path)
    assert str(info.value).startswith(str(path)) and asked in str(info.value)
    assert [one.name for one in tmp_path.iterdir()] == ["bad.bin"]


def test_they_would_be_read_without_what_is_wrong(tmp_path):
    path = tmp_path / "good.bin"
    other_machine = MAGIC + PROTOCOL + pickle.dumps({"little_endian": False}, 2)
    for data in (zipped(), old(), old(head=other_machine)):
        path.write_bytes(data)
        np.testing.assert_array_equal(read_pytorch(path)["model_pos"], [1, 2, 3, 4])
    path.write_bytes(zipped(saved(random_state()), {}))
    assert read_pytorch(path)["model_pos"].get_state()[2] == 5
    path.write_bytes(zipped(byteorder=b"big"))
    expected = np.frombuffer(NUMBERS, ">f4")
    np.testing.assert_array_equal(read_pytorch(path)["model_pos"], expected)


def test_one_of_them_would_run_in_pythons_own_reader(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pickle.loads(pickle.dumps(Asks(eval, TOUCH)))
    assert (tmp_path / "ran").is_file()


@pytest.mark.parametrize(
    "case", ["a command", "a command, old", "a storage of no tensor"]
)
def test_a_refused_checkpoint_leaves_the_model_as_it_was(model, tmp_path, case):
    before = [weight.numpy() for weight in model.weights]
    path = tmp_path / "weights.bin"
    path.write_bytes(HOSTILE[case][0])
    with pytest.raises(ValueError, match=r"weights\.bin must be a whole checkpoint"):
        checkpoints.load_weights(model, path)
    for weight, value in zip(model.weights, before, strict=True):
        np.testing.assert_array_equal(weight.numpy(), value)


@pytest.mark.parametrize("name", ["lifting_old.bin", "lifting_semi.bin"])
def test_a_checkpoint_cut_short_is_refused(tmp_path, golden, name):
    data = (golden / name).read_bytes()
    path = tmp_path / "cut.bin"
    for length in range(0, len(data), len(data) // 40):
        path.write_bytes(data[:length])
        with pytest.raises(ValueError, match=r"cut\.bin must be a whole checkpoint"):
            read_pytorch(path)


@pytest.mark.parametrize("name", ["lifting_old.bin", "lifting_semi.bin"])
def test_a_checkpoint_with_a_changed_byte_is_read_or_refused(tmp_path, golden, name):
    data = (golden / name).read_bytes()
    path = tmp_path / "changed.bin"
    refused = 0
    for place in range(0, len(data), len(data) // 150):
        changed = bytearray(data)
        changed[place] ^= 1 << place % 8
        path.write_bytes(changed)
        try:
            read_pytorch(path)
        except ValueError as error:
            assert str(error).startswith(str(path))
            refused += 1
    assert refused > 20


def test_a_folder_is_no_checkpoint(tmp_path):
    (tmp_path / "a.bin").mkdir()
    with pytest.raises(FileNotFoundError, match=r"no such file: .*a\.bin"):
        read_pytorch(tmp_path / "a.bin")
