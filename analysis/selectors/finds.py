"""What looks like a drawing: which runs are searched, which bundles can be compared, and the moments found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analysis.errors import FindImpossible, FindRefused
from analysis.finding.alike import Alike, signature_of, ways_of
from analysis.finding.moments import Like, moments
from analysis.finding.nearest import NearFace, Wanted, embeddings_of, nearest
from analysis.limits import NO_LIMITS, Limits
from analysis.models import (
    AnalysisRun,
    FaceDetection,
    FaceVector,
    Find,
    ModelBundle,
    Publication,
    Scene,
)
from analysis.selectors.visible import runs_visible
from catalog.models import Character
from ml.types import EMOTIONS

PAGE = 12
FIRST_LOOK, SECOND_LOOK = 400, 4_000  # faces; neighbouring drawings are alike, so few of them are moments


def runs_searched(limits: Limits = NO_LIMITS) -> QuerySet[AnalysisRun]:
    """The one place that says whose moments may be found."""
    return runs_visible(limits)


def runs_to_index() -> list[int]:
    """Runs whose faces should become findable, or be so no longer: the message must have got lost."""
    current = Publication.objects.filter(run_id=OuterRef("pk"), withdrawn_at__isnull=True)
    runs = AnalysisRun.objects.annotate(is_shown=Exists(current))
    return list(
        runs.filter(Q(is_shown=True, find_ready=False) | Q(is_shown=False, find_ready=True)).values_list(
            "pk", flat=True
        )
    )


def moment_name(run_id: int, face_id: int) -> str:
    """Where the picture of a moment is kept, relative to MEDIA_ROOT."""
    return f"moments/{run_id}/{face_id}.jpg"


def close_up_name(run_id: int, face_id: int) -> str:
    """Where the face of a moment is kept, near enough to be judged, relative to MEDIA_ROOT."""
    return f"moments/{run_id}/{face_id}-face.jpg"


@dataclass(frozen=True, slots=True)
class Comparable:
    """``bundle``: which reads the picture. ``runs``: whose faces it can be compared with, by id.

    ``others``: how many episodes were read by bundles that make other numbers of a face, so that they are left out.
    ``pending``: how many episodes are being made findable.
    """

    bundle: ModelBundle
    runs: tuple[int, ...]
    others: int
    pending: int
    ways: tuple[Alike, ...]


def comparable(bundle: ModelBundle | None = None, limits: Limits = NO_LIMITS) -> Comparable:
    """What can be compared with ``bundle``; where none is named, with that which most episodes were read by.

    Raises FindImpossible where there is nothing, or the bundle's faces cannot be compared.
    """
    rows = list(runs_searched(limits).order_by("pk").values_list("pk", "bundle_id", "find_ready"))
    if not rows:
        raise FindImpossible(_("No episode that may be seen shows an analysis, so there is nothing to find."))
    bundles = ModelBundle.objects.in_bulk({bundle_id for _, bundle_id, _ in rows})
    if bundle is None:
        most = Counter(bundle_id for _, bundle_id, _ in rows)
        bundle = bundles[max(most, key=lambda pk: (most[pk], pk))]
    ways = ways_of(bundle.card)
    if not ways:
        raise FindImpossible(
            _("The model bundle %(bundle)s makes nothing of a face that could be compared.") % {"bundle": bundle}
        )
    signature = signature_of(bundle.card, bundle.digest)
    same = {pk for pk, b in bundles.items() if signature_of(b.card, b.digest) == signature}
    mine = [(pk, ready) for pk, bundle_id, ready in rows if bundle_id in same]
    ready = tuple(pk for pk, is_ready in mine if is_ready)
    return Comparable(bundle, ready, len(rows) - len(mine), len(mine) - len(ready), ways)


@dataclass(frozen=True, slots=True)
class Filters:
    """``alike`` None: the bundle's first way. Empty strings: anybody, anything. ``n``: which face of the picture.

    ``limits``: only what they leave to be seen is compared.
    """

    alike: Alike | None = None
    character: str = ""
    emotion: str = ""
    n: int = 1
    limits: Limits = NO_LIMITS


@dataclass(frozen=True, slots=True)
class Moment:
    """A face that looks like what was asked for, and where it is."""

    face_id: int
    run_id: int
    scene_id: int | None
    has_picture: bool
    episode_id: int
    episode: str
    series: str
    pts_ms: int
    character: Character | None
    emotion: str
    similarity: float


@dataclass(frozen=True, slots=True)
class Found:
    """``exact``: every face in question was compared, not only those along the graph."""

    moments: tuple[Moment, ...]
    comparable: Comparable
    alike: Alike
    exact: bool
    filters: Filters = field(default_factory=Filters)


def find_get(token: str) -> Find | None:
    """An answer that has not expired."""
    return Find.objects.select_related("bundle").filter(token=token, expires_at__gt=timezone.now()).first()


def find_by_picture(find: Find, filters: Filters, most: int = PAGE) -> Found:
    """The moments nearest to the picture's face number ``filters.n``. Raises FindImpossible, FindRefused."""
    faces = find.faces
    if not 1 <= filters.n <= len(faces):
        raise FindRefused(
            ngettext(
                "In the picture one face was read; there is no face number %(n)s.",
                "In the picture %(count)s faces were read; there is no face number %(n)s.",
                len(faces),
            )
            % {"count": len(faces), "n": filters.n}
        )
    face = faces[filters.n - 1]
    return find_like(tuple(face["embedding"]), comparable(find.bundle, filters.limits), filters, most)


