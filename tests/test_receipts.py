"""The docstring of every recipe says what it repeats, costs, and gave."""

import ast
import re

import pytest
from scripts import REPOSITORY

ORDER = ("Paper", "Command", "Recipe", "Hardware", "Time", "Expected", "Measured")
RECEIPT = {"Paper", "Command", "Hardware", "Time", "Expected", "Measured"}
NEEDED = {
    "train": RECEIPT,
    "eval": RECEIPT,
    "predict": {"Command", "Hardware", "Time"},
}
"""Predictions for their own sake have no score."""
WIDTH = 10
RECIPES = [
    path
    for kind in NEEDED
    for path in sorted((REPOSITORY / "exp").glob(f"*/{kind}_*.py"))
]


def read_receipt(path):
    """The first line of a script's docstring, and {name: text} of its receipt."""
    first, *lines = ast.get_docstring(ast.parse(path.read_text("utf-8"))).splitlines()
    items = {}
    for line in lines:
        name, text = line[:WIDTH].rstrip(), line[WIDTH:]
        if name in ORDER:
            assert name not in items, f"{name} stands twice"
            items[name] = text
        elif items and line.startswith(" " * WIDTH):
            items[next(reversed(items))] += " " + text.strip()
        elif items and not line:
            return first, items
    return first, items


def test_recipes_of_all_kinds_are_found():
    kinds = [path.name.split("_")[0] for path in RECIPES]
    assert all(kinds.count(kind) > 3 for kind in NEEDED)


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_a_recipe_has_its_receipt(path):
    first, items = read_receipt(path)
    assert re.fullmatch(r"[A-Z][a-z]+s .*\.", first)
    assert NEEDED[path.name.split("_")[0]] <= items.keys()
    assert list(items) == [name for name in ORDER if name in items]
    assert all(re.search(r"\w", text) for text in items.values())
    assert "not measured yet" not in " ".join(items.values())
    place = path.relative_to(REPOSITORY).as_posix()
    assert items["Command"].startswith(f"python {place} ")
