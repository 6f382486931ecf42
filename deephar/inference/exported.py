"""Exported files run by their runtimes, in the place of the networks they are of."""

import os
import pathlib
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from deephar.inference.export import EXTRA, FORMATS, SIGNATURE
from deephar.inference.model_card import read_card
from deephar.utils.extras import load_extra

_FATAL = 4
"""Of onnxruntime's log: what else goes wrong comes as an error."""

_Run = Callable[[dict[str, np.ndarray]], Mapping[str, np.ndarray]]


class Spec(NamedTuple):
    """An input or output: its name, and its shape with the batch, None for any."""

    name: str
    shape: tuple[int | None, ...]


class ExportedModel:
    """A file of `export`, run by onnxruntime, LiteRT (TFLite) or TensorFlow.

    It stands in for the model where only `predict_on_batch` is asked for, as in
    `PosePredictor(ExportedModel("pose.onnx"), pa16j2d)`. Batches of another size than
    the file's are cut up and filled up.

    Args:
        path: the file, or the folder of a SavedModel.
        card: what is said of it; None reads the card beside it.
        threads: of the runtime; None leaves it to it. TensorFlow has its own.

    Attributes:
        card: the model card, see `model_card`.
        inputs, outputs: names and shapes, in order.

    Raises:
        OSError: if file or card are not there.
        ValueError: if they cannot be read, or a package of the extra `export` is
            absent.
    """

    def __init__(
        self,
        path: str | os.PathLike,
        card: Mapping[str, Any] | None = None,
        threads: int | None = None,
    ):
        path = pathlib.Path(path)
        if not path.exists():
            raise FileNotFoundError(f"no such exported file: {path}")
        self.card = read_card(path) if card is None else dict(card)
        self.inputs = [Spec(x["name"], tuple(x["shape"])) for x in self.card["inputs"]]
        self.outputs = [
            Spec(x["name"], tuple(x["shape"])) for x in self.card["outputs"]
        ]
        kind = self.card["format"].split("-")[0]
        self._run: _Run = _RUNTIMES[kind](path, [y.name for y in self.outputs], threads)

    @property
    def input_shape(self) -> tuple[int | None, ...]:
        """Shape of the first input."""
        return self.inputs[0].shape

    @property
    def output_names(self) -> list[str]:
        """Names of the outputs."""
        return [y.name for y in self.outputs]

    def predict_on_batch(
        self, inputs: np.ndarray | Sequence[np.ndarray]
    ) -> list[np.ndarray]:
        """The outputs, in order.

        Args:
            inputs: `(n, ...)`, n at least 1; a list of them for a file of several
                inputs.

        Raises:
            ValueError: if they are of other shapes than the file's.
        """
        inputs = [inputs] if isinstance(inputs, np.ndarray) else list(inputs)
        inputs = [np.asarray(x, np.float32) for x in inputs]
        self._check(inputs)
        count, batch = len(inputs[0]), self.inputs[0].shape[0]
        size, parts = batch or count, []
        for start in range(0, count, size):
            rows = np.minimum(np.arange(start, start + size), count - 1)
            feed = (np.ascontiguousarray(x[rows]) for x in inputs)
            names = (x.name for x in self.inputs)
            parts.append(self._run(dict(zip(names, feed, strict=True))))
        return [
            np.concatenate([part[y.name] for part in parts])[:count]
            for y in self.outputs
        ]

    def _check(self, inputs: Sequence[np.ndarray]) -> None:
        wanted = [x.shape[1:] for x in self.inputs]
        count = len(inputs[0]) if inputs and inputs[0].ndim else 0
        if count < 1 or [x.shape for x in inputs] != [(count, *x) for x in wanted]:
            raise ValueError(
                f"`inputs` must be n times {wanted}, n at least 1. "
                f"Received: shapes {[x.shape for x in inputs]}"
            )


def _onnx(path: pathlib.Path, outputs: list[str], threads: int | None) -> _Run:
    runtime = load_extra("onnxruntime", EXTRA)
    options = runtime.SessionOptions()
    options.log_severity_level = _FATAL
    if threads is not None:
        options.intra_op_num_threads = threads
    providers = ["CPUExecutionProvider"]
    try:
        session = runtime.InferenceSession(path, options, providers=providers)
    except _errors(runtime.capi.onnxruntime_pybind11_state) as error:
        raise ValueError(f"{path}: onnxruntime cannot run it: {error}") from error
    return lambda feed: dict(zip(outputs, session.run(outputs, feed), strict=True))


def _errors(module: types.ModuleType) -> tuple[type[Exception], ...]:
    """The errors that a module defines, which have nothing in common."""
    found = [one for one in vars(module).values() if isinstance(one, type)]
    return tuple(one for one in found if issubclass(one, Exception))


def _tflite(path: pathlib.Path, outputs: list[str], threads: int | None) -> _Run:
    runtime = load_extra("ai_edge_litert.interpreter", EXTRA)
    try:
        interpreter = runtime.Interpreter(str(path), num_threads=threads)
    except (ValueError, RuntimeError) as error:
        raise ValueError(f"{path}: LiteRT cannot run it: {error}") from error
    run = interpreter.get_signature_runner(SIGNATURE)
    return lambda feed: run(**feed)


def _saved_model(path: pathlib.Path, outputs: list[str], threads: int | None) -> _Run:
    import tensorflow as tf

    module = tf.saved_model.load(path)

    def run(feed: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        feed = {name: tf.constant(x) for name, x in feed.items()}
        found = module.signatures[SIGNATURE](**feed)
        return {name: y.numpy() for name, y in found.items()}

    return run


_RUNTIMES = {"onnx": _onnx, "tflite": _tflite, "saved_model": _saved_model}
"""What runs a file, by its format."""


class Difference(NamedTuple):
    """How far an output is from another.

    Attributes:
        largest: largest absolute difference.
        mean: mean absolute difference.
        values: largest absolute value of what is right.
    """

    largest: float
    mean: float
    values: float

    @property
    def unit(self) -> float:
        """What differences count in: 1, or the largest value where that is more."""
        return max(1.0, self.values)


def differences(
    exported: ExportedModel,
    inputs: Sequence[np.ndarray],
    expected: Sequence[np.ndarray],
) -> dict[str, Difference]:
    """How far each output of a file is from what it should be.

    Args:
        exported: the file.
        inputs: an array `(n, ...)` for each of its inputs.
        expected: an array for each of its outputs.
    """
    found = exported.predict_on_batch(inputs)
    return {
        name: Difference(
            float(np.abs(y - wanted).max()),
            float(np.abs(y - wanted).mean()),
            float(np.abs(wanted).max()),
        )
        for name, y, wanted in zip(exported.output_names, found, expected, strict=True)
    }


def beyond_bound(form: str, found: Mapping[str, Difference]) -> str | None:
    """What says that a file is too far from its network; None if it is not.

    Args:
        form: name of the format, whose bounds count.
        found: of `differences`.
    """
    of = FORMATS[form]
    for name, one in found.items():
        for what, value, bound in (
            ("largest", one.largest, of.bound),
            ("mean", one.mean, of.mean_bound),
        ):
            if bound is not None and not value <= bound * one.unit:
                return (
                    f"the {what} error of {name} is {value:.3g}, and {form} may have "
                    f"{bound * one.unit:.3g}"
                )
    return None
