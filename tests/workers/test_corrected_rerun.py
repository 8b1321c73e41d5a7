"""A film that is decoded, detected and classified twice, with other settings: what a person said holds for both."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth.models import User

from analysis.models import AnalysisRun, EmotionProfile, FaceDetection
from analysis.services.auditing import audit_run
from analysis.services.certify import certification_answer, certification_start
from analysis.services.corrections import CorrectionRequest, correction_add
from analysis.services.finalise import run_finalise
from analysis.services.publishing import run_publish
from analysis.services.runs import run_request
from catalog.models import Episode
from tests.analysis.runs_helpers import make_episode
from tests.workers.clips import write_clip
from tests.workers.conftest import make_fake_bundle
from workers.runner import Outcome, segment_run

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("fake_models")]

SECONDS = 12


def analysed(episode: Episode, sampling: str) -> AnalysisRun:
    run = run_request(episode=episode, bundle_name="fake", config={"segment_ms": 6_000, "sampling": sampling})
    assert [segment_run(s.pk, "worker") for s in run.segments.all()] == [Outcome.DONE] * 2
    ended = run_finalise(run.pk)
    assert ended is not None
    return ended


def shares(run: AnalysisRun, slug: str = "tom") -> dict[str, float]:
    profile = EmotionProfile.objects.get(run=run, character__slug=slug)
    return {emotion: row["share"] for emotion, row in profile.shares.items()}


def test_a_second_run_with_another_fingerprint_keeps_corrections_and_samples(fake_models: Path) -> None:
    write_clip(fake_models / "long.mp4", SECONDS, shot_s=1.0)
    make_fake_bundle()
    episode = make_episode(SECONDS * 1000, "long.mp4")
    person = User.objects.create_user("ann", is_staff=True)
    first = analysed(episode, "drawings")
    before = shares(first)
    asked = CorrectionRequest(0, 3_000, subject="tom", character="tom", emotion="disgusted")
    correction_add(episode=episode, actor=person, asked=asked)
    row = certification_start(episode=episode, actor=person, character="jerry", shots=5, seed=1)
    for place in row.picked:
        start, end = row.frame[place]
        certification_answer(certification=row, actor=person, place=place, pieces=[(start, end, "sad")])
    first.refresh_from_db()
    assert shares(first)["disgusted"] > before["disgusted"] + 0.1
    assert shares(first, "jerry")["sad"] > 0.8

    second = analysed(episode, "every-3")
    assert second.fingerprint != first.fingerprint
    run_publish(run=second, actor=person)
    first.delete()
    assert FaceDetection.objects.filter(run=second, character__slug="tom", emotion="disgusted").count() == 0
    assert shares(second)["disgusted"] > 0.1
    assert shares(second, "jerry")["sad"] > 0.8
    second.refresh_from_db()
    assert audit_run(second).equal
