"""Pickles of data are read, and those that ask for more are refused, not run."""

import collections
import copyreg
import io
import os
import pickle
import struct
import subprocess

import numpy as np
import pytest

from deephar.utils.pickles import restricted_load

DATA = {
    "text": ["17_2-0004.jpg", "", "é", b"\x00\xff", bytearray(b"ab")],
    "numbers": (1, -(2**70), 2.5, True, None, 1e300, 3 + 4j),
    "sets": [{1, "a"}, frozenset({(1, 2)}), set(), {frozenset({1}), frozenset()}],
    "tuples": ((), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)),
    ("a", 1.5): collections.OrderedDict(a=[1], b=[2]),
    ("a", (1, (2, None))): -(2**63),
}
ARRAYS = [
    np.arange(6.0).reshape(2, 3),
    np.asfortranarray(np.arange(6, dtype=">i2").reshape(2, 3)),
    np.array([["ab", "c"]]),
    np.array([True, False]),
    np.zeros((0, 3), np.float32),
    np.array(7, np.uint8),
    np.arange(16.0).reshape(4, 4)[::2, ::2],
    np.float32(2.5),
    np.int64(-3),
    np.str_("text"),
    np.str_(""),
    np.bytes_(b""),
    np.array(["", ""]),
    np.array([["a", 1, None], [2.5, True, b"c"]], object),
    np.asfortranarray(np.array([["a", 1], [2.5, None]], object)),
    np.array([None, [1], {"a": (2, [])}], object),
    np.zeros((1,) * 33),
    np.array(["\U0010ffff"], ">U1"),
]


def write(path, data):
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("protocol", range(6))
def test_data_come_back_as_python_reads_them(tmp_path, protocol):
    data = pickle.dumps(DATA, protocol)
    assert restricted_load(write(tmp_path / "a.pkl", data)) == DATA


@pytest.mark.parametrize("protocol", range(6))
def test_arrays_and_scalars_of_numpy_come_back(tmp_path, protocol):
    path = write(tmp_path / "a.pkl", pickle.dumps([ARRAYS, ARRAYS], protocol))
    found, again = restricted_load(path)
    for one, other in zip(found, ARRAYS, strict=True):
        assert type(one) is type(other) and one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)
    assert again is found and found[0].flags.writeable


def test_names_of_numpy_1_and_of_python_2_are_known(tmp_path):
    data = pickle.dumps([ARRAYS[0], {1, 2}], 2)
    old = data.replace(b"numpy._core", b"numpy.core")
    old = old.replace(b"cbuiltins\n", b"c__builtin__\n")
    array, numbers = restricted_load(write(tmp_path / "a.pkl", old))
    np.testing.assert_array_equal(array, ARRAYS[0])
    assert numbers == {1, 2} and old != data


def test_arrays_as_python_2_wrote_them_come_back(tmp_path):
    value = np.array([-1.5, 2.5])
    data = (
        "cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR"
        "(I1\n(I2\ntcnumpy\ndtype\n(S'f8'\nI0\nI1\ntR(I3\nS'<'\nNNNI-1\nI-1\nI0\nt"
        f"bI00\nS{repr(value.tobytes())[1:]}\ntb."
    )
    path = write(tmp_path / "a.pkl", data.encode("ascii"))
    np.testing.assert_array_equal(restricted_load(path), value)


def test_values_that_stand_in_many_places_stay_one(tmp_path):
    shared = list(range(17))
    data = pickle.dumps([{"names": shared, "number": i} for i in range(100)])
    found = restricted_load(write(tmp_path / "a.pkl", data))
    assert found[0]["names"] == shared and found[0]["names"] is found[99]["names"]


def test_a_long_list_of_small_sets_comes_back(tmp_path):
    data = [{i} for i in range(1000)]
    assert restricted_load(write(tmp_path / "a.pkl", pickle.dumps(data))) == data


class Asks:
    """Asks for a call when it is read."""

    def __init__(self, function, *arguments, state=None):
        self.call = (function, arguments)
        self.state = (state,) if state is not None else ()

    def __reduce__(self):
        return *self.call, *self.state


class Plain:
    """A class of somebody's own."""


