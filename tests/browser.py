"""Pages looked at by a real browser: Chromium, headless, through playwright.

The fixtures `browser` and `page` are known to every test (conftest.py); they skip, and
say why, where playwright or Chromium is absent.
"""

import os
import shutil

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
AS_ROOT = ["--no-sandbox"] if getattr(os, "geteuid", lambda: 1)() == 0 else []
WEBCAM = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
"""A webcam that shows a moving figure, and nobody is asked for."""


@pytest.fixture(scope="session")
def browser():
    """A Chromium that is closed at the end."""
    reason = "playwright is not installed: pip install playwright"
    api = pytest.importorskip("playwright.sync_api", reason=reason)
    with api.sync_playwright() as playwright:
        found = next(filter(None, map(shutil.which, NAMES)), None)
        own = playwright.chromium.executable_path
        path = found or (own if os.path.exists(own) else None)
        if path is None:
            pytest.skip(f"no Chromium is installed: none of {', '.join(NAMES)}")
        running = playwright.chromium.launch(
            executable_path=path, args=[*AS_ROOT, *WEBCAM]
        )
        yield running
        running.close()


@pytest.fixture
def page(browser):
    """A page of its own, which is closed at the end."""
    opened = browser.new_page(viewport={"width": 1000, "height": 800})
    yield opened
    opened.close()


def watched(page, origin=None):
    """Notes what a page does wrong from now on.

    Args:
        page: a page of playwright's.
        origin: the one address that it may ask, such as "http://127.0.0.1:8000".

    Returns:
        A list that grows: messages of errors and warnings of the console, errors that
        nothing caught, and requests that are neither of a file, nor of data within the
        page, nor of `origin`. At the end of a test it is to be empty.
    """
    allowed = ("file:", "data:", "blob:", *([f"{origin}/"] if origin else []))
    seen = []

    def message(console):
        if console.type in ("error", "warning"):
            seen.append(f"console: {console.text}")

    def request(asked):
        if not asked.url.startswith(allowed):
            seen.append(f"request: {asked.url}")

    page.on("console", message)
    page.on("pageerror", lambda error: seen.append(f"error: {error}"))
    page.on("request", request)
    return seen


def read_through(page, path):
    """Opens a written page and looks whether a reader sees all of it.

    All of its pictures are there, it fits a telephone, and `watched` notes nothing.

    Returns:
        The texts of its headings.
    """
    seen = watched(page)
    page.goto(path.as_uri())
    assert page.evaluate("[...document.images].every(one => one.naturalWidth > 0)")
    page.set_viewport_size({"width": 360, "height": 740})
    assert width_beyond(page) <= 0
    assert not seen
    return page.locator("h2").all_inner_texts()


def width_beyond(page):
    """By how many px a page is wider than its window."""
    return page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
