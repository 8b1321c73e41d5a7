from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from django.core.management.base import BaseCommand, CommandParser
from django.db import connection, transaction
from numpy.typing import NDArray

from analysis.finding.alike import HALF, Alike
from analysis.finding.nearest import TABLE, Wanted, nearest
from ml.types import EMBEDDING_SIZE, EMOTIONS

BENCH = "find_bench"
GRAPHS = {Alike.BOTH: "_both_", Alike.CHARACTER: "_who_", Alike.EXPRESSION: "_what_"}
RUN_FACES, TRACK_FACES, CHARACTERS = 4_000, 20, 200
MOST = 400  # as the pages ask for
BLOCK = 50_000
# How far a track is from its character and feeling, and a drawing from its track: as in the rendered episodes.
TRACK_NOISE, FACE_NOISE = 0.35, 0.15
CASES: tuple[tuple[str, bool, bool], ...] = (
    ("anybody", False, False),
    ("one feeling", False, True),
    ("one character", True, False),
    ("one character, one feeling", True, True),
)
COLUMNS = (
    ("p50 ms", "p50_ms"),
    ("p99 ms", "p99_ms"),
    ("cpu p50", "cpu_p50_ms"),
    ("cpu p99", "cpu_p99_ms"),
    ("recall", "recall"),
)
Floats = NDArray[np.float32]


