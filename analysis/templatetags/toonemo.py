"""How pages write times, shares, emotions and characters. Colour is never alone: a face or a word goes with it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from math import ceil, floor
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils.formats import number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from analysis.hidden_words import limits_words, reason_words
from analysis.limits import NO_LIMITS, Limits, limits_format
from analysis.over_time import Stretch
from analysis.selectors.behind import FaceAt
from analysis.selectors.hidden import Hidden
from analysis.selectors.profiles import EmotionShare
from analysis.wording import DIFFERS, EMOTION_NAMES, SHOT_KINDS, emotion_word
from analysis.wording import emotion_name as name_of_emotion
from catalog.models import Character
from ml.types import EMOTIONS

register = template.Library()
Ranged = EmotionShare | Stretch

STAFF = ("surprised", "happy", "neutral", "sad", "scared", "disgusted", "angry")
STAFF_STEP, STAFF_TOP = 10, 4
BADGES = {"succeeded": "good", "running": "info", "queued": "none", "failed": "bad", "cancelled": "warn"}


@register.filter
def clock(ms: int | None) -> str:
    """``1:05``, ``1:02:03``; a dash where there is no time."""
    if ms is None:
        return "–"
    minutes, seconds = divmod(int(ms) // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


@register.filter
def span(ms: int | None) -> str:
    """A length in words: ``0.8 s``, ``34 s``, ``2 min 5 s``."""
    if ms is None:
        return "–"
    if ms < 10_000:
        return _("%(seconds)s s") % {"seconds": _decimal(ms / 1000, 1)}
    seconds = round(ms / 1000)
    if seconds < 60:
        return _("%(seconds)s s") % {"seconds": seconds}
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return _("%(hours)s h %(minutes)s min") % {"hours": hours, "minutes": minutes}
    if seconds:
        return _("%(minutes)s min %(seconds)s s") % {"minutes": minutes, "seconds": seconds}
    return _("%(minutes)s min") % {"minutes": minutes}


def _decimal(value: float, places: int) -> str:
    """With the sign for decimals of the language."""
    return number_format(round(value, places), places, use_l10n=True)


@register.filter
def left(seconds: float | None) -> str:
    """Time left, as coarse as it is known; never "0 s"."""
    if seconds is None:
        return _("time left not known yet")
    if seconds < 10:
        return _("a few seconds left")
    if seconds < 90:
        return _("about %(seconds)s s left") % {"seconds": round(seconds / 5) * 5}
    if seconds < 5400:
        return _("about %(minutes)s min left") % {"minutes": round(seconds / 60)}
    return _("about %(hours)s h left") % {"hours": _decimal(seconds / 3600, 1)}


@register.filter
def wait(seconds: float) -> str:
    """A time to wait, as coarse as it is known: ``5 s``, ``45 s``, ``3 min``, ``1.5 h``."""
    if seconds < 90:
        return _("%(seconds)s s") % {"seconds": max(5, round(seconds / 5) * 5)}
    if seconds < 5400:
        return _("%(minutes)s min") % {"minutes": round(seconds / 60)}
    return _("%(hours)s h") % {"hours": _decimal(seconds / 3600, 1)}


@register.filter
def speed(rate: float) -> str:
    """Content seconds per second, in words."""
    if rate < 0.1:
        return _("%(seconds)s s of work for 1 s of content") % {"seconds": f"{1 / rate:.0f}"} if rate > 0 else ""
    return _("%(seconds)s s of content per second") % {"seconds": _decimal(rate, 1 if rate < 10 else 0)}


@register.filter
def percent(share: float | None) -> str:
    """``42 %``; ``< 1 %`` for what is there and rounds to nothing. Lines never break inside."""
    if share is None:
        return "–"
    if 0 < share < 0.005:
        return "<\u00a01\u00a0%"
    return f"{100 * share:.0f}\u00a0%"


@register.filter
def sure(strength: float) -> str:
    """How sure a model is, in percent; never all of it, since it can be wrong."""
    return _("more than 99\u00a0%%") % {} if strength >= 0.995 else percent(strength)


@register.filter
def in100(share: float | None) -> str:
    """A share as so many of a hundred; ``less than 1`` for what is there and rounds to nothing."""
    if share is None:
        return "–"
    return _("less than 1") if 0 < share < 0.005 else f"{100 * share:.0f}"


@register.filter
def low100(e: Ranged) -> int:
    """The lower bound as so many of a hundred, rounded down: what is said is never narrower than what is known."""
    return floor(round(100 * (e.low or 0.0), 6))


@register.filter
def high100(e: Ranged) -> int:
    """The upper bound likewise, rounded up; 1 at least, since nobody knows that there is nothing."""
    return max(1, ceil(round(100 * (e.high or 0.0), 6)))


@register.filter
def points(difference: float | None) -> str:
    """A difference of two shares: ``+12.4``, ``−3.0``; a dash where there is none."""
    if difference is None:
        return "–"
    value = round(100 * difference, 1)
    return f"{'−' if value < 0 else '+'}{_decimal(abs(value), 1)}"


@register.filter
def minus(one: float, other: float) -> float:
    return one - other


@register.filter
def gain_points(gain: float) -> str:
    """Of a share, in points of 100, as far as it says something: ``3``, ``1.2``, ``under 0.1``."""
    points = 100 * gain
    if points < 0.1:
        return _("under %(points)s") % {"points": _decimal(0.1, 1)}
    return f"{points:.0f}" if f"{points:.1f}".endswith(".0") else _decimal(points, 1)


@register.filter
def answer_name(label: str) -> str:
    """What a person said of a face, in words."""
    words = {"no_face": _("Not a face"), "nobody": _("Nobody in the list"), "not_them": _("Somebody else")}
    return words.get(label) or (label.removeprefix("is:") if label.startswith("is:") else emotion_name(label))


@register.filter
def seconds(ms: int | None) -> str:
    """For ``#t=``: seconds with as many decimals as needed."""
    return "0" if ms is None else f"{ms / 1000:.3f}".rstrip("0").rstrip(".")


