"""Generate motion for temporal lifting: OUT/data_3d_h36m.npz and data_2d_h36m_*.npz.

    python datasets/lifting/generate.py OUT --seconds 10

Figures do the 15 actions of Human3.6M before its four cameras: five people for
training, S1, S5, S6, S7 and S8, and two others for validation, S9 and S11; 210 takes.
The files of key points are gt, where the joints are in the pictures; detected, what a
detector finds of them; small, what it finds in pictures a tenth as large; coco, what
it finds of COCO's key points. The same seed gives the same files whatever --workers
is. OUT/generated.json keeps the command.
"""

import functools
import sys

from deephar.data.synthetic import write_lifting
from deephar.data.synthetic.command import generate, make_parser
from deephar.data.synthetic.lifting import FPS


def main(argv: list[str] | None = None) -> int:
    """Runs the command line; returns the exit status."""
    parser = make_parser(__doc__)
    parser.add_argument(
        "--seconds",
        type=float,
        default=10.0,
        help=f"length of a take of {FPS:.0f} frames a second (default: 10)",
    )
    args = parser.parse_args(argv)
    write = functools.partial(
        write_lifting, args.out, args.seconds, args.seed, args.workers, args.overwrite
    )
    done = f"takes of {args.seconds:g} s by seven people in {args.out}"
    return generate(write, args.overwrite, "takes", done)


if __name__ == "__main__":
    sys.exit(main())
