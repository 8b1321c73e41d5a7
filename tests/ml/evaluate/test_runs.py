"""From labels to figures, reports and comparisons, with a bundle whose answers are known beforehand."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ml.bundle import DEFAULT_BUNDLE, Calibration, Thresholds, read_bundle
from ml.classify.base import Crop, FaceReading
from ml.data.frames import read_image
from ml.data.records import Dataset, LabelledFace, LabelledImage
from ml.data.split import SplitLeaks
from ml.detect.base import Face, Frame
from ml.evaluate import splits
from ml.evaluate.annotators import agreement, agreement_lines
from ml.evaluate.compare import RunInvalid, compare, read_run, verdict
from ml.evaluate.compare_report import comparison_report
from ml.evaluate.compare_report import lines as compare_lines
from ml.evaluate.cost import parameters, size_of
from ml.evaluate.labelled import measured
from ml.evaluate.labels import canonical_emotion, is_ignored, truth_mask
from ml.evaluate.report import report
from ml.evaluate.sources import NothingToMeasure
from ml.evaluate.summary import lines
from ml.face import CropSettings
from ml.masks import decode_mask
from ml.runtime import Models
from ml.types import EMOTIONS, Box, Emotion

SHOTS, PER_SHOT = 6, 3
WRONG_EVERY = 4  # every fourth face is read wrongly


class KnownDetector:
    """Finds every coloured square of the picture, and one face in the upper left corner where there is none."""

    def detect(self, frames: Sequence[Frame]) -> list[list[Face]]:
        return [[*(_face(b, 0.9) for b in squares(f)), _face((0.0, 0.0, 9.0, 9.0), 0.3)] for f in frames]


class KnownClassifier:
    """Reads the emotion from the colour of the square; sure of it."""

    crop_size = 16

    def classify(self, crops: Sequence[Crop]) -> list[FaceReading]:
        return [self._read(crop) for crop in crops]

    def _read(self, crop: Crop) -> FaceReading:
        k = round(float(crop[8, 8, 0]) / 30) % len(EMOTIONS)
        rest = 0.2 / (len(EMOTIONS) - 1)
        return FaceReading({e: 0.8 if i == k else rest for i, e in enumerate(EMOTIONS)}, {}, ())


def _face(box: Box, score: float) -> Face:
    x, y = int(box[0]), int(box[1])
    return Face(box, np.ones((int(box[3]) - y, int(box[2]) - x), bool), (x, y), None, score)


def squares(frame: Frame) -> list[Box]:
    """Squares are 20 x 20, at multiples of 40 in the middle row."""
    return [(float(x), 40.0, x + 20.0, 60.0) for x in range(10, 150, 40) if frame[50, x + 10].any()]


def known_models(**thresholds: float) -> Models:
    bundle = replace(
        read_bundle(DEFAULT_BUNDLE),
        thresholds=Thresholds(**{"detection": 0.05, "unclear": 0.5, **thresholds}),
        calibration=Calibration(),
    )
    return Models(bundle, KnownDetector(), KnownClassifier(), CropSettings(16, 0.0, 0.5), "cpu")


@pytest.fixture
def labelled(tmp_path: Path) -> Dataset:
    """Six shots of three pictures with one to three squares; every fourth label is not as the colour says."""
    import cv2

    images, number = [], 0
    for n in range(SHOTS * PER_SHOT):
        frame = np.zeros((100, 160, 3), np.uint8)
        faces = []
        for k in range(1 + n % 3):
            x, colour = 10 + 40 * k, number % len(EMOTIONS)
            frame[40:60, x : x + 20] = 30 * colour + 1
            said = EMOTIONS[(colour + (number % WRONG_EVERY == 0)) % len(EMOTIONS)]
            corners = ((x, 40), (x + 20, 40), (x + 20, 60), (x, 60))
            polygon = tuple((float(a), float(b)) for a, b in corners)
            faces.append(LabelledFace((x, 40.0, x + 20.0, 60.0), None, str(said), (polygon,)))
            number += 1
        path = tmp_path / f"{n:03d}.png"
        cv2.imwrite(str(path), frame)
        images.append(LabelledImage(path, 160, 100, tuple(faces), None, f"shot {n // PER_SHOT}"))
    return Dataset("test", tuple(images))


@pytest.fixture
def document(labelled: Dataset) -> dict[str, Any]:
    return measured(known_models(), labelled, labelled.images, lambda _: None, 60, masking=True)


def test_figures_of_a_known_bundle(document: dict[str, Any]) -> None:
    boxes, emotions = document["detection"]["boxes"], document["emotions"]
    faces = 2 * SHOTS * PER_SHOT
    assert boxes["true_faces"] == faces
    assert boxes["ap50"]["value"] == 1.0
    assert document["detection"]["masks"]["ap50_95"]["value"] == 1.0
    assert boxes["recall_iou50_at_1_unmatched"]["value"] == 1.0
    assert boxes["own_threshold"]["iou50"]["precision"]["value"] == round(2 / 3, 4)
    assert boxes["own_threshold"]["iou50"]["unmatched_per_picture"]["value"] == 1.0
    head = emotions["true_boxes"]["headline"]
    assert head["accuracy"]["value"] == 0.75
    assert emotions["found_boxes"]["headline"]["accuracy"]["value"] == 0.75
    assert head["mean_one_against_rest_accuracy"]["value"] == round(1 - 2 * 0.25 / 7, 4)
    assert head["accuracy"]["low"] <= 0.75 <= head["accuracy"]["high"]
    assert head["ece"]["value"] == 0.05


def test_the_control_stands_beside_recall(document: dict[str, Any]) -> None:
    """Squares stand in the same places in every picture: chance is high, and that is said."""
    recall = document["detection"]["boxes"]["recall_iou30_at_1_unmatched"]
    assert recall["shuffled"] > 0.5
    assert document["detection"]["boxes"]["control"]["pictures_that_met_their_own_group"] == 0


def test_masks_matter_only_where_the_way_of_cutting_says(document: dict[str, Any]) -> None:
    by_way = {row["way"]: row["accuracy"]["value"] for row in document["masking"]}
    assert by_way["bundle"] == by_way["segmented"] == by_way["box"] == 0.75
    assert by_way["whole"] < 0.75  # the middle of the picture is no face


def test_a_stricter_threshold_misses_faces(labelled: Dataset) -> None:
    models = known_models(detection=0.95)
    low = replace(models, detector=KnownDetector())
    from ml.evaluate.figures import figures_of
    from ml.evaluate.labels import observe

    seen = observe(low, ((i, read_image(i.path)) for i in labelled.images))
    found = figures_of(seen, models.bundle, 20)
    assert found["detection"]["boxes"]["ap50"]["value"] == 1.0  # low scores are kept for the curve
    assert found["detection"]["boxes"]["own_threshold"]["iou30"]["recall"]["value"] == 0.0
    assert found["emotions"]["found_boxes"] == {"faces": 0, "missed": 36}
    assert found["emotions"]["true_boxes"]["faces"] == 36


def test_unclear_faces_count_for_finding_only(labelled: Dataset) -> None:
    words = iter(["unclear", None, "embarrassed", "Joy"])
    first = labelled.images[0]
    images = [replace(first, faces=(replace(first.faces[0], emotion=w),)) for w in words]
    found = measured(known_models(), labelled, images, lambda _: None, 10)
    assert found["detection"]["boxes"]["true_faces"] == 4
    assert found["emotions"]["true_boxes"]["faces"] == 1
    assert found["emotions"]["unclear_or_unreadable_faces"] == 2
    assert found["emotions"]["words_that_are_no_emotion_here"] == {"embarrassed": 1}


def test_words_regions_and_outlines() -> None:
    assert canonical_emotion("Surprise") == Emotion.SURPRISED
    assert canonical_emotion(None) is canonical_emotion("unclear") is None
    face = LabelledFace((0.0, 0.0, 4.0, 4.0), polygons=(((0.0, 0.0), (4.0, 0.0), (4.0, 2.0), (0.0, 2.0)),))
    mask = truth_mask(face, 10, 10)
    assert mask is not None
    assert decode_mask(mask)[:2, :4].all()
    assert decode_mask(mask).sum() == 8
    assert truth_mask(LabelledFace((0.0, 0.0, 4.0, 4.0)), 10, 10) is None
    assert is_ignored(replace(face, attributes={"ignore": "true"}))
    assert is_ignored(replace(face, attributes={"iscrowd": "1"}))
    assert not is_ignored(replace(face, attributes={"ignore": "false"}))


# ------------------------------------------------------------------------------------------------ no leaks


def test_a_shot_that_was_trained_on_is_refused(labelled: Dataset) -> None:
    data = {"training": {"adapt": {"groups": splits.group_digests(labelled.images[:1])}}}
    trained = splits.trained_groups(data)
    with pytest.raises(SplitLeaks, match="shot 0"):
        splits.refuse_leaks(labelled.images, trained)
    splits.refuse_leaks(labelled.images[PER_SHOT:], trained)


def test_near_copies_are_kept_apart_from_the_honest_pictures(labelled: Dataset) -> None:
    trained = set(splits.group_digests(labelled.images[:1]))
    honest, near = splits.parted(labelled.images, trained, {splits.picture_key(labelled.images[0])})
    assert len(honest) == (SHOTS - 1) * PER_SHOT
    assert len(near) == PER_SHOT - 1


def test_the_command_refuses_and_flatters_only_by_name(
    labelled: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ml.evaluate import labelled as module

    train = Dataset("test", labelled.images[:1])
    files = {tmp_path / "test": labelled, tmp_path / "train": train}
    monkeypatch.setattr("ml.evaluate.sources.read", lambda path, images=None: files[path])
    monkeypatch.setattr(module, "load_models", lambda bundle, device: known_models())
    monkeypatch.setattr(module, "speed_of", lambda models, frames: {"drawings": len(list(frames))})
    args = argparse.Namespace(
        labels=tmp_path / "test", images=None, bundle="x", device="cpu", split="all", every=1, rounds=10,
        train_labels=[tmp_path / "train"], flattering_random_frames=False, masking=False, history=None,
    )  # fmt: skip
    with pytest.raises(SplitLeaks):
        module.evaluate_labels(args, lambda _: None)
    args.flattering_random_frames = True
    document = module.evaluate_labels(args, lambda _: None)
    assert document["labels"]["pictures"] == (SHOTS - 1) * PER_SHOT
    assert document["flattering"]["labels"]["pictures"] == SHOTS * PER_SHOT - 1
    assert "flattering" in document["flattering"]["name"]
    assert any("flattering" in line for line in lines(document))
    page = report(document)
    assert page.index("honest: shots not trained on") < page.index("flattering: random frames")
    args.train_labels = [tmp_path / "test"]
    with pytest.raises(SplitLeaks, match="no honest figure"):
        module.evaluate_labels(args, lambda _: None)


# ------------------------------------------------------------------------------------------------ pages


class Checker(HTMLParser):
    """Every tag is closed, nothing is fetched."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in ("meta", "img", "line", "circle", "path"):
            self.open.append(tag)
        for name, value in attrs:
            assert name not in ("src", "href") or (value or "").startswith("data:")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def checked(text: str) -> Checker:
    checker = Checker()
    checker.feed(text)
    assert not checker.open
    assert "http:" not in text
    assert "https:" not in text
    assert "nan" not in re.sub(r"<style>.*?</style>", "", text, flags=re.S).split()
    return checker


