"""What recommendations compare of a run, made from its profiles and spans."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
from django.db.models import Q, QuerySet

from analysis.models import AnalysisRun, EmotionProfile, EmotionSpan, Publication, RunFeatures
from analysis.recommend.features import Floats, Shown, features_of
from analysis.recommend.packing import FORMAT, pack
from ml.timeline import Span
from ml.types import EMOTIONS, Emotion

BATCH = 200


def features_row(
    run: AnalysisRun, profiles: Iterable[EmotionProfile], spans: Iterable[EmotionSpan], *, partial: bool
) -> RunFeatures:
    """Not saved. ``partial``: a part of the episode is missing, so it is not compared with whole ones."""
    shown_when: dict[int, dict[Emotion, list[Span]]] = defaultdict(lambda: defaultdict(list))
    for span in spans:
        shown_when[span.character_id][Emotion(span.emotion)].append(Span(span.start_ms, span.end_ms, span.strength))
    shown = [_shown(p, shown_when[p.character_id]) for p in profiles if p.enough and p.shares]
    found = None if partial else features_of(run.episode_id, 0, run.episode.duration_ms or 0, shown)
    packed, members = (b"", b"") if found is None else pack(found)
    readable_ms = 0 if found is None else found.readable_ms
    return RunFeatures(run=run, format=FORMAT, readable_ms=readable_ms, packed=packed, members=members)


def features_fill(batches: int | None = None) -> int:
    """Makes what published runs lack: results of before features were kept, or of another format. How many it were.

    ``batches``: at most so many times BATCH; None: all.
    """
    made = 0
    while (batches is None or batches > 0) and (runs := list(_lacking()[:BATCH])):
        made += _fill(runs)
        batches = None if batches is None else batches - 1
    return made


def _lacking() -> QuerySet[AnalysisRun]:
    shown = Publication.objects.filter(withdrawn_at__isnull=True).values("run_id")
    lacking = Q(features__isnull=True) | ~Q(features__format=FORMAT)
    return AnalysisRun.objects.filter(lacking, pk__in=shown).select_related("episode__source").order_by("pk")


def _fill(runs: Sequence[AnalysisRun]) -> int:
    ids = [run.pk for run in runs]
    profiles: dict[int, list[EmotionProfile]] = defaultdict(list)
    for profile in EmotionProfile.objects.filter(run_id__in=ids).order_by("run_id", "pk"):
        profiles[profile.run_id].append(profile)
    spans: dict[int, list[EmotionSpan]] = defaultdict(list)
    for span in EmotionSpan.objects.filter(run_id__in=ids).order_by("run_id", "pk"):
        spans[span.run_id].append(span)
    RunFeatures.objects.filter(run_id__in=ids).exclude(format=FORMAT).delete()
    rows = [features_row(run, profiles[run.pk], spans[run.pk], partial=run.partial) for run in runs]
    RunFeatures.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def _shown(profile: EmotionProfile, spans: dict[Emotion, list[Span]]) -> Shown:
    pace = sum(float(row.get("runs_per_minute", 0.0)) for row in profile.shares.values())
    return Shown(
        character=profile.character_id,
        readable_ms=profile.readable_ms,
        share=_numbers(profile, "share"),
        low=_numbers(profile, "low"),
        high=_numbers(profile, "high"),
        pace=pace,
        spans=spans,
    )


def _numbers(profile: EmotionProfile, name: str) -> Floats:
    """(7,) NaN where the bundle cannot express the emotion; the share itself where it has no bounds."""
    rows = [profile.shares.get(str(e)) for e in EMOTIONS]
    return np.array([np.nan if r is None else float(r.get(name, r["share"])) for r in rows])
