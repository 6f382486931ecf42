"""Generated people: exact labels, any number of pictures, nothing to download.

body      skeleton, joint limits, forward kinematics
poses     pose vectors, actions as key poses;  actions: the library of stills
motion    moves with a course in time, in a person's style
penn_moves, h36m_moves, ntu_moves, merl_moves  libraries of moves
props     what people hold;  shop: shelves, and the camera above them
figure    flesh, hair, face and clothes on a body
render    round cones and boxes with a z-buffer through a pinhole camera
surroundings  floor, walls and sky that any camera may see
background  what is behind a still: surroundings, textures, things;  film: exposure
scene     a whole picture with its labels as a function of (seed, index)
stage     a world in which somebody moves, filmed;  cameras: where they stand
film_crew  a performance before several cameras
takes     long takes in a room;  detections: what a detector finds of them;  lifting: on
disk, without pictures
sight     which points of a body a picture shows
mpii, coco, pennaction, human36m, ntu, merl, custom  on disk, in the data sets'
formats, by means of writing
command   what the scripts datasets/*/generate.py share
"""

from deephar.data.synthetic.actions import ACTIONS, ACTIONS_BY_NAME, random_pose
from deephar.data.synthetic.body import DOFS, JOINTS, Body, make_body, place
from deephar.data.synthetic.coco import make_coco_picture, write_coco
from deephar.data.synthetic.figure import Person, make_person
from deephar.data.synthetic.human36m import (
    human36m_pose,
    make_recording,
    write_human36m_sequences,
)
from deephar.data.synthetic.lifting import write_lifting
from deephar.data.synthetic.merl import make_shop_clip, write_merl
from deephar.data.synthetic.motion import Move, Performance, make_move, perform
from deephar.data.synthetic.mpii import write_mpii
from deephar.data.synthetic.ntu import (
    make_ntu_recording,
    ntu_pose,
    write_ntu_clips,
)
from deephar.data.synthetic.pennaction import make_clip, write_pennaction_clips
from deephar.data.synthetic.poses import Action, make_pose, mirror
from deephar.data.synthetic.render import Light, Solids, View, rasterize, shade
from deephar.data.synthetic.scene import (
    MPII_JOINTS,
    Figure,
    Labels,
    Sample,
    label,
    make_sample,
)

__all__ = [
    "ACTIONS",
    "ACTIONS_BY_NAME",
    "DOFS",
    "JOINTS",
    "MPII_JOINTS",
    "Action",
    "Body",
    "Figure",
    "Labels",
    "Light",
    "Move",
    "Performance",
    "Person",
    "Sample",
    "Solids",
    "View",
    "human36m_pose",
    "label",
    "make_body",
    "make_clip",
    "make_coco_picture",
    "make_move",
    "make_ntu_recording",
    "make_person",
    "make_pose",
    "make_recording",
    "make_sample",
    "make_shop_clip",
    "mirror",
    "ntu_pose",
    "perform",
    "place",
    "random_pose",
    "rasterize",
    "shade",
    "write_coco",
    "write_human36m_sequences",
    "write_lifting",
    "write_merl",
    "write_mpii",
    "write_ntu_clips",
    "write_pennaction_clips",
]
