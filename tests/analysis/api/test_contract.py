"""The schema says what every route takes and answers, and every route keeps to it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from analysis.api import streams
from analysis.api.problems import PROBLEM_JSON
from analysis.api.schema import EXAMPLES, TAGS, V1, example_of
from tests.analysis.api.operations import PNG, Asked, ask, make, operations, text_of
from tests.analysis.api.operations_access import operations_access
from tests.analysis.api.operations_work import make_work, operations_work
from tests.analysis.api.schemas import answer_content, described, every_operation, faults, operation_of, resolved
from tests.analysis.test_run_events import QUICK
from tests.catalog.conftest import fake_probe, media  # noqa: F401

WRITE = "TOONEMO_WRITE_EXAMPLES" in os.environ
NAMES = sorted(operation["operationId"] for _, _, operation in every_operation())
SECRETS = {r"toonemo_[\w-]{20,}": "toonemo_nobodys-token", r"whsec_[\w+/=]+": "whsec_bm9ib2R5cyBzZWNyZXQ="}
JSON = "application/json"


def test_the_schema_is_of_openapi_3_1() -> None:
    """That it is valid and made without a warning, ``test_api`` asserts."""
    assert described()["openapi"].startswith("3.1.")


@pytest.mark.parametrize("name", NAMES)
def test_every_route_is_described(name: str) -> None:
    operation = operation_of(name)
    assert 5 < len(operation["summary"]) <= 120
    assert operation["description"].strip()
    assert "``" not in operation["description"]
    assert set(operation["tags"]) <= set(TAGS)
    for parameter in operation["parameters"]:
        assert parameter["description"], f"{parameter['name']} is not described"
        assert {"type", "$ref", "oneOf", "anyOf"} & set(parameter["schema"]), f"{parameter['name']} has no type"
    assert {"400", "401", "403", "404", "406", "429"} <= set(operation["responses"])
    for status, answer in operation["responses"].items():
        if int(status) >= 400:
            assert set(resolved(answer)["content"]) <= {PROBLEM_JSON, JSON}


def test_every_get_can_be_asked_again_and_every_body_can_be_refused() -> None:
    for method, path, operation in every_operation():
        streamed = "text/event-stream" in operation["responses"].get("200", {}).get("content", {})
        if method == "get" and path.startswith(V1) and not streamed:
            assert "304" in operation["responses"], path
            assert "ETag" in operation["responses"]["200"]["headers"], path
        if "requestBody" in operation:
            assert {"413", "415"} <= set(operation["responses"]), path


@pytest.mark.parametrize("name", NAMES)
def test_every_route_has_examples_that_are_of_its_form(name: str) -> None:
    operation = operation_of(name)
    assert example_of(name) is not None, f"write {EXAMPLES.name}/{name}.json: see tests/analysis/api/operations.py"
    for kind, content in operation.get("requestBody", {}).get("content", {}).items():
        assert kind != JSON or content["examples"]
        for example in content.get("examples", {}).values():
            assert kind != JSON or faults(example["value"], content["schema"]) == []
    shown = 0
    for answer in map(resolved, operation["responses"].values()):
        for content in answer.get("content", {}).values():
            for example in content.get("examples", {}).values():
                assert faults(example["value"], content["schema"]) == []
                shown += 1
    assert shown > 0
    bodies = [a for s, a in operation["responses"].items() if s.startswith("2") and "content" in resolved(a)]
    assert all("examples" in content for answer in bodies for content in resolved(answer)["content"].values())


def test_no_example_is_of_a_route_that_there_is_not() -> None:
    assert {file.stem for file in EXAMPLES.glob("*.json")} <= set(NAMES)


@pytest.mark.django_db
@pytest.mark.usefixtures("fake_probe", "media")
def test_every_route_answers_as_the_schema_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked for real, one after the other, each undone again. Writes the examples where it is told to."""
    monkeypatch.setattr(streams, "Timing", lambda: QUICK)
    made = make()
    clients = {by_token: made.client(by_token=by_token) for by_token in (True, False)}
    table = operations(made) | operations_work(made, make_work(made)) | operations_access(made)
    assert sorted(table) == NAMES
    wrong: list[Any] = []
    for name, asked in table.items():
        with transaction.atomic():
            if asked.before is not None:
                asked.before(made)
            response = ask(clients[asked.by_token], asked)
            text = text_of(response)
            if asked.method == "get" and response.status_code == 200:
                wrong += [(name, fault) for fault in _untagged(clients[asked.by_token], asked, response)]
            transaction.set_rollback(True)
        if response.status_code != asked.status:
            wrong.append((name, response.status_code, text[:400]))
            continue
        wrong += [(name, fault) for fault in _wrong(name, asked, response.get("Content-Type", ""), text)]
        if WRITE:
            _write(name, asked, text, response)
    assert not wrong, "\n".join(map(str, wrong))


