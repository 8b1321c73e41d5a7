from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from analysis.recommend import Sliders, catalogue_of, picks_of, pool_of, scores_of, wanted_of
from analysis.recommend.features import Catalogue, Ints
from analysis.recommend.rank import MOST_PER_SERIES, PER_SERIES_IN_POOL, once
from analysis.recommend.score import Scores
from tests.analysis.recommend.made import again, everything, made_catalogue


def scored(catalogue: Catalogue, liked: int = 0) -> Scores:
    return scores_of(wanted_of([catalogue.features(liked)], Sliders(), catalogue), catalogue)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 60), st.floats(0.05, 1))
def test_a_pool_is_the_best_of_what_may_be_seen(seed: int, size: int, part: float) -> None:
    """However few are visible, and in however many portions they are asked for."""
    catalogue = made_catalogue(seed, 200, 20)
    scores = scored(catalogue).total
    seen = np.random.default_rng(seed).random(200) < part
    asked: Counter[int] = Counter()

    def visible(ids: Ints) -> NDArray[np.bool_]:
        asked.update(ids.tolist())
        return np.asarray(seen[ids - 100])

    pool = pool_of(scores, catalogue, visible, np.arange(200) != 0, size)
    brute: list[int] = []
    many: Counter[int] = Counter()
    for row in sorted(range(1, 200), key=lambda r: (-scores[r], r)):
        if seen[row]:
            many[int(catalogue.series[row])] += 1
            brute += [row] if many[int(catalogue.series[row])] <= PER_SERIES_IN_POOL else []
    assert pool.tolist() == brute[:size]
    assert not asked or asked.most_common(1)[0][1] == 1


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 15))
def test_a_list_has_two_of_a_series_at_most_and_nothing_twice(seed: int, count: int) -> None:
    catalogue = made_catalogue(seed, 120, 6)
    scores = scored(catalogue)
    pool = pool_of(scores.total, catalogue, everything, np.arange(120) != 0)
    picks = picks_of(scores, pool, catalogue, count, liked=[0])
    assert len({p.row for p in picks}) == len(picks) == min(count, 12)
    assert max(Counter(int(catalogue.series[p.row]) for p in picks).values()) <= MOST_PER_SERIES
    assert picks == picks_of(scores, pool, catalogue, count, liked=[0])


def test_a_re_encode_of_what_is_liked_or_listed_is_not_offered() -> None:
    rng = np.random.default_rng(1)
    base = made_catalogue(8, 60, 30)
    best = int(np.argsort(-scored(base).total)[1])
    twice = again(base.features(best), 900, 77, rng)
    liked_again = again(base.features(0), 901, 78, rng)
    catalogue = catalogue_of([*(base.features(i) for i in range(60)), twice, liked_again])
    scores = scored(catalogue)
    pool = pool_of(scores.total, catalogue, everything, np.arange(62) != 0)
    assert {60, 61} <= set(pool.tolist())
    listed = [p.row for p in picks_of(scores, pool, catalogue, 12, liked=[0], alike=0.0)]
    assert 61 not in listed
    assert len({60, best} & set(listed)) == 1
    assert len(once(np.arange(60), catalogue)) == 60


def test_diversity_costs_score_and_brings_distance() -> None:
    catalogue = made_catalogue(9, 600, 300)
    scores = scored(catalogue)
    pool = pool_of(scores.total, catalogue, everything, np.arange(600) != 0)
    plain, mixed = (picks_of(scores, pool, catalogue, 10, alike=a) for a in (0.0, 3.0))
    assert [p.score for p in plain] == sorted((p.score for p in plain), reverse=True)
    assert sum(p.score for p in mixed) < sum(p.score for p in plain)

    def apart(rows: list[int]) -> float:
        shares = catalogue.share[:, rows].T
        return float(np.abs(shares[:, None] - shares).sum())

    assert apart([p.row for p in mixed]) > apart([p.row for p in plain])


def test_nothing_visible_gives_an_empty_list() -> None:
    catalogue = made_catalogue(1, 30, 5)
    scores = scored(catalogue)
    pool = pool_of(scores.total, catalogue, lambda ids: np.zeros(len(ids), dtype=bool), np.ones(30, dtype=bool))
    assert picks_of(scores, pool, catalogue, 10) == []
