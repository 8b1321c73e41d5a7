"""The OpenAPI description: what every route has in common is said here once, and examples are put in.

``analysis/api/examples/OPERATION.json`` holds what a route was asked and answered in the tests' catalogue:
``{"request": body or null, "status": 200, "answer": body}``. Tests hold each against the schema, and against the route.
"""

from __future__ import annotations

import json
import re
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any

from drf_spectacular.openapi import AutoSchema

from analysis.api import fields
from analysis.api.problems import CODE_OF, PROBLEM_JSON, problem_body

EXAMPLES = Path(__file__).with_name("examples")
V1 = "/api/v1/"
TAGS = {
    "episodes": "Episodes, and what is read of one: over time, as subtitles, drawn over its picture",
    "series": "Series",
    "characters": "Characters, and what is usual for each over its episodes",
    "profiles": "Ratings: what a character shows in an episode, with the evidence",
    "scenes": "Scenes, and what each character shows in them",
    "search": "Questions in plain words",
    "query": "Questions as JSON",
    "find": "Draw to find: moments that look like a picture",
    "recommendations": "What is like this but calmer, and evenings",
    "export": "Everything at once, as a stream",
    "corrections": "What people say of single faces",
    "faces": "Faces to ask people about, one after another, and what they say",
    "agreement": "How far people agree",
    "runs": "Analyses, their progress, which one an episode shows",
    "queue": "What waits for workers",
    "bundles": "Models",
    "uploads": "Files that are sent in pieces (tus 1.0)",
    "imports": "Previews of what would be added, and adding it",
    "tokens": "Tokens of one's own",
    "audit": "Who did what, and when",
    "webhooks": "Other programs that are told what happens",
}
# Which answers any route may give besides its own; the sentences are examples.
ALWAYS = {
    400: "The request is not valid; errors says where.",
    401: "Invalid token.",
    403: "You may not do that.",
    404: "There is nothing at this address.",
    406: "Could not satisfy the request Accept header.",
    429: "Request was throttled. Expected available in 7 seconds.",
}
WITH_BODY = {
    413: "The body is longer than 2621440 bytes.",
    415: 'Unsupported media type "text/plain" in request.',
}
DETAILS = {
    411: "Say with Content-Length how many bytes the piece has.",
    412: "Say which version of tus you speak: the header Tus-Resumable with 1.0.0.",
    422: "The Idempotency-Key was sent with another request before.",
    423: "Somebody else sends to this upload.",
    460: "The piece does not have the checksum that was sent with it.",
    500: "Something broke on our side; it was logged.",
    503: "Too many streams are open.",
    507: "There is no room for the file.",
    409: "It cannot be done as things stand; code and detail say why.",
    410: "The cursor is older than a day. Begin the list again.",
}
CODES = {
    409: "run_not_cancellable",
    410: "cursor_stale",
    411: "length_required",
    412: "tus_version",
    413: "body_too_large",
    422: "idempotency_key_reused",
    423: "upload_busy",
    460: "upload_checksum",
    500: "internal",
    503: "too_many_streams",
    507: "disk_full",
}
PATHS = {
    "id": "Id, as the list gives it",
    "other": "Id of the one that it is compared with",
    "slug": "Slug, as the list gives it",
    "token": "The token that was answered",
    "delivery": "Id of a delivery",
    "position": "Which file of the preview, from 1",
}
ID = {"type": "integer", "minimum": 0, "maximum": 10**18 - 1}
DESCRIPTIONS = {
    304: "As it was when the ETag in If-None-Match was sent",
    400: "The request cannot be read: code and errors say where",
    401: "The token or session is none, or no longer valid",
    403: "The role or the token does not allow it, or the limits of the browser cannot be read",
    404: "Nothing is there, or it is not shown, or limits hide it",
    406: "The answer has no such form",
    409: "Not as things stand, or a request with the same Idempotency-Key is being done",
    410: "It is no longer there: an upload that expired, or a cursor that can no longer be followed",
    411: "The length of the body must be said",
    412: "The protocol is spoken in another version",
    422: "The Idempotency-Key belongs to another request",
    423: "It is in use at this moment",
    460: "The checksum is another (tus)",
    500: "Ours: it was logged",
    503: "Too much at once: Retry-After says how long to wait",
    507: "Ours: there is no room",
    413: "The body is too long",
    415: "The body has a form that is not read",
    429: "Too many requests: Retry-After says how long to wait",
}


