"""Killing a worker, flushing or killing Redis and restarting Postgres in the middle of a run lose nothing and double
nothing: the rows afterwards equal those of an undisturbed run. Real processes, on a Postgres and a Redis of their own.

``TOONEMO_CHAOS_TIMES=20 pytest tests/workers/test_chaos.py`` (``make test-chaos``) does each of them 20 times.
"""

from __future__ import annotations

import hashlib
import os
import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.workers.chaos_world import World, alive, descendants, until
from tests.workers.clips import write_clip

TIMES = int(os.environ.get("TOONEMO_CHAOS_TIMES", "1"))
CLIP_S = 12
SEGMENT_MS = 2000
PARTS = CLIP_S * 1000 // SEGMENT_MS
ENDS_WITHIN_S = 90.0

pytestmark = [pytest.mark.timeout(600)]
rounds = pytest.mark.usefixtures("turn")


class Stage:
    """The world, the episode in it, and what an undisturbed run of it leaves behind."""

    def __init__(self, world: World, episode: int) -> None:
        self.world = world
        self.episode = episode
        self.expected: dict[str, list[tuple[Any, ...]]] = {}

    def request(self) -> int:
        return int(self.world.driver("request", self.episode, "fake-1", SEGMENT_MS))

    def in_the_middle(self) -> int:
        """A run of which some parts are done, one is at work and others wait."""
        run = self.request()
        self.world.worker_ensure()
        until(lambda: self._stands(run), 60, "a run in its middle")
        return run

    def _stands(self, run: int) -> bool:
        count = dict(self.world.ask("SELECT status, count(*) FROM analysis_segment WHERE run_id = %s GROUP BY 1", run))
        working = self.world.ask(
            "SELECT 1 FROM analysis_segment WHERE run_id = %s AND status = 'running'"
            " AND lease_expires_at > now() + interval '1 second'",
            run,
        )
        return count.get("done", 0) >= 1 and count.get("pending", 0) >= 2 and bool(working)

    def end(self, run: int) -> None:
        sql = "SELECT finished_at IS NOT NULL FROM analysis_analysisrun WHERE id = %s"
        until(lambda: self.world.one(sql, run), ENDS_WITHIN_S, f"run {run} to end; {self.tail()}")

    def tail(self) -> str:
        return self.world.log.read_text(errors="replace")[-3000:]

    def assert_undisturbed(self, run: int) -> None:
        found = self.world.rows(run)
        assert set(found) == set(self.expected)
        for name, rows in self.expected.items():
            assert found[name] == rows, f"{name} differ in run {run}"
        doubled = (
            "SELECT count(*) FROM (SELECT 1 FROM analysis_facedetection WHERE run_id = %s"
            " GROUP BY pts_ms, box_x1, box_y1, box_x2, box_y2 HAVING count(*) > 1) AS twice"
        )
        assert self.world.one(doubled, run) == 0

    def attempts(self, run: int) -> list[int]:
        sql = "SELECT attempts FROM analysis_segment WHERE run_id = %s ORDER BY index"
        return [n for (n,) in self.world.ask(sql, run)]


@pytest.fixture(scope="module", params=range(TIMES))
def turn(request: pytest.FixtureRequest) -> int:
    """Of the module, so that pytest goes through all tests before it begins the next round."""
    return int(request.param)


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    world = World()
    try:
        world.start()
        clip = world.media / "clip.mp4"
        write_clip(clip, CLIP_S)
        digest = hashlib.sha256(clip.read_bytes()).hexdigest()
        stage = Stage(world, world.driver("prepare", clip.name, CLIP_S * 1000, digest))
        run = stage.request()
        world.worker_start()
        stage.end(run)
        stage.expected = world.rows(run)
        yield stage
    finally:
        world.stop()


