"""Limits as values and as text: read, written, refused by the part that is bad, and met."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.limits import NO_LIMITS, NOTHING, Limit, Limits, LimitsInvalid, limits_format, limits_parse
from ml.types import Emotion
from tests.analysis.limits.made import limits_strategy

patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@patient
@given(limits_strategy())
def test_what_is_written_is_read_back_as_the_same(limits: Limits) -> None:
    assert limits_parse(limits_format(limits)) == limits


@patient
@given(st.text(max_size=60))
def test_any_text_is_limits_or_is_refused(text: str) -> None:
    try:
        found = limits_parse(text)
    except LimitsInvalid:
        return
    assert limits_parse(limits_format(found)) == found


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        ("", NO_LIMITS),
        (" , ;\n", NO_LIMITS),
        ("angry<=10%", Limits((Limit(Emotion.ANGRY, 0.1),))),
        ("angry = 10 %", Limits((Limit(Emotion.ANGRY, 0.1),))),
        ("Angry ≤ 7%", Limits((Limit(Emotion.ANGRY, 0.07),))),
        ("scared<=2.25%", Limits((Limit(Emotion.SCARED, 0.0225),))),
        ("jerry:scared<=5%", Limits((Limit(Emotion.SCARED, 0.05, character="jerry"),))),
        ("猫:sad<=0%", Limits((Limit(Emotion.SAD, 0.0, character="猫"),))),
        ("angry run<=6s", Limits((Limit(Emotion.ANGRY, longest_ms=6_000),))),
        ("angry run <= 1.5 s; angry<=10%", Limits((Limit(Emotion.ANGRY, 0.1, 1_500),))),
        ("length<=12min", Limits(longest_episode_ms=720_000)),
        ("LENGTH<=90 seconds", Limits(longest_episode_ms=90_000)),
    ],
)
def test_limits_as_people_write_them(text: str, limits: Limits) -> None:
    assert limits_parse(text) == limits
    assert bool(limits) == bool(limits_format(limits))


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("angry", "“angry”"),
        ("angry<=", "“angry<=”"),
        ("<=10%", "“<=10%”"),
        ("angry<=10", "“angry<=10”"),
        ("angry<=101%", "“angry<=101%”"),
        ("angry<=0.001%", "“angry<=0.001%”"),
        ("angry>=10%", "“angry>=10%”"),
        ("sad<=1%, cross<=10%", "“cross<=10%”"),
        ("angry walk<=6s", "“angry walk<=6s”"),
        ("angry run<=6", "“angry run<=6”"),
        ("angry run<=6%", "“angry run<=6%”"),
        ("angry run<=25h", "“angry run<=25h”"),
        ("angry run<=0.0001s", "“angry run<=0.0001s”"),
        ("length<=0min", "“length<=0min”"),
        ("to m:angry<=1%", "“to m:angry<=1%”"),
        (":angry<=1%", "“:angry<=1%”"),
        ("angry<=1%, angry<=2%", "“angry<=2%”"),
        ("length<=1min, length<=2min", "“length<=2min”"),
        ("angry<=" + "1" * 5_000, "4000"),
        (", ".join(f"c{i}:angry<=1%" for i in range(65)), "64"),
    ],
)
def test_a_part_that_cannot_be_read_is_named(text: str, named: str) -> None:
    with pytest.raises(LimitsInvalid) as refused:
        limits_parse(text)
    assert named in str(refused.value)


@pytest.mark.parametrize("values", [(None, None), (1.1, None), (-0.1, None), (0.00001, None), (None, -1)])
def test_a_limit_that_means_nothing_cannot_be_made(values: tuple[float | None, int | None]) -> None:
    with pytest.raises(LimitsInvalid):
        Limit(Emotion.SAD, *values)


def test_limits_have_one_order_and_are_empty_only_where_nothing_is_limited() -> None:
    sad, angry = Limit(Emotion.SAD, 0.1), Limit(Emotion.ANGRY, 0.1, character="tom")
    assert Limits((sad, angry)) == Limits((angry, sad))
    assert not NO_LIMITS
    assert NOTHING
    assert Limits((angry,)).characters == ("tom",)


@patient
@given(limits_strategy(), limits_strategy())
def test_two_limits_met_keep_both(one: Limits, two: Limits) -> None:
    both = one.meet(two)
    assert both == two.meet(one)
    assert both.meet(one) == both
    found = {x.key: x for x in both.limits}
    for limit in (*one.limits, *two.limits):
        kept = found[limit.key]
        assert limit.most is None or (kept.most is not None and kept.most <= limit.most)
        assert limit.longest_ms is None or (kept.longest_ms is not None and kept.longest_ms <= limit.longest_ms)
    assert one.meet(NOTHING).closed
    assert one.meet(NO_LIMITS) == one
