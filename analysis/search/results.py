"""Rows -> results: each with where it is, and why it is here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.utils.translation import gettext as _

from analysis.models import EmotionSpan, Publication, Scene, SceneEmotion
from analysis.search.because import clock, finding_json, finding_words, percent
from analysis.search.explain import Part, parts_of
from analysis.search.lexicon import Registry
from analysis.search.query import Query, Target
from analysis.search.query_json import condition_to_json
from analysis.search.sql import Row
from analysis.selectors.episodes import scenes_to_show
from analysis.wording import emotion_word
from catalog.models import Character, Episode


@dataclass(frozen=True, slots=True)
class Result:
    """A stretch of an episode and why it is here. ``because`` holds the parts of the score.

    ``verdict``: yes, no or unknown, where the question asks for one. ``parts``: the score explained, where asked for.
    """

    episode_id: int
    episode_title: str
    series_title: str
    start_ms: int
    end_ms: int
    score: float
    because: dict[str, Any]
    heading: str
    why: str
    emotion: str | None
    thumbnail_scene: int | None
    lacking: bool = False
    verdict: str | None = None
    parts: tuple[Part, ...] | None = field(default=None)

    @property
    def where(self) -> str:
        return (
            self.series_title if self.heading == self.episode_title else f"{self.episode_title} · {self.series_title}"
        )

    def to_json(self) -> dict[str, Any]:
        data: dict[str, Any] = {
            "episode": {"id": self.episode_id, "title": self.episode_title},
            "start_ms": self.start_ms,
            "end_ms": self.end_ms,
            "score": round(self.score, 6),
            "because": self.because,
        }
        if self.verdict is not None:
            data["verdict"] = self.verdict
        if self.parts is not None:
            data["explain"] = [p.to_json() for p in self.parts]
        return data


def results_of(query: Query, rows: Sequence[Row], registry: Registry, *, explain: bool = False) -> list[Result]:
    """In the order of the rows; a number of queries that does not depend on theirs."""
    maker = _Maker(query, rows, registry, explain)
    if not query.finds_scenes:
        return maker.characters() if query.target is Target.CHARACTERS else maker.episodes_found()
    if query.emotion is None and query.character is None and not query.about_result and query.target is Target.SCENES:
        return maker.plain_scenes()
    return maker.scenes()


_LONG = ("run__bundle__card", "run__bundle__characters", "run__config", "run__timings")  # and nothing is said of them
_OF_EPISODES = ("title", "series__title", "source__duration_ms")


class _Maker:
    """The rows of one page with all that their results need, read once."""

    def __init__(self, query: Query, rows: Sequence[Row], registry: Registry, explain: bool) -> None:
        self.query, self.rows, self.registry, self.explain = query, rows, registry, explain
        episodes = Episode.objects.select_related("series", "source").only(*_OF_EPISODES)
        self.episodes = episodes.in_bulk([r.episode_id for r in rows])
        ids = [f.facts["span"] for r in rows if r.judged for f in r.judged.findings if f.facts["span"] is not None]
        spans = EmotionSpan.objects.select_related("character", "scene", "run__episode__series", "run__episode__source")
        self.spans = spans.defer("run__config", "run__timings").in_bulk(ids) if ids else {}

    def scenes(self) -> list[Result]:
        rows = SceneEmotion.objects.select_related("scene", "character", "run__bundle").defer(*_LONG)
        found = rows.in_bulk([r.pk for r in self.rows])
        return [self._scene(row, found[row.pk]) for row in self.rows]

    def _scene(self, row: Row, shown: SceneEmotion) -> Result:
        query = self.query
        start, end = shown.scene.start_ms, shown.scene.end_ms
        stretch = (shown.best_start_ms, shown.best_end_ms)
        if row.met is not None and query.emotion is None and query.character is None:
            stretch = row.met.stretches[0] or stretch
        if query.target is Target.MOMENTS and stretch[0] is not None and stretch[1] is not None:
            start, end = stretch[0], stretch[1]
        because: dict[str, Any] = {
            "character": shown.character.slug,
            "visible_ms": shown.visible_ms,
            "readable_ms": shown.readable_ms,
        }
        emotion = None
        why = _("%(name)s is visible for %(visible_ms)s s") % {
            "name": shown.character.name,
            "visible_ms": f"{shown.visible_ms / 1000:.1f}",
        }
        if query.emotion is not None or query.character is None:
            emotion = shown.emotion
            because |= {
                "emotion": shown.emotion,
                "share": round(shown.share, 4),
                "baseline": round(shown.baseline, 4),
                "best_start_ms": shown.best_start_ms,
                "best_end_ms": shown.best_end_ms,
            }
            why = _(
                "%(name)s looks %(emotion)s in %(share)s %% of %(readable)s s readable; %(baseline)s %% in the whole"
                " episode"
            ) % {
                "name": shown.character.name,
                "emotion": emotion_word(shown.emotion),
                "share": f"{100 * shown.share:.0f}",
                "readable": f"{shown.readable_ms / 1000:.1f}",
                "baseline": f"{100 * shown.baseline:.0f}",
            }
        if row.met is not None:
            because["conditions"] = [
                {"condition": condition_to_json(c), "start_ms": s and s[0], "end_ms": s and s[1]}
                for c, s in zip(query.about_result, row.met.stretches, strict=True)
            ]
            told = row.met.stretches[0]
            why += (
                ""
                if told is None
                else _("; it fits from %(told)s to %(told2)s") % {"told": clock(told[0]), "told2": clock(told[1])}
            )
        heading = _("%(start)s to %(end)s") % {"start": clock(start), "end": clock(end)}
        picture = shown.scene.thumbnail and shown.scene_id
        return self._result(row, because, heading, why, emotion, (start, end), picture, shown)

    def plain_scenes(self) -> list[Result]:
        scenes = Scene.objects.in_bulk([r.pk for r in self.rows])
        results = []
        for row in self.rows:
            scene = scenes[row.pk]
            heading = _("%(start_ms)s to %(end_ms)s") % {
                "start_ms": clock(scene.start_ms),
                "end_ms": clock(scene.end_ms),
            }
            span, picture = (scene.start_ms, scene.end_ms), scene.thumbnail and scene.pk
            why = _("Scene %(index)s") % {"index": scene.index + 1}
            results.append(self._result(row, {"scene": scene.index}, heading, why, None, span, picture))
        return results

    def episodes_found(self) -> list[Result]:
        pictures = _pictures(self.rows)
        query = self.query
        who = self.registry.character(query.character) if query.character else None
        results = []
        for row in self.rows:
            episode = self.episodes[row.episode_id]
            because = {"character": query.character, "emotion": query.emotion and str(query.emotion), **row.facts}
            why, told = self._judged(row, because)
            span = None if told is None else (told.start_ms, told.end_ms)
            if query.emotion is not None:
                own = f"{who.name if who else _('All rated characters')}: {_share_words(str(query.emotion), row.facts)}"
                why = f"{own}; {why}" if why else own
            elif "switches_per_minute" in row.facts:
                own = _calm_words(row.facts)
                why = f"{own}; {why}" if why else own
            elif who is not None:
                own = _("%(name)s is visible for %(visible_ms)s s") % {
                    "name": who.name,
                    "visible_ms": f"{row.facts['visible_ms'] / 1000:.0f}",
                }
                why = f"{own}; {why}" if why else own
            span = span or (0, episode.duration_ms or 0)
            picture = pictures.get(row.episode_id)
            results.append(
                self._result(row, because, episode.title, why or _("It fits."), query.emotion, span, picture)
            )
        return results

    def characters(self) -> list[Result]:
        found = Character.objects.in_bulk([r.pk for r in self.rows])
        results = []
        for row in self.rows:
            episode, who = self.episodes[row.episode_id], found[row.pk]
            facts = dict(row.facts)
            best = (facts.pop("start_ms", 0), facts.pop("end_ms", episode.duration_ms or 0))
            scene = facts.pop("scene", None)
            emotion = self.query.emotion
            because = {"character": who.slug, "emotion": emotion and str(emotion), **facts}
            why, told = self._judged(row, because)
            if emotion is not None:
                own = _share_words(str(emotion), facts)
                if scene is None:
                    own += _("; no scene stands out")
                else:
                    own += _("; most clearly at %(time)s of %(title)s") % {
                        "time": clock(best[0]),
                        "title": episode.title,
                    }
                why = f"{own}; {why}" if why else own
            elif told is not None:  # it is about all episodes: the one that tells is shown
                self.episodes.setdefault(told.run.episode_id, told.run.episode)
                row = replace(row, episode_id=told.run.episode_id)
                best, scene = (told.start_ms, told.end_ms), told.scene.thumbnail and told.scene_id
            results.append(self._result(row, because, who.name, why, emotion, best, scene))
        return results

    def _judged(self, row: Row, because: dict[str, Any]) -> tuple[str, EmotionSpan | None]:
        """Adds the findings to ``because``; (why, the stretch that tells). Of a character it may be in any episode."""
        if row.judged is None:
            return "", None
        pairs = list(zip(self.query.about_episode, row.judged.findings, strict=True))
        because["conditions"] = [finding_json(c, f, self.spans) for c, f in pairs]
        least = min(f.verdict for _, f in pairs)
        telling = [(c, f) for c, f in pairs if f.verdict is least]
        across = self.query.target is Target.CHARACTERS
        why = "; ".join(finding_words(c, f, self.spans, self.registry, name_episode=across) for c, f in telling)
        spans = (self.spans.get(f.facts["span"]) for _, f in telling)
        return why, next((s for s in spans if s is not None), None)

    def _result(
        self,
        row: Row,
        because: dict[str, Any],
        heading: str,
        why: str,
        emotion: str | None,
        span: tuple[int, int],
        picture: int | str | None,
        shown: SceneEmotion | None = None,
    ) -> Result:
        episode = self.episodes[row.episode_id]
        return Result(
            episode_id=episode.pk,
            episode_title=episode.title,
            series_title=episode.series.title,
            start_ms=span[0],
            end_ms=span[1],
            score=row.score,
            because=because,
            heading=heading,
            why=why[:1].upper() + why[1:],
            emotion=emotion and str(emotion),
            thumbnail_scene=int(picture) if picture else None,
            lacking=not row.enough,
            verdict=None if row.judged is None else str(row.judged.verdict),
            parts=tuple(parts_of(self.query, row, shown)) if self.explain else None,
        )


def _share_words(emotion: str, facts: dict[str, Any]) -> str:
    return _("%(emotion)s in %(low)s to %(high)s of the readable time") % {
        "emotion": emotion_word(emotion),
        "low": f"{100 * facts['low']:.0f}",
        "high": f"{100 * facts['high']:.0f} %",
    }


def _calm_words(facts: dict[str, Any]) -> str:
    return _(
        "angry at most %(angry_high)s, scared at most %(scared_high)s of the readable time;"
        " %(switches_per_minute)s expressions begin per minute"
    ) % {
        "angry_high": percent(facts["angry_high"]),
        "scared_high": percent(facts["scared_high"]),
        "switches_per_minute": f"{facts['switches_per_minute']:.1f}",
    }


def _pictures(rows: Sequence[Row]) -> dict[int, int]:
    """episode -> the scene whose picture stands for its published run."""
    shown = Publication.objects.filter(withdrawn_at__isnull=True, episode_id__in=[r.episode_id for r in rows])
    runs = dict(shown.values_list("episode_id", "run_id"))
    scenes = scenes_to_show(runs.values())
    return {episode: scenes[run] for episode, run in runs.items() if run in scenes}
