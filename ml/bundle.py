"""A model bundle: a folder with ``bundle.json`` and the weights it names. Read, check, write; needs no torch.

Weights are safetensors, Haar cascades (XML) or ONNX graphs: nothing here unpickles. A bundle is written to a temporary
folder beside its place and renamed, so a half-written one is never seen. Its digest is over every file, so other
thresholds are another bundle. Formats 1 and 2 are read, 2 is written: since 2 a bundle may have no classifier, and may
have a gallery (docs/formats.md).
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from ml.bundle_fields import Fields
from ml.errors import BundleInvalid, BundleMissing
from ml.types import EMOTIONS, BundleRef, Emotion

BUNDLE_FORMAT = 2  # what is written
READABLE_FORMATS = (1, 2)
BUNDLE_FILE = "bundle.json"
DEFAULT_BUNDLE = "toonemo-4"
BUNDLES_DIR = Path(__file__).parent / "bundles"
ADDED_LATER = ("tracked", "face_temperature", "face_bias")  # numbers that older bundles do not state
_Numbers = TypeVar("_Numbers", "Calibration", "Thresholds")
MAX_JSON_BYTES = 4_000_000  # a card with its matrices needs a few kilobytes; more is not a card
SAFETENSORS = ".safetensors"
DETECTOR_FILES: Mapping[str, str] = {"haar": ".xml", "yolo_seg_onnx": ".onnx"}  # every other one reads safetensors


@dataclass(frozen=True, slots=True)
class Part:
    """One network: ``architecture`` names the code that builds it, ``settings`` are that code's own.

    ``file``: its weights, inside the bundle. ``more_files``: others that it needs, such as one cascade per character.
    """

    architecture: str
    file: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    more_files: tuple[str, ...] = ()

    @property
    def files(self) -> tuple[str, ...]:
        return (self.file, *self.more_files)


@dataclass(frozen=True, slots=True)
class Calibration:
    """Temperatures that logits are divided by before the softmax, fitted on held-out data.

    A face's score is sigmoid((log odds of a face - ``face_bias``) / ``face_temperature``).
    """

    emotion_temperature: float = 1.0
    character_temperature: float = 1.0
    detector_temperature: float = 1.0
    face_temperature: float = 1.0
    face_bias: float = 0.0


@dataclass(frozen=True, slots=True)
class Thresholds:
    """All in [0, 1]. ``detection``: least score of a face that is reported by itself. ``tracked``: the least of one
    that belongs to a track whose strongest face reaches ``detection``; 1 where tracks decide nothing. ``nms``: boxes
    that overlap more are one.

    A face is named only where the detector's share for that character reaches ``name_detector``, the classifier's
    ``name_classifier``, and both mean the same one; else it is unknown. Below ``unclear`` no emotion is said.
    """

    detection: float = 0.5
    nms: float = 0.4
    name_detector: float = 0.5
    name_classifier: float = 0.5
    unclear: float = 0.4
    tracked: float = 1.0

    @property
    def lowest(self) -> float:
        """The score from which a detector has to report a face."""
        return min(self.detection, self.tracked)


@dataclass(frozen=True, slots=True)
class Bundle:
    """``characters``: slug to name. ``emotion_labels``: the classifier's own, in the order of its outputs;
    ``emotion_mapping``: each to a canonical emotion. ``metrics``, ``confusion``, ``data``, ``made``: for people.

    ``classifier`` None: faces are found and named, and no emotion is modelled (then there are no labels either).
    ``gallery``: example drawings as embeddings: tensor ``embeddings`` (N, 128) and the settings ``characters`` (the
    slug of each row), ``threshold`` and ``margin``.
    """

    name: str
    version: str
    licence: str
    detector: Part
    classifier: Part | None
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
    gallery: Part | None = None
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

    @property
    def classifier_settings(self) -> Mapping[str, Any]:
        """Raises BundleInvalid where there is no classifier."""
        if self.classifier is None:
            raise BundleInvalid(f"The bundle {self.name}-{self.version} has no classifier.")
        return self.classifier.settings

    @property
    def parts(self) -> tuple[Part, ...]:
        return tuple(part for part in (self.detector, self.classifier, self.gallery) if part is not None)

    @property
    def files(self) -> tuple[str, ...]:
        """Names of all files but bundle.json, sorted."""
        return tuple(sorted({name for part in self.parts for name in part.files}))

    def named_by(self, part: Part | None) -> tuple[str, ...]:
        """The characters that a network was trained on; ``settings.names`` where they are not all of the bundle's."""
        if part is None:
            return ()
        own = part.settings.get("names")
        return tuple(self.characters) if own is None else tuple(str(name) for name in own)

    def weights(self, part: Part | None, file: str = "") -> Path:
        """Where ``file`` of a part lies; its main one where none is named. Raises BundleInvalid for an absent part."""
        if self.path is None:
            raise BundleInvalid(f"The bundle {self.name}-{self.version} was never read from a folder.")
        if part is None:
            raise BundleInvalid(f"The bundle {self.name}-{self.version} has no such part.")
        return self.path / (file or part.file)


def bundle_path(name_or_path: str | Path) -> Path:
    """A folder as given, or a bundle's name (``toonemo-4``) looked up among those shipped."""
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
    if sorted(weights) != list(bundle.files):
        raise BundleInvalid(f"The bundle names the files {list(bundle.files)}, given were {sorted(weights)}.")
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
        "detector": _part_json(bundle.detector),
        "classifier": _part_json(bundle.classifier),
        "gallery": _part_json(bundle.gallery),
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


