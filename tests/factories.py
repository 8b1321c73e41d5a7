"""Builds rows for tests. What a test does not care about is made up, differently each time."""

# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import hashlib
from typing import Any

from factory.declarations import LazyAttribute, Sequence, SubFactory
from factory.django import DjangoModelFactory

from catalog.models import Character, Episode, Ordering, Series, SourceFile


class SeriesFactory(DjangoModelFactory[Series]):
    class Meta:
        model = Series

    title = Sequence(lambda n: f"Series {n}")
    slug = Sequence(lambda n: f"series-{n}")


class SourceFileFactory(DjangoModelFactory[SourceFile]):
    class Meta:
        model = SourceFile

    sha256 = Sequence(lambda n: hashlib.sha256(f"source {n}".encode()).hexdigest())
    size_bytes = 1_000_003  # a size that no test file has
    stored_name = LazyAttribute(lambda o: f"sources/{o.sha256[:2]}/{o.sha256}.mp4")
    original_name = Sequence(lambda n: f"episode {n}.mp4")
    container = "mp4"
    codec = "h264"
    width, height = 320, 180
    duration_ms = 60_000
    frames = 1_440


class EpisodeFactory(DjangoModelFactory[Episode]):
    class Meta:
        model = Episode

    series = SubFactory(SeriesFactory)
    ordering = Ordering.AIRED
    season = 1
    number = Sequence(lambda n: n + 1)
    identity = LazyAttribute(lambda o: f"S{o.season:02d}E{o.number:02d}")
    title = Sequence(lambda n: f"Episode {n}")
    source: Any = SubFactory(SourceFileFactory)


class CharacterFactory(DjangoModelFactory[Character]):
    class Meta:
        model = Character

    slug = Sequence(lambda n: f"character-{n}")
    name = Sequence(lambda n: f"Character {n}")
