import json
import math

import keras
import numpy as np
import pytest
from tiny_models import small_pose_model

from deephar.callbacks import (
    EvaluationCallback,
    ReduceFromBest,
    SaveModel,
    cosine_schedule,
    step_schedule,
)


def _evaluation(values, **options):
    """A callback that reads its scores from a list, attached to nothing."""
    values = iter(values)
    callback = EvaluationCallback(lambda _: {"pckh": next(values)}, **options)
    callback.set_model(None)
    callback.set_params({"epochs": 10})
    return callback


def test_the_best_epoch_counts_from_one_and_joins_the_logs(tmp_path):
    callback = _evaluation([0.1, 0.5, 0.3], filename=tmp_path / "scores.json")
    assert callback.best_epoch == math.inf
    logs = {}
    for epoch in range(3):
        callback.on_epoch_end(epoch, logs)
    assert (callback.best_epoch, callback.best_score) == (2, 0.5)
    assert logs == {"val_pckh": 0.3}
    saved = json.loads((tmp_path / "scores.json").read_text())
    assert saved == {"1": {"pckh": 0.1}, "2": {"pckh": 0.5}, "3": {"pckh": 0.3}}


def test_errors_are_best_when_small():
    callback = _evaluation([3.0, 1.0, 2.0], mode="min")
    for epoch in range(3):
        callback.on_epoch_end(epoch)
    assert callback.best_epoch == 2


def test_evaluation_skips_epochs_but_never_the_last():
    callback = _evaluation([0.1, 0.2, 0.3, 0.4], every=3)
    for epoch in range(10):
        callback.on_epoch_end(epoch)
    assert list(callback.scores) == [3, 6, 9, 10]


def test_epochs_without_a_score_log_nan():
    callback = _evaluation([0.1], every=2)
    logs = {}
    callback.on_epoch_end(0, logs)
    assert math.isnan(logs["val_pckh"])
    callback.on_epoch_end(1, logs)
    assert logs["val_pckh"] == 0.1


def test_a_score_that_is_not_finite_is_never_the_best(tmp_path):
    callback = _evaluation([math.nan, 0.2], filename=tmp_path / "scores.json")
    callback.on_epoch_end(0)
    assert (callback.best_epoch, callback.best_score) == (math.inf, 0.0)
    callback.on_epoch_end(1)
    assert callback.best_epoch == 2
    assert json.loads((tmp_path / "scores.json").read_text())["1"] == {"pckh": None}


def test_patience_counts_epochs_whatever_is_evaluated():
    callback = _evaluation([0.5, 0.4, 0.3], every=2, patience=3)
    model = small_pose_model()
    model.stop_training = False
    callback.set_model(model)
    for epoch in range(4):
        callback.on_epoch_end(epoch)
        assert not model.stop_training
    callback.on_epoch_end(4)
    callback.on_epoch_end(5)
    assert model.stop_training


def test_wrong_arguments_of_the_evaluation_are_refused():
    with pytest.raises(ValueError, match='"max" or "min". Received: mode=\'best\''):
        EvaluationCallback(dict, mode="best")
    with pytest.raises(ValueError, match="`every` must be at least 1"):
        EvaluationCallback(dict, every=0)


def test_only_the_best_epoch_is_saved(tmp_path):
    score = _evaluation([0.1, 0.5, 0.3])
    save = SaveModel(tmp_path / "w_{epoch:03d}.weights.h5", None, True, score)
    save.set_model(small_pose_model())
    for epoch in range(3):
        score.on_epoch_end(epoch)
        save.on_epoch_end(epoch)
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "w_001.weights.h5",
        "w_002.weights.h5",
    ]


def test_saving_the_best_needs_something_that_tells_which():
    with pytest.raises(ValueError, match="`callback_to_monitor`"):
        SaveModel("w.weights.h5", save_best_only=True)


def test_a_stalled_score_lowers_the_rate_and_brings_the_best_weights_back(tmp_path):
    score = _evaluation([0.5, 0.4, 0.3])
    model = small_pose_model()
    model.compile(keras.optimizers.SGD(0.1), "mse", jit_compile=False)
    reduce = ReduceFromBest(
        score, factor=0.5, patience=2, filename=tmp_path / "best.weights.h5"
    )
    reduce.set_model(model)
    best = [w.numpy().copy() for w in model.weights]
    for epoch in range(3):
        score.on_epoch_end(epoch)
        reduce.on_epoch_end(epoch)
        for variable in model.weights if epoch < 2 else ():
            variable.assign(variable + 1)
    assert float(model.optimizer.learning_rate) == pytest.approx(0.05)
    for variable, value in zip(model.weights, best, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)


def test_training_stops_below_the_smallest_rate():
    score = _evaluation([0.5, 0.4])
    model = small_pose_model()
    model.compile(keras.optimizers.SGD(1e-3), "mse", jit_compile=False)
    reduce = ReduceFromBest(score, factor=0.1, patience=1, minimum=5e-4)
    reduce.set_model(model)
    for epoch in range(2):
        score.on_epoch_end(epoch)
        reduce.on_epoch_end(epoch)
    assert model.stop_training
    assert float(model.optimizer.learning_rate) == pytest.approx(1e-3)


def test_the_recipe_drops_the_rate_at_80_and_100():
    rate = step_schedule(1e-3, [80, 100], 0.2)
    assert [rate(e, 0.7) for e in (0, 79, 80, 99, 100, 119)] == pytest.approx(
        [1e-3, 1e-3, 2e-4, 2e-4, 4e-5, 4e-5]
    )


def test_the_cosine_starts_at_the_rate_and_ends_near_zero():
    rate = cosine_schedule(1e-3, epochs=5, final=0.02)
    assert rate(0, 0) == pytest.approx(1e-3)
    assert rate(2, 0) == pytest.approx(0.51e-3)
    assert rate(4, 0) == pytest.approx(0.02e-3)
