"""No request leaves the site: every page, as a visitor, a player of videos and a member of staff opens it."""

from __future__ import annotations

import re

from django.contrib.auth.models import User
from django.core import signing
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from playwright.sync_api import Page

from analysis.models import AnalysisRun, EmotionSpan, FaceDetection
from tests.e2e.conftest import Site, Window

ELSEWHERE = "http://192.0.2.1/"  # kept for documentation: nobody is there


def addresses(site: Site) -> list[str]:
    """Everything that opens as a page in a browser."""
    first = site.episodes[0].pk
    run, face, span = (model.objects.order_by("pk").first() for model in (AnalysisRun, FaceDetection, EmotionSpan))
    assert run is not None
    assert face is not None
    assert span is not None
    game = signing.dumps([[span.pk], ""], salt="toonemo.quiz")
    return [
        "/", "/?q=calm+episodes", "/?emotion=happy&sort=most", "/search/", "/search/?q=happiest+Tom+scenes",
        "/recommendations/", f"/recommendations/?like={first}&calmer=1", "/limits/", "/limits/?limits=angry<=10%25",
        "/find/", f"/find/?face={face.pk}", "/quiz/", "/quiz/?start=1", f"/quiz/?game={game}&answer=happy",
        f"/episodes/{first}/", f"/episodes/{first}/print/", f"/episodes/{first}/moments/?character=tom&emotion=happy",
        "/characters/tom/", "/characters/tom/?with=jerry", "/runs/", f"/runs/{run.pk}/",
        f"/runs/{run.pk}/compare/{run.pk}/", "/nothing/", "/api/docs/", "/admin/login/",
    ]  # fmt: skip


def look_at(page: Page, address: str) -> None:
    page.goto(address)
    page.mouse.wheel(0, 20_000)  # so that lazy pictures are fetched
    page.wait_for_load_state("networkidle")


def strangers(window: Window, site: Site) -> list[str]:
    return [address for address in window.asked if not site.is_its_own(address)]


def test_no_page_asks_anything_of_another_host(window: Window, site: Site) -> None:
    for address in addresses(site):
        look_at(window.page, address)
    page = window.page
    page.goto(f"/episodes/{site.episodes[0].pk}/")
    page.evaluate("() => { const v = document.querySelector('video'); v.muted = true; return v.play() }")
    page.get_by_role("button", name="Emotions as subtitles").click()
    page.locator("a[data-opens]").first.click()
    page.wait_for_timeout(500)
    assert len(window.asked) > 60
    assert strangers(window, site) == []


def test_staff_pages_ask_nothing_of_another_host(window: Window, site: Site) -> None:
    User.objects.create_superuser("root", password="secret")
    client = Client()
    client.login(username="root", password="secret")
    cookie = client.cookies["sessionid"].value
    window.context.add_cookies([{"name": "sessionid", "value": cookie, "url": site.address}])
    first = site.episodes[0].pk
    tables = ("/admin/", "/admin/analysis/analysisrun/", f"/admin/catalog/episode/{first}/change/", "/runs/")
    for address in (*tables, f"/episodes/{first}/certify/", f"/episodes/{first}/correct/", f"/episodes/{first}/"):
        look_at(window.page, address)
    assert strangers(window, site) == []


def test_the_policy_would_stop_one_that_tried(window: Window, site: Site) -> None:
    """A picture, a script, a form, a fetch and a frame: the browser refuses each, by what the site told it."""
    page = window.page
    page.goto(f"/episodes/{site.episodes[0].pk}/")
    page.evaluate(
        """(elsewhere) => {
            const add = (tag, values) => document.body.append(Object.assign(document.createElement(tag), values));
            add('img', {src: elsewhere + 'a.png'});
            add('script', {src: elsewhere + 'a.js'});
            add('iframe', {src: elsewhere});
            add('video', {src: elsewhere + 'a.mp4'});
            fetch(elsewhere).catch(() => {});
            navigator.sendBeacon(elsewhere, 'x');
        }""",
        ELSEWHERE,
    )
    page.wait_for_timeout(500)
    assert len([fault for fault in window.faults if ELSEWHERE in fault]) >= 5
    assert [a for a in window.asked if a.startswith(ELSEWHERE)] == [] or all(
        failed.startswith(ELSEWHERE) for failed in strangers(window, site)
    )
    window.faults.clear()


def test_every_address_that_is_a_page_is_looked_at(site: Site) -> None:
    """A new page without an entry above fails here. Files, the API and what only takes a POST are no pages."""
    looked = {"/" + re.sub(r"\?.*", "", a).strip("/") for a in addresses(site)}
    no_page = re.compile(
        r"^(api/(?!docs)|healthz|readyz|metrics|admin/|patterns/|find/<str:token>/)"
        r"|/(video|thumbnail|picture|analyse|start|answer|withdraw|cancel|retry|publish)$"
    )
    staff = re.compile(r"/(certify|correct)/$")

    def walk(patterns: list[URLPattern | URLResolver], before: str) -> list[str]:
        found: list[str] = []
        for p in patterns:
            path = before + str(p.pattern)
            found += walk(p.url_patterns, path) if isinstance(p, URLResolver) else [path]
        return found

    pages = [p for p in walk(get_resolver().url_patterns, "") if not no_page.search(p) and not staff.search(p)]
    assert len(pages) > 12
    assert [p for p in pages if not any(re.fullmatch(_shape(p), a) for a in looked)] == []


def _shape(path: str) -> str:
    """``runs/<int:pk>/`` as an expression for addresses."""
    return "/" + re.sub(r"<[^>]+>", r"[-\\w]+", path).strip("/").replace("^", "").replace("$", "")
