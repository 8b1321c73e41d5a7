"""Pausing, order and many at once: what is claimed next, what is refused and why, and what the audit keeps of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from analysis.errors import BulkInvalid, PriorityInvalid, QueueUnknown, RunNotWaiting
from analysis.models import (
    AnalysisRun,
    Audit,
    Publication,
    Queue,
    QueueName,
    RunEvent,
    RunStatus,
    SegmentStatus,
    Worker,
)
from analysis.selectors.queue import is_paused, pauses, waiting, waiting_place, workers
from analysis.selectors.runs import segments_due
from analysis.services import messages
from analysis.services.bulk_runs import MOST, runs_bulk
from analysis.services.finalise import run_finalise
from analysis.services.leases import segment_claim, segment_claim_next, segment_complete, segment_fail
from analysis.services.presence import worker_ended, worker_tell, workers_forget
from analysis.services.priorities import run_prioritise
from analysis.services.queues import queue_pause, queue_resume
from analysis.services.runs import run_cancel
from tests.analysis.runs_helpers import claim, complete_all, make_bundle, make_episode, make_result, make_run

pytestmark = pytest.mark.django_db


@pytest.fixture
def person() -> User:
    return User.objects.create_user("ada")


def _next(worker: str = "worker") -> tuple[int, int]:
    """(run, index) of what is claimed next."""
    found = segment_claim_next(worker)
    assert found is not None
    return found.run_id, found.index


def test_the_oldest_request_is_read_first_part_by_part() -> None:
    first, second = make_run(100_000), make_run(100_000)
    assert [_next() for _ in range(4)] == [(first.pk, 0), (first.pk, 1), (second.pk, 0), (second.pk, 1)]
    assert segment_claim_next("worker") is None


def test_a_priority_counts_for_what_waits_already(person: User) -> None:
    first, second, third = make_run(150_000), make_run(100_000), make_run(50_000)
    assert _next() == (first.pk, 0)
    run_prioritise(run=third, to="top", actor=person)
    run_prioritise(run=second, to="raise", actor=person)
    assert [w.run.pk for w in waiting()] == [second.pk, third.pk, first.pk]
    run_prioritise(run=third, to="top", actor=person)
    assert [w.run.pk for w in waiting()] == [third.pk, second.pk, first.pk]
    assert [_next() for _ in range(4)] == [(third.pk, 0), (second.pk, 0), (second.pk, 1), (first.pk, 1)]
    kept = Audit.objects.filter(action="run.priority", object_id=third.pk).latest("id")
    assert (kept.actor, kept.before, kept.after) == (person, {"priority": 1}, {"priority": 2})


def test_a_priority_has_ends_and_ended_runs_have_none() -> None:
    run, other = make_run(), make_run()
    run_prioritise(run=run, to=1000)
    for wrong in ("raise", 1001, -1001, "highest", True):
        with pytest.raises(PriorityInvalid):
            run_prioritise(run=run, to=wrong)
    with pytest.raises(PriorityInvalid):
        run_prioritise(run=other, to="top")
    assert run_prioritise(run=run, to="top").priority == 1000
    with pytest.raises(IntegrityError), transaction.atomic():
        AnalysisRun.objects.filter(pk=run.pk).update(priority=1001)
    run_cancel(run=run)
    with pytest.raises(RunNotWaiting):
        run_prioritise(run=run, to=1)


@pytest.mark.parametrize("name", [QueueName.ALL, QueueName.INFERENCE])
def test_while_it_is_paused_nothing_is_claimed_and_what_runs_is_finished(name: QueueName, person: User) -> None:
    run = make_run(100_000)
    first, second = run.segments.all()
    held = claim(first)
    queue_pause(name=name, actor=person, reason=" the   machine is\nneeded ")
    assert segment_claim_next("worker") is None
    assert segment_claim(second.pk, "worker") is None
    assert segment_complete(held.token, make_result(first.start_ms, first.end_ms))
    assert pauses()[name].reason == "the machine is needed"
    queue_resume(name=name, actor=person)
    assert _next() == (run.pk, 1)
    kept = Audit.objects.filter(action__startswith="queue.").order_by("id")
    assert list(kept.values_list("action", "actor")) == [
        ("queue.pause", person.pk),
        ("queue.resume", person.pk),
    ]


def test_one_pause_may_stand_over_another() -> None:
    make_run()
    for name in (QueueName.ALL, QueueName.INFERENCE, QueueName.DEFAULT):
        queue_pause(name=name)
    queue_resume(name=QueueName.ALL)
    assert segment_claim_next("worker") is None
    queue_resume(name=QueueName.INFERENCE)
    assert segment_claim_next("worker") is not None
    assert is_paused(QueueName.DEFAULT)
    assert not is_paused(QueueName.INFERENCE)


def test_pausing_twice_keeps_the_first_reason_and_going_on_twice_is_nothing() -> None:
    since = queue_pause(name="all", reason="one").paused_at
    again = queue_pause(name="all", reason="two")
    assert (again.paused_at, again.reason) == (since, "one")
    queue_resume(name="all")
    assert queue_resume(name="all").paused_at is None
    assert Audit.objects.filter(action__startswith="queue.").count() == 2
    with pytest.raises(QueueUnknown):
        queue_pause(name="everything")
    with pytest.raises(IntegrityError), transaction.atomic():
        Queue.objects.create(name="everything")


def test_going_on_says_again_what_is_to_do(
    django_capture_on_commit_callbacks: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, done = make_run(100_000), make_run(50_000)
    complete_all(done)
    queue_pause(name="all")
    sent: list[tuple[str, list[int]]] = []
    monkeypatch.setattr(messages, "_send", lambda task, ids, queue, countdown: sent.append((task, ids)))
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        queue_resume(name="all")
    assert sent == [
        (messages.SEGMENT_ANALYSE, list(run.segments.values_list("pk", flat=True))),
        (messages.RUN_FINALISE, [done.pk]),
    ]


def test_what_failed_a_moment_ago_waits_while_others_go_first() -> None:
    first, second = make_run(50_000), make_run(50_000)
    (segment,) = first.segments.all()
    segment_fail(claim(segment).token, "internal", "Broken.")
    assert [w.later is not None for w in waiting()] == [True, False]
    assert _next() == (second.pk, 0)
    assert segment_claim_next("worker") is None
    first.segments.update(not_before=timezone.now() - timedelta(seconds=1))
    assert _next() == (first.pk, 0)
    segment.refresh_from_db()
    assert segment.not_before is None


def test_a_segment_of_a_dead_worker_is_taken_in_its_place() -> None:
    first, second = make_run(50_000), make_run(50_000)
    assert _next("dead") == (first.pk, 0)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE analysis_segment SET lease_expires_at = now() - interval '1 hour' WHERE lease_token IS NOT NULL"
        )
    assert _next("alive") == (first.pk, 0)
    assert _next("alive") == (second.pk, 0)
    assert segments_due().count() == 0


def test_the_place_of_a_run_is_that_in_the_whole_row() -> None:
    runs = [make_run(50_000) for _ in range(4)]
    run_prioritise(run=runs[2], to=5)
    found = [(w.run.pk, w.place) for w in waiting()]
    assert found == [(runs[2].pk, 1), (runs[0].pk, 2), (runs[1].pk, 3), (runs[3].pk, 4)]
    for run in AnalysisRun.objects.all():
        place = waiting_place(run)
        assert place is not None
        assert (run.pk, place.place) in found
    run_cancel(run=runs[0])
    assert waiting_place(AnalysisRun.objects.get(pk=runs[0].pk)) is None
    assert [w.place for w in waiting(2)] == [1, 2]


def test_a_worker_is_alive_as_long_as_it_tells_or_holds_a_lease() -> None:
    worker_tell(name="a@host", queues=["default", "inference"], processes=2, begins=True)
    worker_tell(name="b@host", queues=["default"], processes=1, begins=True)
    worker_tell(name="c@host", queues=["inference"], processes=1, begins=True)
    worker_ended(name="b@host")
    Worker.objects.filter(name="c@host").update(seen_at=timezone.now() - timedelta(minutes=2))
    run = make_run(100_000)
    claim(run.segments.get(index=1), "c@host")
    claim(run.segments.get(index=0), "nobody knows")
    found = {w.name: w for w in workers()}
    assert [(name, w.alive, w.ended, w.reads) for name, w in found.items()] == [
        ("a@host", True, False, True),
        ("c@host", True, False, True),
        ("nobody knows", True, False, True),
        ("b@host", False, True, False),
    ]
    assert found["c@host"].parts == ((run.pk, 1),)
    later = timezone.now() + timedelta(minutes=5)
    assert not any(w.alive for w in workers(later))
    Worker.objects.update(seen_at=timezone.now() - timedelta(days=2))
    assert workers_forget() == 3


def test_many_at_once_say_what_was_done_and_what_was_refused(person: User) -> None:
    going, ended = make_run(50_000), make_run(50_000)
    run_cancel(run=ended)
    summary = runs_bulk(action="cancel", runs=[going.pk, ended.pk, going.pk, 10**9], actor=person)
    assert [d.id for d in summary.done] == [going.pk]
    assert [(r.id, r.code) for r in summary.refused] == [(ended.pk, "run_not_cancellable"), (10**9, "run_unknown")]
    assert ended.episode.title in summary.refused[0].title
    assert Audit.objects.filter(action="run.cancel", actor=person).count() == 1
    again = runs_bulk(action="retry", runs=[going.pk, ended.pk], actor=person)
    assert len(again.done) == 2
    top = runs_bulk(action="top", runs=[ended.pk, going.pk], actor=person)
    assert [d.run.priority for d in top.done] == [1, 2]


def test_many_episodes_are_analysed_and_runs_are_made_again_with_another_bundle(person: User) -> None:
    make_bundle("1")
    make_bundle("2")
    episodes = [make_episode(50_000) for _ in range(2)]
    without = make_episode()
    without.source = None
    without.save()
    summary = runs_bulk(
        action="analyse", episodes=[*(e.pk for e in episodes), without.pk], bundle="test-1", actor=person
    )
    assert [d.run.episode_id for d in summary.done] == [e.pk for e in episodes]
    assert [r.code for r in summary.refused] == ["episode_without_source"]
    for run in AnalysisRun.objects.all():
        complete_all(run)
        run_finalise(run.pk)
    first = summary.done[0].run
    fresh = runs_bulk(action="again", runs=[first.pk], bundle="test-2", actor=person).done[0].run
    assert (fresh.episode_id, str(fresh.bundle), fresh.status) == (first.episode_id, "test-2", RunStatus.QUEUED)
    complete_all(fresh)
    run_finalise(fresh.pk)
    runs_bulk(action="publish", runs=[fresh.pk], actor=person)
    assert Publication.objects.get(episode=first.episode_id, withdrawn_at__isnull=True).run_id == fresh.pk
    back = runs_bulk(action="rollback", runs=[fresh.pk], actor=person)
    assert back.done[0].run.pk == first.pk
    unknown = runs_bulk(action="again", runs=[first.pk], bundle="nobody")
    assert [r.code for r in unknown.refused] == ["bundle_unknown"]


@pytest.mark.parametrize(
    ("action", "runs", "episodes"),
    [("cancel", [], []), ("burn", [1], []), ("cancel", [], [1]), ("analyse", [1], [2]),
     ("cancel", list(range(1, MOST + 2)), [])],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_before_anything_is_done(
    action: str, runs: list[int], episodes: list[int]
) -> None:
    with pytest.raises(BulkInvalid):
        runs_bulk(action=action, runs=runs, episodes=episodes)


def test_of_workers_that_claim_at_once_each_gets_another_part() -> None:
    make_run(240_000)
    got = [segment_claim_next(f"worker {n}") for n in range(4)]
    assert sorted(c.index for c in got if c is not None) == [0, 1, 2, 3]
    assert RunEvent.objects.filter(kind="claimed").count() == 4
    assert not segments_due().exists()
    assert AnalysisRun.objects.get().segments.filter(status=SegmentStatus.RUNNING).count() == 4
