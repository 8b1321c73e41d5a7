"""A bundle of the kind that can be adapted, with small random networks, and labelled pictures of discs."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from safetensors.torch import save_file

from ml.bundle import Bundle, Calibration, Part, Thresholds, write_bundle
from ml.classify.network import ClassifierSettings, FaceNet
from ml.classify.small_cnn import SmallCnnClassifier
from ml.data.records import Dataset, LabelledFace, LabelledImage
from ml.data.via_out import write_via
from ml.detect.mask_rcnn import MaskRcnnDetector
from ml.detect.network import DetectorSettings, build_detector
from ml.types import EMOTIONS

NAMES = ("Red", "Blue")
FEELINGS = ("happy", "sad")


def base_bundle(out: Path, detector_names: Sequence[str] = ()) -> Bundle:
    torch.manual_seed(3)
    shape = DetectorSettings(2 + len(detector_names), 64, 96, 16, 32, 1, 20, 5)
    detector = {**asdict(shape), "names": list(detector_names)}
    settings = ClassifierSettings(size=32, width=4, characters=2, halves=True)
    bundle = Bundle(
        name="tiny",
        version="2",
        licence="Apache-2.0",
        detector=Part(MaskRcnnDetector.architecture, "detector.safetensors", detector),
        classifier=Part(SmallCnnClassifier.architecture, "classifier.safetensors", asdict(settings)),
        characters={"tom": "Tom"},
        emotion_labels=tuple(map(str, EMOTIONS)),
        emotion_mapping={str(e): e for e in EMOTIONS},
        preprocessing={"crop": {"size": 32, "margin": 0.15, "outside": 0.5}},
        calibration=Calibration(),
        thresholds=Thresholds(),
        confusion={},
        metrics={},
        data={"made": "at random"},
        made={"origin": "a test"},
    )
    with tempfile.TemporaryDirectory() as folder:
        networks = {"detector.safetensors": build_detector(shape), "classifier.safetensors": FaceNet(settings)}
        weights = {name: Path(folder) / name for name in networks}
        for name, network in networks.items():
            save_file({k: v.detach().half().contiguous() for k, v in network.state_dict().items()}, weights[name])
        return write_bundle(bundle, weights, out)


def show(folder: Path, shots: int = 4, each: int = 3, empty: int = 1, polygons: bool = True) -> Dataset:
    """Pictures of one disc each, red and happy or blue and sad by turns, some with none; of different sizes."""
    folder.mkdir(parents=True, exist_ok=True)
    images = []
    for n in range(shots * each + empty):
        width, height = (160, 120) if n % 2 else (128, 96)
        frame = np.full((height, width, 3), 120, np.uint8)
        faces: Sequence[LabelledFace] = ()
        if n < shots * each:
            x, y, r = 40 + 3 * n, 40 + 2 * n, 18
            cv2.circle(frame, (x, y), r, (20, 40, 220) if n % 2 else (220, 80, 40), -1)
            faces = (_face(x, y, r, n % 2, polygons),)
        path = folder / f"{n:02d}.png"
        cv2.imwrite(str(path), frame)
        images.append(LabelledImage(path, width, height, tuple(faces), group=f"shot-{n // each}"))
    return Dataset("via", tuple(images))


def _face(x: int, y: int, r: int, kind: int, polygons: bool) -> LabelledFace:
    turns = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    outline = tuple((float(x + r * np.cos(t)), float(y + r * np.sin(t))) for t in turns)
    box = (float(x - r), float(y - r), float(x + r), float(y + r))
    return LabelledFace(box, NAMES[kind], FEELINGS[kind], (outline,) if polygons else ())


def changed(dataset: Dataset, **changes: Any) -> Dataset:
    """Every face with other fields."""
    images = [replace(i, faces=tuple(replace(f, **changes) for f in i.faces)) for i in dataset.images]
    return replace(dataset, images=tuple(images))


def labels_file(dataset: Dataset, folder: Path) -> Path:
    out = folder / "labels.json"
    write_via(dataset, out)
    assert json.loads(out.read_text())
    return out
