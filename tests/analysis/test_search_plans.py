"""No question reads a big table from end to end: the plans that PostgreSQL makes on a catalogue of some size."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection

from analysis.bench.pages import asked
from analysis.models import (
    EmotionProfile,
    EmotionSpan,
    EpisodeSummary,
    FaceDetection,
    ProfileSummary,
    SceneEmotion,
    Shot,
)
from analysis.search.spans_sql import Sql
from analysis.selectors.features import catalogue_forget
from analysis.services.features import features_fill
from analysis.services.planting import catalogue_plant
from catalog.models import Series

EPISODES = 1_500  # enough that an index pays for itself on these; scenes are so few that reading them all is cheap
BIG_MODELS = (SceneEmotion, EmotionSpan, EmotionProfile, EpisodeSummary, ProfileSummary, Shot, FaceDetection)
BIG = {model._meta.db_table for model in BIG_MODELS}


def statements(call: Callable[[], object]) -> list[Sql]:
    """What a call asks the database."""
    found: list[Sql] = []

    def watch(execute: Callable[..., Any], sql: Any, params: Any, many: Any, context: Any) -> Any:
        found.append(Sql(str(sql), list(params or ())))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        call()
    return found


def read_whole(sql: Sql) -> set[str]:
    """The tables that the plan of a statement reads from end to end."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql.text}", sql.values)
        told = cursor.fetchone()[0]
    plan = (json.loads(told) if isinstance(told, str) else told)[0]["Plan"]
    return {node["Relation Name"] for node in nodes(plan) if node["Node Type"] == "Seq Scan"}


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", []):
        yield from nodes(part)


@pytest.mark.django_db
def test_no_question_and_no_page_reads_a_big_table_whole() -> None:
    catalogue_plant(episodes=EPISODES, seed=1, detections=3)
    features_fill()
    catalogue_forget()
    whole: dict[str, set[str]] = {}
    seen = 0
    for kind, text, call in asked(12, seed=5):
        # Profiles of characters are added up where a clause leaves only some of their episodes: most, in short series.
        allowed = {EmotionProfile._meta.db_table} if "characters in season" in text else set()
        for sql in statements(call):
            seen += 1
            if tables := (read_whole(sql) & BIG) - allowed:
                whole.setdefault(f"{kind}: {text}: {sql.text[:3000]}", set()).update(tables)
    assert seen > 300
    assert not whole, "\n\n".join(f"{tables} in {text}" for text, tables in whole.items())


@pytest.mark.django_db
def test_a_table_that_is_read_whole_is_seen() -> None:
    Series.objects.create(slug="mice", title="Mice")
    counted = Sql("SELECT COUNT(*) FROM (SELECT * FROM catalog_series s ORDER BY title) t")
    assert read_whole(counted) == {"catalog_series"}