@register.filter
def emotion_name(emotion: str) -> str:
    return name_of_emotion(emotion)


@register.filter
def shot_kind(kind: str) -> str:
    return str(SHOT_KINDS.get(str(kind), str(kind)))


@register.filter
def differs_words(differs: str) -> str:
    return str(DIFFERS.get(differs, differs))


@register.filter
def badge(status: str) -> str:
    return BADGES.get(status, "none")


@register.simple_tag
def face(emotion: str, size: str = "") -> SafeString:
    """The drawn face of an emotion, ``unclear`` or ``nobody``. Decoration: its word always stands beside it."""
    return format_html(
        '<svg class="face {} c-{}" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        size,
        emotion,
        static("toonemo/faces.svg"),
        emotion,
    )


@register.simple_tag
def overlay_words() -> str:
    """What a script writes over faces, as JSON."""
    return json.dumps({"nobody": _("Nobody the model knows"), **{e: emotion_word(e) for e in EMOTION_NAMES}})


@register.filter
def words(text: str) -> list[str]:
    return text.split()


@register.simple_tag
def face_ring(face: FaceAt) -> SafeString:
    """A ring around a face, over its picture."""
    left, top, right, bottom = (1000 * part for part in face.box)
    place = (
        f"{(left + right) / 2:.0f}",
        f"{(top + bottom) / 2:.0f}",
        f"{0.62 * (right - left):.0f}",
        f"{0.62 * (bottom - top):.0f}",
    )
    return format_html(
        '<svg class="ring" viewBox="0 0 1000 1000" preserveAspectRatio="none" aria-hidden="true" focusable="false">'
        '<ellipse cx="{0}" cy="{1}" rx="{2}" ry="{3}"/><ellipse cx="{0}" cy="{1}" rx="{2}" ry="{3}"/></svg>',
        *place,
    )


@register.simple_tag
def dot(character: Character | None) -> SafeString:
    """A character's colour, which the database keeps to the form #rrggbb."""
    if character is None:
        return face("nobody")
    return format_html(
        '<svg class="dot" viewBox="0 0 14 14" aria-hidden="true" focusable="false">'
        '<circle cx="7" cy="7" r="6" fill="{}"></circle></svg>',
        character.colour,
    )


