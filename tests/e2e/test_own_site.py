"""No request leaves the site: every page, as a visitor, a player of videos and a member of staff opens it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from django.contrib.auth.models import User
from django.core import signing
from django.db.models import Model
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from playwright.sync_api import Page

from analysis.models import AnalysisRun, EmotionSpan, FaceDetection, Scene
from tests.e2e.conftest import Site, Window

ELSEWHERE = "http://192.0.2.1/"  # kept for documentation: nobody is there


ASKED = ("/?q=calm+episodes", "/?emotion=happy&sort=most", "/search/?q=happiest+Tom+scenes", "/quiz/?start=1",
         "/limits/?limits=angry<=10%25", "/characters/tom/?with=jerry", "/nothing/")  # fmt: skip


def routes() -> list[tuple[str, str]]:
    """Name and pattern of every address of ours; Django's administration is not."""

    def walk(patterns: list[URLPattern | URLResolver], before: str) -> Iterator[tuple[str, str]]:
        for p in patterns:
            path = before + str(p.pattern)
            if isinstance(p, URLResolver):
                yield from walk(p.url_patterns, path) if p.namespace != "admin" else ()
            else:
                yield p.name or "", path

    return list(walk(get_resolver().url_patterns, "/"))


def addresses(site: Site, client: Client) -> list[str]:
    """Everything that opens as a page for this client: each address of the site with ids that are there, so that a new
    page is looked at without being named here.
    """
    run, face, scene, span = (_first(m) for m in (AnalysisRun, FaceDetection, Scene, EmotionSpan))
    game = signing.dumps([[span], ""], salt="toonemo.quiz")
    episode = f"/episodes/{site.episodes[0].pk}/"
    asked = [*ASKED, f"/quiz/?game={game}&answer=happy", f"/find/?face={face}", f"{episode}?who=tom&shows=sad",
             f"/recommendations/?like={site.episodes[0].pk}&calmer=1"]  # fmt: skip
    asked.append(f"{episode}moments/?character=tom&emotion=happy")
    for name, path in routes():
        first = {"run": run, "scene": scene, "moment": face}.get(name.split("-")[0], site.episodes[0].pk)
        if not path.startswith("/api/v"):
            path = re.sub(r"<int:\w+>", str(first), path)
            asked.append(re.sub(r"<(\w+:)?\w+>", "tom", path))
    return [a for a in dict.fromkeys(asked) if _is_page(client, a)]


def _first(model: type[Model]) -> int:
    return int(model._default_manager.order_by("pk").values_list("pk", flat=True)[0])


def _is_page(client: Client, address: str) -> bool:
    response = client.get(address, follow=True)
    found = response.headers.get("Content-Type", "").startswith("text/html") and bool(response.content)
    response.close()
    return found


def look_at(page: Page, address: str) -> None:
    page.goto(address)
    page.mouse.wheel(0, 20_000)  # so that lazy pictures are fetched
    page.wait_for_load_state("load")
    page.wait_for_timeout(150)  # what scripts ask for at once; a page may go on listening


def strangers(window: Window, site: Site) -> list[str]:
    return [address for address in window.asked if not site.is_its_own(address)]


def test_no_page_asks_anything_of_another_host(window: Window, site: Site) -> None:
    found = addresses(site, Client())
    assert len(found) > 20
    for address in found:
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
    more = set(addresses(site, client)) - set(addresses(site, Client()))
    tables = ("/admin/", "/admin/analysis/analysisrun/", f"/admin/catalog/episode/{site.episodes[0].pk}/change/")
    for address in (*tables, f"/episodes/{site.episodes[0].pk}/", *sorted(more)):
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
