"""The demo page in a browser: uploads, clicks, the slider and the webcam."""

import io

import numpy as np
import pytest
from browser import watched, width_beyond
from demo_server import clip as clip
from demo_server import encoded
from demo_server import server as server
from PIL import Image

pytest.importorskip("starlette", reason="the extra `app` is not installed")
pytest.importorskip("uvicorn", reason="the extra `app` is not installed")


def test_the_page_shows_a_clip_and_cuts_the_network(server, page, clip, tmp_path):
    seen = watched(page, server.origin)
    page.goto(f"{server.origin}/")
    page.set_input_files("#file", clip)
    page.locator("#player").wait_for()
    assert page.locator("#blockNumber").inner_text() == "4 of 4"
    page.locator("#time").fill("5")
    assert page.locator("#clock").inner_text() == "0.20 s"
    page.locator("#actions").click(position={"x": 80, "y": 60})
    assert page.locator("#clock").inner_text() == "0.00 s"
    page.locator("#block").fill("0")
    page.locator("#cutNote", has_text="ms by the whole network").wait_for()
    page.locator("#working").wait_for(state="hidden")
    assert page.locator("#blockNumber").inner_text() == "1 of 4"
    assert painted(page, "#scene") > 1 and painted(page, "#space") > 1
    page.reload()
    page.locator("#clock", has_text="0.00 s").wait_for()
    page.locator("#play").click()
    page.locator("#clock", has_text="0.44 s").wait_for()
    page.set_viewport_size({"width": 360, "height": 700})
    assert width_beyond(page) <= 0
    assert seen == []


def painted(page, selector):
    """How many colours a part of the page shows, of 8 levels a channel."""
    shot = page.locator(selector).screenshot()
    with Image.open(io.BytesIO(shot)) as picture:
        pixels = np.asarray(picture.convert("RGB")).reshape(-1, 3) // 32
    return len(np.unique(pixels, axis=0))


def test_the_page_tells_what_is_wrong_and_goes_on(server, page, tmp_path):
    seen = watched(page, server.origin)
    page.goto(f"{server.origin}/")
    bad, large, good = (tmp_path / name for name in ("bad.mp4", "large", "good.png"))
    bad.write_bytes(b"<script>alert(1)</script>")
    large.write_bytes(bytes(2 << 20))
    good.write_bytes(encoded(size=(200, 100)))
    for file, words in {bad: "no picture or video", large: "1 MiB at most"}.items():
        page.set_input_files("#file", file)
        page.locator("#message", has_text=words).wait_for()
    page.set_input_files("#file", good)
    page.locator("#scene").wait_for()
    assert not page.locator("#message").is_visible()
    assert "One picture shows no depth" in page.locator("#spaceNote").inner_text()
    assert page.locator("#blockNumber").inner_text() == "2 of 2"
    assert seen == []


def test_the_page_looks_through_the_webcam(server, page):
    seen = watched(page, server.origin)
    page.goto(f"{server.origin}/")
    page.locator("#camera", has_text="Webcam").click()
    page.locator("#notes", has_text="frames a second are looked at").wait_for()
    page.locator("#scene").wait_for()
    assert painted(page, "#scene") > 3
    page.locator("#camera", has_text="Stop the webcam").click()
    page.locator("#empty").wait_for()
    assert seen == []


def test_who_is_chosen_stays_while_the_webcam_runs(server, page):
    def two(route):
        answer = route.fetch()
        told = answer.json()
        if "frame" in told:  # else the server had no time for it
            first = told["frame"]["people"][0]
            told["frame"]["people"] = [{**first, "id": 2}, {**first, "id": 1}]
        route.fulfill(response=answer, json=told)

    seen = watched(page, server.origin)
    page.route("**/frames", two)
    page.goto(f"{server.origin}/")
    page.locator("#camera").click()
    button = page.locator("#who button", has_text="#2")
    button.evaluate("button => { button.marked = true; button.focus(); }")
    for _ in range(3):
        with page.expect_response("**/frames"):
            pass
    assert button.evaluate("b => b.marked && b === document.activeElement")
    button.click()
    assert button.get_attribute("aria-pressed") == "true"
    page.locator("#camera").click()
    page.unroute_all(behavior="wait")
    assert page.locator("#who button").count() == 0 and seen == []


def test_a_file_that_is_given_up_is_not_sent_on(server, page, tmp_path):
    (tmp_path / "good.png").write_bytes(encoded())
    held = []
    page.route("**/api/uploads", lambda route: held.append(route))
    page.goto(f"{server.origin}/")
    page.set_input_files("#file", tmp_path / "good.png")
    with page.expect_event("requestfailed") as failed:
        page.locator("#cancel").click()
    assert failed.value.url == held[0].request.url
    assert not page.locator("#working").is_visible()
    assert not page.locator("#message").is_visible()


