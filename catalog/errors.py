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


class UploadInvalid(CatalogError):
    """What was asked of an upload cannot be read: a header is missing or is no number, a name, a digest."""

    code = "upload_invalid"


class UploadUnknown(CatalogError):
    """There is no such upload, or it is somebody else's."""

    code = "upload_unknown"


class UploadExpired(CatalogError):
    """Nobody went on with the upload for so long that it was given up."""

    code = "upload_expired"


class UploadOffset(CatalogError):
    """A piece does not begin where the one before ended."""

    code = "upload_offset"


class UploadOverflow(CatalogError):
    """A piece reaches beyond the size that was said."""

    code = "upload_overflow"


class UploadBusy(CatalogError):
    """Somebody else sends a piece of the same upload at this moment."""

    code = "upload_busy"


class UploadChecksum(CatalogError):
    """A piece arrived otherwise than it was sent; nothing of it was kept."""

    code = "upload_checksum"


class UploadsTooMany(CatalogError):
    """One person has as many uploads as are allowed."""

    code = "uploads_too_many"


class UploadNotReady(CatalogError):
    """An upload that is still being sent, or was not checked yet, or was refused."""

    code = "upload_not_ready"


class FolderForbidden(CatalogError):
    """A folder or file that does not lie below one that may be imported from."""

    code = "folder_forbidden"


class PlanUnknown(CatalogError):
    """There is no such preview of an import, or it has expired."""

    code = "import_unknown"


class PlanNotReady(CatalogError):
    """The preview is still being made, or was confirmed already."""

    code = "import_not_ready"


class PlanChanged(CatalogError):
    """What was shown is no longer so; ``changes`` says what, as sentences."""

    code = "import_changed"

    def __init__(self, reason: str, changes: list[str] | None = None) -> None:
        super().__init__(reason)
        self.changes = changes or []


class ChoiceInvalid(CatalogError):
    """A choice that a file of a preview does not have."""

    code = "import_choice_invalid"


class TooMuchAtOnce(CatalogError):
    """More files than one preview takes."""

    code = "import_too_large"
