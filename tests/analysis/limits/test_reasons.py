"""Why an episode is hidden, and what would show it: true to the selector, on random catalogues."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.hidden_words import hidden_json, limits_words, reason_words
from analysis.limits import NO_LIMITS, NOTHING, limits_format, limits_parse
from analysis.limits.reasons import Bound, Evidence, Reason, loosened, percent_up, reasons_of
from analysis.selectors.episodes import episodes_annotated
from analysis.selectors.hidden import episodes_hidden, evidence_of, explain
from analysis.selectors.visible import episodes_visible
from tests.analysis.limits.made import limits_random
from tests.analysis.search_world import store, world_random


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(3))
def test_reasons_and_what_would_show_it_are_true(seed: int) -> None:
    store(world_random(seed, shows=12))
    rng = random.Random(seed)
    everything = list(episodes_annotated())
    evidence = evidence_of(everything)
    told = 0
    for _ in range(25):
        limits = limits_random(rng)
        visible = set(episodes_visible(limits).values_list("pk", flat=True))
        assert {e.pk for e in everything if not reasons_of(evidence[e.pk], limits)} == visible
        hidden = list(episodes_hidden(limits))
        assert {e.pk for e in hidden} == set(evidence) - visible
        for found in explain(hidden, limits):
            assert found.reasons
            assert all(reason_words(r, found).endswith(".") for r in found.reasons)
            assert found.would_show is not None
            assert episodes_visible(found.would_show).filter(pk=found.episode_id).exists()
            assert limits_format(limits) == hidden_json(found)["limits"]
            told += 1
    assert told > 30


EPISODE = Evidence(
    400_000,
    {("tom", "angry"): Bound(0.2312, 7_340, True), ("pip", "angry"): Bound(0.02, 900, True),
     ("tom", "sad"): Bound(0.4, 1_000, False), ("pip", "sad"): Bound(0.1, 0, True)},
    {"angry": "", "sad": "evidence", "happy": "not_modelled"},
)  # fmt: skip


@pytest.mark.parametrize(
    ("limits", "reasons", "would_show"),
    [
        ("angry<=10%", [("tom", 0.2312, None, "")], "angry<=24%"),
        ("angry<=23.12%", [], "angry<=23.12%"),
        ("angry<=10%, angry run<=5s", [("tom", 0.2312, 7_340, "")], "angry<=24%, angry run<=7.4s"),
        ("angry<=1%", [("pip", 0.02, None, ""), ("tom", 0.2312, None, "")], "angry<=24%"),
        ("pip:angry<=1%, length<=7min", [("pip", 0.02, None, "")], "pip:angry<=2%, length<=7min"),
        ("sad<=100%", [("tom", None, None, "evidence")], ""),
        ("pip:sad<=9%", [("pip", 0.1, None, "")], "pip:sad<=10%"),
        ("happy<=100%, angry<=50%", [("", None, None, "not_modelled")], "angry<=50%"),
        ("rosa:angry<=0%", [], "rosa:angry<=0%"),
        ("rosa:scared<=0%", [("rosa", None, None, "not_analysed")], ""),
        ("length<=6min", [("", None, None, "")], "length<=7min"),
    ],
)
def test_reasons_name_the_number(limits: str, reasons: list[tuple[object, ...]], would_show: str) -> None:
    asked = limits_parse(limits)
    found = reasons_of(EPISODE, asked)
    assert [(r.character, r.high, r.longest_ms, r.lacking) for r in found] == reasons
    assert limits_format(loosened(asked, found)) == would_show
    assert not reasons_of(EPISODE, loosened(asked, found))


def test_an_episode_of_which_nothing_is_known() -> None:
    nothing = Evidence(None, {}, {})
    found = reasons_of(nothing, limits_parse("angry<=100%, length<=24h"))
    assert [r.lacking for r in found] == ["not_analysed", "no_length"]
    assert loosened(limits_parse("angry<=100%, length<=24h"), found) == NO_LIMITS
    assert reasons_of(nothing, NO_LIMITS) == ()
    assert Reason(None) not in reasons_of(nothing, NOTHING)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.floats(0, 1))
def test_a_share_is_raised_to_the_next_percent_and_never_lowered(share: float) -> None:
    assert share <= percent_up(share) <= min(1.0, share + 0.01 + 1e-12)


def test_limits_in_words() -> None:
    limits = limits_parse("angry<=10%, jerry:scared run<=6s, length<=12min")
    assert limits_words(limits, {"jerry": "Jerry"}) == [
        "angry: at most 10\u00a0%",
        "Jerry, scared: no longer run than 6\u00a0s",
        "length: at most 12\u00a0min",
    ]
