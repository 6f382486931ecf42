"""Reads pickles of data without running anything that they ask for.

A pickle is a program, and Python's own reader calls whatever the program names. This
one has a table of the few names that data need, and own functions for them: no name is
looked up, nothing is imported, no method of an object is called. Python's `pickletools`
takes the file apart; what is read here are its operations, one by one.
"""

import codecs
import io
import os
import pathlib
import pickletools
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from deephar.utils.pickle_values import DATA, Attributed, Budget, Name, Unbuilt, member

_GROWTH, _FLOOR = 4, 1000
"""All that is made of bytes or lists is at most so many times the file's size and so
many bytes."""
_SET = 16
"""What a set counts. It takes 216 bytes, and two in the file."""
_UNROLLED = 100
"""Containers hold at most so many times the file's size of values, if what stands in
several places is counted in each: else a few bytes would keep readers busy for ever."""
_DEEPEST = 100
"""Containers lie in at most so many others: Python compares and shows few more."""
_PROTOCOLS = 5
_BROKEN = (
    *(ArithmeticError, AttributeError, LookupError, MemoryError),
    *(SystemError, TypeError, ValueError),
)
"""What operations raise, here or there, of a file that is damaged."""


def restricted_load(
    path: str | os.PathLike, allowed: Mapping[str, Callable] | None = None
) -> Any:
    """Reads a pickle of containers, numbers, strings and NumPy arrays.

    Any protocol, of Python 2 too (its strings are read as Latin-1). Keys and members of
    sets are strings, None, numbers (integers of 64 bits, no complex ones), and tuples
    and frozensets of these; a file has at most 10 000 that are no strings, their parts
    counted. Arrays hold numbers, truth values, texts, or any of what is named here as
    objects. Refused are arrays of records and of dates, other containers (defaultdict,
    Counter, deque), containers that hold themselves and more than 100 in one another.

    What is read takes a limited multiple of the file's size of memory and of time.

    Args:
        path: The file.
        allowed: What a name stands for, `{"module.name": function}`; None for `NUMPY`
            and Python's containers. A function is called with a `Budget` and the
            arguments of the file, and returns a value or an `Unbuilt`; it must not
            trust them. Names of Python 2 (`__builtin__`) and of NumPy 1 (`numpy.core`)
            are looked up by their names of today.

    Returns:
        Lists, tuples, dictionaries, sets, numbers, strings, bytes, arrays and scalars
        of NumPy, and what else functions of `allowed` return.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: naming the file, if it asks for anything else, is cut short or
            damaged, or would become far larger than it is.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no such file: {path}")
    data = path.read_bytes()
    try:
        value, end = read_pickle(data, DATA if allowed is None else allowed)
        if end != len(data):
            raise ValueError(
                f"more than one value, or something behind it, at byte {end - 1} of "
                f"{len(data)}"
            )
        return value
    except ValueError as error:
        raise ValueError(
            f"{path} must be a whole pickle of containers, numbers, strings and NumPy "
            f"arrays. Received: {error}"
        ) from error


def read_pickle(
    data: bytes,
    allowed: Mapping[str, Callable] = DATA,
    persistent: Callable | None = None,
    start: int = 0,
) -> tuple[Any, int]:
    """Reads one pickle among bytes, as `restricted_load` does.

    Args:
        data: The bytes.
        allowed: What a name stands for.
        persistent: What a persistent id stands for, a function of a `Budget` and the
            id, which must not be trusted; None to refuse them.
        start: Where the pickle begins.

    Returns:
        (value, where the pickle ends).

    Raises:
        ValueError: if it asks for anything else, is cut short or damaged, or would
            become far larger than `data`.
    """
    machine = _Machine(allowed, Budget(_GROWTH * len(data) + _FLOOR), persistent)
    machine.place = start
    try:
        with warnings.catch_warnings():
            # Python warns of escapes in names that are none.
            warnings.simplefilter("ignore", DeprecationWarning)
            value = machine.run(data, start)
        _check_plain(value, _UNROLLED * len(data))
        return value, machine.place + 1
    except _BROKEN as error:
        text = str(error) or type(error).__name__
        raise ValueError(f"{text}, at byte {machine.place} of {len(data)}") from error


class _Machine:
    """What the operations of a pickle work on: a stack with marks, and a memory."""

    def __init__(
        self,
        allowed: Mapping[str, Callable],
        budget: Budget,
        persistent: Callable | None,
    ):
        self.allowed = allowed
        self.budget = budget
        self.persistent = persistent
        self.stack: list[Any] = []
        self.marked: list[list[Any]] = []
        self.memory: dict[int, Any] = {}
        self.place = 0

    def run(self, data: bytes, start: int) -> Any:
        for name, argument, place in _operations(data, start):
            self.place = place
            if name in _VALUES:
                self.stack.append(argument)
            elif name in _FRESH:
                self.stack.append(_FRESH[name]())
            elif name in _OPERATIONS:
                _OPERATIONS[name](self, argument)
            elif name not in _NOTHING:
                asked = f" ({_plain(argument)})" if isinstance(argument, str) else ""
                raise ValueError(f"it asks for the operation {name}{asked}")
        value = self.pop()
        if self.stack or self.marked:
            raise ValueError("more than one value")
        return value

    def push(self, value: Any) -> None:
        """Puts a value on the stack as it is when the value is there."""
        self.stack.append(value)

    def pop(self) -> Any:
        """Takes the topmost value, which nothing can be missing of."""
        return _finished(self.stack.pop())

    def pop_mark(self) -> list:
        """Takes all values above the last mark."""
        values, self.stack = self.stack, self.marked.pop()
        return [_finished(one) for one in values]

    def mark(self, argument) -> None:
        self.marked.append(self.stack)
        self.stack = []

    def protocol(self, number: int) -> None:
        if number > _PROTOCOLS:
            raise ValueError(f"the protocol {number}")

    def make_set(self, kind: type, values: list) -> None:
        """Puts a set or frozenset on the stack."""
        self.budget.take(_SET)
        self.stack.append(kind(member(self.budget, one) for one in values))

    def tuple_of(self, count: int) -> None:
        values = [self.pop() for _ in range(count)]
        self.stack.append(tuple(reversed(values)))

    def extend(self, values: list, kind: type) -> None:
        """Adds values to the list or set on top of the stack."""
        top = self.stack[-1]
        if type(top) is not kind:
            raise ValueError(f"members for what is no {kind.__name__}")
        if kind is list:
            top.extend(values)
        else:
            top.update(member(self.budget, one) for one in values)

    def set_items(self, values: list) -> None:
        """Adds keys and values, by turns, to the dictionary on top of the stack."""
        if not isinstance(self.stack[-1], dict) or len(values) % 2:
            raise ValueError("items for what is no dictionary, or a key without value")
        for key, value in zip(values[::2], values[1::2], strict=True):
            self.stack[-1][member(self.budget, key)] = value

    def put(self, number: int) -> None:
        self.memory[number] = self.stack[-1]

    def get(self, number: int) -> None:
        self.stack.append(_finished(self.memory[number]))

    def ask(self, module: Any, name: Any) -> None:
        """Puts what a name stands for on the stack."""
        if not isinstance(module, str) or not isinstance(name, str):
            raise ValueError("a name that is no text")
        text = f"{module}.{name}"
        today = text.replace("__builtin__.", "builtins.")
        today = today.replace("numpy.core.", "numpy._core.")
        if today not in self.allowed:
            raise ValueError(f"it asks for {_plain(text)}")
        self.stack.append(Name(today, self.allowed[today]))

    def call(self, argument) -> None:
        arguments, name = self.pop(), self.pop()
        if not isinstance(name, Name) or not isinstance(arguments, tuple):
            raise ValueError("a call of what is no name")
        self.stack.append(name.make(self.budget, *arguments))

    def look_up(self, argument) -> None:
        """Puts what a persistent id stands for on the stack."""
        if self.persistent is None:
            raise ValueError("it asks for the operation BINPERSID")
        self.stack.append(self.persistent(self.budget, self.pop()))

    def build(self, argument) -> None:
        state, one = self.pop(), self.stack.pop()
        if isinstance(one, Attributed):
            one.check_attributes(state)
            self.stack.append(one)
            return
        if not isinstance(one, Unbuilt) or one.built:
            raise ValueError("a description of what needs none")
        one.value, one.built = one.build(state), True
        self.stack.append(one.value)


def _finished(value: Any) -> Any:
    """Returns the value that an `Unbuilt` has become, or the value itself."""
    return value.value if isinstance(value, Unbuilt) and value.built else value


def _operations(data: bytes, start: int) -> Iterator[tuple[str, Any, int]]:
    """Yields name, argument and place of each operation, to the first STOP.

    As `pickletools.genops`, which takes strings of protocol 0 for ASCII.
    """
    file = io.BytesIO(data)
    file.seek(start)
    name = None
    while name != "STOP":
        place = file.tell()
        code = file.read(1).decode("latin-1")
        if code not in pickletools.code2op:
            raise ValueError(f"no operation but {code!r}" if code else "it has no end")
        opcode, argument = pickletools.code2op[code], None
        name = opcode.name
        if name == "STRING":
            argument = _string(pickletools.read_stringnl(file, decode=False))
        elif opcode.arg is not None:
            argument = opcode.arg.reader(file)
        yield name, argument, place


def _string(escaped: bytes) -> str:
    return codecs.escape_decode(escaped)[0].decode("latin-1")


def _plain(text: str) -> str:
    """Returns a text of the file for a message, in ASCII without control characters."""
    return text[:200].encode("unicode_escape").decode("ascii")


def _check_plain(value: Any, most: int) -> None:
    """Raises ValueError if a value is no data.

    It must hold no names, no arrays that were not described, not itself, not too many
    containers in one another, and not more values than `most`, where what stands in
    several places is counted in each.
    """
    sizes: dict[int, int] = {}
    depths: dict[int, int] = {}
    waiting = [(value, False)]
    while waiting:
        one, counted = waiting.pop()
        if counted:
            sizes[id(one)] = 1 + sum(sizes.get(id(part), 1) for part in _parts(one))
            if sizes[id(one)] > most:
                raise ValueError("it grows far beyond the size of the file")
            depth = 1 + max(
                (depths.get(id(part), 0) for part in _parts(one)), default=0
            )
            if depth > _DEEPEST:
                raise ValueError(f"more than {_DEEPEST} containers in one another")
            depths[id(one)] = depth
        elif isinstance(one, _CONTAINERS):
            if id(one) not in sizes:
                sizes[id(one)] = _OPEN
                waiting.append((one, True))
                held = [part for part in _parts(one) if isinstance(part, _HELD)]
                waiting += [(part, False) for part in held]
            elif sizes[id(one)] == _OPEN:
                raise ValueError("a container that holds itself")
        elif isinstance(one, Name):
            raise ValueError(f"the name {one.text} for a value")
        elif isinstance(one, _UNDESCRIBED):
            raise ValueError("an array or a type that is not described, for a value")


def _parts(one: Any) -> Iterable:
    """What a container or an array of objects holds; nothing in other arrays."""
    if isinstance(one, np.ndarray):
        return one.ravel().tolist() if one.dtype.hasobject else ()
    return one.values() if isinstance(one, dict) else one


_OPEN = 0
"""Size of a container whose parts are being counted."""
_CONTAINERS = (list, tuple, dict, set, frozenset, np.ndarray)
_UNDESCRIBED = (Unbuilt, np.dtype)
_HELD = (*_CONTAINERS, *_UNDESCRIBED, Name)
"""What is looked at of what a container holds."""
_VALUES = {
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4"),
    *("FLOAT", "BINFLOAT", "STRING", "BINSTRING", "SHORT_BINSTRING"),
    *("UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
    *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"),
}
"""Operations whose argument is the value."""
_FRESH = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_LIST": list,
    "EMPTY_DICT": dict,
    "EMPTY_TUPLE": tuple,
}
_NOTHING = {"FRAME", "STOP"}


def _dict_of(machine: _Machine, argument) -> None:
    values = machine.pop_mark()
    machine.stack.append({})
    machine.set_items(values)


def _stack_global(machine: _Machine, argument) -> None:
    name, module = machine.pop(), machine.pop()
    machine.ask(module, name)


def _set_item(machine: _Machine, argument) -> None:
    value, key = machine.pop(), machine.pop()
    machine.set_items([key, value])


_OPERATIONS: dict[str, Callable[[_Machine, Any], None]] = {
    "PROTO": _Machine.protocol,
    "MARK": _Machine.mark,
    "POP": lambda m, _: m.stack.pop(),
    "POP_MARK": lambda m, _: m.pop_mark(),
    "DUP": lambda m, _: m.push(m.stack[-1]),
    "LIST": lambda m, _: m.push(m.pop_mark()),
    "TUPLE": lambda m, _: m.push(tuple(m.pop_mark())),
    "TUPLE1": lambda m, _: m.tuple_of(1),
    "TUPLE2": lambda m, _: m.tuple_of(2),
    "TUPLE3": lambda m, _: m.tuple_of(3),
    "DICT": _dict_of,
    "EMPTY_SET": lambda m, _: m.make_set(set, []),
    "FROZENSET": lambda m, _: m.make_set(frozenset, m.pop_mark()),
    "APPEND": lambda m, _: m.extend([m.pop()], list),
    "APPENDS": lambda m, _: m.extend(m.pop_mark(), list),
    "ADDITEMS": lambda m, _: m.extend(m.pop_mark(), set),
    "SETITEM": _set_item,
    "SETITEMS": lambda m, _: m.set_items(m.pop_mark()),
    "PUT": _Machine.put,
    "BINPUT": _Machine.put,
    "LONG_BINPUT": _Machine.put,
    "MEMOIZE": lambda m, _: m.put(len(m.memory)),
    "GET": _Machine.get,
    "BINGET": _Machine.get,
    "LONG_BINGET": _Machine.get,
    "GLOBAL": lambda m, text: m.ask(*text.split(" ", 1)),
    "STACK_GLOBAL": _stack_global,
    "REDUCE": _Machine.call,
    "BUILD": _Machine.build,
    "BINPERSID": _Machine.look_up,
}
