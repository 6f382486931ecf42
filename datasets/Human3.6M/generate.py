"""Generate recordings in Human3.6M's format: OUT/images/ and OUT/annotations.mat.

    python datasets/Human3.6M/generate.py OUT --train 75 --valid 30

Figures do the 15 actions, filmed by four cameras whose calibration is exact; drawn by
deephar.data.synthetic, about 45 pictures of 1000x1000 px a second and core. The
validation part shows other people than the training part. The same seed gives the same
files whatever --workers is.
OUT/generated.json keeps the command.
"""

import functools
import sys

from deephar.data.synthetic import write_human36m_sequences
from deephar.data.synthetic.command import add_size, generate, make_parser


def main(argv: list[str] | None = None) -> int:
    """Runs the command line; returns the exit status."""
    parser = make_parser(__doc__)
    for name, default, what in (
        ("train", 75, "training recordings, four sequences each"),
        ("valid", 30, "validation recordings, four sequences each"),
    ):
        parser.add_argument(f"--{name}", type=int, default=default, help=what)
    for name, default, what in (
        ("frames", (16, 8), "frames of a training and of a validation sequence"),
        ("step", (5, 64), "numbers from one frame to the next, 50 a second"),
    ):
        parser.add_argument(
            f"--{name}",
            type=int,
            nargs=2,
            default=default,
            metavar=("TRAIN", "VALID"),
            help=f"{what} (default: {default[0]} and {default[1]})",
        )
    add_size(parser, (1000, 1000), "; the original's windows need it")
    arguments = parser.parse_args(argv)
    write = functools.partial(
        write_human36m_sequences,
        arguments.out,
        arguments.train,
        arguments.valid,
        tuple(arguments.frames),
        tuple(arguments.step),
        tuple(arguments.size),
        arguments.seed,
        arguments.workers,
        arguments.overwrite,
    )
    done = (
        f"{arguments.train} training and {arguments.valid} validation recordings "
        f"by four cameras in {arguments.out}"
    )
    return generate(write, arguments.overwrite, "recordings", done)


if __name__ == "__main__":
    sys.exit(main())
