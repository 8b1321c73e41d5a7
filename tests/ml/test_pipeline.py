from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from ml.analyse_cli import table
from ml.bundle import BUNDLES_DIR, DEFAULT_BUNDLE
from ml.classify.base import Crop, FaceReading
from ml.errors import Cancelled, ModelOutputInvalid, VideoDamaged
from ml.masks import decode_mask, encode_mask
from ml.overlay import Ink
from ml.pipeline import AnalyseConfig, analyse, analyse_segment, plan_segments
from ml.types import Detection, Emotion, Progress, SegmentResult, ShotKind
from tests.ml.films import StandInClassifier, StandInDetector, film, models_without_classifier, scene, stand_in_models

SMALL = AnalyseConfig(segment_ms=500, batch=3)


def story(path: Path) -> Path:
    """2 s: closed mouth, open mouth, an empty place, the head elsewhere; all held."""
    closed, opened = scene(), scene(mouth=14)
    empty = scene(hue=60)
    empty[40:101, 20:100] = (20, 200, 60)
    return film(path, [closed] * 12 + [opened] * 12 + [empty] * 12 + [scene(shift=20)] * 12)


def same(a: SegmentResult, b: SegmentResult) -> bool:
    return dataclasses.replace(a, timings={}) == dataclasses.replace(b, timings={})


def test_a_face_counts_for_as_long_as_its_drawing_is_shown(tmp_path: Path) -> None:
    result = analyse(story(tmp_path / "a.mp4"), stand_in_models())

    shown = [(d.pts_ms, d.shown_ms, d.emotion) for d in result.detections]
    assert shown == [(0, 500, Emotion.NEUTRAL), (500, 500, Emotion.SURPRISED), (1500, 500, Emotion.NEUTRAL)]
    assert result.profiles["pip"].visible_ms == 1500
    assert sum(result.profiles["pip"].shares.values()) == pytest.approx(1)
    assert (result.video.frames, result.video.duration_ms) == (48, 2000)


def test_segments_give_what_the_whole_gives_and_hold_no_time_twice(tmp_path: Path) -> None:
    path = story(tmp_path / "a.mp4")
    config = dataclasses.replace(SMALL, segment_ms=700)
    pieces = [analyse_segment(path, stand_in_models(), config, a, b) for a, b in plan_segments(2000, 700)]
    whole = analyse(path, stand_in_models(), config)

    assert tuple(d for p in pieces for d in p.detections) == whole.detections
    assert sum(p.frames for p in pieces) == 48
    assert [p.drawings for p in pieces] == [2, 1, 1]  # the one that stands at 700 ms began before
    assert [(d.pts_ms, d.shown_ms) for d in whole.detections] == [(0, 500), (500, 200), (700, 300), (1500, 500)]
    assert [s.start_ms for s in whole.shots] == sorted({0, *(c for p in pieces for c in p.cuts_ms)})


@pytest.mark.parametrize("sampling", ["drawings", "per-second", "every-1"])
def test_there_are_never_more_drawings_than_frames(tmp_path: Path, sampling: str) -> None:
    path = film(tmp_path / "a.mkv", [scene(), scene(mouth=14)], times_ms=[0, 900])
    config = dataclasses.replace(SMALL, segment_ms=200, sampling=sampling)
    plan = plan_segments(1800, 200)
    pieces = [analyse_segment(path, stand_in_models(), config, a, b) for a, b in plan[:5]]

    assert [p.frames for p in pieces] == [1, 0, 0, 0, 1]
    assert [p.drawings for p in pieces] == [1, 0, 0, 0, 0 if sampling == "per-second" else 1]
    assert {d.pts_ms for p in pieces for d in p.detections} >= {0, 200, 400, 600, 800}


def test_the_same_segment_twice_is_the_same_result(tmp_path: Path) -> None:
    path = story(tmp_path / "a.mp4")

    first, second = (analyse_segment(path, stand_in_models(), SMALL, 500, 1000) for _ in range(2))

    assert same(first, second)
    assert first.detections


def test_pictures_go_to_the_detector_in_batches(tmp_path: Path) -> None:
    models = stand_in_models()
    path = film(tmp_path / "a.mp4", [scene(shift=5 * (i % 8)) for i in range(24)])

    result = analyse_segment(path, models, AnalyseConfig(batch=5), 0, 1000)

    assert isinstance(models.detector, StandInDetector)
    assert models.detector.batches == [5, 5, 5, 5, 4]
    assert result.drawings == 24
    assert [d.pts_ms for d in result.detections] == sorted(d.pts_ms for d in result.detections)


def test_masks_and_boxes_are_pixels_of_the_decoded_picture(tmp_path: Path) -> None:
    found = analyse(story(tmp_path / "a.mp4"), stand_in_models()).detections[0]

    assert found.mask is not None
    inside = decode_mask(found.mask)
    assert inside.shape == (144, 192)
    x1, y1, x2, y2 = (int(v) for v in found.box)
    assert inside[y1:y2, x1:x2].sum() == inside.sum() > 1000
    assert abs((x1 + x2) / 2 - 60) <= 1


