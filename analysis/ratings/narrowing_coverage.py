"""Does the order narrow intervals faster than others do? ``python -m analysis.ratings.narrowing_coverage``.

Plants episodes whose shots are easy or hard for the model, with calibrated probabilities that tell which is which. A
person answers stretch after stretch in one order or another, and each stretch is told rightly. Beside the widths it is
counted how often the intervals still hold, and how unlike a random sample the answered shots are.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analysis.ratings import planted as plan
from analysis.ratings.confusion import Confusion
from analysis.ratings.interval import estimate
from analysis.ratings.narrowing import Piece, expected_narrowing, pieces_of
from analysis.ratings.readings import Readings
from ml.types import EMOTIONS

STEPS = (0, 5, 10, 20, 40)
RANK_AGAIN = 5  # answers after which the order is made anew, as the site does when ratings follow
EASY, HARD = 0.93, 0.55
OURS, ALL, RANDOM, UNSURE, LONGEST, DOUBT = (
    "expected narrowing of the widest (ours)", "expected narrowing of all", "random", "least confident first",
    "longest first", "time x doubt",
)  # fmt: skip

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Told:
    """``drawn``: (n,) what each drawing shows, as its place among EMOTIONS. ``shown``: (k,) the shares of this cut;
    ``planted``: (k,) those that its shots were drawn by.
    """

    readings: Readings
    confusion: Confusion
    drawn: Ints
    shown: Floats
    planted: Floats


@dataclass(frozen=True, slots=True)
class Row:
    """After ``answers``: mean width of the widest interval and of all; how often they hold what this cut shows, and
    the planted shares; for which part of the time the model errs in the shots that were answered, and in all of them
    (``errs``): far apart where the answers are no random sample (nan: no answer yet).
    """

    order: str
    answers: int
    widest: float
    width: float
    shown: float
    planted: float
    errs_there: float
    errs: float


def plant(rng: np.random.Generator, shots: int) -> Told:
    """Half of the shots are hard. Probabilities are what follows from what the model says and how hard the shot is."""
    k = len(EMOTIONS)
    easy, hard = (plan._matrix(rng, k, right) for right in (EASY, HARD))
    shares = rng.dirichlet(plan.LIKENESS * plan.SERIES)
    drawn, shot = plan._drawings(rng, shots, shares, 0.0)
    is_hard = (rng.random(shots) < 0.5)[shot]
    said = np.where(is_hard, plan._said(rng, drawn, shot, hard), plan._said(rng, drawn, shot, easy))
    chances = np.stack([matrix * plan.SERIES[:, None] for matrix in (easy, hard)])
    chances /= chances.sum(axis=1, keepdims=True)
    probabilities = chances[is_hard.astype(int), :, said]
    n = len(drawn)
    pts = np.arange(n, dtype=np.int64) * plan.DRAWING_MS
    readings = Readings(EMOTIONS, probabilities, pts, np.full(n, plan.DRAWING_MS, np.int64), shot)
    tested = [plan._held_out(rng, m) for m in (easy, hard)]
    confusion = Confusion(np.sum([t.counts for t in tested], axis=0), sum(t.groups for t in tested))
    return Told(readings, confusion, drawn, np.bincount(drawn, minlength=k) / n, shares)


def answered(told: Told, readings: Readings, piece: Piece) -> Readings:
    """A person says what the piece shows longest."""
    label = int(np.bincount(told.drawn[piece.members]).argmax())
    probabilities = readings.probabilities.copy()
    probabilities[piece.members] = np.eye(len(EMOTIONS))[label]
    known = np.zeros(len(probabilities), np.bool_) if readings.known is None else readings.known.copy()
    known[piece.members] = True
    return replace(readings, probabilities=probabilities, known=known)


def ranked(name: str, told: Told, readings: Readings, rng: np.random.Generator) -> list[Piece]:
    """Pieces that nobody spoke of, in one of the orders."""
    pieces = pieces_of(readings)
    value = ORDERS[name](told, readings, pieces, rng)
    return [pieces[i] for i in np.argsort(-value, kind="stable") if not pieces[i].known]


def _ours(told: Told, readings: Readings, pieces: list[Piece], rng: np.random.Generator) -> Floats:
    return _narrowing(told, readings, pieces)[1]


def _narrowing(told: Told, readings: Readings, pieces: list[Piece]) -> tuple[Floats, Floats]:
    """(n,) of all, and of the widest."""
    bounds = estimate(readings, told.confusion).bounds
    widths = bounds[:, 1] - bounds[:, 0]
    found = expected_narrowing(readings, pieces, told.confusion)
    return found.all_gains(widths).sum(axis=1), found.gains(widths)[1]


def _confidence(readings: Readings, piece: Piece) -> float:
    return float(readings.probabilities[piece.members].mean(axis=0).max())


def _length(readings: Readings, piece: Piece) -> float:
    return float(readings.shown_ms[piece.members].sum())


def _doubt(readings: Readings, piece: Piece) -> float:
    mean = readings.probabilities[piece.members].mean(axis=0)
    return _length(readings, piece) * float((mean * (1 - mean)).sum())


Order = Callable[[Told, Readings, list[Piece], np.random.Generator], Floats]
ORDERS: Mapping[str, Order] = {
    OURS: _ours,
    ALL: lambda told, readings, pieces, rng: _narrowing(told, readings, pieces)[0],
    RANDOM: lambda told, readings, pieces, rng: rng.random(len(pieces)),
    UNSURE: lambda told, readings, pieces, rng: np.array([-_confidence(readings, x) for x in pieces]),
    LONGEST: lambda told, readings, pieces, rng: np.array([_length(readings, x) for x in pieces]),
    DOUBT: lambda told, readings, pieces, rng: np.array([_doubt(readings, x) for x in pieces]),
}


def measure(episodes: int, seed: int, steps: Sequence[int] = STEPS, orders: Sequence[str] = tuple(ORDERS)) -> list[Row]:
    """Every order answers the same episodes, of 30 to 100 shots."""
    rng = np.random.default_rng(seed)
    found: dict[tuple[str, int], list[tuple[float, ...]]] = {}
    for number in range(episodes):
        told = plant(rng, int(rng.integers(30, 101)))
        for name in orders:
            for step, row in _walk(told, name, steps, number):
                found.setdefault((name, step), []).append(row)
    return [_row(name, step, found[name, step]) for name in orders for step in steps]


def _row(name: str, step: int, rows: list[tuple[float, ...]]) -> Row:
    return Row(name, step, *(float(x) for x in np.array(rows).mean(axis=0)))


def _walk(told: Told, name: str, steps: Sequence[int], seed: int) -> list[tuple[int, tuple[float, ...]]]:
    rng = np.random.default_rng((seed, sorted(ORDERS).index(name)))
    readings, given, order, rows = told.readings, 0, ranked(name, told, told.readings, rng), []
    for step in steps:
        while given < step and order:
            readings = answered(told, readings, order.pop(0))
            given += 1
            if given % RANK_AGAIN == 0 and name != RANDOM:
                order = ranked(name, told, readings, rng)
        rows.append((step, _state(told, readings, seed)))
    return rows


def _state(told: Told, readings: Readings, seed: int) -> tuple[float, ...]:
    bounds = estimate(readings, told.confusion, seed).bounds
    width = bounds[:, 1] - bounds[:, 0]
    held = [float(((bounds[:, 0] <= x + 1e-9) & (x <= bounds[:, 1] + 1e-9)).mean()) for x in (told.shown, told.planted)]
    return float(width.max()), float(width.mean()), *held, *_errs(told, readings)


def _errs(told: Told, readings: Readings) -> tuple[float, float]:
    wrong = told.readings.probabilities.argmax(axis=1) != told.drawn
    if readings.known is None:
        return float("nan"), float(wrong.mean())
    there = np.isin(told.readings.shot, told.readings.shot[readings.known])
    return float(wrong[there].mean()), float(wrong.mean())


def table(rows: Sequence[Row]) -> str:
    """Widths in points of 100, the rest in percent."""
    lines = [
        "| order | answers | widest range | mean range | hold this cut | hold the planted shares | the model errs in "
        "these shots | in all |",
        "|---" * 8 + "|",
    ]
    for r in rows:
        values = (r.widest, r.width, r.shown, r.planted, r.errs_there, r.errs)
        cells = ["-" if np.isnan(x) else f"{100 * x:.1f}" for x in values]
        lines.append(f"| {r.order} | {r.answers} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m analysis.ratings.narrowing_coverage", description=__doc__)
    parser.add_argument("--episodes", type=int, default=200, help="how many to plant")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args(arguments)
    if args.episodes < 1:
        parser.error("--episodes is at least 1")
    rows = measure(args.episodes, args.seed)
    sys.stdout.write(f"{args.episodes} episodes, seed {args.seed}, nominal 95 %\n\n{table(rows)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