def test_a_report_is_whole_and_self_contained(document: dict[str, Any]) -> None:
    document["labels"]["file"] = "<script>alert(1)</script>.json"
    document["history"] = {"loss": {"train": [(0, 2.0), (10, 1.0)], "valid": [(0, 2.5)]}}
    pixels = np.zeros((8, 8, 3), np.uint8)
    text = report(json.loads(json.dumps(document)), [("Layer 1", pixels)])
    tags = checked(text).tags
    assert "script" not in tags
    assert tags.count("svg") > 6
    assert tags.count("table") > 10
    assert "img" in tags
    for words in ("frames shuffled", "mean one-against-rest accuracy (flatters)", "majority", "Learning curves"):
        assert words in text


def test_a_report_without_emotions(labelled: Dataset) -> None:
    models = known_models()
    models = replace(models, bundle=replace(models.bundle, emotion_mapping={}))
    document = measured(models, labelled, labelled.images, lambda _: None, 10)
    assert document["emotions"] is None
    assert "Nothing to measure" in report(document)
    assert list(lines(document))[-1] == "emotions: nothing to measure"


def test_runs_are_compared_on_the_pictures_they_share(
    document: dict[str, Any], labelled: Dataset, tmp_path: Path
) -> None:
    worse = measured(known_models(), labelled, labelled.images[3:], lambda _: None, 10)
    rows = worse["raw"]["true_boxes"]
    rows["probabilities"] = [[0.4, 0.6, 0, 0, 0, 0, 0]] * len(rows["truth"])  # always sad
    runs = []
    for name, result in (("good", document), ("sad", worse)):
        (tmp_path / f"{name}.json").write_text(json.dumps(result))
        runs.append(read_run(tmp_path / f"{name}.json"))
    found = compare(runs, 200)
    assert found["pictures"] == SHOTS * PER_SHOT - 3
    assert found["groups"] == SHOTS - 1
    sad = found["figures"]["accuracy"][1]
    assert sad["difference"]["value"] == pytest.approx(
        sad["figure"]["value"] - found["figures"]["accuracy"][0]["figure"]["value"], abs=2e-4
    )
    assert sad["verdict"] == "worse"
    assert found["figures"]["box_ap50"][1]["verdict"] == "cannot be told apart"
    checked(comparison_report(found, runs))
    assert any("worse" in line for line in compare_lines(found))


