"""Series, episodes, characters and the files they came from.

Two rules hold the catalogue together and the database keeps both: an episode is identified by its series and its
number (``Episode.identity``), and a file by its content (``SourceFile.sha256``), so a second import of either finds
what is there.
"""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Func, Q

SHA256 = RegexValidator(r"^[0-9a-f]{64}$", "A SHA-256 digest has 64 hexadecimal digits.")
WORDS_CONFIG = "english"  # how full text is taken apart
COLOUR = RegexValidator(r"^#[0-9a-f]{6}$", "A colour is written like #8a8f98.")


class Series(models.Model):
    title = models.CharField(max_length=300)
    slug = models.SlugField(max_length=120, unique=True, allow_unicode=True)
    year = models.PositiveSmallIntegerField(null=True, blank=True)
    synopsis = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["title", "id"]
        verbose_name_plural = "series"

    def __str__(self) -> str:
        return self.title


class SourceFile(models.Model):
    """A video as it came in. ``stored_name`` is relative to MEDIA_ROOT and made of digits and hex only;
    ``original_name`` is what the file was called, for people to read, never used as a path."""

    sha256 = models.CharField(max_length=64, unique=True, validators=[SHA256])
    size_bytes = models.PositiveBigIntegerField()
    stored_name = models.CharField(max_length=200, unique=True)
    original_name = models.TextField()
    container = models.CharField(max_length=40)
    codec = models.CharField(max_length=40)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    duration_ms = models.PositiveIntegerField()
    frames = models.PositiveIntegerField(null=True, blank=True, help_text="Frames that decode; empty until analysed.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(duration_ms__gt=0), name="source_duration_positive"),
            models.CheckConstraint(condition=Q(width__gt=0, height__gt=0), name="source_picture_not_empty"),
            models.CheckConstraint(condition=Q(sha256__regex=r"^[0-9a-f]{64}$"), name="source_sha256_is_digest"),
        ]

    def __str__(self) -> str:
        return f"{self.sha256[:12]} ({self.original_name!r})"


class Ordering(models.TextChoices):
    """By which count an episode's number goes."""

    AIRED = "aired", "Season and episode"
    ABSOLUTE = "absolute", "Absolute number"
    TITLE = "title", "By title (no number)"


def episode_words() -> SearchVector:
    """What full text search reads of an episode; the index is on the same expression."""
    return SearchVector("title", "synopsis", config=WORDS_CONFIG)


class Grams(Func):
    """Every three neighbouring letters of a text, in capitals: what an index finds parts of words by."""

    function = "catalog_grams"
    output_field = ArrayField(models.TextField())


class Episode(models.Model):
    """``identity`` is the canonical spelling of the number within the ordering: ``S01E05``, ``S01E05-E06``,
    ``S01E05.P2`` (part two), ``E005``, or ``the-missing-cheese`` where there is only a title (``catalog.parsing``)."""

    series = models.ForeignKey(Series, on_delete=models.PROTECT, related_name="episodes")
    ordering = models.CharField(max_length=10, choices=Ordering.choices)
    identity = models.CharField(max_length=200)
    season = models.PositiveSmallIntegerField(null=True, blank=True, help_text="0: specials.")
    number = models.PositiveIntegerField(null=True, blank=True)
    number_end = models.PositiveIntegerField(null=True, blank=True, help_text="Last number of a multi-episode file.")
    part = models.PositiveSmallIntegerField(null=True, blank=True)
    title = models.CharField(max_length=300)
    year = models.PositiveSmallIntegerField(null=True, blank=True)
    synopsis = models.TextField(blank=True)
    source = models.OneToOneField(SourceFile, on_delete=models.PROTECT, null=True, blank=True, related_name="episode")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering: ClassVar = ["series_id", "season", "number", "part", "title", "id"]
        indexes: ClassVar = [
            GinIndex(episode_words(), name="episode_words_idx"),
            GinIndex(Grams("title"), name="episode_grams_idx"),
            models.Index(fields=["title", "id"], name="episode_title_idx"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["series", "ordering", "identity"], name="episode_identity_unique"),
            models.CheckConstraint(
                condition=Q(number_end__isnull=True) | Q(number_end__gt=models.F("number")),
                name="episode_number_end_after_number",
            ),
            models.CheckConstraint(
                condition=Q(ordering="aired", season__isnull=False, number__isnull=False)
                | Q(ordering="absolute", number__isnull=False)
                | Q(ordering="title", number__isnull=True),
                name="episode_numbered_as_ordered",
            ),
            models.CheckConstraint(condition=~Q(identity="") & ~Q(title=""), name="episode_has_identity_and_title"),
        ]

    def __str__(self) -> str:
        return f"{self.series.title} {self.identity}: {self.title}"

    @property
    def duration_ms(self) -> int | None:
        """Length of the source in milliseconds; None without one."""
        return self.source.duration_ms if self.source else None


class Character(models.Model):
    """Somebody with a face. A bundle's character label is matched to ``slug``."""

    slug = models.SlugField(max_length=120, unique=True, allow_unicode=True)
    name = models.CharField(max_length=200)
    aliases = ArrayField(models.CharField(max_length=200), default=list, blank=True)
    series = models.ForeignKey(Series, on_delete=models.SET_NULL, null=True, blank=True, related_name="characters")
    colour = models.CharField(max_length=7, default="#6b7280", validators=[COLOUR])

    class Meta:
        ordering: ClassVar = ["name", "id"]

    def __str__(self) -> str:
        return self.name


# What is on its way in has a module of its own; Django looks for models here.
from catalog.incoming_models import (  # noqa: E402
    Choice,
    Finding,
    ImportItem,
    ImportPlan,
    PlanKind,
    PlanStatus,
    Upload,
    UploadStatus,
    WatchedFile,
    WatchedStatus,
)

__all__ = [
    "COLOUR",
    "SHA256",
    "WORDS_CONFIG",
    "Character",
    "Choice",
    "Episode",
    "Finding",
    "Grams",
    "ImportItem",
    "ImportPlan",
    "Ordering",
    "PlanKind",
    "PlanStatus",
    "Series",
    "SourceFile",
    "Upload",
    "UploadStatus",
    "WatchedFile",
    "WatchedStatus",
    "episode_words",
]
