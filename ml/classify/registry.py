"""Which classifiers there are: the architecture that a bundle names to the code behind it, imported when asked for."""

from __future__ import annotations

from ml.bundle import Bundle
from ml.classify.base import Classifier
from ml.detect.registry import resolve
from ml.errors import BundleInvalid

_ZOO = "ml.classify.torchvision_zoo:ZooClassifier"
# architecture -> "module:Class"; the class has ``of_bundle(bundle, device) -> Classifier``
CLASSIFIERS: dict[str, str] = {
    "small_cnn": "ml.classify.small_cnn:SmallCnnClassifier",
    **dict.fromkeys(("vgg16", "inception_v3", "resnet50", "mobilenet_v2", "googlenet", "hill_cnn"), _ZOO),
}


def classifier_of(bundle: Bundle, device: str) -> Classifier | None:
    """None where the bundle has none. Raises BundleInvalid for an unknown architecture or weights that do not fit."""
    if bundle.classifier is None:
        return None
    entry = CLASSIFIERS.get(bundle.classifier.architecture)
    if entry is None:
        raise BundleInvalid(f"The bundle's classifier {bundle.classifier.architecture!r} is not known to this version.")
    classifier: Classifier = resolve(entry).of_bundle(bundle, device)
    return classifier
