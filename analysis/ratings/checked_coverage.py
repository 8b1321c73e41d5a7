"""Do the intervals of checked shots hold? ``python -m analysis.ratings.checked_coverage`` prints the tables.

Plants episodes, has a person check 5, 10, 20 and 40 shots drawn by lot, and counts how often the interval holds what
the cut shows. Beside it: what normal approximations with Student's t would say, and the interval without any check.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.ratings.alternatives import t_quantile
from analysis.ratings.checked import UNSEEN_CHECKED, Checks, estimate_checked, tuned_power
from analysis.ratings.confusion import to_simplex
from analysis.ratings.interval import estimate
from analysis.ratings.planted import Planted, plant
from analysis.ratings.readings import likeliest, shot_totals

OURS, NAIVE, CLASSICAL, UNCHECKED = "ours", "normal, Student's t", "the sample alone, Student's t", "nothing checked"
KS = (5, 10, 20, 40)
STRANGERS = 0.05
EDGES = (0.0, 0.05, 0.15, 0.35, 1.01)

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Row:
    """Of ``k`` checked shots: the share of intervals that hold what the cut shows, in all and by the size of the share,
    and their mean width. ``intervals``: how many there were. ``narrower``: of episodes, where all are, on average,
    narrower than with nothing checked.
    """

    k: int
    name: str
    intervals: int
    all: float
    strata: Sequence[float]
    width: float
    narrower: float


def check(planted: Planted, k: int, rng: np.random.Generator, *, whole_shots: bool = False) -> Checks:
    """A person checks ``k`` shots drawn by lot, drawing by drawing; with ``whole_shots``, gives one answer a shot."""
    readings, drawn = planted.readings, planted.drawn
    said = shot_totals(likeliest(readings)).shown
    truth = np.zeros_like(said)
    of_it = drawn >= 0
    np.add.at(truth, (readings.shot[of_it], drawn[of_it]), readings.shown_ms[of_it].astype(np.float64))
    if whole_shots:
        truth = np.eye(said.shape[1])[truth.argmax(axis=1)] * truth.sum(axis=1, keepdims=True)
    picked = rng.choice(len(said), k, replace=False)
    return Checks(said, picked.astype(np.int64), truth[picked])


def measure(
    episodes: int,
    seed: int,
    ks: Sequence[int] = KS,
    *,
    whole_shots: bool = False,
    unseen_shots: float = UNSEEN_CHECKED,
    **how: float,
) -> list[Row]:
    """Episodes with fewer shots than are to be checked are left out of that row."""
    rng = np.random.default_rng(seed)
    cases: dict[tuple[int, str], list[tuple[Floats, Floats, Floats]]] = {}
    for number in range(episodes):
        planted = plant(rng, strangers=STRANGERS, **how)  # type: ignore[arg-type]
        unchecked = estimate(planted.readings, planted.confusion, number).bounds
        for k in (k for k in ks if k < planted.shots):
            checks = check(planted, k, rng, whole_shots=whole_shots)
            ours = estimate_checked(checks, number, unseen_shots=unseen_shots).bounds
            found = {OURS: ours, **_normal(checks), UNCHECKED: unchecked}
            for name, bounds in found.items():
                held = (bounds[:, 0] <= planted.shown + 1e-9) & (planted.shown <= bounds[:, 1] + 1e-9)
                case = (held.astype(np.float64), bounds[:, 1] - bounds[:, 0], planted.shown)
                cases.setdefault((k, name), []).append(case)
    return [_row(k, name, found, cases[k, UNCHECKED]) for (k, name), found in sorted(cases.items(), key=_order)]


def _order(item: tuple[tuple[int, str], object]) -> tuple[int, int]:
    (k, name), _ = item
    return k, (OURS, NAIVE, CLASSICAL, UNCHECKED).index(name)


def _row(
    k: int, name: str, found: list[tuple[Floats, Floats, Floats]], unchecked: list[tuple[Floats, Floats, Floats]]
) -> Row:
    held, width, shown = (np.concatenate([case[i] for case in found]) for i in range(3))
    strata = [_mean(held[(shown >= a) & (shown < b)]) for a, b in itertools.pairwise(EDGES)]
    narrower = np.mean([a[1].mean() < b[1].mean() for a, b in zip(found, unchecked, strict=True)])
    return Row(k, name, len(held), float(held.mean()), strata, float(width.mean()), float(narrower))


def _mean(values: Floats) -> float:
    return float(values.mean()) if len(values) else float("nan")


def _normal(checks: Checks) -> Mapping[str, Floats]:
    """(k, 2) by the delta method and Student's t, with the same power and with none."""
    read = checks.said[checks.picked]
    power = tuned_power(checks.said, read, checks.truth)
    return {NAIVE: _delta(checks, read, power), CLASSICAL: _delta(checks, read, 0.0)}


def _delta(checks: Checks, read: Floats, power: float) -> Floats:
    truth, n = checks.truth, len(checks.truth)
    times = power * checks.said.mean(axis=0) + (truth - power * read).mean(axis=0)
    whole = max(float(times.sum()), 1e-9)
    share = times / whole
    off = truth - share * truth.sum(axis=1, keepdims=True) - power * (read - share * read.sum(axis=1, keepdims=True))
    half = t_quantile(n - 1) * off.std(axis=0, ddof=1) * np.sqrt(1 / n - 1 / len(checks.said)) / whole
    point = to_simplex(share)
    found: Floats = np.clip(np.stack([point - half, point + half], axis=1), 0.0, 1.0)
    return found


def table(rows: Sequence[Row]) -> str:
    """In percent; a dash where no interval belongs."""
    head = "checked | interval | holds | share < 5 % | 5 to 15 % | 15 to 35 % | from 35 % | mean width | narrower"
    lines = [f"| {head} |", "|---" * 9 + "|"]
    for row in rows:
        cells = ["-" if np.isnan(x) else f"{100 * x:.1f}" for x in (row.all, *row.strata)]
        narrower = "" if row.name == UNCHECKED else f"{100 * row.narrower:.0f}"
        lines.append(f"| {row.k} | {row.name} | " + " | ".join([*cells, f"{row.width:.3f}", narrower]) + " |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m analysis.ratings.checked_coverage", description=__doc__)
    parser.add_argument("--episodes", type=int, default=1000, help="how many to plant")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--whole-shots", action="store_true", help="a person gives one answer for each shot")
    parser.add_argument("--unseen", type=float, default=UNSEEN_CHECKED, help="how many unseen shots are thought of")
    parser.add_argument("--worse-by", type=float, default=0.0, help="the model is so much less accurate than tested")
    parser.add_argument("--moods", type=float, default=0.0, help="chance that a shot goes on with the last expression")
    args = parser.parse_args(arguments)
    if args.episodes < 1 or not 0 <= args.worse_by <= 0.5 or not 0 <= args.moods < 1 or not 0 < args.unseen <= 10:
        parser.error("episodes is at least 1, worse-by is 0 to 0.5, moods is 0 to under 1, unseen over 0")
    rows = measure(
        args.episodes,
        args.seed,
        whole_shots=args.whole_shots,
        unseen_shots=args.unseen,
        worse_by=args.worse_by,
        moods=args.moods,
    )
    sys.stdout.write(f"{args.episodes} episodes, seed {args.seed}, nominal 95 %\n\n{table(rows)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
