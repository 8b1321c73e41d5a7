"""The parts of adapting that need no network: time, examples, the emotion layer, the gallery, figures."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from ml.adapt.adapt import spread_over
from ml.adapt.budget import Budget
from ml.adapt.detector import EMPTY, picked
from ml.adapt.examples import VIEWS, is_stranger, mask_of, read_show, slug_of
from ml.adapt.finding import held_out_groups, spread
from ml.adapt.heads import Faces, Layer, fit_emotions, fit_layer, folds_of
from ml.adapt.measure import emotion_figures, shuffled
from ml.adapt.replay import EACH, draw_replay
from ml.adapt.whose import FALSE_NAMES, fit_gallery
from ml.classify.network import WHO
from ml.data.records import LabelledFace
from ml.face import CropSettings
from ml.gallery import Gallery
from ml.train.store import Picture
from ml.types import EMBEDDING_SIZE, Emotion
from tests.ml.adapt.made import changed, show

CROP = CropSettings(32, 0.15, 0.5)
DIMENSIONS, KINDS = 12, 3


class Clock:
    """Every look at it costs a second."""

    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        self.time += 1
        return self.time


def test_time_ends_what_takes_too_long() -> None:
    budget = Budget(1.0, Clock())
    assert len(list(budget.within(range(1000), 0.2))) < 20
    assert len(list(budget.within(range(1000), 0.0, least=7))) == 7
    assert list(budget.within(range(3), 0.5)) == [0, 1, 2]
    while budget.left:
        pass
    assert len(list(budget.within(range(1000), 0.5))) == 1


def test_labels_become_crops_names_and_pictures(tmp_path: Path) -> None:
    dataset = show(tmp_path)
    read = read_show(dataset, dataset.images, CROP, 1, Budget(1))
    assert len(read.faces) == 12
    assert len(read.pictures) == 13
    assert not read.pictures[-1].faces
    assert read.names == {"red": "Red", "blue": "Blue"}
    assert read.faces[0].views.shape == (VIEWS, 32, 32, 3)
    assert read.faces[1].emotion is Emotion.SAD
    assert len(set(read.groups)) == 5
    assert {p.frame.shape[:2] for p in read.pictures} == {(96, 128), (120, 160)}


def test_reading_that_takes_too_long_says_what_is_left_out(tmp_path: Path) -> None:
    dataset = show(tmp_path)
    read = read_show(dataset, dataset.images, CROP, 1, Budget(0.1, Clock()))
    assert 0 < len(read.pictures) < 13
    assert read.unread == 13 - len(read.pictures)


def test_a_box_alone_stands_for_a_round_face() -> None:
    mask = mask_of(LabelledFace((10, 20, 50, 60)), 100, 100)
    assert mask[40, 30]
    assert not mask[21, 11]
    assert mask.sum() == pytest.approx(np.pi * 20 * 20, rel=0.02)
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    assert (columns[0], rows[0], columns[-1], rows[-1]) == (10, 20, 49, 59)


def test_a_face_outside_the_picture_or_ignored_is_no_example(tmp_path: Path) -> None:
    dataset = show(tmp_path)
    away = changed(dataset, box=(900.0, 900.0, 950.0, 950.0), polygons=())
    assert not read_show(away, away.images, CROP, 1, Budget(1)).faces
    ignored = changed(dataset, attributes={"ignore": "yes"})
    assert not read_show(ignored, ignored.images, CROP, 1, Budget(1)).faces


@pytest.mark.parametrize(
    ("said", "slug", "stranger"),
    [
        ("Boola left", "boola-left", False),
        ("O'Hara (old)/2", "o-hara-old-2", False),
        ("둘리", "둘리", False),
        ("Other", None, True),
        ("unknown", None, True),
        ("", None, False),
        (None, None, False),
    ],
)
def test_names_become_slugs_and_others_become_strangers(said: str | None, slug: str | None, stranger: bool) -> None:
    assert slug_of(said) == slug
    assert is_stranger(said) is stranger


def made_faces(count: int, shift: float, seed: int, shots: int = 6) -> Faces:
    """Kinds lie in three corners; ``shift`` moves all of them, as another show's drawings do."""
    rng = np.random.default_rng(seed)
    kinds = np.arange(count) % KINDS
    centres = np.eye(DIMENSIONS, dtype=np.float32)[:KINDS] * 3
    centres = centres + shift * np.roll(np.eye(DIMENSIONS, dtype=np.float32)[:KINDS] * 4, 1, axis=0)
    features = centres[kinds][:, None] + rng.normal(0, 0.6, (count, 2, DIMENSIONS)).astype(np.float32)
    return Faces(features.astype(np.float32), kinds.astype(np.int64), tuple(f"s{n % shots}" for n in range(count)))


