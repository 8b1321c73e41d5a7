"""Pictures of every page for people who read the documentation: ``make screenshots``.

Of the small catalogue that we drew ourselves, on a desktop and on a phone, into the folder that TOONEMO_SCREENSHOTS
names. Without it nothing is drawn.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from tests.catalog.conftest import fake_probe  # noqa: F401
from tests.e2e import every_page as every
from tests.e2e.conftest import Site, Window
from tests.e2e.drawn import Film, film_draw
from tests.e2e.every_page import ADMIN, ANYBODY, EDITOR

FOLDER = os.environ.get("TOONEMO_SCREENSHOTS", "")
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("fake_probe"), pytest.mark.timeout(1200),
              pytest.mark.skipif(not FOLDER, reason="TOONEMO_SCREENSHOTS names no folder")]  # fmt: skip
SIZES: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1280, "height": 800}},
    "phone": {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True},
}
TALLEST = {"desktop": 1400, "phone": 1400}
WIDEST = 960
# Pictures far below are fetched only when somebody comes near, so nobody waits for them.
DRAWN = """() => Promise.race([new Promise((done) => setTimeout(done, 2000)), Promise.all([...document.images]
  .filter((i) => i.getBoundingClientRect().top < innerHeight).map((i) => i.decode().catch(() => {})))])"""
QUALITY = 42


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Film:
    """Larger than other tests need it."""
    return film_draw(tmp_path_factory.mktemp("film"), 45.0, size=(640, 360))


@pytest.fixture
def windows(browser: Browser, site: Site) -> Iterator[dict[tuple[str, str], Window]]:
    found = {(size, who): Window(browser, site, **SIZES[size]) for size in SIZES for who in (ANYBODY, EDITOR, ADMIN)}
    yield found
    for window in found.values():
        window.context.close()


def picture(page: Page, path: Path, tallest: int) -> None:
    """The page from its top, as far as ``tallest`` pixels; what is drawn while it is scrolled to, is."""
    page.wait_for_load_state("load")
    height = min(tallest, page.evaluate("document.documentElement.scrollHeight"))
    page.set_viewport_size({"width": page.viewport_size["width"], "height": height})  # type: ignore[index]
    page.evaluate(DRAWN)
    page.wait_for_timeout(100)
    seen = cv2.imdecode(np.frombuffer(page.screenshot(), np.uint8), cv2.IMREAD_COLOR)
    assert seen is not None
    if seen.shape[1] > WIDEST:
        scale = WIDEST / seen.shape[1]
        seen = cv2.resize(seen, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    assert cv2.imwrite(str(path), seen, [cv2.IMWRITE_WEBP_QUALITY, QUALITY])


def test_pictures_of_every_page(site: Site, windows: dict[tuple[str, str], Window], settings: Any) -> None:
    folder = Path(FOLDER)
    folder.mkdir(parents=True, exist_ok=True)
    for who in (ANYBODY, EDITOR, ADMIN):
        for size in SIZES:
            every.sign_in(windows[size, who].context, site, who)
    for place in every.pages(every.furnish(site)):
        settings.DEBUG = place.route == "patterns"
        for size, options in SIZES.items():
            page = windows[size, place.who].page
            page.set_viewport_size(options["viewport"])
            page.goto(place.address)
            picture(page, folder / f"{place.name}-{size}.webp", TALLEST[size])
