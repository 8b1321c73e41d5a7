"""A query as JSON and back: versioned, and refused by name where something in it is not known."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from analysis.search.query import (
    KINDS,
    MOST_MS,
    QUERY_VERSION,
    YEARS,
    Atom,
    Clause,
    Condition,
    How,
    InSeries,
    Lasts,
    Length,
    MoreThan,
    Of,
    Op,
    Order,
    Query,
    QueryInvalid,
    Relation,
    Season,
    ShareOf,
    Shows,
    Target,
    Title,
    Together,
    Words,
    Years,
    plain_text,
    settled,
)
from ml.types import Emotion

CONDITION_KINDS = (*How, "share", "lasts", "more_than", *Relation)
_KEYS = {"version", "target", "order", "emotion", "character", "clauses"}  # of version 1; version 2 added where


def query_to_json(query: Query) -> dict[str, Any]:
    return {
        "version": QUERY_VERSION,
        "target": str(query.target),
        "order": str(query.order),
        "emotion": None if query.emotion is None else str(query.emotion),
        "character": query.character,
        "clauses": [_clause_json(c) for c in query.clauses],
        "where": [condition_to_json(c) for c in query.where],
    }


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
        case Title(words) | Words(words):
            values = {"words": words}
    return {"kind": KINDS[type(clause)], **values}


def _atom_json(atom: Atom) -> dict[str, Any]:
    return {"character": atom.character, "emotion": str(atom.emotion)}


def condition_to_json(condition: Condition) -> dict[str, Any]:
    match condition:
        case Shows(how, atom):
            return {"kind": str(how), **_atom_json(atom)}
        case ShareOf(of, atom, op, percent):
            return {"kind": "share", "of": str(of), **_atom_json(atom), "op": str(op), "percent": percent}
        case Lasts(of, atom, op, ms):
            return {"kind": "lasts", "of": str(of), **_atom_json(atom), "op": str(op), "ms": ms}
        case MoreThan(of, atom, other):
            return {"kind": "more_than", "of": str(of), **_atom_json(atom), "than": other}
        case Together(of, first, relation, second, ms):
            both = {"first": _atom_json(first), "second": _atom_json(second)}
            return {"kind": str(relation), "of": str(of), **both, "ms": ms}


def query_from_json(data: object) -> Query:
    """The inverse of ``query_to_json``; it also reads version 1. Raises QueryInvalid."""
    if not isinstance(data, Mapping):
        raise QueryInvalid("A query is a JSON object.")
    version = data.get("version")
    if isinstance(version, bool) or version not in (1, QUERY_VERSION):
        raise QueryInvalid(f"version is {version!r}; this reads versions 1 and {QUERY_VERSION}.")
    _only(data, _KEYS | ({"where"} if version == QUERY_VERSION else set()), "A query")
    emotion = data.get("emotion")
    return settled(
        Query(
            target=_one_of(Target, data.get("target"), "target"),
            order=_one_of(Order, data.get("order", "most"), "order"),
            emotion=None if emotion is None else _one_of(Emotion, emotion, "emotion"),
            character=_who(data, "character"),
            clauses=tuple(_clause_from_json(c) for c in _listed(data, "clauses")),
            where=tuple(_condition_from_json(c) for c in _listed(data, "where")),
        )
    )


def _only(data: Mapping[Any, Any], keys: set[str], what: str) -> None:
    unknown = set(data) - keys
    if unknown:
        raise QueryInvalid(f"{what} has no {', '.join(sorted(map(str, unknown)))}.")


def _listed(data: Mapping[str, Any], name: str) -> list[Any]:
    found = data.get(name, [])
    if not isinstance(found, list) or len(found) > 100:
        raise QueryInvalid(f"{name} must be a list.")
    return found


def _one_of(kind: type[StrEnum], value: object, where: str) -> Any:
    try:
        return kind(value if isinstance(value, str) else "")
    except ValueError:
        raise QueryInvalid(f"{where} is {value!r}; it must be one of {', '.join(kind)}.") from None


def _who(data: Mapping[str, Any], name: str) -> str | None:
    return None if data.get(name) is None else _text(data, name)


def _whole(data: Mapping[str, Any], name: str, low: int, high: int) -> int:
    value = data.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise QueryInvalid(f"{name} is {value!r}; it must be a whole number from {low} to {high}.")
    return value


def _text(data: Mapping[str, Any], name: str) -> str:
    value = data.get(name)
    if not isinstance(value, str) or not value or len(value) > 120 or set(value) & set('"“”\x00'):
        raise QueryInvalid(f"{name} must be a slug, or null where it may be left out.")
    return value


def _clause_from_json(data: object) -> Clause:
    if not isinstance(data, Mapping):
        raise QueryInvalid("A clause is a JSON object.")
    kind = data.get("kind")
    match kind:
        case "length":
            _only(data, {"kind", "of", "op", "ms"}, "A length")
            return Length(
                _one_of(Of, data.get("of"), "of"), _one_of(Op, data.get("op"), "op"), _whole(data, "ms", 1, MOST_MS)
            )
        case "series":
            _only(data, {"kind", "slug"}, "A series clause")
            return InSeries(_text(data, "slug"))
        case "season":
            _only(data, {"kind", "number"}, "A season clause")
            return Season(_whole(data, "number", 0, 999))
        case "year":
            _only(data, {"kind", "first", "last"}, "A year clause")
            return _years(data)
        case "title":
            _only(data, {"kind", "words"}, "A title clause")
            return Title(_words(data))
        case "words":
            _only(data, {"kind", "words"}, "A words clause")
            return Words(_words(data))
    raise QueryInvalid(f"kind is {kind!r}; a clause is one of {', '.join(KINDS.values())}.")


def _words(data: Mapping[str, Any]) -> str:
    value = data.get("words")
    if not isinstance(value, str):
        raise QueryInvalid("words must be a text.")
    return plain_text(value)


def _years(data: Mapping[str, Any]) -> Years:
    first, last = (None if data.get(n) is None else _whole(data, n, *YEARS) for n in ("first", "last"))
    if first is None and last is None:
        raise QueryInvalid("A year clause needs first, last or both.")
    if first is not None and last is not None and first > last:
        raise QueryInvalid("first is after last.")
    return Years(first, last)


def _atom_from_json(data: object, keys: frozenset[str] = frozenset()) -> Atom:
    """``keys``: what else the object may hold."""
    if not isinstance(data, Mapping):
        raise QueryInvalid("A condition, its first and its second are JSON objects.")
    _only(data, {"character", "emotion", *keys}, "A condition" if keys else "first or second")
    return Atom(_who(data, "character"), _one_of(Emotion, data.get("emotion"), "emotion"))


def _condition_from_json(data: object) -> Condition:
    if not isinstance(data, Mapping):
        raise QueryInvalid("A condition is a JSON object.")
    kind = data.get("kind")
    if kind not in CONDITION_KINDS:
        raise QueryInvalid(f"kind is {kind!r}; a condition is one of {', '.join(CONDITION_KINDS)}.")
    if kind in tuple(How):
        return Shows(How(str(kind)), _atom_from_json(data, frozenset({"kind"})))
    of: Of = _one_of(Of, data.get("of", "episode"), "of")
    match kind:
        case "share":
            atom = _atom_from_json(data, frozenset({"kind", "of", "op", "percent"}))
            return ShareOf(of, atom, _one_of(Op, data.get("op"), "op"), _whole(data, "percent", 0, 100))
        case "lasts":
            atom = _atom_from_json(data, frozenset({"kind", "of", "op", "ms"}))
            return Lasts(of, atom, _one_of(Op, data.get("op"), "op"), _whole(data, "ms", 1, MOST_MS))
        case "more_than":
            return MoreThan(of, _atom_from_json(data, frozenset({"kind", "of", "than"})), _text(data, "than"))
    _only(data, {"kind", "of", "first", "second", "ms"}, f"“{kind}”")
    first, second = _atom_from_json(data.get("first")), _atom_from_json(data.get("second"))
    ms = None if data.get("ms") is None else _whole(data, "ms", 1, MOST_MS)
    return Together(of, first, Relation(str(kind)), second, ms)
