"""Models side by side: what would change, over to another bundle in one transaction, and back."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from analysis.errors import NothingToPublish, RunsNotComparable
from analysis.models import AnalysisRun, Audit, EmotionBound, EmotionProfile, ModelBundle, Publication, RunBound
from analysis.selectors.comparing import bundles_compare, runs_compare
from analysis.selectors.runs import run_published
from analysis.services import bundle_publishing
from analysis.services.bounds import bounds_of, run_bounds_of
from analysis.services.bundle_publishing import bundle_publish, bundle_rollback
from analysis.services.publishing import run_publish, run_show
from catalog.models import Character, Episode
from tests.analysis.runs_helpers import digest
from tests.analysis.test_pages import read
from tests.factories import EpisodeFactory

pytestmark = pytest.mark.django_db
Shares = Mapping[str, tuple[float, float, float]]
CALM: Shares = {"happy": (0.6, 0.55, 0.65), "angry": (0.08, 0.05, 0.09)}
CROSS: Shares = {"happy": (0.58, 0.5, 0.66), "angry": (0.25, 0.2, 0.3)}


def bundle(version: str) -> ModelBundle:
    return ModelBundle.objects.get_or_create(
        digest=digest(version),
        defaults={"name": "toonemo", "version": version, "characters": ["tom"], "emotions": list(CALM)},
    )[0]


def made(episode: Episode, version: str, shares: Shares, *, enough: bool = True, **values: Any) -> AnalysisRun:
    """A run that succeeded, in which Tom shows so much."""
    assert episode.source is not None
    run = AnalysisRun.objects.create(
        **{
            "episode": episode,
            "bundle": bundle(version),
            "source_sha256": episode.source.sha256,
            "fingerprint": digest(f"{episode.pk} {version}"),
            "status": "succeeded",
            "finished_at": timezone.now(),
            **values,
        }
    )
    tom, _ = Character.objects.get_or_create(slug="tom", defaults={"name": "Tom"})
    told = {e: {"share": s, "low": low, "high": high, "longest_ms": 1} for e, (s, low, high) in shares.items()}
    profile = EmotionProfile.objects.create(
        run=run,
        character=tom,
        visible_ms=50_000,
        readable_ms=40_000,
        drawings=300,
        shots=20,
        enough=enough,
        shares=told,
    )
    bounds = bounds_of(run, [profile], partial=run.partial)
    EmotionBound.objects.bulk_create(bounds)
    RunBound.objects.bulk_create(run_bounds_of(run, bounds, partial=run.partial, strangers=0.0))
    return run


@pytest.fixture
def episodes() -> list[Episode]:
    """Three that show bundle 1; bundle 2 has read two of them whole and found one angrier."""
    found = [EpisodeFactory.create(title=f"Part {i}") for i in range(3)]
    for episode in found:
        run_publish(run=made(episode, "1", CALM))
    made(found[0], "2", CROSS)
    made(found[1], "2", CALM)
    made(found[2], "2", CALM, partial=True)
    return found


def pair(episode: Episode) -> tuple[AnalysisRun, AnalysisRun]:
    first, second = AnalysisRun.objects.filter(episode=episode).select_related("bundle", "episode").order_by("pk")
    return first, second


def test_a_run_beside_another_says_what_moved_and_what_that_decides(episodes: list[Episode]) -> None:
    found = runs_compare(*pair(episodes[0]))
    angry = next(m for m in found.moves if m.emotion == "angry")
    assert (angry.beyond, angry.level_changed) == (True, True)
    assert {b.level for b in angry.sides if b} == {"a little", "some"}
    happy = next(m for m in found.moves if m.emotion == "happy")
    assert (happy.moved, happy.beyond) == (True, False)
    assert [(c.emotion, c.most, c.shown_before) for c in found.limits] == [
        ("angry", 0.10, True),
        ("angry", 0.15, True),
        ("angry", 0.25, True),
    ]
    assert runs_compare(*pair(episodes[1])).tally.moved == 0
    partial = runs_compare(*pair(episodes[2]))
    assert {c.shown_before for c in partial.limits} == {True}, "a run with a part missing is over every limit"
    with pytest.raises(RunsNotComparable, match="different episodes"):
        runs_compare(pair(episodes[0])[0], pair(episodes[1])[0])


def test_lacking_evidence_has_no_level_and_is_over_every_limit(episodes: list[Episode]) -> None:
    first, _ = pair(episodes[0])
    vague = made(episodes[0], "3", CALM, enough=False)
    found = runs_compare(first, vague)
    assert [c.slug for c in found.lost] == ["tom"]
    assert all(m.level_changed and not m.moved for m in found.moves)
    assert {c.shown_before for c in found.limits} == {True}


def test_bundles_are_compared_over_the_catalogue(episodes: list[Episode], django_assert_max_num_queries: Any) -> None:
    one, two = bundle("1"), bundle("2")
    with django_assert_max_num_queries(5):
        found = bundles_compare(one, two)
        totals = found.tally
    assert (len(found.runs), found.episodes_changed, len(found.waiting), found.elsewhere) == (2, 1, 1, 0)
    assert (totals.ratings, totals.beyond) == (4, 1)
    assert found.limits_by_emotion() == [("angry", 3, 0)]
    angry = next(row for row in found.by_emotion() if row[0] == "angry")
    assert angry[2] == pytest.approx(0.085)
    with pytest.raises(RunsNotComparable, match="itself"):
        bundles_compare(bundle("1"), bundle("1"))


def test_all_go_over_to_a_bundle_and_back_with_an_audit(episodes: list[Episode]) -> None:
    admin = User.objects.create_user("admin")
    before = [run_published(e) for e in episodes]
    tried = bundle_publish(bundle=bundle("2"), dry_run=True)
    assert (len(tried.runs), tried.left) == (2, 1)
    assert [run_published(e) for e in episodes] == before
    done = bundle_publish(bundle=bundle("2"), actor=admin)
    assert done.runs == tried.runs
    assert [str(run.bundle) for e in episodes if (run := run_published(e))] == ["toonemo-2", "toonemo-2", "toonemo-1"]
    with pytest.raises(NothingToPublish):
        bundle_publish(bundle=bundle("2"))
    run_publish(run=made(episodes[1], "4", CALM))
    back = bundle_rollback(bundle=bundle("2"), actor=admin)
    assert (list(back.runs), back.left) == ([episodes[0].pk], 1), "what a person chose since then stays"
    assert run_published(episodes[0]) == before[0]
    with pytest.raises(NothingToPublish, match="rolled back already"):
        bundle_rollback(bundle=bundle("2"))
    rows = Audit.objects.filter(object_type="analysis.modelbundle").order_by("id")
    assert [(r.action, r.actor_id) for r in rows] == [("bundle.publish", admin.pk), ("bundle.rollback", admin.pk)]
    assert rows[0].after == {"runs": {str(e.pk): pair_id for e, pair_id in zip(episodes, _ids(done), strict=False)}}
    assert Audit.objects.filter(action="run.publish", actor_id=admin.pk).count() == 2


def _ids(done: bundle_publishing.Switched) -> list[int]:
    return [new for _, new in done.runs.values()]


def test_a_publication_that_breaks_changes_nothing(episodes: list[Episode], monkeypatch: pytest.MonkeyPatch) -> None:
    before = [run_published(e) for e in episodes]
    audits = Audit.objects.count()
    real = run_show
    calls: list[int] = []

    def breaks(episode: Episode, *rest: Any) -> Publication:
        calls.append(episode.pk)
        if len(calls) == 2:
            raise RuntimeError("the power went")
        return real(episode, *rest)

    monkeypatch.setattr(bundle_publishing, "run_show", breaks)
    with pytest.raises(RuntimeError):
        bundle_publish(bundle=bundle("2"))
    assert [run_published(e) for e in episodes] == before
    assert Audit.objects.count() == audits


def test_a_run_of_a_replaced_video_is_not_published(episodes: list[Episode]) -> None:
    AnalysisRun.objects.filter(bundle=bundle("2")).update(source_sha256=digest("an older cut"))
    with pytest.raises(NothingToPublish):
        bundle_publish(bundle=bundle("2"))


def test_the_page_shows_both_intervals_and_words(client: Client, episodes: list[Episode]) -> None:
    first, second = pair(episodes[0])
    text = read(client, f"/runs/{first.pk}/compare/{second.pk}/")
    for part in ("Ratings that moved", "Beyond", "Level changes", "+17.0", "a little", "some", "hidden"):
        assert part in text
    assert f"/runs/{first.pk}/compare/{second.pk}/" in read(client, f"/runs/{second.pk}/")
    other = pair(episodes[1])[0]
    assert "different episodes" in read(client, f"/runs/{first.pk}/compare/{other.pk}/", 409)
    assert client.get(f"/runs/{first.pk}/compare/999999/").status_code == 404


def test_the_commands_tell_the_same(episodes: list[Episode]) -> None:
    def call(*arguments: str) -> str:
        out = io.StringIO()
        call_command(*arguments, stdout=out)
        return out.getvalue()

    first, second = pair(episodes[0])
    told = call("runs", "compare", str(first.pk), str(second.pk))
    assert "angry      8 % (5 to 9, a little) -> 25 % (20 to 30, some)  beyond both intervals, level changes" in told
    assert "limit angry 10 %: shown -> hidden" in told
    answer = json.loads(call("runs", "compare", str(first.pk), str(second.pk), "--json"))
    assert answer["totals"]["beyond"] == 1
    assert "2 episodes, 1 of them change" in call("bundles", "compare", "toonemo-1", "toonemo-2")
    assert json.loads(call("bundles", "compare", "toonemo-1", "toonemo-2", "--json"))["episodes_changed"] == 1
    assert "2 episodes would show another run now; 1 stay" in call("bundles", "publish", "toonemo-2", "--dry-run")
    assert "2 episodes show another run now" in call("bundles", "publish", "toonemo-2")
    assert [row["episodes"] for row in json.loads(call("bundles", "list", "--json"))] == [1, 2]
    assert "2 episodes show another run now; 0 stay" in call("bundles", "rollback", "toonemo-2")
    with pytest.raises(CommandError, match=r"\[nothing_to_publish\]"):
        call("bundles", "rollback", "toonemo-2")
    with pytest.raises(CommandError, match=r"\[run_unknown\]"):
        call("runs", "compare", str(first.pk), "999999")
    with pytest.raises(CommandError, match=r"\[bundle_unknown\]"):
        call("bundles", "publish", "nothing")


def test_the_api_compares_publishes_and_takes_back(client: Client, episodes: list[Episode]) -> None:
    first, second = pair(episodes[0])
    one, two = bundle("1").pk, bundle("2").pk
    assert client.get(f"/api/v1/runs/{first.pk}/compare/{second.pk}/").status_code == 404, "not published yet"
    assert client.get(f"/api/v1/bundles/{one}/compare/{two}/").status_code in (401, 403)
    assert client.post(f"/api/v1/bundles/{two}/publish/").status_code in (401, 403)
    client.force_login(User.objects.create_user("staff", is_staff=True))
    assert client.get(f"/api/v1/runs/{first.pk}/compare/{second.pk}/").json()["totals"]["beyond"] == 1
    assert client.get(f"/api/v1/bundles/{one}/compare/{two}/").json()["episodes"] == 2
    tried = client.post(f"/api/v1/bundles/{two}/publish/", {"dry_run": True}, content_type="application/json")
    assert tried.json()["runs"] == {str(e.pk): [a.pk, b.pk] for e in episodes[:2] for a, b in [pair(e)]}
    assert run_published(episodes[0]) == first
    assert client.post(f"/api/v1/bundles/{two}/publish/", {}, "application/json").status_code == 200
    assert run_published(episodes[0]) == second
    assert client.post(f"/api/v1/bundles/{two}/rollback/", {}, "application/json").status_code == 200
    assert (
        client.post(f"/api/v1/bundles/{two}/rollback/", {}, "application/json").json()["code"] == "nothing_to_publish"
    )
    assert client.post(f"/api/v1/runs/{first.pk}/rollback/", {}, "application/json").json()["id"] == second.pk
