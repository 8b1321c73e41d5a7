from __future__ import annotations

import math
import threading
import uuid
from collections.abc import Callable
from dataclasses import replace

import pytest
from django.db import IntegrityError, connection, transaction

from analysis.errors import ResultInvalid
from analysis.models import FaceDetection, RunStatus, Segment, SegmentStatus
from analysis.services.finalise import run_finalise
from analysis.services.leases import (
    MOST_ATTEMPTS,
    leases_reclaim,
    segment_claim,
    segment_complete,
    segment_fail,
    segment_heartbeat,
    segment_release,
)
from analysis.services.runs import run_cancel
from ml.types import Emotion
from tests.analysis.runs_helpers import claim, complete, make_result, make_run

pytestmark = pytest.mark.django_db


def _one() -> Segment:
    return make_run(10_000).segments.get()


def _expire(segment: Segment) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE analysis_segment SET lease_expires_at = now() - interval '1 hour' WHERE id = %s", [segment.pk]
        )


@pytest.mark.django_db(transaction=True)
def test_of_many_workers_that_claim_at_once_one_wins() -> None:
    segment = _one()
    start = threading.Barrier(6)
    won: list[uuid.UUID] = []

    def work(n: int) -> None:
        try:
            start.wait()
            got = segment_claim(segment.pk, f"worker {n}")
            if got is not None:
                won.append(got.token)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    segment.refresh_from_db()
    assert won == [segment.lease_token]
    assert segment.attempts == 1


@pytest.mark.django_db(transaction=True)
def test_two_segments_that_end_at_once_leave_a_run_that_is_asked_to_be_finalised(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[int] = []
    monkeypatch.setattr("analysis.services.leases.finalise_send", asked.append)
    run = make_run(120_000)
    claims = [claim(s) for s in run.segments.all()]
    results = [make_result(c.start_ms, c.end_ms) for c in claims]
    start = threading.Barrier(2)

    def work(n: int) -> None:
        try:
            start.wait()
            segment_complete(claims[n].token, results[n])
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(n,)) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert asked == [run.pk]


def test_a_claim_says_what_to_do() -> None:
    segment = _one()
    got = claim(segment)
    segment.refresh_from_db()
    assert (got.start_ms, got.end_ms, got.attempt) == (0, 10_000, 1)
    assert got.bundle_digest == segment.run.bundle.digest
    assert segment.run.status == RunStatus.RUNNING
    assert segment.run.started_at is not None
    assert segment_claim(segment.pk, "another") is None
    assert segment_claim(10**9, "another") is None


def test_a_late_writer_writes_nothing() -> None:
    segment = _one()
    late = claim(segment, "slow")
    _expire(segment)
    current = claim(segment, "quick")
    result = make_result(0, 10_000)
    assert not segment_heartbeat(late.token, done_ms=9_000, drawings=9, faces=9).held
    assert not segment_complete(late.token, result)
    assert not segment_fail(late.token, "internal", "Late.")
    assert not segment_release(late.token)
    assert FaceDetection.objects.count() == 0
    assert segment_complete(current.token, result)
    assert not segment_complete(current.token, result)
    assert not segment_complete(late.token, result)
    assert FaceDetection.objects.count() == len(result.detections)
    segment.refresh_from_db()
    assert (segment.status, segment.worker, segment.lease_token) == (SegmentStatus.DONE, "quick", None)


def test_a_lease_that_ran_out_still_holds_until_somebody_takes_it() -> None:
    segment = _one()
    token = claim(segment).token
    _expire(segment)
    assert segment_heartbeat(token, done_ms=1, drawings=0, faces=0).held
    assert leases_reclaim() == []


def test_the_faces_are_stored_as_they_were_found() -> None:
    segment = _one()
    result = make_result(0, 10_000)
    partly = replace(result.detections[0], emotions={Emotion.HAPPY: 0.25}, emotion=None, mask=None, embedding=())
    result = replace(result, detections=(partly, *result.detections[1:]))
    assert segment_complete(claim(segment).token, result)
    rows = list(FaceDetection.objects.order_by("index").select_related("character"))
    assert [r.pts_ms for r in rows] == [d.pts_ms for d in result.detections]
    assert [None if r.character is None else r.character.slug for r in rows] == [d.character for d in result.detections]
    assert [(r.box_x1, r.box_y1, r.box_x2, r.box_y2) for r in rows] == [d.box for d in result.detections]
    assert (rows[0].happy, rows[0].sad, rows[0].emotion, rows[0].mask, rows[0].embedding) == (
        0.25,
        None,
        "",
        None,
        None,
    )
    assert rows[1].mask == {"size": [180, 320], "counts": "abc"}
    assert rows[1].happy == result.detections[1].emotions[Emotion.HAPPY]
    assert rows[1].embedding == pytest.approx(result.detections[1].embedding, abs=1e-3)


