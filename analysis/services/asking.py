"""What people say of faces that they are asked about one by one: quick to take, worked into results a moment later.

An answer writes a few rows and derives nothing, so that the next question comes at once. ``LayerChange`` says that
results are behind; a worker derives them anew, and the sweep says it again where the message was lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.db.models import Min
from django.db.models.functions import Now

from analysis.errors import CorrectionInvalid, CorrectionOverlaps, NothingSaid, NothingToUndo
from analysis.layer import Says
from analysis.models import AnalysisRun, AskedFace, Correction, FaceQuestion, FaceWord, LayerChange, WebhookEvent
from analysis.selectors.asking import said_of, words_of
from analysis.selectors.runs import run_published
from analysis.services.audit import audit_record
from analysis.services.corrections import CorrectionRequest, correction_data, correction_row, run_shown, withdrawn
from analysis.services.deliveries import webhooks_tell
from analysis.services.finalise import run_finalise
from analysis.services.messages import layer_send
from analysis.words import Word, counting
from catalog.models import Character, Episode

DERIVE_AFTER_S = 4  # answers come one after the other; a derivation takes in all of them


@transaction.atomic
def face_answer(
    *, episode: Episode, actor: AbstractBaseUser, asked: CorrectionRequest, settles: bool = False
) -> FaceWord:
    """Answering the same face again replaces this person's answer.

    Raises EpisodeWithoutSource, NotAnalysed, CorrectionInvalid, CorrectionOverlaps.
    """
    asked = _as_answer(asked)
    run = run_shown(episode)
    row = _row_beside(episode, run, actor, asked)
    subject = Character.objects.get(slug=asked.subject)
    shown = FaceQuestion.objects.filter(
        run=run, character=subject, start_ms=asked.start_ms, end_ms=asked.end_ms
    ).values_list("face_id", flat=True)
    face, _ = AskedFace.objects.get_or_create(
        episode=episode,
        source_sha256=row.source_sha256,
        subject=subject,
        start_ms=asked.start_ms,
        end_ms=asked.end_ms,
        defaults={"face_id": shown.first()},
    )
    return _say(face, actor, row, settles=settles)


@transaction.atomic
def face_settle(
    *, face: AskedFace, actor: AbstractBaseUser, says: str, character: str | None, emotion: str
) -> FaceWord:
    """Ends a disagreement: this counts, whatever the others said. Raises NothingSaid, and what ``face_answer`` does."""
    if not face.words.filter(withdrawn_at__isnull=True).exists():
        raise NothingSaid(f"Nobody says anything of face {face.pk} any more.")
    asked = CorrectionRequest(
        face.start_ms, face.end_ms, subject=face.subject.slug, says=says, character=character, emotion=emotion
    )
    episode = Episode.objects.select_related("source").get(pk=face.episode_id)
    return face_answer(episode=episode, actor=actor, asked=asked, settles=True)


@transaction.atomic
def face_undo(*, actor: AbstractBaseUser, episode: Episode | None = None) -> FaceWord:
    """Withdraws what this person said last and has not withdrawn; again, what was said before. Raises NothingToUndo."""
    mine = FaceWord.objects.filter(made_by_id=actor.pk, withdrawn_at__isnull=True)
    if episode is not None:
        mine = mine.filter(face__episode=episode)
    last = mine.order_by("-pk").values_list("pk", "face_id").first()
    if last is None:
        raise NothingToUndo("There is nothing that you said and could take back.")
    face = AskedFace.objects.select_for_update(no_key=True).get(pk=last[1])
    word = FaceWord.objects.select_related("face__subject", "face__episode", "character").get(pk=last[0])
    if word.withdrawn_at is not None:
        raise NothingToUndo("It was taken back already.")
    FaceWord.objects.filter(pk=word.pk).update(withdrawn_at=Now(), withdrawn_by=actor)
    audit_record(action="face.withdraw", subject=word, actor=actor, before=word_data(word))
    _count(face, actor)
    return word


def word_data(word: FaceWord) -> dict[str, Any]:
    """As the audit keeps it."""
    return {
        "face": word.face_id,
        "says": word.says,
        "character": None if word.character is None else word.character.slug,
        "emotion": word.emotion,
        "settles": word.settles,
    }


def _as_answer(asked: CorrectionRequest) -> CorrectionRequest:
    """One that says nothing but whom it is read as says nothing. Raises CorrectionInvalid."""
    if asked.subject is None:
        raise CorrectionInvalid("Say whose face it is read as (subject).")
    if asked.says == Says.CHARACTER and asked.character is None:
        asked = replace(asked, character=asked.subject)
    return replace(asked, box=None)


def _row_beside(episode: Episode, run: AnalysisRun, actor: AbstractBaseUser, asked: CorrectionRequest) -> Correction:
    """The correction that the answer would be, beside what others said of this very face."""
    mine = AskedFace.objects.filter(
        episode=episode, subject__slug=asked.subject, start_ms=asked.start_ms, end_ms=asked.end_ms
    ).values_list("correction_id", flat=True)
    return correction_row(episode, run, actor, asked, beside=frozenset(pk for pk in mine if pk is not None))


def _say(face: AskedFace, actor: AbstractBaseUser, row: Correction, *, settles: bool) -> FaceWord:
    face = AskedFace.objects.select_for_update(no_key=True).get(pk=face.pk)
    mine = FaceWord.objects.filter(face=face, made_by_id=actor.pk, withdrawn_at__isnull=True)
    before = mine.select_related("character").first()
    mine.update(withdrawn_at=Now(), withdrawn_by=actor)
    word = FaceWord.objects.create(
        face=face,
        says=row.says,
        character=row.character,
        emotion=row.emotion,
        settles=settles,
        made_by_id=actor.pk,
    )
    audit_record(
        action="face.settle" if settles else "face.answer",
        subject=word,
        actor=actor,
        before=None if before is None else word_data(before),
        after=word_data(word),
    )
    _count(face, actor, {word.pk: row})
    return word


def _count(face: AskedFace, actor: AbstractBaseUser, checked: Mapping[int, Correction] | None = None) -> None:
    """Makes the correction that counts follow what people say now. ``checked``: by word, one that can be saved."""
    words = words_of(face)
    wanted = counting(words)
    counts = None if face.correction is None or face.correction.withdrawn_at is not None else face.correction
    if (
        counts is not None
        and wanted is not None
        and (said_of(counts), counts.made_by_id) == (wanted.said, wanted.person)
    ):
        return
    if counts is not None:
        withdrawn(counts, actor)
    AskedFace.objects.filter(pk=face.pk).update(correction=None)
    if wanted is not None:
        _correct(face, wanted, (checked or {}).get(wanted.number) or _row_of(face, wanted))
    layer_changed(face.episode_id)


def layer_changed(episode_id: int) -> None:
    """Results are behind. Messages are few: one while the last has not been worked off."""
    LayerChange.objects.create(episode_id=episode_id)
    if cache.add(f"layer-{episode_id}", 1, DERIVE_AFTER_S):
        layer_send(episode_id, countdown=DERIVE_AFTER_S)


def _row_of(face: AskedFace, wanted: Word) -> Correction | None:
    """What somebody said earlier, as a correction; None where it was said of another file, whose times are others."""
    episode = Episode.objects.select_related("source").get(pk=face.episode_id)
    if episode.source is None or episode.source.sha256 != face.source_sha256:
        return None
    word = FaceWord.objects.select_related("made_by").get(pk=wanted.number)
    asked = CorrectionRequest(
        face.start_ms, face.end_ms, face.subject.slug, None, word.says, wanted.said.character, word.emotion
    )
    return correction_row(episode, run_shown(episode), word.made_by, asked)


def _correct(face: AskedFace, wanted: Word, row: Correction | None) -> None:
    if row is None:
        return
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:  # somebody said it a moment ago, elsewhere
        raise CorrectionOverlaps("Another correction speaks of the same face at the same time; look again.") from None
    audit_record(action="correction.add", subject=row, actor=row.made_by, after=correction_data(row))
    webhooks_tell(WebhookEvent.CORRECTION_ADDED, {"correction": row.pk, "episode": row.episode_id})
    AskedFace.objects.filter(pk=face.pk).update(correction=row)


@transaction.atomic
def layer_catch_up(episode_id: int) -> bool:
    """Derives what the episode shows from what people said since. False: nothing was to do, or somebody is at it."""
    changes = list(LayerChange.objects.filter(episode_id=episode_id).values_list("pk", flat=True))
    episode = Episode.objects.filter(pk=episode_id).first()
    if not changes or episode is None:
        return False
    run = run_published(episode)
    if run is not None and run_finalise(run.pk, again=True) is None:
        return False
    LayerChange.objects.filter(pk__in=changes).delete()
    return True


def layers_behind(seconds: float = 0.0) -> list[int]:
    """Episodes whose results are behind, for so long at least, the longest first."""
    behind = LayerChange.objects.values("episode_id").annotate(since=Min("at"))
    late = behind.filter(since__lt=Now() - timedelta(seconds=seconds)) if seconds else behind
    return list(late.order_by("since").values_list("episode_id", flat=True))
