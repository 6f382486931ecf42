"""A run: its folder, its log, its JSON files, and how a script ends.

A run folder holds `log.txt`, `arguments_SCRIPT.json` (the command and every flag), and
what the script writes.
"""

import argparse
import logging
import pathlib
import shlex
import shutil
import sys
from collections.abc import Callable

import keras

from deephar.checkpoints.state import STATES
from deephar.devices import lost_worker
from deephar.experiment.arguments import record_name
from deephar.networks.known_weights import check_there
from deephar.utils.ending import mistakes_told
from deephar.utils.fs import write_json, write_text
from deephar.utils.warp import one_thread_a_picture

logger = logging.getLogger(__name__)

CHECKPOINTS = "checkpoints"
"""Folder of the states of a training in its run folder."""

_STATES = f"{CHECKPOINTS}/{STATES}"
_RESULTS = ("weights_*.h5", "scores.json", "losses.csv")
_TRAINING = (*_RESULTS, "training.html", "model.json", _STATES)
_EVALUATION = (
    "evaluation.json",
    "evaluation.md",
    "report.html",
    "report.md",
    "blocks.png",
    "confusion.png",
    "confusion_mmm.png",
    "confusion_mmmvvv.png",
    "confusion_multi_clip.png",
    "keypoint_results.json",
    "outputs.png",
    "outputs_multi_clip.png",
    "pckh.png",
    "predictions.png",
    "speed.png",
    "training.png",
)


def start(args: argparse.Namespace) -> pathlib.Path:
    """Prepares a run: folder, logging, flags on record and seed.

    Args:
        args: parsed arguments of `argument_parser`.

    Returns:
        The run folder.

    Raises:
        OSError: if the folder cannot be written to; the message names it.
    """
    open_run(args)
    keras.utils.set_random_seed(args.seed)
    return pathlib.Path(args.logdir)


def open_run(
    args: argparse.Namespace, writes: bool = True, record: bool = True
) -> None:
    """Makes the folder, begins the log and puts the flags on record.

    Args:
        args: parsed arguments of `argument_parser`.
        writes: whether this process writes to the folder; if not, it logs to the
            console only.
        record: whether to write the flags now, see `write_record`.

    Raises:
        OSError: if the folder cannot be written to, or there are no such weights; the
            message names them.
    """
    _check_weights(args)
    folder = pathlib.Path(args.logdir)
    begin_log(folder if writes else None, traces=not writes)
    if writes and record:
        try:
            write_record(args)
        except OSError as error:
            raise _cannot_write(folder, error) from error
    logging.getLogger("absl").setLevel(logging.WARNING)
    # It warns of every gathering of the workers' results.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    logger.info("%s", command())
    one_thread_a_picture()


def _check_weights(args: argparse.Namespace) -> None:
    """Refuses weights that are not there before data are read and networks built.

    A training that goes on has its own.
    """
    if getattr(args, "resume", False):
        return
    for flag in ("weights", "pose_weights"):
        if getattr(args, flag, None) is not None:
            check_there(getattr(args, flag))


def begin_log(folder: pathlib.Path | None = None, traces: bool = False) -> None:
    """Sends what is logged to the console, and to log.txt of a folder.

    Args:
        folder: the run folder, made if need be; None for the console alone.
        traces: whether the console shows what is meant for the file, too: the trace of
            an error that ends the script.

    Raises:
        OSError: if the folder cannot be written to; the message names it.
    """
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stdout)]
    if not traces:
        handlers[0].addFilter(lambda note: not getattr(note, "for_the_file", False))
    if folder is not None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            handlers.append(logging.FileHandler(folder / "log.txt", encoding="utf-8"))
        except OSError as error:
            raise _cannot_write(folder, error) from error
    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(message)s",
        datefmt="%Y-%m-%d %H:%M:%S",
        handlers=handlers,
        force=True,
    )


def _cannot_write(folder: pathlib.Path, error: OSError) -> OSError:
    return OSError(f"{folder}: cannot write to the log directory: {error}")


def write_record(args: argparse.Namespace) -> None:
    """Writes the command and every flag to the run folder."""
    path = pathlib.Path(args.logdir) / record_name()
    write_json(path, {"command": command(), **vars(args)})


def holds_training(folder: pathlib.Path) -> bool:
    """Whether a run folder holds a training."""
    return bool(_records(folder, _TRAINING))


def holds_checkpoint(folder: pathlib.Path) -> bool:
    """Whether a run folder holds a state from which a training can go on."""
    return bool(_records(folder, (_STATES,)))


def refuse_other_results(folder: pathlib.Path) -> None:
    """Refuses to go on in a folder with results of a training but no checkpoint of it.

    Raises:
        FileExistsError: if there are such results.
    """
    results = _records(folder, _RESULTS)
    if results and not holds_checkpoint(folder):
        raise FileExistsError(
            f"{folder}: holds results of a training ({results[0].name}) but no "
            "checkpoint to go on from; choose another folder, or --overwrite"
        )


def refuse_earlier_training(
    folder: pathlib.Path, overwrite: bool, files: tuple[str, ...] = _TRAINING
) -> None:
    """Refuses a run folder that holds an earlier training, unless it may be replaced.

    Args:
        folder: the run folder.
        overwrite: whether it may be replaced.
        files: patterns of the names of what a training writes.

    Raises:
        FileExistsError: if there is one and `overwrite` is false.
    """
    earlier = _records(folder, files)
    if earlier and not overwrite:
        raise FileExistsError(
            f"{folder}: holds an earlier training ({earlier[0].name}); go on with it "
            "(--resume), choose another folder, or --overwrite"
        )


def clear_earlier_training(
    folder: pathlib.Path, files: tuple[str, ...] = _TRAINING
) -> None:
    """Removes what an earlier training, and an evaluation of it, wrote to a run folder.

    To be called when nothing can go wrong any more before the new training starts.

    Args:
        folder: the run folder.
        files: patterns of the names of what a training writes.
    """
    for path in _records(folder, files + _EVALUATION):
        path.unlink()
    shutil.rmtree(folder / "tensorboard", ignore_errors=True)


def _records(folder: pathlib.Path, patterns: tuple[str, ...]) -> list[pathlib.Path]:
    return [path for pattern in patterns for path in sorted(folder.glob(pattern))]


def command() -> str:
    """The command line that runs now, as one would type it."""
    return shlex.join(["python", *sys.argv])


def write_evaluation(folder: pathlib.Path, scores: dict, text: str) -> None:
    """Writes what every evaluation leaves in its run folder.

    Args:
        folder: the run folder.
        scores: for evaluation.json.
        text: Markdown for evaluation.md.
    """
    write_scores(folder, scores)
    write_page(folder, text)


def write_scores(folder: pathlib.Path, scores: dict) -> None:
    """Writes evaluation.json, which is to be there whatever happens to the pictures."""
    write_json(folder / "evaluation.json", scores)


def write_page(folder: pathlib.Path, text: str) -> None:
    """Writes evaluation.md."""
    write_text(folder / "evaluation.md", text + "\n")


def run_script(main: Callable[[], None]) -> None:
    """Calls a script's main; a mistake of the user ends in a message, not a trace.

    The trace of such an end is in the run folder's log.txt.

    Args:
        main: function without arguments.

    Raises:
        SystemExit: with the message, for a ValueError, OSError or FloatingPointError;
            with status 130 after Ctrl-C.
    """
    saved = "interrupted; the run folder keeps what was saved so far"
    with mistakes_told(saved), lost_worker():
        main()
