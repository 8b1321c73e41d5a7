"""Guess the feeling: which moments are asked about, which answers stand to choose from, and how far a game is. Pure.

A game is a text that whoever plays it carries along, in the address; nothing of it is kept here.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace

from ml.types import EMOTIONS, Emotion

QUESTIONS = 5
CHOICES = 4
SURE = 0.92  # mean probability of a stretch from which the model counts as sure
LEAST_MS = 700  # shorter ones are hard to see
PLAIN = 0.05  # a second feeling that the model sees less of than this is not spoken of
MOST_SPANS = 20
RIGHT, WRONG, SKIPPED = "y", "n", "-"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A stretch that may be asked about. ``checked``: a person said so."""

    span_id: int
    episode_id: int
    emotion: str
    checked: bool


def pick(candidates: Iterable[Candidate], seed: int, count: int = QUESTIONS) -> list[int]:
    """Spans by id: what people checked first, feelings by turns, each episode as rarely as may be."""
    rng = random.Random(seed)  # noqa: S311 - a game
    by_emotion: dict[str, list[Candidate]] = defaultdict(list)
    for one in candidates:
        by_emotion[one.emotion].append(one)
    for found in by_emotion.values():
        rng.shuffle(found)
    chosen: list[Candidate] = []
    turns: list[str] = []
    while by_emotion and len(chosen) < count:
        if not turns:
            turns = sorted(by_emotion)
            rng.shuffle(turns)
        found = by_emotion.get(turns[-1], [])
        emotion = turns.pop()
        used = [c.episode_id for c in chosen]
        best = min(found, key=lambda c: (not c.checked, used.count(c.episode_id)))
        found.remove(best)
        chosen.append(best)
        if not found:
            del by_emotion[emotion]
    rng.shuffle(chosen)
    return [c.span_id for c in chosen]


def choices(emotion: Emotion, modelled: Iterable[str], seed: int, second: Emotion | None = None) -> list[Emotion]:
    """The right one and others to choose from, in the order that every question has. ``second``: what the model also
    sees a little of, which would be an unfair wrong answer.
    """
    others = [e for e in EMOTIONS if str(e) in set(modelled) and e not in (emotion, second, Emotion.NEUTRAL)]
    chosen = [emotion, *random.Random(seed).sample(others, min(CHOICES - 1, len(others)))]  # noqa: S311
    return [e for e in EMOTIONS if e in chosen]


@dataclass(frozen=True, slots=True)
class Game:
    """``spans``: what is asked, in order. ``results``: of those that are done."""

    spans: tuple[int, ...]
    results: str = ""

    @property
    def number(self) -> int:
        """Of the question that comes, from 1."""
        return len(self.results) + 1

    @property
    def over(self) -> bool:
        return len(self.results) >= len(self.spans)

    @property
    def right(self) -> int:
        return self.results.count(RIGHT)

    @property
    def answered(self) -> int:
        return len(self.results) - self.results.count(SKIPPED)

    def told(self, result: str) -> Game:
        return replace(self, results=self.results + result)

    def to_list(self) -> list[object]:
        return [list(self.spans), self.results]


def game_of(found: object) -> Game | None:
    """What ``to_list`` wrote; None for anything else."""
    if not isinstance(found, list) or len(found) != 2:
        return None
    spans, results = found
    if not isinstance(spans, list) or not isinstance(results, str) or not 0 < len(spans) <= MOST_SPANS:
        return None
    known = all(isinstance(s, int) and 0 < s < 2**62 for s in spans) and set(results) <= {RIGHT, WRONG, SKIPPED}
    return Game(tuple(spans), results) if known and len(results) <= len(spans) else None
