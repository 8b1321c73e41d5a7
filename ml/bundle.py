"""A model bundle: a folder with ``bundle.json`` and the weights it names. Read, check, write; needs no torch.

Weights are safetensors only: nothing here unpickles. A bundle is written to a temporary folder beside its place and
renamed, so a half-written one is never seen. Its digest is over every file, so other thresholds are another bundle.
"""

from __future__ import annotations

import hashlib
import json
import math
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from ml.errors import BundleInvalid, BundleMissing
from ml.types import EMOTIONS, BundleRef, Emotion

BUNDLE_FORMAT = 1
BUNDLE_FILE = "bundle.json"
DEFAULT_BUNDLE = "toonemo-1"
BUNDLES_DIR = Path(__file__).parent / "bundles"
_Numbers = TypeVar("_Numbers", "Calibration", "Thresholds")
MAX_JSON_BYTES = 4_000_000  # a card with its matrices needs a few kilobytes; more is not a card


@dataclass(frozen=True, slots=True)
class Part:
    """One network: ``architecture`` names the code that builds it, ``settings`` are that code's own."""

    architecture: str
    file: str
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Calibration:
    """Temperatures that logits are divided by before the softmax, fitted on held-out data."""

    emotion_temperature: float = 1.0
    character_temperature: float = 1.0
    detector_temperature: float = 1.0


@dataclass(frozen=True, slots=True)
class Thresholds:
    """All in [0, 1]. ``detection``: least score of a face that is reported. ``nms``: boxes that overlap more are one.

    A face is named only where the detector's share for that character reaches ``name_detector``, the classifier's
    ``name_classifier``, and both mean the same one; else it is unknown. Below ``unclear`` no emotion is said.
    """

    detection: float = 0.5
    nms: float = 0.4
    name_detector: float = 0.5
    name_classifier: float = 0.5
    unclear: float = 0.4


@dataclass(frozen=True, slots=True)
class Bundle:
    """``characters``: slug to name. ``emotion_labels``: the classifier's own, in the order of its outputs;
    ``emotion_mapping``: each to a canonical emotion. ``metrics``, ``confusion``, ``data``, ``made``: for people.
    """

    name: str
    version: str
    licence: str
    detector: Part
    classifier: Part
    characters: Mapping[str, str]
    emotion_labels: tuple[str, ...]
    emotion_mapping: Mapping[str, Emotion]
    preprocessing: Mapping[str, Any]
    calibration: Calibration
    thresholds: Thresholds
    confusion: Mapping[str, Any]
    metrics: Mapping[str, Any]
    data: Mapping[str, Any]
    made: Mapping[str, Any]
    digest: str = ""
    path: Path | None = None

    @property
    def ref(self) -> BundleRef:
        return BundleRef(self.name, self.version, self.digest)

    @property
    def emotions(self) -> tuple[Emotion, ...]:
        """What it can express, in canonical order; any other emotion is *not modelled*."""
        known = set(self.emotion_mapping.values())
        return tuple(e for e in EMOTIONS if e in known)

    def weights(self, part: Part) -> Path:
        if self.path is None:
            raise BundleInvalid(f"The bundle {self.name}-{self.version} was never read from a folder.")
        return self.path / part.file


def bundle_path(name_or_path: str | Path) -> Path:
    """A folder as given, or a bundle's name (``toonemo-1``) looked up among those shipped."""
    given = Path(name_or_path)
    shipped = BUNDLES_DIR / given.name
    return shipped if not given.exists() and given.name == str(given) and shipped.exists() else given


