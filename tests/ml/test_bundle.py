from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ml.bundle import (
    BUNDLE_FILE,
    BUNDLES_DIR,
    DEFAULT_BUNDLE,
    Bundle,
    Calibration,
    Part,
    Thresholds,
    bundle_path,
    read_bundle,
    write_bundle,
)
from ml.errors import BundleInvalid, BundleMissing
from ml.types import Emotion


def a_bundle() -> Bundle:
    return Bundle(
        name="tiny",
        version="3",
        licence="Apache-2.0",
        detector=Part("some_detector", "detector.safetensors", {"faces": 2}),
        classifier=Part("some_classifier", "classifier.safetensors"),
        characters={"tom": "Tom"},
        emotion_labels=("joy", "anger"),
        emotion_mapping={"joy": Emotion.HAPPY, "anger": Emotion.ANGRY},
        preprocessing={"crop": {"size": 80, "margin": 0.1, "outside": 0.5}},
        calibration=Calibration(1.5, 0.8, 1.0),
        thresholds=Thresholds(detection=0.6),
        confusion={},
        metrics={"recall": 0.9},
        data={},
        made={"how": "by hand"},
    )


@pytest.fixture
def written(tmp_path: Path) -> Bundle:
    sources = {}
    for name in ("detector.safetensors", "classifier.safetensors"):
        sources[name] = tmp_path / f"source-{name}"
        sources[name].write_bytes(name.encode() * 10)
    return write_bundle(a_bundle(), sources, tmp_path / "bundles" / "tiny-3")


def edited(bundle: Bundle, **changes: Any) -> Path:
    assert bundle.path is not None
    file = bundle.path / BUNDLE_FILE
    document = json.loads(file.read_text())
    document.update(changes)
    file.write_text(json.dumps(document))
    return bundle.path


def test_what_is_written_is_read_back(written: Bundle) -> None:
    assert written.path is not None
    assert replace(written, digest="", path=None) == a_bundle()
    assert read_bundle(written.path).digest == written.digest
    assert len(written.digest) == 64
    assert written.emotions == (Emotion.HAPPY, Emotion.ANGRY)
    assert sorted(p.name for p in written.path.parent.iterdir()) == ["tiny-3"]


def sources_of(bundle: Bundle, folder: Path) -> dict[str, Path]:
    paths = {name: folder / f"source-{name}" for name in bundle.files}
    for name, path in paths.items():
        path.write_bytes(name.encode() * 10)
    return paths


def without_classifier(bundle: Bundle) -> Bundle:
    return replace(bundle, classifier=None, emotion_labels=(), emotion_mapping={})


def test_a_bundle_may_have_no_classifier(tmp_path: Path) -> None:
    bundle = without_classifier(a_bundle())
    read = write_bundle(bundle, sources_of(bundle, tmp_path), tmp_path / "b")
    assert replace(read, digest="", path=None) == bundle
    assert read.emotions == ()
    with pytest.raises(BundleInvalid, match="no classifier"):
        _ = read.classifier_settings


def test_emotions_need_a_classifier(tmp_path: Path) -> None:
    bundle = replace(a_bundle(), classifier=None)
    with pytest.raises(BundleInvalid, match="no classifier"):
        write_bundle(bundle, sources_of(bundle, tmp_path), tmp_path / "b")


def test_a_haar_detector_has_cascades(tmp_path: Path) -> None:
    part = Part("haar", "tom.xml", {}, ("jerry.xml",))
    bundle = without_classifier(replace(a_bundle(), detector=part))
    read = write_bundle(bundle, sources_of(bundle, tmp_path), tmp_path / "b")
    assert read.files == ("jerry.xml", "tom.xml")
    assert read.weights(read.detector, "jerry.xml").read_bytes().startswith(b"jerry")
    assert read_bundle(tmp_path / "b").detector == part
    (tmp_path / "b" / "jerry.xml").write_bytes(b"other")
    with pytest.raises(BundleInvalid, match=r"jerry\.xml.*digest"):
        read_bundle(tmp_path / "b")


@pytest.mark.parametrize("part", [Part("haar", "tom.safetensors"), Part("some_detector", "graph.onnx")])
def test_a_file_of_the_wrong_kind_is_refused(tmp_path: Path, part: Part) -> None:
    bundle = replace(a_bundle(), detector=part)
    with pytest.raises(BundleInvalid, match=r"detector\.file"):
        write_bundle(bundle, sources_of(bundle, tmp_path), tmp_path / "b")


def a_gallery(**changes: Any) -> Part:
    settings = {"characters": ["tom", "tom"], "threshold": 0.6, "margin": 0.1, **changes}
    return Part("embeddings", "gallery.safetensors", settings)


def test_a_gallery_is_kept(tmp_path: Path) -> None:
    bundle = replace(a_bundle(), gallery=a_gallery())
    read = write_bundle(bundle, sources_of(bundle, tmp_path), tmp_path / "b")
    assert read.gallery == a_gallery()
    assert "gallery.safetensors" in read.files


@pytest.mark.parametrize(
    "changes", [{"characters": ["nobody"]}, {"characters": []}, {"threshold": 3}, {"margin": None}]
)
def test_a_gallery_that_cannot_be_used_is_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    bundle = replace(a_bundle(), gallery=a_gallery(**changes))
    with pytest.raises(BundleInvalid, match=rf"gallery\.settings\.{next(iter(changes))}"):
        write_bundle(bundle, sources_of(bundle, tmp_path), tmp_path / "b")


