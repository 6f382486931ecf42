"""The flags of temporal lifting: those of VideoPose3D, long and short, in groups.

One table for training, evaluation and rendering, so that a command line of VideoPose3D
works as it stands. What a task has no use for is refused where it is given.
"""

import argparse
from collections.abc import Callable, Sequence

from deephar.utils.numbers import (
    fraction,
    natural,
    positive_float,
    positive_int,
    seed,
)

TRAIN_LIFTING, EVALUATE_LIFTING, RENDER_LIFTING = "training", "evaluation", "rendering"
"""What a command does."""

_UNSET = object()

_SCORED = frozenset("by_subject report subjects_train subjects_test actions".split())
_TRAINING = frozenset(
    """checkpoint_frequency resume no_eval export_training_curves dropout
    disable_optimizations stride epochs batch_size learning_rate lr_decay
    no_data_augmentation warmup subset downsample linear_projection no_bone_length
    no_proj subjects_unlabeled seed overwrite""".split()
)
_SEMI = frozenset("warmup linear_projection no_bone_length no_proj".split())
_VIEW = "viz_"
_DRAWN = frozenset(
    """viz_skip viz_limit viz_downsample viz_size viz_bitrate
    viz_no_ground_truth""".split()
)


def widths(text: str) -> tuple[int, ...]:
    """Odd widths of convolutions with commas between them: "3,3,3"."""
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdecimal() for part in parts) or not all(
        int(part) % 2 for part in parts
    ):
        raise argparse.ArgumentTypeError(
            f"must be odd numbers with commas between them, as 3,3,3. Received: {text}"
        )
    return tuple(map(int, parts))


def listed(text: str) -> tuple[str, ...]:
    """Different names with commas between them; "" for none."""
    names = tuple(name.strip() for name in text.split(",")) if text else ()
    if not all(names) or len(set(names)) < len(names):
        raise argparse.ArgumentTypeError(
            f"must be different names with commas between them. Received: {text}"
        )
    return names


def share(text: str) -> float:
    """A number above 0 and at most 1."""
    value = positive_float(text)
    if value > 1:
        raise argparse.ArgumentTypeError(f"must be at most 1. Received: {text}")
    return value


def limit(text: str) -> int | None:
    """A number of frames, at least 1; None for -1, all of them."""
    return None if text == "-1" else positive_int(text)


