import concurrent.futures

import keras
import numpy as np
import pytest
from PIL import Image
from tiny_models import Meeting, constant_model, small_pose_model

from deephar.inference.crops import MULTI_CROP
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


def test_xla_sees_few_numbers_of_crops(monkeypatch):
    model, sizes = small_pose_model(), []

    class Seen:
        def predict_on_batch(self, frames):
            sizes.append(len(frames))
            return model.predict_on_batch(frames)

    crops = np.random.default_rng(0).uniform(-1, 1, (3, 64, 64, 3)).astype("float32")
    expected = PosePredictor(model, pa16j2d).predict_crops(crops)
    monkeypatch.setattr("deephar.inference.predictor.runner", lambda *_: Seen())
    found = PosePredictor(model, pa16j2d, jit=True).predict_crops(crops)
    assert sizes == [4]
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.fixture(scope="module")
def two_blocks():
    return small_pose_model(blocks=2)


def _pictures(count=3):
    rng = np.random.default_rng(1)
    return [rng.integers(0, 255, (40 + n, 60, 3), np.uint8) for n in range(count)]


def _numbers(poses):
    return [[*pose.joints.ravel(), *pose.confidence] for pose in poses]


def test_a_path_an_array_and_an_image_give_the_same(two_blocks, tmp_path):
    (picture,) = _pictures(1)
    Image.fromarray(picture).save(tmp_path / "a.png")
    predictor = PosePredictor(two_blocks, pa16j2d)
    expected = _numbers(predictor.predict(picture))
    for same in (tmp_path / "a.png", str(tmp_path / "a.png"), Image.fromarray(picture)):
        np.testing.assert_array_equal(_numbers(predictor.predict(same)), expected)


def test_arrays_of_other_kinds_are_refused():
    predictor = PosePredictor(constant_model(np.zeros((16, 3))), pa16j2d)
    for shape, kind in (((8, 8, 3), float), ((8, 8, 2), np.uint8), ((0, 8, 3), "u1")):
        with pytest.raises(ValueError, match=r"\(h, w, 3\) uint8. Received: an array"):
            predictor.predict(np.zeros(shape, kind))


def test_a_batch_of_pictures_gives_what_each_gives(two_blocks):
    pictures = _pictures()
    boxes = [None, [], [(5, 5, 30, 35), (20, 0, 50, 30)]]
    predictor = PosePredictor(two_blocks, pa16j2d, batch_size=2)
    found = predictor.predict_batch(pictures, boxes)
    assert [len(people) for people in found] == [1, 0, 2]
    for people, picture, some in zip(found, pictures, boxes, strict=True):
        alone = _numbers(predictor.predict(picture, some))
        np.testing.assert_allclose(_numbers(people), alone, atol=1e-4)
    assert predictor.predict_batch([]) == []
    with pytest.raises(ValueError, match="each of the 3 pictures. Received: 1"):
        predictor.predict_batch(pictures, [None])


def test_a_cut_gives_the_block_and_computes_nothing_after_it(two_blocks):
    frames = np.random.default_rng(0).uniform(-1, 1, (2, 64, 64, 3)).astype("float32")
    whole = PosePredictor(two_blocks, pa16j2d).predict_crops(frames)
    first = PosePredictor(two_blocks, pa16j2d, block=1, fold=True)
    found = first.predict_crops(frames)
    assert found.shape == (1, 2, 16, 3) and np.ptp(whole, axis=0).max() > 0.1
    np.testing.assert_allclose(found[0], whole[0], atol=1e-6)
    dense = [isinstance(layer, keras.layers.Dense) for layer in first.model.layers]
    assert sum(dense) == 1
    with pytest.raises(ValueError, match=r"must lie in 1 ... 2.*Received: block=3"):
        PosePredictor(two_blocks, pa16j2d, block=3)


def test_a_look_at_nobody_is_empty(two_blocks):
    looked = PosePredictor(two_blocks, pa16j2d).look([], [])
    assert looked.joints.shape == (2, 0, 16, 3) and looked.windows == []


def test_two_threads_get_what_one_gets_bit_for_bit(two_blocks):
    pictures = _pictures(8)
    predictor = PosePredictor(two_blocks, pa16j2d, flip=True, crops=MULTI_CROP)
    expected = [_numbers(predictor.predict(picture)) for picture in pictures]
    fresh = PosePredictor(two_blocks, pa16j2d, flip=True, crops=MULTI_CROP, fold=False)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda one: _numbers(fresh.predict(one)), pictures * 2))
    np.testing.assert_array_equal(found, expected * 2)


def test_a_run_has_the_model_for_itself(two_blocks, monkeypatch):
    predictor = PosePredictor(two_blocks, pa16j2d)
    meeting = Meeting(predictor._runner.predict_on_batch)
    monkeypatch.setattr(predictor, "_runner", meeting)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(predictor.predict, _pictures(2)))
    assert (meeting.runs, meeting.met) == (2, 0)


def test_the_device_is_checked(two_blocks):
    predictor = PosePredictor(two_blocks, pa16j2d, device="cpu:0", fold=True)
    plain = PosePredictor(two_blocks, pa16j2d, fold=True)
    picture = _pictures(1)[0]
    np.testing.assert_array_equal(
        _numbers(predictor.predict(picture)), _numbers(plain.predict(picture))
    )
    with pytest.raises(ValueError, match="must be cpu or gpu.*device='tpu'"):
        PosePredictor(two_blocks, pa16j2d, device="tpu")
    with pytest.raises(ValueError, match="that .* sees here.*device='gpu:97'"):
        PosePredictor(two_blocks, pa16j2d, device="gpu:97")
