"""Small Keras models with the outputs of a pose network, and a look at a trace."""

import contextlib
import threading

import keras
import numpy as np
import pytest


def constant_model(joints, size=(64, 64), blocks: int = 1) -> keras.Model:
    """A model that answers every crop with the same joints: x, y, (z,) score."""
    joints = np.asarray(joints, np.float32)
    picture = keras.Input((*size, 3))
    mean = keras.layers.GlobalAveragePooling2D()(picture)
    outputs = []
    for block in range(blocks):
        dense = keras.layers.Dense(
            joints.size,
            kernel_initializer="zeros",
            bias_initializer=keras.initializers.Constant(joints.ravel()),
            name=f"block{block + 1}",
        )
        outputs.append(keras.layers.Reshape(joints.shape)(dense(mean)))
    return keras.Model(picture, outputs)


def small_pose_model(size=(64, 64), joints: int = 16, blocks: int = 1) -> keras.Model:
    """A few convolutions with a sigmoid output of shape `(joints, 3)` a block."""
    picture = keras.Input((*size, 3))
    x = keras.layers.Conv2D(8, 3, strides=4, use_bias=False)(picture)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.Conv2D(8, 3, strides=4, activation="relu")(x)
    x = keras.layers.Flatten()(x)
    outputs = []
    for _ in range(blocks):
        pose = keras.layers.Dense(joints * 3, activation="sigmoid")(x)
        outputs.append(keras.layers.Reshape((joints, 3))(pose))
    return keras.Model(picture, outputs)


class Meeting:
    """Runs a model, and counts the runs that another thread's run overlaps.

    The first run waits a moment for another one to come in.
    """

    def __init__(self, run):
        self._run, self._both = run, threading.Barrier(2)
        self.runs, self.met = 0, 0

    def predict_on_batch(self, inputs):
        """As of a model."""
        self.runs += 1
        with contextlib.suppress(threading.BrokenBarrierError):
            self._both.wait(0.3)
            self.met += 1
        return self._run(inputs)


def convolutions(model: keras.Model) -> int:
    """How many convolutions TensorFlow's graph of a model holds."""
    tf = pytest.importorskip("tensorflow")
    if keras.backend.backend() != "tensorflow":
        pytest.skip("counts the operations of TensorFlow's graph")
    specs = [tf.TensorSpec((1, *x.shape[1:])) for x in model.inputs]
    specs = specs if len(specs) > 1 else specs[0]
    graph = tf.function(model).get_concrete_function(specs).graph.as_graph_def()
    nodes = [*graph.node, *(n for f in graph.library.function for n in f.node_def)]
    return sum(n.op in ("Conv2D", "DepthwiseConv2dNative") for n in nodes)
