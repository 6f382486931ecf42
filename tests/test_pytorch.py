"""PyTorch's checkpoints come back bit for bit without PyTorch, and go out again."""

import collections
import importlib.util
import struct
import zipfile

import numpy as np
import pytest
from hostile_checkpoints import name, part, random_state, saved, zipped

from deephar.checkpoints.pytorch import is_pytorch, read_pytorch, write_pytorch

needs_torch = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None, reason="PyTorch is not installed"
)
VALUES = {
    "epoch": 7,
    "lr": 1e-3,
    "random_state": np.random.RandomState(1234),
    "optimizer": {
        "state": {0: {"step": np.array(5.0, np.float32)}},
        "groups": [(1, 2)],
    },
    "model_pos": collections.OrderedDict(
        [
            ("expand_conv.weight", np.arange(24, dtype=np.float32).reshape(4, 2, 3)),
            ("expand_bn.num_batches_tracked", np.array(2**40)),
        ]
    ),
    "none": None,
    "others": [-(2**63), 2**32, True, "é", {}, [], (), np.float64(0.5), np.int32(3)],
}
TYPES = ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "?")
NAMES = (
    *("model_333_c64", "model_333_c64_legacy", "model_333_c64_causal"),
    *("model_333_c64_traj", "model_33333_c16", "trainsteps_sup", "trainsteps_semi"),
)


def assert_same(found, expected):
    """Asserts that what was read is what PyTorch itself, or we, wrote."""
    if isinstance(expected, dict):
        assert isinstance(found, dict) and list(found) == list(expected)
        for key in expected:
            assert_same(found[key], expected[key])
    elif isinstance(expected, list | tuple):
        assert type(found) is type(expected) and len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert_same(one, other)
    elif isinstance(expected, np.random.RandomState):
        ours, theirs = found.get_state(), expected.get_state()
        np.testing.assert_array_equal(ours[1], theirs[1])
        assert ours[2:] == theirs[2:]
    elif hasattr(expected, "numpy") or isinstance(expected, np.ndarray):
        array = np.asarray(expected)
        assert isinstance(found, np.ndarray)
        assert (found.dtype, found.shape) == (array.dtype, array.shape)
        assert found.tobytes() == array.tobytes()
    else:
        assert type(found) is type(expected) and found == expected


def test_what_is_written_comes_back(tmp_path):
    path = tmp_path / "a.bin"
    write_pytorch(path, VALUES)
    expected = VALUES | {"others": [*VALUES["others"][:-2], 0.5, 3]}
    assert_same(read_pytorch(path), expected)
    assert [one.name for one in tmp_path.iterdir()] == ["a.bin"]
    assert is_pytorch(path)


def test_the_numbers_of_tensors_are_aligned(tmp_path):
    path = tmp_path / "a.bin"
    write_pytorch(path, {str(n): np.full(n, 1.5) for n in range(9)})
    with zipfile.ZipFile(path) as archive, open(path, "rb") as file:
        for info in archive.infolist():
            file.seek(info.header_offset + 26)
            name, extra = struct.unpack("<HH", file.read(4))
            assert (info.header_offset + 30 + name + extra) % 64 == 0


@pytest.mark.parametrize("name", NAMES)
def test_the_weights_of_the_original_come_back_bit_for_bit(shared, name):
    folder = shared / "golden" / "lifting"
    found = read_pytorch(folder / f"{name}.bin")
    numbers = name.removesuffix("_legacy")
    with np.load(folder / f"{numbers}.npz") as file:
        weights = {
            key.removeprefix("sd/"): file[key] for key in file if key[:3] == "sd/"
        }
    assert found["epoch"] == (1 if "trainsteps" in name else 7)
    for key, value in weights.items():
        assert found["model_pos"][key].tobytes() == value.tobytes()
    assert len(weights) == (0 if "trainsteps" in name else len(found["model_pos"]))


@needs_torch
@pytest.mark.parametrize("name", NAMES)
def test_pytorch_reads_the_same_and_reads_what_we_write(shared, tmp_path, name):
    import torch

    path = shared / "golden" / "lifting" / f"{name}.bin"
    found = read_pytorch(path)
    theirs = torch.load(path, weights_only=False)
    assert_same(found, theirs)
    write_pytorch(tmp_path / "ours.bin", found)
    again = torch.load(tmp_path / "ours.bin", weights_only=False)
    assert_same(found, again)


@needs_torch
def test_pytorch_maps_ours_in_memory_and_asks_for_no_trust(tmp_path):
    import torch

    values = {kind: np.arange(2).astype(kind) for kind in TYPES}
    write_pytorch(tmp_path / "a.bin", values | {"deephar": {"filter_widths": [3, 3]}})
    found = torch.load(tmp_path / "a.bin", weights_only=True, mmap=True)
    assert found.pop("deephar") == {"filter_widths": [3, 3]}
    assert_same(values, found)


@needs_torch
@pytest.mark.parametrize("zipped", [True, False])
def test_other_types_and_views_of_tensors_come_back(tmp_path, zipped):
    import torch

    base = torch.arange(12.0)
    values = {
        "types": [
            torch.ones(2).to(getattr(torch, t)) for t in ("half", "bool", "short")
        ],
        "bfloat16": torch.tensor([1.5, -2.0], dtype=torch.bfloat16),
        "transposed": base.view(3, 4).T,
        "part": base[3:6],
        "nothing": torch.zeros((0, 3)),
        "parameter": torch.nn.Parameter(torch.ones(2)),
    }
    path = tmp_path / "a.pt"
    torch.save(values, path, _use_new_zipfile_serialization=zipped)
    found = read_pytorch(path)
    values["bfloat16"] = values["bfloat16"].float()
    values["parameter"] = values["parameter"].detach()
    assert_same(found, values)
    found["part"][0] = 50
    assert found["transposed"][3, 0] == 50


def of_numpy_1(*arguments):
    """The operations that make a RandomState as NumPy 1.17 to 1.26 write it."""
    kind, key, position, *_ = np.random.RandomState(3).get_state()
    state = {
        "bit_generator": kind,
        "state": {"key": key, "pos": position},
        "has_gauss": 0,
        "gauss": 0.0,
    }
    begin = name("numpy.random._pickle", "__randomstate_ctor") + b"("
    return begin + b"".join(arguments) + b"tR" + part(state) + b"b"


@pytest.mark.parametrize(
    "operations",
    [
        random_state(key=np.random.RandomState(3).get_state()[1], pos=624),
        of_numpy_1(part("MT19937")),
        of_numpy_1(
            part("MT19937"), name("numpy.random._pickle", "__bit_generator_ctor")
        ),
        part(np.random.RandomState(3)),
    ],
    ids=["0.4 to 1.16", "1.17 to 1.23", "1.24 to 1.26", "the present"],
)
def test_random_numbers_of_every_numpy_are_read(tmp_path, operations):
    path = tmp_path / "a.bin"
    path.write_bytes(zipped(saved(operations), {}))
    found = read_pytorch(path)["model_pos"]
    expected = np.random.RandomState(3).uniform(size=700)
    np.testing.assert_array_equal(found.uniform(size=700), expected)
