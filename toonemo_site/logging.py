"""Structured logs: an event is a constant string, everything else is a keyword, ids are bound once.

Lines are JSON in production and readable on a console.
"""

from __future__ import annotations

import logging.config
import re
import time
import uuid
from collections.abc import Callable
from typing import Any

import structlog
from django.http import HttpRequest, HttpResponse

_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
    structlog.processors.UnicodeDecoder(),
]
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
FORMATS = ("console", "json")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_QUIET = ("/healthz", "/readyz", "/static/")


def logging_config(*, level: str, json: bool) -> dict[str, Any]:
    """For ``logging.config.dictConfig``; ``configure`` applies it."""
    renderer: list[Any]
    if json:
        renderer = [structlog.processors.dict_tracebacks, structlog.processors.JSONRenderer(ensure_ascii=False)]
    else:
        # Not as rich draws them where it happens to be installed: slowly, and with the values of all variables.
        renderer = [structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)]
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": [*_SHARED, structlog.stdlib.ExtraAdder()],
        "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"structured": formatter},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django.server": {"level": "WARNING"},  # RequestLogMiddleware says it better
            "celery": {"level": level},
            # A task writes one line about itself; that it was received and returned is said no more than when asked.
            "celery.worker.strategy": {"level": "DEBUG" if level == "DEBUG" else "WARNING"},
            "celery.app.trace": {"level": "DEBUG" if level == "DEBUG" else "WARNING"},
            "celery.beat": {"level": "DEBUG" if level == "DEBUG" else "WARNING"},
            "kombu": {"level": "WARNING"},
            "amqp": {"level": "WARNING"},
        },
    }


def configure(config: dict[str, Any]) -> None:
    """Django's LOGGING_CONFIG: the standard library's side first, then structlog on top of it."""
    logging.config.dictConfig(config)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


class RequestLogMiddleware:
    """Binds a request's id to everything that is logged while it is answered, and writes one line about it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.log = structlog.get_logger("toonemo.request")

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            started = time.monotonic()
            response = self.get_response(request)
            if not request.path.startswith(_QUIET):
                self.log.info(
                    "request_answered",
                    method=request.method,
                    path=request.path,
                    status=response.status_code,
                    ms=round(1000 * (time.monotonic() - started)),
                )
        response["X-Request-ID"] = request_id
        return response
