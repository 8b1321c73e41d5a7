"""Two runs of an episode side by side, and two bundles over the whole catalogue: what would change for whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analysis.errors import RunsNotComparable
from analysis.models import AnalysisRun, EmotionProfile, ModelBundle, Publication, RunBound, RunStatus
from analysis.ratings.moves import Bounds, Gate, LimitChange, Move, Tally, limit_changes, moves, tally
from analysis.selectors.profiles import Rating, rating_of
from catalog.models import Character, Episode
from ml.types import EMOTIONS, Emotion

LIMIT_STEPS = (0.02, 0.05, 0.10, 0.15, 0.25, 0.35)  # limits that people set; each is tried on every emotion


@dataclass(frozen=True, slots=True)
class CharacterMoves:
    """``before``, ``after``: None where that run does not show the character."""

    character: Character
    before: Rating | None
    after: Rating | None
    moves: tuple[Move, ...]


@dataclass(frozen=True, slots=True)
class RunComparison:
    before: AnalysisRun
    after: AnalysisRun
    characters: tuple[CharacterMoves, ...]
    limits: tuple[LimitChange, ...]

    @property
    def moves(self) -> tuple[Move, ...]:
        return tuple(m for c in self.characters for m in c.moves)

    @property
    def tally(self) -> Tally:
        return tally(self.moves)

    @property
    def gained(self) -> tuple[Character, ...]:
        """Rated after, and not before."""
        return tuple(c.character for c in self.characters if _rated(c.after) and not _rated(c.before))

    @property
    def lost(self) -> tuple[Character, ...]:
        return tuple(c.character for c in self.characters if _rated(c.before) and not _rated(c.after))


def runs_compare(before: AnalysisRun, after: AnalysisRun) -> RunComparison:
    """Raises RunsNotComparable unless both succeeded and are of one episode."""
    if before.episode_id != after.episode_id:
        raise RunsNotComparable(f"Runs {before.pk} and {after.pk} are of different episodes.")
    for run in (before, after):
        if run.status != RunStatus.SUCCEEDED:
            raise RunsNotComparable(f"Run {run.pk} is {run.status}; only runs that succeeded can be compared.")
    ids = [before.pk, after.pk]
    return _compared(before, after, _ratings(ids), _gates(ids))


def _ratings(run_ids: Sequence[int]) -> dict[int, list[Rating]]:
    rows = EmotionProfile.objects.filter(run_id__in=run_ids).select_related("character")
    found: dict[int, list[Rating]] = {pk: [] for pk in run_ids}
    for row in rows.order_by("run_id", "-visible_ms", "character__slug"):
        found[row.run_id].append(rating_of(row))
    return found


def _compared(
    before: AnalysisRun,
    after: AnalysisRun,
    ratings: Mapping[int, Sequence[Rating]],
    gates: Mapping[int, Mapping[Emotion, Gate]],
) -> RunComparison:
    old = {r.character.pk: r for r in ratings[before.pk]}
    new = {r.character.pk: r for r in ratings[after.pk]}
    both = {pk: (new.get(pk) or old[pk]).character for pk in [*old, *new]}
    characters = tuple(
        CharacterMoves(who, old.get(pk), new.get(pk), moves(_bounds(old.get(pk)), _bounds(new.get(pk))))
        for pk, who in sorted(both.items(), key=lambda item: (item[1].name, item[0]))
    )
    changes = limit_changes(gates[before.pk], gates[after.pk], LIMIT_STEPS)
    return RunComparison(before, after, characters, changes)


def _rated(rating: Rating | None) -> bool:
    return rating is not None and rating.enough


def _bounds(rating: Rating | None) -> dict[Emotion, Bounds]:
    """A rating without enough evidence has no level."""
    if rating is None:
        return {}
    return {e.emotion: Bounds(e.share, e.low, e.high, e.level if rating.enough else "") for e in rating.emotions}


def _gates(run_ids: Sequence[int]) -> dict[int, dict[Emotion, Gate]]:
    """What a limit for all characters reads of each run."""
    found: dict[int, dict[Emotion, Gate]] = {pk: {} for pk in run_ids}
    for run_id, emotion, high in RunBound.objects.filter(run_id__in=run_ids).values_list("run_id", "emotion", "high"):
        found[run_id][Emotion(emotion)] = Gate(high)
    return found


@dataclass(frozen=True, slots=True)
class BundleComparison:
    """``runs``: per episode that has both. ``waiting``: shown by the old bundle, and not analysed whole by the new.

    ``elsewhere``: episodes that show neither bundle.
    """

    before: ModelBundle
    after: ModelBundle
    runs: tuple[RunComparison, ...]
    waiting: tuple[Episode, ...]
    elsewhere: int

    @property
    def tally(self) -> Tally:
        return tally(m for run in self.runs for m in run.moves)

    @property
    def episodes_changed(self) -> int:
        """In which some level for parents or some decision of a limit changes."""
        return sum(bool(run.limits) or any(m.level_changed for m in run.moves) for run in self.runs)

    def limits_by_emotion(self) -> list[tuple[Emotion, int, int]]:
        """Emotion, decisions that would hide, decisions that would show an episode, where there are any."""
        found = []
        for emotion in EMOTIONS:
            changes = [c for run in self.runs for c in run.limits if c.emotion is emotion]
            hidden = sum(c.shown_before for c in changes)
            if changes:
                found.append((emotion, hidden, len(changes) - hidden))
        return found

    def by_emotion(self) -> list[tuple[Emotion, Tally, float]]:
        """Emotion, counts, and the mean signed difference of the shares in [-1, 1]."""
        found = []
        for emotion in EMOTIONS:
            rows = [m for run in self.runs for m in run.moves if m.emotion is emotion]
            sizes = [m.points for m in rows if m.points is not None]
            if rows:
                found.append((emotion, tally(rows), sum(sizes) / len(sizes) if sizes else 0.0))
        return found


def bundles_compare(before: ModelBundle, after: ModelBundle) -> BundleComparison:
    """Episodes that show a run of either bundle, with the newest whole run of the other: a number of queries that
    does not grow with the catalogue. Raises RunsNotComparable where both are the same bundle.
    """
    if before.pk == after.pk:
        raise RunsNotComparable(f"{before} cannot be compared with itself.")
    current = Publication.objects.filter(withdrawn_at__isnull=True).select_related("episode__series", "run")
    shown = {p.episode_id: p for p in current.order_by("episode__series__title", "episode_id")}
    old, new = newest_whole(before), newest_whole(after)
    pairs, waiting, elsewhere = [], [], 0
    for episode_id, publication in shown.items():
        if publication.run.bundle_id not in (before.pk, after.pk):
            elsewhere += 1
            continue
        first, second = old.get(episode_id), new.get(episode_id)
        if publication.run.bundle_id == before.pk:
            first = publication.run
        else:
            second = publication.run
        if first is None or second is None:
            waiting.append(publication.episode)
            continue
        first.episode = second.episode = publication.episode
        pairs.append((first, second))
    ids = [run.pk for pair in pairs for run in pair]
    ratings, gates = _ratings(ids), _gates(ids)
    compared = tuple(_compared(first, second, ratings, gates) for first, second in pairs)
    return BundleComparison(before, after, compared, tuple(waiting), elsewhere)


def newest_whole(bundle: ModelBundle) -> dict[int, AnalysisRun]:
    """Per episode, the newest run of the bundle that succeeded whole on the video that the episode has now."""
    runs = AnalysisRun.objects.filter(bundle=bundle, status=RunStatus.SUCCEEDED, partial=False)
    found: dict[int, AnalysisRun] = {}
    for run in runs.select_related("episode__source").order_by("pk"):
        source = run.episode.source
        if source is not None and source.sha256 == run.source_sha256:
            found[run.episode_id] = run
    return found


def move_json(move: Move) -> dict[str, Any]:
    """As commands and the API tell it."""
    return {
        "emotion": str(move.emotion),
        "before": _bounds_json(move.before),
        "after": _bounds_json(move.after),
        "points": move.points,
        "moved": move.moved,
        "beyond": move.beyond,
        "level_changed": move.level_changed,
    }


def _bounds_json(bounds: Bounds | None) -> dict[str, Any] | None:
    if bounds is None:
        return None
    return {"share": bounds.share, "low": bounds.low, "high": bounds.high, "level": bounds.level or None}


def tally_json(found: Tally) -> dict[str, Any]:
    return {
        "ratings": found.ratings,
        "moved": found.moved,
        "beyond": found.beyond,
        "levels_changed": found.levels,
        "mean_points": found.mean_points,
    }


def comparison_json(found: RunComparison) -> dict[str, Any]:
    return {
        "format": 1,
        "episode": {"id": found.after.episode_id, "title": found.after.episode.title},
        "before": {"run": found.before.pk, "bundle": str(found.before.bundle)},
        "after": {"run": found.after.pk, "bundle": str(found.after.bundle)},
        "totals": tally_json(found.tally),
        "rated_only_before": [c.slug for c in found.lost],
        "rated_only_after": [c.slug for c in found.gained],
        "characters": [
            {"character": c.character.slug, "moves": [move_json(m) for m in c.moves]} for c in found.characters
        ],
        "limits": [
            {"emotion": str(c.emotion), "most": c.most, "before": _decision(c.shown_before),
             "after": _decision(not c.shown_before)}
            for c in found.limits
        ],
    }  # fmt: skip


def _decision(shown: bool) -> str:
    return "shown" if shown else "hidden"


def bundles_json(found: BundleComparison) -> dict[str, Any]:
    return {
        "format": 1,
        "before": str(found.before),
        "after": str(found.after),
        "episodes": len(found.runs),
        "episodes_changed": found.episodes_changed,
        "episodes_waiting": [{"id": e.pk, "title": e.title} for e in found.waiting],
        "episodes_elsewhere": found.elsewhere,
        "totals": tally_json(found.tally),
        "by_emotion": [
            {"emotion": str(e), **tally_json(t), "mean_change": change} for e, t, change in found.by_emotion()
        ],
        "limits": [
            {"emotion": str(e), "would_hide": hidden, "would_show": shown}
            for e, hidden, shown in found.limits_by_emotion()
        ],
        "runs": [
            {"episode": r.after.episode_id, "before": r.before.pk, "after": r.after.pk, **tally_json(r.tally),
             "limits_changed": len(r.limits)}
            for r in found.runs
        ],
    }  # fmt: skip