def _part_json(part: Part | None) -> dict[str, Any] | None:
    if part is None:
        return None
    more = {"more_files": list(part.more_files)} if part.more_files else {}
    return {"architecture": part.architecture, "file": part.file, "settings": dict(part.settings), **more}


def _parse(document: Any, file: Path) -> Bundle:
    if not isinstance(document, dict):
        raise BundleInvalid(f"{file} holds no JSON object.")
    found = document.get("format")
    if found not in READABLE_FORMATS or isinstance(found, bool):
        known = " and ".join(str(n) for n in READABLE_FORMATS)
        raise BundleInvalid(f"{file} has the format {found!r}; this version reads the formats {known} only.")
    get = Fields(document, file)
    has_classifier = found == 1 or document.get("classifier") is not None
    labels, mapping = _emotions(Fields(get.table("emotions"), file, "emotions."), has_classifier)
    characters = get.table("characters")
    for slug, name in characters.items():
        if not slug or not isinstance(name, str) or not name:
            raise BundleInvalid(f"{file}: characters gives {slug!r} no name.")
    return Bundle(
        name=get.plain("name"),
        version=get.plain("version"),
        licence=get.text("licence"),
        detector=_detector(get.table("detector"), file),
        classifier=_part(get.table("classifier"), file, "classifier.") if has_classifier else None,
        characters=characters,
        emotion_labels=tuple(labels),
        emotion_mapping=mapping,
        preprocessing=get.table("preprocessing"),
        calibration=_numbers(Calibration, get.table("calibration"), file, "calibration.", 1e-3, 1e3),
        thresholds=_numbers(Thresholds, get.table("thresholds"), file, "thresholds.", 0.0, 1.0),
        confusion=get.table("confusion"),
        metrics=get.table("metrics"),
        data=get.table("data"),
        made=get.table("made"),
        gallery=_gallery(get, characters, has_classifier) if document.get("gallery") is not None else None,
    )


def _emotions(get: Fields, has_classifier: bool) -> tuple[Sequence[str], dict[str, Emotion]]:
    if not has_classifier:
        if get.fields.get("labels") != [] or get.fields.get("canonical") != {}:
            raise BundleInvalid(f"{get.file}: emotions names some, but there is no classifier to tell them.")
        return (), {}
    labels, mapping = get.texts("labels"), get.table("canonical")
    known = {str(e) for e in EMOTIONS}
    for label in labels:
        if mapping.get(label) not in known:
            raise BundleInvalid(
                f"{get.file}: emotions.canonical maps {label!r} to {mapping.get(label)!r}, no known emotion."
            )
    return labels, {label: Emotion(mapping[label]) for label in labels}


def _detector(table: Mapping[str, Any], file: Path) -> Part:
    return _part(table, file, "detector.", DETECTOR_FILES.get(str(table.get("architecture")), SAFETENSORS))


def _gallery(get: Fields, characters: Mapping[str, str], has_classifier: bool) -> Part:
    part = _part(get.table("gallery"), get.file, "gallery.")
    rows = Fields(part.settings, get.file, "gallery.settings.")
    names = rows.fields.get("characters")
    if not isinstance(names, list) or not names or not all(isinstance(n, str) and n in characters for n in names):
        raise BundleInvalid(f"{get.file}: gallery.settings.characters must give the slug of every row.")
    rows.number("threshold", -1.0, 1.0)
    rows.number("margin", 0.0, 2.0)
    if not has_classifier:
        raise BundleInvalid(f"{get.file}: there is a gallery, but no classifier that gives embeddings.")
    return part


def _part(table: Mapping[str, Any], file: Path, prefix: str, suffix: str = SAFETENSORS) -> Part:
    get = Fields(table, file, prefix)
    more = get.texts("more_files") if "more_files" in table else ()
    for name in (get.text("file"), *more):
        if Path(name).name != name or not name.endswith(suffix):
            raise BundleInvalid(f"{file}: {prefix}file is {name!r}; it must be a {suffix} file inside the bundle.")
    return Part(get.text("architecture"), get.text("file"), get.table("settings"), tuple(more))


def _numbers(
    kind: type[_Numbers], table: Mapping[str, Any], file: Path, prefix: str, low: float, high: float
) -> _Numbers:
    get = Fields(table, file, prefix)
    names = [f.name for f in fields(kind)]
    later = {f.name for f in fields(kind) if f.name in ADDED_LATER} - set(table)
    values = {
        name: get.number(name, -high if name.endswith("bias") else low, high) for name in names if name not in later
    }
    unknown = set(table) - set(names)
    if unknown:
        raise BundleInvalid(f"{file}: {prefix}{min(unknown)} is not known.")
    return kind(**values)


def _checked_files(document: Mapping[str, Any], folder: Path, bundle: Bundle) -> dict[str, str]:
    """Name to SHA-256 of the weights, each compared with what bundle.json states."""
    table = document.get("files")
    needed = bundle.files
    if not isinstance(table, dict) or sorted(table) != list(needed):
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


def _replace(bundle: Bundle, *, digest: str, path: Path) -> Bundle:
    values = {f.name: getattr(bundle, f.name) for f in fields(bundle)}
    return Bundle(**{**values, "digest": digest, "path": path})
