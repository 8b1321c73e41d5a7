"""How good recommendations are, measured on a planted catalogue against simpler ways of choosing.

Weights were chosen on other seeds, so on other series, than the table is made of. It says nothing about what anybody
likes: tastes are planted too, and only whether they are found is measured.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from analysis.recommend.features import Catalogue, Floats, Ints
from analysis.recommend.planted import Taste, World, calmer_tastes, read, tastes, world_of
from analysis.recommend.rank import ALIKE, picks_of, pool_of
from analysis.recommend.score import WEIGHTS, Weights, scores_of
from analysis.recommend.taste import Sliders, wanted_of
from ml.types import EMOTIONS, Emotion

COUNT = 10
GRADES = (0.15, 0.05, 0.01)  # the best part of the candidates that gets grade 1, 2 and 3
LIMIT, LIMITED = 0.20, EMOTIONS.index(Emotion.ANGRY)
ROUNDS = 2000

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a method is given: rows liked, rows that may be listed, and where chance plays a part, a generator."""

    catalogue: Catalogue
    liked: Sequence[int]
    allowed: Mask
    sliders: Sliders
    rng: np.random.Generator


Method = Callable[[Asked], list[int]]


def by_score(weights: Weights = WEIGHTS, alike: float = ALIKE, plain: bool = False) -> Method:
    """Ours. ``plain``: the highest scores as they come, however many of a series."""

    def method(asked: Asked) -> list[int]:
        catalogue = asked.catalogue
        wanted = wanted_of([catalogue.features(row) for row in asked.liked], asked.sliders, catalogue)
        scores = scores_of(wanted, catalogue, weights)
        if plain:
            rows = np.flatnonzero(asked.allowed)
            return _ids(rows[np.lexsort((rows, -scores.total[rows]))])
        pool = pool_of(scores.total, catalogue, lambda ids: np.ones(len(ids), dtype=bool), asked.allowed)
        return [p.row for p in picks_of(scores, pool, catalogue, COUNT, liked=asked.liked, alike=alike)]

    return method


def by_chance(asked: Asked) -> list[int]:
    rows = np.flatnonzero(asked.allowed)
    return _ids(asked.rng.permutation(rows))


def newest(asked: Asked) -> list[int]:
    """Series come one after the other, so that these are mostly of one or two."""
    return _ids(np.flatnonzero(asked.allowed)[::-1])


def same_series(asked: Asked) -> list[int]:
    """The liked episodes' series, the rest by chance."""
    rows = asked.rng.permutation(np.flatnonzero(asked.allowed))
    ours = np.isin(asked.catalogue.series[rows], asked.catalogue.series[list(asked.liked)])
    return _ids(np.concatenate([rows[ours], rows[~ours]]))


def _ids(rows: Ints) -> list[int]:
    return [int(row) for row in rows[:COUNT]]


METHODS: Mapping[str, Method] = {
    "ours": by_score(),
    "ours, by score alone": by_score(plain=True),
    "ours, without the arc": by_score(Weights(arc=0.0)),
    "ours, without the cast": by_score(Weights(cast=0.0)),
    "mean without uncertainty": by_score(Weights(uncertain=False)),
    "same series": same_series,
    "newest": newest,
    "random": by_chance,
}


@dataclass
class Result:
    """Per person: nDCG, series in the list, mean distance within it, what two readings' lists have in common."""

    ndcg: list[float] = field(default_factory=list)
    series: list[int] = field(default_factory=list)
    apart: list[float] = field(default_factory=list)
    stable: list[float] = field(default_factory=list)
    listed: set[int] = field(default_factory=set)
    over_rule: int = 0
    over_truth: int = 0
    shown: int = 0


@dataclass(frozen=True, slots=True)
class Setting:
    """Who asks for what: people, sliders, which episodes of the world may be listed, and whether a limit is set."""

    name: str
    people: Sequence[Taste]
    sliders: Sliders
    candidates: Mask
    limited: bool = False


def measure(
    world: World, first: Catalogue, second: Catalogue, setting: Setting, methods: Mapping[str, Method]
) -> dict[str, Result]:
    """``first`` and ``second``: two readings of the world's cuts. The second is only for stability."""
    results = {name: Result() for name in methods}
    for number, person in enumerate(setting.people):
        for name, method in methods.items():
            point = setting.limited and name == "mean without uncertainty"
            ids = _asked(method, person, first, setting, point, number)
            again = _asked(method, person, second, setting, point, number)
            _note(results[name], world, first.episode[_open(first, person, setting)], person, ids, again)
            results[name].over_rule += int((first.high[LIMITED, [first.row_of[i] for i in ids]] > LIMIT).sum())
    return results


def _asked(
    method: Method, person: Taste, catalogue: Catalogue, setting: Setting, point: bool, number: int
) -> list[int]:
    """Ids of episodes. ``point``: the limit goes by the share instead of its upper bound."""
    allowed = _open(catalogue, person, setting)
    if setting.limited:
        allowed &= (catalogue.share if point else catalogue.high)[LIMITED] <= LIMIT
    liked = [catalogue.row_of[i] for i in person.liked]
    rng = np.random.default_rng(number)
    return [int(catalogue.episode[row]) for row in method(Asked(catalogue, liked, allowed, setting.sliders, rng))]


def _open(catalogue: Catalogue, person: Taste, setting: Setting) -> Mask:
    """Rows of what may be listed, limits aside."""
    return np.asarray(setting.candidates[catalogue.episode] & ~np.isin(catalogue.episode, person.liked))


