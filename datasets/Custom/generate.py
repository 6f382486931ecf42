"""Generate own data to try with: OUT/images/ and OUT/data.json (docs/custom.md).

    python datasets/Custom/generate.py OUT --train 24 --valid 6
    python datasets/Custom/generate.py OUT --clips 12 3 --as cvat

Figures are drawn with exact joints by deephar.data.synthetic: one person in a picture
with 13 joints; in a clip one who jumps, squats or swings a golf club. With --as cvat
the labels are in OUT/annotations.xml, as CVAT exports them. The same seed gives the
same files whatever --workers is. OUT/generated.json keeps the command.
"""

import functools
import sys

from deephar.data.synthetic.command import add_frames, generate, make_parser
from deephar.data.synthetic.custom import write_custom_data


def main(argv: list[str] | None = None) -> int:
    """Runs the command line; returns the exit status."""
    parser = make_parser(__doc__)
    add = parser.add_argument
    add("--train", type=int, default=24, help="training pictures (default: 24)")
    add("--valid", type=int, default=6, help="validation pictures (default: 6)")
    clips = "training and validation clips (default: none)"
    numbers = ("TRAIN", "VALID")
    add("--clips", type=int, nargs=2, default=(0, 0), metavar=numbers, help=clips)
    add_frames(parser, (16, 24), "clip")
    add("--as", dest="form", choices=("deephar", "cvat"), default="deephar")
    args = parser.parse_args(argv)
    values = {key: value for key, value in vars(args).items() if key != "out"}
    values.update(frames=tuple(args.frames), clips=tuple(args.clips))
    done = (
        f"{args.train} training and {args.valid} validation pictures, "
        f"{args.clips[0]} and {args.clips[1]} clips in {args.out}"
    )
    write = functools.partial(write_custom_data, args.out, **values)
    return generate(write, args.overwrite, "pictures and clips", done)


if __name__ == "__main__":
    sys.exit(main())
