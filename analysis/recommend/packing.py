"""Features as bytes and back: a hundred thousand rows are read at once, so a row is two short blocks of numbers.

``packed``: 92 little-endian floats: shares, lower and upper bounds (7 each, NaN: not modelled), pace, arc (10 x 7).
``members``: per character its id (64-bit integer) and its parts of the readable time by emotion (7 floats).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.recommend.features import BINS, KINDS, Catalogue, Features, Ints, Singles

FORMAT = 1
NUMBERS = 3 * KINDS + 1 + BINS * KINDS
_MEMBER = np.dtype([("character", "<i8"), ("part", "<f4", (KINDS,))])


@dataclass(frozen=True, slots=True)
class PackedRow:
    """As stored, with what the catalogue knows of the episode."""

    episode: int
    series: int
    duration_ms: int
    readable_ms: int
    packed: bytes
    members: bytes


def pack(features: Features) -> tuple[bytes, bytes]:
    """(``packed``, ``members``)."""
    numbers = np.concatenate([features.share, features.low, features.high, [features.pace], features.arc.ravel()])
    members = np.zeros(len(features.cast), dtype=_MEMBER)
    for place, (character, part) in enumerate(sorted(features.cast.items())):
        members[place] = (character, part.astype("<f4"))
    return numbers.astype("<f4").tobytes(), members.tobytes()


def unpack(rows: Sequence[PackedRow]) -> Catalogue:
    """In the order given. Raises ValueError where a block has another length than it should."""
    if any(len(r.packed) != 4 * NUMBERS or len(r.members) % _MEMBER.itemsize for r in rows):
        raise ValueError("packed features of another format")
    table = np.frombuffer(b"".join(r.packed for r in rows), dtype="<f4").reshape(-1, NUMBERS)
    members = np.frombuffer(b"".join(r.members for r in rows), dtype=_MEMBER)
    counts = [len(r.members) // _MEMBER.itemsize for r in rows]
    member_row = np.repeat(np.arange(len(rows), dtype=np.int64), counts)
    order = np.lexsort((member_row, members["character"]))
    return Catalogue(
        episode=_ints([r.episode for r in rows]),
        series=_ints([r.series for r in rows]),
        duration_ms=_ints([r.duration_ms for r in rows]),
        readable_ms=_ints([r.readable_ms for r in rows]),
        share=_column(table, 0),
        low=_column(table, KINDS),
        high=_column(table, 2 * KINDS),
        pace=np.ascontiguousarray(table[:, 3 * KINDS], dtype=np.float32),
        arc=np.sqrt(table[:, 3 * KINDS + 1 :], dtype=np.float32),
        member_character=members["character"][order].astype(np.int64),
        member_row=member_row[order],
        member_root=np.sqrt(members["part"][order], dtype=np.float32),
    )


def _ints(values: Sequence[int]) -> Ints:
    return np.array(values, dtype=np.int64)


def _column(table: Singles, at: int) -> Singles:
    return np.ascontiguousarray(table[:, at : at + KINDS].T, dtype=np.float32)
