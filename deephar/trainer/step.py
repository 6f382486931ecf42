"""One step of training, on one replica or many, with or without accumulation.

The gradient of a step is that of the mean loss of the whole batch, however it is
divided: every part weighs as much as its share of the samples. With synchronised batch
normalisation (the default of `MultiModelTrainer`) the statistics are those of what all
replicas see together, so that several replicas compute what one would.
"""

from collections.abc import Sequence

import keras
import tensorflow as tf

TOTAL = "loss"
"""Name of the sum of all losses."""


class TrainingStep:
    """Computes gradients of parts of a batch and applies their sum.

    Args:
        model: a compiled model; its optimizer's variables are made here.
        batch_size: samples of a whole batch.
        strategy: the strategy that the model was built under.
        accumulate: into how many parts each replica's samples are divided; the parts
            are computed one after the other, the optimizer takes one step.
        full_losses: whether to give the losses of every output, not only their sum.
        jit: whether XLA compiles the step.
        average_statistics: whether to average the moving statistics of batch
            normalisation over replicas; needed where each has statistics of its own.
    """

    def __init__(
        self,
        model: keras.Model,
        batch_size: int,
        strategy: tf.distribute.Strategy,
        accumulate: int = 1,
        full_losses: bool = False,
        jit: bool = False,
        average_statistics: bool = False,
    ):
        self.model = model
        self.batch_size = batch_size
        self.strategy = strategy
        self.accumulate = accumulate
        self.full_losses = full_losses
        self.average_statistics = average_statistics
        self._targets = model.outputs if len(model.outputs) > 1 else model.outputs[0]
        self._variables = list(model.trainable_variables)
        with strategy.scope():
            # Makes the optimizer's variables, and those that track losses.
            model._symbolic_build(data_batch=(model.input, self._targets))
        replicas = (self._take, self._start_sum, self._add_to_sum, self._update)
        if jit:
            replicas = (tf.function(one, jit_compile=True) for one in replicas)
        self._whole, self._first, self._next, self._last = map(self._on_all, replicas)

    def __call__(self, batches: Sequence) -> dict[str, float]:
        """Takes one step.

        Args:
            batches: `accumulate` elements of the stream of (inputs, targets).

        Returns:
            The mean losses of the batch by name, `TOTAL` among them.
        """
        if self.accumulate == 1:
            return _numbers([self._whole(batches[0])[1]])
        gradients, part = self._first(batches[0])
        parts = [part]
        for batch in batches[1:]:
            gradients, part = self._next(batch, gradients)
            parts.append(part)
        self._last(gradients)
        return _numbers(parts)

    def _on_all(self, replica):
        """A traced function that runs `replica` on all replicas.

        `replica` gives what each replica keeps for itself, and losses, which are summed
        over the replicas.
        """

        @tf.function(reduce_retracing=True, autograph=False)
        def run(*arguments):
            kept, losses = self.strategy.run(replica, args=arguments)
            reduce = self.strategy.reduce
            return kept, {k: reduce("SUM", v, axis=None) for k, v in losses.items()}

        return run

    def _take(self, batch):
        gradients, losses = self._gradients(batch)
        return self._update(gradients)[0], losses

    def _start_sum(self, batch):
        gradients, losses = self._gradients(batch)
        # Every weight needs a tensor here, also one that the loss does not depend on.
        pairs = zip(gradients, self._values, strict=True)
        return [tf.zeros_like(v) if g is None else g for g, v in pairs], losses

    def _add_to_sum(self, batch, sums):
        gradients, losses = self._start_sum(batch)
        return [a + b for a, b in zip(sums, gradients, strict=True)], losses

    def _gradients(self, batch):
        """Gradients of a part of the batch, and its share of the batch's losses."""
        model = self.model
        x, y = batch
        share = tf.cast(tf.shape(x[0])[0], tf.float32) / self.batch_size
        x = keras.tree.pack_sequence_as(model.input, x)
        y = keras.tree.pack_sequence_as(self._targets, y)
        # A tape watches variables of frozen layers too, unless it is told which.
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(self._values)
            prediction = model(x, training=True)
            loss = model.compute_loss(x=x, y=y, y_pred=prediction, training=True)
            # Keras divides by the number of replicas; here shares do that.
            loss = loss * (self.strategy.num_replicas_in_sync * share)
            scaled = model.optimizer.scale_loss(loss)
        losses = {**self._output_losses(share), TOTAL: loss}
        return tape.gradient(scaled, self._values), losses

    def _output_losses(self, share):
        """A part's share of the losses of every output, as Keras has tracked them."""
        losses = {}
        for tracker in self.model.metrics * self.full_losses:
            if isinstance(tracker, keras.metrics.Mean) and tracker.name != TOTAL:
                losses[tracker.name] = tracker.result() * share
                tracker.reset_state()
        return losses

    @property
    def _values(self):
        return [variable.value for variable in self._variables]

    def _update(self, gradients):
        if self.strategy.num_replicas_in_sync > 1 and (self._clips or self._scales):
            gradients = self._summed(gradients)
        self.model.optimizer.apply_gradients(
            list(zip(gradients, self._variables, strict=True))
        )
        if self.average_statistics:
            self._average()
        return [], {}

    def _summed(self, gradients):
        """The whole gradient, clipped, divided by the number of replicas.

        Keras sums the gradients of the replicas only after it has clipped them and has
        asked whether they are finite. What every replica has here, and Keras sums to
        the whole again, is clipped already, and finite on all of them or on none.
        """
        context = tf.distribute.get_replica_context()
        gradients = context.all_reduce(tf.distribute.ReduceOp.SUM, gradients)
        scale = self.model.optimizer.dynamic_scale if self._scales else 1.0
        finite = tf.reduce_all([tf.reduce_all(tf.math.is_finite(g)) for g in gradients])
        clipped = self._clipped(gradients, tf.cast(scale, tf.float32))
        replicas = self.strategy.num_replicas_in_sync
        pairs = zip(gradients, clipped, strict=True)
        return [tf.where(finite, small, g) / replicas for g, small in pairs]

    def _clipped(self, gradients, scale):
        """Gradients of the loss times `scale`, clipped as the optimizer would."""
        rule = self._rule
        if rule.clipvalue is not None:
            most = rule.clipvalue * scale
            return [tf.clip_by_value(g, -most, most) for g in gradients]
        if rule.clipnorm is not None:
            return [tf.clip_by_norm(g, rule.clipnorm * scale) for g in gradients]
        if rule.global_clipnorm is not None:
            return tf.clip_by_global_norm(gradients, rule.global_clipnorm * scale)[0]
        return gradients

    @property
    def _scales(self):
        """Whether the loss is scaled, for float16."""
        kind = keras.optimizers.LossScaleOptimizer
        return isinstance(self.model.optimizer, kind)

    @property
    def _rule(self):
        """The optimizer that clips and updates."""
        optimizer = self.model.optimizer
        return optimizer.inner_optimizer if self._scales else optimizer

    @property
    def _clips(self):
        rule = self._rule
        limits = (rule.clipvalue, rule.clipnorm, rule.global_clipnorm)
        return any(limit is not None for limit in limits)

    def _average(self):
        statistics = [
            variable.value
            for layer in batch_norms(self.model)
            for variable in (layer.moving_mean, layer.moving_variance)
        ]
        context = tf.distribute.get_replica_context()
        values = [tf.identity(v) for v in statistics]
        means = context.all_reduce(tf.distribute.ReduceOp.MEAN, values)
        for variable, mean in zip(statistics, means, strict=True):
            variable.assign(mean)


def batch_norms(model: keras.Model) -> list[keras.layers.BatchNormalization]:
    """The batch normalisations of a model, those of nested models among them."""
    kind = keras.layers.BatchNormalization
    return [layer for layer in model._flatten_layers() if isinstance(layer, kind)]


def set_batch_norm_momentum(model: keras.Model, momentum: float) -> None:
    """Sets the momentum of the moving averages of every batch normalisation.

    Keras averages with momentum 0.99 from zero means and unit variances, so a network
    looks bad in its first few hundred steps however good it is; a short training wants
    0.9. Call it before the first step.

    Args:
        model: any model; nested models are reached too.
        momentum: share of the old average, in [0, 1).

    Raises:
        ValueError: if the momentum is out of range.
    """
    if not 0 <= momentum < 1:
        raise ValueError(f"`momentum` must be in [0, 1). Received: {momentum}")
    for layer in batch_norms(model):
        layer.momentum = momentum


def _numbers(parts: Sequence[dict]) -> dict[str, float]:
    return {name: sum(float(part[name]) for part in parts) for name in parts[0]}
