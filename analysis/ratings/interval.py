"""How far a share may be from what was measured: a bootstrap over shots.

The drawings of a shot look alike and share their errors, so a shot is one witness however many frames it has. Each of
DRAWS draws gives every shot a random weight (Rubin's Bayesian bootstrap, 1981) and corrects what comes out with a
confusion matrix drawn anew. Two things make it right for few shots, where resampling shots with replacement is not:

- the weights are drawn from gamma distributions of shape (n - 2) / n, n being the shots' worth (Kish), so that the
  spread of the draws is the unbiased estimate, as dividing by n - 1 makes it for a mean;
- one more shot of an unknown emotion is thought to be there (Perks' prior, 1/k for each of k emotions), so that an
  emotion which none of ten shots shows is not known to be absent.

docs/decisions/0007-intervals-by-shots.md has what was measured, and the alternatives.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analysis.ratings.confusion import Confusion, correct
from analysis.ratings.readings import Readings, ShotTotals, likeliest, shares, shot_totals

DRAWS = 1000
CONFIDENCE = 0.95
LOW_READS_ZERO = 0.02
UNSEEN_SHOTS = 1.0  # one more shot, of an emotion that is not known
LEAST_WORTH = 2.5  # shots; time that is worth less says nothing about other shots

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """(k,) ``share``, corrected where there is a matrix; (k, 2) ``bounds``; ``worth``: how many shots, read without
    error, would say as much (the concentration of the draws), at most as many as there are.
    """

    share: Floats
    bounds: Floats
    worth: float


def estimate(readings: Readings, confusion: Confusion | None = None, seed: int = 0) -> Estimate:
    """Corrected shares with their intervals. Bounds are [0, 1] where the shots are worth fewer than LEAST_WORTH."""
    k = len(readings.emotions)
    anything = np.tile(np.array([0.0, 1.0]), (k, 1))
    if not readings.readable_ms or k == 0:
        return Estimate(np.zeros(k), anything, 0.0)
    point = corrected(readings, confusion)
    totals = shot_totals(readings if confusion is None else likeliest(readings))
    rng = np.random.default_rng(seed)
    if confusion is not None and readings.known is not None and readings.known.any():
        drawn = _redrawn_beside(totals, _known_totals(readings), confusion, rng)
    else:
        drawn = redrawn(totals, rng)
        if confusion is not None:
            drawn = correct(drawn, confusion.draw(rng, len(drawn)))
    worth = min(concentration(drawn), float(len(totals.weight)))
    return Estimate(point, anything if totals.worth < LEAST_WORTH else bounds(drawn, point), worth)


def corrected(readings: Readings, confusion: Confusion | None) -> Floats:
    """(k,) shares of the readable time: by probability, or with a matrix by adjusted count of the likeliest emotion.

    The matrix counts how single decisions fall, so decisions are what it can correct. What a person said is not.
    """
    if confusion is None:
        return shares(readings)
    if readings.known is None or not readings.known.any():
        return correct(shares(likeliest(readings)), confusion.mean())
    told, read = readings.where(readings.known), readings.where(~readings.known)
    whole = max(1, readings.readable_ms)
    by_model = correct(shares(likeliest(read)), confusion.mean()) * (read.readable_ms / whole)
    both: Floats = by_model + shares(told) * (told.readable_ms / whole)
    return both


def _known_totals(readings: Readings) -> Floats:
    """(m, k) milliseconds by shot and emotion of what a person said, in the order of all shots."""
    told = np.where(readings.known if readings.known is not None else False, readings.shown_ms, 0)
    return shot_totals(replace(readings, shown_ms=told)).shown


def _redrawn_beside(totals: ShotTotals, known: Floats, confusion: Confusion, rng: np.random.Generator) -> Floats:
    """As ``redrawn``, where the part ``known`` of ``totals.shown`` is what was drawn; only the rest is corrected."""
    weights, unseen = _weights(totals, rng)
    told = weights @ known
    said = np.maximum(weights @ (totals.shown - known) + unseen, 0.0)
    mass = np.maximum(said.sum(axis=1, keepdims=True), 1e-300)
    read = correct(said / mass, confusion.draw(rng, len(said))) * mass
    drawn: Floats = (read + told) / (mass + told.sum(axis=1, keepdims=True))
    return drawn


def redrawn(
    totals: ShotTotals, rng: np.random.Generator, *, shape: float | None = None, unseen_shots: float = UNSEEN_SHOTS
) -> Floats:
    """(DRAWS, k) shares as they come out with other weights of the shots. ``shape``: else that of the shots' worth."""
    weights, unseen = _weights(totals, rng, shape, unseen_shots)
    drawn: Floats = (weights @ totals.shown + unseen) / (weights @ totals.weight + unseen.sum(axis=1))[:, None]
    return drawn


def _weights(
    totals: ShotTotals, rng: np.random.Generator, shape: float | None = None, unseen_shots: float = UNSEEN_SHOTS
) -> tuple[Floats, Floats]:
    """(DRAWS, m) weights of the shots, and (DRAWS, k) milliseconds of the unseen one."""
    m, k = totals.shown.shape
    worth = max(totals.worth, LEAST_WORTH)
    weights = rng.standard_gamma((worth - 2.0) / worth if shape is None else shape, size=(DRAWS, m))
    shot_ms = float((totals.weight**2).sum() / totals.weight.sum())  # what a typical moment's shot lasts
    return weights, rng.standard_gamma(unseen_shots / k, size=(DRAWS, k)) * shot_ms


def bounds(drawn: Floats, point: Floats) -> Floats:
    """(k, 2): the middle 95 % of the draws, made to hold the point; a lower end under LOW_READS_ZERO reads 0."""
    tail = (1.0 - CONFIDENCE) / 2
    found: Floats = np.quantile(drawn, [tail, 1.0 - tail], axis=0).T
    return hold(found, point)


def hold(found: Floats, point: Floats) -> Floats:
    """The same bounds, wide enough to hold the point; a lower end under LOW_READS_ZERO reads 0."""
    low = np.minimum(found[:, 0], point)
    low = np.where(low < LOW_READS_ZERO, 0.0, low)
    held: Floats = np.clip(np.stack([low, np.maximum(found[:, 1], point)], axis=1), 0.0, 1.0)
    return held


def concentration(drawn: Floats) -> float:
    """The Dirichlet distribution that is spread as the draws are has this sum of parameters; 0 where they fill all."""
    middle = drawn.mean(axis=0)
    spread = float(drawn.var(axis=0).sum())
    return max(0.0, float((middle * (1 - middle)).sum()) / spread - 1.0) if spread > 0 else float("inf")
