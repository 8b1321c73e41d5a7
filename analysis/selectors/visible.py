"""What limits leave to be seen. The one selector: every page, list, file and search goes through it.

An episode is visible where the upper bounds of its published run keep every limit. Not analysed, not enough evidence,
not modelled, a part missing, faces of nobody known for too long: each is over every limit on an emotion. A character
who was not seen keeps a limit of its own, unless one of the last two, or nobody at all, makes that unsure. The length
is the file's and needs no analysis.
"""

from __future__ import annotations

from typing import TypeVar

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from analysis.limits import NO_LIMITS, Limit, Limits, LimitsInvalid
from analysis.models import AnalysisRun, EmotionBound, Lacking, Publication, RunBound, ShownEpisode
from analysis.selectors.episodes import episodes_annotated
from analysis.selectors.runs import run_list, runs_published
from catalog.models import Character, Episode

Shown = TypeVar("Shown", Publication, ShownEpisode)

UNSURE_WHO = (Lacking.PARTIAL, Lacking.NOBODY, Lacking.STRANGERS)  # whoever was not seen may be there all the same


def episodes_visible(limits: Limits) -> QuerySet[Episode]:
    """``episodes_annotated`` without the hidden ones; everything where there are no limits."""
    found = episodes_annotated()
    if not limits:
        return found
    if limits.closed:
        return found.none()
    if limits.limits:
        return found.filter(pk__in=_kept(limits).values("episode_id"))
    return found.filter(source__duration_ms__lte=limits.longest_episode_ms)


def runs_visible(limits: Limits) -> QuerySet[AnalysisRun]:
    """The published runs of visible episodes."""
    if not limits:
        return runs_published()
    return AnalysisRun.objects.filter(pk__in=publications_visible(limits).values("run_id"))


def publications_visible(limits: Limits) -> QuerySet[Publication]:
    """What visible episodes show now."""
    if limits.closed:
        return Publication.objects.none()
    return _kept(limits)


def shown_visible(limits: Limits) -> QuerySet[ShownEpisode]:
    """The same as search reads it: the length stands in the row, so that nothing need be joined."""
    if limits.closed:
        return ShownEpisode.objects.none()
    return _keeping(ShownEpisode.objects.all(), limits, "duration_ms")


def runs_listed(limits: Limits) -> QuerySet[AnalysisRun]:
    """``run_list`` of visible episodes: runs of any state."""
    found = run_list()
    return found.filter(episode_id__in=episodes_visible(limits).values("pk")) if limits else found


def episodes_count(limits: Limits = NO_LIMITS) -> int:
    """How many are visible."""
    if limits.limits and not limits.closed:
        return _kept(limits).count()  # at most one per episode
    return episodes_visible(limits).count()


def is_visible(episode_id: int, limits: Limits) -> bool:
    """False also where there is no such episode."""
    return episodes_visible(limits).filter(pk=episode_id).exists()


def characters_check(limits: Limits) -> None:
    """Raises LimitsInvalid where a limit is on a character who does not exist: it would limit nothing."""
    known = set(Character.objects.filter(slug__in=limits.characters).values_list("slug", flat=True))
    unknown = [slug for slug in limits.characters if slug not in known]
    if unknown:
        raise LimitsInvalid(_("There is no character “%(unknown)s”.") % {"unknown": unknown[0]})


def _kept(limits: Limits) -> QuerySet[Publication]:
    return _keeping(Publication.objects.filter(withdrawn_at__isnull=True), limits, "episode__source__duration_ms")


def _keeping(kept: QuerySet[Shown], limits: Limits, length: str) -> QuerySet[Shown]:
    """Of rows with a ``run_id``, those that keep every limit. ``length``: where that of the file is found."""
    if limits.longest_episode_ms is not None:
        kept = kept.filter(**{f"{length}__lte": limits.longest_episode_ms})
    for limit in limits.limits:
        kept = kept.filter(_of_one(limit) if limit.character else _of_all(limit))
    return kept


def _of_all(limit: Limit) -> Exists:
    kept = Q()
    if limit.most is not None:
        kept &= Q(high__lte=limit.most)
    if limit.longest_ms is not None:
        kept &= Q(longest_ms__lte=limit.longest_ms)
    return Exists(RunBound.objects.filter(kept, run_id=OuterRef("run_id"), emotion=str(limit.emotion)))


def _of_one(limit: Limit) -> Q:
    """The character is not over the limit, and is there, or is surely not. Said so that the few who are over are looked
    up, not the many who are not.
    """
    over = Q(enough=False)
    if limit.most is not None:
        over |= Q(high__gt=limit.most)
    if limit.longest_ms is not None:
        over |= Q(longest_ms__gt=limit.longest_ms)
    theirs = EmotionBound.objects.filter(
        run_id=OuterRef("run_id"), character__slug=limit.character, emotion=str(limit.emotion)
    )
    known = RunBound.objects.filter(run_id=OuterRef("run_id"), emotion=str(limit.emotion))
    return Q(~Exists(theirs.filter(over))) & Q(Exists(known.filter(~Q(lacking__in=UNSURE_WHO) | Q(Exists(theirs)))))
