"""Whom to ask about next, what was said of a face, and by whom. For whoever may correct; limits have no part here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.files.storage import default_storage
from django.db.models import Exists, F, OuterRef, Q, QuerySet, TextField, Value
from django.db.models.functions import MD5, Cast, Concat

from analysis.layer import Says
from analysis.models import (
    AskedFace,
    Correction,
    FaceDetection,
    FaceQuestion,
    FaceWord,
    LayerChange,
    Publication,
)
from analysis.selectors.finds import close_up_name, moment_name
from analysis.words import Said, Word, counting, disputed
from catalog.models import Character, Episode
from ml.types import Box

NEW, SECOND, DISPUTED = "new", "second", "disputed"
LOOKS = (NEW, SECOND, DISPUTED)
Key = tuple[int, str, int, int]  # episode, slug of the subject, start, end


@dataclass(frozen=True, slots=True)
class Scope:
    """``look``: faces nobody spoke of, faces that others spoke of, or such as people differ about. None, empty: all."""

    episode: int | None = None
    character: str = ""
    look: str = NEW


@dataclass(frozen=True, slots=True)
class Ask:
    """One question. ``gain``: by how much of a share the interval of ``emotion`` is expected to narrow; None where it
    was answered before. ``box``: of the face, in parts of the picture. ``words``: who said what, only where people
    differ. ``close_up``, ``picture``: whether a worker has drawn them.
    """

    episode: Episode
    subject: Character
    start_ms: int
    end_ms: int
    face_id: int | None
    run_id: int | None
    emotion: str = ""
    gain: float | None = None
    asked_id: int | None = None
    box: Box | None = None
    close_up: bool = False
    picture: bool = False
    words: tuple[FaceWord, ...] = ()
    counts: int | None = None

    @property
    def key(self) -> Key:
        return self.episode.pk, self.subject.slug, self.start_ms, self.end_ms


def said_of(row: Any) -> Said:
    """Of a word or a correction."""
    return Said(Says(row.says), None if row.character is None else row.character.slug, row.emotion)


def words_of(face: AskedFace) -> list[Word]:
    """Those that were not withdrawn, the oldest first."""
    rows = FaceWord.objects.filter(face=face, withdrawn_at__isnull=True).select_related("character").order_by("pk")
    return [word_of(row) for row in rows]


def word_of(row: FaceWord) -> Word:
    return Word(row.pk, row.made_by_id, said_of(row), row.settles)


def asks_next(person_id: int, scope: Scope, most: int, *, skipped: Collection[Key] = ()) -> list[Ask]:
    """At most so many, the most useful first."""
    if scope.look == NEW:
        return _new(scope, most, skipped)
    if scope.look == SECOND:
        return _second(person_id, scope, most, skipped)
    return [ask for ask in disputes(scope, most + len(skipped)) if ask.key not in skipped][:most]


def open_questions(scope: Scope) -> QuerySet[FaceQuestion]:
    """Of what episodes show, without what somebody spoke of."""
    shown = Publication.objects.filter(run_id=OuterRef("run_id"), withdrawn_at__isnull=True)
    spoken = Correction.objects.filter(
        episode_id=OuterRef("run__episode_id"),
        source_sha256=OuterRef("run__source_sha256"),
        subject_id=OuterRef("character_id"),
        start_ms__lt=OuterRef("end_ms"),
        end_ms__gt=OuterRef("start_ms"),
        withdrawn_at__isnull=True,
    )
    rows = FaceQuestion.objects.filter(Exists(shown), ~Exists(spoken))
    rows = rows.filter(run__source_sha256=F("run__episode__source__sha256"))
    if scope.episode is not None:
        rows = rows.filter(run__episode_id=scope.episode)
    if scope.character:
        rows = rows.filter(character__slug=scope.character)
    return rows.order_by("-gain", "id")


def _new(scope: Scope, most: int, skipped: Collection[Key]) -> list[Ask]:
    rows = open_questions(scope).select_related("run__episode__series", "run__episode__source", "character", "face")
    found = []
    for row in rows[: most + len(skipped)]:
        ask = Ask(
            episode=row.run.episode,
            subject=row.character,
            start_ms=row.start_ms,
            end_ms=row.end_ms,
            emotion=row.emotion,
            gain=row.gain,
            **_shown(row.face, row.run.episode),
        )
        if ask.key not in skipped:
            found.append(ask)
    return found[:most]


def _second(person_id: int, scope: Scope, most: int, skipped: Collection[Key]) -> list[Ask]:
    """In an order that is each person's own and says nothing of the face: a fair sample of what others said."""
    others = FaceWord.objects.filter(face=OuterRef("pk"), withdrawn_at__isnull=True)
    mine = others.filter(made_by_id=person_id)
    rows = _asked(scope).filter(Exists(others), ~Exists(mine))
    turn = MD5(Concat(Cast("pk", TextField()), Value(f"-{person_id}"), output_field=TextField()))
    return [ask for row in rows.order_by(turn)[: most + len(skipped)] if (ask := ask_of(row)).key not in skipped][:most]


