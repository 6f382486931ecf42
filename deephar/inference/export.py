"""Parts of networks as files for other runtimes: SavedModel, ONNX and TFLite.

All files are of the same graph: the part with its batch norms folded, weights as
constants, traced by TensorFlow once, with the names of the part's inputs and outputs.
"""

import contextlib
import logging
import pathlib
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np

from deephar.inference.export_parts import Part
from deephar.inference.folding import fold_batch_norm
from deephar.inference.running import TracedModel
from deephar.utils.extras import load_extra

SIGNATURE = "serving_default"
"""Name of the signature in SavedModels and TFLite files."""

OPSET = 17
"""Of ONNX: what onnxruntime reads since version 1.12."""

EXTRA = "export"
"""What brings the packages that write and run the files."""

_PACKAGES = {
    "onnx": ("onnx", "tf2onnx", "onnxruntime"),
    "tflite": ("ai_edge_litert.interpreter",),
}
"""Modules by the first part of a format's name."""

INTEGER = "tflite-int8"

_FLOAT_OPERATIONS = (
    *("EXP", "DIV", "SUM", "SUB", "MUL", "MAXIMUM", "REDUCE_MAX", "REDUCE_MIN"),
    *("SOFTMAX", "LOGISTIC"),
)
"""What soft-argmax is made of, and probabilities: they stay float32 among integers, of
which 256 are too few to say where in a map a joint is."""


class Format(NamedTuple):
    """A format of files.

    Attributes:
        ending: of a file's name, after that of the part.
        about: what it is.
        bound: largest error against Keras that is let pass, in units of the output, or
            of its largest value where that is above 1; None lets any pass.
        mean_bound: the same of the mean error.
        any_batch: whether a file can be for batches of any size.
    """

    ending: str
    about: str
    bound: float | None
    mean_bound: float
    any_batch: bool = False


FORMATS = {
    "saved_model": Format(".saved_model", "TensorFlow SavedModel", 1e-4, 1e-5, True),
    "onnx": Format(".onnx", f"ONNX, opset {OPSET}", 1e-4, 1e-5, True),
    "tflite": Format(".tflite", "TFLite, float32", 1e-4, 1e-5),
    "tflite-float16": Format("-float16.tflite", "TFLite, weights float16", 0.05, 5e-3),
    INTEGER: Format(
        "-int8.tflite", "TFLite, convolutions int8, soft-argmax float32", None, 0.05
    ),
}
"""The formats by name."""


def export_part(
    part: Part,
    path: pathlib.Path,
    form: str,
    batch: int | None = None,
    calibration: Sequence[np.ndarray] | None = None,
) -> None:
    """Writes a part as a file, or as the folder of a SavedModel.

    Args:
        part: what is written, as it is now; it stays as it is.
        path: where to; what is there is replaced.
        form: name of a format.
        batch: pictures or clips at once; None for any number where the format can, and
            1 elsewhere.
        calibration: of tflite-int8, an array `(n, ...)` for each input, such as the
            file will see.

    Raises:
        ValueError: if there is no such format, `batch` is below 1, `calibration` is
            missing or less than one batch, the backend is not TensorFlow, or a package
            of the extra `export` is absent.
    """
    check_format(form, batch)
    size = file_batch(form, batch)
    given = 0 if calibration is None else len(calibration[0])
    if form == INTEGER and given < size:
        raise ValueError(
            f"`calibration` must be what the file will see, for {INTEGER}, at least as "
            f"many as its batch of {size}. Received: {given or 'none'}"
        )
    traced = _traced(part, size)
    path.parent.mkdir(parents=True, exist_ok=True)
    remove(path)
    with _without_their_notes():
        if form == "saved_model":
            _save(traced, path)
        elif form == "onnx":
            _write_onnx(traced, part, path)
        else:
            path.write_bytes(_tflite(traced, part, form, calibration))


def file_batch(form: str, batch: int | None) -> int | None:
    """The batch of a file; None is any."""
    return 1 if batch is None and not FORMATS[form].any_batch else batch


