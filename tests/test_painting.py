"""utils/painting.py: shapes of the right size in the right place, texts that fit."""

import numpy as np
import pytest
from PIL import Image

from deephar.utils.painting import (
    DARK_INK,
    INK,
    PEOPLE,
    fit_text,
    ink_on,
    paint_box,
    paint_figure,
    paint_plate,
    paint_strokes,
    paint_text,
    person_color,
    picture_array,
    text_size,
    text_width,
)

RED, BLUE = (250, 0, 0), (0, 0, 250)


def black(height=60, width=100):
    return np.zeros((height, width, 3), np.uint8)


def test_lines_are_as_wide_as_asked_for_to_a_part_of_a_pixel():
    wide = []
    for radius in (0.8, 1.0, 1.2, 4.0, 20.0):
        picture = black()
        ends = np.array([[10.0, 30.0]]), np.array([[90.0, 30.0]])
        paint_strokes(picture, *ends, np.array([radius]), [RED])
        wide.append(picture[:, 50, 0].sum() / 250)
    np.testing.assert_allclose(wide, [1.6, 2.0, 2.4, 8.0, 40.0], atol=0.9)
    assert wide == sorted(wide) and len(set(wide)) == 5


def test_a_dot_is_round_and_lies_where_it_should():
    picture, place = black(), np.array([[40.5, 20.25]])
    paint_strokes(picture, place, place, np.array([9.0]), [RED])
    rows, columns = np.nonzero(picture[..., 0] > 125)
    assert (columns.mean(), rows.mean()) == pytest.approx((40.5, 20.25), abs=0.3)
    assert len(rows) == pytest.approx(np.pi * 81, rel=0.05)


def test_what_hangs_out_is_left_out():
    picture = black()
    far = np.array([[-1e8, 20.0], [50.0, 20.0]]), np.array([[1e8, 20.0], [50, 1e5]])
    paint_strokes(picture, *far, np.array([2.0, 2.0]), [RED, BLUE])
    paint_box(picture, (-1e9, 50, 1e9, 1e9), RED, 2)
    paint_plate(picture, (-50, -50, 10, 10), BLUE, 4, 0.5)
    paint_text(picture, "beyond", (95, 58), INK, 20)
    paint_plate(picture, (200, 10, 300, 40), BLUE, 4)
    paint_text(picture, "beyond", (-400, -90), INK, 20)
    assert picture[50, 70].tolist() == list(RED) and picture[5, 5, 2] == 125
    assert not picture[12:17].any() and not picture[30:40, :47].any()


def test_a_limb_is_as_faint_as_its_fainter_joint():
    points = np.array([[10.0, 30.0], [50.0, 30.0], [90.0, 30.0]])
    links, colors = [(0, 1), (1, 2)], np.array([RED, RED, BLUE])
    picture = black() + np.uint8(200)
    paint_figure(picture, points, np.array([1.0, 1.0, 0.4]), links, colors, 8)
    sure, faint = picture[30, 30], picture[30, 70]
    assert sure.tolist() == list(RED)
    np.testing.assert_allclose(faint, 0.4 * np.array(RED) + 0.6 * 200, atol=2)
    alone = black()
    paint_figure(alone, points, np.array([1.0, 0.0, 0.0]), links, colors, 8)
    assert alone[30, 10, 0] == 250 and not alone[:, 20:].any()


def test_a_joint_without_a_limb_is_a_larger_dot():
    points = np.array([[15.0, 30.0], [40.0, 30.0], [80.0, 30.0]])
    picture = black()
    colors = np.array([RED, RED, BLUE])
    paint_figure(picture, points, np.ones(3), [(0, 1)], colors, 1.5)
    ends, alone = (picture[:, 15, 0] > 125).sum(), (picture[:, 80, 2] > 125).sum()
    assert ends <= 3 and alone >= 7
    unseen = black()
    paint_figure(unseen, points, np.array([1.0, 0.0, 0.0]), [(0, 1)], colors, 1.5)
    assert (unseen[:, 15, 0] > 125).sum() == ends  # its limb is not painted


def test_plates_cover_their_box_and_no_more():
    picture = black()
    paint_plate(picture, (10.2, 20.4, 30, 39.6), RED)
    rows, columns = np.nonzero(picture[..., 0])
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (20, 39, 10, 29)
    paint_plate(picture, (50, 10, 90, 50), BLUE, radius=10)
    assert not picture[10, 50].any() and picture[10, 70].tolist() == list(BLUE)


def test_texts_stand_where_they_should():
    for align, place in ((0.0, 10), (0.5, 50), (1.0, 90)):
        picture = black()
        paint_text(picture, "III", (place, 30), INK, 20, align)
        columns = np.nonzero(picture[..., 0])[1]
        wide = text_width("III", 20)
        assert columns.mean() == pytest.approx(place + (0.5 - align) * wide, abs=2)
    paint_text(picture, "", (10, 10), INK, 20)
    assert text_width("", 20) == 0


def test_letters_of_other_tongues_are_written():
    shapes = set()
    for letter in "eéжλ":
        picture = black()
        paint_text(picture, letter, (10, 30), INK, 20)
        shapes.add(picture.tobytes())
    assert len(shapes) == 4


def test_long_texts_are_shortened():
    text = "throw the ball to the other one"
    short = fit_text(text, 100, 12)
    assert short.endswith("…") and text.startswith(short[:-1]) and len(short) > 8
    assert text_width(short, 12) <= 100 < text_width(short[:-1] + "xx", 12)
    assert fit_text("run", 100, 12) == "run" and fit_text("run", 3, 12) == ""


def test_colours_of_people_differ_and_can_be_written_on():
    assert len(set(PEOPLE)) == 10 and person_color(13) == PEOPLE[3]
    gaps = [np.abs(np.subtract(a, b)).sum() for a in PEOPLE for b in PEOPLE if a != b]
    assert min(gaps) > 75
    assert all(ink_on(color) == DARK_INK for color in PEOPLE)
    assert ink_on((120, 20, 20)) == INK


def test_texts_grow_with_the_picture_but_can_always_be_read():
    sizes = [text_size(size) for size in ((64, 48), (340, 256), (1280, 720))]
    assert sizes == [11, 11, 20] and text_size((3840, 2160)) == 60


def test_pictures_of_both_kinds_are_taken():
    array = black()
    assert picture_array(array) is array
    grey = picture_array(Image.new("L", (4, 3), 7))
    assert grey.shape == (3, 4, 3) and (grey == 7).all()
    with pytest.raises(ValueError, match=r"shape=\(4, 4\), dtype=uint8"):
        picture_array(np.zeros((4, 4), np.uint8))
