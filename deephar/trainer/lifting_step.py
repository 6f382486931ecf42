"""Steps of training for temporal lifting: supervised, and with unlabelled video.

Source: Pavllo et al., "3D human pose estimation in video with temporal convolutions and
semi-supervised training", CVPR 2019, sections 4 and 5.
"""

import math

import keras
import tensorflow as tf
from keras import ops

from deephar import losses
from deephar.utils.camera import project_to_2d

_LENS = 9
"""Numbers of a camera's lens."""


class LiftingStep:
    """Takes steps of an optimizer on a pose network, and a trajectory network.

    Poses are `(batch, frames, joints, 3)`, m, in camera space: joint 0 is the position
    of the root, the others are relative to it. Key points are `(batch, frames +
    receptive field - 1, key points, 2)`, normalised, and cameras `(batch, 9)`, as the
    loaders of `data.lifting_loaders` give them.

    Args:
        model_pos: network of the pose, of `models.lifting`; usually a strided one.
        optimizer: of `optimizers.adam`; its variables are made here, for the variables
            of `model_pos` and then those of `model_traj`.
        model_traj: network of the root's trajectory; None: only `supervised`.
        parents: the parent of each joint, for the lengths of bones.
        linear_projection: whether cameras are taken to have no distortion.
        bone_length: whether unlabelled poses are to have bones as labelled ones.
        projection: whether unlabelled poses are to project to their key points.
        target_frame: index of the first frame of the key points that a pose belongs
            to: padding plus causal shift.
        jit: whether XLA compiles the step.

    Raises:
        ValueError: if a trajectory network comes without what its losses need.
    """

    def __init__(
        self,
        model_pos: keras.Model,
        optimizer: keras.optimizers.Optimizer,
        model_traj: keras.Model | None = None,
        parents=None,
        linear_projection: bool = False,
        bone_length: bool = True,
        projection: bool = True,
        target_frame: int | None = None,
        jit: bool = False,
    ):
        if model_traj is not None:
            if bone_length and parents is None:
                raise ValueError(
                    "`parents` must be given for the lengths of bones. "
                    f"Received: {parents=}"
                )
            if projection and target_frame is None:
                raise ValueError(
                    "`target_frame` must be given for the projection. "
                    f"Received: {target_frame=}"
                )
        self.model_pos = model_pos
        self.model_traj = model_traj
        self.optimizer = optimizer
        self.parents = parents
        self.linear_projection = linear_projection
        self.bone_length = bone_length
        self.projection = projection
        self.target_frame = target_frame
        self.variables = list(model_pos.trainable_variables)
        if model_traj is not None:
            self.variables += model_traj.trainable_variables
        optimizer.build(self.variables)
        # One graph for every size of a batch: another would round otherwise, and a
        # training that goes on would not do what the whole one did.
        shapes = (model_pos.input_shape, model_pos.output_shape)
        labelled = [tf.TensorSpec(shape, tf.float32) for shape in shapes]
        lenses = tf.TensorSpec((None, _LENS), tf.float32)

        def traced(take, *batch):
            trace = {"autograph": False, "jit_compile": jit}
            return tf.function(take, input_signature=batch, **trace)

        self._supervised = traced(self._take_supervised, *labelled)
        self._warm_up = traced(self._take_warm_up, *labelled)
        semi = (*labelled, labelled[0], lenses)
        self._semi_supervised = traced(self._take_semi_supervised, *semi)

    def supervised(self, poses_2d, poses_3d) -> dict[str, float]:
        """Takes a step on labelled key points.

        Returns:
            `{"pos": loss}`, m.
        """
        return _numbers(self._supervised(_tensor(poses_2d), _tensor(poses_3d)))

    def semi_supervised(
        self,
        poses_2d,
        poses_3d,
        poses_2d_unlabelled,
        cameras_unlabelled,
        warm_up: bool = False,
    ) -> dict[str, float]:
        """Takes a step on labelled and unlabelled key points.

        Args:
            poses_2d: labelled key points.
            poses_3d: their poses.
            poses_2d_unlabelled: key points, of any number of samples.
            cameras_unlabelled: the cameras that saw them.
            warm_up: whether to learn from the labelled part alone.

        Returns:
            Losses by name: "pos" (m), "traj" (relative to the depth), "proj"
            (normalised), "bone" (m) and their sum, "total"; 0 for what takes no part.

        Raises:
            ValueError: without a trajectory network.
        """
        if self.model_traj is None:
            raise ValueError(
                "Semi-supervised steps need `model_traj`. Received: model_traj=None"
            )
        labelled = _tensor(poses_2d), _tensor(poses_3d)
        if warm_up:
            return _numbers(self._warm_up(*labelled))
        others = _tensor(poses_2d_unlabelled), _tensor(cameras_unlabelled)
        return _numbers(self._semi_supervised(*labelled, *others))

    def _take_supervised(self, poses_2d, poses_3d):
        with tf.GradientTape() as tape:
            found = self.model_pos(poses_2d, training=True)
            loss = losses.mpjpe(_about_the_root(poses_3d), found)
        self._update(tape, loss, self.model_pos.trainable_variables)
        return {"pos": loss}

    def _take_warm_up(self, poses_2d, poses_3d):
        with tf.GradientTape() as tape:
            found = self.model_pos(poses_2d, training=True)
            roots = self.model_traj(poses_2d, training=True)
            terms = self._labelled_terms(poses_3d, found, roots)
            total = sum(terms.values())
        self._update(tape, total, self.variables)
        return {**terms, "proj": 0.0, "bone": 0.0, "total": total}

    def _take_semi_supervised(self, poses_2d, poses_3d, others_2d, cameras):
        count = ops.shape(poses_2d)[0]
        everything = ops.concatenate([poses_2d, others_2d], axis=0)
        with tf.GradientTape() as tape:
            found = self.model_pos(everything, training=True)
            roots = self.model_traj(everything, training=True)
            terms = self._labelled_terms(poses_3d, found[:count], roots[:count])
            if self.projection:
                poses = found[count:] + roots[count:]
                terms["proj"] = self._projection_loss(poses, others_2d, cameras)
            if self.bone_length:
                terms["bone"] = losses.bone_length_penalty(
                    found[:count], found[count:], self.parents
                )
            total = sum(terms.values())
        self._update(tape, total, self.variables)
        return {"proj": 0.0, "bone": 0.0, **terms, "total": total}

    def _labelled_terms(self, poses_3d, found, roots):
        truth = poses_3d[:, :, :1]
        return {
            "pos": losses.mpjpe(_about_the_root(poses_3d), found),
            "traj": losses.weighted_mpjpe(truth, roots, 1 / truth[..., 2]),
        }

    def _projection_loss(self, poses, keypoints, cameras):
        """Distance of projected poses to the key points of their frames."""
        seen = project_to_2d(poses, cameras, linear=self.linear_projection, xp=ops)
        start, frames = self.target_frame, ops.shape(poses)[1]
        return losses.mpjpe(keypoints[:, start : start + frames], seen)

    def _update(self, tape, loss, variables):
        gradients = tape.gradient(loss, [v.value for v in variables])
        self.optimizer.apply(gradients, variables)


def bn_momentum(epoch: int, epochs: int) -> float:
    """Momentum of the batch norms (share of the new) after an epoch: 0.1 to 0.001.

    Args:
        epoch: epochs that are done.
        epochs: of the whole training.
    """
    return 0.1 * math.exp(-epoch / epochs * math.log(100))


def _about_the_root(poses):
    """Poses with the root at the origin."""
    return ops.concatenate([ops.zeros_like(poses[:, :, :1]), poses[:, :, 1:]], axis=2)


def _tensor(array):
    return tf.convert_to_tensor(array, tf.float32)


def _numbers(terms: dict) -> dict[str, float]:
    return {name: float(term) for name, term in terms.items()}
