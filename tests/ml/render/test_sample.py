"""Training frames and crops: the same seed gives the same pixels, labels tell the truth about what can be seen."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest
from pycocotools import mask as coco

from ml.face import CropSettings
from ml.render.canvas import Canvas
from ml.render.cast import CAST
from ml.render.crop import as_detected, sample_crop
from ml.render.crowd import FAMILIES, random_design
from ml.render.design import Pose
from ml.render.expression import expression_for
from ml.render.frameset import FrameSet
from ml.render.head import draw_head
from ml.render.ink import Ink, box
from ml.render.props import PROPS
from ml.render.sample import CHARACTERS, UNKNOWN, Sample, main, sample_frame
from ml.render.strangers import draw_stranger, stranger_look
from ml.render.styles import CLEAN, Style, apply_style, hidden, wild_style
from ml.types import EMOTIONS, Emotion


@pytest.fixture(scope="module")
def samples() -> list[Sample]:
    return [sample_frame(np.random.default_rng([7, n])) for n in range(60)]


def test_same_seed_same_pixels_and_labels() -> None:
    for n in range(4):
        a, b = sample_frame(np.random.default_rng([3, n])), sample_frame(np.random.default_rng([3, n]))
        assert np.array_equal(a.rgb, b.rgb)
        assert [f.box for f in a.faces] == [f.box for f in b.faces]
    assert not np.array_equal(a.rgb, sample_frame(np.random.default_rng([4, 3])).rgb)


def test_frames_have_the_size_asked_for() -> None:
    assert sample_frame(np.random.default_rng(1), (320, 240)).rgb.shape == (240, 320, 3)


def test_boxes_are_tight_around_masks_that_do_not_overlap(samples: list[Sample]) -> None:
    for sample in samples:
        taken = np.zeros(sample.rgb.shape[:2], int)
        for face in sample.faces:
            ys, xs = np.nonzero(face.mask)
            assert face.box == (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1)
            taken += face.mask
        assert taken.max(initial=0) <= 1


def test_frames_show_the_cast_strangers_and_nobody(samples: list[Sample]) -> None:
    seen = Counter(face.character for sample in samples for face in sample.faces)
    assert set(seen) == set(CHARACTERS)
    assert 0.25 < seen[UNKNOWN] / seen.total() < 0.75
    assert 0.05 < sum(not sample.faces for sample in samples) / len(samples) < 0.4
    assert {face.emotion for sample in samples for face in sample.faces} == set(EMOTIONS)


def test_no_face_from_behind() -> None:
    scene = FrameSet(np.random.default_rng(2), 200, 120)
    for x in (50.0, 100.0, 150.0):
        scene.add_back(x, 50.0, 40.0)
    assert scene.finish(CLEAN).faces == []


def test_a_face_whose_eyes_are_covered_is_not_listed() -> None:
    scene = FrameSet(np.random.default_rng(5), 200, 160)
    scene.add("rosa", CAST["rosa"], 100.0, 80.0, 80.0, 1.0)
    assert [face.character for face in scene.finish(CLEAN).faces] == ["rosa"]
    for x, y in scene.actors[0].head.eye_places:
        scene.canvas.fill(box(x - 9, y - 9, x + 9, y + 9), (0.0, 0.0, 0.0), 0)
    assert scene.finish(CLEAN).faces == []


def test_bars_hide_faces_as_well_as_pixels() -> None:
    scene = FrameSet(np.random.default_rng(5), 200, 160)
    scene.add("tom", CAST["tom"], 100.0, 80.0, 60.0, 1.0)
    whole = scene.finish(CLEAN).faces[0].mask
    style = Style(bars=(0.45, 0.0))
    cut = scene.finish(style)
    covered = hidden(style, 160, 200)
    assert covered is not None
    assert cut.rgb[covered].max() == 0
    assert all(not (face.mask & covered).any() for face in cut.faces)
    assert (whole & covered).any()


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_draws_faces_that_can_be_seen(family: str) -> None:
    rng = np.random.default_rng(11)
    for _ in range(3):
        scene = FrameSet(rng, 120, 120)
        design = random_design(rng, family)
        assert design.name == UNKNOWN
        scene.add(UNKNOWN, design, 60.0, 60.0, 60.0, 0.0)
        assert np.count_nonzero(scene.canvas.ids == 1) > 300


def test_strangers_have_eyes_on_their_faces() -> None:
    rng = np.random.default_rng(1)
    for n in range(24):
        canvas = Canvas(120, 120)
        expression = expression_for(EMOTIONS[n % 7], 0.8, rng)
        head = draw_stranger(canvas, rng, stranger_look(rng), Ink(), expression, 60.0, 60.0, 70.0, 3)
        assert head.eyes >= 1
        assert np.count_nonzero(canvas.ids == 3) > 600
        x, y = head.eye_places[-1]
        assert 0 < x < 120
        assert 0 < y < 120


@pytest.mark.parametrize("draw", [draw for draw, _ in PROPS], ids=lambda draw: draw.__name__)
def test_props_are_seen_and_hide_faces(draw) -> None:  # type: ignore[no-untyped-def]
    hides, changed = False, False
    for seed in range(6):
        canvas = Canvas(120, 120, background=(90.0, 140.0, 180.0))
        canvas.ids[:] = 1
        before = canvas.image()
        with canvas.at(60, 60, scale=30):
            draw(canvas, np.random.default_rng(seed), Ink())
        changed |= bool((canvas.image() != before).any())
        hides |= bool((canvas.ids == 0).any())
    assert changed
    assert hides


def test_styles_keep_the_size_and_follow_the_seed() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (90, 160, 3)).astype(np.uint8)
    names = set()
    for seed in range(60):
        style = wild_style(np.random.default_rng(seed))
        names.add(style.name)
        a = apply_style(picture, style, np.random.default_rng(1))
        assert a.shape == picture.shape
        assert np.array_equal(a, apply_style(picture, style, np.random.default_rng(1)))
    assert len(names) >= 9
    assert np.array_equal(apply_style(picture, CLEAN, np.random.default_rng(1)), picture)


def test_grey_style_has_no_colour() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (40, 40, 3)).astype(np.uint8)
    grey = apply_style(picture, Style(saturation=0.0), np.random.default_rng(1)).astype(int)
    assert np.ptp(grey, axis=2).max() <= 1


def test_crops_are_square_readable_and_repeatable() -> None:
    settings = CropSettings(64, 0.15, 0.5)
    seen: Counter[str] = Counter()
    emotions: Counter[Emotion] = Counter()
    for n in range(60):
        crop, character, emotion, intensity = sample_crop(np.random.default_rng([9, n]), settings)
        assert crop.shape == (64, 64, 3)
        assert 0.0 <= intensity <= 1.0
        seen[character] += 1
        emotions[emotion] += 1
    assert set(seen) == set(CHARACTERS)
    assert set(emotions) == set(EMOTIONS)
    again = sample_crop(np.random.default_rng([9, 59]), settings)
    assert np.array_equal(again[0], crop)
    assert again[1:] == (character, emotion, intensity)


def test_a_detected_face_lies_near_the_true_one(samples: list[Sample]) -> None:
    rng = np.random.default_rng(4)
    large = [face for sample in samples for face in sample.faces if face.box[3] - face.box[1] > 40]
    assert large
    for face in large:
        found = as_detected(rng, face)
        assert found.mask is not None
        both = np.count_nonzero(found.mask & face.mask)
        assert both / np.count_nonzero(found.mask | face.mask) > 0.6
        assert (found.character or UNKNOWN) == face.character


@pytest.mark.filterwarnings("ignore:__array__ implementation")  # inside pycocotools 2.0 with numpy 2
def test_frames_on_disk_can_be_read_back(tmp_path: Path) -> None:
    assert main(["--frames", "4", "--seed", "6", "--out", str(tmp_path), "--size", "192x108", "--png"]) == 0
    (labels,) = tmp_path.glob("labels-*.jsonl")
    entries = [json.loads(line) for line in labels.read_text().splitlines()]
    assert len(entries) == 4
    for n, entry in enumerate(entries):
        sample = sample_frame(np.random.default_rng([6, n]), (192, 108))
        stored = cv2.imread(str(tmp_path / entry["file"]))
        assert stored is not None
        assert np.array_equal(stored[..., ::-1], sample.rgb)
        assert [face["character"] for face in entry["faces"]] == [face.character for face in sample.faces]
        for stored_face, face in zip(entry["faces"], sample.faces, strict=True):
            mask = stored_face["mask"]
            decoded = coco.decode({"size": mask["size"], "counts": mask["counts"].encode()})
            assert np.array_equal(decoded.astype(bool), face.mask)


def test_two_jobs_draw_what_one_draws(tmp_path: Path) -> None:
    common = ["--frames", "3", "--seed", "8", "--size", "160x90", "--out"]
    assert main([*common, str(tmp_path / "one")]) == 0
    assert main([*common, str(tmp_path / "two"), "--jobs", "2"]) == 0
    one = sorted((path.name, path.read_bytes()) for path in (tmp_path / "one").iterdir())
    assert one == sorted((path.name, path.read_bytes()) for path in (tmp_path / "two").iterdir())
    assert len(one) == 4


def test_a_turned_head_shows_its_eyes_where_they_are() -> None:
    rng = np.random.default_rng(0)
    canvas = Canvas(200, 200)
    head = draw_head(canvas, CAST["jerry"], expression_for(Emotion.NEUTRAL, 0.2, rng), Pose(yaw=0.0), 100, 100, 90, 1)
    (x1, y1), (x2, y2) = head.eye_places
    assert x1 < 100 < x2
    assert abs((x1 + x2) / 2 - 100) < 2
    assert y1 == pytest.approx(y2)
    assert y1 < 100
