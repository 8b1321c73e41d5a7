"""Runs a bundle over rendered episodes and compares with their truth files."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import av
import numpy as np

from ml.classify.base import UNKNOWN, FaceReading
from ml.detect.base import Face, Frame
from ml.errors import UserError
from ml.evaluate.counts import FoundFace, Pairs, TrueFace, detection_figures, emotion_figures, pair, share_error
from ml.runtime import Models
from ml.timeline import profiles
from ml.types import EMOTIONS, Box, Detection, Emotion, Shot, ShotKind

TRUTH_FORMAT = 1
NEAREST_MS = 21  # half a frame at 24 a second: how far a decoded frame may lie from the truth's time


class TruthInvalid(UserError):
    """A truth file is missing, unreadable, of another format, or does not fit its video."""

    code = "truth_invalid"


@dataclass(frozen=True, slots=True)
class TrueDrawing:
    pts_ms: int
    shown_ms: int
    faces: tuple[TrueFace, ...]


@dataclass(frozen=True, slots=True)
class EpisodeTruth:
    video: Path
    shots: tuple[Shot, ...]
    drawings: tuple[TrueDrawing, ...]
    shares: dict[str, dict[Emotion, float]]


@dataclass(frozen=True, slots=True)
class Observed:
    """One drawing as the bundle sees it."""

    faces: tuple[Face, ...]
    readings: tuple[FaceReading, ...]


def read_truth(path: Path) -> EpisodeTruth:
    """Raises TruthInvalid, naming file and reason."""
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        if table.get("format") != TRUTH_FORMAT:
            raise TruthInvalid(f"{path} has the format {table.get('format')!r}; format {TRUTH_FORMAT} is read.")
        drawings = tuple(
            TrueDrawing(d["pts_ms"], d["shown_ms"], tuple(_true_face(f) for f in d["faces"])) for d in table["drawings"]
        )
        shots = tuple(Shot(s["start_ms"], s["end_ms"], ShotKind(s["kind"])) for s in table["shots"])
        shares = {
            name: {Emotion(e): float(x) for e, x in p["shares"].items()}
            for name, p in table["profiles"].items()
            if name != UNKNOWN
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise TruthInvalid(f"The truth file {path} cannot be read: {error!r}.") from error
    video = path.with_name(path.name.removesuffix(".truth.json") + ".mp4")
    if not video.is_file():
        raise TruthInvalid(f"{path} has no video {video.name} beside it.")
    return EpisodeTruth(video, shots, drawings, shares)


def _true_face(entry: dict[str, Any]) -> TrueFace:
    x1, y1, x2, y2 = (float(v) for v in entry["box"])
    return TrueFace((x1, y1, x2, y2), entry["character"], Emotion(entry["emotion"]), bool(entry["readable"]))


def frames_at(video: Path, times_ms: Sequence[int]) -> Iterator[Frame]:
    """The frame at each of the ascending times. Raises TruthInvalid where the video has none."""
    wanted = iter(times_ms)
    due = next(wanted, None)
    with av.open(str(video)) as container:
        for frame in container.decode(video=0):
            if due is None:
                return
            if frame.pts is None or frame.time_base is None:
                continue
            if round(frame.pts * frame.time_base * 1000) >= due - NEAREST_MS:
                yield np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
                due = next(wanted, None)
    if due is not None:
        raise TruthInvalid(f"{video} has no frame at {due} ms, where its truth file has a drawing.")


def observe(
    models: Models, truth: EpisodeTruth, every: int = 1, batch: int = 8
) -> Iterator[tuple[TrueDrawing, Observed]]:
    """Every ``every``-th true drawing beside what the bundle sees in it."""
    chosen = truth.drawings[::every]
    frames = frames_at(truth.video, [d.pts_ms for d in chosen])
    for start in range(0, len(chosen), batch):
        pictures = list(islice(frames, min(batch, len(chosen) - start)))
        found = models.detector.detect(pictures)
        readings = models.read_faces(pictures, found)
        for drawing, faces, read in zip(chosen[start:], found, readings, strict=False):
            yield drawing, Observed(tuple(faces), tuple(read))


def found_faces(models: Models, seen: Observed) -> list[FoundFace]:
    result = []
    for face, reading in zip(seen.faces, seen.readings, strict=True):
        verdict = models.judge(face, reading)
        likeliest = max(reading.probabilities, key=lambda e: reading.probabilities[e])
        name = verdict.character or UNKNOWN
        result.append(FoundFace(face.box, name, face.score, verdict.emotion, likeliest, verdict.confidence))
    return result


def detections_of(models: Models, drawing: TrueDrawing, seen: Observed) -> list[Detection]:
    """As the pipeline would store them, masks left out."""
    result = []
    for face, reading in zip(seen.faces, seen.readings, strict=True):
        verdict = models.judge(face, reading)
        box: Box = face.box
        result.append(
            Detection(
                drawing.pts_ms, drawing.shown_ms, verdict.character, box, None, face.score,
                reading.probabilities, verdict.emotion, verdict.confidence,
            )
        )  # fmt: skip
    return result


def evaluate(
    models: Models, truths: Sequence[EpisodeTruth], every: int = 1, say: Callable[[str], None] = lambda _: None
) -> dict[str, Any]:
    """All figures over all episodes; ``share_error`` is measured only where every drawing is looked at."""
    drawings: list[Pairs] = []
    errors: list[float] = []
    for truth in truths:
        detections: list[Detection] = []
        here: list[Pairs] = []
        for drawing, seen in observe(models, truth, every):
            here.append(pair(drawing.faces, found_faces(models, seen)))
            detections += detections_of(models, drawing, seen)
        drawings += here
        error = None
        if every == 1:
            shares = {name: p.shares for name, p in profiles(detections, truth.shots, models.bundle.emotions).items()}
            error = share_error(truth.shares, shares, EMOTIONS)
            if error is not None:
                errors.append(error)
        figures = detection_figures(here, _names(models))
        accuracy = emotion_figures(here, EMOTIONS)["accuracy"]
        say(
            f"{truth.video.name}: {len(here)} drawings, recall {figures['recall']}, precision {figures['precision']}, "
            f"emotion accuracy {accuracy}, share error {error}"
        )
    return {
        "episodes": len(truths),
        "drawings": len(drawings),
        "detection": detection_figures(drawings, _names(models)),
        "emotion": emotion_figures(drawings, EMOTIONS),
        "share_error": round(float(np.mean(errors)), 4) if errors else None,
    }


def _names(models: Models) -> list[str]:
    return [*models.bundle.characters, UNKNOWN]
