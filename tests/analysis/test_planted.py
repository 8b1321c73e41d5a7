"""``manage.py catalogue``: planted episodes are what their truth says, hang together, and go away again."""

from __future__ import annotations

import json
from io import StringIO

import numpy as np
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, transaction

from analysis.models import AnalysisRun, EmotionProfile, EmotionSpan, Publication, Scene, SceneEmotion
from analysis.planted.shows import MOST_SERIES, series_of
from analysis.ratings import lower_bound
from analysis.services import planting
from analysis.services.auditing import audit_run
from analysis.services.planting import catalogue_clear, catalogue_plant
from catalog.models import Character, Episode, Series
from ml.types import EMOTIONS
from tests.analysis import world

pytestmark = pytest.mark.django_db


def _values() -> list[tuple[object, ...]]:
    rows = SceneEmotion.objects.order_by("id").values_list(
        "character__name", "emotion", "share", "score", "best_end_ms"
    )
    episodes = Episode.objects.order_by("id").values_list("series__title", "identity", "title", "synopsis")
    return [*rows, *episodes]


def test_equal_seeds_make_equal_catalogues() -> None:
    catalogue_plant(episodes=60, seed=3)
    first = _values()
    catalogue_clear()
    catalogue_plant(episodes=60, seed=3)
    assert _values() == first
    catalogue_clear()
    catalogue_plant(episodes=60, seed=4)
    assert _values() != first


def test_it_is_as_large_and_as_varied_as_it_says() -> None:
    catalogue_plant(episodes=120, seed=1)
    assert Episode.objects.count() == 120
    runs = AnalysisRun.objects.count()
    assert 40 <= SceneEmotion.objects.count() / runs <= 75
    lengths = np.array(Episode.objects.values_list("source__duration_ms", flat=True)) / 60_000
    assert lengths.min() >= 3
    assert lengths.max() <= 25
    casts = [len(s.cast) for s in series_of(np.random.default_rng(1), 100_000)]
    assert len(casts) == MOST_SERIES
    assert {min(casts), max(casts)} == {2, 8}
    assert 0 < Publication.objects.count() < runs < 120  # some are not analysed, some not shown


def test_what_is_shown_follows_from_what_was_planted() -> None:
    """Over all episodes of a character, what was measured comes to what was planted."""
    catalogue_plant(episodes=200, seed=2)
    planted: dict[str, list[list[float]]] = {}
    for run in AnalysisRun.objects.all():
        for name, shares in run.config["planted"]["shares"].items():
            planted.setdefault(name, []).append([shares[e] for e in EMOTIONS])
    measured: dict[str, list[tuple[list[float], int]]] = {}
    for profile in EmotionProfile.objects.filter(readable_ms__gt=0).select_related("character"):
        shares = [profile.shares[e]["share"] for e in EMOTIONS]
        measured.setdefault(profile.character.name, []).append((shares, profile.readable_ms))
    gaps = []
    for name, found in measured.items():
        if len(found) >= 10:
            mean = np.average([s for s, _ in found], axis=0, weights=[ms for _, ms in found])
            gaps.append(np.abs(mean - np.mean(planted[name], axis=0)).max())
    assert len(gaps) >= 10
    assert np.median(gaps) < 0.06


def test_rows_hang_together() -> None:
    catalogue_plant(episodes=60, seed=5)
    for row in SceneEmotion.objects.select_related("scene")[:400]:
        assert row.score == pytest.approx(lower_bound(row.share, row.readable_ms, 1 / len(EMOTIONS)), abs=1e-5)
        if row.best_start_ms is not None and row.best_end_ms is not None:
            assert row.scene.start_ms <= row.best_start_ms < row.best_end_ms <= row.scene.end_ms
            assert row.scene.spans.filter(character=row.character_id, emotion=row.emotion, start_ms=row.best_start_ms)
    for span in EmotionSpan.objects.select_related("scene")[:200]:
        assert span.run_id == span.scene.run_id
        assert span.scene.start_ms <= span.start_ms < span.end_ms <= span.scene.end_ms
    for profile in EmotionProfile.objects.all():
        for told in profile.shares.values():
            assert told["low"] <= told["share"] <= told["high"] + 1e-6
    run = AnalysisRun.objects.order_by("id").first()
    assert run is not None
    edges = list(Scene.objects.filter(run=run).order_by("index").values_list("start_ms", "end_ms"))
    assert [b for _, b in edges[:-1]] == [a for a, _ in edges[1:]]


def test_a_sample_follows_from_its_faces() -> None:
    """The arithmetic of real runs agrees with every number of those, and with the quick one's shares, about."""
    catalogue_plant(episodes=40, seed=6)
    quick = {p.run_id: p for p in EmotionProfile.objects.select_related("character").order_by("visible_ms")}
    catalogue_clear()
    catalogue_plant(episodes=40, seed=6, detections=3)
    derived = AnalysisRun.objects.filter(ratings_version__gt=0)
    assert derived.count() == 3
    for run in derived:
        audit = audit_run(run)
        assert audit.equal, audit.differences[:3]
        assert audit.numbers > 300
    assert quick
    first_quick, first_now = min(quick), AnalysisRun.objects.order_by("id").values_list("id", flat=True)[0]
    gaps = []
    for profile in EmotionProfile.objects.filter(run__in=derived, readable_ms__gt=20_000):
        before = quick[profile.run_id - first_now + first_quick]
        if before.character.name == profile.character.name:
            gaps += [abs(before.shares[e]["raw"] - profile.shares[e]["raw"]) for e in EMOTIONS]
    assert not gaps or np.mean(gaps) < 0.06


def test_it_is_never_planted_beside_real_episodes_unasked() -> None:
    world.analysed_episode(1, "The Missing Cheese")
    before = Episode.objects.count()
    with pytest.raises(CommandError, match="catalogue_not_empty"):
        call_command("catalogue", "generate", "--episodes", "30")
    assert Episode.objects.count() == before
    call_command("catalogue", "generate", "--episodes", "30", "--beside", "--detections", "1", stdout=StringIO())
    with pytest.raises(CommandError, match="planted episodes already"):
        call_command("catalogue", "generate", "--beside")
    shown, faces = Publication.objects.count(), Character.objects.count()
    out = StringIO()
    call_command("catalogue", "remove", stdout=out)
    assert "30 planted" in out.getvalue()
    assert Episode.objects.count() == before
    assert 0 < Publication.objects.count() < shown
    assert 0 < Character.objects.count() < faces
    assert not Series.objects.filter(slug__startswith="planted-")


@pytest.mark.parametrize("arguments", [["--episodes", "0"], ["--seed", "-1"], ["--episodes", "3", "--detections", "4"]])
def test_what_cannot_be_planted_is_refused(arguments: list[str]) -> None:
    with pytest.raises(CommandError, match="--episodes is from 1"):
        call_command("catalogue", "generate", *arguments)


def test_made_anew_indexes_and_keys_are_those_that_were_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def schema() -> str:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT indexdef FROM pg_indexes WHERE tablename LIKE 'analysis%' UNION ALL"
                " SELECT conname || pg_get_constraintdef(oid) FROM pg_constraint"
                " WHERE connamespace = 'public'::regnamespace ORDER BY 1"
            )
            return json.dumps(cursor.fetchall())

    before = schema()
    monkeypatch.setattr(planting, "MANY", 10)
    with transaction.atomic():
        catalogue_plant(episodes=30, seed=1)
    assert schema() == before
    assert SceneEmotion.objects.exists()
