"""Several crops a person, and windows that the pose refines."""

import functools
import types

import numpy as np
import pytest
from evaluation_workers import Workers
from PIL import Image
from tiny_models import constant_model
from tiny_mpii import write_tiny_mpii

from deephar.config import DataConfig
from deephar.data import MpiiSinglePerson
from deephar.data.synthetic.scene import make_sample
from deephar.evaluation.pose import locate_poses, predict_poses, score_pckh
from deephar.inference import MULTI_CROP, PosePredictor, Window
from deephar.inference.crops import average, crop, locate, refined
from deephar.utils.modes import VALID_MODE
from deephar.utils.pose import pa16j2d, pa17j3d

RESOLUTION = (128, 128)
COLOURS = np.stack(
    [np.where(np.arange(16) % 2, 255, 0), np.full(16, 255), np.arange(16) * 16], axis=-1
)
"""A colour for every joint that no shade of grey has."""


def _picture(joints, size=(400, 300), radius=6):
    """Grey, with a square of every joint's own colour around it."""
    pixels = np.full((size[1], size[0], 3), 90, np.uint8)
    for (x, y), colour in zip(np.asarray(joints), COLOURS, strict=True):
        rows = slice(round(y) - radius, round(y) + radius)
        pixels[rows, round(x) - radius : round(x) + radius] = colour
    return Image.fromarray(pixels)


def _finder(frames):
    """A predictor that knows the answer: the middle of each joint's colour, 1 block."""
    levels = (frames + 1) * 127.5
    result = np.zeros((1, len(frames), 16, 3))
    for joint, colour in enumerate(COLOURS):
        near = np.abs(levels - colour).max(axis=-1) < 4
        for row, found in enumerate(near):
            rows, cols = np.nonzero(found)
            if len(rows):
                x, y = (cols.mean() + 0.5), (rows.mean() + 0.5)
                height, width = found.shape
                result[0, row, joint] = x / width, y / height, 1
    return result


def _joints(low=(100, 60), high=(260, 240)):
    grid = np.stack(np.meshgrid(np.arange(4), np.arange(4)), axis=-1).reshape(16, 2)
    return np.round(low + grid / 3 * (np.array(high) - low))


def test_a_joint_maps_to_the_same_pixel_from_every_crop():
    joints = _joints()
    window = Window((180, 150), (256, 256))
    for shape in MULTI_CROP:
        found = locate(_finder, [_picture(joints)], [window], (256, 256), crops=[shape])
        assert found.joints.shape == (1, 1, 16, 3)
        np.testing.assert_allclose(found.joints[0, 0, :, :2], joints, atol=0.6)
    found = locate(_finder, [_picture(joints)], [window], (256, 256), crops=MULTI_CROP)
    np.testing.assert_allclose(found.joints[0, 0, :, :2], joints, atol=0.4)
    assert found.windows == [window]


def test_the_matrix_of_a_crop_is_exact():
    frame, matrix = crop(
        Image.new("RGB", (99, 70)), Window((40, 30), (64, 32)), (32, 8)
    )
    assert frame.shape == (8, 32, 3)
    np.testing.assert_allclose(matrix @ [8, 14, 1], [0, 0, 1], atol=1e-12)
    np.testing.assert_allclose(matrix @ [72, 46, 1], [1, 1, 1], atol=1e-12)
    np.testing.assert_allclose(matrix @ [40, 30, 1], [0.5, 0.5, 1], atol=1e-12)


def test_a_joint_outside_some_crops_is_where_the_others_saw_it():
    joints = _joints()
    joints[0] = (62, 150)
    window, picture = Window((180, 150), (250, 250)), _picture(joints, radius=3)
    found = locate(_finder, [picture], [window], (250, 250), crops=MULTI_CROP)
    seen = found.joints[0, 0, 0]
    np.testing.assert_allclose(seen[:2], joints[0], atol=1.0)
    assert seen[2] == pytest.approx(5 / 7)


def test_the_average_is_weighted_by_confidence_and_skips_what_is_not_finite():
    crops = np.zeros((1, 1, 3, 2, 3))
    crops[0, 0, :, 0] = [(10, 20, 0.9), (20, 40, 0.1), (np.nan, 0, 1)]
    crops[0, 0, :, 1] = np.nan
    result = average(crops)
    np.testing.assert_allclose(result[0, 0, 0], (11, 22, 0.5), atol=1e-4)
    assert np.isnan(result[0, 0, 1]).all()


