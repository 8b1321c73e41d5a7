"""A catalogue with planted truth, and people with planted tastes, to see what recommendations are worth.

Like ``analysis.ratings.planted``, but by whole shots, for thousands of episodes: a shot shows one emotion and is taken
for one; shares are corrected by the model's confusion matrix, bounded by how the shots vary (in closed form instead of
by a thousand draws) and drawn toward the series. Each emotion has a time of the episode at which it mostly comes. One
cut can be read several times, by the same model with other errors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.ratings import Needed, Peer, baseline_of, shrink
from analysis.ratings.interval import hold
from analysis.ratings.planted import SERIES
from analysis.recommend.features import (
    INTERVAL_DEVIATIONS,
    KINDS,
    UPSETTING,
    Catalogue,
    Floats,
    Ints,
    Shown,
    catalogue_of,
    features_of,
)
from ml.timeline import Span
from ml.types import EMOTIONS, Emotion

CAST = 2  # characters of a series
SERIES_LIKENESS, CHARACTER_LIKENESS, EPISODE_LIKENESS = 7.0, 18.0, 10.0  # Dirichlet strengths, going down
ACCURACY = 0.82
LEAST_SHOTS, MOST_SHOTS = 60, 400
TIMED = 0.22  # how far from its time an emotion comes, as a part of the episode
HAPPY = 0


@dataclass(frozen=True, slots=True)
class Cut:
    """One character's shots in time order: which emotion each shows, when it begins and how long it is (ms)."""

    drawn: Ints
    start_ms: Ints
    length_ms: Ints


@dataclass(frozen=True, slots=True)
class World:
    """n episodes. ``series`` (n,), newer series have higher numbers; ``cuts``: per episode, one of each character.

    ``shown`` (n, 7): what the cuts show, to the millisecond. ``when`` (n, 7): where in the episode, from 0 to 1.
    """

    series: Ints
    duration_ms: Ints
    cuts: Sequence[Sequence[Cut]]
    shown: Floats
    when: Floats
    matrix: Floats


def world_of(rng: np.random.Generator, series: int, per_series: int) -> World:
    """Every series has CAST characters of its own, and they are in all its episodes."""
    owners, lengths, cuts = [], [], []
    for number in range(series):
        base = _near(rng, SERIES_LIKENESS, SERIES)
        people = [_near(rng, CHARACTER_LIKENESS, base) for _ in range(CAST)]
        times = rng.uniform(0.1, 0.9, KINDS)
        for _ in range(per_series):
            moments = np.clip(times + rng.normal(0, 0.2, KINDS), 0, 1)
            made = [_cut(rng, _near(rng, EPISODE_LIKENESS, one), moments) for one in people]
            length = int(max(c.length_ms.sum() for c in made) * rng.uniform(1.05, 1.6))
            owners.append(number)
            lengths.append(length)
            cuts.append([_spread(c, length) for c in made])
    told = [_told(each, length) for each, length in zip(cuts, lengths, strict=True)]
    return World(
        series=np.array(owners, dtype=np.int64),
        duration_ms=np.array(lengths, dtype=np.int64),
        cuts=cuts,
        shown=np.array([shown for shown, _ in told]),
        when=np.array([when for _, when in told]),
        matrix=_mistakes(rng),
    )


def read(world: World, rng: np.random.Generator) -> Catalogue:
    """The catalogue as one reading of every cut has it. Only episodes with enough evidence of everybody are in it.

    The id of an episode is its place in the world.
    """
    found = [[_measured(rng, cut, world.matrix) for cut in cuts] for cuts in world.cuts]
    features = []
    for i, own in enumerate(zip(world.cuts, found, strict=True)):
        peers = np.flatnonzero((world.series == world.series[i]) & (np.arange(len(found)) != i))
        shown = []
        for who, (cut, measured) in enumerate(zip(*own, strict=True)):
            others = [Peer(int(j), found[j][who].share, found[j][who].worth) for j in peers]
            one = _shown(int(world.series[i]) * CAST + who, cut, measured, others)
            shown += [] if one is None else [one]
        enough = len(shown) == len(world.cuts[i])
        made = features_of(i, int(world.series[i]), int(world.duration_ms[i]), shown if enough else [])
        features += [] if made is None else [made]
    return catalogue_of(features)


@dataclass(frozen=True, slots=True)
class Taste:
    """``worth`` (n,): how much this person gets out of each episode, from 0 to 1. ``liked``: episodes it names."""

    worth: Floats
    liked: tuple[int, ...]


def tastes(rng: np.random.Generator, world: World, count: int, known: Ints, likes: int = 3) -> list[Taste]:
    """People with an ideal of their own: shares, some minded more than others, and when joy and upset come.

    Each names the best of a handful of episodes that it came across, drawn from ``known``.
    """
    found = []
    for _ in range(count):
        model = int(rng.integers(len(world.shown)))
        ideal = rng.dirichlet(60 * world.shown[model] + 0.05)
        minded = rng.choice([0.06, 0.10, 0.20], KINDS)
        gap = (((world.shown - ideal) / minded) ** 2).sum(axis=1)
        for e in (HAPPY, *UPSETTING):
            gap += 0.5 * ((world.when[:, e] - world.when[model, e]) / 0.2) ** 2
        worth = np.exp(-0.5 * gap / 2)
        met = rng.choice(known, min(len(known), 60), replace=False)
        best = met[np.argsort(-worth[met], kind="stable")[:likes]]
        found.append(Taste(worth, tuple(int(i) for i in best)))
    return found


