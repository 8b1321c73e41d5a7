"""What every face of a stretch of a series shows, and when: the planted truth, as arrays. Pure and seeded.

Everything is flat: a pair is one character in one episode, an appearance one pair in one scene, a stretch one
expression of one appearance. Each has the index of what it belongs to.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.planted.shows import Series
from analysis.planted.words import synopses, titles
from ml.types import EMOTIONS

LIKENESS = 14.0  # how like its series a character's episodes are (Dirichlet)
APPEARANCES = 9.6  # of all characters in all scenes of an episode, about; each makes a row per emotion
SCENE_MS, MOST_SCENES = 240_000, 8
SHOT_MS = 18_000
STRETCH_MS, STRETCH_MOST_MS, STRETCH_LEAST_MS = 2_800.0, 15_000, 300
GAP_MS, GAP_LEAST_MS = 1_600.0, 500  # between two expressions of one face: more than what spans join over
SHORTEST_MS, LONGEST_MS = 180_000, 1_500_000
UNSEEN, STRANGERS, PARTIAL, WITHHELD = 0.03, 0.2, 0.04, 0.5  # not analysed; faces of nobody known; in part; not shown

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Episodes:
    """Neighbouring episodes of one series. ``number`` counts over the series from 1; (pairs, k) ``planted``: the
    shares that expressions were drawn by; ``clear``: how much of the time a face is seen it can be read;
    ``fine``: how many times as narrow its interval is as its shots alone would make it, squared.
    """

    series: Series
    number: Ints
    titles: list[str]
    synopses: list[str]
    duration_ms: Ints
    analysed: Flags
    published: Flags
    partial: Flags
    strangers: Flags
    scene_episode: Ints
    scene_index: Ints
    scene_start: Ints
    scene_end: Ints
    pair_episode: Ints
    pair_member: Ints
    planted: Floats
    clear: Floats
    fine: Floats
    appearance_scene: Ints
    appearance_pair: Ints
    stretch_appearance: Ints
    emotion: Ints
    start_ms: Ints
    end_ms: Ints
    strength: Floats


def plant_episodes(rng: np.random.Generator, series: Series, first: int, last: int) -> Episodes:
    """Episodes ``first`` to ``last`` (from 1, both included) of a series."""
    number = np.arange(first, last + 1)
    n, cast = len(number), len(series.cast)
    length = series.length_ms * rng.lognormal(0.0, 0.12, n)
    duration = np.clip(length, SHORTEST_MS, LONGEST_MS).astype(np.int64)
    there = rng.random((n, cast)) < np.array([1.0, 0.9, *([0.55] * (cast - 2))])
    pair_episode, pair_member = (a.astype(np.int64) for a in np.nonzero(there))
    at = (number - 1) / max(1, series.episodes - 1)
    mean = series.mean(at)[pair_episode, pair_member]
    drawn = rng.standard_gamma(LIKENESS * mean) + 1e-9
    scenes = _scenes(rng, duration)
    appearances = _appearances(rng, there, scenes)
    planted = drawn / drawn.sum(axis=1, keepdims=True)
    partial = rng.random(n) < PARTIAL
    analysed = rng.random(n) >= UNSEEN
    stretches = _stretches(rng, planted, scenes, appearances)
    names = [[series.cast[m] for m in np.flatnonzero(row)] for row in there]
    return Episodes(
        series,
        number,
        titles(rng, n),
        synopses(rng, names),
        duration,
        analysed,
        analysed & ~(partial & (rng.random(n) < WITHHELD)),
        partial,
        rng.random(n) < STRANGERS,
        *scenes,
        pair_episode,
        pair_member,
        planted,
        rng.uniform(0.5, 1.0, len(pair_episode)),
        np.where(rng.random(len(pair_episode)) < 0.06, 20.0, rng.lognormal(0.7, 0.5, len(pair_episode))),
        *appearances,
        *stretches[:4],
        strength=stretches[4],
    )


Scenes = tuple[Ints, Ints, Ints, Ints]


def _scenes(rng: np.random.Generator, duration: Ints) -> Scenes:
    """Episode, index, start and end of each; those of an episode follow one another without a gap."""
    count = np.clip(1 + rng.poisson(duration / SCENE_MS), 1, MOST_SCENES)
    valid = np.arange(MOST_SCENES) < count[:, None]
    weight = np.cumsum(rng.uniform(0.5, 1.5, valid.shape) * valid, axis=1)
    ends = np.round(weight / weight[:, -1:] * duration[:, None]).astype(np.int64)
    starts = np.concatenate([np.zeros((len(duration), 1), np.int64), ends[:, :-1]], axis=1)
    episode, index = np.nonzero(valid)
    return episode.astype(np.int64), index.astype(np.int64), starts[valid], ends[valid]


def _appearances(rng: np.random.Generator, there: Flags, scenes: Scenes) -> tuple[Ints, Ints]:
    """Scene and pair of each."""
    pair_at = np.cumsum(there.ravel()).reshape(there.shape) - 1
    possible = there[scenes[0]]
    chance = min(1.0, APPEARANCES * len(there) / max(1, int(possible.sum())))
    scene, member = np.nonzero(possible & (rng.random(possible.shape) < chance))
    return scene.astype(np.int64), pair_at[scenes[0][scene], member].astype(np.int64)


def _stretches(
    rng: np.random.Generator, planted: Floats, scenes: Scenes, appearances: tuple[Ints, Ints]
) -> tuple[Ints, Ints, Ints, Ints, Floats]:
    """Appearance, emotion, start, end and strength of each, in time order within an appearance."""
    scene, pair = appearances
    count = 1 + rng.poisson(3.2, len(scene))
    at = np.repeat(np.arange(len(scene)), count)
    length = np.clip(rng.lognormal(np.log(STRETCH_MS), 0.7, len(at)), STRETCH_LEAST_MS, STRETCH_MOST_MS).astype(
        np.int64
    )
    gap = np.maximum(GAP_LEAST_MS, rng.lognormal(np.log(GAP_MS), 0.6, len(at))).astype(np.int64)
    ends = np.cumsum(length + gap)
    first = np.cumsum(count) - count
    before = (ends - length - gap)[first] if len(at) else ends
    total = np.add.reduceat(length + gap, first) if len(at) else ends
    room = np.maximum(0, scenes[3][scene] - scenes[2][scene] - total)
    offset = (scenes[2][scene] + rng.random(len(scene)) * room).astype(np.int64)
    end = ends - before[at] + offset[at]
    kept = end <= scenes[3][scene][at]
    chances = np.cumsum(planted, axis=1)[pair[at]]
    emotion = np.minimum((rng.random(len(at))[:, None] > chances).sum(axis=1), len(EMOTIONS) - 1)
    strength = np.round(rng.uniform(0.62, 0.98, len(at)), 4)
    return at[kept], emotion[kept], (end - length)[kept], end[kept], strength[kept]