@pytest.mark.parametrize("index", range(4))
def test_refinement_finds_the_window_of_generated_people(index):
    sample = make_sample(3, index)
    picture = Image.fromarray(sample.picture)
    size = np.array(picture.size)
    joints = np.clip(sample.labels.mpii_pose(), 8, size - 8)
    marks = _picture(joints, picture.size, 8)
    picture.paste(marks, mask=_not_grey(marks))
    whole = Window(tuple(size / 2), (size.max(), size.max()))
    three, four = (
        locate(_finder, [picture], [whole], (256, 256), refine=times, keep=0.0)
        for times in (3, 4)
    )
    found = three.joints[0, 0]
    found = found[found[:, 2] > 0.5, :2]
    assert len(found) >= 12
    low, high = found.min(axis=0), found.max(axis=0)
    (window,) = three.windows
    assert window.size[0] == pytest.approx(1.5 * (high - low).max(), rel=0.03)
    np.testing.assert_allclose(window.center, (low + high) / 2, atol=2)
    np.testing.assert_allclose(window, four.windows[0], atol=2)
    x1, y1, x2, y2 = window.box
    assert (joints > (x1, y1)).all() and (joints < (x2, y2)).all()


def _not_grey(picture):
    pixels = np.asarray(picture)
    return Image.fromarray(((pixels != 90).any(axis=-1) * 255).astype(np.uint8))


def test_a_kept_centre_moves_a_fifth_of_the_way_as_in_the_original():
    window, sure = Window((100, 100), (200, 100)), np.ones(16)
    new = refined(window, _joints((200, 160), (240, 240)), sure)
    assert new.center == pytest.approx((124, 120))
    assert new.size == pytest.approx((1.5 * 80, 0.75 * 80))


def test_a_refined_window_of_a_picture_or_a_box_follows_the_pose():
    joints = np.full((16, 3), 0.25)
    joints[8:, :2], joints[:, 2] = 0.5, 1
    predictor = PosePredictor(constant_model(joints), pa16j2d, refine=1)
    picture = Image.new("RGB", (400, 400))
    (whole,) = predictor.predict(picture)
    assert whole.box == pytest.approx((75, 75, 225, 225))
    np.testing.assert_allclose(whole.joints[0], (75 + 150 / 4,) * 2, atol=1e-3)
    (boxed,) = predictor.predict(picture, [(120, 120, 280, 280)])
    x1, y1, x2, y2 = boxed.box
    assert (x2 - x1, (x1 + x2) / 2) == pytest.approx((75, 175), abs=1)


def test_a_window_stays_where_too_little_was_found():
    window, joints = Window((100, 100), (200, 200)), _joints()
    sure = np.zeros(16)
    sure[:3] = 1
    assert refined(window, joints, sure) == window
    assert refined(window, np.full((16, 2), 50.0), np.ones(16)) == window
    assert refined(window, np.full((16, 2), np.nan), np.ones(16)) == window


def test_a_mirrored_picture_exchanges_left_and_right():
    rng = np.random.default_rng(0)
    model = constant_model(rng.uniform(0.1, 0.9, (16, 3)), (64, 64))
    model = _reflecting(model)
    picture = Image.fromarray(rng.integers(0, 255, (80, 80, 3), dtype=np.uint8))
    mirror = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    predictor = PosePredictor(model, pa16j2d, flip=True, crops=MULTI_CROP[:3])
    one, other = (predictor.predict(each)[0] for each in (picture, mirror))
    expected = other.joints[pa16j2d.map_hflip]
    np.testing.assert_allclose(one.joints[:, 0], 80 - expected[:, 0], atol=0.05)
    np.testing.assert_allclose(one.joints[:, 1], expected[:, 1], atol=0.05)


def _reflecting(constant):
    """A model that adds the mean of the picture's left edge: not symmetric."""

    def predict(frames):
        shift = frames[:, :, :8].mean(axis=(1, 2), dtype=np.float64)[:, None] * 0.1
        result = constant.predict_on_batch(frames).astype(np.float64)
        result[..., :2] += shift[..., :2]
        return result

    outputs = types.SimpleNamespace(
        input_shape=constant.input_shape, predict_on_batch=predict, outputs=[0]
    )
    return outputs


@pytest.fixture
def mpii(tmp_path):
    folder = write_tiny_mpii(tmp_path / "mpii", valid=5)
    return MpiiSinglePerson(folder, DataConfig(crop_resolution=(64, 64)))


def test_looking_once_at_pictures_equals_looking_at_the_data_set_s_crops(mpii):
    joints = np.random.default_rng(1).uniform(0.2, 0.8, (16, 3))
    predictor = PosePredictor(constant_model(joints, blocks=2), mpii.poselayout)
    crops = predict_poses(predictor.predict_crops, mpii, VALID_MODE, 2)
    pictures = locate_poses(predictor.locate, mpii, VALID_MODE, 2)
    for name in ("poses", "confidence", "truth", "truth_inside", "head_size"):
        one, other = getattr(crops, name), getattr(pictures, name)
        np.testing.assert_allclose(one, other, atol=1e-3)


