"""The lifting network of this package, as `lifting.py` times it, on TensorFlow."""

import keras
import tensorflow as tf

from deephar.inference.lifting import Lifter, StreamingLifter
from deephar.models import lifting
from deephar.optimizers import adam
from deephar.trainer.lifting_step import LiftingStep


def limit_threads(threads):
    """Before TensorFlow's first operation; 0 for all."""
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    if threads:
        tf.config.threading.set_inter_op_parallelism_threads(1)


def describe():
    """`{"framework", "version"}`."""
    return {"framework": f"keras {keras.version()}", "version": tf.__version__}


def training(args, keypoints, poses):
    """A step of the strided network."""
    step = LiftingStep(_build(args, lifting.build_strided), adam())
    return lambda: step.supervised(keypoints, poses)


def whole(args, keypoints):
    """Poses of a whole sequence `(frames, joints, 2)`."""
    model = _build(args, lifting.build)
    lifter = Lifter(model, flip=False, block=len(keypoints))
    return lambda: lifter.lift(keypoints)


def stream(args, keypoints):
    """The pose of one more frame of a causal track."""
    lifter = StreamingLifter(_build(args, lifting.build, causal=True))
    lifter.start()
    return lambda: lifter.step(keypoints)


def _build(args, builder, **options):
    joints = 17
    return builder(joints, 2, joints, args.widths, args.channels, **options)
