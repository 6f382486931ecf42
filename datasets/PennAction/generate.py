"""Generate clips in Penn Action's format: OUT/frames/ and OUT/annotations.mat.

    python datasets/PennAction/generate.py OUT --train 240 --test 75

Figures do the 15 actions, drawn with exact joints by deephar.data.synthetic, about 150
pictures a second and core. The test part shows other people than the training part.
The same seed gives the same files whatever --workers is.
OUT/generated.json keeps the command.
"""

import functools
import sys

from deephar.data.synthetic import write_pennaction_clips
from deephar.data.synthetic.command import add_frames, add_size, generate, make_parser


def main(argv: list[str] | None = None) -> int:
    """Runs the command line; returns the exit status."""
    parser = make_parser(__doc__)
    parser.add_argument("--train", type=int, default=240, help="training videos")
    parser.add_argument("--test", type=int, default=75, help="test videos")
    add_frames(parser, (24, 40), "video")
    add_size(parser, (320, 240))
    arguments = parser.parse_args(argv)
    write = functools.partial(
        write_pennaction_clips,
        arguments.out,
        arguments.train,
        arguments.test,
        tuple(arguments.frames),
        tuple(arguments.size),
        arguments.seed,
        arguments.workers,
        arguments.overwrite,
    )
    done = (
        f"{arguments.train} training and {arguments.test} test videos "
        f"in {arguments.out}"
    )
    return generate(write, arguments.overwrite, "videos", done)


if __name__ == "__main__":
    sys.exit(main())
