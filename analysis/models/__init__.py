"""Runs and what they found, what is published of them, and what people said."""

from __future__ import annotations

from analysis.models.common import EMOTION_CHOICES
from analysis.models.finding import FaceVector, Find, FindStatus
from analysis.models.people import SAYS_CHOICES, Audit, Certification, CertificationAnswer, Correction
from analysis.models.queue import (
    MOST_PRIORITY,
    Queue,
    QueueName,
    RunEvent,
    RunEventKind,
    RunPace,
    RunPicture,
    Worker,
)
from analysis.models.ratings import EmotionBound, EmotionProfile, Lacking, RunBound, RunFeatures
from analysis.models.results import EmotionSpan, FaceDetection, Scene, SceneEmotion, Shot, Track
from analysis.models.runs import AnalysisRun, ModelBundle, Publication, RunStatus, Segment, SegmentStatus
from analysis.models.summaries import CharacterSummary, EpisodeSummary, ShownEpisode, Summary

__all__ = [
    "EMOTION_CHOICES",
    "MOST_PRIORITY",
    "SAYS_CHOICES",
    "AnalysisRun",
    "Audit",
    "Certification",
    "CertificationAnswer",
    "CharacterSummary",
    "Correction",
    "EmotionBound",
    "EmotionProfile",
    "EmotionSpan",
    "EpisodeSummary",
    "FaceDetection",
    "FaceVector",
    "Find",
    "FindStatus",
    "Lacking",
    "ModelBundle",
    "Publication",
    "Queue",
    "QueueName",
    "RunBound",
    "RunEvent",
    "RunEventKind",
    "RunFeatures",
    "RunPace",
    "RunPicture",
    "RunStatus",
    "Scene",
    "SceneEmotion",
    "Segment",
    "SegmentStatus",
    "Shot",
    "ShownEpisode",
    "Summary",
    "Track",
    "Worker",
]
