"""SQL finds what a plain evaluation finds, on random questions to random small catalogues."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

from analysis.limits import NO_LIMITS
from analysis.models import SceneEmotion
from analysis.search.query import (
    Atom,
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
    Years,
    settled,
)
from analysis.search.sql import Row, find
from ml.types import EMOTIONS, Emotion
from tests.analysis.brute_search import brute
from tests.analysis.limits.made import limits_random
from tests.analysis.search_world import World, store, world_random

PER_WORLD = 400
UNDER_LIMITS = 0.25  # of the questions
PEOPLE = ("tom", "jerry", "pip", "rosa")


def query_random(rng: random.Random) -> Query:
    """Any question that can be asked, with the numbers on which things turn."""
    while True:
        query = Query(
            rng.choice(list(Target)),
            rng.choice([Order.MOST, Order.MOST, *Order]),
            rng.choice([None, *EMOTIONS]),
            rng.choice([None, None, *PEOPLE]),
            tuple(_clause(rng) for _ in range(rng.choice([0, 0, 1, 2]))),
            tuple(_condition(rng) for _ in range(rng.choice([0, 1, 1, 1, 2]))),
        )
        limits = limits_random(rng) if rng.random() < UNDER_LIMITS else NO_LIMITS
        try:
            return replace(settled(query), limits=limits)
        except QueryInvalid:
            continue


def _clause(rng: random.Random) -> Any:
    return rng.choice(
        [
            Length(rng.choice(list(Of)), rng.choice(list(Op)), rng.choice([1_000, 5_000, 20_000, 60_000])),
            InSeries(rng.choice(["mice", "cats"])),
            Season(1),
            rng.choice([Years(1936, 1940), Years(None, 1940), Years(1941, None)]),
            Title(rng.choice(["storm", "cheese", "%", "_", "1"])),
        ]
    )


def _atom(rng: random.Random, *, named: bool = False) -> Atom:
    return Atom(rng.choice(PEOPLE if named else (None, None, *PEOPLE)), rng.choice(EMOTIONS[:4]))


def _condition(rng: random.Random) -> Condition:
    of, op = rng.choice(list(Of)), rng.choice(list(Op))
    match rng.randrange(5):
        case 0:
            return Shows(rng.choice(list(How)), _atom(rng))
        case 1:
            return ShareOf(of, _atom(rng), op, rng.choice([0, 10, 20, 50, 99, 100]))
        case 2:
            return Lasts(of, _atom(rng), op, rng.choice([500, 999, 1_000, 5_000]))
        case 3:
            return MoreThan(of, _atom(rng, named=True), rng.choice(PEOPLE))
        case _:
            relation = rng.choice(list(Relation))
            ms = rng.choice([1, 1_000, 20_000]) if relation is Relation.WITHIN or rng.random() < 0.5 else None
            return Together(of, _atom(rng), relation, _atom(rng), None if relation is Relation.WHILE else ms)


def _found(query: Query, rows: list[Row]) -> list[tuple[int, int | None, float]]:
    keys = {r.pk: r.pk for r in rows}
    plain = query.emotion is None and query.character is None and not query.about_result
    if query.finds_scenes and not (plain and query.target is Target.SCENES):
        keys = dict(SceneEmotion.objects.filter(pk__in=keys).values_list("pk", "scene_id"))
    return [(keys[r.pk], None if r.judged is None else int(r.judged.verdict), round(r.score, 6)) for r in rows]


def compare(world: World, query: Query) -> None:
    found = find(query)
    rows = _found(query, found.rows)
    wanted = sorted((key, verdict, round(score, 6)) for key, verdict, score in brute(world, query))
    assert [(k, v) for k, v, _ in sorted(rows)] == [(k, v) for k, v, _ in wanted], query
    assert [s for *_, s in sorted(rows)] == pytest.approx([s for *_, s in wanted], abs=2e-6), query
    places = [(-(r.judged.verdict if r.judged else 0), not r.enough, -round(r.score, 6)) for r in found.rows]
    if query.character is None or query.emotion is not None:  # by milliseconds in view, not by the share of the scene
        assert places == sorted(places), query
    if len(rows) % 4 == 0:  # now and then: an answer that is cut short begins as the whole one
        few = find(query, 3).rows
        assert [(r.pk, r.score) for r in few] == [(r.pk, r.score) for r in found.rows[:3]], query
    if found.counts is not None and not query.finds_scenes:
        assert sum(found.counts.values()) == len(rows)


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(4))
def test_sql_finds_what_a_plain_evaluation_finds(seed: int) -> None:
    world = store(world_random(seed))
    rng = random.Random(seed)
    for _ in range(PER_WORLD):
        compare(world, query_random(rng))


@pytest.mark.slow
@pytest.mark.timeout(3_600)
@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(100, 200))
def test_sql_finds_it_on_a_hundred_thousand_questions(seed: int) -> None:
    world = store(world_random(seed, shows=6))
    rng = random.Random(seed)
    for _ in range(1_000):
        compare(world, query_random(rng))


def test_random_questions_are_of_every_kind() -> None:
    rng = random.Random(1)
    queries = [query_random(rng) for _ in range(2_000)]
    assert {q.target for q in queries} == set(Target)
    assert {q.order for q in queries} == set(Order)
    kinds = {(type(c), q.finds_scenes) for q in queries for c in q.where}
    assert kinds == {(k, f) for k in (Shows, ShareOf, Lasts, MoreThan, Together) for f in (True, False)}
    assert Emotion.NEUTRAL in {q.emotion for q in queries}
