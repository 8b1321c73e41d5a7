from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from analysis.errors import (
    BundleUnknown,
    EpisodeWithoutSource,
    RunConfigInvalid,
    RunNotCancellable,
    RunNotRetryable,
)
from analysis.models import AnalysisRun, Audit, FaceDetection, RunPace, RunStatus, SegmentStatus
from analysis.pace import Unknown
from analysis.selectors.runs import Stage, run_missing_parts, run_progress, runs_to_finalise, segments_due
from analysis.services import messages
from analysis.services.finalise import run_finalise
from analysis.services.leases import MOST_ATTEMPTS, segment_cancel, segment_fail, segment_heartbeat
from analysis.services.runs import run_cancel, run_config, run_request, run_retry
from catalog.models import Character
from tests.analysis.runs_helpers import claim, complete, complete_all, make_bundle, make_episode, make_run

pytestmark = pytest.mark.django_db


def test_a_request_makes_segments_of_a_minute() -> None:
    run = make_run(150_000)
    assert run.status == RunStatus.QUEUED
    assert list(run.segments.values_list("index", "start_ms", "end_ms")) == [
        (0, 0, 60_000),
        (1, 60_000, 120_000),
        (2, 120_000, 150_000),
    ]
    assert Audit.objects.filter(action="run.request", object_id=run.pk).count() == 1


def test_the_same_request_twice_is_the_same_run() -> None:
    make_bundle()
    episode = make_episode()
    first = run_request(episode=episode, bundle_name="test")
    assert run_request(episode=episode, bundle_name="test-1") == first
    complete_all(first)
    run_finalise(first.pk)
    assert run_request(episode=episode, bundle_name="test-1") == first
    forced = run_request(episode=episode, bundle_name="test-1", force=True)
    assert forced != first
    assert run_request(episode=episode, bundle_name="test-1", force=True) == forced


def test_other_options_are_another_run() -> None:
    make_bundle("1")
    make_bundle("2")
    episode = make_episode()
    runs = {
        run_request(episode=episode, bundle_name="test-1").pk,
        run_request(episode=episode, bundle_name="test-2").pk,
        run_request(episode=episode, bundle_name="test-1", config={"sampling": "every-15"}).pk,
        run_request(episode=episode, bundle_name="test-1", config={"segment_ms": 30_000}).pk,
    }
    assert len(runs) == 4


def test_the_database_refuses_two_active_runs_of_one_fingerprint() -> None:
    run = make_run()
    with pytest.raises(IntegrityError), transaction.atomic():
        AnalysisRun.objects.create(
            episode=run.episode, bundle=run.bundle, source_sha256=run.source_sha256, fingerprint=run.fingerprint
        )


def test_messages_go_out_after_commit_with_ids_only(
    django_capture_on_commit_callbacks: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[str, list[int], str]] = []
    monkeypatch.setattr(messages, "_send", lambda task, ids, queue, countdown: sent.append((task, ids, queue)))
    with django_capture_on_commit_callbacks() as callbacks:  # type: ignore[operator]
        run = make_run()
        assert sent == []
    for callback in callbacks:
        callback()
    assert sent == [(messages.SEGMENT_ANALYSE, list(run.segments.values_list("pk", flat=True)), "inference")]


@pytest.mark.parametrize(
    "given",
    [
        {"sampling": "every-0"},
        {"sampling": "often"},
        {"sampling": 5},
        {"segment_ms": 10},
        {"segment_ms": True},
        {"segment_ms": 1e12},
        {"colour": "red"},
    ],
)
def test_options_that_no_run_has_are_refused(given: dict[str, object]) -> None:
    with pytest.raises(RunConfigInvalid):
        run_config(given)


def test_an_episode_without_a_video_and_an_unknown_bundle_are_refused() -> None:
    episode = make_episode()
    with pytest.raises(BundleUnknown, match="start a worker"):
        run_request(episode=episode, bundle_name="nobody")
    make_bundle()
    with pytest.raises(BundleUnknown, match="test-1"):
        run_request(episode=episode, bundle_name="nobody")
    episode.source = None
    episode.save()
    with pytest.raises(EpisodeWithoutSource):
        run_request(episode=episode, bundle_name="test-1")


def test_a_bundle_makes_its_characters_known_once() -> None:
    assert make_bundle() == make_bundle()
    assert set(Character.objects.values_list("slug", flat=True)) == {"tom", "jerry"}


def test_cancelling_what_waits_ends_it_at_once() -> None:
    run = run_cancel(run=make_run())
    assert run.status == RunStatus.CANCELLED
    assert run.finished_at is not None
    assert set(run.segments.values_list("status", flat=True)) == {SegmentStatus.CANCELLED}
    with pytest.raises(RunNotCancellable):
        run_cancel(run=run)


