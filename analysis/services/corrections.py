"""What people say of faces: added, withdrawn, never changed. What the episode shows follows in the same transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models.functions import Now

from analysis.errors import (
    CorrectionInvalid,
    CorrectionOverlaps,
    CorrectionWithdrawn,
    EpisodeWithoutSource,
    NotAnalysed,
    RunBusy,
)
from analysis.layer import Says, Seen, clash, tell
from analysis.models import AnalysisRun, Correction, FaceDetection, WebhookEvent
from analysis.selectors.layer import box_of, corrections_current, named_slugs, read_as, statement_of
from analysis.selectors.runs import run_published
from analysis.services.audit import audit_record
from analysis.services.deliveries import webhooks_tell
from analysis.services.finalise import run_finalise
from catalog.models import Character, Episode, SourceFile
from ml.types import EMOTIONS, UNCLEAR, Box

MOST_SHOWN_MS = 600_000
LABELS = (*map(str, EMOTIONS), UNCLEAR)


@dataclass(frozen=True, slots=True)
class CorrectionRequest:
    """As a person gives it: characters by their slugs. ``emotion`` empty: as read. ``box``: parts of the picture."""

    start_ms: int
    end_ms: int
    subject: str | None = None
    box: Box | None = None
    says: str = str(Says.CHARACTER)
    character: str | None = None
    emotion: str = ""


@transaction.atomic
def correction_add(*, episode: Episode, actor: AbstractBaseUser, asked: CorrectionRequest) -> Correction:
    """Raises EpisodeWithoutSource, NotAnalysed, CorrectionInvalid, CorrectionOverlaps, RunBusy."""
    episode = episode_lock(episode)
    run = run_shown(episode)
    row = correction_row(episode, run, actor, asked)
    row.save(force_insert=True)
    audit_record(action="correction.add", subject=row, actor=actor, after=correction_data(row))
    webhooks_tell(WebhookEvent.CORRECTION_ADDED, {"correction": row.pk, "episode": row.episode_id})
    shown_rederive(run)
    return row


def correction_row(
    episode: Episode,
    run: AnalysisRun,
    actor: AbstractBaseUser,
    asked: CorrectionRequest,
    *,
    beside: frozenset[int] = frozenset(),
) -> Correction:
    """Not saved: it can count, and changes something of the run. ``beside``: ids of corrections that it would replace.
    Raises CorrectionInvalid, CorrectionOverlaps.
    """
    assert episode.source is not None
    row = _row(episode, episode.source, actor, asked)
    statement = statement_of(row)
    for other in corrections_current(episode.pk, row.source_sha256, (row.start_ms, row.end_ms)):
        if other.pk not in beside and clash(statement, statement_of(other)):
            raise CorrectionOverlaps(
                f"Correction {other.pk} speaks of the same face from {other.start_ms} to {other.end_ms} ms; "
                "withdraw it first, or name a stretch beside it."
            )
    if not tell(_seen(run, row.start_ms, row.end_ms), [statement], (episode.source.width, episode.source.height)):
        raise CorrectionInvalid(
            f"Run {run.pk} found no such face from {row.start_ms} to {row.end_ms} ms, so nothing would change."
        )
    return row


@transaction.atomic
def correction_withdraw(*, correction: Correction, actor: AbstractBaseUser) -> Correction:
    """It no longer counts, and stays in the history. Raises CorrectionWithdrawn, RunBusy."""
    episode_lock(correction.episode)
    row = Correction.objects.select_related("episode", "subject", "character").get(pk=correction.pk)
    if row.withdrawn_at is not None:
        raise CorrectionWithdrawn(f"Correction {row.pk} was withdrawn already.")
    withdrawn(row, actor)
    run = run_published(row.episode)
    if run is not None:
        shown_rederive(run)
    row.refresh_from_db()
    return row


def withdrawn(row: Correction, actor: AbstractBaseUser) -> None:
    """Inside the caller's transaction, who sees to it that results follow."""
    Correction.objects.filter(pk=row.pk).update(withdrawn_at=Now(), withdrawn_by=actor)
    audit_record(action="correction.withdraw", subject=row, actor=actor, before=correction_data(row))
    webhooks_tell(WebhookEvent.CORRECTION_WITHDRAWN, {"correction": row.pk, "episode": row.episode_id})


