"""The commands of `python -m deephar`: one front door over what the scripts call.

A command is a module of this folder, named as the command with _ for -. It has `parse`,
from a command line to the parsed flags, and `main`, which does the work and returns the
exit status, or None for 0. Nothing of a command is imported before it is called for.
"""

import argparse
import difflib
import importlib
import os
import sys
from collections.abc import Sequence

from deephar import __version__
from deephar.utils.ending import mistakes_told

PROGRAM = "python -m deephar"

COMMANDS = {
    "predict": "finds and draws poses and actions in pictures, videos and cameras",
    "info": "tells what is here: versions, devices, weights; or what a file is of",
    "check-data": "tells what of a data set is there, and what is missing or wrong",
    "browse": "shows what a data set holds and a network is given of it, as a page",
    "convert-weights": "converts weights from the originals' files to ours, or back",
    "export": "writes networks as ONNX, TFLite and SavedModel files, each checked",
    "demo-app": "shows in the browser what networks see in pictures, clips, webcams",
    "benchmark": "times a network on this machine: pictures, and frames of a stream",
}
"""What each command does, by its name."""

_QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3"}
"""TensorFlow's own notes; what goes wrong comes as an error all the same."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command line, `COMMAND FLAGS`; returns the exit status.

    Args:
        argv: the command line without the program; None is that of this process.

    Raises:
        SystemExit: with the message, for a mistake of the user; with status 130 after
            Ctrl-C.
    """
    name, *rest = (sys.argv[1:] if argv is None else argv) or ["--help"]
    if name in ("-h", "--help"):
        sys.stdout.write(overview())
        return 0
    if name == "--version":
        sys.stdout.write(f"deephar {__version__}\n")
        return 0
    if name not in COMMANDS:
        sys.stderr.write(f"{PROGRAM}: error: {unknown(name)}\n")
        return 2
    for variable, value in _QUIET.items():
        os.environ.setdefault(variable, value)
    with mistakes_told("interrupted"):
        command = importlib.import_module(f"{__name__}.{name.replace('-', '_')}")
        return command.main(rest) or 0


def overview() -> str:
    """The help of all commands together."""
    width = max(map(len, COMMANDS))
    lines = [f"  {name:{width}}  {about}" for name, about in COMMANDS.items()]
    return (
        f"usage: {PROGRAM} COMMAND ...\n\n"
        "Human poses and actions in pictures, videos and cameras.\n\n"
        "commands:\n"
        + "\n".join(lines)
        + f"\n\n{PROGRAM} COMMAND --help tells the flags of one, with an example.\n"
    )


def command_parser(name: str, doc: str) -> argparse.ArgumentParser:
    """The parser of a command, whose module's docstring is its help."""
    return argparse.ArgumentParser(
        prog=f"{PROGRAM} {name}",
        description=doc,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def say(text: str) -> None:
    """Prints a line, or several."""
    sys.stdout.write(text + "\n")


def unknown(name: str) -> str:
    """What to say to a command that there is not."""
    near = difflib.get_close_matches(name, COMMANDS, n=1, cutoff=0.5)
    meant = f" Did you mean {near[0]}?" if near else ""
    return f"{name}: there is no such command.{meant} There are {', '.join(COMMANDS)}."
