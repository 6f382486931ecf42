"""Receipts of results as evaluation.json has them, checked as they are read."""

import dataclasses
import datetime
import pathlib
from collections.abc import Collection


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
        return None if value is None else factor * value

    def some_number(self, key: str) -> float:
        return self.take(key, (int, float), "a number")

    def pair(self, key: str) -> list[float]:
        rule = "a list of two numbers"
        values = self.take(key, (list,), rule)
        if len(values) != 2 or not all(isinstance(v, (int, float)) for v in values):
            raise ValueError(
                f'{self.where}: "{key}" must be {rule}. Received: {values!r:.60}'
            )
        return values

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
        evaluation: its kind, one of `results.KINDS`.
        network: the network's name.
        command: the command line that made it.
        date: when, with a time zone.
        weights, weights_md5: the weights file; None for an untrained network.
        data: folder of the data, or folders by data set ("penn", "mpii").
        generated: the data that are generated: all of them or none (True, False), or
            the names of those folders that are.
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
    generated: bool | tuple[str, ...]
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

    def is_generated(self, name: str) -> bool:
        """Whether it is generated."""
        if isinstance(self.generated, bool):
            return self.generated
        return name in self.generated


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
    generated = known.flag("generated")
    if isinstance(data, dict):
        generated = tuple(known.take("generated_data", (list,), "a list of names"))
    return Receipt(
        file,
        known.text("evaluation"),
        known.text("network"),
        known.text("command"),
        _date(known),
        known.text_or_none("weights"),
        known.text_or_none("weights_md5"),
        data,
        generated,
        {k: v for k, v in known.values.items() if k not in {*fields, "generated_data"}},
    )


def _date(known: Checked) -> datetime.datetime:
    text = known.text("date")
    try:
        date = datetime.datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(
            f'{known.where}: "date" must be ISO 8601. Received: {text!r}'
        ) from error
    return date if date.tzinfo else date.astimezone()
