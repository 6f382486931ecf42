"""What trainings in several stages share: the flag `--stage`, and the check of actions.

Every stage is a training of its own, with flags and a folder of its own.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence

from deephar.experiment.arguments import argument_parser, read_record


def stage_parser(
    doc: str,
    stages: Mapping[str, str],
    network: str,
    folder: str,
    argv: Sequence[str] | None = None,
) -> tuple[argparse.ArgumentParser, str | None]:
    """The parser of a script with stages, and the stage that is asked for.

    Args:
        doc: the script's docstring.
        stages: what each stage learns.
        network: name of the network, of which the run folder's default is made.
        folder: where the data set lies unless told otherwise.
        argv: the command line; None for the real one.

    Returns:
        (parser, stage): with the flags `--stage` and `--data`; the stage is None where
        nothing tells it, and the parser then asks for it.
    """
    name = _stage_of(sys.argv[1:] if argv is None else argv, stages)
    parser = argument_parser(doc, logdir=f"runs/{network}_{name or 'STAGE'}")
    parser.allow_abbrev = False  # `_stage_of` would not know an abbreviation
    about = "; ".join(f"{stage}: {text}" for stage, text in stages.items())
    options = {"choices": tuple(stages), "required": name is None, "default": name}
    parser.add_argument("--stage", help=f"what learns ({about})", **options)
    parser.add_argument("--data", default=folder, help="its folder (%(default)s)")
    return parser, name


def _stage_of(argv: Sequence[str], stages: Mapping[str, str]) -> str | None:
    """The stage that is asked for, or, with --resume, that the folder has on record."""
    first = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    first.add_argument("--stage", choices=tuple(stages))
    first.add_argument("--resume", action="store_true")
    args, others = first.parse_known_args(argv)
    if args.stage is not None or not args.resume:
        return args.stage
    # Which of the others is the run folder, the flags of a stage would have to say.
    records = [read_record(other) for other in others]
    found = {str(record.get("stage")) for record in records} & {*stages}
    return found.pop() if len(found) == 1 else None


def check_first_weights(
    parser: argparse.ArgumentParser, args: argparse.Namespace
) -> None:
    """Refuses two kinds of first weights, of which the one would undo the other."""
    if args.weights and args.pose_weights:
        parser.error("--pose-weights sets what --weights sets too: name one of them")


def check_actions(clips, settings: Mapping) -> None:
    """Refuses clips of more or fewer actions than the network tells apart.

    Raises:
        ValueError: if the numbers differ.
    """
    classes = len(clips.action_labels)
    if classes != settings["actions"]:
        raise ValueError(
            f"{clips.dataset_path}: has {classes} actions, and so must the network "
            f"(--actions). Received: {settings['actions']}"
        )
