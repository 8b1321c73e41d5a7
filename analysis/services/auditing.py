"""Does what is stored follow from what was detected? Every number of a run, recomputed and compared; and the mend.

The recomputation is ``derive``, the function that made the numbers, fed with nothing but the faces, what people said
of them, the segments, the bundle's description and the episodes that each baseline names.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from analysis.models import (
    AnalysisRun,
    Certification,
    EmotionBound,
    EmotionProfile,
    EmotionSpan,
    FaceDetection,
    RunBound,
    RunFeatures,
    Scene,
    SceneEmotion,
    SegmentStatus,
    Shot,
    Track,
)
from analysis.ratings import RATINGS_VERSION
from analysis.recommend.packing import FORMAT
from analysis.samples import draw
from analysis.selectors.baselines import peers_named, peers_published
from analysis.selectors.layer import corrections_current, samples_finished
from analysis.services.audit import audit_record
from analysis.services.derive import Derived, derive
from analysis.services.features import features_row
from analysis.services.finalise import run_finalise
from catalog.models import Character

TOLERANCE = 1e-9
Leaves = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """``what`` in words. None on one side: it is only on the other."""

    what: str
    stored: Any
    computed: Any


@dataclass(frozen=True, slots=True)
class RunAudit:
    """``numbers``: how many values were compared, 0 where an older arithmetic made them (``outdated``).

    ``notes``: what is worth knowing and is no difference.
    """

    run_id: int
    version: int
    numbers: int
    differences: tuple[Difference, ...]
    notes: tuple[str, ...]

    @property
    def outdated(self) -> bool:
        return self.version != RATINGS_VERSION

    @property
    def equal(self) -> bool:
        return not self.outdated and not self.differences


@transaction.atomic
def audit_run(run: AnalysisRun) -> RunAudit:
    """Writes nothing. Values count as equal within TOLERANCE."""
    if run.ratings_version != RATINGS_VERSION:
        return RunAudit(run.pk, run.ratings_version, 0, (), ())
    segments = list(run.segments.order_by("index"))
    basis = _basis(run)
    peers = peers_named(run, basis)
    computed = derive(run, segments, peers)
    samples = _samples(run)
    slugs = dict(Character.objects.values_list("pk", "slug"))
    done = [s for s in segments if s.status == SegmentStatus.DONE]
    wanted = {
        "run: frames": sum(s.frames for s in segments),
        "run: drawings": sum(s.drawings for s in done),
        "run: faces": FaceDetection.objects.filter(run=run).count(),
        "run: layer of corrections": computed.layer,
        **{name: str(draw(len(row.frame), len(row.picked), row.seed)) for name, row in samples.items()},
        "run: strangers": computed.strangers,
        **_leaves_of_computed(computed, slugs),
    }
    stored = {
        "run: frames": run.frames,
        "run: drawings": run.drawings,
        "run: faces": run.faces,
        "run: layer of corrections": run.layer,
        **{name: str(row.picked) for name, row in samples.items()},
        "run: strangers": run.strangers,
        **_leaves_of_stored(run, slugs),
    }
    kept = RunFeatures.objects.filter(run=run, format=FORMAT).first()  # what lacks one gets it from the sweep
    if kept is not None:
        partial = any(s.status == SegmentStatus.FAILED for s in segments)
        made = features_row(run, computed.profiles, computed.spans, partial=partial)
        wanted["run: features"], stored["run: features"] = _digest(made), _digest(kept)
    names = [*wanted, *(name for name in stored if name not in wanted)]
    differences = tuple(
        Difference(name, stored.get(name), wanted.get(name))
        for name in names
        if name not in stored or name not in wanted or not _equal(stored[name], wanted[name])
    )
    return RunAudit(run.pk, run.ratings_version, len(names), differences, tuple(_notes(run, basis, peers, slugs)))


@transaction.atomic
def run_rederive(*, run: AnalysisRun, actor: AbstractBaseUser | None = None) -> bool:
    """Derives a run's rows anew from its faces, in one transaction; what the episode shows stays.

    False where somebody else is at the run, or it did not succeed.
    """
    before = {"ratings_version": run.ratings_version}
    again = run_finalise(run.pk, again=True)
    if again is None:
        return False
    audit_record(
        action="run.rederive", subject=again, actor=actor, before=before, after={"ratings_version": RATINGS_VERSION}
    )
    return True


def _digest(row: RunFeatures) -> str:
    return hashlib.sha256(b"|".join([bytes(row.packed), bytes(row.members), str(row.readable_ms).encode()])).hexdigest()


def _basis(run: AnalysisRun) -> dict[int, list[int]]:
    """Per character, the runs that its stored baseline was made from."""
    rows = EmotionProfile.objects.filter(run=run).values_list("character_id", "details")
    return {pk: list((details.get("basis") or {}).get("runs") or []) for pk, details in rows}


def _notes(
    run: AnalysisRun, basis: Mapping[int, list[int]], peers: Mapping[int, Any], slugs: Mapping[int, str]
) -> Iterator[str]:
    yield from _layer_note(run)
    now = peers_published(run)
    for pk, named in basis.items():
        gone = sorted(set(named) - {p.run_id for p in peers.get(pk, ())})
        if gone:
            runs = ", ".join(map(str, gone))
            yield f"The baseline of {slugs[pk]} was made from runs that can no longer be compared with: {runs}."
        elif set(named) != {p.run_id for p in now.get(pk, ())}:
            yield (
                f"The baseline of {slugs[pk]} was made from {len(named)} other episodes; the series shows "
                f"{len(now.get(pk, ()))} comparable ones now."
            )


def _samples(run: AnalysisRun) -> dict[str, Certification]:
    """Those that count for the file that the run looked at: each has to be the one that its seed gives."""
    rows = Certification.objects.filter(
        episode_id=run.episode_id, source_sha256=run.source_sha256, withdrawn_at__isnull=True
    )
    return {f"sample of {row.character.slug}: picked": row for row in rows.select_related("character")}


def _layer_note(run: AnalysisRun) -> Iterator[str]:
    corrections = len(corrections_current(run.episode_id, run.source_sha256))
    samples = len(samples_finished(run.episode_id, run.source_sha256))
    if corrections or samples:
        yield f"Laid over what was detected: {corrections} corrections and {samples} checked samples."


def _leaves_of_computed(found: Derived, slugs: Mapping[int, str]) -> Leaves:
    leaves: Leaves = {}
    for shot in found.shots:
        leaves |= _shot(shot)
    for track, members in zip(found.tracks, found.members, strict=True):
        leaves |= _track(track, members, slugs)
    for scene in found.scenes:
        leaves |= _scene(scene)
    for row in found.scene_emotions:
        leaves |= _scene_emotion(row, slugs)
    for span in found.spans:
        leaves |= _span(span, slugs)
    for profile in found.profiles:
        leaves |= _profile(profile, slugs)
    for bound in found.bounds:
        leaves |= _bound(bound, slugs)
    for most in found.run_bounds:
        leaves |= _run_bound(most)
    return leaves


def _leaves_of_stored(run: AnalysisRun, slugs: Mapping[int, str]) -> Leaves:
    members: dict[int, list[int]] = defaultdict(list)
    for face, track in FaceDetection.objects.filter(run=run, track__isnull=False).values_list("pk", "track_id"):
        members[track].append(face)
    leaves: Leaves = {}
    for shot in Shot.objects.filter(run=run).order_by("index"):
        leaves |= _shot(shot)
    for track_row in Track.objects.filter(run=run).select_related("shot").defer("embedding").order_by("index"):
        leaves |= _track(track_row, members[track_row.pk], slugs)
    for scene in Scene.objects.filter(run=run).order_by("index"):
        leaves |= _scene(scene)
    for row in SceneEmotion.objects.filter(run=run).select_related("scene").order_by("id"):
        leaves |= _scene_emotion(row, slugs)
    for span in EmotionSpan.objects.filter(run=run).select_related("scene").order_by("id"):
        leaves |= _span(span, slugs)
    for profile in EmotionProfile.objects.filter(run=run).order_by("id"):
        leaves |= _profile(profile, slugs)
    for bound in EmotionBound.objects.filter(run=run).order_by("id"):
        leaves |= _bound(bound, slugs)
    for most in RunBound.objects.filter(run=run).order_by("id"):
        leaves |= _run_bound(most)
    return leaves


def _shot(row: Shot) -> Leaves:
    return _named(f"shot {row.index}", {"start_ms": row.start_ms, "end_ms": row.end_ms, "kind": row.kind})


def _track(row: Track, members: list[int], slugs: Mapping[int, str]) -> Leaves:
    who = None if row.character_id is None else slugs[row.character_id]
    values = {"shot": row.shot.index, "character": who, "start_ms": row.start_ms, "end_ms": row.end_ms}
    return _named(f"track {row.index}", {**values, "faces": len(members), "which faces": str(sorted(members))})


def _scene(row: Scene) -> Leaves:
    return _named(f"scene {row.index}", {"start_ms": row.start_ms, "end_ms": row.end_ms})


def _scene_emotion(row: SceneEmotion, slugs: Mapping[int, str]) -> Leaves:
    names = ("visible_ms", "readable_ms", "share", "baseline", "score", "best_start_ms", "best_end_ms")
    where = f"scene {row.scene.index}: {slugs[row.character_id]} {row.emotion}"
    return _named(where, {name: getattr(row, name) for name in names})


def _span(row: EmotionSpan, slugs: Mapping[int, str]) -> Leaves:
    """No two spans of one character and emotion begin at the same time."""
    where = f"span of {slugs[row.character_id]} {row.emotion} from {row.start_ms} ms"
    return _named(where, {"scene": row.scene.index, "end_ms": row.end_ms, "strength": row.strength})


def _profile(row: EmotionProfile, slugs: Mapping[int, str]) -> Leaves:
    names = ("visible_ms", "readable_ms", "drawings", "shots", "enough", "shares", "details")
    return _named(f"profile of {slugs[row.character_id]}", {name: getattr(row, name) for name in names})


def _bound(row: EmotionBound, slugs: Mapping[int, str]) -> Leaves:
    names = ("low", "share", "high", "longest_ms", "enough")
    return _named(f"bound of {slugs[row.character_id]} {row.emotion}", {name: getattr(row, name) for name in names})


def _run_bound(row: RunBound) -> Leaves:
    names = ("high", "longest_ms", "lacking")
    return _named(f"bound of all {row.emotion}", {name: getattr(row, name) for name in names})


def _named(where: str, value: Any) -> Leaves:
    """Nested tables and lists as one table of what can be compared, each by its path."""
    if isinstance(value, dict) and value:
        parts = [(f"{where}: {key}", item) for key, item in value.items()]
    elif isinstance(value, (list, tuple)) and value:
        parts = [(f"{where}: {place}", item) for place, item in enumerate(value)]
    else:
        return {where: value}
    return {name: leaf for path, item in parts for name, leaf in _named(path, item).items()}


def _equal(stored: Any, computed: Any) -> bool:
    if isinstance(stored, bool) or isinstance(computed, bool):
        return stored is computed
    if isinstance(stored, (int, float)) and isinstance(computed, (int, float)):
        return abs(stored - computed) <= TOLERANCE
    return bool(stored == computed)
