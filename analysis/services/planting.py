"""Fills a catalogue with planted episodes, and takes them away again. To measure on; never beside real ones unasked."""

# ruff: noqa: S608 - names of tables are our own models'

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Model
from django.db.models.base import ModelBase

from analysis.bounds_sql import bounds_fill
from analysis.errors import CatalogueNotEmpty
from analysis.models import (
    AnalysisRun,
    EmotionProfile,
    EmotionSpan,
    ModelBundle,
    Scene,
    SceneEmotion,
    Shot,
    Track,
)
from analysis.planted import shows
from analysis.planted.episodes import plant_episodes
from analysis.planted.measured import measure
from analysis.services.bulk import copy_text, next_ids, sequences_set, unhindered
from analysis.services.derive import evidence_needed
from analysis.services.planting_rows import COLUMNS, TABLES, Place, Rows, digest_of
from analysis.services.planting_sample import sample_detect
from analysis.services.shown import shown_refresh
from catalog.models import Character, Episode, Series, SourceFile
from ml.types import EMOTIONS

PREFIX = "planted-"  # of the slugs of series and characters
BUNDLE = "planted"
MANY = 2_000  # episodes from which on indexes are made anew instead of kept
PART = 1_000  # episodes made at once
BULKY: tuple[type[Model], ...] = (Shot, Scene, Track, SceneEmotion, EmotionSpan, EmotionProfile)

Told = Callable[[int], None]


def catalogue_plant(
    *, episodes: int, seed: int, detections: int = 0, beside: bool = False, told: Told = lambda done: None
) -> ModelBundle:
    """``detections``: so many episodes also get faces, and what follows from them by the arithmetic of real runs.

    ``told`` is called with the number of episodes made so far. Equal arguments make equal rows, ids aside. The truth
    is in ``AnalysisRun.config["planted"]``: {"seed", "shares": {name: {emotion: share}}}.
    Raises CatalogueNotEmpty where episodes are there already, unless ``beside``: planted ones never twice.
    """
    _refuse(beside)
    with transaction.atomic():
        bundle = _plant(episodes, seed, told)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    bounds_fill(connection, [str(e) for e in EMOTIONS], settings.TOONEMO_STRANGERS_MOST)
    shown_refresh()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    sample_detect(bundle, seed=seed, episodes=detections)
    return bundle


def _refuse(beside: bool) -> None:
    if Series.objects.filter(slug__startswith=PREFIX).exists():
        raise CatalogueNotEmpty("There are planted episodes already; manage.py catalogue remove takes them away.")
    if not beside and (count := Episode.objects.count()):
        raise CatalogueNotEmpty(
            f"The catalogue has {count} episodes that somebody imported; --beside plants others beside them."
        )


def _plant(episodes: int, seed: int, told: Told) -> ModelBundle:
    planned = shows.series_of(np.random.default_rng(seed), episodes)
    needed = evidence_needed()
    bundle = ModelBundle.objects.create(
        name=BUNDLE,
        version=str(seed),
        digest=digest_of("bundle", seed, episodes),
        characters=[PREFIX + name.lower() for series in planned for name in series.cast],
        emotions=[str(e) for e in EMOTIONS],
        card={},
    )
    first = next_ids(TABLES)
    hurry = unhindered(BULKY) if episodes >= MANY else transaction.atomic()
    done = 0
    with hurry:
        for index, series in enumerate(planned):
            row = Series.objects.create(
                title=series.title, slug=PREFIX + series.title.lower().replace(" ", "-"), year=series.year
            )
            people = Character.objects.bulk_create(
                Character(slug=PREFIX + name.lower(), name=name, series=row) for name in series.cast
            )
            characters = np.array([c.pk for c in people], np.int64)
            for start in range(1, series.episodes + 1, PART):
                last = min(series.episodes, start + PART - 1)
                found = plant_episodes(np.random.default_rng([seed, index, start]), series, start, last)
                rows = Rows(
                    Place(seed, row.pk, bundle.pk, characters, dict(first)), found, measure(found, needed), needed
                )
                for model, lines in rows.tables():
                    copy_text(model, COLUMNS[model], lines)
                    first[model] += rows.count[model]
                done += last - start + 1
                told(done)
    sequences_set(COLUMNS)
    return bundle


@transaction.atomic
def catalogue_clear() -> int:
    """Takes away what was planted, and nothing else; how many episodes that were."""
    planted = Episode.objects.filter(series__slug__startswith=PREFIX)
    count = planted.count()
    of_runs = _of_runs()
    pointing = _pointing_at([*of_runs, AnalysisRun])
    if count and count == Episode.objects.count() and not any(m._default_manager.exists() for m in pointing):
        everything: list[type[Model]] = [*of_runs, AnalysisRun, *pointing]
        tables = ", ".join(f'"{model._meta.db_table}"' for model in everything)
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # nothing may wait for the end of the transaction
            cursor.execute(f"TRUNCATE {tables}")
    sources = list(planted.values_list("source_id", flat=True))
    episodes = list(planted.values_list("pk", flat=True))
    runs = list(AnalysisRun.objects.filter(episode__in=planted).values_list("pk", flat=True))
    _delete(of_runs, "run_id", runs)
    _delete([AnalysisRun, Episode], "id", runs, episodes)
    _delete((SourceFile,), "id", [pk for pk in sources if pk is not None])
    Character.objects.filter(slug__startswith=PREFIX).delete()
    Series.objects.filter(slug__startswith=PREFIX).delete()
    ModelBundle.objects.filter(name=BUNDLE, runs__isnull=True).delete()
    return count


def _of_runs() -> list[type[Model]]:
    """Every table with a column ``run_id``."""
    found = (relation.related_model for relation in AnalysisRun._meta.related_objects)
    return [model for model in found if isinstance(model, ModelBase)]


def _pointing_at(models: Iterable[type[Model]]) -> list[type[Model]]:
    """Other tables with rows that point at theirs, and so on: PostgreSQL empties all of them at once or none."""
    known, waiting = set(models), list(models)
    found: list[type[Model]] = []
    while waiting:
        for relation in waiting.pop()._meta.get_fields(include_hidden=True):
            model = relation.related_model
            pointing = relation.auto_created and not relation.concrete and not relation.many_to_many
            if pointing and isinstance(model, ModelBase) and model not in known:
                known.add(model)
                found.append(model)
                waiting.append(model)
    return found


def _delete(tables: Iterable[type[Model]], column: str, *keys: list[int]) -> None:
    """``keys``: one list for all of the tables, or one each."""
    with connection.cursor() as cursor:
        for at, model in enumerate(tables):
            values = keys[at] if len(keys) > 1 else keys[0]
            cursor.execute(f'DELETE FROM "{model._meta.db_table}" WHERE {column} = ANY(%s)', [values])
