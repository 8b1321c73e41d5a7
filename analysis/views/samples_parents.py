"""What parents see, for the patterns page: ranges with their moments, two side by side, the quiz."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator

from analysis.models import EmotionSpan
from analysis.over_time import Stretch
from analysis.search.chips import Change, Chip
from analysis.selectors.behind import Behind, FaceAt, SpanShown
from analysis.selectors.pairs import Pair, Side
from analysis.selectors.profiles import EmotionShare
from catalog.models import Character
from ml.types import Emotion

FACE = FaceAt(1, 61_000, (0.3, 0.2, 0.5, 0.6), Emotion.SAD, 0.08, False)
LONG_NAME = "Maximilian-Alexander von der Großen Wiese"


def _character(name: str, colour: str) -> Character:
    return Character(pk=1, slug=name.lower()[:4], name=name, colour=colour)


def _behind(lengths: tuple[int, ...]) -> Behind:
    tom = _character("Tom", "#8a8f98")
    spans = tuple(
        SpanShown(1, tom, Emotion.ANGRY, 60_000 * n, 60_000 * n + length, 0.97 - 0.15 * n, None, FACE)
        for n, length in enumerate(lengths, 1)
    )
    page = Paginator([EmotionSpan(pk=n) for n in range(len(spans))], 12).page(1)
    return Behind(tom, Emotion.ANGRY, "clearest", page, spans, sum(lengths))


def _pair() -> Pair:
    """One who is seen throughout and read surely, one with a long name who comes and goes."""
    starts = range(0, 60_000, 4_000)
    sure = tuple(
        Stretch(at, at + 4_000, 3_000, share, max(0.0, share - 0.05), min(1.0, share + 0.05))
        for at in starts
        for share in [(at // 4_000 % 5) / 5]
    )
    unsure = tuple(
        Stretch(at, at + 4_000, 2_000, 0.5, 0.1, 0.9) if at // 12_000 % 2 else Stretch(at, at + 4_000, 0)
        for at in starts
    )
    tom, other = _character("Tom", "#8a8f98"), _character(LONG_NAME, "#a8703c")
    return Pair(Emotion.ANGRY, (Side(tom, sure), Side(other, unsure)), (tom, other), 60_000)


def components() -> dict[str, Any]:
    return {
        "behind": [_behind((6_400, 2_100, 800)), _behind(())],
        "pair": _pair(),
        "ranges": [
            (EmotionShare(Emotion.ANGRY, 0.43, 0.238, 0.627, 2.0, 3_100, None, None), True),
            (EmotionShare(Emotion.ANGRY, 0.001, 0.0, 0.03, 0.0, 0, None, None), True),
            (EmotionShare(Emotion.ANGRY, 0.4, 0.02, 0.93, 2.0, 3_100, None, None), False),
        ],
        "chips": [
            Chip("angriest", "episodes", (Change("least angry", "least angry episodes"),)),
            Chip(f"of {LONG_NAME}", "angriest episodes"),
        ],
        "quiz_choices": [Emotion.HAPPY, Emotion.SAD, Emotion.ANGRY, Emotion.SCARED],
    }