@pytest.mark.parametrize(
    "wrong",
    [
        {"score": math.nan},
        {"score": 1.5},
        {"confidence": math.inf},
        {"box": (0.0, 0.0, math.nan, 5.0)},
        {"box": (5.0, 0.0, 5.0, 5.0)},
        {"pts_ms": 10_000},
        {"shown_ms": 0},
        {"emotions": {Emotion.SAD: math.nan}},
        {"embedding": (1.0,)},
        {"embedding": (math.nan,) * 128},
    ],
)
def test_a_result_with_a_bad_number_writes_nothing(wrong: dict[str, object]) -> None:
    segment = _one()
    token = claim(segment).token
    result = make_result(0, 10_000)
    bad = replace(result, detections=(*result.detections, replace(result.detections[0], **wrong)))  # type: ignore[arg-type]
    with pytest.raises(ResultInvalid):
        segment_complete(token, bad)
    assert FaceDetection.objects.count() == 0
    assert segment_complete(token, result)


def test_a_result_of_another_stretch_is_refused() -> None:
    token = claim(_one()).token
    with pytest.raises(ResultInvalid):
        segment_complete(token, make_result(0, 9_000))
    with pytest.raises(ResultInvalid):
        segment_complete(token, replace(make_result(0, 10_000), cuts_ms=(10_000,)))


def test_the_database_refuses_a_face_twice_and_numbers_out_of_range() -> None:
    segment = _one()
    complete(segment)
    face = FaceDetection.objects.first()
    assert face is not None
    face.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        face.save()
    for wrong in ({"score": 1.01}, {"happy": -0.1}, {"score": math.nan}, {"shown_ms": 0}, {"box_x2": 0.0}):
        with pytest.raises(IntegrityError), transaction.atomic():
            FaceDetection.objects.filter(index=0).update(**wrong)


def test_the_database_refuses_a_segment_that_runs_without_a_lease() -> None:
    segment = _one()
    with pytest.raises(IntegrityError), transaction.atomic():
        Segment.objects.filter(pk=segment.pk).update(status=SegmentStatus.RUNNING)
    with pytest.raises(IntegrityError), transaction.atomic():
        Segment.objects.filter(pk=segment.pk).update(lease_token=uuid.uuid4())


def test_a_fault_of_ours_is_tried_three_times_then_the_run_is_partial() -> None:
    run = make_run(120_000)
    first, second = run.segments.all()
    complete(second)
    for attempt in range(1, MOST_ATTEMPTS + 1):
        got = claim(first)
        assert got.attempt == attempt
        assert segment_fail(got.token, "model_output_invalid", "A number is not finite.")
    assert segment_claim(first.pk, "another") is None
    ended = run_finalise(run.pk)
    assert ended is not None
    assert (ended.status, ended.partial, ended.error_code) == (RunStatus.SUCCEEDED, True, "model_output_invalid")
    assert ended.error_detail == "Missing 0:00 to 1:00: A number is not finite."


def test_a_fault_of_the_video_fails_at_once() -> None:
    segment = _one()
    segment_fail(claim(segment).token, "video_damaged", "The video is damaged.", final=True)
    segment.refresh_from_db()
    assert (segment.status, segment.attempts) == (SegmentStatus.FAILED, 1)


def test_a_segment_that_kills_its_workers_fails_after_three() -> None:
    segment = _one()
    for _ in range(MOST_ATTEMPTS - 1):
        claim(segment)
        _expire(segment)
        assert leases_reclaim() == [segment.pk]
    claim(segment)
    _expire(segment)
    assert leases_reclaim() == []
    segment.refresh_from_db()
    assert (segment.status, segment.error_code) == (SegmentStatus.FAILED, "worker_lost")


def test_a_worker_that_goes_home_hands_the_segment_back_unharmed() -> None:
    segment = _one()
    for _ in range(5):
        assert segment_release(claim(segment).token)
    segment.refresh_from_db()
    assert (segment.status, segment.attempts) == (SegmentStatus.PENDING, 0)


@pytest.mark.parametrize("end", [segment_release, lambda token: segment_fail(token, "internal", "Broken.")])
def test_what_comes_back_of_a_cancelled_run_waits_for_nobody(end: Callable[[uuid.UUID], bool]) -> None:
    """It could not be claimed again, and the run would never end."""
    run = make_run(120_000)
    token = claim(run.segments.get(index=0)).token
    run_cancel(run=run)
    assert end(token)
    run.refresh_from_db()
    assert run.status == RunStatus.CANCELLED
    assert {s.status for s in run.segments.all()} == {SegmentStatus.CANCELLED}


def test_a_cancelled_run_is_not_claimed_and_its_dead_segments_are_cancelled() -> None:
    run = make_run(120_000)
    first, second = run.segments.all()
    claim(first)
    run_cancel(run=run)
    assert segment_claim(second.pk, "worker") is None
    _expire(first)
    assert segment_claim(first.pk, "worker") is None
    assert leases_reclaim() == []
    first.refresh_from_db()
    assert first.status == SegmentStatus.CANCELLED
