"""Every page, on the desktop and on a phone, for everybody who opens it: to be read, reached by keys, light and still.

What a visit measures is written to the file that TOONEMO_FIGURES names, where it is set: docs/speed.md tells of it.
"""

from __future__ import annotations

import gzip
import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from django.urls import URLPattern, URLResolver, get_resolver
from playwright.sync_api import Browser, Page, Response

from tests.catalog.conftest import fake_probe  # noqa: F401
from tests.e2e import every_page as every
from tests.e2e.conftest import Site, Window
from tests.e2e.every_page import ADMIN, ANYBODY, EDITOR, Furnished, Place

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("fake_probe"), pytest.mark.timeout(1200)]
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
RULES = {"runOnly": TAGS, "resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}
CONTRAST = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}
MOST_BYTES, MOST_SHIFT = 100_000, 0.1
SIZES: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1280, "height": 900}},
    "phone": {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True},
}
# Kept before a page's own scripts run: how far things moved, and when the largest of them was painted.
WATCH = """
window.watched = {shift: 0, largest: 0, moved: []};
new PerformanceObserver((list) => { for (const e of list.getEntries()) if (!e.hadRecentInput) {
  window.watched.shift += e.value;
  window.watched.moved.push(...(e.sources || []).map((s) => s.node && (s.node.className || s.node.nodeName))); } })
  .observe({type: 'layout-shift', buffered: true});
new PerformanceObserver((list) => { for (const e of list.getEntries()) window.watched.largest = e.startTime })
  .observe({type: 'largest-contentful-paint', buffered: true});
"""
# Charts are pictures with a name; whoever cannot see them needs the numbers beside them.
CHARTS_WITHOUT_NUMBERS = """() => [...document.querySelectorAll('svg.staff, svg.curve, svg.arc, svg.bar, svg.pieces')]
  .filter((svg) => { const part = svg.closest('section, article, figure, main');
    const name = svg.getAttribute('aria-label') || svg.getAttribute('aria-hidden');
    const near = svg.closest('section') || svg.closest('article') || part;
    return !name || !(near.querySelector('table') || near.querySelector('.value, .range, dl')); })
  .map((svg) => svg.getAttribute('class'))"""
TOO_WIDE = "() => Math.max(document.documentElement.scrollWidth, document.body.scrollWidth) > innerWidth"
WIDE_ONES = """() => [...document.querySelectorAll('body *')].filter((e) => { const r = e.getBoundingClientRect();
    return (r.left < -1 || r.right > innerWidth + 1) && !e.closest('.scroll, .skip, pre, svg'); })
  .slice(0, 4).map((e) => e.outerHTML.slice(0, 100))"""
MOVES = """() => document.getAnimations()
  .filter((a) => a.effect.getComputedTiming().duration > 10).length
  + [...document.querySelectorAll('*')].filter((e) => { const s = getComputedStyle(e);
    return s.scrollBehavior === 'smooth' || s.transitionDuration.split(',').some((d) => parseFloat(d) > .01);
  }).length"""


@pytest.fixture
def furnished(site: Site) -> Furnished:
    return every.furnish(site)


@pytest.fixture
def windows(browser: Browser, live_server: Any) -> Iterator[Callable[..., Window]]:
    opened: list[Window] = []

    def open_one(site: Site, size: str, who: str, **options: Any) -> Window:
        window = Window(browser, site, **SIZES[size], **options)
        opened.append(window)
        every.sign_in(window.context, site, who)
        window.context.add_init_script(WATCH)
        return window

    yield open_one
    for window in opened:
        window.context.close()
    assert [fault for window in opened for fault in window.faults] == []


class Weight:
    """What a page costs as it is sent: its HTML as it came, its styles and scripts as they are stored compressed."""

    packed: dict[str, int] = {}

    def __init__(self, page: Page) -> None:
        self.got: list[Response] = []
        page.on("response", lambda response: self.got.append(response))

    def bytes(self) -> int:
        return sum(self._of(response) for response in self.got)

    def _of(self, response: Response) -> int:
        kind = response.request.resource_type
        if (kind == "document" and response.status < 300) or (kind == "document" and response.status >= 400):
            return int(response.request.sizes()["responseBodySize"])
        if kind not in ("stylesheet", "script"):
            return 0
        if response.url not in self.packed:
            self.packed[response.url] = len(gzip.compress(response.body(), 9))
        return self.packed[response.url]


