"""Where a training runs: one device, several of a machine, or several machines.

A batch is divided among the replicas of a tf.distribute strategy, one replica a device.
Several machines (or processes) are workers, told of each other by the environment
variable TF_CONFIG; the first is the chief, which alone writes to the run folder.
"""

import contextlib
import dataclasses
import io
import json
import logging
import os
import socket
import time
from collections.abc import Iterator, Mapping, Sequence

import keras
import numpy as np
import tensorflow as tf

logger = logging.getLogger(__name__)

STRATEGIES = ("none", "mirrored", "multiworker")
"""One device; all GPUs (or some virtual CPUs) of a machine; TF_CONFIG's workers."""

_ENVIRONMENT = "TF_CONFIG"
_EXAMPLE = (
    '{"cluster": {"worker": ["host1:2222", "host2:2222"]}, '
    '"task": {"type": "worker", "index": 0}}'
)
_JOBS = ("chief", "worker")
_PAUSE = 0.2


@dataclasses.dataclass(frozen=True)
class Worker:
    """One of the processes that train together.

    Attributes:
        index: number of this one, from 0.
        addresses: "host:port" of all of them, this one's among them.
    """

    index: int = 0
    addresses: tuple[str, ...] = ("localhost",)

    @property
    def is_chief(self) -> bool:
        """Whether this one writes checkpoints, scores and logs."""
        return self.index == 0


def this_worker(kind: str) -> Worker:
    """The worker that this process is: the only one, unless `kind` is "multiworker".

    Raises:
        ValueError: if TF_CONFIG is missing or says no such thing.
    """
    if kind != "multiworker":
        return Worker()
    text = os.environ.get(_ENVIRONMENT)
    if text is None:
        raise ValueError(
            "The strategy multiworker needs the environment variable TF_CONFIG, such "
            f"as {_EXAMPLE}"
        )
    try:
        config = json.loads(text)
        cluster, task = config["cluster"], config["task"]
        addresses = [(job, n) for job in cluster for n in range(len(cluster[job]))]
        own = (task["type"], int(task["index"]))
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(
            f"TF_CONFIG must be JSON such as {_EXAMPLE}. Received: {text}"
        ) from error
    wrong = [a for job in cluster for a in cluster[job] if not _has_port(a)]
    if wrong:
        raise ValueError(f"TF_CONFIG must list HOST:PORT. Received: {wrong}")
    addresses.sort(key=lambda name: _JOBS.index(name[0]) if name[0] in _JOBS else 9)
    if own not in addresses or {job for job, _ in addresses} - {*_JOBS}:
        raise ValueError(
            "TF_CONFIG must list this task in its cluster, whose jobs are worker or "
            f"chief and worker. Received: {text}"
        )
    return Worker(
        addresses.index(own), tuple(str(cluster[job][n]) for job, n in addresses)
    )


def _has_port(address: object) -> bool:
    return str(address).rpartition(":")[2].isdecimal() and ":" in str(address)


def make_strategy(
    kind: str, replicas: int | None = None, patience: float = 600
) -> tf.distribute.Strategy:
    """Makes the strategy; to be called before TensorFlow computes anything.

    Args:
        kind: one of `STRATEGIES`.
        replicas: with "mirrored", how many GPUs to use, or, on a machine without, into
            how many virtual ones to divide the CPU; None takes every GPU.
        patience: seconds to wait for the other workers.

    Raises:
        ValueError: if there are fewer GPUs than replicas, or TF_CONFIG is wrong.
        ConnectionError: if a worker does not come.
    """
    if kind not in STRATEGIES:
        raise ValueError(f"`kind` must be one of {STRATEGIES}. Received: {kind!r}")
    if replicas is not None and kind != "mirrored":
        raise ValueError(
            f"`replicas` is for the strategy mirrored. Received: {replicas} with {kind}"
        )
    if kind == "none":
        return tf.distribute.get_strategy()
    if kind == "mirrored":
        strategy = tf.distribute.MirroredStrategy(_devices(replicas))
    else:
        worker = this_worker(kind)
        _wait_for_all(worker, patience)
        logger.info("worker %d of %s", worker.index, ", ".join(worker.addresses))
        strategy = tf.distribute.MultiWorkerMirroredStrategy()
    # All replicas have the same number of batches: no need to ask each other at each.
    strategy.extended.experimental_enable_get_next_as_optional = False
    return strategy


def _devices(replicas: int | None) -> list[str]:
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        count = len(gpus) if replicas is None else replicas
        if count > len(gpus):
            raise ValueError(
                f"There are {len(gpus)} GPUs. Received: replicas={replicas}"
            )
        return [f"GPU:{i}" for i in range(count)]
    if replicas is None:
        logger.warning("mirrored finds no GPU and takes the CPU, as one replica")
    count = replicas or 1
    (cpu,) = tf.config.list_physical_devices("CPU")
    if len(tf.config.get_logical_device_configuration(cpu) or [cpu]) != count:
        virtual = [tf.config.LogicalDeviceConfiguration()] * count
        tf.config.set_logical_device_configuration(cpu, virtual)
    return [f"CPU:{i}" for i in range(count)]


def _wait_for_all(worker: Worker, patience: float) -> None:
    """Waits until every worker answers at its address.

    TensorFlow waits for the others too, but without an end and deaf to Ctrl-C. This one
    answers at its own address meanwhile; TensorFlow's server takes it over.
    """
    waiting = {a for i, a in enumerate(worker.addresses) if i != worker.index}
    port = int(worker.addresses[worker.index].rpartition(":")[2])
    end = time.monotonic() + patience
    with socket.create_server(("", port)) as door:
        door.setblocking(False)
        while waiting:
            waiting = {address for address in waiting if not _answers(address)}
            _accept_all(door)
            if waiting and time.monotonic() > end:
                raise ConnectionError(
                    f"no answer from the workers {', '.join(sorted(waiting))} for "
                    f"{patience:g} s"
                )
            time.sleep(_PAUSE)


