"""What is wanted: liked episodes and sliders, made one episode that does not exist, with how sure that is.

Everything that a slider moves is moved by odds: one step halves or doubles the odds of an emotion, and what is freed
goes to the emotions that were not moved, so shares stay shares. A moved emotion is asked for on one side only: who asks
for less anger does not mind still less.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from math import log

import numpy as np

from analysis.recommend.features import INTERVAL_DEVIATIONS, KINDS, Catalogue, Features, Floats
from ml.types import EMOTIONS, Emotion

MOST_STEPS = 2
STEP = log(2.0)
LENGTH_STEP = 1.5  # one step of "shorter": two thirds of the length
NEAR = 0.08  # shares that differ by this are told apart
NEAR_MOVED = 0.04  # likewise where a slider was moved
LEAST_SHARE = 0.002  # an odds ratio needs something to move
UNASKED = 9.0  # without likes: how many times the usual variance an emotion that nobody asked about may be off


@dataclass(frozen=True, slots=True)
class Sliders:
    """Each from -2 to 2; 0: as it is. A negative step asks for the opposite."""

    calmer: int = 0
    happier: int = 0
    less_angry: int = 0
    less_scary: int = 0
    less_sad: int = 0
    shorter: int = 0

    def __post_init__(self) -> None:
        for name, steps in self.steps().items():
            if not -MOST_STEPS <= steps <= MOST_STEPS:
                raise ValueError(f"{name} is from -{MOST_STEPS} to {MOST_STEPS}, not {steps}")

    def steps(self) -> dict[str, int]:
        return {f.name: getattr(self, f.name) for f in fields(self)}

    @property
    def any(self) -> bool:
        return any(self.steps().values())


SLIDERS = tuple(f.name for f in fields(Sliders))
MOVES: Mapping[str, Mapping[Emotion, int]] = {
    "calmer": {Emotion.ANGRY: -1, Emotion.SCARED: -1},
    "happier": {Emotion.HAPPY: 1},
    "less_angry": {Emotion.ANGRY: -1},
    "less_scary": {Emotion.SCARED: -1},
    "less_sad": {Emotion.SAD: -1},
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """``share`` (7,) with ``spread``, a variance: how far off is still as wanted.

    ``side`` (7,): 1 at least, -1 at most, 0 just so. ``known`` (7,): emotions that a liked episode tells of. ``pace``,
    ``duration_ms``: with a side, or None. ``cast`` and ``arc``: square roots as in ``Catalogue``; None without likes.
    """

    share: Floats
    spread: Floats
    side: Floats
    known: Floats
    pace: tuple[float, int] | None
    duration_ms: tuple[float, int] | None
    cast: Mapping[int, Floats] | None
    arc: Floats | None
    liked: tuple[Features, ...]
    sliders: Sliders


def wanted_of(liked: Sequence[Features], sliders: Sliders, catalogue: Catalogue) -> Wanted:
    """Raises ValueError where nothing is asked: neither an episode nor a slider."""
    if not liked and not sliders.any:
        raise ValueError("nothing is asked for")
    shift = shift_of(sliders)
    side = np.sign(shift)
    share, spread, known = _liked(liked) if liked else (catalogue.usual, UNASKED * catalogue.unlike, np.ones(KINDS))
    spread = np.where(side != 0, NEAR_MOVED**2, spread + NEAR**2)
    return Wanted(
        share=moved(share, shift),
        spread=spread,
        side=side,
        known=known,
        pace=_pace(liked, sliders, catalogue),
        duration_ms=_duration(liked, sliders, catalogue),
        cast=_cast(liked, shift) if liked else None,
        arc=np.mean([np.sqrt(moved(f.arc, shift)).ravel() for f in liked], axis=0) if liked else None,
        liked=tuple(liked),
        sliders=sliders,
    )


def shift_of(sliders: Sliders) -> Floats:
    """(7,) what the sliders add to the log odds of each emotion."""
    shift = np.zeros(KINDS)
    for name, emotions in MOVES.items():
        for emotion, direction in emotions.items():
            shift[EMOTIONS.index(emotion)] += STEP * direction * getattr(sliders, name)
    return shift


def moved(shares: Floats, shift: Floats) -> Floats:
    """(..., 7) shares with odds moved; those not moved take up what is freed, in proportion. Sums stay.

    Where nothing else is there to take it up, it is spread evenly over the emotions that were not moved.
    """
    touched = shift != 0
    if not touched.any():
        return shares
    total = shares.sum(axis=-1, keepdims=True)
    within = np.divide(shares, total, out=np.zeros_like(shares), where=total > 0)
    held = np.clip(within, LEAST_SHARE, 1 - LEAST_SHARE)
    odds = held / (1 - held) * np.exp(shift)
    new = np.where(touched, odds / (1 + odds), 0.0)
    over = new.sum(axis=-1, keepdims=True)
    new = np.where(over > 1, new / np.maximum(over, 1), new)
    rest = np.where(touched, 0.0, within)
    resting = rest.sum(axis=-1, keepdims=True)
    even = (~touched).astype(float) / max(1, int((~touched).sum()))
    rest = np.where(resting > 0, np.divide(rest, resting, out=np.zeros_like(rest), where=resting > 0), even)
    result: Floats = (new + rest * np.maximum(0.0, 1 - new.sum(axis=-1, keepdims=True))) * total
    return result


def _liked(liked: Sequence[Features]) -> tuple[Floats, Floats, Floats]:
    """Mean share, how far the liked lie apart (or what one of them leaves open), and which emotions any tells of.

    An episode counts for more where it is known better, up to a point: a variance of NEAR² is added to each.
    """
    shares = np.array([f.share for f in liked])
    told = ~np.isnan(shares)
    variance = (np.array([f.high - f.low for f in liked]) / INTERVAL_DEVIATIONS) ** 2
    weight = np.where(told, 1 / (np.nan_to_num(variance) + NEAR**2), 0.0)
    total = np.maximum(weight.sum(axis=0), 1e-12)
    mean = (weight * np.nan_to_num(shares)).sum(axis=0) / total
    apart = (weight * np.where(told, (np.nan_to_num(shares) - mean) ** 2, 0.0)).sum(axis=0) / total
    left = (weight * np.nan_to_num(variance)).sum(axis=0) / total / len(liked)
    return mean, apart + left, told.any(axis=0).astype(float)


def _cast(liked: Sequence[Features], shift: Floats) -> dict[int, Floats]:
    found: dict[int, Floats] = {}
    for f in liked:
        for character, part in f.cast.items():
            found[character] = found.get(character, np.zeros(KINDS)) + np.sqrt(moved(part, shift)) / len(liked)
    return found


def _pace(liked: Sequence[Features], sliders: Sliders, catalogue: Catalogue) -> tuple[float, int] | None:
    if not sliders.calmer:
        return None
    usual = float(np.mean([f.pace for f in liked])) if liked else float(catalogue.pace.mean()) if len(catalogue) else 0
    return usual * 2.0 ** (-sliders.calmer / 2), -int(np.sign(sliders.calmer))


def _duration(liked: Sequence[Features], sliders: Sliders, catalogue: Catalogue) -> tuple[float, int] | None:
    if not sliders.shorter:
        return None
    if liked:
        usual = float(np.exp(np.mean([np.log(f.duration_ms) for f in liked])))
    else:
        usual = float(np.median(catalogue.duration_ms)) if len(catalogue) else 1.0
    return usual * LENGTH_STEP ** (-sliders.shorter), -int(np.sign(sliders.shorter))