def calmer_tastes(rng: np.random.Generator, world: World, count: int, known: Ints) -> list[Taste]:
    """People who name one upsetting episode and want the like of it with at most half the anger and fear."""
    upset = world.shown[:, list(UPSETTING)].sum(axis=1)
    rest = np.delete(world.shown, list(UPSETTING), axis=1)
    rest = rest / np.maximum(rest.sum(axis=1, keepdims=True), 1e-9)
    found = []
    candidates = known[upset[known] >= 0.15]
    for liked in rng.choice(candidates, count).tolist():
        over = np.maximum(0.0, upset - 0.5 * upset[liked])
        gap = (((rest - rest[liked]) / 0.10) ** 2).sum(axis=1) / 2
        found.append(Taste(np.exp(-0.5 * gap - 0.5 * (over / 0.04) ** 2), (int(liked),)))
    return found


def _near(rng: np.random.Generator, strength: float, base: Floats) -> Floats:
    near: Floats = rng.dirichlet(strength * base + 0.02)
    return near


def _cut(rng: np.random.Generator, shares: Floats, moments: Floats) -> Cut:
    """Shots one after the other, in the order in which their expressions come."""
    count = int(np.exp(rng.uniform(np.log(LEAST_SHOTS), np.log(MOST_SHOTS))))
    drawn = rng.choice(KINDS, count, p=shares)
    drawn = drawn[np.argsort(moments[drawn] + rng.normal(0, TIMED, count), kind="stable")]
    length = np.clip(rng.lognormal(0.9, 0.6, count), 0.5, 15.0) * 1000
    return Cut(drawn.astype(np.int64), np.zeros(count, dtype=np.int64), length.astype(np.int64))


def _spread(cut: Cut, length_ms: int) -> Cut:
    """The same with its shots spread over the episode."""
    gap = (length_ms - int(cut.length_ms.sum())) // (len(cut.drawn) + 1)
    starts = np.cumsum(np.concatenate([[0], cut.length_ms[:-1]])) + gap * np.arange(1, len(cut.drawn) + 1)
    return Cut(cut.drawn, starts.astype(np.int64), cut.length_ms)


def _told(cuts: Sequence[Cut], length_ms: int) -> tuple[Floats, Floats]:
    drawn = np.concatenate([c.drawn for c in cuts])
    weight = np.concatenate([c.length_ms for c in cuts]).astype(np.float64)
    at = np.concatenate([c.start_ms + c.length_ms / 2 for c in cuts]) / length_ms
    shown = np.bincount(drawn, weights=weight, minlength=KINDS)
    when = np.bincount(drawn, weights=weight * at, minlength=KINDS) / np.maximum(shown, 1)
    return shown / weight.sum(), np.where(shown > 0, when, 0.5)


@dataclass(frozen=True, slots=True)
class _Measured:
    said: Ints
    share: Floats
    spread: Floats
    worth: float


def _measured(rng: np.random.Generator, cut: Cut, matrix: Floats) -> _Measured:
    """Each shot is taken for one emotion; shares are corrected by the matrix, and vary as the shots do."""
    chances = np.cumsum(matrix[cut.drawn], axis=1)
    said = np.minimum((rng.random(len(cut.drawn))[:, None] > chances).sum(axis=1), KINDS - 1).astype(np.int64)
    weight = cut.length_ms / cut.length_ms.sum()
    solved = np.linalg.inv(matrix.T).T[said]
    point = np.clip(weight @ solved, 0.0, None)
    point = point / point.sum()
    shots = 1 / float((weight**2).sum())
    variance = (weight**2) @ (solved - point) ** 2 * shots / max(shots - 2, 1.0) + 0.25 / (shots + 1) ** 2
    worth = max(0.0, float((point * (1 - point)).sum() / variance.sum()) - 1)
    return _Measured(said, point, variance, min(worth, shots))


def _shown(character: int, cut: Cut, found: _Measured, others: Sequence[Peer]) -> Shown | None:
    """None without enough evidence, as the site has it. The interval is around what was measured, not drawn."""
    published = shrink(found.share, found.worth, baseline_of(others))
    half = INTERVAL_DEVIATIONS / 2 * np.sqrt(found.spread)
    bounds = hold(np.stack([found.share - half, found.share + half], axis=1), published)
    needed = Needed()
    readable = int(cut.length_ms.sum())
    widest = float((bounds[:, 1] - bounds[:, 0]).max()) / 2
    if readable < needed.readable_ms or len(cut.drawn) < needed.shots or widest > needed.half_width:
        return None
    spans: dict[Emotion, list[Span]] = {}
    for said, start, length in zip(found.said.tolist(), cut.start_ms.tolist(), cut.length_ms.tolist(), strict=True):
        spans.setdefault(EMOTIONS[said], []).append(Span(start, start + length, 1.0))
    pace = len(cut.drawn) / (readable / 60_000)
    return Shown(character, readable, published, bounds[:, 0], bounds[:, 1], pace, spans)


def _mistakes(rng: np.random.Generator) -> Floats:
    """(7, 7) how what is drawn is taken: right for ACCURACY on average, else above all for a few others."""
    matrix = np.zeros((KINDS, KINDS))
    for drawn in range(KINDS):
        right = float(np.clip(ACCURACY + rng.uniform(-0.08, 0.08), 0.4, 0.99))
        others = [said for said in range(KINDS) if said != drawn]
        matrix[drawn, others] = (1 - right) * rng.dirichlet(np.ones(KINDS - 1))
        matrix[drawn, drawn] = right
    return matrix
