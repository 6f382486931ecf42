"""Trains a tiny reception network for some steps and writes down what came out.

    python replica_run.py OUT.npz KIND [--replicas N] ...

KIND is a strategy of `deephar.devices`. Run by test_devices.py, in processes of their
own because devices are set up once.
"""

import argparse

import keras
import numpy as np

from deephar import devices
from deephar.data import BatchLoader
from deephar.losses import pose_regression_loss
from deephar.models import reception
from deephar.trainer import MultiModelTrainer
from deephar.utils import TRAIN_MODE

SIDE = 64
BATCH = 5


class Noise:
    """Samples of noise, each a function of its key; keeps the keys it was asked for."""

    def __init__(self):
        self.keys = []

    def get_length(self, mode):
        return 40

    def get_shape(self, dictkey):
        return {"frame": (SIDE, SIDE, 3), "pose": (4, 3)}[dictkey]

    def get_data(self, key, mode):
        self.keys.append(key)
        rng = np.random.default_rng(key)
        frame = rng.uniform(-1, 1, (SIDE, SIDE, 3))
        return {"frame": frame, "pose": rng.uniform(0, 1, (4, 3))}


class Steps(keras.callbacks.Callback):
    """Losses of the single steps, from their running mean."""

    def __init__(self):
        super().__init__()
        self.losses = []

    def on_train_batch_end(self, batch, logs=None):
        self.losses.append(logs["loss"] * (batch + 1) - sum(self.losses))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out")
    parser.add_argument("kind")
    parser.add_argument("--replicas", type=int)
    parser.add_argument("--accumulate", type=int, default=1)
    parser.add_argument("--local", action="store_true")
    parser.add_argument("--policy", default="float32")
    parser.add_argument("--clip", type=float)
    parser.add_argument("--scale", type=float, help="of the loss, for float16")
    parser.add_argument("--steps", type=int, default=5)
    args = parser.parse_args()
    strategy = devices.make_strategy(args.kind, args.replicas)
    keras.utils.set_random_seed(1)
    keras.mixed_precision.set_dtype_policy(args.policy)
    data, steps = Noise(), Steps()
    with strategy.scope():
        model = reception.build((SIDE, SIDE, 3), 4, 2, num_blocks=2)
        rule = keras.optimizers.SGD(1e-3, momentum=0.9, global_clipnorm=args.clip)
        if args.scale is not None:
            rule = keras.optimizers.LossScaleOptimizer(rule, initial_scale=args.scale)
        loss = pose_regression_loss("l1l2bincross", 0.01)
        model.compile(rule, loss, jit_compile=False)
    loader = BatchLoader(
        data, ["frame"], ["pose"], TRAIN_MODE, BATCH, num_predictions=2
    )
    trainer = MultiModelTrainer(
        [model],
        [loader],
        callbacks=[steps],
        strategy=strategy,
        print_full_losses=True,
        accumulate=args.accumulate,
        sync_batch_norm=not args.local,
    )
    before = [v.numpy() for v in model.trainable_weights]
    history = trainer.train(1, args.steps, verbose=0).history
    pairs = zip(model.trainable_weights, before, strict=True)
    moved = max(np.abs(v.numpy() - old).max() for v, old in pairs)
    scale = getattr(rule, "dynamic_scale", None)
    scale = 0.0 if scale is None else scale.numpy()
    weights = {f"w{i:03d}": v.numpy() for i, v in enumerate(model.weights)}
    outputs = {f"o_{k}": v for k, v in history.items()}
    values = {"losses": steps.losses, "keys": data.keys, "moved": moved}
    np.savez(args.out, scale=scale, **values, **weights, **outputs)


if __name__ == "__main__":
    main()
