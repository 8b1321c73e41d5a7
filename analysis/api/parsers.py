"""JSON from strangers. What would break something further in is refused here, by name."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import IO, Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser


class SafeJSONParser(JSONParser):
    """Refuses bodies that are too long, too deeply nested, or hold what is no text or no number."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 2**21
        content = stream.read(most + 1)
        if len(content) > most:
            raise RequestDataTooBig(f"The body is longer than {most} bytes.")
        try:
            text = content.decode("utf-8")
            found = json.loads(text, parse_constant=_no_number, parse_float=_finite)
            for said in _texts(found):
                said.encode("utf-8")  # half of a character, written as an escape, is none
                if "\x00" in said:
                    raise ValueError("it holds the character NUL.")
        except RecursionError:
            raise ParseError("The JSON is nested too deeply.") from None
        except UnicodeError:
            raise ParseError("The body holds what is no text in UTF-8.") from None
        except ValueError as error:
            raise ParseError(f"The body is no JSON: {error}") from None
        return found


def _texts(found: Any) -> Iterator[str]:
    """Every text in it, keys too."""
    waiting = [found]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, list):
            waiting.extend(one)
        elif isinstance(one, dict):
            waiting.extend(one)
            waiting.extend(one.values())


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number.")


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError(f"{text[:20]} is too large.")
    return number
