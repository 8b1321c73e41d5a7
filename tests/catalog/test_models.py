from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from catalog.errors import CatalogError
from catalog.models import Character, Episode
from catalog.sample import CAST, sample_cast_create
from catalog.services.characters import character_get_or_create
from catalog.services.episodes import episode_save
from catalog.services.series import series_get_or_create
from tests.factories import CharacterFactory, EpisodeFactory, SeriesFactory, SourceFileFactory

pytestmark = pytest.mark.django_db


def test_the_database_keeps_the_rules() -> None:
    episode = EpisodeFactory.create(season=1, number=5, identity="S01E05")
    broken: list[dict[str, Any]] = [
        {"series": episode.series, "season": 1, "number": 5, "identity": "S01E05"},
        {"source": episode.source},
        {"number_end": 1, "number": 1},
        {"season": None, "identity": "E005"},
        {"ordering": "absolute", "number": None, "identity": "E005"},
        {"ordering": "title", "number": 3},
        {"identity": ""},
        {"title": ""},
    ]
    for fields in broken:
        with pytest.raises(IntegrityError), transaction.atomic():
            EpisodeFactory.create(**fields)
    for fields in ({"sha256": "nothing"}, {"duration_ms": 0}, {"width": 0}):
        with pytest.raises(IntegrityError), transaction.atomic():
            SourceFileFactory.create(**fields)
    assert Episode.objects.count() == 1


def test_what_an_episode_needs_cannot_be_deleted() -> None:
    source, series = SourceFileFactory.create(), SeriesFactory.create()
    EpisodeFactory.create(source=source, series=series)
    for row in (source, series):
        with pytest.raises(ProtectedError):
            row.delete()


def test_series_are_one_however_they_are_spelt() -> None:
    first = series_get_or_create(title=" Tom & Jerry ", year=1940)
    assert (first.title, first.year, first.slug) == ("Tom & Jerry", 1940, "tom-jerry")
    assert series_get_or_create(title="TOM  jerry!") == first
    assert series_get_or_create(title="Tom & Jerry (1975)") != first
    assert series_get_or_create(title="🐭") != series_get_or_create(title="🐱")
    with pytest.raises(CatalogError, match="empty"):
        series_get_or_create(title=" \n ")


def test_characters_get_what_they_lack_and_keep_what_was_set() -> None:
    CharacterFactory.create(slug="tom", name="Thomas", colour="#123456")
    series = SeriesFactory.create()
    tom = character_get_or_create(slug="tom", name="Tom", aliases=["Tommy", "thomas"], colour="#8a93a6", series=series)
    assert (tom.name, tom.colour, tom.aliases, tom.series) == ("Thomas", "#123456", ["Tommy"], series)
    again = character_get_or_create(slug="tom", aliases=["tommy", "The Cat"])
    assert again.aliases == ["Tommy", "The Cat"]
    assert character_get_or_create(slug="big-bird").name == "Big Bird"


def test_the_sample_cast_also_where_a_bundle_was_first() -> None:
    CharacterFactory.create(slug="tom", name="Tom")
    for _ in range(2):
        cast = sample_cast_create()
        assert [(c.slug, c.name, c.colour) for c in cast] == [(slug, name, colour) for slug, name, _, colour in CAST]
    assert Character.objects.count() == 4
    assert Character.objects.get(slug="tom").colour == "#8a93a6"
    assert all(c.aliases for c in cast)


def test_identity_follows_from_the_numbers_and_stays_while_they_do() -> None:
    series = SeriesFactory.create()
    episode = episode_save(Episode(series=series, season=1, number=5, number_end=6, title=" The\nCat "))
    assert (episode.ordering, episode.identity, episode.title) == ("aired", "S01E05-E06", "The Cat")
    episode.title = "Another"
    assert episode_save(episode).identity == "S01E05-E06"
    episode.part = 2
    assert episode_save(episode).identity == "S01E05-E06.P2"
    untitled = episode_save(Episode(series=series, number=7, title=""))
    assert (untitled.ordering, untitled.identity, untitled.title) == ("absolute", "E007", "Episode 7")
    part = EpisodeFactory.create(
        series=series, season=None, number=None, ordering="title", identity="x-1936.P1", title="X, part 1", part=1
    )
    part.synopsis = "Told again."
    assert episode_save(part).identity == "x-1936.P1"
    part.year = 1937
    assert episode_save(part).identity == "x-1937.P1"
    with pytest.raises(CatalogError) as caught:
        episode_save(Episode(series=series, number=7, title="Another seventh"))
    assert caught.value.code == "identity_conflict"
    with pytest.raises(CatalogError, match="number or a title"):
        episode_save(Episode(series=series, season=1, title=" "))
