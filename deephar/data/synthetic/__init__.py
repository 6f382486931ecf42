"""Generated people: exact labels, any number of pictures, nothing to download.

body      skeleton, joint limits, forward kinematics
poses     pose vectors, actions as key poses;  actions: the library of them
figure    flesh, hair, face and clothes on a body
render    round cones and boxes with a z-buffer through a pinhole camera
background  rooms, ground and sky, textures, things
scene     a whole picture with its labels as a function of (seed, index)
mpii      the pictures on disk in MPII's format
"""

from deephar.data.synthetic.actions import ACTIONS, ACTIONS_BY_NAME, random_pose
from deephar.data.synthetic.body import DOFS, JOINTS, Body, make_body, place
from deephar.data.synthetic.figure import Person, make_person
from deephar.data.synthetic.mpii import write_mpii
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
    "Person",
    "Sample",
    "Solids",
    "View",
    "label",
    "make_body",
    "make_person",
    "make_pose",
    "make_sample",
    "mirror",
    "place",
    "random_pose",
    "rasterize",
    "shade",
    "write_mpii",
]
