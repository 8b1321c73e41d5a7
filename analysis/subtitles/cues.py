"""The lines of all characters on one screen: cues that never overlap, and lines that do not blink. Pure functions."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from analysis.subtitles.lines import LEAST_MS, Line


@dataclass(frozen=True, slots=True)
class Cue:
    """What stands on the screen from ``start_ms`` until ``end_ms``: at least one line."""

    start_ms: int
    end_ms: int
    lines: tuple[Line, ...]


def cues_of(lines: Sequence[Line], edges_ms: Sequence[int] = ()) -> tuple[Cue, ...]:
    """Cues in time order, each at least LEAST_MS long, with every line that is true throughout it.

    ``lines``: of each character in time order; lines of one cue keep this order, so they never change places.
    ``edges_ms``: where drawings begin and end, ascending; a cue begins and ends with a line, or with one of these.

    A line is never shown before or after its own time, and never taken away only to come back. One line alone is
    shown exactly. Where lines come and go less than LEAST_MS apart, a cue cannot begin with each of them: then those
    moments are chosen with which most milliseconds of lines are shown, and of equals those where lines come in time.
    """
    points = _points(lines, edges_ms)
    true_at = _true_at(lines, points)
    best: list[tuple[int, int]] = [(-1, 0)] * len(points)  # milliseconds shown up to a point, lines that came in time
    came: list[tuple[int, tuple[Line, ...]]] = [(0, ())] * len(points)
    if points:
        best[0] = (0, 0)
    for i, here in enumerate(true_at[:-1]):
        for j, shown in _steps(points, i, here):
            length = points[j] - points[i]
            in_time = sum(line.start_ms == points[i] for line in shown)
            score = (best[i][0] + length * len(shown), best[i][1] + in_time)
            if best[i] >= (0, 0) and score > best[j]:
                best[j], came[j] = score, (i, shown)
    return _read_back(points, came)


def _points(lines: Sequence[Line], edges_ms: Sequence[int]) -> list[int]:
    """Where a cue may begin or end: where a line does, and at the drawings that lie LEAST_MS before and after."""
    changes = {t for line in lines for t in (line.start_ms, line.end_ms)}
    if not changes:
        return []
    first, last = min(changes), max(changes)
    found = set(changes)
    for t in changes:
        after, before = bisect_left(edges_ms, t + LEAST_MS), bisect_right(edges_ms, t - LEAST_MS) - 1
        if after < len(edges_ms) and edges_ms[after] < last:
            found.add(edges_ms[after])
        if before >= 0 and edges_ms[before] > first:
            found.add(edges_ms[before])
    return sorted(found)


def _true_at(lines: Sequence[Line], points: Sequence[int]) -> list[list[Line]]:
    """For each point the lines that are true from there on, in the order of ``lines``."""
    found: list[list[Line]] = [[] for _ in points]
    for line in lines:
        for i in range(bisect_left(points, line.start_ms), bisect_left(points, line.end_ms)):
            found[i].append(line)
    return found


def _steps(points: Sequence[int], i: int, here: Sequence[Line]) -> Iterator[tuple[int, tuple[Line, ...]]]:
    """Where to go from point ``i``: to the next point with nothing shown, or along a cue.

    Nothing may be shown only near the ends of lines. Within a line, LEAST_MS from both its ends, something stands on
    the screen; so a line that was there and comes back, which would have to be there for LEAST_MS on both sides of
    the blank, cannot be. There is always a way on: what forbids the blank is itself long enough for a cue.

    A cue that could be cut in two cues need not be tried: the two show at least as much.
    """
    at, following = points[i], points[i + 1]
    if not any(line.start_ms <= at - LEAST_MS and line.end_ms >= following + LEAST_MS for line in here):
        yield i + 1, ()
    first = bisect_left(points, at + LEAST_MS)
    for j in range(first, len(points)):
        shown = tuple(line for line in here if line.end_ms >= points[j])
        if not shown or points[j] >= points[first] + LEAST_MS:
            return
        yield j, shown


def _read_back(points: Sequence[int], came: Sequence[tuple[int, tuple[Line, ...]]]) -> tuple[Cue, ...]:
    """The best way, from its end; neighbouring cues that show the same are one."""
    cues: list[Cue] = []
    j = len(points) - 1
    while j > 0:
        i, shown = came[j]
        if shown and cues and cues[-1].start_ms == points[j] and cues[-1].lines == shown:
            cues[-1] = Cue(points[i], cues[-1].end_ms, shown)
        elif shown:
            cues.append(Cue(points[i], points[j], shown))
        j = i
    return tuple(reversed(cues))


def edges_of(drawings: Iterable[tuple[int, int]]) -> list[int]:
    """Where drawings begin and end, ascending, each once."""
    return sorted({t for drawing in drawings for t in drawing})
