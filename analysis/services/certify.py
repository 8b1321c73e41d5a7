"""Random samples of shots for people to check. What the episode shows follows once somebody has answered all of one."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from itertools import pairwise

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models.functions import Now

from analysis.errors import AnswerInvalid, CertificationOpen, CertificationUnknown, SampleImpossible
from analysis.models import AnalysisRun, Certification, CertificationAnswer, Shot
from analysis.samples import LABELS, draw
from analysis.selectors.layer import finished_by
from analysis.selectors.runs import run_published
from analysis.services.audit import audit_record
from analysis.services.corrections import episode_lock, run_shown, shown_rederive
from catalog.models import Character, Episode
from ml.types import ShotKind

LEAST_SHOTS, MOST_SHOTS, USUAL_SHOTS = 5, 200, 20


@transaction.atomic
def certification_start(
    *, episode: Episode, actor: AbstractBaseUser, character: str, shots: int = USUAL_SHOTS, seed: int | None = None
) -> Certification:
    """Draws the sample, which nobody can choose and nothing changes any more. ``seed``: by lot where it is None.

    Raises EpisodeWithoutSource, NotAnalysed, CertificationOpen, SampleImpossible.
    """
    episode = episode_lock(episode)
    run = run_shown(episode)
    assert episode.source is not None
    who = Character.objects.filter(slug=character).first()
    if who is None:
        raise SampleImpossible(f"No character has the slug {character}.")
    if Certification.objects.filter(episode=episode, character=who, withdrawn_at__isnull=True).exists():
        raise CertificationOpen(f"There is a sample of {who.name} already; answer it, or withdraw it.")
    frame = _frame(run, who)
    if len(frame) < LEAST_SHOTS:
        raise SampleImpossible(f"{who.name} is seen in {len(frame)} story shots, and a sample takes {LEAST_SHOTS}.")
    most = min(MOST_SHOTS, len(frame))
    if not LEAST_SHOTS <= shots <= most:
        raise SampleImpossible(f"Of {len(frame)} shots, {LEAST_SHOTS} to {most} can be drawn, not {shots}.")
    seed = secrets.randbits(48) if seed is None else seed
    row = Certification.objects.create(
        episode=episode,
        source_sha256=episode.source.sha256,
        character=who,
        seed=seed,
        frame=frame,
        picked=draw(len(frame), shots, seed),
        made_by_id=actor.pk,
    )
    after = {"episode": episode.pk, "character": who.slug, "seed": seed, "of": len(frame), "picked": row.picked}
    audit_record(action="certification.start", subject=row, actor=actor, after=after)
    return row


@transaction.atomic
def certification_answer(
    *, certification: Certification, actor: AbstractBaseUser, place: int, pieces: Sequence[tuple[int, int, str]]
) -> CertificationAnswer:
    """``place``: of a shot of the sample. ``pieces``: [start_ms, end_ms, label] that fill the shot. Answering again
    replaces this person's answer. Raises CertificationUnknown, AnswerInvalid, RunBusy.
    """
    episode_lock(certification.episode)
    row = _current(certification)
    _check_file(row)
    _check(row, place, pieces)
    mine = CertificationAnswer.objects.filter(certification=row, made_by_id=actor.pk, withdrawn_at__isnull=True)
    before = mine.filter(place=place).first()
    mine.filter(place=place).update(withdrawn_at=Now())
    answer = CertificationAnswer.objects.create(
        certification=row, place=place, pieces=[list(piece) for piece in pieces], made_by_id=actor.pk
    )
    audit_record(
        action="certification.answer",
        subject=row,
        actor=actor,
        before=None if before is None else {"place": place, "pieces": before.pieces},
        after={"place": place, "pieces": answer.pieces},
    )
    if actor.pk in dict(finished_by(row)):
        _derive_again(row.episode)
    return answer


@transaction.atomic
def certification_withdraw(*, certification: Certification, actor: AbstractBaseUser) -> Certification:
    """Its answers no longer count; another sample can be drawn. Raises CertificationUnknown, RunBusy."""
    episode_lock(certification.episode)
    row = _current(certification)
    finished = bool(finished_by(row))
    Certification.objects.filter(pk=row.pk).update(withdrawn_at=Now(), withdrawn_by=actor)
    audit_record(action="certification.withdraw", subject=row, actor=actor, before={"character": row.character.slug})
    if finished:
        _derive_again(row.episode)
    row.refresh_from_db()
    return row


def _frame(run: AnalysisRun, character: Character) -> list[list[int]]:
    shots = Shot.objects.filter(run=run, kind=str(ShotKind.STORY), tracks__character=character).distinct()
    return [[start, end] for start, end in shots.order_by("index").values_list("start_ms", "end_ms")]


def _current(certification: Certification) -> Certification:
    row = Certification.objects.select_related("episode__source", "character").get(pk=certification.pk)
    if row.withdrawn_at is not None:
        raise CertificationUnknown(f"Sample {row.pk} was withdrawn.")
    return row


def _check_file(row: Certification) -> None:
    source = row.episode.source
    if source is None or source.sha256 != row.source_sha256:
        raise CertificationUnknown(f"Sample {row.pk} is of another file than the episode has now; withdraw it.")


def _check(row: Certification, place: int, pieces: Sequence[tuple[int, int, str]]) -> None:
    if place not in row.picked:
        raise AnswerInvalid(f"Shot {place} is not in the sample; nobody picks which shots are.")
    start, end = row.frame[place]
    edges = [piece[0] for piece in pieces] + [piece[1] for piece in pieces[-1:]]
    joined = all(before[1] == after[0] for before, after in pairwise(pieces))
    rising = all(a < b for a, b in pairwise(edges))
    if not pieces or not joined or not rising or (edges[0], edges[-1]) != (start, end):
        raise AnswerInvalid(f"The pieces have to fill the shot from {start} to {end} ms, one after the other.")
    for _, _, label in pieces:
        if label not in LABELS:
            raise AnswerInvalid(f"A label is one of {', '.join(LABELS)}, not {label}.")


def _derive_again(episode: Episode) -> None:
    run = run_published(episode)
    if run is not None:
        shown_rederive(run)
