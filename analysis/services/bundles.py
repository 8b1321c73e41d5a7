"""Which model bundles are known. A worker reads the folders and tells; the web process needs neither torch nor them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings
from django.db import transaction

from analysis.errors import BundleUnknown
from analysis.models import ModelBundle
from analysis.services.audit import audit_record
from catalog.models import Character
from catalog.services.characters import character_data
from ml.types import BundleRef, Emotion


@transaction.atomic
def bundle_register(
    *, ref: BundleRef, characters: Mapping[str, str], emotions: Iterable[Emotion], card: Mapping[str, Any]
) -> ModelBundle:
    """Makes a bundle and its characters known; the same bundle again changes nothing.

    ``characters``: slug to name. ``card``: the bundle's own description, as in its ``bundle.json``.
    """
    bundle, created = ModelBundle.objects.get_or_create(
        digest=ref.digest,
        defaults={
            "name": ref.name,
            "version": ref.version,
            "characters": list(characters),
            "emotions": [str(e) for e in emotions],
            "card": dict(card),
        },
    )
    if created:
        audit_record(action="bundle.register", subject=bundle, after={"name": str(bundle), "digest": bundle.digest})
    for slug, name in characters.items():
        character, made = Character.objects.get_or_create(slug=slug, defaults={"name": name})
        if made:
            audit_record(action="character.create", subject=character, after=character_data(character))
    return bundle


def bundle_find(name: str | None = None) -> ModelBundle:
    """The bundle called ``name-version`` or ``name``, the newest where several are; the setting's where none is named.

    Raises BundleUnknown, which says what to do.
    """
    asked = name or settings.TOONEMO_BUNDLE
    known = list(ModelBundle.objects.order_by("-created_at", "-id"))
    for bundle in known:
        if asked in (str(bundle), bundle.name, bundle.digest):
            return bundle
    if not known:
        raise BundleUnknown("No worker has made a model bundle known yet: start a worker, then ask again.")
    names = ", ".join(sorted({str(b) for b in known}))
    raise BundleUnknown(f"The model bundle {asked!r} is not known; these are: {names}.")
