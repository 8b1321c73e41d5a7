"""What migration 0006 fills its tables with: the SQL of that day, kept as it was. Not to be mended."""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper

EMOTIONS = ("happy", "sad", "angry", "surprised", "scared", "disgusted", "neutral")

STRANGERS = """
UPDATE analysis_analysisrun run SET strangers = found.share FROM (
  SELECT face.run_id, COALESCE(SUM(face.shown_ms) FILTER (WHERE track.character_id IS NULL), 0)::float
         / SUM(face.shown_ms) AS share
  FROM analysis_facedetection face JOIN analysis_track track ON track.id = face.track_id
  JOIN analysis_shot shot ON shot.id = track.shot_id WHERE shot.kind = 'story'
  AND NOT EXISTS (SELECT 1 FROM analysis_runbound most WHERE most.run_id = face.run_id) GROUP BY face.run_id
) found WHERE found.run_id = run.id
"""
BOUNDS = """
INSERT INTO analysis_emotionbound (run_id, character_id, emotion, low, share, high, longest_ms, enough)
SELECT run_id, character_id, emotion, low, share, high, longest_ms,
       enough AND NOT partial AND high IS NOT NULL AND longest_ms IS NOT NULL
FROM (
  SELECT profile.run_id, profile.character_id, profile.enough, run.partial, e.emotion,
         (profile.shares->e.emotion->>'low')::float AS low, (profile.shares->e.emotion->>'share')::float AS share,
         (profile.shares->e.emotion->>'high')::float AS high,
         (profile.shares->e.emotion->>'longest_ms')::integer AS longest_ms
  FROM analysis_emotionprofile profile JOIN analysis_analysisrun run ON run.id = profile.run_id
  CROSS JOIN unnest(%s::text[]) AS e (emotion)
  WHERE NOT EXISTS (SELECT 1 FROM analysis_runbound most WHERE most.run_id = profile.run_id)
) found ON CONFLICT DO NOTHING
"""
RUN_BOUNDS = """
INSERT INTO analysis_runbound (run_id, emotion, high, longest_ms, lacking)
SELECT run_id, emotion, CASE WHEN lacking = '' THEN high END, CASE WHEN lacking = '' THEN longest_ms END, lacking FROM (
  SELECT run.id AS run_id, e.emotion, found.high, found.longest_ms, CASE WHEN run.partial THEN 'partial'
         WHEN found.bounds IS NULL THEN 'nobody' WHEN run.strangers > %s THEN 'strangers'
         WHEN NOT e.emotion = ANY (bundle.emotions) THEN 'not_modelled' WHEN NOT found.enough THEN 'evidence'
         ELSE '' END AS lacking
  FROM analysis_analysisrun run JOIN analysis_modelbundle bundle ON bundle.id = run.bundle_id
  CROSS JOIN unnest(%s::text[]) AS e (emotion)
  LEFT JOIN (
    SELECT run_id, emotion, COUNT(*) AS bounds, MAX(high) AS high, MAX(longest_ms) AS longest_ms,
           BOOL_AND(enough) AS enough FROM analysis_emotionbound GROUP BY run_id, emotion
  ) found ON found.run_id = run.id AND found.emotion = e.emotion
  WHERE run.status = 'succeeded'
) most ON CONFLICT DO NOTHING
"""


def fill(connection: BaseDatabaseWrapper, strangers_most: float) -> None:
    """``strangers_most``: as the setting has it."""
    with connection.cursor() as cursor:
        cursor.execute(STRANGERS)
        cursor.execute(BOUNDS, [list(EMOTIONS)])
        cursor.execute(RUN_BOUNDS, [strangers_most, list(EMOTIONS)])
