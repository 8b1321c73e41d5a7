from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.recommend import Names, Sliders, picks_of, pool_of, reasons_of, scores_of, sentence, wanted_of
from analysis.recommend.reasons import words_of
from analysis.recommend.score import Scores
from tests.analysis.recommend.made import everything, made_catalogue


def place(totals: np.ndarray, row: int, others: np.ndarray) -> int:
    return int(((totals[others] > totals[row]) | ((totals[others] == totals[row]) & (others < row))).sum())


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 1000), st.integers(-2, 2), st.integers(0, 2))
def test_taking_the_named_reason_away_changes_the_order_as_claimed(seed: int, calmer: int, shorter: int) -> None:
    """For everybody: the episode then ranks at least as many places lower as the reason says."""
    catalogue = made_catalogue(seed, 150, 30)
    wanted = wanted_of([catalogue.features(0)], Sliders(calmer=calmer, shorter=shorter), catalogue)
    scores = scores_of(wanted, catalogue)
    pool = pool_of(scores.total, catalogue, everything, np.arange(150) != 0, 40)
    others = np.arange(1, 150)
    named = 0
    for pick in picks_of(scores, pool, catalogue, 10, liked=[0]):
        for reason in reasons_of(pick.row, scores, pool, wanted, catalogue, Names()):
            assert reason.value == float(scores.terms[reason.term][pick.row]) > 0
            without = Scores({t: v for t, v in scores.terms.items() if t != reason.term}, scores.without(reason.term))
            if reason.places:
                named += 1
                top = [int(r) for r in np.lexsort((np.arange(150), -scores.total)) if r in set(pool.tolist())]
                fell = place(without.total, pick.row, pool) - place(scores.total, pick.row, pool)
                assert fell == reason.places
                assert place(without.total, pick.row, others) >= top.index(pick.row) + reason.places
    assert named > 0


def test_a_sentence_has_the_numbers_of_the_terms() -> None:
    catalogue = made_catalogue(2, 150, 30)
    wanted = wanted_of([catalogue.features(0)], Sliders(calmer=2, shorter=1), catalogue)
    scores = scores_of(wanted, catalogue)
    pool = pool_of(scores.total, catalogue, everything, np.arange(150) != 0)
    names = Names({100: "Night Train"}, {int(c): f"Character {c}" for c in catalogue.member_character})
    said = {}
    for row in pool.tolist():
        for reason in reasons_of(row, scores, pool, wanted, catalogue, names):
            said[reason.term] = (row, reason.words)
    row, words = said["angry"]
    share, high = catalogue.share[2, row], catalogue.high[2, row]
    assert f"angry {100 * share:.0f} %" in words
    assert f"to {100 * high:.0f} %)" in words
    assert f"at most {100 * wanted.share[2]:.0f} %" in words
    over, under = int(catalogue.share[2].argmax()), int(catalogue.share[2].argmin())
    assert "nearer than usual to the at most" in words_of("angry", over, wanted, catalogue, names)
    assert "was asked for" in words_of("angry", under, wanted, catalogue, names)
    assert "like that of Night Train" in said["arc"][1]
    same_series = int(np.flatnonzero(catalogue.series == catalogue.series[0])[1])
    assert " are in it too, showing " in words_of("cast", same_series, wanted, catalogue, names)
    assert "asked for" in said["length"][1]
    assert "expressions begin per minute" in said["pace"][1]


def test_a_list_of_equals_claims_no_reason() -> None:
    assert sentence([]) == "Nothing speaks for it more than for a usual episode."
