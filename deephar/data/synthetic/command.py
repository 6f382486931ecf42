"""The command line that the scripts `datasets/*/generate.py` share."""

import argparse
import functools
import inspect
import os
import pathlib
import sys
from collections.abc import Callable

from deephar.data.synthetic.scene import FRONTAL

PROGRAM = "generate.py"


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


def generate(write: Callable[..., None], overwrite: bool, what: str, done: str) -> int:
    """Writes a data set and tells of it; returns the exit status.

    Args:
        write: Writes it; takes `progress`, the function that shows how far it is.
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
        write(progress=show_progress)
    except FileExistsError as error:
        hint = "" if overwrite else " (--overwrite)"
        sys.stderr.write(f"{PROGRAM}: {error}{hint}\n")
        return 1
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{PROGRAM}: {error}\n")
        return 1
    sys.stdout.write(f"{done}\n")
    return 0


def generate_pictures(
    doc: str, write: Callable[..., None], argv: list[str] | None
) -> int:
    """Runs a script that generates pictures of people; returns the exit status.

    Args:
        doc: The script's docstring.
        write: Writes them, as `write_mpii`.
        argv: The command line; None for the real one.
    """
    parser = make_parser(doc)
    parser.add_argument("--train", type=int, default=3000, help="training pictures")
    parser.add_argument("--valid", type=int, default=300, help="validation pictures")
    parser.add_argument(
        "--frontal",
        type=float,
        default=FRONTAL,
        help="part of the people who face the camera; the lower, the harder",
    )
    args = parser.parse_args(argv)
    done = f"{args.train} training and {args.valid} validation pictures in {args.out}"
    values = {key: value for key, value in vars(args).items() if key != "out"}
    write = functools.partial(write, args.out, **values)
    return generate(write, args.overwrite, "pictures", done)


def generate_videos(
    doc: str, write: Callable[..., None], argv: list[str] | None, hint: str = ""
) -> int:
    """Runs a script that generates videos of actions; returns the exit status.

    Args:
        doc: The script's docstring.
        write: Writes them, as `write_pennaction_clips`; its defaults are the script's.
        argv: The command line; None for the real one.
        hint: What to say of the size of the pictures.
    """
    default = {
        name: one.default for name, one in inspect.signature(write).parameters.items()
    }
    parser = make_parser(doc)
    for name, what in (("train", "training videos"), ("test", "test videos")):
        parser.add_argument(f"--{name}", type=int, default=default[name], help=what)
    add_frames(parser, default["frames"], "video")
    add_size(parser, default["size"], hint)
    args = parser.parse_args(argv)
    done = f"{args.train} training and {args.test} test videos in {args.out}"
    values = {key: value for key, value in vars(args).items() if key != "out"}
    values.update(frames=tuple(args.frames), size=tuple(args.size))
    write = functools.partial(write, args.out, **values)
    return generate(write, args.overwrite, "videos", done)
