"""A bundle that models no emotion: its faces are kept and shown, and nowhere does an emotion count as 0."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.test import Client

from analysis.models import AnalysisRun, EmotionProfile, FaceDetection, RunStatus, SceneEmotion
from analysis.selectors.timelines import timeline_of
from analysis.services.bundles import bundle_register
from analysis.services.finalise import run_finalise
from analysis.services.leases import segment_complete
from analysis.services.runs import run_request
from ml.types import EMOTIONS, UNCLEAR, BundleRef
from tests.analysis.runs_helpers import CHARACTERS, claim, digest, make_episode, make_result

pytestmark = pytest.mark.django_db


@pytest.fixture
def run() -> AnalysisRun:
    ref = BundleRef("blind", "1", digest("blind"))
    bundle_register(ref=ref, characters=CHARACTERS, emotions=(), card={"name": "blind"})
    run = run_request(episode=make_episode(30_000), bundle_name="blind-1")
    for segment in run.segments.all():
        seen = make_result(segment.start_ms, segment.end_ms)
        faces = tuple(replace(d, emotions={}, emotion=None, confidence=0.0, embedding=()) for d in seen.detections)
        assert segment_complete(claim(segment).token, replace(seen, detections=faces))
    assert run_finalise(run.pk) is not None
    run.refresh_from_db()
    assert run.status == RunStatus.SUCCEEDED
    return run


def test_nothing_modelled_is_kept_as_nothing(run: AnalysisRun) -> None:
    faces = FaceDetection.objects.filter(run=run)
    assert faces.count() > 100
    for row in faces.values(*(str(e) for e in EMOTIONS), "embedding", "emotion")[:20]:
        assert row.pop("emotion") == ""
        assert set(row.values()) == {None}
    assert not SceneEmotion.objects.filter(run=run).exists()
    profiles = EmotionProfile.objects.filter(run=run)
    assert {p.character.slug for p in profiles} == {"tom", "jerry"}
    for profile in profiles:
        assert profile.visible_ms > 0
        assert (profile.shares, profile.readable_ms, profile.enough) == ({}, 0, False)


def test_the_timeline_and_the_pages_stand(run: AnalysisRun, client: Client) -> None:
    lanes = timeline_of(run, 30_000).lanes
    assert len(lanes) == 3
    assert {span.emotion for lane in lanes for span in lane.spans} == {UNCLEAR}
    for address in (f"/episodes/{run.episode_id}/", "/", "/characters/tom/", f"/api/v1/episodes/{run.episode_id}/"):
        assert client.get(address).status_code == 200, address
