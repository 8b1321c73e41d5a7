"""What the pipeline hands over, as frozen dataclasses. Imports neither torch nor numpy.

Units, everywhere: time is presentation time (PTS) in integer milliseconds; pixels are those of the decoded picture;
a box is (x1, y1, x2, y2) with exclusive right and lower edges; scores and probabilities lie in [0, 1].
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

RESULT_FORMAT = 1
EMBEDDING_SIZE = 128  # numbers in a face embedding; a classifier of another width projects to it
UNCLEAR = "unclear"


class Emotion(StrEnum):
    """The canonical emotions: what a drawing portrays."""

    HAPPY = "happy"
    SAD = "sad"
    ANGRY = "angry"
    SURPRISED = "surprised"
    SCARED = "scared"
    DISGUSTED = "disgusted"
    NEUTRAL = "neutral"


EMOTIONS: tuple[Emotion, ...] = tuple(Emotion)


class ShotKind(StrEnum):
    STORY = "story"
    TITLE = "title"
    CREDITS = "credits"
    BLACK = "black"


Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Mask:
    """A binary mask of a whole picture as COCO run-length encoding (the compressed string form)."""

    size: tuple[int, int]  # height, width
    counts: str


@dataclass(frozen=True, slots=True)
class VideoInfo:
    width: int
    height: int
    duration_ms: int  # end of the last frame
    frames: int  # frames that decode, never the container's claim
    sha256: str


@dataclass(frozen=True, slots=True)
class BundleRef:
    name: str
    version: str
    digest: str


@dataclass(frozen=True, slots=True)
class Shot:
    start_ms: int
    end_ms: int
    kind: ShotKind = ShotKind.STORY


@dataclass(frozen=True, slots=True)
class Detection:
    """One face of one distinct drawing. ``character`` None: a face of nobody the bundle knows.

    ``emotions`` holds only what the bundle can express; a missing emotion is *not modelled*, never 0.
    ``emotion`` None means unclear. ``embedding`` has EMBEDDING_SIZE numbers, or is empty.
    """

    pts_ms: int
    shown_ms: int
    character: str | None
    box: Box
    mask: Mask | None
    score: float
    emotions: Mapping[Emotion, float]
    emotion: Emotion | None
    confidence: float
    embedding: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Profile:
    """One character in one episode: time visible, and the share of that time that each emotion takes."""

    visible_ms: int
    shares: Mapping[Emotion, float]


@dataclass(frozen=True, slots=True)
class SegmentResult:
    """What one pass over the content in [start_ms, end_ms) found.

    ``cuts_ms``: starts of new shots inside the segment (start_ms itself only where a cut falls there).
    ``kinds``: (start_ms, end_ms, kind) stretches that are not story: black, title and credit cards.
    ``frames``: frames decoded inside the segment. ``drawings``: distinct ones analysed, without the one that
    began in the segment before, so that the sum over an episode counts none twice.
    """

    start_ms: int
    end_ms: int
    frames: int
    drawings: int
    cuts_ms: tuple[int, ...]
    kinds: tuple[Shot, ...]
    detections: tuple[Detection, ...]
    timings: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Progress:
    """Said while a segment is analysed. ``done_ms`` counts from the segment's start."""

    done_ms: int
    total_ms: int
    drawings: int
    faces: int


@dataclass(frozen=True, slots=True)
class EpisodeResult:
    video: VideoInfo
    bundle: BundleRef
    shots: tuple[Shot, ...]
    detections: tuple[Detection, ...]
    profiles: Mapping[str, Profile]
    timings: Mapping[str, float]

    def to_json(self) -> dict[str, Any]:
        """The documented result file, format 1 (docs/formats.md)."""
        return {
            "format": RESULT_FORMAT,
            "video": asdict(self.video),
            "bundle": asdict(self.bundle),
            "emotions": [str(e) for e in EMOTIONS],
            "shots": [{"start_ms": s.start_ms, "end_ms": s.end_ms, "kind": str(s.kind)} for s in self.shots],
            "detections": [_detection_json(d) for d in self.detections],
            "profiles": {
                name: {"visible_ms": p.visible_ms, "shares": {str(e): round(x, 6) for e, x in p.shares.items()}}
                for name, p in self.profiles.items()
            },
            "timings": {stage: round(seconds, 4) for stage, seconds in self.timings.items()},
        }


def _detection_json(d: Detection) -> dict[str, Any]:
    return {
        "pts_ms": d.pts_ms,
        "shown_ms": d.shown_ms,
        "character": d.character,
        "box": [round(v, 2) for v in d.box],
        "mask": None if d.mask is None else {"size": list(d.mask.size), "counts": d.mask.counts},
        "score": round(d.score, 4),
        "emotions": {str(e): round(p, 4) for e, p in d.emotions.items()},
        "emotion": UNCLEAR if d.emotion is None else str(d.emotion),
        "confidence": round(d.confidence, 4),
    }
