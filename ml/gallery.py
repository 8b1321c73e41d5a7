"""Whose face it is, by a few example drawings of each character compared by embedding. Needs numpy only.

A face that is like nobody's examples is *unknown*; so is one that is about as like two characters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

NEIGHBOURS = 3  # a face is as like a character as it is to the nearest few examples on average


@dataclass(frozen=True, slots=True)
class Gallery:
    """``rows``: (N, D) embeddings of the examples, each of length 1. ``owners``: (N,) index into ``names``.

    ``threshold``: least cosine for a name. ``margin``: by how much the best must beat the second best.
    """

    names: tuple[str, ...]
    rows: NDArray[np.float32]
    owners: NDArray[np.int64]
    threshold: float
    margin: float

    @classmethod
    def of(cls, embeddings: NDArray[np.float32], settings: Mapping[str, Any]) -> Gallery:
        """``settings``: ``characters`` (slug of every row), ``threshold``, ``margin``; ``size``: how many of an
        embedding's first numbers say whose face it is (all of them where it is missing).
        """
        slugs = tuple(str(s) for s in settings["characters"])
        names = tuple(dict.fromkeys(slugs))
        size = int(settings.get("size", embeddings.shape[1]))
        owners = np.array([names.index(s) for s in slugs], np.int64)
        rows = _unit(np.asarray(embeddings, np.float32)[:, :size])
        return cls(names, rows, owners, float(settings["threshold"]), float(settings["margin"]))

    def likeness(self, embeddings: NDArray[np.float32] | Sequence[Sequence[float]]) -> NDArray[np.float32]:
        """(M, E) embeddings -> (M, number of names) mean cosines with each character's nearest examples."""
        faces = np.asarray(embeddings, np.float32)
        cosines = _unit(faces[:, : self.rows.shape[1]]) @ self.rows.T
        result = np.empty((len(faces), len(self.names)), np.float32)
        for owner in range(len(self.names)):
            own = cosines[:, self.owners == owner]
            k = min(NEIGHBOURS, own.shape[1])
            result[:, owner] = np.sort(own, axis=1)[:, -k:].mean(axis=1)
        return result

    def name(self, embedding: Sequence[float]) -> tuple[str | None, float]:
        """The character (None: unknown) and the likeness to the best one."""
        like = self.likeness(np.asarray([embedding], np.float32))[0]
        order = np.argsort(-like, kind="stable")
        best = float(like[order[0]])
        second = float(like[order[1]]) if len(order) > 1 else -1.0
        sure = best >= self.threshold and best - second >= self.margin
        return (self.names[int(order[0])] if sure else None), best


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9), np.float32)
