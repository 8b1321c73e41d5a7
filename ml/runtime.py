"""Loads a bundle onto a device. The one place that chooses a device; torch is imported only when models are loaded."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ml.bundle import Bundle, read_bundle
from ml.classify.base import NOTHING_READ, Classifier, Crop, FaceReading
from ml.classify.naming import Verdict, judge
from ml.detect.base import Detector, Face, Frame
from ml.errors import BundleInvalid, DeviceMissing
from ml.face import PAPER_CROP, CropSettings, segmented_face
from ml.gallery import Gallery


@dataclass(frozen=True, slots=True)
class Models:
    """A bundle, ready to use. ``classifier`` None: no emotion is modelled. ``device``: as torch names it."""

    bundle: Bundle
    detector: Detector
    classifier: Classifier | None
    crop: CropSettings
    device: str
    gallery: Gallery | None = None

    def read_faces(self, frames: Sequence[Frame], faces: Sequence[Sequence[Face]]) -> list[list[FaceReading]]:
        """Crops every face as the bundle was trained on and classifies all of them at once."""
        if self.classifier is None:
            return [[NOTHING_READ] * len(of_frame) for of_frame in faces]
        crops = [
            segmented_face(frame, face, self.crop)
            for frame, of_frame in zip(frames, faces, strict=True)
            for face in of_frame
        ]
        readings = iter(self.read_crops(crops))
        return [[next(readings) for _ in of_frame] for of_frame in faces]

    def read_crops(self, crops: Sequence[Crop]) -> list[FaceReading]:
        """One reading per crop; empty ones where there is no classifier: nothing is modelled."""
        return [NOTHING_READ] * len(crops) if self.classifier is None else self.classifier.classify(crops)

    def judge(self, face: Face, reading: FaceReading) -> Verdict:
        """Who it is and what it shows, by the bundle's thresholds."""
        names = bool(self.bundle.named_by(self.bundle.detector))
        return judge(face, reading, self.bundle.thresholds, self.gallery, detector_names=names)


def load_models(bundle_dir: str | Path, device: str = "auto") -> Models:
    """``device``: ``auto`` (a GPU where there is one), ``cpu``, ``cuda`` or ``cuda:N``.

    Raises BundleMissing, BundleInvalid, or DeviceMissing: a GPU that was asked for is never silently replaced.
    """
    bundle = read_bundle(bundle_dir)
    return models_of(bundle, choose_device(device))


def choose_device(asked: str) -> str:
    if asked == "cpu":
        return "cpu"
    if asked != "auto" and not re.fullmatch(r"cuda(:\d+)?", asked):
        raise DeviceMissing(f"The device {asked!r} is not known; auto, cpu, cuda or cuda:N are.")
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if asked == "auto":
        return "cuda:0" if count else "cpu"
    index = int(asked.partition(":")[2] or 0)
    if index >= count:
        raise DeviceMissing(f"The device {asked} was asked for, but this machine has {count} usable GPUs.")
    return f"cuda:{index}"


def models_of(bundle: Bundle, device: str) -> Models:
    from ml.classify.registry import classifier_of
    from ml.detect.registry import detector_of

    classifier = classifier_of(bundle, device)
    crop = PAPER_CROP if classifier is None else crop_settings(bundle)
    return Models(bundle, detector_of(bundle, device), classifier, crop, device, gallery_of(bundle))


def gallery_of(bundle: Bundle) -> Gallery | None:
    """Raises BundleInvalid where the file does not hold what the bundle says."""
    if bundle.gallery is None:
        return None
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    path = bundle.weights(bundle.gallery)
    try:
        embeddings = load_file(path)["embeddings"].astype(np.float32)
        return Gallery.of(embeddings, bundle.gallery.settings)
    except (SafetensorError, KeyError, TypeError, ValueError, IndexError) as error:
        raise BundleInvalid(f"{path} does not hold the examples of a gallery: {error}.") from error


def crop_settings(bundle: Bundle) -> CropSettings:
    table = bundle.preprocessing.get("crop", {})
    try:
        return CropSettings(int(table["size"]), float(table["margin"]), float(table["outside"]))
    except (KeyError, TypeError, ValueError) as error:
        raise BundleInvalid(f"The bundle's preprocessing.crop is incomplete: {error}.") from error
