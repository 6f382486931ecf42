"""Pages: one file, no request, whatever the texts within."""

import io

import numpy as np
import pytest
from browser import watched, width_beyond
from matplotlib.figure import Figure
from PIL import Image

from deephar.pages import Page

LINKS = [[0, 1], [1, 2], [2, 3]]
POSE = np.array([[0, -800, 0], [0, 0, 200], [-300, 400, 0], [0, 900, -100.0]])
NASTY = "<script>window.bad = 1</script>"


def whole_page():
    made = Page(f"Poses {NASTY}", "What a network finds")
    made.heading("Tables")
    made.text(f"A joint is called {NASTY}.")
    made.table(("joint", "PCKh"), [(NASTY, "91.2"), ("knee", 88.0), ("head", None)])
    made.facts({"command": "python train.py " + "long_name/" * 30})
    made.heading("Figures")
    drawing = Figure(figsize=(5, 3))
    axes = drawing.subplots()
    axes.plot([1, 2, 4], label=NASTY)
    axes.legend()
    made.figure(drawing, f"A curve of {NASTY}")
    made.picture(np.full((40, 60, 3), 90, np.uint8), f"grey {NASTY}")
    made.pictures([(np.full((40, 60, 3), i, np.uint8), f"{i}") for i in range(9)])
    made.heading("In space")
    made.poses_3d([(POSE, f"one {NASTY}")], LINKS, ["#c33"] * 4)
    made.poses_3d([(np.stack([POSE, POSE + 50]), "two")], LINKS, tints=["#888", None])
    return made


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return whole_page().write(tmp_path_factory.mktemp("pages") / "page.html")


def pixels(page, selector):
    shot = page.locator(selector).first.screenshot()
    return np.asarray(Image.open(io.BytesIO(shot)).convert("RGB"), np.int16)


def test_a_page_names_nothing_outside_and_takes_every_text_as_text(written):
    text = written.read_text(encoding="utf-8")
    assert "http:" not in text and "https:" not in text and "url(//" not in text
    assert NASTY not in text and text.count("&lt;script&gt;") >= 7
    assert "default-src 'none'" in text


def test_a_browser_shows_it_without_errors_or_requests(page, written):
    seen = watched(page)
    page.goto(written.as_uri())
    assert page.locator("h2").all_inner_texts() == ["Tables", "Figures", "In space"]
    assert page.evaluate("window.bad") is None
    assert page.locator("td.number").all_inner_texts() == ["91.2", "88.0", ""]
    shown = page.evaluate("[...document.images].every(i => i.naturalWidth > 0)")
    assert shown and page.locator("img").count() == 10
    assert not seen


def test_a_drag_turns_a_pose_and_a_double_click_turns_it_back(page, written):
    page.goto(written.as_uri())
    page.locator("canvas").first.scroll_into_view_if_needed()
    before = pixels(page, "canvas")
    box = page.locator("canvas").first.bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] + 90, middle[1] + 20, steps=5)
    page.mouse.up()
    turned = pixels(page, "canvas")
    assert (abs(turned - before) > 40).any(axis=-1).sum() > 300
    page.mouse.move(middle[0] + 40, middle[1], steps=3)
    assert np.array_equal(pixels(page, "canvas"), turned)
    page.mouse.dblclick(*middle)
    page.locator("canvas").first.blur()
    assert np.array_equal(pixels(page, "canvas"), before)


def test_arrow_keys_turn_a_pose(page, written):
    page.goto(written.as_uri())
    canvas = page.locator("canvas").first
    canvas.focus()
    before = pixels(page, "canvas")
    canvas.press("ArrowLeft")
    assert not np.array_equal(pixels(page, "canvas"), before)
    canvas.press("ArrowRight")
    assert np.array_equal(pixels(page, "canvas"), before)


def test_joints_without_limbs_are_seen_in_space(page, tmp_path):
    made = Page("Dots")
    for links in ([], LINKS):
        made.poses_3d([(POSE, "")], links, ["#c33", "#c33", "#c33", "#33c"])
    page.goto(made.write(tmp_path / "page.html").as_uri())
    shots = [pixels(page, f"canvas >> nth={i}") for i in range(2)]
    red, blue = (
        [int((shot[..., one] - shot[..., 2 - one] > 60).sum()) for shot in shots]
        for one in (0, 2)
    )
    assert red[1] > red[0] > 150 and blue[1] > blue[0] > 50


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_fits_a_telephone_in_both_schemes(page, written, scheme):
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(written.as_uri())
    assert width_beyond(page) <= 0
    corner = pixels(page, "body")[2, 2]
    assert (corner.mean() < 60) == (scheme == "dark")
    ink = page.evaluate("getComputedStyle(document.querySelector('svg text')).fill")
    assert (ink == "rgb(228, 232, 236)") == (scheme == "dark")


def test_a_large_drawing_is_moved_sideways_on_a_telephone(page, tmp_path):
    made = Page("Page")
    for inches in (16, 5):
        drawn = Figure((inches, 2))
        drawn.add_subplot()
        made.figure(drawn, f"{inches} inches")
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(made.write(tmp_path / "page.html").as_uri())
    large, small = (page.locator("svg").nth(row).bounding_box() for row in (0, 1))
    assert large["width"] > 700 > 360 > small["width"]
    assert width_beyond(page) <= 0


def test_wrong_input_is_told():
    made = Page("Page")
    with pytest.raises(ValueError, match="2 cells each. Received: .'1'."):
        made.table(("a", "b"), [(1,)])
    with pytest.raises(ValueError, match="uint8 .h, w, 3.. Received: float64 .2, 2."):
        made.picture(np.zeros((2, 2)), "no picture")
    with pytest.raises(ValueError, match="Received: shape .4, 2."):
        made.poses_3d([(POSE[:, :2], "flat")], LINKS)
    with pytest.raises(ValueError, match="Received: level=4"):
        made.heading("deep", 4)
