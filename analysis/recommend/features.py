"""What recommendations know of an episode, and of all episodes: arrays over the canonical emotions, in their order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ml.timeline import Span
from ml.types import EMOTIONS, Emotion

BINS = 10  # of an arc: tenths of the episode
KINDS = len(EMOTIONS)
CALMER_THAN = 2 / 3
CALM_SWITCHES = 10.0  # expressions begun per minute at which an episode is half as calm; search counts the same way
INTERVAL_DEVIATIONS = 2 * 1.959964  # standard deviations from the lower to the upper end of a 95 % interval
NEUTRAL = EMOTIONS.index(Emotion.NEUTRAL)
UPSETTING = (EMOTIONS.index(Emotion.ANGRY), EMOTIONS.index(Emotion.SCARED))

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Features:
    """One episode, over its characters with enough evidence, each weighted by its readable time.

    ``share``, ``low``, ``high``: (7,), NaN where the bundle cannot express the emotion. ``pace``: expressions begun per
    readable minute. ``cast``: per character (by id) its part (7,) of the readable time by emotion; all parts sum to 1.
    ``arc``: (10, 7), for each tenth of the episode how its spans divide among emotions; zeros where there is none.
    """

    episode: int
    series: int
    duration_ms: int
    readable_ms: int
    share: Floats
    low: Floats
    high: Floats
    pace: float
    cast: Mapping[int, Floats]
    arc: Floats


@dataclass(frozen=True, slots=True)
class Shown:
    """What one character with enough evidence shows. Emotions that the bundle cannot express are NaN in (7,) arrays.

    ``pace``: expressions begun per readable minute; ``spans``: where each emotion shows.
    """

    character: int
    readable_ms: int
    share: Floats
    low: Floats
    high: Floats
    pace: float
    spans: Mapping[Emotion, Sequence[Span]]


def features_of(episode: int, series: int, duration_ms: int, shown: Sequence[Shown]) -> Features | None:
    """None where no character is seen long enough to say anything."""
    readable = np.array([s.readable_ms for s in shown], dtype=np.float64)
    if not len(shown) or readable.sum() <= 0 or duration_ms <= 0:
        return None
    spans: dict[Emotion, list[Span]] = {}
    for one in shown:
        for emotion, stretches in one.spans.items():
            spans.setdefault(emotion, []).extend(stretches)
    joint = np.nan_to_num(np.array([s.share for s in shown])) * readable[:, None]
    return Features(
        episode=episode,
        series=series,
        duration_ms=duration_ms,
        readable_ms=int(readable.sum()),
        share=_weighted(np.array([s.share for s in shown]), readable),
        low=_weighted(np.array([s.low for s in shown]), readable),
        high=_weighted(np.array([s.high for s in shown]), readable),
        pace=float(sum(s.pace * s.readable_ms for s in shown) / readable.sum()),
        cast={s.character: part for s, part in zip(shown, joint / max(float(joint.sum()), 1e-9), strict=True)},
        arc=arc_of(spans, duration_ms),
    )


def _weighted(values: Floats, weight: Floats) -> Floats:
    """(7,) means of the rows that know the emotion; NaN where none does."""
    known = ~np.isnan(values)
    total = (known * weight[:, None]).sum(axis=0)
    sums = (np.nan_to_num(values) * weight[:, None]).sum(axis=0)
    mean: Floats = np.divide(sums, total, out=np.full(KINDS, np.nan), where=total > 0)
    return mean


def arc_of(spans: Mapping[Emotion, Sequence[Span]], duration_ms: int) -> Floats:
    """(10, 7) from what spans show when; only their times are read."""
    shown = np.zeros((BINS, KINDS))
    edges = np.linspace(0, duration_ms, BINS + 1)
    for emotion, stretches in spans.items():
        for span in stretches:
            inside = np.minimum(edges[1:], span.end_ms) - np.maximum(edges[:-1], span.start_ms)
            shown[:, EMOTIONS.index(emotion)] += np.maximum(inside, 0)
    return parts(shown)


def parts(amounts: Floats) -> Floats:
    """Each row divided by its sum; a row of zeros stays."""
    total = amounts.sum(axis=-1, keepdims=True)
    divided: Floats = np.divide(amounts, total, out=np.zeros_like(amounts), where=total > 0)
    return divided


@dataclass(frozen=True)
class Catalogue:
    """n episodes, column by column; a row's place has no meaning. ``share``, ``low``, ``high``: (7, n), NaN: unknown.

    ``arc``: (n, 70) square roots, so that a product of two is their affinity. ``member_*``: the casts of all, ordered
    by character and row: (m,) ids and rows, (m, 7) square roots of their parts.
    """

    episode: Ints
    series: Ints
    duration_ms: Ints
    readable_ms: Ints
    share: Singles
    low: Singles
    high: Singles
    pace: Singles
    arc: Singles
    member_character: Ints
    member_row: Ints
    member_root: Singles

    def __len__(self) -> int:
        return len(self.episode)

    @cached_property
    def row_of(self) -> Mapping[int, int]:
        return {int(pk): row for row, pk in enumerate(self.episode)}

    def with_character(self, character: int) -> slice:
        """Where among the members the character's are."""
        begin = np.searchsorted(self.member_character, character)
        return slice(int(begin), int(np.searchsorted(self.member_character, character, side="right")))

    def cast_of(self, row: int) -> dict[int, Floats]:
        """Per character (by id) its part (7,) of the readable time of one episode."""
        order, rows = self._by_row
        found = order[np.searchsorted(rows, row) : np.searchsorted(rows, row, side="right")]
        return {int(self.member_character[i]): self.member_root[i].astype(np.float64) ** 2 for i in found}

    def features(self, row: int) -> Features:
        """One episode, as it was put in, to single precision."""
        return Features(
            episode=int(self.episode[row]),
            series=int(self.series[row]),
            duration_ms=int(self.duration_ms[row]),
            readable_ms=int(self.readable_ms[row]),
            share=self.share[:, row].astype(np.float64),
            low=self.low[:, row].astype(np.float64),
            high=self.high[:, row].astype(np.float64),
            pace=float(self.pace[row]),
            cast=self.cast_of(row),
            arc=(self.arc[row].astype(np.float64) ** 2).reshape(BINS, KINDS),
        )

    @cached_property
    def _by_row(self) -> tuple[Ints, Ints]:
        """Members in the order of their rows, and those rows."""
        order = np.argsort(self.member_row, kind="stable")
        return order, self.member_row[order]

    @cached_property
    def usual(self) -> Floats:
        """(7,) mean shares; 0 for an emotion that no episode tells of."""
        return np.array([_mean(column) for column in self.share])

    @cached_property
    def unlike(self) -> Floats:
        """(7,) variances of shares over episodes, not less than a point's."""
        spread = [_mean((column - usual) ** 2) for column, usual in zip(self.share, self.usual, strict=True)]
        return np.asarray(np.maximum(spread, 1e-4), dtype=np.float64)

    @cached_property
    def mean(self) -> Singles:
        """(7, n) shares; where an emotion is unknown, the usual one."""
        return np.asarray(np.where(np.isnan(self.share), self.usual[:, None], self.share), dtype=np.float32)

    @cached_property
    def variance(self) -> Singles:
        """(7, n) from the intervals; where an emotion is unknown, as far as episodes differ."""
        measured = ((self.high - self.low) / INTERVAL_DEVIATIONS) ** 2
        return np.asarray(np.where(np.isnan(measured), self.unlike[:, None], measured), dtype=np.float32)

    @cached_property
    def calm(self) -> Singles:
        """(n,) calmness as search counts it: (1 - upper bounds of anger and fear) x 10 / (10 + pace); unknown is 0."""
        upset = np.nan_to_num(self.high[list(UPSETTING)], nan=1.0).sum(axis=0)
        calm = np.maximum(0.0, 1.0 - upset) * CALM_SWITCHES / (CALM_SWITCHES + self.pace)
        return np.asarray(calm, dtype=np.float32)

    @cached_property
    def calm_enough(self) -> float:
        """To end an evening with: the calmness than which CALMER_THAN of the catalogue has less or the same.

        More than 0 in any case, which is what an episode has of which nothing is known.
        """
        return max(1e-6, float(np.quantile(self.calm, CALMER_THAN))) if len(self) else 1.0