class Command(BaseCommand):
    help = "Fills a table of its own with made-up faces and measures how long finding takes, and what it misses."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--faces", type=int, default=1_000_000)
        parser.add_argument("--queries", type=int, default=200, help="per case")
        parser.add_argument("--memory", default="512MB", help="maintenance_work_mem while graphs are made")
        parser.add_argument("--alike", choices=[str(a) for a in Alike], nargs="+", help="only these graphs")
        parser.add_argument("--keep", action="store_true", help="leave the table for another look")
        parser.add_argument("--reuse", action="store_true", help="measure the table that --keep left")
        parser.add_argument("--json", action="store_true", help="answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        ways = [Alike(a) for a in options["alike"] or list(Alike)]
        made: dict[str, float] = {}
        if not options["reuse"]:
            made = _fill(options["faces"], options["memory"], ways)
        cases = _measure(options["faces"], options["queries"], ways)
        report = {"faces": options["faces"], "made_s": made, "cases": cases}
        if not options["keep"]:
            _execute(f"DROP TABLE {BENCH}")
        if options["json"]:
            self.stdout.write(json.dumps(report, indent=1))
            return
        self.stdout.write("  ".join(f"{name}: {seconds:.0f} s" for name, seconds in made.items()))
        self.stdout.write(f"{'alike':<11} {'among':<28} " + " ".join(f"{title:>8}" for title, _ in COLUMNS) + "  how")
        for c in cases:
            figures = " ".join(f"{c[name]:>8.2f}" for _, name in COLUMNS)
            self.stdout.write(f"{c['alike']:<11} {c['among']:<28} {figures}  {c['how']}")


class ServerClock:
    """Processor time of the server's process for this connection; stands still where that is on another machine."""

    def __init__(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            self.path = Path(f"/proc/{cursor.fetchone()[0]}/schedstat")
        self.local = str(connection.connection.info.host).startswith("/") and self.path.exists()

    def ms(self) -> float:
        return int(self.path.read_text().split()[0]) / 1e6 if self.local else 0.0


def _execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def _fill(faces: int, memory: str, ways: Sequence[Alike]) -> dict[str, float]:
    """Rows first, then the graphs that the real table has. Seconds of each step."""
    seconds, begun = {}, time.perf_counter()
    _execute(f"DROP TABLE IF EXISTS {BENCH}")
    _execute(f"CREATE UNLOGGED TABLE {BENCH} (LIKE {TABLE} INCLUDING DEFAULTS)")
    columns = "face_id, run_id, character_id, emotion, pts_ms, embedding"
    with connection.cursor() as cursor, cursor.copy(f"COPY {BENCH} ({columns}) FROM STDIN (FORMAT BINARY)") as copy:
        copy.write(b"PGCOPY\n\xff\r\n\x00" + bytes(8))
        for first in range(0, faces, BLOCK):
            copy.write(_rows(first, min(BLOCK, faces - first)))
        copy.write(b"\xff\xff")
    seconds["rows"] = time.perf_counter() - begun
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %s ORDER BY 1", [TABLE])
        definitions = cursor.fetchall()
    for name, definition in definitions:
        if "hnsw" in name and not any(GRAPHS[way] in name for way in ways):
            continue
        begun = time.perf_counter()
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('maintenance_work_mem', %s, true)", [memory])
                cursor.execute("SELECT set_config('max_parallel_maintenance_workers', '1', true)")
            _execute(definition.replace(f"INDEX {name}", f"INDEX bench_{name}").replace(f"{TABLE} ", f"{BENCH} "))
        seconds[name] = time.perf_counter() - begun
    _execute(f"ANALYZE {BENCH}")
    return seconds


def _rows(first: int, count: int) -> bytes:
    """Binary COPY of faces ``first`` to ``first + count``; the same numbers at every call."""
    ids = np.arange(first, first + count)
    embeddings, characters, feelings = made_up(ids)
    words = np.array([str(e).ljust(9).encode() for e in EMOTIONS])
    lengths = {str(e): len(str(e)) for e in EMOTIONS}
    out = bytearray()
    halves = embeddings.astype(">f2")
    head = np.array([EMBEDDING_SIZE, 0], ">u2").tobytes()
    pieces = [ids, 1 + ids // RUN_FACES, characters]
    numbers = [values.astype(">i8") for values in pieces]
    times = ((ids % RUN_FACES) * 125).astype(">i4")
    size = (4 + 2 * EMBEDDING_SIZE).to_bytes(4, "big")
    eight, four = (8).to_bytes(4, "big"), (4).to_bytes(4, "big")
    for i in range(count):
        word = words[feelings[i]][: lengths[str(EMOTIONS[feelings[i]])]]
        out += b"\x00\x06"
        for column in numbers:
            out += eight + column[i : i + 1].tobytes()
        out += len(word).to_bytes(4, "big") + word
        out += four + times[i : i + 1].tobytes() + size + head + halves[i].tobytes()
    return bytes(out)


def made_up(ids: NDArray[np.int64]) -> tuple[Floats, NDArray[np.int64], NDArray[np.int64]]:
    """(n, EMBEDDING_SIZE) embeddings, characters and feelings of the faces with these numbers.

    A face is its track's, and that its character's and feeling's, each with some noise; halves of equal length.
    """
    tracks = ids // TRACK_FACES
    episode = ids // RUN_FACES
    mixed = (tracks * 2_654_435_761 + 12_345) % 2**32
    characters = (episode * 7 + mixed % 5) % CHARACTERS
    feelings = (mixed // 7) % len(EMOTIONS)
    halves = []
    for which, kinds in ((1, characters), (2, feelings)):
        count = CHARACTERS if which == 1 else len(EMOTIONS)
        centres = _unit(np.random.default_rng(which).standard_normal((count, HALF)))
        unique, inverse = np.unique(tracks, return_inverse=True)
        own = np.stack([np.random.default_rng([which, int(t)]).standard_normal(HALF) for t in unique])[inverse]
        drawn = np.random.default_rng([which, 99, int(ids[0])]).standard_normal((len(ids), HALF))
        scale = HALF**-0.5
        halves.append(_unit(centres[kinds] + TRACK_NOISE * scale * own + FACE_NOISE * scale * drawn))
    return np.concatenate(halves, 1).astype(np.float32) / np.float32(2**0.5), characters, feelings


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    found: NDArray[np.float64] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return found


def _measure(faces: int, queries: int, ways: Sequence[Alike]) -> list[dict[str, Any]]:
    """Per sense of alike and per filter: the time of the whole answer, and which of the ten nearest are in it."""
    rng = np.random.default_rng(5)
    runs = tuple(range(1, 1 + -(-faces // RUN_FACES)))
    clock = ServerClock()
    cases = []
    for alike in ways:
        for among, by_character, by_feeling in CASES:
            took, worked, hits, how = [], [], [], set()
            for n in range(queries + 5):
                wanted = _question(rng, faces, alike, runs, by_character=by_character, by_feeling=by_feeling)
                begun, before = time.perf_counter(), clock.ms()
                found = nearest(wanted, MOST, BENCH)
                if n >= 5:  # the first ones warm the caches
                    took.append(1000 * (time.perf_counter() - begun))
                    worked.append(clock.ms() - before)
                    how.add("exact" if found.exact else "graph")
                if n >= 5 and (n - 5) % 4 == 0:
                    truth = nearest(wanted, 10, BENCH, exact=True).faces
                    got = {f.face_id for f in found.faces[:10]}
                    hits.append(len(got & {f.face_id for f in truth}) / max(1, len(truth)))
            (p50, p99), (cpu50, cpu99) = np.percentile(took, [50, 99]), np.percentile(worked, [50, 99])
            cases.append(
                {
                    "alike": str(alike),
                    "among": among,
                    "p50_ms": round(float(p50), 2),
                    "p99_ms": round(float(p99), 2),
                    "cpu_p50_ms": round(float(cpu50), 2),
                    "cpu_p99_ms": round(float(cpu99), 2),
                    "recall": round(float(np.mean(hits)), 4),
                    "how": "/".join(sorted(how)),
                }
            )
    return cases


def _question(
    rng: np.random.Generator, faces: int, alike: Alike, runs: Sequence[int], *, by_character: bool, by_feeling: bool
) -> Wanted:
    """Another drawing of somebody who is there: a face of the table, shaken."""
    at = np.array([int(rng.integers(faces))])
    embedding, characters, feelings = made_up(at)
    shaken = embedding[0] + 0.1 * EMBEDDING_SIZE**-0.5 * rng.standard_normal(EMBEDDING_SIZE)
    return Wanted(
        tuple(float(x) for x in shaken),
        alike,
        tuple(runs),
        int(characters[0]) if by_character else None,
        str(EMOTIONS[int(feelings[0])]) if by_feeling else "",
    )
