"""Puts trained weights together into a bundle: ``python -m ml.train.assemble calibrate|finish ...``

calibrate  weights and drawings with seeds of their own -> a bundle with temperatures, thresholds and a gallery of the
           cast, figures still empty
finish     that bundle and measured figures (a JSON object of named figures) -> the bundle to ship
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import save_file
from safetensors.torch import load_file

from ml.adapt.whose import fit_gallery
from ml.bundle import Bundle, Calibration, Part, Thresholds, read_bundle, write_bundle
from ml.classify.base import UNKNOWN
from ml.classify.network import FaceNet
from ml.classify.small_cnn import SmallCnnClassifier
from ml.detect.mask_rcnn import MaskRcnnDetector
from ml.detect.network import DetectorSettings, build_detector
from ml.evaluate.calibration import fit_temperature
from ml.evaluate.labels import is_ignored
from ml.evaluate.sources import pictures_of, truth_dataset, truth_files
from ml.face import CropSettings, segmented_face
from ml.masks import decode_mask
from ml.render.crop import as_detected
from ml.render.frameset import SampleFace
from ml.render.parts import PARTS
from ml.train.calibrate import FoundScore, fit_rest, fit_scores, found_scores, outputs_of
from ml.train.classifier import network_settings, write_classifier
from ml.train.settings import ClassifierTraining, DetectorTraining, read_settings
from ml.train.store import Crops, read_crops, read_shard, shards
from ml.types import Emotion

LICENCE = "Apache-2.0"
ORIGIN = (
    "Both backbones started from MobileNetV2 trained on ImageNet-1k: tf2_mobilenet_v2_1.0_224_ptq.tflite of "
    "google-coral/test_data, commit 104342d2, Apache-2.0; weights dequantised, batch-norm statistics re-estimated. "
    "Everything else was trained from scratch on pictures drawn by ml/render."
)
FAINT = 0.02  # raw score from which a found face is looked at for calibration
LONE, TRACKED = 0.4, 0.25  # calibrated scores: of a face alone, and of one within a track (ml.bundle.Thresholds)
NAMES = 0.8  # least probability of a character by the classifier's head
UNCLEAR = 0.4
NMS = 0.4


def calibrate(args: argparse.Namespace) -> int:
    torch.set_num_threads(args.threads)
    detector_settings = read_settings(DetectorTraining, args.detector_config)
    classifier_settings = read_settings(ClassifierTraining, args.classifier_config)
    crop = CropSettings(**classifier_settings.crop)
    pictures = [p for shard in shards([args.pictures]) for p in read_shard(shard)]
    crops = joined([read_crops(path) for path in shards([args.crops])])
    detector, shape = load_detector(args.detector, detector_settings)
    scores, faces = found_scores(detector, pictures)
    temperature, bias = fit_scores(scores)
    _say(f"{len(pictures)} pictures, {faces} faces: score temperature {temperature}, bias {bias}")
    _say(reliability(scores, temperature, bias))
    classifier = load_classifier(args.classifier, classifier_settings)
    films = episode_crops(args.episodes, crop)
    logits, known_emotions = outputs_of(classifier, films)[0], numbers(films.emotions, classifier_settings.emotions)
    rest = classifier_settings.emotions.index(str(Emotion.NEUTRAL))
    shift = fit_rest(logits, known_emotions, rest)
    with torch.no_grad():
        classifier.network.emotion.bias[rest] += shift
    _say(f"{len(films.emotions)} faces of whole episodes: neutral {shift:+} logits")
    _, characters, embeddings = outputs_of(classifier, crops)
    seen = joined([crops, films])
    calibration = Calibration(
        emotion_temperature=_temperature(outputs_of(classifier, seen)[0], seen.emotions, classifier_settings.emotions),
        character_temperature=_temperature(characters, crops.characters, (*classifier_settings.characters, UNKNOWN)),
        face_temperature=temperature,
        face_bias=bias,
    )
    known = np.array([c != UNKNOWN for c in crops.characters])
    groups = [str(n // 4) for n in range(len(crops.characters))]
    gallery = fit_gallery(
        embeddings[known][:, None],
        [c for c in crops.characters if c != UNKNOWN],
        [g for g, k in zip(groups, known, strict=True) if k],
        embeddings[~known],
    )
    _say(
        f"{len(known)} crops: {asdict(calibration)}; gallery {gallery.right} right, {gallery.strangers} strangers named"
    )
    bundle = Bundle(
        name=args.name,
        version=args.version,
        licence=LICENCE,
        detector=Part(MaskRcnnDetector.architecture, "detector.safetensors", {**asdict(shape), "names": []}),
        classifier=Part(
            SmallCnnClassifier.architecture, "classifier.safetensors", asdict(network_settings(classifier_settings))
        ),
        gallery=Part("gallery", "gallery.safetensors", gallery.settings),
        characters={slug: slug.capitalize() for slug in classifier_settings.characters},
        emotion_labels=classifier_settings.emotions,
        emotion_mapping={label: Emotion(label) for label in classifier_settings.emotions},
        preprocessing={"crop": asdict(crop), "colour": "RGB"},
        calibration=calibration,
        thresholds=Thresholds(LONE, NMS, NAMES, NAMES, UNCLEAR, TRACKED),
        confusion={},
        metrics={},
        data={
            "detector": data_digest(args.detector_data),
            "classifier": data_digest(args.classifier_data),
            "calibration": {"pictures": data_digest(args.pictures), "crops": data_digest(args.crops)},
        },
        made={
            "how": "python -m ml train detector|classifier, python -m ml.train.assemble",
            "renderer": args.renderer,
            "origin": ORIGIN,
            "detector": asdict(replace(detector_settings, data="", start="")),
            "classifier": asdict(replace(classifier_settings, data="", start="")),
            "neutral_shift": shift,
        },
    )
    with tempfile.TemporaryDirectory() as folder:
        rows = Path(folder) / "gallery.safetensors"
        save_file({"embeddings": gallery.rows.astype(np.float16)}, rows)
        reader = write_classifier(classifier.network, Path(folder))
        weights = {"detector.safetensors": args.detector, reader.name: reader, rows.name: rows}
        _say(f"wrote {write_bundle(bundle, weights, args.out).path}")
    return 0


def finish(args: argparse.Namespace) -> int:
    """The same networks and thresholds with their measured figures."""
    bundle = read_bundle(args.bundle)
    figures = json.loads(args.figures.read_text(encoding="utf-8"))
    confusion = figures.pop("confusion", {})
    finished = replace(bundle, confusion=confusion, metrics=figures)
    weights = {name: bundle.path / name for name in bundle.files if bundle.path}
    _say(f"wrote {write_bundle(finished, weights, args.out).path}")
    return 0


def load_detector(weights: Path, settings: DetectorTraining) -> tuple[MaskRcnnDetector, DetectorSettings]:
    shape = DetectorSettings.of({**settings.network, "classes": len(settings.characters) + 2})
    network = build_detector(shape)
    network.load_state_dict({k: v.float() for k, v in load_file(weights).items()})
    low = Thresholds(detection=FAINT, nms=NMS)
    return MaskRcnnDetector(network, shape, settings.characters, low, Calibration()), shape


def load_classifier(weights: Sequence[Path], settings: ClassifierTraining) -> SmallCnnClassifier:
    """The mean of the weights at several points of one training (Izmailov et al. 2018); one point: those weights."""
    shape = network_settings(settings)
    network = FaceNet(shape)
    points = [load_file(path) for path in weights]
    network.load_state_dict({k: torch.stack([p[k].float() for p in points]).mean(0) for k in points[0]})
    mapping = {label: Emotion(label) for label in settings.emotions}
    return SmallCnnClassifier(network, shape, mapping, settings.characters)


def episode_crops(folder: Path, settings: CropSettings) -> Crops:
    """Every readable face of rendered episodes, cut a little wrong; nobody's in particular."""
    rng = np.random.default_rng(5)
    dataset = truth_dataset(truth_files(folder))
    cut = []
    for image, frame in pictures_of(dataset, dataset.images):
        for face in image.faces:
            if face.emotion and face.mask is not None and not is_ignored(face):
                sample = SampleFace(UNKNOWN, face.box, decode_mask(face.mask), Emotion(face.emotion), 1.0, True)
                cut.append((segmented_face(frame, as_detected(rng, sample), settings), face.emotion))
    return Crops(
        np.stack([picture for picture, _ in cut]),
        (UNKNOWN,) * len(cut),
        tuple(emotion for _, emotion in cut),
        np.full(len(cut), -1, np.int64),
        np.full((len(cut), len(PARTS)), np.nan, np.float32),
    )


