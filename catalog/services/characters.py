"""Characters and the names that people call them by."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from catalog.models import Character, Series
from catalog.naming import plain_text


@transaction.atomic
def character_get_or_create(
    *,
    slug: str,
    name: str = "",
    aliases: Iterable[str] = (),
    series: Series | None = None,
    colour: str = "",
) -> Character:
    """The character of that slug. What it has not been given yet is filled in; what a person has set stays."""
    character, _ = Character.objects.select_for_update().get_or_create(
        slug=slug, defaults={"name": plain_text(name) or slug.replace("-", " ").title()}
    )
    unset = Character._meta.get_field("colour").default
    if colour and character.colour == unset:
        character.colour = colour
    if series is not None and character.series_id is None:
        character.series = series
    character.aliases = with_aliases(character, aliases)
    character.full_clean()
    character.save()
    return character


def with_aliases(character: Character, more: Iterable[str]) -> list[str]:
    """Its aliases and ``more``, in order, none twice and none equal to its name."""
    known = {character.name.casefold()}
    result = []
    for alias in (*character.aliases, *(plain_text(a) for a in more)):
        if alias and alias.casefold() not in known:
            known.add(alias.casefold())
            result.append(alias)
    return result
