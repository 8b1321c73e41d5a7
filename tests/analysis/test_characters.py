"""A character over its episodes, as the page, the sentences and the API tell it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from analysis.models import AnalysisRun, EmotionProfile, ModelBundle, Publication, Scene, SceneEmotion, Segment
from analysis.selectors.characters import character_across
from analysis.selectors.runs import runs_published
from catalog.models import Character, Episode
from tests.analysis.runs_helpers import digest
from tests.analysis.test_pages import read
from tests.factories import CharacterFactory, EpisodeFactory, SeriesFactory

pytestmark = pytest.mark.django_db
SAID = ("happy", "angry", "neutral")


def shown(
    episode: Episode, character: Character, happy: float, *, bundle: str = "one", enough: bool = True
) -> EmotionProfile:
    """The episode shows a run in which the character is so happy, half of the rest angry."""
    model, _ = ModelBundle.objects.get_or_create(
        digest=digest(bundle), defaults={"name": bundle, "version": "1", "characters": [], "emotions": list(SAID)}
    )
    run = AnalysisRun.objects.filter(episode=episode).first()
    if run is None:
        run = AnalysisRun.objects.create(
            episode=episode, bundle=model, source_sha256=digest("s"), fingerprint=digest(f"{episode.pk}"),
            status="succeeded", finished_at=timezone.now(), ratings_version=1,
        )  # fmt: skip
        Publication.objects.create(episode=episode, run=run)
        Segment.objects.create(run=run, index=0, start_ms=0, end_ms=60_000, status="done")
    rest = (1 - happy) / 2
    for index in range(6):
        scene, _ = Scene.objects.get_or_create(
            run=run, index=index, defaults={"start_ms": index * 10_000, "end_ms": (index + 1) * 10_000}
        )
        for emotion, share in zip(SAID, (happy, rest, rest), strict=True):
            SceneEmotion.objects.create(
                scene=scene, run=run, character=character, emotion=emotion, visible_ms=9_000, readable_ms=8_000,
                share=share if index < 3 else share / 2, baseline=0.3, score=0.1,
            )  # fmt: skip
    shares = {
        emotion: {"share": 0.5, "corrected": share, "low": max(0.0, share - 0.08), "high": min(1.0, share + 0.08)}
        for emotion, share in zip(SAID, (happy, rest, rest), strict=True)
    }
    return EmotionProfile.objects.create(
        run=run, character=character, visible_ms=50_000, readable_ms=40_000, drawings=400, shots=30, enough=enough,
        shares=shares, details={"worth": 30.0},
    )  # fmt: skip


@pytest.fixture
def joy() -> Character:
    """Happy in seven of eight episodes."""
    series = SeriesFactory.create()
    joy = CharacterFactory.create(slug="joy", name="Joy", series=series)
    for i, happy in enumerate([0.60, 0.62, 0.58, 0.61, 0.59, 0.63, 0.57, 0.05]):
        shown(EpisodeFactory.create(series=series, number=i + 1, title=f"Part {i + 1}"), joy, happy)
    return joy


def test_the_exception_is_named_and_the_mean_has_an_interval(joy: Character) -> None:
    across = character_across(joy, runs_published())
    assert across is not None
    happy = across.emotions[0]
    assert across.strongest is happy
    assert [e.episode.title for e in across.exceptions if e.emotion == "happy"] == ["Part 8"]
    assert happy.across.low is not None
    assert happy.across.low < happy.across.share < 0.6, "the eighth counts too"
    assert happy.episodes[0].share == 0.60, "measured in the episode alone, not drawn toward the series"
    text = " ".join(across.sentences)
    assert "In a usual episode Joy looks happy" in text
    assert "“Part 8” is an exception: less happy than usual, 5 %." in text


def test_arcs_follow_the_scenes(joy: Character) -> None:
    across = character_across(joy, runs_published())
    assert across is not None
    happy = next(a for a in across.arcs if a.emotion == "happy")
    shares = [p.share or 0.0 for p in happy.points]
    assert shares[0] == pytest.approx(2 * shares[9])
    assert happy.points[0].episodes == 8


def test_arcs_need_no_segments(joy: Character) -> None:
    before = character_across(joy, runs_published())
    Segment.objects.all().delete()
    after = character_across(joy, runs_published())
    assert before is not None
    assert after is not None
    assert len(after.arcs) == len(before.arcs) > 0


def test_what_people_checked_is_said_as_they_checked_it(joy: Character) -> None:
    row = EmotionProfile.objects.filter(character=joy).order_by("pk")[0]
    row.shares["happy"] |= {"share": 0.98, "corrected": 0.6, "low": 0.9, "high": 1.0}
    row.details["checked"] = {"applied": True}
    row.save()
    across = character_across(joy, runs_published())
    assert across is not None
    one = next(e for e in across.emotions[0].episodes if e.episode_id == row.run.episode_id)
    assert (one.share, one.low, one.high) == (0.98, 0.9, 1.0)


def test_few_or_other_or_unrated_episodes_are_said_and_not_pooled(joy: Character) -> None:
    series = joy.series
    shown(EpisodeFactory.create(series=series, number=20), joy, 0.9, bundle="two")
    shown(EpisodeFactory.create(series=series, number=21), joy, 0.9, enough=False)
    across = character_across(joy, runs_published())
    assert across is not None
    assert (len(across.rated), across.unrated, across.others, across.bundle) == (8, 1, 1, "one-1")
    sad = CharacterFactory.create(slug="sadness", name="Sadness")
    assert character_across(sad, runs_published()) is None
    shown(EpisodeFactory.create(series=series, number=22), sad, 0.2)
    alone = character_across(sad, runs_published())
    assert alone is not None
    assert alone.emotions[0].across.low is None
    assert "From 3 episodes on" in alone.sentences[0]


def test_the_page_tells_it_in_words_charts_and_tables(client: Client, joy: Character) -> None:
    text = read(client, "/characters/joy/")
    assert "What is usual for Joy" in text
    assert text.count("<table>") == 2
    assert '<span class="badge warn">exception</span>' in text
    assert 'class="arc"' in text
    assert "What is usual" not in read(client, f"/characters/{CharacterFactory.create().slug}/")


def test_limits_leave_hidden_episodes_out(client: Client, joy: Character) -> None:
    client.cookies["limits"] = "altered"
    assert "What is usual" not in client.get("/characters/joy/").content.decode()
    none = AnalysisRun.objects.none()
    assert character_across(joy, none) is None


def test_characters_stand_side_by_side(client: Client, joy: Character) -> None:
    anger = CharacterFactory.create(slug="anger", name="Anger")
    for episode in Episode.objects.order_by("pk")[:4]:
        shown(episode, anger, 0.1)
    for query in ("?with=anger", "?with=anger,joy", "?with=joy&with=anger"):
        text = read(client, f"/characters/joy/{query}")
        assert "Side by side" in text
        assert text.count('href="/characters/anger/"') >= 1
    assert "Nobody here is called nobody" in read(client, "/characters/joy/?with=nobody")


def test_the_api_has_the_same_numbers(client: Client, joy: Character) -> None:
    body = client.get("/api/v1/characters/joy/").json()["across"]
    across = character_across(joy, runs_published())
    assert across is not None
    assert body["emotions"]["happy"]["share"] == across.emotions[0].across.share
    assert body["emotions"]["happy"]["exceptions"] == list(across.emotions[0].across.exceptions)
    assert len(body["arcs"]["happy"]) == 10
    assert body["sentences"] == list(across.sentences)
    assert client.get(f"/api/v1/characters/{CharacterFactory.create().slug}/").json()["across"] is None
    listed: Any = client.get("/api/v1/characters/").json()
    assert "across" not in listed["results"][0]
