"""Checkpoints that are damaged or made to harm, as bytes, and what refuses them."""

import io
import os
import pickle
import struct
import subprocess
import tarfile
import zipfile

import numpy as np

TOUCH = "open('ran', 'w').close()"
NUMBERS = struct.pack("<4f", 1, 2, 3, 4)
MAGIC = pickle.dumps(0x1950A86A20F9469CFC6C, 2)
PROTOCOL = pickle.dumps(1001, 2)
SYSTEM = pickle.dumps({"little_endian": True}, 2)


class Asks:
    """Asks for a call when it is read."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


def name(module, text):
    """The operation that asks for a name."""
    return f"c{module}\n{text}\n".encode()


def part(value):
    """The operations that make a value, without a head and an end."""
    return pickle.dumps(value, 2)[2:-1]


def storage(key="0", count=4, kind="FloatStorage", place="cpu", more=b""):
    """The operations that look up a storage."""
    named = name("torch", kind) + part(key) + part(place) + part(count)
    return b"(" + part("storage") + named + more + b"tQ"


def tensor(stored=None, offset=0, size=(4,), stride=(1,), hooks=b"]"):
    """The operations that make a tensor."""
    stored = storage() if stored is None else stored
    numbers = part(offset) + part(size) + part(stride) + part(False)
    rebuild = name("torch._utils", "_rebuild_tensor_v2")
    return rebuild + b"(" + stored + numbers + hooks + b"tR"


def saved(operations=None):
    """A pickle {"model_pos": what the operations make}."""
    operations = tensor() if operations is None else operations
    return b"\x80\x02}(" + part("model_pos") + operations + b"u."


def zipped(data=None, members=None, folder="a", version=b"3\n", **more):
    """A file in the zip form."""
    file = io.BytesIO()
    everything = {
        "data.pkl": saved() if data is None else data,
        **({"data/0": NUMBERS} if members is None else members),
        **more,
        "version": version,
    }
    with zipfile.ZipFile(file, "w") as archive:
        for member, content in everything.items():
            if content is not None:
                archive.writestr(f"{folder}/{member}", content)
    return file.getvalue()


def old(data=None, keys=("0",), numbers=None, head=MAGIC + PROTOCOL + SYSTEM):
    """A file in the form before PyTorch 1.6."""
    data = saved() if data is None else data
    numbers = struct.pack("<q", 4) + NUMBERS if numbers is None else numbers
    return head + data + pickle.dumps(list(keys), 2) + numbers


def random_state(**change):
    """The operations that make a RandomState, of a state with changes."""
    state = {
        "kind": "MT19937",
        "key": np.arange(624, dtype=np.uint32),
        "pos": 5,
        "has_gauss": 0,
        "gauss": 0.0,
        **change,
    }
    begin = name("numpy.random", "__RandomState_ctor") + b")R"
    return begin + part(tuple(state.values())) + b"b"


def of_generator(kind):
    """The operations that make a RandomState of another generator."""
    make = name("numpy.random._pickle", "__bit_generator_ctor")
    generator = make + name(*kind) + b"\x85R"
    return name("numpy.random._pickle", "__randomstate_ctor") + generator + b"\x85R"


def with_two_members_of_one_name():
    data = zipped(**{"data/1": NUMBERS[:8], "data/2": b"text"})
    return data.replace(b"a/data/2", b"a/data/1")


def with_members_that_lie_over_each_other():
    """Two members of the directory are the same bytes of the file."""
    data = bytearray(zipped(**{"data/1": NUMBERS}))
    first, second = (data.rindex(name) for name in (b"a/data/0", b"a/data/1"))
    place = slice(first - 4, first)  # the directory's: where a member begins
    data[second - 4 : second] = data[place]
    return bytes(data)


def changed_directory(member, offset, value):
    """Changes bytes of a member's entry in the directory."""
    data = bytearray(zipped())
    entry = data.rindex(member) - 46
    data[entry + offset : entry + offset + len(value)] = value
    return bytes(data)


