from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from analysis.models import AnalysisRun, EmotionSpan, ModelBundle
from analysis.selectors.runs import run_published
from analysis.services.finalise import run_finalise
from analysis.services.leases import segment_fail
from tests.analysis.runs_helpers import claim, complete_all, make_episode, make_run
from tests.workers.conftest import CLIP_MS, make_fake_bundle
from workers.bundles import bundles_sync
from workers.management.commands import analyse
from workers.runner import Outcome, segment_run

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_bundles(settings: Any, tmp_path: Path) -> None:
    """The commands find only what a test makes known."""
    settings.TOONEMO_BUNDLE_DIR = tmp_path
    settings.TOONEMO_BUNDLE = "fake"


def _call(*arguments: str) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def test_analysing_all_of_an_empty_catalogue_says_that_there_is_nothing() -> None:
    with pytest.raises(CommandError, match=r"There is no episode that has a video. \[episode_unknown\]"):
        _call("analyse", "all")


def test_analyse_asks_for_a_run_by_id_identity_title_and_all() -> None:
    make_fake_bundle()
    episode = make_episode()
    for name in (str(episode.pk), f"cartoons/{episode.identity}", episode.title.upper(), "all"):
        answer = json.loads(_call("analyse", name, "--json"))
        assert [a["episode"]["id"] for a in answer] == [episode.pk]
        assert answer[0]["status"] == "queued"
    assert AnalysisRun.objects.count() == 1
    _call("analyse", "all", "--sampling", "every-15")
    assert AnalysisRun.objects.count() == 2


def test_analyse_says_in_one_sentence_what_is_wrong() -> None:
    episode = make_episode()
    with pytest.raises(CommandError, match=r"start a worker.*\[bundle_unknown\]"):
        _call("analyse", str(episode.pk))
    make_fake_bundle()
    with pytest.raises(CommandError, match=r"\[episode_unknown\]"):
        _call("analyse", "nothing")
    other = make_episode()
    other.title = episode.title
    other.save()
    with pytest.raises(CommandError, match=r"\[episode_ambiguous\]"):
        _call("analyse", episode.title)
    with pytest.raises(CommandError, match=r"\[run_config_invalid\]"):
        _call("analyse", str(episode.pk), "--sampling", "often")


def test_analyse_asks_for_the_others_where_one_cannot_be(monkeypatch: pytest.MonkeyPatch) -> None:
    make_fake_bundle()
    bare, good = make_episode(), make_episode()
    bare.source = None
    bare.save()
    waited: list[int] = []
    monkeypatch.setattr(analyse, "wait_for_runs", lambda ids, stream: waited.extend(ids))
    out = io.StringIO()
    with pytest.raises(CommandError) as caught:
        call_command("analyse", "nothing", str(bare.pk), str(good.pk), "--wait", stdout=out, stderr=io.StringIO())
    run = AnalysisRun.objects.get()
    assert run.episode == good
    assert waited == [run.pk]
    assert f"Run {run.pk} of" in out.getvalue()
    assert "[episode_unknown]" in str(caught.value)
    assert "[episode_without_source]" in str(caught.value)
    assert caught.value.returncode == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("fake_models", "services")
def test_analyse_wait_tells_how_it_ended() -> None:
    make_fake_bundle()
    episode = make_episode(CLIP_MS, "clip.mp4")
    _call("analyse", str(episode.pk))
    run = AnalysisRun.objects.get()
    assert [segment_run(s.pk, "worker") for s in run.segments.all()] == [Outcome.DONE]
    run_finalise(run.pk)
    text = _call("analyse", str(episode.pk), "--wait")
    assert f"Run {run.pk} of" in text
    assert "succeeded, 144 frames" in text


def test_a_failed_run_makes_the_command_fail() -> None:
    make_fake_bundle()
    episode = make_episode(10_000)
    _call("analyse", str(episode.pk))
    run = AnalysisRun.objects.get()
    segment_fail(claim(run.segments.get()).token, "video_damaged", "The video is damaged.", final=True)
    run_finalise(run.pk)
    # The same request is a new run by now; this one is what a person would look at.
    assert "failed" in _call("runs", "list")
    assert "(partial)" not in _call("runs")


def test_runs_lists_cancels_and_retries() -> None:
    assert "no runs" in _call("runs")
    run = make_run()
    assert json.loads(_call("runs", "list", "--json"))[0]["run"] == run.pk
    assert "cancelled" in _call("runs", "cancel", str(run.pk))
    assert json.loads(_call("runs", "list", "--status", "queued", "--json")) == []
    assert "queued" in _call("runs", "retry", str(run.pk))
    with pytest.raises(CommandError, match=r"\[run_not_publishable\]"):
        _call("runs", "publish", str(run.pk))
    with pytest.raises(CommandError, match=r"\[run_unknown\]"):
        _call("runs", "cancel", "123456")
    with pytest.raises(CommandError, match="invalid choice: 'bogus'"):
        _call("runs", "list", "--status", "bogus")


def test_runs_publishes_and_rolls_back() -> None:
    first = make_run()
    complete_all(first)
    run_finalise(first.pk)
    from analysis.services.runs import run_request

    second = run_request(episode=first.episode, bundle_name="test-1", force=True)
    complete_all(second)
    run_finalise(second.pk)
    assert run_published(first.episode) == first
    _call("runs", "publish", str(second.pk))
    assert run_published(first.episode) == second
    assert str(first.pk) in _call("runs", "rollback", str(second.pk))
    assert run_published(first.episode) == first


def test_a_folder_that_is_no_bundle_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "broken-1").mkdir()
    (tmp_path / "broken-1" / "bundle.json").write_text("{}")
    assert bundles_sync() == []
    assert not ModelBundle.objects.exists()


def test_derive_makes_what_is_missing_of_runs_that_succeeded() -> None:
    run = make_run()
    complete_all(run)
    with pytest.raises(CommandError, match=r"that succeeded.*\[run_unknown\]"):
        _call("runs", "derive", str(run.pk))
    run_finalise(run.pk)
    spans = EmotionSpan.objects.count()
    assert spans
    EmotionSpan.objects.all().delete()  # as if it had been analysed before spans were kept
    assert "1 of 1 runs" in _call("runs", "derive")
    assert EmotionSpan.objects.count() == spans
