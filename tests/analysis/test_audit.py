"""``manage.py audit``: everything stored follows from what was detected, and what does not is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import StringIO
from typing import Any

import numpy as np
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import transaction

from analysis.models import (
    AnalysisRun,
    Audit,
    EmotionBound,
    EmotionProfile,
    EmotionSpan,
    FaceDetection,
    ModelBundle,
    Publication,
    RunBound,
    RunFeatures,
    Scene,
    SceneEmotion,
    Shot,
    Track,
)
from analysis.ratings import RATINGS_VERSION
from analysis.selectors.profiles import rating_of
from analysis.services.auditing import audit_run
from catalog.models import Episode
from ml.types import EMOTIONS
from tests.analysis import world

pytestmark = pytest.mark.django_db
SURE = (30 * np.eye(7) + 1).tolist()


def audit(*args: Any, **options: Any) -> tuple[int, str]:
    """Exit status and what was said."""
    out = StringIO()
    try:
        call_command("audit", *args, stdout=out, **options)
    except SystemExit as end:
        return int(str(end.code)), out.getvalue()
    return 0, out.getvalue()


def shared(name: str, by: float = 1e-8) -> Callable[[AnalysisRun], object]:
    """Damages that number of Tom's shares."""

    def damage(run: AnalysisRun) -> None:
        profile = run.profiles.get(character__slug="tom")
        old = profile.shares["angry"][name]
        profile.shares["angry"][name] = (old or 0) + (by if isinstance(old, float) else 1)
        profile.save()

    return damage


def detailed(name: str, value: Any) -> Callable[[AnalysisRun], object]:
    def damage(run: AnalysisRun) -> None:
        profile = run.profiles.get(character__slug="tom")
        profile.details[name] = value
        profile.save()

    return damage


def column(model: Any, name: str, value: Any) -> Callable[[AnalysisRun], object]:
    """Damages that column of the last row."""

    def damage(run: AnalysisRun) -> None:
        row = model.objects.filter(run=run).order_by("pk").last()
        model.objects.filter(pk=row.pk).update(**{name: value})

    return damage


def of_run(**values: Any) -> Callable[[AnalysisRun], object]:
    return lambda run: AnalysisRun.objects.filter(pk=run.pk).update(**values)


def face_moved(run: AnalysisRun) -> None:
    first, *_, last = run.tracks.order_by("index")
    face = FaceDetection.objects.filter(track=last).order_by("pk")[0]
    FaceDetection.objects.filter(pk=face.pk).update(track=first)


DAMAGES: dict[str, Callable[[AnalysisRun], object]] = {
    **{
        f"profile of tom: shares: angry: {name}": shared(name)
        for name in ("share", "low", "high", "raw", "corrected", "baseline", "runs_per_minute", "longest_ms",
                     "peak_start_ms", "peak_end_ms")
    },
    **{
        f": {name}": column(EmotionProfile, name, value)
        for name, value in (("visible_ms", 1), ("readable_ms", 1), ("drawings", 1), ("shots", 1), ("enough", True))
    },
    "profile of tom: details: worth": detailed("worth", 3.0),
    "profile of tom: details: bias_corrected": detailed("bias_corrected", False),
    "profile of tom: details: ending": detailed("ending", None),
    "profile of tom: details: reactions": detailed("reactions", [{"to": "jerry"}]),
    "profile of tom: details: needed": detailed("needed", {"shots": 1}),
    "profile of tom: details: basis: strength": detailed("basis", {"runs": [], "strength": 1.0}),
    **{
        f"scene : {name}": column(SceneEmotion, name, value)
        for name, value in (("share", 0.123), ("score", 0.123), ("baseline", 0.123), ("visible_ms", 1),
                            ("readable_ms", 1), ("best_start_ms", 1), ("best_end_ms", 99_999))
    },
    "shot : end_ms": column(Shot, "end_ms", 60_001),
    "shot : kind": column(Shot, "kind", "credits"),
    "track : end_ms": column(Track, "end_ms", 60_001),
    "track : character": column(Track, "character", None),
    "track : which faces": face_moved,
    "scene : end_ms": column(Scene, "end_ms", 60_001),
    "ms: end_ms": column(EmotionSpan, "end_ms", 99_999),
    "ms: strength": column(EmotionSpan, "strength", 0.123),
    "span of tom": lambda run: EmotionSpan.objects.filter(run=run, character__slug="tom").order_by("pk")[0].delete(),
    "run: frames": of_run(frames=1),
    "run: drawings": of_run(drawings=1),
    "run: faces": of_run(faces=1),
    "run: strangers": of_run(strangers=0.9),
    "run: features": column(RunFeatures, "packed", b"something else"),
    **{
        f"bound of tom neutral: {name}": column(EmotionBound, name, value)
        for name, value in (("low", 0.123), ("share", 0.123), ("high", 0.123), ("longest_ms", 1), ("enough", True))
    },
    "bound of all neutral: lacking": column(RunBound, "lacking", "partial"),
    "bound of all": lambda run: run.run_bounds.filter(emotion="angry").delete(),
    "bound of tom": lambda run: run.bounds.filter(character__slug="tom").delete(),
    "shot ": lambda run: Shot.objects.filter(run=run).order_by("pk").last().delete(),  # type: ignore[union-attr]
    "profile of tom": lambda run: run.profiles.filter(character__slug="tom").delete(),
    "scene ": lambda run: run.scene_emotions.filter(character__slug="jerry").delete(),
}  # fmt: skip


