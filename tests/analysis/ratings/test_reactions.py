from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analysis.ratings import Readings, ending_of, reactions
from analysis.ratings.reactions import beginnings
from ml.types import Emotion
from tests.analysis.ratings.made import EMOTIONS, readings

STEP_MS = 250
SHOT_MS = 10_000
SCENES = [(at, at + 30_000) for at in range(0, 240_000, 30_000)]


def showing(happy_at: Sequence[int], length_ms: int = 240_000, lasts_ms: int = 1_500) -> Readings:
    """A face that is sad, and happy for a while from each of these times on."""
    pts = np.arange(0, length_ms, STEP_MS)
    happy = np.zeros(len(pts))
    for at in happy_at:
        happy[(pts >= at) & (pts < at + lasts_ms)] = 1.0
    return Readings(EMOTIONS, np.stack([happy, 1 - happy], axis=1), pts, np.full(len(pts), STEP_MS), pts // SHOT_MS)


def test_an_expression_begins_within_a_shot_never_at_a_cut() -> None:
    assert beginnings(showing([2_000, 10_000, 14_000]), Emotion.HAPPY).tolist() == [2_000, 14_000]


def test_who_smiles_after_another_does_is_told_with_counts() -> None:
    first = [30_000 * scene + at for scene in range(8) for at in (3_000, 16_250)]
    after = [at + 750 for at in first[:12]]
    found = reactions({"tom": showing(first), "jerry": showing(after)}, SCENES)
    happy = [r for r in found if r.emotion is Emotion.HAPPY]
    assert [(r.who, r.to, r.times, r.of) for r in happy] == [("jerry", "tom", 12, 16)]
    assert happy[0].by_chance < 4
    assert happy[0].p <= 0.05
    assert happy[0].at_ms == tuple(first[:12])
    swapped = reactions({"jerry": showing(after), "tom": showing(first)}, SCENES)
    assert swapped == found


def test_what_chance_gives_is_not_told() -> None:
    """Forty episodes in which nobody looks at anybody: at 5 % two are told in the mean, and seven hardly ever."""
    rng = np.random.default_rng(4)
    told = 0
    for seed in range(40):
        lots = [np.sort(rng.choice(np.arange(0, 240_000, STEP_MS), 20, replace=False)).tolist() for _ in range(2)]
        told += bool(reactions({"tom": showing(lots[0]), "jerry": showing(lots[1])}, SCENES, seed))
    assert told <= 6


def test_those_who_never_meet_do_not_react() -> None:
    first = [30_000 * scene + at for scene in range(8) for at in (3_000, 16_250)]
    tom, jerry = showing(first), showing([at + 750 for at in first])
    apart = reactions({"tom": tom.between(0, 120_000), "jerry": jerry.between(120_000, 240_000)}, SCENES)
    assert apart == ()
    assert reactions({"tom": tom}, SCENES) == ()
    assert reactions({}, []) == ()


def test_twice_is_no_habit() -> None:
    tom, jerry = showing([3_000, 43_000]), showing([3_750, 43_750])
    assert reactions({"tom": tom, "jerry": jerry}, SCENES) == ()


def test_an_ending_is_clear_or_mixed_or_not_seen() -> None:
    clear = ending_of(readings([0.0] * 60 + [1.0] * 40 + [0.0] * 20), 60_000)
    assert clear is not None
    assert (clear.start_ms, clear.end_ms, clear.readable_ms, clear.emotion) == (30_000, 60_000, 30_000, Emotion.HAPPY)
    assert clear.shares[Emotion.HAPPY] == 40 / 60
    assert ending_of(readings([1.0] * 120), 87_500) is None  # 2.5 s of a face
    k = len(list(Emotion))
    even = Readings(tuple(Emotion), np.full((20, k), 1 / k), np.arange(20) * 500, np.full(20, 500), np.arange(20))
    mixed = ending_of(even, 10_000)
    assert mixed is not None
    assert mixed.emotion is None


def test_credits_are_no_ending() -> None:
    r = readings([1.0] * 60 + [0.0] * 60)
    found = ending_of(r, 30_000)
    assert found is not None
    assert (found.start_ms, found.emotion) == (0, Emotion.HAPPY)
