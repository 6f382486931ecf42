"""Reads pickles of data without running anything that they ask for.

A pickle is a program, and Python's own reader calls whatever the program names. This
one has a table of the few names that data need, and own functions for them: no name is
looked up, nothing is imported, no method of an object is called. Python's `pickletools`
takes the file apart; what is read here are its operations, one by one.
"""

import os
import pathlib
import pickletools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from deephar.utils.pickle_values import DATA, Budget, Name, Unbuilt, member

_GROWTH = 4
"""All that is made of bytes or lists is at most this many times the file's size."""
_BROKEN = (
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    TypeError,
    ValueError,
)
"""What operations raise, here or there, of a file that is damaged."""


def restricted_load(
    path: str | os.PathLike, allowed: Mapping[str, Callable] | None = None
) -> Any:
    """Reads a pickle of containers, numbers, strings and NumPy arrays.

    Any protocol, of Python 2 too (its strings are read as Latin-1).

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
    table = DATA if allowed is None else allowed
    machine = _Machine(table, Budget(_GROWTH * len(data)))
    try:
        return machine.run(data)
    except _BROKEN as error:
        text = str(error) or type(error).__name__
        raise ValueError(
            f"{path} must be a whole pickle of containers, numbers, strings and NumPy "
            f"arrays. Received: {text}, at byte {machine.place} of {len(data)}"
        ) from error


class _Machine:
    """What the operations of a pickle work on: a stack with marks, and a memory."""

    def __init__(self, allowed: Mapping[str, Callable], budget: Budget):
        self.allowed = allowed
        self.budget = budget
        self.stack: list[Any] = []
        self.marked: list[list[Any]] = []
        self.memory: dict[int, Any] = {}
        self.place = 0

    def run(self, data: bytes) -> Any:
        for opcode, argument, place in pickletools.genops(data):
            self.place = place
            name = opcode.name
            if name in _VALUES:
                self.stack.append(argument)
            elif name in _FRESH:
                self.stack.append(_FRESH[name]())
            elif name in _OPERATIONS:
                _OPERATIONS[name](self, argument)
            elif name not in _NOTHING:
                asked = f" ({argument[:200]})" if isinstance(argument, str) else ""
                raise ValueError(f"it asks for the operation {name}{asked}")
        value = self.pop()
        if self.stack or self.marked or self.place + 1 != len(data):
            raise ValueError("more than one value, or something behind it")
        _check_plain(value)
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
            top.update(member(one) for one in values)

    def set_items(self, values: list) -> None:
        """Adds keys and values, by turns, to the dictionary on top of the stack."""
        if not isinstance(self.stack[-1], dict) or len(values) % 2:
            raise ValueError("items for what is no dictionary, or a key without value")
        for key, value in zip(values[::2], values[1::2], strict=True):
            self.stack[-1][member(key)] = value

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
            raise ValueError(f"it asks for {text[:200]}")
        self.stack.append(Name(today, self.allowed[today]))

    def call(self, argument) -> None:
        arguments, name = self.pop(), self.pop()
        if not isinstance(name, Name) or not isinstance(arguments, tuple):
            raise ValueError("a call of what is no name")
        self.stack.append(name.make(self.budget, *arguments))

    def build(self, argument) -> None:
        state, one = self.pop(), self.stack.pop()
        if not isinstance(one, Unbuilt) or one.built:
            raise ValueError("a description of what needs none")
        one.value, one.built = one.build(state), True
        self.stack.append(one.value)


def _finished(value: Any) -> Any:
    """Returns the value that an `Unbuilt` has become, or the value itself."""
    return value.value if isinstance(value, Unbuilt) and value.built else value


def _check_plain(value: Any) -> None:
    """Raises ValueError if a value holds names, or arrays that were not described."""
    waiting, seen = [value], set()
    while waiting:
        one = waiting.pop()
        if isinstance(one, Name):
            raise ValueError(f"the name {one.text} for a value")
        if isinstance(one, Unbuilt | np.dtype):
            raise ValueError("an array or a type that is not described, for a value")
        if isinstance(one, list | tuple | dict | set | frozenset):
            if id(one) not in seen:
                seen.add(id(one))
                waiting += [*one.values()] if isinstance(one, dict) else one


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
    "EMPTY_SET": set,
}
_NOTHING = {"PROTO", "FRAME", "STOP"}


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
    "FROZENSET": lambda m, _: m.push(frozenset(map(member, m.pop_mark()))),
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
}
