"""Configurations: the original's values, draws by a given generator, refusals."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from deephar.config import (
    DataConfig,
    ModelConfig,
    get_dataconf,
    human36m_dataconf,
    mpii_sp_dataconf,
)
from deephar.utils.pose import pa16j2d

KEYS = ["angle", "scale", "transx", "transy", "hflip", "chpower", "geoocclusion"]
NAMES = [
    *("mpii_sp_dataconf", "pennaction_dataconf", "pennaction_pe_dataconf"),
    *("human36m_dataconf", "ntu_dataconf", "ntu_pe_dataconf"),
]
# fixed step between frames, steps of training, largest shift down, scales
STEPS = {
    "pennaction_dataconf": (6, (4, 6, 8), 10, (0.7, 1.0, 1.3)),
    "pennaction_ar_dataconf": (2, (1, 2, 3), 40, (0.7, 1.0, 1.3)),
    "pennaction_cvpr18_dataconf": (1, (1, 2), 40, (0.7, 1.0, 1.3, 2.5)),
    "ntu_dataconf": (4, (3, 4, 5), 10, (0.7, 1.0, 1.3)),
    "ntu_ar_dataconf": (2, (1, 2, 3), 40, (0.7, 1.0, 1.3)),
}


def row(draw):
    """The draw as the thirteen numbers that the reference values hold."""
    box = draw["geoocclusion"] or (np.nan,) * 4
    keys = ("angle", "scale", "transx", "transy", "hflip")
    return [*(draw[k] for k in keys), *draw["chpower"], *box, draw["subspl"]]


@pytest.mark.parametrize("name", NAMES)
def test_draws_take_the_originals_values(name, golden):
    conf, rng = get_dataconf(name), np.random.default_rng(0)
    theirs = np.load(golden / "dataconf.npz")[name]
    ours = np.array([row(conf.random_data_generator(rng)) for _ in range(3000)])
    for column in [0, 1, 2, 3, 4, 5, 6, 7, 12]:
        assert set(theirs[:, column]) <= set(ours[:, column])
    if name == "human36m_dataconf":
        assert theirs[:, 8:12].min() >= ours[:, 8:12].min() - 10
        assert theirs[:, 8:12].max() <= ours[:, 8:12].max() + 10
    else:
        assert np.isnan(ours[:, 8:12]).all()


@pytest.mark.parametrize("name", NAMES)
def test_fixed_values_equal_the_originals(name, golden):
    fixed = get_dataconf(name).get_fixed_config()
    values = [fixed[k] for k in [*KEYS, "subspl"]]
    values = [np.nan if v is None else v for v in values]
    np.testing.assert_array_equal(
        values, np.load(golden / "dataconf.npz")[name + "_fixed"]
    )


@pytest.mark.parametrize("name", STEPS)
def test_clip_configurations_of_both_branches(name):
    conf = get_dataconf(name)
    step = (conf.fixed_subsampling, conf.subsampling, max(conf.trans_y), conf.scales)
    assert step == STEPS[name]


def test_lists_ranges_and_arrays_become_tuples():
    conf = DataConfig(angles=range(-5, 6, 5), scales=np.array([0.5, 1.0]), hflips=[0])
    assert conf.angles == (-5, 0, 5)
    assert conf.scales == (0.5, 1.0)
    assert type(conf.scales[0]) is float
    assert hash(conf) == hash(dataclasses.replace(conf))


def test_input_shape_of_a_wide_crop_is_rows_first():
    conf = dataclasses.replace(mpii_sp_dataconf, crop_resolution=(320, 192))
    assert conf.input_shape == (192, 320, 3)


def test_a_configuration_cannot_be_changed_in_place():
    with pytest.raises(dataclasses.FrozenInstanceError):
        mpii_sp_dataconf.fixed_hflip = 1


def test_equal_generators_draw_equal_values():
    a, b = (
        get_dataconf("human36m_dataconf").random_data_generator(
            np.random.default_rng(7)
        )
        for _ in range(2)
    )
    assert a == b
    assert set(mpii_sp_dataconf.random_data_generator()) == {*KEYS, "subspl"}


def test_the_occluding_rectangle_lies_in_a_wide_crop():
    conf = DataConfig(crop_resolution=(200, 100), geoocclusion=range(20, 90))
    rng = np.random.default_rng(1)
    boxes = [conf.random_data_generator(rng)["geoocclusion"] for _ in range(500)]
    boxes = np.array(boxes)
    assert boxes.min() >= 0
    assert (boxes[:, 2:] <= [200, 100]).all()
    assert boxes[:, 2].max() > 150
    assert (boxes[:, 2] - boxes[:, 0]).max() <= 89


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"crop_resolution": (256,)}, "`crop_resolution` must be a sequence of 2"),
        ({"crop_resolution": (0, 256)}, "`crop_resolution` must be made of integers"),
        ({"angles": []}, "`angles` must be a sequence of at least one value"),
        ({"angles": [float("nan")]}, "`angles` must be made of finite numbers"),
        ({"scales": [0]}, "`scales` must be made of numbers above 0"),
        ({"fixed_scale": -1}, "`fixed_scale` must be one of numbers above 0"),
        ({"hflips": [2]}, "`hflips` must be made of 0 and 1"),
        ({"fixed_chpower": (1, 1)}, "`fixed_chpower` must be one number or three"),
        ({"subsampling": [1.5]}, "`subsampling` must be made of integers"),
        ({"geoocclusion": [300]}, "`geoocclusion` must lie between 1 and 253 px"),
        ({"fixed_geoocclusion": (1, 2)}, "`fixed_geoocclusion` must be None or"),
    ],
)
def test_refusals_name_the_field(change, message):
    with pytest.raises(ValueError, match=message):
        DataConfig(**change)


def test_an_unknown_name_is_answered_with_the_known_ones():
    with pytest.raises(ValueError, match="mpii_sp_dataconf, .*Received: name='mpi'"):
        get_dataconf("mpi")


def test_model_configuration_has_the_originals_defaults():
    conf = ModelConfig((4, 256, 256, 3), pa16j2d, num_actions=[15])
    assert (conf.num_joints, conf.dim, conf.num_actions) == (16, 2, (15,))
    assert (conf.num_pyramids, conf.action_pyramids, conf.num_levels) == (8, (1, 2), 4)
    assert (conf.kernel_size, conf.growth, conf.image_div) == ((5, 5), 96, 8)
    assert (conf.num_pose_features, conf.num_visual_features) == (128, 128)
    assert hash(conf) == hash(dataclasses.replace(conf))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"input_shape": (256, 256)}, "`input_shape` must have 3 or 4"),
        ({"poselayout": None}, "`poselayout` must have `num_joints`"),
        ({"num_actions": 15}, "`num_actions` must be a sequence of integers"),
        ({"poselayout": SimpleNamespace(num_joints=16, dim=1)}, "`poselayout.dim` mus"),
        ({"poselayout": SimpleNamespace(num_joints=0, dim=2)}, "at least one joint"),
        ({"num_levels": 0}, "`num_levels` must be an integer of at least 1"),
        ({"growth": 1}, "`growth` must be at least 2. Received: growth=1"),
        ({"pose_replica": "no"}, "`pose_replica` must be True or False. .*='no'"),
        ({"image_div": 5}, "`image_div` must be 4, 8, 16 or 32"),
        ({"downsampling_type": "avg"}, "`downsampling_type` must be"),
        ({"num_actions": [5], "action_pyramids": [9]}, "between 1 and num_pyramids=8"),
        ({"sam_alpha": 0}, "`sam_alpha` must be above 0"),
    ],
)
def test_model_refusals_name_the_field(change, message):
    arguments = {"input_shape": (256, 256, 3), "poselayout": pa16j2d, **change}
    with pytest.raises(ValueError, match=message):
        ModelConfig(**arguments)


def test_without_augmentation_every_draw_is_the_fixed_one():
    plain = human36m_dataconf.without_augmentation()
    fixed = plain.get_fixed_config()
    drawn = plain.random_data_generator(np.random.default_rng(0))
    assert drawn.pop("chpower") == (fixed.pop("chpower"),) * 3
    assert drawn == fixed
