"""From finished runs to a model bundle: of a detector, of a classifier, or of one with another bundle's network."""

from __future__ import annotations

import json
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file

from ml.bundle import DEFAULT_BUNDLE, Bundle, Calibration, Part, Thresholds, read_bundle, write_bundle
from ml.evaluate.labels import canonical_emotion
from ml.face import CropSettings
from ml.train.crops import UNKNOWN
from ml.train.recipes import ClassifierPart, DetectorPart, Recipe, recipe_of
from ml.train.settings import SettingsInvalid
from ml.types import Emotion

LICENCE = "as the pictures it was trained on allow"
RENDERED_LICENCE = "Apache-2.0"
CLASSIFIER_FILE = "classifier.safetensors"


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """``facts``: run.json. ``evaluation``: evaluation.json."""

    folder: Path
    recipe: Recipe
    facts: Mapping[str, Any]
    evaluation: Mapping[str, Any]

    @property
    def weights(self) -> Path:
        return self.folder / "weights.safetensors"


def read_run(folder: Path) -> FinishedRun:
    """Raises SettingsInvalid where the folder holds no finished run."""
    try:
        table = tomllib.loads((folder / "config.toml").read_text(encoding="utf-8"))
        facts = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        evaluation = json.loads((folder / "evaluation.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsInvalid(f"{folder} holds no finished run: {error}.") from error
    return FinishedRun(folder, recipe_of(table, facts["recipe"], str(folder)), facts, evaluation)


def bundle_of_runs(finished: Sequence[FinishedRun], out: Path, partner: str = "") -> Bundle:
    """Writes ``out``, weights in half precision. A network that no run has comes from ``partner``, another bundle.

    Raises SettingsInvalid for runs that do not fit together or in a bundle, FileExistsError where ``out`` exists.
    """
    runs: dict[str, FinishedRun] = {}
    for run in finished:
        if run.facts["part"] in runs:
            raise SettingsInvalid(f"A bundle is made of one run; {run.folder.name} is one of several variants.")
        runs[run.facts["part"]] = run
    other = read_bundle(partner or DEFAULT_BUNDLE) if partner or "detector" not in runs else None
    with tempfile.TemporaryDirectory() as place:
        detector, files = _detector(runs.get("detector"), other, Path(place))
        bundle = _bundle(runs, other, detector)
        if (reader := runs.get("classifier")) is not None:
            files[CLASSIFIER_FILE] = _halved(reader.weights, Path(place) / CLASSIFIER_FILE)
        elif other is not None and other.classifier is not None and bundle.classifier is not None:
            files |= {name: other.weights(other.classifier, name) for name in bundle.classifier.files}
        return write_bundle(bundle, files, out)


def _detector(run: FinishedRun | None, other: Bundle | None, place: Path) -> tuple[Part, dict[str, Path]]:
    if run is None:
        assert other is not None
        return other.detector, {name: other.weights(other.detector, name) for name in other.detector.files}
    part = run.recipe.detector
    assert part is not None
    settings = {**run.facts["network"], "names": [name for name in run.facts["classes"] if name != UNKNOWN]}
    made = Part(part.architecture, "detector.safetensors", settings)
    return made, {made.file: _halved(run.weights, place / made.file)}


def _bundle(runs: Mapping[str, FinishedRun], other: Bundle | None, detector: Part) -> Bundle:
    first = next(iter(runs.values()))
    run = runs.get("classifier")
    names = [name for r in runs.values() for name in _names(r)]
    characters = {name: name.capitalize() for name in dict.fromkeys(names)}
    if other is not None:
        characters = {**other.characters, **characters}
        if "names" not in detector.settings and other.detector is detector:
            detector = replace(detector, settings={**detector.settings, "names": list(other.characters)})
    calibration, thresholds = _judged(runs, other)
    drawn = all("rendered" in r.facts["source"] for r in runs.values())
    base: dict[str, Any] = {
        "name": first.recipe.name.replace("-", "_"),
        "version": "1",
        "licence": RENDERED_LICENCE if drawn else LICENCE,
        "detector": detector,
        "characters": characters,
        "calibration": calibration,
        "thresholds": thresholds,
        "confusion": {},
        "metrics": {name: r.evaluation.get("test", r.evaluation.get("detection")) for name, r in runs.items()},
        "data": {name: {k: r.facts[k] for k in ("source", "pictures", "groups", "scale")} for name, r in runs.items()},
        "made": {
            "how": "python -m ml train",
            "parts": {name: asdict(r.recipe.parts[name]) for name, r in runs.items()},
            "partner": None if other is None else other.digest,
        },
    }
    if run is not None:
        return Bundle(**base, **_reading(run))
    if other is None or other.classifier is None:
        return Bundle(**base, classifier=None, emotion_labels=(), emotion_mapping={}, preprocessing={})
    classifier = other.classifier
    if "names" not in classifier.settings:
        classifier = replace(classifier, settings={**classifier.settings, "names": list(other.characters)})
    return Bundle(
        **base,
        classifier=classifier,
        emotion_labels=other.emotion_labels,
        emotion_mapping=other.emotion_mapping,
        preprocessing=other.preprocessing,
    )


def _names(run: FinishedRun) -> list[str]:
    part = run.recipe.parts[run.facts["part"]]
    if isinstance(part, DetectorPart):
        return [name for name in run.facts["classes"] if name != UNKNOWN]
    assert isinstance(part, ClassifierPart)
    found = [label.partition("_")[2] for label in run.facts["classes"]] if part.target == "emotion_character" else []
    return [*part.characters, *found]


def _judged(runs: Mapping[str, FinishedRun], other: Bundle | None) -> tuple[Calibration, Thresholds]:
    calibration = other.calibration if other is not None else Calibration()
    thresholds = other.thresholds if other is not None else Thresholds()
    if (run := runs.get("classifier")) is not None:
        calibration = replace(calibration, emotion_temperature=run.facts["temperature"], character_temperature=1.0)
    if (run := runs.get("detector")) is not None and run.recipe.detector is not None:
        part = run.recipe.detector
        calibration = replace(calibration, detector_temperature=1.0)
        thresholds = replace(thresholds, detection=part.detection, nms=part.nms)
    return calibration, thresholds


def _reading(run: FinishedRun) -> dict[str, Any]:
    """What a bundle says of its classifier."""
    part = run.recipe.classifier
    assert part is not None
    if not part.segmentation and part.without == "frame":
        raise SettingsInvalid(
            f"{run.folder} holds a classifier of whole frames, which a bundle cannot use: train with segmentation = "
            "true or without = box."
        )
    labels, joint = tuple(run.facts["classes"]), part.target == "emotion_character"
    settings = dict(run.facts["network"])
    if joint:
        settings["label_characters"] = {label: label.partition("_")[2] for label in labels}
    settings["names"] = list(part.characters)
    outside = part.outside if part.segmentation else 1.0
    return {
        "classifier": Part(run.facts["architecture"], CLASSIFIER_FILE, settings),
        "emotion_labels": labels,
        "emotion_mapping": {label: _canonical(label.partition("_")[0] if joint else label, run) for label in labels},
        "preprocessing": {"crop": asdict(CropSettings(part.size, part.margin, outside)), "colour": "RGB"},
    }


def _canonical(word: str, run: FinishedRun) -> Emotion:
    emotion = canonical_emotion(word)
    if emotion is None:
        raise SettingsInvalid(
            f"{run.folder}: the class {word!r} is none of the emotions that a bundle can say; train with canonical = "
            "true, or on labels that name them."
        )
    return emotion


def _halved(weights: Path, path: Path) -> Path:
    state = {k: v.half() if v.is_floating_point() else v for k, v in load_file(weights).items()}
    save_file(state, path)
    return path