def test_an_unreadable_picture_is_wrong_there_too_and_workers_share(mpii):
    with open(f"{mpii.dataset_path}/images/v1.jpg", "r+b") as file:
        file.truncate(300)
    predictor = PosePredictor(
        constant_model(np.full((16, 3), 0.5)), mpii.poselayout, crops=MULTI_CROP
    )
    found = locate_poses(predictor.locate, mpii, VALID_MODE, 2)
    assert np.isnan(found.poses[:, 1]).all() and found.num_unreadable == 1
    assert list(found.errors) == [f"{mpii.dataset_path}/images/v1.jpg"]
    assert score_pckh(found, mpii.poselayout)["samples"] == 5
    evaluate = functools.partial(locate_poses, predictor.locate, mpii, VALID_MODE, 2)
    workers = Workers(evaluate, 4)
    assert [len(part["poses"]) for part in workers.parts] == [0, 2, 2, 1]
    for shared in workers.whole:
        np.testing.assert_array_equal(shared.poses, found.poses)


def test_people_and_windows_must_match(mpii):
    predictor = PosePredictor(constant_model(np.zeros((16, 3))), mpii.poselayout)
    with pytest.raises(ValueError, match="Received: 1 pictures, 0 windows"):
        predictor.locate([Image.new("RGB", (9, 9))], [])
    with pytest.raises(ValueError, match="`refine` must be at least 0.*refine=-1"):
        PosePredictor(predictor.model, mpii.poselayout, refine=-1)


def _space_joints(z=0.75):
    joints = np.full((17, 4), 0.5)
    joints[:, 2] = np.where(np.arange(17) == 0, 0.5, z)
    return joints


def test_depth_is_in_mm_and_its_range_grows_with_the_window():
    predictor = PosePredictor(constant_model(_space_joints()), pa17j3d, batch_size=3)
    window, picture = Window((60, 40), (80, 80)), Image.new("RGB", (120, 90))
    for shape in ((1.0, 0.0, 0.0), (0.9, 0.1, 0.0), (1.2, 0.0, -0.1)):
        predictor.crops = (shape,)
        (pose,) = predictor.locate([picture], [window]).joints[-1]
        assert pose.shape == (17, 4)
        assert pose[0, 2] == 0
        np.testing.assert_allclose(pose[1:, 2], 500 * shape[0], atol=1e-3)
    predictor.crops = MULTI_CROP
    people = predictor.locate([picture] * 2, [window] * 2).joints[-1]
    np.testing.assert_allclose(people[:, 1:, 2], 500, atol=1e-3)
    np.testing.assert_allclose(people[..., :2], [[[60, 40]] * 17] * 2, atol=1.0)


def test_the_range_of_depth_follows_a_refined_window_too():
    joints = _space_joints()
    joints[8:, :2], joints[:, 3] = 0.75, 1
    predictor = PosePredictor(constant_model(joints), pa17j3d, refine=1)
    (pose,) = predictor.predict(Image.new("RGB", (400, 400)))
    assert pose.box[2] - pose.box[0] == pytest.approx(150)
    np.testing.assert_allclose(pose.joints[1:, 2], 500 * 150 / 400, atol=1e-3)
    head = pose.to_dict()["joints"]["head"]
    assert head["z"] == 187.5 and set(head) == {"x", "y", "z", "confidence"}


def test_depth_is_averaged_with_the_mirror_image():
    joints = _space_joints()
    left, right = (pa17j3d.joint_names.index(f"{side}_knee") for side in "lr")
    joints[left, 2], joints[right, :3] = 0.25, (0.9, 0.5, 0.75)
    predictor = PosePredictor(constant_model(joints), pa17j3d, flip=True)
    result = predictor.predict_crops(np.zeros((1, 64, 64, 3), np.float32))[0, 0]
    np.testing.assert_allclose(result[[left, right], 2], 0.5, atol=1e-6)
    np.testing.assert_allclose(result[[left, right], 0], (0.3, 0.7), atol=1e-6)


def test_a_model_of_another_dimension_than_its_layout_is_refused():
    predictor = PosePredictor(constant_model(np.zeros((17, 3))), pa17j3d)
    with pytest.raises(ValueError, match=r"width 4.*Received: shapes \[\(1, 17, 3\)\]"):
        predictor.predict(np.zeros((32, 32, 3), np.uint8))
