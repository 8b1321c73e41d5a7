from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.recommend import Sliders, arc_of, catalogue_of, features, scores_of, wanted_of
from analysis.recommend.features import BINS, Shown, features_of, updated
from analysis.recommend.score import arc_affinity, cast_affinity, expected_miss
from analysis.search.spans_sql import CALM_SWITCHES
from ml.timeline import Span
from ml.types import EMOTIONS, Emotion
from tests.analysis.recommend.made import made_catalogue, made_features

ANGRY = EMOTIONS.index(Emotion.ANGRY)


@settings(max_examples=30, deadline=None)
@given(st.floats(0, 1), st.floats(0.005, 0.2), st.floats(0, 1), st.sampled_from([-1, 0, 1]))
def test_the_expected_miss_is_the_mean_over_the_uncertainty(m: float, sd: float, w: float, side: int) -> None:
    """Against a sum over a fine grid of the normal distribution."""
    z = np.linspace(-8, 8, 40_001)
    density = np.exp(-0.5 * z * z)
    x = m + sd * z
    missed = {0: x - w, -1: np.maximum(0, x - w), 1: np.maximum(0, w - x)}[side]
    brute = float((density * missed**2).sum() / density.sum())
    assert float(expected_miss(np.array([m]), np.array([sd**2]), w, side)[0]) == pytest.approx(brute, abs=2e-6)


def test_of_two_with_the_same_share_the_surer_one_fits_better() -> None:
    catalogue = made_catalogue(3, 40, 8)
    sure = replace(
        catalogue.features(1), low=catalogue.features(1).share - 0.01, high=catalogue.features(1).share + 0.01
    )
    vague = replace(sure, episode=999, low=sure.share - 0.15, high=sure.share + 0.15)
    both = catalogue_of([*(catalogue.features(i) for i in range(40) if i != 1), sure, vague])
    scores = scores_of(wanted_of([catalogue.features(5)], Sliders(), both), both)
    assert scores.total[both.row_of[sure.episode]] > scores.total[both.row_of[999]]


@given(st.integers(0, 30), st.integers(-2, 2), st.integers(-2, 2))
@settings(max_examples=8, deadline=None)
def test_the_score_is_the_sum_of_its_terms_each_zero_on_average(seed: int, calmer: int, shorter: int) -> None:
    catalogue = made_catalogue(seed, 50, 6)
    scores = scores_of(
        wanted_of([catalogue.features(3)], Sliders(calmer=calmer, shorter=shorter), catalogue), catalogue
    )
    assert np.asarray(sum(scores.terms.values())) == pytest.approx(scores.total, abs=1e-4)
    for term, values in scores.terms.items():
        assert abs(float(values.mean())) < 1e-4, term
        assert scores.without(term) == pytest.approx(scores.total - values, abs=1e-4)


def test_an_episode_is_most_like_itself() -> None:
    catalogue = made_catalogue(4, 60, 6)
    for row in (0, 17, 42):
        wanted = wanted_of([catalogue.features(row)], Sliders(), catalogue)
        assert wanted.arc is not None
        assert wanted.cast is not None
        arcs, casts = arc_affinity(wanted.arc, catalogue), cast_affinity(wanted.cast, catalogue)
        assert int(arcs.argmax()) == row
        assert int(casts.argmax()) == row
        assert float(arcs[row]) == pytest.approx(1, abs=1e-4)
        assert float(casts[row]) == pytest.approx(1, abs=1e-4)


def test_calmer_puts_calmer_episodes_first() -> None:
    catalogue = made_catalogue(5, 400, 40)
    liked = [catalogue.features(int(catalogue.share[ANGRY].argmax()))]
    same, calmer = (scores_of(wanted_of(liked, Sliders(calmer=n), catalogue), catalogue).total for n in (0, 2))
    assert catalogue.calm[np.argsort(-calmer)[:20]].mean() > catalogue.calm[np.argsort(-same)[:20]].mean()


def test_an_emotion_that_a_bundle_cannot_express_counts_as_unknown_not_as_none() -> None:
    catalogue = made_catalogue(6, 40, 8)
    told = catalogue.features(2)
    share, low, high = (np.where(np.arange(7) == ANGRY, np.nan, x) for x in (told.share, told.low, told.high))
    others = [catalogue.features(i) for i in range(40) if i != 2]
    without = catalogue_of([*others, replace(told, share=share, low=low, high=high)])
    row = without.row_of[told.episode]
    assert float(without.mean[ANGRY, row]) == pytest.approx(without.usual[ANGRY])
    scores = scores_of(wanted_of([], Sliders(less_angry=2), without), without)
    none = catalogue_of([*others, replace(told, share=told.share * 0, low=told.low * 0, high=told.high * 0)])
    sure = scores_of(wanted_of([], Sliders(less_angry=2), none), none)
    assert scores.terms["angry"][row] < sure.terms["angry"][row]
    liked = wanted_of([without.features(row)], Sliders(), without)
    assert "angry" not in scores_of(liked, without).terms
    assert without.calm[row] == 0


def test_an_arc_divides_each_tenth_among_the_emotions_shown_in_it() -> None:
    spans = {
        Emotion.HAPPY: [Span(0, 15_000, 1.0)],
        Emotion.ANGRY: [Span(10_000, 15_000, 1.0), Span(95_000, 99_000, 1.0)],
    }
    arc = arc_of(spans, 100_000)
    happy, angry = EMOTIONS.index(Emotion.HAPPY), ANGRY
    assert arc.shape == (BINS, 7)
    assert (arc[0, happy], arc[1, happy], arc[1, angry], arc[9, angry]) == (1, 0.5, 0.5, 1)
    assert arc[2:9].sum() == 0


def test_features_weight_characters_by_readable_time() -> None:
    one = np.array([1.0, 0, 0, 0, 0, 0, 0])
    other = np.array([0.0, 1, 0, 0, 0, 0, np.nan])
    shown = [
        Shown(1, 30_000, one, one, one, 6.0, {}),
        Shown(2, 10_000, other, other, other, 2.0, {}),
    ]
    found = features_of(7, 3, 60_000, shown)
    assert found is not None
    assert found.share[:2] == pytest.approx([0.75, 0.25])
    assert found.share[6] == 0  # known of the first alone
    assert found.pace == pytest.approx(5)
    assert sum(float(p.sum()) for p in found.cast.values()) == pytest.approx(1)
    assert features_of(7, 3, 60_000, []) is None


def test_calmness_counts_as_search_counts_it() -> None:
    assert features.CALM_SWITCHES == CALM_SWITCHES


def test_a_catalogue_that_is_updated_is_the_one_made_anew() -> None:
    rng = np.random.default_rng(11)
    old = [made_features(rng, i, i % 4) for i in range(30)]
    new = [made_features(rng, i, i % 4) for i in (3, 7, 40, 41)]
    gone = (5, 40_000)
    changed = updated(catalogue_of(old), catalogue_of(new), gone)
    anew = catalogue_of([*(f for f in old if f.episode not in (3, 7, 5)), *new])
    for field in fields(anew):
        assert np.array_equal(getattr(changed, field.name), getattr(anew, field.name)), field.name


def test_a_catalogue_gives_back_what_was_put_in() -> None:
    catalogue = made_catalogue(7, 20, 4)
    for row in range(20):
        f = catalogue.features(row)
        assert sum(float(p.sum()) for p in f.cast.values()) == pytest.approx(1, abs=1e-5)
        assert set(f.cast) == {2 * f.series, 2 * f.series + 1}
        assert catalogue.row_of[f.episode] == row
