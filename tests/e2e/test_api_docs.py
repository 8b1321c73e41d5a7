"""The pages that describe the API, and a card in a frame, in a real Chromium: nothing comes from another host."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from playwright.sync_api import Browser, Page, expect

from tests.analysis import world

expect.set_options(timeout=30_000)
pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


class Window:
    """``reached``: every address that answered; ``tried``: every one that was asked for."""

    def __init__(self, browser: Browser, address: str) -> None:
        self.address = address
        self.context = browser.new_context(base_url=address, viewport={"width": 1280, "height": 900})
        self.context.set_default_timeout(30_000)
        self.tried: list[str] = []
        self.reached: list[str] = []
        self.faults: list[str] = []
        self.context.on("request", lambda request: self.tried.append(request.url))
        self.context.on("response", lambda response: self.reached.append(response.url))
        self.context.on("weberror", lambda error: self.faults.append(str(error.error)))
        self.page: Page = self.context.new_page()

    def elsewhere(self, addresses: list[str]) -> list[str]:
        ours = ("data:", "blob:", f"{self.address}/")
        return [address for address in addresses if not address.startswith(ours)]


@pytest.fixture
def window(browser: Browser, live_server: Any) -> Iterator[Window]:
    found = Window(browser, live_server.url)
    yield found
    found.context.close()


def test_swagger_shows_every_route_and_tries_one(window: Window) -> None:
    world.analysed_episode(1, "The Missing Cheese", 12_000)
    page = window.page
    page.goto("/api/docs/")
    expect(page.locator(".opblock-tag").first).to_be_visible()
    assert page.locator(".opblock").count() > 40
    page.locator("#operations-series-series_list .opblock-summary").click()
    page.locator("#operations-series-series_list .try-out__btn").click()
    page.locator("#operations-series-series_list .execute").click()
    expect(page.locator("#operations-series-series_list .live-responses-table").first).to_contain_text("cheese")
    assert window.elsewhere(window.tried) == []
    assert window.faults == []


def test_redoc_shows_every_route(window: Window) -> None:
    page = window.page
    page.goto("/api/redoc/")
    expect(page.locator("h1", has_text="ToonEmo").first).to_be_visible()
    expect(page.get_by_role("heading", name="List episodes").first).to_be_visible()
    page.get_by_role("textbox").first.fill("overlay")
    expect(page.get_by_role("search").get_by_text("Faces of a stretch").first).to_be_visible()
    assert window.elsewhere(window.reached) == []  # its maker's picture is refused by the content policy
    assert {urlsplit(address).path for address in window.elsewhere(window.tried)} <= {"/redoc/logo-mini.svg"}
    assert window.faults == []


@pytest.fixture
def another_site(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The address of another site, and the folder that it shows."""
    handler = partial(Quiet, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", tmp_path
        server.shutdown()
        thread.join()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: Any) -> None:
        pass


def test_another_sites_page_shows_a_card_and_no_other_page(window: Window, another_site: tuple[str, Path]) -> None:
    episode = world.analysed_episode(1, "The Missing Cheese", 12_000)
    told = Client().get(
        "/oembed",
        {"url": f"{window.address}/episodes/{episode.pk}/"},
        headers={"Host": window.address.partition("//")[2]},
    )
    refused = f'<iframe id="page" src="{window.address}/episodes/{episode.pk}/"></iframe>'
    address, folder = another_site
    (folder / "index.html").write_text(f"<!doctype html>{told.json()['html']}{refused}", encoding="utf-8")
    window.page.goto(address)
    card = window.page.frame_locator("iframe[title='The Missing Cheese']")
    expect(card.locator("h1")).to_have_text("The Missing Cheese")
    colour = "element => getComputedStyle(element).borderTopLeftRadius"
    assert card.locator("main").evaluate(colour) == "14px", "its style sheet is loaded"
    assert window.page.frame_locator("#page").get_by_text("The Missing Cheese").count() == 0