def find_by_face(face_id: int, filters: Filters, most: int = PAGE) -> Found | None:
    """Moments like one of ours; None where there is no such face to be found. Raises FindRefused."""
    if filters.n != 1:
        raise FindRefused(_("One face is asked about by its id; a number (n) chooses among the faces of a picture."))
    face = (
        FaceVector.objects.filter(pk=face_id, run__in=runs_searched(filters.limits))
        .select_related("run__bundle")
        .first()
    )
    if face is None:
        return None
    embedding = embeddings_of([face_id])[face_id]
    like = Like(face.run_id, face.pts_ms)
    return find_like(embedding, comparable(face.run.bundle, filters.limits), filters, most, like)


def find_like(
    embedding: tuple[float, ...], among: Comparable, filters: Filters, most: int = PAGE, like: Like | None = None
) -> Found:
    """Raises FindRefused where a filter names somebody, or an emotion, that does not exist."""
    alike = filters.alike if filters.alike in among.ways else among.ways[0]
    wanted = Wanted(embedding, alike, among.runs, _character_id(filters.character), _emotion(filters.emotion))
    for size in (FIRST_LOOK, SECOND_LOOK):
        near = nearest(wanted, size)
        kept = moments(near.faces, _scenes(near.faces), most, like)
        if len(kept) >= most or near.whole:
            break
    return Found(_told(kept), among, alike, near.exact, filters)


def face_of_scene(scene: Scene) -> int | None:
    """The face that stands for a scene: that of the surest known character, else the surest."""
    inside = FaceVector.objects.filter(run_id=scene.run_id, pts_ms__gte=scene.start_ms, pts_ms__lt=scene.end_ms)
    best = inside.annotate(unknown=Q(character__isnull=True)).order_by("unknown", "-face__score", "pts_ms", "pk")
    return best.values_list("pk", flat=True).first()


def _character_id(slug: str) -> int | None:
    if not slug:
        return None
    found = Character.objects.filter(slug=slug).values_list("pk", flat=True).first()
    if found is None:
        raise FindRefused(_("There is no character %(slug)s.") % {"slug": repr(slug)})
    return found


def _emotion(emotion: str) -> str:
    if emotion and emotion not in EMOTIONS:
        raise FindRefused(
            _("There is no emotion %(emotion)s; these are: %(emotions)s.")
            % {"emotion": repr(emotion), "emotions": ", ".join(EMOTIONS)}
        )
    return emotion


def _scenes(faces: Sequence[NearFace]) -> dict[int, int]:
    """Face id to the id of its scene, in one query."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT near.face, scene.id FROM unnest(%s::bigint[], %s::bigint[], %s::int[]) AS near(face, run, at)"
            " JOIN analysis_scene AS scene ON scene.run_id = near.run"
            " AND scene.start_ms <= near.at AND scene.end_ms > near.at",
            [[f.face_id for f in faces], [f.run_id for f in faces], [f.pts_ms for f in faces]],
        )
        return dict(cursor.fetchall())


def _told(kept: Sequence[NearFace]) -> tuple[Moment, ...]:
    runs = AnalysisRun.objects.select_related("episode__series").in_bulk([f.run_id for f in kept])
    characters = Character.objects.in_bulk([f.character_id for f in kept if f.character_id is not None])
    scene_of = _scenes(kept)
    pictured = set(Scene.objects.filter(pk__in=scene_of.values()).exclude(thumbnail="").values_list("pk", flat=True))
    found = []
    for face in kept:
        episode, scene_id = runs[face.run_id].episode, scene_of.get(face.face_id)
        found.append(
            Moment(
                face_id=face.face_id,
                run_id=face.run_id,
                scene_id=scene_id,
                has_picture=scene_id in pictured,
                episode_id=episode.pk,
                episode=episode.title,
                series=episode.series.title,
                pts_ms=face.pts_ms,
                character=None if face.character_id is None else characters.get(face.character_id),
                emotion=face.emotion,
                similarity=face.similarity,
            )
        )
    return tuple(found)


def face_shown(face_id: int) -> FaceDetection | None:
    """A face of a published run, whatever the limits, with its run."""
    return FaceDetection.objects.filter(pk=face_id, run__in=runs_searched()).select_related("run").first()
