"""The outputs of networks of actions by name, and which one counts."""

from collections.abc import Sequence

DECIDING, APART = "m", ("mmm", "mmmvvv")
"""Outputs of merged networks: the one whose figures count, wherever it stands, and what
pose and appearance say apart of what is added up for it. Of other networks the last
output counts."""


def deciding(names: Sequence[str]) -> str:
    """The name of the output whose figures count, of those of a network."""
    return DECIDING if DECIDING in names else names[-1]