TOUCH = "open('ran', 'w').close()"
PROTO = b"\x80\x04"
HUGE = struct.pack("<Q", 2**40)


def array(shape, letters, data, state=(3, "<", None, None, None, -1, -1, 0)):
    """The pickle of an array, whose parts need not agree."""
    buffer = io.BytesIO()
    pickler = pickle.Pickler(buffer, 4)
    dtype = Asks(np.dtype, letters, False, True, state=state)
    make = np.zeros(1).__reduce__()[0]
    state = (1, shape, dtype, False, data)
    pickler.dump(Asks(make, np.ndarray, (0,), b"b", state=state))
    return buffer.getvalue()


def nested_tuples():
    """Tuples, each of the one before, twice; the memory has the last as 22."""
    kept = b"".join(b"h%c" % i * 2 + b"\x86\x94" + b"0" for i in range(22))
    return PROTO + b"K\x01\x940" + kept


def nested(depth=101):
    """Lists, each in the next, of which Python shows and compares few more."""
    value = []
    for _ in range(depth - 1):
        value = [value]
    return value


def unrolled(times=28):
    """Lists, each of the one before, twice: 332 bytes that fill any memory."""
    value = [0.0]
    for _ in range(times):
        value = [value, value]
    return value


def endless():
    value = [1]
    value.append(value)
    return value


FOREVER = nested_tuples()
MANY = b"](" + b"\x8c\x01a" * 200 + b"e\x940"
"""A list of 200 texts, which the memory has."""
FLOAT = b"cnumpy\ndtype\n\x8c\x02f8\x85R"
FLOAT_STATE = b"(K\x03\x8c\x01<NNNt"

