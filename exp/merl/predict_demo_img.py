r"""Draws the pose of the person in every box of a list.

Command   python exp/merl/predict_demo_img.py runs/demo BOXLIST --weights FILE
Hardware  two CPU cores, generated people
Time      not measured

BOXLIST has lines `path, score, x1, y1, x2, y2` parted by tabs; read_bboxdata.py makes
such of a detector's JSON. Paths are taken as they are, or from the folder of
--pictures. Writes 0000.jpg, 0001.jpg, ... in the order of the lines, each a picture
with the box and the pose drawn on it, and poses.json, the joints in pixels of the
pictures, to the run folder. Pictures that cannot be read are named, and the others
drawn; then the command fails.
"""

from deephar import experiment
from deephar.data.box_lists import read_box_list
from deephar.data.pictures import open_picture
from deephar.inference.predictor import Pose
from deephar.utils.bbox import corners_to_box
from deephar.utils.drawing import draw_box, draw_pose, save_drawing


def parse(argv=None):
    """The flags."""
    parser = experiment.boxed_pose_parser(__doc__, "runs/predict_demo_img")
    add = parser.add_argument
    add("boxlist", metavar="BOXLIST", help="list of pictures with a box each")
    add("--pictures", default="", help="folder that paths in the list start from")
    return parser.parse_intermixed_args(argv)


def main(argv=None):
    """Predicts, draws, writes."""
    args = parse(argv)
    rows = read_box_list(args.boxlist, args.pictures)
    folder = experiment.start(args)
    pictures, boxes = [r.picture for r in rows], [corners_to_box(r.box) for r in rows]
    found, layout = experiment.poses_in_boxes(args, pictures, boxes)
    records = []
    for number, row in enumerate(rows):
        if not found.readable[number]:
            continue
        joints, sure = found.poses[-1][number], found.confidence[-1][number]
        picture = draw_box(open_picture(row.picture), row.box)
        name = f"{number:04d}.jpg"
        save_drawing(draw_pose(picture, joints, layout, sure), folder / name)
        pose = Pose(joints, sure, row.box, tuple(layout.joint_names))
        record = {"drawn": name, "picture": row.picture, "score": row.score}
        records.append({**record, **pose.to_dict()})
    receipt = experiment.receipt(args.weights, args.boxlist)
    result = {"receipt": receipt, "people": records}
    experiment.write_json(folder / "poses.json", result)
    print(f"{folder}: {len(records)} people drawn")
    experiment.refuse_unreadable(found, "boxes")


if __name__ == "__main__":
    experiment.run_script(main)
