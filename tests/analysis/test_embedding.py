"""Cards on other sites, and how these find them."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client
from django.urls import get_resolver

from catalog.models import Episode
from tests.analysis import world
from tests.analysis.limits.browser import limited

pytestmark = pytest.mark.django_db
SITE = "http://testserver"


@pytest.fixture
def episode() -> Episode:
    return world.analysed_episode(1, "The <Missing> Cheese", 20_000)


def told(client: Client, url: str, status: int = 200, **more: str) -> Any:
    response = client.get("/oembed", {"url": url, **more})
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/json"
    return response.json()


class Frame(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_an_episode_page_leads_to_its_card(client: Client, episode: Episode) -> None:
    page = client.get(f"/episodes/{episode.pk}/").content.decode()
    link = next(a for tag, a in Frame(page).found if tag == "link" and a.get("type") == "application/json+oembed")
    found = client.get(str(link["href"]).removeprefix(SITE)).json()
    assert (found["version"], found["type"], found["provider_name"]) == ("1.0", "rich", "ToonEmo")
    ((tag, frame),) = Frame(found["html"]).found
    assert tag == "iframe"
    assert "allow-scripts" not in str(frame["sandbox"])
    assert (frame["width"], frame["height"]) == (str(found["width"]), str(found["height"]))
    card = client.get(str(frame["src"]).removeprefix(SITE))
    assert card.status_code == 200
    text = card.content.decode()
    assert "The &lt;Missing&gt; Cheese" in text
    assert "<script" not in text
    assert "<form" not in text


def test_only_the_card_may_be_framed(client: Client, episode: Episode) -> None:
    card = client.get(f"/episodes/{episode.pk}/card/")
    assert "frame-ancestors *" in card["Content-Security-Policy"]
    assert "X-Frame-Options" not in card
    for page in (
        "/",
        f"/episodes/{episode.pk}/",
        "/limits/",
        "/api/docs/",
        f"/episodes/{episode.pk}/card/x",
        "/oembed",
    ):
        response = client.get(page)
        assert "frame-ancestors 'none'" in response["Content-Security-Policy"], page
        assert response["X-Frame-Options"] == "DENY", page
    names = {key for key in get_resolver().reverse_dict if isinstance(key, str)}
    assert {"card", "oembed"} <= names


def test_limits_of_the_browser_and_of_the_link_hold(client: Client, episode: Episode) -> None:
    page = f"{SITE}/episodes/{episode.pk}/"
    tight = limited(Client(), "angry<=0%")
    hidden = tight.get(f"/episodes/{episode.pk}/card/")
    assert hidden.status_code == 404
    assert "Missing" not in hidden.content.decode()
    assert "Limits hide this episode" in hidden.content.decode()
    assert "Missing" not in str(told(tight, page, 404))
    by_link = client.get(f"/episodes/{episode.pk}/card/?limits=length<=1s")
    assert by_link.status_code == 404
    assert told(client, f"{page}?limits={quote('length<=1s')}", 404)["error"] == "Limits hide this episode."
    loose = told(client, f"{page}?limits={quote('length<=1h')}")
    assert "limits=length" in loose["html"]
    assert client.get(f"/episodes/{episode.pk}/card/?limits=nonsense").status_code == 400
    assert "nonsense" in told(client, f"{page}?limits=nonsense", 400)["error"]


def test_a_frame_fits_where_it_is_asked_to(client: Client, episode: Episode) -> None:
    page = f"{SITE}/episodes/{episode.pk}/"
    found = told(client, page, maxwidth="300", maxheight="9999")
    assert (found["width"], found["height"]) == (300, 300)
    assert told(client, page, maxwidth="1")["width"] >= 200
    for size in ("0", "-1", "x", "9" * 30, ""):
        told(client, page, 400, maxwidth=size)


@pytest.mark.parametrize(
    "url",
    ["", "x", "/episodes/1/", "http://evil.example/episodes/1/", "http://testserver@evil.example/episodes/1/",
     "javascript:alert(1)", "http://testserver/", "http://testserver/runs/1/", "http://testserver/episodes/x/",
     "http://testserver/episodes/999999/", "http://[", "http://testserver:99999999/episodes/1/",
        "http://testserver/" + "a" * 3_000,
     "file:///episodes/1/", "//testserver/episodes/1/", "http://testserver/episodes/1/video"],
)  # fmt: skip
def test_what_is_no_episode_of_ours_is_not_found(client: Client, url: str) -> None:
    assert told(client, url, 404)["error"]


def test_xml_is_not_made(client: Client, episode: Episode) -> None:
    told(client, f"{SITE}/episodes/{episode.pk}/", 501, format="xml")


def test_an_episode_that_is_not_analysed_has_a_card_that_says_so(client: Client) -> None:
    episode = world.make_episode(world.make_series(), 1, "E")
    text = client.get(f"/episodes/{episode.pk}/card/").content.decode()
    assert "Not analysed yet" in text
    assert client.get("/episodes/999/card/").status_code == 404


def test_a_card_loads_nothing_from_elsewhere(client: Client, episode: Episode) -> None:
    text = client.get(f"/episodes/{episode.pk}/card/").content.decode()
    assert not re.search(r'(src|href)="(https?:)?//', text)
