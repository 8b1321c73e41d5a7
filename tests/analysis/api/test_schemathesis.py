"""Requests made up from the schema: no fault of ours, no answer that is not described, whatever is asked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.analysis.api.operations import Made, make, operations
from tests.analysis.api.schemas import described, every_operation

NAMES = sorted(operation["operationId"] for _, _, operation in every_operation())
SAMPLE = ("episodes_list", "episodes_overlays", "query", "profiles_list", "corrections_create")
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
HAPPENS = [Phase.explicit, Phase.generate]


@pytest.fixture
def made() -> Iterator[Made]:
    """The application asked in this process keeps the test's connection, and its transaction."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield make()
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.django_db
def test_a_few_routes_answer_as_described_whatever_is_asked(made: Made) -> None:
    answered = {status for name in SAMPLE for status in _try(made, name, most=4)}
    assert {200, 400} <= answered, "what is made up is sometimes right and sometimes wrong"


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.django_db
@pytest.mark.parametrize("part", range(8))
def test_every_route_answers_as_described_whatever_is_asked(made: Made, part: int) -> None:
    faults = []
    for name in NAMES[part::8]:
        try:
            _try(made, name, most=60)
        except BaseExceptionGroup as error:
            faults.append(f"{name}: {error}")
    assert not faults, "\n\n".join(faults)


def _try(made: Made, name: str, most: int) -> set[int]:
    """The statuses that it answered with."""
    answered: set[int] = set()
    api: Any = schemathesis.openapi.from_dict(described())
    api.app = WSGIHandler()
    operation = next(
        o for o in (result.ok() for result in api.get_all_operations()) if o.definition.raw["operationId"] == name
    )
    asked = operations(made)[name]
    known = _known(operation.path, asked.path)
    query = dict(parse_qsl(asked.path.partition("?")[2]))
    headers = made.headers
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

        @seed(1)
        @settings(
            max_examples=most, deadline=None, database=None, phases=HAPPENS, suppress_health_check=list(HealthCheck)
        )
        @given(case=operation.as_strategy(generation_mode=mode), really=st.sampled_from([True, True, True, False]),
               staff=st.booleans())  # fmt: skip
        def tried(case: Any, really: bool, staff: bool) -> None:
            if really:
                case.path_parameters = {**(case.path_parameters or {}), **known}
                case.query.pop("limits", None)  # hardly any text made up is one
                case.query.update(query)
            case.query.pop("fields", None)  # leaves out what the form requires; tests of its own
            with transaction.atomic():
                response = case.call(headers=headers if staff else {})
                transaction.set_rollback(True)
            answered.add(response.status_code)
            case.validate_response(response, checks=CHECKS)

        tried()
    return answered


def _known(template: str, path: str) -> dict[str, Any]:
    """The ids in an address that leads somewhere."""
    pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(template))
    found = re.fullmatch(pattern, "/api/v1/" + path.partition("?")[0])
    assert found is not None, (template, path)
    return {k: int(v) if v.isdecimal() else v for k, v in found.groupdict().items()}
