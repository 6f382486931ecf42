"""Which points of a body a picture shows, and where."""

import numpy as np

from deephar.data.synthetic.body import INDEX, PARENTS, Body
from deephar.data.synthetic.flesh import FACE
from deephar.data.synthetic.render import View

_ON_FACE = 0.012  # part of the stature that may be before a point of the face
_FACE_POINTS = np.array(
    [FACE["nose"]]
    + [
        np.multiply(FACE[name], (1, sign, 1))
        for name in ("eye", "ear")
        for sign in (1, -1)
    ]
)
COCO_JOINTS = tuple(
    INDEX[f"{side}_{name}"]
    for name in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
    for side in "lr"
)


def is_inside(
    picture: np.ndarray, away: np.ndarray, size: tuple[int, int]
) -> np.ndarray:
    """Tells which points x, y (n, 2), px, before the camera lie in the picture."""
    return (away > 0) & ((picture >= 0) & (picture < np.array(size))).all(axis=1)


def face_points(body: Body, joints: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """Returns where nose, left and right eye, left and right ear are.

    Args:
        body: Whose they are.
        joints: (..., 21, 3) in the world, mm.
        frames: (..., 21, 3, 3) axes of the bones.

    Returns:
        (..., 5, 3), mm.
    """
    head = joints[..., [INDEX[PARENTS["head"]]], :]
    axes = np.swapaxes(frames[..., INDEX["head"], :, :], -1, -2)
    return head + body.height * _FACE_POINTS @ axes


def find_joints(
    body: Body,
    joints: np.ndarray,
    view: View,
    depth: np.ndarray,
    index: np.ndarray,
    owner: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Finds joints in a picture, and which of them nothing hides.

    Args:
        body: Whose joints they are.
        joints: (21, 3) in the world, mm.
        view: The camera.
        depth: (height, width) z-buffer, mm.
        index: (height, width) solid at each pixel, -1 for none.
        owner: (solids,) number of the figure; that of these joints is 0.

    Returns:
        x, y (21, 2), px; depth (21,), mm; visible (21,).
    """
    # a joint lies inside its limb: its own flesh is before it, but not much more
    before = 1.6 * body.flesh + 15
    before[INDEX["head"]] = 0.06 * body.height
    return _find(joints, before, view, depth, index, owner)


def coco_points(
    body: Body,
    joints: np.ndarray,
    frames: np.ndarray,
    view: View,
    depth: np.ndarray,
    index: np.ndarray,
    owner: np.ndarray,
) -> np.ndarray:
    """Finds COCO's 17 key points in a picture.

    Points outside are not labelled, nor those of the face where they cannot be seen.

    Args:
        body: Whose they are.
        joints: (21, 3) in the world, mm.
        frames: (21, 3, 3) axes of the bones.
        view: The camera.
        depth: (height, width) z-buffer, mm.
        index: (height, width) solid at each pixel, -1 for none.
        owner: (solids,) number of the figure; that of this body is 0.

    Returns:
        (17, 3) x, y, px, and 0 not labelled, 1 hidden, 2 visible, as in COCO's files; a
        point that is not labelled is at 0, 0.
    """
    face = face_points(body, joints, frames)
    before = np.full(len(face), _ON_FACE * body.height)
    picture, _, visible = _find(face, before, view, depth, index, owner)
    points = np.zeros((len(face) + len(COCO_JOINTS), 3))
    labelled = np.column_stack([picture, np.full(len(face), 2)])
    points[: len(face)] = np.where(visible[:, None], labelled, 0)
    chosen = list(COCO_JOINTS)
    picture, away, visible = find_joints(body, joints, view, depth, index, owner)
    inside = is_inside(picture, away, view.size)
    limbs = np.column_stack([picture, np.where(visible, 2, 1)])
    points[len(face) :] = np.where(inside[:, None], limbs, 0)[chosen]
    return points


def _find(
    points: np.ndarray,
    before: np.ndarray,
    view: View,
    depth: np.ndarray,
    index: np.ndarray,
    owner: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Finds points (n, 3) that have at most `before` mm (n,) of their own over them."""
    projected = view.camera.project(points)
    picture, away = projected[:, :2], projected[:, 2]
    x, y = np.clip(picture.astype(int), 0, np.array(view.size) - 1).T
    seen = depth[y, x] > away - before
    foreign = (index[y, x] >= 0) & (owner[index[y, x]] != 0)
    hidden = foreign & (depth[y, x] < away)
    visible = is_inside(picture, away, view.size) & seen & ~hidden
    return picture, away, visible
