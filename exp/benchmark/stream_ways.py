"""Two ways through a video: each frame once, in a stream, and each window whole."""

import numpy as np

from deephar.checkpoints import load_weights
from deephar.inference import ActionStream, ClipPredictor, StreamingLifter
from deephar.models import lifting
from deephar.networks.building import build_network
from deephar.networks.recipes import default_settings


class Clips:
    """Actions; the frames of a window go through the whole model in one batch.

    Args:
        args: the flags of stream.py.
        compute: what `configure_compute` returns.

    Attributes:
        first: frames before the first window.
    """

    def __init__(self, args, compute):
        given = {"size": args.size, "frames": args.frames}
        given |= {"blocks": args.blocks, "pyramids": args.blocks}
        settings = default_settings(args.network)
        settings |= {name: given[name] for name in settings.keys() & given}
        self.model = build_network(args.network, settings, args.weights)
        self.model.jit_compile = compute.jit
        self.predictor = ClipPredictor(self.model, fold=True, jit=compute.jit)
        self.first = self.predictor.num_frames - 1
        rng, shape = np.random.default_rng(0), self.model.input_shape[2:]
        frames = rng.uniform(-0.3, 0.3, (args.length, *shape))
        colours = rng.uniform(-0.7, 0.7, (args.length, 1, 1, 3))
        self.frames = (frames + colours).astype(np.float32)
        self.stream = ActionStream(self.predictor)

    def take(self, number):
        """What the stream says when it has taken a frame; None of the first ones."""
        found = self.predictor.describe_frames(self.frames[number, None])
        return self.stream.push([0], found).get(0)

    def run(self, number):
        """What the whole model says of the window that ends with a frame."""
        window = self.frames[None, number - self.first : number + 1]
        found = self.model.predict_on_batch(window)
        return np.concatenate(found[-len(self.predictor.names) :])


class Lifting:
    """3D poses; the frames that a pose needs go through the whole network."""

    def __init__(self, args, compute):
        widths = tuple(args.widths)
        self.model = lifting.build(17, 2, 17, widths, channels=args.channels)
        if args.weights:
            load_weights(self.model, args.weights)
        self.model.jit_compile = compute.jit
        self.lifter = StreamingLifter(self.model)
        self.first = self.lifter.delay
        rng = np.random.default_rng(0)
        steps = rng.normal(0, 0.02, (args.length, 17, 2)).cumsum(axis=0)
        self.frames = np.clip(steps, -1, 1).astype(np.float32)

    def take(self, number):
        """The pose of `delay` frames ago; None of the first ones."""
        (pose,) = self.lifter.step(self.frames[number, None])
        return None if number < self.first else pose

    def run(self, number):
        """The same by the whole network."""
        window = np.arange(number - 2 * self.first, number + 1).clip(0)
        return self.model.predict_on_batch(self.frames[None, window])[0, 0]
