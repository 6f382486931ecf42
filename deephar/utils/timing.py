"""Times, memory and tables of benchmarks. Nothing here imports a framework."""

import statistics
import sys
import time
from collections.abc import Callable, Mapping

from deephar.utils.machine import machine

MIB = 2**20


def seconds(function: Callable[[], object], repeat: int, warm: int = 1) -> dict:
    """Times a function that returns only when its work is done.

    Args:
        function: what is timed.
        repeat: how many calls count.
        warm: calls after the first that do not count.

    Returns:
        `{"first", "median", "fastest", "slowest"}`, seconds a call.
    """
    times = []
    for _ in range(1 + warm + repeat):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    counted = times[1 + warm :]
    return {
        "first": times[0],
        "median": statistics.median(counted),
        "fastest": min(counted),
        "slowest": max(counted),
    }


def peak_memory_mib() -> float:
    """The most memory that this process has held so far, MiB."""
    import resource  # not on Windows

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (MIB if sys.platform == "darwin" else 1024)


def result_of(settings: Mapping, figures: Mapping) -> tuple[dict, str]:
    """What a benchmark found: `{"settings", "machine", "figures"}`, and as a table.

    Args:
        settings: what it was asked for.
        figures: by name; times end in `_s`, rates in `_per_s`.
    """
    result = {
        "settings": dict(settings),
        "machine": machine(),
        "figures": dict(figures),
    }
    return result, table([row for part in result.values() for row in part.items()])


def table(rows: list[tuple]) -> str:
    """Rows as text in columns; numbers of more than a thousand without decimals."""
    cells = [[_text(value) for value in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in cells
    )


def _text(value) -> str:
    if isinstance(value, float):
        return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return str(value)
