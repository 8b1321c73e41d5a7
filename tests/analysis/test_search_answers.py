"""Search over rows: what is found, in which order, and that all three doors give the same answer."""

from __future__ import annotations

import json
from collections import Counter
from io import StringIO
from typing import Any

import jsonschema
import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from analysis.models import EmotionProfile, Publication, SceneEmotion
from analysis.search.answer import PAGE_SIZE, page_of, search
from analysis.search.sql import LEAST_SHARE, Row
from catalog.models import Series
from tests.analysis import world

ANSWER = {
    "type": "object",
    "required": ["query", "echo", "unused", "answer", "results"],
    "additionalProperties": False,
    "properties": {
        "query": {"type": ["object", "null"]},
        "echo": {"type": "string", "minLength": 1},
        "unused": {"type": "array", "items": {"type": "string"}},
        "answer": {"enum": ["results", "refused"]},
        "because": {"type": "object", "required": ["code", "nearest"]},
        "results": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["episode", "start_ms", "end_ms", "score", "because"],
                "additionalProperties": False,
                "properties": {
                    "episode": {
                        "type": "object",
                        "required": ["id", "title"],
                        "additionalProperties": False,
                        "properties": {"id": {"type": "integer"}, "title": {"type": "string"}},
                    },
                    "start_ms": {"type": "integer", "minimum": 0},
                    "end_ms": {"type": "integer", "minimum": 1},
                    "score": {"type": "number", "minimum": 0, "maximum": 1},
                    "verdict": {"enum": ["yes", "no", "unknown"]},
                    "because": {"type": "object"},
                },
            },
        },
    },
}
QUESTIONS = [
    "happiest Jerry scenes",
    "happiest moments",
    "scenes with Jerry",
    "angriest Tom episodes",
    "least angry episodes",
    "episodes with Pip",
    "episodes under 2 minutes",
    "scenes under 30 seconds in the series The Missing Cheese",
    "moments from 2024",
    "happiest characters",
    "angry scenes with Butch",
]


@pytest.fixture
def catalogue(db: None) -> None:
    for number, (title, length) in enumerate([("Cheese", 60_000), ("Storm", 90_000), ("Flight", 150_000)], 1):
        world.analysed_episode(number, title, length, year=2024)


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.usefixtures("catalogue")
def test_command_and_api_give_the_same_documented_answer(client: Client, question: str) -> None:
    out = StringIO()
    call_command("search", question, "--json", stdout=out)
    said = json.loads(out.getvalue())
    jsonschema.validate(said, ANSWER)
    answer = client.get("/api/v1/search/", {"q": question}).json()
    assert answer == said
    assert (said["answer"] == "refused") == ("Butch" in question)
    assert bool(said["results"]) != ("Butch" in question)
    page = client.get("/search/", {"q": question}).content.decode()
    for result in said["results"]:
        assert f"/episodes/{result['episode']['id']}/?t=" in page


@pytest.mark.usefixtures("catalogue")
def test_scenes_are_those_of_a_brute_force_search() -> None:
    rows = [
        r
        for r in SceneEmotion.objects.select_related("scene", "run")
        if (r.character.slug, r.emotion) == ("jerry", "happy") and r.score > 0 and r.share >= LEAST_SHARE
    ]
    rows.sort(key=lambda r: (-r.score, r.pk))
    found = [*search("happiest Jerry scenes").results, *search("happiest Jerry scenes", page=2).results]
    got = {(r.episode_id, r.start_ms, r.score) for r in found}
    assert rows
    assert got == {(r.run.episode_id, r.scene.start_ms, r.score) for r in rows}
    first = search("happiest Jerry scenes").results[0]
    assert (first.episode_id, first.score) == (rows[0].run.episode_id, rows[0].score)


@pytest.mark.usefixtures("catalogue")
def test_moments_lie_inside_their_scenes() -> None:
    found = search("happiest Jerry moments").results
    assert found
    for r in found:
        assert r.because["best_start_ms"] == r.start_ms
        assert any(
            s.start_ms <= r.start_ms < r.end_ms <= s.end_ms
            for s in _scenes(r.episode_id)
        )  # fmt: skip


def _scenes(episode_id: int) -> list[Any]:
    return list(Publication.objects.get(episode_id=episode_id).run.scenes.all())


@pytest.mark.usefixtures("catalogue")
def test_episodes_that_lack_evidence_come_after_those_that_do_not() -> None:
    EmotionProfile.objects.update(enough=True)
    best = search("angriest Tom episodes").results[0]
    assert not best.lacking
    EmotionProfile.objects.filter(run__episode_id=best.episode_id).update(enough=False)
    results = search("angriest Tom episodes").results
    assert results[-1].episode_id == best.episode_id
    assert [r.lacking for r in results] == [False, False, True]


@pytest.mark.usefixtures("catalogue")
def test_least_puts_the_smallest_upper_bound_first() -> None:
    EmotionProfile.objects.update(enough=True)
    results = search("least angry Tom episodes").results
    highs = [r.because["high"] for r in results]
    assert highs == sorted(highs)
    assert results[0].score == pytest.approx(1 - highs[0], abs=1e-3)


@pytest.mark.usefixtures("catalogue")
def test_clauses_narrow_the_answer() -> None:
    other = Series.objects.create(title="Other", slug="other")
    world.analysed_episode(7, "Elsewhere", 70_000, series=other, year=1936)
    assert {r.episode_title for r in search("episodes in the series Other").results} == {"Elsewhere"}
    assert {r.episode_title for r in search("episodes before 1940").results} == {"Elsewhere"}
    assert {r.episode_title for r in search('happiest scenes titled "storm"').results} == {"Storm"}
    assert {r.episode_title for r in search("episodes over 2 minutes").results} == {"Flight"}
    assert {r.episode_title for r in search("happiest Jerry scenes in episodes under 65 seconds").results} == {"Cheese"}
    assert len(search("episodes in season 1").results) == 4
    assert all(r.end_ms - r.start_ms < 20_000 for r in search("happiest Jerry scenes under 20 seconds").results)


@pytest.mark.usefixtures("catalogue")
def test_what_is_not_published_is_not_found() -> None:
    Publication.objects.all().delete()
    for question in QUESTIONS:
        assert search(question).results == ()


def test_the_first_page_has_two_of_an_episode_and_the_pages_together_everything() -> None:
    rows = [Row(pk, pk % 5, 1 - pk / 100, {}) for pk in range(60)]
    pages: list[list[int]] = []
    page, more = 1, True
    while more:
        found, place, more = page_of(rows, page, PAGE_SIZE, 2)
        assert place == 1 + sum(len(p) for p in pages)
        pages.append([r.pk for r in found])
        page += 1
    assert max(Counter(pk % 5 for pk in pages[0]).values()) == 2
    assert pages[0] == list(range(10))
    assert sorted(pk for p in pages for pk in p) == list(range(60))
    assert pages[1] == list(range(10, 30))


def test_the_command_refuses_in_one_sentence(db: None) -> None:
    with pytest.raises(CommandError, match=r"no emotion called “Butch”.*\[unknown_character\]"):
        call_command("search", "happiest", "scenes", "of", "Butch")


@pytest.mark.usefixtures("catalogue")
def test_the_command_prints_what_it_understood_and_found() -> None:
    out = StringIO()
    call_command("search", "happiest jery scenes in colour", stdout=out)
    lines = out.getvalue().splitlines()
    assert lines[0] == "Understood: happiest scenes of Jerry"
    assert lines[1] == "Not used: colour"
    assert lines[2].startswith("  1. 0.")
