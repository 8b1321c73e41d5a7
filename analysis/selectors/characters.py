"""A character over all the episodes that show it: what is usual, the exceptions, the arcs, in numbers and sentences."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Count, F, Func, Max, OuterRef, Q, QuerySet, Subquery, TextField, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analysis.models import AnalysisRun, EmotionProfile, SceneEmotion, Segment
from analysis.ratings.across import LEAST_EPISODES, LEAST_OTHERS, Across, ArcPoint, EpisodeShare, Piece, arc, pool
from analysis.wording import emotion_word
from catalog.models import Character, Episode
from ml.types import EMOTIONS, Emotion

MOST_COMPARED = 4
SHOWN_ARC = 0.05  # a feeling of less is not drawn over time
ALIKE_SPREAD, UNLIKE_SPREAD = 0.05, 0.12  # standard deviation between episodes, in shares
NOTHING_USUAL = 0.6  # a usual range as wide as that says nothing


def characters_listed(shown: QuerySet[AnalysisRun], words: str = "") -> QuerySet[Character]:
    """By name, each with ``episodes``: how many of these runs show it. ``words``: a part of a name."""
    profiles = EmotionProfile.objects.filter(character_id=OuterRef("pk"), run_id__in=shown.values("pk"))
    counted = profiles.order_by().values("character_id").annotate(n=Count("pk")).values("n")
    rows = Character.objects.select_related("series").annotate(episodes=Coalesce(Subquery(counted), 0))
    if words:
        others = Func(F("aliases"), Value("\n"), function="array_to_string", output_field=TextField())
        rows = rows.annotate(others=others).filter(Q(name__icontains=words) | Q(others__icontains=words))
    return rows.order_by("name", "pk")


@dataclass(frozen=True, slots=True)
class EmotionAcross:
    """One emotion of a character over its rated episodes, which ``episodes`` lists in the order of the series."""

    emotion: Emotion
    across: Across
    episodes: tuple[EpisodeShare, ...]

    @property
    def differs(self) -> str:
        """How far episodes lie apart, in words."""
        if self.across.low is None:
            return "not known"
        if self.across.spread < ALIKE_SPREAD:
            return "hardly"
        return "somewhat" if self.across.spread < UNLIKE_SPREAD else "much"


@dataclass(frozen=True, slots=True)
class Exceptional:
    """An episode in which an emotion lies apart from what the others make usual."""

    episode: Episode
    emotion: Emotion
    share: EpisodeShare
    more: bool


@dataclass(frozen=True, slots=True)
class Arc:
    emotion: Emotion
    points: tuple[ArcPoint, ...]


@dataclass(frozen=True, slots=True)
class CharacterAcross:
    """``rated``: episodes that count. ``unrated``: too little evidence. ``others``: by other bundles, left out."""

    character: Character
    bundle: str
    rated: tuple[Episode, ...]
    unrated: int
    others: int
    emotions: tuple[EmotionAcross, ...]
    exceptions: tuple[Exceptional, ...]
    arcs: tuple[Arc, ...]

    @property
    def strongest(self) -> EmotionAcross | None:
        return max(self.emotions, key=lambda e: (e.across.share, -EMOTIONS.index(e.emotion)), default=None)

    @property
    def usual(self) -> tuple[str, ...]:
        """What is usual, without the exceptions, which a page lists."""
        return tuple(usual_of(self))

    @property
    def sentences(self) -> tuple[str, ...]:
        return (*usual_of(self), *exceptions_of(self))


def character_across(character: Character, shown: QuerySet[AnalysisRun]) -> CharacterAcross | None:
    """Over the runs that may be seen; None where none of them shows the character. Three queries.

    Shares are those measured in each episode alone, corrected where the bundle has a matrix: not drawn toward the
    series, which would hide how far episodes differ. Only runs of one bundle count, that of most episodes.
    """
    rows = _profiles(character, shown)
    if not rows:
        return None
    most = Counter(row.run.bundle_id for row in rows)
    chosen = max(most, key=lambda pk: (most[pk], pk))
    mine = [row for row in rows if row.run.bundle_id == chosen]
    rated = [row for row in mine if row.enough]
    emotions = tuple(
        EmotionAcross(e, pool(found), found)
        for e in EMOTIONS
        if (found := tuple(_episode_share(row, e) for row in rated if e in row.shares))
    )
    episodes = {row.run.episode_id: row.run.episode for row in rated}
    return CharacterAcross(
        character=character,
        bundle=str(mine[0].run.bundle),
        rated=tuple(episodes.values()),
        unrated=len(mine) - len(rated),
        others=len(rows) - len(mine),
        emotions=emotions,
        exceptions=tuple(_exceptions(emotions, episodes)),
        arcs=_arcs(character, [row.run_id for row in rated], emotions),
    )


def characters_compared(slugs: Sequence[str]) -> list[Character]:
    """Those that exist, each once, in the order asked, at most MOST_COMPARED."""
    known = {c.slug: c for c in Character.objects.filter(slug__in=slugs).select_related("series")}
    return [known[slug] for slug in dict.fromkeys(slugs) if slug in known][:MOST_COMPARED]


def _profiles(character: Character, shown: QuerySet[AnalysisRun]) -> list[EmotionProfile]:
    profiles = EmotionProfile.objects.filter(character=character, run__in=shown, readable_ms__gt=0)
    profiles = profiles.select_related("run__bundle", "run__episode__series")
    return list(
        profiles.order_by("run__episode__series__title", "run__episode__season", "run__episode__number", "run_id")
    )


def _episode_share(row: EmotionProfile, emotion: Emotion) -> EpisodeShare:
    told = row.shares[emotion]
    checked = (row.details.get("checked") or {}).get("applied")  # then share and bounds are of this episode alone
    share = None if checked else told.get("corrected")
    share = float(told["share"] if share is None else share)
    low, high = float(told.get("low", share)), float(told.get("high", share))
    worth = float(row.details.get("worth") or row.shots)
    return EpisodeShare(row.run.episode_id, share, min(low, share), max(high, share), worth)


def _exceptions(emotions: Sequence[EmotionAcross], episodes: Mapping[int, Episode]) -> list[Exceptional]:
    """The farthest first."""
    found = [
        Exceptional(episodes[one.episode_id], e.emotion, one, one.share > e.across.share)
        for e in emotions
        for one in e.episodes
        if one.episode_id in e.across.exceptions
    ]
    usual = {e.emotion: e.across.share for e in emotions}
    return sorted(found, key=lambda x: (-abs(x.share.share - usual[x.emotion]), x.episode.pk, str(x.emotion)))


def _arcs(character: Character, runs: Sequence[int], emotions: Sequence[EmotionAcross]) -> tuple[Arc, ...]:
    lengths = dict(
        Segment.objects.filter(run_id__in=runs)
        .values("run_id")
        .annotate(end=Max("end_ms"))
        .values_list("run_id", "end")
    )
    rows = SceneEmotion.objects.filter(character=character, run_id__in=runs, readable_ms__gt=0)
    pieces: dict[tuple[str, int], list[Piece]] = defaultdict(list)
    for run_id, emotion, start, end, readable, share, whole in rows.values_list(
        "run_id",
        "emotion",
        "scene__start_ms",
        "scene__end_ms",
        "readable_ms",
        "share",
        "run__episode__source__duration_ms",
    ):
        length = lengths.get(run_id) or whole or end  # planted runs have no segments
        pieces[emotion, run_id].append(Piece(start / length, end / length, float(readable), share))
    return tuple(
        Arc(e.emotion, arc([pieces[e.emotion, run_id] for run_id in runs if (e.emotion, run_id) in pieces]))
        for e in emotions
        if e.across.share >= SHOWN_ARC
    )


def usual_of(a: CharacterAcross) -> list[str]:
    """What a parent reads in ten seconds. Nothing is claimed of fewer than LEAST_EPISODES rated episodes."""
    name, best = a.character.name, a.strongest
    if best is None or not a.rated:
        return [_("No episode shows enough of %(name)s for a rating.") % {"name": name}]
    across, count = best.across, len(a.rated)
    told = {"name": name, "emotion": emotion_word(best.emotion), "share": _percent(across.share), "count": count}
    if across.low is None or across.high is None:
        said = ngettext(
            "%(name)s looks %(emotion)s most, %(share)s of the time in which the face can be read, in the one episode"
            " with enough evidence. From %(least)s episodes on this page says what is usual.",
            "%(name)s looks %(emotion)s most, %(share)s of the time in which the face can be read, in the %(count)s"
            " episodes with enough evidence. From %(least)s episodes on this page says what is usual.",
            count,
        )
        return [said % {**told, "least": LEAST_EPISODES}]
    usual = _(
        "In a usual episode %(name)s looks %(emotion)s %(share)s of the time in which the face can be read"
        " (%(low)s to %(high)s, over %(count)s episodes)."
    )
    return [usual % {**told, "low": _percent(across.low), "high": _percent(across.high)}, _differing(best)]


def _differing(best: EmotionAcross) -> str:
    low, high = best.across.usual_low or 0.0, 1.0 if best.across.usual_high is None else best.across.usual_high
    if high - low >= NOTHING_USUAL:
        return _("Episodes differ so much that hardly anything is usual.")
    if best.differs == "hardly":
        return _("That hardly differs from episode to episode.")
    bounds = {"low": f"{100 * low:.0f}", "high": f"{100 * high:.0f}"}
    if best.differs == "much":
        return _("Episodes differ much: most lie between %(low)s and %(high)s %%.") % bounds
    return _("Episodes differ: most lie between %(low)s and %(high)s %%.") % bounds


def exceptions_of(a: CharacterAcross) -> list[str]:
    """The farthest three."""
    said = [
        (
            _("“%(title)s” is an exception: more %(emotion)s than usual, %(share)s.")
            if e.more
            else _("“%(title)s” is an exception: less %(emotion)s than usual, %(share)s.")
        )
        % {"title": e.episode.title, "emotion": emotion_word(e.emotion), "share": _percent(e.share.share)}
        for e in a.exceptions[:3]
    ]
    if not said and len(a.rated) > LEAST_OTHERS:
        return [_("No episode stands apart from the others.")]
    return said


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
