"""Whatever happens in whatever order, a run keeps its promises."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import suppress

import pytest
from django.db import connection
from django.test import override_settings
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from analysis.errors import AnalysisError
from analysis.models import AnalysisRun, FaceDetection, Publication, RunStatus, SegmentStatus
from analysis.services.finalise import run_finalise
from analysis.services.leases import (
    MOST_ATTEMPTS,
    leases_reclaim,
    segment_cancel,
    segment_claim,
    segment_complete,
    segment_fail,
    segment_heartbeat,
    segment_release,
)
from analysis.services.runs import run_cancel, run_request, run_retry
from ml.types import SegmentResult
from tests.analysis.runs_helpers import make_bundle, make_episode, make_result

PARTS = 3
parts = st.integers(0, PARTS - 1)


class RunMachine(RuleBasedStateMachine):
    """``tokens``: every token ever given, so that old ones are tried too; ``holder``: the one that counts, by part."""

    def __init__(self) -> None:
        super().__init__()
        make_bundle()
        episode = make_episode(1000 * PARTS)
        self.run = run_request(episode=episode, bundle_name="test-1", config={"segment_ms": 1000})
        self.segments = list(self.run.segments.all())
        self.tokens: list[tuple[int, uuid.UUID]] = []
        self.holder: dict[int, uuid.UUID] = {}

    def _result(self, part: int) -> SegmentResult:
        segment = self.segments[part]
        return make_result(segment.start_ms, segment.end_ms)

    def _with_token(self, choice: int, call: Callable[[int, uuid.UUID], bool], *, ends: bool = True) -> None:
        """Calls with some token, old or current, and checks that only the current one has an effect."""
        if not self.tokens:
            return
        part, token = self.tokens[choice % len(self.tokens)]
        worked = call(part, token)
        assert worked == (self.holder.get(part) == token)
        if worked and ends:
            del self.holder[part]

    @rule(part=parts)
    def claim(self, part: int) -> None:
        claim = segment_claim(self.segments[part].pk, "worker")
        if claim is not None:
            self.tokens.append((part, claim.token))
            self.holder[part] = claim.token

    @rule(choice=st.integers(0, 50))
    def heartbeat(self, choice: int) -> None:
        self._with_token(choice, lambda _, t: segment_heartbeat(t, done_ms=500, drawings=1, faces=1).held, ends=False)

    @rule(choice=st.integers(0, 50))
    def complete(self, choice: int) -> None:
        self._with_token(choice, lambda part, token: segment_complete(token, self._result(part)))

    @rule(choice=st.integers(0, 50), final=st.booleans())
    def fail(self, choice: int, final: bool) -> None:
        self._with_token(choice, lambda _, token: segment_fail(token, "internal", "Broken.", final=final))

    @rule(choice=st.integers(0, 50))
    def release(self, choice: int) -> None:
        self._with_token(choice, lambda _, token: segment_release(token))

    @rule(choice=st.integers(0, 50))
    def stop(self, choice: int) -> None:
        if self.run.cancel_requested_at is not None:
            self._with_token(choice, lambda _, token: segment_cancel(token))

    @rule(part=parts)
    def die_and_reclaim(self, part: int) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE analysis_segment SET lease_expires_at = now() - interval '1 hour'"
                " WHERE id = %s AND status = 'running'",
                [self.segments[part].pk],
            )
        leases_reclaim()
        self.holder.pop(part, None)

    @rule()
    def cancel(self) -> None:
        with suppress(AnalysisError):
            run_cancel(run=self.run)

    @rule()
    def retry(self) -> None:
        with suppress(AnalysisError):
            run_retry(run=self.run)

    @rule(again=st.booleans())
    def finalise(self, again: bool) -> None:
        run_finalise(self.run.pk, again=again)

    @invariant()
    def promises(self) -> None:
        self.run = run = AnalysisRun.objects.get(pk=self.run.pk)
        statuses = []
        for part, segment in enumerate(run.segments.all()):
            statuses.append(segment.status)
            assert (segment.status == SegmentStatus.RUNNING) == (part in self.holder)
            assert segment.lease_token == self.holder.get(part)
            assert segment.attempts <= MOST_ATTEMPTS
            faces = FaceDetection.objects.filter(segment=segment).count()
            assert faces == (len(self._result(part).detections) if segment.status == SegmentStatus.DONE else 0)
        open_ones = {SegmentStatus.PENDING, SegmentStatus.RUNNING} & set(statuses)
        assert run.is_active or not open_ones
        if run.status == RunStatus.SUCCEEDED:
            assert SegmentStatus.DONE in statuses
            assert run.partial == (SegmentStatus.FAILED in statuses)
            assert run.faces == FaceDetection.objects.filter(run=run).count()
        if run.status == RunStatus.CANCELLED:
            assert SegmentStatus.CANCELLED in statuses
        if Publication.objects.filter(run=run).exists():
            assert run.status == RunStatus.SUCCEEDED
            assert not run.partial


@pytest.mark.django_db
@override_settings(TOONEMO_LEASE_SECONDS=3600.0)  # on a machine that is busy, a minute passes within an example
def test_a_run_keeps_its_promises_in_any_order() -> None:
    run_state_machine_as_test(
        RunMachine,
        settings=settings(
            max_examples=20,
            stateful_step_count=30,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
