"""JSON files whose mistakes are told by line.

A file is decoded by `json`. Where something is wrong its line is looked for afterwards,
so that sound files cost nothing more.
"""

import dataclasses
import difflib
import json
import os
import pathlib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from deephar.data.records import FARTHEST, are_numbers
from deephar.utils.messages import shown

_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()
_HALF = re.compile(
    r"\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]"
)
"""Half of a pair of escapes, which is no character."""
_NOTHING = object()

Place = tuple[str | int, ...]
"""Where a value stands: keys and numbers from the whole file on."""


@dataclasses.dataclass(frozen=True, order=True)
class Problem:
    """What is wrong with a file, and where.

    Attributes:
        file: Path of the file.
        line: Its line, from 1; 0 where the file cannot be read.
        text: The place, what was expected there, and what stands there.
    """

    file: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}"


class Twice(dict):
    """An object in which keys stand twice: `keys_twice`."""

    keys_twice: list[str]


class Node:
    """A value of a JSON file at its place, and the checks of it.

    A check that fails is noted and gives None, so that all mistakes of a file are
    found.

    Args:
        value: What was decoded.
        place: Where it stands.
        notes: Where mistakes are noted: (place, text).
    """

    __slots__ = ("notes", "place", "value")

    def __init__(self, value: Any, place: Place, notes: list[tuple[Place, str]]):
        self.value, self.place, self.notes = value, place, notes

    def at(self, *keys: str | int) -> "Node":
        """Returns a value within this one."""
        value = self.value
        for key in keys:
            value = value[key]
        return Node(value, (*self.place, *keys), self.notes)

    def wrong(self, rule: str, received: Any = _NOTHING) -> None:
        """Notes that the value breaks a rule, "must be ..."."""
        value = self.value if received is _NOTHING else received
        stop = "" if rule.endswith("?") else "."
        text = f"{dotted(self.place)} {rule}{stop} Received: {shown(value)}"
        self.notes.append((self.place, text))

    def members(
        self,
        required: Sequence[str],
        optional: Sequence[str] = (),
        what: str = "key of these",
    ) -> dict[str, "Node"] | None:
        """Returns the values of an object by their keys.

        Unknown and lacking keys are noted; None if it is no object or a key is lacking.
        An unknown key is no `what`.
        """
        known = [*required, *optional]
        listed = ", ".join(known)
        if not isinstance(self.value, dict):
            return self.wrong(f"must be an object with {listed}")
        if isinstance(self.value, Twice):
            for key in self.value.keys_twice:
                self.at(key).wrong("must stand once in its object", key)
        for key in self.value:
            if key not in known:
                self.at(key).wrong(
                    f"must be a {what}: {listed}{meant(key, known)}", key
                )
        lacking = [key for key in required if key not in self.value]
        if lacking:
            return self.wrong(f"must have {', '.join(lacking)}", list(self.value))
        return {key: self.at(key) for key in self.value if key in known}

    def having(self, *keys: str) -> dict[str, "Node"] | None:
        """Returns some values of an object, whatever else it has.

        Those lacking are noted; None if it is no object or a key is lacking.
        """
        if not isinstance(self.value, dict):
            return self.wrong(f"must be an object with {', '.join(keys)}")
        lacking = [key for key in keys if key not in self.value]
        if lacking:
            return self.wrong(f"must have {', '.join(lacking)}", list(self.value))
        return {key: self.at(key) for key in keys}

    def items(self, least: int = 0) -> list["Node"] | None:
        """Returns the values of a list that has at least so many."""
        if not isinstance(self.value, list) or len(self.value) < least:
            return self.wrong(f"must be a list{f' of {least} or more' * bool(least)}")
        return [self.at(number) for number in range(len(self.value))]

    def text(self) -> str | None:
        """Returns a text that is not empty."""
        if not isinstance(self.value, str) or not self.value:
            return self.wrong("must be a text")
        return self.value

    def texts(self, least: int = 0) -> list[str] | None:
        """Returns a list of at least so many texts, all different."""
        found: list[str] = []
        for one in self.items(least) or []:
            text = one.text()
            if text in found:
                one.wrong("must be another name than the others")
            elif text is not None:
                found.append(text)
        return found

    def key(self) -> int | str | None:
        """Returns a number or text by which something is known."""
        if type(self.value) in (int, str):
            return self.value
        return self.wrong("must be an integer or a text")

    def size(self) -> tuple[int, int] | None:
        """Returns (w, h) of a picture, px."""
        value = self.value
        if not are_numbers(value, (2,)) or not all(
            1 <= one <= FARTHEST and one == int(one) for one in value
        ):
            return self.wrong("must be [width, height], px, two integers above 0")
        return int(value[0]), int(value[1])

    def one_of(self, options: Sequence[str]) -> str | None:
        """Returns one of some texts."""
        if self.value in options:
            return self.value
        rule = f"must be one of {', '.join(map(str, options))}"
        return self.wrong(rule + meant(self.value, options))

    def numbers(self, what: str, *counts: int) -> list[float] | None:
        """Returns a list of so many finite numbers; `what` is said of them."""
        if not any(are_numbers(self.value, (count,)) for count in counts) or not all(
            abs(one) < float("inf") for one in self.value
        ):
            several = " or ".join(map(str, counts))
            return self.wrong(f"must be {several} finite numbers, {what}")
        return self.value

    def number(self, what: str, least: float, whole: bool = False) -> float | None:
        """Returns a finite number that is not smaller than `least`."""
        value = self.value
        good = are_numbers(value, ()) and least <= value < float("inf")
        if not good or (whole and value != int(value)):
            return self.wrong(f"must be {what}")
        return value


