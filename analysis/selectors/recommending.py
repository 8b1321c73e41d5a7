"""Recommendations and evenings: what is liked and asked for, within limits, with reasons. Nothing is written down."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from numpy.typing import NDArray

from analysis import recommend
from analysis.errors import EpisodeNotRated, EpisodeUnknown, RecommendationInvalid
from analysis.limits import NO_LIMITS, Limits
from analysis.recommend.evening import LONGEST_MS
from analysis.recommend.features import UPSETTING, Catalogue, Ints
from analysis.selectors.episodes import EpisodeCard, episode_cards
from analysis.selectors.features import catalogue_now
from analysis.selectors.gate import Gate
from analysis.selectors.hidden import hidden_check
from analysis.selectors.visible import episodes_visible
from catalog.models import Character, Episode

COUNT, MOST_COUNT = 10, 50
MOST_LIKES = 20
MOST_OTHERS = 12
LEAST_EVENING_MS = 60_000
AS_IT_IS = recommend.Sliders()


@dataclass(frozen=True, slots=True)
class Asked:
    """``like``: ids of episodes. ``limits`` are kept without exception."""

    like: tuple[int, ...] = ()
    sliders: recommend.Sliders = AS_IT_IS
    limits: Limits = NO_LIMITS
    count: int = COUNT


@dataclass(frozen=True, slots=True)
class Recommended:
    """``terms`` sum to ``score``; ``alike``: how like (0 to 1) it is to the nearest one above it."""

    card: EpisodeCard
    score: float
    alike: float
    terms: Mapping[str, float]
    reasons: tuple[recommend.Reason, ...]

    @property
    def why(self) -> str:
        return recommend.sentence(self.reasons)


@dataclass(frozen=True, slots=True)
class Recommendations:
    """``compared``: how many of those that limits leave to be seen the places in reasons are counted among."""

    asked: Asked
    liked: tuple[Episode, ...]
    results: tuple[Recommended, ...]
    compared: int


@dataclass(frozen=True, slots=True)
class EveningPlan:
    """``results`` in the order of playing, empty where nothing does; ``refusal`` then says why and what would.

    ``of_best``: at least this part of what the best evening of all could be worth. ``calmer_than``: the part of the
    catalogue that is less calm than the last one.
    """

    asked: Asked
    liked: tuple[Episode, ...]
    minutes: int
    results: tuple[Recommended, ...]
    total_ms: int
    of_best: float
    calmer_than: float
    ending: str
    refusal: recommend.NoEvening | None

    @property
    def why(self) -> str:
        return self.ending if self.refusal is None else refusal_words(self.refusal, self.minutes)


def recommendations_for(asked: Asked) -> Recommendations:
    """Raises EpisodeUnknown, EpisodeHidden, EpisodeNotRated or RecommendationInvalid."""
    _check(asked)
    catalogue = catalogue_now()
    liked = _liked(asked, catalogue)
    rows = [catalogue.row_of[e.pk] for e in liked]
    wanted = _wanted(asked, rows, catalogue)
    scores = recommend.scores_of(wanted, catalogue)
    pool = recommend.pool_of(scores.total, catalogue, Gate(asked.limits, catalogue), _but(rows, catalogue))
    picks = recommend.picks_of(scores, pool, catalogue, asked.count, liked=rows)
    results = _told(asked, picks, scores, pool, wanted, catalogue, liked)
    return Recommendations(asked, liked, results, len(pool))


def evening_for(asked: Asked, minutes: int) -> EveningPlan:
    """Without likes and sliders every minute is worth the same. Raises as ``recommendations_for``."""
    if not LEAST_EVENING_MS <= minutes * 60_000 <= LONGEST_MS:
        raise RecommendationInvalid(
            _("An evening has 1 to %(longest_ms)s minutes.") % {"longest_ms": LONGEST_MS // 60_000}
        )
    _check(asked)
    catalogue = catalogue_now()
    liked = _liked(asked, catalogue)
    rows = [catalogue.row_of[e.pk] for e in liked]
    wanted = _wanted(asked, rows, catalogue) if liked or asked.sliders.any else None
    scores = _level(catalogue) if wanted is None else recommend.scores_of(wanted, catalogue)
    visible, allowed = Gate(asked.limits, catalogue), _but(rows, catalogue)
    plan = recommend.evening_of(scores.total, catalogue, visible, allowed, minutes * 60_000)
    if isinstance(plan, recommend.NoEvening):
        return EveningPlan(asked, liked, minutes, (), 0, 0.0, 0.0, "", plan)
    picks = [recommend.Pick(row, float(scores.total[row]), 0.0) for row in plan.rows]
    pool = recommend.pool_of(scores.total, catalogue, visible, allowed)
    results = _told(asked, picks, scores, pool, wanted, catalogue, liked)
    last = plan.rows[-1]
    return EveningPlan(
        asked=asked,
        liked=liked,
        minutes=minutes,
        results=results,
        total_ms=plan.total_ms,
        of_best=min(1.0, plan.worth / plan.bound) if plan.bound else 1.0,
        calmer_than=float((catalogue.calm < catalogue.calm[last]).mean()),
        ending=_ending(last, catalogue),
        refusal=None,
    )


def episodes_to_like(asked: Asked, words: str) -> tuple[list[Episode], list[Episode]]:
    """(those that are liked, a few others to choose from): of what limits leave, and of what can be compared."""
    known = catalogue_now().row_of
    among = episodes_visible(asked.limits)
    likes = list(dict.fromkeys(asked.like))[:MOST_LIKES]
    chosen = among.in_bulk(likes) if likes else {}
    others = among.exclude(pk__in=likes).order_by("series__title", "season", "number", "title", "pk")
    for word in words.split()[:8]:
        others = others.filter(Q(title__icontains=word) | Q(series__title__icontains=word))
    rated = [e for e in others[: 10 * MOST_OTHERS] if e.pk in known]
    return [chosen[pk] for pk in likes if pk in chosen], rated[:MOST_OTHERS]


def refusal_words(refusal: recommend.NoEvening, minutes: int) -> str:
    """What is in the way, and what would do."""
    what = {
        "nothing_fits": _("Nothing that may be shown fits in %(minutes)s minutes") % {"minutes": minutes},
        "no_calm_end": _("Nothing that fits in %(minutes)s minutes is calm enough to end with") % {"minutes": minutes},
    }[refusal.code]
    if refusal.shortest_ms is None:
        return _("%(what)s, and more time would not help: nothing calm enough may be shown.") % {"what": what}
    needed = -(-refusal.shortest_ms // 60_000)
    said = ngettext(
        "%(what)s. The shortest that is calm takes %(needed)s minute.",
        "%(what)s. The shortest that is calm takes %(needed)s minutes.",
        needed,
    )
    return said % {"what": what, "needed": needed}


def _check(asked: Asked) -> None:
    if not 1 <= asked.count <= MOST_COUNT:
        raise RecommendationInvalid(_("A list has 1 to %(most_count)s episodes.") % {"most_count": MOST_COUNT})
    if len(set(asked.like)) > MOST_LIKES:
        raise RecommendationInvalid(
            _("At most %(most_likes)s episodes can be liked at once.") % {"most_likes": MOST_LIKES}
        )


def _liked(asked: Asked, catalogue: Catalogue) -> tuple[Episode, ...]:
    """In the order given, each once."""
    ids = list(dict.fromkeys(asked.like))
    found = episodes_visible(asked.limits).in_bulk(ids) if ids else {}
    for pk in ids:
        if pk not in found:
            hidden_check(pk, asked.limits)
            raise EpisodeUnknown(_("There is no episode %(pk)s.") % {"pk": pk})
        if pk not in catalogue.row_of:
            raise EpisodeNotRated(
                _("Nothing of “%(title)s” is known well enough to find others like it.") % {"title": found[pk].title}
            )
    return tuple(found[pk] for pk in ids)


def _wanted(asked: Asked, rows: Sequence[int], catalogue: Catalogue) -> recommend.Wanted:
    try:
        return recommend.wanted_of([catalogue.features(row) for row in rows], asked.sliders, catalogue)
    except ValueError as error:
        raise RecommendationInvalid(_("Name an episode that you like, or move a slider.")) from error


def _but(rows: Sequence[int], catalogue: Catalogue) -> NDArray[np.bool_]:
    allowed = np.ones(len(catalogue), dtype=bool)
    allowed[list(rows)] = False
    return allowed


def _level(catalogue: Catalogue) -> recommend.Scores:
    return recommend.Scores({}, np.zeros(len(catalogue), dtype=np.float32))


def _told(
    asked: Asked,
    picks: Iterable[recommend.Pick],
    scores: recommend.Scores,
    pool: Ints,
    wanted: recommend.Wanted | None,
    catalogue: Catalogue,
    liked: Sequence[Episode],
) -> tuple[Recommended, ...]:
    """With cards, in a number of queries that does not grow. What is gone or hidden meanwhile is left out."""
    picks = list(picks)
    ids = [int(catalogue.episode[p.row]) for p in picks]
    episodes = episodes_visible(asked.limits).in_bulk(ids)
    cards = {c.episode.pk: c for c in episode_cards([episodes[pk] for pk in ids if pk in episodes])}
    names = _names(liked, wanted)
    found = []
    for pick, pk in zip(picks, ids, strict=True):
        if pk in cards and cards[pk].run is not None:
            among = pool if pick.row in pool else np.append(pool, pick.row)
            reasons = [] if wanted is None else recommend.reasons_of(pick.row, scores, among, wanted, catalogue, names)
            terms = {name: float(values[pick.row]) for name, values in scores.terms.items()}
            found.append(Recommended(cards[pk], pick.score, pick.alike, terms, tuple(reasons)))
    return tuple(found)


def _names(liked: Sequence[Episode], wanted: recommend.Wanted | None) -> recommend.Names:
    cast = list(wanted.cast) if wanted is not None and wanted.cast is not None else []
    characters = dict(Character.objects.filter(pk__in=cast).values_list("pk", "name"))
    return recommend.Names({e.pk: f"“{e.title}”" for e in liked}, characters)


def _ending(last: int, catalogue: Catalogue) -> str:
    angry, scared = (float(catalogue.high[i, last]) for i in UPSETTING)
    return _(
        "From the liveliest to the calmest. Of the last one: angry at most %(angry)s %%, scared at most %(scared)s %%"
        " of the time, and %(pace)s expressions begin per minute."
    ) % {"angry": f"{100 * angry:.0f}", "scared": f"{100 * scared:.0f}", "pace": f"{catalogue.pace[last]:.1f}"}
