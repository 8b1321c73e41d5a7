from __future__ import annotations

import pytest
from django.db import Error, IntegrityError, connection, transaction

from analysis.errors import NothingToRollBack, RunNotPublishable
from analysis.models import AnalysisRun, Audit, Publication
from analysis.selectors.runs import run_published, runs_published
from analysis.services.finalise import run_finalise
from analysis.services.leases import segment_fail
from analysis.services.publishing import run_publish, run_rollback
from analysis.services.runs import run_request, run_retry
from tests.analysis.runs_helpers import claim, complete, complete_all, make_bundle, make_run

pytestmark = pytest.mark.django_db


def _finished(run: AnalysisRun) -> AnalysisRun:
    complete_all(run)
    ended = run_finalise(run.pk)
    assert ended is not None
    return ended


def _partial() -> AnalysisRun:
    run = make_run()
    first, *others = run.segments.all()
    for segment in others:
        complete(segment)
    segment_fail(claim(first).token, "video_damaged", "Damaged.", final=True)
    ended = run_finalise(run.pk)
    assert ended is not None
    return ended


def test_the_first_whole_run_is_shown_and_later_ones_wait_for_a_person() -> None:
    make_bundle("2")
    first = _finished(make_run())
    assert run_published(first.episode) == first
    second = _finished(run_request(episode=first.episode, bundle_name="test-2"))
    assert run_published(first.episode) == first
    run_publish(run=second)
    assert run_published(first.episode) == second
    assert list(runs_published()) == [second]
    run_rollback(episode=first.episode)
    assert run_published(first.episode) == first
    run_rollback(episode=first.episode)
    assert run_published(first.episode) == second
    assert list(Audit.objects.filter(action="run.rollback").values_list("before", "after")) == [
        ({"run": first.pk}, {"run": second.pk}),
        ({"run": second.pk}, {"run": first.pk}),
    ]


def test_a_partial_run_is_shown_only_by_a_person_and_replaced_when_whole() -> None:
    partial = _partial()
    assert run_published(partial.episode) is None
    run_publish(run=partial)
    again = run_request(episode=partial.episode, bundle_name="test-1", force=True)
    whole = _finished(again)
    assert run_published(partial.episode) == whole


def test_a_partial_run_that_became_whole_is_shown() -> None:
    partial = _partial()
    run_retry(run=partial)
    complete(partial.segments.get(status="pending"))
    whole = run_finalise(partial.pk)
    assert run_published(partial.episode) == whole


def test_publishing_what_is_shown_changes_nothing() -> None:
    run = _finished(make_run())
    run_publish(run=run)
    assert Publication.objects.count() == 1


def test_what_cannot_be_shown() -> None:
    run = make_run()
    with pytest.raises(RunNotPublishable):
        run_publish(run=run)
    with pytest.raises(NothingToRollBack):
        run_rollback(episode=run.episode)
    _finished(run)
    with pytest.raises(NothingToRollBack):
        run_rollback(episode=run.episode)


def test_the_database_keeps_one_current_publication() -> None:
    run = _finished(make_run())
    with pytest.raises(IntegrityError), transaction.atomic():
        Publication.objects.create(episode=run.episode, run=run)


def test_the_audit_is_append_only() -> None:
    make_run()
    for statement in ("UPDATE access_audit SET action = ''", "DELETE FROM access_audit"):
        with pytest.raises(Error, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
