"""Who reacts to whom: one character changes to an emotion soon after another begins to show it.

Counted are *beginnings*: B had shown something else in the same shot, and shows e within REACT_MS after A began to, in
the same scene. What chance alone gives is found by turning B's beginnings round within each scene, as on a ring, so
that each keeps its own rhythm and loses only its place beside A's. A pair is told only where hardly any turn gives as
many (Holm's correction over all pairs and emotions of the episode), and at least LEAST_TIMES. A face that comes
to rest is no reaction, so *neutral* is left out. It tells what came after what, never why.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.ratings.readings import Readings, emotion_spans
from ml.types import Emotion

REACT_MS = 2_000
LEAST_TIMES = 3
TURNS = 2_000
LEVEL = 0.05  # chance that an episode in which nobody reacts to anybody has one pair told

Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Reaction:
    """``who`` begins to show ``emotion`` after ``to`` did: ``times`` of the ``of`` occasions, where turns gave
    ``by_chance`` on average. ``p``: after Holm's correction. ``at_ms``: when ``to`` began, each time.
    """

    who: str
    to: str
    emotion: Emotion
    times: int
    of: int
    by_chance: float
    p: float
    at_ms: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Pair:
    """(a,) beginnings of ``to`` and (b,) of ``who``, with the scene of each."""

    who: str
    to: str
    emotion: Emotion
    shown: Places
    shown_scene: Places
    begun: Places
    begun_scene: Places


def reactions(
    readings: Mapping[str, Readings], scenes: Sequence[tuple[int, int]], seed: int = 0
) -> tuple[Reaction, ...]:
    """Those that chance does not give, the surest first. ``scenes``: [start_ms, end_ms) in time order.

    ``readings`` by character; the order of its keys changes nothing.
    """
    pairs = _pairs(readings, scenes)
    if not pairs:
        return ()
    edges = np.array(scenes, dtype=np.int64).reshape(-1, 2)
    turns = max(TURNS, int(2 * len(pairs) / LEVEL))
    found = []
    for number, pair in enumerate(pairs):
        hits = _answered(pair.shown, pair.shown_scene, pair.begun[None, :], pair.begun_scene)[0]
        turned = _turned(pair, edges, turns, np.random.default_rng([seed, number]))
        by_chance = _answered(pair.shown, pair.shown_scene, turned, pair.begun_scene).sum(axis=1)
        p = (1 + int((by_chance >= hits.sum()).sum())) / (turns + 1)
        found.append((p, number, hits, float(by_chance.mean())))
    told = []
    reached = 0.0
    for rank, (p, number, hits, chance) in enumerate(sorted(found, key=lambda f: f[:2])):
        reached = max(reached, min(1.0, p * (len(found) - rank)))
        pair, times = pairs[number], int(hits.sum())
        if reached <= LEVEL and times >= LEAST_TIMES:
            at_ms = tuple(int(t) for t in pair.shown[hits])
            told.append(Reaction(pair.who, pair.to, pair.emotion, times, len(hits), chance, reached, at_ms))
    return tuple(told)


def _pairs(readings: Mapping[str, Readings], scenes: Sequence[tuple[int, int]]) -> list[_Pair]:
    """Every pair and emotion with beginnings enough on both sides, in scenes where both can be read."""
    starts = np.array([start for start, _ in scenes], dtype=np.int64)
    shown: dict[tuple[str, Emotion], tuple[Places, Places]] = {}
    present: dict[str, set[int]] = {}
    for who in sorted(readings):
        present[who] = set(_scene_of(readings[who].pts_ms, starts).tolist())
        for emotion in readings[who].emotions:
            if emotion is not Emotion.NEUTRAL:
                begun = beginnings(readings[who], emotion)
                shown[who, emotion] = begun, _scene_of(begun, starts)
    pairs = []
    for (who, emotion), (begun, begun_scene) in shown.items():
        for to in sorted(readings):
            if to == who or (to, emotion) not in shown:
                continue
            both = np.array(sorted(present[who] & present[to]), dtype=np.int64)
            first, first_scene = shown[to, emotion]
            a, b = np.isin(first_scene, both), np.isin(begun_scene, both)
            if a.sum() >= LEAST_TIMES and b.sum() >= LEAST_TIMES:
                pairs.append(_Pair(who, to, emotion, first[a], first_scene[a], begun[b], begun_scene[b]))
    return pairs


def _scene_of(places: Places, starts: Places) -> Places:
    found: Places = np.searchsorted(starts, places, side="right") - 1
    return found


def beginnings(readings: Readings, emotion: Emotion) -> Places:
    """When the emotion begins to show on a face that showed something else just before, in the same shot.

    What a cut brings is no beginning: the next shot shows another moment.
    """
    on = np.zeros(len(readings.pts_ms), dtype=bool)
    for span in emotion_spans(readings, emotion):
        on |= (readings.pts_ms >= span.start_ms) & (readings.pts_ms < span.end_ms)
    same_shot = readings.shot[1:] == readings.shot[:-1]
    begun: Places = readings.pts_ms[1:][on[1:] & ~on[:-1] & same_shot]
    return begun


def _turned(pair: _Pair, edges: NDArray[np.int64], turns: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """(turns, b): the beginnings of ``who``, all those of a scene moved on by one amount round that scene."""
    scenes, place = np.unique(pair.begun_scene, return_inverse=True)
    start, end = edges[scenes, 0][place], edges[scenes, 1][place]
    amount = rng.random((turns, len(scenes)))[:, place] * (end - start)
    turned: NDArray[np.float64] = start + np.mod(pair.begun - start + amount, end - start)
    return turned


def _answered(shown: Places, shown_scene: Places, begun: NDArray[Any], begun_scene: Places) -> NDArray[np.bool_]:
    """(turns, a): which of the beginnings of ``to`` (a,) is followed by one of ``who`` (turns, b) in its scene."""
    answered = np.zeros((len(begun), len(shown)), dtype=bool)
    for i, (at, scene) in enumerate(zip(shown, shown_scene, strict=True)):
        after = begun[:, begun_scene == scene] - at
        answered[:, i] = ((after > 0) & (after <= REACT_MS)).any(axis=1)
    return answered
