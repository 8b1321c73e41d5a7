from __future__ import annotations

import numpy as np
import pytest
import torch

from ml.bundle import DEFAULT_BUNDLE, Thresholds
from ml.classify.base import UNKNOWN, FaceReading
from ml.classify.naming import judge
from ml.classify.network import ClassifierSettings, FaceNet
from ml.classify.small_cnn import SmallCnnClassifier
from ml.detect.base import Face
from ml.errors import ModelOutputInvalid
from ml.gallery import Gallery
from ml.render.crop import sample_crop
from ml.runtime import Models, load_models
from ml.types import EMBEDDING_SIZE, EMOTIONS, Emotion

LIMITS = Thresholds(name_detector=0.5, name_classifier=0.6, unclear=0.4)


@pytest.fixture(scope="module")
def models() -> Models:
    return load_models(DEFAULT_BUNDLE, "cpu")


def crops(models: Models, count: int) -> tuple[list[np.ndarray[tuple[int, ...], np.dtype[np.uint8]]], list[Emotion]]:
    made = [sample_crop(np.random.default_rng([31, n]), models.crop) for n in range(count)]
    return [m[0] for m in made], [m[2] for m in made]


def reading(character: str, sure: float, emotion: float = 0.9) -> FaceReading:
    return FaceReading({Emotion.HAPPY: emotion, Emotion.SAD: 1 - emotion}, {character: sure, UNKNOWN: 1 - sure})


def face(character: str | None) -> Face:
    return Face((0, 0, 9, 9), None, (0, 0), character, 0.9)


def test_readings_are_probabilities_over_what_the_bundle_knows(models: Models) -> None:
    pictures, _ = crops(models, 5)
    for one in models.read_crops(pictures):
        assert set(one.probabilities) == set(EMOTIONS)
        assert set(one.character_scores) == {*models.bundle.characters, UNKNOWN}
        assert sum(one.probabilities.values()) == pytest.approx(1, abs=1e-3)
        assert sum(one.character_scores.values()) == pytest.approx(1, abs=1e-3)
        assert len(one.embedding) == EMBEDDING_SIZE
        assert np.linalg.norm(one.embedding) == pytest.approx(1, abs=1e-2)


def test_it_reads_rendered_faces_far_better_than_chance(models: Models) -> None:
    pictures, emotions = crops(models, 48)
    said = [max(r.probabilities, key=lambda e: r.probabilities[e]) for r in models.read_crops(pictures)]
    assert np.mean([a == b for a, b in zip(said, emotions, strict=True)]) >= 0.6


def test_no_crops_no_readings(models: Models) -> None:
    assert models.read_crops([]) == []
    assert models.read_faces([], []) == []


def test_the_same_crops_give_the_same_readings(models: Models) -> None:
    pictures, _ = crops(models, 6)
    assert models.read_crops(pictures) == models.read_crops(pictures)


def test_numbers_that_are_not_finite_are_refused() -> None:
    settings = ClassifierSettings(size=32, width=4)
    network = FaceNet(settings)
    with torch.no_grad():
        network.emotion.bias.fill_(float("inf"))
    classifier = SmallCnnClassifier(network, settings, {str(e): e for e in EMOTIONS}, ("a", "b", "c", "d"))
    with pytest.raises(ModelOutputInvalid):
        classifier.classify([np.zeros((32, 32, 3), np.uint8)])


def test_a_face_and_its_mirror_image_are_read_alike_where_both_are_looked_at() -> None:
    torch.manual_seed(0)
    settings = ClassifierSettings(size=32, width=8, mirrored=True)
    network = FaceNet(settings)
    mapping = {str(e): e for e in EMOTIONS}
    both = SmallCnnClassifier(network, settings, mapping, ("a", "b", "c", "d"))
    one = SmallCnnClassifier(network, ClassifierSettings(size=32, width=8), mapping, ("a", "b", "c", "d"))
    crop = np.random.default_rng(0).integers(0, 255, (32, 32, 3)).astype(np.uint8)
    turned = np.ascontiguousarray(crop[:, ::-1])
    assert torch.allclose(both.outputs([crop]).emotion, both.outputs([turned]).emotion, atol=1e-5)
    halfway = (one.outputs([crop]).emotion + one.outputs([turned]).emotion) / 2
    assert torch.allclose(both.outputs([crop]).emotion, halfway, atol=1e-5)
    assert not torch.allclose(one.outputs([crop]).emotion, one.outputs([turned]).emotion, atol=1e-5)