def catalogue_of(features: Sequence[Features]) -> Catalogue:
    """In the order given."""
    members = sorted((c, row) for row, f in enumerate(features) for c in f.cast)
    parts_of = [features[row].cast[c] for c, row in members]
    return Catalogue(
        episode=np.array([f.episode for f in features], dtype=np.int64),
        series=np.array([f.series for f in features], dtype=np.int64),
        duration_ms=np.array([f.duration_ms for f in features], dtype=np.int64),
        readable_ms=np.array([f.readable_ms for f in features], dtype=np.int64),
        share=_columns(f.share for f in features),
        low=_columns(f.low for f in features),
        high=_columns(f.high for f in features),
        pace=np.array([f.pace for f in features], dtype=np.float32),
        arc=np.array([np.sqrt(f.arc).ravel() for f in features], dtype=np.float32).reshape(-1, BINS * KINDS),
        member_character=np.array([c for c, _ in members], dtype=np.int64),
        member_row=np.array([row for _, row in members], dtype=np.int64),
        member_root=np.sqrt(np.array(parts_of, dtype=np.float32)).reshape(-1, KINDS),
    )


def updated(catalogue: Catalogue, changed: Catalogue, gone: Sequence[int] = ()) -> Catalogue:
    """The first with what the second has in place of the same episodes, and without the episodes that are gone."""
    keep = ~np.isin(catalogue.episode, np.concatenate([changed.episode, np.asarray(gone, dtype=np.int64)]))
    new_row = np.cumsum(keep) - 1
    members = keep[catalogue.member_row]
    character = np.concatenate([catalogue.member_character[members], changed.member_character])
    row = np.concatenate([new_row[catalogue.member_row[members]], changed.member_row + int(keep.sum())])
    root = np.concatenate([catalogue.member_root[members], changed.member_root])
    order = np.lexsort((row, character))
    return Catalogue(
        episode=np.concatenate([catalogue.episode[keep], changed.episode]),
        series=np.concatenate([catalogue.series[keep], changed.series]),
        duration_ms=np.concatenate([catalogue.duration_ms[keep], changed.duration_ms]),
        readable_ms=np.concatenate([catalogue.readable_ms[keep], changed.readable_ms]),
        share=np.concatenate([catalogue.share[:, keep], changed.share], axis=1),
        low=np.concatenate([catalogue.low[:, keep], changed.low], axis=1),
        high=np.concatenate([catalogue.high[:, keep], changed.high], axis=1),
        pace=np.concatenate([catalogue.pace[keep], changed.pace]),
        arc=np.concatenate([catalogue.arc[keep], changed.arc]),
        member_character=character[order],
        member_row=row[order],
        member_root=root[order],
    )


def normal_cdf(z: Floats) -> Floats:
    """The standard normal distribution function: the error of Abramowitz and Stegun's 7.1.26 is under 1.5e-7."""
    x = np.abs(z) * np.sqrt(0.5)
    t = 1.0 / (1.0 + 0.3275911 * x)
    poly = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
    tail = 0.5 * poly * np.exp(-x * x)
    value: Floats = np.where(z < 0, tail, 1.0 - tail)
    return value


def _columns(rows: Iterable[Floats]) -> Singles:
    return np.ascontiguousarray(np.array(list(rows), dtype=np.float32).reshape(-1, KINDS).T)


def _mean(column: NDArray[np.floating]) -> float:
    known = column[~np.isnan(column)]
    return float(known.mean(dtype=np.float64)) if len(known) else 0.0