def opened(page: Page, place: Place, settings: Any) -> None:
    """``patterns`` is there only while DEBUG is on."""
    settings.DEBUG = place.route == "patterns"
    response = page.goto(place.address)
    assert response is not None
    assert response.status == place.status, (place, response.status)
    page.wait_for_load_state("load")


def faults_of(page: Page) -> Iterator[str]:
    for violation in Axe().run(page, options=RULES).response["violations"]:
        nodes = [node["html"][:160] for node in violation["nodes"][:3]]
        yield f"{violation['id']}: {violation['help']}: {nodes}"
    if missing := page.evaluate(CHARTS_WITHOUT_NUMBERS):
        yield f"charts without their numbers: {missing}"
    if page.evaluate(TOO_WIDE):
        yield f"it scrolls sideways: {page.evaluate(WIDE_ONES)}"
    if page.locator("h1").count() != 1:
        yield f"{page.locator('h1').count()} headings of the first rank"


def in_the_dark(page: Page) -> Iterator[str]:
    """Colours are others where the visitor's system is dark."""
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")  # else colours are met half-way
    page.wait_for_timeout(100)
    for violation in (
        Axe().run(page, options={"runOnly": {"type": "rule", "values": ["color-contrast"]}}).response["violations"]
    ):
        yield f"in the dark: {violation['help']}: {[node['html'][:160] for node in violation['nodes'][:3]]}"
    page.emulate_media(color_scheme="light", reduced_motion="no-preference")


def in_motion(page: Page) -> Iterator[str]:
    page.emulate_media(reduced_motion="reduce")
    if moving := page.evaluate(MOVES):
        yield f"{moving} things move for somebody who asks for stillness"


def mirrored(page: Page) -> Iterator[str]:
    """As for somebody who reads Arabic."""
    page.evaluate("document.documentElement.dir = 'rtl'")
    page.wait_for_timeout(50)
    if page.evaluate(TOO_WIDE):
        yield f"right to left it scrolls sideways: {page.evaluate(WIDE_ONES)}"


def measured(page: Page, weight: Weight) -> dict[str, Any]:
    page.mouse.wheel(0, 600)
    page.wait_for_timeout(120)
    seen = page.evaluate("window.watched")
    return {"bytes": weight.bytes(), "shift": round(seen["shift"], 4), "largest_ms": round(seen["largest"]),
            "moved": [m for m in seen["moved"] if m]}  # fmt: skip


def walk(window: Window, found: list[Place], settings: Any, size: str) -> list[str]:
    """Opens each, and tells what is wrong with any."""
    bad, figures = [], {}
    for place in found:
        weight = Weight(window.page)
        opened(window.page, place, settings)
        got = measured(window.page, weight)
        figures[place.name] = got
        if got["bytes"] > MOST_BYTES and place.route != "patterns":
            bad.append(f"{place.name}: {got['bytes']} bytes")
        if got["shift"] > MOST_SHIFT:
            bad.append(f"{place.name}: things move by {got['shift']}: {got['moved'][:4]}")
        seen = [*faults_of(window.page), *in_motion(window.page), *in_the_dark(window.page)]
        if size == "desktop" and place.name not in ("patterns", "print", "card"):
            seen += by_keys(window.page)
        seen += mirrored(window.page)
        bad += [f"{place.name}: {fault}" for fault in seen]
    _note(size, figures)
    return bad


def _note(size: str, figures: dict[str, Any]) -> None:
    if named := os.environ.get("TOONEMO_FIGURES"):
        path = Path(named)
        known = json.loads(path.read_text()) if path.exists() else {}
        known.setdefault(size, {}).update(figures)
        path.write_text(json.dumps(known, indent=1))


@pytest.mark.parametrize("size", list(SIZES))
def test_every_page_is_read_by_everybody_light_and_still(
    windows: Callable[..., Window], site: Site, furnished: Furnished, settings: Any, size: str
) -> None:
    found, bad = every.pages(furnished), []
    routes_are_all_there(found)
    for who in (ANYBODY, EDITOR, ADMIN):
        window = windows(site, size, who)
        bad += walk(window, every.places_of(who, found), settings, size)
    assert not bad, "\n".join(bad)


@pytest.mark.parametrize("size", list(SIZES))
def test_pages_of_an_empty_catalogue(
    windows: Callable[..., Window], live_server: Any, settings: Any, size: str
) -> None:
    site = Site(live_server.url)
    bad = []
    for who in (ANYBODY, EDITOR):
        window = windows(site, size, who)
        bad += walk(window, every.places_of(who, every.empty_pages()), settings, size)
    assert not bad, "\n".join(bad)


