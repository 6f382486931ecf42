"""Words that the refusals of weight files share."""

SHOWN = 3
"""How many names a message lists."""

OTHER_NETWORK = (
    "The file is of a network of another size or kind: build the model with the "
    "arguments of the one that wrote it"
)


def short(names):
    """The first names and the number of the others; "none" for none."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more if names else "none"