def test_cancelling_reaches_the_worker_with_its_next_heartbeat() -> None:
    run = make_run()
    first, *others = run.segments.all()
    token = claim(first).token
    assert run_cancel(run=run).status == RunStatus.RUNNING
    assert segment_heartbeat(token, done_ms=1, drawings=0, faces=0).cancelled
    assert segment_cancel(token)
    assert run_finalise(run.pk) is None, "it ended with its last part: there is nothing to put together"
    run.refresh_from_db()
    assert run.status == RunStatus.CANCELLED
    assert all(s.status == SegmentStatus.CANCELLED for s in others[0].run.segments.all())


def test_retry_does_only_what_failed() -> None:
    run = make_run()
    first, second, third = run.segments.all()
    complete(first)
    complete(third)
    segment_fail(claim(second).token, "video_damaged", "The video is damaged.", final=True)
    ended = run_finalise(run.pk)
    assert ended is not None
    assert (ended.status, ended.partial, ended.error_code) == (RunStatus.SUCCEEDED, True, "video_damaged")
    assert "1:00 to 2:00" in ended.error_detail
    assert [(m.start_ms, m.code) for m in run_missing_parts(ended)] == [(60_000, "video_damaged")]
    before = set(FaceDetection.objects.filter(run=run).values_list("pk", flat=True))

    again = run_retry(run=ended)
    assert (again.status, again.partial, again.error_code) == (RunStatus.QUEUED, False, "")
    assert list(segments_due().values_list("pk", flat=True)) == [second.pk]
    complete(second)
    whole = run_finalise(run.pk)
    assert whole is not None
    assert (whole.status, whole.partial) == (RunStatus.SUCCEEDED, False)
    assert before < set(FaceDetection.objects.filter(run=run).values_list("pk", flat=True))
    with pytest.raises(RunNotRetryable):
        run_retry(run=whole)


def test_retry_of_a_cancelled_run_goes_on_where_it_stopped() -> None:
    run = make_run()
    complete(run.segments.first())  # type: ignore[arg-type]
    assert run_cancel(run=run).status == RunStatus.CANCELLED
    assert runs_to_finalise() == []
    again = run_retry(run=run)
    assert segments_due().count() == 2
    with pytest.raises(RunNotRetryable, match="still"):
        run_retry(run=again)


def test_retry_gives_way_to_an_equal_run() -> None:
    run = run_cancel(run=make_run())
    other = run_request(episode=run.episode, bundle_name="test-1")
    assert other != run
    with pytest.raises(RunNotRetryable, match="under way"):
        run_retry(run=run)


def test_every_segment_failing_fails_the_run_with_the_reason() -> None:
    run = make_run(50_000)
    for _ in range(MOST_ATTEMPTS):
        segment_fail(claim(run.segments.get()).token, "model_output_invalid", "A number is not finite.")
    ended = run_finalise(run.pk)
    assert ended is not None
    assert (ended.status, ended.error_code) == (RunStatus.FAILED, "model_output_invalid")


def test_progress_counts_what_heartbeats_say() -> None:
    run = make_run()
    token = claim(run.segments.first()).token  # type: ignore[arg-type]
    segment_heartbeat(token, done_ms=30_000, drawings=100, faces=40)
    progress = run_progress(run)
    assert (progress.total_ms, progress.done_ms, progress.percent) == (150_000, 30_000, 20)
    assert (progress.drawings, progress.faces, progress.segments_running) == (100, 40, 1)
    assert progress.left_s is None


def test_what_was_done_before_a_retry_makes_it_no_faster() -> None:
    run = make_run(120_000)
    first, second = run.segments.all()
    complete(first)
    segment_fail(claim(second).token, "video_damaged", "Damaged.", final=True)
    run_finalise(run.pk)
    again = run_retry(run=run)
    assert (again.kept_ms, again.started_at) == (60_000, None)
    token = claim(second).token
    begun = timezone.now()
    for seconds in range(0, 12, 3):
        segment_heartbeat(token, done_ms=1000 * seconds, drawings=5 * seconds, faces=5)
        RunPace.objects.filter(at__gt=begun + timedelta(seconds=-1)).update(at=begun - timedelta(seconds=40 - seconds))
    progress = run_progress(again, now=begun - timedelta(seconds=30))
    assert progress.done_ms == 69_000
    assert progress.rate == pytest.approx(1.0)
    assert progress.drawings_rate == pytest.approx(5.0)
    assert (progress.left_s, progress.unknown, progress.stage) == (None, Unknown.TOO_SOON, Stage.READING)
