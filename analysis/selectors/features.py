"""The features of everything that is shown now, kept in this process and brought up to date when asked for.

One query tells whether something was published or derived since; only what changed is then read. Ids are given out
before transactions end, so the last OVERLAP of them are looked at again. A change is looked for again after FRESH
times as long as the last took to take in, so that a large catalogue is not put together anew for every request while
much is published.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from django.db import connection

from analysis.recommend.features import Catalogue, catalogue_of, updated
from analysis.recommend.packing import FORMAT, PackedRow, unpack

OVERLAP = 1000
FRESH = 20  # taking in a change that took 0.2 s is the last for 4 s
LONGEST_S = 3600.0  # then everything is read anew

Stamp = tuple[int, int, int, int]

ROWS = """
    SELECT shown.episode_id, episode.series_id, source.duration_ms, features.readable_ms,
           features.packed, features.members, features.format
    FROM analysis_publication AS shown
    JOIN catalog_episode AS episode ON episode.id = shown.episode_id
    JOIN catalog_sourcefile AS source ON source.id = episode.source_id
    LEFT JOIN analysis_runfeatures AS features ON features.run_id = shown.run_id
    WHERE shown.withdrawn_at IS NULL
"""
CHANGED = f"""{ROWS}
    AND (shown.id > %s OR shown.run_id IN (SELECT run_id FROM analysis_runfeatures WHERE id > %s))
"""  # noqa: S608 - a constant
STAMP = """
    SELECT coalesce((SELECT max(id) FROM analysis_publication), 0),
           (SELECT count(*) FROM analysis_publication WHERE id > %s),
           coalesce((SELECT max(id) FROM analysis_runfeatures), 0),
           (SELECT count(*) FROM analysis_runfeatures WHERE id > %s)
"""


@dataclass
class _Kept:
    """Of one database. ``since``: ids of publications and features from which on rows are read again."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    catalogue: Catalogue = field(default_factory=lambda: catalogue_of([]))
    since: tuple[int, int] = (0, 0)
    stamp: Stamp | None = None
    read_at: float = 0.0
    load_s: float = 0.0
    whole_at: float = 0.0


_kept: dict[str, _Kept] = {}


def catalogue_now() -> Catalogue:
    """Every episode that shows a run with enough evidence."""
    kept = _kept.setdefault(str(connection.settings_dict["NAME"]), _Kept())
    with kept.lock:
        now = time.monotonic()
        if kept.stamp is None or now - kept.whole_at > LONGEST_S:
            _read_all(kept)
        elif now - kept.read_at >= FRESH * kept.load_s:
            _read_changes(kept)
        return kept.catalogue


def catalogue_forget() -> None:
    """Everything is read anew when it is next asked for."""
    _kept.pop(str(connection.settings_dict["NAME"]), None)


def _read_all(kept: _Kept) -> None:
    since, stamp = _next(_stamp((0, 0)))
    kept.catalogue = unpack(_rows(ROWS, ())[0])
    kept.since, kept.stamp = since, stamp
    kept.read_at = kept.whole_at = time.monotonic()
    kept.load_s = 0.0


def _read_changes(kept: _Kept) -> None:
    begun = time.monotonic()
    now = _stamp(kept.since)
    if now == kept.stamp:
        return
    if kept.stamp is None or any(a < b for a, b in zip(now, kept.stamp, strict=True)):
        _read_all(kept)  # something is gone
        return
    since, stamp = _next(now)
    rows, gone = _rows(CHANGED, kept.since)
    kept.catalogue = updated(kept.catalogue, unpack(rows), gone)
    kept.since, kept.stamp = since, stamp
    kept.read_at = time.monotonic()
    kept.load_s = kept.read_at - begun


def _next(stamp: Stamp) -> tuple[tuple[int, int], Stamp]:
    """From where to read the next time, and the stamp of now, before rows are read: what comes later is read again."""
    since = max(0, stamp[0] - OVERLAP), max(0, stamp[2] - OVERLAP)
    return since, _stamp(since)


def _stamp(since: tuple[int, int]) -> Stamp:
    with connection.cursor() as cursor:
        cursor.execute(STAMP, since)
        first, second, third, fourth = cursor.fetchone()
    return int(first), int(second), int(third), int(fourth)


def _rows(query: str, values: tuple[int, ...]) -> tuple[list[PackedRow], list[int]]:
    """What can be recommended, and the episodes that show something which cannot."""
    rows, gone = [], []
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        for episode, series, duration_ms, readable_ms, packed, members, form in cursor.fetchall():
            if packed and form == FORMAT:
                rows.append(PackedRow(episode, series, duration_ms, readable_ms, bytes(packed), bytes(members)))
            else:
                gone.append(episode)
    return rows, gone