HOSTILE = {
    "a command": (pickle.dumps(Asks(os.system, "touch ran")), ".system"),
    "a command, protocol 0": (b"cos\nsystem\n(S'touch ran'\ntR.", "os.system"),
    "an instance": (b"(S'touch ran'\nios\nsystem\n.", "INST (os system)"),
    "an object": (b"(cos\nsystem\nS'touch ran'\no.", "os.system"),
    "a process": (pickle.dumps(Asks(subprocess.call, ["touch", "ran"])), "subprocess"),
    "eval": (pickle.dumps(Asks(eval, TOUCH)), "builtins.eval"),
    "exec of Python 2": (b"c__builtin__\nexec\n(S'%s'\ntR." % TOUCH.encode(), "exec"),
    "getattr": (pickle.dumps(Asks(getattr, "", "format")), "builtins.getattr"),
    "a file": (pickle.dumps(Asks(open, "ran", "w")), "io.open"),
    "a pickle in a file of NumPy": (pickle.dumps(Asks(np.load, "x")), "numpy.load"),
    "a name in an allowed module": (PROTO + b"cnumpy\nfromfile\n.", "numpy.fromfile"),
    "a name with dots": (
        PROTO + b"\x8c\x05numpy\x8c\x0ddtype.__new__\x93.",
        "numpy.dtype.__new__",
    ),
    "a name with an escape that is none": (b"cos\n\\.path\n.", "os.\\\\.path"),
    "a class": (pickle.dumps(Plain()), "test_pickles.Plain"),
    "a class without a call": (PROTO + b"cnumpy\nndarray\n.", "the name numpy.ndarray"),
    "a class, protocol 2": (b"\x80\x02cnumpy\nndarray\n)\x81.", "NEWOBJ"),
    "a call of an array": (PROTO + b"cnumpy\nndarray\nK\x09\x85R.", "numpy.ndarray"),
    "a persistent object": (b"Pelsewhere\n.", "PERSID (elsewhere)"),
    "an extension": (b"\x80\x02\x82\x01.", "EXT1"),
    "the state of a list": (b"\x80\x02]}b.", "a description of what needs none"),
    "a buffer from outside": (b"\x80\x05\x97.", "NEXT_BUFFER"),
    "an array of names": (array((1,), "O8", [Asks(eval, "1")]), "builtins.eval"),
    "an array of fewer objects": (array((3,), "O8", [1, 2]), "shape (3,) of 2 objects"),
    "objects for an array of numbers": (array((1,), "f8", [1]), "other than objects"),
    "an array of objects of bytes": (array((1,), "O8", b"\1" * 8), "objects of bytes"),
    "an array of dates": (pickle.dumps(np.zeros(2, "M8[D]")), "'M8'"),
    "an array of records": (pickle.dumps(np.zeros(2, [("a", "i4")])), "'V4'"),
    "an array larger than its bytes": (array((10**9, 10**9), "f8", b"\0" * 8), "bytes"),
    "an array of no character": (array((1,), "U1", b"\xff" * 4), "no character"),
    "a text of no character": (
        PROTO
        + b"cnumpy._core.multiarray\nscalar\n"
        + FLOAT.replace(b"f8", b"U1")
        + FLOAT_STATE.replace(b"t", b"K\x04K\x04K\x08t")
        + b"bC\x04\xff\xff\xff\xff\x86R.",
        "no character",
    ),
    "an array of empty texts without end": (array((2**39,), "U0", b""), "far beyond"),
    "an array without end, of nothing": (array((0, 2**50), "f8", b""), "shape tuple"),
    "an array that is not empty at first": (
        pickle.dumps(Asks(np.zeros(1).__reduce__()[0], np.ndarray, (3,), b"b")),
        "an empty array of the shape (3,)",
    ),
    "a type described twice": (
        PROTO + FLOAT + b"2" + FLOAT_STATE + b"b0" + FLOAT_STATE + b"b.",
        "a description of what needs none",
    ),
    "the objects of an array, a thousand times": (
        PROTO
        + MANY
        + b"cnumpy._core.multiarray\n_reconstruct\n\x940"
        + b"cnumpy\nndarray\nK\x00\x85C\x01b\x87\x940"
        + FLOAT.replace(b"f8", b"O8")
        + FLOAT_STATE.replace(b"<", b"|")
        + b"b\x940(K\x01K\xc8\x85h\x03\x89h\x00t\x940("
        + b"h\x01h\x02Rh\x04b" * 1000
        + b"l.",
        "far beyond the size",
    ),
    "a type for a value": (
        pickle.dumps(np.dtype("f8")),
        "a type that is not described",
    ),
    "an array that is not described": (
        PROTO + b"cnumpy._core.multiarray\n_reconstruct\ncnumpy\nndarray\n"
        b"K\x00\x85C\x01b\x87R\x85.",
        "an array or a type that is not described",
    ),
    "an array of a negative size": (array((-1, -1), "f8", b"\0" * 8), "tuple"),
    "a type with parts out of bounds": (
        array((1,), "f8", b"\0" * 8, (3, "|", None, ("a",), {"a": 1}, 9, 1, 0)),
        "made of others",
    ),
    "absurd bytes": (PROTO + b"\x8e" + HUGE + b"ab.", "bytes"),
    "an absurd length of zeros": (pickle.dumps(Asks(bytearray, 2**40)), "no bytes"),
    "small bytes, copied a thousand times": (
        PROTO + b"C\xff" + b"\0" * 255 + b"\x940"
        b"(" + b"cbuiltins\nbytearray\nh\x00\x85R" * 1000 + b"l.",
        "far beyond the size",
    ),
    "a list, copied a thousand times": (
        PROTO + MANY + b"(" + b"cbuiltins\nset\nh\x00\x85R" * 1000 + b"l.",
        "far beyond the size",
    ),
    "lists that unroll without end": (pickle.dumps(unrolled()), "far beyond the size"),
    "a list in itself": (pickle.dumps(endless()), "holds itself"),
    "lists in lists": (pickle.dumps(nested()), "more than 100 containers"),
    "lists in lists, the inner ones first": (
        PROTO + b"]\x940" + b"(" + b"h%c\x85\x94" * 101 % (*range(101),) + b"l.",
        "more than 100 containers",
    ),
    "ten thousand empty sets": (
        PROTO + b"(" + b"\x8f" * 10000 + b"l.",
        "far beyond the size",
    ),
    "a key that takes forever": (FOREVER + b"}h\x16K\x01s.", "a key or member"),
    "the same as a member": (
        FOREVER + b"\x8f(h\x16\x90.",
        "a key or member",
    ),
    "the same in a frozenset": (
        FOREVER + b"(h\x16\x91.",
        "a key or member",
    ),
    "the same in a set of protocol 2": (
        FOREVER + b"cbuiltins\nset\n](h\x16e\x85R.",
        "a key or member",
    ),
    "the same in an ordered dictionary": (
        FOREVER + b"ccollections\nOrderedDict\n](h\x16K\x01\x86e\x85R.",
        "a key or member",
    ),
    "a wide key": (pickle.dumps({(1,) * 101: 1}), "more than 100 parts"),
    "keys of one hash": (pickle.dumps({9 * (2**61 - 1): 1}), "more than 64 bits"),
    "a complex key": (pickle.dumps({1j: 1}), "a key or member"),
    "a complex key of NumPy": (pickle.dumps({np.complex64(1j): 1}), "a key or member"),
    "keys without end": (
        pickle.dumps({(n, (0,) * 97): 1 for n in range(101)}),
        "of more than 10000 parts",
    ),
    "members for a tuple": (PROTO + b")(K\x01e.", "members for what is no list"),
    "members for a dictionary": (PROTO + b"}(K\x01\x90.", "for what is no set"),
    "a mark too many": (PROTO + b"(K\x01.", "more than one value"),
    "a protocol of the future": (b"\x80\x09K\x01.", "the protocol 9"),
    "a name that clears the screen": (
        b"c\x1b[2Jos\nsystem\n.",
        r"asks for \x1b[2Jos.system",
    ),
    "a copyreg call": (
        pickle.dumps(Asks(copyreg._reconstructor, Plain, object, None)),
        "copyreg._reconstructor",
    ),
    "two values": (pickle.dumps(1) + pickle.dumps(Asks(eval, TOUCH)), "behind it"),
    "a memory of what is not there": (PROTO + b"h\x07.", "7"),
    "an empty stack": (PROTO + b"0.", "pop from empty list"),
    "no end": (PROTO + b"K\x01", "it has no end"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_pickle_is_refused_and_nothing_runs(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    data, asked = HOSTILE[name]
    path = write(tmp_path / "bad.pkl", data)
    with pytest.raises(ValueError, match="must be a whole pickle of") as caught:
        restricted_load(path)
    text = str(caught.value)
    assert text.startswith(str(path)) and asked in text
    assert [one.name for one in tmp_path.iterdir()] == ["bad.pkl"]


def test_one_of_them_would_run_in_pythons_own_reader(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pickle.loads(HOSTILE["eval"][0])
    assert (tmp_path / "ran").is_file()


def test_a_pickle_cut_short_anywhere_is_refused(tmp_path):
    data = pickle.dumps([{"a": ARRAYS[0]}, (1, "b")])
    for length in range(len(data)):
        path = write(tmp_path / "cut.pkl", data[:length])
        with pytest.raises(ValueError, match=f"of {length}$"):
            restricted_load(path)


def test_a_pickle_with_a_changed_byte_is_read_or_refused(tmp_path):
    data = pickle.dumps([{"a": ARRAYS[0], "b": ARRAYS[2]}, (1, "b")], 2)
    refused = 0
    for place in range(len(data)):
        changed = bytearray(data)
        changed[place] ^= 1 << place % 8
        try:
            restricted_load(write(tmp_path / "changed.pkl", changed))
        except ValueError:
            refused += 1
    assert len(data) / 2 < refused < len(data)


def test_another_table_allows_other_names(tmp_path):
    path = write(tmp_path / "a.pkl", pickle.dumps(Asks(divmod, 7, 2)))
    table = {"builtins.divmod": lambda budget, *numbers: numbers}
    assert restricted_load(path, table) == (7, 2)
    with pytest.raises(ValueError, match="asks for builtins.divmod"):
        restricted_load(path)


@pytest.mark.parametrize("error", [SystemError, OverflowError, MemoryError, KeyError])
def test_what_a_damaged_file_raises_anywhere_is_a_value_error(tmp_path, error):
    def damaged(*arguments):
        raise error("broken")

    path = write(tmp_path / "a.pkl", pickle.dumps(Asks(divmod, 7, 2)))
    with pytest.raises(ValueError, match=r"a\.pkl must be a whole pickle .*broken"):
        restricted_load(path, {"builtins.divmod": damaged})


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no such file: .*nothing\.pkl"):
        restricted_load(tmp_path / "nothing.pkl")
