"""Limits as the fields of a form, and back. Pure.

``on-NAME`` with ``most-NAME`` (percent), ``run-NAME`` (seconds) and ``length`` (minutes), the last two empty for none;
NAME is an emotion, or a slug, a colon and an emotion. ``add-character`` with ``add-emotion``, ``add-most`` and
``add-run`` is one more of a character.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from analysis.limits.limit import LENGTH, Limit, Limits
from analysis.limits.text import limits_parse, percent_text, seconds_text
from ml.types import EMOTIONS, Emotion

FRIGHTENING = (Emotion.ANGRY, Emotion.SCARED, Emotion.SAD, Emotion.DISGUSTED)
USUAL = "10"  # where a slider stands before it is moved, in percent
MOST_FIELD = 40


@dataclass(frozen=True, slots=True)
class Row:
    """``most``, ``run``: as the fields hold them. ``step``: of the slider, finer where the limit is."""

    name: str
    emotion: Emotion
    character: str
    on: bool
    most: str
    run: str

    @property
    def step(self) -> str:
        return "1" if self.most.isdecimal() else "0.01"


def limits_from_form(data: Mapping[str, str]) -> Limits:
    """Raises LimitsInvalid, which names the field as limits are written."""
    parts = []
    for key in data:
        kind, _, name = key.partition("-")
        value = data[key].strip()[:MOST_FIELD]
        if kind == "on" and name:
            parts.append(f"{name}<={data.get(f'most-{name}', '').strip()[:MOST_FIELD]}%")
        elif kind == "run" and name and value:
            parts.append(f"{name} run<={value}s")
    if length := data.get("length", "").strip()[:MOST_FIELD]:
        parts.append(f"{LENGTH}<={length}min")
    return limits_parse(", ".join([*parts, *_added(data)]))


def _added(data: Mapping[str, str]) -> list[str]:
    who, emotion, most, run = (
        data.get(f"add-{name}", "").strip()[:120] for name in ("character", "emotion", "most", "run")
    )
    if not who:
        return []
    found = [f"{who}:{emotion}<={most}%"] if most or not run else []
    return [*found, f"{who}:{emotion} run<={run}s"] if run else found


def rows_of(limits: Limits) -> tuple[list[Row], list[Row], list[Row]]:
    """(emotions that frighten, the others, limits of single characters)."""
    found = {x.key: x for x in limits.limits}
    everybody = [_row(e, "", found.get(("", e))) for e in EMOTIONS]
    first = [next(r for r in everybody if r.emotion is e) for e in FRIGHTENING]
    own = [_row(x.emotion, x.character, x) for x in limits.limits if x.character]
    return first, [r for r in everybody if r.emotion not in FRIGHTENING], own


def _row(emotion: Emotion, character: str, limit: Limit | None) -> Row:
    most = None if limit is None else limit.most
    longest = None if limit is None else limit.longest_ms
    return Row(
        name=f"{character}:{emotion}" if character else str(emotion),
        emotion=emotion,
        character=character,
        on=most is not None,
        most=USUAL if most is None else percent_text(most).removesuffix("%"),
        run="" if longest is None else seconds_text(longest).removesuffix("s"),
    )


def minutes_field(limits: Limits) -> str:
    ms = limits.longest_episode_ms
    if ms is None:
        return ""
    return f"{(Decimal(ms) / 60_000).normalize():f}"