def test_a_mask_survives_encoding() -> None:
    mask = np.random.default_rng(2).random((37, 53)) > 0.6

    assert np.array_equal(decode_mask(encode_mask(mask)), mask)


def test_progress_rises_to_the_end_and_counts_over_the_episode(tmp_path: Path) -> None:
    said: list[Progress] = []

    analyse(story(tmp_path / "a.mp4"), stand_in_models(), SMALL, said.append)

    assert [p.done_ms for p in said] == sorted(p.done_ms for p in said)
    assert {p.total_ms for p in said} == {2000}
    assert said[-1].done_ms == 2000
    assert said[-1].faces == 3


def test_it_stops_within_two_seconds_of_being_asked(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", [scene(shift=5 * (i % 8)) for i in range(96)])
    asked: list[float] = []

    def stop() -> bool:
        asked.append(time.monotonic())
        return len(asked) > 3

    with pytest.raises(Cancelled):
        analyse_segment(path, stand_in_models(), SMALL, 0, 4000, should_stop=stop)
    assert time.monotonic() - asked[3] < 2


def test_a_number_that_is_not_finite_fails_the_segment(tmp_path: Path) -> None:
    class Broken(StandInClassifier):
        def classify(self, crops: Sequence[Crop]) -> list[FaceReading]:
            return [FaceReading({Emotion.HAPPY: float("nan")}, {}) for _ in crops]

    models = dataclasses.replace(stand_in_models(), classifier=Broken())

    with pytest.raises(ModelOutputInvalid):
        analyse(story(tmp_path / "a.mp4"), models)


def test_a_segment_past_the_end_of_the_film_says_so(tmp_path: Path) -> None:
    with pytest.raises(VideoDamaged, match=r"9\.0 s"):
        analyse_segment(story(tmp_path / "a.mp4"), stand_in_models(), SMALL, 9000, 9500)


def test_the_result_file_is_the_documented_one(tmp_path: Path) -> None:
    document = analyse(story(tmp_path / "a.mp4"), stand_in_models()).to_json()

    json.dumps(document, allow_nan=False)
    assert document["format"] == 1
    assert set(document) == {
        "format", "video", "bundle", "emotions", "shots", "detections", "profiles", "timings",
    }  # fmt: skip
    assert document["detections"][0]["emotion"] == "neutral"
    assert {"decode", "detect", "classify", "encode"} <= set(document["timings"])


@pytest.mark.parametrize("sampling", ["every-0", "every", "every-x", "Drawings", ""])
def test_an_unknown_sampling_is_refused(sampling: str) -> None:
    with pytest.raises(ValueError, match="sampling"):
        AnalyseConfig(sampling=sampling)


def test_no_detection_field_is_left_unset(tmp_path: Path) -> None:
    for d in analyse(story(tmp_path / "a.mp4"), stand_in_models()).detections:
        assert isinstance(d, Detection)
        assert d.shown_ms > 0
        assert len(d.embedding) == 128
        assert d.character == "pip"


def test_the_shipped_bundle_analyses_a_rendered_episode_with_its_cards(tmp_path: Path) -> None:
    if not (BUNDLES_DIR / DEFAULT_BUNDLE).is_dir():
        pytest.skip("the shipped bundle is not in this tree")
    from ml.render.episode import render_episode
    from ml.runtime import load_models

    path = tmp_path / "drawn.mp4"
    truth = render_episode(path, 4242, duration_s=8.0, size=(320, 180), style="modern")

    result = analyse(path, load_models(DEFAULT_BUNDLE, "cpu"), AnalyseConfig(sampling="per-second"))

    assert result.video == truth.video
    assert {s.kind for s in result.shots} >= {ShotKind.STORY, ShotKind.BLACK}
    assert any(d.character is not None for d in result.detections)


def test_without_a_classifier_faces_are_named_and_no_emotion_is_modelled(tmp_path: Path) -> None:
    result = analyse(story(tmp_path / "a.mp4"), models_without_classifier())

    assert [(d.pts_ms, d.character, d.emotion) for d in result.detections] == [
        (0, "pip", None), (500, "pip", None), (1500, "pip", None),
    ]  # fmt: skip
    assert all(d.emotions == {} and d.embedding == () and d.confidence == 0 for d in result.detections)
    assert result.profiles["pip"].visible_ms == 1500
    assert result.profiles["pip"].shares == {}
    written = result.to_json()
    assert written["detections"][0]["emotions"] == {}
    assert written["profiles"]["pip"]["shares"] == {}


def test_what_models_no_emotion_says_so_in_table_and_overlay(tmp_path: Path) -> None:
    models = models_without_classifier()
    result = analyse(story(tmp_path / "a.mp4"), models)

    shown = table("a", result, models.bundle)
    assert "no emotion is modelled" in shown
    assert "happy" not in shown
    assert Ink(result.detections, models.bundle.characters).caption(result.detections[0]) == "Pip"
