"""What conditions without a name are answered by, made of profiles and spans: one row per episode or character.

``services.shown`` keeps the rows; ``verdicts`` reads them. What a verdict is stays in one place, ``verdicts``.
"""

# ruff: noqa: S608 - pieces of SQL of our own are put together; values are parameters, always

from __future__ import annotations

from analysis.search.spans_sql import Sql
from analysis.search.verdicts import CLEAREST, LONGEST, always_case, never_case, profiles_sql, span_sql

COLUMNS = (
    *("emotion", "never", "always", "solid", "sure", "strangers", "low_least", "low_most", "high_most", "share_most"),
    *("mean_low", "mean_high", "readable_ms", "visible_ms", "longest_ms", "span", "other_span", "longest_span"),
    *("rated_enough", "rated_low", "rated_share", "rated_high", "rated_readable_ms", "rated_visible_ms"),
    "last_episode",
)


def summary_rows(emotion: str, key: str, who: Sql) -> Sql:
    """``key`` (and the run of an episode), then COLUMNS. ``shown`` must be known; ``who``: of profiles ``p``."""
    laterals = (
        ("s", span_sql("x.emotion = %s", CLEAREST)),
        ("o", span_sql("x.emotion <> %s", CLEAREST)),
        ("l", span_sql("x.emotion = %s", LONGEST)),
    )
    columns = (
        "s.id AS span, s.weight, o.id AS other_span, o.weight AS other_weight, l.id AS longest_span, l.length,"
        " p.enough AS p_enough, p.readable_ms > 0 AND e.own IS NOT NULL AS able,"
        " (e.own->>'low')::float AS own_low, (e.own->>'high')::float AS own_high"
    )
    rows = profiles_sql(emotion, laterals, columns, who)
    of_episode = key == "episode_id"
    there = "BOOL_OR(strangers)" if of_episode else "FALSE"
    least = "LEAST(MIN({0}), CASE WHEN " + there + " THEN 0 ELSE 1 END)"
    mean = "ROUND((SUM({0} * readable_ms) / NULLIF(SUM(readable_ms), 0))::numeric, 6)::float"
    first = "(ARRAY_AGG({0} ORDER BY {1} DESC NULLS LAST, {0}))[1]"
    text = (
        f"SELECT {key}, {'MIN(run_id), ' if of_episode else ''}%s, {least.format('never')}, {least.format('always')},"
        f" BOOL_AND(solid), BOOL_AND(solid AND seen), {there}, MIN(low), MAX(low), MAX(high), MAX(share),"
        f" COALESCE({mean.format('low')}, 0), COALESCE({mean.format('high')}, 1), SUM(readable_ms), SUM(visible_ms),"
        f" COALESCE(MAX(length), 0), {first.format('span', 'weight')}, {first.format('other_span', 'other_weight')},"
        f" {first.format('longest_span', 'length')}, BOOL_OR(p_enough) FILTER (WHERE able), {_rated('own_low')},"
        f" {_rated('share')}, {_rated('own_high')}, {_rated('1', total=True)},"
        f" {_rated('1', total=True, of='visible_ms')},"
        " MAX(episode_id)"
        f" FROM (SELECT q.*, {never_case('span')} AS never, {always_case('other_span')} AS always"
        f" FROM ({rows.text}) q) v GROUP BY {key}"
    )
    return Sql(text, [emotion, *rows.values])


def _rated(value: str, *, total: bool = False, of: str = "readable_ms") -> str:
    """The mean (the sum) over rated profiles where there are any, else over all that were measured."""
    parts = []
    for which in ("able AND p_enough", "able"):
        part = f"SUM({value} * {of}) FILTER (WHERE {which})"
        parts.append(part if total else f"{part} / SUM({of}) FILTER (WHERE {which})")
    return f"COALESCE({', '.join(parts)})"
