"""The log of runs, its order for those who follow, and streams: what they say, when they end, how many there may be."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test import Client

from analysis.api import streams
from analysis.api.streams import EventStream, Timing, stream_take, streams_open
from analysis.errors import TooManyStreams
from analysis.models import RunEvent, RunEventKind
from analysis.selectors.run_events import Place, events_since, place_now, place_parse, run_log
from analysis.services.finalise import run_finalise
from analysis.services.leases import leases_reclaim, segment_cancel, segment_fail, segment_release
from analysis.services.queues import queue_pause, queue_resume
from analysis.services.run_events import MOST_EVENTS, event_record
from analysis.services.runs import run_cancel, run_retry
from tests.analysis.runs_helpers import claim, complete, complete_all, make_run
from tests.tokens import bearer

QUICK = Timing(poll_s=0.02, beat_s=0.1, lasts_s=0.3)


@pytest.fixture(autouse=True)
def nothing_open() -> Iterator[None]:
    streams._open.clear()
    yield
    assert streams_open() == 0, "a stream was not closed"


def _kinds(run: Any) -> list[str]:
    return [e.kind for e in reversed(run_log(run))]


@pytest.mark.django_db
def test_the_log_tells_the_life_of_a_run() -> None:
    person = User.objects.create_user("ada")
    run = make_run(100_000, requested_by=person)
    first, second = run.segments.all()
    complete(first, worker="one")
    segment_fail(claim(second, "two").token, "internal", "Broken.")
    segment_release(claim(second, "two").token)
    claim(second, "three")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE analysis_segment SET lease_expires_at = now() - interval '1 hour' WHERE lease_token IS NOT NULL"
        )
    leases_reclaim()
    token = claim(second, "four").token
    run_cancel(run=run, actor=person)
    segment_cancel(token)
    run_finalise(run.pk)
    run_retry(run=run, actor=person)
    complete(second, worker="five")
    run_finalise(run.pk)
    assert _kinds(run) == [
        "requested", "claimed", "done", "claimed", "try_again", "claimed", "released", "claimed", "lease_lost",
        "claimed", "cancel", "stopped", "ended", "retried", "claimed", "done", "ended", "published",
    ]  # fmt: skip
    log = {(e.kind, e.part): e for e in run_log(run)}
    assert log["requested", None].actor == person
    assert (log["try_again", 1].code, log["try_again", 1].detail, log["try_again", 1].worker) == (
        "internal", "Broken.", "two",
    )  # fmt: skip
    assert log["lease_lost", 1].worker == "three"


@pytest.mark.django_db
def test_of_a_run_not_everything_is_kept_for_ever() -> None:
    run, other = make_run(), make_run()
    for n in range(MOST_EVENTS + 50):
        event_record(run.pk, RunEventKind.CLAIMED, part=n)
    kept = RunEvent.objects.filter(run=run)
    assert MOST_EVENTS <= kept.count() <= MOST_EVENTS + 16
    assert kept.latest("id").part == MOST_EVENTS + 49
    assert RunEvent.objects.filter(run=other).count() == 1


@pytest.mark.django_db(transaction=True)
def test_what_is_committed_late_is_not_passed_over() -> None:
    """Ids are given out before commits: who goes by ids alone misses the slow one."""
    run = make_run()
    place = place_now()
    wrote, commit = threading.Event(), threading.Event()

    def slowly() -> None:
        try:
            with transaction.atomic():
                event_record(run.pk, RunEventKind.CLAIMED, part=1)
                wrote.set()
                commit.wait(20)
        finally:
            connection.close()

    thread = threading.Thread(target=slowly)
    thread.start()
    assert wrote.wait(20)
    event_record(run.pk, RunEventKind.CLAIMED, part=2)
    assert [e.part for e in _after(place)] == []
    commit.set()
    thread.join()
    first = _after(place)
    assert [e.part for e in first] == [1, 2]
    assert _after(Place(first[0].xact, first[0].pk))[0].part == 2
    assert _after(Place(first[1].xact, first[1].pk)) == []


def _after(place: Place) -> list[RunEvent]:
    return events_since(place)


def test_a_place_is_read_as_it_was_written_and_nothing_else_is_one() -> None:
    assert place_parse(str(Place(81, 5))) == Place(81, 5)
    for wrong in ("", "81", "81-", "-5", "81-5-6", "a-b", "81-5\n", "9" * 30 + "-1", "١-٢x"):
        assert place_parse(wrong) is None


def read(stream: Iterator[str]) -> list[tuple[str, str, Any]]:
    """(event, id, data) of each block; comments are left out."""
    found = []
    for block in "".join(stream).split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":") and ": " in line)
        if "event" in fields:
            found.append((fields["event"], fields.get("id", ""), json.loads(fields["data"])))
    return found


def _stream(last: str = "", **options: Any) -> list[tuple[str, str, Any]]:
    stream = EventStream(person=1, last=last, timing=QUICK, **options)
    try:
        return read(stream)
    finally:
        stream.close()


@pytest.mark.django_db(transaction=True)
def test_a_stream_tells_what_happens_and_goes_on_where_it_was_left() -> None:
    run = make_run(50_000)
    before = place_now()
    queue_pause(name="all", reason="a\nb")
    queue_resume(name="all")
    complete_all(run)
    run_finalise(run.pk)
    told = _stream(str(before))
    assert [(event, data.get("kind")) for event, _, data in told if event in ("run", "queue")] == [
        ("queue", "paused"), ("queue", "resumed"), ("run", "claimed"), ("run", "done"), ("run", "ended"),
        ("run", "published"),
    ]  # fmt: skip
    assert told[-1][0] == "end"
    middle = next(place for event, place, data in told if data.get("kind") == "claimed")
    rest = _stream(middle)
    assert [data.get("kind") for event, _, data in rest if event == "run"] == ["done", "ended", "published"]
    assert [event for event, _, _ in _stream()] == ["end"], "without a place it begins with what is new"


@pytest.mark.django_db(transaction=True)
def test_progress_is_told_once_and_a_stream_of_a_run_ends_with_it() -> None:
    run, other = make_run(50_000), make_run(50_000)
    before = place_now()
    told = _stream(str(before), run=run)
    assert [(event, data.get("run")) for event, _, data in told] == [("progress", run.pk), ("end", None)]
    assert told[0][2]["stage"] == "waiting"
    assert not told[-1][2]["ended"]
    complete_all(run)
    complete_all(other)
    run_finalise(run.pk)
    told = _stream(str(before), run=run)
    assert {data["run"] for event, _, data in told if event == "run"} == {run.pk}
    assert told[-1] == ("end", "", {"ended": True})


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("last", ["nonsense", "999999999999-1"])
def test_a_place_that_was_never_given_says_so(last: str) -> None:
    assert [event for event, _, _ in _stream(last)] == ["reset", "end"]


@pytest.mark.django_db(transaction=True)
def test_a_silent_stream_shows_that_it_lives() -> None:
    stream = EventStream(person=1, timing=QUICK)
    text = "".join(stream)
    stream.close()
    assert text.startswith("retry: 3000\n")
    assert ": still here\n\n" in text


def test_places_are_few_and_are_freed_once(settings: Any) -> None:
    settings.TOONEMO_STREAMS_PER_PROCESS = 3
    one, two = stream_take(1), stream_take(1)
    with pytest.raises(TooManyStreams, match="close one"):
        stream_take(1)
    three = stream_take(2)
    with pytest.raises(TooManyStreams, match="This process"):
        stream_take(3)
    one()
    one()
    stream_take(3)()
    two()
    three()


@pytest.mark.django_db(transaction=True)
def test_the_api_streams_to_those_who_look_after_runs(client: Client, settings: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(streams, "Timing", lambda: QUICK)
    run = make_run(50_000)
    addresses = ("/api/v1/runs/events/", f"/api/v1/runs/{run.pk}/events/")
    for address in addresses:
        assert client.get(address).status_code == 401
    nobody = bearer(User.objects.create_user("nobody"))
    staff = User.objects.create_user("staff", is_staff=True)
    token = bearer(staff)
    for address in addresses:
        assert client.get(address, headers=nobody).status_code == 403
        answer = client.get(address, headers={**token, "Accept": "text/event-stream"})
        assert answer.status_code == 200
        assert answer["Content-Type"] == "text/event-stream"
        assert (answer["Cache-Control"], answer["X-Accel-Buffering"]) == ("no-store", "no")
        assert streams_open() == 1
        body = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
        answer.close()
        assert "event: progress" in body
        assert client.head(address, headers=token).status_code == 200
    assert client.get("/api/v1/runs/7/events/", headers=token).status_code == 404
    settings.TOONEMO_STREAMS_PER_PROCESS = 0
    full = client.get(addresses[0], headers=token)
    assert (full.status_code, full["Retry-After"], full.json()["code"]) == (503, "15", "too_many_streams")
    settings.TOONEMO_STREAMS_PER_PROCESS = 4
    before = place_now()
    complete_all(run)
    run_finalise(run.pk)
    left = client.get(addresses[1], headers={**token, "Last-Event-ID": str(before)})
    events = read(part.decode() for part in left.streaming_content)  # type: ignore[attr-defined]
    left.close()
    last = [place for _, place, _ in events if place][-1]
    assert client.get(addresses[1], headers={**token, "Last-Event-ID": last}).status_code == 204