def test_labels_that_mean_one_emotion_are_added_up() -> None:
    torch.manual_seed(1)
    settings = ClassifierSettings(size=32, width=4, emotions=3, characters=2)
    mapping = {"joy": Emotion.HAPPY, "glee": Emotion.HAPPY, "rage": Emotion.ANGRY}
    classifier = SmallCnnClassifier(FaceNet(settings), settings, mapping, ("a",))
    [one] = classifier.classify([np.zeros((32, 32, 3), np.uint8)])
    assert list(one.probabilities) == [Emotion.HAPPY, Emotion.ANGRY]
    assert sum(one.probabilities.values()) == pytest.approx(1, abs=1e-4)


def test_a_name_needs_two_witnesses() -> None:
    assert judge(face("tom"), reading("tom", 0.9), LIMITS).character == "tom"
    assert judge(face("tom"), reading("tom", 0.55), LIMITS).character is None
    assert judge(face("tom"), reading("jerry", 0.9), LIMITS).character is None
    assert judge(face(None), reading("tom", 0.99), LIMITS).character is None


def gallery() -> Gallery:
    rows = np.eye(4, 128, dtype=np.float32)
    return Gallery.of(rows, {"characters": ["tom", "tom", "ann", "ann"], "threshold": 0.4, "margin": 0.1, "size": 8})


def looks_like(*rows: int) -> tuple[float, ...]:
    embedding = np.zeros(128, np.float32)
    embedding[list(rows)] = 1.0
    return tuple(float(v) for v in embedding)


def test_a_gallery_names_a_face_that_is_like_one_character_s_examples() -> None:
    shown = gallery()
    assert shown.name(looks_like(0, 1))[0] == "tom"
    assert shown.name(looks_like(0, 1))[1] == pytest.approx(0.5**0.5)
    assert shown.name(looks_like(2, 3))[0] == "ann"
    assert shown.name(looks_like(7))[0] is None
    assert shown.name(looks_like(0, 1, 2, 3))[0] is None  # as like the one as the other
    assert shown.name(looks_like(0, 1, 100, 101))[0] == "tom"  # numbers past the first 8 say nothing of whom


def test_a_gallery_and_the_other_witnesses_must_agree() -> None:
    nobody, tom = {UNKNOWN: 0.9, "tom": 0.1}, {"tom": 0.9, UNKNOWN: 0.1}

    def named(said: str | None, scores: dict[str, float], *rows: int, knows: bool) -> str | None:
        reading = FaceReading({Emotion.HAPPY: 1.0}, scores, looks_like(*rows))
        return judge(face(said), reading, LIMITS, gallery(), detector_names=knows).character

    assert named(None, tom, 0, 1, knows=False) == "tom"
    assert named(None, nobody, 0, 1, knows=False) is None
    assert named(None, {}, 0, 1, knows=False) == "tom"
    assert named(None, nobody, 2, 3, knows=False) == "ann"  # whom the head was never taught
    assert named(None, tom, 2, 3, knows=False) is None
    assert named(None, tom, 0, 1, knows=True) is None  # the detector knows tom, and says it is not he
    assert named("tom", tom, 7, knows=True) is None


def test_the_head_alone_names_where_nothing_else_can() -> None:
    reading = FaceReading({Emotion.HAPPY: 1.0}, {"tom": 0.9, UNKNOWN: 0.1})
    assert judge(face(None), reading, LIMITS, detector_names=False).character == "tom"
    assert judge(face(None), FaceReading({}, {}), LIMITS, detector_names=False).character is None


def test_a_name_is_never_less_likely_than_another() -> None:
    scores = {"tom": 0.45, "jerry": 0.5, UNKNOWN: 0.05}
    both = FaceReading({Emotion.HAPPY: 1.0}, scores)
    assert judge(face("tom"), both, Thresholds(name_classifier=0.4)).character is None


def test_low_confidence_is_unclear() -> None:
    said = judge(face(None), reading("tom", 0.1, 0.9), LIMITS)
    assert (said.emotion, said.confidence) == (Emotion.HAPPY, 0.9)
    unsure = FaceReading({Emotion.HAPPY: 0.35, Emotion.SAD: 0.33, Emotion.ANGRY: 0.32}, {})
    assert judge(face(None), unsure, LIMITS).emotion is None
