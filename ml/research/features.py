"""What a frozen network tells of faces: features, logits, parts; kept on disk, as ideas read them again and again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from ml.bundle import read_bundle
from ml.classify.network import ClassifierSettings, FaceNet
from ml.classify.small_cnn import SmallCnnClassifier
from ml.errors import BundleInvalid
from ml.train.starting import load_start
from ml.types import EMOTIONS

BATCH = 64
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
Floats = NDArray[np.float64]
Pictures = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Features:
    """Of N faces. ``features``: (N, D), what the heads look at. ``logits``: (N, 7), at temperature 1, in the order of
    EMOTIONS. ``parts``: (N, P); P is 0 where the network has no such head.
    """

    features: Floats
    logits: Floats
    parts: Floats

    def chosen(self, which: NDArray[np.bool_] | NDArray[np.int64]) -> Features:
        return Features(*(getattr(self, f.name)[which] for f in fields(self)))


@dataclass(frozen=True, slots=True)
class Head:
    """A linear reader of features: logits are ``features @ weight.T + bias``. (7, D) and (7,)."""

    weight: Floats
    bias: Floats

    def __call__(self, features: Floats) -> Floats:
        return features @ self.weight.T + self.bias


@dataclass(frozen=True, slots=True)
class Reader:
    """A network and its own emotion head. ``name``: of the bundle, with the first letters of its weights' digest."""

    name: str
    head: Head
    temperature: float
    read: Callable[[Pictures], Features]


def bundle_reader(path: Path) -> Reader:
    """Raises BundleMissing, or BundleInvalid where the bundle's classifier is not one with open features."""
    bundle = read_bundle(path)
    if bundle.classifier is None or bundle.classifier.architecture != SmallCnnClassifier.architecture:
        raise BundleInvalid(f"The bundle {bundle.name}-{bundle.version} has no classifier whose features can be read.")
    if [bundle.emotion_mapping[label] for label in bundle.emotion_labels] != list(EMOTIONS):
        raise BundleInvalid(f"The bundle {bundle.name}-{bundle.version} does not tell the seven emotions in order.")
    classifier = SmallCnnClassifier.of_bundle(bundle, "cpu")
    layer = classifier.network.emotion
    head = Head(_array(layer.weight), _array(layer.bias))
    size = classifier.crop_size

    def read(crops: Pictures) -> Features:
        outputs = classifier.outputs([resized(c, size) for c in crops])
        return Features(_array(outputs.features), _array(outputs.emotion), _array(outputs.parts))

    digest = hashlib.sha256(bundle.weights(bundle.classifier).read_bytes()).hexdigest()
    name = f"{bundle.name}-{bundle.version}-{digest[:8]}"
    return Reader(name, head, bundle.calibration.emotion_temperature, read)


def imagenet_reader(weights: Path, size: int = 96) -> Reader:
    """MobileNetV2 as ImageNet left it, pooled after the same two blocks as ours; its head says nothing."""
    network = FaceNet(ClassifierSettings(size=size, backbone="mobilenet_v2", characters=0)).eval()
    load_start(network, weights)
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (IMAGENET_MEAN, IMAGENET_STD))

    @torch.inference_mode()
    def read(crops: Pictures) -> Features:
        batch = torch.from_numpy(np.stack([resized(c, size) for c in crops])).permute(0, 3, 1, 2)
        pooled = _array(network.pooled((batch.float() / 255 - mean) / std))
        return Features(pooled, np.zeros((len(pooled), len(EMOTIONS))), pooled[:, :0])

    width = network.emotion.in_features
    return Reader("imagenet", Head(np.zeros((len(EMOTIONS), width)), np.zeros(len(EMOTIONS))), 1.0, read)


def read_all(reader: Reader, crops: Pictures, cache: Path | None = None) -> Features:
    """Of all crops, in batches. ``cache``: a file that is read where it is there, and written where it is not."""
    if cache is not None and cache.is_file():
        with np.load(cache, allow_pickle=False) as archive:
            found = Features(*(np.asarray(archive[f.name], np.float64) for f in fields(Features)))
        if len(found.features) == len(crops):
            return found
    several = [reader.read(crops[i : i + BATCH]) for i in range(0, len(crops), BATCH)]
    found = Features(*(np.concatenate([getattr(s, f.name) for s in several]) for f in fields(Features)))
    if cache is not None:
        temporary = cache.with_suffix(".part")
        with temporary.open("wb") as stream:
            np.savez(stream, **{f.name: getattr(found, f.name).astype(np.float32) for f in fields(Features)})
        temporary.replace(cache)
    return found


def resized(crop: Pictures, size: int) -> Pictures:
    if crop.shape[0] == size:
        return crop
    return np.asarray(cv2.resize(crop, (size, size), interpolation=cv2.INTER_AREA), np.uint8)


def _array(tensor: torch.Tensor) -> Floats:
    return np.asarray(tensor.detach().double().cpu().numpy(), np.float64)
