"""The work as somebody sees it who follows it: a real worker, a real server, and streams of events between them."""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx
import pytest

from tests.workers.chaos_world import until
from tests.workers.live_world import PARTS, SEGMENT_MS, LiveWorld, following

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def world() -> Iterator[LiveWorld]:
    world = LiveWorld()
    try:
        world.begin()
        until(lambda: any(w["alive"] for w in world.api("GET", "queue/")["workers"]), 60, "a worker to tell of itself")
        yield world
    finally:
        world.stop()


def test_a_run_is_told_from_request_to_publication(world: LiveWorld) -> None:
    with following(world) as follower:
        run = world.analyse()
        world.ended(run)
        until(lambda: "published" in follower.kinds(run), 20, "the end to be told")
    kinds = follower.kinds(run)
    assert kinds == ["requested", *["claimed", "done"] * PARTS, "ended", "published"]
    shares = [p["progress"] for p in follower.progress(run)]
    assert len(set(shares)) > PARTS, "progress is told within parts too"
    assert any(p["film_per_second"] for p in follower.progress(run))
    worker = next(d["worker"] for _, e, _, d in follower.events if e == "run" and d["kind"] == "claimed")
    told = world.api("GET", "queue/")
    assert [w["name"] for w in told["workers"] if w["alive"]] == [worker]
    pictures = world.ask("SELECT id, name, faces FROM analysis_runpicture WHERE run_id = %s", run)
    assert pictures
    assert all((world.media / name).read_bytes()[:3] == b"\xff\xd8\xff" for _, name, _ in pictures)
    assert {f["character"] for _, _, faces in pictures for f in faces} <= {"tom", "jerry", None}
    address = f"{world.address}/runs/{run}/pictures/{pictures[0][0]}"
    assert httpx.get(address).status_code == 302
    seen = httpx.get(address, cookies={"sessionid": world.session})
    assert (seen.status_code, seen.headers["content-type"]) == (200, "image/jpeg")


def test_a_cancelled_run_stops_within_two_seconds_and_the_page_says_so(world: LiveWorld) -> None:
    with following(world) as follower:
        run = world.analyse()
        until(lambda: "claimed" in follower.kinds(run), 60, "a part to be begun")
        time.sleep(1)
        begun = time.monotonic()
        page = httpx.get(f"{world.address}/runs/{run}/", cookies={"sessionid": world.session})
        cookies = {"sessionid": world.session, "csrftoken": page.cookies["csrftoken"]}
        answer = httpx.post(
            f"{world.address}/runs/{run}/cancel",
            cookies=cookies,
            headers={"X-CSRFToken": cookies["csrftoken"], "Referer": world.address},
        )
        assert answer.status_code == 302
        until(lambda: "ended" in follower.kinds(run), 20, "the end to be told")
        told_after = time.monotonic() - begun
    took = world.one("SELECT extract(epoch FROM finished_at - cancel_requested_at) FROM analysis_analysisrun"
                     " WHERE id = %s", run)  # fmt: skip
    print(f"cancelled after {took:.2f} s, told after {told_after:.2f} s")  # noqa: T201
    assert took < 2.0
    assert told_after < 5.0
    page = httpx.get(f"{world.address}/runs/{run}/", cookies={"sessionid": world.session})
    assert "Cancelled" in page.text
    assert follower.kinds(run)[-3:] == ["cancel", "stopped", "ended"]


def test_paused_work_waits_over_restarts_and_goes_on_in_the_order_that_was_set(world: LiveWorld) -> None:
    with following(world) as follower:
        first = world.analyse()
        until(lambda: "claimed" in follower.kinds(first), 60, "a part to be begun")
        world.api("POST", "queue/pause/", queue="inference", reason="others need the machine")
        until(lambda: world.one("SELECT count(*) FROM analysis_segment WHERE status = 'running'") == 0, 30, "the end")
        until(lambda: follower.kinds(first)[-1:] == ["done"], 20, "what was under way to be finished")
        done = follower.kinds(first).count("done")
        world.worker_kill()
        world.worker_start()
        until(lambda: any(w["alive"] for w in world.api("GET", "queue/")["workers"]), 60, "a worker")
        other = world.driver("request", world.episode, "fake-1", SEGMENT_MS // 2)
        time.sleep(4)
        assert follower.kinds(other) == ["requested"]
        world.api("POST", f"runs/{other}/priority/", to="top")
        told = world.api("GET", "queue/")
        assert [w["run"] for w in told["waiting"]] == [other, first]
        assert [q["reason"] for q in told["queues"] if q["paused"]] == ["others need the machine"]
        world.api("POST", "queue/resume/", queue="inference")
        world.ended(other)
        world.ended(first)
        until(lambda: "ended" in follower.kinds(first), 20, "the end to be told")
    order = [d["run"] for _, e, _, d in follower.events if e == "run" and d["kind"] == "claimed"]
    after = order[order.index(other) :]
    assert after == [other] * (2 * PARTS) + [first] * (PARTS - done), "the one that was moved goes first"


def test_who_was_cut_off_gets_what_was_missed_and_each_event_once(world: LiveWorld) -> None:
    with following(world) as follower:
        run = world.analyse()
        until(lambda: "done" in follower.kinds(run), 60, "a part to be done")
        assert world.site is not None
        world.site.kill()
        world.site.wait()
        until(lambda: world.one("SELECT count(*) FROM analysis_runevent WHERE run_id = %s", run) >= 7, 60, "more")
        world.site_start()
        world.ended(run)
        until(lambda: "ended" in follower.kinds(run), 30, "the end to be told")
    ids = [place for _, _, place, _ in follower.events if place]
    assert len(ids) == len(set(ids)), "no event comes twice"
    rows = world.ask("SELECT kind FROM analysis_runevent WHERE run_id = %s AND kind <> 'published' ORDER BY id", run)
    assert [k for k in follower.kinds(run) if k != "published"] == [kind for (kind,) in rows]
    with following(world, f"runs/{run}/events/") as again:
        until(lambda: 204 in again.statuses or again.times > 3, 30, "the stream of an ended run to end")
    assert again.kinds(run) == []


def test_streams_never_use_up_the_threads(world: LiveWorld) -> None:
    headers = {"Authorization": world.token}
    address = f"{world.address}/api/v1/runs/events/"
    with httpx.stream("GET", address, headers=headers), httpx.stream("GET", address, headers=headers):
        third = httpx.get(address, headers=headers)
        assert (third.status_code, third.json()["code"]) == (503, "too_many_streams")
        assert int(third.headers["Retry-After"]) > 0
        assert httpx.get(f"{world.address}/runs/", timeout=10).status_code == 200
    until(lambda: _opens(address, headers), 30, "a closed stream to free its place")


def _opens(address: str, headers: dict[str, str]) -> bool:
    with httpx.stream("GET", address, headers=headers) as answer:
        return answer.status_code == 200