@register.simple_tag
def strip(emotions: Sequence[EmotionShare], rated: bool = True) -> SafeString:
    """Shares side by side, in the canonical order, with the same in words for those who do not see it.

    Paler where the shares were measured and the evidence carries no rating.
    """
    at = 0.0
    parts = []
    for e in emotions:
        width = 100 * min(e.share, 1.0)
        parts.append((f"{at:.2f}%", f"{width:.2f}%", e.emotion))
        at += width
    return format_html(
        '<svg class="strip {}" role="img" aria-label="{}">{}</svg>',
        "" if rated else "unsure",
        _("Shares: %(shares)s")
        % {"shares": ", ".join(f"{emotion_name(e.emotion)} {percent(e.share)}" for e in emotions)},
        format_html_join(
            "",
            '<rect x="{}" y="0" width="{}" height="100%" class="f-{}"/>',
            parts,
        ),
    )


@register.simple_tag
def share_bar(e: EmotionShare, enough: bool = True) -> SafeString:
    """A share with the ends of its interval as a whisker; only the interval, dashed, where evidence is lacking."""
    low, high = 100 * e.low, 100 * e.high
    span_width = f"{max(high - low, 0.4):.2f}%"
    whisker = format_html(
        '<line class="whisker" x1="{0}" x2="{1}" y1="10" y2="10"/>'
        '<line class="whisker" x1="{0}" x2="{0}" y1="6" y2="14"/>'
        '<line class="whisker" x1="{1}" x2="{1}" y1="6" y2="14"/>',
        f"{low:.2f}%",
        f"{high:.2f}%",
    )
    if not enough:
        inner = format_html(
            '<rect class="range f-{0}" x="{1}" y="3" width="{2}" height="14" rx="4"/>'
            '<rect class="unsure" x="{1}" y="3" width="{2}" height="14" rx="4"/>',
            e.emotion,
            f"{low:.2f}%",
            span_width,
        )
    else:
        inner = format_html(
            '<rect class="f-{}" x="0" y="3" width="{}" height="14" rx="4"/>{}',
            e.emotion,
            f"{100 * e.share:.2f}%",
            whisker,
        )
    return format_html(
        '<svg class="bar" aria-hidden="true" focusable="false">'
        '<rect class="track" x="0" y="3" width="100%" height="14" rx="4"/>{}</svg>',
        inner,
    )


@register.filter
def staff_y(emotion: str) -> int:
    """The height of an emotion's line on a lane, so that a span is told by its place as well as by its colour."""
    return STAFF_TOP + STAFF_STEP * (STAFF.index(emotion) if emotion in STAFF else STAFF.index("neutral"))


@register.simple_tag
def staff_lines() -> list[dict[str, Any]]:
    return [{"emotion": e, "name": emotion_name(e), "y": STAFF_TOP + STAFF_STEP * i + 4} for i, e in enumerate(STAFF)]


@register.simple_tag
def along(ms: int, duration_ms: int) -> str:
    """A time as a place on a line as long as the episode: ``12.34%``."""
    return f"{100 * ms / max(1, duration_ms):.3f}%"


@register.simple_tag
def wide(start_ms: int, end_ms: int, duration_ms: int) -> str:
    return f"{max(0.15, 100 * (end_ms - start_ms) / max(1, duration_ms)):.3f}%"


@register.simple_tag
def emotions() -> list[str]:
    return [str(e) for e in EMOTIONS]


@register.filter
def why(hidden: Hidden) -> list[str]:
    """By which numbers an episode is hidden, a sentence each."""
    return [reason_words(reason, hidden) for reason in hidden.reasons]


@register.filter
def would_show(hidden: Hidden) -> list[str]:
    """The limits that would show it, a phrase each."""
    return limits_words(hidden.would_show or NO_LIMITS, hidden.names)


@register.filter
def as_limits(limits: Limits) -> str:
    """As they are written."""
    return limits_format(limits)
