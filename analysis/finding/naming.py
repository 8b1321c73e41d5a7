"""Whom a face of nobody known looks like, by a few examples of a character. Pure: numbers in, a name or None out.

As like as a face is to the few nearest examples on average, so like it is to the character. A name takes a likeness of
the threshold at least, and the margin more than to any rival, who are characters that are known already; else nobody.
The threshold goes by how like one another the drawings are, and keeps the rivals out; docs/characters.md has figures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.types import EMBEDDING_SIZE

NEIGHBOURS = 3
FALSE_NAMES = 0.01  # of the faces of others that the threshold lets pass
LEAST_OTHERS = 20
SLACK = 0.05  # by how much a face may be less like the drawings than these are like one another
LEAST_THRESHOLD, MOST_OWN = 0.75, 0.92
MARGIN = 0.03
LEAST_EXAMPLES, MOST_EXAMPLES = 3, 40
MOST_RIVAL_ROWS = 24  # of one character

Floats = NDArray[np.float64]
Rows = tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class Examples:
    """``rows``: of length 1 each, the numbers that say who. ``rivals``: the same of other characters, by slug."""

    number: int
    character: str
    rows: Rows
    rivals: Mapping[str, Rows]
    threshold: float
    margin: float


def numbers_of(embedding: Any) -> list[float]:
    """Of a column of half floats, however the driver gives it."""
    return [float(x) for x in (embedding if isinstance(embedding, list) else embedding.to_list())]


def unit(rows: Sequence[Sequence[float]] | Floats, size: int) -> Floats:
    """(n, size) of length 1: the first numbers of each row."""
    table = np.asarray(rows, np.float64).reshape(-1, EMBEDDING_SIZE)[:, :size]
    found: Floats = table / np.maximum(np.linalg.norm(table, axis=1, keepdims=True), 1e-9)
    return found


def likeness(faces: Floats, examples: Floats) -> Floats:
    """(n,) mean cosine of each face with its nearest few examples; both of length 1; -1 where there is no example."""
    if not len(examples):
        return np.full(len(faces), -1.0)
    cosines = faces @ examples.T
    k = min(NEIGHBOURS, len(examples))
    found: Floats = np.sort(cosines, axis=1)[:, -k:].mean(axis=1)
    return found


def named_by(faces: Floats, examples: Examples) -> tuple[NDArray[np.bool_], Floats]:
    """(n,) which faces are the character's, and (n,) their likeness."""
    like = likeness(faces, np.asarray(examples.rows))
    others = [likeness(faces, np.asarray(rows)) for rows in examples.rivals.values()]
    rival = np.max(others, axis=0) if others else np.full(len(faces), -1.0)
    return (like >= examples.threshold) & (like - rival >= examples.margin), like


def who_of(embedding: Sequence[float], namings: Sequence[Examples]) -> str | None:
    """The character whom the face looks most like of those that it may be; None: nobody known."""
    best, who = -2.0, None
    for examples in namings:
        sure, like = named_by(unit([embedding], len(examples.rows[0])), examples)
        if sure[0] and like[0] > best:
            best, who = float(like[0]), examples.character
    return who


def threshold_of(rows: Floats, others: Floats) -> float:
    """Least likeness for a name: about that of the drawing that is least like the others, since faces of one character
    differ no less than its drawings do, within bounds; and what all but FALSE_NAMES of the faces of others stay under.

    ``others``: (m, size) faces that are surely somebody else's; fewer than LEAST_OTHERS have no part.
    """
    own = float(own_likeness(rows).min()) - SLACK
    threshold = min(MOST_OWN, max(LEAST_THRESHOLD, own))
    if len(others) >= LEAST_OTHERS:
        threshold = max(threshold, float(np.quantile(likeness(others, rows), 1.0 - FALSE_NAMES)))
    return min(0.99, threshold)


def spread_out(rows: Floats, most: int) -> Floats:
    """At most so many of the rows, the first and then always the one least like those taken: what a character can look
    like, in few. The same rows in the same order give the same.
    """
    if len(rows) <= most:
        return rows
    taken = [0]
    nearest = rows @ rows[0]
    for _ in range(most - 1):
        taken.append(int(nearest.argmin()))
        nearest = np.maximum(nearest, rows @ rows[taken[-1]])
    return rows[taken]


def own_likeness(rows: Floats) -> Floats:
    """(n,) how like each example is to the rest: an odd one out may show somebody else."""
    if len(rows) < 2:
        return np.ones(len(rows))
    return np.array([float(likeness(rows[i : i + 1], np.delete(rows, i, axis=0))[0]) for i in range(len(rows))])
