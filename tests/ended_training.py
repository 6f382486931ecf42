"""A tiny training that ends in the middle of an epoch, as a script does.

    python tests/ended_training.py unreadable | interrupted

Threads still make batches then. The error is known until the interpreter ends.
"""

import os
import signal
import sys
import time

import keras
import numpy as np

from deephar.data.loader import BatchLoader
from deephar.experiment.run import run_script
from deephar.trainer import MultiModelTrainer


class Numbers:
    """1000 numbers, each of which takes its time."""

    def __init__(self, how):
        self.how = how

    def get_length(self, mode):
        return 1000

    def get_shape(self, dictkey):
        return (1,)

    def get_data(self, key, mode):
        time.sleep(0.01)
        if key < 8:
            return {"x": np.ones(1, np.float32)}
        if self.how == "unreadable":
            raise OSError(f"no picture {key}")
        if key == 8:
            os.kill(os.getpid(), signal.SIGINT)
        return {"x": np.ones(1, np.float32)}


def main():
    x = keras.Input((1,))
    model = keras.Model([x], keras.layers.Dense(1)(x))
    model.compile("sgd", "mse", jit_compile=False)
    loader = BatchLoader(
        Numbers(sys.argv[1]), ["x"], ["x"], 1, batch_size=4, shuffle=False
    )
    trainer = MultiModelTrainer([model], [loader], workers=8, shuffle=False)
    try:
        trainer.train(2, 250, verbose=0)
    except (OSError, KeyboardInterrupt) as error:
        sys.last_value = error
        raise


if __name__ == "__main__":
    run_script(main)
