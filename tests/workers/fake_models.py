"""Models for tests of workers: faces are coloured blobs, what they show is their colour. Deterministic, and no network.

``load`` has the signature of ``ml.runtime.load_models``; ``TOONEMO_MODEL_LOADER`` names it. The environment says how
slow it is (``FAKE_MS_PER_DRAWING``) and where it breaks (``FAKE_BREAKS_AT``, a number of drawings).
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ml.bundle import Bundle, Calibration, Part, Thresholds
from ml.classify.base import Crop, FaceReading
from ml.detect.base import Face, Frame
from ml.errors import ModelOutputInvalid
from ml.face import CropSettings
from ml.runtime import Models
from ml.types import EMBEDDING_SIZE, EMOTIONS

DIGEST = "f" * 64
CHARACTERS = {"tom": "Tom", "jerry": "Jerry"}
CHANNELS: tuple[tuple[int, str | None], ...] = ((0, "tom"), (1, "jerry"), (2, None))  # red, green, blue


def load(bundle_dir: Path, device: str) -> Models:
    return Models(_bundle(), BlobDetector(), ColourClassifier(), CropSettings(size=16, outside=1.0), "cpu")


def _bundle() -> Bundle:
    labels = tuple(str(e) for e in EMOTIONS)
    return Bundle(
        name="fake",
        version="1",
        licence="Apache-2.0",
        detector=Part("blobs", "detector.safetensors"),
        classifier=Part("colours", "classifier.safetensors"),
        characters=CHARACTERS,
        emotion_labels=labels,
        emotion_mapping=dict(zip(labels, EMOTIONS, strict=True)),
        preprocessing={"crop": {"size": 16, "margin": 0.0, "outside": 1.0}},
        calibration=Calibration(),
        thresholds=Thresholds(unclear=0.2),
        confusion={},
        metrics={},
        data={},
        made={},
        digest=DIGEST,
    )


class BlobDetector:
    """One face per colour channel that somewhere is bright while the other two are dark."""

    def __init__(self) -> None:
        self._seconds = float(os.environ.get("FAKE_MS_PER_DRAWING", "0")) / 1000
        self._breaks_at = int(os.environ.get("FAKE_BREAKS_AT", "0"))
        self._seen = 0

    def detect(self, frames: Sequence[Frame]) -> list[list[Face]]:
        time.sleep(self._seconds * len(frames))
        self._seen += len(frames)
        if self._breaks_at and self._seen >= self._breaks_at:
            raise ModelOutputInvalid("The detector gave a number that is not finite.")
        return [_blobs(frame) for frame in frames]


def _blobs(frame: Frame) -> list[Face]:
    faces = []
    for channel, character in CHANNELS:
        others = [c for c in range(3) if c != channel]
        mask = (frame[:, :, channel] > 120) & (frame[:, :, others].max(axis=2) < 80)
        if mask.sum() < 60:
            continue
        ys, xs = np.nonzero(mask)
        x1, y1, x2, y2 = int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1
        patch: NDArray[np.bool_] = mask[y1:y2, x1:x2]
        box = (float(x1), float(y1), float(x2), float(y2))
        score = 0.5 + float(patch.mean()) / 2
        faces.append(Face(box, patch, (x1, y1), character, score))
    return sorted(faces, key=lambda f: -f.score)


class ColourClassifier:
    crop_size = 16

    def classify(self, crops: Sequence[Crop]) -> list[FaceReading]:
        return [_reading(crop) for crop in crops]


def _reading(crop: Crop) -> FaceReading:
    mean = crop.reshape(-1, 3).mean(axis=0)
    channel = int(mean.argmax())
    who = CHANNELS[channel][1] or "unknown"
    brightness = float(mean[channel])
    weights = np.array([1.0 / (1.0 + abs(brightness - 110.0 - 20.0 * i)) for i in range(len(EMOTIONS))])
    weights /= weights.sum()
    embedding = tuple(float(v) for v in np.resize(crop.astype(np.float64).ravel() / 255.0, EMBEDDING_SIZE))
    return FaceReading({e: float(w) for e, w in zip(EMOTIONS, weights, strict=True)}, {who: 1.0}, embedding)
