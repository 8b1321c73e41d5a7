"""Every number opens the moments behind it, the clearest first; and two characters stand side by side over time."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from analysis.models import AnalysisRun, EmotionSpan
from analysis.selectors.behind import behind
from analysis.selectors.pairs import pair_of
from analysis.selectors.timelines import timeline_of
from catalog.models import Character, Episode
from ml.types import Emotion
from tests.analysis import world
from tests.analysis.test_pages import read

pytestmark = pytest.mark.django_db


@pytest.fixture
def episode() -> Episode:
    """90 s: Tom is angry for 6 s, 2 s and 1 s, in shots of 3 s; Jerry is happy while he is."""
    found = world.make_episode(world.make_series(), 1, "Three fits", 90_000)
    fits = [(12_000, 18_000), (30_000, 32_000), (60_000, 61_000)]
    tom, at = [], 3_000
    for start, end in fits:
        tom += [(at, start, Emotion.NEUTRAL), (start, end, Emotion.ANGRY)]
        at = end
    jerry = [(start, end, Emotion.HAPPY) for start, end in fits]
    world.analyse(found, {"tom": [*tom, (at, 90_000, Emotion.NEUTRAL)], "jerry": jerry})
    return found


def test_the_moments_are_those_of_the_number(
    client: Client, episode: Episode, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(14):
        text = read(client, f"/episodes/{episode.pk}/moments/?character=tom&emotion=angry")
    assert "When Tom looks angry" in text
    assert "4 stretches, 9.0 s together." in text
    assert set(re.findall(r'data-seek-ms="(\d+)"', text)) == {"12000", "15000", "30000", "60000"}
    longest = read(client, f"/episodes/{episode.pk}/moments/?character=tom&emotion=angry&order=longest")
    assert re.findall(r'data-seek-ms="(\d+)" tabindex', longest) == ["12000", "15000", "30000", "60000"]
    assert "No stretch is long and clear enough" in read(
        client, f"/episodes/{episode.pk}/moments/?character=tom&emotion=disgusted"
    )


def test_the_clearest_comes_first(episode: Episode) -> None:
    run, tom = AnalysisRun.objects.get(), Character.objects.get(slug="tom")
    EmotionSpan.objects.filter(character=tom, emotion="angry", start_ms=60_000).update(strength=0.999)
    EmotionSpan.objects.filter(character=tom, emotion="angry", start_ms=12_000).update(strength=0.5)
    found = behind(run, tom, Emotion.ANGRY, "anything", None)
    starts = [s.start_ms for s in found.spans]
    assert (starts[0], starts[-1]) == (60_000, 12_000)
    first = found.spans[0]
    assert first.face is not None
    assert 60_000 <= first.face.pts_ms < 61_000
    assert first.face.box == pytest.approx((first.face.box[0], 40 / 360, first.face.box[2], 140 / 360))
    assert (first.how_clear, found.spans[-1].how_clear) == ("clear", "less clear")


def test_what_is_not_there_is_named_and_offered_is_what_is(client: Client, episode: Episode) -> None:
    for asked in ("character=tim&emotion=angry", "character=tom&emotion=bored", "character=%3Cb%3E&emotion=angry"):
        text = read(client, f"/episodes/{episode.pk}/moments/?{asked}", 404)
        assert "in this episode. Choose from those that are." in text
        assert '<option value="jerry">' in text
    assert "The moments behind a number" in read(client, f"/episodes/{episode.pk}/moments/")
    assert client.get("/episodes/999999/moments/").status_code == 404
    bare = world.make_episode(world.make_series(), 2, "Unread")
    assert "Not analysed yet" in read(client, f"/episodes/{bare.pk}/moments/?character=tom&emotion=angry")


def test_every_range_of_the_page_leads_to_its_moments(client: Client, episode: Episode) -> None:
    text = read(client, f"/episodes/{episode.pk}/")
    links = set(re.findall(rf'href="(/episodes/{episode.pk}/moments/[^"]+)"', text))
    assert len(links) == 14
    for link in sorted(links)[:3]:
        read(client, link.replace("&amp;", "&"))


def test_two_stand_side_by_side(client: Client, episode: Episode) -> None:
    timeline = timeline_of(AnalysisRun.objects.get(), 90_000)
    usual = pair_of(timeline)
    assert usual is not None
    assert [s.character.slug for s in usual.sides] == ["tom", "jerry"]
    assert usual.emotion in (Emotion.ANGRY, Emotion.HAPPY)
    pair = pair_of(timeline, ["jerry", "nobody"], "angry")
    assert pair is not None
    assert [s.character.slug for s in pair.sides] == ["jerry", "tom"]
    tom = pair.sides[1].stretches
    angry = [s for s in tom if s.share is not None and s.share > 0.5]
    assert angry
    assert all(s.end_ms >= 12_000 and s.start_ms <= 61_000 for s in angry)
    jerry = pair.sides[0].stretches
    assert all(s.share is None for s in jerry if s.start_ms >= 64_000), "he is gone"
    text = read(client, f"/episodes/{episode.pk}/?who=jerry&who=tom&shows=angry")
    part = text[text.index('id="pair"') : text.index('id="timeline"')]
    assert '<option value="jerry" selected>' in part
    assert '<option value="angry" selected>' in part
    assert part.count("<tr>") == len(tom) + 1
    assert "cannot be read" in part
