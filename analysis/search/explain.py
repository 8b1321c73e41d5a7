"""The parts of a result's score, with the numbers that went in, in words and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import sqrt
from typing import Any

from analysis.models import SceneEmotion
from analysis.search.query import Order, Query
from analysis.search.scene_conditions import PRIOR, TAU_MS
from analysis.search.spans_sql import CALM_SWITCHES
from analysis.search.sql import Row


@dataclass(frozen=True, slots=True)
class Part:
    """``name`` is stable; ``words`` say what the value is and what it is made of."""

    name: str
    value: float
    words: str

    def to_json(self) -> dict[str, Any]:
        return {"name": self.name, "value": round(self.value, 6), "words": self.words}


def parts_of(query: Query, row: Row, shown: SceneEmotion | None) -> Iterator[Part]:
    """From what went in to the score itself, which is the last part. ``shown``: of a scene or moment."""
    if shown is not None and query.emotion is not None:
        yield from _scene_parts(shown)
    elif shown is not None and row.met is not None and query.character is None:
        yield Part("scenes", row.score, "of the conditions and the scenes that meet them, the lowest score")
    elif shown is not None and query.character is not None:
        length = shown.scene.end_ms - shown.scene.start_ms
        yield Part("visible_s", shown.visible_ms / 1000, "seconds in which the character is seen")
        yield Part("length_s", length / 1000, "seconds that the scene lasts")
    elif query.order is Order.CALMEST:
        yield from _calm_parts(row)
    elif query.emotion is not None:
        yield from _share_parts(query, row)
    for number, finding in enumerate(row.judged.findings if row.judged else (), 1):
        yield Part(f"condition_{number}", finding.score, f"condition {number}: {finding.verdict}")
    yield Part("score", row.score, _score_words(query, row, shown))


def _scene_parts(shown: SceneEmotion) -> Iterator[Part]:
    n = shown.readable_ms / TAU_MS
    even = 1 / len(shown.run.bundle.emotions)
    shrunk = (n * shown.share + PRIOR * even) / (n + PRIOR)
    spread = sqrt(shrunk * (1 - shrunk) / (n + PRIOR + 1))
    yield Part("share", shown.share, f"share of {shown.readable_ms / 1000:.1f} s readable in which the face shows it")
    yield Part("n", n, f"independent looks: one per {TAU_MS / 1000:.0f} s that the face can be read")
    yield Part("even", even, f"an even share of {len(shown.run.bundle.emotions)} emotions, counted as {PRIOR} looks")
    yield Part("shrunk", shrunk, "(n x share + 4 x even) / (n + 4): few looks say little")
    yield Part("spread", spread, "sqrt(shrunk x (1 - shrunk) / (n + 5)): how far off that may be")


def _share_parts(query: Query, row: Row) -> Iterator[Part]:
    yield Part("readable_s", row.facts["readable_ms"] / 1000, "seconds in which the face can be read")
    yield Part("share", row.facts["share"], f"of these, the share that shows {query.emotion}")
    yield Part("low", row.facts["low"], "lower end of what the share can be")
    yield Part("high", row.facts["high"], "upper end of what the share can be")


def _calm_parts(row: Row) -> Iterator[Part]:
    facts = row.facts
    yield Part("angry_high", facts["angry_high"], "upper end of the share of anger")
    yield Part("scared_high", facts["scared_high"], "upper end of the share of fear")
    yield Part("switches_per_minute", facts["switches_per_minute"], "expressions begun per readable minute")
    half = CALM_SWITCHES / (CALM_SWITCHES + facts["switches_per_minute"])
    yield Part("stillness", half, f"{CALM_SWITCHES:.0f} / ({CALM_SWITCHES:.0f} + switches_per_minute)")


def _score_words(query: Query, row: Row, shown: SceneEmotion | None) -> str:
    if query.order is Order.CALMEST:
        return "(1 - angry_high - scared_high), at least 0, x stillness"
    if shown is not None:
        if query.emotion is not None:
            return "shrunk - spread, at least 0"
        return "visible_s / length_s, at most 1" if query.character is not None else "the lowest of the conditions"
    if query.emotion is not None:
        return "low" if query.order is Order.MOST else "1 - high"
    if row.judged is not None and query.character is None:
        return "the lowest of the conditions"
    return "share of the length in which the character is seen" if query.character is not None else "it fits"
