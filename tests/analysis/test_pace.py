"""The time left of simulated runs: how far off it is, how often the range holds the truth, and when it says nothing."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest

from analysis.pace import Pace, Sample, Unknown, longest_way, pace_of

PART_MS = 60_000


@dataclass
class Simulated:
    """``looked``: seconds since the begin, and what was said then; ``took_s``: how long it took in truth."""

    looked: list[tuple[float, Pace]]
    took_s: float


def simulate(parts: int, workers: int, rate_of: Callable[[random.Random, int], float], seed: int) -> Simulated:
    """Workers read parts second by second, each at the rate that ``rate_of`` gives for that second."""
    rng = random.Random(seed)
    waiting = [float(PART_MS)] * parts
    lanes: list[float] = []
    samples: list[Sample] = []
    looked = []
    done = 0.0
    t = 0
    while waiting or lanes:
        while waiting and len(lanes) < workers:
            lanes.append(waiting.pop(0))
        rate = rate_of(rng, t)
        read = [min(left, rate * 1000) for left in lanes]
        done += sum(read)
        lanes = [left - r for left, r in zip(lanes, read, strict=True) if left - r > 1e-9]
        t += 1
        if t % 2 == 0:
            samples.append(Sample(t, int(done), int(done / 125), len(lanes)))
        if t % 15 == 0 and lanes:
            looked.append((float(t), pace_of(samples, t, [int(ms) for ms in lanes], [int(ms) for ms in waiting])))
    return Simulated(looked, float(t))


def steady(rng: random.Random, t: int) -> float:
    return 0.8


def uneven(rng: random.Random, t: int) -> float:
    return 0.8 * rng.lognormvariate(0, 0.5)


class Crowds:
    """Stretches of 20 s on average that are slow or quick: neighbouring seconds are alike."""

    def __init__(self) -> None:
        self.slow = False

    def __call__(self, rng: random.Random, t: int) -> float:
        if rng.random() < 1 / 20:
            self.slow = not self.slow
        return (0.5 if self.slow else 1.1) * rng.lognormvariate(0, 0.2)


def judged(runs: Sequence[Simulated]) -> tuple[float, float, float]:
    """(share of looks at which a time was said, how often its range held the truth, median relative error)."""
    said = [(at, p.left, run.took_s - at) for run in runs for at, p in run.looked if p.left is not None]
    looks = sum(len(run.looked) for run in runs)
    held = sum(1 for _, left, truth in said if left.low_s - 2 <= truth <= left.high_s + 2)
    errors = sorted(abs(left.seconds - truth) / max(truth, 1.0) for _, left, truth in said if truth > 20)
    return len(said) / looks, held / len(said), errors[len(errors) // 2]


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize(
    ("kind", "worst_error", "least_said"),
    [("steady", 0.03, 0.8), ("uneven", 0.12, 0.8), ("crowds", 0.20, 0.5)],
)
def test_the_range_holds_the_truth_about_nine_times_in_ten(
    kind: str, worst_error: float, least_said: float, workers: int
) -> None:
    runs = []
    for seed in range(25):
        rates: dict[str, Callable[[random.Random, int], float]]
        rates = {"steady": steady, "uneven": uneven, "crowds": Crowds()}
        runs.append(simulate(9, workers, rates[kind], seed))
    said, held, error = judged(runs)
    assert said >= least_said, (said, held, error)
    assert held >= 0.85, (said, held, error)
    assert error <= worst_error, (said, held, error)


def test_what_was_not_seen_coming_is_seen_within_the_window() -> None:
    """The machine becomes four times slower: the estimate is wrong at first, less and less, and right after five
    minutes.
    """
    run = simulate(20, 1, lambda rng, t: 0.8 if t < 300 else 0.2, 1)
    late = [(at, p.left, run.took_s - at) for at, p in run.looked if p.left is not None and at > 620]
    assert late
    assert all(abs(left.seconds - truth) / truth < 0.05 for _, left, truth in late if truth > 20)
    soon = [(p.left, run.took_s - at) for at, p in run.looked if 305 < at < 420]
    assert all(left is None or abs(left.seconds - truth) / truth > 0.05 for left, truth in soon)


def test_a_few_seconds_say_nothing() -> None:
    samples = [Sample(2.0 * i, 1000 * i, 8 * i, 1) for i in range(8)]
    pace = pace_of(samples, 14, [40_000], [PART_MS])
    assert (pace.left, pace.unknown) == (None, Unknown.TOO_SOON)
    assert pace.film == pytest.approx(0.5)
    assert pace.drawings == pytest.approx(4.0)
    assert pace_of([], 0, [PART_MS], []) == Pace(None, None, None, Unknown.TOO_SOON)


def test_nobody_at_work_and_nothing_that_moves_are_said() -> None:
    samples = [Sample(2.0 * i, 2000 * i, 8 * i, 1) for i in range(60)]
    assert pace_of(samples, 120, [], [PART_MS]).unknown is Unknown.NOBODY
    stuck = samples + [Sample(120.0 + 2 * i, 118_000, 472, 1) for i in range(20)]
    assert pace_of(stuck, 160, [PART_MS], []).unknown is Unknown.STALLED


def test_a_pause_does_not_make_a_run_slow() -> None:
    first = [Sample(2.0 * i, 2000 * i, 8 * i, 1) for i in range(30)]
    paused = [*first, Sample(60.0, 60_000, 240, 0), Sample(130.0, 60_000, 240, 0)]
    again = [Sample(132.0 + 2 * i, 60_000 + 2000 * i, 240 + 8 * i, 1) for i in range(10)]
    pace = pace_of([*paused, *again], 150, [60_000], [])
    assert pace.left is not None
    assert pace.left.seconds == pytest.approx(60, rel=0.05)


def test_chaos_of_rates_gives_no_number() -> None:
    rng = random.Random(4)
    done, samples = 0.0, []
    for i in range(40):
        done += 1000 * rng.lognormvariate(0, 2.5)
        samples.append(Sample(2.0 * i, int(done), i, 1))
    assert pace_of(samples, 80, [PART_MS], []).unknown is Unknown.UNSTEADY


def test_work_that_was_lost_counts_against_the_rate() -> None:
    """A worker died: what it had read is to be read again."""
    samples = [Sample(2.0 * i, 2000 * i, 8 * i, 1) for i in range(31)]
    lost = [Sample(62.0 + 2 * i, 30_000 + 2000 * i, 240 + 8 * i, 1) for i in range(20)]
    pace = pace_of([*samples, *lost], 100, [PART_MS], [])
    assert pace.film is not None
    assert pace.film < 0.85


def test_the_last_part_is_read_by_one_alone() -> None:
    assert longest_way([60_000, 60_000], [60_000]) == 120_000
    assert longest_way([10_000, 60_000], [60_000]) == 70_000
    assert longest_way([], []) == 0
    assert not math.isnan(longest_way([5], [7, 9]))
