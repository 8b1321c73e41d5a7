"""Addresses under ``/api/v1/``. A slash at the end is optional."""

from __future__ import annotations

from django.urls import include, path, re_path
from rest_framework.routers import SimpleRouter

from analysis.api import (
    access,
    asking,
    bundles,
    corrections,
    editing,
    exports,
    finds,
    found,
    imports,
    overlays,
    queue,
    recommending,
    subtitles,
    uploads,
    views,
    webhooks,
)

router = SimpleRouter()
router.trailing_slash = "/?"
router.register("series", views.SeriesViewSet, basename="api-series")
router.register("episodes", views.EpisodeViewSet, basename="api-episode")
router.register("characters", editing.CharacterEditViewSet, basename="api-character")
router.register("runs", views.RunViewSet, basename="api-run")
router.register("bundles", bundles.BundleViewSet, basename="api-bundle")
router.register("profiles", found.ProfileViewSet, basename="api-profile")
router.register("corrections", corrections.CorrectionViewSet, basename="api-correction")
router.register("scenes", found.SceneViewSet, basename="api-scene")
router.register("tokens", access.TokenViewSet, basename="api-token")
router.register("audit", access.AuditViewSet, basename="api-audit")
router.register("webhooks", webhooks.WebhookViewSet, basename="api-webhook")

urlpatterns = [
    path("", include(router.urls)),
    path("episodes/<int:pk>/subtitles.vtt", subtitles.VttView.as_view(), name="api-subtitles-vtt"),
    path("episodes/<int:pk>/subtitles.srt", subtitles.SrtView.as_view(), name="api-subtitles-srt"),
    re_path(r"^episodes/(?P<pk>\d{1,18})/overlays/?$", overlays.OverlaysView.as_view(), name="api-overlays"),
    path("episodes/<int:pk>/overlay.svg", overlays.OverlayPictureView.as_view(), name="api-overlay-svg"),
    re_path(
        r"^episodes/(?P<pk>\d{1,18})/certification/?$",
        corrections.CertificationView.as_view(),
        name="api-certification",
    ),
    re_path(
        r"^episodes/(?P<pk>\d{1,18})/certification/answers/?$",
        corrections.AnswersView.as_view(),
        name="api-certification-answers",
    ),
    re_path(r"^runs/events/?$", queue.EventsView.as_view(), name="api-runs-events"),
    re_path(r"^runs/(?P<pk>\d{1,18})/events/?$", queue.RunEventsView.as_view(), name="api-run-events"),
    re_path(r"^runs/(?P<pk>\d{1,18})/priority/?$", queue.PriorityView.as_view(), name="api-run-priority"),
    re_path(r"^runs/bulk/?$", queue.BulkView.as_view(), name="api-runs-bulk"),
    re_path(r"^queue/?$", queue.QueueView.as_view(), name="api-queue"),
    re_path(r"^queue/pause/?$", queue.PauseView.as_view(), name="api-queue-pause"),
    re_path(r"^queue/resume/?$", queue.ResumeView.as_view(), name="api-queue-resume"),
    re_path(r"^faces/next/?$", asking.NextFacesView.as_view(), name="api-faces-next"),
    re_path(r"^faces/answers/?$", asking.FaceAnswersView.as_view(), name="api-faces-answers"),
    re_path(r"^faces/answers/last/?$", asking.LastAnswerView.as_view(), name="api-faces-last"),
    re_path(r"^faces/(?P<pk>\d{1,18})/settle/?$", asking.SettleView.as_view(), name="api-faces-settle"),
    re_path(r"^agreement/?$", asking.AgreementView.as_view(), name="api-agreement"),
    re_path(r"^characters/(?P<slug>[^/]+)/drawings/?$", editing.DrawingsView.as_view(), name="api-drawings"),
    re_path(
        r"^characters/(?P<slug>[^/]+)/drawings/(?P<pk>\d{1,18})/?$", editing.DrawingView.as_view(), name="api-drawing"
    ),
    re_path(r"^characters/(?P<slug>[^/]+)/naming/?$", editing.NamingView.as_view(), name="api-naming"),
    re_path(r"^uploads/?$", uploads.UploadsView.as_view(), name="api-uploads"),
    re_path(r"^uploads/known/?$", uploads.KnownView.as_view(), name="api-upload-known"),
    re_path(r"^uploads/(?P<token>[A-Za-z0-9_-]{20,64})/?$", uploads.UploadView.as_view(), name="api-upload"),
    re_path(r"^imports/?$", imports.ImportsView.as_view(), name="api-imports"),
    re_path(r"^imports/folders/?$", imports.FoldersView.as_view(), name="api-import-folders"),
    re_path(r"^imports/(?P<pk>\d{1,18})/?$", imports.ImportView.as_view(), name="api-import"),
    re_path(r"^imports/(?P<pk>\d{1,18})/confirm/?$", imports.ImportConfirmView.as_view(), name="api-import-confirm"),
    re_path(
        r"^imports/(?P<pk>\d{1,18})/files/(?P<position>\d{1,7})/?$",
        imports.ImportFileView.as_view(),
        name="api-import-file",
    ),
    *exports.routes(),
    re_path(r"^find/?$", finds.FindView.as_view(), name="api-find"),
    re_path(r"^find/(?P<token>[A-Za-z0-9_-]{1,64})/?$", finds.FindAnswerView.as_view(), name="api-find-answer"),
    re_path(r"^search/?$", views.SearchView.as_view(), name="api-search"),
    re_path(r"^recommendations/?$", recommending.RecommendationsView.as_view(), name="api-recommendations"),
    re_path(r"^recommendations/evening/?$", recommending.EveningView.as_view(), name="api-evening"),
    re_path(r"^query/?$", views.QueryView.as_view(), name="api-query"),
    re_path(r"^(?P<rest>.*)$", views.NothingHere.as_view(), name="api-nothing"),
]
