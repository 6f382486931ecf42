"""Generate people in MPII's format: OUT/images/*.jpg and OUT/annotations.mat.

    python datasets/MPII/generate.py OUT --train 3000 --valid 300

Figures are drawn with exact joints by deephar.data.synthetic, about 100 pictures a
second and core. The same seed gives the same files whatever --workers is.
"""

import argparse
import os
import pathlib
import sys

from deephar.data.synthetic import write_mpii


def parse_arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=pathlib.Path, metavar="OUT", help="folder to write")
    parser.add_argument("--train", type=int, default=3000, help="training pictures")
    parser.add_argument("--valid", type=int, default=300, help="validation pictures")
    parser.add_argument("--seed", type=int, default=0, help="which people")
    parser.add_argument(
        "--frontal",
        type=float,
        default=0.85,
        help="part of the people who face the camera; the lower, the harder",
    )
    parser.add_argument(
        "--workers", type=int, default=os.cpu_count() or 1, help="processes"
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="replace what an earlier run wrote"
    )
    return parser.parse_args(argv)


def show_progress(done: int, total: int) -> None:
    """Shows one line that counts up on a terminal; nothing elsewhere."""
    if sys.stderr.isatty() and (done % 50 == 0 or done == total):
        end = "\n" if done == total else ""
        print(f"\r{done}/{total} pictures", end=end, file=sys.stderr, flush=True)


def main(argv: list[str] | None = None) -> int:
    """Runs the command line; returns the exit status."""
    arguments = parse_arguments(argv)
    try:
        write_mpii(
            arguments.out,
            arguments.train,
            arguments.valid,
            arguments.seed,
            arguments.workers,
            arguments.overwrite,
            arguments.frontal,
            show_progress,
        )
    except FileExistsError as error:
        hint = "" if arguments.overwrite else " (--overwrite)"
        print(f"generate.py: {error}{hint}", file=sys.stderr)
        return 1
    except (OSError, ValueError) as error:
        print(f"generate.py: {error}", file=sys.stderr)
        return 1
    print(
        f"{arguments.train} training and {arguments.valid} validation pictures "
        f"in {arguments.out}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
