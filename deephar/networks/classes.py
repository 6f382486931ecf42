"""What the actions of a network are called."""

from collections.abc import Mapping

from deephar.data import ntu, pennaction

_LABELS = {"penn": pennaction.ACTION_LABELS, "ntu": ntu.ACTION_LABELS}


def class_names(settings: Mapping, given: str | None = None) -> tuple[str, ...]:
    """The names of a network's actions; numbers where they are not known.

    Args:
        settings: the network's, of `network_settings`.
        given: names with commas between them; None for those that the settings have,
            or the network's data set.

    Raises:
        ValueError: if there are not as many given as the network tells apart.
    """
    given = settings.get("classes") if given is None else given
    if given is not None:
        names = tuple(given.split(","))
        if len(names) != settings["actions"]:
            raise ValueError(
                f"--classes must name the network's {settings['actions']} actions. "
                f"Received: {given}"
            )
    else:
        names = _LABELS[settings["network"].split("_")[0]]
    if len(names) == settings["actions"]:
        return names
    return tuple(f"action {number}" for number in range(1, settings["actions"] + 1))
