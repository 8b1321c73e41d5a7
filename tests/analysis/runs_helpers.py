"""Episodes, bundles and results for tests of runs."""

from __future__ import annotations

import hashlib
import itertools
import random
from typing import Any

from django.db.models import Model

from analysis.models import AnalysisRun, FaceDetection, ModelBundle, Segment
from analysis.services.bundles import bundle_register
from analysis.services.leases import Claim, segment_claim, segment_complete
from analysis.services.runs import run_request
from catalog.models import Episode, Series, SourceFile
from ml.types import EMOTIONS, BundleRef, Detection, Emotion, Mask, SegmentResult, Shot, ShotKind

_count = itertools.count(1)
CHARACTERS = {"tom": "Tom", "jerry": "Jerry"}


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def make_bundle(version: str = "1") -> ModelBundle:
    ref = BundleRef("test", version, digest(f"bundle {version}"))
    return bundle_register(ref=ref, characters=CHARACTERS, emotions=EMOTIONS, card={"name": "test"})


def make_episode(duration_ms: int = 150_000, stored_name: str = "") -> Episode:
    n = next(_count)
    series, _ = Series.objects.get_or_create(slug="cartoons", defaults={"title": "Cartoons"})
    sha256 = digest(f"video {n}")
    source = SourceFile.objects.create(
        sha256=sha256,
        size_bytes=1000,
        stored_name=stored_name or f"sources/{sha256[:12]}.mp4",
        original_name=f"episode {n}.mp4",
        container="mp4",
        codec="h264",
        width=320,
        height=180,
        duration_ms=duration_ms,
    )
    return Episode.objects.create(
        series=series, ordering="absolute", identity=f"E{n:03d}", number=n, title=f"Episode {n}", source=source
    )


def make_run(duration_ms: int = 150_000, **options: Any) -> AnalysisRun:
    make_bundle()
    return run_request(episode=make_episode(duration_ms), bundle_name="test-1", **options)


def claim(segment: Segment, worker: str = "worker") -> Claim:
    """A claim that must succeed."""
    found = segment_claim(segment.pk, worker)
    assert found is not None
    return found


def make_result(start_ms: int, end_ms: int, seed: int = 0) -> SegmentResult:
    """What a pass over [start_ms, end_ms) might find: two characters and a stranger, cuts, a black stretch."""
    rng = random.Random(f"{seed} {start_ms}")
    faces = [_face(rng, pts, who) for pts in range(start_ms, end_ms - 100, 100) for who in ("tom", "jerry", None)]
    return SegmentResult(
        start_ms=start_ms,
        end_ms=end_ms,
        frames=(end_ms - start_ms) // 40,
        drawings=(end_ms - start_ms) // 100,
        cuts_ms=tuple(range(start_ms + 2000, end_ms, 2500)),
        kinds=(Shot(start_ms, min(start_ms + 1900, end_ms), ShotKind.TITLE),),
        detections=tuple(faces),
        timings={"decode": 0.5, "detect": 1.25},
    )


def _face(rng: random.Random, pts_ms: int, who: str | None) -> Detection:
    left = {"tom": 10.0, "jerry": 110.0, None: 210.0}[who] + rng.random()
    mood = EMOTIONS[(pts_ms // 3000 + len(who or "")) % len(EMOTIONS)]
    rest = (1 - 0.7) / (len(EMOTIONS) - 1)
    return Detection(
        pts_ms=pts_ms,
        shown_ms=100,
        character=who,
        box=(left, 20.0, left + 60, 80.0),
        mask=Mask((180, 320), "abc"),
        score=0.5 + rng.random() / 2,
        emotions={e: 0.7 if e is mood else rest for e in EMOTIONS},
        emotion=Emotion(mood),
        confidence=0.7,
        embedding=tuple(rng.random() for _ in range(128)),
    )


def complete(segment: Segment, seed: int = 0, worker: str = "worker") -> None:
    """Claims the segment and writes a result."""
    token = claim(segment, worker).token
    assert segment_complete(token, make_result(segment.start_ms, segment.end_ms, seed))


def complete_all(run: AnalysisRun) -> None:
    for segment in run.segments.all():
        complete(segment)


_KEYS = {"id", "run", "segment", "scene", "shot", "track", "thumbnail"}


def rows_of(run: AnalysisRun, model: type[Model]) -> list[tuple[Any, ...]]:
    """Every column of what was written below a run, but keys; foreign rows by what identifies them within the run."""
    names = [f.name for f in model._meta.concrete_fields if f.name not in _KEYS]
    fields = {f.name for f in model._meta.concrete_fields}
    related = [f"{name}__index" for name in ("segment", "scene", "shot", "track") if name in fields]
    if model is FaceDetection:
        related.append("track__start_ms")
    rows = model._default_manager.filter(run=run).values_list(*names, *related)
    return sorted((tuple(_plain(v) for v in row) for row in rows), key=repr)


def _plain(value: Any) -> Any:
    return value if not isinstance(value, (list, dict)) else repr(value)
