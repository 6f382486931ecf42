"""One way to run a model on TensorFlow, JAX and PyTorch.

Every function that is returned here ends only when the device has done its work.
"""

from collections.abc import Callable

import keras


def forward(model: keras.Model, x, jit: bool) -> Callable[[], object]:
    """A forward pass over the batch `x`, which lies on the device already."""
    x = keras.ops.convert_to_tensor(x)
    if keras.backend.backend() != "jax":
        model.compile(jit_compile=jit)
        return lambda: model.predict_on_batch(x)
    import jax

    def run(trainable, others, x):
        return model.stateless_call(trainable, others, x, training=False)[0]

    state = _values(model.trainable_variables), _values(model.non_trainable_variables)
    compiled = jax.jit(run) if jit else run
    return lambda: jax.block_until_ready(compiled(*state, x))


def training(model: keras.Model, x, targets: list, jit: bool) -> Callable[[], object]:
    """A training step of a compiled model on one batch.

    On JAX the state is handed from step to step in donated buffers, and the model's own
    variables are void afterwards.
    """
    x = keras.ops.convert_to_tensor(x)
    y = [keras.ops.convert_to_tensor(target) for target in targets]
    y = y if len(y) > 1 else y[0]
    if keras.backend.backend() != "jax" or not jit:
        return lambda: model.train_on_batch(x, y)
    import jax

    model.optimizer.build(model.trainable_variables)
    model.compute_loss(x, y, y)
    groups = (
        model.trainable_variables,
        model.non_trainable_variables,
        model.optimizer.variables,
        model.metrics_variables,
    )
    state = [tuple(_values(group) for group in groups)]
    compiled = jax.jit(model.train_step, donate_argnums=0)

    def step():
        logs, state[0] = compiled(state[0], (x, y))
        return jax.block_until_ready(logs)

    return step


def _values(variables) -> list:
    return [variable.value for variable in variables]