def correction_data(row: Correction) -> dict[str, Any]:
    """As the audit keeps it."""
    box = box_of(row)
    return {
        "episode": row.episode_id,
        "start_ms": row.start_ms,
        "end_ms": row.end_ms,
        "subject": None if row.subject is None else row.subject.slug,
        "box": None if box is None else list(box),
        "says": row.says,
        "character": None if row.character is None else row.character.slug,
        "emotion": row.emotion,
    }


def episode_lock(episode: Episode) -> Episode:
    """Episodes are locked first, as every service does."""
    Episode.objects.select_for_update(no_key=True).get(pk=episode.pk)
    return Episode.objects.select_related("source").get(pk=episode.pk)


def run_shown(episode: Episode) -> AnalysisRun:
    """The run that the episode shows, if it is of the file that the episode has. Raises EpisodeWithoutSource,
    NotAnalysed.
    """
    if episode.source is None:
        raise EpisodeWithoutSource(f"{episode} has no video file.")
    run = run_published(episode)
    if run is None:
        raise NotAnalysed(f"{episode} shows no analysis yet.")
    if run.source_sha256 != episode.source.sha256:
        raise NotAnalysed(f"{episode} shows an analysis of another file than the one it has now.")
    return run


def shown_rederive(run: AnalysisRun) -> None:
    """Inside the caller's transaction. Raises RunBusy where somebody else is at the run."""
    if run_finalise(run.pk, again=True) is None:
        raise RunBusy(f"Something else is at run {run.pk} at this moment; try again in a minute.")


def _row(episode: Episode, source: SourceFile, actor: AbstractBaseUser, asked: CorrectionRequest) -> Correction:
    start, end = asked.start_ms, asked.end_ms
    if not 0 <= start < end <= source.duration_ms:
        raise CorrectionInvalid(f"{start} to {end} ms is no stretch of an episode of {source.duration_ms} ms.")
    if asked.says not in list(map(str, Says)):
        raise CorrectionInvalid(f"A face is one of {', '.join(Says)}, not {asked.says}.")
    if asked.emotion not in ("", *LABELS):
        raise CorrectionInvalid(f"An emotion is one of {', '.join(LABELS)}, or empty; not {asked.emotion}.")
    _check_who(asked)
    x1, y1, x2, y2 = asked.box or (None, None, None, None)
    return Correction(
        episode=episode,
        source_sha256=source.sha256,
        start_ms=start,
        end_ms=end,
        subject=_character(asked.subject),
        box_x1=x1,
        box_y1=y1,
        box_x2=x2,
        box_y2=y2,
        says=asked.says,
        character=_character(asked.character),
        emotion=asked.emotion,
        made_by_id=actor.pk,
    )


def _check_who(asked: CorrectionRequest) -> None:
    if asked.subject is None and asked.box is None:
        raise CorrectionInvalid("Say whose face it is read as (subject), or where it is (box).")
    if asked.box is not None:
        x1, y1, x2, y2 = asked.box
        if not (0.0 <= x1 < x2 <= 1.0 and 0.0 <= y1 < y2 <= 1.0):
            raise CorrectionInvalid("A box is x1, y1, x2, y2 in parts of the picture, from 0 to 1, x1 < x2, y1 < y2.")
    if (asked.says == Says.CHARACTER) != (asked.character is not None):
        raise CorrectionInvalid("Name a character if, and only if, it is the face of one (says: character).")
    if asked.says == Says.NO_FACE and asked.emotion:
        raise CorrectionInvalid("What is no face shows no emotion.")
    if asked.says == Says.CHARACTER and asked.subject == asked.character and not asked.emotion:
        raise CorrectionInvalid("It says what is read already: name another character, or an emotion.")


def _character(slug: str | None) -> Character | None:
    if slug is None:
        return None
    found = Character.objects.filter(slug=slug).first()
    if found is None:
        raise CorrectionInvalid(f"No character has the slug {slug}.")
    return found


def _seen(run: AnalysisRun, start_ms: int, end_ms: int) -> list[Seen]:
    """No drawing is shown for longer than a segment may be, so one that reaches into the stretch begins soon before."""
    named = named_slugs(run)
    rows = FaceDetection.objects.filter(run=run, pts_ms__lt=end_ms, pts_ms__gte=start_ms - MOST_SHOWN_MS)
    fields = ("character__slug", "track__character__slug", "pts_ms", "shown_ms", "box_x1", "box_y1", "box_x2", "box_y2")
    return [
        Seen(pts, shown, read_as(slug, track, named), (a, b, c, d))
        for slug, track, pts, shown, a, b, c, d in rows.values_list(*fields)
    ]
