"""Drawings: the right colour in the right place, and files without a display."""

import numpy as np
import pytest
from PIL import Image

from deephar.utils.drawing import close_up
from deephar.utils.plot import (
    contact_sheet,
    data_to_image,
    draw,
    draw_action,
    draw_pose,
    plot_3d_pose,
    show,
)
from deephar.utils.pose import INVALID, coco17j, ntu25j3d, pa16j2d, pa17j3d

RED, BLUE = pa16j2d.joint_names.index("r_elb"), pa16j2d.joint_names.index("l_elb")


@pytest.fixture
def pose():
    """A standing person of 100 px in a picture of 160 x 160."""
    joints = {
        "pelvis": (80, 90),
        "thorax": (80, 50),
        "neck": (80, 44),
        "head": (80, 30),
    }
    for side, sign in (("r_", -1), ("l_", 1)):
        joints[side + "shoul"] = (80 + 14 * sign, 50)
        joints[side + "elb"] = (80 + 34 * sign, 62)
        joints[side + "wrist"] = (80 + 44 * sign, 80)
        joints[side + "hip"] = (80 + 9 * sign, 90)
        joints[side + "knee"] = (80 + 11 * sign, 112)
        joints[side + "ankle"] = (80 + 13 * sign, 134)
    return np.array([joints[name] for name in pa16j2d.joint_names], dtype=float)


def pixel(image, point):
    return np.asarray(image)[int(point[1]), int(point[0])].astype(int)


def blank(size=(160, 160)):
    return Image.new("RGB", size, "white")


def test_sides_have_their_colours(pose):
    image = draw_pose(blank(), pose, pa16j2d)
    red, blue = pixel(image, pose[RED]), pixel(image, pose[BLUE])
    assert red[0] > 200 and red[2] < 100
    assert blue[2] > 200 and blue[0] < 100
    assert pixel(image, (5, 5)).tolist() == [255, 255, 255]


def test_invalid_joints_and_their_limbs_are_left_out(pose):
    for bad in (INVALID, np.nan, np.inf):
        pose[RED] = bad
        image = draw_pose(blank(), pose, pa16j2d)
        assert pixel(image, (46, 62)).tolist() == [255, 255, 255]
    pose[:] = INVALID
    assert not np.any(np.asarray(draw_pose(blank(), pose, pa16j2d)) != 255)


def test_doubtful_joints_fade(pose):
    sure = draw_pose(blank(), pose, pa16j2d, confidence=np.ones((16, 1)))
    confidence = np.ones(16)
    confidence[RED] = 0.3
    doubtful = draw_pose(blank(), pose, pa16j2d, confidence)
    assert pixel(doubtful, pose[RED])[2] > pixel(sure, pose[RED])[2] + 80
    assert pixel(doubtful, pose[BLUE])[0] == pixel(sure, pose[BLUE])[0]


def test_lines_grow_with_the_person_and_are_smooth(pose):
    small = np.asarray(draw_pose(blank(), pose, pa16j2d)) != 255
    large = np.asarray(draw_pose(blank((640, 640)), 4 * pose, pa16j2d)) != 255
    assert 11 < large.sum() / small.sum() < 20
    shades = np.unique(
        np.asarray(draw_pose(blank(), pose, pa16j2d)).reshape(-1, 3), axis=0
    )
    assert len(shades) > 100


def test_the_picture_itself_is_left_alone(pose):
    array = np.full((160, 160, 3), 255, np.uint8)
    draw_pose(array, pose, pa16j2d)
    image = blank()
    draw_pose(image, pose, pa16j2d)
    assert (array == 255).all()
    assert (np.asarray(image) == 255).all()


def test_joints_outside_the_picture_do_no_harm(pose):
    image = draw_pose(blank(), pose + [100, -60], pa16j2d)
    assert image.size == (160, 160)
    far = draw_pose(blank(), pose + 1000, pa16j2d)
    assert (np.asarray(far) == 255).all()


@pytest.mark.parametrize("layout", [pa17j3d, coco17j, ntu25j3d])
def test_every_layout_can_be_drawn(layout):
    points = np.random.default_rng(0).uniform(20, 140, (layout.num_joints, 3))
    assert (np.asarray(draw_pose(blank(), points, layout)) != 255).any()


def test_wrong_poses_are_refused(pose):
    with pytest.raises(ValueError, match=r"`pose` must have the shape \(16, 2 or more"):
        draw_pose(blank(), pose[:15], pa16j2d)
    with pytest.raises(ValueError, match="`confidence` must have 16 values"):
        draw_pose(blank(), pose, pa16j2d, np.ones(15))
    with pytest.raises(ValueError, match="`picture` must be .* dtype=float64"):
        draw_pose(np.zeros((8, 8, 3)), pose, pa16j2d)


def test_a_sheet_has_a_cell_for_each_picture():
    pictures = [Image.new("RGB", (40, 30), color) for color in ("red", "blue", "lime")]
    sheet = contact_sheet(pictures, columns=2, titles=["a", "b", "c"])
    assert sheet.size == (2 * 44 + 4, 2 * (30 + 18 + 4) + 4)
    assert sheet.getpixel((64, 40)) == (0, 0, 255)
    assert sheet.getpixel((20, 90)) == (0, 255, 0)
    assert contact_sheet(pictures[:1]).size == (48, 38)


def test_an_impossible_sheet_is_refused():
    with pytest.raises(ValueError, match="Received: 0 pictures"):
        contact_sheet([])
    with pytest.raises(ValueError, match="`titles` must be one for each of the 1"):
        contact_sheet([blank()], titles=["a", "b"])


