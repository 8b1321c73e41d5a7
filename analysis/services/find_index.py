"""Which faces can be found: those of the runs that episodes show. Written by a task after each publication."""

from __future__ import annotations

from django.db import connection, transaction

from analysis.models import AnalysisRun, Publication

_WRITE = """
INSERT INTO analysis_facevector (face_id, run_id, character_id, emotion, pts_ms, embedding)
SELECT face.id, face.run_id, CASE WHEN track.id IS NULL THEN face.character_id ELSE track.character_id END,
       face.emotion, face.pts_ms, face.embedding
FROM analysis_facedetection AS face LEFT JOIN analysis_track AS track ON track.id = face.track_id
WHERE face.run_id = %s AND face.embedding IS NOT NULL AND l2_norm(face.embedding) > 0
"""


@transaction.atomic
def find_index_update(run_id: int) -> int | None:
    """Makes the faces of a shown run findable, and those of any other run not. Gives how many are; None: it is gone.

    Doing it twice gives the same rows.
    """
    run = AnalysisRun.objects.select_for_update(no_key=True).filter(pk=run_id).first()
    if run is None:
        return None
    shown = Publication.objects.filter(run=run, withdrawn_at__isnull=True).exists()
    written = 0
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM analysis_facevector WHERE run_id = %s", [run.pk])
        if shown:
            cursor.execute(_WRITE, [run.pk])
            written = cursor.rowcount
    AnalysisRun.objects.filter(pk=run.pk).update(find_ready=shown)
    return written
