"""What migration 0007 fills its tables with: the SQL of that day, kept as it was.

It stands on the tables as they were then and on no code of ours, so whatever search makes of episodes later, an old
database can still be brought up to date. Not to be mended: what has to be summed up anew is another migration's work.
"""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper

EMOTIONS = ("happy", "sad", "angry", "surprised", "scared", "disgusted", "neutral")

SHOWN = """
INSERT INTO analysis_shownepisode (episode_id, run_id, partial, strangers, series_id, season, year, duration_ms,
    calm, enough, angry_high, scared_high, switches_per_minute, readable_ms, visible_ms)
SELECT e.id, r.id, r.partial,
    EXISTS (SELECT 1 FROM analysis_track t WHERE t.run_id = r.id AND t.character_id IS NULL),
    e.series_id, e.season, e.year, f.duration_ms,
    c.calm, c.enough, c.angry_high, c.scared_high, c.switches_per_minute, c.readable_ms, c.visible_ms
FROM analysis_publication p
JOIN analysis_analysisrun r ON r.id = p.run_id
JOIN catalog_episode e ON e.id = p.episode_id
LEFT JOIN catalog_sourcefile f ON f.id = e.source_id
LEFT JOIN LATERAL (
    SELECT GREATEST(0, 1 - m.angry_high - m.scared_high) * 10.0 / (10.0 + m.switches_per_minute) AS calm, m.*
    FROM (
        SELECT BOOL_AND(q.enough) AND NOT r.partial AS enough,
            SUM((q.shares->'angry'->>'high')::float * q.readable_ms) / SUM(q.readable_ms) AS angry_high,
            SUM((q.shares->'scared'->>'high')::float * q.readable_ms) / SUM(q.readable_ms) AS scared_high,
            SUM((SELECT SUM((s.value->>'runs_per_minute')::float) FROM jsonb_each(q.shares) s) * q.readable_ms)
                / SUM(q.readable_ms) AS switches_per_minute,
            SUM(q.readable_ms) AS readable_ms, SUM(q.visible_ms) AS visible_ms
        FROM analysis_emotionprofile q
        WHERE q.run_id = r.id AND q.readable_ms > 0
            AND jsonb_exists(q.shares, 'angry') AND jsonb_exists(q.shares, 'scared')
    ) m
) c ON c.calm IS NOT NULL
WHERE p.withdrawn_at IS NULL
"""

PROFILES = """
SELECT shown.episode_id, shown.run_id, shown.strangers, p.character_id, p.readable_ms, p.visible_ms,
    k.solid, e.own IS NOT NULL AS modelled, p.readable_ms >= 0.6 * p.visible_ms AS seen,
    CASE WHEN k.solid THEN (e.own->>'low')::float ELSE 0 END AS low,
    CASE WHEN k.solid THEN (e.own->>'high')::float ELSE 1 END AS high,
    COALESCE((e.own->>'share')::float, 0) AS share,
    s.id AS span, s.weight, o.id AS other_span, o.weight AS other_weight, l.id AS longest_span, l.length,
    p.enough AS p_enough, p.readable_ms > 0 AND e.own IS NOT NULL AS able,
    (e.own->>'low')::float AS own_low, (e.own->>'high')::float AS own_high
FROM analysis_shownepisode shown
JOIN analysis_emotionprofile p ON p.run_id = shown.run_id
CROSS JOIN LATERAL (SELECT p.shares->%(emotion)s AS own OFFSET 0) e
CROSS JOIN LATERAL (
    SELECT p.enough AND NOT shown.partial AND p.readable_ms > 0 AND e.own IS NOT NULL AS solid OFFSET 0
) k
LEFT JOIN LATERAL (
    SELECT x.id, x.strength * (x.end_ms - x.start_ms) AS weight FROM analysis_emotionspan x
    WHERE x.run_id = p.run_id AND x.character_id = p.character_id AND x.emotion = %(emotion)s
    ORDER BY 2 DESC, x.start_ms, x.id LIMIT 1
) s ON TRUE
LEFT JOIN LATERAL (
    SELECT x.id, x.strength * (x.end_ms - x.start_ms) AS weight FROM analysis_emotionspan x
    WHERE x.run_id = p.run_id AND x.character_id = p.character_id AND x.emotion <> %(emotion)s
    ORDER BY 2 DESC, x.start_ms, x.id LIMIT 1
) o ON TRUE
LEFT JOIN LATERAL (
    SELECT x.id, x.end_ms - x.start_ms AS length FROM analysis_emotionspan x
    WHERE x.run_id = p.run_id AND x.character_id = p.character_id AND x.emotion = %(emotion)s
    ORDER BY 2 DESC, x.start_ms, x.id LIMIT 1
) l ON TRUE
"""