def test_runs_that_cannot_be_compared(document: dict[str, Any], labelled: Dataset, tmp_path: Path) -> None:
    good, other, none = (tmp_path / name for name in ("good.json", "other.json", "none.json"))
    good.write_text(json.dumps(document))
    changed = json.loads(json.dumps(document))
    changed["raw"]["boxes"]["truths"][0] += 1
    other.write_text(json.dumps(changed))
    none.write_text('{"format": 1}')
    with pytest.raises(RunInvalid, match="other labels"):
        compare([read_run(good), read_run(other)], 5)
    with pytest.raises(RunInvalid, match=r"none\.json"):
        read_run(none)
    with pytest.raises(RunInvalid, match="two runs"):
        compare([read_run(good)], 5)


def test_a_verdict_needs_the_whole_interval() -> None:
    assert verdict({"value": 0.1, "low": 0.01, "high": 0.2}, False) == "better"
    assert verdict({"value": 0.1, "low": 0.01, "high": 0.2}, True) == "worse"
    assert verdict({"value": 0.1, "low": -0.01, "high": 0.2}, False) == "cannot be told apart"
    assert verdict({"value": 0.1, "low": None, "high": None}, False) == "cannot be told apart"


# ------------------------------------------------------------------------------------------------ the rest


def test_agreement_of_three_annotators(tmp_path: Path) -> None:
    def via(name: str, words: Sequence[str | None]) -> Path:
        regions = [
            {
                "shape_attributes": {"name": "rect", "x": 50 * k, "y": 0, "width": 40, "height": 40},
                "region_attributes": {"Character": "Tom", "Emotion": word},
            }
            for k, word in enumerate(words)
            if word is not None
        ]
        entry = {"filename": "a.png", "size": -1, "regions": regions, "file_attributes": {}}
        (tmp_path / name).write_text(json.dumps({"a.png-1": entry}))
        return tmp_path / name

    files = [
        via("a.json", ["happy", "sad", "angry", "unclear"]),
        via("b.json", ["happy", "sad", "happy", "unclear"]),
        via("c.json", ["joy", None, "angry", "unclear"]),
    ]
    found = agreement(files)
    assert found["faces"] == 4
    assert found["faces_that_all_outlined"] == 3
    first = found["pairs"][0]
    assert first["same_emotion"] == 0.75
    assert first["cohen_kappa"] == round((0.75 - 4 / 16) / (1 - 4 / 16), 4)  # chance: happy 1*2, sad 1, unclear 1
    assert found["pairs"][1]["rolling_consistency"] == round(2 * 3 / 7, 4)
    assert found["krippendorff_alpha"] is not None
    assert len(list(agreement_lines(found))) == 5
    with pytest.raises(NothingToMeasure):
        agreement(files[:1])


def test_sizes_are_read_from_the_weights() -> None:
    models = known_models()
    parts = size_of(models)
    assert [p["name"].split()[0] for p in parts] == ["detector", "classifier", "gallery"]
    assert all(p["parameters"] > 1e6 and p["megabytes"] > 1 for p in parts[:2])
    assert parameters(Path("a.onnx")) is None