def own_layer() -> Layer:
    weight = torch.zeros(KINDS, DIMENSIONS)
    weight[:, :KINDS] = torch.eye(KINDS) * 2
    return Layer(weight, torch.zeros(KINDS), 1.3)


def right(logits: NDArray[np.float64], faces: Faces) -> float:
    return float((logits.argmax(1) == faces.emotions).mean())


def test_a_show_is_learnt_and_rendered_faces_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ml.adapt.heads.fit_layer", partial(fit_layer, pull=1.0))
    faces, replay, own = made_faces(45, 1.0, 1), made_faces(60, 0.0, 2), own_layer()
    fitted = fit_emotions(faces, replay, own)
    assert right(own.logits(faces.features[:, 0]), faces) < 0.7
    assert fitted.held_out is not None
    assert right(fitted.held_out, faces) > right(own.logits(faces.features[:, 0]), faces) + 0.2
    assert right(fitted.layer.logits(replay.features[:, 0]), replay) > 0.9


def test_labels_without_meaning_gain_nothing() -> None:
    faces = shuffled(made_faces(45, 1.0, 1), 5)
    fitted = fit_emotions(faces, made_faces(60, 0.0, 2), own_layer())
    assert fitted.held_out is not None
    assert right(fitted.held_out, faces) < 0.6


def test_one_shot_leaves_nothing_to_judge_by() -> None:
    fitted = fit_emotions(made_faces(12, 1.0, 1, shots=1), made_faces(30, 0.0, 2), own_layer())
    assert fitted.held_out is None
    assert fitted.layer.temperature == 1.3


def test_the_pull_keeps_the_layer_near_its_own() -> None:
    faces, replay, own = made_faces(45, 1.0, 1), made_faces(60, 0.0, 2), own_layer()
    away = [float((fit_layer(faces, replay, own, pull).weight - own.weight).norm()) for pull in (0.1, 10.0, 1000.0)]
    assert away == sorted(away, reverse=True)
    assert away[-1] < 0.2 * away[0]


def test_an_emotion_that_no_label_names_becomes_rare_and_no_other_does() -> None:
    faces, replay, own = made_faces(45, 0.0, 1), made_faces(60, 0.0, 2), own_layer()
    two = faces.part(faces.emotions < KINDS - 1)
    fitted, all_kinds = (fit_layer(some, replay, own, 1e6) for some in (two, faces))
    moved = (fitted.bias - all_kinds.bias).tolist()
    assert moved[-1] == pytest.approx(math.log(KINDS / (len(two.emotions) + KINDS)), abs=0.01)
    assert moved[:-1] == pytest.approx([0.0] * (KINDS - 1), abs=0.01)
    plain = right(fitted.logits(replay.features[:, 0]), replay)
    assert plain > 0.9  # faces that show it plainly are still read so


def test_an_emotion_of_one_shot_is_not_taken_as_rare_where_that_shot_is_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    faces = made_faces(45, 0.0, 1)
    groups = tuple(f"shot {kind}" for kind in faces.emotions)  # each emotion in a shot of its own
    added: list[object] = []

    def noted(some: Faces, replay: Faces, own: Layer, unnamed: NDArray[np.float64] | None = None) -> Layer:
        added.append(None if unnamed is None else unnamed.tolist())
        return fit_layer(some, replay, own, unnamed=unnamed)

    monkeypatch.setattr("ml.adapt.heads.fit_layer", noted)
    fit_emotions(Faces(faces.features, faces.emotions, groups), made_faces(60, 0.0, 2), own_layer())
    assert added == [[0.0] * KINDS] * (KINDS + 1)


def test_folds_keep_shots_together() -> None:
    groups = ["a"] * 5 + ["b", "c", "d"] * 2 + ["e"]
    folds = folds_of(groups, 3)
    assert {len({int(f) for f, g in zip(folds, groups, strict=True) if g == name}) for name in set(groups)} == {1}
    assert set(folds.tolist()) == {0, 1, 2}


def embedded(rng: np.random.Generator, corner: int, count: int, noise: float = 0.05) -> NDArray[np.float32]:
    rows = np.zeros((count, 2, EMBEDDING_SIZE), np.float32)
    rows[:, :, corner] = 1
    return rows + rng.normal(0, noise, rows.shape).astype(np.float32)


def test_a_gallery_tells_who_is_who_and_leaves_strangers_unnamed() -> None:
    rng = np.random.default_rng(1)
    rows = np.concatenate([embedded(rng, 0, 8), embedded(rng, 1, 8)])
    strangers = np.concatenate([embedded(rng, corner, 4)[:, 0] for corner in range(2, 9)])
    names, shots = ["ann"] * 8 + ["bob"] * 8, [f"s{n % 4}" for n in range(16)]
    fitted = fit_gallery(rows, names, shots, strangers)
    assert (fitted.judged, fitted.right, fitted.wrong) == (16, 1.0, 0.0)
    assert fitted.strangers is not None
    assert fitted.strangers <= FALSE_NAMES
    gallery = Gallery.of(fitted.rows, fitted.settings)
    assert gallery.rows.shape[1] == WHO
    assert gallery.name(embedded(rng, 1, 1)[0, 0].tolist())[0] == "bob"
    assert gallery.name(embedded(rng, 20, 1)[0, 0].tolist())[0] is None


