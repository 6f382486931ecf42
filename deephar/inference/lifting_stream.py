"""3D poses of any number of people in a stream of 2D ones."""

from collections.abc import Hashable, Sequence

import keras
import numpy as np

from deephar.inference.lifting import StreamingLifter
from deephar.inference.results import Pose3D
from deephar.inference.stream import Rows, grown
from deephar.models.lifting import receptive_field
from deephar.utils.camera import normalize_screen
from deephar.utils.pose import coco17j, h36m17j, is_valid
from deephar.utils.pose_conversion import convert_to_h36m17j

_MM = 1000.0
KEYPOINTS = {"h36m": h36m17j, "coco": coco17j}
"""Key points that lifting networks take, by the names that files have for them."""


class LiftingStream:
    """Lifts the poses of people who come and go, frame after frame.

    One call of `push` is one frame of the video. A joint that is not seen stays where
    it was last, and so does a person who is not in the frame; who was away for as many
    frames as the network sees begins anew, and is forgotten meanwhile. Joints that have
    not been seen yet are taken as they are found, however unsure, so that somebody
    whose feet are never in the picture is lifted too. A track begins at the frame by
    which every joint has a place.

    Args:
        models: networks of `models.lifting.build` for the key points: of poses, and
            where there is one of the trajectory, which places the root.
        poselayout: layout of the 2D joints that are pushed.
        keypoints: name in `KEYPOINTS` of those that the networks take.
        flip: average every pose with that of the mirrored track.
        least: confidence from which a joint counts as seen.

    Attributes:
        delay: frames between a pose and the last frame that it needs.

    Raises:
        ValueError: if networks, key points and layout do not fit together.
    """

    def __init__(
        self,
        models: Sequence[keras.Model],
        poselayout,
        keypoints: str = "h36m",
        flip: bool = True,
        least: float = 0.0,
    ):
        self.poselayout, self.least = poselayout, least
        self._keypoints = _wanted(keypoints, poselayout)
        self._lifters = [self._lifter(model, flip) for model in models]
        joints = [one.settings["num_joints_out"] for one in self._lifters]
        delays = {one.delay for one in self._lifters}
        if joints not in ([17], [17, 1]) or len(delays) > 1:
            raise ValueError(
                "`models` must be one of 17 joints, and may be followed by one of the "
                f"trajectory that is as late. Received: of {joints} joints, "
                f"{sorted(delays)} frames late"
            )
        (self.delay,) = delays
        widths = (one.settings["filter_widths"] for one in self._lifters)
        self._rows = Rows(max(map(receptive_field, widths)))
        self._points = np.zeros((0, poselayout.num_joints, 2))
        self._begun = np.zeros(0, bool)
        self._seen = np.zeros(self._points.shape[:2], bool)

    def push(
        self,
        keys: Sequence[Hashable],
        joints: np.ndarray,
        confidence: np.ndarray,
        size: tuple[int, int],
    ) -> dict[Hashable, Pose3D]:
        """Takes a frame of the stream, and gives poses of `delay` frames ago.

        Args:
            keys: who is in it; nobody is fine, also to get poses that are still to come
                at the end of the video.
            joints: `(people, joints, 2 or 3)`, px of the picture, in the order of
                `keys`; z is passed over.
            confidence: `(people, joints)`.
            size: (w, h) of the picture, px.

        Returns:
            Poses, mm, of those whose tracks had begun by then; also of those who were
            not in that frame, but around it. They begin at the root; with a trajectory
            they are in the camera, as the two networks say together.

        Raises:
            ValueError: if keys, joints and confidence do not fit together.
        """
        keys, count = list(keys), self.poselayout.num_joints
        shape = (len(keys), count)
        if keys and (np.shape(joints)[:2] != shape or np.shape(confidence) != shape):
            raise ValueError(
                f"`joints` must have the shape (people, {count}, dim), `confidence` "
                f"(people, {count}), of as many people as `keys`. Received: "
                f"{len(keys)} keys, {np.shape(joints)} and {np.shape(confidence)}"
            )
        rows, ago = self._rows.step(keys)
        self._grow()
        if keys:
            sure = np.asarray(confidence) >= self.least
            self._see(rows, ago == 0, self._normalised(joints, size), sure)
        held = self._rows.by_key
        if not held:
            return {}
        poses = [lifter.step(self._filled()) for lifter in self._lifters]
        poses = _MM * sum(pose.astype(np.float64) for pose in poses)
        if len(self._lifters) == 1:
            poses = poses - poses[:, :1]
        return {
            key: Pose3D(poses[row], h36m17j, placed=len(self._lifters) > 1)
            for key, row in held.items()
            if self._begun[row] and np.isfinite(poses[row]).all()
        }

    def drop(self, key: Hashable) -> None:
        """Forgets a person, if known, also poses that are still to come."""
        self._rows.drop(key)

    def _lifter(self, model: keras.Model, flip: bool) -> StreamingLifter:
        left, right = (
            [
                row
                for row, name in enumerate(self._keypoints.joint_names)
                if name.startswith(side)
            ]
            for side in ("l_", "r_")
        )
        sides = [left, right]
        if model.output_shape[-2] > 1:
            sides += [h36m17j.joints_left, h36m17j.joints_right]
        return StreamingLifter(model, 1, *sides, flip=flip)

    def _grow(self) -> None:
        """Gives the lifters as many rows as there are, at least one."""
        more = self._rows.size - len(self._points)
        if more:
            self._points = grown(self._points, more)
            self._begun = grown(self._begun, more)
            self._seen = grown(self._seen, more)
        for lifter in self._lifters:
            if self._rows.size > lifter.people:
                lifter.grow(self._rows.size - lifter.people)

    def _normalised(self, joints, size) -> np.ndarray:
        """Joints by the width of the picture, NaN where one has no place."""
        joints = np.asarray(joints, np.float64)[..., :2]
        found = (is_valid(joints) & np.isfinite(joints)).all(axis=-1)
        return np.where(found[..., None], normalize_screen(joints, size), np.nan)

    def _see(self, rows, new, points: np.ndarray, sure: np.ndarray) -> None:
        """Takes in where some people's joints are, and which of them are sure."""
        self._points[rows[new]] = np.nan
        self._begun[rows[new]] = self._seen[rows[new]] = False
        before, found = self._points[rows], np.isfinite(points).all(axis=-1)
        taken = found & (sure | ~self._seen[rows])
        self._points[rows] = np.where(taken[..., None], points, before)
        self._seen[rows] |= found & sure
        whole = np.isfinite(self._points[rows]).all(axis=(1, 2))
        beginning = rows[whole & ~self._begun[rows]]
        self._begun[beginning] = True
        for lifter in self._lifters:
            lifter.start(beginning)

    def _filled(self) -> np.ndarray:
        """Key points of all rows: zeros where nothing has begun, and none looks."""
        points = np.where(self._begun[:, None, None], self._points, 0)
        if self._keypoints is h36m17j:
            points = convert_to_h36m17j(points, self.poselayout)
        return points


def _wanted(keypoints: str, poselayout) -> type:
    """The layout of the key points that networks take."""
    if keypoints not in KEYPOINTS or (
        keypoints == "coco" and poselayout is not coco17j
    ):
        raise ValueError(
            "`keypoints` must be h36m, or coco where the 2D network finds COCO's. "
            f"Received: {keypoints=}, a network of {poselayout.__name__}"
        )
    return KEYPOINTS[keypoints]
