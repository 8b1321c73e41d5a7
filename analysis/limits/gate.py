"""How much does a gate let through, and how much does it offer? ``python -m analysis.limits.gate`` prints the table.

It plants episodes (``analysis.ratings.planted``), rates each, and asks of several gates whether an episode may be shown
under "at most X of this emotion". Truth is what the very cut shows. *Leaks*: of the episodes over the limit, those that
are shown; *offers*: of those within it, those that are shown. Gates: the point estimate, our upper bound (alone, and
with the evidence that a rating takes), and thresholds by conformal risk control (Angelopoulos et al. 2022) on the point
and on the bound, learnt on as many other episodes. Needs no database.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.ratings.coverage import NARROW, episodes
from analysis.ratings.interval import estimate

LIMITS = (0.05, 0.10, 0.20)
RISKS = (0.05, 0.01)

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Cases:
    """One entry per episode and emotion. ``enough``: the interval is narrow enough for a rating."""

    truth: Floats
    point: Floats
    high: Floats
    enough: Flags


@dataclass(frozen=True, slots=True)
class Row:
    """``leaks``, ``offers``: NaN where no episode is over (within) the limit; ``over``: how many are."""

    limit: float
    gate: str
    leaks: float
    offers: float
    over: int


def cases(count: int, seed: int, **how: float) -> Cases:
    truth, point, high, enough = [], [], [], []
    for number, episode in enumerate(episodes(count, seed, **how)):
        found = estimate(episode.readings, episode.confusion, number)
        truth.append(episode.shown)
        point.append(found.share)
        high.append(found.bounds[:, 1])
        narrow = float((found.bounds[:, 1] - found.bounds[:, 0]).max()) / 2 <= NARROW
        enough.append(np.full(len(found.share), narrow))
    return Cases(np.concatenate(truth), np.concatenate(point), np.concatenate(high), np.concatenate(enough))


def threshold(scores_over: Floats, risk: float) -> float:
    """The highest threshold whose expected leak is at most ``risk``: of n episodes over the limit, as many may have a
    score up to it as ``(leaks + 1) / (n + 1) <= risk`` allows. Minus infinity where none does.
    """
    allowed = int(np.floor(risk * (len(scores_over) + 1))) - 1
    if allowed < 0:
        return float("-inf")
    ordered = np.sort(scores_over)
    return float(np.nextafter(ordered[allowed], -np.inf)) if allowed < len(ordered) else float("inf")


def table_of(learnt: Cases, tested: Cases) -> list[Row]:
    rows = []
    for limit in LIMITS:
        over = learnt.truth > limit
        gates: dict[str, Flags] = {
            "point estimate": tested.point <= limit,
            "upper bound": tested.high <= limit,
            "upper bound and enough evidence (ours)": (tested.high <= limit) & tested.enough,
        }
        for risk in RISKS:
            gates[f"conformal on the point, {risk:.0%}"] = tested.point <= threshold(learnt.point[over], risk)
            gates[f"conformal on the bound, {risk:.0%}"] = tested.high <= threshold(learnt.high[over], risk)
        bad = tested.truth > limit
        rows += [
            Row(limit, name, _mean(shown[bad]), _mean(shown[~bad]), int(bad.sum())) for name, shown in gates.items()
        ]
    return rows


def _mean(flags: Flags) -> float:
    return float(flags.mean()) if len(flags) else float("nan")


def table(rows: Sequence[Row]) -> str:
    """In percent; a dash where nothing is over (within) the limit."""
    names = list(dict.fromkeys(r.gate for r in rows))
    head = [f"at most {x:.0%}: leaks | offers" for x in dict.fromkeys(r.limit for r in rows)]
    lines = ["| gate | " + " | ".join(head) + " |", "|---" * (2 * len(head) + 1) + "|"]
    for name in names:
        found = [r for r in rows if r.gate == name]
        cells = [f"{_percent(r.leaks)} | {_percent(r.offers)}" for r in found]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _percent(share: float) -> str:
    return "-" if np.isnan(share) else f"{100 * share:.1f}"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m analysis.limits.gate", description=__doc__)
    parser.add_argument("--episodes", type=int, default=1000, help="how many to plant, and as many more to learn from")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--worse-by", type=float, default=0.0, help="the model is so much less accurate than tested")
    parser.add_argument("--shots", type=int, help="of every episode; else 8 to 150")
    parser.add_argument("--accuracy", type=float, help="of every model; else 0.6 to 0.97")
    args = parser.parse_args(arguments)
    if args.episodes < 1 or not 0 <= args.worse_by <= 0.5:
        parser.error("episodes is at least 1, worse-by is 0 to 0.5")
    if (args.shots or 8) < 4 or not 0.4 <= (args.accuracy or 0.6) <= 1:
        parser.error("shots is at least 4, accuracy is 0.4 to 1")
    given = {"worse_by": args.worse_by, "shots": args.shots, "accuracy": args.accuracy}
    how = {name: value for name, value in given.items() if value is not None}
    learnt = cases(args.episodes, args.seed + 1_000_000, **how)
    tested = cases(args.episodes, args.seed, **how)
    rows = table_of(learnt, tested)
    over = ", ".join(f"{r.over} over {r.limit:.0%}" for r in rows if r.gate == "point estimate")
    sys.stdout.write(f"{len(tested.truth)} shares of {args.episodes} episodes: {over}\n\n{table(rows)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