def _untagged(client: Client, asked: Asked, first: Any) -> list[str]:
    """What is wrong with how the answer may be kept, and with what is said to whoever has it already."""
    if "no-store" in first["Cache-Control"]:
        return ["a tag on what must not be kept"] if "ETag" in first else []
    tag, address = first["ETag"], f"/api/v1/{asked.path}"
    second = client.get(address, headers={"If-None-Match": tag})
    head = client.head(address)
    vary = {one.strip() for one in second["Vary"].split(",")}
    checks = {
        "304 with no body": (second.status_code, second.content) == (304, b""),
        "the same tag": second["ETag"] == tag,
        "the same by HEAD": head.get("ETag") == tag or "Tus-Resumable" in head,  # HEAD of uploads is the protocol's
        "asked again each time": all("no-cache" in r["Cache-Control"] for r in (first, second)),
        "kept for one reader": {"Accept", "Authorization", "Cookie"} <= vary,
        "another tag is answered": client.get(address, headers={"If-None-Match": '"other"'}).status_code == 200,
    }
    return [said for said, holds in checks.items() if not holds]


def _wrong(name: str, asked: Asked, kind: str, text: str) -> list[str]:
    operation = operation_of(name)
    answer = resolved(operation["responses"][str(asked.status)])
    if not text or "content" not in answer:
        return [] if not text and "content" not in answer else ["a body and no form of it, or a form and no body"]
    content = answer_content(operation, asked.status, kind.partition(";")[0])
    return faults(json.loads(text) if kind.startswith(JSON) else text, content["schema"])


def _write(name: str, asked: Asked, text: str, response: Any) -> None:
    is_json = bool(text) and response["Content-Type"].startswith(JSON)
    answer = (
        _short(json.loads(text))
        if is_json
        else "".join(text.splitlines(keepends=True)[: 3 if "export" in name else 12]) or None
    )
    body = asked.body
    if asked.form:
        body = {k: "(bytes of a picture)" if v == PNG else v for k, v in asked.body.items()}
    elif isinstance(body, bytes):
        body = "(bytes)"
    said = {"request": body, "status": asked.status, "answer": answer}
    EXAMPLES.mkdir(exist_ok=True)
    text = json.dumps(said, ensure_ascii=False, indent=1).replace("testserver", "toonemo.example") + "\n"
    for secret, example in SECRETS.items():
        text = re.sub(secret, example, text)
    (EXAMPLES / f"{name}.json").write_text(text, encoding="utf-8")


def _short(data: Any, deep: int = 0) -> Any:
    """Enough to see the form: of long lists the beginning."""
    if isinstance(data, dict):
        return {k: _short(v, deep + 1) for k, v in list(data.items())}
    if isinstance(data, list):
        most = 2 if data and isinstance(data[0], dict) else 12
        return [_short(one, deep + 1) for one in data[:most]]
    return round(data, 4) if isinstance(data, float) else data


def test_the_schema_of_one_process_is_that_of_the_next() -> None:
    call: Callable[[], Any] = described
    assert call() is call()
