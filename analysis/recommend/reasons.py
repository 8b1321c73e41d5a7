"""Why an episode is where it is: sentences made from the very terms of its score, with the numbers that went in.

A reason is a term without which the episode would rank lower among those compared: taking it out of everybody's score
puts at least so many others above it. ``Reason.places`` is that number, so whoever doubts a reason can take it away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from django.utils.translation import gettext as _

from analysis.recommend.features import BINS, Catalogue, Ints, Singles
from analysis.recommend.score import Scores
from analysis.recommend.taste import Wanted
from analysis.wording import emotion_word
from ml.types import EMOTIONS, Emotion

MOST_REASONS = 3


@dataclass(frozen=True, slots=True)
class Names:
    """By id; what is missing gets a word of its own."""

    episodes: Mapping[int, str] = field(default_factory=dict)
    characters: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reason:
    """``value``: what the term adds to the score. ``places``: at least so many places lower without it; 0: the term
    alone moves nothing, which is said of the best term where no other moves anything.
    """

    term: str
    value: float
    places: int
    words: str


def reasons_of(
    row: int, scores: Scores, pool: Ints, wanted: Wanted, catalogue: Catalogue, names: Names
) -> list[Reason]:
    """The terms that hold the episode up, the strongest first; at least one where the score has any.

    ``pool``: the rows it is compared with, the highest scores there are.
    """
    place = _place(scores.total[pool], pool, row, catalogue)
    found = []
    for term, values in scores.terms.items():
        value = float(values[row])
        if value > 0:
            lower = _place(scores.total[pool] - values[pool], pool, row, catalogue) - place
            found.append((-max(0, lower), -value, term))
    found.sort()
    telling = [f for f in found if f[0] < 0][:MOST_REASONS] or found[:1]
    return [Reason(term, -v, -p, words_of(term, row, wanted, catalogue, names)) for p, v, term in telling]


def _place(totals: Singles, pool: Ints, row: int, catalogue: Catalogue) -> int:
    """0 for the first of the pool; equal scores go by id."""
    mine = totals[pool == row][0]
    earlier = catalogue.episode[pool] < catalogue.episode[row]
    return int(((totals > mine) | ((totals == mine) & earlier)).sum())


def words_of(term: str, row: int, wanted: Wanted, catalogue: Catalogue, names: Names) -> str:
    """One sentence without its full stop."""
    if term == "pace":
        assert wanted.pace is not None
        asked = _sided(wanted.pace, "{:.1f}")
        return _("%(pace)s expressions begin per minute, and %(asked)s were asked for") % {
            "pace": f"{catalogue.pace[row]:.1f}",
            "asked": asked,
        }
    if term == "length":
        assert wanted.duration_ms is not None
        target, side = wanted.duration_ms
        return _("it is %(duration_ms)s long, and %(value)s was asked for") % {
            "duration_ms": clock(catalogue.duration_ms[row]),
            "value": _sided((target, side), None),
        }
    if term == "cast":
        return _cast_words(row, wanted, catalogue, names)
    if term == "arc":
        return _arc_words(row, wanted, catalogue, names)
    return _share_words(term, row, wanted, catalogue)


def _share_words(term: str, row: int, wanted: Wanted, catalogue: Catalogue) -> str:
    i = EMOTIONS.index(Emotion(term))
    share, low, high = (float(table[i, row]) for table in (catalogue.share, catalogue.low, catalogue.high))
    target, side = float(wanted.share[i]), int(wanted.side[i])
    if np.isnan(share):
        return _("%(emotion)s is not known of it") % {"emotion": emotion_word(term)}
    shown = _("%(emotion)s %(share)s of the time (%(low)s to %(high)s)") % {
        "emotion": emotion_word(term),
        "share": percent(share),
        "low": percent(low),
        "high": percent(high),
    }
    told = {"shown": shown, "target": percent(target)}
    if side:
        told["asked"] = _at_most(percent(target)) if side < 0 else _at_least(percent(target))
        if share <= target if side < 0 else share >= target:
            return _("%(shown)s, and %(asked)s was asked for") % told
        return _("%(shown)s, nearer than usual to the %(asked)s asked for") % told
    if wanted.liked:
        return _("%(shown)s, near the %(target)s of what you liked") % told
    return _("%(shown)s, near the %(target)s that is usual") % told


def _at_most(value: str) -> str:
    return _("at most %(value)s") % {"value": value}


def _at_least(value: str) -> str:
    return _("at least %(value)s") % {"value": value}


def _cast_words(row: int, wanted: Wanted, catalogue: Catalogue, names: Names) -> str:
    cast = wanted.cast or {}
    theirs = catalogue.cast_of(row)
    shared = {c: float(np.sqrt(part) @ cast[c]) for c, part in theirs.items() if c in cast}
    best = sorted(shared, key=lambda c: (-shared[c], c))[:2]
    who = [names.characters.get(c) or _("somebody") for c in best]
    alike = percent(sum(shared.values()))
    if len(who) == 2:
        told = {"one": who[0], "other": who[1], "alike": alike}
        return _("%(one)s and %(other)s are in it too, showing %(alike)s of the same") % told
    return _("%(who)s is in it too, showing %(alike)s of the same") % {"who": "".join(who), "alike": alike}


def _arc_words(row: int, wanted: Wanted, catalogue: Catalogue, names: Names) -> str:
    assert wanted.arc is not None
    alike = float(catalogue.arc[row] @ wanted.arc) / BINS
    liked = [names.episodes.get(f.episode) or _("what you liked") for f in wanted.liked]
    told = {"alike": percent(alike), "title": "".join(liked[:1]), "count": len(liked)}
    made = wanted.sliders.any and bool((wanted.side != 0).any())
    if len(liked) == 1 and made:
        said = _("its course from beginning to end is %(alike)s like that of %(title)s, made so by your sliders")
    elif len(liked) == 1:
        said = _("its course from beginning to end is %(alike)s like that of %(title)s")
    elif made:
        said = _(
            "its course from beginning to end is %(alike)s like those of the %(count)s you liked, made so by your"
            " sliders"
        )
    else:
        said = _("its course from beginning to end is %(alike)s like those of the %(count)s you liked")
    return said % told


def _sided(target: tuple[float, int], form: str | None) -> str:
    value, side = target
    said = form.format(value) if form else clock(int(value))
    return _at_most(said) if side < 0 else _at_least(said)


def percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def clock(ms: int) -> str:
    minutes, seconds = divmod(int(ms) // 1000, 60)
    return f"{minutes}:{seconds:02d}"


def sentence(reasons: Sequence[Reason]) -> str:
    """All reasons as one sentence."""
    if not reasons:
        return _("Nothing speaks for it more than for a usual episode.")
    said = "; ".join(r.words for r in reasons)
    return f"{said[0].upper()}{said[1:]}."
