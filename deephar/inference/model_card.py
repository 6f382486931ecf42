"""Model cards: what stands beside an exported file, to use it without this package.

The card of NAME is NAME.json, for programs, and NAME.md, the same for people.
"""

import json
import os
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import keras

from deephar import __version__
from deephar.inference.export import FORMATS, SIGNATURE, file_batch
from deephar.inference.export_parts import Array, Part
from deephar.inference.lifting_stream import KEYPOINTS
from deephar.inference.looker import PERSON_MARGIN
from deephar.networks.classes import class_names
from deephar.networks.recipes import NETWORKS, poselayout
from deephar.utils.camera import DEPTH_RANGE
from deephar.utils.fs import md5_of, write_json, write_text
from deephar.utils.outputs import deciding
from deephar.utils.pose import h36m17j

VERSION = 1
"""Of the form of cards."""

_CROP = (
    "a square around the person's box (x1, y1, x2, y2): its centre is the box's, its "
    f"side {PERSON_MARGIN} times the box's longer side; corners truncated to whole px; "
    "black outside the picture; resized with a triangle filter (Pillow: BILINEAR)"
)
_NORMALISATION = "RGB, 2 * value / 255 - 1 of values in 0 ... 255"
_TO_PICTURE = "x of the picture = left + x * side, y = top + y * side of the square"


def make_card(
    part: Part,
    settings: Mapping[str, Any],
    form: str,
    path: pathlib.Path,
    batch: int | None = None,
    **more: Any,
) -> dict[str, Any]:
    """The card of a file, without what its check finds.

    Args:
        part: what the file is of.
        settings: the network's, with its name under "network".
        form: name of the format.
        path: the file, or the folder of a SavedModel.
        batch: as of `export_part`.
        more: further entries, such as "weights".
    """
    size = file_batch(form, batch)
    return {
        "deephar_export": VERSION,
        "file": path.name,
        "md5": md5_of(main_file(path)),
        "bytes": _bytes(path),
        "format": form,
        "about": f"{_about(settings)}: {part.name}; {FORMATS[form].about}",
        "part": part.name,
        **more,
        "settings": dict(settings),
        "batch": size,
        "batch norms": "folded",
        "inputs": [_array(x, size) for x in part.inputs],
        "outputs": [_array(y, size) for y in part.outputs],
        **_meaning(part, settings),
        "made by": {"deephar": __version__, "keras": keras.__version__},
    }


def main_file(path: pathlib.Path) -> pathlib.Path:
    """The file whose md5 the card has: of a SavedModel that of its graph."""
    return path / "saved_model.pb" if path.is_dir() else path


def write_card(path: pathlib.Path, card: Mapping[str, Any]) -> None:
    """Writes the card of a file beside it, as JSON and as Markdown."""
    write_json(card_path(path), card)
    write_text(_page_path(path), card_text(card))


def remove_card(path: pathlib.Path) -> None:
    """Removes the card of a file, if it has one."""
    for card in (card_path(path), _page_path(path)):
        card.unlink(missing_ok=True)


def card_path(path: str | os.PathLike) -> pathlib.Path:
    """Where the card of an exported file is."""
    path = pathlib.Path(path)
    return path.with_name(path.name + ".json")


def _page_path(path: pathlib.Path) -> pathlib.Path:
    return path.with_name(path.name + ".md")


def read_card(path: str | os.PathLike) -> dict[str, Any]:
    """Reads the card of an exported file.

    Raises:
        FileNotFoundError: if it is not beside the file.
        ValueError: if it is none, of a later form than this program knows, or of
            another file.
    """
    file = card_path(path)
    if not file.is_file():
        raise FileNotFoundError(
            f"the model card of an exported file is not there: {file}"
        )
    try:
        card = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{file} must be a model card in JSON: {error}") from error
    if not isinstance(card, dict) or card.get("deephar_export") != VERSION:
        raise ValueError(f"{file} must be a model card of the form {VERSION}")
    found = md5_of(main_file(pathlib.Path(path)))
    if found != card.get("md5"):
        raise ValueError(
            f"{file} must be the card of {path}, whose md5 is {found}. "
            f"Received: a card of md5 {card.get('md5')}"
        )
    return card


def card_text(card: Mapping[str, Any]) -> str:
    """A card as Markdown."""
    checked = card["checked"]
    errors = [
        (name, f"{one['largest']:.2g}", f"{one['mean']:.2g}")
        for name, one in checked["errors"].items()
    ]
    facts = [
        ("part", card["part"]),
        ("format", card["format"]),
        ("weights", f"{card['weights']['name']}, md5 {card['weights']['md5']}"),
        ("md5 of this file", card["md5"]),
        ("bytes", card["bytes"]),
        ("cut after", card["block"] or "its last prediction"),
        ("batch", card["batch"] or "any"),
        ("batch norms", card["batch norms"]),
    ]
    meaning = [(name, _text(card[name])) for name in _MEANINGS if name in card]
    return (
        "\n\n".join(
            [
                f"# {card['file']}",
                card["about"] + ".",
                _table(("", ""), facts),
                "## Inputs and outputs",
                _table(("input", "shape", "type", "what"), _rows(card["inputs"])),
                _table(("output", "shape", "type", "what"), _rows(card["outputs"])),
                _table(("", ""), meaning) if meaning else "",
                "## Checked",
                f"Against {checked['against']}, on {checked['inputs']}:",
                _table(("output", "largest error", "mean error"), errors),
                "## How to call it",
                f"```python\n{_code(card)}\n```",
            ]
        ).replace("\n\n\n\n", "\n\n")
        + "\n"
    )