class ApiSchema(AutoSchema):
    """Summaries out of docstrings; ``fields`` where a view can choose them."""

    def get_override_parameters(self) -> list[Any]:
        view: Any = self.view
        selectable = self.method == "GET" and view.selectable() is not None
        return [*super().get_override_parameters(), *([fields.PARAMETER] if selectable else [])]

    def get_description(self) -> str:  # type: ignore[override]
        return re.sub(r"``", "`", super().get_description() or "")

    def get_summary(self) -> str:
        action = getattr(self.view, "action", None)
        tag = self.get_tags()[0]
        if action == "list":
            return f"List {tag}"
        if action == "retrieve":
            return f"Show one of the {tag}"
        sentence, *_ = re.split(r"(?<=[.:])\s", self.get_description().strip(), maxsplit=1)
        return sentence.rstrip(".:")


def complete(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """drf-spectacular's hook, which runs last."""
    responses = result["components"].setdefault("responses", {})
    for path, methods in result["paths"].items():
        for method, operation in methods.items():
            if path.startswith(V1):
                _paths(operation)
                _general(operation, method, responses)
                _examples(operation)
    used = {tag for methods in result["paths"].values() for one in methods.values() for tag in one["tags"]}
    tags = [tag for tag in TAGS if tag in used] + sorted(used - set(TAGS))
    result["tags"] = [{"name": tag, "description": TAGS.get(tag, tag.capitalize())} for tag in tags]
    return result


def _paths(operation: dict[str, Any]) -> None:
    """What stands for a part of the address."""
    for parameter in operation.setdefault("parameters", []):
        if parameter["in"] == "path":
            name = parameter["name"]
            parameter.setdefault("description", PATHS.get(name, name))
            if name in ("id", "other", "delivery"):
                parameter["schema"] = ID


def _general(operation: dict[str, Any], method: str, shared: dict[str, Any]) -> None:
    answers = operation["responses"]
    statuses = set(ALWAYS) | (set(WITH_BODY) if "requestBody" in operation else set())
    if method == "post":
        statuses |= {409, 422}
    statuses |= {int(status) for status in answers if int(status) >= 400}
    if any(parameter["name"] == "cursor" for parameter in operation.get("parameters", [])):
        statuses.add(410)
    for status in sorted(statuses):
        name = f"Problem{status}"
        shared.setdefault(name, _problem(status))
        answers[str(status)] = {"$ref": f"#/components/responses/{name}"}
    if method == "get" and "200" in answers and "text/event-stream" not in answers["200"].get("content", {}):
        tag = {"description": "Of this answer; send it in If-None-Match", "schema": {"type": "string"}}
        shared.setdefault("Unchanged", {"description": DESCRIPTIONS[304], "headers": {"ETag": tag}})
        answers["304"] = {"$ref": "#/components/responses/Unchanged"}
        answers["200"].setdefault("headers", {})["ETag"] = tag
    operation["responses"] = dict(sorted(answers.items()))


def _problem(status: int) -> dict[str, Any]:
    code = {**CODE_OF, **CODES}.get(status, "invalid_request")
    detail = {**ALWAYS, **WITH_BODY, **DETAILS}.get(status, "It cannot be done; code says why.")
    more = {"errors": {"fields": [{"message": "There is no field “x”.", "code": "invalid"}]}} if status == 400 else {}
    body = problem_body(status, code, detail, **more)
    form = {"$ref": "#/components/schemas/Problem"}
    found: dict[str, Any] = {
        "description": DESCRIPTIONS.get(status) or HTTPStatus(status).phrase,
        "content": {PROBLEM_JSON: {"schema": form, "examples": {code: {"value": body}}}},
    }
    if status in (429, 503):
        wait = {"description": "Seconds until the next request may come", "schema": {"type": "integer", "minimum": 0}}
        found["headers"] = {"Retry-After": wait}
    return found


def _examples(operation: dict[str, Any]) -> None:
    """A route without a file has none, which a test says."""
    found = example_of(operation["operationId"])
    if found is None:
        return
    if found["request"] is not None:
        for content in operation.get("requestBody", {}).get("content", {}).values():
            content.setdefault("examples", {"example": {"value": found["request"]}})
    for content in operation["responses"].get(str(found["status"]), {}).get("content", {}).values():
        content.setdefault("examples", {"example": {"value": found["answer"]}})


@cache
def example_of(operation: str) -> dict[str, Any] | None:
    file = EXAMPLES / f"{operation}.json"
    if not file.is_file():
        return None
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found
