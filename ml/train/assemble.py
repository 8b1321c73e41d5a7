"""Puts trained weights together into a bundle: ``python -m ml.train.assemble calibrate|finish ...``

calibrate  weights and held-out pictures -> a bundle with temperatures and thresholds, figures still empty
finish     that bundle and the figures of ``python -m ml evaluate --json`` -> the bundle to ship
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file

from ml.bundle import Bundle, Calibration, Part, Thresholds, read_bundle, write_bundle
from ml.classify.base import UNKNOWN
from ml.classify.network import ClassifierSettings, FaceNet
from ml.classify.small_cnn import SmallCnnClassifier
from ml.detect.mask_rcnn import MaskRcnnDetector
from ml.detect.network import DetectorSettings, build_detector
from ml.face import CropSettings
from ml.train.calibrate import Evidence, collect, detection_threshold, fit_temperature, naming_rates
from ml.train.classifier import network_settings
from ml.train.settings import ClassifierTraining, DetectorTraining, read_settings
from ml.train.store import read_shard, shards
from ml.types import Emotion

LICENCE = "Apache-2.0"
ORIGIN = (
    "Backbone started from MobileNetV2 trained on ImageNet-1k: tf2_mobilenet_v2_1.0_224_ptq.tflite of "
    "google-coral/test_data, commit 104342d2, Apache-2.0; weights dequantised. Everything else trained from scratch on "
    "pictures drawn by ml/render."
)
PRECISION = 0.93  # of found faces on held-out pictures, half of them wild
FALSE_NAMES = 0.003  # share of strangers' faces that may get a name on held-out pictures
NAMING = (0.8, 0.85, 0.9, 0.94, 0.97)  # tried in turn; milder ones are not for drawings unlike the rendered ones
UNCLEAR = 0.4


def calibrate(args: argparse.Namespace) -> int:
    torch.set_num_threads(args.threads)
    detector_settings = read_settings(DetectorTraining, args.detector_config)
    classifier_settings = read_settings(ClassifierTraining, args.classifier_config)
    characters = detector_settings.characters
    crop = CropSettings(**classifier_settings.crop)
    low = Thresholds(detection=0.2, name_detector=0.0, name_classifier=0.0)
    detector, network = load_detector(args.detector, detector_settings, low)
    classifier, face_settings = load_classifier(args.classifier, classifier_settings)
    stored = [picture for shard in shards(args.held_out) for picture in read_shard(shard)]
    pictures = stored[:: max(1, -(-len(stored) // args.pictures))]
    faces = sum(len(p.faces) for p in pictures)
    evidence = collect(detector, classifier, crop, pictures)
    calibration = _temperatures(evidence, characters, classifier_settings.emotions)
    thresholds = _thresholds(evidence, characters, calibration)
    _say(f"{len(pictures)} pictures, {faces} faces: {asdict(calibration)} {asdict(thresholds)}")
    data = {
        "training": {
            "detector": data_digest([Path(f) for f in args.detector_data]),
            "classifier": data_digest([Path(f) for f in args.classifier_data]),
        },
        "calibration": {"pictures": len(pictures), "faces": faces, **data_digest(args.held_out)},
    }
    made = {
        "how": "python -m ml.train.gather, python -m ml train, python -m ml.train.assemble",
        "origin": ORIGIN,
        "detector": asdict(replace(detector_settings, data=(), start="")),
        "classifier": asdict(replace(classifier_settings, data=())),
    }
    bundle = Bundle(
        name=args.name,
        version=args.version,
        licence=LICENCE,
        detector=Part(MaskRcnnDetector.architecture, "detector.safetensors", asdict(network)),
        classifier=Part(SmallCnnClassifier.architecture, "classifier.safetensors", asdict(face_settings)),
        characters={slug: slug.capitalize() for slug in characters},
        emotion_labels=classifier_settings.emotions,
        emotion_mapping={label: Emotion(label) for label in classifier_settings.emotions},
        preprocessing={"crop": asdict(crop), "colour": "RGB"},
        calibration=calibration,
        thresholds=thresholds,
        confusion={},
        metrics={},
        data=data,
        made=made,
    )
    weights = {"detector.safetensors": args.detector, "classifier.safetensors": args.classifier}
    _say(f"wrote {write_bundle(bundle, weights, args.out).path}")
    return 0


def finish(args: argparse.Namespace) -> int:
    """The same networks and thresholds with their measured figures; refuses figures of another bundle."""
    bundle = read_bundle(args.bundle)
    figures = json.loads(args.figures.read_text(encoding="utf-8"))
    if figures["digest"] != bundle.digest:
        raise SystemExit(f"{args.figures} was measured on another bundle than {args.bundle}.")
    measured = {k: v for k, v in figures.items() if k not in ("format", "bundle", "digest")}
    extra = json.loads(args.extra.read_text(encoding="utf-8")) if args.extra else {}
    finished = replace(
        bundle,
        confusion={
            "emotions": measured["emotion"].pop("confusion"),
            "characters": measured["detection"].pop("names"),
        },
        metrics={"rendered_episodes_held_out": measured, **extra},
    )
    weights = {name: bundle.path / name for name in ("detector.safetensors", "classifier.safetensors") if bundle.path}
    _say(f"wrote {write_bundle(finished, weights, args.out).path}")
    return 0


def load_detector(
    weights: Path, settings: DetectorTraining, thresholds: Thresholds
) -> tuple[MaskRcnnDetector, DetectorSettings]:
    shape = DetectorSettings.of({**settings.network, "classes": len(settings.characters) + 2})
    network = build_detector(shape)
    network.load_state_dict({k: v.float() for k, v in load_file(weights).items()})
    return MaskRcnnDetector(network, shape, settings.characters, thresholds, Calibration()), shape


def load_classifier(weights: Path, settings: ClassifierTraining) -> tuple[SmallCnnClassifier, ClassifierSettings]:
    shape = network_settings(settings)
    network = FaceNet(shape)
    network.load_state_dict({k: v.float() for k, v in load_file(weights).items()})
    mapping = {label: Emotion(label) for label in settings.emotions}
    return SmallCnnClassifier(network, shape, mapping, settings.characters), shape


def _temperatures(evidence: Sequence[Evidence], characters: Sequence[str], emotions: Sequence[str]) -> Calibration:
    read = [e for e in evidence if e.emotion]
    named = [e for e in evidence if e.truth]
    names = (*characters, UNKNOWN)
    return Calibration(
        emotion_temperature=fit_temperature(
            np.stack([e.emotions for e in read]), np.array([emotions.index(e.emotion) for e in read], np.int64)
        ),
        character_temperature=fit_temperature(
            np.stack([e.names for e in named]), np.array([names.index(e.truth) for e in named], np.int64)
        ),
    )


def _thresholds(evidence: Sequence[Evidence], characters: Sequence[str], calibration: Calibration) -> Thresholds:
    """The mildest naming thresholds that keep false names under FALSE_NAMES, the strictest tried where none does."""
    detection = detection_threshold(evidence, PRECISION)
    least = NAMING[0]
    for least in NAMING:
        right, false = naming_rates(evidence, characters, calibration.character_temperature, (detection, least, least))
        _say(f"naming from {least}: cast named {right:.4f}, strangers named {false:.4f}")
        if false <= FALSE_NAMES:
            break
    return Thresholds(detection=detection, name_detector=least, name_classifier=least, unclear=UNCLEAR)


def data_digest(folders: Sequence[Path]) -> dict[str, Any]:
    """Number of shards and a SHA-256 over their names and contents."""
    digest = hashlib.sha256()
    files = shards(folders)
    for path in files:
        with path.open("rb") as stream:
            digest.update(f"{path.name} {hashlib.file_digest(stream, 'sha256').hexdigest()}\n".encode())
    return {"shards": len(files), "sha256": digest.hexdigest()}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m ml.train.assemble", description=__doc__)
    kinds = parser.add_subparsers(required=True)
    first = kinds.add_parser("calibrate")
    first.set_defaults(run=calibrate)
    for name in ("detector", "classifier", "detector-config", "classifier-config", "out"):
        first.add_argument(f"--{name}", type=Path, required=True)
    first.add_argument("--held-out", type=Path, nargs="+", required=True, help="shards that nothing was trained on")
    first.add_argument("--detector-data", nargs="*", default=[])
    first.add_argument("--classifier-data", nargs="*", default=[])
    first.add_argument("--name", default="toonemo")
    first.add_argument("--version", default="1")
    first.add_argument("--pictures", type=int, default=2000)
    first.add_argument("--threads", type=int, default=1)
    second = kinds.add_parser("finish")
    second.set_defaults(run=finish)
    for name in ("bundle", "figures", "out"):
        second.add_argument(f"--{name}", type=Path, required=True)
    second.add_argument("--extra", type=Path, help="more measured figures, a JSON object")
    args = parser.parse_args(arguments)
    return int(args.run(args))


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