def test_others_of_the_show_raise_the_bar_for_a_name() -> None:
    rng = np.random.default_rng(2)
    rows, shots = embedded(rng, 0, 12), [f"s{n % 4}" for n in range(12)]
    alike = embedded(rng, 0, 12, 0.02)[:, 0]
    alike[:, 1] = 0.9  # somebody who looks much like ann
    far = np.concatenate([embedded(rng, corner, 4)[:, 0] for corner in range(2, 9)])
    loose = fit_gallery(rows, ["ann"] * 12, shots, far)
    strict = fit_gallery(rows, ["ann"] * 12, shots, far, alike)
    assert strict.settings["threshold"] > loose.settings["threshold"]
    assert strict.others is not None
    assert strict.others <= FALSE_NAMES
    assert loose.others is None


def test_names_of_one_shot_cannot_be_judged() -> None:
    rng = np.random.default_rng(3)
    fitted = fit_gallery(embedded(rng, 0, 6), ["ann"] * 6, ["one"] * 6, embedded(rng, 3, 9)[:, 0])
    assert (fitted.judged, fitted.right, fitted.wrong, fitted.unknown) == (0, None, None, None)


def test_whoever_is_in_one_shot_only_is_a_stranger_when_it_is_left_out() -> None:
    rng = np.random.default_rng(4)
    rows = np.concatenate([embedded(rng, 0, 8), embedded(rng, 1, 2)])
    shots = ["a", "b"] * 4 + ["c"] * 2
    fitted = fit_gallery(rows, ["ann"] * 8 + ["bob"] * 2, shots, embedded(rng, 5, 12)[:, 0])
    assert fitted.judged == 8
    assert fitted.right == 1.0


def test_figures_of_emotions_come_with_intervals_by_shot() -> None:
    faces = made_faces(30, 0.0, 1)
    logits = np.eye(KINDS)[faces.emotions] * 4
    logits[::10] = np.roll(logits[::10], 1, axis=1)
    figures = emotion_figures(logits, faces, ("happy", "sad", "angry"))
    assert figures["accuracy"]["value"] == pytest.approx(0.9)
    assert figures["accuracy"]["low"] < 0.9 < figures["accuracy"]["high"]
    assert figures["classes"] == 3


def test_a_third_of_the_shots_is_held_out_and_never_of_two() -> None:
    groups = [f"s{n % 9}" for n in range(40)]
    assert len(held_out_groups(groups, 1)) == 3
    assert held_out_groups(groups, 1) == held_out_groups(list(reversed(groups)), 1)
    assert held_out_groups(["a", "b", "a"], 1) == set()


def test_learning_can_be_limited_to_some_pictures_of_all_parts(tmp_path: Path) -> None:
    images = show(tmp_path).images
    assert spread_over(images, 13) == images
    few = spread_over(images, 4)
    assert [i.group for i in few] == ["shot-0", "shot-1", "shot-2", "shot-3"]


def test_a_few_of_many_pictures_come_from_everywhere() -> None:
    pictures = [Picture(np.full((1, 1, 3), n, np.uint8), ()) for n in range(70)]
    first = [int(p.frame[0, 0, 0]) for p in spread(pictures)]
    assert sorted(first) == list(range(70))
    assert max(first[:10]) > 60


@pytest.fixture
def quick_drawing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ml.adapt.replay.LEAST_PICTURES", 2)
    monkeypatch.setattr("ml.adapt.replay.LEAST_CROPS", 2 * EACH)


@pytest.mark.usefixtures("quick_drawing")
def test_a_design_is_either_learnt_from_or_measured_by() -> None:
    replay = draw_replay(1, CROP, Budget(1e-6), pictures=2)
    assert (len(replay.pictures), len(replay.kept_pictures)) == (1, 1)
    assert (len(replay.crops), len(replay.kept_crops)) == (EACH, EACH)
    assert replay.crops[0].identity != replay.kept_crops[0].identity


def test_pictures_without_faces_do_not_crowd_out_those_with(tmp_path: Path) -> None:
    dataset = show(tmp_path, shots=1, each=3, empty=30)
    read = read_show(dataset, dataset.images, CROP, 1, Budget(1))
    rng = np.random.default_rng(1)
    empty = sum(not p.faces for p in picked(read.pictures, rng, 400)) / 400
    assert empty == pytest.approx(EMPTY, abs=0.06)
    assert all(p.faces for p in picked(read.pictures[:3], rng, 20))
    assert not any(p.faces for p in picked(read.pictures[3:], rng, 20))
