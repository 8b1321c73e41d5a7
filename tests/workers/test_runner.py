from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from analysis.models import AnalysisRun, FaceDetection, RunStatus, Segment, SegmentStatus
from analysis.services.finalise import run_finalise
from analysis.services.leases import segment_claim
from analysis.services.runs import run_cancel, run_request
from tests.analysis.runs_helpers import make_episode
from tests.workers.conftest import CLIP_MS, make_fake_bundle
from workers import going_home, runner
from workers.runner import Outcome, segment_run
from workers.thumbnails import thumbnails_write

# The heart beats on a connection of its own: it must see what the test wrote.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("fake_models")]


def _run(stored_name: str = "clip.mp4", segment_ms: int = 2000) -> AnalysisRun:
    make_fake_bundle()
    episode = make_episode(CLIP_MS, stored_name)
    return run_request(episode=episode, bundle_name="fake", config={"segment_ms": segment_ms})


def test_from_request_to_rows() -> None:
    run = _run()
    outcomes = [segment_run(s.pk, "worker") for s in run.segments.all()]
    assert outcomes == [Outcome.DONE] * 3
    ended = run_finalise(run.pk)
    assert ended is not None
    assert (ended.status, ended.partial, ended.frames) == (RunStatus.SUCCEEDED, False, CLIP_MS * 24 // 1000)
    assert {p.character.slug for p in ended.profiles.all()} == {"tom", "jerry"}
    assert ended.timings
    assert segment_run(run.segments.first().pk, "late") == Outcome.NOT_MINE  # type: ignore[union-attr]


def test_each_scene_gets_a_picture(fake_models: Path) -> None:
    run = _run()
    for segment in run.segments.all():
        segment_run(segment.pk, "worker")
    run_finalise(run.pk)
    assert thumbnails_write(run.pk) == run.scenes.count() > 0
    for scene in run.scenes.all():
        assert (fake_models / scene.thumbnail).read_bytes()[:3] == b"\xff\xd8\xff"
    assert thumbnails_write(run.pk) == 0


def test_a_run_without_its_video_keeps_its_rows_and_has_no_pictures(settings: Any, tmp_path: Path) -> None:
    run = _run()
    for segment in run.segments.all():
        segment_run(segment.pk, "worker")
    run_finalise(run.pk)
    settings.MEDIA_ROOT = tmp_path
    assert thumbnails_write(run.pk) == 0
    assert thumbnails_write(10**9) == 0


def test_a_video_that_is_gone_fails_at_once_with_its_own_name() -> None:
    run = _run("gone.mp4", 10_000)
    segment = run.segments.get()
    assert segment_run(segment.pk, "worker") == Outcome.FAILED
    segment.refresh_from_db()
    assert (segment.status, segment.error_code) == (SegmentStatus.FAILED, "video_missing")
    assert segment.run.episode.source is not None
    assert segment.run.episode.source.original_name in segment.error_detail


def test_a_file_that_is_no_video_fails_at_once(fake_models: Path) -> None:
    (fake_models / "text.mp4").write_text("hello")
    run = _run("text.mp4", 10_000)
    segment = run.segments.get()
    assert segment_run(segment.pk, "worker") == Outcome.FAILED
    segment.refresh_from_db()
    assert (segment.status, segment.error_code) == (SegmentStatus.FAILED, "not_a_video")
    assert "text.mp4" not in segment.error_detail
    assert "episode " in segment.error_detail


def test_a_number_that_is_not_finite_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_BREAKS_AT", "5")
    segment = _run().segments.first()
    assert segment is not None
    assert segment_run(segment.pk, "worker") == Outcome.FAILED
    segment.refresh_from_db()
    assert (segment.status, segment.attempts, segment.error_code) == (SegmentStatus.PENDING, 1, "model_output_invalid")
    assert FaceDetection.objects.count() == 0


def test_a_crash_of_ours_is_tried_again_and_leaves_no_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*args: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(runner, "models_for", crash)
    segment = _run().segments.first()
    assert segment is not None
    assert segment_run(segment.pk, "worker") == Outcome.FAILED
    segment.refresh_from_db()
    assert (segment.status, segment.error_code, segment.lease_token) == (SegmentStatus.PENDING, "internal", None)


def test_another_bundle_in_the_folder_is_refused() -> None:
    run = _run()
    run.bundle.__class__.objects.update(digest="a" * 64)
    segment = run.segments.first()
    assert segment is not None
    assert segment_run(segment.pk, "worker") == Outcome.FAILED
    segment.refresh_from_db()
    assert (segment.status, segment.error_code) == (SegmentStatus.PENDING, "bundle_invalid")


def _in_a_thread(segment: Segment) -> tuple[threading.Thread, list[Outcome]]:
    """Starts work on the segment and returns when it is under way."""
    outcomes: list[Outcome] = []

    def work() -> None:
        try:
            outcomes.append(segment_run(segment.pk, "worker"))
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        segment.refresh_from_db()
        if segment.status == SegmentStatus.RUNNING and segment.done_ms > 0:
            return thread, outcomes
        time.sleep(0.05)
    raise AssertionError("The segment was never under way.")


def test_cancelling_stops_the_work_within_two_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_MS_PER_DRAWING", "150")
    run = _run(segment_ms=10_000)
    segment = run.segments.get()
    thread, outcomes = _in_a_thread(segment)
    begun = time.monotonic()
    run_cancel(run=run)
    thread.join()
    assert time.monotonic() - begun < 2
    assert outcomes == [Outcome.CANCELLED]
    segment.refresh_from_db()
    assert segment.status == SegmentStatus.CANCELLED
    assert FaceDetection.objects.count() == 0


def test_going_home_hands_the_segment_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_MS_PER_DRAWING", "150")
    segment = _run(segment_ms=10_000).segments.get()
    thread, outcomes = _in_a_thread(segment)
    going_home.go_home()
    thread.join()
    assert outcomes == [Outcome.RELEASED]
    segment.refresh_from_db()
    assert (segment.status, segment.attempts) == (SegmentStatus.PENDING, 0)


def test_going_home_does_not_wait_for_models(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = threading.Event()
    monkeypatch.setattr(runner, "models_for", lambda *args: slow.wait(60))
    segment = _run(segment_ms=10_000).segments.get()
    going_home.go_home()
    begun = time.monotonic()
    try:
        assert segment_run(segment.pk, "worker") == Outcome.RELEASED
    finally:
        slow.set()
    assert time.monotonic() - begun < 30
    segment.refresh_from_db()
    assert (segment.status, segment.attempts) == (SegmentStatus.PENDING, 0)


def test_a_worker_whose_lease_was_taken_stops_and_writes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_MS_PER_DRAWING", "150")
    segment = _run(segment_ms=10_000).segments.get()
    thread, outcomes = _in_a_thread(segment)
    monkeypatch.setenv("FAKE_MS_PER_DRAWING", "0")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE analysis_segment SET lease_expires_at = now() - interval '1 minute'")
    taken = segment_claim(segment.pk, "another")
    assert taken is not None or segment_claim(segment.pk, "another") is not None
    thread.join()
    assert outcomes == [Outcome.LOST]
    assert FaceDetection.objects.count() == 0
