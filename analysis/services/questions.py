"""Which stretches of a run people are best asked about: made whenever results are derived."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import structlog
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from analysis import ratings
from analysis.models import AnalysisRun, EmotionProfile, FaceDetection, FaceQuestion, Publication, Track
from analysis.services.material import Material, material_of, members_of, readings_of

MOST_QUESTIONS = 24  # of a character; with every answer others take their place
LEAST_GAIN = 1e-5  # of a share; less is no reason to ask anybody

logger = structlog.get_logger(__name__)


def questions_of(
    run: AnalysisRun,
    material: Material,
    by_character: Mapping[str, list[int]],
    readings: Mapping[str, ratings.Readings],
    profiles: Iterable[EmotionProfile],
    characters: Mapping[str, int],
) -> list[FaceQuestion]:
    """Not saved; the best of each character first. A rating that a checked sample made is left alone: what people
    choose to look at says nothing to it.
    """
    confusion = ratings.confusion_of_card(run.bundle.card, material.emotions)
    found = []
    for profile in profiles:
        slug = next(slug for slug, pk in characters.items() if pk == profile.character_id)
        if profile.shares and not (profile.details.get("checked") or {}).get("applied"):
            widths = np.array([_width(profile, str(e)) for e in material.emotions])
            rows = _of_one(run, material, slug, by_character[slug], readings[slug], confusion, widths)
            found += [FaceQuestion(run=run, character_id=profile.character_id, **row) for row in rows]
    return found


def _width(profile: EmotionProfile, emotion: str) -> float:
    share = profile.shares[emotion]
    return float(share["high"] - share["low"])


def _of_one(
    run: AnalysisRun,
    material: Material,
    slug: str,
    members: Sequence[int],
    read: ratings.Readings,
    confusion: ratings.Confusion | None,
    widths: np.ndarray,
) -> list[dict[str, object]]:
    pieces = ratings.pieces_of(read)
    place, gains = ratings.expected_narrowing(read, pieces, confusion).gains(widths)
    at = {material.faces[i].pts_ms: i for i in members}
    rows: list[dict[str, object]] = []
    for n in np.argsort(-gains, kind="stable"):
        if gains[n] < LEAST_GAIN or len(rows) == MOST_QUESTIONS:
            break
        faces = [at[int(pts)] for pts in read.pts_ms[pieces[n].members]]
        asked = [i for i in faces if material.read_as[i] == slug]  # those that can be named by whom they are read as
        if 2 * len(asked) >= len(faces) and pieces[n].end_ms > pieces[n].start_ms:
            shown = max(asked, key=lambda i: (material.faces[i].score, -material.faces[i].pts_ms))
            rows.append(
                {
                    "face_id": material.ids[shown],
                    "emotion": str(material.emotions[place]),
                    "start_ms": pieces[n].start_ms,
                    "end_ms": pieces[n].end_ms,
                    "gain": min(1.0, float(gains[n])),
                }
            )
    return rows


def questions_missing() -> QuerySet[AnalysisRun]:
    """Shown runs with known faces that were derived before questions were kept."""
    shown = Publication.objects.filter(withdrawn_at__isnull=True).values("run_id")
    readable = EmotionProfile.objects.filter(run_id=OuterRef("pk"), readable_ms__gt=0)
    tracks = Track.objects.filter(run_id=OuterRef("pk"), character__isnull=False)
    faces = FaceDetection.objects.filter(run_id=OuterRef("pk"))
    made = FaceQuestion.objects.filter(run_id=OuterRef("pk"))
    runs = AnalysisRun.objects.filter(Exists(readable), Exists(tracks), Exists(faces), ~Exists(made), pk__in=shown)
    return runs.select_related("bundle").order_by("pk")


@transaction.atomic
def questions_fill(run: AnalysisRun) -> int:
    """Makes the questions of a run that was derived earlier; gives how many."""
    run = AnalysisRun.objects.select_for_update(no_key=True).select_related("bundle").get(pk=run.pk)
    profiles = list(EmotionProfile.objects.filter(run=run).select_related("character"))
    material, _ = material_of(run, list(run.segments.order_by("index")))
    by_character = members_of(material)
    readings = {slug: readings_of(material, members) for slug, members in by_character.items()}
    slugs = {p.character.slug: p.character_id for p in profiles if p.character.slug in by_character}
    kept = [p for p in profiles if p.character.slug in slugs]
    rows = questions_of(run, material, by_character, readings, kept, slugs)
    FaceQuestion.objects.filter(run=run).delete()
    FaceQuestion.objects.bulk_create(rows)
    return len(rows)
