"""commands/overlay.py: predictions drawn on pictures, over time and in space."""

import numpy as np
import pytest

from deephar.commands.overlay import Overlay
from deephar.commands.timeline import TRACK
from deephar.inference.results import Action, FramePrediction, Person, Pose, Pose3D
from deephar.utils.drawing import limbs, limbs_in_space
from deephar.utils.layouts import custom_layout
from deephar.utils.painting import person_color
from deephar.utils.pose import INVALID, coco17j, h36m17j, pa16j2d

LABELS = ("stand", "walk", "wave")
GREY = np.full((240, 360, 3), 128, np.uint8)
NAMES = pa16j2d.joint_names


def standing(x=180.0, y=120.0, height=100.0):
    """A person with arms spread, (16, 2) px, the middle at (x, y)."""
    places = {"pelvis": (0, 0.05), "thorax": (0, -0.3), "neck": (0, -0.35)}
    places["head"] = (0, -0.5)
    for side, way in (("r", -1), ("l", 1)):
        parts = ("shoul", "elb", "wrist", "hip", "knee", "ankle")
        wide = (0.12, 0.25, 0.38, 0.08, 0.1, 0.11)
        high = (-0.3, -0.3, -0.3, 0.05, 0.27, 0.5)
        for part, across, down in zip(parts, wide, high, strict=True):
            places[f"{side}_{part}"] = (way * across, down)
    return height * np.array([places[name] for name in NAMES]) + (x, y)


def person(joints=None, number=1, scores=None, in_space=False, confidence=1.0):
    joints = standing() if joints is None else joints
    low, high = joints.min(axis=0) - 8, joints.max(axis=0) + 8
    box = (*low, *high)
    pose = Pose(joints, np.full(len(joints), confidence), box, tuple(NAMES))
    action = scores and Action(LABELS, {"a1": np.array(scores)}, "a1", (1, 16))
    space = None
    if in_space:
        points = np.random.default_rng(0).uniform(-600, 600, (17, 3))
        space = Pose3D(points, h36m17j)
    return Person(pose, box, 0.9, number, space, action)


def frame(*people, number=1, size=(360, 240), error=None):
    return FramePrediction("film.mp4", number, number / 25, size, people, error)


def far(drawing, color):
    """How far each pixel is from a colour."""
    return np.abs(drawing.astype(int) - color).max(axis=-1)


def test_a_pose_is_drawn_where_the_person_is_and_the_picture_stays():
    picture = GREY.copy()
    drawing = Overlay(pa16j2d).draw(picture, frame(person()))
    assert (picture == 128).all() and drawing.shape == picture.shape
    x, y = standing()[NAMES.index("l_wrist")].astype(int)
    assert drawing[y, x, 2] > 200 > drawing[y, x, 0] + 100
    assert (drawing[:, :90] == 128).all() and (drawing[:, 270:] == 128).all()


def test_every_person_has_a_colour_by_number():
    people = [person(standing(90), 1), person(standing(270), 2)]
    drawing = Overlay(pa16j2d).draw(GREY, frame(*people))
    for number, half in ((0, drawing[:, :180]), (1, drawing[:, 180:])):
        assert (far(half, person_color(number)) < 12).sum() > 200
        assert not (far(half, person_color(1 - number)) < 12).any()
    again = Overlay(pa16j2d).draw(GREY, frame(*people[::-1]))
    np.testing.assert_array_equal(drawing, again)


def test_joints_that_are_not_known_are_left_out_and_doubtful_ones_fade():
    joints = standing()
    x, y = joints[NAMES.index("r_wrist")].astype(int)
    sure = Overlay(pa16j2d).draw(GREY, frame(person(joints)))
    doubtful = Overlay(pa16j2d).draw(GREY, frame(person(joints, confidence=0.3)))
    assert 128 + 10 < doubtful[y, x, 0] < sure[y, x, 0] - 40
    lost = joints.copy()
    lost[NAMES.index("r_wrist")] = INVALID
    pose = Pose(lost, np.ones(16), (0, 0, 9, 9), tuple(NAMES))
    drawing = Overlay(pa16j2d).draw(GREY, frame(Person(pose)))
    assert drawing[y, x].tolist() == [128] * 3


def test_nobody_leaves_the_picture_as_it_is():
    np.testing.assert_array_equal(Overlay(pa16j2d).draw(GREY, frame()), GREY)
    drawing = Overlay(pa16j2d, LABELS, view_3d=True).draw(GREY, frame())
    np.testing.assert_array_equal(drawing[:240, :360], GREY)


