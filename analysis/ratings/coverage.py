"""Do the intervals hold what they promise? ``python -m analysis.ratings.coverage`` prints the table.

It plants episodes (``analysis.ratings.planted``), rates each and counts how often the interval of an emotion's share
holds the planted share: over all, and in each stratum of share, length and accuracy. Beside it stands the naive
interval that takes every frame for a witness. Needs no database.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.ratings.alternatives import all_of, frame_counting
from analysis.ratings.interval import estimate
from analysis.ratings.planted import Planted, plant

OURS, NAIVE = "ours", "every frame a witness"
STRATA: Mapping[str, Sequence[float]] = {
    "share": (0.0, 0.05, 0.15, 0.35, 1.01),
    "shots": (1, 16, 40, 1000),
    "accuracy": (0.0, 0.70, 0.85, 1.01),
}
NARROW = 0.15  # half-width up to which a rating is published

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Row:
    """Of one way to make an interval. ``all``, ``strata``: shares of intervals that hold the planted share; ``shown``:
    those that hold what this very cut shows; ``rated``: coverage where the interval is narrow enough to be published.
    """

    name: str
    intervals: int
    all: float
    strata: Mapping[str, Sequence[float]]
    shown: float
    rated: float
    width: float


@dataclass(slots=True)
class _Cases:
    """Everything per interval: ``held`` the planted share, ``shown`` the cut's own, and where it belongs."""

    held: list[Floats]
    shown: list[Floats]
    width: list[Floats]


def episodes(count: int, seed: int, **how: float) -> Iterator[Planted]:
    rng = np.random.default_rng(seed)
    for _ in range(count):
        yield plant(rng, **how)  # type: ignore[arg-type]


def measure(planted: Iterator[Planted], *, alternatives: bool = False) -> list[Row]:
    """One row per kind of interval, ours first."""
    cases: dict[str, _Cases] = {}
    places: dict[str, list[Floats]] = {name: [] for name in STRATA}
    for number, episode in enumerate(planted):
        found = {
            OURS: estimate(episode.readings, episode.confusion, number).bounds,
            NAIVE: frame_counting(episode.readings),
            **(all_of(episode.readings, episode.confusion, number) if alternatives else {}),
        }
        for name, bounds in found.items():
            case = cases.setdefault(name, _Cases([], [], []))
            case.held.append(_holds(bounds, episode.planted))
            case.shown.append(_holds(bounds, episode.shown))
            case.width.append(bounds[:, 1] - bounds[:, 0])
        places["share"].append(episode.planted)
        places["shots"].append(np.full(len(episode.planted), float(episode.shots)))
        places["accuracy"].append(np.full(len(episode.planted), episode.accuracy))
    where = {name: np.concatenate(values) for name, values in places.items()}
    return [_row(name, case, where) for name, case in cases.items()]


def _holds(bounds: Floats, share: Floats) -> Floats:
    """1 where the interval holds the share, 0 where not."""
    low, high = bounds[:, 0], bounds[:, 1]
    return ((low <= share + 1e-12) & (share <= high + 1e-12)).astype(np.float64)


def _row(name: str, case: _Cases, where: Mapping[str, Floats]) -> Row:
    held = np.concatenate(case.held)
    width = np.concatenate(case.width)
    narrow = np.repeat([w.max() / 2 <= NARROW for w in case.width], len(case.width[0]))
    strata = {
        of: tuple(_mean(held[(where[of] >= a) & (where[of] < b)]) for a, b in itertools.pairwise(edges))
        for of, edges in STRATA.items()
    }
    return Row(
        name,
        len(held),
        float(held.mean()),
        strata,
        float(np.concatenate(case.shown).mean()),
        _mean(held[narrow]),
        float(width.mean()),
    )


def _mean(values: Floats) -> float:
    return float(values.mean()) if len(values) else float("nan")


def table(rows: Sequence[Row]) -> str:
    """In percent; a dash where no interval belongs."""
    head = ["all", *(_label(of, edges, i) for of, edges in STRATA.items() for i in range(len(edges) - 1))]
    head += ["rated", "this cut", "width"]
    lines = ["| interval | " + " | ".join(head) + " |", "|---" * (len(head) + 1) + "|"]
    for row in rows:
        cells = [row.all, *(x for of in STRATA for x in row.strata[of]), row.rated, row.shown]
        shown = ["-" if np.isnan(x) else f"{100 * x:.1f}" for x in cells]
        lines.append(f"| {row.name} | " + " | ".join([*shown, f"{row.width:.2f}"]) + " |")
    return "\n".join(lines)


def _label(of: str, edges: Sequence[float], i: int) -> str:
    low, high = edges[i], edges[i + 1]
    if of == "shots":
        return (
            f"under {high:.0f} shots"
            if i == 0
            else (f"{low:.0f} shots on" if high > 500 else f"{low:.0f} to {high - 1:.0f}")
        )
    if high > 1:
        return f"{of} {low:.0%} on"
    return f"{of} under {high:.0%}" if low == 0 else f"{low:.0%} to {high:.0%}"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m analysis.ratings.coverage", description=__doc__)
    parser.add_argument("--episodes", type=int, default=2000, help="how many to plant")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--alternatives", action="store_true", help="also the kinds of interval that were not taken")
    parser.add_argument("--worse-by", type=float, default=0.0, help="the model is so much less accurate than tested")
    parser.add_argument("--moods", type=float, default=0.0, help="chance that a shot goes on with the last expression")
    args = parser.parse_args(arguments)
    if args.episodes < 1 or not 0 <= args.worse_by <= 0.5 or not 0 <= args.moods < 1:
        parser.error("episodes is at least 1, worse-by is 0 to 0.5, moods is 0 to under 1")
    planted = episodes(args.episodes, args.seed, worse_by=args.worse_by, moods=args.moods)
    rows = measure(planted, alternatives=args.alternatives)
    sys.stdout.write(f"{args.episodes} episodes, {rows[0].intervals} intervals, nominal 95 %\n\n{table(rows)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
