"""Errors as problem details (RFC 9457): one sentence and a stable code, never a stack trace."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404, UnreadablePostError
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler, set_rollback

from analysis.errors import AnalysisError, EpisodeHidden, TooManyStreams
from analysis.hidden_words import hidden_json
from analysis.limits import LimitsInvalid
from analysis.search.query import QueryInvalid
from catalog.access.errors import AccessError
from catalog.errors import CatalogError, PlanChanged

logger = structlog.get_logger(__name__)

CHECKSUM_MISMATCH = 460  # of tus; HTTP itself has no such status
PROBLEM_JSON = "application/problem+json"
STATUS_OF: Mapping[str, int] = {
    "bundle_unknown": HTTPStatus.NOT_FOUND,
    "character_unknown": HTTPStatus.BAD_REQUEST,
    "episode_not_rated": HTTPStatus.BAD_REQUEST,
    "episode_unknown": HTTPStatus.NOT_FOUND,
    "limits_unreadable": HTTPStatus.FORBIDDEN,
    "find_refused": HTTPStatus.BAD_REQUEST,
    "find_busy": HTTPStatus.TOO_MANY_REQUESTS,
    "recommendation_invalid": HTTPStatus.BAD_REQUEST,
    "run_config_invalid": HTTPStatus.BAD_REQUEST,
    "priority_invalid": HTTPStatus.BAD_REQUEST,
    "queue_unknown": HTTPStatus.BAD_REQUEST,
    "bulk_invalid": HTTPStatus.BAD_REQUEST,
    "too_many_streams": HTTPStatus.SERVICE_UNAVAILABLE,
    "correction_invalid": HTTPStatus.BAD_REQUEST,
    "sample_impossible": HTTPStatus.BAD_REQUEST,
    "character_invalid": HTTPStatus.BAD_REQUEST,
    "example_invalid": HTTPStatus.BAD_REQUEST,
    "webhook_invalid": HTTPStatus.BAD_REQUEST,
    "answer_invalid": HTTPStatus.BAD_REQUEST,
    "certification_unknown": HTTPStatus.NOT_FOUND,
    "upload_invalid": HTTPStatus.BAD_REQUEST,
    "upload_unknown": HTTPStatus.NOT_FOUND,
    "upload_expired": HTTPStatus.GONE,
    "upload_overflow": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "upload_busy": HTTPStatus.LOCKED,
    "upload_checksum": CHECKSUM_MISMATCH,
    "uploads_too_many": HTTPStatus.TOO_MANY_REQUESTS,
    "video_empty": HTTPStatus.BAD_REQUEST,
    "file_too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "disk_full": HTTPStatus.INSUFFICIENT_STORAGE,
    "storage_failed": HTTPStatus.INTERNAL_SERVER_ERROR,
    "folder_forbidden": HTTPStatus.NOT_FOUND,
    "folder_unreadable": HTTPStatus.CONFLICT,
    "list_invalid": HTTPStatus.BAD_REQUEST,
    "name_unusable": HTTPStatus.BAD_REQUEST,
    "nothing_to_import": HTTPStatus.BAD_REQUEST,
    "import_too_large": HTTPStatus.BAD_REQUEST,
    "import_unknown": HTTPStatus.NOT_FOUND,
    "import_choice_invalid": HTTPStatus.BAD_REQUEST,
    "cursor_invalid": HTTPStatus.BAD_REQUEST,
    "cursor_stale": HTTPStatus.GONE,
}
CODE_OF: Mapping[int, str] = {
    400: "invalid_request",
    401: "not_authenticated",
    403: "permission_denied",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    415: "unsupported_media_type",
    429: "throttled",
}


def problem(status: int, code: str, detail: str, headers: Mapping[str, str] | None = None, **more: Any) -> Response:
    """``type`` names the kind of problem for machines; ``docs/errors.md`` has an entry for every code."""
    body = problem_body(status, code, detail, **more)
    return Response(body, status=status, headers=dict(headers or {}), content_type=PROBLEM_JSON)


def problem_body(status: int, code: str, detail: str, **more: Any) -> dict[str, Any]:
    return {
        "type": f"urn:toonemo:problem:{code}",
        "title": "Checksum Mismatch" if status == CHECKSUM_MISMATCH else HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        **more,
    }


def handle(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """REST framework's hook. What is our fault is logged with its stack, which the client never sees."""
    if isinstance(error, EpisodeHidden):
        return problem(HTTPStatus.NOT_FOUND, error.code, str(error), **hidden_json(error.hidden))
    if isinstance(error, AnalysisError | CatalogError):
        set_rollback()
        later = {"Retry-After": str(error.retry_after_s)} if isinstance(error, TooManyStreams) else None
        more: dict[str, Any] = {"changes": error.changes} if isinstance(error, PlanChanged) else {}
        return problem(STATUS_OF.get(error.code, HTTPStatus.CONFLICT), error.code, str(error), later, **more)
    if isinstance(error, AccessError):
        return problem(error.status, error.code, str(error))
    if isinstance(error, LimitsInvalid):
        return problem(HTTPStatus.BAD_REQUEST, error.code, str(error))
    if isinstance(error, QueryInvalid):
        return problem(HTTPStatus.BAD_REQUEST, "query_invalid", str(error))
    if isinstance(error, RequestDataTooBig):
        return problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body_too_large", str(error))
    if isinstance(error, SuspiciousOperation | UnreadablePostError):
        return problem(HTTPStatus.BAD_REQUEST, "invalid_request", "The request cannot be read.")
    answer = exception_handler(error, dict(context))
    if answer is None:
        if settings.DEBUG:
            return None  # Django's own page is of more use to whoever is at work on it
        set_rollback()
        logger.error("api_fault", view=type(context.get("view")).__name__, exc_info=error)
        return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "internal", "Something broke on our side; it was logged.")
    headers = {name: value for name, value in answer.items() if name in ("WWW-Authenticate", "Retry-After", "Allow")}
    code = CODE_OF.get(answer.status_code, "invalid_request")
    if isinstance(error, exceptions.ValidationError):
        return problem(
            400, code, "The request is not valid; errors says where.", headers, errors=error.get_full_details()
        )
    return problem(answer.status_code, code, _sentence(error, answer), headers)


def _sentence(error: Exception, answer: Response) -> str:
    if isinstance(error, Http404):
        return "There is nothing at this address."
    if isinstance(error, PermissionDenied):
        return "You may not do that."
    return str(answer.data.get("detail", HTTPStatus(answer.status_code).phrase) if answer.data else "")
