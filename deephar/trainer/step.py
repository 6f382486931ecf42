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
            self._sums = [_sum_for(v) for v in self._variables * (accumulate > 1)]
        whole, part, apply = (
            tf.function(replica, jit_compile=True) if jit else replica
            for replica in (self._take, self._collect, self._apply)
        )
        self._whole = self._on_all(whole)
        self._part, self._last = self._on_all(part), self._on_all(apply)

    def __call__(self, batches: Sequence) -> dict[str, float]:
        """Takes one step.

        Args:
            batches: `accumulate` elements of the stream of (inputs, targets).

        Returns:
            The mean losses of the batch by name, `TOTAL` among them.
        """
        if self.accumulate == 1:
            return _numbers([self._whole(batches[0])])
        losses = [self._part(batch) for batch in batches]
        self._last()
        return _numbers(losses)

    def _on_all(self, replica):
        """A traced function that runs `replica` on all replicas and sums its losses."""

        @tf.function(reduce_retracing=True)
        def run(*batch):
            losses = self.strategy.run(replica, args=batch)
            return tf.nest.map_structure(
                lambda loss: self.strategy.reduce("SUM", loss, axis=None), losses
            )

        return run

    def _take(self, batch):
        gradients, losses = self._gradients(batch)
        self._update(gradients)
        return losses

    def _collect(self, batch):
        gradients, losses = self._gradients(batch)
        for total, gradient in zip(self._sums, gradients, strict=True):
            if gradient is not None:
                total.assign_add(gradient)
        return losses

    def _apply(self):
        self._update([tf.identity(total) for total in self._sums])
        for total in self._sums:
            total.assign(tf.zeros_like(total))
        return {}

    def _gradients(self, batch):
        """Gradients of a part of the batch, and its share of the batch's losses."""
        model = self.model
        x, y = batch
        share = tf.cast(tf.shape(x[0])[0], tf.float32) / self.batch_size
        x = keras.tree.pack_sequence_as(model.input, x)
        y = keras.tree.pack_sequence_as(self._targets, y)
        with tf.GradientTape() as tape:
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
        gradients = self._alike(gradients)
        self.model.optimizer.apply_gradients(
            list(zip(gradients, self._variables, strict=True))
        )
        if self.average_statistics:
            self._average()

    def _alike(self, gradients):
        """Gradients that are finite on all replicas or on none.

        Loss scaling asks each replica whether its own gradients are finite, and leaves
        the step out where they are not; all must answer alike.
        """
        scaling = isinstance(self.model.optimizer, keras.optimizers.LossScaleOptimizer)
        if not scaling or self.strategy.num_replicas_in_sync == 1:
            return gradients
        finite = [tf.reduce_all(tf.math.is_finite(g)) for g in gradients]
        bad = 1.0 - tf.cast(tf.reduce_all(finite), tf.float32)
        context = tf.distribute.get_replica_context()
        bad = context.all_reduce(tf.distribute.ReduceOp.SUM, bad)
        return [
            tf.where(bad > 0, tf.fill(tf.shape(g), g.dtype.max) * 2, g)
            for g in gradients
        ]

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


def _sum_for(variable: keras.Variable) -> tf.Variable:
    """A variable for sums of gradients, with a value of its own on every replica."""
    return tf.Variable(
        tf.zeros(variable.shape, variable.dtype),
        trainable=False,
        synchronization=tf.VariableSynchronization.ON_READ,
        aggregation=tf.VariableAggregation.SUM,
    )


def _numbers(parts: Sequence[dict]) -> dict[str, float]:
    return {name: sum(float(part[name]) for part in parts) for name in parts[0]}
