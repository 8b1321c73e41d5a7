"""What limits read, made from profiles: a bound per character and emotion, and the most over all characters.

Whatever is not known is over every limit. Pure but for one setting; ``derive`` calls it.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings

from analysis.models import AnalysisRun, EmotionBound, EmotionProfile, Lacking, RunBound
from ml.types import EMOTIONS


def bounds_of(run: AnalysisRun, profiles: Sequence[EmotionProfile], *, partial: bool) -> list[EmotionBound]:
    """Seven rows per profile. ``partial``: a part of the episode is missing, so nothing holds for all of it."""
    rows = []
    for profile in profiles:
        for emotion in EMOTIONS:
            found = profile.shares.get(str(emotion), {})
            known = found.get("high") is not None and found.get("longest_ms") is not None
            rows.append(
                EmotionBound(
                    run=run,
                    character_id=profile.character_id,
                    emotion=str(emotion),
                    low=found.get("low"),
                    share=found.get("share"),
                    high=found.get("high"),
                    longest_ms=found.get("longest_ms"),
                    enough=known and profile.enough and not partial,
                )
            )
    return rows


def run_bounds_of(
    run: AnalysisRun, bounds: Sequence[EmotionBound], *, partial: bool, strangers: float
) -> list[RunBound]:
    """Seven rows. ``strangers``: the share of the time of faces that belongs to nobody known."""
    return [_most(run, str(e), [b for b in bounds if b.emotion == e], partial, strangers) for e in EMOTIONS]


def _most(run: AnalysisRun, emotion: str, bounds: list[EmotionBound], partial: bool, strangers: float) -> RunBound:
    lacking = _lacking(run, emotion, bounds, partial, strangers)
    if lacking:
        return RunBound(run=run, emotion=emotion, high=None, longest_ms=None, lacking=lacking)
    high = max(b.high for b in bounds if b.high is not None)
    longest = max(b.longest_ms for b in bounds if b.longest_ms is not None)
    return RunBound(run=run, emotion=emotion, high=high, longest_ms=longest, lacking="")


def _lacking(
    run: AnalysisRun, emotion: str, bounds: Sequence[EmotionBound], partial: bool, strangers: float
) -> Lacking | str:
    """Why nothing can be said of all characters; empty where something can."""
    if partial:
        return Lacking.PARTIAL
    if not bounds:
        return Lacking.NOBODY
    if strangers > settings.TOONEMO_STRANGERS_MOST:
        return Lacking.STRANGERS
    if emotion not in run.bundle.emotions:
        return Lacking.NOT_MODELLED
    return "" if all(b.enough for b in bounds) else Lacking.EVIDENCE
