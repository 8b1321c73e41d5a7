from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from django.conf import settings
from django.db import connection

from analysis.models import AnalysisRun, RunFeatures, SegmentStatus
from analysis.services.finalise import run_finalise
from analysis.services.leases import MOST_ATTEMPTS, segment_complete
from analysis.services.messages import INFERENCE
from tests.analysis.runs_helpers import claim, complete_all, make_result, make_run
from workers.sweep import Swept, queue_depth, runs_sweep
from workers.thumbnails import FOLDERS, pictures_forget

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("services")]


@pytest.fixture
def broker(services: None) -> Iterator[redis.Redis]:
    client = redis.Redis.from_url(settings.REDIS_URL)
    client.flushall()
    yield client
    client.flushall()
    client.close()


def _expire_all() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE analysis_segment SET lease_expires_at = now() - interval '1 hour' WHERE status = 'running'"
        )


def test_a_request_puts_one_message_per_segment_into_the_queue(broker: redis.Redis) -> None:
    run = make_run(150_000)
    assert queue_depth(INFERENCE) == run.segments.count() == 3
    body = broker.lrange("inference", 0, -1)[0]
    assert b"workers.segment_analyse" in body


def test_what_a_broker_forgot_is_sent_again_and_no_more(broker: redis.Redis) -> None:
    make_run(150_000)
    assert runs_sweep() == Swept(0, 0, 0)
    broker.flushall()
    assert runs_sweep() == Swept(0, 3, 0)
    assert runs_sweep() == Swept(0, 0, 0)
    assert queue_depth(INFERENCE) == 3


def test_results_of_before_recommendations_get_what_they_lack(broker: redis.Redis) -> None:
    run = make_run(50_000)
    complete_all(run)
    run_finalise(run.pk)
    RunFeatures.objects.all().delete()
    runs_sweep()
    assert RunFeatures.objects.get().run_id == run.pk


def test_a_segment_of_a_dead_worker_is_sent_again(broker: redis.Redis) -> None:
    run = make_run(50_000)
    claim(run.segments.get())
    broker.flushall()
    assert runs_sweep() == Swept(0, 0, 0)
    _expire_all()
    assert runs_sweep() == Swept(1, 1, 0)
    assert run.segments.get().status == SegmentStatus.PENDING


def test_a_run_that_nobody_finalised_is_asked_for_again(broker: redis.Redis) -> None:
    complete_all(make_run(50_000))
    broker.flushall()
    assert runs_sweep() == Swept(0, 0, 1)
    assert b"workers.run_finalise" in broker.lrange("default", 0, -1)[0]


def test_a_run_whose_last_part_kills_workers_still_ends(broker: redis.Redis) -> None:
    run = make_run(120_000)
    first, second = run.segments.all()
    assert segment_complete(claim(second).token, make_result(second.start_ms, second.end_ms))
    for _ in range(MOST_ATTEMPTS):
        claim(first)
        _expire_all()
        swept = runs_sweep()
    assert swept.finalised == 1
    assert AnalysisRun.objects.get(pk=run.pk).segments.get(pk=first.pk).error_code == "worker_lost"


@pytest.fixture
def media(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(settings, "MEDIA_ROOT", tmp_path / "media")
    return tmp_path / "media"


def test_pictures_go_with_their_run_and_nothing_else_does(broker: redis.Redis, media: Path, tmp_path: Path) -> None:
    assert pictures_forget() == 0  # nothing was ever written
    kept, gone = make_run(50_000), make_run(50_000)
    number = gone.pk
    pictures = [media / folder / str(run) / "7.jpg" for folder in FOLDERS for run in (kept.pk, number)]
    elsewhere = tmp_path / "elsewhere" / "7.jpg"
    strange = [media / "moments" / "notes" / "1.jpg", media / "sources" / str(number) / "film.mp4", elsewhere]
    for path in (*pictures, *strange):
        path.parent.mkdir(parents=True)
        path.write_bytes(b"picture")
    (media / "moments" / "999999").symlink_to(elsewhere.parent)
    assert pictures_forget() == 0
    gone.delete()
    runs_sweep()
    assert [p.exists() for p in pictures] == [True, False, True, False]
    assert all(p.exists() for p in strange)
    runs_sweep()  # not again within the hour, and nothing is left to do
    assert pictures_forget() == 0


def test_pictures_of_many_runs_go_in_parts(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.thumbnails.MOST_FORGOTTEN", 2)
    for number in range(900_001, 900_004):
        (media / "moments" / str(number)).mkdir(parents=True)
    assert [pictures_forget(), pictures_forget(), pictures_forget()] == [2, 1, 0]