class JsonFile:
    """A JSON file, its checks and what they noted.

    Args:
        path: The file; a mark at its beginning, as Windows writes it, is no harm.

    Attributes:
        root: The whole value; None if it is no JSON, which is noted.

    Raises:
        OSError: if it cannot be read.
    """

    def __init__(self, path: str | os.PathLike):
        self.path = os.fspath(path)
        self.notes: list[tuple[Place, str]] = []
        self._told: list[Problem] = []
        self.root: Node | None = None
        try:
            self._text = pathlib.Path(path).read_text(encoding="utf-8-sig")
            value = json.loads(self._text, object_pairs_hook=_object)
            half = _HALF.search(self._text)
            if half is None or not _has_halves(value):
                self.root = Node(value, (), self.notes)
            else:
                line = 1 + self._text.count("\n", 0, half.start())
                self._tell(line, f"must be of whole characters. Received: {half[0]}")
        except json.JSONDecodeError as error:
            self._tell(error.lineno, f"must be JSON. {error.msg}, column {error.colno}")
        except UnicodeDecodeError as error:
            self._tell(1 + error.object.count(b"\n", 0, error.start), "must be UTF-8")
        except (RecursionError, ValueError) as error:
            self._tell(1, f"must be JSON. {error}")

    def _tell(self, line: int, text: str) -> None:
        self._told.append(Problem(self.path, line, text))

    def check(self) -> None:
        """Raises ValueError with the first of the mistakes, if there are any."""
        problems = self.problems()
        if problems:
            more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
            raise ValueError(f"{problems[0]}{more}")

    def problems(self) -> list[Problem]:
        """Returns what is wrong, by line."""
        places = {place for place, _ in self.notes}
        lines = find_lines(self._text, places) if places else {}
        noted = [Problem(self.path, lines[place], text) for place, text in self.notes]
        return sorted([*self._told, *noted], key=lambda one: one.line)


def dotted(place: Place) -> str:
    """Returns a place as one writes it: pictures[3].people[0].box_xywh."""
    words = [f"[{one}]" if isinstance(one, int) else f".{one}" for one in place]
    return "".join(words).removeprefix(".") or "the file"


def meant(value: Any, options: Iterable[str]) -> str:
    """Returns what may have been meant, to be put behind a message."""
    texts = [one for one in options if isinstance(one, str)]
    near = difflib.get_close_matches(str(value)[:100], texts, n=1)
    return f"; is {near[0]} meant?" if near else ""


def find_lines(text: str, places: Iterable[Place]) -> dict[Place, int]:
    """Returns the line, from 1, on which each place of a JSON text begins.

    A key that is not there is on the line of its object.
    """
    tree: dict = {}
    places = list(places)
    for place in places:
        branch = tree
        for key in place:
            branch = branch.setdefault(key, {})
    begins: dict[Place, int] = {}
    _walk(text, _space(text, 0), tree, (), begins)
    found = {}
    for place in places:
        known = place
        while known not in begins:
            known = known[:-1]
        found[place] = text.count("\n", 0, begins[known]) + 1
    return found


def _walk(text, start, tree, place, begins) -> int:
    """Notes where the places of a tree begin; returns the end of the value."""
    begins.setdefault(place, start)
    if not tree or text[start] not in "{[":
        return _DECODER.raw_decode(text, start)[1]
    named, number = text[start] == "{", 0
    at = _space(text, start + 1)
    while text[at] not in "}]":
        key, first = number, at
        if named:
            key, at = _DECODER.raw_decode(text, at)
            at = _space(text, _space(text, at) + 1)  # past the colon
        if key in tree:
            begins[(*place, key)] = first
            at = _walk(text, at, tree[key], (*place, key), begins)
        else:
            at = _DECODER.raw_decode(text, at)[1]
        at, number = _space(text, at), number + 1
        if text[at] == ",":
            at = _space(text, at + 1)
    return at + 1


def _has_halves(value: Any) -> bool:
    """Tells whether a text has a character that cannot be written."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False


def _space(text: str, start: int) -> int:
    return _SPACE.match(text, start).end()


def _object(pairs: list[tuple[str, Any]]) -> Mapping[str, Any]:
    """Makes an object of its keys and values, and marks it where a key is twice."""
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    keys = [key for key, _ in pairs]
    marked = Twice(found)
    marked.keys_twice = [key for key in found if keys.count(key) > 1]
    return marked
