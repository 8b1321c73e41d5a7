"""The newest drawings of a run, for those who watch it. Few are kept, and none for long."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from analysis.models import RunPicture, Segment, SegmentStatus

MOST_PICTURES = 12  # of one run
KEPT = timedelta(days=1)  # after the run has ended
FORGOTTEN_AT_ONCE = 200


@transaction.atomic
def picture_keep(token: uuid.UUID, *, pts_ms: int, name: str, faces: Sequence[Mapping[str, Any]]) -> list[str] | None:
    """Names of the files that give way to it. None: the lease is lost, and nothing is kept."""
    held = Segment.objects.filter(lease_token=token, status=SegmentStatus.RUNNING)
    segment = held.values_list("pk", "run_id").first()
    if segment is None:
        return None
    RunPicture.objects.create(
        segment_id=segment[0], run_id=segment[1], pts_ms=pts_ms, name=name, faces=[dict(face) for face in faces]
    )
    old = list(RunPicture.objects.filter(run_id=segment[1]).order_by("-id")[MOST_PICTURES:])
    return _taken_away(old)


def pictures_expired() -> list[str]:
    """Takes away what is left of runs that ended a day ago; gives the names of the files."""
    ended = Q(run__finished_at__lt=Now() - KEPT)
    return _taken_away(list(RunPicture.objects.filter(ended).order_by("id")[:FORGOTTEN_AT_ONCE]))


def _taken_away(pictures: Sequence[RunPicture]) -> list[str]:
    RunPicture.objects.filter(pk__in=[picture.pk for picture in pictures]).delete()
    return [picture.name for picture in pictures]