def test_an_undisturbed_run_finds_something_to_compare(stage: Stage) -> None:
    expected = stage.expected
    assert expected["run"][0][:2] == ("succeeded", False)
    assert expected["run"][0][2] == CLIP_S * 24
    assert len(expected["segments"]) == PARTS
    assert len(expected["detections"]) > 100
    assert len(expected["shots"]) >= 3
    assert {row[0] for row in expected["profiles"]} == {"tom", "jerry"}
    assert expected["scene_emotions"]
    assert any(row[4] is None for row in expected["detections"])


@rounds
def test_kill_9_of_the_worker_and_all_it_started(stage: Stage) -> None:
    run = stage.in_the_middle()
    stage.world.worker_kill()
    stage.world.worker_start()
    stage.end(run)
    stage.assert_undisturbed(run)
    assert max(stage.attempts(run)) == 2


@rounds
def test_kill_9_of_the_worker_alone(stage: Stage) -> None:
    run = stage.in_the_middle()
    orphans = stage.world.parent_kill()
    until(lambda: not any(alive(pid) for pid in orphans), 15, "what a dead worker had started to end")
    stage.world.worker_start()
    stage.end(run)
    stage.assert_undisturbed(run)


@rounds
def test_kill_9_of_the_pool_process_alone(stage: Stage) -> None:
    run = stage.in_the_middle()
    orphans = stage.world.pool_kill()
    until(lambda: not any(alive(pid) for pid in orphans), 15, "the decoder of a dead worker to end")
    stage.end(run)
    stage.assert_undisturbed(run)


@rounds
def test_redis_is_flushed(stage: Stage) -> None:
    run = stage.in_the_middle()
    with stage.world.redis() as client:
        client.flushall()
        assert client.llen("inference") == 0
    stage.end(run)
    stage.assert_undisturbed(run)
    assert stage.attempts(run) == [1] * PARTS


@rounds
def test_kill_9_of_the_beat_and_redis_is_flushed(stage: Stage) -> None:
    run = stage.in_the_middle()
    stage.world.beat_kill()
    with stage.world.redis() as client:
        client.flushall()
    stage.end(run)
    stage.assert_undisturbed(run)


@rounds
def test_redis_is_killed_and_comes_back_empty(stage: Stage) -> None:
    run = stage.in_the_middle()
    stage.world.redis_restart()
    stage.end(run)
    stage.assert_undisturbed(run)


@rounds
def test_postgres_is_restarted_at_once(stage: Stage) -> None:
    run = stage.in_the_middle()
    stage.world.postgres_restart()
    stage.end(run)
    stage.assert_undisturbed(run)


@rounds
def test_a_worker_that_is_asked_to_stop_hands_its_segment_back(stage: Stage) -> None:
    run = stage.in_the_middle()
    worker = stage.world.worker
    assert worker is not None
    below = descendants(worker.pid)
    begun = time.monotonic()
    worker.send_signal(signal.SIGTERM)
    worker.wait(timeout=30)
    assert time.monotonic() - begun < 15
    until(lambda: not any(alive(pid) for pid in below), 10, "what the worker had started to end")
    assert stage.world.ask("SELECT 1 FROM analysis_segment WHERE status = 'running'") == []
    stage.world.worker_start()
    stage.end(run)
    stage.assert_undisturbed(run)
    assert stage.attempts(run) == [1] * PARTS


@rounds
def test_a_cancelled_run_stops_within_two_seconds(stage: Stage) -> None:
    run = stage.in_the_middle()
    stage.world.driver("cancel", run)
    asked = "SELECT finished_at - cancel_requested_at FROM analysis_analysisrun WHERE id = %s"
    until(lambda: stage.world.one(asked, run) is not None, 10, "the run to be cancelled")
    left = "SELECT count(*) FROM analysis_segment WHERE run_id = %s AND status NOT IN ('done', 'cancelled')"
    assert stage.world.one(left, run) == 0
    assert stage.world.one("SELECT status FROM analysis_analysisrun WHERE id = %s", run) == "cancelled"
    assert stage.world.one(asked, run).total_seconds() < 2.0
