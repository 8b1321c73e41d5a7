"""What editors change of characters, with a line in the audit. The rules are the catalogue's."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from analysis.services.audit import audit_record
from catalog.models import Character
from catalog.services import characters as catalogue
from catalog.services.characters import CharacterChanges


@transaction.atomic
def character_create(*, actor: AbstractBaseUser, changes: CharacterChanges) -> Character:
    """Raises CharacterInvalid."""
    character = catalogue.character_create(changes=changes)
    audit_record(action="character.create", subject=character, actor=actor, after=character_data(character))
    return character


@transaction.atomic
def character_change(*, character: Character, actor: AbstractBaseUser, changes: CharacterChanges) -> Character:
    """Raises CharacterInvalid."""
    before = character_data(Character.objects.select_related("series").get(pk=character.pk))
    found = catalogue.character_change(character=character, changes=changes)
    after = character_data(found)
    if after != before:
        audit_record(action="character.change", subject=found, actor=actor, before=before, after=after)
    return found


def character_data(character: Character) -> dict[str, Any]:
    """As the audit keeps it."""
    return {
        "slug": character.slug,
        "name": character.name,
        "aliases": list(character.aliases),
        "series": None if character.series is None else character.series.slug,
        "colour": character.colour,
    }
