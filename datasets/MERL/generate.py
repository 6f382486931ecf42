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

import sys

from deephar.data.synthetic import write_merl
from deephar.data.synthetic.command import generate_videos


def main(argv: list[str] | None = None) -> int:
    """Runs the command line; returns the exit status."""
    return generate_videos(__doc__, write_merl, argv, "; MERL's are 920x680")


if __name__ == "__main__":
    sys.exit(main())
