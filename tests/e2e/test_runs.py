"""Somebody who looks after the work follows a run on its page, without reloading it, and stops it: a real worker reads.

The page is served by a server of its own, as it is in use, beside a worker that takes its time over each drawing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.conf import settings
from playwright.sync_api import Browser, Page, expect

from tests.workers.chaos_world import until
from tests.workers.live_world import LiveWorld

pytestmark = pytest.mark.timeout(600)
SLOWEST_MS = 60_000


@pytest.fixture(scope="module")
def world() -> Iterator[LiveWorld]:
    world = LiveWorld()
    try:
        world.begin()
        until(lambda: any(w["alive"] for w in world.api("GET", "queue/")["workers"]), 90, "a worker to tell of itself")
        yield world
    finally:
        world.stop()


@pytest.fixture
def board(browser: Browser, world: LiveWorld) -> Iterator[Page]:
    context = browser.new_context(base_url=world.address, viewport={"width": 1280, "height": 900})
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": world.session, "url": world.address}])
    yield context.new_page()
    context.close()


def test_a_run_is_followed_and_cancelled_on_the_board(board: Page, world: LiveWorld) -> None:
    run = world.analyse()
    board.goto("/runs/")
    row = board.locator(f"[data-run='{run}']")
    expect(row.locator(".badge").first).to_have_text("Running", timeout=SLOWEST_MS)
    expect(row).to_contain_text(re.compile(r"[1-9]\d? %"), timeout=SLOWEST_MS)
    row.get_by_role("button", name="Cancel").click()
    expect(board.locator(f"[data-run='{run}'] .badge").first).to_have_text("Cancelled", timeout=SLOWEST_MS)
    took = world.one(
        "SELECT extract(epoch FROM finished_at - cancel_requested_at) FROM analysis_analysisrun WHERE id = %s", run
    )
    assert took < 2.0
    board.get_by_role("button", name="Retry what is missing").first.click()
    board.goto(f"/runs/{run}/")
    expect(board.locator(f"[data-run='{run}'] .badge").first).to_have_text("Succeeded", timeout=2 * SLOWEST_MS)
