"""From faces on drawings to tracks, smoothed emotions, spans and scenes. Pure functions; numpy only.

The unit is one distinct drawing of one face, which counts for the milliseconds it is shown. Nothing here crosses a
shot cut except scenes, which are runs of shots.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ml.types import EMOTIONS, Box, Detection, Emotion, Profile, Shot, ShotKind

Probabilities: TypeAlias = NDArray[np.float64]

SEGMENT_MS = 60_000  # the unit of work: what a worker holds a lease on
LINK_IOU = 0.25  # least overlap with a track's last face
LINK_GAP_MS = 600  # a face may go unseen for this long and still be the same track
DWELL_MS = 1200.0  # mean time for which a character keeps an expression
EVIDENCE = 0.6  # neighbouring drawings look alike, so each is less than a whole independent witness
SPAN_ON, SPAN_OFF = 0.6, 0.4
SPAN_FILL_MS, SPAN_LEAST_MS = 400, 400
SCENE_LIKENESS = 0.3  # neighbouring shots at least this alike belong to one scene
SCENE_MOST_MS = 60_000


@dataclass(frozen=True, slots=True)
class FaceTrack:
    """One face within one shot. ``members`` are indices into the detections, in time order.

    ``character``: what most of the members' scores say; None for somebody unknown. ``best``: the member with the
    highest score.
    """

    index: int
    shot: int
    character: str | None
    members: tuple[int, ...]
    start_ms: int
    end_ms: int
    best: int


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch in which one emotion shows. ``strength``: its mean probability, weighted by time."""

    start_ms: int
    end_ms: int
    strength: float


def plan_segments(duration_ms: int, segment_ms: int = SEGMENT_MS) -> list[tuple[int, int]]:
    """The pieces [start_ms, end_ms) that content is analysed in, one after the other; the last may be shorter."""
    return [(start, min(start + segment_ms, duration_ms)) for start in range(0, duration_ms, segment_ms)]


def shots_from_cuts(duration_ms: int, cuts_ms: Sequence[int], kinds: Sequence[Shot] = ()) -> tuple[Shot, ...]:
    """Split [0, duration_ms) at the cuts. A shot has the kind that covers most of it, story where none covers half."""
    edges = sorted({0, duration_ms, *(c for c in cuts_ms if 0 < c < duration_ms)})
    return tuple(Shot(a, b, _kind(a, b, kinds)) for a, b in itertools.pairwise(edges))


def settle_cards(kinds: Sequence[Shot], duration_ms: int) -> list[Shot]:
    """A card is a title in the first half of the film and credits in the second."""
    return [
        Shot(k.start_ms, k.end_ms, ShotKind.CREDITS)
        if k.kind is ShotKind.TITLE and k.start_ms + k.end_ms > duration_ms
        else k
        for k in kinds
    ]


def _kind(start_ms: int, end_ms: int, kinds: Sequence[Shot]) -> ShotKind:
    covered: dict[ShotKind, int] = {}
    for piece in kinds:
        overlap = min(end_ms, piece.end_ms) - max(start_ms, piece.start_ms)
        if overlap > 0:
            covered[piece.kind] = covered.get(piece.kind, 0) + overlap
    if not covered:
        return ShotKind.STORY
    kind, most = max(covered.items(), key=lambda item: (item[1], item[0]))
    return kind if 2 * most > end_ms - start_ms else ShotKind.STORY


def shot_at(shots: Sequence[Shot], pts_ms: int) -> int:
    """Index of the shot that contains ``pts_ms``; the last shot for a time at or past the end."""
    return max(0, bisect_right(shots, pts_ms, key=lambda shot: shot.start_ms) - 1)


