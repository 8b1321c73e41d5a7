"""The API's own description, as tests read it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from toonemo_site.api import schema


@cache
def described() -> dict[str, Any]:
    return schema()


def every_operation() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(method, path, operation)."""
    for path, methods in described()["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def operation_of(name: str) -> dict[str, Any]:
    return next(operation for _, _, operation in every_operation() if operation["operationId"] == name)


def resolved(found: dict[str, Any]) -> dict[str, Any]:
    """What a reference to a component leads to."""
    if "$ref" not in found:
        return found
    _, section, name = found["$ref"].removeprefix("#/").split("/")
    target: dict[str, Any] = described()["components"][section][name]
    return target


def answer_content(operation: dict[str, Any], status: int, kind: str) -> dict[str, Any]:
    answer = resolved(operation["responses"][str(status)])
    content: dict[str, Any] = answer["content"][kind]
    return content


def faults(data: Any, form: dict[str, Any]) -> list[str]:
    """Where the data is not of the form."""
    whole = {**form, "components": described()["components"]}
    validator = Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER)
    return [f"{error.json_path}: {error.message[:200]}" for error in validator.iter_errors(data)]
