"""What the patterns page shows: every component in every state, from objects that are never saved."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from analysis.models import AnalysisRun, EmotionProfile, ModelBundle, RunStatus, Scene, Shot
from analysis.ratings.across import EpisodeShare, Piece, arc, pool
from analysis.search.results import Result
from analysis.selectors.characters import Arc, CharacterAcross, EmotionAcross, Exceptional
from analysis.selectors.episodes import EpisodeCard
from analysis.selectors.profiles import EmotionShare, Rating, follows_of, glance_of, rating_of
from analysis.selectors.runs import RunProgress
from analysis.selectors.scenes import Moment, SceneCard
from analysis.selectors.timelines import Lane, LaneSpan, Timeline
from catalog.models import Character, Episode, Series, SourceFile
from ml.types import EMOTIONS, Emotion

SHARES = (0.38, 0.14, 0.22, 0.12, 0.08, 0.01, 0.05)
LONG_TITLE = "The extraordinarily long and winding title of an episode 猫とネズミ <b>with markup</b> & an ampersand"


def _episode(pk: int, title: str) -> Episode:
    source = SourceFile(duration_ms=412_000)
    return Episode(pk=pk, series=Series(pk=1, title="Sample series", slug="sample"), title=title, identity="S01E01",
                   number=1, source=source)  # fmt: skip


def _character(name: str, colour: str) -> Character:
    return Character(pk=1, slug=name.lower(), name=name, colour=colour)


def _rating(name: str, colour: str, *, readable_ms: int, enough: bool, shots: int, width: float = 0.06) -> Rating:
    shares = {
        str(e): {
            "share": s,
            "low": max(0.0, s - width),
            "high": min(1.0, s + width),
            "raw": s,
            "corrected": s + (0.04 if s > 0.3 else 0.0),
            "baseline": 0.3,
            "runs_per_minute": 2.0,
            "longest_ms": int(9_000 * s),
            "peak_start_ms": 61_000,
            "peak_end_ms": 63_000,
        }
        for e, s in zip(EMOTIONS, SHARES, strict=True)
    }
    profile = EmotionProfile(
        pk=1,
        run_id=1,
        character=_character(name, colour),
        visible_ms=readable_ms + 4_000,
        readable_ms=readable_ms,
        drawings=readable_ms // 125,
        shots=shots,
        enough=enough,
        shares=shares if readable_ms else {},
        details=_details() if readable_ms else {},
    )
    return rating_of(profile)


def _details() -> dict[str, Any]:
    ending = {"start_ms": 370_000, "end_ms": 400_000, "readable_ms": 12_000, "shares": {"happy": 0.8}}
    told = {"to": "tom", "emotion": "scared", "times": 7, "of": 9, "by_chance": 1.6, "p": 0.004, "at_ms": [61_000]}
    return {
        "bias_corrected": True,
        "basis": {"runs": [3, 5, 8, 13], "strength": 11.0},
        "ending": {**ending, "emotion": "happy"},
        "reactions": [told],
        "known_ms": 12_000,
        "checked": {"shots": 20, "of": 63, "people": 1, "applied": True, "wider": False, "power": 0.93},
    }


def _run(pk: int, status: str, **values: Any) -> AnalysisRun:
    bundle = ModelBundle(pk=1, name="toonemo", version="1", digest="0" * 64, characters=["tom"], emotions=EMOTIONS)
    return AnalysisRun(pk=pk, episode=_episode(1, "The cheese"), bundle=bundle, status=status, **values)


def _progress(run: AnalysisRun, done_ms: int, left_s: float | None) -> RunProgress:
    rate = 2.4 if done_ms else None
    return RunProgress(
        run.pk, run.status, run.partial, 412_000, done_ms, done_ms // 125, done_ms // 80, 7, 3, 0, 1, rate, left_s
    )


def _runs() -> list[tuple[AnalysisRun, RunProgress | None]]:
    damaged = {"error_code": "video_damaged", "error_detail": "cheese.mp4 cannot be read past 1:00."}
    queued, running = _run(1, RunStatus.QUEUED), _run(2, RunStatus.RUNNING)
    succeeded, partial = _run(3, RunStatus.SUCCEEDED), _run(4, RunStatus.SUCCEEDED, partial=True, **damaged)
    failed, cancelled = _run(5, RunStatus.FAILED, **damaged), _run(6, RunStatus.CANCELLED)
    return [
        (queued, _progress(queued, 0, None)),
        (running, _progress(running, 170_000, 101.0)),
        (succeeded, _progress(succeeded, 412_000, None)),
        (partial, _progress(partial, 352_000, None)),
        (failed, None),
        (cancelled, None),
    ]


def _timeline() -> Timeline:
    spans = tuple(LaneSpan(4_000 * i, 4_000 * i + 3_200, str(e), 0.8) for i, e in enumerate([*EMOTIONS, "unclear"]))
    shots = tuple(
        Shot(index=i, start_ms=6_000 * i, end_ms=6_000 * (i + 1), kind=kind)
        for i, kind in enumerate(["title", "story", "story", "black", "story", "credits"])
    )
    tom = Lane(_character("Tom", "#8a8f98"), spans, 25_600, 204)
    nobody = Lane(None, (LaneSpan(14_000, 17_000, "unclear", 0.3), LaneSpan(20_000, 21_500, "happy", 0.7)), 4_500, 36)
    return Timeline(36_000, shots, (tom, nobody))


def _result(heading: str, **values: Any) -> Result:
    return Result(1, "The cheese", "Sample series", 61_000, 72_000, 0.52, {}, heading, **values)


def _across(name: str, colour: str, means: tuple[float, ...]) -> CharacterAcross:
    """Happy and angry in seven episodes, one of them an exception; a line that rises."""
    titles = ["The cheese", "The nap", "The visit", "The storm", "The map", "The race", LONG_TITLE]
    episodes = tuple(_episode(pk, title) for pk, title in enumerate(titles, 1))
    emotions = []
    for emotion, mean in zip((Emotion.HAPPY, Emotion.ANGRY), means, strict=True):
        shares = [mean + 0.02 * (i % 3) for i in range(6)] + [0.95 if emotion is Emotion.HAPPY else 0.0]
        rows = tuple(EpisodeShare(i, s, max(0.0, s - 0.07), min(1.0, s + 0.07), 30.0) for i, s in enumerate(shares, 1))
        emotions.append(EmotionAcross(emotion, pool(rows), rows))
    exceptions = tuple(
        Exceptional(episodes[pk - 1], e.emotion, e.episodes[pk - 1], e.episodes[pk - 1].share > e.across.share)
        for e in emotions
        for pk in e.across.exceptions
    )
    line = arc([[Piece(i / 10, (i + 1) / 10, 1_000, 0.1 + 0.07 * i + 0.05 * n) for i in range(9)] for n in range(4)])
    arcs = (Arc(Emotion.HAPPY, line), Arc(Emotion.ANGRY, line[::-1]))
    return CharacterAcross(_character(name, colour), "toonemo-1", episodes, 1, 2, tuple(emotions), exceptions, arcs)


def components() -> dict[str, Any]:
    """Everything that ``patterns.html`` needs, by name."""
    rated = _rating("Tom", "#8a8f98", readable_ms=94_000, enough=True, shots=21)
    short = _rating("Jerry", "#a8703c", readable_ms=7_000, enough=False, shots=3, width=0.22)
    blank = _rating("Pip", "#f2c230", readable_ms=0, enough=False, shots=0)
    run = _run(1, RunStatus.SUCCEEDED)
    failed = _run(5, RunStatus.FAILED)
    long = _episode(1, LONG_TITLE)
    plain = _episode(2, "The cheese")
    scene = Scene(pk=None, index=0, start_ms=61_000, end_ms=84_000)
    moments = (Moment(rated.character, "angry", 0.62, 0.41, 9_000), Moment(short.character, "happy", 0.9, 0.6, 4_000))
    return {
        "cards": [
            EpisodeCard(long, run, None, None, (rated, short), glance_of([rated, short])),
            EpisodeCard(plain, run, None, None, (short,), glance_of([short])),
            EpisodeCard(plain, run, None, None, (), glance_of([])),
            EpisodeCard(plain, None, failed, None, (), glance_of([])),
            EpisodeCard(plain, None, None, None, (), glance_of([])),
        ],
        "ratings": [rated, short, blank],
        "across": _across("Tom", "#8a8f98", (0.3, 0.4)),
        "compared": [_across("Tom", "#8a8f98", (0.3, 0.4)), _across("Jerry", "#a8703c", (0.6, 0.1))],
        "endings": [rated, replace(short, ending=replace(short.ending, emotion=None) if short.ending else None)],
        "follows": follows_of([rated, short])[:1],
        "rows": _runs(),
        "timeline": _timeline(),
        "scenes": [SceneCard(scene, moments), SceneCard(scene, ())],
        "episode": plain,
        "results": [
            _result("1:01 to 1:12", why="Jerry looks happy in 90 % of 9.0 s readable", emotion="happy",
                    thumbnail_scene=None),
            _result("The cheese", why="Tom: angry in 3 to 48 % of the readable time", emotion="angry",
                    thumbnail_scene=None, lacking=True),
        ],
    }  # fmt: skip


def levels() -> list[EmotionShare]:
    return [
        EmotionShare(e, s, max(0.0, s - 0.07), s + 0.07, 1.0, 900, 0, 900)
        for e, s in zip(EMOTIONS, SHARES, strict=True)
    ]
