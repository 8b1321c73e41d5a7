"""Search over rows: what is found, in which order, and that all three doors give the same answer."""

from __future__ import annotations

import json
from collections import Counter
from io import StringIO
from typing import Any

import jsonschema
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from analysis.models import AnalysisRun, EmotionProfile, EmotionSpan, Publication, Scene, SceneEmotion
from analysis.search.answer import PAGE_SIZE, page_of, search
from analysis.search.scene_conditions import LEAST_SHARE
from analysis.search.sql import Row
from analysis.services.shown import shown_refresh
from catalog.models import Episode, Series
from catalog.selectors import episodes_about
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
        "counts": {
            "type": "object",
            "required": ["yes", "unknown", "no"],
            "additionalProperties": {"type": "integer", "minimum": 0},
        },
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
                    "explain": {
                        "type": "array",
                        "minItems": 1,
                        "items": {"type": "object", "required": ["name", "value", "words"]},
                    },
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
    "episodes where Tom is never disgusted",
    "episodes where nobody is ever angry",
    "characters who are ever angry",
    "happiest Jerry episodes where Tom is angry at least 1 % of the time",
    "scenes where Tom is angry within 20 seconds of when Jerry is happy",
    "moments where Jerry is happy for at least 1 second",
    "calmest episodes",
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
def test_the_picture_of_an_episode_shows_its_characters_and_not_its_black_beginning() -> None:
    scenes = Scene.objects.order_by("run_id", "index")
    scenes.update(thumbnail="thumbnails/t.jpg")
    run = Publication.objects.filter(withdrawn_at__isnull=True).order_by("pk")[0].run
    SceneEmotion.objects.filter(scene=scenes.filter(run=run)[0]).delete()
    found = next(r for r in search("happiest episodes").results if r.episode_id == run.episode_id)
    assert found.thumbnail_scene is not None
    assert SceneEmotion.objects.filter(scene_id=found.thumbnail_scene).exists()


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


@pytest.mark.usefixtures("catalogue")
def test_no_comes_with_the_stretch_that_says_so() -> None:
    answer = search("episodes where Tom is never angry")
    assert answer.counts is not None
    assert sum(answer.counts.values()) == len(answer.results) == 3
    no = [r for r in answer.results if r.verdict == "no"]
    assert no
    for r in no:
        told = r.because["conditions"][0]["span"]
        assert (told["character"], told["emotion"]) == ("tom", "angry")
        assert (told["start_ms"], told["end_ms"]) == (r.start_ms, r.end_ms)
        stretches = EmotionSpan.objects.filter(run__episode_id=r.episode_id, character__slug="tom", emotion="angry")
        assert stretches.filter(start_ms=r.start_ms, end_ms=r.end_ms).exists()
    verdicts = [str(r.verdict) for r in answer.results]
    assert verdicts == sorted(verdicts, key=["yes", "unknown", "no"].index)


@pytest.mark.parametrize("question", ["characters who are never angry", "characters who are always happy"])
@pytest.mark.usefixtures("catalogue")
def test_what_tells_against_a_character_is_shown_in_its_own_episode(question: str) -> None:
    told_of = set()
    for r in search(question).results:
        span = r.because["conditions"][0]["span"]
        if r.verdict == "no":
            assert (span["episode"], span["start_ms"], span["end_ms"]) == (r.episode_id, r.start_ms, r.end_ms)
            assert EmotionSpan.objects.filter(
                run__episode_id=r.episode_id, character__slug=span["character"], emotion=span["emotion"],
                start_ms=r.start_ms, end_ms=r.end_ms,
            ).exists()  # fmt: skip
            assert f"of {r.episode_title}" in r.why
            told_of.add(r.episode_title)
    assert told_of


@pytest.mark.usefixtures("catalogue")
def test_never_is_no_yes_where_too_little_was_seen_or_a_part_is_missing() -> None:
    sure = {"share": 0.0, "low": 0.0, "high": 0.004, "runs_per_minute": 0.0}
    EmotionSpan.objects.filter(character__slug="tom", emotion="disgusted").delete()
    profiles = EmotionProfile.objects.filter(character__slug="tom")
    for profile in profiles:
        profile.shares["disgusted"] = {**profile.shares["disgusted"], **sure}
        profile.enough, profile.readable_ms = True, profile.visible_ms
        profile.save()
    shown_refresh()
    question = "episodes where Tom is never disgusted"
    assert [r.verdict for r in search(question).results] == ["yes"] * 3
    first, second, third = (p.pk for p in profiles.order_by("pk"))
    profiles.filter(pk=first).update(readable_ms=1, visible_ms=2)
    profiles.filter(pk=second).update(enough=False)
    AnalysisRun.objects.filter(profiles__pk=third).update(partial=True)
    shown_refresh()
    answer = search(question)
    assert [r.verdict for r in answer.results] == ["unknown"] * 3
    reasons = " ".join(r.why for r in answer.results)
    assert "only 50 %" in reasons
    assert "not enough was seen" in reasons.lower()