def joined(parts: Sequence[Crops]) -> Crops:
    return Crops(
        np.concatenate([p.pictures for p in parts]),
        tuple(c for p in parts for c in p.characters),
        tuple(e for p in parts for e in p.emotions),
        np.concatenate([p.identities for p in parts]),
        np.concatenate([p.parts for p in parts]),
    )


def numbers(words: Sequence[str], classes: Sequence[str]) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.array([classes.index(word) for word in words], np.int64)


def _temperature(logits: np.ndarray[Any, np.dtype[np.float64]], words: Sequence[str], classes: Sequence[str]) -> float:
    known = [i for i, word in enumerate(words) if word in classes]
    return fit_temperature(logits[known], np.array([classes.index(words[i]) for i in known], np.int64))


def reliability(scores: Sequence[FoundScore], temperature: float, bias: float) -> str:
    """Share of right ones among found faces, by tenths of the calibrated score."""
    p = 1 / (1 + np.exp(-(np.array([s.odds for s in scores]) - bias) / temperature))
    right = np.array([s.right for s in scores])
    cells = []
    for tenth in range(10):
        chosen = (p >= tenth / 10) & (p < (tenth + 1) / 10 + (tenth == 9))
        cells.append(f"{right[chosen].mean():.2f} ({chosen.sum()})" if chosen.any() else "-")
    return "right by tenths of the score: " + "  ".join(cells)


