"""How messages are sent: JSON with ids, acknowledged when the work is done, to queues that somebody reads."""

from __future__ import annotations

import os

import pytest

from analysis.services import messages
from toonemo_site.celery import ID_NAMES, _share_processors, app


def test_messages_are_json_and_results_are_rows() -> None:
    assert app.conf.accept_content == ["json"]
    assert app.conf.task_serializer == "json"
    assert app.conf.result_backend is None


def test_a_worker_that_dies_gives_its_message_back() -> None:
    assert app.conf.task_acks_late
    assert app.conf.task_reject_on_worker_lost
    assert app.conf.worker_prefetch_multiplier == 1


def test_the_clock_sends_the_sweep_to_a_queue_that_is_read() -> None:
    (entry,) = app.conf.beat_schedule.values()
    assert entry["task"] == messages.RUNS_SWEEP
    assert entry["options"]["queue"] == messages.DEFAULT


def test_the_names_that_are_bound_are_those_that_are_sent() -> None:
    assert set(ID_NAMES) == {
        messages.SEGMENT_ANALYSE,
        messages.RUN_FINALISE,
        messages.RUN_THUMBNAILS,
        messages.RUN_FIND_INDEX,
        messages.FIND_READ,
        messages.MOMENT_PICTURE,
        messages.UPLOAD_CHECK,
        messages.IMPORT_LOOK,
        messages.IMPORT_CARRY_OUT,
        messages.WEBHOOK_DELIVER,
    }


def test_every_task_that_is_sent_exists() -> None:
    app.loader.import_default_modules()
    assert {*ID_NAMES, messages.RUNS_SWEEP, messages.WATCH_LOOK} <= set(app.tasks)


@pytest.mark.parametrize(("children", "threads"), [(1, 4), (2, 2), (4, 1), (8, 1), (None, 1)])
def test_children_share_the_processors(children: int | None, threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1, 2, 3}, raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "")  # so that it is put back afterwards
    monkeypatch.delenv("OMP_NUM_THREADS")
    _share_processors(conf=app.conf, options={"concurrency": children})
    assert os.environ["OMP_NUM_THREADS"] == str(threads)
