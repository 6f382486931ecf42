"""Names of layers as functions of arguments: no counter outlives the model it names."""

from collections import Counter


class LayerNames:
    """Numbers the layers of one model by kind: conv2d_1, conv2d_2, add_1 ...

    Every helper of `deephar.layers` that takes a `name` takes one of these as well,
    and then asks it for the name of each layer that it makes. A builder that starts
    with a fresh object therefore names its layers by their place, whatever was built
    before in the same process.

    Args:
        prefix: Put in front of every name.
    """

    def __init__(self, prefix=""):
        self.prefix = prefix
        self._seen = Counter()

    def __call__(self, kind):
        """Returns the next name of a layer of this kind."""
        self._seen[kind] += 1
        return f"{self.prefix}{kind}_{self._seen[kind]}"


def layer_name(name, kind):
    """The name for one layer: `name` itself, or the next of its kind."""
    return name(kind) if isinstance(name, LayerNames) else name


def suffixed(name, suffix):
    """`name + suffix`; None stays None and `LayerNames` goes on numbering."""
    return name + suffix if isinstance(name, str) else name