def _note(result: Result, world: World, candidates: Ints, person: Taste, ids: list[int], again: list[int]) -> None:
    result.ndcg.append(ndcg(ids, candidates, person.worth))
    result.series.append(len({int(world.series[i]) for i in ids}))
    shown = world.shown[ids]
    gaps = 0.5 * np.abs(shown[:, None] - shown).sum(axis=2)
    result.apart.append(float(gaps[np.triu_indices(len(ids), 1)].mean()) if len(ids) > 1 else 0.0)
    result.stable.append(len(set(ids) & set(again)) / max(1, len(ids)))
    result.listed |= set(ids)
    result.shown += len(ids)
    result.over_truth += int((world.shown[ids, LIMITED] > LIMIT).sum())


def ndcg(ids: Sequence[int], candidates: Ints, worth: Floats) -> float:
    """Of a list of episodes, graded 0 to 3 by how good they are among all candidates; gain 2^grade - 1."""
    place = np.argsort(np.argsort(-worth[candidates], kind="stable"), kind="stable")
    grade = np.sum([place < max(1, round(part * len(candidates))) for part in GRADES], axis=0)
    gain = {int(i): 2.0 ** int(g) - 1 for i, g in zip(candidates, grade, strict=True)}
    discount = 1 / np.log2(np.arange(2, COUNT + 2))
    best = np.sort(np.array(list(gain.values())))[::-1][:COUNT]
    got = np.array([gain[i] for i in ids])
    return float(got @ discount[: len(got)] / (best @ discount[: len(best)]))


def interval(values: Sequence[float], seed: int = 0) -> tuple[float, float]:
    """The middle 95 % of means of people drawn with replacement."""
    rng = np.random.default_rng(seed)
    table = np.array(values)
    means = [float(table[rng.integers(0, len(table), len(table))].mean()) for _ in range(ROUNDS)]
    return float(np.quantile(means, 0.025)), float(np.quantile(means, 0.975))


def table(results: Mapping[str, Result], candidates: int) -> str:
    """``against ours``: the paired difference in nDCG, with its 95 % interval over people."""
    lines = [
        "| chosen by | nDCG@10 | against ours | series in 10 | apart | coverage | stable |",
        "|---|---|---|---|---|---|---|",
    ]
    ours = results["ours"].ndcg
    for name, r in results.items():
        gaps = [theirs - mine for theirs, mine in zip(r.ndcg, ours, strict=True)]
        low, high = interval(gaps)
        against = "" if name == "ours" else f"{np.mean(gaps):+.3f} ({low:+.3f} to {high:+.3f})"
        lines.append(
            f"| {name} | {np.mean(r.ndcg):.3f} | {against} | {np.mean(r.series):.1f} | {np.mean(r.apart):.2f} "
            f"| {100 * len(r.listed) / candidates:.0f} % | {100 * np.mean(r.stable):.0f} % |"
        )
    return "\n".join(lines)


def limit_table(results: Mapping[str, Result], world: World, catalogue: Catalogue) -> str:
    """``safe offered``: of the episodes that truly keep the limit, how many the gate lets through."""
    safe = world.shown[catalogue.episode, LIMITED] <= LIMIT
    lines = [
        "| chosen by | listed | upper bound over the limit | truly over the limit | safe offered |",
        "|---|---|---|---|---|",
    ]
    for name, r in results.items():
        gate = (catalogue.share if name == "mean without uncertainty" else catalogue.high)[LIMITED] <= LIMIT
        lines.append(
            f"| {name} | {r.shown} | {r.over_rule} | {r.over_truth} ({100 * r.over_truth / max(1, r.shown):.1f} %) "
            f"| {100 * gate[safe].mean():.0f} % |"
        )
    return "\n".join(lines)


def settings_of(world: World, both: Ints, people: int, rng: np.random.Generator) -> list[Setting]:
    """``both``: what every reading has enough evidence of; people name such episodes."""
    everything = np.ones(len(world.series), dtype=bool)
    half = world.series >= (world.series.max() + 1) // 2
    known, all_known = both[~half[both]], both
    return [
        Setting("all series", tastes(rng, world, people, all_known), Sliders(), everything),
        Setting("only series of which nothing is liked", tastes(rng, world, people, known), Sliders(), half),
        Setting("like this, but calmer", calmer_tastes(rng, world, people, all_known), Sliders(calmer=1), everything),
        Setting("angry at most 20 %", tastes(rng, world, people, all_known), Sliders(), everything, limited=True),
    ]


def report(series: int, per_series: int, people: int, seed: int) -> str:
    rng = np.random.default_rng(seed)
    world = world_of(rng, series, per_series)
    first, second = read(world, rng), read(world, rng)
    out = [f"{len(world.series)} episodes of {series} series, {len(first)} with enough evidence, seed {seed}"]
    both = np.intersect1d(first.episode, second.episode)
    for setting in settings_of(world, both, people, rng):
        results = measure(world, first, second, setting, METHODS)
        told = int(setting.candidates[first.episode].sum())
        out.append(f"\n{setting.name}: {len(results['ours'].ndcg)} people, {told} episodes to choose from\n")
        out.append(limit_table(results, world, first) if setting.limited else table(results, told))
    return "\n".join(out)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m analysis.recommend.evaluate", description=__doc__)
    parser.add_argument("--series", type=int, default=80)
    parser.add_argument("--episodes", type=int, default=25, help="of each series")
    parser.add_argument("--people", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args(arguments)
    if args.series < 2 or args.episodes < 2 or args.people < 2:
        parser.error("series, episodes and people are at least 2")
    sys.stdout.write(report(args.series, args.episodes, args.people, args.seed) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
