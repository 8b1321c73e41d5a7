"""Drawings that show a character which no bundle knows, and naming the faces that look like them.

A naming is laid over runs as they are derived, below what people say of single faces; withdrawing it brings back what
was there. Runs in which it names nobody are not derived again: only the digest of what they were derived from moves.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import Max
from django.db.models.functions import Now
from pgvector import HalfVector

from analysis.errors import ExampleInvalid, NamingImpossible
from analysis.finding.alike import signature_of
from analysis.finding.naming import MOST_EXAMPLES
from analysis.finding.nearest import embeddings_of
from analysis.models import AnalysisRun, CharacterExample, FaceVector, Find, FindStatus, LayerChange, Naming, Track
from analysis.selectors.finds import comparable
from analysis.selectors.layer import naming_digest
from analysis.selectors.naming import (
    Proposal,
    bundles_of,
    examples_current,
    naming_current,
    naming_proposal,
    runs_of,
)
from analysis.services.asking import layer_changed
from analysis.services.audit import audit_record
from analysis.services.finds import find_request
from catalog.models import Character

AT_ONCE = 50  # episodes that a message is sent for; the sweep sends the others'


@transaction.atomic
def example_add_picture(*, character: Character, actor: AbstractBaseUser, picture: bytes) -> CharacterExample:
    """A worker reads it. Raises FindRefused, FindBusy, FindImpossible, ExampleInvalid."""
    _room_for_one(character)
    bundle = comparable().bundle
    find = find_request(picture=picture, bundle=bundle)
    row = CharacterExample.objects.create(character=character, bundle=bundle, find=find, made_by_id=actor.pk)
    return _added(row, actor)


@transaction.atomic
def example_add_face(*, character: Character, actor: AbstractBaseUser, face_id: int) -> CharacterExample:
    """A face that can be found. Raises ExampleInvalid."""
    _room_for_one(character)
    found = FaceVector.objects.select_related("run__bundle").filter(pk=face_id).first()
    if found is None:
        raise ExampleInvalid(f"There is no face {face_id} in what episodes show.")
    if examples_current(character).filter(face_id=face_id).exists():
        raise ExampleInvalid(f"That face is a drawing of {character.name} already.")
    row = CharacterExample.objects.create(
        character=character,
        bundle=found.run.bundle,
        face_id=face_id,
        embedding=HalfVector(list(embeddings_of([face_id])[face_id])),
        made_by_id=actor.pk,
    )
    return _added(row, actor)


@transaction.atomic
def example_withdraw(*, example: CharacterExample, actor: AbstractBaseUser) -> CharacterExample:
    """It is an example no more; a naming that was made with it stays. Raises ExampleInvalid."""
    row = CharacterExample.objects.select_for_update(of=("self",)).select_related("character").get(pk=example.pk)
    if row.withdrawn_at is not None:
        raise ExampleInvalid(f"Drawing {row.pk} was taken away already.")
    CharacterExample.objects.filter(pk=row.pk).update(withdrawn_at=Now(), withdrawn_by=actor)
    audit_record(action="example.withdraw", subject=row, actor=actor, before={"character": row.character.slug})
    row.refresh_from_db()
    return row


def examples_read(find_id: int) -> int:
    """Takes what a worker read of pictures that wait to become examples, or why there is nothing."""
    find = Find.objects.filter(pk=find_id).exclude(status=FindStatus.WAITING).first()
    waiting = CharacterExample.objects.filter(find_id=find_id, embedding__isnull=True, error="")
    if find is None:
        return 0
    if find.status == FindStatus.FAILED or not find.faces:
        return waiting.update(error=find.error_detail or "There is no face in the picture.")
    return waiting.update(embedding=HalfVector(find.faces[0]["embedding"]), crop=find.crop)


@transaction.atomic
def naming_confirm(*, character: Character, actor: AbstractBaseUser) -> tuple[Naming, Proposal]:
    """Names what ``naming_proposal`` shows, in every run of the classifier, from now on; in place of an earlier naming.

    Raises NamingImpossible.
    """
    Character.objects.select_for_update(no_key=True).get(pk=character.pk)
    proposal = naming_proposal(character)
    if not proposal.named:
        raise NamingImpossible(f"No face of nobody known looks enough like the drawings of {character.name}.")
    before = naming_current(character)
    signature = signature_of(proposal.bundle.card, proposal.bundle.digest)
    old = naming_digest(signature)
    if before is not None:
        Naming.objects.filter(pk=before.pk).update(withdrawn_at=Now(), withdrawn_by=actor)
    last = Naming.objects.filter(character=character).aggregate(last=Max("version"))["last"] or 0
    found = proposal.examples
    row = Naming.objects.create(
        character=character,
        version=last + 1,
        bundle=proposal.bundle,
        signature=signature,
        examples=list(proposal.example_ids),
        rows=found.rows,
        rivals=found.rivals,
        threshold=found.threshold,
        margin=found.margin,
        made_by_id=actor.pk,
    )
    audit_record(
        action="naming.confirm",
        subject=row,
        actor=actor,
        before=None if before is None else naming_data(before),
        after={**naming_data(row), "tracks": len(proposal.named), "episodes": proposal.episodes},
    )
    _follow(character, signature, old, {track.run_id for track in proposal.named})
    return row, proposal


@transaction.atomic
def naming_withdraw(*, character: Character, actor: AbstractBaseUser) -> Naming:
    """Whoever it named is nobody known again, but for what people said. Raises NamingImpossible."""
    Character.objects.select_for_update(no_key=True).get(pk=character.pk)
    row = naming_current(character)
    if row is None:
        raise NamingImpossible(f"Nothing is named after the drawings of {character.name}.")
    old = naming_digest(row.signature)
    Naming.objects.filter(pk=row.pk).update(withdrawn_at=Now(), withdrawn_by=actor)
    audit_record(action="naming.withdraw", subject=row, actor=actor, before=naming_data(row))
    _follow(character, row.signature, old, ())
    row.refresh_from_db()
    return row


def naming_data(row: Naming) -> dict[str, Any]:
    """As the audit keeps it."""
    return {
        "character": row.character.slug,
        "version": row.version,
        "examples": row.examples,
        "threshold": row.threshold,
    }


def _follow(character: Character, signature: str, old: str, named: Iterable[int]) -> None:
    """Results of the runs that episodes show follow: those in which somebody is named, or was, or people said
    something, are derived anew; in all others nothing changes but the digest.
    """
    shown = runs_of(signature)
    was = Track.objects.filter(run_id__in=shown, character=character).values_list("run_id", flat=True).distinct()
    touched = {*named, *was}
    others = AnalysisRun.objects.filter(bundle_id__in=bundles_of(signature), pk__in=shown).exclude(pk__in=touched)
    others.filter(layer=old).update(layer=naming_digest(signature))
    spoken = others.exclude(layer=naming_digest(signature)).values_list("pk", flat=True)
    runs = AnalysisRun.objects.filter(pk__in=[*touched, *spoken])
    episodes = sorted(set(runs.values_list("episode_id", flat=True)))
    LayerChange.objects.bulk_create([LayerChange(episode_id=pk) for pk in episodes[AT_ONCE:]])
    for pk in episodes[:AT_ONCE]:
        layer_changed(pk)


def _room_for_one(character: Character) -> None:
    if examples_current(character).count() >= MOST_EXAMPLES:
        raise ExampleInvalid(f"{character.name} has {MOST_EXAMPLES} drawings already; take one away first.")


def _added(row: CharacterExample, actor: AbstractBaseUser) -> CharacterExample:
    after = {"character": row.character.slug, "face": row.face_id}
    audit_record(action="example.add", subject=row, actor=actor, after=after)
    return row
