"""TensorFlow, JAX or PyTorch, whichever is under Keras: version, device, memory."""

import keras

from deephar.utils.timing import MIB, peak_memory_mib


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
