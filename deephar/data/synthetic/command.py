"""The command line that the scripts `datasets/*/generate.py` share."""

import argparse
import os
import pathlib
import sys
from collections.abc import Callable

PROGRAM = "generate.py"
Progress = Callable[[int, int], None]


def make_parser(description: str) -> argparse.ArgumentParser:
    """Returns a parser with the folder, --seed, --workers and --overwrite."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=pathlib.Path, metavar="OUT", help="folder to write")
    parser.add_argument("--seed", type=int, default=0, help="which people")
    parser.add_argument(
        "--workers", type=int, default=os.cpu_count() or 1, help="processes"
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="replace what an earlier run wrote"
    )
    return parser


def add_frames(
    parser: argparse.ArgumentParser, default: tuple[int, int], what: str
) -> None:
    """Adds --frames, the smallest and largest number."""
    parser.add_argument(
        "--frames",
        type=int,
        nargs=2,
        default=default,
        metavar=("MIN", "MAX"),
        help=f"frames of a {what} (default: {default[0]} to {default[1]})",
    )


def add_size(
    parser: argparse.ArgumentParser, default: tuple[int, int], hint: str = ""
) -> None:
    """Adds --size, width and height of the pictures."""
    parser.add_argument(
        "--size",
        type=int,
        nargs=2,
        default=default,
        metavar=("W", "H"),
        help=f"size of the pictures, px (default: {default[0]}x{default[1]}{hint})",
    )


def generate(
    write: Callable[[Progress], None], overwrite: bool, what: str, done: str
) -> int:
    """Writes a data set and tells of it; returns the exit status.

    Args:
        write: Writes it, given the function that shows progress.
        overwrite: Whether files may be replaced.
        what: What progress counts.
        done: The line that tells of success.
    """

    def show_progress(count: int, total: int) -> None:
        """Shows one line that counts up on a terminal; nothing elsewhere."""
        if sys.stderr.isatty():
            end = "\n" if count == total else ""
            sys.stderr.write(f"\r{count}/{total} {what}{end}")
            sys.stderr.flush()

    try:
        write(show_progress)
    except FileExistsError as error:
        hint = "" if overwrite else " (--overwrite)"
        sys.stderr.write(f"{PROGRAM}: {error}{hint}\n")
        return 1
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{PROGRAM}: {error}\n")
        return 1
    sys.stdout.write(f"{done}\n")
    return 0
