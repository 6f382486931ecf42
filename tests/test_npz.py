"""Objects of .npz files are read without running anything, and bombs are refused."""

import io
import zipfile

import numpy as np
import pytest

from deephar.utils.npz import restricted_npz_object


def bytes_of_object(value):
    file = io.BytesIO()
    np.save(file, np.array(value, object), allow_pickle=True)
    return file.getvalue()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.npz"


def test_dictionaries_of_arrays_come_back(path):
    walk = np.arange(12, dtype=np.float32).reshape(2, 2, 3)
    np.savez_compressed(path, positions_3d={"S1": {"Walk": walk, "twice": [walk] * 2}})
    found = restricted_npz_object(path, "positions_3d")["S1"]
    np.testing.assert_array_equal(found["Walk"], walk)
    assert found["twice"][1].dtype == np.float32 and len(found["twice"]) == 2


def test_arrays_of_what_detectors_find_come_back(shared):
    path = shared / "golden" / "lifting" / "detectron_raw.npz"
    with np.load(path, allow_pickle=True) as file:
        expected = file["keypoints"]
    found = restricted_npz_object(path, "keypoints")
    assert found.shape == (12, 2) and found.dtype == object
    for one, other in zip(found.ravel(), expected.ravel(), strict=True):
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other))
    metadata = restricted_npz_object(path, "metadata")
    assert set(metadata) == {"w", "h"}


def test_a_missing_file_is_named(path):
    with pytest.raises(FileNotFoundError, match=r"no such file: .*a\.npz"):
        restricted_npz_object(path, "x")


def test_an_absent_name_is_named(path):
    np.savez(path, y={"a": 1})
    with pytest.raises(ValueError, match="object x.*no item named 'x.npy'"):
        restricted_npz_object(path, "x")


def test_numbers_are_no_object(path):
    np.savez(path, x=np.zeros(3))
    with pytest.raises(ValueError, match="an array of float64, not an object"):
        restricted_npz_object(path, "x")


def test_what_grows_far_beyond_its_file_is_refused_before_it_is_read(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", b"\0" * 30_000_000)
    with pytest.raises(ValueError, match=r"30000000 bytes, compressed to \d+"):
        restricted_npz_object(path, "x")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data[:-1], "it has no end"),
        (lambda data: data + b"x", "something behind the object"),
        (lambda data: b"x" + data, "magic string is not correct"),
        (lambda data: data.replace(b"'shape': ()", b"'shape': 8 "), "shape is not val"),
    ],
)
def test_damaged_objects_are_refused(path, change, message):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", change(bytes_of_object({"a": 1})))
    with pytest.raises(ValueError, match=rf"a\.npz must be a whole.*({message})"):
        restricted_npz_object(path, "x")


def test_a_file_that_is_no_npz_is_refused(path):
    path.write_bytes(b"PK\3\4 nothing")
    with pytest.raises(ValueError, match=r"must be a whole \.npz file .* not a zip"):
        restricted_npz_object(path, "x")
