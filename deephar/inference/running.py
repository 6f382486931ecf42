"""Networks called with nothing between: what a frame of a stream costs is theirs."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np


class TracedModel:
    """A model that TensorFlow has traced once, for batches of any size.

    It stands in for the model where only `predict_on_batch` is asked for; Keras' own
    takes some milliseconds more for each call.

    Args:
        model: functional model, whose `jit_compile` says whether XLA compiles it.
        frozen: take the weights as they are at the first call, as constants: kernels
            are laid out for the processor once, and not in each call. Else they are
            those of every call.
    """

    def __init__(self, model: keras.Model, frozen: bool = False):
        import tensorflow as tf

        self._model, self._frozen, self._tensorflow = model, frozen, tf
        self._traced = tf.function(
            self.call,
            input_signature=[tf.TensorSpec(x.shape, x.dtype) for x in model.inputs],
            autograph=False,
            jit_compile=model.jit_compile or None,
        )

    def predict_on_batch(
        self, inputs: np.ndarray | Sequence[np.ndarray]
    ) -> list[np.ndarray]:
        """The outputs, in order.

        Args:
            inputs: `(batch, ...)`; a list of them for a model of several inputs.
        """
        inputs = inputs if len(self._model.inputs) > 1 else [inputs]
        found = self._traced(*map(self._tensorflow.constant, inputs))
        return [x.numpy() for x in found]

    def call(self, *inputs):
        """What is traced: from tensors to the outputs, flat."""
        given = list(inputs) if len(inputs) > 1 else inputs[0]
        if not self._frozen:
            return keras.tree.flatten(self._model(given, training=False))
        weights = self._model.trainable_variables, self._model.non_trainable_variables
        with self._tensorflow.init_scope():
            weights = [[v.numpy() for v in part] for part in weights]
        constants = [list(map(self._tensorflow.constant, part)) for part in weights]
        found, _ = self._model.stateless_call(*constants, given, training=False)
        return keras.tree.flatten(found)


def runner(model: keras.Model, jit: bool, frozen: bool) -> Any:
    """What predicts in a model's place, by `predict_on_batch`.

    Args:
        model: functional model; what already stands in for one stays.
        jit: on TensorFlow, whether XLA compiles it; the other backends know themselves.
        frozen: on TensorFlow, as of `TracedModel`.
    """
    if keras.backend.backend() != "tensorflow" or not isinstance(model, keras.Model):
        return model
    model.jit_compile = jit
    return TracedModel(model, frozen)


class FewSizes:
    """Fills batches up, so that what is compiled anew for each size sees few.

    Args:
        run: what predicts, by `predict_on_batch`.
        most: the largest batch that is filled up to.
    """

    def __init__(self, run: Any, most: int):
        self._run, self._most = run, most

    def predict_on_batch(
        self, inputs: np.ndarray | Sequence[np.ndarray]
    ) -> list[np.ndarray]:
        """The outputs, in order; inputs as of `TracedModel`."""
        several = isinstance(inputs, (list, tuple))
        count = len(inputs[0] if several else inputs)
        size = max(count, compiled_size(count, self._most))
        filled = keras.tree.map_structure(lambda x: _filled(x, size), inputs)
        found = keras.tree.flatten(self._run.predict_on_batch(filled))
        return [np.asarray(x)[:count] for x in found]


def few_sizes(run: Any, jit: bool, most: int) -> Any:
    """What predicts in batches of few sizes, where XLA compiles it; else the same.

    Args:
        run, most: as of `FewSizes`.
        jit: as of `runner`.
    """
    compiled = jit or keras.backend.backend() == "jax"
    return FewSizes(run, most) if compiled else run


def _filled(x: np.ndarray, size: int) -> np.ndarray:
    """A batch made longer by repeating its last entry."""
    return np.concatenate([x, np.repeat(x[-1:], size - len(x), axis=0)])


def compiled_size(count: int, most: int) -> int:
    """How many to run for so many, where XLA compiles anew for each number.

    The next power of two: few numbers, and never twice the work.

    Args:
        count: at least 1.
        most: the largest number that is run.
    """
    return min(most, 1 << (count - 1).bit_length())
