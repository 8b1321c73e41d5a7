"""What is on its way into the catalogue: uploads, plans of imports, and the files of a watched folder.

Content decides what is in an upload, never what it was called. Work that takes long is done by whoever holds the
row's lease; a lease that has run out may be taken by another.
"""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

DIGEST = RegexValidator(r"^[0-9a-f]{64}$", "A SHA-256 digest has 64 hexadecimal digits.")
DIGEST_OR_NONE = r"^([0-9a-f]{64})?$"


class Leased(models.Model):
    """``lease``: a token that only whoever works on the row knows; ``attempts``: how often that was begun."""

    lease = models.UUIDField(null=True, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    attempts = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True


class UploadStatus(models.TextChoices):
    OPEN = "open", _("being sent")
    RECEIVED = "received", _("being checked")
    READY = "ready", _("ready to add")
    REFUSED = "refused", _("refused")


class Upload(Leased):
    """A file that somebody sends in pieces. ``offset``: bytes that are on the disk for certain. ``sha256``: what the
    sender says the whole has, if anything. ``facts``: what the probe saw, once it is ready; empty for a note (NFO)."""

    token = models.CharField(max_length=64, unique=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="uploads")
    name = models.CharField(max_length=300)
    size = models.PositiveBigIntegerField()
    offset = models.PositiveBigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    status = models.CharField(max_length=10, choices=UploadStatus.choices, default=UploadStatus.OPEN)
    facts = models.JSONField(null=True, blank=True)
    error_code = models.CharField(max_length=60, blank=True)
    error_detail = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(size__gt=0), name="upload_not_empty"),
            models.CheckConstraint(condition=Q(offset__lte=F("size")), name="upload_offset_within"),
            models.CheckConstraint(condition=Q(sha256__regex=DIGEST_OR_NONE), name="upload_sha256_is_digest"),
            models.CheckConstraint(
                condition=Q(status="open") | Q(status="refused") | Q(offset=F("size")), name="upload_whole_when_ready"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name!r}, {self.offset} of {self.size} bytes"


class PlanKind(models.TextChoices):
    UPLOADS = "uploads", _("sent files")
    FOLDER = "folder", _("a folder")
    LIST = "list", _("a list")


class PlanStatus(models.TextChoices):
    LOOKING = "looking", _("being looked at")
    READY = "ready", _("waiting for your word")
    CONFIRMED = "confirmed", _("being added")
    DONE = "done", _("done")
    FAILED = "failed", _("failed")


