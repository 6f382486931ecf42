"""Converts weights from the originals' files to Keras 3's, or back.

Command   python weights/convert.py IN OUT [--name NAME | --model model.json] [flags]

It is `python -m deephar convert-weights`, whose --help tells the rest.
"""

import sys

from deephar import commands


def main(argv=None) -> int:
    """Runs the command; returns the exit status."""
    flags = sys.argv[1:] if argv is None else argv
    return commands.main(["convert-weights", *flags])


if __name__ == "__main__":
    sys.exit(main())