def compressed():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/data.pkl", saved(tensor(storage(count=2**22))))
        archive.writestr("a/data/0", bytes(2**24))
        archive.writestr("a/version", b"3\n")
    return file.getvalue()


def tar():
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("storages"))
    return file.getvalue()


def holding_itself():
    return b"\x80\x02}q\x00X\x09\x00\x00\x00model_posh\x00s."


def of_lists(times=28):
    value = [0.0]
    for _ in range(times):
        value = [value, value]
    return pickle.dumps({"model_pos": value}, 2)


def keys_of_one_hash():
    """Frozensets, which have the exclusive or of their members' hashes for theirs."""
    many = frozenset(range(96))
    return pickle.dumps({"model_pos": {frozenset({n, many}): 0 for n in range(102)}}, 4)


def of_many_tensors():
    """A tensor, and 2000 more of a few bytes each."""
    again = name("torch._utils", "_rebuild_tensor_v2") + b"q\x0a0"
    arguments = b"(" + storage() + part(0) + part((4,)) + part((1,)) + b"\x89]tq\x0b0"
    return saved(again + arguments + b"](" + b"h\x0ah\x0bR" * 2000 + b"e")


HOSTILE = {
    "a command": (zipped(pickle.dumps(Asks(os.system, "touch ran"))), ".system"),
    "a command, old": (old(pickle.dumps(Asks(os.system, "touch ran"))), ".system"),
    "a command before the weights, old": (
        MAGIC + PROTOCOL + pickle.dumps(Asks(os.system, "touch ran")),
        ".system",
    ),
    "a command behind the weights, old": (
        MAGIC + PROTOCOL + SYSTEM + saved() + pickle.dumps(Asks(eval, TOUCH)),
        "builtins.eval",
    ),
    "a command for the magic number": (
        pickle.dumps(Asks(eval, TOUCH)),
        "builtins.eval",
    ),
    "eval among the weights": (zipped(saved(part(Asks(eval, TOUCH)))), "eval"),
    "a process": (zipped(pickle.dumps(Asks(subprocess.call, ["ls"]))), "subprocess"),
    "getattr": (zipped(pickle.dumps(Asks(getattr, "", "join"))), "builtins.getattr"),
    "a file": (zipped(pickle.dumps(Asks(open, "ran", "w"))), "io.open"),
    "a file of NumPy": (zipped(pickle.dumps(Asks(np.load, "x"))), "numpy.load"),
    "a command by a persistent id": (
        zipped(saved(part(Asks(eval, TOUCH)) + b"Q")),
        "__builtin__.eval",
    ),
    "a checkpoint in a checkpoint": (
        zipped(saved(name("torch.serialization", "load") + part(("b",)) + b"R")),
        "torch.serialization.load",
    ),
    "a module of PyTorch": (
        zipped(saved(name("torch.nn.modules.linear", "Linear") + b")\x81")),
        "torch.nn.modules.linear.Linear",
    ),
    "a class of its own": (zipped(saved(name("models", "Net") + b")R")), "models.Net"),
    "a storage that is called": (
        zipped(saved(name("torch", "FloatStorage") + b")R")),
        "a call of a type",
    ),
    "a storage for a value": (zipped(saved(storage())), "not described"),
    "a storage that is described": (
        zipped(saved(storage() + b"}b")),
        "a description of a storage",
    ),
    "attributes of weights": (
        zipped(
            saved(name("collections", "OrderedDict") + b")R" + part({"a": 1}) + b"b")
        ),
        "attributes of an ordered dictionary",
    ),
    "a persistent id of something else": (
        zipped(saved(part(("module", 1, 2, 3, 4)) + b"Q")),
        "a persistent id that is not of a storage",
    ),
    "a storage of texts": (
        zipped(saved(tensor(storage().replace(b"ctorch\nFloatS", b"ctorch\nTextS")))),
        "torch.TextStorage",
    ),
    "a storage of what is no type": (
        zipped(saved(tensor(storage().replace(b"ctorch\nFloatStorage\n", b"K\x01")))),
        "no type of numbers",
    ),
    "a path for a storage": (
        zipped(saved(tensor(storage("../../../etc/passwd")))),
        "'../../../etc/passwd' of 16 bytes, of which the file has none",
    ),
    "a number for a key": (zipped(saved(tensor(storage(0)))), "place is no text"),
    "a storage of a negative size": (
        zipped(saved(tensor(storage(count=-4)))),
        "cannot",
    ),
    "a storage without end": (zipped(saved(tensor(storage(count=2**60)))), "cannot be"),
    "a storage larger than its member": (
        zipped(saved(tensor(storage(count=2**39)))),
        "2199023255552 bytes, of which the file has 16",
    ),
    "a storage larger than its member, old": (
        old(saved(tensor(storage(count=2**39)))),
        "beyond the size of the file",
    ),
    "a storage that is not there": (zipped(members={}), "the file has none"),
    "a storage of no tensor": (
        zipped(members={"data/0": NUMBERS, "data/1": NUMBERS}),
        "'data/1' of no tensor",
    ),
    "a storage of two types": (
        zipped(saved(b"](" + tensor() + tensor(storage(kind="IntStorage")) + b"e")),
        "of two sizes or types",
    ),
    "a part of a storage": (
        old(saved(tensor(storage(more=part(("1", 0, 2)))))),
        "that is a part of another",
    ),
    "a tensor larger than its storage": (
        zipped(saved(tensor(size=(5,)))),
        "(5,) that reaches beyond its storage of 4",
    ),
    "a tensor that begins behind its storage": (
        zipped(saved(tensor(offset=2**39))),
        "reaches beyond its storage of 4",
    ),
    "a tensor before its storage": (
        zipped(saved(tensor(offset=-1))),
        "no small numbers",
    ),
    "a tensor that steps beyond its storage": (
        zipped(saved(tensor(size=(2, 2), stride=(3, 1)))),
        "reaches beyond its storage of 4",
    ),
    "a tensor that steps back": (
        zipped(saved(tensor(stride=(-1,)))),
        "no small numbers",
    ),
    "a tensor without end": (
        zipped(saved(tensor(size=(2**39,), stride=(0,)))),
        "reaches beyond its storage of 4",
    ),
    "a tensor of too many sides": (
        zipped(saved(tensor(size=(1,) * 65, stride=(1,) * 65))),
        "no small numbers",
    ),
    "a tensor of strides for other sides": (
        zipped(saved(tensor(size=(2, 2)))),
        "more than its numbers",
    ),
    "a tensor of texts": (zipped(saved(tensor(part("text")))), "of what is no storage"),
    "a tensor with hooks": (
        zipped(saved(tensor(hooks=b"](K\x01e"))),
        "a tensor that is more than its numbers",
    ),
    "tensors without end": (zipped(of_many_tensors()), "grows far beyond the size"),
    "truth values of 7": (
        zipped(saved(tensor(storage(kind="BoolStorage"))), {"data/0": b"\0\1\7\1"}),
        "neither 0 nor 1",
    ),
    "random numbers behind the last": (
        zipped(saved(random_state(pos=10**9)), {}),
        "at a place that is not there",
    ),
    "too few random numbers": (
        zipped(saved(random_state(key=np.zeros(623, np.uint32))), {}),
        "has not 624 of them",
    ),
    "random numbers of lists": (
        zipped(saved(random_state(key=[[0] * 624] * 624)), {}),
        "an unknown form",
    ),
    "random numbers of 64 bits": (
        zipped(saved(random_state(key=np.full(624, 2**33))), {}),
        "not of 32 bits",
    ),
    "a normal number that is none": (
        zipped(saved(random_state(gauss=float("nan"))), {}),
        "not finite",
    ),
    "random numbers of another generator": (
        zipped(saved(of_generator(("numpy.random._pcg64", "PCG64"))), {}),
        "numpy.random._pcg64.PCG64",
    ),
    "random numbers of a storage": (
        zipped(saved(of_generator(("torch", "FloatStorage"))), {}),
        "other than MT19937",
    ),
    "a container that holds itself": (zipped(holding_itself(), {}), "holds itself"),
    "a few bytes that fill the memory": (zipped(of_lists(), {}), "grows far beyond"),
    "keys that take forever": (zipped(keys_of_one_hash(), {}), "more than 10000 parts"),
    "something behind the pickle": (zipped(saved() + b"more"), "behind its end"),
    "half a pickle": (zipped(saved()[:-9]), "at byte"),
    "members of one name": (with_two_members_of_one_name(), "two members of one name"),
    "members over each other": (
        with_members_that_lie_over_each_other(),
        "'a/data/0' that lies over another",
    ),
    "a member behind the end": (
        changed_directory(b"a/data/0", 20, struct.pack("<2I", 10**9, 10**9)),
        "that lies over another or beyond the end",
    ),
    "a member of two sizes": (
        changed_directory(b"a/data/0", 24, struct.pack("<I", 2**31)),
        "'a/data/0' of two sizes",
    ),
    "a member that is encrypted": (
        changed_directory(b"a/data/0", 8, b"\1"),
        "'a/data/0' that is encrypted",
    ),
    "a member that is compressed": (compressed(), "'a/data.pkl' that is compressed"),
    "a member with a changed byte": (
        zipped().replace(NUMBERS, NUMBERS[:-1] + b"\0"),
        "Bad CRC-32",
    ),
    "members of two folders": (
        zipped(**{"../b/data.pkl": saved()}).replace(b"a/../b", b"b/./.."),
        "several folders",
    ),
    "two pickles": (
        zipped(**{"b1data.pkl": saved()}).replace(b"a/b1data.pkl", b"c1b/data.pkl"),
        "2 members FOLDER/data.pkl",
    ),
    "a zip file of something else": (
        zipped().replace(b"data.pkl", b"data.txt"),
        "0 members FOLDER/data.pkl",
    ),
    "a version to come": (zipped(version=b"99\n"), "the version '99'"),
    "a version in other digits": (zipped(version="\u0663\n".encode()), "the version"),
    "no version": (zipped(version=None), "the version 'none'"),
    "an order of bytes that is none": (zipped(byteorder=b"middle"), "order 'middle'"),
    "the numbers in the other order cut short": (
        zipped(saved(), {"data/0": NUMBERS[:12]}, byteorder=b"big"),
        "of 16 bytes, of which the file has 12",
    ),
    "half a file": (zipped()[:-30], "not a zip file"),
    "another magic number": (
        old(head=pickle.dumps(7, 2)),
        "a pickle that is not PyTorch",
    ),
    "another protocol": (old(head=MAGIC + pickle.dumps(1002, 2)), "the protocol 1002"),
    "keys of other storages": (old(keys=("1",)), "keys of other storages"),
    "a key twice": (old(keys=("0", "0")), "keys of other storages"),
    "keys that are no texts": (old(keys=(0,)), "keys of storages that are no texts"),
    "numbers cut short, old": (
        old(numbers=struct.pack("<q", 4) + NUMBERS[:-1]),
        "it ends within the numbers",
    ),
    "no numbers, old": (old(numbers=b""), "it ends within the numbers"),
    "another count of numbers, old": (
        old(numbers=struct.pack("<q", -4) + NUMBERS),
        "a storage of 4 numbers that has 18446744073709551612",
    ),
    "something behind the numbers, old": (
        old(numbers=struct.pack("<q", 4) + NUMBERS + b"more"),
        "something behind its end",
    ),
    "a tar file, older still": (tar(), "a file that begins with b'stor'"),
    "an HDF5 file": (b"\x89HDF\r\n\x1a\n" + bytes(99), "begins with b'\\x89HDF'"),
    "a text": (b"version https://git-lfs.github.com/spec/v1", "begins with b'vers'"),
    "nothing": (b"", "a file that begins with b''"),
}
