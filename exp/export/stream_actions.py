"""Tells actions in a video by two exported files, with onnxruntime and no deephar.

Command   python -m deephar export small_action --out runs/onnx
          python exp/export/stream_actions.py runs/onnx film.mp4 [X1 Y1 X2 Y2]
Sees      one person, in a window that stays: about a box, px, or the whole picture
"""

import collections
import json
import pathlib
import sys

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
        self.card, self.head = map(json.loads, cards)
        self.actions, self.step = self.head["actions"], self.head["step"] or 1
        self.ring = collections.deque(maxlen=(self.head["frames"] - 1) * self.step + 1)

    def push(self, crop):
        """Looks at a frame, once; returns None until the ring of the last is full."""
        names = [x["name"] for x in self.head["inputs"]]
        self.ring.append(self.frame_model.run(names, {"picture": crop[None]}))
        if len(self.ring) < self.ring.maxlen:
            return None
        clip = zip(*list(self.ring)[:: self.step], strict=True)
        feed = {n: np.stack(x, axis=1) for n, x in zip(names, clip, strict=True)}
        return self.clip_head.run([self.head["answer"]], feed)[0][0]

    def crop(self, picture, box=None):
        """Cuts the person's window out of an RGB picture of PIL, as the card tells."""
        low, high = np.reshape(box or (0, 0, *picture.size), (2, 2)).astype(float)
        half = max(high - low) * (self.card["crop_margin"] if box else 1) / 2
        window = ((low + high) / 2 + [[-half], [half]]).astype(int).ravel().tolist()
        part = picture.crop(window).resize(self.card["size"], Image.BILINEAR)
        return np.asarray(part, np.float32) * 2 / 255 - 1


def main(folder, film, *box):
    """Prints number, likeliest action and its probability at every full window."""
    stream = Stream(folder)
    with av.open(film) as video:
        for number, frame in enumerate(video.decode(video=0), 1):
            found = stream.push(stream.crop(frame.to_image(), box))
            if found is not None:
                print(f"{number}\t{stream.actions[found.argmax()]}\t{found.max():.3f}")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]) if len(sys.argv) in (3, 7) else __doc__)