def _accept_all(door: socket.socket) -> None:
    """Takes and ends the calls that wait, so that later ones are answered too."""
    with contextlib.suppress(BlockingIOError):
        while True:
            door.accept()[0].close()


def _answers(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=_PAUSE):
            return True
    except OSError:
        return False


@contextlib.contextmanager
def lost_worker() -> Iterator[None]:
    """Turns what TensorFlow raises when another worker is gone into a clear error.

    Raises:
        ConnectionError: for an error of the connection to another worker.
    """
    gone = (tf.errors.UnavailableError, tf.errors.AbortedError)
    try:
        yield
    except (*gone, tf.errors.CancelledError, tf.errors.DeadlineExceededError) as error:
        lines = [line for line in error.message.splitlines() if "worker" in line]
        reason = (lines or [type(error).__name__])[0].strip()[:300]
        raise ConnectionError(
            "another worker has ended, so this one ends too; start all of them again "
            f"with --resume ({reason})"
        ) from error


def on_gpu() -> bool:
    """Whether TensorFlow computes on GPUs: it does where it finds any."""
    return bool(tf.config.list_physical_devices("GPU"))


def replicas_here(strategy: tf.distribute.Strategy) -> list[int]:
    """Numbers of the replicas of this worker among those of all."""
    index, workers = share_of(strategy)
    count = strategy.num_replicas_in_sync // workers
    return [index * count + i for i in range(count)]


def share_of(strategy: tf.distribute.Strategy) -> tuple[int, int]:
    """(number of this worker, number of workers) of a strategy."""
    resolver = strategy.cluster_resolver
    if resolver is None or not resolver.cluster_spec().as_dict():
        return 0, 1
    spec = resolver.cluster_spec().as_dict()
    workers = [(job, n) for job in _JOBS for n in range(len(spec.get(job, ())))]
    return workers.index((resolver.task_type, resolver.task_id)), len(workers)


def gather(
    strategy: tf.distribute.Strategy, arrays: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Joins arrays of all workers along their first axis, in the order of the workers.

    Args:
        strategy: the strategy; all workers must call this together.
        arrays: arrays by name; first axes may differ in length between workers.

    Returns:
        The joined arrays, the same on every worker, equal in every bit.

    Raises:
        ConnectionError: if another worker has ended.
    """
    if share_of(strategy)[1] == 1:
        return dict(arrays)
    packed = io.BytesIO()
    np.savez(packed, **arrays)
    with lost_worker():
        data = _gather(strategy, np.frombuffer(packed.getvalue(), np.uint8))
        sizes = _gather(strategy, np.array([packed.tell()], np.int32))
    parts = []
    for one in np.split(data.astype(np.uint8), np.cumsum(sizes)[:-1]):
        with np.load(io.BytesIO(one.tobytes()), allow_pickle=False) as file:
            parts.append(dict(file))
    return {name: np.concatenate([part[name] for part in parts]) for name in arrays}


def _gather(strategy: tf.distribute.Strategy, numbers: np.ndarray) -> np.ndarray:
    """Joins (n,) numbers: every worker's first replica brings its own, others none."""
    first = replicas_here(strategy)[0]
    numbers = numbers.astype(np.int32)

    def local(context):
        mine = context.replica_id_in_sync_group == first
        return tf.constant(numbers if mine else numbers[:0])

    values = strategy.experimental_distribute_values_from_function(local)
    return strategy.gather(values, axis=0).numpy()


class SpreadModel:
    """A model whose predictions are computed by all replicas of this worker at once.

    It stands in for a Keras model where only `predict_on_batch` and `input_shape` are
    asked for. Workers may call it as often as each likes, each with inputs of its own:
    Keras' `predict_on_batch` would make all of them wait for each other and give every
    worker the first one's answers.

    Args:
        model: a model built under the strategy.
        strategy: the strategy.
    """

    def __init__(self, model: keras.Model, strategy: tf.distribute.Strategy):
        self.model = model
        self.strategy = strategy
        self.input_shape = model.input_shape
        self._first = replicas_here(strategy)[0]
        self._run = tf.function(self._run_replicas, reduce_retracing=True)

    def _run_replicas(self, inputs):
        return self.strategy.run(self.model, args=(inputs,), kwargs={"training": False})

    def predict_on_batch(
        self, inputs: np.ndarray | Sequence[np.ndarray]
    ) -> list[np.ndarray]:
        """The outputs, in order.

        Args:
            inputs: `(batch, ...)`; a list of them for a model of several inputs.
        """
        if isinstance(inputs, np.ndarray):
            values, size = self._divided(inputs), len(inputs)
        else:
            values, size = [self._divided(x) for x in inputs], len(inputs[0])
        outputs = keras.tree.flatten(self._run(values))
        results = map(self.strategy.experimental_local_results, outputs)
        return [np.concatenate(parts)[:size] for parts in results]

    def _divided(self, array: np.ndarray):
        """One input, a part of its batch for each replica of this worker."""
        count = len(replicas_here(self.strategy))
        # Fewer samples than replicas: every replica gets at least one.
        rows = np.resize(array, (max(len(array), count), *array.shape[1:]))
        parts = np.array_split(rows, count)

        def local(context):
            return tf.constant(parts[context.replica_id_in_sync_group - self._first])

        return self.strategy.experimental_distribute_values_from_function(local)
