"""Generate people in COCO's format: OUT/{train,val}2017/*.jpg and OUT/annotations/.

    python datasets/COCO/generate.py OUT --train 3000 --valid 300

Figures are drawn with exact key points by deephar.data.synthetic, about 80 pictures a
second and core: one to three people in most pictures, some in the distance whose key
points are not labelled, crowds, now and then nobody. The same seed gives the same files
whatever --workers is. OUT/generated.json keeps the command.
"""

import sys

from deephar.data.synthetic import write_coco
from deephar.data.synthetic.command import generate_pictures


def main(argv: list[str] | None = None) -> int:
    """Runs the command line; returns the exit status."""
    return generate_pictures(__doc__, write_coco, argv)


if __name__ == "__main__":
    sys.exit(main())