class ImportPlan(Leased):
    """What an import would do, looked at before anything is written. ``digest`` is of all that was shown; who confirms
    names it, and what has changed since is told, not done. ``inputs``: tokens, folder, series, text of a list."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="import_plans")
    kind = models.CharField(max_length=10, choices=PlanKind.choices)
    title = models.TextField(help_text="What was named, for people to read.")
    inputs = models.JSONField()
    status = models.CharField(max_length=10, choices=PlanStatus.choices, default=PlanStatus.LOOKING)
    digest = models.CharField(max_length=64, blank=True)
    notes = models.JSONField(default=list)
    total = models.PositiveIntegerField(default=0)
    analyse = models.BooleanField(default=False)
    bundle = models.CharField(max_length=140, blank=True)
    error_code = models.CharField(max_length=60, blank=True)
    error_detail = models.TextField(blank=True)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    confirmed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(digest__regex=DIGEST_OR_NONE), name="plan_digest_is_digest"),
            models.CheckConstraint(
                condition=~Q(status__in=["ready", "confirmed", "done"]) | ~Q(digest=""), name="plan_ready_has_digest"
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["confirmed", "done"]) | Q(confirmed_at__isnull=False),
                name="plan_done_was_confirmed",
            ),
        ]

    def __str__(self) -> str:
        return f"plan {self.pk}: {self.title}"

    @property
    def is_working(self) -> bool:
        return self.status in (PlanStatus.LOOKING, PlanStatus.CONFIRMED)


class Finding(models.TextChoices):
    """What one file of a plan is to the catalogue."""

    NEW = "new", _("new")
    FILLS = "fills", _("known, without a video so far")
    SAME_TITLE = "same_title", _("new, but the title is known")
    KNOWN = "known", _("already there")
    RESTORES = "restores", _("already there, its file is gone")
    TWICE = "twice", _("the same file twice")
    COLLIDES = "collides", _("the number is taken")
    REFUSED = "refused", _("cannot be added")


class Choice(models.TextChoices):
    ADD = "add", _("add it")
    SKIP = "skip", _("leave it out")
    REPLACE = "replace", _("let it take the place of the other file")
    PART = "part", _("add it as a further part")


class ImportItem(models.Model):
    """One file of a plan. ``path``: its bytes on this machine, empty for an upload; ``shown``: as people read it.
    ``name``: series, numbers and title that were understood. ``against``: the episode that it meets, ``against_source``
    which file that had then."""

    plan = models.ForeignKey(ImportPlan, on_delete=models.CASCADE, related_name="items")
    position = models.PositiveIntegerField()
    upload = models.ForeignKey(Upload, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    path = models.BinaryField(default=b"", blank=True)
    shown = models.TextField()
    line = models.PositiveIntegerField(null=True, blank=True)
    size = models.PositiveBigIntegerField(default=0)
    mtime_ns = models.BigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    facts = models.JSONField(null=True, blank=True)
    name = models.JSONField(default=dict)
    synopsis = models.TextField(blank=True)
    series_synopsis = models.TextField(blank=True)
    warnings = models.JSONField(default=list)
    error_code = models.CharField(max_length=60, blank=True)
    error_detail = models.TextField(blank=True)
    finding = models.CharField(max_length=12, choices=Finding.choices, blank=True)
    finding_code = models.CharField(max_length=60, blank=True)
    finding_detail = models.TextField(blank=True)
    against = models.ForeignKey("catalog.Episode", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    against_source = models.BigIntegerField(null=True, blank=True)
    part = models.PositiveSmallIntegerField(null=True, blank=True)
    choice = models.CharField(max_length=10, choices=Choice.choices, blank=True)
    outcome = models.CharField(max_length=12, blank=True, help_text="imported, already, restored, replaced, left_out, "
                               "changed or refused")  # fmt: skip
    outcome_code = models.CharField(max_length=60, blank=True)
    outcome_detail = models.TextField(blank=True)
    episode = models.ForeignKey("catalog.Episode", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering: ClassVar = ["plan_id", "position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["plan", "position"], name="import_item_position_unique"),
            models.CheckConstraint(condition=Q(sha256__regex=DIGEST_OR_NONE), name="import_item_sha256_is_digest"),
        ]

    def __str__(self) -> str:
        return f"{self.shown} of plan {self.plan_id}"


class WatchedStatus(models.TextChoices):
    GROWING = "growing", _("may still grow")
    IMPORTING = "importing", _("being added")
    DONE = "done", _("added")
    ALREADY = "already", _("was there already")
    REFUSED = "refused", _("refused")
    GAVE_UP = "gave_up", _("given up")


class WatchedFile(Leased):
    """A file in the watched folder, and what became of it. ``key``: SHA-256 of its path's bytes below the folder.
    ``since``: since when size and time of change have been the same."""

    key = models.CharField(max_length=64, unique=True, validators=[DIGEST])
    shown = models.TextField()
    size = models.PositiveBigIntegerField()
    mtime_ns = models.BigIntegerField()
    since = models.DateTimeField()
    status = models.CharField(max_length=10, choices=WatchedStatus.choices, default=WatchedStatus.GROWING)
    error_code = models.CharField(max_length=60, blank=True)
    error_detail = models.TextField(blank=True)
    warnings = models.JSONField(default=list)
    retry_at = models.DateTimeField(null=True, blank=True)
    episode = models.ForeignKey("catalog.Episode", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    seen_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return f"{self.shown}: {self.status}"
