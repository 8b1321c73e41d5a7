"""Selectors: what pages read, in how many queries."""

from __future__ import annotations

from typing import Any

import pytest

from analysis.models import EmotionProfile, FaceDetection, Publication
from analysis.selectors.episodes import (
    EpisodeFilter,
    character_choices,
    episode_cards,
    episode_get,
    episodes_annotated,
    episodes_find,
)
from analysis.selectors.profiles import Level, glance_of, level_of, rating_of
from analysis.selectors.runs import run_published, runs_published
from analysis.selectors.scenes import best_scenes, scene_cards, scenes_ranked
from analysis.selectors.timelines import Reading, lane_spans, timeline_of
from analysis.services.shown import shown_refresh
from catalog.models import Character, Episode
from ml.types import Emotion
from tests.analysis import world

pytestmark = pytest.mark.django_db


def found(**wanted: str) -> list[str]:
    return [e.title for e in episodes_find(EpisodeFilter(**wanted), episodes_annotated())]


def test_browsing_takes_as_many_queries_for_many_episodes_as_for_few(django_assert_num_queries: Any) -> None:
    for number in range(1, 3):
        world.analysed_episode(number, f"Episode {number}", 30_000)
    world.make_episode(world.make_series(), 8, "Not analysed either")
    with django_assert_num_queries(5):
        assert len(episode_cards(list(episodes_find(EpisodeFilter(), episodes_annotated())))) == 3
    for number in range(3, 8):
        world.analysed_episode(number, f"Episode {number}", 30_000)
    world.make_episode(world.make_series(), 9, "Not analysed")
    with django_assert_num_queries(5):
        cards = episode_cards(list(episodes_find(EpisodeFilter(), episodes_annotated())))
    assert len(cards) == 9
    assert [c.run is None for c in cards] == [False] * 7 + [True, True]
    assert {r.character.slug for r in cards[0].ratings} == {"tom", "jerry", "pip"}


def test_filters_and_orders() -> None:
    short = world.analysed_episode(1, "Zebra crossing", 30_000)
    world.analysed_episode(2, "A long night", 90_000)
    world.make_episode(world.make_series("Other", "other"), 1, "Mute", 10_000)
    assert found() == ["Mute", "Zebra crossing", "A long night"]
    assert found(series="cheese") == ["Zebra crossing", "A long night"]
    assert found(series="nothing") == []
    assert found(character="pip") == ["Zebra crossing"]
    assert found(character="rosa") == ["A long night"]
    assert found(words="long NIGHT") == ["A long night"]
    assert found(words="other mute") == ["Mute"]
    assert found(sort="title") == ["A long night", "Mute", "Zebra crossing"]
    assert found(sort="shortest") == ["Mute", "Zebra crossing", "A long night"]
    assert found(sort="longest") == ["A long night", "Zebra crossing", "Mute"]
    assert found(emotion="happy") == []
    EmotionProfile.objects.filter(run__episode=short).update(enough=True)
    shown_refresh()
    assert found(emotion="happy") == ["Zebra crossing"]


def test_most_of_an_emotion_goes_by_the_lower_bound_and_least_by_the_upper() -> None:
    for number, (low, high) in enumerate([(0.1, 0.9), (0.3, 0.5), (0.2, 0.95)], 1):
        episode = world.analysed_episode(number, f"E{number}", 30_000)
        profiles = EmotionProfile.objects.filter(run__episode=episode)
        profiles.update(enough=True, shares={"angry": {"share": (low + high) / 2, "low": low, "high": high}})
    shown_refresh()
    assert found(emotion="angry", sort="most") == ["E2", "E3", "E1"]
    assert found(emotion="angry", sort="least") == ["E2", "E1", "E3"]


def test_a_level_comes_from_the_bounds() -> None:
    assert [level_of(s) for s in (0, 0.019, 0.02, 0.149, 0.15, 0.35, 1)] == [
        Level.NONE, Level.NONE, Level.LITTLE, Level.LITTLE, Level.SOME, Level.LOT, Level.LOT]  # fmt: skip
    profile = EmotionProfile(
        character=Character(slug="tom", name="Tom"), run_id=1, visible_ms=40_000, readable_ms=40_000, drawings=9,
        shots=12, enough=True, shares={"angry": {"share": 0.3, "low": 0.1, "high": 0.4},
                                       "sad": {"share": 0.0, "low": 0.0, "high": 0.01}},
    )  # fmt: skip
    rating = rating_of(profile)
    assert [e.level for e in rating.emotions] == ["none", "a little to a lot"]
    assert Emotion.HAPPY in rating.not_modelled
    assert [e.emotion for e in rating.strongest] == [Emotion.ANGRY]


