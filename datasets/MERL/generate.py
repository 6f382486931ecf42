"""Generate videos of a shop in the formats of MERL's users.

    python datasets/MERL/generate.py OUT --train 200 --test 75

Customers approach a shelf, glance at it in passing, look at it (OUT/actions/, listed in
OUT/train_2.json and OUT/test_2.json with boxes), reach to it and retract from it
(OUT/images/, in OUT/prepare_train_merl.pkl and OUT/prepare_val_merl.pkl with boxes and
key points): video i shows action i modulo 5. They are drawn with exact key points by
deephar.data.synthetic, about 200 pictures a second and core. The test part shows other
people than the training part, in the same shop. The same seed gives the same files
whatever --workers is. OUT/generated.json keeps the command.
"""

import functools
import sys

from deephar.data.synthetic import write_merl
from deephar.data.synthetic.command import add_frames, add_size, generate, make_parser


def main(argv: list[str] | None = None) -> int:
    """Runs the command line; returns the exit status."""
    parser = make_parser(__doc__)
    parser.add_argument("--train", type=int, default=200, help="training videos")
    parser.add_argument("--test", type=int, default=75, help="test videos")
    add_frames(parser, (20, 32), "video")
    add_size(parser, (460, 340), "; MERL's are 920x680")
    arguments = parser.parse_args(argv)
    write = functools.partial(
        write_merl,
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
