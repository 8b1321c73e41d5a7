"""What is hidden and why, in words for a page and as JSON for a client."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from analysis.limits import Limit, Limits, limits_format
from analysis.limits.reasons import EVIDENCE, NO_LENGTH, NOT_ANALYSED, Reason
from analysis.limits.text import length_text, percent_text, seconds_text
from analysis.selectors.hidden import Hidden

_LACKING = {
    NOT_ANALYSED: "it was not analysed yet, or shows no analysis",
    NO_LENGTH: "its length is not known",
    "partial": "a part of it could not be analysed",
    "nobody": "no face that the model knows is seen",
    "not_modelled": "the model cannot tell this emotion",
    EVIDENCE: "not enough evidence",
}


def limit_words(limit: Limit, names: Mapping[str, str]) -> str:
    """Such as: angry at most 10 % of the time, no run longer than 6 s (Jerry)."""
    parts = []
    if limit.most is not None:
        parts.append(f"at most {_spaced(percent_text(limit.most))}")
    if limit.longest_ms is not None:
        parts.append(f"no longer run than {_spaced(seconds_text(limit.longest_ms))}")
    who = f"{names.get(limit.character, limit.character)}, " if limit.character else ""
    return f"{who}{limit.emotion}: {', '.join(parts)}"


def limits_words(limits: Limits, names: Mapping[str, str]) -> list[str]:
    """One phrase per limit."""
    found = [limit_words(limit, names) for limit in limits.limits]
    if limits.longest_episode_ms is not None:
        found.append(f"length: at most {_spaced(length_text(limits.longest_episode_ms))}")
    return found


def reason_words(reason: Reason, hidden: Hidden) -> str:
    """One sentence."""
    if reason.limit is None:
        most = hidden.limits.longest_episode_ms or 0
        if reason.duration_ms is None:
            return f"Length: {_LACKING[NO_LENGTH]}; the limit is {_spaced(length_text(most))}."
        return f"It lasts {_minutes(reason.duration_ms)}; the limit is {_spaced(length_text(most))}."
    limit, who = reason.limit, hidden.names.get(reason.character, reason.character)
    if reason.lacking == EVIDENCE:
        return f"{limit.emotion.capitalize()}: too little is known of {who} to say how much; that counts as too much."
    if reason.lacking == "strangers":
        share = f"{100 * hidden.strangers:.0f} %"
        return f"{limit.emotion.capitalize()}: {share} of the faces belong to nobody the model knows."
    if reason.lacking:
        lacking = _LACKING.get(reason.lacking, reason.lacking)
        return f"{limit.emotion.capitalize()}: {lacking}, and that counts as too much."
    parts = []
    if reason.high is not None and limit.most is not None:
        up_to = math.ceil(1000 * reason.high) / 10  # or it could look like the limit itself
        parts.append(
            f"{who} may be {limit.emotion} for up to {up_to:.1f} % of the time in which the face can be"
            f" read; the limit is {_spaced(percent_text(limit.most))}"
        )
    if reason.longest_ms is not None and limit.longest_ms is not None:
        parts.append(
            f"{who} is {limit.emotion} for {_spaced(seconds_text(reason.longest_ms))} on end; the limit is "
            f"{_spaced(seconds_text(limit.longest_ms))}"
        )
    return f"{'; '.join(parts)}."


def hidden_json(hidden: Hidden) -> dict[str, Any]:
    """``would_show`` "": no limits would."""
    return {
        "limits": limits_format(hidden.limits),
        "because": [_reason_json(r, hidden) for r in hidden.reasons],
        "would_show": None if hidden.would_show is None else limits_format(hidden.would_show),
    }


def _reason_json(reason: Reason, hidden: Hidden) -> dict[str, Any]:
    limit = reason.limit
    found: dict[str, Any] = {
        "character": reason.character or None,
        "emotion": None if limit is None else str(limit.emotion),
        "lacking": reason.lacking or None,
        "words": reason_words(reason, hidden),
    }
    if reason.high is not None and limit is not None:
        found |= {"high": reason.high, "most": limit.most}
    if reason.longest_ms is not None and limit is not None:
        found |= {"longest_ms": reason.longest_ms, "most_ms": limit.longest_ms}
    if limit is None:
        found |= {"duration_ms": reason.duration_ms, "most_ms": hidden.limits.longest_episode_ms}
    return found


def _spaced(text: str) -> str:
    """``12min`` -> ``12 min``, which no line break parts."""
    number = text.rstrip("%abcdefghijklmnopqrstuvwxyz")
    return f"{number}\u00a0{text[len(number) :]}"


def _minutes(ms: int) -> str:
    minutes, seconds = divmod(-(-ms // 1000), 60)
    return f"{minutes}:{seconds:02d} min"
