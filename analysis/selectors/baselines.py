"""Which other episodes a character's baseline is made from: those of the series that are published now.

Only runs of the same bundle and the same version of the arithmetic count, since others' shares are not comparable.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping

import numpy as np
from django.db.models import QuerySet

from analysis.models import AnalysisRun, EmotionProfile, Publication
from analysis.ratings import RATINGS_VERSION, Peer
from ml.types import EMOTIONS


def peers_published(run: AnalysisRun) -> dict[int, list[Peer]]:
    """Per character (by id), what the series' other episodes show now."""
    current = Publication.objects.filter(withdrawn_at__isnull=True, episode__series_id=run.episode.series_id)
    runs = current.exclude(episode_id=run.episode_id).values("run_id")
    return _peers(_comparable(run).filter(run_id__in=runs))


def peers_named(run: AnalysisRun, runs: Mapping[int, Collection[int]]) -> dict[int, list[Peer]]:
    """Per character (by id), those of the runs named for it that are still there to be compared with."""
    rows = _comparable(run).filter(run_id__in={pk for named in runs.values() for pk in named})
    found = _peers(rows)
    return {pk: [p for p in peers if p.run_id in runs.get(pk, ())] for pk, peers in found.items()}


def _comparable(run: AnalysisRun) -> QuerySet[EmotionProfile]:
    return EmotionProfile.objects.filter(
        run__bundle_id=run.bundle_id, run__ratings_version=RATINGS_VERSION, readable_ms__gt=0
    )


def _peers(rows: QuerySet[EmotionProfile]) -> dict[int, list[Peer]]:
    """A row that lacks a number that it should have is left out: one damaged episode spoils no other."""
    found: dict[int, list[Peer]] = defaultdict(list)
    for profile in rows.select_related("run__bundle").order_by("run_id"):
        shares = [profile.shares.get(e, {}).get("corrected") for e in EMOTIONS if e in profile.run.bundle.emotions]
        worth = profile.details.get("worth")
        if None not in shares and worth is not None:
            found[profile.character_id].append(Peer(profile.run_id, np.array(shares, dtype=np.float64), float(worth)))
    return dict(found)