def test_arrays_are_stretched_to_pictures():
    ramp = np.linspace(-2, 2, 256).reshape(16, 16)
    image = np.asarray(data_to_image(ramp))
    assert image.shape == (16, 16, 3)
    assert (image[0, 0, 0], image[-1, -1, 0]) == (0, 255)
    grey = np.asarray(data_to_image(np.random.default_rng(0).random((4, 4, 3)), True))
    np.testing.assert_array_equal(grey[..., 0], grey[..., 2])
    assert data_to_image(None).size == (100, 100)


def test_pictures_are_shown_into_files(tmp_path):
    show(np.eye(8), filename=tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        assert image.size == (8, 8)
    show(np.eye(8), jet_cmap=True, filename=tmp_path / "b.png")
    with Image.open(tmp_path / "b.png") as image:
        assert image.getpixel((0, 0)) == (127, 0, 0)
        assert image.getpixel((1, 0)) == (0, 0, 127)


@pytest.mark.parametrize("single_window", [True, False])
def test_poses_and_boxes_are_plotted_into_files(single_window, pose, tmp_path):
    unit = np.column_stack([pose / 160, np.full(16, 0.5)])
    unit[0] = INVALID
    path = tmp_path / "c.png"
    draw(
        np.zeros((160, 160, 3)),
        [unit, unit],
        np.array([[0.1, 0.1, 0.9, 0.9], [0.2, 0.2, 0.8, 0.8]]),
        plot3d=True,
        single_window=single_window,
        figsize=(4, 3),
        filename=path,
    )
    assert path.stat().st_size > 1000
    assert (tmp_path / "c.png.eps").exists() != single_window


def test_a_pose_in_space_is_plotted_into_a_file(pose, tmp_path):
    plot_3d_pose(pose / 160, filename=tmp_path / "d.png")
    assert (tmp_path / "d.png").stat().st_size > 1000
    with pytest.raises(ValueError, match="must have 16, 17, 20 or 21 joints"):
        plot_3d_pose(np.zeros((5, 3)))


def test_without_a_file_a_window_opens_and_the_backend_stays(pose, monkeypatch):
    pyplot = pytest.importorskip("matplotlib.pyplot")
    pyplot.switch_backend("agg")
    shown = []
    monkeypatch.setattr(pyplot, "show", lambda: shown.append(pyplot.get_fignums()))
    draw(None, pose / 160)
    show(np.eye(8))
    assert [len(figures) for figures in shown] == [1, 1]
    assert not pyplot.get_fignums()


LABELS = ("ApproachtoShelf", "GlanceAtShelf", "LookatShelf")


def blue_of_rows(image):
    """In which rows of the panel a bar reaches beyond half its length."""
    pixels = np.asarray(image).astype(int)
    return (pixels[:, 40, 2] - pixels[:, 40, 0] > 80).nonzero()[0]


def test_bars_are_as_long_as_their_scores_and_the_box_is_drawn():
    box = (200, 60, 300, 220)
    image = draw_action(blank((320, 240)), LABELS, [0.05, 0.9, 0.05], box)
    (second,) = {row // 14 for row in blue_of_rows(image) if row % 14 in (8, 9)}
    assert second == 2  # 1.7 + 1.4 texts of 10 px from above
    yellow = pixel(image, (200, 140))
    assert yellow[0] > 200 and yellow[2] < 100
    assert pixel(image, (310, 230)).tolist() == [255, 255, 255]
    none = draw_action(blank((320, 240)), LABELS, [0.0, np.nan, 0.1])
    assert not len(blue_of_rows(none))


def test_the_box_does_not_cover_the_text():
    image = draw_action(blank((320, 240)), LABELS, [0.1, 0.2, 0.7], (5, 5, 300, 220))
    assert (np.asarray(image)[5, 20:60].max(axis=1) < 110).all()
    yellow = pixel(image, (300, 140))
    assert yellow[0] > 200 and yellow[2] < 100


def test_a_window_is_enlarged_with_what_is_drawn_in_it():
    picture = np.full((80, 120, 3), 255, np.uint8)
    picture[30:34, 50:54] = 0
    part, move = close_up(picture, (39.6, 20, 60, 40.5), side=210)
    assert part.size == (210, 210)
    points = move(np.array([[52, 32, 0.3], [INVALID] * 3]))
    np.testing.assert_allclose(points[0], [130, 120, 0.3])
    assert (points[1] == INVALID).all()
    assert pixel(part, (130, 120)).max() < 50
    beyond, _ = close_up(picture, (-10, 0, 10, 20), side=40)
    assert pixel(beyond, (5, 20)).tolist() == [0, 0, 0]


def test_of_many_classes_the_five_best_are_drawn():
    scores = np.linspace(0, 1, 60)
    few = draw_action(blank(), LABELS, [0.1, 0.2, 0.3])
    many = draw_action(blank(), [f"class {i}" for i in range(60)], scores)
    dark = [(np.asarray(image)[:, 1].sum(axis=-1) < 400).sum() for image in (few, many)]
    assert dark[1] - dark[0] == pytest.approx(2 * 1.4 * 9, abs=1)


def test_scores_and_labels_must_fit():
    message = r"one for each of the 3 labels.*\(2,\)"
    with pytest.raises(ValueError, match=message):
        draw_action(blank(), LABELS, [0.5, 0.5])
    with pytest.raises(ValueError, match="at least one"):
        draw_action(blank(), (), [])