def data_digest(folder: Path) -> dict[str, Any]:
    """Number of shards and a SHA-256 over their names and contents."""
    digest = hashlib.sha256()
    files = shards([folder])
    for path in files:
        with path.open("rb") as stream:
            digest.update(f"{path.name} {hashlib.file_digest(stream, 'sha256').hexdigest()}\n".encode())
    return {"shards": len(files), "sha256": digest.hexdigest()}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m ml.train.assemble", description=__doc__)
    kinds = parser.add_subparsers(required=True)
    first = kinds.add_parser("calibrate")
    first.set_defaults(run=calibrate)
    for name in ("detector", "detector-config", "classifier-config", "out"):
        first.add_argument(f"--{name}", type=Path, required=True)
    first.add_argument("--classifier", type=Path, nargs="+", required=True, help="several of one training: their mean")
    for name in ("pictures", "crops"):
        first.add_argument(f"--{name}", type=Path, required=True, help="shards with seeds that nothing was trained on")
    first.add_argument("--episodes", type=Path, required=True, help="rendered episodes that nothing was trained on")
    for name in ("detector-data", "classifier-data"):
        first.add_argument(f"--{name}", type=Path, required=True, help="what it was trained on, for the digest")
    first.add_argument("--renderer", default="", help="which version of the renderer drew the training data")
    first.add_argument("--name", default="toonemo")
    first.add_argument("--version", default="2")
    first.add_argument("--threads", type=int, default=1)
    second = kinds.add_parser("finish")
    second.set_defaults(run=finish)
    for name in ("bundle", "figures", "out"):
        second.add_argument(f"--{name}", type=Path, required=True)
    args = parser.parse_args(arguments)
    return int(args.run(args))


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
