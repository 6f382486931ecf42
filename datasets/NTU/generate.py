"""Generate clips in NTU RGB+D's format: OUT/images-small/ and OUT/nturgb+d_numpy/.

    python datasets/NTU/generate.py OUT --train 120 --test 40

Figures do 20 of the 60 actions, filmed by three cameras, with exact joints in colour
and depth; drawn by deephar.data.synthetic, about 100 pictures of 960x540 px a second
and core. Numbers are those of people of both parts of the cross-subject protocol. The
same seed gives the same files whatever --workers is.
OUT/generated.json keeps the command.
"""

import functools
import sys

from deephar.data.synthetic import write_ntu_clips
from deephar.data.synthetic.command import add_frames, generate, make_parser


def main(argv: list[str] | None = None) -> int:
    """Runs the command line; returns the exit status."""
    parser = make_parser(__doc__)
    for name, default, what in (
        ("train", 120, "recordings of people for training, three videos each"),
        ("test", 40, "recordings of people for testing, three videos each"),
    ):
        parser.add_argument(f"--{name}", type=int, default=default, help=what)
    add_frames(parser, (28, 40), "video")
    arguments = parser.parse_args(argv)
    write = functools.partial(
        write_ntu_clips,
        arguments.out,
        arguments.train,
        arguments.test,
        tuple(arguments.frames),
        arguments.seed,
        arguments.workers,
        arguments.overwrite,
    )
    done = (
        f"{arguments.train} training and {arguments.test} test recordings "
        f"by three cameras in {arguments.out}"
    )
    return generate(write, arguments.overwrite, "recordings", done)


if __name__ == "__main__":
    sys.exit(main())
