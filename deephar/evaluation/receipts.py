"""Receipts of results as evaluation.json has them, checked as they are read."""

import dataclasses
import datetime
import math
import pathlib
from collections.abc import Collection, Mapping

GENERATED, OWNERS, UNKNOWN = ORIGINS = ("generated", "owners", "unknown")
"""Where data come from: a generate.py, the authors' annotations, or nothing says."""


class Checked:
    """A dictionary of a file, every value of which is checked as it is taken."""

    def __init__(self, where: str, values: object):
        if not isinstance(values, dict):
            raise ValueError(f"{where} must be an object. Received: {values!r:.60}")
        self.where, self.values = where, values

    def __contains__(self, key: str) -> bool:
        return self.values.get(key) is not None

    def take(self, key: str, kinds: tuple[type, ...], what: str):
        if key not in self.values:
            raise ValueError(f'{self.where}: lacks "{key}"')
        value = self.values[key]
        if not isinstance(value, kinds) or (
            isinstance(value, bool) and bool not in kinds
        ):
            raise ValueError(
                f'{self.where}: "{key}" must be {what}. Received: {value!r:.60}'
            )
        return value

    def text(self, key: str) -> str:
        return self.take(key, (str,), "a text")

    def text_or_none(self, key: str) -> str | None:
        return self.take(key, (str, type(None)), "a text or null")

    def flag(self, key: str) -> bool:
        return self.take(key, (bool,), "true or false")

    def number(self, key: str, factor: float = 1) -> float | None:
        """A number times a factor; None for null, as which NaN is written."""
        value = self.take(key, (int, float, type(None)), "a number or null")
        return None if value is None else factor * self._float(key, value)

    def some_number(self, key: str) -> float:
        value = self.take(key, (int, float), "a number")
        self._float(key, value)
        return value

    def _float(self, key: str, value: float) -> float:
        """The number as a float, if it is one that can be."""
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise ValueError(f'{self.where}: "{key}" is too large a number')
        return number

    def pair(self, key: str) -> list[float]:
        rule = "a list of two numbers"
        values = self.take(key, (list,), rule)
        if len(values) != 2 or not all(isinstance(v, (int, float)) for v in values):
            raise ValueError(
                f'{self.where}: "{key}" must be {rule}. Received: {values!r:.60}'
            )
        return [self._float(key, value) for value in values]

    def part(self, key: str) -> "Checked":
        value = self.take(key, (dict,), "an object")
        return Checked(f'{self.where}: "{key}"', value)

    def parts(self, key: str) -> list["Checked"]:
        values = self.take(key, (list,), "a list")
        return [
            Checked(f'{self.where}: "{key}" {number}', value)
            for number, value in enumerate(values, 1)
        ]


@dataclasses.dataclass(frozen=True)
class Receipt:
    """Where a result comes from; see `experiment.receipt`.

    Attributes:
        file: the evaluation.json.
        evaluation: its kind, one of `results.KINDS` or `results.OTHER_KINDS`.
        network: the network's name.
        command: the command line that made it.
        date: when, with a time zone.
        weights, weights_md5: the weights file; None for an untrained network.
        data: folder of the data, or folders by data set ("penn", "mpii").
        origin: one of ORIGINS for the data, or by data set.
        other_settings: the network's settings that are not the paper's.
        published: name of the published weights that these are, by their md5; or None.
        notes: what else the receipt says, such as "looking" and "boxes".
    """

    file: pathlib.Path
    evaluation: str
    network: str
    command: str
    date: datetime.datetime
    weights: str | None
    weights_md5: str | None
    data: str | dict[str, str]
    origin: str | dict[str, str]
    other_settings: dict[str, object]
    published: str | None
    notes: dict[str, object]

    def folder(self, name: str) -> str:
        """The folder of a data set of the evaluation."""
        if isinstance(self.data, str):
            return self.data
        if name not in self.data:
            raise ValueError(
                f'{self.file}: the receipt\'s "data" must have {name!r}. '
                f"Received: {list(self.data)}"
            )
        return self.data[name]

    def note(self, name: str, values: Collection[str] = ()) -> str:
        """A note that must be there; one of the values, if there are any."""
        value = self.notes.get(name)
        if not isinstance(value, str) or (values and value not in values):
            rule = f"one of {list(values)}" if values else "a text"
            raise ValueError(
                f'{self.file}: the receipt\'s "{name}" must be {rule}. '
                f"Received: {value!r}"
            )
        return value

    def origin_of(self, name: str) -> str:
        """Where the data of a data set of the evaluation come from."""
        return self.origin if isinstance(self.origin, str) else self.origin[name]


def read_receipt(file: pathlib.Path, known: Checked, kinds: Collection[str]) -> Receipt:
    """The receipt of a file.

    Args:
        file: the evaluation.json.
        known: its "receipt".
        kinds: the kinds of evaluation that there are.

    Raises:
        ValueError: if something lacks or is not what it must be.
    """
    if known.values.get("evaluation") not in list(kinds):
        raise ValueError(
            f'{file}: the receipt\'s "evaluation" must be one of {sorted(kinds)}; '
            "evaluate again if the file is older than this rule. "
            f"Received: {known.values.get('evaluation')!r}"
        )
    fields = {field.name for field in dataclasses.fields(Receipt)}
    data = known.take("data", (str, dict), "a folder, or folders by name")
    return Receipt(
        file,
        known.text("evaluation"),
        known.text("network"),
        known.text("command"),
        _date(known),
        known.text_or_none("weights"),
        known.text_or_none("weights_md5"),
        data,
        _origin(known, data),
        known.part("other_settings").values,
        known.text_or_none("published"),
        {k: v for k, v in known.values.items() if k not in fields},
    )


def _origin(known: Checked, data: str | Mapping) -> str | dict[str, str]:
    """Where the data come from, in the form of "data"."""
    origin = known.take("origin", (str, dict), "a text, or texts by name")
    one_by_name = isinstance(origin, dict)
    found = list(origin.values()) if one_by_name else [origin]
    fits = one_by_name == isinstance(data, Mapping)
    if not fits or (one_by_name and set(origin) != set(data)):
        raise ValueError(
            f'{known.where}: "origin" must have the names of "data". '
            f"Received: {origin!r:.60}"
        )
    if any(one not in ORIGINS for one in found):
        raise ValueError(
            f'{known.where}: "origin" must be of {list(ORIGINS)}. '
            f"Received: {origin!r:.60}"
        )
    return origin


def _date(known: Checked) -> datetime.datetime:
    text = known.text("date")
    try:
        date = datetime.datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(
            f'{known.where}: "date" must be ISO 8601. Received: {text!r}'
        ) from error
    return date if date.tzinfo else date.astimezone()