def disputes(scope: Scope, most: int) -> list[Ask]:
    """Faces that people differ about and nobody settled, those that were said something of last first."""
    return [ask_of(row, with_words=True) for row in _disputed(scope).order_by("-pk")[:most]]


def disputes_count(scope: Scope | None = None) -> int:
    return _disputed(scope or Scope()).count()


def _disputed(scope: Scope) -> QuerySet[AskedFace]:
    """As ``analysis.words.disputed`` has it."""
    settled = FaceWord.objects.filter(face=OuterRef("pk"), withdrawn_at__isnull=True, settles=True)
    other = FaceWord.objects.filter(face=OuterRef("pk"), withdrawn_at__isnull=True)
    one = FaceWord.objects.filter(face=OuterRef("face"), withdrawn_at__isnull=True, pk__lt=OuterRef("pk"))
    one = one.filter(
        ~Q(says=OuterRef("says"))
        | ~Q(emotion=OuterRef("emotion"))
        | Q(character__isnull=False) & ~Q(character=OuterRef("character"))
    )
    return _asked(scope).filter(Exists(other.filter(Exists(one))), ~Exists(settled))


def _asked(scope: Scope) -> QuerySet[AskedFace]:
    """Of the file that the episode has now."""
    rows = AskedFace.objects.filter(source_sha256=F("episode__source__sha256"))
    if scope.episode is not None:
        rows = rows.filter(episode_id=scope.episode)
    if scope.character:
        rows = rows.filter(subject__slug=scope.character)
    return rows.select_related("episode__series", "episode__source", "subject", "face")


def ask_again(key: Key) -> Ask | None:
    """A face that was answered before."""
    episode, slug, start, end = key
    row = _asked(Scope(episode, slug)).filter(start_ms=start, end_ms=end).first()
    return None if row is None else ask_of(row)


def asked_get(pk: int) -> AskedFace | None:
    return _asked(Scope()).filter(pk=pk).first()


def ask_of(row: AskedFace, *, with_words: bool = False) -> Ask:
    words: tuple[FaceWord, ...] = ()
    counts = None
    if with_words:
        rows = row.words.filter(withdrawn_at__isnull=True).select_related("character", "made_by", "face__subject")
        words = tuple(rows.order_by("pk"))
        winner = counting([word_of(w) for w in words])
        counts = None if winner is None else winner.number
    return Ask(
        episode=row.episode,
        subject=row.subject,
        start_ms=row.start_ms,
        end_ms=row.end_ms,
        asked_id=row.pk,
        words=words,
        counts=counts,
        **_shown(row.face, row.episode),
    )


def _shown(face: FaceDetection | None, episode: Episode) -> dict[str, Any]:
    if face is None or episode.source is None:
        return {"face_id": None, "run_id": None}
    width, height = episode.source.width, episode.source.height
    return {
        "face_id": face.pk,
        "run_id": face.run_id,
        "box": (face.box_x1 / width, face.box_y1 / height, face.box_x2 / width, face.box_y2 / height),
        "close_up": default_storage.exists(close_up_name(face.run_id, face.pk)),
        "picture": default_storage.exists(moment_name(face.run_id, face.pk)),
    }


def words_latest(*, person_id: int | None = None, episode: int | None = None, most: int = 10) -> list[FaceWord]:
    """What was said last and still counts as said, by anybody or one person."""
    rows = FaceWord.objects.filter(withdrawn_at__isnull=True)
    if person_id is not None:
        rows = rows.filter(made_by_id=person_id)
    if episode is not None:
        rows = rows.filter(face__episode_id=episode)
    return list(
        rows.select_related("face__subject", "face__episode__series", "character", "made_by").order_by("-pk")[:most]
    )


def episodes_behind() -> int:
    """How many episodes show ratings that lack something that people said."""
    return LayerChange.objects.values("episode_id").distinct().count()


def words_by_face(face_ids: Iterable[int] | None = None) -> dict[int, list[FaceWord]]:
    """Of faces that at least two people spoke of; those of one face in the order of saying."""
    rows = FaceWord.objects.filter(withdrawn_at__isnull=True).select_related("character", "face__subject", "made_by")
    if face_ids is not None:
        rows = rows.filter(face_id__in=list(face_ids))
    found: dict[int, list[FaceWord]] = defaultdict(list)
    for row in rows.order_by("face_id", "pk"):
        found[row.face_id].append(row)
    return {face: words for face, words in found.items() if len(words) > 1}


def is_disputed(words: Sequence[FaceWord]) -> bool:
    return disputed([word_of(w) for w in words])


@dataclass(frozen=True, slots=True)
class AskedState:
    """What the page shows around a question."""

    latest: tuple[FaceWord, ...]
    disputes: int
    behind: int


def asked_state(scope: Scope) -> AskedState:
    return AskedState(
        latest=tuple(words_latest(episode=scope.episode, most=8)),
        disputes=disputes_count(Scope(episode=scope.episode)),
        behind=episodes_behind(),
    )
