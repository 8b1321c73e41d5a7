from __future__ import annotations

import itertools

import pytest

from analysis.models import (
    EmotionProfile,
    EmotionSpan,
    FaceDetection,
    Publication,
    RunStatus,
    Scene,
    SceneEmotion,
    Shot,
    Track,
)
from analysis.services import finalise
from analysis.services.finalise import MOST_FINALISE_ATTEMPTS, run_finalise
from analysis.services.leases import segment_complete, segment_fail
from ml.timeline import profiles, shots_from_cuts
from tests.analysis.runs_helpers import claim, complete, complete_all, make_result, make_run, rows_of

pytestmark = pytest.mark.django_db
DERIVED = (Shot, Track, Scene, SceneEmotion, EmotionProfile, EmotionSpan)


def test_a_run_with_open_segments_is_not_finalised() -> None:
    run = make_run()
    complete(run.segments.first())  # type: ignore[arg-type]
    assert run_finalise(run.pk) is None
    assert run_finalise(10**9) is None
    run.refresh_from_db()
    assert run.status == RunStatus.RUNNING
    assert run.finalise_attempts == 0


def test_shots_and_scenes_cover_the_episode_and_tracks_stay_inside_shots() -> None:
    run = make_run()
    complete_all(run)
    ended = run_finalise(run.pk)
    assert ended is not None
    assert (ended.status, ended.partial, ended.faces) == (RunStatus.SUCCEEDED, False, FaceDetection.objects.count())
    assert ended.timings == {"decode": 1.5, "detect": 3.75}
    for model in (Shot, Scene):
        spans = list(model.objects.filter(run=run).values_list("start_ms", "end_ms"))
        assert spans[0][0] == 0
        assert spans[-1][1] == 150_000
        assert all(a[1] == b[0] for a, b in itertools.pairwise(spans))
    for track in Track.objects.filter(run=run).select_related("shot"):
        assert track.shot.start_ms <= track.start_ms < track.shot.end_ms
    assert not FaceDetection.objects.filter(run=run, track=None).exists()


def test_the_profiles_are_those_of_the_pipeline_alone() -> None:
    run = make_run()
    results = []
    for segment in run.segments.all():
        results.append(make_result(segment.start_ms, segment.end_ms))
        assert segment_complete(claim(segment).token, results[-1])
    run_finalise(run.pk)
    faces = [face for result in results for face in result.detections]
    kinds = [kind for result in results for kind in result.kinds]
    shots = shots_from_cuts(150_000, [cut for result in results for cut in result.cuts_ms], kinds)
    expected = profiles(faces, shots)
    rows = {p.character.slug: p for p in EmotionProfile.objects.filter(run=run).select_related("character")}
    assert set(rows) == set(expected) == {"tom", "jerry"}
    for slug, profile in expected.items():
        assert rows[slug].visible_ms == profile.visible_ms
        found = {e: v["raw"] for e, v in rows[slug].shares.items()}
        assert found == pytest.approx({str(e): x for e, x in profile.shares.items()}, abs=1e-6)


def test_spans_are_where_the_profiles_say_they_are() -> None:
    run = make_run()
    complete_all(run)
    run_finalise(run.pk)
    spans = list(EmotionSpan.objects.filter(run=run).select_related("scene", "character"))
    assert spans
    for span in spans:
        assert span.scene.start_ms <= span.start_ms < span.end_ms <= span.scene.end_ms
        assert 0.4 <= span.strength <= 1.0
    for profile in EmotionProfile.objects.filter(run=run):
        for emotion, share in profile.shares.items():
            own = [s for s in spans if (s.character_id, s.emotion) == (profile.character_id, emotion)]
            assert max((s.end_ms - s.start_ms for s in own), default=0) == share["longest_ms"]
            assert share["runs_per_minute"] == pytest.approx(60_000 * len(own) / profile.readable_ms, abs=1e-3)


def test_finalising_again_gives_equal_rows() -> None:
    run = make_run()
    complete_all(run)
    run_finalise(run.pk)
    before = {model: rows_of(run, model) for model in (*DERIVED, FaceDetection)}
    assert all(before.values())
    keys = set(Scene.objects.values_list("pk", flat=True))
    assert run_finalise(run.pk) is None
    assert set(Scene.objects.values_list("pk", flat=True)) == keys
    assert run_finalise(run.pk, again=True) is not None
    assert before == {model: rows_of(run, model) for model in (*DERIVED, FaceDetection)}
    assert Publication.objects.count() == 1


def test_nothing_joins_across_a_missing_part() -> None:
    run = make_run()
    first, second, third = run.segments.all()
    complete(first)
    complete(third)
    segment_fail(claim(second).token, "video_damaged", "The video is damaged.", final=True)
    run_finalise(run.pk)
    gap = Shot.objects.get(run=run, start_ms=60_000)
    assert gap.end_ms == 120_000
    assert not FaceDetection.objects.filter(run=run, pts_ms__gte=60_000, pts_ms__lt=120_000).exists()


def test_an_episode_without_faces_succeeds_with_nothing() -> None:
    from dataclasses import replace

    run = make_run(10_000)
    result = replace(make_result(0, 10_000), detections=(), kinds=())
    assert segment_complete(claim(run.segments.get()).token, result)
    ended = run_finalise(run.pk)
    assert ended is not None
    assert ended.status == RunStatus.SUCCEEDED
    assert not EmotionProfile.objects.exists()
    assert Scene.objects.count() == 1


def test_a_step_that_always_breaks_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(10_000)
    complete_all(run)

    def broken(*args: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(finalise, "derived_rewrite", broken)
    for _ in range(MOST_FINALISE_ATTEMPTS):
        with pytest.raises(ZeroDivisionError):
            run_finalise(run.pk)
    ended = run_finalise(run.pk)
    assert ended is not None
    assert (ended.status, ended.error_code) == (RunStatus.FAILED, "finalise_failed")
