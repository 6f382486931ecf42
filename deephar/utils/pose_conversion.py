"""From the layouts of the 2D networks to that of the lifting networks."""

import numpy as np

from deephar.utils.pose import (
    INVALID,
    coco17j,
    convert_coco17j_to_pa16j,
    h36m17j,
    is_valid,
    pa16j2d,
)

_SPINED = (
    *("pa16j2d", "pa16j3d", "pa17j2d", "pa17j3d"),
    *("pa20j3d", "pa21j3d"),
)


def convert_to_h36m17j(p: np.ndarray, layout) -> np.ndarray:
    """Brings joints into the order of `h36m17j`, as inputs of VideoPose3D's networks.

    The joints of the limbs and the pelvis are taken by name, COCO's pelvis and neck as
    by `convert_coco17j_to_pa16j`. Our neck is Human3.6M's thorax: the middle of the
    shoulders is 89 % of the way there from the pelvis in MPII (median), 90 % in
    Human3.6M (four samples). The spine is halfway from the pelvis to it (48 %), the
    nose halfway from it to the top of the head (50 %). COCO's nose is taken as it is,
    and the top of the head is twice as far from the neck as the middle of the ears,
    which is a guess.

    Args:
        p: Array (..., joints, dim) in any unit.
        layout: Layout of its joints: one of `pa16j2d` and its kin, `coco17j`, or
            `h36m17j` itself.

    Returns:
        float64 array (..., 17, dim): INVALID for what is made of an invalid joint.

    Raises:
        ValueError: if the layout is another, or `p` has not its joints.
    """
    p = np.asarray(p, dtype=np.float64)
    if p.ndim < 2 or p.shape[-2] != layout.num_joints:
        raise ValueError(
            f"`p` must have the shape (..., {layout.num_joints}, dim) in the layout "
            f"{layout.__name__}. Received: p.shape={p.shape}"
        )
    if layout is h36m17j:
        return p.copy()
    if layout is not coco17j and layout.__name__ not in _SPINED:
        raise ValueError(
            "`layout` must be pa16j2d or its kin, coco17j or h36m17j. "
            f"Received: layout={layout.__name__}"
        )
    known = np.where(is_valid(p).all(axis=-1, keepdims=True), p, np.nan)
    joints = {name: known[..., i, :] for i, name in enumerate(layout.joint_names)}
    if layout is coco17j:
        body = convert_coco17j_to_pa16j(p)
        body = np.where(is_valid(body), body, np.nan)
        where = [pa16j2d.joint_names.index(name) for name in ("pelvis", "neck")]
        pelvis, neck = (body[..., i, :] for i in where)
        joints |= {"pelvis": pelvis, "head": joints["l_ear"] + joints["r_ear"] - neck}
    else:
        neck = joints["neck"]
        joints["nose"] = (neck + joints["head"]) / 2
    joints["spine"] = (joints["pelvis"] + neck) / 2
    joints |= {"thorax": neck, "neck": joints["nose"]}
    found = np.stack([joints[name] for name in h36m17j.joint_names], axis=-2)
    return np.where(np.isnan(found), INVALID, found)
