"""In which language a page is: by the switch, by the browser; the API always in English."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import translation
from django.utils.formats import date_format

from catalog.models import Episode
from tests.analysis import world
from tests.site.messages import path_of

pytestmark = pytest.mark.django_db
PARENTS = (
    "/", "/?q=calm+episodes", "/?words=nothing", "/episodes/{pk}/", "/episodes/{pk}/print/", "/episodes/{pk}/card/",
    "/episodes/{pk}/moments/?character=tom&emotion=angry", "/search/", "/search/?q=happiest+scenes", "/limits/",
    "/limits/?limits=angry%3C%3D10%25%2C+scared+run%3C%3D5s", "/recommendations/", "/recommendations/?find=cheese",
    "/recommendations/?minutes=30", "/quiz/", "/quiz/?start=1", "/find/", "/characters/", "/characters/tom/",
    "/characters/tom/?with=jerry", "/runs/", "/sign-in/", "/nowhere/",
)  # fmt: skip
STAFF = (
    "/add/", "/runs/", "/runs/analyse/", "/tokens/", "/audit/", "/webhooks/", "/correct/", "/correct/disputed/",
    "/correct/agreement/", "/episodes/{pk}/correct/", "/episodes/{pk}/certify/", "/new-character/",
    "/characters/tom/edit/", "/characters/tom/naming/",
)  # fmt: skip
# Data and what is typed: titles, notes, questions in English, roles, addresses.
DATA = (
    "The Missing Cheese",
    "calm episodes",
    "happiest scenes",
    "The storm at night",
    "happiest Jerry scenes",
    "toonemo-1",
)
SENTENCE = re.compile(r"[A-Za-z][a-z’']+(?: [a-z’']+){2,}")


class Visible(HTMLParser):
    """What people read: text, and the attributes that are read aloud."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.within: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "style", "code", "pre", "kbd"):
            self.within.append(tag)
        self.texts += [v for k, v in attrs if k in ("aria-label", "alt", "title", "placeholder") and v]
        self.attributes += [(k, v) for k, v in attrs if v]

    def handle_endtag(self, tag: str) -> None:
        if self.within and self.within[-1] == tag:
            self.within.pop()

    def handle_data(self, data: str) -> None:
        if not self.within:
            self.texts.append(data)


def visible(text: str) -> Visible:
    found = Visible()
    found.feed(text)
    return found


@pytest.fixture
def episode() -> Episode:
    world.analysed_episode(2, "The storm at night", 45_000)
    return world.analysed_episode(1, "The Missing Cheese", 60_000)


@pytest.fixture
def korean() -> Client:
    return Client(headers={"accept-language": "ko-KR,ko;q=0.9,en;q=0.5"})


@pytest.fixture
def korean_staff(korean: Client) -> Client:
    korean.force_login(User.objects.create_user("admin", is_staff=True, is_superuser=True))
    return korean


def page(client: Client, address: str, episode: Episode) -> str:
    response = client.get(address.format(pk=episode.pk), follow=True)
    assert response.status_code in (200, 404), address
    return response.content.decode()


def left_in_english(text: str) -> list[str]:
    said = []
    for one in visible(text).texts:
        for data in DATA:
            one = one.replace(data, "")
        said += SENTENCE.findall(one)
    return said


@pytest.mark.parametrize("address", PARENTS)
def test_pages_of_parents_are_in_korean(korean: Client, episode: Episode, address: str) -> None:
    text = page(korean, address, episode)
    assert '<html lang="ko">' in text
    assert re.search("[가-힣]{2}", text)
    assert left_in_english(text) == []


@pytest.mark.parametrize("address", STAFF)
def test_pages_of_editors_and_admins_are_in_korean(korean_staff: Client, episode: Episode, address: str) -> None:
    text = page(korean_staff, address, episode)
    assert '<html lang="ko">' in text
    assert left_in_english(text) == []


def test_a_page_that_limits_hide_says_so_in_korean(korean: Client, episode: Episode) -> None:
    korean.post("/limits/", {"do": "set", "on-angry": "1", "most-angry": "1", "run-scared": "2"})
    response = korean.get(f"/episodes/{episode.pk}/")
    assert response.status_code == 404
    text = response.content.decode()
    assert "제한 때문에 이 에피소드는 숨겨졌어요" in text
    assert "화남" in text
    assert left_in_english(text) == []


def test_the_finder_of_sentences_finds_them() -> None:
    assert left_in_english("<p>Choose one of these</p><p>한국어 <code>not this one here</code></p>") == [
        "Choose one of these"
    ]
    assert left_in_english('<img alt="a picture of it"><p>The Missing Cheese</p>') == ["picture of it"]


