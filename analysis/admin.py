"""The administration of runs and what they found. Rows that a worker wrote are shown, never edited by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

from analysis.errors import AnalysisError
from analysis.models import (
    AnalysisRun,
    Audit,
    Certification,
    Correction,
    EmotionProfile,
    FaceDetection,
    FaceWord,
    ModelBundle,
    Naming,
    Publication,
    Queue,
    RunEvent,
    Scene,
    Segment,
    Worker,
)
from analysis.services.publishing import run_publish
from analysis.services.runs import run_cancel, run_retry

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
    _Inline = admin.TabularInline[Segment, AnalysisRun]
    _Paginator = Paginator[Any]
else:  # Django's own classes take no parameters when they run
    _ModelAdmin, _Inline, _Paginator = admin.ModelAdmin, admin.TabularInline, Paginator

UNCOUNTED = 100_000  # rows that a list pages through without asking how many there are


class UncountedPaginator(_Paginator):
    """For tables too long to count: pages go on until one is empty."""

    @cached_property
    def count(self) -> int:
        return UNCOUNTED


class ReadOnlyAdmin(_ModelAdmin):
    """To look at. What is wrong is mended by a new run or a correction, and both leave a trace."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class SegmentInline(_Inline):
    model = Segment
    extra = 0
    can_delete = False
    fields = [
        "index",
        "start_ms",
        "end_ms",
        "status",
        "done_ms",
        "faces",
        "attempts",
        "error_code",
        "error_detail",
    ]
    readonly_fields = ("index", "start_ms", "end_ms", "status", "done_ms", "attempts", "error_code", "error_detail")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(AnalysisRun)