def test_format_1_is_still_read(written: Bundle) -> None:
    read = read_bundle(edited(written, format=1))
    assert read.classifier == written.classifier
    with pytest.raises(BundleInvalid, match="classifier"):
        read_bundle(edited(written, format=1, classifier=None))


@pytest.mark.parametrize("which", ["detector", "classifier"])
def test_an_unknown_architecture_is_named(which: str) -> None:
    from ml.classify.registry import classifier_of
    from ml.detect.registry import detector_of

    with pytest.raises(BundleInvalid, match=f"some_{which}"):
        {"detector": detector_of, "classifier": classifier_of}[which](a_bundle(), "cpu")


def test_other_thresholds_are_another_bundle(written: Bundle) -> None:
    thresholds = {"detection": 0.7, "nms": 0.4, "name_detector": 0.5, "name_classifier": 0.5, "unclear": 0.4}
    assert read_bundle(edited(written, thresholds=thresholds)).digest != written.digest


def test_a_bundle_is_never_overwritten(written: Bundle, tmp_path: Path) -> None:
    assert written.path is not None
    sources = {name: written.path / name for name in ("detector.safetensors", "classifier.safetensors")}
    with pytest.raises(FileExistsError):
        write_bundle(a_bundle(), sources, written.path)


def test_tampered_weights_are_refused_by_name(written: Bundle) -> None:
    assert written.path is not None
    weights = written.path / "classifier.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"!")
    with pytest.raises(BundleInvalid, match=r"classifier\.safetensors.*digest"):
        read_bundle(written.path)


def test_missing_weights_are_named(written: Bundle) -> None:
    assert written.path is not None
    (written.path / "detector.safetensors").unlink()
    with pytest.raises(BundleInvalid, match=r"detector\.safetensors is missing"):
        read_bundle(written.path)


@pytest.mark.parametrize("found", [3, "1", None, True, 1.5])
def test_an_unknown_format_is_refused(written: Bundle, found: object) -> None:
    with pytest.raises(BundleInvalid, match="format"):
        read_bundle(edited(written, format=found))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"name": ""}, "name"),
        ({"name": "../up"}, "name"),
        ({"characters": []}, "characters"),
        ({"detector": {"architecture": "x", "file": "../detector.safetensors", "settings": {}}}, "detector.file"),
        ({"detector": {"architecture": "x", "file": "model.pkl", "settings": {}}}, "detector.file"),
        ({"emotions": {"labels": ["joy"], "canonical": {"joy": "glee"}}}, "glee"),
        ({"emotions": {"labels": ["joy", "joy"], "canonical": {"joy": "happy"}}}, "twice"),
        ({"calibration": {"emotion_temperature": 0}}, "emotion_temperature"),
        ({"thresholds": {"detection": 2}}, "detection"),
        ({"thresholds": None}, "thresholds"),
        ({"files": {}}, "files"),
    ],
)
def test_what_is_wrong_is_said(written: Bundle, changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(BundleInvalid, match=reason.replace(".", r"\.")) as caught:
        read_bundle(edited(written, **changes))
    assert BUNDLE_FILE in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "[" * 100_000, "\x00"])
def test_what_is_no_json_object_is_refused(written: Bundle, text: str) -> None:
    assert written.path is not None
    (written.path / BUNDLE_FILE).write_text(text)
    with pytest.raises(BundleInvalid, match=r"bundle\.json"):
        read_bundle(written.path)


def test_a_missing_bundle_is_named(tmp_path: Path) -> None:
    with pytest.raises(BundleMissing, match="nowhere"):
        read_bundle(tmp_path / "nowhere")
    with pytest.raises(BundleMissing, match=r"bundle\.json"):
        read_bundle(tmp_path)


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    source = tmp_path / "weights"
    source.write_bytes(b"x")
    names = {"detector.safetensors": source, "classifier.safetensors": tmp_path / "absent"}
    with pytest.raises(FileNotFoundError):
        write_bundle(a_bundle(), names, tmp_path / "out" / "tiny-3")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_shipped_bundle_is_found_by_name_and_a_folder_by_path(tmp_path: Path) -> None:
    assert bundle_path(DEFAULT_BUNDLE) == BUNDLES_DIR / DEFAULT_BUNDLE
    assert bundle_path(tmp_path) == tmp_path


def test_the_shipped_bundle_is_whole_and_small(tmp_path: Path) -> None:
    bundle = read_bundle(DEFAULT_BUNDLE)
    assert bundle.path is not None
    assert set(bundle.characters) == {"tom", "jerry", "pip", "rosa"}
    assert len(bundle.emotions) == 7
    assert sum(p.stat().st_size for p in bundle.path.iterdir()) < 40_000_000
    copy = tmp_path / "copy"
    shutil.copytree(bundle.path, copy)
    assert read_bundle(copy).digest == bundle.digest


def test_reading_a_bundle_needs_no_torch() -> None:
    code = f"import sys, ml.bundle; ml.bundle.read_bundle({DEFAULT_BUNDLE!r}); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])
