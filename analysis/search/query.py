"""The JSON query: what words become and what SQL is made from. Typed, versioned, and checked when read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

from ml.types import Emotion

QUERY_VERSION = 1
MOST_MS = 24 * 3_600_000
YEARS = (1880, 2100)


class QueryInvalid(ValueError):
    """A JSON query is not one; ``str`` says where."""


class Target(StrEnum):
    SCENES = "scenes"
    MOMENTS = "moments"
    EPISODES = "episodes"
    CHARACTERS = "characters"


class Order(StrEnum):
    MOST = "most"
    LEAST = "least"


class Op(StrEnum):
    LT = "lt"
    LE = "le"
    GT = "gt"
    GE = "ge"


class Of(StrEnum):
    """Whose length: the episode's, or that of the scene or moment that is found."""

    EPISODE = "episode"
    RESULT = "result"


@dataclass(frozen=True, slots=True)
class Length:
    of: Of
    op: Op
    ms: int


@dataclass(frozen=True, slots=True)
class InSeries:
    slug: str


@dataclass(frozen=True, slots=True)
class Season:
    number: int


@dataclass(frozen=True, slots=True)
class Years:
    """Both ends included; None: open."""

    first: int | None
    last: int | None


@dataclass(frozen=True, slots=True)
class Title:
    """The title contains these words, letter case aside."""

    words: str


Clause: TypeAlias = Length | InSeries | Season | Years | Title
KINDS: dict[type[Clause], str] = {Length: "length", InSeries: "series", Season: "season", Years: "year", Title: "title"}


@dataclass(frozen=True, slots=True)
class Query:
    """``clauses`` all hold; they are in canonical order, so that equal questions are equal queries."""

    target: Target
    order: Order = Order.MOST
    emotion: Emotion | None = None
    character: str | None = None
    clauses: tuple[Clause, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "version": QUERY_VERSION,
            "target": str(self.target),
            "order": str(self.order),
            "emotion": None if self.emotion is None else str(self.emotion),
            "character": self.character,
            "clauses": [_clause_json(c) for c in self.clauses],
        }


def canonical(clauses: list[Clause]) -> tuple[Clause, ...]:
    """Without repetitions, in one order."""
    kinds = list(KINDS)
    return tuple(sorted(dict.fromkeys(clauses), key=lambda c: (kinds.index(type(c)), repr(c))))


def _clause_json(clause: Clause) -> dict[str, Any]:
    match clause:
        case Length(of, op, ms):
            values: dict[str, Any] = {"of": str(of), "op": str(op), "ms": ms}
        case InSeries(slug):
            values = {"slug": slug}
        case Season(number):
            values = {"number": number}
        case Years(first, last):
            values = {"first": first, "last": last}
        case Title(words):
            values = {"words": words}
    return {"kind": KINDS[type(clause)], **values}


def query_from_json(data: object) -> Query:
    """The inverse of ``to_json``. Raises QueryInvalid."""
    if not isinstance(data, Mapping):
        raise QueryInvalid("A query is a JSON object.")
    if data.get("version") != QUERY_VERSION:
        raise QueryInvalid(f"version is {data.get('version')!r}; this reads version {QUERY_VERSION}.")
    unknown = set(data) - {"version", "target", "order", "emotion", "character", "clauses"}
    if unknown:
        raise QueryInvalid(f"A query has no {', '.join(sorted(map(str, unknown)))}.")
    character = data.get("character")
    if character is not None and not isinstance(character, str):
        raise QueryInvalid("character must be a slug or null.")
    clauses = data.get("clauses", [])
    if not isinstance(clauses, list):
        raise QueryInvalid("clauses must be a list.")
    emotion = data.get("emotion")
    return Query(
        target=_one_of(Target, data.get("target"), "target"),
        order=_one_of(Order, data.get("order", "most"), "order"),
        emotion=None if emotion is None else _one_of(Emotion, emotion, "emotion"),
        character=character,
        clauses=canonical([_clause_from_json(c) for c in clauses]),
    )


def _one_of(kind: type[StrEnum], value: object, where: str) -> Any:
    try:
        return kind(str(value) if isinstance(value, str) else "")
    except ValueError:
        raise QueryInvalid(f"{where} is {value!r}; it must be one of {', '.join(kind)}.") from None


def _whole(data: Mapping[str, Any], name: str, low: int, high: int) -> int:
    value = data.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise QueryInvalid(f"{name} is {value!r}; it must be a whole number from {low} to {high}.")
    return value


def _text(data: Mapping[str, Any], name: str) -> str:
    value = data.get(name)
    if not isinstance(value, str) or not value or len(value) > 300 or "\x00" in value:
        raise QueryInvalid(f"{name} must be a text of 1 to 300 characters.")
    return value


def _clause_from_json(data: object) -> Clause:
    if not isinstance(data, Mapping):
        raise QueryInvalid("A clause is a JSON object.")
    match data.get("kind"):
        case "length":
            return Length(
                _one_of(Of, data.get("of"), "of"), _one_of(Op, data.get("op"), "op"), _whole(data, "ms", 1, MOST_MS)
            )
        case "series":
            return InSeries(_text(data, "slug"))
        case "season":
            return Season(_whole(data, "number", 0, 999))
        case "year":
            first, last = (None if data.get(n) is None else _whole(data, n, *YEARS) for n in ("first", "last"))
            if first is None and last is None:
                raise QueryInvalid("A year clause needs first, last or both.")
            return Years(first, last)
        case "title":
            return Title(_text(data, "words"))
        case other:
            raise QueryInvalid(f"kind is {other!r}; it must be one of {', '.join(KINDS.values())}.")
