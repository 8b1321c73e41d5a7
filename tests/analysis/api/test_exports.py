"""Exports: whole, in constant memory, within limits, harmless to spreadsheets."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from analysis.api import exports
from analysis.limits import NO_LIMITS
from analysis.models import EmotionProfile, EmotionSpan, Publication, Scene, SceneEmotion
from analysis.selectors.exports import ExportRequest
from analysis.services.planting import catalogue_plant
from catalog.models import Episode
from ml.types import Emotion
from tests.analysis import world
from tests.analysis.limits.browser import limited

pytestmark = pytest.mark.django_db


@pytest.fixture
def episode() -> Episode:
    found = world.make_episode(world.make_series(), 1, "The Missing Cheese", 20_000)
    world.analyse(found, {"tom": [(0, 6_000, Emotion.ANGRY)], "jerry": [(3_000, 9_000, Emotion.HAPPY)]})
    return found


def text(client: Client, name: str, query: str = "") -> str:
    response = client.get(f"/api/v1/export/{name}{query}")
    assert response.status_code == 200
    assert response.streaming
    assert f'filename="toonemo-{name}"' in response["Content-Disposition"]
    return b"".join(response).decode()


def lines(client: Client, name: str, query: str = "") -> list[Any]:
    return [json.loads(line) for line in text(client, f"{name}.ndjson", query).splitlines()]


def table(client: Client, name: str, query: str = "") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text(client, f"{name}.csv", query), newline=""), strict=True))


def test_lines_have_the_form_of_the_resources(client: Client, episode: Episode) -> None:
    for name in ("episodes", "profiles", "scenes"):
        assert lines(client, name) == client.get(f"/api/v1/{name}/").json()["results"]
    spans = lines(client, "spans")
    assert len(spans) == EmotionSpan.objects.count() > 0
    assert set(spans[0]) == {"episode", "run", "scene", "character", "emotion", "start_ms", "end_ms", "strength"}
    assert spans == sorted(spans, key=lambda s: s["start_ms"])


def test_tables_have_a_line_for_each_emotion_and_say_their_units(client: Client, episode: Episode) -> None:
    (row,) = table(client, "episodes")
    assert (row["title"], row["duration_ms"], row["year"]) == ("The Missing Cheese", "20000", "")
    profiles = table(client, "profiles")
    assert len(profiles) == EmotionProfile.objects.count() * 7
    anger = next(r for r in profiles if (r["character"], r["emotion"]) == ("tom", "angry"))
    assert 0 <= float(anger["low_0to1"]) <= float(anger["share_0to1"]) <= float(anger["high_0to1"]) <= 1
    assert (anger["series"], anger["enough_evidence"]) == ("cheese", "0")
    scenes = table(client, "scenes")
    assert len([r for r in scenes if r["emotion"]]) == SceneEmotion.objects.count()
    assert {r["scene"] for r in scenes} == {str(pk) for pk in Scene.objects.values_list("pk", flat=True)}
    spans = table(client, "spans")
    assert len(spans) == EmotionSpan.objects.count()
    assert spans[0]["title"] == "The Missing Cheese"
    assert int(spans[0]["end_ms"]) > int(spans[0]["start_ms"])


def test_what_a_spreadsheet_would_work_out_is_text(client: Client, episode: Episode) -> None:
    for title in ("=1+1", "+1", "-1", "@SUM(A1)", " =1+1", "\t=1", '=HYPERLINK("http://x","y")', 'a,"b"\nc'):
        Episode.objects.update(title=title)
        (row,) = table(client, "episodes")
        assert row["title"] == (title if title.startswith("a") else f"'{title}")
        assert lines(client, "episodes")[0]["title"] == title


def test_only_what_is_shown_and_what_limits_leave_is_exported(client: Client, episode: Episode) -> None:
    loud = limited(Client(), "angry<=0%")
    for name in ("episodes", "profiles", "scenes", "spans"):
        assert lines(client, name)
        assert lines(loud, name) == []
        assert table(loud, name) == []
        assert lines(client, name, "?limits=length<=19s") == []
        assert client.get(f"/api/v1/export/{name}.csv?limits=nonsense").status_code == 400
    Publication.objects.all().delete()
    assert lines(client, "episodes")[0]["published_run"] is None
    for name in ("profiles", "scenes", "spans"):
        assert lines(client, name) == []


def test_a_part_may_be_asked_for(client: Client, episode: Episode) -> None:
    other = world.analysed_episode(2, "Storm", 12_000)
    assert {r["episode"] for r in lines(client, "spans", f"?episode={other.pk}")} == {other.pk}
    assert {r["character"] for r in lines(client, "profiles", "?character=jerry")} == {"jerry"}
    assert {e["character"] for r in lines(client, "scenes", "?character=jerry") for e in r["emotions"]} == {"jerry"}
    assert lines(client, "scenes", "?series=nothing") == []
    assert client.get("/api/v1/export/spans.csv?episode=x").status_code == 404
    assert client.get("/api/v1/export/spans.xml").status_code == 404


def test_a_run_published_in_the_middle_changes_nothing(episode: Episode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analysis.selectors.exports.RUNS_AT_ONCE", 1)
    second = world.analysed_episode(2, "Storm", 12_000)
    rows = exports.profiles_json(ExportRequest(NO_LIMITS))
    first = next(rows)
    world.make_bundle("2")
    again = world.analyse(second, {"tom": [(0, 6_000, Emotion.ANGRY)]}, bundle="toonemo-2")
    Publication.objects.filter(episode=second).update(run=again)
    runs = {first["run"], *(row["run"] for row in rows)}
    assert again.pk not in runs
    assert len(runs) == 2


def test_memory_does_not_grow_with_the_catalogue(client: Client) -> None:
    most = []
    for episodes in (15, 60):
        with transaction.atomic():
            catalogue_plant(episodes=episodes, seed=1, beside=True)
            client.get("/api/v1/export/spans.ndjson")  # what is loaded once is loaded
            tracemalloc.start()
            response: Any = client.get("/api/v1/export/spans.ndjson")
            size = sum(len(chunk) for chunk in response.streaming_content)
            most.append((size, tracemalloc.get_traced_memory()[1]))
            tracemalloc.stop()
            transaction.set_rollback(True)
    (small, little), (large, much) = most
    assert large > 3 * small
    assert much < 1.6 * little
