"""Tells what of a data set is there, and what is missing or wrong.

    python datasets/check.py PennAction /data/PennAction

It is `python -m deephar check-data`, whose --help tells the rest.
"""

import sys

from deephar import commands


def main(argv=None) -> int:
    """Runs the command; returns the exit status."""
    return commands.main(["check-data", *(sys.argv[1:] if argv is None else argv)])


if __name__ == "__main__":
    sys.exit(main())
