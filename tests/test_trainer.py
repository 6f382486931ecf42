import logging

import keras
import numpy as np
import pytest
from tiny_models import small_pose_model
from tiny_mpii import write_tiny_mpii

from deephar.config import DataConfig
from deephar.data import BatchLoader, MpiiSinglePerson
from deephar.losses import pose_regression_loss
from deephar.trainer import (
    MultiModelTrainer,
    TrainerOnGenerator,
    set_batch_norm_momentum,
)
from deephar.utils import TRAIN_MODE

LOSS = pose_regression_loss("l1l2", 0.01)


@pytest.fixture
def mpii(tmp_path):
    folder = write_tiny_mpii(tmp_path / "mpii", train=6)
    return MpiiSinglePerson(folder, DataConfig(crop_resolution=(64, 64)))


def _loader(mpii, blocks=1, **options):
    options = {"batch_size": 2, "seed": 3, **options}
    return BatchLoader(
        mpii, ["frame"], ["pose"], TRAIN_MODE, num_predictions=blocks, **options
    )


def _model(blocks=1, rate=1e-3):
    keras.utils.set_random_seed(1)
    model = small_pose_model(blocks=blocks)
    model.compile(keras.optimizers.RMSprop(rate), LOSS, jit_compile=False)
    return model


def test_the_loop_takes_the_steps_that_train_on_batch_takes(mpii):
    model, reference = _model(), _model()
    trainer = MultiModelTrainer([model], [_loader(mpii)], shuffle=False)
    trainer.train(epochs=2, steps_per_epoch=3, verbose=0)
    loader = _loader(mpii)
    for epoch in range(2):
        for step in range(3):
            (x,), (y,) = loader.get_batch(epoch, step)
            reference.train_on_batch(x, y)
    for ours, theirs in zip(model.weights, reference.weights, strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), atol=1e-6)


def test_the_loss_falls_and_is_the_mean_of_the_epoch(mpii):
    history = MultiModelTrainer([_model(blocks=2)], [_loader(mpii, blocks=2)]).train(
        epochs=6, steps_per_epoch=3, verbose=0
    )
    losses = history.history["loss"]
    assert len(losses) == 6
    assert losses[-1] < 0.9 * losses[0]


def test_two_models_take_turns_and_log_their_own_losses(mpii):
    models = [_model(), _model(blocks=2)]
    loaders = [_loader(mpii), _loader(mpii, blocks=2)]
    seen = []
    trainer = MultiModelTrainer(models, loaders, workers=[1, 2])
    history = trainer.train(2, 2, end_of_epoch_callback=seen.append, verbose=0)
    assert seen == [0, 1]
    assert {"loss0", "loss1"} <= set(history.history)
    assert [int(model.optimizer.iterations) for model in models] == [4, 4]


def test_a_schedule_moves_the_rate_of_every_model(mpii):
    models = [_model(rate=1e-3), _model(rate=1e-4)]
    halve = keras.callbacks.LearningRateScheduler(lambda epoch, rate: 1e-3 / 2**epoch)
    loaders = [_loader(mpii), _loader(mpii)]
    MultiModelTrainer(models, loaders, callbacks=[halve]).train(3, 1, verbose=0)
    rates = [float(model.optimizer.learning_rate) for model in models]
    assert rates == pytest.approx([2.5e-4, 2.5e-5])


def test_full_losses_name_every_output(mpii):
    trainer = MultiModelTrainer(
        [_model(blocks=2)], [_loader(mpii, blocks=2)], print_full_losses=True
    )
    names = set(trainer.train(1, 1, verbose=0).history)
    assert len(names) == len({"loss", "learning_rate"}) + 2


def test_models_that_share_layers_train_the_same_variables(mpii):
    first = _model()
    second = keras.Model(first.inputs, first.outputs)
    second.compile(keras.optimizers.SGD(1e-2), LOSS, jit_compile=False)
    before = first.trainable_weights[0].numpy().copy()
    MultiModelTrainer([first, second], [_loader(mpii), _loader(mpii)]).train(
        1, 1, verbose=0
    )
    assert np.abs(second.trainable_weights[0].numpy() - before).max() > 0


def test_frozen_layers_stay_as_they_are_and_cost_no_gradient(mpii):
    def gradient_operations(frozen):
        model = _model()
        for layer in model.layers[1:4]:  # convolution, batch norm, convolution
            layer.trainable = not frozen
        before = [w.numpy() for layer in model.layers[1:4] for w in layer.weights]
        trainer = MultiModelTrainer([model], [_loader(mpii)])
        trainer.train(1, 2, verbose=0)
        after = [w.numpy() for layer in model.layers[1:4] for w in layer.weights]
        same = [np.array_equal(a, b) for a, b in zip(before, after, strict=True)]
        assert all(same) if frozen else not any(same)
        batch = next(trainer._streams(0, 0, 1)[0])
        graph = trainer._steps[0]._whole.get_concrete_function(batch).graph
        return sum("Backprop" in operation.type for operation in graph.get_operations())

    assert gradient_operations(frozen=False) > 0
    assert gradient_operations(frozen=True) == 0


