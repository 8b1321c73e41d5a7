"""Small video files and stand-ins for networks, made on the spot for tests of the pipeline."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from ml.bundle import Bundle, Calibration, Part, Thresholds
from ml.classify.base import Crop, FaceReading
from ml.detect.base import Face, Frame
from ml.face import CropSettings
from ml.runtime import Models
from ml.types import EMOTIONS, Emotion

DATA = Path(os.environ.get("TOONEMO_TEST_DATA", Path(__file__).parents[3] / "shared" / "data"))
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"no test data at {DATA} (TOONEMO_TEST_DATA)")
Picture = NDArray[np.uint8]


def scene(shift: int = 0, mouth: int = 0, *, width: int = 192, height: int = 144, hue: int = 0) -> Picture:
    """A wall with a window, a round head at ``shift`` pixels from its place, a mouth open by ``mouth`` pixels."""
    y, x = np.mgrid[:height, :width]
    picture = np.empty((height, width, 3), np.uint8)
    picture[:] = ((70 + hue) % 256, (110 + 2 * hue) % 256, (160 + 3 * hue) % 256)
    picture[20:60, 120:170] = (230, 230, 180)
    picture[height - 30 :] = (90, 60, 40)
    head = (x - 60 - shift) ** 2 + (y - 70) ** 2 < 30**2
    picture[head] = (250, 200, 60)
    for eye in (48, 72):
        picture[(x - eye - shift) ** 2 + (y - 60) ** 2 < 5**2] = 0
    picture[84 : 88 + mouth, 48 + shift : 72 + shift] = (140, 20, 30)
    return picture


def film(
    path: Path,
    pictures: Sequence[Picture],
    times_ms: Sequence[int] | None = None,
    *,
    fps: int = 24,
    codec: str = "libx264",
    options: dict[str, str] | None = None,
    sound: bool = False,
) -> Path:
    """``times_ms``: of each frame; without them ``fps`` frames a second, exactly."""
    height, width = pictures[0].shape[:2]
    container_name = {".mp4": "mp4", ".mkv": "matroska", ".webm": "webm", ".avi": "avi", ".ts": "mpegts"}[path.suffix]
    base = Fraction(1, fps) if times_ms is None else Fraction(1, 1000)
    settings = {"crf": "16", "bf": "0", "preset": "ultrafast", "g": "12"} if codec == "libx264" else {}
    with av.open(str(path), "w", format=container_name) as container:
        stream: Any = container.add_stream(codec, rate=fps, options={**settings, **(options or {})})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.time_base = base
        if sound:
            add_sound(container)
        for i, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = (i if times_ms is None else times_ms[i]), base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def add_sound(container: Any, seconds: float = 0.5) -> None:
    stream = container.add_stream("aac", rate=16000)
    for i in range(int(seconds * 16000 / 1024) + 1):
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 16000, i * 1024, Fraction(1, 16000)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def sound_only(path: Path) -> Path:
    with av.open(str(path), "w", format="mp4") as container:
        add_sound(container)
    return path


class StandInDetector:
    """Test double: reports the bright yellow head of ``scene`` where there is one, and how it was called."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    def detect(self, frames: Sequence[Frame]) -> list[list[Face]]:
        self.batches.append(len(frames))
        return [self._one(frame) for frame in frames]

    def _one(self, frame: Frame) -> list[Face]:
        rgb = frame.astype(int)
        head = (rgb[..., 0] > 200) & (rgb[..., 1] > 150) & (rgb[..., 2] < 120)
        if head.sum() < 200:
            return []
        rows, columns = np.flatnonzero(head.any(axis=1)), np.flatnonzero(head.any(axis=0))
        y1, y2, x1, x2 = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
        box = (float(x1), float(y1), float(x2), float(y2))
        return [Face(box, head[y1:y2, x1:x2], (int(x1), int(y1)), "pip", 0.9)]


class StandInClassifier:
    """Test double: an open mouth (dark red in the lower half of the crop) is surprised, else neutral."""

    crop_size = 64

    def classify(self, crops: Sequence[Crop]) -> list[FaceReading]:
        return [self._one(crop) for crop in crops]

    def _one(self, crop: Crop) -> FaceReading:
        rgb = crop.astype(int)
        red = ((rgb[..., 0] > 90) & (rgb[..., 1] < 80) & (rgb[..., 2] < 90)).mean()
        probabilities = dict.fromkeys(EMOTIONS, 0.02)
        probabilities[Emotion.SURPRISED if red > 0.08 else Emotion.NEUTRAL] = 0.88
        return FaceReading(probabilities, {"pip": 0.9, "unknown": 0.1}, tuple([1.0] + [0.0] * 127))


def stand_in_models() -> Models:
    part = Part("stand-in", "none.safetensors")
    bundle = Bundle(
        name="stand",
        version="1",
        licence="none",
        detector=part,
        classifier=part,
        characters={"pip": "Pip"},
        emotion_labels=tuple(str(e) for e in EMOTIONS),
        emotion_mapping={str(e): e for e in EMOTIONS},
        preprocessing={},
        calibration=Calibration(),
        thresholds=Thresholds(),
        confusion={},
        metrics={},
        data={},
        made={},
        digest="0" * 64,
    )
    crop = CropSettings(size=64, outside=1.0)
    return Models(bundle, StandInDetector(), StandInClassifier(), crop, "cpu")


def models_without_classifier() -> Models:
    """The same detector in a bundle that models no emotion."""
    models = stand_in_models()
    bundle = replace(models.bundle, classifier=None, emotion_labels=(), emotion_mapping={})
    return replace(models, bundle=bundle, classifier=None)
