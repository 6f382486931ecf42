"""Small exports of annotation tools."""

import json

from PIL import Image


def written(tmp_path, name, value):
    """Writes a text, or what JSON can hold; returns the path."""
    path = tmp_path / name
    path.write_text(value if isinstance(value, str) else json.dumps(value, indent=1))
    return path


def picture(tmp_path, name, size=(100, 80)):
    """Writes a black picture."""
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size).save(tmp_path / name)


def result(kind, label, x, y, number="", **more):
    """One of Label Studio's results, in a picture of 100x80 px; x, y in percent."""
    value = {"x": x, "y": y, kind: [label], **more.pop("value", {})}
    sizes = {"original_width": 100, "original_height": 80, "id": number}
    return {"type": kind, "value": value, **sizes, **more}


def point(label, x, y, **more):
    return result("keypointlabels", label, x, y, **more)


def rectangle(number, x, y, width, height):
    sides = {"width": width, "height": height}
    return result("rectanglelabels", "cat", x, y, number, value=sides)


def choice(name):
    return {"type": "choices", "value": {"choices": [name]}}


def task(image, *results):
    """A task of Label Studio."""
    return {"data": {"image": image}, "annotations": [{"result": list(results)}]}
