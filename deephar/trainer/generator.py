"""The original's trainer of one model, on the loop of `MultiModelTrainer`."""

import os

import keras

from deephar.callbacks import ReduceFromBest
from deephar.trainer.loop import MultiModelTrainer


class TrainerOnGenerator:
    """Trains one model; lowers the rate when its validation score stalls.

    Args:
        model: the model whose weights are saved.
        gen_tr: BatchLoader of the training data.
        gpu_model: the model that is trained, if it is another view of `model`.
        steps_per_epoch: batches an epoch; None takes the whole data set.
        initial_lr: learning rate at the start.
        lr_factor: multiplier of the rate when the score stalls.
        lr_patience: epochs without a new best before that.
        minimum_lr: training stops below this rate.
        epochs: epoch to stop at.
        verbose: 1 shows a progress bar, 2 a line an epoch, 0 nothing.
        workers: parallel calls that prepare batches.
        shuffle: take the batches in a random order.
        initial_epoch: epoch to start at.
        validation_callbacks: one callback or a list; the last one has `best_epoch`.
        custom_lr_scheduler: a function of (epoch, rate) instead of the scheme above.
        save_tensor_board: write TensorBoard logs to `logdir`.
        weights_fname: name of the best weights in `logdir`.
        logdir: folder for weights and logs.
    """

    def __init__(
        self,
        model,
        gen_tr,
        gpu_model=None,
        steps_per_epoch=None,
        initial_lr=1e-3,
        lr_factor=0.1,
        lr_patience=10,
        minimum_lr=1e-7,
        epochs=1,
        verbose=1,
        workers=1,
        shuffle=True,
        initial_epoch=0,
        validation_callbacks=None,
        custom_lr_scheduler=None,
        save_tensor_board=False,
        weights_fname="weights.hdf5",
        logdir=None,
    ):
        validation = validation_callbacks or []
        if not isinstance(validation, (list, tuple)):
            validation = [validation]
        callbacks = list(validation)
        trained = model if gpu_model is None else gpu_model
        if custom_lr_scheduler is not None:
            callbacks.append(keras.callbacks.LearningRateScheduler(custom_lr_scheduler))
        elif validation:
            trained.optimizer.learning_rate = initial_lr
            weights = None if logdir is None else os.path.join(logdir, weights_fname)
            callbacks.append(
                ReduceFromBest(
                    validation[-1], lr_factor, lr_patience, minimum_lr, weights, model
                )
            )
        if logdir is not None and save_tensor_board:
            callbacks.append(keras.callbacks.TensorBoard(logdir))
        self.epochs = epochs
        self.steps_per_epoch = steps_per_epoch or len(gen_tr)
        self.initial_epoch = initial_epoch
        self.verbose = verbose
        self.trainer = MultiModelTrainer(
            [trained], [gen_tr], workers, shuffle, callbacks=callbacks
        )

    def train(self) -> keras.callbacks.History:
        """Runs the training and returns the history of the losses."""
        return self.trainer.train(
            self.epochs, self.steps_per_epoch, self.initial_epoch, verbose=self.verbose
        )