def test_somebody_who_is_only_a_box_has_a_box():
    nowhere, hidden = Person(None), Person(None, (100, 60, 200, 200), id=3)
    drawing = Overlay(pa16j2d).draw(GREY, frame(nowhere, hidden))
    assert far(drawing, person_color(2))[60, 150] < 12
    assert drawing[130, 150].tolist() == [128] * 3


@pytest.mark.parametrize(
    ("size", "drawn"),
    [((360, 240), (360, 240)), ((64, 48), (320, 240)), ((20, 30), (220, 330))],
)
def test_small_pictures_are_enlarged(size, drawn):
    overlay = Overlay(pa16j2d)
    assert overlay.size(size) == drawn
    joints = standing(0.5 * size[0], 0.5 * size[1], 0.8 * size[1])
    picture = np.full((*size[::-1], 3), 128, np.uint8)
    drawing = overlay.draw(picture, frame(person(joints), size=size))
    assert drawing.shape == (*drawn[::-1], 3)
    zoom = drawn[0] / size[0]
    knee = joints[NAMES.index("l_knee")]
    x, y = np.rint(zoom * (knee + 0.5) - 0.5).astype(int)
    red, green, _ = drawing[y, x].astype(int)
    assert red > 190 > green + 90


def test_all_frames_of_a_size_make_drawings_of_a_size():
    overlay = Overlay(pa16j2d, LABELS, view_3d=True)
    shapes = set()
    for number, count in enumerate((0, 1, 7, 12, 0), 1):
        people = [
            person(standing(20 * n), n + 1, (0.1, 0.2, 0.7), True) for n in range(count)
        ]
        shapes.add(overlay.draw(GREY, frame(*people, number=number)).shape)
    ((height, width, _),) = shapes
    assert (width, height) == overlay.size((360, 240)) and width > 500 and height > 290


def test_the_names_of_people_side_by_side_do_not_cover_each_other():
    people = [person(standing(170 + 12 * n), n + 1) for n in range(4)]
    drawing = Overlay(pa16j2d).draw(GREY, frame(*people))
    areas = [(far(drawing, person_color(n)) < 30)[:70].sum() for n in range(4)]
    assert min(areas) > 150


@pytest.mark.parametrize("size", [(1, 1), (2, 900), (900, 2), (1300, 40), (33, 31)])
def test_nothing_hangs_over_in_odd_pictures(size):
    labels = ("élan " * 30, "бег", "中文")
    action = Action(labels, {"a": np.array([np.nan, 0.2, 0.9])}, "a", (1, 4))
    body = person(standing(500, -200, 5000), 123, in_space=True, confidence=np.nan)
    one = Person(body.pose, (-1e7, -5, 1e9, 1e4), None, 123, body.pose_3d, action)
    overlay = Overlay(pa16j2d, labels, view_3d=True)
    picture = np.zeros((*size[::-1], 3), np.uint8)
    for number in (1, 2, 70):
        made = frame(one, one, number=number, size=size, error="cannot be read " * 9)
        assert overlay.draw(picture, made).shape[1::-1] == overlay.size(size)


def test_an_error_stands_below():
    drawing = Overlay(pa16j2d).draw(GREY, frame(error="the frame is damaged"))
    assert far(drawing, (190, 55, 50))[-3, 300] < 30 and (drawing[:200] == 128).all()


def test_poses_of_another_layout_are_refused():
    with pytest.raises(ValueError, match=r"shape \(17, 2 or more\)"):
        Overlay(coco17j).draw(GREY, frame(person()))
    with pytest.raises(ValueError, match="dtype=float64"):
        Overlay(coco17j).draw(GREY / 255, frame())
    with pytest.raises(ValueError, match=r"each of the 1 labels. Received: .*\(3,\)"):
        Overlay(pa16j2d, ["run"]).draw(GREY, frame(person(scores=(0.1, 0.2, 0.7))))


def curves(drawing, color):
    """Px of each column below the picture that have a person's own bright colour."""
    strip = drawing[240:]
    return (far(strip, color) < 4).sum(axis=0)


