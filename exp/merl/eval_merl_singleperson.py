r"""Scores a 2D pose network on people of MERL Shopping, one at a time.

Paper     none: the network of Luvizon, Picard, Tabia, CVPR 2018 (arXiv 1802.09232)
Command   python exp/merl/eval_merl_singleperson.py runs/eval_merl --weights FILE \
              [--flip] [--multi-crop] [--refine N] [--report]
Hardware  on MERL itself: not tried here; generated people: two CPU cores
Time      not measured
Expected  no figure: the fork states none
Measured  PCK@0.2 of the box on generated people (the README's network): 96.8

Prints PCK at 0.2 of the box's longer side by joint and block; writes evaluation.json
and evaluation.md to the run folder; --report adds report.md and report.html
(docs/reports.md). A picture that cannot be read counts as wrong. The fork has no such
script.
"""

from deephar import experiment


def parse(argv=None):
    """The flags."""
    where = (experiment.MERL_PEOPLE, "runs/eval_merl_singleperson")
    return experiment.parse_boxed_evaluation(__doc__, *where, argv)


def main(argv=None):
    """Evaluates, prints the tables, writes JSON, Markdown and the report."""
    args, merl = parse(argv), experiment.MERL_PEOPLE
    experiment.start(args)
    people, found, settings = experiment.predict_boxed_people(args, merl)
    scores = merl.score(found, people)
    rest = (scores, found, people, settings)
    print(experiment.finish_boxed_evaluation(args, merl, *rest))


if __name__ == "__main__":
    experiment.run_script(main)
