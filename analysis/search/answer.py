"""The one function behind ``manage.py search``, ``/search/`` and ``/api/v1/search/``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from analysis.models import Publication, Scene, SceneEmotion
from analysis.search.echo import echo
from analysis.search.lexicon import Named, Registry
from analysis.search.parse import Refusal, parse
from analysis.search.query import Query, Target
from analysis.search.sql import Row, rows_of
from catalog.models import Character, Episode, Series

PAGE_SIZE = 20
MOST_OF_AN_EPISODE = 2  # scenes or moments of one episode on the first page


@dataclass(frozen=True, slots=True)
class Result:
    """A stretch of an episode and why it is here. ``because`` holds the parts of the score."""

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

    @property
    def where(self) -> str:
        return (
            self.series_title if self.heading == self.episode_title else f"{self.episode_title} · {self.series_title}"
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "episode": {"id": self.episode_id, "title": self.episode_title},
            "start_ms": self.start_ms,
            "end_ms": self.end_ms,
            "score": round(self.score, 6),
            "because": self.because,
        }


@dataclass(frozen=True, slots=True)
class Answer:
    query: Query | None
    echo: str
    unused: tuple[str, ...]
    refusal: Refusal | None
    suggestions: tuple[str, ...]
    results: tuple[Result, ...]
    page: int
    place: int  # of the first result in the whole answer, from 1
    more: bool

    @property
    def refused(self) -> bool:
        return self.refusal is not None

    @property
    def next_page(self) -> int:
        return self.page + 1

    @property
    def previous_page(self) -> int:
        return self.page - 1

    def to_json(self) -> dict[str, Any]:
        """The documented answer. ``because`` on the answer itself appears in refusals only."""
        data: dict[str, Any] = {
            "query": None if self.query is None else self.query.to_json(),
            "echo": self.echo,
            "unused": list(self.unused),
            "answer": "refused" if self.refusal else "results",
            "results": [r.to_json() for r in self.results],
        }
        if self.refusal is not None:
            data["because"] = {"code": self.refusal.code, "nearest": list(self.refusal.nearest)}
        return data


def registry_load() -> Registry:
    """Every name of the catalogue; two queries."""
    characters = Character.objects.order_by("slug").values_list("slug", "name", "aliases")
    series = Series.objects.order_by("slug").values_list("slug", "title")
    return Registry(
        tuple(Named(slug, name, tuple(aliases)) for slug, name, aliases in characters),
        tuple(Named(slug, title) for slug, title in series),
    )


def search(text: str, page: int = 1) -> Answer:
    """``page`` counts from 1."""
    registry = registry_load()
    parsed = parse(text, registry)
    if parsed.query is None:
        refusal = parsed.refusal or Refusal("nothing_understood", "Say what you are looking for.")
        offers = _suggestions(text, refusal, registry)
        return Answer(None, refusal.message, parsed.unused, refusal, offers, (), 1, 1, False)
    return search_query(parsed.query, registry, page, parsed.unused)


def search_query(query: Query, registry: Registry, page: int = 1, unused: tuple[str, ...] = ()) -> Answer:
    """The same for a query that is JSON already."""
    most = MOST_OF_AN_EPISODE if query.target in (Target.SCENES, Target.MOMENTS) else None
    rows, place, more = page_of(rows_of(query), page, PAGE_SIZE, most)
    results = tuple(_results(query, rows))
    return Answer(query, echo(query, registry), unused, None, (), results, page, place, more)


def page_of(rows: Sequence[Row], page: int, size: int, most: int | None) -> tuple[list[Row], int, bool]:
    """One page of rows, the place of its first, and whether more follow. Every row is on exactly one page.

    ``most``: of one episode on the first page; the others come later, in their order.
    """
    first: list[int] = []
    count: Counter[int] = Counter()
    for i, row in enumerate(rows):
        if len(first) == size:
            break
        if most is None or count[row.episode_id] < most:
            count[row.episode_id] += 1
            first.append(i)
    if page == 1:
        return [rows[i] for i in first], 1, len(first) < len(rows)
    chosen = set(first)
    rest = [row for i, row in enumerate(rows) if i not in chosen]
    start = (page - 2) * size
    return rest[start : start + size], len(first) + start + 1, len(rest) > start + size


def _suggestions(text: str, refusal: Refusal, registry: Registry) -> tuple[str, ...]:
    """The same question with the nearest names."""
    if refusal.code != "unknown_character" or not refusal.words:
        return ()
    names = (registry.character(slug) for slug in refusal.nearest)
    said = refusal.words[0]
    return tuple(
        text.replace(f'"{said}"', said).replace(said, n.name, 1) for n in names if n is not None and said in text
    )


def _results(query: Query, rows: Sequence[Row]) -> list[Result]:
    episodes = Episode.objects.select_related("series", "source").in_bulk([r.episode_id for r in rows])
    match query.target:
        case Target.SCENES | Target.MOMENTS if (
            query.emotion is not None or query.character is not None or (query.target is Target.MOMENTS)
        ):
            return _scene_results(query, rows, episodes)
        case Target.SCENES:
            scenes = Scene.objects.in_bulk([r.pk for r in rows])
            return [_plain_scene(scenes[r.pk], episodes[r.episode_id], r) for r in rows]
        case Target.EPISODES:
            return _episode_results(query, rows, episodes)
        case Target.CHARACTERS:
            return _character_results(query, rows, episodes)


def _scene_results(query: Query, rows: Sequence[Row], episodes: dict[int, Episode]) -> list[Result]:
    found = SceneEmotion.objects.select_related("scene", "character").in_bulk([r.pk for r in rows])
    results = []
    for row in rows:
        shown, episode = found[row.pk], episodes[row.episode_id]
        start, end = shown.scene.start_ms, shown.scene.end_ms
        if query.target is Target.MOMENTS and shown.best_start_ms is not None and shown.best_end_ms is not None:
            start, end = shown.best_start_ms, shown.best_end_ms
        because: dict[str, Any] = {
            "character": shown.character.slug,
            "visible_ms": shown.visible_ms,
            "readable_ms": shown.readable_ms,
        }
        emotion = None
        why = f"{shown.character.name} is visible for {shown.visible_ms / 1000:.1f} s"
        if query.emotion is not None or query.character is None:
            emotion = shown.emotion
            because |= {
                "emotion": shown.emotion,
                "share": round(shown.share, 4),
                "baseline": round(shown.baseline, 4),
                "best_start_ms": shown.best_start_ms,
                "best_end_ms": shown.best_end_ms,
            }
            why = (
                f"{shown.character.name} looks {shown.emotion} in {100 * shown.share:.0f} % of "
                f"{shown.readable_ms / 1000:.1f} s readable; {100 * shown.baseline:.0f} % in the whole episode"
            )
        heading = f"{_clock(start)} to {_clock(end)}"
        results.append(
            _result(
                episode, row, because, heading, why, emotion, (start, end), shown.scene.thumbnail and shown.scene_id
            )
        )
    return results


def _plain_scene(scene: Scene, episode: Episode, row: Row) -> Result:
    heading = f"{_clock(scene.start_ms)} to {_clock(scene.end_ms)}"
    because = {"scene": scene.index}
    picture = scene.thumbnail and scene.pk
    span = (scene.start_ms, scene.end_ms)
    return _result(episode, row, because, heading, f"Scene {scene.index + 1}", None, span, picture)


def _episode_results(query: Query, rows: Sequence[Row], episodes: dict[int, Episode]) -> list[Result]:
    pictures = _pictures(rows)
    who = Character.objects.filter(slug=query.character).first() if query.character else None
    results = []
    for row in rows:
        episode = episodes[row.episode_id]
        because = {"character": query.character, "emotion": query.emotion and str(query.emotion), **row.facts}
        why = "It fits."
        if query.emotion is not None:
            why = f"{who.name if who else 'All rated characters'}: {_share_words(str(query.emotion), row.facts)}"
        elif who is not None:
            why = f"{who.name} is visible for {row.facts['visible_ms'] / 1000:.0f} s"
        span = (0, episode.duration_ms or 0)
        results.append(
            _result(episode, row, because, episode.title, why, query.emotion, span, pictures.get(row.episode_id))
        )
    return results


def _character_results(query: Query, rows: Sequence[Row], episodes: dict[int, Episode]) -> list[Result]:
    characters = Character.objects.in_bulk([r.pk for r in rows])
    results = []
    for row in rows:
        episode, who = episodes[row.episode_id], characters[row.pk]
        facts = dict(row.facts)
        span = (facts.pop("start_ms", 0), facts.pop("end_ms", episode.duration_ms or 0))
        scene = facts.pop("scene", None)
        because = {"character": who.slug, "emotion": str(query.emotion), **facts}
        why = _share_words(str(query.emotion), facts)
        why += "; no scene stands out" if scene is None else f"; most clearly at {_clock(span[0])} of {episode.title}"
        results.append(_result(episode, row, because, who.name, why, query.emotion, span, scene))
    return results


def _share_words(emotion: str, facts: dict[str, Any]) -> str:
    return f"{emotion} in {100 * facts['low']:.0f} to {100 * facts['high']:.0f} % of the readable time"


def _result(
    episode: Episode,
    row: Row,
    because: dict[str, Any],
    heading: str,
    why: str,
    emotion: str | None,
    span: tuple[int, int],
    picture: int | str | None,
) -> Result:
    return Result(
        episode_id=episode.pk,
        episode_title=episode.title,
        series_title=episode.series.title,
        start_ms=span[0],
        end_ms=span[1],
        score=row.score,
        because=because,
        heading=heading,
        why=why,
        emotion=emotion and str(emotion),
        thumbnail_scene=int(picture) if picture else None,
        lacking=not row.enough,
    )


def _pictures(rows: Sequence[Row]) -> dict[int, int]:
    """episode -> a scene of its published run that has a picture."""
    shown = Publication.objects.filter(withdrawn_at__isnull=True, episode_id__in=[r.episode_id for r in rows])
    scenes = Scene.objects.filter(run_id__in=shown.values("run_id")).exclude(thumbnail="")
    first = scenes.order_by("run__episode_id", "index").distinct("run__episode_id")
    return dict(first.values_list("run__episode_id", "pk"))


def _clock(ms: int) -> str:
    minutes, seconds = divmod(ms // 1000, 60)
    return f"{minutes}:{seconds:02d}"
