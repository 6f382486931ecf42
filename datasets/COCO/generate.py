"""Generate people in COCO's format: OUT/{train,val}2017/*.jpg and OUT/annotations/.

    python datasets/COCO/generate.py OUT --train 3000 --valid 300

Figures are drawn with exact key points by deephar.data.synthetic, about 80 pictures a
second and core: one to three people in most pictures, some in the distance whose key
points are not labelled, crowds, now and then nobody. The same seed gives the same files
whatever --workers is. OUT/generated.json keeps the command.
"""

import functools
import sys

from deephar.data.synthetic import write_coco
from deephar.data.synthetic.command import generate, make_parser


def main(argv: list[str] | None = None) -> int:
    """Runs the command line; returns the exit status."""
    parser = make_parser(__doc__)
    parser.add_argument("--train", type=int, default=3000, help="training pictures")
    parser.add_argument("--valid", type=int, default=300, help="validation pictures")
    parser.add_argument(
        "--frontal",
        type=float,
        default=0.85,
        help="part of the people who face the camera; the lower, the harder",
    )
    arguments = parser.parse_args(argv)
    write = functools.partial(
        write_coco,
        arguments.out,
        arguments.train,
        arguments.valid,
        arguments.seed,
        arguments.workers,
        arguments.overwrite,
        arguments.frontal,
    )
    done = (
        f"{arguments.train} training and {arguments.valid} validation pictures "
        f"in {arguments.out}"
    )
    return generate(write, arguments.overwrite, "pictures", done)


if __name__ == "__main__":
    sys.exit(main())