def said(what: str) -> str:
    """``scene 3: tom angry: share`` as ``scene : share``: without what the test cannot know."""
    parts = what.split(": ")
    head = parts[0].rstrip("0123456789")
    return ": ".join([head, parts[-1]]) if head.startswith(("shot", "track", "scene")) else what


@pytest.fixture
def episode() -> Episode:
    world.make_bundle()
    ModelBundle.objects.update(card={"confusion": {"labels": [str(e) for e in EMOTIONS], "counts": SURE}})
    return world.analysed_episode(1, "The Missing Cheese", 60_000)


def test_what_was_just_derived_is_as_computed(episode: Episode) -> None:
    status, text = audit(episode.pk)
    assert status == 0
    assert "all as computed" in text
    run = AnalysisRun.objects.get()
    assert run.ratings_version == RATINGS_VERSION
    assert audit_run(run).numbers > 500


def test_one_damaged_number_of_each_kind_is_named(episode: Episode) -> None:
    run = AnalysisRun.objects.get()
    missed = []
    for name, damage in DAMAGES.items():
        with transaction.atomic():
            damage(run)
            run.refresh_from_db()
            found = audit_run(run).differences
            if not any(name in d.what or name in said(d.what) for d in found):
                missed.append((name, [d.what for d in found]))
            transaction.set_rollback(True)
        run.refresh_from_db()
    assert missed == []
    assert audit_run(run).equal


def test_the_command_names_what_differs_and_mends_it(episode: Episode) -> None:
    run = AnalysisRun.objects.get()
    shared("share", 0.25)(run)
    Scene.objects.filter(run=run).update(thumbnail="thumbnails/kept.jpg")
    shown = Publication.objects.get(withdrawn_at__isnull=True)
    status, text = audit(episode.pk)
    assert status == 1
    assert "1 of " in text
    assert "profile of tom: shares: angry: share: stored" in text
    assert f"manage.py audit --mend {episode.pk}" in text
    status, text = audit(episode.pk, mend=True)
    assert (status, "Derived anew." in text) == (0, True)
    assert Publication.objects.get(withdrawn_at__isnull=True) == shown
    assert Audit.objects.filter(action="run.rederive", object_id=run.pk).count() == 1
    assert set(Scene.objects.filter(run=run).values_list("thumbnail", flat=True)) == {"thumbnails/kept.jpg"}
    assert audit(episode.pk)[0] == 0


def test_an_older_arithmetic_is_called_that(episode: Episode) -> None:
    AnalysisRun.objects.update(ratings_version=0)
    status, text = audit(all=True, json=True)
    (row,) = json.loads(text)
    assert status == 1
    assert (row["outdated"], row["equal"], row["ratings_version"], row["values"]) == (True, False, 0, 0)
    assert "version 0 of the arithmetic" in audit(episode.pk)[1]
    assert audit(all=True, mend=True)[0] == 0
    assert AnalysisRun.objects.get().ratings_version == RATINGS_VERSION


def test_episodes_of_a_series_are_drawn_toward_one_another_and_can_be_audited() -> None:
    for number in range(1, 7):
        world.analysed_episode(number, f"E{number}", 40_000)
    last = EmotionProfile.objects.filter(character__slug="tom").order_by("run_id").last()
    first = EmotionProfile.objects.filter(character__slug="tom").order_by("run_id").first()
    assert first is not None
    assert last is not None
    assert first.details["basis"] == {"runs": [], "strength": 0.0}
    assert len(last.details["basis"]["runs"]) == 5
    assert last.details["basis"]["strength"] > 0
    angry = last.shares["angry"]
    assert min(angry["corrected"], angry["baseline"]) <= angry["share"] <= max(angry["corrected"], angry["baseline"])
    assert angry["share"] != angry["corrected"]
    status, text = audit(all=True)
    assert status == 0
    assert "the series shows 5 comparable ones now" in text
    EmotionProfile.objects.filter(pk=first.pk).update(readable_ms=0)
    status, text = audit(last.run.episode_id)
    assert status == 1
    assert "can no longer be compared with" in text
    assert audit(all=True, mend=True)[0] == 0
    bases = EmotionProfile.objects.filter(character__slug="tom").values_list("details__basis__runs", flat=True)
    assert len([b for b in bases if len(b) == 5]) >= 2


def test_an_episode_can_be_named_by_its_title(episode: Episode) -> None:
    status, text = audit(episode.title.upper())
    assert status == 0
    assert text.startswith(f"Episode {episode.pk}, {episode.title}")


@pytest.mark.parametrize("args", [(), (7,), (10**30,), ("No Such Title",)])
def test_a_question_that_makes_no_sense_ends_with_2(args: tuple[int | str, ...]) -> None:
    with pytest.raises(CommandError) as refused:
        audit(*args)
    assert refused.value.returncode == 2
    with pytest.raises(CommandError, match="nothing_published"):
        audit(all=True)
    with pytest.raises(CommandError, match="say --all"):
        audit(3, all=True)


def test_other_settings_for_evidence_are_noticed_and_applied(episode: Episode, settings: Any) -> None:
    settings.TOONEMO_ENOUGH_SHOTS = 1_000
    status, text = audit(episode.pk)
    assert status == 1
    assert "profile of tom: details: needed: shots: stored 8, computed 1000" in text
    assert audit(episode.pk, mend=True)[0] == 0
    tom = rating_of(EmotionProfile.objects.get(character__slug="tom"))
    assert not tom.enough
    assert "a rating takes 1000" in " ".join(tom.lacking)
