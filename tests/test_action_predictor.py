"""Actions of clips, and looks at frames, by a merged network."""

import concurrent.futures

import numpy as np
import pytest
from PIL import Image
from tiny_merged import ACTIONS, FRAMES, build_merged
from tiny_models import Meeting

from deephar.inference import MULTI_CROP, ActionPredictor, ClipPredictor, people_of
from deephar.inference.crops import crop
from deephar.utils.transform import transform_2d_points

LABELS = ("sit", "stand", "walk")
LAYOUT = type(
    "layout",
    (),
    {
        **{"num_joints": 4, "dim": 2, "joint_names": ["a", "b", "c", "d"]},
        "map_hflip": [1, 0, 2, 3],
    },
)
VIDEO = np.random.default_rng(5).integers(0, 255, (20, 40, 64, 3), np.uint8)
VIDEO[10:, :20] //= 4


@pytest.fixture(scope="module")
def model():
    return build_merged(num_blocks=1)


@pytest.fixture(scope="module")
def clips(model):
    return ClipPredictor(model, 8, poses=True)


@pytest.fixture(scope="module")
def predictor(clips):
    return ActionPredictor(clips, LAYOUT, LABELS, step=2)


def _crops(predictor, frames, box=None, shape=(1.0, 0.0, 0.0)):
    window = predictor.window((64, 40), box).changed(*shape)
    cut = [crop(Image.fromarray(one), window, (32, 32))[0] for one in frames]
    return np.stack(cut)


def test_a_clip_of_the_middle_is_looked_at_by_the_step(predictor):
    action = predictor.predict_clip(VIDEO, (10, 5, 50, 35))
    frames = _crops(predictor, VIDEO[2:17:2], (10, 5, 50, 35))
    expected = predictor.clip_predictor.predict_clips(frames[None])[:, 0]
    assert (action.frames, action.output) == ((3, 17), "m")
    np.testing.assert_array_equal(action.scores["m"], expected[-1])
    np.testing.assert_array_equal(action.scores["p1"], expected[0])
    assert action.answer == LABELS[int(expected[-1].argmax())]


def test_boxes_by_frame_make_one_window_around_those_that_are_known(predictor):
    boxes = np.tile([12.0, 5.0, 40.0, 30.0], (20, 1))
    boxes[6], boxes[8], boxes[1] = (10, 6, 50, 35), np.nan, (0, 0, 64, 40)
    found = predictor.predict_clip(list(VIDEO), boxes)
    expected = predictor.predict_clip(VIDEO, (10, 5, 50, 35))
    np.testing.assert_array_equal(found.scores["m"], expected.scores["m"])
    boxes = np.full((20, 4), np.nan)
    boxes[[1, 19]] = (10, 6, 50, 35), (12, 5, 40, 30)
    beside = predictor.predict_clip(VIDEO, boxes)
    np.testing.assert_array_equal(beside.scores["m"], expected.scores["m"])
    with pytest.raises(ValueError, match="known in one frame.*20 rows that are not"):
        predictor.predict_clip(VIDEO, boxes * np.nan)


def test_a_network_without_a_step_looks_at_all_of_the_video(clips):
    spread = ActionPredictor(clips, LAYOUT, LABELS, None)
    assert spread.predict_clip(VIDEO).frames == (2, 19)
    assert spread.predict_clip(VIDEO[:1]).frames == (1, 1)


def test_views_are_joined_by_their_geometric_mean(clips):
    wide = ((1.0, 0.0, 0.0), (1.2, 0.0, 0.0))
    predictor = ActionPredictor(clips, LAYOUT, LABELS, 2, flip=True, crops=wide)
    found = predictor.predict_clip(VIDEO).scores["v1"]
    views = [_crops(predictor, VIDEO[2:17:2], None, shape) for shape in wide]
    views = [view for one in views for view in (one, one[:, :, ::-1])]
    scores = clips.predict_clips(np.stack(views))[clips.names.index("v1")]
    product = scores.astype(np.float64).prod(axis=0) ** (1 / 4)
    np.testing.assert_allclose(found, product / product.sum(), rtol=1e-4)


