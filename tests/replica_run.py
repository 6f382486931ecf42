"""Trains a tiny pose network for some steps and writes down what came out.

    python replica_run.py FOLDER KIND [--replicas N] CASE...

KIND is a strategy of `deephar.devices`; every CASE of `CASES` is a training of its own,
whose numbers go to FOLDER/CASE.npz. Run by test_devices.py, in processes of their own
because devices are set up once.
"""

import argparse
import dataclasses
import pathlib

import keras
import numpy as np

from deephar import devices
from deephar.data import BatchLoader
from deephar.layers import conv_bn_act, sepconv_residual
from deephar.losses import pose_regression_loss
from deephar.models import blocks, reception
from deephar.models.nested import nested
from deephar.trainer import MultiModelTrainer
from deephar.utils import TRAIN_MODE

SIDE = 32
BATCH = 5
JOINTS = 4


@dataclasses.dataclass(frozen=True)
class Case:
    """A way to train.

    Attributes:
        accumulate: parts of a batch computed in turn.
        local: whether each replica has batch statistics of its own.
        policy: of the numbers.
        clip: norm that gradients are clipped to.
        scale: of the loss, for float16.
        steps: how many.
    """

    accumulate: int = 1
    local: bool = False
    policy: str = "float32"
    clip: float | None = None
    scale: float | None = None
    steps: int = 5


HALF = Case(policy="mixed_float16", scale=256, steps=2)
CASES = {
    "plain": Case(),
    "accumulated": Case(accumulate=2),
    "local": Case(local=True),
    "clipped": Case(clip=0.05),
    "float16": HALF,
    "overflowing": dataclasses.replace(HALF, scale=1e30),
}


class Noise:
    """Samples of noise, each a function of its key; keeps the keys it was asked for."""

    def __init__(self):
        self.keys = []

    def get_length(self, mode):
        return 40

    def get_shape(self, dictkey):
        return {"frame": (SIDE, SIDE, 3), "pose": (JOINTS, 3)}[dictkey]

    def get_data(self, key, mode):
        self.keys.append(key)
        rng = np.random.default_rng(key)
        frame = rng.uniform(-1, 1, (SIDE, SIDE, 3))
        return {"frame": frame, "pose": rng.uniform(0, 1, (JOINTS, 3))}


class Steps(keras.callbacks.Callback):
    """Losses of the single steps, from their running mean."""

    def __init__(self):
        super().__init__()
        self.losses = []

    def on_train_batch_end(self, batch, logs=None):
        self.losses.append(logs["loss"] * (batch + 1) - sum(self.losses))


def build():
    """Two blocks of the reception network in small, each a pose and confidence."""
    inp = keras.Input((SIDE, SIDE, 3))
    x = conv_bn_act(inp, 8, (3, 3), strides=(2, 2), name="conv1")
    x = conv_bn_act(x, 16, (3, 3), strides=(2, 2), name="conv2")
    shape = (*x.shape[1:3], JOINTS)
    poses = blocks.build_softargmax_2d(shape, name="sSAM")
    confidences = blocks.build_joints_probability(shape, name="sjProb")
    outputs = []
    for n in (1, 2):
        x = nested(x, f"rBlock{n}", lambda xi, names: sepconv_residual(xi, 12, "unit"))
        h = reception.build_regmap_block(x, JOINTS, name=f"RegMap{n}")
        maps = keras.layers.Activation("linear", dtype="float32", name=f"maps{n}")(h)
        pair = [poses(maps), confidences(maps)]
        outputs.append(keras.layers.Concatenate(dtype="float32", name=f"p{n}")(pair))
    return keras.Model(inp, outputs)


def train(case, strategy):
    """Trains as a case says; returns all that is to be compared, by name."""
    keras.utils.set_random_seed(1)
    keras.mixed_precision.set_dtype_policy(case.policy)
    data, steps = Noise(), Steps()
    with strategy.scope():
        model = build()
        rule = keras.optimizers.SGD(1e-3, momentum=0.9, global_clipnorm=case.clip)
        if case.scale is not None:
            rule = keras.optimizers.LossScaleOptimizer(rule, initial_scale=case.scale)
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
        accumulate=case.accumulate,
        sync_batch_norm=not case.local,
    )
    before = [v.numpy() for v in model.trainable_weights]
    history = trainer.train(1, case.steps, verbose=0).history
    pairs = zip(model.trainable_weights, before, strict=True)
    moved = max(np.abs(v.numpy() - old).max() for v, old in pairs)
    scale = getattr(rule, "dynamic_scale", None)
    scale = 0.0 if scale is None else scale.numpy()
    weights = {f"w{i:03d}": v.numpy() for i, v in enumerate(model.weights)}
    outputs = {f"o_{k}": v for k, v in history.items()}
    values = {"losses": steps.losses, "keys": data.keys, "moved": moved}
    return {"scale": scale, **values, **weights, **outputs}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("kind")
    parser.add_argument("cases", nargs="+", choices=CASES)
    parser.add_argument("--replicas", type=int)
    args = parser.parse_args()
    strategy = devices.make_strategy(args.kind, args.replicas)
    for name in args.cases:
        np.savez(args.folder / f"{name}.npz", **train(CASES[name], strategy))


if __name__ == "__main__":
    main()
