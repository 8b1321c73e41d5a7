from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest

from analysis.selectors.runs import RunProgress
from workers import waiting
from workers.waiting import bar, wait_for_runs

RUN = RunProgress(
    run_id=7,
    status="running",
    partial=False,
    total_ms=120_000,
    done_ms=30_000,
    drawings=100,
    faces=42,
    segments=2,
    segments_done=0,
    segments_failed=0,
    segments_running=1,
    rate=None,
    left_s=None,
)


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def states(monkeypatch: pytest.MonkeyPatch) -> list[RunProgress]:
    """What each look finds, the last for ever; time passes five seconds a look."""
    found: list[RunProgress] = []
    clock = [0.0]

    def look(ids: Any) -> dict[int, RunProgress]:
        now = found[0] if len(found) == 1 else found.pop(0)
        return {now.run_id: now}

    def sleep(seconds: float) -> None:
        clock[0] += 5

    monkeypatch.setattr(waiting, "runs_progress", look)
    monkeypatch.setattr(waiting, "work_under_way", lambda: 0)
    monkeypatch.setattr("workers.waiting.monotonic", lambda: clock[0])
    monkeypatch.setattr("workers.waiting.sleep", sleep)
    return found


def test_the_bar_says_how_much_how_fast_and_how_long() -> None:
    assert bar([RUN], 3.0) == "[######..................]  25%  0:30 of 2:00  42 faces  3.0x  30 s left"
    assert bar([RUN], 0.1).endswith("0.10x  15 min left")
    assert bar([RUN, replace(RUN, status="succeeded")], None) == (
        "[###############.........]  62%  2:30 of 4:00  84 faces"
    )
    assert "left" not in bar([replace(RUN, status="succeeded")], 1.5)
    assert bar([], None).startswith("[########################] 100%")


def test_waiting_ends_with_the_run(states: list[RunProgress]) -> None:
    states += [RUN, replace(RUN, done_ms=60_000), replace(RUN, status="succeeded", done_ms=120_000)]
    stream = _Terminal()
    assert [p.status for p in wait_for_runs([7], stream)] == ["succeeded"]
    lines = stream.getvalue().split("\r")
    assert len(lines) == 4
    assert "25%" in lines[1]
    assert "6.0x  10 s left" in lines[2]
    assert lines[3].endswith("\n")
    assert waiting.NO_WORKER not in stream.getvalue()


def test_where_no_worker_answers_it_says_so_once(states: list[RunProgress]) -> None:
    states.append(replace(RUN, status="queued", done_ms=0))
    stream = io.StringIO()
    assert [p.status for p in wait_for_runs([7], stream, timeout_s=60)] == ["queued"]
    assert stream.getvalue().count(waiting.NO_WORKER) == 1
    assert "\r" not in stream.getvalue()


def test_ctrl_c_ends_the_waiting_and_not_the_work(states: list[RunProgress], monkeypatch: pytest.MonkeyPatch) -> None:
    states.append(RUN)

    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("workers.waiting.sleep", interrupt)
    stream = io.StringIO()
    with pytest.raises(KeyboardInterrupt):
        wait_for_runs([7], stream)
    assert stream.getvalue().count(waiting.INTERRUPTED) == 1


def test_a_run_that_is_gone_is_not_waited_for(states: list[RunProgress]) -> None:
    states.append(RUN)
    assert wait_for_runs([8], io.StringIO()) == []
