r"""Gathers the results of evaluations into the papers' tables, on one page.

Paper     Luvizon, Picard, Tabia, CVPR 2018 (arXiv 1802.09232) and TPAMI 2020
          (arXiv 1912.08077)
Command   python exp/tables.py RESULTS... [--out runs/tables]
Recipe    one result of every row, beside the paper's figure
Hardware  two CPU cores, other work beside
Time      5 s for 7 results
Expected  the figures of deephar/evaluation/papers.py
Measured  what the results say

RESULTS are run folders of evaluations, folders that hold such, or evaluation.json
files. Writes to the folder of --out: tables.md, a CSV for each table (mpii, human36m,
penn, ntu, ablation, speed) and figures. A row says "not run" where no result was given;
one that was measured on generated data, or of a network with other settings, says so
and is not set beside the paper; data of unknown origin are marked. A file that is
damaged, of an unknown kind or lacks something is named on the page and at the end,
where the command then fails; the others are in the tables. Results of COCO and MERL, of
which the papers have no table, are only named.
"""

import argparse

from deephar import experiment
from deephar.evaluation.paper_tables import fill
from deephar.evaluation.results import find_files, read_results
from deephar.evaluation.results_page import write_page


def parse(argv=None):
    """The flags."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("results", nargs="+", metavar="RESULTS", help="folder or file")
    to = "folder of the page, the CSVs and the figures (%(default)s)"
    parser.add_argument("--out", default="runs/tables", metavar="DIR", help=to)
    return parser.parse_args(argv)


def main(argv=None):
    """Reads, writes; then fails if a file was left out."""
    args = parse(argv)
    files, empty = find_files(args.results)
    figures, wrong, other = read_results(files)
    path = write_page(args.out, fill(figures), {**wrong, **other, **empty})
    count = len(files) - len(wrong) - len(other)
    print("\n".join([f"{path}: {count} results", *other.values(), *empty.values()]))
    if wrong:
        left_out = [f"{len(wrong)} of {len(files)} files left out:", *wrong.values()]
        raise ValueError("\n".join(left_out))


if __name__ == "__main__":
    experiment.run_script(main)
