r"""Scores a network on own data: the poses of people, or the actions of clips.

Paper     none: the networks of Luvizon, Picard, Tabia, CVPR 2018 (arXiv 1802.09232) and
          TPAMI 2020 (arXiv 1912.08077) on data of the form of docs/custom.md
Command   python exp/custom/eval.py runs/eval_own --data FILE_OR_FOLDER --weights FILE \
              [--part test] [--flip] [--multi-crop] [--refine N] [--report]
Hardware  generated people: two CPU cores
Time      see docs/custom.md
Expected  no figure
Measured  see docs/custom.md

Prints PCK at 0.2 of the box's longer side by joint and block; PCKh@0.5 where heads are
known, by head_size or by the layout's head; OKS where the layout has sigmas, with the
box for the area. The network must have the joints of the data by name, or more.
Of a network of actions: accuracy and confusion, one clip a span; --task poses scores
its poses. Of layouts in 3D what lies in the picture is scored, not the depth.

Writes evaluation.json and evaluation.md to the run folder; --report adds report.md and
report.html with drawn predictions. A picture that cannot be read counts as wrong.
"""

from deephar import experiment


def parse(argv=None):
    """The flags."""
    return experiment.parse_custom_evaluation(__doc__, "runs/eval_custom", argv)


def main(argv=None):
    """Evaluates, prints the tables, writes JSON, Markdown and the report."""
    print(experiment.evaluate_custom(parse(argv)))


if __name__ == "__main__":
    experiment.run_script(main)