LOOKING = {"state": "looking", "frames": 9, "done": 1, "ahead": 0}


def test_a_look_that_is_given_up_is_not_asked_for_again(server, page, clip):
    asked = []

    def answer(route):
        asked.append(route.request.url)
        route.fulfill(json=LOOKING)

    page.route("**/looks/last", answer)
    page.goto(f"{server.origin}/")
    page.set_input_files("#file", clip)
    page.locator("#state", has_text="looking: 1 of 9").wait_for()
    page.locator("#cancel").click()
    before = len(asked)
    page.wait_for_timeout(400)  # longer than from one question to the next
    assert len(asked) == before


def test_the_block_that_was_chosen_last_is_shown(server, page, clip):
    seen = watched(page, server.origin)
    page.goto(f"{server.origin}/")
    page.set_input_files("#file", clip)
    page.locator("#player").wait_for()
    page.route("**/looks/1", lambda route: route.fulfill(json=LOOKING))
    page.locator("#block").fill("0")
    page.locator("#working").wait_for()
    page.locator("#block").fill("3")
    assert not page.locator("#working").is_visible()
    page.locator("#block").fill("0")
    page.locator("#working").wait_for()
    page.locator("#cancel").click()
    assert not page.locator("#working").is_visible()
    assert page.locator("#player").is_visible()
    page.unroute_all(behavior="wait")
    page.wait_for_timeout(400)
    assert page.locator("#block").input_value() == "3"
    assert page.locator("#block").get_attribute("aria-valuetext") == "4 of 4"
    page.locator("#block").fill("0")
    page.locator("#cutNote", has_text="ms by the whole network").wait_for()
    assert page.locator("#blockNumber").inner_text() == "1 of 4"
    assert seen == []


def test_what_was_wrong_is_told_until_the_next_try(server, page, clip):
    page.goto(f"{server.origin}/")
    page.set_input_files("#file", clip)
    page.locator("#player").wait_for()
    full = {"message": "too many are waiting"}
    page.route("**/looks?block=2", lambda route: route.fulfill(status=503, json=full))
    page.locator("#block").fill("1")
    page.locator("#message", has_text="too many").wait_for()
    assert page.locator("#blockNumber").inner_text() == "4 of 4"
    page.unroute_all(behavior="wait")
    page.locator("#block").fill("1")
    page.locator("#message").wait_for(state="hidden")
    page.locator("#working").wait_for(state="hidden")
    assert page.locator("#blockNumber").inner_text() == "2 of 4"


def test_a_webcam_that_lost_its_place_can_be_started_again(server, page):
    gone = {"message": "this webcam was silent for too long"}
    page.route("**/frames", lambda route: route.fulfill(status=404, json=gone))
    page.goto(f"{server.origin}/")
    page.locator("#camera").click()
    page.locator("#message", has_text="silent").wait_for()
    assert page.locator("#camera").inner_text() == "Webcam"
    page.unroute_all(behavior="wait")
    page.locator("#camera").click()
    page.locator("#scene").wait_for()
    assert not page.locator("#message").is_visible()


def test_a_webcam_that_is_unplugged_is_told(server, page):
    page.add_init_script(
        """const devices = navigator.mediaDevices;
        const ask = devices.getUserMedia.bind(devices);
        devices.getUserMedia = async wanted => window.media = await ask(wanted);"""
    )
    page.goto(f"{server.origin}/")
    page.locator("#camera").click()
    page.locator("#scene").wait_for()
    page.evaluate("media.getTracks()[0].dispatchEvent(new Event('ended'))")
    page.locator("#message", has_text="gone").wait_for()
    assert page.locator("#camera").inner_text() == "Webcam"


def test_a_file_is_chosen_by_the_keyboard_and_dropped_anywhere(server, page):
    seen = watched(page, server.origin)
    page.goto(f"{server.origin}/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "file"
    for selector, style in {"label[for=file]": "solid", "#camera": "none"}.items():
        of = page.locator(selector)
        assert of.evaluate("one => getComputedStyle(one).outlineStyle") == style
    given = page.evaluate_handle(
        """bytes => {
          const given = new DataTransfer();
          given.items.add(new File([new Uint8Array(bytes)], "a.png"));
          return given;
        }""",
        list(encoded()),
    )
    page.dispatch_event("h1", "drop", {"dataTransfer": given})
    page.locator("#scene").wait_for()
    assert seen == []
