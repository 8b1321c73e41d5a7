"""Planted episodes as lines for COPY, table by table. Ids are given out here, since rows name one another."""

# ruff: noqa: UP031 - a million rows: %-formatting of a tuple is the fastest there is

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import numpy as np
from django.db.models import Model

from analysis.models import (
    AnalysisRun,
    EmotionProfile,
    EmotionSpan,
    Publication,
    Scene,
    SceneEmotion,
    Shot,
    Track,
)
from analysis.planted.episodes import SHOT_MS, Episodes, Ints
from analysis.planted.measured import Measured
from analysis.ratings import Needed
from analysis.services.bulk import escaped
from catalog.models import Character, Episode, Ordering, Series, SourceFile
from ml.types import EMOTIONS, ShotKind

TABLES: tuple[type[Model], ...] = (
    Series,
    Character,
    SourceFile,
    Episode,
    AnalysisRun,
    Publication,
    Shot,
    Scene,
    Track,
    SceneEmotion,
    EmotionSpan,
    EmotionProfile,
)
AT = "2025-01-01 00:00:00+00"
STRANGERS = 0.01  # of the time of all faces, where there are faces of nobody known
NAMES = [str(e) for e in EMOTIONS]
COLUMNS: dict[type[Model], tuple[str, ...]] = {
    SourceFile: ("id", "sha256", "size_bytes", "stored_name", "original_name", "container", "codec", "width", "height",
                 "duration_ms", "frames", "created_at"),
    Episode: ("id", "series_id", "ordering", "identity", "season", "number", "title", "year", "synopsis", "source_id",
              "created_at", "updated_at"),
    AnalysisRun: ("id", "episode_id", "bundle_id", "source_sha256", "config", "fingerprint", "status", "partial",
                  "priority", "created_at", "started_at", "finished_at", "frames", "drawings", "faces", "timings",
                  "kept_ms", "finalise_attempts", "ratings_version", "strangers", "error_code", "error_detail",
                  "layer", "find_ready"),
    Publication: ("id", "episode_id", "run_id", "published_at"),
    Shot: ("id", "run_id", "index", "start_ms", "end_ms", "kind"),
    Scene: ("id", "run_id", "index", "start_ms", "end_ms", "thumbnail"),
    Track: ("id", "run_id", "shot_id", "index", "start_ms", "end_ms"),
    SceneEmotion: ("id", "scene_id", "run_id", "character_id", "emotion", "visible_ms", "readable_ms", "share",
                   "baseline", "score", "best_start_ms", "best_end_ms"),
    EmotionSpan: ("id", "run_id", "scene_id", "character_id", "emotion", "start_ms", "end_ms", "strength"),
    EmotionProfile: ("id", "run_id", "character_id", "visible_ms", "readable_ms", "drawings", "shots", "enough",
                     "shares", "details"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """Where a part of a series goes: the ids of what is there already, and the first free ones of each table."""

    seed: int
    series: int
    bundle: int
    characters: Ints
    first: dict[type[Model], int]


def digest_of(*parts: object) -> str:
    return hashlib.sha256("/".join(map(str, ("planted", *parts))).encode()).hexdigest()


class Rows:
    """Lines of one part of a series; ``count`` rows of each table after they were made."""

    def __init__(self, place: Place, found: Episodes, measured: Measured, needed: Needed) -> None:
        self.place, self.found, self.measured, self.needed = place, found, measured, needed
        self.count: dict[type[Model], int] = {}
        n = len(found.number)
        self.run = np.where(found.analysed, np.cumsum(found.analysed) - 1 + place.first[AnalysisRun], -1)
        self.episode = np.arange(n) + place.first[Episode]
        self.kept_scenes = found.analysed[found.scene_episode]
        self.scene = np.cumsum(self.kept_scenes) - 1 + place.first[Scene]
        self.pair_run = self.run[found.pair_episode]
        self.pair_character = place.characters[found.pair_member]

    def tables(self) -> Iterator[tuple[type[Model], list[str]]]:
        """In the order in which they can be written."""
        for model, lines in (
            (SourceFile, self._sources()),
            (Episode, self._episodes()),
            (AnalysisRun, self._runs()),
            (Publication, self._publications()),
            (Shot, self._shots()),
            (Scene, self._scenes()),
            (Track, self._tracks()),
            (SceneEmotion, self._scene_emotions()),
            (EmotionSpan, self._spans()),
            (EmotionProfile, self._profiles()),
        ):
            rows = list(lines)
            self.count[model] = len(rows)
            yield model, rows

    def _digest(self, number: int) -> str:
        return digest_of(self.place.seed, self.found.series.title, number)

    def _sources(self) -> Iterator[str]:
        first = self.place.first[SourceFile]
        for i, (number, ms) in enumerate(zip(self.found.number.tolist(), self.found.duration_ms.tolist(), strict=True)):
            sha = self._digest(number)
            yield (
                f"{first + i}\t{sha}\t{ms * 100}\tplanted/{sha}\t{self.found.series.title} {number}.mp4\tmp4\th264\t640"
                f"\t480\t{ms}\t{ms * 24 // 1000}\t{AT}"
            )

    def _episodes(self) -> Iterator[str]:
        found, series = self.found, self.found.series
        source = self.place.first[SourceFile]
        for i, (pk, number) in enumerate(zip(self.episode.tolist(), found.number.tolist(), strict=True)):
            season, place = divmod(number - 1, series.season_length)
            identity = f"S{season + 1:02d}E{place + 1:02d}"
            yield (
                f"{pk}\t{self.place.series}\t{Ordering.AIRED}\t{identity}\t{season + 1}\t{place + 1}\t"
                f"{escaped(found.titles[i])}\t{min(2025, series.year + season)}\t{escaped(found.synopses[i])}\t"
                f"{source + i}\t{AT}\t{AT}"
            )

    def _runs(self) -> Iterator[str]:
        found = self.found
        truth: list[dict[str, dict[str, float]]] = [{} for _ in found.number]
        for episode, member, shares in zip(
            found.pair_episode.tolist(), found.pair_member.tolist(), np.round(found.planted, 4).tolist(), strict=True
        ):
            truth[episode][found.series.cast[member]] = dict(zip(NAMES, shares, strict=True))
        for i in np.flatnonzero(found.analysed).tolist():
            sha = self._digest(int(found.number[i]))
            config = json.dumps({"planted": {"seed": self.place.seed, "shares": truth[i]}})
            frames = int(found.duration_ms[i]) * 24 // 1000
            partial = "t" if found.partial[i] else "f"
            yield (
                f"{self.run[i]}\t{self.episode[i]}\t{self.place.bundle}\t{sha}\t{config}\t{digest_of('run', sha)}\t"
                f"succeeded\t{partial}\t0\t{AT}\t{AT}\t{AT}\t{frames}\t{frames // 3}\t{frames // 4}\t{{}}\t0\t0\t0\t"
                f"{STRANGERS if found.strangers[i] else 0}\t\t\t\tt"
            )

    def _publications(self) -> Iterator[str]:
        first = self.place.first[Publication]
        for n, i in enumerate(np.flatnonzero(self.found.published).tolist()):
            yield f"{first + n}\t{self.episode[i]}\t{self.run[i]}\t{AT}"

    def _shots(self) -> Iterator[str]:
        """As long as one another: nothing that is measured here reads them."""
        pk = self.place.first[Shot]
        for i in np.flatnonzero(self.found.analysed).tolist():
            duration = int(self.found.duration_ms[i])
            count = max(1, duration // SHOT_MS)
            for index in range(count):
                start, end = index * duration // count, (index + 1) * duration // count
                yield f"{pk}\t{self.run[i]}\t{index}\t{start}\t{end}\t{ShotKind.STORY}"
                pk += 1

    def _scenes(self) -> Iterator[str]:
        found, kept = self.found, self.kept_scenes
        columns = (self.scene[kept], self.run[found.scene_episode[kept]], found.scene_index[kept])
        times = (found.scene_start[kept], found.scene_end[kept])
        for row in zip(*(c.tolist() for c in (*columns, *times)), strict=True):
            yield "%d\t%d\t%d\t%d\t%d\t" % row

    def _tracks(self) -> Iterator[str]:
        """Faces of nobody known, in the first shot."""
        pk, shot = self.place.first[Track], self.place.first[Shot]
        for i in np.flatnonzero(self.found.analysed).tolist():
            if self.found.strangers[i]:
                yield f"{pk}\t{self.run[i]}\t{shot}\t0\t0\t1000"
                pk += 1
            shot += max(1, int(self.found.duration_ms[i]) // SHOT_MS)

    def _scene_emotions(self) -> Iterator[str]:
        found, measured = self.found, self.measured
        pair = found.appearance_pair
        kept = np.flatnonzero(measured.scored & (self.pair_run[pair] >= 0))
        k = len(EMOTIONS)
        rows = np.repeat(kept, k)
        emotion = np.tile(np.arange(k), len(kept))
        best = measured.best[rows * k + emotion]
        start = [r"\N" if b < 0 else t for b, t in zip(best.tolist(), found.start_ms[best].tolist(), strict=True)]
        end = [r"\N" if b < 0 else t for b, t in zip(best.tolist(), found.end_ms[best].tolist(), strict=True)]
        columns = (
            np.arange(len(rows)) + self.place.first[SceneEmotion],
            self.scene[found.appearance_scene[rows]],
            self.pair_run[pair[rows]],
            self.pair_character[pair[rows]],
        )
        numbers = (measured.visible_ms[rows], measured.readable_ms[rows])
        shares = (measured.share[rows, emotion], measured.baseline[rows, emotion], measured.score[rows, emotion])
        for row in zip(
            *(c.tolist() for c in columns),
            (NAMES[e] for e in emotion.tolist()),
            *(c.tolist() for c in (*numbers, *shares)),
            start,
            end,
            strict=True,
        ):
            yield "%d\t%d\t%d\t%d\t%s\t%d\t%d\t%.7g\t%.7g\t%.7g\t%s\t%s" % row

    def _spans(self) -> Iterator[str]:
        found = self.found
        pair = found.appearance_pair[found.stretch_appearance]
        kept = np.flatnonzero(self.measured.span & (self.pair_run[pair] >= 0))
        pair = pair[kept]
        columns = (
            np.arange(len(kept)) + self.place.first[EmotionSpan],
            self.pair_run[pair],
            self.scene[found.appearance_scene[found.stretch_appearance[kept]]],
            self.pair_character[pair],
        )
        times = (found.start_ms[kept], found.end_ms[kept], found.strength[kept])
        emotions = (NAMES[e] for e in found.emotion[kept].tolist())
        for row in zip(*(c.tolist() for c in columns), emotions, *(c.tolist() for c in times), strict=True):
            yield "%d\t%d\t%d\t%d\t%s\t%d\t%d\t%.4f" % row

    def _profiles(self) -> Iterator[str]:
        measured = self.measured
        details = {
            "worth": 0.0,
            "bias_corrected": False,
            "needed": asdict(self.needed),
            "basis": {"runs": [], "strength": 0.0},
            "ending": None,
            "reactions": [],
        }
        told = json.dumps(details)
        first = self.place.first[EmotionProfile]
        for n, i in enumerate(np.flatnonzero((self.pair_run >= 0) & (measured.pair_visible_ms > 0)).tolist()):
            readable = int(measured.pair_readable_ms[i])
            yield (
                f"{first + n}\t{self.pair_run[i]}\t{self.pair_character[i]}\t{measured.pair_visible_ms[i]}\t"
                f"{readable}\t{readable // 125}\t{measured.shots[i]}\t{'t' if measured.enough[i] else 'f'}\t"
                f"{self._shares(i) if readable else '{}'}\t{told}"
            )

    def _shares(self, pair: int) -> str:
        measured, found, k = self.measured, self.found, len(EMOTIONS)
        parts = []
        for e, values in enumerate(
            zip(
                measured.decided[pair].tolist(),
                measured.low[pair].tolist(),
                measured.high[pair].tolist(),
                measured.raw[pair].tolist(),
                measured.runs_per_minute[pair].tolist(),
                strict=True,
            )
        ):
            share, low, high, raw, per_minute = values
            peak = int(measured.peak[pair * k + e])
            start, end = ("null", "null") if peak < 0 else (found.start_ms[peak], found.end_ms[peak])
            parts.append(
                f'"{NAMES[e]}": {{"share": {share:.7g}, "low": {low:.7g}, "high": {high:.7g}, "raw": {raw:.7g}, '
                f'"corrected": {share:.7g}, "baseline": null, "runs_per_minute": {per_minute:.7g}, '
                f'"longest_ms": {measured.longest_ms[pair, e]}, "peak_start_ms": {start}, "peak_end_ms": {end}}}'
            )
        return "{" + ", ".join(parts) + "}"