def test_a_look_gives_pose_and_features_of_the_last_window_in_one_run(model, clips):
    predictor = ActionPredictor(clips, LAYOUT, LABELS, refine=1)
    pictures = [Image.fromarray(VIDEO[0]), Image.fromarray(VIDEO[12])]
    windows = [predictor.window((64, 40)), predictor.window((64, 40), (5, 5, 40, 35))]
    looked = predictor.look(pictures, windows)
    for number, (picture, window) in enumerate(
        zip(pictures, looked.windows, strict=True)
    ):
        frame, matrix = crop(picture, window, (32, 32))
        expected = clips.describe_frames(frame[None])
        for some, one in zip(looked.described, expected, strict=True):
            np.testing.assert_allclose(some[number], one[0], atol=1e-5)
        found = transform_2d_points(matrix, looked.joints[-1, number, :, :2], True)
        np.testing.assert_allclose(found, expected[0][0], atol=1e-4)
    assert len(people_of(looked, LAYOUT)) == 2
    nobody = predictor.look([], [])
    assert [len(x) for x in nobody.described] == [0, 0, 0]


def test_flip_and_crops_average_poses_and_describe_the_window_itself(clips, predictor):
    many = ActionPredictor(clips, LAYOUT, LABELS, flip=True, crops=MULTI_CROP)
    pictures, windows = [Image.fromarray(VIDEO[3])], [predictor.window((64, 40))]
    plain, averaged = (one.look(pictures, windows) for one in (predictor, many))
    for some, others in zip(plain.described, averaged.described, strict=True):
        np.testing.assert_allclose(some, others, atol=1e-5)
    assert np.abs(plain.joints - averaged.joints).max() > 0.1


def test_two_threads_get_what_one_gets_bit_for_bit(model):
    # Both new: what TensorFlow has compiled for other numbers of frames differs a bit.
    alone, fresh = (
        ActionPredictor(ClipPredictor(model, 8, poses=True), LAYOUT, LABELS, 2)
        for _ in range(2)
    )
    starts = range(6)
    expected = [alone.predict_clip(VIDEO[n : n + 9]).scores["m"] for n in starts]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        found = pool.map(lambda n: fresh.predict_clip(VIDEO[n : n + 9]), starts)
        found = [action.scores["m"] for action in found]
    np.testing.assert_array_equal(found, expected)
    assert np.ptp(found, axis=0).max() > 0


def test_a_run_has_the_network_for_itself(model):
    meetings = []

    def spread(part):
        def zeros(inputs):
            count = len(inputs[0] if isinstance(inputs, list) else inputs)
            return [np.zeros((count, *y.shape[1:])) for y in part.outputs]

        meetings.append(Meeting(zeros))
        return meetings[-1]

    predictor = ActionPredictor(
        ClipPredictor(model, 8, spread=spread, poses=True), LAYOUT, LABELS
    )
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(predictor.predict_clip, (VIDEO[:8], VIDEO[8:16])))
    assert [(one.runs, one.met) for one in meetings] == [(2, 0), (2, 0)]


def test_what_does_not_fit_is_refused(clips, model, predictor):
    with pytest.raises(ValueError, match="3 actions.*2 labels, poses=True"):
        ActionPredictor(clips, LAYOUT, LABELS[:2])
    with pytest.raises(ValueError, match="poses=False"):
        ActionPredictor(ClipPredictor(model), LAYOUT, LABELS)
    with pytest.raises(ValueError, match="seen with `poses`"):
        ClipPredictor(model).see_frames(np.zeros((1, 32, 32, 3), np.float32))
    with pytest.raises(ValueError, match="`step` at least 1 or None.*step=0"):
        ActionPredictor(clips, LAYOUT, LABELS, 0)
    with pytest.raises(ValueError, match="must begin with the window itself"):
        ActionPredictor(clips, LAYOUT, LABELS, crops=MULTI_CROP[1:])
    with pytest.raises(ValueError, match="at least one. Received: none"):
        predictor.predict_clip([])
    with pytest.raises(ValueError, match=r"\(4,\) or \(20, 4\).*shape=\(19, 4\)"):
        predictor.predict_clip(VIDEO, np.zeros((19, 4)))
    with pytest.raises(ValueError, match=r"one size. Received: sizes \[\(32, 40\), "):
        predictor.predict_clip([*VIDEO[:7], VIDEO[7, :, :32]])
    assert len(LABELS) == ACTIONS and predictor.clip_predictor.num_frames == FRAMES
