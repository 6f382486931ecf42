"""Times the way from a picture file to a batch: one core, workers, cache, memory.

Command   python exp/benchmark/pictures.py [--data FOLDER] [--workers 1 2]
              [--processes 2]

FOLDER holds MPII or data in its format; without it pictures of 1280x720 px with a
generated person each are made in a temporary folder. Windows of 400 and 700 px about
the people become crops of 256x256, mirrored and with channel powers, at 0 and 25
degrees. `one_core` is `get_data`, by processor time; `loader` is an epoch's batches
through `BatchLoader.as_dataset`, at 400 px and 25 degrees; `cached` is that from the
second epoch on.
"""

import pathlib
import resource
import tempfile
import time

import numpy as np
from common import argument_parser, run
from people import Windows, write_people

from deephar import experiment
from deephar.data import BatchLoader, open_cache
from deephar.utils.modes import TRAIN_MODE
from deephar.utils.timing import MIB
from deephar.utils.warp import one_thread_a_picture

WINDOWS = (400, 700)
ANGLES = (0, 25)


def one_core(data, count):
    """Samples a second of processor time, whatever else the machine does."""
    out = {"frame": np.empty(data.get_shape("frame"), np.float32)}
    length = data.get_length(TRAIN_MODE)
    for i in range(-min(length, 20), count):
        if i == 0:
            start = time.process_time()
        rng = np.random.default_rng((1, i + length))
        data.get_data(i % length, TRAIN_MODE, rng=rng, out=out)
    return count / (time.process_time() - start)


def loader(data, args, workers=1, processes=0, epochs=1):
    """Samples a second of the last epoch, and MiB that were taken during it."""
    options = {"batch_size": args.batch_size, "processes": processes}
    batches = BatchLoader(data, ["frame"], ["pose"], TRAIN_MODE, **options)
    steps = max(args.samples // args.batch_size, 4)
    for epoch in range(epochs):
        stream = iter(batches.as_dataset(epoch, steps + 2, workers))
        for step in range(steps + 2):
            batches.next_batch(stream)
            if step == 1:
                start, memory = time.perf_counter(), resident_mib()
        rate = steps * args.batch_size / (time.perf_counter() - start)
        growth = resident_mib() - memory
    batches.close()
    return rate, growth


def resident_mib():
    """Memory that this process holds now."""
    pages = pathlib.Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * resource.getpagesize() / MIB


def measure(args, folder):
    """All figures, by name."""
    one_thread_a_picture()
    figures = {}
    for angle in ANGLES:
        for side in WINDOWS:
            data = Windows(folder, side, angle)
            figures[f"one_core_{angle}_deg_{side}_px_per_s"] = one_core(
                data, args.samples
            )
    for kind in ("workers", "processes"):
        for count in getattr(args, kind):
            rate, growth = loader(Windows(folder, 400, 25), args, **{kind: count})
            figures[f"loader_{count}_{kind}_per_s"] = rate
            figures[f"loader_{count}_{kind}_growth_mib"] = growth
    with tempfile.TemporaryDirectory() as cache:
        for where in ("memory", cache):
            data = Windows(folder, 400, 25, open_cache(where))
            name = "cached_in_" + ("memory" if where == "memory" else "folder")
            one_core(data, data.get_length(TRAIN_MODE))
            figures[name + "_one_core_per_s"] = one_core(data, args.samples)
            rate, _ = loader(data, args, max(args.workers), epochs=2)
            figures[f"{name}_loader_per_s"] = rate
    return figures


if __name__ == "__main__":
    parser = argument_parser(__doc__)
    number = experiment.positive_int
    add = parser.add_argument
    add("--data", metavar="FOLDER")
    add("--samples", type=number, default=480, help="for each figure (%(default)s)")
    add("--batch-size", type=number, default=24, help="(%(default)s)")
    add("--workers", type=number, nargs="+", default=[1, 2], help="threads")
    add("--processes", type=number, nargs="+", default=[], help="instead of threads")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if args.data is None and not args.against:
            write_people(pathlib.Path(folder), 24)
        run(args, lambda: measure(args, args.data or folder))
