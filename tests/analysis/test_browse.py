"""The browse page: filters by how much, length and year; and a sentence in its box."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client

from analysis.models import EmotionProfile
from analysis.services.shown import shown_refresh
from analysis.views import browse
from catalog.models import Character, Episode
from tests.analysis import world
from tests.analysis.limits.browser import limited
from tests.analysis.test_pages import read

pytestmark = pytest.mark.django_db
BOUNDS = {"Hardly": (0.01, 0.1), "Middling": (0.16, 0.3), "Very": (0.4, 0.6), "Wide": (0.1, 0.5)}


@pytest.fixture
def catalogue() -> list[Episode]:
    """Four episodes whose cast is angry between these bounds; 30, 60, 90 and 120 s long; of 1940 to 1943."""
    found = []
    for n, (title, (low, high)) in enumerate(BOUNDS.items()):
        episode = world.analysed_episode(2 * n + 1, title, 30_000, year=1940 + n)
        assert episode.source is not None
        episode.source.duration_ms = 30_000 * (n + 1)
        episode.source.save()
        EmotionProfile.objects.filter(run__episode=episode).update(
            enough=True, shares={"angry": {"share": (low + high) / 2, "low": low, "high": high}}
        )
        found.append(episode)
    shown_refresh()
    return found


def titles(client: Client, **asked: str) -> list[str]:
    text = client.get("/", asked).content.decode()
    return re.findall(r'<h2><a href="/episodes/\d+/">([^<]+)</a>', text)


def test_how_much_goes_by_the_bounds(client: Client, catalogue: list[Episode]) -> None:
    for who in ("", "tom"):
        assert titles(client, emotion="angry", amount="little", character=who) == ["Hardly"]
        assert titles(client, emotion="angry", amount="some", character=who) == ["Middling", "Very"]
        assert titles(client, emotion="angry", amount="lot", character=who) == ["Very"]
        assert titles(client, emotion="angry", sort="most", character=who) == ["Very", "Middling", "Wide", "Hardly"]
    assert titles(client, emotion="angry", character="rosa") == []
    assert titles(client, character="Tom", year="1941") == ["Middling"], "a name does as well as a slug"
    EmotionProfile.objects.filter(run__episode=catalogue[2]).update(enough=False)
    shown_refresh()
    assert titles(client, emotion="angry", amount="lot") == []


def test_length_and_year(client: Client, catalogue: list[Episode]) -> None:
    catalogue[3].source.duration_ms = 240_000  # type: ignore[union-attr]
    catalogue[3].source.save()  # type: ignore[union-attr]
    assert titles(client, minutes="3") == ["Hardly", "Middling", "Very"]
    assert titles(client, year="1943") == ["Wide"]
    for wrong in ({"minutes": "x"}, {"minutes": "9" * 9}, {"year": "-1"}, {"year": "12345"}, {"year": "\u00b2"}):
        assert titles(client, **wrong) == [], wrong


def test_a_question_is_answered_with_cards_and_chips(
    client: Client, catalogue: list[Episode], django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(24):
        text = read(client, "/?q=angriest+episodes")
    assert "Understood: <strong>angriest episodes</strong>" in text
    assert re.findall(r'<h2><a href="/episodes/\d+/">([^<]+)</a>', text)[0] == "Very"
    assert 'title="Ask for: least angry episodes"' in text
    assert "angry tom" not in text
    turned = read(client, "/?q=angry+tom")
    assert "angriest episodes of Tom" in turned, "what does not say what it looks for looks for episodes"
    limited(client, "length<=1min")
    assert "Very" not in read(client, "/?q=angriest+episodes")


def test_scenes_lead_to_the_search_page(client: Client, catalogue: list[Episode]) -> None:
    answer = client.get("/", {"q": "angriest Tom scenes"})
    assert (answer.status_code, answer["Location"]) == (302, "/search/?q=angriest+Tom+scenes")
    swapped = client.get("/", {"q": "angriest Tom scenes"}, headers={"HX-Request": "true"})
    assert (swapped.status_code, swapped["HX-Redirect"]) == (200, "/search/?q=angriest+Tom+scenes")


def test_words_that_are_no_question_are_looked_for_in_titles(client: Client, catalogue: list[Episode]) -> None:
    for words in ("Hardly", "ver", "zzz", "<script>", "series", "x" * 3_000, "\u202e"):
        text = read(client, f"/?q={quote(words)}")
        found = re.findall(r'<h2><a href="/episodes/\d+/">([^<]+)</a>', text)
        assert found == [t for t in BOUNDS if words.lower() in t.lower()], words


def test_of_many_characters_a_name_is_typed(
    client: Client, catalogue: list[Episode], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert '<option value="pip">' in read(client, "/")
    monkeypatch.setattr(browse, "MOST_CHOICES", 2)
    text = read(client, "/?character=TOM")
    assert 'name="character" value="tom"' in text
    assert len(re.findall('<h2><a href="/episodes/', text)) == 4
    assert Character.objects.filter(slug="pip").exists()
    assert '<option value="pip">' not in text