def test_training_again_from_an_epoch_gives_the_same_weights(mpii):
    whole, parts = _model(), _model()
    MultiModelTrainer([whole], [_loader(mpii)]).train(3, 2, verbose=0)
    trainer = MultiModelTrainer([parts], [_loader(mpii)])
    trainer.train(1, 2, verbose=0)
    trainer.train(3, 2, initial_epoch=1, verbose=0)
    for ours, theirs in zip(parts.weights, whole.weights, strict=True):
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())


def test_a_picture_that_cannot_be_read_is_skipped_and_reported(mpii, caplog):
    broken = f"{mpii.dataset_path}/images/t2.jpg"
    with open(broken, "r+b") as file:
        file.truncate(300)
    trainer = MultiModelTrainer([_model()], [_loader(mpii, on_error="skip")])
    with caplog.at_level(logging.WARNING, "deephar.trainer"):
        trainer.train(1, 3, verbose=0)
    assert "1 unreadable pictures were skipped" in caplog.text
    assert "t2.jpg" in caplog.text


def test_a_strict_loader_ends_the_training_with_the_files_name(mpii):
    broken = f"{mpii.dataset_path}/images/t2.jpg"
    with open(broken, "r+b") as file:
        file.truncate(300)
    trainer = MultiModelTrainer([_model()], [_loader(mpii)])
    with pytest.raises(OSError, match=r"t2\.jpg"):
        trainer.train(1, 3, verbose=0)


def test_callbacks_end_with_a_training_that_fails(mpii, tmp_path):
    model = _model()
    model.trainable_weights[-1].assign(np.full(48, np.nan))
    log = keras.callbacks.CSVLogger(tmp_path / "losses.csv")
    trainer = MultiModelTrainer([model], [_loader(mpii)], callbacks=[log])
    with pytest.raises(FloatingPointError):
        trainer.train(1, 1, verbose=0)
    assert log.csv_file.closed


def test_a_loss_that_is_not_finite_ends_the_training(mpii):
    model = _model()
    model.trainable_weights[-1].assign(np.full(48, np.nan))
    trainer = MultiModelTrainer([model], [_loader(mpii)])
    with pytest.raises(FloatingPointError, match="nan at epoch 1, step 1"):
        trainer.train(1, 2, verbose=0)


def test_wrong_arguments_are_refused(mpii):
    with pytest.raises(ValueError, match="lists of equal length. Received: 1, 0"):
        MultiModelTrainer([_model()], [])
    with pytest.raises(ValueError, match="must be compiled"):
        MultiModelTrainer([small_pose_model()], [_loader(mpii)])
    with pytest.raises(ValueError, match="BatchLoader objects. Received: list"):
        MultiModelTrainer([_model()], [[]])
    with pytest.raises(ValueError, match="`steps_per_epoch` must be at least 1"):
        MultiModelTrainer([_model()], [_loader(mpii)]).train(1, 0)


def test_batch_norm_momentum_reaches_nested_models():
    inner = small_pose_model()
    outer = keras.Model(inner.inputs, inner(inner.inputs))
    set_batch_norm_momentum(outer, 0.5)
    assert inner.layers[2].momentum == 0.5
    with pytest.raises(ValueError, match=r"in \[0, 1\). Received: 1"):
        set_batch_norm_momentum(outer, 1)


class _Scores(keras.callbacks.Callback):
    """A validation callback whose first epoch stays the best."""

    best_epoch = 1


def test_the_originals_trainer_lowers_the_rate_of_a_stalled_score(mpii, tmp_path):
    model = _model()
    TrainerOnGenerator(
        model,
        _loader(mpii),
        steps_per_epoch=1,
        epochs=4,
        initial_lr=1e-2,
        lr_factor=0.5,
        lr_patience=2,
        verbose=0,
        validation_callbacks=_Scores(),
        weights_fname="best.weights.h5",
        logdir=tmp_path,
    ).train()
    assert float(model.optimizer.learning_rate) == pytest.approx(5e-3)
    assert (tmp_path / "best.weights.h5").is_file()


def test_the_originals_trainer_takes_a_schedule(mpii):
    model = _model()
    TrainerOnGenerator(
        model,
        _loader(mpii),
        epochs=2,
        verbose=0,
        custom_lr_scheduler=lambda epoch, rate: 0.1 / (epoch + 1),
    ).train()
    assert float(model.optimizer.learning_rate) == pytest.approx(0.05)
    assert int(model.optimizer.iterations) == 6
