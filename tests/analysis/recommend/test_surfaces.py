"""The page, without JavaScript, and the API: what they show, refuse and leave alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from analysis.selectors import features
from analysis.selectors.features import catalogue_forget
from catalog.models import Episode
from tests.analysis import world
from tests.analysis.limits.browser import limited
from tests.analysis.test_pages import HOSTILE, read

pytestmark = pytest.mark.django_db
API = "/api/v1/recommendations/"


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(features, "FRESH", 0)
    catalogue_forget()
    yield
    catalogue_forget()


@pytest.fixture
def episodes() -> list[Episode]:
    """Four of four minutes, each of a series of its own, and one that nothing is known of."""
    made = [
        world.analysed_episode(n, title, 240_000, series=world.make_series(f"Series {n}", f"series-{n}"))
        for n, title in enumerate(["Storm", "Cheese", HOSTILE, "Night Train"], 1)
    ]
    return [*made, world.make_episode(world.make_series("Blank", "blank"), 9, "Nobody in it")]


def test_the_page_asks_answers_and_keeps_nothing(client: Client, episodes: list[Episode]) -> None:
    empty = read(client, "/recommendations/")
    assert 'value="2"' in empty
    assert "Nobody in it" not in empty
    assert empty.count('name="like"') == 4
    with CaptureQueriesContext(connection) as context:
        page = read(client, f"/recommendations/?like={episodes[0].pk}&calmer=1")
    assert not [
        q for q in context.captured_queries if not q["sql"].lstrip().upper().startswith(("SELECT", "SAVEPOINT"))
    ]
    assert f'name="like" value="{episodes[0].pk}" checked' in page
    assert '<option value="1" selected>Calmer</option>' in page
    assert "Like “Storm”" in page
    assert page.count('class="result"') == 3
    assert f'href="/episodes/{episodes[0].pk}/"' not in page
    assert "How each came to its score" in page
    assert "sessionid" not in client.cookies


def test_episodes_to_like_are_found_by_title_and_series(client: Client, episodes: list[Episode]) -> None:
    found = read(client, f"/recommendations/?find=night&like={episodes[0].pk}")
    assert found.count('name="like"') == 2
    assert "Night Train" in found
    assert read(client, "/recommendations/?find=series+4").count('name="like"') == 1
    assert "No other episode with enough evidence" in read(client, "/recommendations/?find=zebra")


def test_an_evening_is_planned_or_said_to_be_impossible(client: Client, episodes: list[Episode]) -> None:
    plan = read(client, "/recommendations/?minutes=9")
    assert "2 episodes, 8:00 together." in plan
    assert plan.count('class="result"') == 2
    refused = read(client, "/recommendations/?minutes=2")
    assert "Nothing that may be shown fits in 2 minutes. The shortest that is calm takes 4 minutes." in refused


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("like=999999999", "There is no episode 999999999."),
        ("like=abc", "“like” is a whole number."),
        ("like=-4", "“like” is an id of an episode."),
        ("calmer=9", "calmer is from -2 to 2, not 9"),
        ("calmer=%F0%9F%98%80", "“calmer” is a whole number."),
        ("minutes=0", "An evening has 1 to 360 minutes."),
        ("minutes=soon", "“minutes” is a whole number."),
        ("calmer=1&count=1000", "A list has 1 to 50 episodes."),
        ("like=" + "9" * 18, "There is no episode"),
    ],
)
def test_bad_input_gets_a_sentence_on_the_page_and_in_the_api(client: Client, query: str, words: str) -> None:
    page = client.get(f"/recommendations/?{query}")
    assert page.status_code == 400
    assert words in page.content.decode()
    assert 'role="alert"' in page.content.decode()
    answer = client.get(f"{API}evening/?{query}" if "minutes" in query else f"{API}?{query}")
    assert answer.status_code in (400, 404)
    assert words in answer.json()["detail"]
    assert answer.json()["code"] in ("recommendation_invalid", "episode_unknown")


def test_an_episode_of_which_nothing_is_known_cannot_be_liked(client: Client, episodes: list[Episode]) -> None:
    answer = client.get(f"{API}?like={episodes[4].pk}")
    assert (answer.status_code, answer.json()["code"]) == (400, "episode_not_rated")
    assert "More like this" not in read(client, f"/episodes/{episodes[4].pk}/")
    assert "More like this" in read(client, f"/episodes/{episodes[0].pk}/")


def test_the_api_answers_get_and_post_alike(client: Client, episodes: list[Episode]) -> None:
    first = episodes[0].pk
    got = client.get(f"{API}?like={first}&calmer=1&count=2").json()
    sent: dict[str, Any] = {"like": [first], "sliders": {"calmer": 1}, "count": 2}
    assert client.post(API, sent, "application/json").json() == got
    assert len(got["results"]) == 2
    assert got["compared"] == 3
    for result in got["results"]:
        assert sum(result["terms"].values()) == pytest.approx(result["score"], abs=1e-4)
        assert all(r["value"] == result["terms"][r["term"]] for r in result["reasons"])
    plan = client.get(f"{API}evening/?minutes=9").json()
    assert client.post(f"{API}evening", {"minutes": 9}, "application/json").json() == plan
    assert plan["total_ms"] == 480_000
    assert plan["refusal"] is None
    assert 0 < plan["of_best"] <= 1


@pytest.mark.parametrize(
    "body",
    [
        [],
        {"like": 3},
        {"like": ["x"]},
        {"sliders": {"rage": 1}},
        {"calm": 1},
        {"like": [True]},
        {"count": None},
        {"like": [1.5]},
    ],
)
def test_a_body_that_is_none_is_refused(client: Client, body: Any) -> None:
    answer = client.post(API, body, "application/json")
    assert (answer.status_code, answer.json()["code"]) == (400, "recommendation_invalid")


def test_limits_of_the_browser_and_of_the_request_hold(client: Client, episodes: list[Episode]) -> None:
    answer = client.get(f"{API}?calmer=1&limits=length<=1min").json()
    assert answer["results"] == []
    assert answer["asked"]["limits"] == "length<=1min"
    hidden = client.get(f"{API}?like={episodes[0].pk}&limits=length<=1min")
    assert (hidden.status_code, hidden.json()["code"]) == (404, "hidden_by_limits")
    limited(client, "length<=1min")
    assert "Your limits hide whatever else there is" in read(client, "/recommendations/?calmer=1")
    assert 'name="like"' not in read(client, "/recommendations/")
    assert "Storm" not in read(client, f"/recommendations/?like={episodes[0].pk}", 404)
