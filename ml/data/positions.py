"""JSON with line numbers: the outer levels are walked by us, each label inside is decoded by the standard library.

So a file of half a gigabyte costs little more than ``json.loads``, and every label knows its line. An object is given
as a list of its items, so that a key given twice is not lost.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import Any

_SPACE = re.compile(r"[ \t\n\r]*")


_DECODER = json.JSONDecoder()
# Python refuses to read whole numbers of more than 4,300 digits; as floats they are infinite, and one label is bad.
_LONG_NUMBERS = json.JSONDecoder(parse_int=float)


class JsonBroken(ValueError):
    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line


@dataclass(frozen=True, slots=True)
class Item:
    """A value, the key it stands under (None in a list), and where its text lies."""

    key: str | None
    line: int
    start: int
    end: int


class LocatedJson:
    """``text`` is one JSON document. Every method raises JsonBroken where it is not."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._starts = [0, *(m.end() for m in re.finditer("\n", text))]
        self.top = self._whole()

    def items(self, item: Item) -> list[Item]:
        """The values in an object or a list, in order; nothing for any other value."""
        opening = self.text[item.start]
        if opening not in "{[":
            return []
        closing = "}" if opening == "{" else "]"
        at = self._skip(item.start + 1)
        found: list[Item] = []
        if self.text[at : at + 1] == closing:
            return found
        while True:
            key = None
            first = at
            if opening == "{":
                key, at = self._key(at)
            end = self._decode(at)[1]
            found.append(Item(key, self.line(first), at, end))
            at = self._skip(end)
            mark = self.text[at : at + 1]
            if mark == closing:
                return found
            if mark != ",":
                raise JsonBroken(self.line(at), f"expected a comma or {closing!r}")
            at = self._skip(at + 1)

    def value(self, item: Item) -> Any:
        return self._decode(item.start)[0]

    def kind(self, item: Item) -> str:
        return {"{": "object", "[": "list", '"': "text"}.get(self.text[item.start], "value")

    def get(self, item: Item, key: str) -> Item | None:
        """The last value under ``key``, as every other JSON reader has it."""
        return (
            next((i for i in reversed(self.items(item)) if i.key == key), None) if self.kind(item) == "object" else None
        )

    def line(self, offset: int) -> int:
        return bisect_right(self._starts, offset)

    def _whole(self) -> Item:
        start = self._skip(0)
        if start == len(self.text):
            raise JsonBroken(1, "the file is empty")
        _, end = self._decode(start)
        rest = self._skip(end)
        if rest != len(self.text):
            raise JsonBroken(self.line(rest), "text follows the end of the JSON document")
        return Item(None, self.line(start), start, end)

    def _decode(self, at: int) -> tuple[Any, int]:
        try:
            return _DECODER.raw_decode(self.text, at)
        except json.JSONDecodeError as error:
            raise JsonBroken(error.lineno, f"is not JSON: {error.msg} (column {error.colno})") from error
        except RecursionError as error:
            raise JsonBroken(self.line(at), "is nested too deeply") from error
        except ValueError:
            return _LONG_NUMBERS.raw_decode(self.text, at)

    def _key(self, at: int) -> tuple[str, int]:
        if self.text[at : at + 1] != '"':
            raise JsonBroken(self.line(at), "expected the name of a field in quotation marks")
        key, end = self._decode(at)
        colon = self._skip(end)
        if self.text[colon : colon + 1] != ":":
            raise JsonBroken(self.line(colon), "expected a colon")
        return str(key), self._skip(colon + 1)

    def _skip(self, at: int) -> int:
        match = _SPACE.match(self.text, at)
        return match.end() if match else at
