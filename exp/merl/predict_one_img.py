r"""Draws the pose of a labelled person of MERL Shopping, or of any picture.

Command   python exp/merl/predict_one_img.py runs/one --weights FILE \
              [--sample 5 | --picture PICTURE_OR_FOLDER [--box X1 Y1 X2 Y2]]
Hardware  two CPU cores, generated people
Time      not measured

--sample N, 5 as in the fork if there is no --picture, takes person N of the annotations
and writes sample_N.png, the pose that the network finds in his box beside the labelled
one, both enlarged, and sample_N.json. With --picture it does what
exp/mpii/predict_one_img.py does.
"""

import numpy as np

from deephar import experiment
from deephar.config import mpii_sp_dataconf
from deephar.data.pictures import open_picture
from deephar.utils.drawing import close_up, contact_sheet, draw_box, draw_pose
from deephar.utils.pose import coco17j

MERL = experiment.MERL_PEOPLE
NETWORKS = experiment.pose_networks("coco")


def parse(argv=None):
    """The flags."""
    where = ("runs/predict_merl", NETWORKS, experiment.FORK_FLAGS)
    parser = experiment.picture_parser(__doc__, *where, required=False)
    number = {"type": experiment.natural, "metavar": "N"}
    parser.add_argument("--sample", help="person of the annotations (5)", **number)
    experiment.add_part_arguments(parser, MERL, MERL.valid)
    args = parser.parse_args(argv)
    if args.picture is not None and args.sample is not None:
        parser.error("--sample is instead of --picture: give one of them")
    if args.picture is None and args.box is not None:
        parser.error("--box is of --picture; a sample has its own")
    return args


def draw_sample(args):
    """Predicts and draws a person of the annotations."""
    number = 5 if args.sample is None else args.sample
    folder = experiment.start(args)
    people = experiment.open_part(args, MERL, MERL.valid, mpii_sp_dataconf, coco17j)
    if number >= len(people.people):
        raise ValueError(
            f"--sample: {people.anno_path} has {len(people.people)} people, counted "
            f"from 0. Received: {number}"
        )
    person = people.people[number]
    x, y, width, height = person.box
    box = (x, y, x + width, y + height)
    predictor = experiment.flags_predictor(args, NETWORKS)
    picture = open_picture(person.picture)
    (pose,) = predictor.predict(picture, [box])
    part, move = close_up(picture, pose.box)
    boxed = draw_box(part, move(np.reshape(box, (2, 2))).ravel())
    layout, joints = predictor.poselayout, move(pose.joints)
    drawn = draw_pose(boxed, joints, layout, pose.confidence)
    pair = [drawn, draw_pose(boxed, move(person.joints), coco17j)]
    target = folder / f"sample_{number}.png"
    contact_sheet(pair, 2, ["predicted", "labelled"]).save(target)
    record = {"picture": person.picture, "people": [pose.to_dict()]}
    experiment.write_json(target.with_suffix(".json"), record)
    print(target)


def main(argv=None):
    """Predicts, draws, writes."""
    args = parse(argv)
    if args.picture is None:
        draw_sample(args)
    else:
        experiment.draw_in_pictures(args, NETWORKS)


if __name__ == "__main__":
    experiment.run_script(main)
