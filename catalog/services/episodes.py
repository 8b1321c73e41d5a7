"""Changing what the catalogue says of an episode. Its identity follows from its numbers, so it is never typed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from catalog.access.services.audit import audit_record
from catalog.errors import IdentityConflict, NameUnusable
from catalog.models import Episode
from catalog.naming import plain_text, shown
from catalog.parsing import ParsedName


def name_of(episode: Episode) -> ParsedName:
    """What the episode's fields say, as a file's name would."""
    title = plain_text(episode.title).removesuffix(f", part {episode.part}")
    return ParsedName(
        season=episode.season,
        number=episode.number,
        number_end=episode.number_end,
        part=episode.part,
        year=episode.year,
        title=title,
    )


def episode_identify(episode: Episode) -> Episode:
    """Sets ordering and identity from the other fields; a season alone counts for nothing. Saves nothing.

    An episode that exists keeps the identity it was imported under as long as what identifies it stays the same.
    Raises NameUnusable, IdentityConflict.
    """
    name = name_of(episode)
    if name.number is None and not name.title:
        raise NameUnusable("An episode needs a number or a title.")
    if name.number_end is not None and (name.number is None or name.number_end <= name.number):
        raise NameUnusable("The last number must come after the first.")
    before = Episode.objects.filter(pk=episode.pk).first() if episode.pk else None
    if before is None or _key(name_of(before)) != _key(name) or before.series_id != episode.series_id:
        episode.ordering, episode.identity = name.ordering, name.identity
    same = Episode.objects.filter(series=episode.series, ordering=episode.ordering, identity=episode.identity)
    if same.exclude(pk=episode.pk).exists():
        raise IdentityConflict(f"{shown(episode.series.title)} has {episode.identity} already.")
    return episode


def _key(name: ParsedName) -> ParsedName:
    """What decides the identity."""
    return replace(name, title="", year=None) if name.number is not None else name


@transaction.atomic
def episode_save(episode: Episode, *, actor: AbstractBaseUser | None = None) -> Episode:
    """Writes a new or changed episode. Raises NameUnusable, IdentityConflict."""
    known = Episode.objects.filter(pk=episode.pk).first() if episode.pk else None
    before = None if known is None else episode_data(known)
    episode.title, episode.synopsis = plain_text(episode.title), episode.synopsis.strip()
    episode_identify(episode)
    episode.title = episode.title or name_of(episode).shown_title
    episode.save()
    after = episode_data(episode)
    if before != after:
        action = "episode.create" if before is None else "episode.change"
        audit_record(action=action, subject=episode, actor=actor, before=before, after=after)
    return episode


def episode_data(episode: Episode) -> dict[str, Any]:
    """What people say of an episode, as the audit keeps it."""
    names = ("series_id", "identity", "season", "number", "number_end", "part", "title", "year", "synopsis")
    return {name.removesuffix("_id"): getattr(episode, name) for name in names}
