"""The moments behind a number: the stretches in which a character shows an emotion, each with the face to look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.core.files.storage import default_storage
from django.core.paginator import Page, Paginator
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from analysis.models import AnalysisRun, EmotionSpan, FaceDetection
from analysis.selectors.finds import moment_name
from catalog.models import Character
from ml.types import EMOTIONS, Emotion

ORDERS = {"clearest": _("Clearest first"), "longest": _("Longest first"), "time": _("As they come")}
PAGE = 12
SURE, FAIRLY = 0.9, 0.75  # mean probability from which a stretch is called clear, or fairly clear


@dataclass(frozen=True, slots=True)
class FaceAt:
    """A face and where it is, in parts of the picture's width and height; ``picture``: its own was made already."""

    face_id: int
    pts_ms: int
    box: tuple[float, float, float, float]
    second: Emotion | None
    second_share: float
    picture: bool


@dataclass(frozen=True, slots=True)
class SpanShown:
    """``scene_picture``: the scene's thumbnail, or None. ``face`` None: its drawings were not kept."""

    run_id: int
    character: Character
    emotion: Emotion
    start_ms: int
    end_ms: int
    strength: float
    scene_picture: int | None
    face: FaceAt | None

    @property
    def length_ms(self) -> int:
        return self.end_ms - self.start_ms

    @property
    def face_id(self) -> int:
        """Of a face that is there: for those who ask for its picture."""
        assert self.face is not None
        return self.face.face_id

    @property
    def pictured(self) -> bool:
        """Whether there is a picture of the face, or for the time being of its scene."""
        return self.face is not None and (self.face.picture or self.scene_picture is not None)

    @property
    def how_clear(self) -> str:
        if self.strength >= SURE:
            return gettext("clear")
        return gettext("fairly clear") if self.strength >= FAIRLY else gettext("less clear")


@dataclass(frozen=True, slots=True)
class Behind:
    """One page of the stretches; ``total_ms``: how long all of them last together."""

    character: Character
    emotion: Emotion
    order: str
    page: Page[EmotionSpan]
    spans: tuple[SpanShown, ...]
    total_ms: int

    @property
    def count(self) -> int:
        return self.page.paginator.count


def behind(run: AnalysisRun, character: Character, emotion: Emotion, order: str, page: str | None) -> Behind:
    """``order``: one of ORDERS, else the clearest first. Four queries."""
    order = order if order in ORDERS else "clearest"
    found = EmotionSpan.objects.filter(run=run, character=character, emotion=str(emotion))
    lengths = [end - start for start, end in found.values_list("start_ms", "end_ms")]
    shown = Paginator(_ordered(found, order).select_related("scene", "character"), PAGE).get_page(page)
    return Behind(character, emotion, order, shown, spans_shown(list(shown.object_list)), sum(lengths))


def _ordered(found: QuerySet[EmotionSpan], order: str) -> QuerySet[EmotionSpan]:
    length = F("end_ms") - F("start_ms")
    by = {"clearest": ("-strength", "-length"), "longest": ("-length", "-strength"), "time": ()}[order]
    return found.annotate(length=length).order_by(*by, "start_ms", "pk")


def spans_shown(spans: Sequence[EmotionSpan]) -> tuple[SpanShown, ...]:
    """In their order; ``scene`` and ``character`` should be loaded. One query for their faces."""
    faces = faces_of(spans)
    return tuple(
        SpanShown(
            run_id=span.run_id,
            character=span.character,
            emotion=Emotion(span.emotion),
            start_ms=span.start_ms,
            end_ms=span.end_ms,
            strength=span.strength,
            scene_picture=span.scene_id if span.scene.thumbnail else None,
            face=faces.get(span.pk),
        )
        for span in spans
    )


_PLACE = ("box_x1", "box_y1", "box_x2", "box_y2")


def faces_of(spans: Sequence[EmotionSpan]) -> Mapping[int, FaceAt]:
    """By span: the face in it that shows its emotion most. A span whose faces are not kept is left out."""
    if not spans:
        return {}
    inside = Q()
    for s in spans:
        inside |= Q(run=s.run_id, track__character=s.character_id, pts_ms__gte=s.start_ms, pts_ms__lt=s.end_ms)
    rows = FaceDetection.objects.filter(inside).values(
        "pk", "run_id", "track__character_id", "pts_ms", *_PLACE, *EMOTIONS,
        "run__episode__source__width", "run__episode__source__height",
    )  # fmt: skip
    best: dict[int, tuple[float, FaceAt]] = {}
    for row in rows.order_by("pts_ms", "pk"):
        for s in spans:
            mine = row["run_id"] == s.run_id and row["track__character_id"] == s.character_id
            if mine and s.start_ms <= row["pts_ms"] < s.end_ms:
                shown = float(row[s.emotion] or 0.0)
                if s.pk not in best or shown > best[s.pk][0]:
                    best[s.pk] = (shown, _face(row, s))
    return {pk: face for pk, (_, face) in best.items()}


def _face(row: Mapping[str, object], span: EmotionSpan) -> FaceAt:
    def number(name: str) -> float:
        return float(row[name] or 0.0)  # type: ignore[arg-type]

    width, height = number("run__episode__source__width") or 1.0, number("run__episode__source__height") or 1.0
    others = [(number(e), e) for e in EMOTIONS if str(e) != span.emotion and row[e] is not None]
    share, second = max(others, key=lambda x: x[0], default=(0.0, None))
    pk = int(number("pk"))
    return FaceAt(
        face_id=pk,
        pts_ms=int(number("pts_ms")),
        box=(number("box_x1") / width, number("box_y1") / height, number("box_x2") / width, number("box_y2") / height),
        second=second,
        second_share=share,
        picture=default_storage.exists(moment_name(span.run_id, pk)),
    )
