"""Does the score put the right scenes first? ``python -m analysis.ratings.ranking`` prints the table.

It plants catalogues of scenes (``analysis.ratings.planted``): every scene has shares of its own that its shots are
drawn by, so a longer cut of the same scene would come to them. A classifier of known accuracy, whose errors are shared
within a shot, reads the drawings. The scenes are then ordered for one emotion by our score and by what others order by,
and each order is held against the planted shares with nDCG@5. Needs no database.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.ratings.planted import DRAWING_MS, LIKENESS, SERIES, Planted, plant
from analysis.ratings.readings import Readings, likeliest, shares
from analysis.ratings.scenes import SCENE_LEAST_MS, score_scene
from ml.types import EMOTIONS, Emotion

TOP = 5
SCENES = 300
MOST_SHOTS = 8  # of a scene; most are short
ACCURACY = 0.75
PEAK_MS = 5_000
Z = 1.959964
FRAMES_PER_SECOND = 24
OURS = "shrunken lower bound (ours)"

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Row:
    """``ndcg``: mean over catalogues; ``low``, ``high``: 95 % of bootstraps over catalogues of ours less this one."""

    name: str
    ndcg: float
    low: float
    high: float


def catalogue(rng: np.random.Generator, scenes: int = SCENES, accuracy: float = ACCURACY) -> list[Planted]:
    """Scenes of one character, at least as long as a scene must be to be ranked."""
    found: list[Planted] = []
    while len(found) < scenes:
        shots = 1 + min(MOST_SHOTS - 1, int(rng.geometric(0.4)) - 1)
        one = plant(rng, shots=shots, accuracy=accuracy, planted=rng.dirichlet(LIKENESS / 2 * SERIES))
        if one.readings.readable_ms >= SCENE_LEAST_MS:
            found.append(one)
    return found


def ndcg(order: Sequence[int], gains: Floats, top: int = TOP) -> float:
    """Normalised discounted cumulative gain of the first ``top`` (Jarvelin & Kekalainen 2002); 1 where no gain is."""
    discount = 1 / np.log2(np.arange(2, top + 2))
    best = np.sort(gains)[::-1][:top]
    ideal = float((best * discount[: len(best)]).sum())
    said = gains[np.asarray(order[:top], np.int64)]
    return float((said * discount[: len(said)]).sum()) / ideal if ideal > 0 else 1.0


def mean_probability(r: Readings, j: int) -> float:
    return float(shares(r)[j])


def total_seconds(r: Readings, j: int) -> float:
    return float(shares(likeliest(r))[j]) * r.readable_ms


def peak(r: Readings, j: int) -> float:
    """The highest mean probability over five seconds."""
    window = np.ones(PEAK_MS // DRAWING_MS)
    p = r.probabilities[:, j]
    width = min(len(window), len(p))
    return float(np.convolve(p, window[:width] / width, mode="valid").max())


def wilson(r: Readings, j: int) -> float:
    """Lower end of Wilson's interval with every frame as a witness."""
    said, frames = float(shares(likeliest(r))[j]), r.readable_ms * FRAMES_PER_SECOND / 1000
    middle = (said + Z**2 / (2 * frames)) / (1 + Z**2 / frames)
    return middle - Z / (1 + Z**2 / frames) * float(np.sqrt(said * (1 - said) / frames + Z**2 / (4 * frames**2)))


def score(r: Readings, j: int) -> float:
    return score_scene(r, r.readable_ms, {})[EMOTIONS[j]].score


ORDERS: Mapping[str, Callable[[Readings, int], float]] = {
    OURS: score,
    "mean probability": mean_probability,
    "best five seconds": peak,
    "total seconds": total_seconds,
    "Wilson, every frame a witness": wilson,
}


def measure(catalogues: int, seed: int, emotion: Emotion = Emotion.HAPPY, accuracy: float = ACCURACY) -> list[Row]:
    """One row per order, ours first. Pairs: every order ranks the same catalogues."""
    rng = np.random.default_rng(seed)
    j = EMOTIONS.index(emotion)
    found: dict[str, list[float]] = {name: [] for name in ORDERS}
    for _ in range(catalogues):
        scenes = catalogue(rng, accuracy=accuracy)
        gains = np.array([scene.planted[j] for scene in scenes])
        for name, value in ORDERS.items():
            order = np.argsort([-value(scene.readings, j) for scene in scenes], kind="stable")
            found[name].append(ndcg(order.tolist(), gains))
    draws = rng.integers(catalogues, size=(2000, catalogues))
    rows = []
    for name, values in found.items():
        lead = (np.array(found[OURS]) - np.array(values))[draws].mean(axis=1)
        low, high = np.quantile(lead, (0.025, 0.975))
        rows.append(Row(name, float(np.mean(values)), float(low), float(high)))
    return rows


def table(rows: Sequence[Row]) -> str:
    lines = ["| scenes ordered by | nDCG@5 | ours leads by |", "|---|---|---|"]
    for row in rows:
        lead = "" if row.name == OURS else f"{row.low:+.3f} to {row.high:+.3f}"
        lines.append(f"| {row.name} | {row.ndcg:.3f} | {lead} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m analysis.ratings.ranking", description=__doc__)
    parser.add_argument("--catalogues", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--accuracy", type=float, default=ACCURACY, help="of the simulated classifier")
    parser.add_argument("--emotion", choices=[str(e) for e in EMOTIONS], default=str(Emotion.HAPPY))
    args = parser.parse_args(arguments)
    if args.catalogues < 1:
        parser.error("--catalogues must be at least 1")
    if not 0.2 <= args.accuracy <= 1.0:
        parser.error("--accuracy lies between 0.2 and 1")
    sys.stdout.write(table(measure(args.catalogues, args.seed, Emotion(args.emotion), args.accuracy)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
