"""Which faces of nobody known a few drawings of a character would name, before anybody decides so."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from django.db import connection
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from analysis.errors import FindImpossible, NamingImpossible
from analysis.finding.alike import Alike, literal, signature_of, ways_of
from analysis.finding.naming import (
    LEAST_EXAMPLES,
    MARGIN,
    MOST_RIVAL_ROWS,
    Examples,
    named_by,
    numbers_of,
    own_likeness,
    spread_out,
    threshold_of,
    unit,
)
from analysis.models import AnalysisRun, CharacterExample, ModelBundle, Naming, Publication, Track
from analysis.selectors.finds import comparable
from catalog.models import Character, Episode
from ml.types import EMBEDDING_SIZE

MOST_RIVALS = 4_000  # tracks of known characters that the threshold is chosen by
RIVAL_RUNS = 200
ODD_BELOW = 0.5  # likeness to the other examples under which one is shown as odd

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class NamedTrack:
    """A stretch of one face that would be named. ``face_id``: its surest face."""

    track_id: int
    run_id: int
    episode: Episode
    start_ms: int
    end_ms: int
    face_id: int | None
    likeness: float


@dataclass(frozen=True, slots=True)
class Proposal:
    """``named``: the most alike first. ``unknown``: tracks of nobody known in all, named ones with them. ``odd``:
    examples that look little like the rest. ``others``: how many faces of known characters the threshold is chosen
    by. ``left_out``: examples that were read by a bundle whose numbers mean something else.
    """

    bundle: ModelBundle
    examples: Examples
    example_ids: tuple[int, ...]
    named: tuple[NamedTrack, ...]
    unknown: int
    odd: tuple[CharacterExample, ...]
    others: int
    left_out: int

    @property
    def episodes(self) -> int:
        return len({track.episode.pk for track in self.named})

    @property
    def milliseconds(self) -> int:
        return sum(track.end_ms - track.start_ms for track in self.named)


def examples_current(character: Character) -> QuerySet[CharacterExample]:
    rows = CharacterExample.objects.filter(character=character, withdrawn_at__isnull=True)
    return rows.select_related("bundle", "find", "face__run", "made_by").order_by("pk")


def naming_current(character: Character) -> Naming | None:
    return Naming.objects.filter(character=character, withdrawn_at__isnull=True).select_related("made_by").first()


def namings_all(character: Character) -> list[Naming]:
    """The newest first, withdrawn ones too."""
    return list(Naming.objects.filter(character=character).select_related("made_by", "withdrawn_by"))


def naming_proposal(character: Character) -> Proposal:
    """Raises NamingImpossible where there are too few examples, or no analysis that they could be compared with."""
    try:
        among = comparable()
    except FindImpossible as error:
        raise NamingImpossible(str(error)) from None
    signature = signature_of(among.bundle.card, among.bundle.digest)
    read = [e for e in examples_current(character) if e.embedding is not None]
    fit = [e for e in read if signature_of(e.bundle.card, e.bundle.digest) == signature]
    if len(fit) < LEAST_EXAMPLES:
        said = _("%(name)s has %(count)s drawings that were read; it takes %(needed)s.")
        raise NamingImpossible(said % {"name": character.name, "count": len(fit), "needed": LEAST_EXAMPLES})
    size = EMBEDDING_SIZE // 2 if Alike.CHARACTER in ways_of(among.bundle.card) else EMBEDDING_SIZE
    rows = unit([numbers_of(e.embedding) for e in fit], size)
    rivals = _rivals(character, runs_of(signature), size)
    everybody = np.concatenate([*rivals.values(), np.zeros((0, size))])
    examples = Examples(
        number=0,
        character=character.slug,
        rows=_rows(rows),
        rivals={slug: _rows(spread_out(found, MOST_RIVAL_ROWS)) for slug, found in rivals.items()},
        threshold=round(threshold_of(rows, everybody), 4),
        margin=MARGIN,
    )
    named, unknown = tracks_named(character, examples, runs_of(signature))
    odd = tuple(e for e, like in zip(fit, own_likeness(rows), strict=True) if like < ODD_BELOW)
    return Proposal(
        among.bundle, examples, tuple(e.pk for e in fit), named, unknown, odd, len(everybody), len(read) - len(fit)
    )


def runs_of(signature: str) -> list[int]:
    """What episodes show of runs by that classifier, by id."""
    shown = Publication.objects.filter(withdrawn_at__isnull=True).values("run_id")
    bundles = bundles_of(signature)
    runs = AnalysisRun.objects.filter(pk__in=shown, bundle_id__in=bundles)
    return list(runs.order_by("pk").values_list("pk", flat=True))


def bundles_of(signature: str) -> list[int]:
    return [b.pk for b in ModelBundle.objects.all() if signature_of(b.card, b.digest) == signature]


def tracks_named(character: Character, examples: Examples, runs: Sequence[int]) -> tuple[tuple[NamedTrack, ...], int]:
    """Those that the examples would name, and how many there are of nobody known (those that they named with them)."""
    candidates = Track.objects.filter(run_id__in=runs, embedding__isnull=False).filter(pk__in=_unknown(character, runs))
    unknown = candidates.count()
    near = _near(candidates, examples)
    tracks = Track.objects.select_related("run__episode__series").in_bulk(near)
    rows = [tracks[pk] for pk in near]
    if not rows:
        return (), unknown
    sure, like = named_by(unit([numbers_of(t.embedding) for t in rows], len(examples.rows[0])), examples)
    found = [(track, float(x)) for track, ok, x in zip(rows, sure, like, strict=True) if ok]
    faces = _faces([track.pk for track, _ in found])
    named = [
        NamedTrack(t.pk, t.run_id, t.run.episode, t.start_ms, t.end_ms, faces.get(t.pk), round(like, 4))
        for t, like in found
    ]
    return tuple(sorted(named, key=lambda n: (-n.likeness, n.track_id))), unknown


def _unknown(character: Character, runs: Sequence[int]) -> QuerySet[Track, int]:
    """Tracks that show nobody known, or the character by a naming alone and not by what people say."""
    rows = Track.objects.filter(run_id__in=runs, character__isnull=True)
    if naming_current(character) is None:
        return rows.values_list("pk", flat=True)
    named = Track.objects.filter(run_id__in=runs, character=character).exclude(detections__character__isnull=False)
    return (rows | Track.objects.filter(pk__in=named.values("pk"))).values_list("pk", flat=True)


def _near(candidates: QuerySet[Track], examples: Examples) -> list[int]:
    """Ids of tracks as like as the threshold to one example at least: no other can be so to several on average."""
    size = len(examples.rows[0])
    part = f"subvector(embedding, 1, {size})::halfvec({size})"
    sql, values = candidates.values("pk", "embedding").query.sql_with_params()
    distance = ", ".join([f"({part} <=> %s::halfvec({size}))"] * len(examples.rows))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id FROM (SELECT id, embedding FROM analysis_track WHERE id IN (SELECT id FROM ({sql}) AS c))"  # noqa: S608
            f" AS t WHERE LEAST({distance}) <= %s ORDER BY id",
            [*values, *(literal(row) for row in examples.rows), 1.0 - examples.threshold + 1e-3],
        )
        return [pk for (pk,) in cursor.fetchall()]


def _faces(track_ids: Sequence[int]) -> dict[int, int]:
    """The surest face of each track."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT ON (track_id) track_id, id FROM analysis_facedetection WHERE track_id = ANY(%s)"
            " ORDER BY track_id, score DESC, id",
            [list(track_ids)],
        )
        return dict(cursor.fetchall())


def _rivals(character: Character, runs: Sequence[int], size: int) -> dict[str, Floats]:
    """Faces of known characters by slug: of runs that are drawn by a digest, so that it is the same each time."""
    some = sorted(runs, key=lambda pk: hashlib.sha256(str(pk).encode()).digest())[:RIVAL_RUNS]
    tracks = Track.objects.filter(run_id__in=some, character__isnull=False, embedding__isnull=False)
    rows = tracks.exclude(character=character).order_by("pk").values_list("character__slug", "embedding")
    found: dict[str, list[list[float]]] = {}
    for slug, embedding in rows[:MOST_RIVALS]:
        found.setdefault(str(slug), []).append(numbers_of(embedding))
    return {slug: unit(table, size) for slug, table in sorted(found.items())}


def _rows(table: Floats) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(round(float(x), 6) for x in row) for row in table)