def remove(path: pathlib.Path) -> None:
    """Removes an exported file or folder, if it is there."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def check_format(form: str, batch: int | None = None) -> None:
    """Refuses what cannot be written here.

    Args:
        form, batch: as of `export_part`.

    Raises:
        ValueError: as of `export_part`.
    """
    if form not in FORMATS:
        raise ValueError(
            f"`form` must be one of {', '.join(FORMATS)}. Received: form={form!r}"
        )
    if batch is not None and batch < 1:
        raise ValueError(f"`batch` must be at least 1. Received: batch={batch}")
    if keras.backend.backend() != "tensorflow":
        raise ValueError(
            "networks are exported by the backend tensorflow (KERAS_BACKEND). "
            f"Received: the backend {keras.backend.backend()}"
        )
    for module in _PACKAGES.get(form.split("-")[0], ()):
        load_extra(module, EXTRA)


def _traced(part: Part, batch: int | None) -> Callable:
    """The folded part as a function of TensorFlow, outputs by name."""
    import tensorflow as tf

    model = TracedModel(fold_batch_norm(part.model), frozen=True)
    names = [output.name for output in part.outputs]
    return tf.function(
        lambda *inputs: dict(zip(names, model.call(*inputs), strict=True)),
        input_signature=[
            tf.TensorSpec((batch, *x.shape), tf.float32, x.name) for x in part.inputs
        ],
        autograph=False,
    )


def _save(traced: Callable, path: pathlib.Path) -> None:
    import tensorflow as tf

    module = tf.Module()
    module.traced = traced
    tf.saved_model.save(module, path, signatures={SIGNATURE: traced})


def _write_onnx(traced: Callable, part: Part, path: pathlib.Path) -> None:
    from tf2onnx import convert

    signature = traced.input_signature
    model, _ = convert.from_function(traced, input_signature=signature, opset=OPSET)
    _part_pads_from_pools(model.graph)
    outputs = {output.name: output for output in model.graph.output}
    del model.graph.output[:]
    model.graph.output.extend(outputs[output.name] for output in part.outputs)
    path.write_bytes(model.SerializeToString())


def _part_pads_from_pools(graph: Any) -> None:
    """Puts a step that changes nothing between zeros that are added and a maximum.

    onnxruntime 1.31 makes one step of such two, and refuses it where there are as many
    zeros as the maximum is wide: networks of 17 joints.
    """
    from onnx import helper, numpy_helper

    pads = {y for node in graph.node if node.op_type == "Pad" for y in node.output}
    lowest = numpy_helper.from_array(np.float32(np.finfo(np.float32).min), "lowest")
    nodes, parted = list(graph.node), []
    for node in nodes:
        if node.op_type == "MaxPool" and node.input[0] in pads:
            name = f"{node.input[0]}_for_{node.name}"
            parted.append(helper.make_node("Max", [node.input[0], "lowest"], [name]))
            node.input[0] = name
        parted.append(node)
    if len(parted) > len(nodes):
        graph.initializer.append(lowest)
        del graph.node[:]
        graph.node.extend(parted)


def _tflite(
    traced: Callable,
    part: Part,
    form: str,
    calibration: Sequence[np.ndarray] | None,
) -> bytes:
    import tensorflow as tf

    with tempfile.TemporaryDirectory() as folder:
        _save(traced, pathlib.Path(folder))
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        if form == "tflite":
            return converter.convert()
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if form == "tflite-float16":
            converter.target_spec.supported_types = [tf.float16]
            return converter.convert()
        batch = traced.input_signature[0].shape[0]
        names = [x.name for x in part.inputs]

        def samples() -> Iterator[dict[str, np.ndarray]]:
            for start in range(len(calibration[0]) - batch + 1):
                rows = (x[start : start + batch] for x in calibration)
                yield dict(zip(names, rows, strict=True))

        converter.representative_dataset = samples
        options = tf.lite.experimental.QuantizationDebugOptions(
            denylisted_ops=list(_FLOAT_OPERATIONS)
        )
        return tf.lite.experimental.QuantizationDebugger(
            converter=converter, debug_dataset=samples, debug_options=options
        ).get_nondebug_quantized_model()


@contextlib.contextmanager
def _without_their_notes() -> Iterator[None]:
    """Leaves out what the converters warn of, which are their own parts."""
    before, handlers = logging.root.manager.disable, logging.root.handlers[:]
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
        logging.root.handlers[:] = handlers
