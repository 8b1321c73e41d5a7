"""Limits as a person writes them, in an address, a command or a cookie, and back.

angry<=10%, jerry:scared<=5%, angry run<=6s, length<=12min
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from analysis.limits.limit import LENGTH, MOST_MS, Limit, Limits, LimitsInvalid
from ml.types import EMOTIONS, Emotion

MOST_LETTERS = 4_000
_PART = re.compile(r"(?P<what>[^<>=≤]*?)\s*(?:<=|≤|=)\s*(?P<value>[^<>=≤]*)")
_NUMBER = re.compile(r"(?P<number>\d{1,9}(?:\.\d{1,6})?)\s*(?P<unit>%|[a-z]*)")
_SLUG = re.compile(r"[-\w]{1,120}")
_UNIT_MS = {
    "ms": 1, "s": 1_000, "sec": 1_000, "second": 1_000, "seconds": 1_000, "m": 60_000, "min": 60_000,
    "minute": 60_000, "minutes": 60_000, "h": 3_600_000, "hour": 3_600_000, "hours": 3_600_000,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Part:
    """``character`` and ``emotion`` None: the length of the episode. One of ``most`` and ``ms`` is None."""

    emotion: Emotion | None
    character: str
    most: float | None
    ms: int | None


def limits_parse(text: str) -> Limits:
    """Raises LimitsInvalid, which names the part that cannot be read. An empty text is no limits."""
    if len(text) > MOST_LETTERS:
        raise LimitsInvalid(_("Limits are at most %(most_letters)s characters long.") % {"most_letters": MOST_LETTERS})
    found: dict[tuple[str, Emotion], dict[str, float | int]] = {}
    length: int | None = None
    for said in (p.strip() for p in re.split(r"[,;\n]", text)):
        if not said:
            continue
        part = _part(said)
        if part.emotion is None:
            if length is not None:
                raise LimitsInvalid(_("“%(said)s”: %(length)s is limited twice.") % {"said": said, "length": LENGTH})
            length = part.ms
            continue
        key, value = ("longest_ms", part.ms) if part.most is None else ("most", part.most)
        values = found.setdefault((part.character, part.emotion), {})
        if key in values:
            raise LimitsInvalid(_("“%(said)s”: the same is limited twice.") % {"said": said})
        assert value is not None
        values[key] = value
    limits = tuple(_limit(who, emotion, values) for (who, emotion), values in found.items())
    return Limits(limits, length)


def _limit(character: str, emotion: Emotion, values: dict[str, float | int]) -> Limit:
    longest = values.get("longest_ms")
    return Limit(emotion, values.get("most"), None if longest is None else int(longest), character)


def _part(said: str) -> _Part:
    match = _PART.fullmatch(said)
    if match is None or not match["what"] or not match["value"]:
        raise LimitsInvalid(
            _("“%(said)s” is no limit; one is written as angry<=10%%, angry run<=6s, length<=12min.")
            % {"said": _short(said)}
        )
    what = match["what"].strip()
    if what.casefold() == LENGTH:
        return _Part(None, "", None, _ms(said, match["value"], least=1))
    before, colon, name = what.rpartition(":")
    if colon and not _SLUG.fullmatch(before):
        raise LimitsInvalid(_("“%(said)s”: before the colon stands the slug of a character.") % {"said": _short(said)})
    word, *more = name.casefold().split() or [""]
    if word not in EMOTIONS or more not in ([], ["run"]):
        raise LimitsInvalid(
            _("“%(said)s”: limited are %(emotions)s, each also with “run”, and %(length)s.")
            % {"said": _short(said), "emotions": ", ".join(EMOTIONS), "length": LENGTH}
        )
    if more:
        return _Part(Emotion(word), before, None, _ms(said, match["value"], least=0))
    return _Part(Emotion(word), before, _share(said, match["value"]), None)


def _share(said: str, value: str) -> float:
    match = _NUMBER.fullmatch(value.strip())
    share = None if match is None or match["unit"] != "%" else Decimal(match["number"]) / 100
    if share is None or share > 1 or share != round(share, 4):
        raise LimitsInvalid(_("“%(said)s”: a share is 0%% to 100%%, in steps of 0.01%%.") % {"said": _short(said)})
    return float(share)


def _ms(said: str, value: str, *, least: int) -> int:
    match = _NUMBER.fullmatch(value.strip().casefold())
    unit = None if match is None else _UNIT_MS.get(match["unit"])
    ms = None if match is None or unit is None else Decimal(match["number"]) * unit
    if ms is None or ms != int(ms) or not least <= ms <= MOST_MS:
        raise LimitsInvalid(
            _("“%(said)s”: a time is written as 6s or 12min, whole milliseconds, at most 24h.") % {"said": _short(said)}
        )
    return int(ms)


def _short(said: str) -> str:
    return said if len(said) <= 60 else f"{said[:57]}..."


def limits_format(limits: Limits) -> str:
    """What ``limits_parse`` reads back as the same. Closed limits have no text: they are never written."""
    parts = []
    for limit in limits.limits:
        if limit.most is not None:
            parts.append(f"{limit.name}<={percent_text(limit.most)}")
        if limit.longest_ms is not None:
            parts.append(f"{limit.name} run<={seconds_text(limit.longest_ms)}")
    if limits.longest_episode_ms is not None:
        parts.append(f"{LENGTH}<={length_text(limits.longest_episode_ms)}")
    return ", ".join(parts)


def percent_text(share: float) -> str:
    return f"{_plain(Decimal(repr(share)) * 100)}%"


def seconds_text(ms: int) -> str:
    return f"{_plain(Decimal(ms) / 1000)}s"


def length_text(ms: int) -> str:
    return f"{ms // 60_000}min" if ms % 60_000 == 0 and ms else seconds_text(ms)


def _plain(number: Decimal) -> str:
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
