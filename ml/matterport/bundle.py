"""A bundle from a Matterport weight file: converted weights, what its classes mean, how its pictures are prepared."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from safetensors.numpy import load_file, save_file

from ml.bundle import Bundle, Calibration, Part, Thresholds, read_bundle, write_bundle
from ml.detect.matterport_picture import Preparation
from ml.errors import BundleInvalid, OutputUnwritable, WeightsInvalid
from ml.matterport.convert import Weights, read_weights

ARCHITECTURE = "matterport_mask_rcnn"
LICENCE = "unknown: as the owner of the weights states"
DETECTOR_FILE, CLASSIFIER_FILE = "detector.safetensors", "classifier.safetensors"
NAME_HEAD = ("character.", "character_proxies.")  # of small_cnn


@dataclass(frozen=True, slots=True)
class ImportSettings:
    """``characters``: slugs of the classes in the weights' order, background left out; empty: class-1, class-2 ...

    ``least_score``, ``nms``, ``faces``: as in ml.detect.matterport.Limits. ``classifier_from``: a bundle that lends its
    classifier; without one no emotion is modelled.
    """

    characters: tuple[str, ...] = ()
    preparation: Preparation = field(default_factory=Preparation)
    least_score: float = 0.9
    nms: float = 0.3
    faces: int = 100
    classifier_from: str = ""
    licence: str = LICENCE


def import_weights(source: Path, out: Path, settings: ImportSettings) -> Bundle:
    """Writes the bundle ``out``, called NAME-VERSION like its folder; it must not exist.

    Raises WeightsInvalid for the weights, BundleInvalid for settings that fit no bundle, OutputUnwritable for ``out``.
    """
    if out.exists():
        raise OutputUnwritable(f"The bundle is not written to {out}: that exists; a bundle never changes.")
    name, _, version = out.name.rpartition("-")
    lender = read_bundle(settings.classifier_from) if settings.classifier_from else None
    weights = read_weights(source)
    characters = class_names(settings.characters, weights.shape.classes, source)
    shape = asdict(weights.shape)
    del shape["classes"]  # that many as there are names
    bundle = Bundle(
        name=name or version,
        version=version if name else "1",
        licence=settings.licence,
        detector=Part(ARCHITECTURE, DETECTOR_FILE, {**shape, "names": list(characters), "faces": settings.faces}),
        classifier=None,
        characters={slug: slug.replace("-", " ").title() for slug in characters},
        emotion_labels=(),
        emotion_mapping={},
        preprocessing={"picture": asdict(settings.preparation), "colour": "RGB"},
        calibration=Calibration(),
        thresholds=Thresholds(settings.least_score, settings.nms, name_detector=0.0, name_classifier=0.0),
        confusion={},
        metrics={},
        data={},
        made={"how": "python -m ml import-matterport", "weights": _described(source)},
    )
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{out.name}-parts-", dir=out.parent))
    except OSError as error:
        raise OutputUnwritable(f"The bundle cannot be written to {out}: {error.strerror}.") from error
    try:
        files = {DETECTOR_FILE: _saved(weights, temporary / DETECTOR_FILE)}
        if lender is not None:
            bundle = _lent(bundle, lender, temporary / CLASSIFIER_FILE)
            files[CLASSIFIER_FILE] = temporary / CLASSIFIER_FILE
        return write_bundle(bundle, files, out)
    except OSError as error:
        raise OutputUnwritable(f"The bundle cannot be written to {out}: {error.strerror}.") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def class_names(given: Sequence[str], classes: int, source: Path) -> tuple[str, ...]:
    """Raises WeightsInvalid where the weights have another number of classes; BundleInvalid for a name twice."""
    if not given:
        return tuple(f"class-{n}" for n in range(1, classes))
    if len(given) != classes - 1:
        raise WeightsInvalid(
            f"{source} tells {classes - 1} classes of faces apart, background left out; {len(given)} names were given."
        )
    if len(set(given)) != len(given) or not all(given):
        raise BundleInvalid(f"The characters {', '.join(given)} are not as many different names.")
    return tuple(given)


def _lent(bundle: Bundle, lender: Bundle, file: Path) -> Bundle:
    """With the classifier of ``lender`` for what faces show. Who they are stays with the detector alone.

    Writes the classifier's weights to ``file``, without its head for characters where it has one.
    """
    part = lender.classifier
    if part is None or part.more_files:
        raise BundleInvalid(f"The bundle {lender.name}-{lender.version} has no classifier to lend.")
    settings: Mapping[str, Any] = part.settings
    if part.architecture == "small_cnn" and lender.named_by(part):
        tensors = load_file(lender.weights(part))
        save_file({name: t for name, t in tensors.items() if not name.startswith(NAME_HEAD)}, file)
        settings = {**settings, "characters": 0, "names": []}
    else:
        shutil.copyfile(lender.weights(part), file)
    return replace(
        bundle,
        classifier=Part(part.architecture, CLASSIFIER_FILE, settings),
        emotion_labels=lender.emotion_labels,
        emotion_mapping=lender.emotion_mapping,
        preprocessing={**lender.preprocessing, **bundle.preprocessing},
        calibration=replace(lender.calibration, detector_temperature=1.0),
        thresholds=replace(bundle.thresholds, unclear=lender.thresholds.unclear),
        made={**bundle.made, "classifier_from": asdict(lender.ref)},
    )


def _saved(weights: Weights, path: Path) -> Path:
    save_file(dict(weights.tensors), path)
    return path


def _described(source: Path) -> dict[str, Any]:
    with source.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return {"file": source.name, "sha256": digest, "bytes": source.stat().st_size}
