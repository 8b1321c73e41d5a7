"""The faces nearest to a vector: exact where few are in question, along the graph (HNSW) where many are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from analysis.finding.alike import COLUMNS, HALF, Alike, literal, part_of
from ml.types import EMBEDDING_SIZE

EXACT_MOST = 50_000  # faces that are compared one by one
EF_SEARCH = 1_000  # how many candidates the graph keeps; docs/find.md has the recall that it brings
MOST_SCANNED = 40_000  # candidates after which the graph is left, however few passed the filter
TABLE = "analysis_facevector"


@dataclass(frozen=True, slots=True)
class Wanted:
    """``runs``: whose faces are searched; ``character_id`` and ``emotion`` narrow that, None and empty: anything."""

    embedding: tuple[float, ...]
    alike: Alike
    runs: tuple[int, ...]
    character_id: int | None = None
    emotion: str = ""


@dataclass(frozen=True, slots=True)
class NearFace:
    """``similarity``: the cosine, in [-1, 1]."""

    face_id: int
    run_id: int
    character_id: int | None
    emotion: str
    pts_ms: int
    similarity: float


@dataclass(frozen=True, slots=True)
class Nearest:
    """``exact``: every face in question was compared. ``whole``: there are no more."""

    faces: tuple[NearFace, ...]
    exact: bool
    whole: bool


@transaction.atomic
def nearest(wanted: Wanted, most: int, table: str = TABLE, *, exact: bool | None = None) -> Nearest:
    """At most ``most`` faces, most alike first; equal ones by id. ``exact``: chosen by how many are in question."""
    if not wanted.runs:
        return Nearest((), exact=True, whole=True)
    with connection.cursor() as cursor:
        if exact is None:
            cursor.execute(
                f"SELECT count(*) FROM (SELECT 1 FROM {table} WHERE {_where(wanted)} LIMIT %(more)s) AS few",  # noqa: S608
                {**_parameters(wanted), "more": EXACT_MOST + 1},
            )
            exact = bool(cursor.fetchone()[0] <= EXACT_MOST)
        with nullcontext() if exact else along_the_graph(cursor):
            cursor.execute(nearest_sql(wanted, table, exact=exact), {**_parameters(wanted), "most": most})
            rows = cursor.fetchall()
    faces = [
        NearFace(face, run, who, emotion, pts_ms, round(1.0 - float(distance), 6))
        for face, run, who, emotion, pts_ms, distance in rows
    ]
    faces.sort(key=lambda f: (-f.similarity, f.face_id))
    return Nearest(tuple(faces), exact, len(faces) < most)


def nearest_sql(wanted: Wanted, table: str = TABLE, *, exact: bool) -> str:
    """``+ 0`` hides an order from the graph, so that every row is compared."""
    size = EMBEDDING_SIZE if wanted.alike is Alike.BOTH else HALF
    distance = f"{COLUMNS[wanted.alike]} <=> %(vector)s::halfvec({size})"
    order = f"({distance}) + 0, face_id" if exact else distance
    return (
        f"SELECT face_id, run_id, character_id, emotion, pts_ms, {distance} FROM {table}"  # noqa: S608 - our own names
        f" WHERE {_where(wanted)} ORDER BY {order} LIMIT %(most)s"
    )


def _where(wanted: Wanted) -> str:
    conditions = ["run_id = ANY(%(runs)s)"]
    if wanted.character_id is not None:
        conditions.append("character_id = %(character)s")
    if wanted.emotion:
        conditions.append("emotion = %(emotion)s")
    return " AND ".join(conditions)


def _parameters(wanted: Wanted) -> dict[str, str | int | list[int] | None]:
    return {
        "vector": literal(part_of(wanted.embedding, wanted.alike)),
        "runs": list(wanted.runs),
        "character": wanted.character_id,
        "emotion": wanted.emotion,
    }


# Until the end of the query. The planner cannot know that sorting a million distances costs more than a walk.
_WALK = {
    "hnsw.ef_search": str(EF_SEARCH),
    "hnsw.iterative_scan": "strict_order",
    "hnsw.max_scan_tuples": str(MOST_SCANNED),
    "enable_sort": "off",
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
}


@contextmanager
def along_the_graph(cursor: CursorWrapper) -> Iterator[None]:
    """Settings of this transaction, put back at the end for whatever else happens in it."""
    cursor.execute("SELECT name, setting FROM pg_settings WHERE name = ANY(%s)", [list(_WALK)])
    before = dict(cursor.fetchall())
    _set(cursor, _WALK)
    yield
    _set(cursor, before)


def _set(cursor: CursorWrapper, values: Mapping[str, str]) -> None:
    calls = ", ".join(["set_config(%s, %s, true)"] * len(values))
    cursor.execute(f"SELECT {calls}", [part for pair in values.items() for part in pair])


def embeddings_of(face_ids: Sequence[int]) -> dict[int, tuple[float, ...]]:
    """Of faces that can be found, by id."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT face_id, embedding::real[] FROM {TABLE} WHERE face_id = ANY(%s)",  # noqa: S608
            [list(face_ids)],
        )
        return {face_id: tuple(numbers) for face_id, numbers in cursor.fetchall()}
