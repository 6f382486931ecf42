"""Several workers that share an evaluation, one after the other in one process."""

import numpy as np
import pytest


class Workers:
    """Evaluates the part of every worker, then once more with the whole.

    Args:
        evaluate: from `share` and `gather` to predictions.
        count: number of workers.

    Attributes:
        parts: the arrays that each worker gave to be gathered.
        whole: the predictions that each worker ends with.
    """

    def __init__(self, evaluate, count):
        self.parts = []
        for index in range(count):
            with pytest.raises(_Collected):
                evaluate(share=(index, count), gather=self._collect)
        self.whole = [
            evaluate(share=(index, count), gather=self._join) for index in range(count)
        ]

    def _collect(self, arrays):
        self.parts.append(arrays)
        raise _Collected

    def _join(self, arrays):
        columns = {name: [part[name] for part in self.parts] for name in arrays}
        return {name: np.concatenate(parts) for name, parts in columns.items()}


class _Collected(Exception):
    pass
