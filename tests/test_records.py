"""Values of annotation files: strict reading, short messages."""

import json

import numpy as np
import pytest

from deephar.data.records import are_numbers, numbers, read_json, text
from deephar.utils.messages import shown


def nested(depth, value=0.0):
    """A list that unrolls to two to the power of `depth` values."""
    for _ in range(depth):
        value = [value, value]
    return value


def endless():
    value = [1.0, 2.0]
    value[1] = value
    return value


@pytest.mark.parametrize(
    "value",
    [[1, 2.5], (1, 2.5), np.array([1, 2.5]), [np.int64(1), 2.5], [np.array(1), 2.5]],
)
def test_lists_tuples_and_arrays_of_numbers_are_read(value):
    found = numbers("it", "box", value, (2,))
    assert found.dtype == np.float64 and found.tolist() == [1, 2.5]


NO_NUMBERS = {
    "nothing": None,
    "a text": "12",
    "texts": ["1", "2"],
    "truth values": [True, False],
    "truth values of NumPy": np.array([True, False]),
    "complex numbers": [1j, 2],
    "complex numbers of NumPy": np.array([1j, 2]),
    "objects": np.array([1, 2], object),
    "three": [1, 2, 3],
    "a number": 3,
    "a list in it": [[1], 2],
    "a dictionary": {1: 1, 2: 2},
    "an integer beyond floats": [10**400, 1],
    "an integer that is not written out": [1 << 200000, 1],
    "lists that unroll without end": nested(200),
    "a list in itself": endless(),
    "texts of half a megabyte": ["x" * 500000, 1],
    "many": list(range(200000)),
}


@pytest.mark.parametrize("name", NO_NUMBERS)
def test_anything_else_is_refused_with_a_short_message(name):
    with pytest.raises(ValueError, match="`box` of it must be 2 finite numbers") as e:
        numbers("it", "box", NO_NUMBERS[name], (2,))
    assert len(str(e.value)) < 300


def test_numbers_need_be_finite_only_if_it_matters():
    value = [[1, float("nan")]]
    with pytest.raises(ValueError, match="must be 1 x 2 finite numbers"):
        numbers("it", "joints", value, (1, 2))
    assert np.isnan(numbers("it", "joints", value, (1, 2), finite=False)[0, 1])
    assert are_numbers(value, (1, 2)) and not are_numbers(value, (2, 1))


@pytest.mark.parametrize("value", [None, "", 5, b"a", ["a"]])
def test_a_text_is_no_other_value(value):
    with pytest.raises(ValueError, match="`id` of it must be a text. Received: id="):
        text("it", "id", value)
    assert text("it", "id", np.str_("a")) == "a"


@pytest.mark.parametrize("content", ["[", "[" * 200000, "\xff"])
def test_a_file_that_is_no_json_is_named(tmp_path, content):
    (tmp_path / "a.json").write_bytes(content.encode("latin-1"))
    with pytest.raises(ValueError, match=r"a\.json must be a whole JSON file"):
        read_json(tmp_path / "a.json")


def test_json_as_windows_writes_it_is_read(tmp_path):
    text = json.dumps(["é"], ensure_ascii=False)
    (tmp_path / "a.json").write_text(text, encoding="utf-8-sig")
    assert read_json(tmp_path / "a.json") == ["é"]


def test_values_in_messages_are_short_and_plain():
    assert shown([1, 2.5, "a\x1b"]) == r"[1, 2.5, 'a\x1b']"
    assert shown([[1], {"a": 1}]) == "[[...], {...}]"
    assert shown(np.zeros((16, 3))) == "an array (16, 3) of float64"
    assert shown(1 << 200000) == "an integer of 200001 bits"