class AnalysisRunAdmin(ReadOnlyAdmin):
    list_display = [
        "id",
        "episode",
        "bundle",
        "status",
        "partial",
        "faces",
        "created_at",
        "finished_at",
        "error_code",
    ]
    list_filter = ["status", "partial", "bundle"]
    list_select_related = ["episode__series", "bundle"]
    search_fields = ["episode__title", "episode__series__title", "=id"]
    date_hierarchy = "created_at"
    inlines = [SegmentInline]
    actions = ["cancel", "retry", "publish"]

    @admin.action(description="Cancel the chosen runs", permissions=["act"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[AnalysisRun]) -> None:
        _each(request, queryset, lambda run, user: run_cancel(run=run, actor=user), "Stopping {} run(s).")

    @admin.action(description="Retry what failed or was cancelled", permissions=["act"])
    def retry(self, request: HttpRequest, queryset: QuerySet[AnalysisRun]) -> None:
        _each(request, queryset, lambda run, user: run_retry(run=run, actor=user), "{} run(s) go on.")

    @admin.action(description="Publish: the episode shows this run", permissions=["act"])
    def publish(self, request: HttpRequest, queryset: QuerySet[AnalysisRun]) -> None:
        _each(request, queryset, lambda run, user: run_publish(run=run, actor=user), "{} run(s) published.")

    def has_act_permission(self, request: HttpRequest) -> bool:
        """The rows cannot be edited, and still whoever could change a run may ask the services to."""
        return request.user.has_perm("analysis.change_analysisrun")


def _each(
    request: HttpRequest, runs: QuerySet[AnalysisRun], act: Callable[[AnalysisRun, User], object], done: str
) -> None:
    """Does it to every chosen run; one that cannot says why and stops none of the others."""
    assert isinstance(request.user, User)
    count = 0
    for run in runs.order_by("pk"):
        try:
            act(run, request.user)
            count += 1
        except AnalysisError as error:
            messages.error(request, str(error))
    if count:
        messages.success(request, done.format(count))


@admin.register(RunEvent)
class RunEventAdmin(ReadOnlyAdmin):
    """What happened to runs and queues."""

    list_display = ["at", "run_id", "kind", "part", "worker", "actor", "code"]
    list_filter = ["kind"]
    list_select_related = ["actor"]
    search_fields = ["=run__id", "=code"]
    search_help_text = "Number of a run, or a code"
    paginator = UncountedPaginator
    ordering = ["-id"]
    raw_id_fields = ["run", "actor"]


@admin.register(Worker)
class WorkerAdmin(ReadOnlyAdmin):
    list_display = ["name", "queues", "processes", "started_at", "seen_at", "ended_at"]


@admin.register(Queue)
class QueueAdmin(ReadOnlyAdmin):
    """Paused and let go on from the page of runs."""

    list_display = ["name", "paused_at", "paused_by", "reason"]
    list_select_related = ["paused_by"]


@admin.register(ModelBundle)
class ModelBundleAdmin(ReadOnlyAdmin):
    """A bundle never changes once it is known."""

    list_display = ["name", "version", "digest", "created_at"]
    search_fields = ["name", "version", "digest"]


@admin.register(Publication)
class PublicationAdmin(ReadOnlyAdmin):
    list_display = ["episode", "run", "published_at", "withdrawn_at"]
    list_select_related = ["episode__series", "run"]
    search_fields = ["episode__title"]
    raw_id_fields = ["episode", "run"]


@admin.register(FaceDetection)
class FaceDetectionAdmin(ReadOnlyAdmin):
    """Millions of rows: never counted, found by run, in the order of the primary key."""

    list_display = ["id", "run_id", "pts_ms", "shown_ms", "character", "emotion", "confidence", "score"]
    list_select_related = ["character"]
    search_fields = ["=run__id"]
    search_help_text = "Number of a run"
    paginator = UncountedPaginator
    ordering = ["-id"]
    raw_id_fields = ["run", "segment", "track", "character"]
    list_per_page = 50


@admin.register(Scene)
class SceneAdmin(ReadOnlyAdmin):
    list_display = ["id", "run_id", "index", "start_ms", "end_ms", "thumbnail"]
    search_fields = ["=run__id"]
    search_help_text = "Number of a run"
    paginator = UncountedPaginator
    ordering = ["-id"]
    raw_id_fields = ["run"]


@admin.register(EmotionProfile)
class EmotionProfileAdmin(ReadOnlyAdmin):
    list_display = ["run", "character", "visible_ms", "readable_ms", "drawings", "shots", "enough"]
    list_filter = ["enough", "character"]
    list_select_related = ["run", "character"]
    search_fields = ["=run__id", "character__name"]
    raw_id_fields = ["run", "character"]


@admin.register(Correction)
class CorrectionAdmin(ReadOnlyAdmin):
    """What people say faces show; made and withdrawn on the episode's own page, which derives its ratings anew."""

    list_display = [
        "episode",
        "start_ms",
        "end_ms",
        "subject",
        "says",
        "character",
        "emotion",
        "made_by",
        "made_at",
        "withdrawn_at",
    ]
    list_filter = ["says", "emotion"]
    list_select_related = ["episode__series", "subject", "character", "made_by"]
    search_fields = ["episode__title", "character__name"]


@admin.register(FaceWord)
class FaceWordAdmin(ReadOnlyAdmin):
    """What each person says of the faces that they were asked about; said and taken back on the site."""

    list_display = ["face", "says", "character", "emotion", "settles", "made_by", "made_at", "withdrawn_at"]
    list_filter = ["says", "emotion", "settles"]
    list_select_related = ["face", "character", "made_by"]
    search_fields = ["face__episode__title", "made_by__username"]
    raw_id_fields = ["face", "character"]
    paginator = UncountedPaginator


@admin.register(Naming)
class NamingAdmin(ReadOnlyAdmin):
    """Characters that faces are named as after a few drawings; named and taken back on the character's page."""

    list_display = ["character", "version", "bundle", "threshold", "made_by", "made_at", "withdrawn_at"]
    list_select_related = ["character", "bundle", "made_by"]
    search_fields = ["character__name"]
    exclude = ["rows", "rivals"]


@admin.register(Certification)
class CertificationAdmin(ReadOnlyAdmin):
    list_display = ["episode", "character", "made_by", "made_at", "withdrawn_at"]
    list_select_related = ["episode__series", "character", "made_by"]
    search_fields = ["episode__title", "character__name"]


@admin.register(Audit)
class AuditAdmin(ReadOnlyAdmin):
    """Who did what; append-only."""

    list_display = ["at", "actor", "action", "object_type", "object_id"]
    list_filter = ["action"]
    list_select_related = ["actor"]
    search_fields = ["=object_id", "action"]
    paginator = UncountedPaginator
