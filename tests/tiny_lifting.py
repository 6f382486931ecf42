"""Small files of lifting: motion in the world and what cameras see of it."""

import numpy as np

from deephar.data.lifting_cameras import human36m_cameras
from deephar.data.lifting_format import (
    Layout,
    keypoints_path,
    positions_path,
    write_keypoints_2d,
    write_positions_3d,
)
from deephar.data.lifting_skeletons import HUMAN36M_SKELETON, KEPT_JOINTS

TAKES = {
    "S1": {"Walking": 40, "WalkDog 1": 24, "Sitting 1": 30},
    "S9": {"Walking 1": 35, "WalkDog": 20},
}
LAYOUT = Layout(
    *(17, HUMAN36M_SKELETON.joints_left, HUMAN36M_SKELETON.joints_right, "h36m")
)


def make_positions(takes=TAKES, joints=32, seed=0):
    """{subject: {take: (frames, joints, 3)}}, m: people that sway."""
    random = np.random.default_rng(seed)
    positions = {}
    for subject, names in takes.items():
        body = random.uniform([-0.4, -0.4, 0.1], [0.4, 0.4, 1.8], (joints, 3))
        body[2] = body[1] - [0, 0, 0.45]
        positions[subject] = {}
        for name, frames in names.items():
            time = np.arange(frames)[:, None, None] / 20
            sway = 0.2 * np.sin(time + random.uniform(0, 6, (joints, 3)))
            sway[:, 2] = sway[:, 1]
            positions[subject][name] = (body + sway).astype(np.float32)
    return positions


def see(positions):
    """{subject: {take: [(frames, 17, 2) of each camera]}}, px."""
    cameras, seen = human36m_cameras(), {}
    for subject, takes in positions.items():
        seen[subject] = {}
        for take, world in takes.items():
            joints = world[:, KEPT_JOINTS] if world.shape[1] == 32 else world
            views = [camera.see(joints) for camera in cameras[subject]]
            seen[subject][take] = views
    return seen


def write_tiny_lifting(folder, takes=TAKES, seed=0):
    """Writes data_3d_h36m.npz and data_2d_h36m_gt.npz into a folder; returns it."""
    folder.mkdir(parents=True, exist_ok=True)
    positions = make_positions(takes, seed=seed)
    write_positions_3d(positions_path(folder, "h36m"), positions)
    write_keypoints_2d(keypoints_path(folder, "h36m", "gt"), see(positions), LAYOUT)
    return folder
