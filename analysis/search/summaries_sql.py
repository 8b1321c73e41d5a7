"""What conditions are answered by: profiles and spans in plain columns, and sums of these per episode and character.

``services.shown`` keeps the rows; ``verdicts`` reads them. What a verdict is stays in one place, ``verdicts``.
"""

# ruff: noqa: S608 - pieces of SQL of our own are put together; values are parameters, always

from __future__ import annotations

from collections.abc import Sequence

from analysis.search.query import OVERLAP_MS
from analysis.search.spans_sql import NEAR_MS, Sql
from analysis.search.verdicts import always_case, heaviest, never_case, profiles_sql

COLUMNS = (
    *("emotion", "never", "always", "solid", "sure", "strangers", "low_least", "low_most", "high_most", "share_most"),
    *("mean_low", "mean_high", "readable_ms", "visible_ms", "longest_ms", "span", "other_span", "longest_span"),
    *("rated_enough", "rated_low", "rated_share", "rated_high", "rated_readable_ms", "rated_visible_ms"),
    "last_episode",
)


_CLEAREST = "x.strength * (x.end_ms - x.start_ms)"
_LONGEST = "x.end_ms - x.start_ms"
PROFILE_COLUMNS = (
    *("run_id", "character_id", "emotion", "readable_ms", "visible_ms", "modelled", "enough", "solid", "low", "share"),
    *("high", "span", "weight", "other_span", "other_weight", "longest_span", "longest_ms"),
)


def profile_rows(emotions: Sequence[str], which: Sql) -> Sql:
    """PROFILE_COLUMNS of every profile of rows of ``shown``, and each emotion. ``which``: a condition on ``shown``.

    The JSON of all emotions is taken apart once, however much of it is used.
    """
    text = (
        "SELECT p.run_id, p.character_id, k.emotion, p.readable_ms, p.visible_ms, e.own IS NOT NULL, p.enough,"
        " p.enough AND NOT shown.partial AND p.readable_ms > 0 AND e.own IS NOT NULL, (e.own->>'low')::float,"
        " (e.own->>'share')::float, (e.own->>'high')::float, s.id, s.weight, o.id, o.weight, l.id, l.weight"
        " FROM shown JOIN analysis_emotionprofile p ON p.run_id = shown.run_id"
        " CROSS JOIN UNNEST(%s::text[]) AS k (emotion)"
        " CROSS JOIN LATERAL (SELECT p.shares->k.emotion AS own OFFSET 0) e"
        f" LEFT JOIN LATERAL ({_span('=', _CLEAREST)}) s ON TRUE LEFT JOIN LATERAL ({_span('<>', _CLEAREST)}) o ON TRUE"
        f" LEFT JOIN LATERAL ({_span('=', _LONGEST)}) l ON TRUE WHERE {which.text}"
        " ORDER BY k.emotion, p.run_id, p.character_id"
    )
    return Sql(text, [list(emotions), *which.values])


def _span(sign: str, weight: str) -> str:
    """The span ``x`` of a profile ``p`` with the highest weight."""
    return (
        f"SELECT x.id, {weight} AS weight FROM analysis_emotionspan x WHERE x.run_id = p.run_id"
        f" AND x.character_id = p.character_id AND x.emotion {sign} k.emotion ORDER BY 2 DESC, x.start_ms, x.id LIMIT 1"
    )


PAIR_COLUMNS = ("run_id", "emotion", "other", "near", "at_once", "span")


def pair_rows(which: Sql) -> Sql:
    """PAIR_COLUMNS of every run of ``shown``. ``which``: a condition on ``shown``."""
    score = "LEAST(COALESCE(sa.score, 0), COALESCE(sb.score, 0))"
    at_once = (
        f"a.scene_id = b.scene_id AND LEAST(a.end_ms, b.end_ms) - GREATEST(a.start_ms, b.start_ms) >= {OVERLAP_MS}"
    )
    of_scene = (
        " LEFT JOIN analysis_sceneemotion s{0} ON s{0}.scene_id = {0}.scene_id"
        " AND s{0}.character_id = {0}.character_id AND s{0}.emotion = {0}.emotion"
    )
    text = (
        f"SELECT a.run_id, a.emotion, b.emotion, MAX({score}), MAX({score}) FILTER (WHERE {at_once}),"
        f" (ARRAY_AGG(a.id ORDER BY {score} DESC, a.start_ms, b.start_ms, a.id, b.id) FILTER (WHERE {at_once}))[1]"
        " FROM shown JOIN analysis_emotionspan a ON a.run_id = shown.run_id"
        " JOIN analysis_emotionspan b ON b.run_id = a.run_id AND b.character_id <> a.character_id"
        f"{of_scene.format('a')}{of_scene.format('b')} WHERE {which.text} AND (a.scene_id = b.scene_id"
        f" OR GREATEST(a.start_ms, b.start_ms) - LEAST(a.end_ms, b.end_ms) <= {NEAR_MS})"
        " GROUP BY 1, 2, 3 ORDER BY 2, 3, 1"
    )
    return Sql(text, which.values)


def summary_rows(emotion: str, key: str, who: Sql) -> Sql:
    """``key`` (and the run of an episode), then COLUMNS. ``shown`` must be known; ``who``: of profiles ``p``."""
    columns = (
        "p.span, p.weight, p.other_span, p.other_weight, p.longest_span, p.longest_ms AS length, p.enough AS p_enough,"
        " p.readable_ms > 0 AND p.modelled AS able, p.low AS own_low, p.high AS own_high"
    )
    rows = profiles_sql(emotion, columns, who)
    of_episode = key == "episode_id"
    there = "BOOL_OR(strangers)" if of_episode else "FALSE"
    least = "LEAST(MIN({0}), CASE WHEN " + there + " THEN 0 ELSE 1 END)"
    mean = "ROUND((SUM({0} * readable_ms) / NULLIF(SUM(readable_ms), 0))::numeric, 6)::float"
    text = (
        f"SELECT {key}, {'MIN(run_id), ' if of_episode else ''}%s, {least.format('never')}, {least.format('always')},"
        f" BOOL_AND(solid), BOOL_AND(solid AND seen), {there}, MIN(low), MAX(low), MAX(high), MAX(share),"
        f" COALESCE({mean.format('low')}, 0), COALESCE({mean.format('high')}, 1), SUM(readable_ms), SUM(visible_ms),"
        f" COALESCE(MAX(length), 0), {heaviest('span', 'weight')}, {heaviest('other_span', 'other_weight')},"
        f" {heaviest('longest_span', 'length')}, BOOL_OR(p_enough) FILTER (WHERE able), {_rated('own_low')},"
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
