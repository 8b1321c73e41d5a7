"""The training loops on data small enough to learn in seconds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from ml.classify.base import UNKNOWN
from ml.detect.base import Face
from ml.errors import ModelOutputInvalid
from ml.face import CropSettings
from ml.train.augment import augmented
from ml.train.calibrate import Evidence, detection_threshold, fit_temperature, naming_rates
from ml.train.classifier import train_classifier
from ml.train.detector import train_detector
from ml.train.gather import cut_out, detected
from ml.train.loop import rate_at, total_loss
from ml.train.settings import ClassifierTraining, DetectorTraining, SettingsInvalid, read_settings
from ml.train.store import Labelled, Picture, read_crops, read_shard, write_crops, write_shard

CONFIGS = Path(__file__).parents[2] / "ml" / "train" / "configs"


def disc(n: int) -> Picture:
    """A coloured disc on grey: the simplest face there is."""
    rng = np.random.default_rng(n)
    frame = np.full((96, 128, 3), 120, np.uint8)
    x, y, r = int(rng.integers(30, 98)), int(rng.integers(30, 66)), int(rng.integers(14, 26))
    mask = np.zeros((96, 128), np.uint8)
    cv2.circle(mask, (x, y), r, 1, -1)
    frame[mask > 0] = (240, 60, 40) if n % 2 else (40, 90, 230)
    box = (float(x - r), float(y - r), float(x + r + 1), float(y + r + 1))
    return Picture(frame, (Labelled(box, mask > 0, "tom" if n % 2 else None, "happy" if n % 2 else "sad"),))


def losses(lines: list[str], name: str) -> list[float]:
    found = []
    for line in lines:
        words = line.split()
        if line.startswith("step"):
            found.append(float(words[words.index(name) + 1]))
    return found


def test_a_shard_gives_back_what_went_in(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    assert write_shard(path, [disc(1), disc(2)]) == 2
    first, second = read_shard(path)
    assert first.faces[0].character == "tom"
    assert second.faces[0].character is None
    assert second.faces[0].emotion == "sad"
    assert np.array_equal(first.faces[0].mask, disc(1).faces[0].mask)
    assert np.abs(first.frame.astype(int) - disc(1).frame.astype(int)).mean() < 6
    assert [p.name for p in tmp_path.iterdir()] == ["a.npz"]


def test_crops_are_kept_with_their_labels(tmp_path: Path) -> None:
    picture = disc(3)
    settings = CropSettings(32)
    path = tmp_path / "c.npz"
    write_crops(path, cut_out(np.random.default_rng(0), picture, settings))
    crops = read_crops(path)
    assert (crops.characters, crops.emotions) == (("tom",), ("happy",))
    assert crops.pictures.shape == (1, 32, 32, 3)
    assert write_crops(tmp_path / "none.npz", []) == 0


def test_a_found_face_takes_the_labels_of_the_true_one() -> None:
    picture = disc(1)
    near = Face(picture.faces[0].box, None, (0, 0), None, 0.9)
    far = Face((100.0, 0.0, 127.0, 9.0), None, (100, 0), None, 0.5)
    labels = [(c, e) for _, c, e in detected(picture, [near, far], CropSettings(16))]
    assert labels == [("tom", "happy"), (UNKNOWN, "")]


def test_boxes_follow_the_picture_through_augmentation() -> None:
    rng = np.random.default_rng(4)
    for n in range(30):
        moved = augmented(disc(n), rng, (96, 128))
        for face in moved.faces:
            ys, xs = np.where(face.mask)
            assert abs(xs.min() - face.box[0]) <= 2.5
            assert abs(xs.max() + 1 - face.box[2]) <= 2.5
            assert abs(ys.min() - face.box[1]) <= 2.5


def test_a_few_steps_lower_the_detector_s_loss_and_it_resumes(tmp_path: Path) -> None:
    write_shard(tmp_path / "a.npz", [disc(n) for n in range(24)])
    settings = DetectorTraining(
        data=(str(tmp_path),), characters=("tom",), network={"channels": 32, "box_hidden": 32, "mask_layers": 1},
        frozen_blocks=0, height=96, width=128, steps=30, warm_up=5, rate=1e-3, report_every=5, save_every=30,
    )  # fmt: skip
    lines: list[str] = []
    path = train_detector(settings, tmp_path / "out", lines.append)
    boxes = losses(lines, "classes")
    assert boxes[-1] < 0.8 * boxes[0]
    assert all(torch.isfinite(v.float()).all() for v in load_file(path).values())
    again: list[str] = []
    train_detector(replace(settings, steps=35), tmp_path / "out", again.append)
    assert [line.split()[1] for line in again] == ["35/35"]


def test_a_few_steps_lower_the_classifier_s_loss(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    settings = CropSettings(32)
    write_crops(tmp_path / "c.npz", (c for n in range(64) for c in cut_out(rng, disc(n), settings)))
    training = ClassifierTraining(
        data=(str(tmp_path),), network={"size": 32, "width": 8}, batch=32, steps=40, warm_up=5, report_every=5
    )
    lines: list[str] = []
    path = train_classifier(training, tmp_path / "out", lines.append)
    emotion = losses(lines, "emotion")
    assert emotion[-1] < 0.7 * emotion[0]
    assert path.stat().st_size > 1000


def test_training_stops_at_a_loss_that_is_not_finite() -> None:
    with pytest.raises(ModelOutputInvalid, match=r"step 7.*boxes"):
        total_loss({"classes": torch.tensor(1.0), "boxes": torch.tensor(float("nan"))}, 7)


def test_training_without_data_says_so(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match="no rendered pictures"):
        train_detector(DetectorTraining(data=(str(tmp_path),), steps=1), tmp_path / "out", lambda _: None)
    with pytest.raises(SettingsInvalid, match="no crops"):
        train_classifier(ClassifierTraining(data=(str(tmp_path),), steps=1), tmp_path / "out", lambda _: None)


def test_the_shipped_settings_are_read() -> None:
    detector = read_settings(DetectorTraining, CONFIGS / "toonemo-1-detector.toml")
    classifier = read_settings(ClassifierTraining, CONFIGS / "toonemo-1-classifier.toml")
    assert detector.characters == classifier.characters
    assert classifier.crop["size"] == classifier.network["size"]
    assert detector.start == ""


def test_unknown_settings_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.toml"
    path.write_text("stepz = 3\n")
    with pytest.raises(SettingsInvalid, match="stepz"):
        read_settings(DetectorTraining, path)
    path.write_text('steps = "many"\n')
    with pytest.raises(SettingsInvalid, match="steps"):
        read_settings(DetectorTraining, path)
    path.write_text("steps = ")
    with pytest.raises(SettingsInvalid, match=r"t\.toml"):
        read_settings(DetectorTraining, path)


def test_starting_weights_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match="nowhere"):
        train_detector(DetectorTraining(start=str(tmp_path / "nowhere"), steps=1), tmp_path / "out", lambda _: None)


def test_the_rate_rises_then_falls() -> None:
    rates = [rate_at(step, 100, 1.0, 10) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == pytest.approx(1.0)
    assert rates[-1] < 0.05


def test_temperature_makes_overconfidence_honest() -> None:
    rng = np.random.default_rng(0)
    classes = rng.integers(0, 3, 3000)
    logits = rng.normal(0, 1, (3000, 3))
    logits[np.arange(3000), classes] += 1.5
    base = fit_temperature(logits, classes)
    assert fit_temperature(logits * 3, classes) == pytest.approx(3 * base, rel=0.06)


def evidence(score: float, share: float, name: float, truth: str) -> Evidence:
    names = np.log(np.array([name, 1 - name]))
    return Evidence(score, np.array([share, 1 - share]), names, np.zeros(2), truth, "")


def test_thresholds_are_counted_on_evidence() -> None:
    some = [evidence(0.9, 0.9, 0.9, "tom"), evidence(0.9, 0.9, 0.4, "tom"), evidence(0.9, 0.9, 0.8, UNKNOWN)]
    assert naming_rates(some, ["tom"], 1.0, (0.5, 0.5, 0.5)) == (0.5, 1.0)
    assert naming_rates(some, ["tom"], 1.0, (0.5, 0.5, 0.85)) == (0.5, 0.0)
    weak = [*some, *[evidence(0.45, 0.9, 0.9, "") for _ in range(9)]]
    assert detection_threshold(weak, 0.9) == 0.46
    assert detection_threshold(weak, 0.2) == 0.3