_MEANINGS = (
    *("crop", "normalisation", "to the picture", "depth_range_mm"),
    *("keypoints", "keypoints mirrored", "joints", "mirror"),
    *("actions", "answer", "frames", "step", "calibrated with"),
)
"""Entries that tell what the numbers mean."""


def _about(settings: Mapping[str, Any]) -> str:
    recipe = NETWORKS.get(settings["network"])
    return "temporal lifting" if recipe is None else recipe.about


def _array(array: Array, batch: int | None) -> dict[str, Any]:
    shape = [batch, *array.shape]
    return {"name": array.name, "shape": shape, "dtype": "float32", "what": array.what}


def _meaning(part: Part, settings: Mapping[str, Any]) -> dict[str, Any]:
    """What the numbers of a part mean."""
    if part.name in ("lifting", "trajectory"):
        return _lifted(part, settings)
    layout = poselayout(dict(settings))
    found = {"joints": list(layout.joint_names), "mirror": list(layout.map_hflip)}
    if layout.dim == 3:
        found["depth_range_mm"] = DEPTH_RANGE
    if part.name != "clip_head":
        height, width = part.inputs[0].shape[:2]
        found["size"] = [width, height]
        found["crop"], found["crop_margin"] = _CROP, PERSON_MARGIN
        found["normalisation"], found["to the picture"] = _NORMALISATION, _TO_PICTURE
    if part.name in ("clip_head", "frame_model"):
        found["actions"] = list(class_names(dict(settings)))
        found["frames"], found["step"] = settings["frames"], settings.get("step")
    if part.name == "clip_head":
        found["answer"] = deciding([y.name for y in part.outputs])
    return found


def _lifted(part: Part, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The joints that lifting takes and, unless it is the root alone, gives."""
    taken = KEYPOINTS[settings["keypoints"]]
    found = {
        "keypoints": list(taken.joint_names),
        "keypoints mirrored": list(taken.map_hflip),
    }
    if part.outputs[0].shape[1] == h36m17j.num_joints:
        found["joints"] = list(h36m17j.joint_names)
        found["mirror"] = list(h36m17j.map_hflip)
    return found


def _bytes(path: pathlib.Path) -> int:
    files = [path] if path.is_file() else [f for f in path.rglob("*") if f.is_file()]
    return sum(file.stat().st_size for file in files)


def _rows(arrays: Sequence[Mapping[str, Any]]) -> list[tuple]:
    return [(x["name"], _shape(x["shape"]), x["dtype"], x["what"]) for x in arrays]


def _shape(shape: Sequence[int | None]) -> str:
    return "(" + ", ".join("n" if n is None else str(n) for n in shape) + ")"


def _text(value: Any) -> str:
    if value is None:
        return "none: the frames are spread over the whole video"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def _code(card: Mapping[str, Any]) -> str:
    """Some lines of Python that run the file, on noise."""
    lines = ["import numpy as np", ""]
    for number, x in enumerate(card["inputs"]):
        shape = tuple(1 if n is None else n for n in x["shape"])
        name = f'"{x["name"]}"'
        start = "feed = {" if not number else "        "
        end = "}" if number == len(card["inputs"]) - 1 else ","
        lines.append(f"{start}{name}: np.zeros({shape}, np.float32){end}")
    names = ", ".join(f'"{y["name"]}"' for y in card["outputs"])
    return "\n".join(
        [*lines, *_CALLS[card["format"].split("-")[0]](card["file"], names)]
    )


_CALLS = {
    "onnx": lambda file, names: [
        "# pip install onnxruntime",
        "import onnxruntime",
        f'session = onnxruntime.InferenceSession("{file}")',
        f"outputs = session.run([{names}], feed)",
    ],
    "tflite": lambda file, names: [
        "# pip install ai-edge-litert",
        "from ai_edge_litert.interpreter import Interpreter",
        f'run = Interpreter("{file}").get_signature_runner("{SIGNATURE}")',
        "found = run(**feed)",
        f"outputs = [found[name] for name in ({names},)]",
    ],
    "saved_model": lambda file, names: [
        "import tensorflow as tf",
        f'model = tf.saved_model.load("{file}")',
        f'found = model.signatures["{SIGNATURE}"](**feed)',
        f"outputs = [found[name].numpy() for name in ({names},)]",
    ],
}
"""How a file is called, by its runtime."""
