"""Videos without files, and a network of a few numbers that looks at them."""

import collections
import dataclasses

import numpy as np

from deephar.data.clips import get_clip_frame_index

LABELS = ("wave", "jump", "sit")
CLIP = 4
SIDE = 2


class TinyVideos:
    """A clip data set whose pictures are numbers.

    Args:
        lengths: frames of each video.
        actions: the true action of each video.
        missing: (video, frame) pairs that cannot be read.
        per_clip: whether each clip has a window of its own.

    Attributes:
        opened: how often each (video, frame) was opened.
    """

    topology = "sequences"
    dataset_path = "tiny"
    clip_size = CLIP
    action_labels = LABELS

    def __init__(self, lengths, actions, missing=(), per_clip=False):
        self.lengths, self.actions = lengths, actions
        self.missing, self.per_clip = set(missing), per_clip
        self.dataconf = self
        self.opened = collections.Counter()

    def get_fixed_config(self):
        return {"subspl": 2}

    def get_length(self, mode):
        return len(self.lengths)

    def num_frames(self, key, mode):
        return self.lengths[key]

    def video_name(self, key, mode):
        return f"video{key}"

    def action(self, key, mode):
        return self.actions[key]

    def get_clip_index(self, key, mode, subsamples=(2,)):
        found = []
        for step in subsamples:
            start = 0
            while start + self.clip_size * step <= self.lengths[key]:
                found.append(list(range(start, start + self.clip_size * step, step)))
                start += self.clip_size // 2 + step - 1
        return found

    def clips(self, key, mode, subsamples=(2,)):
        found = self.get_clip_index(key, mode, subsamples)
        return found or [self.one_clip(key, mode, min(subsamples))]

    def all_clips(self, key, mode):
        return self.clips(key, mode)

    def one_clip(self, key, mode, step):
        return get_clip_frame_index(self.lengths[key], step, self.clip_size)

    def clip_window(self, key, mode, frame_list, bbox=None):
        if bbox is not None:
            x1, y1, x2, y2 = bbox
            return ((x1 + x2) / 2, (y1 + y2) / 2), (x2 - x1, y2 - y1)
        return (float(frame_list[0]) if self.per_clip else 5.0, 5.0), (10.0, 10.0)

    def open_frame(self, key, mode, frame):
        self.opened[key, frame] += 1
        if (key, frame) in self.missing:
            raise FileNotFoundError(2, "no such file", f"{key}/{frame}.jpg")
        return key, frame

    def crop_frame(self, source, window, hflip=0):
        (x, y), (width, _) = window
        values = np.sin([*source, x, y, width, hflip, *range(6)])
        return values.reshape(SIDE, SIDE, 3).astype(np.float32)


@dataclasses.dataclass
class TinyPredictor:
    """Sums and products in place of a network; remembers what it was shown.

    Attributes:
        classes: actions that it tells apart.
        sizes: frames of each call of `describe_frames`.
        frames: all frames that were described.
    """

    classes: int = len(LABELS)
    sizes: list = dataclasses.field(default_factory=list)
    frames: list = dataclasses.field(default_factory=list)
    num_frames = CLIP
    described = ("pose", "confidence", "features")
    names = ("p1", "p2", "v1", "v2", "m")

    def describe_frames(self, frames):
        self.sizes.append(len(frames))
        self.frames += [frame.tobytes() for frame in frames]
        flat = frames.reshape(len(frames), 2, 6).astype(np.float64)
        return flat[..., :2], flat[..., 2:3], flat[..., 3:]

    def classify(self, pose, confidence, features):
        ramp = np.arange(1, CLIP + 1)[:, None]
        mixed = np.concatenate([pose, confidence, features], axis=-1).sum(axis=2)
        mixed = (mixed * ramp).sum(axis=1)
        outputs = []
        for number in range(len(self.names)):
            logits = mixed[:, : self.classes] * (number + 1)
            exp = np.exp(logits - logits.max(axis=-1, keepdims=True))
            outputs.append(exp / exp.sum(axis=-1, keepdims=True))
        return np.stack(outputs).astype(np.float32)


def clip_by_clip(predictor, videos, key, clips, flips=1, boxes=None):
    """The original's way with one video: each clip decoded, cropped and run alone.

    Returns:
        `(outputs, classes)`: the product over the clips that can be read.
    """
    product = 1.0
    for step, number, frames in clips:
        for flip in range(flips):
            box = (boxes or {}).get((key, step, number, flip))
            window = videos.clip_window(key, 0, frames, box)
            try:
                sources = [videos.open_frame(key, 0, frame) for frame in frames]
            except OSError:
                continue
            crops = np.stack([videos.crop_frame(s, window, flip) for s in sources])
            described = [part[None] for part in predictor.describe_frames(crops)]
            product = product * predictor.classify(*described)[:, 0].astype(np.float64)
    return product
