"""Layouts of any joints."""

import json
import pickle

import pytest

from deephar.utils.layouts import (
    LAYOUTS,
    custom_layout,
    describe_layout,
    layout_from,
    mirrored_name,
    side_pairs,
)
from deephar.utils.pose import coco17j

CAT = ["nose", "tail", "left_paw", "right_paw"]


def test_a_layout_of_any_joints_is_as_the_named_ones():
    cat = custom_layout(CAT, [["right_paw", "left_paw"]], [["nose", "tail"]])
    assert (cat.num_joints, cat.dim, cat.joint_names) == (4, 2, CAT)
    assert cat.map_hflip == [0, 1, 3, 2] and cat.links == [[0, 1]]
    assert cat.cmap == [0, 0, 2, 1] and set(vars(coco17j)) <= set(vars(cat))


@pytest.mark.parametrize("layout", LAYOUTS.values())
def test_a_named_layout_is_found_by_its_description(layout):
    described = json.loads(json.dumps(describe_layout(layout)))
    assert layout_from(described) is layout is layout_from(layout.__name__)
    again = layout_from({**described, "name": "other"})
    for key in ("num_joints", "dim", "joint_names", "map_hflip", "links"):
        assert getattr(again, key) == getattr(layout, key)


def test_a_description_keeps_sigmas_head_and_the_sides():
    cat = custom_layout(
        CAT, [["right_paw", "left_paw"]], [], 3, "cat", [0.1, 0.2, 0.3, 0.4], CAT[:2]
    )
    again = layout_from(describe_layout(cat))
    assert vars(again).keys() == vars(cat).keys()
    assert again.sigmas == [0.1, 0.2, 0.3, 0.4] and again.head == [0, 1]
    assert vars(pickle.loads(pickle.dumps(cat)))["sigmas"] == cat.sigmas
    assert again.cmap == cat.cmap and again.dim == 3 and again.__name__ == "cat"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"joint_names": []}, "`joint_names` must be a list of names"),
        ({"joint_names": "nose"}, "`joint_names` must be a list of names"),
        ({"joint_names": ["a", "a"]}, "must differ. Received: 'a' twice"),
        ({"flips": [["nose", "paw"]]}, "`flips` must be of two different joints"),
        ({"flips": [CAT[:2], CAT[1:3]]}, "a joint in one pair at most"),
        ({"links": [["nose", "nose"]]}, "`links` must be of two different joints"),
        ({"dim": 4}, "`dim` must be 2 or 3"),
        ({"name": "my cat"}, "`name` must be a name of letters"),
        ({"sigmas": [0.1, 0.2]}, "`sigmas` must be 4 numbers above 0"),
        ({"head": ["nose"]}, "`head` must be of two different joints"),
    ],
)
def test_a_layout_that_is_none_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        custom_layout(**{"joint_names": CAT, **arguments})


@pytest.mark.parametrize("layout", LAYOUTS.values())
def test_names_tell_the_sides_of_the_named_layouts(layout):
    flips = describe_layout(layout)["flips"]
    pairs = side_pairs(layout.joint_names)
    assert sorted(map(sorted, pairs)) == sorted(map(sorted, flips))


@pytest.mark.parametrize(
    ("left", "right"),
    [
        *(
            ("left_paw", "right_paw"),
            ("pawLeft", "pawRight"),
            ("LEFT_PAW", "RIGHT_PAW"),
        ),
        *(
            ("l_paw", "r_paw"),
            ("paw_l", "paw_r"),
            ("paw.L", "paw.R"),
            ("L paw", "R paw"),
        ),
        *(("pawL", "pawR"), ("LPaw", "RPaw"), ("lpaw", "rpaw"), ("LHIP", "RHIP")),
        *(("paw_l_1", "paw_r_1"), ("rear_left", "rear_right"), ("REAR_L", "REAR_R")),
        ("left_eye_right_corner", "right_eye_left_corner"),
    ],
)
def test_sides_are_found_in_names(left, right):
    assert (mirrored_name(left), mirrored_name(right)) == (right, left)
    for names in ([left, "nose", right], [right, left, "rump"]):
        assert side_pairs(names) == [[right, left]]


def test_names_without_the_other_side_are_no_pair():
    assert side_pairs(["nose", "rump", "left_paw", "lip", "paw1", "paw2"]) == []
    assert mirrored_name("nose") == "nose"


def test_a_whole_number_of_coordinates_is_an_integer():
    assert custom_layout(CAT, dim=2.0).dim == 2
    assert type(custom_layout(CAT, dim=2.0).dim) is int


def test_another_name_or_key_is_refused():
    with pytest.raises(ValueError, match="must be one of pa16j2d.*Received: 'mpii'"):
        layout_from("mpii")
    with pytest.raises(ValueError, match="a layout has name.*Received: 'flip'"):
        layout_from({"joints": CAT, "flip": []})
