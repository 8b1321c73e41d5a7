"""Runs and what they found, what is published of them, and what people said."""

from __future__ import annotations

from analysis.models.asking import AskedFace, FaceQuestion, FaceWord, LayerChange
from analysis.models.common import EMOTION_CHOICES
from analysis.models.finding import FaceVector, Find, FindStatus
from analysis.models.naming import CharacterExample, Naming
from analysis.models.people import SAYS_CHOICES, Certification, CertificationAnswer, Correction
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
from analysis.models.summaries import (
    CharacterSummary,
    EpisodeSummary,
    PairSummary,
    ProfileSummary,
    ShownEpisode,
    Summary,
)
from analysis.models.webhooks import Delivery, DeliveryAttempt, DeliveryStatus, Webhook, WebhookEvent
from catalog.access.models import Audit

__all__ = [
    "EMOTION_CHOICES",
    "MOST_PRIORITY",
    "SAYS_CHOICES",
    "AnalysisRun",
    "AskedFace",
    "Audit",
    "Certification",
    "CertificationAnswer",
    "CharacterExample",
    "CharacterSummary",
    "Correction",
    "Delivery",
    "DeliveryAttempt",
    "DeliveryStatus",
    "EmotionBound",
    "EmotionProfile",
    "EmotionSpan",
    "EpisodeSummary",
    "FaceDetection",
    "FaceQuestion",
    "FaceVector",
    "FaceWord",
    "Find",
    "FindStatus",
    "Lacking",
    "LayerChange",
    "ModelBundle",
    "Naming",
    "PairSummary",
    "ProfileSummary",
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
    "Webhook",
    "WebhookEvent",
    "Worker",
]