def test_lacking_evidence_says_what_is_lacking_and_is_left_out_of_the_glance() -> None:
    short = EmotionProfile(
        character=Character(slug="tom", name="Tom"), run_id=1, visible_ms=9_000, readable_ms=8_000, drawings=9, shots=1,
        enough=False, shares={"angry": {"share": 1.0, "low": 0.0, "high": 1.0}},
    )  # fmt: skip
    enough = EmotionProfile(
        character=Character(slug="pip", name="Pip"), run_id=1, visible_ms=90_000, readable_ms=80_000, drawings=9,
        shots=20, enough=True, shares={"angry": {"share": 0.1, "low": 0.05, "high": 0.2}},
    )  # fmt: skip
    tom, pip = rating_of(short), rating_of(enough)
    assert [word in " ".join(tom.lacking) for word in ("8 s", "1 shot", "±50 points")] == [True] * 3
    assert pip.lacking == ()
    glance = glance_of([tom, pip])
    assert (glance.enough, glance.unrated) == (True, ("Tom",))
    assert glance.emotions[0].share == pytest.approx(0.1)
    assert not glance_of([tom]).enough


def test_a_timeline_shows_each_character_and_those_whom_nobody_knows(django_assert_num_queries: Any) -> None:
    episode = world.make_episode(world.make_series(), 1, "E", 12_000)
    moods = {
        "tom": [(3_000, 6_000, Emotion.ANGRY), (6_000, 9_000, Emotion.SAD)],
        None: [(9_000, 11_000, Emotion.HAPPY)],
    }
    run = world.analyse(episode, moods)
    with django_assert_num_queries(3):
        timeline = timeline_of(run, 12_000)
    tom, stranger = timeline.lanes
    assert tom.character is not None
    assert [(s.start_ms, s.end_ms, s.emotion) for s in tom.spans] == [(3_000, 6_000, "angry"), (6_000, 9_000, "sad")]
    assert tom.visible_ms == 6_000
    assert (stranger.character, stranger.visible_ms) == (None, 2_000)
    assert timeline.unknown is stranger
    assert [s.start_ms for s in timeline.shots] == [0, 3_000, 6_000, 9_000]


def test_an_unclear_face_stays_unclear_on_the_timeline() -> None:
    episode = world.make_episode(world.make_series(), 1, "E", 6_000)
    run = world.analyse(episode, {"tom": [(0, 6_000, Emotion.ANGRY)]})
    FaceDetection.objects.filter(pts_ms__lt=3_000).update(emotion="")
    (lane,) = timeline_of(run, 6_000).lanes
    assert [(s.start_ms, s.end_ms, s.emotion) for s in lane.spans] == [(0, 3_000, "unclear"), (3_000, 6_000, "angry")]


def test_spans_never_overlap_and_crumbs_are_dropped() -> None:
    spans = lane_spans(
        [
            Reading(0, 1_000, "happy", 0.9),
            Reading(500, 1_500, "happy", 0.7),
            Reading(1_500, 1_600, "sad", 0.9),
            Reading(1_600, 3_000, "angry", 0.5),
        ]
    )
    assert [(s.start_ms, s.end_ms, s.emotion) for s in spans] == [(0, 1_500, "happy"), (1_600, 3_000, "angry")]
    assert spans[0].confidence == pytest.approx((0.9 * 1_000 + 0.7 * 500) / 1_500)


def test_scenes_come_with_the_strongest_of_each_character(django_assert_num_queries: Any) -> None:
    episode = world.analysed_episode(1, "E", 60_000)
    run = run_published(episode)
    assert run is not None
    with django_assert_num_queries(2):
        cards = scene_cards(run)
    assert cards[0].scene.start_ms == 0
    strongest = {m.character.slug: m for card in cards for m in card.moments}
    assert set(strongest) == {"tom", "jerry", "pip"}


def test_ranked_scenes_are_published_and_best_first() -> None:
    for number in (1, 2):
        world.analysed_episode(number, f"E{number}", 60_000)
    jerry = Character.objects.get(slug="jerry")
    scores = list(
        scenes_ranked(character=jerry, emotion="happy", shown=runs_published()).values_list("score", flat=True)
    )
    assert scores == sorted(scores, reverse=True)
    assert len(best_scenes(jerry, runs_published())["happy"]) <= 3
    assert [c.slug for c in character_choices(runs_published())] == ["jerry", "pip", "rosa", "tom"]
    Publication.objects.all().delete()
    assert not scenes_ranked(character=jerry, emotion="happy", shown=runs_published()).exists()
    assert best_scenes(jerry, runs_published()) == {}
    assert character_choices(runs_published()) == []


def test_an_episode_that_does_not_exist_is_none() -> None:
    assert episode_get(10**30) is None
    assert Episode.objects.count() == 0