def lifting_parser(
    doc: str, evaluate_flags: Sequence[str] = ()
) -> argparse.ArgumentParser:
    """The parser of every script of temporal lifting.

    Args:
        doc: the script's docstring, its help.
        evaluate_flags: further names of the flag `--evaluate`, such as "--weights".

    Returns:
        The parser; `parse_lifting` reads a command line by it.
    """
    parser = argparse.ArgumentParser(
        description=doc,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    _add_data(parser.add_argument_group("data"))
    _add_run(parser.add_argument_group("run"), evaluate_flags)
    _add_network(parser.add_argument_group("network"))
    _add_training(parser.add_argument_group("training"))
    _add_semi(parser.add_argument_group("semi-supervised training"))
    _add_view(parser.add_argument_group("rendering"))
    return parser


def _adder(group) -> tuple[Callable, Callable]:
    """Functions that add a flag with its default in the help, and a switch."""

    def add(*names, default=None, help, shown=None, **options):
        shown = default if shown is None else shown
        text = help if shown is None else f"{help} ({shown})"
        group.add_argument(*names, default=default, help=text, **options)

    def switch(*names, help):
        group.add_argument(*names, action="store_true", help=help)

    return add, switch


def _add_data(group) -> None:
    add, _ = _adder(group)
    add("--data", default="data", help="folder of the npz files", metavar="FOLDER")
    dataset = "h36m, humaneva15 or custom"
    add("-d", "--dataset", default="h36m", help=dataset, metavar="NAME")
    keypoints = "name of the 2D detections"
    add("-k", "--keypoints", default="cpn_ft_h36m_dbb", help=keypoints, metavar="NAME")
    add("--cameras", help="JSON file of HumanEva's cameras", metavar="FILE")
    names = {"type": listed, "metavar": "NAMES"}
    train, test = "S1,S5,S6,S7,S8", "S9,S11"
    options = {"default": listed(train), "shown": train, **names}
    add("-str", "--subjects-train", help="to train on", **options)
    options = {"default": listed(test), "shown": test, **names}
    add("-ste", "--subjects-test", help="to test on", **options)
    unlabelled = "without labels, for semi-supervised training"
    add(
        "-sun",
        "--subjects-unlabeled",
        default=(),
        help=unlabelled,
        shown="none",
        **names,
    )
    options = {"default": ("*",), "shown": "*: all", **names}
    actions = "actions, by name or a beginning that only one has"
    add("-a", "--actions", help=actions, **options)


def _add_run(group, evaluate_flags: Sequence[str]) -> None:
    add, switch = _adder(group)
    folder = "folder of checkpoints, log and scores"
    add("-c", "--checkpoint", default="checkpoint", help=folder, metavar="FOLDER")
    often = "epochs between the checkpoints that are kept"
    add("--checkpoint-frequency", default=10, help=often, type=positive_int)
    file = {"metavar": "FILE"}
    resume = "checkpoint to go on from, in the folder or a path"
    add("-r", "--resume", help=resume, **file)
    evaluate = "checkpoint to evaluate or to render, in the folder or a path"
    names = ("--evaluate", *evaluate_flags)
    add(*names, dest="evaluate", help=evaluate, **file)
    switch("--overwrite", help="replace the training that the folder holds")
    switch("--render", help="draw one video instead")
    switch("--by-subject", help="scores of each test subject")
    switch("--report", help="write report.html too, with poses that turn")
    switch("--no-eval", help="no evaluation after the epochs, to save time")
    switch("--export-training-curves", help="draw the losses after every epoch")
    add("--seed", default=0, help="of weights, dropout and order", type=seed)


def _add_network(group) -> None:
    add, switch = _adder(group)
    options = {"default": (3, 3, 3), "shown": "3,3,3", "metavar": "WIDTHS"}
    arc = "widths of the convolutions; those of a checkpoint are its own"
    add("-arc", "--architecture", help=arc, type=widths, **options)
    add("-ch", "--channels", default=1024, help="of a layer", type=positive_int)
    add("-drop", "--dropout", default=0.25, help="share dropped", type=fraction)
    switch("--causal", help="look at earlier frames only")
    switch("--dense", help="convolutions without holes, as wide")
    switch(
        "--disable-optimizations", help="train the dilated form on single frames, too"
    )


def _add_training(group) -> None:
    add, switch = _adder(group)
    stride = "frames that a chunk predicts"
    add("-s", "--stride", default=1, help=stride, type=positive_int)
    add("-e", "--epochs", default=60, help="times through the data", type=positive_int)
    batch = "predicted frames a step"
    add("-b", "--batch-size", default=1024, help=batch, type=positive_int)
    rate = "learning rate at the start"
    add("-lr", "--learning-rate", default=0.001, help=rate, type=positive_float)
    decay = "its factor after every epoch"
    add("-lrd", "--lr-decay", default=0.95, help=decay, type=positive_float)
    switch("-no-da", "--no-data-augmentation", help="no mirrored poses in training")
    switch("-no-tta", "--no-test-time-augmentation", help="nor in the evaluation")
    part = "share of every training sequence"
    add("--subset", default=1.0, shown=1, help=part, type=share)
    every = "one frame in so many of the training's"
    add("--downsample", default=1, help=every, type=positive_int)


def _add_semi(group) -> None:
    add, switch = _adder(group)
    warmup = "epochs without the unlabelled subjects"
    add("--warmup", default=1, help=warmup, type=natural)
    switch("--linear-projection", help="project without the lens's distortion")
    switch("--no-bone-length", help="without the penalty of bone lengths")
    switch("--no-proj", help="without the loss of the projection")


def _add_view(group) -> None:
    add, switch = _adder(group)
    add("--viz-subject", help="subject, of custom data the video", metavar="NAME")
    add("--viz-action", help="action, of custom data `custom`", metavar="NAME")
    add("--viz-camera", default=0, help="number of the camera", type=natural)
    add("--viz-video", help="the video to draw beside", metavar="FILE")
    add("--viz-skip", default=0, help="frames at the start to skip", type=natural)
    add("--viz-output", help="mp4 or gif to write", metavar="FILE")
    add("--viz-export", help="npy file of the joints to write", metavar="FILE")
    add("--viz-bvh", help="bvh file of the motion to write", metavar="FILE")
    add("--viz-bitrate", default=3000, help="kbit/s of an mp4", type=positive_int)
    switch("--viz-no-ground-truth", help="without the true pose")
    frames = "frames to draw from there (-1: all)"
    add("--viz-limit", help=frames, type=limit, metavar="FRAMES")
    fewer = "draw one frame in so many"
    add("--viz-downsample", default=1, help=fewer, type=positive_int)
    add("--viz-size", default=5, help="height in inches", type=positive_int)


def parse_lifting(
    parser: argparse.ArgumentParser,
    argv: Sequence[str] | None = None,
    task: str | None = None,
) -> argparse.Namespace:
    """Parses a command line; refuses flags that do not go together.

    Args:
        parser: of `lifting_parser`, with further flags or without.
        argv: the command line; None for the real one.
        task: the only one that the script does; None lets the flags decide.

    Returns:
        The flags, with `given`, the names of those that stand on the command line,
        `task`, one of TRAIN_LIFTING, EVALUATE_LIFTING and RENDER_LIFTING, and `logdir`,
        which is `checkpoint`. With --resume they are to be put to `check_pairs` once
        those of the checkpoint are known.

    Raises:
        SystemExit: with status 2 and a message, for flags that are not known, not of
            the task, or do not go together.
    """
    flags = [one for one in parser._actions if one.dest != "help"]
    blank = argparse.Namespace(**{one.dest: _UNSET for one in flags})
    args = parser.parse_args(argv, blank)
    given = {name for name, value in vars(args).items() if value is not _UNSET}
    for one in flags:
        if one.dest not in given:
            setattr(args, one.dest, one.default)
    args.given = sorted(given)
    args.render = args.render or task == RENDER_LIFTING
    args.task = (
        RENDER_LIFTING
        if args.render
        else EVALUATE_LIFTING
        if args.evaluate
        else TRAIN_LIFTING
    )
    args.logdir = args.checkpoint
    if task == EVALUATE_LIFTING and args.task != task:
        parser.error("--evaluate names the checkpoint to score, and nothing is drawn")
    try:
        _check_task(args)
        if not args.resume:
            check_pairs(args)
    except ValueError as error:
        parser.error(str(error))
    return args


def flag_of(name: str) -> str:
    """The long name of a flag, as a user would type it."""
    return "--" + name.replace("_", "-")


def _check_task(args: argparse.Namespace) -> None:
    """Refuses flags that the task has no use for, and a task that is two."""
    view = {name for name in args.given if name.startswith(_VIEW)}
    foreign = {
        TRAIN_LIFTING: view,
        EVALUATE_LIFTING: view | _TRAINING,
        RENDER_LIFTING: _TRAINING | _SCORED,
    }[args.task]
    for name in args.given:
        if name in foreign and name != "resume":
            of_what = "training"
            if name in view:
                of_what = "rendering: add --render"
            elif name in _SCORED:
                of_what = "training and evaluation"
            flag = flag_of(name)
            raise ValueError(
                f"{flag} belongs to {of_what}. Received: {flag} for {args.task}"
            )
    if args.resume and args.evaluate:
        _refuse("a run goes on training or evaluates", "resume", "evaluate")
    if args.resume and args.overwrite:
        _refuse("a training goes on or starts anew", "resume", "overwrite")
    if args.task == RENDER_LIFTING:
        _check_render(args)


def check_pairs(args: argparse.Namespace) -> None:
    """Refuses flags of a training or an evaluation that contradict each other.

    Args:
        args: of `parse_lifting`.

    Raises:
        ValueError: naming them.
    """
    if args.export_training_curves and args.no_eval:
        reason = "the curves are those of the epochs' evaluations"
        _refuse(reason, "export_training_curves", "no_eval")
    if args.dense and args.disable_optimizations:
        reason = "dense networks have no faster form to disable"
        _refuse(reason, "dense", "disable_optimizations")
    if args.stride > 1 and args.disable_optimizations:
        reason = "chunks of several frames have no faster form to disable"
        _refuse(reason, "stride", "disable_optimizations")
    if args.stride > args.batch_size:
        raise ValueError(
            "--batch-size counts predicted frames and holds one chunk at least. "
            f"Received: --batch-size {args.batch_size} --stride {args.stride}"
        )
    if not args.subjects_unlabeled:
        for name in args.given:
            if name in _SEMI:
                _refuse("it is of semi-supervised training: add -sun", name)
    elif args.warmup >= args.epochs:
        raise ValueError(
            "--epochs must be more than --warmup, for unlabelled data to count. "
            f"Received: --epochs {args.epochs} --warmup {args.warmup}"
        )
    elif args.no_proj and args.no_bone_length:
        reason = "nothing would be learned from unlabelled subjects"
        _refuse(reason, "no_proj", "no_bone_length")
    both = set(args.subjects_unlabeled) & {*args.subjects_train, *args.subjects_test}
    if both:
        raise ValueError(
            "--subjects-unlabeled must be neither trained nor tested on with labels. "
            f"Received: {', '.join(sorted(both))}"
        )
    if not args.subjects_test and args.task != RENDER_LIFTING:
        raise ValueError("--subjects-test must name a subject. Received: none")
    if not args.subjects_train and args.task == TRAIN_LIFTING:
        raise ValueError("--subjects-train must name a subject. Received: none")


def _refuse(reason: str, *names: str) -> None:
    raise ValueError(f"{reason}. Received: {' '.join(map(flag_of, names))}")


def _check_render(args: argparse.Namespace) -> None:
    """Refuses a rendering without a network, a sequence or a place to write to."""
    needed = ("evaluate", "viz_subject", "viz_action")
    missing = [flag_of(name) for name in needed if not getattr(args, name)]
    if missing:
        raise ValueError(f"--render needs {', '.join(missing)}")
    if not (args.viz_output or args.viz_export or args.viz_bvh):
        raise ValueError("--render needs --viz-output, --viz-export or --viz-bvh")
    drawn = [flag_of(name) for name in args.given if name in _DRAWN]
    if drawn and not args.viz_output:
        raise ValueError(
            f"it is of the drawing: add --viz-output. Received: {drawn[0]}"
        )
    if "viz_bitrate" in args.given and args.viz_output.lower().endswith(".gif"):
        raise ValueError(
            f"a GIF has no bit rate. Received: --viz-bitrate {args.viz_bitrate} "
            f"--viz-output {args.viz_output}"
        )
