"""The chart of one side of a pair. A table stands beside it, so for a reader of the screen it is decoration."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from analysis.over_time import Stretch
from analysis.selectors.pairs import Side
from ml.types import Emotion

register = template.Library()
WIDTH, HEIGHT = 1000.0, 100.0
RULES = ((25,), (50,), (75,))


@register.simple_tag
def curve_chart(side: Side, emotion: Emotion, duration_ms: int) -> SafeString:
    """Bands of what may be, and in each a line at what is likeliest; nothing where the face cannot be read."""
    pieces = list(_pieces(side.stretches))
    bands = format_html_join("", '<path class="band f-{}" d="{}"/>', ((emotion, _band(p, duration_ms)) for p in pieces))
    lines = format_html_join("", '<path class="line c-{}" d="{}"/>', ((emotion, _line(p, duration_ms)) for p in pieces))
    rules = format_html_join("", '<line class="rule" x1="0" x2="100%" y1="{0}" y2="{0}"/>', RULES)
    return format_html(
        '<svg class="curve" viewBox="0 0 {} {}" preserveAspectRatio="none" aria-hidden="true" focusable="false"'
        ' data-seekable>{}{}{}<line class="playhead" data-playhead x1="0" x2="0" y1="0" y2="100%"/></svg>',
        int(WIDTH),
        int(HEIGHT),
        rules,
        bands,
        lines,
    )


def _pieces(found: Sequence[Stretch]) -> Iterator[list[Stretch]]:
    """Neighbouring stretches in which the face is read."""
    for read, group in groupby(found, key=lambda s: s.share is not None):
        if read:
            yield list(group)


def _x(ms: int, duration_ms: int) -> str:
    return f"{WIDTH * ms / max(1, duration_ms):.1f}"


def _y(share: float | None) -> str:
    return f"{HEIGHT * (1.0 - (share or 0.0)):.1f}"


def _line(piece: Sequence[Stretch], duration_ms: int) -> str:
    steps = " ".join(f"V{_y(s.share)} H{_x(s.end_ms, duration_ms)}" for s in piece)
    return f"M{_x(piece[0].start_ms, duration_ms)} {_y(piece[0].share)} {steps}"


def _band(piece: Sequence[Stretch], duration_ms: int) -> str:
    above = " ".join(f"V{_y(s.high)} H{_x(s.end_ms, duration_ms)}" for s in piece)
    below = " ".join(f"V{_y(s.low)} H{_x(s.start_ms, duration_ms)}" for s in reversed(piece))
    return f"M{_x(piece[0].start_ms, duration_ms)} {_y(piece[0].high)} {above} {below} Z"
