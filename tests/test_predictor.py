import keras
import numpy as np
import pytest
from PIL import Image
from tiny_models import constant_model, small_pose_model

from deephar.inference.predictor import Pose, PosePredictor, split_outputs
from deephar.utils.pose import pa16j2d


def _joints():
    rng = np.random.default_rng(0)
    return rng.uniform(0.1, 0.9, (16, 3)).astype(np.float32)


def test_concatenated_outputs_are_split_into_pose_and_confidence():
    block = np.arange(2 * 16 * 3, dtype=float).reshape(2, 16, 3)
    ((pose, confidence),) = split_outputs([block])
    np.testing.assert_array_equal(pose, block[..., :2])
    np.testing.assert_array_equal(confidence, block[..., 2:])


def test_outputs_in_turn_are_paired_and_heat_maps_are_passed_over():
    pose, score = np.zeros((2, 16, 2)), np.ones((2, 16, 1))
    maps = np.zeros((2, 8, 8, 16))
    pairs = split_outputs([pose, score, maps, pose, score, maps])
    assert len(pairs) == 2
    assert pairs[1][1] is score


def test_outputs_of_another_form_are_refused():
    with pytest.raises(ValueError, match=r"widths 2 and 1 in turn.*\(2, 16, 2\)"):
        split_outputs([np.zeros((2, 16, 2))])


def test_crops_are_predicted_by_block():
    joints = _joints()
    predictor = PosePredictor(constant_model(joints, blocks=2), pa16j2d)
    result = predictor.predict_crops(np.zeros((3, 64, 64, 3), np.float32))
    assert result.shape == (2, 3, 16, 3)
    np.testing.assert_allclose(result[1, 2], joints, atol=1e-6)


def test_flipping_averages_with_the_exchanged_mirror_image():
    joints = _joints()
    predictor = PosePredictor(constant_model(joints), pa16j2d, flip=True)
    result = predictor.predict_crops(np.zeros((1, 64, 64, 3), np.float32))[0, 0]
    mirror = joints[pa16j2d.map_hflip]
    np.testing.assert_allclose(
        result[:, 0], (joints[:, 0] + 1 - mirror[:, 0]) / 2, atol=1e-6
    )
    np.testing.assert_allclose(
        result[:, 1], (joints[:, 1] + mirror[:, 1]) / 2, atol=1e-6
    )


def test_the_whole_picture_maps_to_its_square():
    joints = np.full((16, 3), 0.5)
    joints[0, :2] = (0.0, 0.25)
    predictor = PosePredictor(constant_model(joints), pa16j2d)
    (pose,) = predictor.predict(Image.new("RGB", (200, 100)))
    assert pose.box == (0, -50, 200, 150)
    np.testing.assert_allclose(pose.joints[0], (0, 0), atol=1e-4)
    np.testing.assert_allclose(pose.joints[1], (100, 50), atol=1e-4)


def test_every_box_gets_its_own_pose_with_the_margin_of_training():
    predictor = PosePredictor(constant_model(np.full((16, 3), 0.5)), pa16j2d)
    picture = np.zeros((100, 200, 3), np.uint8)
    first, second = predictor.predict(picture, [(0, 0, 40, 80), (100, 20, 180, 60)])
    np.testing.assert_allclose(first.joints[3], (20, 40), atol=1e-4)
    np.testing.assert_allclose(second.joints[3], (140, 40), atol=1e-4)
    assert second.box == (90, -10, 190, 90)


@pytest.mark.parametrize("box", [(10, 10, 10, 20), (0, 5, 4, 3), (1, 2, 3)])
def test_an_empty_box_is_refused(box):
    predictor = PosePredictor(constant_model(np.zeros((16, 3))), pa16j2d)
    with pytest.raises(ValueError, match="x1 < x2 and y1 < y2. Received"):
        predictor.predict(np.zeros((32, 32, 3), np.uint8), [box])


def test_boxes_beside_the_picture_or_without_end_are_refused():
    predictor = PosePredictor(constant_model(np.zeros((16, 3))), pa16j2d)
    picture = np.zeros((32, 64, 3), np.uint8)
    with pytest.raises(ValueError, match="overlap the picture of 64 x 32 px"):
        predictor.predict(picture, [(70, 0, 90, 20)])
    with pytest.raises(ValueError, match="x1 < x2"):
        predictor.predict(picture, [(0, 0, np.inf, 20)])


def test_a_pose_becomes_plain_numbers():
    pose = Pose(np.array([[1.234, 5.0]]), np.array([0.5]), (0, 0, 2, 2), ("head",))
    assert pose.to_dict() == {
        "box": [0.0, 0.0, 2.0, 2.0],
        "joints": {"head": {"x": 1.23, "y": 5.0, "confidence": 0.5}},
    }


def test_a_folded_predictor_answers_the_same_and_leaves_the_model_alone():
    model = small_pose_model()
    frames = np.random.default_rng(0).uniform(-1, 1, (2, 64, 64, 3)).astype("float32")
    plain = PosePredictor(model, pa16j2d)
    folded = PosePredictor(model, pa16j2d, fold=True)
    assert plain.model is model and folded.model is not model
    np.testing.assert_allclose(
        folded.predict_crops(frames), plain.predict_crops(frames), atol=1e-6
    )


@pytest.mark.parametrize("jit", [False, True])
def test_xla_is_used_only_where_it_is_asked_for(jit):
    if keras.backend.backend() != "tensorflow":
        pytest.skip("the switch is TensorFlow's")
    predictor = PosePredictor(constant_model(np.zeros((16, 3))), pa16j2d, jit=jit)
    assert predictor.model.jit_compile is jit
