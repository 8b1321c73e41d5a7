"""From the nearest faces to moments: a few from each scene, none that shows the same again. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from analysis.finding.nearest import NearFace

MOST_PER_SCENE = 2
APART_MS = 1_500  # two moments of one scene lie at least so far apart


@dataclass(frozen=True, slots=True)
class Like:
    """The face that was asked about, where it is one of ours: the moment itself is no answer."""

    run_id: int
    pts_ms: int


def moments(
    faces: Iterable[NearFace], scene_of: Mapping[int, int], most: int, like: Like | None = None
) -> list[NearFace]:
    """The most alike first, in the order given, at most ``most``. ``scene_of``: by the face's id; absent: no scene."""
    taken: dict[tuple[int, int | None], list[int]] = defaultdict(list)
    found: list[NearFace] = []
    for face in faces:
        if like is not None and face.run_id == like.run_id and abs(face.pts_ms - like.pts_ms) < APART_MS:
            continue
        times = taken[face.run_id, scene_of.get(face.face_id)]
        if len(times) >= MOST_PER_SCENE or any(abs(face.pts_ms - t) < APART_MS for t in times):
            continue
        times.append(face.pts_ms)
        found.append(face)
        if len(found) >= most:
            break
    return found
