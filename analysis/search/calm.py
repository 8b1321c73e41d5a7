"""How calm an episode is: what ``ShownEpisode`` keeps for the whole cast, and the same for one character."""

# ruff: noqa: S608 - pieces of SQL of our own are put together; values are parameters, always

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import connection
from django.db.models import QuerySet

from analysis.models import ShownEpisode
from analysis.search.spans_sql import CALM_SWITCHES

_MEAN = "SUM({0} * q.readable_ms) / SUM(q.readable_ms)"
_ANGRY = _MEAN.format("(q.shares->'angry'->>'high')::float")
_SCARED = _MEAN.format("(q.shares->'scared'->>'high')::float")
_SWITCHES = _MEAN.format("(SELECT SUM((s.value->>'runs_per_minute')::float) FROM jsonb_each(q.shares) s)")
COLUMNS = ("calm", "enough", "angry_high", "scared_high", "switches_per_minute", "readable_ms", "visible_ms")
# Of the profiles ``q`` that a WHERE leaves: NULL where nothing can be read. The columns are COLUMNS.
CALM = (
    f"SELECT GREATEST(0, 1 - {_ANGRY} - {_SCARED}) * {CALM_SWITCHES} / ({CALM_SWITCHES} + {_SWITCHES}) AS calm,"
    f" BOOL_AND(q.enough) AND NOT {{partial}} AS enough, {_ANGRY} AS angry_high, {_SCARED} AS scared_high,"
    f" {_SWITCHES} AS switches_per_minute, SUM(q.readable_ms) AS readable_ms, SUM(q.visible_ms) AS visible_ms"
    " FROM analysis_emotionprofile q WHERE q.run_id = {run} AND q.readable_ms > 0"
    " AND jsonb_exists(q.shares, 'angry') AND jsonb_exists(q.shares, 'scared')"
)


@dataclass(frozen=True, slots=True)
class Calm:
    """As ShownEpisode has it."""

    episode_id: int
    calm: float
    enough: bool
    angry_high: float
    scared_high: float
    switches_per_minute: float
    readable_ms: int
    visible_ms: int


def calm_of(shown: QuerySet[ShownEpisode], character: str) -> Iterator[Calm]:
    """By what one character (a slug) shows in each of the episodes."""
    text, values = shown.order_by().values_list("episode_id", "run_id", "partial").query.sql_with_params()
    of_them = CALM.format(run="e.run_id", partial="e.partial")
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT e.episode_id, c.* FROM ({text}) e (episode_id, run_id, partial), LATERAL ({of_them}"
            " AND q.character_id = (SELECT id FROM catalog_character WHERE slug = %s)) c WHERE c.calm IS NOT NULL",
            [*values, character],
        )
        for row in cursor.fetchall():
            yield Calm(*row)
