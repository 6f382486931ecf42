"""TensorFlow, JAX or PyTorch, whichever is under Keras: version, device, memory.

`processor` tells what computes here, and the precision that it is fastest in.
"""

import dataclasses
import os
import pathlib

import keras

from deephar.utils.machine import CPUINFO, cpu_facts
from deephar.utils.timing import MIB, peak_memory_mib

_BFLOAT16_FLAG = "avx512_bf16"
_BFLOAT16_CAPABILITY = (8, 0)
_FLOAT16_CAPABILITY = (7, 0)


def device() -> dict[str, str]:
    """`{"backend", "version", "keras", "device"}`; device is a GPU's name, or "cpu"."""
    backend = keras.backend.backend()
    name = "cpu"
    if backend == "jax":
        import jax as framework

        first = framework.devices()[0]
        name = first.device_kind if first.platform == "gpu" else first.platform
    elif backend == "torch":
        import torch as framework

        if framework.cuda.is_available():
            name = framework.cuda.get_device_name()
    else:
        import tensorflow as framework

        for gpu in framework.config.list_physical_devices("GPU")[:1]:
            details = framework.config.experimental.get_device_details(gpu)
            name = details.get("device_name", "GPU")
    versions = {"version": framework.__version__, "keras": keras.version()}
    return {"backend": backend, **versions, "device": name}


def jit_gains(found: dict[str, str]) -> bool:
    """Whether XLA gains on what `device` found: on JAX, and TensorFlow with a GPU."""
    gpu = found["device"] != "cpu"
    return found["backend"] == "jax" or (found["backend"] == "tensorflow" and gpu)


def peak_device_memory_mib() -> float:
    """The most memory that was held so far: the GPU's, or the process's on a CPU."""
    backend = keras.backend.backend()
    if device()["device"] == "cpu":
        return peak_memory_mib()
    if backend == "jax":
        import jax

        return jax.devices()[0].memory_stats()["peak_bytes_in_use"] / MIB
    if backend == "torch":
        import torch

        return torch.cuda.max_memory_allocated() / MIB
    import tensorflow as tf

    return tf.config.experimental.get_memory_info("GPU:0")["peak"] / MIB


def device_names(kind: str) -> list[str]:
    """The devices of a kind, "cpu" or "gpu", by Keras' names: "gpu:0" and so on."""
    backend = keras.backend.backend()
    if backend == "torch":
        import torch

        count = torch.cuda.device_count() if kind == "gpu" else 1
        return [f"{kind}:{number}" for number in range(count)]
    try:
        return list(keras.distribution.list_devices(kind))
    except RuntimeError:  # JAX, where there is none of the kind
        return []


@dataclasses.dataclass(frozen=True)
class Processor:
    """What computes: the slowest GPU that TensorFlow sees, or else the CPU.

    Attributes:
        name: for people.
        gpu: whether it is one.
        precision: the fastest on it: "float32", "bfloat16" or "float16".
    """

    name: str
    gpu: bool
    precision: str


def processor(cpu_only: bool = False) -> Processor:
    """Looks at this machine, without starting TensorFlow's devices.

    Args:
        cpu_only: whether to pass over GPUs.
    """
    import tensorflow as tf

    gpus = [
        tf.config.experimental.get_device_details(device)
        for device in tf.config.list_physical_devices("GPU")
    ]
    if cpu_only or not gpus:
        return cpu(CPUINFO, os.environ)
    slowest = min(gpus, key=lambda gpu: gpu.get("compute_capability", (0, 0)))
    return gpu(
        slowest.get("device_name", "GPU"), slowest.get("compute_capability", (0, 0))
    )


def gpu(name: str, capability: tuple[int, int]) -> Processor:
    """A GPU: bfloat16 where its tensor cores have it, else float16, else neither."""
    if capability >= _BFLOAT16_CAPABILITY:
        return Processor(name, True, "bfloat16")
    if capability >= _FLOAT16_CAPABILITY:
        return Processor(name, True, "float16")
    return Processor(name, True, "float32")


def cpu(cpuinfo: pathlib.Path, environ: dict[str, str]) -> Processor:
    """A CPU: bfloat16 where it has instructions for it and oneDNN is on.

    Args:
        cpuinfo: Linux's description; where there is none, float32.
        environ: the environment, in which TF_ENABLE_ONEDNN_OPTS=0 switches oneDNN off.
    """
    facts = cpu_facts(cpuinfo)
    onednn = environ.get("TF_ENABLE_ONEDNN_OPTS", "1") not in ("0", "false")
    low = onednn and _BFLOAT16_FLAG in facts.get("flags", "").split()
    name = facts.get("model name", "CPU")
    return Processor(name, False, "bfloat16" if low else "float32")