def overlap(a: Box, b: Box) -> float:
    """Intersection over union of two boxes."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    area_a = (a[2] - a[0]) * (a[3] - a[1])
    area_b = (b[2] - b[0]) * (b[3] - b[1])
    return both / (area_a + area_b - both)


def link_tracks(detections: Sequence[Detection], shots: Sequence[Shot]) -> list[FaceTrack]:
    """Join the faces of successive drawings into tracks, best overlap first, never across a cut.

    Every detection is in exactly one track. The order of ``detections`` does not matter.
    """
    order = sorted(range(len(detections)), key=lambda i: _place(detections[i]))
    open_tracks: list[list[int]] = []
    done: list[list[int]] = []
    at = 0
    while at < len(order):
        pts = detections[order[at]].pts_ms
        end = at
        while end < len(order) and detections[order[end]].pts_ms == pts:
            end += 1
        now = order[at:end]
        shot = shot_at(shots, pts)
        still, gone = _split_open(open_tracks, detections, shots, shot, pts)
        done.extend(gone)
        open_tracks = _extend(still, now, detections)
        at = end
    done.extend(open_tracks)
    done.sort(key=lambda members: _place(detections[members[0]]))
    return [_track(n, members, detections, shots) for n, members in enumerate(done)]


def _place(d: Detection) -> tuple[int, Box, str, float]:
    """Puts detections in an order of their own: whatever order they come in, equal ones alone can change places."""
    return d.pts_ms, d.box, d.character or "", d.score


def _split_open(
    open_tracks: list[list[int]], detections: Sequence[Detection], shots: Sequence[Shot], shot: int, pts: int
) -> tuple[list[list[int]], list[list[int]]]:
    still: list[list[int]] = []
    gone: list[list[int]] = []
    for members in open_tracks:
        last = detections[members[-1]]
        fresh = pts - (last.pts_ms + last.shown_ms) <= LINK_GAP_MS and shot_at(shots, last.pts_ms) == shot
        (still if fresh else gone).append(members)
    return still, gone


def _extend(tracks: list[list[int]], now: list[int], detections: Sequence[Detection]) -> list[list[int]]:
    pairs = []
    for t, members in enumerate(tracks):
        last = detections[members[-1]]
        for place, i in enumerate(now):
            if _compatible(last.character, detections[i].character):
                iou = overlap(last.box, detections[i].box)
                if iou >= LINK_IOU:
                    pairs.append((-iou, t, place))
    taken_tracks: set[int] = set()
    taken: set[int] = set()
    for _, t, place in sorted(pairs):
        i = now[place]
        if t not in taken_tracks and i not in taken:
            tracks[t].append(i)
            taken_tracks.add(t)
            taken.add(i)
    return tracks + [[i] for i in now if i not in taken]


def _compatible(a: str | None, b: str | None) -> bool:
    """Two names may be one face if they agree, or if one of them is unknown (heads turn; names get lost)."""
    return a == b or a is None or b is None


def _track(index: int, members: list[int], detections: Sequence[Detection], shots: Sequence[Shot]) -> FaceTrack:
    votes: dict[str | None, float] = {}
    for i in members:
        d = detections[i]
        votes[d.character] = votes.get(d.character, 0.0) + d.score
    character = max(votes.items(), key=lambda item: (item[1], item[0] or ""))[0]
    first, last = detections[members[0]], detections[members[-1]]
    return FaceTrack(
        index=index,
        shot=shot_at(shots, first.pts_ms),
        character=character,
        members=tuple(members),
        start_ms=first.pts_ms,
        end_ms=last.pts_ms + last.shown_ms,
        best=max(members, key=lambda i: (detections[i].score, -i)),
    )


def settle_faces(detections: Sequence[Detection], shots: Sequence[Shot], enough: float) -> list[Detection]:
    """Tracks decide, not single drawings: a track is kept whole where its strongest face scores ``enough``.

    So a face that is seen well once is kept while it turns away, and what only ever looks a little like a face is not
    kept at all. The order stays.
    """
    kept: set[int] = set()
    for track in link_tracks(detections, shots):
        if detections[track.best].score >= enough:
            kept.update(track.members)
    return [d for i, d in enumerate(detections) if i in kept]


def probability_matrix(detections: Sequence[Detection], emotions: Sequence[Emotion]) -> Probabilities:
    """(n, k) probabilities over ``emotions``, each row summing to 1; a row without any is uniform."""
    if not emotions:
        return np.zeros((len(detections), 0))
    table = np.array([[float(d.emotions.get(e, 0.0)) for e in emotions] for d in detections], dtype=np.float64)
    table = table.reshape(len(detections), len(emotions))
    sums = table.sum(axis=1, keepdims=True)
    return np.where(sums > 0, table / np.where(sums > 0, sums, 1.0), 1.0 / len(emotions))


def smooth(probabilities: Probabilities, pts_ms: Sequence[int], dwell_ms: float = DWELL_MS) -> Probabilities:
    """Posterior of a sticky hidden Markov chain over one track: (n, k) in, (n, k) out, rows sum to 1.

    An expression is kept for ``dwell_ms`` on average, then any follows; a drawing counts once however long it is
    shown, so repeating a frame changes nothing.
    """
    n, k = probabilities.shape
    if n == 0 or k == 0:
        return probabilities.copy()
    likelihood = np.clip(probabilities, 1e-6, 1.0) ** EVIDENCE
    gaps = np.diff(np.asarray(pts_ms, dtype=np.float64))
    stay = np.exp(-np.maximum(gaps, 0.0) / dwell_ms)
    forward = np.empty((n, k))
    forward[0] = likelihood[0] / likelihood[0].sum()
    for t in range(1, n):
        belief = (stay[t - 1] * forward[t - 1] + (1.0 - stay[t - 1]) / k) * likelihood[t]
        forward[t] = belief / belief.sum()
    backward = np.ones(k)
    posterior = np.empty((n, k))
    posterior[-1] = forward[-1]
    for t in range(n - 2, -1, -1):
        message = likelihood[t + 1] * backward
        backward = stay[t] * message + (1.0 - stay[t]) * message.mean()
        backward = backward / backward.max()
        belief = forward[t] * backward
        posterior[t] = belief / belief.sum()
    return posterior


def find_spans(strength: NDArray[np.float64], pts_ms: Sequence[int], shown_ms: Sequence[int]) -> list[Span]:
    """Stretches where ``strength`` rises to SPAN_ON and has not fallen under SPAN_OFF; gaps filled, crumbs dropped.

    ``strength``: (n,) in [0, 1] for drawings in time order.
    """
    raw: list[tuple[int, int, float, float]] = []  # start, end, weighted sum, weight
    on = False
    for value, start, shown in zip(strength, pts_ms, shown_ms, strict=True):
        on = value >= SPAN_ON or (on and value >= SPAN_OFF)
        if not on:
            continue
        end = start + shown
        if raw and start - raw[-1][1] <= SPAN_FILL_MS:
            first, _, total, weight = raw[-1]
            raw[-1] = (first, end, total + float(value) * shown, weight + shown)
        else:
            raw.append((start, end, float(value) * shown, float(shown)))
    return [Span(a, b, total / weight) for a, b, total, weight in raw if b - a >= SPAN_LEAST_MS]


def group_scenes(shots: Sequence[Shot], casts: Sequence[frozenset[str]]) -> list[tuple[int, int]]:
    """Runs of neighbouring shots [first, last] that share a cast; their union is the episode.

    Technical shots (black, titles, credits) never share a scene with story. A shot in which nobody known shows
    belongs to the scene before it. ``casts``: known characters per shot.
    """
    groups: list[tuple[int, int]] = []
    cast: set[str] = set()
    for i, shot in enumerate(shots):
        if groups:
            first, last = groups[-1]
            length = shot.end_ms - shots[first].start_ms
            same_kind = shots[last].kind == shot.kind
            if same_kind and length <= SCENE_MOST_MS and _alike(cast, casts[i]) >= SCENE_LIKENESS:
                groups[-1] = (first, i)
                cast |= casts[i]
                continue
        groups.append((i, i))
        cast = set(casts[i])
    return groups


def _alike(a: set[str], b: frozenset[str]) -> float:
    """Jaccard likeness of two casts; an empty one is like any."""
    return len(a & b) / len(a | b) if a and b else 1.0


def is_readable(detection: Detection, shot: Shot) -> bool:
    """Whether a face's time belongs in the denominator: the bundle read something, outside titles and credits."""
    return shot.kind is ShotKind.STORY and detection.emotion is not None


