"""A real Chromium, and a site for it to visit: a small catalogue that was analysed and whose video plays.

``browser`` is started once. ``site`` serves the catalogue; ``page`` is a desktop window on it, ``phone`` a narrow one.
Each notes every address that it asks for; a test fails at its end where a script failed or the content policy was
broken. Skipped where there is no Chromium; ``CHROMIUM`` names one that is called otherwise.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from catalog.models import Episode
from tests.e2e.drawn import Film, catalogue_draw, film_draw

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required"]  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.e2e)


@contextmanager
def browser_started() -> Iterator[Browser]:
    """Skips the test where there is no Chromium."""
    named = os.environ.get("CHROMIUM")
    program = named or next((found for name in NAMES if (found := shutil.which(name))), None)
    if program is None:
        pytest.skip("there is no Chromium; set CHROMIUM to one")
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # playwright keeps a loop in this thread, which runs no query itself
    try:
        with sync_playwright() as playwright:
            started = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
            yield started
            started.close()
    finally:
        if before is None:
            del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with browser_started() as started:
        yield started


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Film:
    """45 s in which four characters act; it takes some seconds to draw."""
    return film_draw(tmp_path_factory.mktemp("film"), 45.0)


@dataclass
class Site:
    """``address``: scheme, host and port, without a slash."""

    address: str
    episodes: list[Episode] = field(default_factory=list)

    def is_its_own(self, address: str) -> bool:
        """Whether the address is on this site, or is no address of a host at all (``data:``, ``blob:``)."""
        parts = urlsplit(address)
        return parts.scheme in ("data", "blob") or f"{parts.scheme}://{parts.netloc}" == self.address


@pytest.fixture
def site(film: Film, live_server: Any, settings: Any) -> Site:
    """Three episodes with Tom, Jerry, Pip and Rosa, rated and published. The evidence asked for is that of 45 s."""
    settings.TOONEMO_ENOUGH_READABLE_S, settings.TOONEMO_ENOUGH_SHOTS = 6.0, 4
    settings.TOONEMO_ENOUGH_HALF_WIDTH = 0.35
    settings.TOONEMO_IMPORT_ROOTS = [str(film.path.parent)]
    return Site(live_server.url, catalogue_draw([film]))


class Window:
    """A browser window: ``page`` to steer it; ``asked`` every address that it asked for; ``faults`` what went wrong."""

    def __init__(self, browser: Browser, site: Site, **options: Any) -> None:
        self.context: BrowserContext = browser.new_context(base_url=site.address, **options)
        self.context.set_default_timeout(15_000)
        self.asked: list[str] = []
        self.faults: list[str] = []
        self.context.on("request", lambda request: self.asked.append(request.url))
        self.context.on("weberror", lambda error: self.faults.append(str(error.error)))
        self.context.on("console", self._said)
        self.page: Page = self.context.new_page()

    def _said(self, message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            self.faults.append(message.text)


def _window(browser: Browser, site: Site, **options: Any) -> Iterator[Window]:
    window = Window(browser, site, **options)
    yield window
    window.context.close()
    assert window.faults == []


@pytest.fixture
def window(browser: Browser, site: Site) -> Iterator[Window]:
    yield from _window(browser, site, viewport={"width": 1280, "height": 900})


@pytest.fixture
def page(window: Window) -> Page:
    """On the desktop."""
    return window.page


@pytest.fixture
def phone(browser: Browser, site: Site) -> Iterator[Page]:
    for found in _window(
        browser, site, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, device_scale_factor=2
    ):
        yield found.page


@pytest.fixture
def plain(browser: Browser, site: Site) -> Iterator[Page]:
    """Without JavaScript."""
    for found in _window(browser, site, viewport={"width": 1280, "height": 900}, java_script_enabled=False):
        yield found.page
