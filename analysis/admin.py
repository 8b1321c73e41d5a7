"""The administration of runs and what they found. Rows that a worker wrote are shown, never edited by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest

from analysis.errors import AnalysisError
from analysis.models import (
    AnalysisRun,
    Certification,
    Correction,
    Delivery,
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
    Webhook,
    Worker,
)
from analysis.services.publishing import run_publish
from analysis.services.runs import run_cancel, run_retry
from catalog.access.admin_base import ReadOnlyAdmin, register_rest

if TYPE_CHECKING:
    _Inline = admin.TabularInline[Segment, AnalysisRun]
else:  # Django's own classes take no parameters when they run
    _Inline = admin.TabularInline


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

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
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
    list_filter = ["status", "bundle"]
    list_select_related = ["episode__series", "bundle"]
    found_by = ("id", "episode_id")
    search_help_text = "Number of a run or of an episode"
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
    found_by = ("run_id",)
    search_help_text = "Number of a run"
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
    found_by = (
        "episode_id",
        "run_id",
    )
    search_help_text = "Number of an episode or of a run"
    raw_id_fields = ["episode", "run"]


@admin.register(FaceDetection)
class FaceDetectionAdmin(ReadOnlyAdmin):
    """Millions of rows: never counted to the end, found by run, in the order of the primary key."""

    list_display = ["id", "run_id", "pts_ms", "shown_ms", "character", "emotion", "confidence", "score"]
    list_select_related = ["character"]
    found_by = ("run_id",)
    search_help_text = "Number of a run"
    raw_id_fields = ["run", "segment", "track", "character"]


@admin.register(Scene)
class SceneAdmin(ReadOnlyAdmin):
    list_display = ["id", "run_id", "index", "start_ms", "end_ms", "thumbnail"]
    found_by = ("run_id",)
    search_help_text = "Number of a run"
    raw_id_fields = ["run"]


@admin.register(EmotionProfile)
class EmotionProfileAdmin(ReadOnlyAdmin):
    list_display = ["run", "character", "visible_ms", "readable_ms", "drawings", "shots", "enough"]
    list_select_related = ["run", "character"]
    found_by = ("run_id",)
    search_help_text = "Number of a run"
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
    list_select_related = ["episode__series", "subject", "character", "made_by"]
    found_by = (
        "episode_id",
        "id",
    )
    search_help_text = "Number of an episode or of a correction"


@admin.register(FaceWord)
class FaceWordAdmin(ReadOnlyAdmin):
    """What each person says of the faces that they were asked about; said and taken back on the site."""

    list_display = ["face", "says", "character", "emotion", "settles", "made_by", "made_at", "withdrawn_at"]
    list_filter = ["says", "emotion", "settles"]
    list_select_related = ["face", "character", "made_by"]
    search_fields = ["face__episode__title", "made_by__username"]
    raw_id_fields = ["face", "character"]


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
    found_by = ("episode_id",)
    search_help_text = "Number of an episode"


@admin.register(Webhook)
class WebhookAdmin(ReadOnlyAdmin):
    """Set up on /webhooks/; the secret is not shown."""

    list_display = ["name", "url", "active", "note", "made_by", "made_at"]
    list_select_related = ["made_by"]


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = ["message", "webhook", "event", "status", "attempts", "created_at", "due_at"]
    list_select_related = ["webhook"]
    found_by = ("message", "webhook_id")
    search_help_text = "Id of a message, or number of a webhook"


register_rest("analysis")