def once_per_drawing(indices: Sequence[int], detections: Sequence[Detection]) -> list[int]:
    """Of several faces of one character on one drawing, only the surest: a moment counts once."""
    best: dict[int, int] = {}
    for i in indices:
        pts = detections[i].pts_ms
        if pts not in best or detections[i].score > detections[best[pts]].score:
            best[pts] = i
    return [best[pts] for pts in sorted(best)]


def smoothed(
    detections: Sequence[Detection], tracks: Sequence[FaceTrack], emotions: Sequence[Emotion]
) -> Probabilities:
    """(n, k) smoothed probabilities of all detections, track by track, rows in the order of ``detections``."""
    raw = probability_matrix(detections, emotions)
    out = raw.copy()
    for track in tracks:
        members = list(track.members)
        out[members] = smooth(raw[members], [detections[i].pts_ms for i in members])
    return out


def profiles(
    detections: Sequence[Detection], shots: Sequence[Shot], emotions: Sequence[Emotion] = EMOTIONS
) -> dict[str, Profile]:
    """Per known character: time visible, and shares of the readable time by smoothed probability.

    Shares sum to 1 where anything could be read, and are empty where nothing could. ``emotions``: what the bundle
    can express; others get no key.
    """
    tracks = link_tracks(detections, shots)
    table = smoothed(detections, tracks, emotions)
    by_character: dict[str, list[int]] = {}
    for track in tracks:
        if track.character is not None:
            by_character.setdefault(track.character, []).extend(track.members)
    result: dict[str, Profile] = {}
    for character in sorted(by_character):
        chosen = once_per_drawing(by_character[character], detections)
        visible = sum(detections[i].shown_ms for i in chosen)
        readable = [i for i in chosen if is_readable(detections[i], shots[shot_at(shots, detections[i].pts_ms)])]
        result[character] = Profile(visible, _shares(table, readable, detections, emotions))
    return result


def _shares(
    table: Probabilities, chosen: Sequence[int], detections: Sequence[Detection], emotions: Sequence[Emotion]
) -> Mapping[Emotion, float]:
    if not chosen:
        return {}
    weights = np.array([detections[i].shown_ms for i in chosen], dtype=np.float64)
    shares = weights @ table[list(chosen)] / weights.sum()
    return {e: float(x) for e, x in zip(emotions, shares, strict=True)}
