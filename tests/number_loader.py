"""A loader of numbers without Keras, for processes that begin in no time."""

import multiprocessing
import os
import signal

import numpy as np

from deephar.data import PictureError
from deephar.data.workers import WorkerProcesses


class NumberLoader:
    """Batches that hold their number; 2 cannot be read, 5 kills its process."""

    mode = 1
    allkeys = ("x",)
    custom_dictkeys = ()

    def get_shape(self, dictkey):
        return (4, 2)

    def part_size(self, part):
        return 4 // part[1]

    def get_data(self, idx, mode, epoch, part, out):
        if idx == 2:
            raise PictureError("two.jpg", "cut short")
        if idx == 5:
            os.kill(os.getpid(), signal.SIGKILL)
        return {"x": np.full(out["x"].shape, 10 * epoch + idx, np.float32)}

    def take_errors(self):
        return {}


if __name__ == "__main__":
    WorkerProcesses(NumberLoader(), 1).get(0, 0, (0, 1))
    print(*(child.pid for child in multiprocessing.active_children()), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
