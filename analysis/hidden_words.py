"""What is hidden and why, in words for a page and as JSON for a client."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analysis.limits import Limit, Limits, limits_format
from analysis.limits.reasons import EVIDENCE, NOT_ANALYSED, Reason
from analysis.limits.text import length_text, percent_text, seconds_text
from analysis.selectors.hidden import Hidden
from analysis.wording import emotion_name, emotion_word

_LACKING = {
    NOT_ANALYSED: gettext_lazy("it was not analysed yet, or shows no analysis"),
    "partial": gettext_lazy("a part of it could not be analysed"),
    "nobody": gettext_lazy("no face that the model knows is seen"),
    "not_modelled": gettext_lazy("the model cannot tell this emotion"),
    EVIDENCE: gettext_lazy("not enough evidence"),
}


def limit_words(limit: Limit, names: Mapping[str, str]) -> str:
    """Such as: angry at most 10 % of the time, no run longer than 6 s (Jerry)."""
    parts = []
    if limit.most is not None:
        parts.append(_("at most %(most)s") % {"most": _spaced(percent_text(limit.most))})
    if limit.longest_ms is not None:
        parts.append(_("no longer run than %(longest_ms)s") % {"longest_ms": _spaced(seconds_text(limit.longest_ms))})
    who = f"{names.get(limit.character, limit.character)}, " if limit.character else ""
    return f"{who}{emotion_word(limit.emotion)}: {', '.join(parts)}"


def limits_words(limits: Limits, names: Mapping[str, str]) -> list[str]:
    """One phrase per limit."""
    found = [limit_words(limit, names) for limit in limits.limits]
    if limits.longest_episode_ms is not None:
        found.append(
            _("length: at most %(longest_episode_ms)s")
            % {"longest_episode_ms": _spaced(length_text(limits.longest_episode_ms))}
        )
    return found


def reason_words(reason: Reason, hidden: Hidden) -> str:
    """One sentence."""
    if reason.limit is None:
        most = hidden.limits.longest_episode_ms or 0
        if reason.duration_ms is None:
            return _("Length: it is not known; the limit is %(limit)s.") % {"limit": _spaced(length_text(most))}
        return _("It lasts %(duration_ms)s; the limit is %(most)s.") % {
            "duration_ms": _minutes(reason.duration_ms),
            "most": _spaced(length_text(most)),
        }
    limit, who = reason.limit, hidden.names.get(reason.character, reason.character)
    emotion, word = emotion_name(limit.emotion), emotion_word(limit.emotion)
    if reason.lacking == EVIDENCE:
        return _("%(emotion)s: too little is known of %(who)s to say how much; that counts as too much.") % {
            "emotion": emotion,
            "who": who,
        }
    if reason.lacking == "strangers":
        share = f"{100 * hidden.strangers:.0f} %"
        return _("%(emotion)s: %(share)s of the faces belong to nobody the model knows.") % {
            "emotion": emotion,
            "share": share,
        }
    if reason.lacking:
        lacking = str(_LACKING.get(reason.lacking, reason.lacking))
        return _("%(emotion)s: %(lacking)s, and that counts as too much.") % {"emotion": emotion, "lacking": lacking}
    parts = []
    if reason.high is not None and limit.most is not None:
        up_to = math.ceil(1000 * reason.high) / 10  # or it could look like the limit itself
        parts.append(
            _(
                "%(who)s may be %(emotion)s for up to %(up_to)s %% of the time in which the face can be read;"
                " the limit is %(limit)s"
            )
            % {"who": who, "emotion": word, "up_to": f"{up_to:.1f}", "limit": _spaced(percent_text(limit.most))}
        )
    if reason.longest_ms is not None and limit.longest_ms is not None:
        parts.append(
            _("%(who)s is %(emotion)s for %(longest)s on end; the limit is %(limit)s")
            % {
                "who": who,
                "emotion": word,
                "longest": _spaced(seconds_text(reason.longest_ms)),
                "limit": _spaced(seconds_text(limit.longest_ms)),
            }
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
