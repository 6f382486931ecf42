"""What a detector finds that looks at each picture alone: points, and its errors.

The error of a point is the sum of two normal ones, the same for x and y:

    jitter   of each frame by itself; one in 50 is four times as large
    drift    that changes within a quarter of a second, as the picture does

Both are as large as the table below says for a person whose stature is 400 px in the
picture, which is 1.75 m at 5 m before Human3.6M's cameras, and grow with the person.
In pictures made smaller the drift, which comes of the person's looks, shrinks with the
person, but the jitter, which comes of single pixels, does not.
Wrists, ankles, elbows and knees have more of them than trunk and head, and a point that
the person's own body hides has 2.5 times as much.
"""

import numpy as np

from deephar.data.synthetic.body import INDEX
from deephar.data.synthetic.takes import smooth_noise

STATURE = 400.0
"""Of a person whose errors are those of the table, px."""
JITTER = 2.5
"""Deviation of what each frame has by itself, px."""
DRIFT = 2.0
"""Deviation of what changes slowly, px."""

_DRIFT_SECONDS = 0.12  # deviation of the bell that smooths it
_TAIL, _TAIL_TIMES = 0.02, 4.0
_HIDDEN_TIMES = 2.5
_SHARES = {"wrist": 1.4, "ankle": 1.3, "elbow": 1.15, "knee": 1.1, "hip": 1.0}
_SHARES |= {"shoulder": 0.9, "trunk": 0.9, "face": 0.7}

_SOLIDS = (  # ends, and the radius / stature
    ("pelvis", "thorax", 0.072),
    ("neck", "head", 0.05),
    *(
        (f"{side}_{start}", f"{side}_{stop}", radius)
        for side in "rl"
        for start, stop, radius in (
            ("shoulder", "elbow", 0.026),
            ("elbow", "wrist", 0.02),
            ("hip", "knee", 0.042),
            ("knee", "ankle", 0.028),
        )
    ),
)


def find_hidden(
    points: np.ndarray, joints: np.ndarray, stature: float | np.ndarray
) -> np.ndarray:
    """Tells which points the person's own trunk, head and limbs hide.

    Args:
        points: (n, points, 3) in the camera's space, z forward.
        joints: (n, 21, 3) of the body, likewise.
        stature: Of the person, in the same unit.

    Returns:
        (n, points) booleans.
    """
    flat, away = points[..., :2] / points[..., 2:], points[..., 2]
    hidden = np.zeros(points.shape[:2], dtype=bool)
    for start, stop, part in _SOLIDS:
        ends = joints[:, [INDEX[start], INDEX[stop]]]
        first, second = np.moveaxis(ends[..., :2] / ends[..., 2:], 1, 0)[:, :, None]
        along = second - first
        length = np.maximum((along**2).sum(axis=-1), 1e-12)
        at = np.clip(((flat - first) * along).sum(axis=-1) / length, 0, 1)
        depth = (1 - at) * ends[:, :1, 2] + at * ends[:, 1:, 2]
        aside = np.linalg.norm(flat - first - at[..., None] * along, axis=-1) * depth
        hidden |= (aside < part * stature) & (depth < away - part * stature)
    return hidden


def detect(
    rng: np.random.Generator,
    points: np.ndarray,
    hidden: np.ndarray,
    stature: np.ndarray,
    kinds: tuple[str, ...],
    fps: float,
    shrunk: float = 1.0,
) -> np.ndarray:
    """Draws what a detector finds of points in a video.

    Args:
        rng: Draws the errors.
        points: (n, points, 2) where they are, px.
        hidden: (n, points) whether something hides them.
        stature: (n,) of the person, px.
        kinds: What each point is: "wrist", "ankle", "elbow", "knee", "hip", "shoulder",
            "trunk" or "face".
        fps: Frames a second.
        shrunk: By how much the pictures are smaller than those that px are counted in.

    Returns:
        (n, points, 2), px.
    """
    count, number = points.shape[:2]
    drift = smooth_noise(rng, count, 2 * number, _DRIFT_SECONDS * fps)
    jitter = rng.standard_normal(points.shape)
    jitter[rng.random((count, number)) < _TAIL] *= _TAIL_TIMES
    error = DRIFT * drift.reshape(points.shape) + JITTER * shrunk * jitter
    share = np.array([_SHARES[kind] for kind in kinds])
    share = share * np.where(hidden, _HIDDEN_TIMES, 1.0) * stature[:, None] / STATURE
    return points + share[..., None] * error
