"""How far a run is, noted every few seconds while workers are at it: rates are measured, never guessed."""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.db import connection
from django.db.models.functions import Now

from analysis.models import RunPace

NOTE_EVERY_S = 2.0
KEPT = timedelta(hours=1)

# One statement, so that of several workers one writes, and no lock of a run is asked for.
_NOTE = """
INSERT INTO analysis_runpace (run_id, at, done_ms, drawings, working)
SELECT s.run_id, statement_timestamp(), SUM(s.done_ms), SUM(s.drawings), COUNT(*) FILTER (WHERE s.status = 'running')
FROM analysis_segment s
WHERE s.run_id = (SELECT run_id FROM analysis_segment WHERE lease_token = %s)
  AND NOT EXISTS (SELECT 1 FROM analysis_runpace p WHERE p.run_id = s.run_id
                  AND p.at > statement_timestamp() - make_interval(secs => %s))
GROUP BY s.run_id
"""


def pace_note(token: uuid.UUID) -> None:
    """To be called with each heartbeat; writes at most every NOTE_EVERY_S."""
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, [token, NOTE_EVERY_S])


def paces_forget() -> int:
    return RunPace.objects.filter(at__lt=Now() - KEPT).delete()[0]