def test_pages_under_limits(windows: Callable[..., Window], site: Site, settings: Any) -> None:
    """A bar says so on every page; what is hidden says by which number."""
    bad = []
    for size in SIZES:
        window = windows(site, size, ANYBODY)
        every.limit(window.context, site, "angry<=1%")
        first = f"/episodes/{site.episodes[0].pk}/"
        found = [Place("limited-browse", "browse", "/"), Place("limited-hidden", "episode", first, status=403)]
        found += [Place("limited-limits", "limits", "/limits/"), Place("limited-quiz", "quiz", "/quiz/?start=1"),
                  Place("limited-search", "search", "/search/?q=happiest+scenes")]  # fmt: skip
        for place in found:
            opened(window.page, place, settings)
            assert window.page.locator(".limits-bar").count() or place.route == "limits", place
            bad += [f"{place.name} {size}: {fault}" for fault in faults_of(window.page)]
    assert not bad, "\n".join(bad)


# What has the focus: which of those that can have it, and whether anything shows that: an outline of its own, of the
# card that holds it, or of the line in a chart.
FOCUSED = """() => { const e = document.activeElement; if (!e || e === document.body) return null;
  const shown = (n) => { const s = getComputedStyle(n);
    return (s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2)
      || (s.stroke !== 'none' && n.closest('svg')); };
  const holder = e.closest('.card'), inner = e.querySelector('rect');
  window.reached = window.reached || new Set(); const again = window.reached.has(e); window.reached.add(e);
  const r = e.getBoundingClientRect();
  return {what: e.outerHTML.slice(0, 120), again,
    seen: shown(e) || !!(holder && shown(holder)) || !!(inner && shown(inner)),
    inside: r.bottom > 0 && r.top < innerHeight && r.right > 0}; }"""
CAN_HAVE_FOCUS = """() => [...document.querySelectorAll(
    'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex="0"], video[controls]')]
  .filter((e) => !e.closest('[hx-trigger*=every]') && !e.disabled && e.tabIndex >= 0
    && e.checkVisibility({visibilityProperty: true})
    && !(e.type === 'radio' && document.querySelector(`input[name="${e.name}"]:checked`) !== e))"""
MOST_STEPS = 160


def by_keys(page: Page) -> Iterator[str]:
    """Tab from the top: the first stop leads to the content, each is seen, and none holds one fast."""
    wanted = page.evaluate(f"() => ({CAN_HAVE_FOCUS})().length")
    if page.locator("[autofocus]").count():
        page.locator("a.skip").focus()  # typing may begin at once there
    else:
        page.keyboard.press("Tab")
    first = page.evaluate(FOCUSED)
    if first is None or 'class="skip"' not in first["what"]:
        yield f"the first stop is {first}"
        return
    steps = 1
    while steps < min(MOST_STEPS, wanted + 40):
        page.keyboard.press("Tab")
        steps += 1
        now = page.evaluate(FOCUSED)
        if now is None or (now["again"] and 'class="skip"' in now["what"]):
            break
        if not now["seen"]:
            yield f"not seen: {now['what']}"
        if not now["inside"]:
            yield f"outside of the window: {now['what']}"
    missed = page.evaluate(
        f"() => ({CAN_HAVE_FOCUS})().filter((e) => !window.reached.has(e)).map((e) => e.outerHTML.slice(0, 120))"
    )
    if missed and steps < MOST_STEPS:
        yield f"not reached: {missed[:4]}"
    page.evaluate("() => document.querySelector('a.skip').focus()")
    page.keyboard.press("Enter")
    if page.evaluate("document.activeElement.id") != "main":
        yield "the skip link leads nowhere"


def routes() -> set[str]:
    def below(patterns: list[URLPattern | URLResolver], before: str) -> Iterator[str]:
        for p in patterns:
            path = before + str(p.pattern)
            if isinstance(p, URLPattern):
                yield p.name or path
            elif p.namespace != "admin":
                yield from below(p.url_patterns, path)

    return {r for r in below(get_resolver().url_patterns, "/") if not re.match(r"api-(?!docs|redoc)", r)}


def routes_are_all_there(found: list[Place]) -> None:
    there = {place.route for place in found} - {"nothing"}
    assert routes() - there - set(every.NO_PAGE) == set(), "new pages: put each into pages() or NO_PAGE"
    assert (there | set(every.NO_PAGE)) - routes() == set(), "no route any more"