def test_the_scores_of_the_last_seconds_move_below():
    overlay, color = Overlay(pa16j2d, LABELS, seconds=2.0), person_color(0)
    for number in range(1, 61):
        scores = (0.1, 0.85, 0.05) if number > 35 else (0.1, 0.05, 0.85)
        drawing = overlay.draw(GREY, frame(person(scores=scores), number=number))
    found = curves(drawing, color)
    columns = np.flatnonzero(found > 5)
    ends = columns[columns > 60]
    # The row of "walk", bright as it is the answer now, was high for a second only.
    assert np.ptp(ends) == pytest.approx(0.5 * (360 - 60 - 30), rel=0.15)
    for number in range(61, 140):
        drawing = overlay.draw(GREY, frame(number=number))
    assert not (curves(drawing, color) > 2).any()


def test_more_people_have_fewer_classes_each():
    labels = [f"class {number}" for number in range(15)]
    action = Action(tuple(labels), {"a": np.linspace(0, 0.1, 15)}, "a", (1, 2))

    def rows(count):
        box = (9, 9, 50, 99)
        people = [Person(None, box, None, n, None, action) for n in range(1, count + 1)]
        drawing = Overlay(pa16j2d, labels).draw(GREY, frame(*people))
        tracks = far(drawing[240:, 180:181], TRACK)[:, 0] < 3
        return np.diff(tracks.astype(int)).clip(0).sum()

    assert [rows(count) for count in (1, 2, 3, 9)] == [4, 4, 3, 4]


def test_space_has_a_figure_for_each_and_keeps_their_places():
    overlay = Overlay(pa16j2d, view_3d=True)
    one, two = (person(standing(90 * n), n, in_space=True) for n in (1, 2))
    beside = overlay.draw(GREY, frame(one, two, number=1))[:, 360:]
    colors = [person_color(0), person_color(1)]
    places = [np.argwhere(far(beside, c) < 12).mean(axis=0) for c in colors]
    assert np.abs(places[0] - places[1]).max() > 60
    left = overlay.draw(GREY, frame(two, number=2))[:, 360:]
    here = np.argwhere(far(left, colors[1]) < 12).mean(axis=0)
    np.testing.assert_allclose(here, places[1])
    alone = overlay.draw(GREY, frame(two, number=60))[:, 360:]
    assert not (far(alone, colors[0]) < 12).any()


def test_a_figure_stands_on_the_floor_whatever_it_does():
    def lowest(height):
        joints = np.zeros((17, 3))
        joints[:, 1] = np.linspace(0, height, 17)
        space = Pose3D(joints, h36m17j)
        drawing = Overlay(pa16j2d, view_3d=True).draw(
            GREY, frame(Person(None, None, None, None, space))
        )
        return np.nonzero(drawing[:, 360:].max(axis=(1, 2)) > 150)[0].max()

    assert lowest(1000) == pytest.approx(lowest(500), abs=2)


@pytest.mark.parametrize("links", [[], ["ab", "bc", "ca"], ["bc"]])
def test_joints_that_no_tree_holds_are_seen_in_space(links):
    layout = custom_layout([*"abcd"], [("a", "b")], map(tuple, links), dim=3)
    space = Pose3D(400.0 * np.eye(4, 3), layout)
    beside = Overlay(layout, view_3d=True).draw(
        GREY, frame(Person(None, None, None, None, space))
    )[:, 360:]
    red, blue, green = (limbs(layout)[1][joint] for joint in (0, 1, 2))
    assert all((far(beside, color) < 60).any() for color in (red, blue, green))


def test_a_limb_in_space_is_drawn_once_and_cycles_are_closed():
    girdled = custom_layout(["thorax", "r_shoul"], links=[("thorax", "r_shoul")], dim=3)
    assert limbs_in_space(girdled)[0] == [(0, 1)]
    ring = custom_layout([*"abc"], links=map(tuple, ["ca", "ab", "bc"]), dim=3)
    assert limbs_in_space(ring)[0] == [(2, 0), (0, 1), (1, 2)]
    links, colors = limbs_in_space(h36m17j)
    assert links == [tuple(link) for link in h36m17j.links] and len(colors) == 17


def test_a_film_that_begins_again_begins_anew():
    overlay = Overlay(pa16j2d, LABELS, view_3d=True)
    first = overlay.draw(GREY, frame(person(scores=(0.1, 0.2, 0.7), in_space=True)))
    for number in range(2, 30):
        one = person(standing(60), 2, (0.9, 0.1, 0.0), True)
        overlay.draw(GREY, frame(one, number=number))
    again = overlay.draw(GREY, frame(person(scores=(0.1, 0.2, 0.7), in_space=True)))
    np.testing.assert_array_equal(first, again)
