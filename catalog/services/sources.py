"""Files that no episode shows any more."""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from catalog.access.services.audit import audit_record
from catalog.errors import SourceInUse
from catalog.models import Episode, SourceFile
from catalog.services.storage import media_root


@transaction.atomic
def source_delete(*, source: SourceFile, actor: AbstractBaseUser | None = None) -> None:
    """Deletes the row and, once that is certain, the file. Raises SourceInUse."""
    locked = SourceFile.objects.select_for_update().get(pk=source.pk)
    if Episode.objects.filter(source=locked).exists():
        raise SourceInUse(f"The file {locked} is shown by an episode, so it stays.")
    path = media_root() / locked.stored_name
    before = {"sha256": locked.sha256, "original_name": locked.original_name, "size_bytes": locked.size_bytes}
    audit_record(action="source.delete", subject=locked, actor=actor, before=before)
    locked.delete()
    transaction.on_commit(lambda: path.unlink(missing_ok=True))
