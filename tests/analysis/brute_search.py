"""What a query means, worked out one value after the other. Written from docs/search.md, not from the SQL."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from math import sqrt

from analysis.search.query import (
    Atom,
    Condition,
    How,
    InSeries,
    Lasts,
    Length,
    MoreThan,
    Of,
    Op,
    Order,
    Query,
    Relation,
    Season,
    ShareOf,
    Shows,
    Target,
    Title,
    Together,
    Years,
)
from tests.analysis.limits.made import shows_it
from tests.analysis.search_world import Profile, Show, Shown, Stretch, World

COMPARE: dict[Op, Callable[[float, float], bool]] = {
    Op.LT: lambda a, b: a < b,
    Op.LE: lambda a, b: a <= b,
    Op.GT: lambda a, b: a > b,
    Op.GE: lambda a, b: a >= b,
}
YES, UNKNOWN, NO = 1, 0, -1
Row = tuple[int, int | None, float]  # key of what is found, verdict, score
Found = dict[int, tuple[int, float]]  # key -> verdict, score


def brute(world: World, query: Query) -> list[Row]:
    shows = [s for s in world.shows if s.published and all(_fits(s, c) for c in query.clauses)]
    if query.limits:
        shows = [s for s in shows if shows_it(s, query.limits)]
    judged = _judge(world, shows, query)
    if query.finds_scenes:
        if judged is not None:
            shows = [s for s in shows if judged.get(s.pk, (NO, 0.0))[0] == YES]
        return _scenes(shows, query)
    ranked = _ranked(world, shows, query)
    if judged is None:
        return [(key, None, score) for key, score in ranked.items()]
    if query.emotion is None and query.character is None and query.order is not Order.CALMEST:
        return [(key, verdict, score) for key, (verdict, score) in judged.items()]
    return [(key, judged[key][0], score) for key, score in ranked.items() if key in judged]


def _fits(show: Show, clause: object) -> bool:
    match clause:
        case Length(Of.EPISODE, op, ms):
            return COMPARE[op](show.duration_ms, ms)
        case InSeries(slug):
            return show.series == slug
        case Season(number):
            return show.season == number
        case Years(first, last):
            return (first is None or show.year >= first) and (last is None or show.year <= last)
        case Title(words):
            return words in show.title.casefold()
    return True


# --- three answers -------------------------------------------------------------------------------------------------


def _judge(world: World, shows: list[Show], query: Query) -> Found | None:
    if not query.about_episode:
        return None
    found: Found | None = None
    for condition in query.about_episode:
        if query.target is Target.CHARACTERS:
            one = _by_character(world, shows, condition)
        else:
            one = {s.pk: v for s in shows if (v := _of_show(s, condition)) is not None}
        found = one if found is None else {
            k: (min(found[k][0], one[k][0]), min(found[k][1], one[k][1])) for k in found if k in one
        }  # fmt: skip
    return found


def _by_character(world: World, shows: list[Show], condition: Condition) -> Found:
    found: Found = {}
    assert not isinstance(condition, MoreThan | Together)
    for who, pk in world.character_pks.items():
        mine = [(s, s.profiles[who]) for s in shows if who in s.profiles]
        if not mine:
            continue
        atom = Atom(who, condition.atom.emotion)
        if isinstance(condition, ShareOf):
            found[pk] = _share(mine, atom, condition.op, condition.percent)
        else:
            found[pk] = _all_or_any(condition, [_of_profile(s, who, p, condition) for s, p in mine])
    return found


def _of_show(show: Show, condition: Condition) -> tuple[int, float] | None:
    match condition:
        case MoreThan():
            return _more_than(show, condition)
        case Together():
            return _together(show, condition)
    who = condition.atom.character
    mine = [(n, p) for n, p in show.profiles.items() if who in (None, n)]
    if not mine:
        return None
    if isinstance(condition, ShareOf):
        return _share([(show, p) for _, p in mine], condition.atom, condition.op, condition.percent)
    verdict, score = _all_or_any(condition, [_of_profile(show, n, p, condition) for n, p in mine])
    if who is None and show.strangers:
        verdict = min(verdict, UNKNOWN) if _for_all(condition) else max(verdict, UNKNOWN)
    return verdict, score


def _for_all(condition: Condition) -> bool:
    if isinstance(condition, Shows):
        return condition.how is not How.EVER
    assert isinstance(condition, Lasts)
    return condition.op in (Op.LE, Op.LT)


def _all_or_any(condition: Condition, found: list[tuple[int, float]]) -> tuple[int, float]:
    choose = min if _for_all(condition) else max
    return choose(v for v, _ in found), choose(s for _, s in found)


def _of_profile(show: Show, who: str, profile: Profile, condition: Condition) -> tuple[int, float]:
    emotion = str(condition.atom.emotion) if isinstance(condition, Shows | Lasts) else ""
    low, high = _bounds(show, profile, emotion)
    sure = _solid(show, profile, emotion) and 10 * profile.readable_ms >= 6 * profile.visible_ms
    mine = [s for s in show.spans if s.who == who]
    own = [s for s in mine if s.emotion == emotion]
    if isinstance(condition, Lasts):
        longest = max((s.length for s in own), default=0)
        exceeds = COMPARE[{Op.LE: Op.GT, Op.LT: Op.GE}.get(condition.op, condition.op)](longest, condition.ms)
        there = YES if own and exceeds else NO if sure else UNKNOWN
        if condition.op in (Op.GT, Op.GE):
            return there, longest / (longest + condition.ms)
        return -there, condition.ms / (longest + condition.ms)
    assert isinstance(condition, Shows)
    if condition.how is How.ALWAYS:
        if emotion not in profile.shares:
            return UNKNOWN, low
        if len(own) < len(mine):
            return NO, low
        return (YES if sure and low >= 0.995 else UNKNOWN), low
    never = NO if own else YES if sure and high <= 0.005 else UNKNOWN
    if condition.how is How.NEVER:
        return never, 1 - high
    return -never, profile.shares.get(emotion, (0.0, 0, 0, 0))[0]


def _solid(show: Show, profile: Profile, emotion: str) -> bool:
    return profile.enough and not show.partial and profile.readable_ms > 0 and emotion in profile.shares


def _bounds(show: Show, profile: Profile, emotion: str) -> tuple[float, float]:
    if not _solid(show, profile, emotion):
        return 0.0, 1.0
    _, low, high, _ = profile.shares[emotion]
    return low, high


def _share(mine: list[tuple[Show, Profile]], atom: Atom, op: Op, percent: int) -> tuple[int, float]:
    total = sum(p.readable_ms for _, p in mine)
    low, high = 0.0, 1.0
    if total:
        bounds = [(*_bounds(s, p, str(atom.emotion)), p.readable_ms) for s, p in mine]
        low = round(sum(a * w for a, _, w in bounds) / total, 6)
        high = round(sum(b * w for _, b, w in bounds) / total, 6)
    x = percent / 100
    match op:
        case Op.GE:
            return (YES if low >= x else NO if high < x else UNKNOWN), low
        case Op.GT:
            return (YES if low > x else NO if high <= x else UNKNOWN), low
        case Op.LE:
            return (YES if high <= x else NO if low > x else UNKNOWN), 1 - high
        case Op.LT:
            return (YES if high < x else NO if low >= x else UNKNOWN), 1 - high


def _more_than(show: Show, condition: MoreThan) -> tuple[int, float] | None:
    one, two = show.profiles.get(condition.atom.character or ""), show.profiles.get(condition.other)
    if one is None or two is None:
        return None
    emotion = str(condition.atom.emotion)
    (low, high), (other_low, other_high) = _bounds(show, one, emotion), _bounds(show, two, emotion)
    verdict = UNKNOWN
    if _solid(show, one, emotion) and _solid(show, two, emotion):
        verdict = YES if low > other_high else NO if high <= other_low else UNKNOWN
    return verdict, max(0.0, low - other_high)


def _together(show: Show, condition: Together) -> tuple[int, float] | None:
    atoms = (condition.first, condition.second)
    seen = []
    for atom in atoms:
        mine = [p for n, p in show.profiles.items() if atom.character in (None, n)]
        if not mine:
            return None
        seen += [_solid(show, p, str(atom.emotion)) and 10 * p.readable_ms >= 6 * p.visible_ms for p in mine]
    scores = [min(_score(show, a), _score(show, b)) for a, b in _pairs(show, condition)]
    if scores:
        return YES, max(scores)
    open_to_strangers = show.strangers and None in (atoms[0].character, atoms[1].character)
    return (NO if all(seen) and not open_to_strangers else UNKNOWN), 0.0


# --- pairs and scenes ----------------------------------------------------------------------------------------------


def _pairs(show: Show, condition: Together) -> Iterable[tuple[Stretch, Stretch]]:
    first, second = condition.first, condition.second
    for a in show.spans:
        for b in show.spans:
            if a is b or not _is(a, first) or not _is(b, second):
                continue
            if None in (first.character, second.character) and a.who == b.who:
                continue
            if _related(a, b, condition):
                yield a, b


def _is(stretch: Stretch, atom: Atom) -> bool:
    return atom.character in (None, stretch.who) and stretch.emotion == str(atom.emotion)


def _related(a: Stretch, b: Stretch, condition: Together) -> bool:
    gap = max(a.start_ms, b.start_ms) - min(a.end_ms, b.end_ms)
    if condition.relation is Relation.WHILE:
        return -gap >= 500
    if condition.relation is Relation.WITHIN:
        assert condition.ms is not None
        return gap <= condition.ms
    one, two = (a, b) if condition.relation is Relation.BEFORE else (b, a)
    if one.end_ms > two.start_ms:
        return False
    if condition.ms is not None:
        return two.start_ms - one.end_ms <= condition.ms
    return condition.of is Of.EPISODE or a.scene == b.scene


def _entry(show: Show, stretch: Stretch) -> Shown | None:
    return next(
        (s for s in show.shown if (s.scene, s.who, s.emotion) == (stretch.scene, stretch.who, stretch.emotion)), None
    )


def _score(show: Show, stretch: Stretch) -> float:
    found = _entry(show, stretch)
    return 0.0 if found is None else found.score


def _scenes(shows: list[Show], query: Query) -> list[Row]:
    rows: list[Row] = []
    for show in shows:
        met: dict[int, float] | None = None
        for condition in query.about_result:
            one = _scenes_meeting(show, condition, query)
            met = one if met is None else {k: min(met[k], one[k]) for k in met if k in one}
        found = _scenes_ranked(show, query)
        if met is not None:
            if query.emotion is None and query.character is None:
                found = met
            else:
                found = {k: v for k, v in found.items() if k in met}
        rows += [(show.scene_pks[k], None, v) for k, v in found.items()]
    return rows


def _long_enough(query: Query, start: int, end: int) -> bool:
    return all(
        COMPARE[c.op](end - start, c.ms) for c in query.clauses if isinstance(c, Length) and c.of is Of.RESULT
    )  # fmt: skip


def _scenes_ranked(show: Show, query: Query) -> dict[int, float]:
    best: dict[int, float] = {}
    moments = query.target is Target.MOMENTS
    if query.emotion is None and query.character is None and not moments:
        return {i: 1.0 for i, (a, b) in enumerate(show.scenes) if _long_enough(query, a, b)}
    for s in show.shown:
        if query.character not in (None, s.who) or (moments and s.best is None):
            continue
        start, end = show.scenes[s.scene]
        if not _long_enough(query, *(s.best if moments and s.best else (start, end))):
            continue
        if query.emotion is not None:
            if s.emotion == str(query.emotion) and s.score > 0 and s.share >= 0.1:
                best[s.scene] = max(best.get(s.scene, 0.0), s.score)
        elif query.character is not None:
            best[s.scene] = max(best.get(s.scene, 0.0), min(1.0, s.visible_ms / (end - start)))
        else:
            best[s.scene] = max(best.get(s.scene, 0.0), s.score)
    return best


def _scenes_meeting(show: Show, condition: Condition, query: Query) -> dict[int, float]:
    """scene -> score. Where moments are found by one condition alone, the stretch that is told must be long enough."""
    best: dict[int, tuple[tuple[float, ...], float, tuple[int, int] | None]] = {}

    def add(scene: int, order: tuple[float, ...], score: float, stretch: tuple[int, int] | None) -> None:
        if scene not in best or order > best[scene][0]:
            best[scene] = (order, score, stretch)

    match condition:
        case ShareOf(_, atom, op, percent):
            own = [s for s in show.shown if atom.character in (None, s.who) and s.emotion == str(atom.emotion)]
            for s in own:
                if s.score > 0 and s.share >= 0.1 and COMPARE[op](s.share, percent / 100):
                    add(s.scene, (s.score, s.share, -s.pk), s.score, s.best)
        case Lasts(_, atom, op, ms):
            for x in show.spans:
                if _is(x, atom) and COMPARE[op](x.length, ms) and _score(show, x) > 0:
                    add(
                        x.scene,
                        (x.length, _score(show, x), -x.start_ms, -x.pk),
                        _score(show, x),
                        (x.start_ms, x.end_ms),
                    )
        case MoreThan(_, atom, other):
            same = [s for s in show.shown if s.emotion == str(atom.emotion)]
            for s, t in itertools.product(same, same):
                rivals = (s.scene, s.who, t.who) == (t.scene, atom.character, other)
                if rivals and s.share > t.share and s.share >= 0.1:
                    add(s.scene, (0,), _surely_more(s, t), s.best)
        case Together():
            for a, b in _pairs(show, condition):
                score = min(_score(show, a), _score(show, b))
                if score > 0:
                    stretch = (min(a.start_ms, b.start_ms), max(a.end_ms, b.end_ms))
                    if condition.relation is Relation.WHILE:
                        stretch = (max(a.start_ms, b.start_ms), min(a.end_ms, b.end_ms))
                    order = (score, stretch[1] - stretch[0], -a.start_ms, -b.start_ms, -a.pk, -b.pk)
                    add(a.scene, order, score, stretch)
    alone = query.emotion is None and query.character is None
    found = {}
    for scene, (_, score, told) in best.items():
        if query.target is Target.SCENES or not alone:
            fits = query.target is Target.MOMENTS or _long_enough(query, *show.scenes[scene])
        else:
            first = condition == query.about_result[0]
            fits = not first or (told is not None and _long_enough(query, *told))
        if fits:
            found[scene] = score
    return found


def _surely_more(a: Shown, b: Shown) -> float:
    shrunk, spread = [], 0.0
    for s in (a, b):
        n = s.readable_ms / 5_000
        p = (n * s.share + 4 / 7) / (n + 4)
        shrunk.append(p)
        spread += p * (1 - p) / (n + 5)
    return max(0.0, shrunk[0] - shrunk[1] - sqrt(spread))


# --- what is ranked ------------------------------------------------------------------------------------------------


def _ranked(world: World, shows: list[Show], query: Query) -> dict[int, float]:
    if query.target is Target.CHARACTERS:
        return {
            pk: score
            for who, pk in world.character_pks.items()
            if (score := _rate([s.profiles[who] for s in shows if who in s.profiles], query)) is not None
        }
    found: dict[int, float] = {}
    for show in shows:
        mine = [p for n, p in show.profiles.items() if query.character in (None, n)]
        if query.order is Order.CALMEST:
            score = _calm(mine)
        elif query.emotion is not None:
            score = _rate(mine, query)
        elif query.character is not None:
            score = min(1.0, mine[0].visible_ms / show.duration_ms) if mine else None
        else:
            score = 1.0
        if score is not None:
            found[show.pk] = score
    return found


def _rate(profiles: list[Profile], query: Query) -> float | None:
    if query.emotion is None:
        return None
    emotion = str(query.emotion)
    usable = [p for p in profiles if p.readable_ms > 0 and emotion in p.shares]
    rated = [p for p in usable if p.enough] or usable
    if not rated:
        return None
    total = sum(p.readable_ms for p in rated)
    if query.order is Order.LEAST:
        return 1 - sum(p.shares[emotion][2] * p.readable_ms for p in rated) / total
    return sum(p.shares[emotion][1] * p.readable_ms for p in rated) / total


def _calm(profiles: list[Profile]) -> float | None:
    usable = [p for p in profiles if p.readable_ms > 0 and "angry" in p.shares and "scared" in p.shares]
    if not usable:
        return None
    total = sum(p.readable_ms for p in usable)
    high = sum((p.shares["angry"][2] + p.shares["scared"][2]) * p.readable_ms for p in usable) / total
    switches = sum(sum(s[3] for s in p.shares.values()) * p.readable_ms for p in usable) / total
    return max(0.0, 1 - high) * 10 / (10 + switches)
