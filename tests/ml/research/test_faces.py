"""Faces as data: rendered shows, files, two annotators, and what networks say of crops."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ml.bundle import BUNDLES_DIR, DEFAULT_BUNDLE
from ml.data.records import LabelledFace, LabelledImage
from ml.evaluate.sources import NothingToMeasure
from ml.research.faces import agreed, box_iou, joined, read_faces, write_faces
from ml.research.features import bundle_reader, imagenet_reader, read_all
from ml.research.measure import mean_over_shows, scores, weighted_mean
from ml.research.shows import made_show, show_faces
from tests.ml.research.made import faces_of

IMAGENET = Path("../shared/data/weights/mobilenet_v2_imagenet.safetensors")


def test_a_show_is_the_same_for_the_same_seed_and_keeps_its_look() -> None:
    first, again, other = show_faces(1, 1), show_faces(1, 1), show_faces(2, 1)
    assert np.array_equal(first.crops, again.crops)
    assert set(first.show.tolist()).isdisjoint(other.show.tolist())
    assert first.crops.shape[1:] == (96, 96, 3)
    assert len(set(first.emotion.tolist())) == len(set(first.shot.tolist())) == 1
    assert made_show(3).dress.look.name == "neon"
    assert made_show(3).shares.sum() == pytest.approx(1.0)


def test_faces_survive_a_file(tmp_path: Path) -> None:
    faces = joined([faces_of("one", 2, 2, 0), faces_of("two", 2, 2, 1)])
    write_faces(tmp_path / "faces.npz", faces)
    found = read_faces(tmp_path / "faces.npz")
    assert found.show.tolist() == faces.show.tolist()
    assert np.array_equal(found.parts, faces.parts)
    with pytest.raises(NothingToMeasure, match="missing"):
        read_faces(tmp_path / "missing.npz")


def test_only_faces_on_which_both_agree() -> None:
    def image(*faces: tuple[float, str]) -> LabelledImage:
        return LabelledImage(
            Path("a.png"), faces=tuple(LabelledFace((x, 0, x + 10, 10), "tom", emotion) for x, emotion in faces)
        )

    (kept,) = agreed(
        [image((0, "happy"), (50, "sad"), (90, "angry"))], [image((1, "happy"), (50, "angry"), (70, "sad"))]
    )
    assert [f.emotion for f in kept.faces] == ["happy"]
    assert box_iou((0, 0, 10, 10), (5, 0, 15, 10)) == pytest.approx(1 / 3)
    assert box_iou((0, 0, 10, 10), (10, 0, 15, 10)) == 0.0


def test_the_bundles_head_is_what_its_network_says(tmp_path: Path) -> None:
    reader = bundle_reader(BUNDLES_DIR / DEFAULT_BUNDLE)
    crops = np.random.default_rng(0).integers(0, 255, (3, 96, 96, 3)).astype(np.uint8)
    seen = read_all(reader, crops, tmp_path / "cache.npz")
    assert np.abs(reader.head(seen.features) - seen.logits).max() < 1e-3
    again = read_all(reader, crops, tmp_path / "cache.npz")
    assert np.abs(again.logits - seen.logits).max() < 1e-4


@pytest.mark.skipif(not IMAGENET.is_file(), reason="../shared/data/weights is absent")
def test_imagenet_features_differ_between_pictures() -> None:
    crops = np.random.default_rng(0).integers(0, 255, (2, 96, 96, 3)).astype(np.uint8)
    seen = imagenet_reader(IMAGENET).read(crops)
    assert seen.features.shape == (2, 416)
    assert np.abs(seen.features[0] - seen.features[1]).max() > 0.01


def test_intervals_hold_the_value_and_differences_are_paired() -> None:
    faces = faces_of("one", 20, 3, 0)
    said = faces.emotion.copy()
    said[::4] = (said[::4] + 1) % 7
    found = scores(faces, said, rounds=100)
    low, high = np.quantile(found["accuracy"].resampled, [0.025, 0.975])
    assert found["accuracy"].value == pytest.approx(0.75)
    assert low < 0.75 < high
    assert np.abs((found["accuracy"] - found["accuracy"]).resampled).max() == 0.0
    both = np.stack([said, faces.emotion])
    assert scores(faces, both, rounds=5)["accuracy"].value == pytest.approx(0.875)
    assert mean_over_shows([0.2, 0.4], rounds=50).value == pytest.approx(0.3)
    assert weighted_mean(np.array([0.0, 1.0]), ["a", "b"], rounds=50).value == pytest.approx(0.5)
    assert (
        "+" in (found["accuracy"] - found["macro-F1"]).signed or "-" in (found["accuracy"] - found["macro-F1"]).signed
    )