def read_bundle(name_or_path: str | Path) -> Bundle:
    """Reads and checks everything: format, fields, digests of the weights.

    Raises BundleMissing where there is no such folder, BundleInvalid (naming file and reason) for anything else.
    """
    folder = bundle_path(name_or_path)
    file = folder / BUNDLE_FILE
    if not folder.is_dir():
        raise BundleMissing(f"There is no model bundle at {folder}.")
    if not file.is_file():
        raise BundleMissing(f"{folder} holds no {BUNDLE_FILE}, so it is no model bundle.")
    try:
        raw = file.read_bytes()[: MAX_JSON_BYTES + 1]
    except OSError as error:
        raise BundleInvalid(f"{file} cannot be read: {error.strerror}.") from error
    if len(raw) > MAX_JSON_BYTES:
        raise BundleInvalid(f"{file} is larger than {MAX_JSON_BYTES} bytes.")
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise BundleInvalid(f"{file} is not JSON: {error}.") from error
    bundle = _parse(document, file)
    listed = _checked_files(document, folder, bundle)
    digest = _digest({BUNDLE_FILE: hashlib.sha256(raw).hexdigest(), **listed})
    return _replace(bundle, digest=digest, path=folder)


def write_bundle(bundle: Bundle, weights: Mapping[str, Path], folder: Path) -> Bundle:
    """Writes ``folder`` anew from ``bundle`` and ``weights`` (file name in the bundle to source file); reads it back.

    Raises FileExistsError where ``folder`` exists: a bundle never changes once it is written.
    """
    if folder.exists():
        raise FileExistsError(f"{folder} exists already; a bundle never changes once it is written.")
    needed = {bundle.detector.file, bundle.classifier.file}
    if set(weights) != needed:
        raise BundleInvalid(f"The bundle names the files {sorted(needed)}, given were {sorted(weights)}.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        for name, source in weights.items():
            shutil.copyfile(source, temporary / name)
        document = to_json(bundle, {name: _file_entry(temporary / name) for name in sorted(weights)})
        (temporary / BUNDLE_FILE).write_text(json.dumps(document, indent=1, allow_nan=False) + "\n", encoding="utf-8")
        read_bundle(temporary)
        temporary.chmod(0o755)
        temporary.replace(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return read_bundle(folder)


def to_json(bundle: Bundle, files: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "format": BUNDLE_FORMAT,
        "name": bundle.name,
        "version": bundle.version,
        "licence": bundle.licence,
        "detector": asdict(bundle.detector),
        "classifier": asdict(bundle.classifier),
        "characters": dict(bundle.characters),
        "emotions": {
            "labels": list(bundle.emotion_labels),
            "canonical": {label: str(emotion) for label, emotion in bundle.emotion_mapping.items()},
        },
        "preprocessing": dict(bundle.preprocessing),
        "calibration": asdict(bundle.calibration),
        "thresholds": asdict(bundle.thresholds),
        "confusion": dict(bundle.confusion),
        "metrics": dict(bundle.metrics),
        "data": dict(bundle.data),
        "made": dict(bundle.made),
        "files": dict(files),
    }


def _parse(document: Any, file: Path) -> Bundle:
    if not isinstance(document, dict):
        raise BundleInvalid(f"{file} holds no JSON object.")
    found = document.get("format")
    if found != BUNDLE_FORMAT or isinstance(found, bool):
        raise BundleInvalid(f"{file} has the format {found!r}; this version reads format {BUNDLE_FORMAT} only.")
    get = _Getter(document, file)
    emotions = _Getter(get.table("emotions"), file, "emotions.")
    labels = emotions.texts("labels")
    mapping = emotions.table("canonical")
    known = {str(e) for e in EMOTIONS}
    for label in labels:
        if mapping.get(label) not in known:
            raise BundleInvalid(
                f"{file}: emotions.canonical maps {label!r} to {mapping.get(label)!r}, no known emotion."
            )
    characters = get.table("characters")
    for slug, name in characters.items():
        if not slug or not isinstance(name, str) or not name:
            raise BundleInvalid(f"{file}: characters gives {slug!r} no name.")
    return Bundle(
        name=_plain(get.text("name"), file, "name"),
        version=_plain(get.text("version"), file, "version"),
        licence=get.text("licence"),
        detector=_part(get.table("detector"), file, "detector."),
        classifier=_part(get.table("classifier"), file, "classifier."),
        characters=characters,
        emotion_labels=tuple(labels),
        emotion_mapping={label: Emotion(mapping[label]) for label in labels},
        preprocessing=get.table("preprocessing"),
        calibration=_numbers(Calibration, get.table("calibration"), file, "calibration.", 1e-3, 1e3),
        thresholds=_numbers(Thresholds, get.table("thresholds"), file, "thresholds.", 0.0, 1.0),
        confusion=get.table("confusion"),
        metrics=get.table("metrics"),
        data=get.table("data"),
        made=get.table("made"),
    )


def _part(table: Mapping[str, Any], file: Path, prefix: str) -> Part:
    get = _Getter(table, file, prefix)
    name = get.text("file")
    if Path(name).name != name or not name.endswith(".safetensors"):
        raise BundleInvalid(f"{file}: {prefix}file is {name!r}; it must be a .safetensors file inside the bundle.")
    return Part(get.text("architecture"), name, get.table("settings"))


def _numbers(
    kind: type[_Numbers], table: Mapping[str, Any], file: Path, prefix: str, low: float, high: float
) -> _Numbers:
    values: dict[str, float] = {}
    names = [f.name for f in fields(kind)]
    for name in names:
        value = table.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise BundleInvalid(f"{file}: {prefix}{name} is {value!r}, not a finite number.")
        if not low <= value <= high:
            raise BundleInvalid(f"{file}: {prefix}{name} is {value}, outside {low} to {high}.")
        values[name] = float(value)
    unknown = set(table) - set(names)
    if unknown:
        raise BundleInvalid(f"{file}: {prefix}{min(unknown)} is not known.")
    return kind(**values)


def _checked_files(document: Mapping[str, Any], folder: Path, bundle: Bundle) -> dict[str, str]:
    """Name to SHA-256 of the weights, each compared with what bundle.json states."""
    table = document.get("files")
    needed = sorted({bundle.detector.file, bundle.classifier.file})
    if not isinstance(table, dict) or sorted(table) != needed:
        raise BundleInvalid(f"{folder / BUNDLE_FILE}: files must list exactly {', '.join(needed)}.")
    digests = {}
    for name in needed:
        path = folder / name
        if not path.is_file():
            raise BundleInvalid(f"{path} is missing from the bundle.")
        entry = _file_entry(path)
        if entry != table[name]:
            raise BundleInvalid(f"{path} is not the file that {BUNDLE_FILE} describes: its digest differs.")
        digests[name] = entry["sha256"]
    return digests


def _file_entry(path: Path) -> dict[str, Any]:
    with path.open("rb") as stream:
        return {"sha256": hashlib.file_digest(stream, "sha256").hexdigest(), "bytes": path.stat().st_size}


def _digest(files: Mapping[str, str]) -> str:
    return hashlib.sha256("".join(f"{digest}  {name}\n" for name, digest in sorted(files.items())).encode()).hexdigest()


def _plain(text: str, file: Path, name: str) -> str:
    if not all(c.isalnum() or c in "._" for c in text):
        raise BundleInvalid(f"{file}: {name} is {text!r}; letters, digits, dot and underscore only.")
    return text


def _replace(bundle: Bundle, *, digest: str, path: Path) -> Bundle:
    values = {f.name: getattr(bundle, f.name) for f in fields(bundle)}
    return Bundle(**{**values, "digest": digest, "path": path})


@dataclass(frozen=True, slots=True)
class _Getter:
    table_: Mapping[str, Any]
    file: Path
    prefix: str = ""

    def text(self, name: str) -> str:
        value = self.table_.get(name)
        if not isinstance(value, str) or not value:
            raise BundleInvalid(f"{self.file}: {self.prefix}{name} must be a text.")
        return value

    def table(self, name: str) -> Mapping[str, Any]:
        value = self.table_.get(name)
        if not isinstance(value, dict):
            raise BundleInvalid(f"{self.file}: {self.prefix}{name} must be an object.")
        return value

    def texts(self, name: str) -> Sequence[str]:
        value = self.table_.get(name)
        if not isinstance(value, list) or not value or not all(isinstance(v, str) and v for v in value):
            raise BundleInvalid(f"{self.file}: {self.prefix}{name} must be a list of texts.")
        if len(set(value)) != len(value):
            raise BundleInvalid(f"{self.file}: {self.prefix}{name} names something twice.")
        return value
