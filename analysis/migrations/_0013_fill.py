"""What migration 0013 fills its tables with: the SQL of that day, kept as it was. Not to be mended."""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper

EMOTIONS = ["happy", "sad", "angry", "surprised", "scared", "disgusted", "neutral"]

SPAN = """
    SELECT x.id, {weight} AS weight FROM analysis_emotionspan x
    WHERE x.run_id = p.run_id AND x.character_id = p.character_id AND x.emotion {sign} k.emotion
    ORDER BY 2 DESC, x.start_ms, x.id LIMIT 1
"""
CLEAREST, LONGEST = "x.strength * (x.end_ms - x.start_ms)", "x.end_ms - x.start_ms"
PROFILES = f"""
INSERT INTO analysis_profilesummary (run_id, character_id, emotion, readable_ms, visible_ms, modelled, enough, solid,
    low, share, high, span, weight, other_span, other_weight, longest_span, longest_ms)
SELECT p.run_id, p.character_id, k.emotion, p.readable_ms, p.visible_ms, e.own IS NOT NULL, p.enough,
    p.enough AND NOT shown.partial AND p.readable_ms > 0 AND e.own IS NOT NULL,
    (e.own->>'low')::float, (e.own->>'share')::float, (e.own->>'high')::float,
    s.id, s.weight, o.id, o.weight, l.id, l.weight
FROM analysis_shownepisode shown
JOIN analysis_emotionprofile p ON p.run_id = shown.run_id
CROSS JOIN UNNEST(%s::text[]) AS k (emotion)
CROSS JOIN LATERAL (SELECT p.shares->k.emotion AS own OFFSET 0) e
LEFT JOIN LATERAL ({SPAN.format(weight=CLEAREST, sign="=")}) s ON TRUE
LEFT JOIN LATERAL ({SPAN.format(weight=CLEAREST, sign="<>")}) o ON TRUE
LEFT JOIN LATERAL ({SPAN.format(weight=LONGEST, sign="=")}) l ON TRUE
ORDER BY k.emotion, p.run_id
"""  # noqa: S608 - constants

SCORE = "LEAST(COALESCE(sa.score, 0), COALESCE(sb.score, 0))"
AT_ONCE = "a.scene_id = b.scene_id AND LEAST(a.end_ms, b.end_ms) - GREATEST(a.start_ms, b.start_ms) >= 500"
PAIRS = f"""
INSERT INTO analysis_pairsummary (run_id, emotion, other, near, at_once, span)
SELECT a.run_id, a.emotion, b.emotion, MAX({SCORE}), MAX({SCORE}) FILTER (WHERE {AT_ONCE}),
    (ARRAY_AGG(a.id ORDER BY {SCORE} DESC, a.start_ms, b.start_ms, a.id, b.id) FILTER (WHERE {AT_ONCE}))[1]
FROM analysis_shownepisode shown
JOIN analysis_emotionspan a ON a.run_id = shown.run_id
JOIN analysis_emotionspan b ON b.run_id = a.run_id AND b.character_id <> a.character_id
LEFT JOIN analysis_sceneemotion sa
    ON sa.scene_id = a.scene_id AND sa.character_id = a.character_id AND sa.emotion = a.emotion
LEFT JOIN analysis_sceneemotion sb
    ON sb.scene_id = b.scene_id AND sb.character_id = b.character_id AND sb.emotion = b.emotion
WHERE a.scene_id = b.scene_id OR GREATEST(a.start_ms, b.start_ms) - LEAST(a.end_ms, b.end_ms) <= 10000
GROUP BY 1, 2, 3 ORDER BY 2, 3, 1
"""  # noqa: S608 - constants


def fill(connection: BaseDatabaseWrapper) -> None:
    """What is shown already; in a new database there is nothing."""
    with connection.cursor() as cursor:
        cursor.execute(PROFILES, [EMOTIONS])
        cursor.execute(PAIRS)
