r"""Tells actions in a video by two exported files, with onnxruntime and no deephar.

Command   python -m deephar export small_action --out runs/onnx
          python exp/export/stream_actions.py runs/onnx film.mp4 [--box X1 Y1 X2 Y2]

To be copied into other programs: it needs numpy, onnxruntime, Pillow and PyAV. Each
frame is looked at once; what the last frames are described by waits in a ring, and the
clip head sees the ring. One person, looked at through a window that stays: the BOX, px
of the picture, or the whole picture. A FOLDER of pictures does for a video. Frames are
taken as stored, without a phone's turn.
"""

import argparse
import collections
import json
import pathlib

import av
import numpy as np
import onnxruntime
from PIL import Image


class Stream:
    """Takes crops `(h, w, 3)` float32 in [-1, 1], gives probabilities `(actions,)`."""

    def __init__(self, folder):
        files = [f"{folder}/{part}.onnx" for part in ("frame_model", "clip_head")]
        self.frame_model, self.clip_head = map(onnxruntime.InferenceSession, files)
        cards = [pathlib.Path(f"{file}.json").read_text("utf-8") for file in files]
        card, head = map(json.loads, cards)
        self.size, self.margin = card["size"], card["crop_margin"]
        self.actions, self.answer = head["actions"], head["answer"]
        self.names, self.step = [x["name"] for x in head["inputs"]], head["step"] or 1
        self.ring = collections.deque(maxlen=(head["frames"] - 1) * self.step + 1)

    def push(self, crop):
        """Takes a frame; returns None until the window is full."""
        self.ring.append(self.frame_model.run(self.names, {"picture": crop[None]}))
        if len(self.ring) < self.ring.maxlen:
            return None
        clip = zip(*list(self.ring)[:: self.step], strict=True)
        feed = {n: np.stack(x, axis=1) for n, x in zip(self.names, clip, strict=True)}
        return self.clip_head.run([self.answer], feed)[0][0]

    def crop(self, picture, box=None):
        """Cuts the person's window out of a PIL picture, as the cards tell."""
        x1, y1, x2, y2 = box or (0, 0, *picture.size)
        half = max(x2 - x1, y2 - y1) * (self.margin if box else 1) / 2
        x, y = (x1 + x2) / 2, (y1 + y2) / 2
        left, top, right, bottom = map(int, (x - half, y - half, x + half, y + half))
        rim = 2 + int(2 * half / min(self.size))  # what the filter takes from beside it
        outer = (left - rim, top - rim, right + rim, bottom + rim)
        inner = (rim, rim, rim + right - left, rim + bottom - top)
        part = picture.convert("RGB").crop(outer)
        part = part.resize(self.size, Image.Resampling.BILINEAR, inner)
        return np.asarray(part, np.float32) * 2 / 255 - 1


def pictures(source):
    """The frames of a video, or the pictures of a folder by name."""
    if pathlib.Path(source).is_dir():
        yield from map(Image.open, sorted(pathlib.Path(source).iterdir()))
        return
    with av.open(source) as video:
        yield from (frame.to_image() for frame in video.decode(video=0))


def main(argv=None):
    """Prints the likeliest action of every window."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("export", help="folder of frame_model.onnx and clip_head.onnx")
    parser.add_argument("video", help="or a folder of pictures")
    parser.add_argument("--box", nargs=4, type=float, help="x1 y1 x2 y2, px")
    args = parser.parse_args(argv)
    stream = Stream(args.export)
    for number, picture in enumerate(pictures(args.video), 1):
        scores = stream.push(stream.crop(picture, args.box))
        if scores is not None:
            best = int(scores.argmax())
            print(f"{number}\t{stream.actions[best]}\t{scores[best]:.3f}")


if __name__ == "__main__":
    main()
