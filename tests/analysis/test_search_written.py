"""Questions written by hand, as parents, admins and clients type them, with the query that each means and its answer.

``queries/*.jsonl``: a line is one meaning with the ways to ask for it. The answers were worked out from the catalogue
in ``queries_world``; none was taken from what the code gives.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from analysis.models import SceneEmotion
from analysis.search.lexicon import Named, Registry
from analysis.search.parse import Parsed, parse
from analysis.search.query import Query, Target
from analysis.search.query_json import query_from_json
from analysis.search.sql import Row, find
from tests.analysis.queries_world import KEYS, queries_world
from tests.analysis.search_world import World, store

FOLDER = Path(__file__).with_name("queries")
KINDS = ("superlative", "universal", "compound", "catalogue")
LEAST_RIGHT = 0.99
WORLD = queries_world()
REGISTRY = Registry(
    tuple(Named(slug, name) for slug, name in WORLD.characters.items()),
    tuple(Named(slug, title) for slug, title in WORLD.series.items()),
)


@dataclass(frozen=True, slots=True)
class Written:
    """``query`` None: it must be refused, with ``code``. ``unused``: the words that must be said not to be used."""

    ask: str
    query: Query | None
    unused: tuple[str, ...]
    code: str | None
    answer: dict[str, list[str]]


def written(name: str) -> Iterator[Written]:
    for line in (FOLDER / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        query = query_from_json({"version": 2, **entry["means"]}) if "means" in entry else None
        for ask in entry["ask"]:
            yield Written(ask, query, tuple(entry.get("unused", ())), entry.get("code"), entry.get("answer", {}))


def _right(one: Written, parsed: Parsed) -> bool:
    code = None if parsed.refusal is None else parsed.refusal.code
    return (parsed.query, parsed.unused if parsed.query else (), code) == (one.query, one.unused, one.code)


def test_there_are_enough_of_every_kind() -> None:
    counts = {name: len(list(written(name))) for name in (*KINDS, "refused")}
    assert sum(counts[k] for k in KINDS) >= 400, counts
    assert min(counts[k] for k in KINDS) >= 80, counts
    assert counts["refused"] >= 100, counts
    asked = [one.ask for name in (*KINDS, "refused") for one in written(name)]
    assert len(asked) == len(set(asked))


@pytest.mark.parametrize("name", [*KINDS, "refused"])
def test_questions_are_understood_as_they_are_meant(name: str) -> None:
    """At least 99 % of each file; and none is confidently wrong: another query, with no word said to be unused."""
    all_of_them = [(one, parse(one.ask, REGISTRY)) for one in written(name)]
    wrong = [(one, parsed) for one, parsed in all_of_them if not _right(one, parsed)]
    told = [f"{one.ask!r}: {p.query or (p.refusal and p.refusal.message)} unused {p.unused}" for one, p in wrong]
    confident = [one.ask for one, p in wrong if p.query not in (None, one.query) and not p.unused]
    assert not confident, "\n".join(told)
    assert 1 - len(wrong) / len(all_of_them) >= LEAST_RIGHT, "\n".join(told)


@pytest.fixture
def world(db: None) -> World:
    return store(queries_world())


def _names(world: World, query: Query, rows: list[Row]) -> list[str]:
    """Episodes by their short names, scenes as ``Cheese 1``, characters by their slugs."""
    episodes = {s.pk: KEYS[s.title] for s in world.shows}
    if query.finds_scenes:
        shown = SceneEmotion.objects.select_related("scene").in_bulk([r.pk for r in rows])
        return [f"{episodes[r.episode_id]} {shown[r.pk].scene.index + 1}" for r in rows]
    characters = {pk: slug for slug, pk in world.character_pks.items()}
    named = characters if query.target is Target.CHARACTERS else episodes
    return [named[r.pk] for r in sorted(rows, key=_place)]


def _place(row: Row) -> tuple[Any, ...]:
    """The order that is shown, apart from differences of scores that are none."""
    return -(row.judged.verdict if row.judged else 0), not row.enough, -round(row.score, 6)


@pytest.mark.parametrize("name", [*KINDS, "refused"])
def test_answers_are_what_the_catalogue_holds(world: World, name: str) -> None:
    wrong: list[str] = []
    seen: set[Query] = set()
    for one in written(name):
        if one.query is None or one.query in seen:
            continue
        seen.add(one.query)
        rows = find(one.query).rows
        if "yes" in one.answer:
            got = {v: _names(world, one.query, [r for r in rows if r.judged and str(r.judged.verdict) == v])
                   for v in ("yes", "unknown", "no")}  # fmt: skip
            same = {v: sorted(n) for v, n in got.items()} == {v: sorted(n) for v, n in one.answer.items()}
        else:
            how, wanted = next(iter(one.answer.items()))
            found = _names(world, one.query, rows)
            same = found == wanted if how == "exactly" else sorted(found) == sorted(wanted)
            got = {how: found}
        if not same:
            wrong.append(f"{one.ask!r}: {got} instead of {one.answer}")
    assert not wrong, "\n".join(wrong)
