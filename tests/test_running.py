import keras
import numpy as np
import pytest

from deephar.inference.running import FewSizes, TracedModel, compiled_size, runner

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="other backends run as they are"
)


def two_inputs():
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    y = keras.layers.BatchNormalization()(keras.layers.Dense(3)(a + b))
    return keras.Model([a, b], [y, a - b])


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("frozen", [False, True])
def test_a_traced_model_predicts_what_the_model_does_for_every_batch(frozen, jit):
    model, rng = two_inputs(), np.random.default_rng(0)
    for layer in model.layers:
        layer.set_weights([rng.uniform(0.5, 2, w.shape) for w in layer.get_weights()])
    traced = runner(model, jit, frozen)
    assert isinstance(traced, TracedModel)
    for count in (3, 1):
        x = list(rng.uniform(-1, 1, (2, count, 4)).astype("float32"))
        for found, y in zip(
            traced.predict_on_batch(x), model(x, training=False), strict=True
        ):
            np.testing.assert_allclose(found, y, atol=1e-6)


@pytest.mark.parametrize("frozen", [False, True])
def test_frozen_weights_are_those_of_the_first_call(frozen):
    x = keras.Input((1,))
    model = keras.Model(x, keras.layers.Dense(1, use_bias=False)(x))
    traced, one = runner(model, False, frozen), np.ones((1, 1), np.float32)
    values = []
    for value in (2.0, 3.0):
        model.set_weights([np.full((1, 1), value)])
        values.append(traced.predict_on_batch(one)[0].item())
    assert values == ([2.0, 2.0] if frozen else [2.0, 3.0])


def test_what_stands_in_for_a_model_stays():
    something = object()
    assert runner(something, jit=False, frozen=True) is something


def test_few_numbers_are_compiled_and_none_is_twice_what_is_asked():
    sizes = [compiled_size(count, most=12) for count in range(1, 13)]
    assert sizes == [1, 2, 4, 4, 8, 8, 8, 8, 12, 12, 12, 12]


def test_batches_are_filled_up_for_what_runs_and_cut_for_who_asks():
    sizes = []

    class Sums:
        def predict_on_batch(self, inputs):
            sizes.append([len(x) for x in inputs])
            return sum(inputs), inputs[0]

    run, rng = FewSizes(Sums(), most=6), np.random.default_rng(0)
    for count in (1, 3, 5, 6, 9):
        inputs = [rng.normal(size=(count, 2)), rng.normal(size=(count, 2))]
        both, first = run.predict_on_batch(inputs)
        np.testing.assert_array_equal(both, inputs[0] + inputs[1])
        np.testing.assert_array_equal(first, inputs[0])
    assert sizes == [[1, 1], [4, 4], [6, 6], [6, 6], [9, 9]]
