"""What search keeps of episodes that are shown is never other than what it was made from."""

from __future__ import annotations

import threading

import pytest
from django.db import connection, transaction

from analysis.models import (
    AnalysisRun,
    CharacterSummary,
    EmotionProfile,
    EpisodeSummary,
    ProfileSummary,
    Publication,
    ShownEpisode,
)
from analysis.search.answer import search
from analysis.services.finalise import run_finalise
from analysis.services.publishing import run_publish
from analysis.services.shown import shown_refresh
from catalog.models import Episode, SourceFile
from ml.types import EMOTIONS
from tests.analysis import world


def _kept() -> list[object]:
    """Sums of floats to twelve digits, since their order is free."""
    names = [f.attname for f in EpisodeSummary._meta.concrete_fields if f.attname != "id"]
    others = [f.attname for f in CharacterSummary._meta.concrete_fields if f.attname != "id"]
    profiles = [f.attname for f in ProfileSummary._meta.concrete_fields if f.attname != "id"]
    shown = [f.attname for f in ShownEpisode._meta.concrete_fields if f.attname != "id"]
    rows = [
        *ShownEpisode.objects.order_by("episode_id").values_list(*shown),
        *EpisodeSummary.objects.order_by("episode_id", "emotion").values_list(*names),
        *CharacterSummary.objects.order_by("character_id", "emotion").values_list(*others),
        *ProfileSummary.objects.order_by("run_id", "character_id", "emotion").values_list(*profiles),
    ]
    return [tuple(round(v, 12) if isinstance(v, float) else v for v in row) for row in rows]


@pytest.mark.django_db
def test_what_is_shown_is_summed_up_as_it_is_published_and_derived() -> None:
    episode = world.analysed_episode(1, "The Missing Cheese")
    other = world.analysed_episode(2, "Storm at Night")
    assert set(ShownEpisode.objects.values_list("episode_id", flat=True)) == {episode.pk, other.pk}
    assert EpisodeSummary.objects.filter(episode=episode).count() == len(EMOTIONS)
    before = _kept()
    shown_refresh()
    assert _kept() == before
    run = ShownEpisode.objects.get(episode=episode).run
    assert run_finalise(run.pk, again=True) is not None
    after = _kept()  # derived anew: spans have other ids, and a baseline has another basis
    shown_refresh()
    assert _kept() == after
    assert len(after) == len(before)


@pytest.mark.django_db
def test_it_follows_the_catalogue() -> None:
    episode = world.analysed_episode(1, "The Missing Cheese")
    Episode.objects.filter(pk=episode.pk).update(year=1931, season=7, number=1)
    SourceFile.objects.filter(episode=episode).update(duration_ms=61_000)
    shown = ShownEpisode.objects.get(episode=episode)
    assert (shown.year, shown.season, shown.duration_ms) == (1931, 7, 61_000)
    assert [r.episode_id for r in search("episodes from 1930 to 1932").results] == [episode.pk]
    assert not search("episodes from 1933 to 1939").results


@pytest.mark.django_db
def test_characters_are_found_also_while_no_summary_is_there() -> None:
    world.analysed_episode(1, "The Missing Cheese")
    world.analysed_episode(2, "Storm at Night")
    questions = ("happiest characters", "who is never angry", "who is happy at least 5 %")
    before = [search(q).to_json() for q in questions]
    CharacterSummary.objects.all().delete()
    assert [search(q).to_json() for q in questions] == before


@pytest.mark.django_db
def test_summaries_of_characters_go_with_their_profiles() -> None:
    episode = world.analysed_episode(1, "The Missing Cheese")
    assert CharacterSummary.objects.exists()
    assert ProfileSummary.objects.exists()
    EmotionProfile.objects.filter(run__episode=episode).delete()
    assert not CharacterSummary.objects.exists()
    assert not ProfileSummary.objects.exists()
    assert search("happiest characters").results == ()


@pytest.mark.django_db
def test_summaries_of_characters_go_with_a_run_and_stay_when_another_is_derived_anew() -> None:
    episode = world.analysed_episode(1, "The Missing Cheese")
    shown = ShownEpisode.objects.get(episode=episode).run
    before = _kept()
    hidden = AnalysisRun.objects.create(
        episode=episode, bundle=shown.bundle, source_sha256=shown.source_sha256, fingerprint="0" * 64
    )
    for profile in EmotionProfile.objects.filter(run=shown):
        profile.pk, profile.run = None, hidden
        profile.save()
    EmotionProfile.objects.filter(run=hidden).delete()
    assert _kept() == before
    shown.delete()
    assert not CharacterSummary.objects.exists()
    assert not ShownEpisode.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_that_publish_at_once_lose_nothing() -> None:
    runs = []
    for number in (1, 2):
        episode = world.analysed_episode(number, f"Part {number}")
        runs.append(ShownEpisode.objects.get(episode=episode).run)
    wanted = [row for row in _kept() if isinstance(row, tuple)]
    Publication.objects.all().delete()
    ShownEpisode.objects.all().delete()
    EpisodeSummary.objects.all().delete()
    CharacterSummary.objects.all().delete()
    barrier, failed = threading.Barrier(2), []

    def publish(at: int) -> None:
        try:
            with transaction.atomic():
                barrier.wait(30)
                run_publish(run=runs[at])
        except Exception as error:  # noqa: BLE001 - told in the test's own thread
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=publish, args=[at]) for at in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not failed
    assert _kept() == wanted
