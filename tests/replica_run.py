"""Trains a tiny reception network for some steps and writes down what came out.

    python replica_run.py OUT.npz KIND [--sgd] ...

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
from deephar.optimizers import rmsprop
from deephar.trainer import MultiModelTrainer
from deephar.utils import TRAIN_MODE

SIDE = 64


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
    parser.add_argument("--batch", type=int, default=5)
    parser.add_argument("--accumulate", type=int, default=1)
    parser.add_argument("--local", action="store_true")
    parser.add_argument("--policy", default="float32")
    parser.add_argument("--optimizer", choices=("sgd", "rmsprop"), default="sgd")
    parser.add_argument("--steps", type=int, default=5)
    args = parser.parse_args()
    strategy = devices.make_strategy(args.kind, args.replicas)
    keras.utils.set_random_seed(1)
    keras.mixed_precision.set_dtype_policy(args.policy)
    data, steps = Noise(), Steps()
    with strategy.scope():
        model = reception.build((SIDE, SIDE, 3), 4, 2, num_blocks=2)
        rules = {
            "sgd": keras.optimizers.SGD(1e-3, momentum=0.9),
            "rmsprop": rmsprop(1e-3),
        }
        loss = pose_regression_loss("l1l2bincross", 0.01)
        model.compile(rules[args.optimizer], loss, jit_compile=False)
    loader = BatchLoader(
        data, ["frame"], ["pose"], TRAIN_MODE, args.batch, num_predictions=2
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
    history = trainer.train(1, args.steps, verbose=0).history
    weights = {f"w{i:03d}": v.numpy() for i, v in enumerate(model.weights)}
    outputs = {f"o_{k}": v for k, v in history.items()}
    np.savez(args.out, losses=steps.losses, keys=data.keys, **weights, **outputs)


if __name__ == "__main__":
    main()
