"""Characters and the names that people call them by."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import Q
from django.utils.text import slugify

from catalog.access.services.audit import audit_record
from catalog.colour import is_colour
from catalog.errors import CharacterInvalid
from catalog.models import Character, Series
from catalog.naming import plain_text

MOST_NAME, MOST_ALIASES = 200, 30


@dataclass(frozen=True, slots=True)
class CharacterChanges:
    """What is not given stays. ``series``: a slug, or empty for none."""

    name: str | None = None
    aliases: Sequence[str] | None = None
    series: str | None = None
    colour: str | None = None


@transaction.atomic
def character_create(*, changes: CharacterChanges) -> Character:
    """``name`` has to be given; the slug is made of it. Raises CharacterInvalid."""
    name = _name(changes.name or "")
    character = Character(slug=_slug(name), name=name)
    return _changed(character, changes)


@transaction.atomic
def character_change(*, character: Character, changes: CharacterChanges) -> Character:
    """Its slug stays, whatever it is called: addresses, bundles and what people said hold on to that.

    Raises CharacterInvalid.
    """
    return _changed(Character.objects.select_for_update(no_key=True).get(pk=character.pk), changes)


def _changed(character: Character, changes: CharacterChanges) -> Character:
    if changes.name is not None:
        character.name = _name(changes.name)
    if changes.series is not None:
        character.series = _series(changes.series)
    if changes.aliases is not None:
        character.aliases = []
        character.aliases = with_aliases(character, changes.aliases)
    if changes.colour is not None:
        character.colour = changes.colour.strip().lower()
    _check(character)
    character.full_clean()
    character.save()
    return character


def _name(text: str) -> str:
    name = plain_text(text)
    if not name or len(name) > MOST_NAME:
        raise CharacterInvalid(f"A character has a name of 1 to {MOST_NAME} letters.")
    return name


def _slug(name: str) -> str:
    """One that no other character has."""
    wanted = slugify(name, allow_unicode=True)[:110] or "character"
    taken = set(Character.objects.filter(slug__startswith=wanted).values_list("slug", flat=True))
    number = next(n for n in range(1, len(taken) + 3) if (wanted if n == 1 else f"{wanted}-{n}") not in taken)
    return wanted if number == 1 else f"{wanted}-{number}"


def _series(slug: str) -> Series | None:
    found = Series.objects.filter(slug=slug).first() if slug else None
    if slug and found is None:
        raise CharacterInvalid(f"There is no series {slug[:80]!r}.")
    return found


def _check(character: Character) -> None:
    """Names that would be taken for somebody else of the same series are refused."""
    if not is_colour(character.colour):
        raise CharacterInvalid(f"A colour is written like #8a8f98, not {character.colour[:20]!r}.")
    if len(character.aliases) > MOST_ALIASES:
        raise CharacterInvalid(f"A character has at most {MOST_ALIASES} other names.")
    if any(len(alias) > MOST_NAME for alias in character.aliases):
        raise CharacterInvalid(f"Another name has at most {MOST_NAME} letters.")
    names = {name.casefold() for name in (character.name, *character.aliases)}
    near = Character.objects.filter(Q(series=character.series) if character.series else Q(series__isnull=True))
    for other in near.exclude(pk=character.pk):
        same = names & {name.casefold() for name in (other.name, *other.aliases)}
        if same:
            raise CharacterInvalid(f"{other.name} of the same series is called {min(same)!r} already.")


@transaction.atomic
def character_get_or_create(
    *,
    slug: str,
    name: str = "",
    aliases: Iterable[str] = (),
    series: Series | None = None,
    colour: str = "",
    actor: AbstractBaseUser | None = None,
) -> Character:
    """The character of that slug. What it has not been given yet is filled in; what a person has set stays."""
    character, created = Character.objects.select_for_update().get_or_create(
        slug=slug, defaults={"name": plain_text(name) or slug.replace("-", " ").title()}
    )
    before = None if created else character_data(character)
    unset = Character._meta.get_field("colour").default
    if colour and character.colour == unset:
        character.colour = colour
    if series is not None and character.series_id is None:
        character.series = series
    character.aliases = with_aliases(character, aliases)
    character.full_clean()
    character.save()
    after = character_data(character)
    if before != after:
        action = "character.create" if created else "character.change"
        audit_record(action=action, subject=character, actor=actor, before=before, after=after)
    return character


def character_data(character: Character) -> dict[str, Any]:
    """As the audit keeps it."""
    return {
        "slug": character.slug,
        "name": character.name,
        "aliases": list(character.aliases),
        "series": character.series_id,
        "colour": character.colour,
    }


def with_aliases(character: Character, more: Iterable[str]) -> list[str]:
    """Its aliases and ``more``, in order, none twice and none equal to its name."""
    known = {character.name.casefold()}
    result = []
    for alias in (*character.aliases, *(plain_text(a) for a in more)):
        if alias and alias.casefold() not in known:
            known.add(alias.casefold())
            result.append(alias)
    return result
