"""What people have said of an episode, as the statements that are laid over a run's faces."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.db.models import Q

from analysis.finding.alike import signature_of
from analysis.finding.naming import Examples
from analysis.layer import Says, Seen, Statement, Told, tell
from analysis.models import AnalysisRun, Certification, CertificationAnswer, Correction, Naming
from analysis.samples import Answers, Piece, Sample, settled
from catalog.models import Episode, SourceFile
from ml.types import Box


@dataclass(frozen=True, slots=True)
class Layer:
    """``statements``: those of samples, then corrections in the order in which they were made, so that these win.

    ``samples``: the finished ones. ``digest``: changes whenever anything here does; empty where nobody said anything.
    ``picture``: width and height. ``namings``: by which faces of nobody known get a name before all that.
    """

    statements: tuple[Statement, ...]
    samples: tuple[Sample, ...]
    digest: str
    picture: tuple[int, int]
    namings: tuple[Examples, ...] = ()

    def tell(self, faces: Iterable[Seen], statements: Sequence[Statement] | None = None) -> dict[int, Told]:
        """``statements``: else all."""
        told = self.statements if statements is None else statements
        return tell(list(faces), told, self.picture) if told else {}

    def sample(self, character: str) -> Sample | None:
        return next((sample for sample in self.samples if sample.character == character), None)


def layer_of(run: AnalysisRun) -> Layer:
    """What counts now of what was said about the file that the run looked at; another file has other times."""
    samples = samples_finished(run.episode_id, run.source_sha256)
    rows = corrections_current(run.episode_id, run.source_sha256)
    statements = (*(said for sample in samples for said, _ in settled(sample)), *(statement_of(row) for row in rows))
    source = SourceFile.objects.filter(sha256=run.source_sha256).values_list("width", "height").first()
    namings = namings_of(run)
    return Layer(statements, samples, _digest(statements, samples, namings), source or (1, 1), namings)


def namings_of(run: AnalysisRun) -> tuple[Examples, ...]:
    """Those that count and are of the run's classifier."""
    rows = list(
        Naming.objects.filter(withdrawn_at__isnull=True).select_related("character").order_by("character__slug")
    )
    if not rows:
        return ()
    signature = signature_of(run.bundle.card, run.bundle.digest)
    return tuple(examples_of(row) for row in rows if row.signature == signature)


def naming_digest(signature: str) -> str:
    """The layer of a run of that classifier of which nobody said anything."""
    rows = Naming.objects.filter(withdrawn_at__isnull=True, signature=signature).select_related("character")
    return _digest((), (), [examples_of(row) for row in rows.order_by("character__slug")])


def examples_of(row: Naming) -> Examples:
    rivals = {slug: tuple(map(tuple, rows)) for slug, rows in row.rivals.items()}
    return Examples(row.pk, row.character.slug, tuple(map(tuple, row.rows)), rivals, row.threshold, row.margin)


def named_slugs(run: AnalysisRun) -> frozenset[str]:
    """Whom faces of the run may be named as that its bundle does not know."""
    return frozenset(found.character for found in namings_of(run))


def read_as(face: str | None, track: str | None, named: frozenset[str]) -> str | None:
    """Whom a stored face is read as: by the bundle, or by a naming, which the face's track shows."""
    return track if face is None and track in named else face


def samples_finished(episode_id: int, source_sha256: str) -> tuple[Sample, ...]:
    """Of the samples that count, those that somebody answered wholly, by character."""
    found = []
    rows = Certification.objects.filter(episode_id=episode_id, source_sha256=source_sha256, withdrawn_at__isnull=True)
    for row in rows.select_related("character").order_by("character__slug", "id"):
        people = tuple(answers for _, answers in finished_by(row))
        if people:
            frame = tuple((int(start), int(end)) for start, end in row.frame)
            base = tuple(statement_of(c) for c in _corrections_at(row))
            found.append(Sample(row.pk, row.character.slug, frame, tuple(row.picked), people, base))
    return tuple(found)


def finished_by(row: Certification) -> list[tuple[int, Answers]]:
    """(id of the person, answers by place) of everybody who answered every shot; who did so last is last."""
    by_person: dict[int, dict[int, tuple[Piece, ...]]] = defaultdict(dict)
    last: dict[int, int] = {}
    for answer in CertificationAnswer.objects.filter(certification=row, withdrawn_at__isnull=True).order_by("id"):
        pieces = tuple((int(start), int(end), str(label)) for start, end, label in answer.pieces)
        by_person[answer.made_by_id][answer.place] = pieces
        last[answer.made_by_id] = answer.pk
    whole = [person for person, answers in by_person.items() if set(row.picked) <= set(answers)]
    return [(person, by_person[person]) for person in sorted(whole, key=lambda person: last[person])]


def _corrections_at(row: Certification) -> list[Correction]:
    """Those that counted when the sample was drawn, the oldest first."""
    then = Correction.objects.filter(
        Q(withdrawn_at__isnull=True) | Q(withdrawn_at__gt=row.made_at),
        episode_id=row.episode_id,
        source_sha256=row.source_sha256,
        made_at__lte=row.made_at,
    )
    return list(then.select_related("subject", "character").order_by("made_at", "id"))


def corrections_current(
    episode_id: int, source_sha256: str, between: tuple[int, int] | None = None
) -> list[Correction]:
    """Those that count, the oldest first. ``between``: only those that speak of a part of [start_ms, end_ms)."""
    rows = Correction.objects.filter(episode_id=episode_id, source_sha256=source_sha256, withdrawn_at__isnull=True)
    if between is not None:
        rows = rows.filter(start_ms__lt=between[1], end_ms__gt=between[0])
    return list(rows.select_related("subject", "character").order_by("made_at", "id"))


def corrections_list(episode: Episode) -> list[Correction]:
    """All that count for the episode's file, in the order of the episode."""
    source = episode.source
    found = [] if source is None else corrections_current(episode.pk, source.sha256)
    return sorted(found, key=lambda row: (row.start_ms, row.pk))


def statement_of(row: Correction) -> Statement:
    return Statement(
        start_ms=row.start_ms,
        end_ms=row.end_ms,
        subject=None if row.subject is None else row.subject.slug,
        box=box_of(row),
        says=Says(row.says),
        character=None if row.character is None else row.character.slug,
        emotion=row.emotion,
    )


def box_of(row: Correction) -> Box | None:
    if row.box_x1 is None or row.box_y1 is None or row.box_x2 is None or row.box_y2 is None:
        return None
    return (row.box_x1, row.box_y1, row.box_x2, row.box_y2)


def _digest(statements: Sequence[Statement], samples: Sequence[Sample], namings: Sequence[Examples]) -> str:
    if not statements and not samples and not namings:
        return ""
    parts: list[Any] = [[asdict(s) for s in statements], [asdict(s) for s in samples]]
    if namings:
        parts.append([n.number for n in namings])  # what a naming holds never changes
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
