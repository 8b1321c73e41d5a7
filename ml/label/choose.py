"""Which frames of a video to label: spread over all its shots, away from the cuts."""

from __future__ import annotations

import math
import os
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ml.shots import FrameLooks, read_shots, settle_cards
from ml.timeline import SEGMENT_MS, shot_at, shots_from_cuts
from ml.types import Shot, ShotKind
from ml.video import DEFAULT_LIMITS, FrameSeen, Limits, SegmentEnd, VideoFile, opened, read_segment

CUT_MARGIN_MS = 250  # kept between a chosen frame and a cut, where the shot is long enough
LEAST_GAP_MS = 125  # two chosen frames of one shot are at least so far apart
NEVER = "every-99999"  # sampling: full pictures are not needed to find cuts


@dataclass(frozen=True, slots=True)
class Outline:
    """The shots of a video and the times of all its frames."""

    shots: tuple[Shot, ...]
    times_ms: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One frame to label. ``shot``: index among the video's shots, from 0."""

    pts_ms: int
    shot: int


def outline(
    video: str | os.PathLike[str] | VideoFile,
    limits: Limits = DEFAULT_LIMITS,
    on_progress: Callable[[int], None] | None = None,
) -> Outline:
    """Decodes the whole video, in the segments that an analysis takes. Raises the UserErrors of videos."""
    cuts: list[int] = []
    kinds: list[Shot] = []
    times: list[int] = []
    end = 0
    with opened(video) as file:
        for start in range(0, limits.max_duration_ms, SEGMENT_MS):
            looks = FrameLooks()
            for item in read_segment(file, start, start + SEGMENT_MS, NEVER, limits):
                if isinstance(item, FrameSeen):
                    looks.add(item.pts_ms, item.thumb, item.written)
                    if on_progress is not None:
                        on_progress(item.pts_ms)
                elif isinstance(item, SegmentEnd):
                    last = item
            end = max(end, last.end_ms)
            found = read_shots(looks, start, last.end_ms)
            cuts += found[0]
            kinds += found[1]
            times += [t for t in looks.pts_ms if start <= t < start + SEGMENT_MS]
            if last.is_last:
                break
    return Outline(shots_from_cuts(end, cuts, settle_cards(kinds, end)), tuple(times))


def choose_times(video: str | os.PathLike[str] | VideoFile, n: int, limits: Limits = DEFAULT_LIMITS) -> list[Choice]:
    """``n`` frames of one video spread over all its shots; see ``choose``."""
    return choose([outline(video, limits)], n)[0]


def choose(outlines: Sequence[Outline], n: int) -> list[list[Choice]]:
    """``n`` frames over the shots of all videos together, a list per video, in order of time.

    Every shot that is not black gets one, the rest go by the square root of the length, as in an election by
    Sainte-Laguë, so that long shots get more but do not take all. Fewer than ``n`` where the shots hold no more
    frames; with fewer than one per shot, shots at even distances get one.
    """
    shots = [(v, s) for v, o in enumerate(outlines) for s, shot in enumerate(o.shots) if shot.kind != ShotKind.BLACK]
    shots = shots or [(v, s) for v, o in enumerate(outlines) for s in range(len(o.shots))]
    if n < len(shots):
        shots = [shots[(2 * i + 1) * len(shots) // (2 * n)] for i in range(n)]
    found = [outlines[v].shots[s] for v, s in shots]
    counts = share_out(n, [math.sqrt(s.end_ms - s.start_ms) for s in found], [_room(s) for s in found])
    chosen: list[list[Choice]] = [[] for _ in outlines]
    for (video, shot), count in zip(shots, counts, strict=True):
        for t in times_in(outlines[video].shots[shot], count, outlines[video].times_ms):
            chosen[video].append(Choice(t, shot))
    return chosen


def share_out(n: int, weights: Sequence[float], most: Sequence[int]) -> list[int]:
    """One each, then one by one to whoever has the largest weight / (2 * seats + 1), up to ``most`` each."""
    counts = [min(1, m) for m in most]
    while sum(counts) < n:
        open_to = [i for i in range(len(weights)) if counts[i] < most[i]]
        if not open_to:
            break
        best = max(open_to, key=lambda i: (weights[i] / (2 * counts[i] + 1), -i))
        counts[best] += 1
    return counts


def times_in(shot: Shot, count: int, times_ms: Sequence[int]) -> list[int]:
    """Times of ``count`` frames at even distances inside a shot. ``times_ms``: of all frames, in order."""
    start, end = _inner(shot)
    wanted = [start + (2 * i + 1) * (end - start) / (2 * count) for i in range(count)]
    inside = times_ms[bisect_left(times_ms, shot.start_ms) : bisect_left(times_ms, shot.end_ms)]
    if not inside:
        return []
    return sorted({min(inside, key=lambda t: (abs(t - w), t)) for w in wanted})


def every(found: Outline, step_ms: int) -> list[Choice]:
    """A frame every ``step_ms``, the first at half of it."""
    end = found.shots[-1].end_ms if found.shots else 0
    wanted = range(step_ms // 2, end, step_ms)
    at = sorted({max(0, bisect_left(found.times_ms, t + 1) - 1) for t in wanted})
    return [Choice(found.times_ms[i], shot_at(found.shots, found.times_ms[i])) for i in at]


def _inner(shot: Shot) -> tuple[float, float]:
    margin = min(CUT_MARGIN_MS, (shot.end_ms - shot.start_ms) / 4)
    return shot.start_ms + margin, shot.end_ms - margin


def _room(shot: Shot) -> int:
    start, end = _inner(shot)
    return max(1, int((end - start) // LEAST_GAP_MS))