@pytest.mark.usefixtures("catalogue")
def test_a_score_is_explained_by_numbers_that_give_it() -> None:
    for result in search("happiest Jerry scenes", explain=True).results:
        assert result.parts is not None
        value = {p.name: p.value for p in result.parts}
        assert value["score"] == result.score == pytest.approx(value["shrunk"] - value["spread"])
        assert value["shrunk"] == pytest.approx((value["n"] * value["share"] + 4 * value["even"]) / (value["n"] + 4))
    for result in search("calmest episodes", explain=True).results:
        assert result.parts is not None
        value = {p.name: p.value for p in result.parts}
        calm = max(0.0, 1 - value["angry_high"] - value["scared_high"]) * value["stillness"]
        assert value["score"] == pytest.approx(calm, abs=2e-4)
    assert all(r.parts is None for r in search("happiest Jerry scenes").results)


@pytest.mark.usefixtures("catalogue")
def test_the_command_and_the_api_explain(client: Client) -> None:
    out = StringIO()
    call_command("search", "happiest Jerry scenes", "--explain", stdout=out)
    assert "shrunk = 0." in out.getvalue()
    query = client.get("/api/v1/search/", {"q": "happiest Jerry scenes"}).json()["query"]
    answer = client.post("/api/v1/query/?explain=1", query, content_type="application/json").json()
    jsonschema.validate(answer, ANSWER)
    assert [p["name"] for p in answer["results"][0]["explain"]][-1] == "score"
    bad = client.get("/api/v1/search/", {"q": "happiest scenes", "explain": "yes"})
    assert bad.status_code == 400


@pytest.mark.usefixtures("catalogue")
def test_a_json_query_that_names_somebody_unknown_is_refused(client: Client) -> None:
    where = [{"kind": "never", "character": "butch", "emotion": "angry"}]
    query = {"version": 2, "target": "episodes", "where": where}
    answer = client.post("/api/v1/query/", query, content_type="application/json").json()
    assert (answer["answer"], answer["because"]["code"]) == ("refused", "unknown_character")


def _scenes(episode_id: int) -> list[Any]:
    return list(Publication.objects.get(episode_id=episode_id).run.scenes.all())


@pytest.mark.usefixtures("catalogue")
def test_episodes_that_lack_evidence_come_after_those_that_do_not() -> None:
    EmotionProfile.objects.update(enough=True)
    shown_refresh()
    best = search("angriest Tom episodes").results[0]
    assert not best.lacking
    EmotionProfile.objects.filter(run__episode_id=best.episode_id).update(enough=False)
    shown_refresh()
    results = search("angriest Tom episodes").results
    assert results[-1].episode_id == best.episode_id
    assert [r.lacking for r in results] == [False, False, True]


@pytest.mark.usefixtures("catalogue")
def test_least_puts_the_smallest_upper_bound_first() -> None:
    EmotionProfile.objects.update(enough=True)
    shown_refresh()
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
def test_free_words_search_titles_and_synopses_through_an_index() -> None:
    Episode.objects.filter(title="Flight").update(synopsis="Two pilots look for a hidden lighthouse.")
    assert {r.episode_title for r in search("happiest Jerry scenes pilot").results} == {"Flight"}
    answer = search("episodes lighthouse pilots unheard")
    assert [r.episode_title for r in answer.results] == ["Flight"]
    assert (answer.echo, answer.unused) == ('episodes about "lighthouse pilots"', ("unheard",))
    assert [r.episode_title for r in search("calm storm episodes").results] == ["Storm"]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off")
        plan = episodes_about("pilots").order_by().explain()
    assert "episode_words_idx" in plan, plan


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


def test_pages_count_from_one() -> None:
    with pytest.raises(CommandError, match="counts from 1") as refused:
        call_command("search", "happiest scenes", "--page", "0")
    assert refused.value.returncode == 2
