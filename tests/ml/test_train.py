"""The training loops on data small enough to learn in seconds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from ml.classify.base import UNKNOWN
from ml.classify.network import ClassifierSettings, FaceNet
from ml.classify.pretrained import WeightsInvalid, WeightsUnavailable
from ml.detect.network import DetectorSettings, build_detector
from ml.errors import ModelOutputInvalid
from ml.face import CropSettings
from ml.render.parts import PARTS
from ml.train.augment import WEARS, augmented
from ml.train.calibrate import FoundScore, fit_rest, fit_scores
from ml.train.classifier import (
    NO_EMOTION,
    augmented_crop,
    classifier_batch,
    crop_feed,
    same_design_loss,
    train_classifier,
)
from ml.train.detector import train_detector
from ml.train.feed import Feed, FeedBroken, chosen
from ml.train.gather import CROPS, PICTURES, crops_path, draw_crops, frames_path
from ml.train.loop import rate_at, total_loss
from ml.train.settings import ClassifierTraining, DetectorTraining, SettingsInvalid, read_settings
from ml.train.starting import load_start
from ml.train.store import Labelled, LabelledCrop, Picture, read_crops, read_shard, write_crops, write_shard

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


def crop(n: int, identity: int) -> LabelledCrop:
    picture = np.full((32, 32, 3), 40 + 60 * (n % 3), np.uint8)
    return LabelledCrop(picture, "tom" if n % 2 else UNKNOWN, "happy" if n % 3 else "", identity, (0.5, float("nan")))


def test_crops_are_kept_with_their_labels(tmp_path: Path) -> None:
    path = tmp_path / "c.npz"
    assert write_crops(path, [crop(0, 7), crop(1, 8)]) == 2
    crops = read_crops(path)
    assert (crops.characters, crops.emotions) == ((UNKNOWN, "tom"), ("", "happy"))
    assert crops.pictures.shape == (2, 32, 32, 3)
    assert crops.identities.tolist() == [7, 8]
    assert np.array_equal(crops.parts, np.array([[0.5, np.nan]] * 2, np.float32), equal_nan=True)
    assert write_crops(tmp_path / "none.npz", []) == 0


def test_every_step_takes_new_items_and_old_ones_whatever_ran_before() -> None:
    total, batch, fresh = 1000, 8, 3
    seen: set[int] = set()
    for step in range(40):
        numbers = chosen(5, step, batch, fresh, total).tolist()
        assert numbers == chosen(5, step, batch, fresh, total).tolist()
        assert not seen & set(numbers[:fresh])
        seen |= set(numbers[:fresh])
        assert set(numbers) <= seen
    assert chosen(5, 500, batch, fresh, total).max() < total


class Draw:
    """Draws shard n of a folder; what a worker of a feed runs."""

    def __init__(self, folder: Path, last: int) -> None:
        self.folder, self.last = folder, last

    def __call__(self, number: int) -> None:
        if number > self.last:
            raise SystemExit(3)
        (self.folder / f"{number}.txt").write_text(str(number))


def test_a_feed_waits_for_what_is_drawn_and_says_when_nobody_draws(tmp_path: Path) -> None:
    def path_of(number: int) -> Path:
        return tmp_path / f"{number}.txt"

    feed = Feed(PathOf(tmp_path), Path.read_text, 4, Draw(tmp_path, 2))
    assert [feed[2], feed[0]] == ["2", "0"]
    with pytest.raises(FeedBroken, match=r"3\.txt"):
        feed[3]
    feed.close()
    with pytest.raises(FeedBroken, match="missing"):
        Feed(path_of, Path.read_text, 5)[4]


class PathOf:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, number: int) -> Path:
        return self.folder / f"{number}.txt"


def test_a_shard_of_crops_follows_from_its_number(tmp_path: Path) -> None:
    batches = []
    for name in ("a", "b"):
        settings = ClassifierTraining(
            data=str(tmp_path / name), draw=False, shards=1, batch=16, fresh=8, crop={"size": 24}, network={"size": 24}
        )
        (tmp_path / name).mkdir()
        draw_crops(tmp_path / name, 1, CropSettings(24), 4, 0)
        batches.append(classifier_batch(crop_feed(settings), settings, 2))
    one, two = batches
    assert torch.equal(one.crops, two.crops)
    assert torch.equal(one.identities, two.identities)
    groups = one.identities.reshape(4, 4)
    assert (groups == groups[:, :1]).all()
    assert one.parts.shape[1] >= 10
    assert (one.emotions != NO_EMOTION).all()


def test_a_mirrored_crop_tells_gaze_and_brows_the_other_way_round(tmp_path: Path) -> None:
    settings = ClassifierTraining(
        data=str(tmp_path), draw=False, shards=1, batch=32, fresh=16, crop={"size": 32}, network={"size": 32}
    )
    right = np.full((32, 32, 3), 220, np.uint8)
    right[12:20, 20:28] = 20  # a pupil on the picture's right
    parts = tuple(0.1 * (n + 1) for n in range(len(PARTS)))
    crops = [LabelledCrop(right, UNKNOWN, "happy", n, parts) for n in range(CROPS)]
    write_crops(crops_path(tmp_path, settings.seed, 0), crops)
    batch = classifier_batch(crop_feed(settings), settings, 0)
    dark = 255.0 - batch.crops.float().mean(1)[:, 8:24]
    to_right = dark[:, :, 16:].mean((1, 2)) > dark[:, :, :16].mean((1, 2))
    assert 0 < int(to_right.sum()) < len(to_right)
    for number, name in enumerate(PARTS):
        sign = torch.where(to_right, 1.0, -1.0) if name in ("gaze_x", "brow_asym") else torch.ones(len(to_right))
        assert torch.allclose(batch.parts[:, number], sign * parts[number])


def test_designs_that_lie_apart_cost_less_than_designs_that_mix() -> None:
    identities = torch.tensor([0, 0, 1, 1, -1])
    apart = torch.tensor([[1.0, 0], [1, 0], [0, 1], [0, 1], [1, 0]])
    mixed = torch.tensor([[1.0, 0], [0, 1], [1, 0], [0, 1], [1, 0]])
    assert same_design_loss(apart, identities) < 0.2 * same_design_loss(mixed, identities)
    assert same_design_loss(apart, torch.full((5,), -1)) == 0


def test_boxes_follow_the_picture_through_augmentation() -> None:
    rng = np.random.default_rng(4)
    for n in range(30):
        moved = augmented(disc(n), rng, (96, 128))
        for face in moved.faces:
            ys, xs = np.where(face.mask)
            assert abs(xs.min() - face.box[0]) <= 2.5
            assert abs(xs.max() + 1 - face.box[2]) <= 2.5
            assert abs(ys.min() - face.box[1]) <= 2.5


@pytest.mark.parametrize("wear", WEARS)
def test_every_kind_of_wear_changes_the_picture_and_never_its_size(wear) -> None:  # type: ignore[no-untyped-def]
    frame = disc(5).frame
    worn_ones = [wear(frame, np.random.default_rng(n)) for n in range(12)]
    assert all(one.shape == frame.shape and one.dtype == np.uint8 for one in worn_ones)
    assert sum(not np.array_equal(one, frame) for one in worn_ones) >= 8
    face = disc(5).faces[0].mask
    told_apart = [abs(float(one[face].mean()) - float(one[~face].mean())) > 2 or one.std() > 2 for one in worn_ones]
    assert all(told_apart)


def test_wear_moves_no_face() -> None:
    plain, odd = (augmented(disc(5), np.random.default_rng(3), (96, 128), wear) for wear in (0.0, 1.0))
    assert [f.box for f in plain.faces] == [f.box for f in odd.faces]
    assert not np.array_equal(plain.frame, odd.frame)


def detector_training(folder: Path) -> DetectorTraining:
    folder.mkdir()
    write_shard(frames_path(folder, 1, 0), [disc(n) for n in range(PICTURES)])
    return DetectorTraining(
        data=str(folder), draw=False, shards=1, network={"channels": 32, "box_hidden": 32, "mask_layers": 1},
        frozen_blocks=0, height=96, width=128, steps=30, warm_up=5, rate=1e-3, report_every=5, save_every=8,
    )  # fmt: skip


def test_a_few_steps_lower_the_detector_s_loss(tmp_path: Path) -> None:
    lines: list[str] = []
    path = train_detector(detector_training(tmp_path / "data"), tmp_path / "out", lines.append)
    boxes = losses(lines, "classes")
    assert boxes[-1] < 0.8 * boxes[0]
    assert all(torch.isfinite(v.float()).all() for v in load_file(path).values())


def test_a_training_that_was_broken_off_ends_with_the_same_weights(tmp_path: Path) -> None:
    settings = detector_training(tmp_path / "data")
    whole = train_detector(replace(settings, steps=12), tmp_path / "whole", lambda _: None)

    def break_off(line: str) -> None:
        if line.startswith("step 10/"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_detector(replace(settings, steps=12), tmp_path / "broken", break_off)
    lines: list[str] = []
    again = train_detector(replace(settings, steps=12, report_every=1), tmp_path / "broken", lines.append)
    assert lines[0].startswith("step 9/12")
    one, two = load_file(whole), load_file(again)
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_a_few_steps_lower_the_classifier_s_loss(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    faces = []
    for n in range(CROPS):
        picture = np.full((32, 32, 3), 120, np.uint8)
        picture[4:28, 4:28] = (240, 60, 40) if n % 2 else (40, 90, 230)
        noisy = np.clip(picture + rng.normal(0, 5, picture.shape), 0, 255).astype(np.uint8)
        faces.append(LabelledCrop(noisy, "tom" if n % 2 else UNKNOWN, "happy" if n % 2 else "sad", n % 2, (n % 2,)))
    write_crops(crops_path(tmp_path, 1, 0), faces)
    training = ClassifierTraining(
        data=str(tmp_path), draw=False, shards=1, network={"size": 32, "width": 8, "parts": 1, "halves": True},
        crop={"size": 32}, batch=32, fresh=8, steps=40, warm_up=5, report_every=5,
    )  # fmt: skip
    lines: list[str] = []
    path = train_classifier(training, tmp_path / "out", lines.append)
    for name in ("emotion", "parts"):
        assert losses(lines, name)[-1] < 0.7 * losses(lines, name)[0]
    assert path.stat().st_size > 1000


def test_training_stops_at_a_loss_that_is_not_finite() -> None:
    with pytest.raises(ModelOutputInvalid, match=r"step 7.*boxes"):
        total_loss({"classes": torch.tensor(1.0), "boxes": torch.tensor(float("nan"))}, 7)


def test_training_without_data_says_so(tmp_path: Path) -> None:
    with pytest.raises(FeedBroken, match="missing"):
        train_detector(DetectorTraining(data=str(tmp_path), draw=False, steps=1), tmp_path / "out", lambda _: None)
    with pytest.raises(FeedBroken, match="missing"):
        train_classifier(
            ClassifierTraining(data=str(tmp_path), draw=False, steps=1, crop={"size": 80}),
            tmp_path / "c",
            lambda _: None,
        )


def test_the_shipped_settings_are_read() -> None:
    detector = read_settings(DetectorTraining, CONFIGS / "toonemo-3-detector.toml")
    classifier = read_settings(ClassifierTraining, CONFIGS / "toonemo-4-classifier.toml")
    assert detector.characters == ()
    assert classifier.network["parts"] == len(PARTS)
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
    with pytest.raises(WeightsUnavailable, match="nowhere"):
        train_detector(DetectorTraining(start=str(tmp_path / "nowhere"), steps=1), tmp_path / "out", lambda _: None)


def test_training_goes_on_from_a_whole_network_or_from_its_backbone_alone(tmp_path: Path) -> None:
    whole, backbone, other = tmp_path / "whole.safetensors", tmp_path / "b.safetensors", tmp_path / "o.safetensors"
    shape = DetectorSettings(channels=32, box_hidden=32, mask_layers=1)
    torch.manual_seed(1)
    one = build_detector(shape)
    save_file({k: v.half().contiguous() for k, v in one.state_dict().items()}, whole)
    start = "backbone."
    features = {k.removeprefix(start): v for k, v in one.state_dict().items() if k.startswith(f"{start}features.")}
    save_file({k: v.contiguous() for k, v in features.items()}, backbone)
    save_file({"layer.weight": torch.zeros(3)}, other)

    two = build_detector(shape)
    assert load_start(two, whole) == len(one.state_dict())
    gaps = [(v.float() - two.state_dict()[k].float()).abs().max() for k, v in one.state_dict().items()]
    assert max(gaps) < 2e-3
    assert load_start(build_detector(shape), backbone) == len(features)
    reader = FaceNet(ClassifierSettings(size=32, backbone="mobilenet_v2"))
    assert load_start(reader, backbone) == len(features)
    assert torch.equal(reader.state_dict()["blocks.0.0.weight"], features["features.0.0.weight"])
    with pytest.raises(WeightsInvalid, match="no layer"):
        load_start(reader, other)


def test_crops_are_worn_where_asked_and_their_padding_stays_black() -> None:
    crop = np.zeros((48, 48, 3), np.uint8)
    crop[:, 8:40] = np.random.default_rng(1).integers(40, 220, (48, 32, 3))
    plain = [augmented_crop(crop, np.random.default_rng(n), 48)[0] for n in range(30)]
    odd = [augmented_crop(crop, np.random.default_rng(n), 48, 1.0)[0] for n in range(30)]
    assert all((p[24, :3] == 0).all() for p in odd)
    light = [float(p[:, 16:32].mean()) for p in odd]
    assert np.std(light) > 1.5 * np.std([float(p[:, 16:32].mean()) for p in plain])


def test_the_rate_rises_then_falls() -> None:
    rates = [rate_at(step, 100, 1.0, 10) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == pytest.approx(1.0)
    assert rates[-1] < 0.05


def test_scores_become_the_share_of_right_ones() -> None:
    rng = np.random.default_rng(0)
    odds = rng.normal(0, 2, 4000)
    right = rng.random(4000) < 1 / (1 + np.exp(-(odds - 0.7) / 1.6))
    temperature, bias = fit_scores([FoundScore(float(o), bool(r)) for o, r in zip(odds, right, strict=True)])
    assert temperature == pytest.approx(1.6, rel=0.12)
    assert bias == pytest.approx(0.7, abs=0.15)


def test_faces_at_rest_are_said_as_often_as_films_show_them() -> None:
    rng = np.random.default_rng(0)
    truth = rng.choice(3, 6000, p=(0.2, 0.2, 0.6))
    logits = rng.normal(0, 1, (6000, 3))
    logits[np.arange(6000), truth] += (
        1.0  # the evidence of unit normal noise, read by one who thinks all are as frequent
    )
    assert fit_rest(logits, truth, 2) == pytest.approx(np.log(3), abs=0.15)
    fair = rng.choice(3, 6000)
    logits = rng.normal(0, 1, (6000, 3))
    logits[np.arange(6000), fair] += 1.0
    assert fit_rest(logits, fair, 2) == pytest.approx(0, abs=0.1)
    with pytest.raises(ValueError, match="at rest"):
        fit_rest(logits, np.zeros(6000, np.int64), 2)
