"""Log lines: JSON that a machine reads, ids in every line, no request's id in another's."""

from __future__ import annotations

import json
import logging

import pytest
import structlog
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from toonemo_site.celery import _bind, _unbind, app
from toonemo_site.logging import RequestLogMiddleware, logging_config


def line_of(record: logging.LogRecord) -> dict[str, object]:
    """As the JSON formatter of production writes it."""
    made = dict(logging_config(level="INFO", json=True)["formatters"]["structured"])
    formatter = made.pop("()")(**made)
    answer: dict[str, object] = json.loads(formatter.format(record))
    return answer


def test_a_line_of_ours_is_json_with_the_ids_that_are_bound(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="toonemo.test")
    with structlog.contextvars.bound_contextvars(request_id="r1"):
        structlog.get_logger("toonemo.test").info("episode_shown", episode=7)
    line = line_of(caplog.records[-1])
    assert line["event"] == "episode_shown"
    assert (line["request_id"], line["episode"], line["level"]) == ("r1", 7, "info")
    assert str(line["timestamp"]).endswith("Z")


def test_a_line_of_a_library_is_json_too_with_its_trace() -> None:
    try:
        raise ValueError("broken")
    except ValueError as error:
        record = logging.LogRecord("lib", logging.ERROR, __file__, 1, "went %s", ("wrong",), None)
        record.exc_info = (ValueError, error, error.__traceback__)
    line = line_of(record)
    assert line["event"] == "went wrong"
    assert "broken" in json.dumps(line["exception"])


@pytest.mark.parametrize(("given", "kept"), [("proxy-1", True), ("bad id\nwith a line", False), ("", False)])
def test_a_request_has_an_id_and_its_own_only(given: str, kept: bool) -> None:
    seen = []

    def view(request: HttpRequest) -> HttpResponse:
        seen.append(structlog.contextvars.get_contextvars()["request_id"])
        return HttpResponse()

    request = RequestFactory().get("/", headers={"X-Request-ID": given} if given else {})
    response = RequestLogMiddleware(view)(request)
    assert response["X-Request-ID"] == seen[0]
    assert (seen[0] == given) is kept
    assert "request_id" not in structlog.contextvars.get_contextvars()


def test_a_task_binds_the_id_that_it_is_about() -> None:
    task = app.tasks.get("workers.segment_analyse") or type("Task", (), {"name": "workers.segment_analyse"})
    _bind(task_id="t1", task=task, args=(42,))
    bound = structlog.contextvars.get_contextvars()
    _unbind()
    assert bound == {"task": "workers.segment_analyse", "task_id": "t1", "hint": 42}
    assert structlog.contextvars.get_contextvars() == {}
