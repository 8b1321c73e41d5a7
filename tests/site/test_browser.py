"""One look with a real Chromium among the quick tests: a first visit, and axe on the page that it begins with.

The journeys are in tests/e2e (``make e2e``).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser

from tests.analysis import world
from tests.e2e.conftest import browser_started

pytestmark = pytest.mark.django_db(transaction=True)
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browser_started() as browser:
        yield browser


def test_a_first_visit(browser: Browser, live_server: Any) -> None:
    episode = world.analysed_episode(1, "The Missing Cheese", 30_000)
    context = browser.new_context(base_url=live_server.url, viewport={"width": 390, "height": 844})
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/")
    found = Axe().run(page, options={"runOnly": TAGS})
    assert found.violations_count == 0, found.generate_report()
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    page.get_by_role("link", name=episode.title).click()
    page.wait_for_url(f"**/episodes/{episode.pk}/")
    assert page.locator("h1").inner_text() == episode.title
    assert [address for address in asked if not address.startswith(live_server.url)] == []
    context.close()
