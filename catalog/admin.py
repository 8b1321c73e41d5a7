"""The administration of the catalogue. Files come in through imports, so their rows are shown and never typed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Count, Model, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.html import format_html

from catalog.access.admin_base import AuditedAdmin, QuickAdmin, person_of, register_rest
from catalog.access.services.audit import audit_record
from catalog.errors import CatalogError, SourceInUse
from catalog.models import Character, Episode, Series, SourceFile
from catalog.naming import plain_text, shown
from catalog.selectors import episodes_titled
from catalog.services.episodes import episode_data, episode_identify, episode_save
from catalog.services.sources import source_delete
from catalog.services.storage import gigabytes

if TYPE_CHECKING:
    EpisodeFormBase = forms.ModelForm[Episode]
else:  # Django's own classes take no parameters when they run
    EpisodeFormBase = forms.ModelForm


def is_used(row: Model) -> bool:
    """Whether anything refers to ``row``. Such a row stays: with it would go what was found out at some cost."""
    for relation in row._meta.related_objects:
        name = relation.field.name
        if relation.related_model._base_manager.filter(**{name: row.pk}).exists():
            return True
    return False


class KeepUsed:
    """Allows one row to be deleted only where nothing refers to it, and no deletion of many at once."""

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        allowed: bool = super().has_delete_permission(request, obj)  # type: ignore[misc]
        return allowed and obj is not None and not is_used(obj)


def clock(ms: int | None) -> str:
    if ms is None:
        return "-"
    minutes, seconds = divmod(round(ms / 1000), 60)
    return f"{minutes}:{seconds:02d}"


@admin.register(Series)
class SeriesAdmin(KeepUsed, AuditedAdmin):
    list_display = ["title", "year", "episode_count", "created_at"]
    search_fields = ["title", "slug"]
    prepopulated_fields = {"slug": ["title"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Series]:
        """Episodes are counted for the rows of the page alone."""
        own = Episode.objects.filter(series=OuterRef("pk")).order_by().values("series")
        count = Subquery(own.annotate(n=Count("pk")).values("n"))
        found: QuerySet[Series] = super().get_queryset(request).annotate(episodes_in_all=Coalesce(count, 0))
        return found

    @admin.display(description="episodes")
    def episode_count(self, series: Series) -> int:
        return int(series.__dict__["episodes_in_all"])

    def get_readonly_fields(self, request: HttpRequest, obj: Series | None = None) -> list[str]:
        return ["slug"] if obj else []

    def get_prepopulated_fields(self, request: HttpRequest, obj: Series | None = None) -> dict[str, Any]:
        return {} if obj else {"slug": ["title"]}


TYPED = ["series", "season", "number", "number_end", "part", "title", "year", "synopsis"]


class EpisodeForm(EpisodeFormBase):
    class Meta:
        model = Episode
        fields = TYPED
        help_texts = {
            "season": "0: specials. Empty: the number is an absolute one, or there is none.",
            "title": "Where there is no number, the title tells the episode from others.",
        }

    def clean_title(self) -> str:
        return plain_text(self.cleaned_data["title"])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        probe = Episode(pk=self.instance.pk, **{name: cleaned.get(name) for name in TYPED})
        try:
            episode_identify(probe)
        except CatalogError as error:
            raise forms.ValidationError(str(error), code=error.code) from error
        return cleaned


@admin.register(Episode)
class EpisodeAdmin(KeepUsed, QuickAdmin):
    form = EpisodeForm
    list_display = ["title", "series", "identity", "year", "length", "has_source", "updated_at"]
    list_select_related = ["series", "source"]
    found_by = (
        "id",
        "source__sha256",
    )
    search_help_text = "Part of a title, number of an episode, or SHA-256 of its file"
    autocomplete_fields = ["series"]
    readonly_fields = ["ordering", "identity", "file", "created_at", "updated_at"]
    fields = [*TYPED, *readonly_fields]

    @admin.display(description="length", ordering="source__duration_ms")
    def length(self, episode: Episode) -> str:
        return clock(episode.duration_ms)

    @admin.display(description="file", boolean=True)
    def has_source(self, episode: Episode) -> bool:
        return episode.source_id is not None

    @admin.display(description="file")
    def file(self, episode: Episode) -> str:
        if episode.source is None:
            return "none"
        source = episode.source
        return format_html("{}, {} x {}, {}", shown(source.original_name), source.width, source.height, source.codec)

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Episode], search_term: str) -> Any:
        """Parts of titles by their index, which is made of three letters at a time."""
        words = search_term.strip()
        if len(words) < 3 or words.isdecimal() or len(words) == 64:
            return super().get_search_results(request, queryset, search_term)
        return queryset.filter(pk__in=episodes_titled(words).values("pk")), False

    def save_model(self, request: HttpRequest, obj: Episode, form: Any, change: bool) -> None:
        episode_save(obj, actor=person_of(request))

    def delete_model(self, request: HttpRequest, obj: Episode) -> None:
        with transaction.atomic():
            audit_record(action="episode.delete", subject=obj, actor=person_of(request), before=episode_data(obj))
            super().delete_model(request, obj)


@admin.register(Character)
class CharacterAdmin(KeepUsed, AuditedAdmin):
    list_display = ["name", "slug", "swatch", "series", "also_called"]
    list_select_related = ["series"]
    list_filter = ["series"]
    search_fields = ["name", "slug", "aliases"]
    autocomplete_fields = ["series"]

    def get_readonly_fields(self, request: HttpRequest, obj: Character | None = None) -> list[str]:
        return ["slug"] if obj else []  # bundles refer to it

    @admin.display(description="colour", ordering="colour")
    def swatch(self, character: Character) -> str:
        box = '<span style="display:inline-block;width:1em;height:1em;background:{}"></span> {}'
        return format_html(box, character.colour, character.colour)

    @admin.display(description="also called")
    def also_called(self, character: Character) -> str:
        return ", ".join(character.aliases)


@admin.register(SourceFile)
class SourceFileAdmin(QuickAdmin):
    """Shown as they are. Only one that no episode shows any more can be deleted."""

    list_display = ["name", "episode_shown", "container", "codec", "picture", "length", "size", "created_at"]
    list_select_related = ["episode__series"]
    found_by = (
        "sha256",
        "id",
    )
    search_help_text = "SHA-256 or number of a file"

    @admin.display(description="came as", ordering="original_name")
    def name(self, source: SourceFile) -> str:
        return shown(source.original_name)

    @admin.display(description="episode")
    def episode_shown(self, source: SourceFile) -> str:
        return str(getattr(source, "episode", None) or "-")

    @admin.display(description="picture", ordering="height")
    def picture(self, source: SourceFile) -> str:
        return f"{source.width} x {source.height}"

    @admin.display(description="length", ordering="duration_ms")
    def length(self, source: SourceFile) -> str:
        return clock(source.duration_ms)

    @admin.display(description="size", ordering="size_bytes")
    def size(self, source: SourceFile) -> str:
        return gigabytes(source.size_bytes)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: SourceFile | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: SourceFile | None = None) -> bool:
        allowed = super().has_delete_permission(request, obj)
        return allowed and obj is not None and not is_used(obj)

    def delete_model(self, request: HttpRequest, obj: SourceFile) -> None:
        try:
            source_delete(source=obj, actor=person_of(request))
        except SourceInUse as error:  # an import was faster than the click
            messages.error(request, str(error))


register_rest("catalog")