def test_the_switch_goes_before_what_the_browser_prefers(client: Client, korean: Client, episode: Episode) -> None:
    assert '<html lang="en">' in page(client, "/", episode)
    answer = client.post("/language", {"language": "ko", "next": f"/episodes/{episode.pk}/"})
    assert (answer.status_code, answer["Location"]) == (302, f"/episodes/{episode.pk}/")
    assert client.cookies["language"]["samesite"] == "Lax"
    assert '<html lang="ko">' in page(client, "/", episode)
    korean.post("/language", {"language": "en", "next": "/"})
    assert '<html lang="en">' in page(korean, "/", episode)


def test_the_switch_leads_nowhere_else_and_knows_two_languages(client: Client) -> None:
    assert client.post("/language", {"language": "ko", "next": "https://elsewhere.example/"})["Location"] == "/"
    client.cookies.clear()
    client.post("/language", {"language": "xx", "next": "/"})
    assert "language" not in client.cookies
    assert client.get("/language").status_code == 405
    for strange in ("\x00", "k" * 3000, "../ko", "ko,,;q=z"):
        assert client.get("/", headers={"accept-language": strange}).status_code == 200


def test_a_page_needs_no_cookie_for_its_switch(client: Client, episode: Episode) -> None:
    response = client.get(f"/episodes/{episode.pk}/")
    assert not response.cookies
    assert 'action="/language"' in response.content.decode()


def test_caches_keep_the_languages_apart(korean: Client) -> None:
    response = korean.get("/")
    assert response["Content-Language"] == "ko"
    assert {"accept-language", "cookie"} <= {v.strip().lower() for v in response["Vary"].split(",")}


def test_the_api_answers_in_english(korean: Client, episode: Episode) -> None:
    hidden = korean.get(f"/api/v1/episodes/{episode.pk}/?limits=angry%3C%3D0%25").json()
    assert hidden["detail"] == "Your limits hide this episode."
    assert not re.search("[가-힣]", korean.get(f"/api/v1/episodes/{episode.pk}/summary/").content.decode())
    assert not re.search("[가-힣]", korean.get("/api/v1/nowhere/").content.decode())


def test_the_words_of_scripts_are_a_script_of_their_own(korean: Client) -> None:
    assert 'src="/words/ko.js"' in korean.get("/").content.decode()
    script = korean.get("/words/ko.js")
    assert script["Content-Type"].startswith("text/javascript")
    assert json.loads('"\ubcf5\uc0ac\ud588\uc5b4\uc694"') == "복사했어요"
    assert "ubcf5" in script.content.decode()
    assert korean.get("/words/xx.js").status_code == 404


def test_dates_are_written_as_in_the_language() -> None:
    day = datetime(2026, 3, 7, 15, 4, 5, tzinfo=UTC)
    with translation.override("ko"):
        assert date_format(day, "DATETIME_FORMAT") == "2026년 3월 7일 15:04"
        assert date_format(day, "DAY_SECONDS_FORMAT") == "3월 7일 15:04:05"
    with translation.override("en"):
        assert date_format(day, "DATETIME_FORMAT") == "7 March 2026, 15:04"


def test_numbers_for_machines_never_follow_a_language(client: Client, episode: Episode, settings: Any) -> None:
    """German writes 0,5: in data, in coordinates and in fields of numbers that would be no number any more."""
    settings.LANGUAGES = [("en", "English"), ("de", "Deutsch")]
    for address in ("/episodes/{pk}/", "/limits/?limits=angry%3C%3D2.5%25%2Clength%3C%3D7.5min", "/characters/tom/"):
        text = client.get(address.format(pk=episode.pk), headers={"accept-language": "de"}).content.decode()
        assert 'lang="de"' in text
        machines = ("value", "min", "max", "step", "x", "y", "cx", "cy", "width", "height", "x1", "x2")
        for name, value in visible(text).attributes:
            if name in machines or name.startswith("data-"):
                assert not re.fullmatch(r"-?\d+,\d+%?", value), (address, name, value)


def test_a_language_that_runs_from_right_to_left_says_so(client: Client, settings: Any) -> None:
    settings.LANGUAGES = [("en", "English"), ("ar", "العربية")]
    assert '<html lang="ar" dir="rtl">' in client.get("/", headers={"accept-language": "ar"}).content.decode()


def test_a_name_of_a_character_gets_no_particle_that_may_not_fit() -> None:
    """Names come from people; which of two particles fits depends on their last letter, so none of those is used."""

    text = path_of("django").read_text(encoding="utf-8")
    names = "name|name2|who|title|bundle|one|other|get_username|by|first|second"
    assert re.findall(rf"%\((?:{names})\)s(?:은|는|이|가|을|를|과|와|으로|로)(?= )", text) == []
