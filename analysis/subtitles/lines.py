"""One character's spans, made steady enough to be read. Pure functions; times are integer milliseconds."""

from __future__ import annotations

import itertools
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from analysis.selectors.timelines import JOIN_MS, LaneSpan

LEAST_MS = 500  # what is on screen for less cannot be read
BRIDGE_MS = JOIN_MS  # two spans of one emotion this close are one, as on the timeline, whatever lies between them


@dataclass(frozen=True, slots=True)
class Line:
    """``who`` shows ``emotion`` from ``start_ms`` until ``end_ms``. ``sure``: mean probability in [0, 1], by time."""

    who: str
    emotion: str
    start_ms: int
    end_ms: int
    sure: float


@dataclass(slots=True)
class _Group:
    """Spans of one emotion with gaps of at most BRIDGE_MS. ``shown_ms``: their own length, gaps left out."""

    emotion: str
    start_ms: int
    end_ms: int
    shown_ms: int
    weight: float


def lines_of(
    who: str, spans: Iterable[LaneSpan], drawings: Iterable[tuple[int, int]], cuts_ms: Sequence[int]
) -> list[Line]:
    """The lines of one character in time order: none shorter than LEAST_MS, no two at once.

    ``spans``: those of its lane on the timeline, neutral and unclear ones too, since they say when nothing else shows.
    ``drawings``: (start, end) of each of its faces. ``cuts_ms``: ascending. A line begins and ends with a drawing.
    """
    whole = list(spans)
    lines = []
    for start, end in stays(drawings, cuts_ms):
        inside = [_clipped(s, start, end) for s in whole if s.start_ms < end and s.end_ms > start]
        lines += [Line(who, g.emotion, g.start_ms, g.end_ms, min(1.0, g.weight / g.shown_ms)) for g in _steady(inside)]
    return lines


def stays(drawings: Iterable[tuple[int, int]], cuts_ms: Sequence[int]) -> list[tuple[int, int]]:
    """How long the character stays each time: a face may be lost for a while, but not where the picture cuts."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(drawings):
        if found and not _cut_while_gone(cuts_ms, found[-1][1], start):
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def _cut_while_gone(cuts_ms: Sequence[int], gone_ms: int, back_ms: int) -> bool:
    return gone_ms < back_ms and bisect_left(cuts_ms, gone_ms) < bisect_right(cuts_ms, back_ms)


def _clipped(span: LaneSpan, start_ms: int, end_ms: int) -> LaneSpan:
    """A span may reach over a cut at which the character was gone for a moment; a line may not."""
    return LaneSpan(max(span.start_ms, start_ms), min(span.end_ms, end_ms), span.emotion, span.confidence)


def _steady(spans: list[LaneSpan]) -> list[_Group]:
    """Groups that do not overlap, in time order. Where emotions alternate, the one that is shown longer stays."""
    kept: list[_Group] = []
    waiting = [spans]
    while waiting:
        here = waiting.pop()
        groups = [g for g in _bridged(here) if g.end_ms - g.start_ms >= LEAST_MS]
        if all(a.end_ms <= b.start_ms for a, b in itertools.pairwise(groups)):
            kept += groups
            continue
        best = max(groups, key=lambda g: (g.shown_ms, -g.start_ms))
        kept.append(best)
        waiting.append([s for s in here if s.end_ms <= best.start_ms])
        waiting.append([s for s in here if s.start_ms >= best.end_ms])
    return sorted(kept, key=lambda g: g.start_ms)


def _bridged(spans: Iterable[LaneSpan]) -> list[_Group]:
    """Spans of one emotion joined over short gaps, whatever shows in them; in the order of their beginnings."""
    groups: list[_Group] = []
    last: dict[str, _Group] = {}
    for s in spans:
        length = s.end_ms - s.start_ms
        group = last.get(s.emotion)
        if group is not None and s.start_ms - group.end_ms <= BRIDGE_MS:
            group.end_ms = s.end_ms
            group.shown_ms += length
            group.weight += s.confidence * length
        else:
            group = last[s.emotion] = _Group(s.emotion, s.start_ms, s.end_ms, length, s.confidence * length)
            groups.append(group)
    return groups
