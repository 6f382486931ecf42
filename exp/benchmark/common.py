"""What the benchmarks share: flags, tables, JSON, and runs in pairs.

Times and memory are those of `deephar.utils.timing`. Nothing here imports Keras: a
script sets its environment first and then asks.
"""

import argparse
import json
import pathlib
import shlex
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

from deephar.utils.numbers import positive_int
from deephar.utils.timing import result_of, table


def argument_parser(doc: str) -> argparse.ArgumentParser:
    """Parser with the flags of every benchmark; the docstring is its help."""
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--json", metavar="FILE", help="write the result there too")
    add("--against", metavar="COMMAND", help="run this and COMMAND in turn: A B A B")
    add("--pairs", type=positive_int, default=5, help="of these runs (%(default)s)")
    return parser


def run(args: argparse.Namespace, measure: Callable[[], dict]) -> None:
    """Measures, or compares with another command, and prints table and JSON.

    The last line on the screen is the result as JSON: `{"settings", "machine",
    "figures"}`, or of pairs `{"command", "against", "pairs", "ratios"}`.

    Args:
        args: parsed arguments of `argument_parser`.
        measure: returns the figures by name; times end in `_s`, rates in `_per_s`.

    Raises:
        SystemExit: with the message, for a ValueError or OSError.
    """
    try:
        if args.against:
            own = [sys.executable, *sys.argv, "--against", "", "--json", ""]
            result = compare(own, args.against, args.pairs)
            rows = [("figure", "ratio", "lowest", "highest", "this", "other")]
            rows += [(name, *r.values()) for name, r in result["ratios"].items()]
            shown = table(rows)
        else:
            figures = measure()
            settings = {
                name: value
                for name, value in vars(args).items()
                if name not in ("json", "against", "pairs")
            }
            result, shown = result_of(settings, figures)
        text = json.dumps(result)
        if args.json:
            pathlib.Path(args.json).write_text(text + "\n", encoding="utf-8")
    except (ValueError, OSError) as error:
        raise SystemExit(f"error: {error}") from error
    print(shown)
    print(text, flush=True)


def compare(own: list[str], against: str, pairs: int) -> dict:
    """Runs two commands in turn, each `pairs` times, and compares their figures.

    Args:
        own: command line of a benchmark of this folder.
        against: a shell command. If its last line is JSON as ours, or an object with
            some of the same names, those figures are compared; else wall time only.
        pairs: how often.

    Returns:
        `{"command", "against", "pairs", "ratios"}`; a ratio is this command's figure
        over the other's: `{"median", "lowest", "highest"}` over the pairs, and the
        medians of the figures themselves, `"this"` and `"other"`.
    """
    found = [(_figures(own), _figures(against)) for _ in range(pairs)]
    return {
        "command": shlex.join(own),
        "against": against,
        "pairs": pairs,
        "ratios": ratios(found),
    }


def ratios(found: list[tuple[dict, dict]]) -> dict[str, dict[str, float]]:
    """Ratios by figure, of (this, other) in each pair; and each side's median."""
    shared = [
        name
        for name in found[0][0]
        if all(_is_figure(side.get(name)) for pair in found for side in pair)
    ]
    result = {}
    for name in shared:
        values = [ours[name] / theirs[name] for ours, theirs in found]
        result[name] = {
            "median": statistics.median(values),
            "lowest": min(values),
            "highest": max(values),
            "this": statistics.median(ours[name] for ours, _ in found),
            "other": statistics.median(theirs[name] for _, theirs in found),
        }
    return result


def _is_figure(value) -> bool:
    return isinstance(value, int | float) and value > 0 and value is not True


def _figures(command: list[str] | str) -> dict:
    """Runs a command; its figures, and `wall_s`."""
    start = time.perf_counter()
    done = subprocess.run(
        command, shell=isinstance(command, str), capture_output=True, text=True
    )
    wall = time.perf_counter() - start
    if done.returncode:
        said = "\n".join((done.stdout + done.stderr).splitlines()[-5:])
        raise ValueError(f"{command}: ended with status {done.returncode}: {said}")
    lines = done.stdout.strip().splitlines()
    try:
        result = json.loads(lines[-1]) if lines else {}
    except ValueError:
        result = {}
    if not isinstance(result, dict):
        result = {}
    return {**result.get("figures", result), "wall_s": wall}
