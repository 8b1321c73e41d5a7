"""Files that no episode shows any more."""

from __future__ import annotations

from django.db import transaction

from catalog.errors import SourceInUse
from catalog.models import Episode, SourceFile
from catalog.services.storage import media_root


@transaction.atomic
def source_delete(*, source: SourceFile) -> None:
    """Deletes the row and, once that is certain, the file. Raises SourceInUse."""
    locked = SourceFile.objects.select_for_update().get(pk=source.pk)
    if Episode.objects.filter(source=locked).exists():
        raise SourceInUse(f"The file {locked} is shown by an episode, so it stays.")
    path = media_root() / locked.stored_name
    locked.delete()
    transaction.on_commit(lambda: path.unlink(missing_ok=True))
