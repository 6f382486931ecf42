"""Make own data (docs/custom.md) of what other programs export.

    python datasets/Custom/convert.py coco person_keypoints.json OUT.json
    python datasets/Custom/convert.py cvat annotations.xml OUT.json --clips
    python datasets/Custom/convert.py labelstudio project.json OUT.json
    python datasets/Custom/convert.py predictions found.json OUT.json --confidence 0.7

With --like OTHER.json the new file has the layout and actions of one that is there.
What could not be brought over is told by number. The file is checked as by
`python -m deephar check-data custom OUT.json`; the exit status is 1 if something in it
is wrong.
"""

import sys

from deephar.data.custom_conversion import run


def main(argv: list[str] | None = None) -> int:
    """Runs the command line; returns the exit status."""
    return run(__doc__, argv)


if __name__ == "__main__":
    sys.exit(main())
