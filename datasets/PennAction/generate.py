"""Generate clips in Penn Action's format: OUT/frames/ and OUT/annotations.mat.

    python datasets/PennAction/generate.py OUT --train 240 --test 75

Figures do the 15 actions, drawn with exact joints by deephar.data.synthetic, about 150
pictures a second and core. The test part shows other people than the training part.
The same seed gives the same files whatever --workers is.
OUT/generated.json keeps the command.
"""

import sys

from deephar.data.synthetic import write_pennaction_clips
from deephar.data.synthetic.command import generate_videos


def main(argv: list[str] | None = None) -> int:
    """Runs the command line; returns the exit status."""
    return generate_videos(__doc__, write_pennaction_clips, argv)


if __name__ == "__main__":
    sys.exit(main())
