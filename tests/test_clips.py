"""Actions from clips whose frames are looked at once."""

import keras
import numpy as np
import pytest
from keras import layers
from tiny_merged import FRAMES, SIZE, build_merged, build_pose, formula_clips

from deephar.inference import ClipPredictor
from deephar.models import action


@pytest.fixture(scope="module")
def model():
    return build_merged(num_blocks=1, output_poses=True)


@pytest.mark.parametrize("dim, batch_size", [(2, 5), (3, 16)])
def test_the_parts_in_a_row_give_what_the_model_gives(model, dim, batch_size):
    clips = formula_clips(3)
    if dim == 3:
        model = build_merged(3, num_blocks=1, output_poses=True)
    expected = [np.array(y) for y in model(clips, training=False)]
    predictor = ClipPredictor(model, batch_size)
    assert (predictor.num_frames, predictor.names) == (FRAMES, action.OUTPUTS)
    found = predictor.predict_clips(clips)
    assert (found.shape, found.dtype) == ((9, 3, 3), np.float32)
    np.testing.assert_allclose(found, expected[2:], atol=1e-6)
    assert np.ptp(found, axis=1).max(axis=1).min() > 5e-4
    described = predictor.describe_frames(clips.reshape(-1, *SIZE))
    for x, y in zip(described[:2], expected[:2], strict=True):
        np.testing.assert_allclose(x.reshape(y.shape), y, atol=1e-5)


def test_clips_may_share_frames(model):
    frames = formula_clips(2).reshape(-1, *SIZE)
    windows = [range(start, start + FRAMES) for start in (0, 3, 8)]
    predictor = ClipPredictor(model, 4)
    described = predictor.describe_frames(frames)
    found = predictor.classify(*(x[np.array(windows)] for x in described))
    assert np.ptp(found, axis=1).max() > 1e-3
    expected = [predictor.predict_clips(frames[None, list(w)])[:, 0] for w in windows]
    np.testing.assert_allclose(found, np.stack(expected, axis=1), atol=1e-6)


def test_folded_parts_have_no_batch_norm_and_give_the_same(model):
    clips, predictor = formula_clips(1), ClipPredictor(model, fold=True)
    for part in (predictor.frame_model, predictor.clip_head):
        kinds = {type(layer) for layer in part._flatten_layers()}
        assert layers.BatchNormalization not in kinds
    assert predictor.names == action.OUTPUTS
    expected = ClipPredictor(model).predict_clips(clips)
    np.testing.assert_allclose(predictor.predict_clips(clips), expected, atol=1e-5)
    assert layers.BatchNormalization in {type(x) for x in model._flatten_layers()}


def test_few_shapes_for_all_batches_change_nothing(model):
    frames, seen = formula_clips(1)[0, :7], []

    class Seen:
        def __init__(self, part):
            self.part = part

        def predict_on_batch(self, x):
            seen.append(len(x))
            return self.part.predict_on_batch(x)

    expected = ClipPredictor(model, 4).describe_frames(frames)
    predictor = ClipPredictor(model, 4, jit=True, spread=Seen)
    found = predictor.describe_frames(frames)
    predictor.describe_frames(frames[:1])
    assert seen == [4, 4, 1]
    for x, y in zip(found, expected, strict=True):
        np.testing.assert_allclose(x, y, atol=1e-5)


def test_no_frames_and_no_clips_give_nothing(model):
    predictor = ClipPredictor(model)
    described = predictor.describe_frames(np.zeros((0, *SIZE), np.float32))
    assert [len(x) for x in described] == [0, 0, 0]
    clips = np.zeros((0, FRAMES, *SIZE), np.float32)
    assert predictor.predict_clips(clips).shape == (9, 0, 3)


def test_wrong_shapes_are_named(model):
    predictor = ClipPredictor(model)
    with pytest.raises(ValueError, match=r"frame_model takes n times \[\(32, 32, 3\)"):
        predictor.describe_frames(np.zeros((2, 64, 32, 3), np.float32))
    with pytest.raises(ValueError, match=r"Clips must be \(n, 8, h, w, 3\).*\(1, 4, "):
        predictor.predict_clips(np.zeros((1, 4, *SIZE), np.float32))
    pose, confidence, features = (
        np.zeros((n, *x.shape[1:]), np.float32)
        for n, x in zip((2, 1, 2), predictor.clip_head.inputs, strict=True)
    )
    with pytest.raises(ValueError, match="clip_head takes n times"):
        predictor.classify(pose, confidence, features)


def test_other_models_and_batches_are_refused(model):
    with pytest.raises(ValueError, match="must have the layers frame_model and clip_h"):
        ClipPredictor(build_pose(num_blocks=1))
    with pytest.raises(ValueError, match="`batch_size` must be at least 1. Received"):
        ClipPredictor(model, 0)


def test_jit_is_set_on_both_parts(model):
    predictor = ClipPredictor(keras.models.clone_model(model), jit=True)
    assert predictor.frame_model.jit_compile and predictor.clip_head.jit_compile
    assert not ClipPredictor(model).frame_model.jit_compile
