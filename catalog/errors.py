"""What can go wrong when somebody brings something into the catalogue: a stable code and one sentence for people.

``docs/errors.md`` has a row for every code.
"""

from __future__ import annotations


class CatalogError(Exception):
    """``str(error)`` is the sentence; it names the file where there is one."""

    code: str = "catalog_error"


class MediaRejected(CatalogError):
    """The file is no video that can be taken. The code says what is wrong with it (``not_a_video``, ...)."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code

    @property
    def reason(self) -> str:
        return str(self)


class IdentityConflict(CatalogError):
    """Series and number belong to an episode with other content."""

    code = "identity_conflict"


class SeriesUnknown(CatalogError):
    """Neither the name nor the folder says to which series a file belongs."""

    code = "series_unknown"


class CharacterInvalid(CatalogError):
    """A character cannot be called that, or cannot have that colour."""

    code = "character_invalid"


class NameUnusable(CatalogError):
    """Title or number cannot be kept: empty, too long, out of range."""

    code = "name_unusable"


class DiskFull(CatalogError):
    """No room where videos are kept. Nothing was changed."""

    code = "disk_full"


class StorageFailed(CatalogError):
    """The folder for videos cannot be written. Nothing was changed."""

    code = "storage_failed"


class ListInvalid(CatalogError):
    """A list of episodes, or a line of it, cannot be read."""

    code = "list_invalid"


class FolderUnreadable(CatalogError):
    """A folder that may not be, or cannot be, listed."""

    code = "folder_unreadable"


class NothingToImport(CatalogError):
    """What was named holds no video at all."""

    code = "nothing_to_import"


class SourceInUse(CatalogError):
    """A file that an episode shows cannot be deleted."""

    code = "source_in_use"
