r"""Scores a 2D pose network on COCO's validation people, one at a time.

Paper     none: the network of Luvizon, Picard, Tabia, CVPR 2018 (arXiv 1802.09232)
Command   python exp/coco/eval_coco_singleperson.py runs/eval_coco --weights FILE \
              [--flip] [--multi-crop] [--refine N] [--report]
Hardware  on COCO itself: not tried here; generated people: two CPU cores
Time      315 generated people, --flip, 128 px: 14 seconds, other work beside
Expected  no figure: the fork states none
Measured  on 315 generated people, with --flip (2 blocks, 128 px): AP 52.4, AP at 0.50
          84.6, PCK 95.9 (docs/coco.md)

Prints COCO's average precision and recall (OKS, by pycocotools) and PCK at 0.2 of the
box's longer side by joint and block; writes evaluation.json, evaluation.md and
keypoint_results.json, in COCO's form, to the run folder; --report adds report.md and
report.html (docs/reports.md). The windows lie around the true boxes, so that the
figures are not those of a detector and a pose network together. A network of 16 joints
is scored over the twelve of COCO's key points that it has. A picture that cannot be
read counts as wrong. docs/coco.md has the rules.
"""

from deephar import experiment
from deephar.evaluation.oks import keypoint_results


def parse(argv=None):
    """The flags."""
    where = (experiment.COCO_PEOPLE, "runs/eval_coco_singleperson")
    return experiment.parse_boxed_evaluation(__doc__, *where, argv)


def main(argv=None):
    """Evaluates, prints the tables, writes JSON, Markdown and the report."""
    args, coco = parse(argv), experiment.COCO_PEOPLE
    folder = experiment.start(args)
    people, found, settings = experiment.predict_boxed_people(args, coco)
    results = keypoint_results(found, people)
    experiment.write_json(folder / "keypoint_results.json", results)
    scores = experiment.score_coco(found, people, results)
    rest = (scores, found, people, settings)
    print(experiment.finish_boxed_evaluation(args, coco, *rest))


if __name__ == "__main__":
    experiment.run_script(main)
