"""The machine, and what this process may use of it."""

import datetime
import os
import pathlib
import platform

PRECISIONS = ("float32", "bfloat16", "float16")
"""In which networks compute; less than float32 is mixed."""
CHOSEN_PRECISIONS = (*PRECISIONS, "auto")
"""The same, and what is fastest on the processor."""
CPUINFO = pathlib.Path("/proc/cpuinfo")
"""Linux's description of the processor."""


def cores() -> int:
    """Number of processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def cpu_facts(cpuinfo: pathlib.Path = CPUINFO) -> dict[str, str]:
    """What Linux says of the first core, such as "model name"; {} where it does not."""
    try:
        lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    facts = dict(line.split(":", 1) for line in reversed(lines) if ":" in line)
    return {key.strip(): value.strip() for key, value in facts.items()}


def machine() -> dict[str, str | int]:
    """What the figures were taken on, and when."""
    unnamed = platform.processor() or platform.machine()
    return {
        "date": datetime.date.today().isoformat(),
        "cpu": cpu_facts().get("model name", unnamed),
        "cores": cores(),
        "python": platform.python_version(),
    }