SUMMARIES = """
INSERT INTO {table} ({keys}, emotion, never, always, solid, sure, strangers, low_least, low_most, high_most,
    share_most, mean_low, mean_high, readable_ms, visible_ms, longest_ms, span, other_span, longest_span, rated_enough,
    rated_low, rated_share, rated_high, rated_readable_ms, rated_visible_ms, last_episode)
SELECT {values}, %(emotion)s, LEAST(MIN(v.never), CASE WHEN {there} THEN 0 ELSE 1 END),
    LEAST(MIN(v.always), CASE WHEN {there} THEN 0 ELSE 1 END), BOOL_AND(v.solid), BOOL_AND(v.solid AND v.seen), {there},
    MIN(v.low), MAX(v.low), MAX(v.high), MAX(v.share),
    COALESCE(ROUND((SUM(v.low * v.readable_ms) / NULLIF(SUM(v.readable_ms), 0))::numeric, 6)::float, 0),
    COALESCE(ROUND((SUM(v.high * v.readable_ms) / NULLIF(SUM(v.readable_ms), 0))::numeric, 6)::float, 1),
    SUM(v.readable_ms), SUM(v.visible_ms), COALESCE(MAX(v.length), 0),
    (ARRAY_AGG(v.span ORDER BY v.weight DESC NULLS LAST, v.span))[1],
    (ARRAY_AGG(v.other_span ORDER BY v.other_weight DESC NULLS LAST, v.other_span))[1],
    (ARRAY_AGG(v.longest_span ORDER BY v.length DESC NULLS LAST, v.longest_span))[1],
    BOOL_OR(v.p_enough) FILTER (WHERE v.able), {means},
    COALESCE(SUM(v.readable_ms) FILTER (WHERE v.able AND v.p_enough), SUM(v.readable_ms) FILTER (WHERE v.able)),
    COALESCE(SUM(v.visible_ms) FILTER (WHERE v.able AND v.p_enough), SUM(v.visible_ms) FILTER (WHERE v.able)),
    MAX(v.episode_id)
FROM (
    SELECT q.*,
        CASE WHEN q.span IS NOT NULL THEN -1 WHEN q.solid AND q.seen AND q.high <= 0.005 THEN 1 ELSE 0 END AS never,
        CASE WHEN NOT q.modelled THEN 0 WHEN q.other_span IS NOT NULL THEN -1
            WHEN q.solid AND q.seen AND q.low >= 0.995 THEN 1 ELSE 0 END AS always
    FROM ({profiles}) q
) v GROUP BY v.{key}
"""
MEAN = (
    "COALESCE(SUM(v.{0} * v.readable_ms) FILTER (WHERE v.able AND v.p_enough)"
    " / SUM(v.readable_ms) FILTER (WHERE v.able AND v.p_enough),"
    " SUM(v.{0} * v.readable_ms) FILTER (WHERE v.able) / SUM(v.readable_ms) FILTER (WHERE v.able))"
)
MEANS = ", ".join(MEAN.format(name) for name in ("own_low", "share", "own_high"))
OF_EPISODES = SUMMARIES.format(
    table="analysis_episodesummary", keys="episode_id, run_id", values="v.episode_id, MIN(v.run_id)", key="episode_id",
    there="BOOL_OR(v.strangers)", means=MEANS, profiles=PROFILES,
)  # fmt: skip
OF_CHARACTERS = SUMMARIES.format(
    table="analysis_charactersummary", keys="character_id", values="v.character_id", key="character_id",
    there="FALSE", means=MEANS, profiles=PROFILES,
)  # fmt: skip


def fill(connection: BaseDatabaseWrapper) -> None:
    """What is shown already is summed up; in a new database there is nothing."""
    with connection.cursor() as cursor:
        cursor.execute(SHOWN)
        cursor.execute("ANALYZE analysis_shownepisode")  # or what follows is planned for a few
        for emotion in EMOTIONS:
            cursor.execute(OF_EPISODES, {"emotion": emotion})
            cursor.execute(OF_CHARACTERS, {"emotion": emotion})
