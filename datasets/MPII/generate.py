"""Generate people in MPII's format: OUT/images/*.jpg and OUT/annotations.mat.

    python datasets/MPII/generate.py OUT --train 3000 --valid 300

Figures are drawn with exact joints by deephar.data.synthetic, about 100 pictures a
second and core. The same seed gives the same files whatever --workers is.
OUT/generated.json keeps the command.
"""

import sys

from deephar.data.synthetic import write_mpii
from deephar.data.synthetic.command import generate_pictures


def main(argv: list[str] | None = None) -> int:
    """Runs the command line; returns the exit status."""
    return generate_pictures(__doc__, write_mpii, argv)


if __name__ == "__main__":
    sys.exit(main())
