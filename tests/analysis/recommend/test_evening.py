from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.recommend import Evening, NoEvening, Sliders, catalogue_of, evening_of, scores_of, wanted_of
from analysis.recommend.features import Catalogue, Singles
from tests.analysis.recommend.made import everything, made_catalogue, made_features


def totals_of(catalogue: Catalogue) -> Singles:
    return scores_of(wanted_of([catalogue.features(0)], Sliders(), catalogue), catalogue).total


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.integers(5, 60))
def test_an_evening_is_the_best_of_all_possible(seed: int, minutes: int) -> None:
    """Against every subset of a small catalogue."""
    catalogue = made_catalogue(seed, 9, 4)
    totals = totals_of(catalogue)
    found = evening_of(totals, catalogue, everything, np.ones(9, dtype=bool), minutes * 60_000)
    calm = catalogue.calm >= catalogue.calm_enough
    fitting = np.flatnonzero(catalogue.duration_ms <= minutes * 60_000)
    top = float(totals[fitting].max()) if len(fitting) else 0.0
    worth = np.exp(totals.astype(np.float64) - top) * catalogue.duration_ms
    seconds = -(-catalogue.duration_ms // 1000)
    best = 0.0
    for k in range(1, 10):
        for rows in combinations(range(9), k):
            of_series = np.bincount(catalogue.series[list(rows)])
            if seconds[list(rows)].sum() <= minutes * 60 and of_series.max() <= 2 and calm[list(rows)].any():
                best = max(best, float(worth[list(rows)].sum()))
    if best == 0.0:
        assert isinstance(found, NoEvening)
        return
    assert isinstance(found, Evening)
    assert found.worth == pytest.approx(best)
    assert found.worth <= found.bound + 1e-6
    assert found.total_ms <= minutes * 60_000


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 1000), st.integers(10, 120))
def test_an_evening_ends_calm_and_gets_calmer(seed: int, minutes: int) -> None:
    catalogue = made_catalogue(seed, 150, 12)
    found = evening_of(totals_of(catalogue), catalogue, everything, np.ones(150, dtype=bool), minutes * 60_000)
    if isinstance(found, NoEvening):
        assert found.shortest_ms is None or found.shortest_ms > minutes * 60_000
        return
    calm = [float(catalogue.calm[row]) for row in found.rows]
    assert calm == sorted(calm)
    assert calm[-1] >= catalogue.calm_enough
    assert found.total_ms == int(catalogue.duration_ms[list(found.rows)].sum()) <= minutes * 60_000
    assert np.bincount(catalogue.series[list(found.rows)]).max() <= 2
    assert found.worth <= found.bound + 1e-6


def test_what_does_not_fit_says_what_would() -> None:
    catalogue = made_catalogue(3, 40, 8)
    totals = totals_of(catalogue)
    calm = catalogue.calm >= catalogue.calm_enough
    none = evening_of(totals, catalogue, everything, np.ones(40, dtype=bool), 60_000)
    assert none == NoEvening("nothing_fits", int(catalogue.duration_ms[calm].min()))
    hidden = evening_of(totals, catalogue, lambda ids: np.zeros(len(ids), dtype=bool), np.ones(40, dtype=bool), 10**7)
    assert hidden == NoEvening("nothing_fits", None)
    lively = evening_of(totals, catalogue, everything, ~calm, 10**7)
    assert lively == NoEvening("no_calm_end", None)


def test_only_what_is_visible_is_planned() -> None:
    catalogue = made_catalogue(4, 200, 30)
    seen = np.random.default_rng(1).random(200) < 0.1
    found = evening_of(
        totals_of(catalogue), catalogue, lambda ids: seen[ids - 100], np.ones(200, dtype=bool), 7_200_000
    )
    assert isinstance(found, Evening)
    assert seen[list(found.rows)].all()


def test_the_calm_end_is_found_among_many_lively_ones_that_score_higher() -> None:
    rng = np.random.default_rng(5)
    features = [made_features(rng, i, i) for i in range(900)]
    catalogue = catalogue_of(features)
    lively_first = (-catalogue.calm).astype(np.float32)
    found = evening_of(lively_first, catalogue, everything, np.ones(900, dtype=bool), 3_600_000)
    assert isinstance(found, Evening)
    assert catalogue.calm[found.rows[-1]] >= catalogue.calm_enough


def test_what_nothing_is_known_of_is_not_calm() -> None:
    told = made_catalogue(6, 30, 10)
    unknown = replace(told, high=np.full_like(told.high, np.nan))
    found = evening_of(totals_of(told), unknown, everything, np.ones(30, dtype=bool), 10**7)
    assert found == NoEvening("no_calm_end", None)
