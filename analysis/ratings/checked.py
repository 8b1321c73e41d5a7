"""Prediction-powered shares: what a model reads everywhere, mended by what people saw in a random sample of shots.

Angelopoulos et al. 2023 (PPI, PPI++): ``model everywhere + mean over the sample of (truth - model)``, here for a ratio
of sums over shots of unequal length, since a share is the time of an emotion through the time that can be read.
``power`` says how far the model is trusted at all (1: wholly, 0: the sample alone); it is tuned on the sample, one for
all emotions. Shots were drawn by lot, so this holds whatever the model's mistakes are like, and needs no confusion
matrix. What it bounds is what this very cut shows: with every shot checked there is nothing left to doubt.

Twenty shots without a mistake do not mean that there is none. As in ``interval``, the draws are a Bayesian bootstrap
with weights of shape (n - 2) / n and a little of unseen shots; here of an unseen shot it is unknown what it shows and
what the model says of it. docs/decisions/0009-checked-shots.md has what was measured.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.ratings.confusion import to_simplex
from analysis.ratings.interval import CONFIDENCE, DRAWS, LEAST_WORTH, hold

UNSEEN_CHECKED = 1.5  # shots of which neither what they show nor what is said of them is known

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Checks:
    """``said``: (N, k) readable milliseconds by emotion of each shot that the sample was drawn from, as the model has
    it.
    ``picked``: (n,) places of the checked ones; ``truth``: (n, k) as people have it, rows sum to what can be read.

    ``outside_ms``: readable time in shots that could not be drawn. ``sure``: (k,) all time of which people said what it
    shows, in the sample or not; ``open_ms``: visible time of which nobody did. What is sure bounds the shares too.
    """

    said: Floats
    picked: Ints
    truth: Floats
    outside_ms: float = 0.0
    sure: Floats | None = None
    open_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Checked:
    """(k,) ``share`` and (k, 2) ``bounds`` of what this cut shows; ``power`` in [0, 1]."""

    share: Floats
    bounds: Floats
    power: float


def estimate_checked(checks: Checks, seed: int = 0, *, unseen_shots: float = UNSEEN_CHECKED) -> Checked:
    """Bounds are [0, 1] where the checked shots are worth fewer than LEAST_WORTH."""
    said, truth = checks.said, checks.truth
    read = said[checks.picked]
    k = said.shape[1]
    if not len(truth) or truth.sum() <= 0:
        return Checked(np.zeros(k), np.tile(np.array([0.0, 1.0]), (k, 1)), 0.0)
    power = tuned_power(said, read, truth)
    point = _ratio(power * said.mean(axis=0) + (truth - power * read).mean(axis=0))
    if len(truth) == len(said):
        bounds = np.stack([point, point], axis=1)
    else:
        bounds = hold(_drawn_bounds(checks, power, point, np.random.default_rng(seed), unseen_shots), point)
    return _possible(Checked(point, bounds, power), checks)


def tuned_power(said: Floats, read: Floats, truth: Floats) -> float:
    """The one that makes the shares, linearised at a first estimate, vary least; in [0, 1]."""
    first = _ratio((truth - read).mean(axis=0) + said.mean(axis=0))
    true = _centred(truth - first * truth.sum(axis=1, keepdims=True))
    model = _centred(read - first * read.sum(axis=1, keepdims=True))
    spread = float((model**2).sum())
    return min(1.0, max(0.0, float((true * model).sum()) / spread)) if spread > 0 else 0.0


def _drawn_bounds(checks: Checks, power: float, point: Floats, rng: np.random.Generator, unseen_shots: float) -> Floats:
    """(k, 2): the middle 95 % of the draws; nearer to the point the fewer shots are left unchecked."""
    truth, read, (n, k) = checks.truth, checks.said[checks.picked], checks.truth.shape
    length = np.maximum(truth.sum(axis=1), read.sum(axis=1))
    worth = float(length.sum() ** 2 / (length**2).sum())
    if worth < LEAST_WORTH:
        return np.tile(np.array([0.0, 1.0]), (k, 1))
    everywhere = checks.said.mean(axis=0)
    weights = rng.standard_gamma((worth - 2.0) / worth, size=(DRAWS, n))
    unseen_true = rng.standard_gamma(unseen_shots / k, size=(DRAWS, k))
    unseen = unseen_true.sum(axis=1, keepdims=True)
    usual = everywhere / everywhere.sum() if everywhere.sum() > 0 else np.full(k, 1.0 / k)
    unseen_said = rng.standard_gamma(np.maximum(usual * unseen_shots, 1e-3), size=(DRAWS, k))
    unseen_said *= unseen / np.maximum(unseen_said.sum(axis=1, keepdims=True), 1e-300)
    shot_ms = float((length**2).sum() / length.sum())
    mended = weights @ (truth - power * read) + (unseen_true - power * unseen_said) * shot_ms
    drawn = _ratio(power * everywhere + mended / (weights.sum(axis=1, keepdims=True) + unseen))
    left = np.sqrt(1.0 - n / len(checks.said))
    tail = (1.0 - CONFIDENCE) / 2
    near = np.clip(point + left * (drawn - point), 0.0, 1.0)
    found: Floats = np.quantile(near, [tail, 1.0 - tail], axis=0).T
    return found


def _possible(found: Checked, checks: Checks) -> Checked:
    """Shots that could not be drawn may show anything; and what is sure leaves only so much open."""
    inside = float(checks.said.sum())
    outside = checks.outside_ms / (inside + checks.outside_ms) if checks.outside_ms > 0 else 0.0
    low = found.bounds[:, 0] * (1.0 - outside)
    high = found.bounds[:, 1] * (1.0 - outside) + outside
    share = found.share
    whole = 0.0 if checks.sure is None else float(checks.sure.sum()) + checks.open_ms
    if checks.sure is not None and whole > 0:
        least = checks.sure / whole
        most = np.minimum(1.0, (checks.sure + checks.open_ms) / whole)
        low, high, share = (np.clip(x, least, most) for x in (low, high, share))
    return Checked(share, np.stack([low, high], axis=1), found.power)


def _ratio(times: Floats) -> Floats:
    """(..., k) times as shares on the simplex; a sum of nothing or less is as little as can be."""
    whole = np.maximum(times.sum(axis=-1, keepdims=True), 1e-9)
    return to_simplex(times / whole)


def _centred(values: Floats) -> Floats:
    centred: Floats = values - values.mean(axis=0)
    return centred
