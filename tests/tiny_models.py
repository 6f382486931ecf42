"""Small Keras models with the outputs of a pose network."""

import keras
import numpy as np


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
