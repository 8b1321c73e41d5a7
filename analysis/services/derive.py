"""What follows from a run's faces: shots, tracks, scenes, scores and profiles, as rows that are not saved yet.

``derived_rewrite`` saves them; ``audit_run`` compares them with what was saved. Arithmetic is in ``ml.timeline`` and
``analysis.ratings``; here is only what goes into it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.conf import settings

from analysis import ratings
from analysis.models import (
    AnalysisRun,
    EmotionBound,
    EmotionProfile,
    EmotionSpan,
    FaceQuestion,
    RunBound,
    Scene,
    SceneEmotion,
    Segment,
    SegmentStatus,
    Shot,
    Track,
)
from analysis.samples import MOST_OUTSIDE, Sample, outside_share
from analysis.services.bounds import bounds_of, run_bounds_of
from analysis.services.material import Material, material_of, members_of, readings_of
from analysis.services.questions import questions_of
from catalog.models import Character
from ml import timeline
from ml.types import Emotion, ShotKind


@dataclass(frozen=True, slots=True)
class Derived:
    """Rows in the order in which they are saved. ``members``: per track, the ids of its faces; ``best``: of one each.

    ``readings``: what the rows were made from, by the slug of the character. ``layer``: digest of what people said.
    """

    shots: list[Shot]
    tracks: list[Track]
    members: list[list[int]]
    best: list[int]
    scenes: list[Scene]
    scene_emotions: list[SceneEmotion]
    spans: list[EmotionSpan]
    profiles: list[EmotionProfile]
    bounds: list[EmotionBound]
    run_bounds: list[RunBound]
    questions: list[FaceQuestion]
    strangers: float
    readings: Mapping[str, ratings.Readings]
    layer: str


def derive(
    run: AnalysisRun, segments: Sequence[Segment], peers: Mapping[int, Sequence[ratings.Peer]] | None = None
) -> Derived:
    """``peers``: per character (by id), the other episodes that its baseline is made from."""
    material, checks = material_of(run, segments)
    characters = {c.slug: c.pk for c in Character.objects.all()}
    shots = [
        Shot(run=run, index=i, start_ms=s.start_ms, end_ms=s.end_ms, kind=str(s.kind))
        for i, s in enumerate(material.shots)
    ]
    by_character = members_of(material)
    readings = {slug: readings_of(material, members) for slug, members in by_character.items()}
    scenes = _scenes(run, material)
    profiles = _profiles(run, scenes, material, by_character, readings, characters, peers or {}, checks)
    strangers = _strangers(material)
    partial = any(s.status == SegmentStatus.FAILED for s in segments)
    bounds = bounds_of(run, profiles, partial=partial)
    return Derived(
        shots=shots,
        tracks=_tracks(run, material, shots, characters),
        members=[[material.ids[i] for i in t.members] for t in material.tracks],
        best=[material.ids[t.best] for t in material.tracks],
        scenes=scenes,
        scene_emotions=_scene_emotions(run, scenes, material, by_character, readings, characters),
        spans=_spans(run, scenes, readings, characters),
        profiles=profiles,
        bounds=bounds,
        run_bounds=run_bounds_of(run, bounds, partial=partial, strangers=strangers),
        questions=questions_of(run, material, by_character, readings, profiles, characters),
        strangers=strangers,
        readings=readings,
        layer=material.layer.digest,
    )


def evidence_needed() -> ratings.Needed:
    """The least evidence for a rating, as the settings have it."""
    return ratings.Needed(
        readable_ms=round(1000 * settings.TOONEMO_ENOUGH_READABLE_S),
        shots=settings.TOONEMO_ENOUGH_SHOTS,
        half_width=settings.TOONEMO_ENOUGH_HALF_WIDTH,
    )


def _tracks(run: AnalysisRun, material: Material, shots: Sequence[Shot], characters: Mapping[str, int]) -> list[Track]:
    return [
        Track(
            run=run,
            shot=shots[t.shot],
            character_id=None if t.character is None else characters[t.character],
            index=t.index,
            start_ms=t.start_ms,
            end_ms=t.end_ms,
        )
        for t in material.tracks
    ]


def _strangers(material: Material) -> float:
    """The share of the time of all faces of the story that belongs to nobody known; 0 where there is no face."""
    known, unknown = 0, 0
    for track in material.tracks:
        if material.shots[track.shot].kind is ShotKind.STORY:
            shown = sum(material.faces[i].shown_ms for i in track.members)
            known, unknown = (known, unknown + shown) if track.character is None else (known + shown, unknown)
    return unknown / (known + unknown) if unknown else 0.0


def _scenes(run: AnalysisRun, material: Material) -> list[Scene]:
    casts: list[set[str]] = [set() for _ in material.shots]
    for track in material.tracks:
        if track.character is not None:
            casts[track.shot].add(track.character)
    groups = timeline.group_scenes(material.shots, [frozenset(cast) for cast in casts])
    return [
        Scene(run=run, index=i, start_ms=material.shots[a].start_ms, end_ms=material.shots[b].end_ms)
        for i, (a, b) in enumerate(groups)
    ]


def _scene_emotions(
    run: AnalysisRun,
    scenes: Sequence[Scene],
    material: Material,
    by_character: Mapping[str, list[int]],
    readings: Mapping[str, ratings.Readings],
    characters: Mapping[str, int],
) -> list[SceneEmotion]:
    rows = []
    for slug, members in by_character.items():
        whole = readings[slug]
        point = ratings.shares(whole)
        baselines = {e: float(x) for e, x in zip(whole.emotions, point, strict=True)}
        for scene in scenes:
            faces = (material.faces[i] for i in members)
            visible = sum(f.shown_ms for f in faces if scene.start_ms <= f.pts_ms < scene.end_ms)
            inside = whole.between(scene.start_ms, scene.end_ms)
            for emotion, score in ratings.score_scene(inside, visible, baselines).items():
                rows.append(_scene_emotion(run, scene, characters[slug], emotion, score))
    return rows


def _scene_emotion(
    run: AnalysisRun, scene: Scene, character_id: int, emotion: Emotion, score: ratings.SceneScore
) -> SceneEmotion:
    return SceneEmotion(
        scene=scene,
        run=run,
        character_id=character_id,
        emotion=str(emotion),
        visible_ms=score.visible_ms,
        readable_ms=score.readable_ms,
        share=score.share,
        baseline=min(1.0, max(0.0, score.baseline)),
        score=score.score,
        best_start_ms=None if score.best is None else score.best.start_ms,
        best_end_ms=None if score.best is None else score.best.end_ms,
    )


def _spans(
    run: AnalysisRun, scenes: Sequence[Scene], readings: Mapping[str, ratings.Readings], characters: Mapping[str, int]
) -> list[EmotionSpan]:
    """A span lies within one shot, so within one scene; scenes follow one another without a gap."""
    starts = [scene.start_ms for scene in scenes]
    return [
        EmotionSpan(
            run=run,
            scene=scenes[bisect_right(starts, span.start_ms) - 1],
            character_id=characters[slug],
            emotion=str(emotion),
            start_ms=span.start_ms,
            end_ms=span.end_ms,
            strength=min(1.0, span.strength),
        )
        for slug, read in readings.items()
        for emotion in read.emotions
        for span in ratings.emotion_spans(read, emotion)
    ]


def _profiles(
    run: AnalysisRun,
    scenes: Sequence[Scene],
    material: Material,
    by_character: Mapping[str, list[int]],
    readings: Mapping[str, ratings.Readings],
    characters: Mapping[str, int],
    peers: Mapping[int, Sequence[ratings.Peer]],
    checks: Mapping[str, ratings.Checks],
) -> list[EmotionProfile]:
    confusion = ratings.confusion_of_card(run.bundle.card, material.emotions)
    needed = evidence_needed()
    story_end_ms = max((s.end_ms for s in material.shots if s.kind is ShotKind.STORY), default=0)
    told = ratings.reactions(readings, [(s.start_ms, s.end_ms) for s in scenes])
    rows = []
    for slug, members in by_character.items():
        others = peers.get(characters[slug], ())
        rating = ratings.rate_character(
            readings[slug],
            confusion=confusion,
            baseline=ratings.baseline_of(others),
            needed=needed,
            checks=checked if (checked := checks.get(slug)) and outside_share(checked) <= MOST_OUTSIDE else None,
            story_end_ms=story_end_ms,
        )
        rows.append(
            EmotionProfile(
                run=run,
                character_id=characters[slug],
                visible_ms=sum(material.faces[i].shown_ms for i in members),
                readable_ms=rating.readable_ms,
                drawings=rating.drawings,
                shots=rating.shots,
                enough=rating.enough,
                shares={str(e): _share(r) for e, r in rating.emotions.items()} if rating.readable_ms else {},
                details={
                    **_details(rating, needed, others, [r for r in told if r.who == slug]),
                    **_told(readings[slug], rating, checks.get(slug), material.layer.sample(slug)),
                },
            )
        )
    return rows


def _told(
    readings: ratings.Readings,
    rating: ratings.CharacterRating,
    checks: ratings.Checks | None,
    sample: Sample | None,
) -> dict[str, Any]:
    """What people had part in; empty where nobody had. ``applied`` False: too much lies outside of what was drawn, or
    the run sees the character in none of the checked shots (``checks`` None).
    """
    found: dict[str, Any] = {"known_ms": readings.known_ms} if readings.known_ms else {}
    if sample is not None:
        found["checked"] = {
            "certification": sample.number,
            "shots": len(sample.picked),
            "of": len(sample.frame),
            "people": len(sample.people),
            "outside": 1.0 if checks is None else outside_share(checks),
            "applied": rating.unchecked is not None,
            "wider": rating.wider,
            "power": rating.power,
            "unchecked": {str(e): list(bounds) for e, bounds in (rating.unchecked or {}).items()},
        }
    return found


def _share(rating: ratings.EmotionRating) -> dict[str, Any]:
    longest, peak = rating.longest, rating.peak
    return {
        "share": rating.share,
        "low": rating.low,
        "high": rating.high,
        "raw": rating.raw,
        "corrected": rating.corrected,
        "baseline": rating.baseline,
        "runs_per_minute": rating.runs_per_minute,
        "longest_ms": 0 if longest is None else longest.end_ms - longest.start_ms,
        "peak_start_ms": None if peak is None else peak.start_ms,
        "peak_end_ms": None if peak is None else peak.end_ms,
    }


def _details(
    rating: ratings.CharacterRating,
    needed: ratings.Needed,
    others: Sequence[ratings.Peer],
    told: Sequence[ratings.Reaction],
) -> dict[str, Any]:
    ending = rating.ending
    return {
        "worth": rating.worth,
        "bias_corrected": rating.bias_corrected,
        "needed": asdict(needed),
        "basis": {"runs": sorted(p.run_id for p in others), "strength": rating.strength},
        "ending": None
        if ending is None
        else {
            "start_ms": ending.start_ms,
            "end_ms": ending.end_ms,
            "readable_ms": ending.readable_ms,
            "shares": {str(e): x for e, x in ending.shares.items()},
            "emotion": None if ending.emotion is None else str(ending.emotion),
        },
        "reactions": [
            {
                "to": r.to,
                "emotion": str(r.emotion),
                "times": r.times,
                "of": r.of,
                "by_chance": r.by_chance,
                "p": r.p,
                "at_ms": list(r.at_ms),
            }
            for r in told
        ],
    }
