"""A database of an older version is brought up to date with what is in it: as if it had been made today."""

from __future__ import annotations

import ast
import random
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from analysis.bench.scratch import scratch_database
from analysis.models import CharacterSummary, EmotionBound, EpisodeSummary, ProfileSummary, RunBound, ShownEpisode
from analysis.services.shown import shown_refresh
from ml.types import EMOTIONS, Emotion
from tests.analysis.runs_helpers import digest

NEVER = Emotion.DISGUSTED  # of the first episode
BEFORE_BOUNDS = [("analysis", "0005_ratings"), ("catalog", "0002_episode_words")]


@pytest.mark.django_db(transaction=True)
def test_an_old_database_is_summed_up_as_todays_code_sums_up() -> None:
    with scratch_database(tables=False):
        MigrationExecutor(connection).migrate(BEFORE_BOUNDS)
        _fill(MigrationExecutor(connection).loader.project_state(BEFORE_BOUNDS).apps)
        executor = MigrationExecutor(connection)
        executor.migrate(executor.loader.graph.leaf_nodes())
        assert ShownEpisode.objects.count() == 5
        assert EpisodeSummary.objects.count() == 4 * len(EMOTIONS)  # nobody is seen in the last
        assert CharacterSummary.objects.count() == 3 * len(EMOTIONS)
        assert ProfileSummary.objects.count() == 4 * 3 * len(EMOTIONS)
        assert EmotionBound.objects.count() > RunBound.objects.count() > 0
        assert EpisodeSummary.objects.filter(never=1).get().emotion == NEVER
        assert ShownEpisode.objects.filter(strangers=True, calm__isnull=False, season=2, duration_ms=50_000).exists()
        upgraded = _kept()
        shown_refresh()
        assert upgraded == _kept()


def test_what_old_tables_are_filled_with_stands_on_no_code_that_may_change() -> None:
    own = ("analysis", "catalog", "ml", "toonemo_site", "workers")
    for path in (Path(settings.BASE_DIR) / "analysis" / "migrations").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or "."] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                assert name.split(".")[0] not in own or name.startswith("analysis.migrations._"), (path.name, name)


def _kept() -> list[dict[str, Any]]:
    """Without ids; sums of floats to twelve digits, since their order is free."""
    shown: Any = ShownEpisode.objects.order_by("episode_id")
    episodes: Any = EpisodeSummary.objects.order_by("episode_id", "emotion")
    characters: Any = CharacterSummary.objects.order_by("character_id", "emotion")
    profiles: Any = ProfileSummary.objects.order_by("run_id", "character_id", "emotion")
    rows = [*shown.values(), *profiles.values(), *episodes.values(), *characters.values()]
    return [
        {k: round(v, 12) if isinstance(v, float) else v for k, v in row.items() if k not in ("id", "pk")}
        for row in rows
    ]


def _fill(apps: Any) -> None:
    """Five episodes that show a run: seen well, with a stranger, a part missing, nothing readable, nobody seen."""
    rng = random.Random(7)
    series = apps.get_model("catalog", "Series").objects.create(title="Cartoons", slug="cartoons")
    cast = [
        apps.get_model("catalog", "Character").objects.create(slug=f"who-{n}", name=f"Who {n}", series=series)
        for n in range(3)
    ]
    bundle = apps.get_model("analysis", "ModelBundle").objects.create(
        name="old", version="1", digest=digest("old"), characters=[], emotions=[str(e) for e in EMOTIONS[:-1]]
    )
    for n in range(5):
        run = _run(apps, series, bundle, n)
        for who in cast if n < 4 else ():
            _character(apps, rng, run, who, n)


def _run(apps: Any, series: Any, bundle: Any, n: int) -> Any:
    source = apps.get_model("catalog", "SourceFile").objects.create(
        sha256=digest(f"old {n}"), size_bytes=1, stored_name=f"sources/{n}.mp4", original_name=f"{n}.mp4",
        container="mp4", codec="h264", width=320, height=180, duration_ms=50_000, frames=1_200,
    )  # fmt: skip
    episode = apps.get_model("catalog", "Episode").objects.create(
        series=series, ordering="aired", season=2, number=n + 1, identity=f"S02E{n}", title=f"Old {n}", source=source
    )
    run = apps.get_model("analysis", "AnalysisRun").objects.create(
        episode=episode, bundle=bundle, source_sha256=source.sha256, fingerprint=digest(f"run {n}"),
        status="succeeded", partial=n == 2, finished_at=timezone.now(),
    )  # fmt: skip
    apps.get_model("analysis", "Publication").objects.create(episode=episode, run=run)
    shot = apps.get_model("analysis", "Shot").objects.create(run=run, index=0, start_ms=0, end_ms=50_000)
    apps.get_model("analysis", "Scene").objects.create(run=run, index=0, start_ms=0, end_ms=50_000)
    if n == 1:
        apps.get_model("analysis", "Track").objects.create(run=run, shot=shot, index=0, start_ms=0, end_ms=2_000)
    return run


def _character(apps: Any, rng: random.Random, run: Any, who: Any, n: int) -> None:
    shares = {}
    for emotion in EMOTIONS[:-1]:
        low, wide = (0.0, 0.004) if n == 0 and emotion == NEVER else (rng.random() / 4, rng.random() / 4)
        high = low + wide
        shares[str(emotion)] = {
            "share": (low + high) / 2, "low": low, "high": high, "longest_ms": rng.randrange(9_000),
            "runs_per_minute": 3 * rng.random(),
        }  # fmt: skip
    apps.get_model("analysis", "EmotionProfile").objects.create(
        run=run, character=who, visible_ms=9_000, readable_ms=0 if n == 3 else rng.randrange(6_000, 9_000),
        drawings=40, shots=9, enough=n == 0 or rng.random() < 0.7, shares=shares,
    )  # fmt: skip
    scene = apps.get_model("analysis", "Scene").objects.get(run=run)
    spans = [
        apps.get_model("analysis", "EmotionSpan")(
            run=run, scene=scene, character=who, emotion=str(emotion), start_ms=1_000 * i,
            end_ms=1_000 * i + rng.randrange(400, 5_000), strength=rng.random(),
        )
        for emotion in EMOTIONS[:-1]
        for i in range(0 if n == 0 and emotion == NEVER else rng.randrange(3))
    ]  # fmt: skip
    apps.get_model("analysis", "EmotionSpan").objects.bulk_create(spans)
