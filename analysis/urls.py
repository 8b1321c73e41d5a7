"""The pages. Addresses hold ids and slugs only."""

from __future__ import annotations

from django.urls import path

from analysis.views import browse, corrections, episodes, finds, limits, media, recommending, runs, search, site, work

urlpatterns = [
    path("", browse.browse, name="browse"),
    path("episodes/<int:pk>/", episodes.episode, name="episode"),
    path("episodes/<int:pk>/video", media.episode_video, name="episode-video"),
    path("episodes/<int:pk>/analyse", episodes.episode_analyse, name="episode-analyse"),
    path("episodes/<int:pk>/certify/", corrections.certify, name="certify"),
    path("episodes/<int:pk>/certify/start", corrections.certify_start, name="certify-start"),
    path("episodes/<int:pk>/certify/answer", corrections.certify_answer, name="certify-answer"),
    path("episodes/<int:pk>/certify/withdraw", corrections.certify_withdraw, name="certify-withdraw"),
    path("episodes/<int:pk>/correct/", corrections.correct, name="correct"),
    path("corrections/<int:pk>/withdraw", corrections.correction_withdrawn, name="correction-withdraw"),
    path("scenes/<int:pk>/thumbnail", media.scene_thumbnail, name="scene-thumbnail"),
    path("characters/<str:slug>/", browse.character, name="character"),
    path("find/", finds.find_page, name="find"),
    path("find/<str:token>/", finds.answer, name="find-answer"),
    path("find/<str:token>/picture", finds.asked_picture, name="find-picture"),
    path("moments/<int:pk>/picture", media.moment_picture, name="moment-picture"),
    path("search/", search.search_page, name="search"),
    path("limits/", limits.limits, name="limits"),
    path("recommendations/", recommending.recommendations, name="recommendations"),
    path("runs/", runs.runs, name="runs"),
    path("runs/analyse/", work.choose, name="runs-analyse"),
    path("runs/bulk", work.bulk, name="runs-bulk"),
    path("runs/queue", work.queue, name="runs-queue"),
    path("runs/<int:pk>/", runs.run, name="run"),
    path("runs/<int:before>/compare/<int:after>/", runs.compare, name="runs-compare"),
    path("runs/<int:pk>/cancel", runs.cancel, name="run-cancel"),
    path("runs/<int:pk>/retry", runs.retry, name="run-retry"),
    path("runs/<int:pk>/publish", runs.publish, name="run-publish"),
    path("runs/<int:pk>/rollback", runs.rollback, name="run-rollback"),
    path("runs/<int:pk>/priority", runs.priority, name="run-priority"),
    path("runs/<int:pk>/again", runs.again, name="run-again"),
    path("runs/<int:pk>/pictures/<int:picture>", runs.picture, name="run-picture"),
    path("patterns/", site.patterns, name="patterns"),
]
