"""What limits leave: equal to plain words on random catalogues, closed where something is not known, and indexed."""

from __future__ import annotations

import random

import pytest
from django.db import connection

from analysis.bounds_sql import bounds_fill
from analysis.limits import NO_LIMITS, NOTHING, Limits, limits_parse
from analysis.models import AnalysisRun, EmotionBound, FaceDetection, Lacking, Publication, RunBound, Segment
from analysis.selectors.visible import episodes_visible, is_visible, runs_visible, shown_visible
from analysis.services.finalise import run_finalise
from catalog.models import Episode
from ml.types import EMOTIONS, Emotion
from tests.analysis import world
from tests.analysis.limits.made import limits_random, shows_it
from tests.analysis.runs_helpers import rows_of
from tests.analysis.search_world import store, world_random

pytestmark = pytest.mark.django_db


def seen(limits: Limits) -> set[int]:
    return set(episodes_visible(limits).values_list("pk", flat=True))


@pytest.mark.parametrize("seed", range(6))
def test_what_is_visible_equals_a_plain_evaluation(seed: int) -> None:
    found = store(world_random(seed, shows=12))
    rng = random.Random(seed)
    shown = hidden = 0
    for _ in range(60):
        limits = limits_random(rng)
        wanted = {s.pk for s in found.shows if shows_it(s, limits)}
        assert seen(limits) == wanted, limits
        runs = {s.run_pk for s in found.shows if s.pk in wanted and s.published}
        assert set(runs_visible(limits).values_list("pk", flat=True)) == runs
        assert set(shown_visible(limits).values_list("run_id", flat=True)) == runs
        shown += len(wanted)
        hidden += len(found.shows) - len(wanted)
    assert shown > 50
    assert hidden > 50


def test_no_limits_show_everything_and_closed_ones_nothing() -> None:
    episode = world.make_episode(world.make_series(), 1, "Not analysed")
    assert seen(NO_LIMITS) == {episode.pk}
    assert seen(NOTHING) == set()
    assert not runs_visible(NOTHING).exists()
    assert not shown_visible(NOTHING).exists()
    assert not is_visible(episode.pk, NOTHING)


def steady(title: str, moods: dict[str | None, Emotion], duration_ms: int = 90_000, number: int = 1) -> Episode:
    """Faces that show one thing for all of 90 s."""
    episode = world.make_episode(world.make_series(), number, title, duration_ms)
    world.analyse(episode, {who: [(0, duration_ms, mood)] for who, mood in moods.items()})
    return episode


def test_an_upper_bound_decides_and_what_is_not_known_is_hidden() -> None:
    calm = steady("Calm", {"tom": Emotion.HAPPY, "jerry": Emotion.NEUTRAL})
    assert {calm.pk} == seen(limits_parse("angry<=30%"))
    high = RunBound.objects.get(emotion="angry").high
    assert high is not None
    over = f"angry<={int(10_000 * high) / 100}%"
    assert seen(limits_parse(over)) == set()
    assert seen(limits_parse("happy<=90%")) == set()
    assert seen(limits_parse("jerry:happy<=50%")) == {calm.pk}
    assert seen(limits_parse("angry run<=0s, length<=90s")) == {calm.pk}
    assert seen(limits_parse("happy run<=2.9s")) == set()
    assert seen(limits_parse("length<=89.999s")) == set()
    Publication.objects.all().delete()
    assert seen(limits_parse("angry<=100%")) == set()
    assert seen(limits_parse("length<=90s")) == {calm.pk}


@pytest.mark.parametrize(
    ("lacking", "moods", "of_tom", "of_pip"),
    [
        (Lacking.STRANGERS, {"tom": Emotion.HAPPY, None: Emotion.HAPPY}, True, False),
        (Lacking.NOBODY, {None: Emotion.HAPPY}, False, False),
        (Lacking.NOBODY, {}, False, False),
        ("", {"tom": Emotion.HAPPY}, True, True),
    ],
)
def test_strangers_close_a_limit_for_all(
    lacking: str, moods: dict[str | None, Emotion], of_tom: bool, of_pip: bool
) -> None:
    episode = steady("E", moods)
    assert set(RunBound.objects.values_list("lacking", flat=True)) == {lacking}
    assert is_visible(episode.pk, limits_parse("angry<=100%")) == (lacking == "")
    assert is_visible(episode.pk, limits_parse("tom:angry<=50%")) == of_tom
    assert is_visible(episode.pk, limits_parse("pip:angry<=50%")) == of_pip


def test_somebody_seen_too_little_closes_a_limit_for_all_and_for_himself() -> None:
    episode = world.make_episode(world.make_series(), 1, "E", 90_000)
    world.analyse(episode, {"tom": [(0, 90_000, Emotion.HAPPY)], "pip": [(3_000, 5_000, Emotion.HAPPY)]})
    assert set(RunBound.objects.values_list("lacking", flat=True)) == {Lacking.EVIDENCE}
    assert not is_visible(episode.pk, limits_parse("angry<=100%"))
    assert not is_visible(episode.pk, limits_parse("pip:angry<=100%"))
    assert is_visible(episode.pk, limits_parse("tom:angry<=50%"))


def test_an_emotion_that_the_bundle_cannot_express_is_over_every_limit() -> None:
    episode = steady("E", {"tom": Emotion.HAPPY})
    AnalysisRun.objects.get().bundle.__class__.objects.update(emotions=["happy", "neutral"])
    fields = {str(e): None for e in EMOTIONS if e not in ("happy", "neutral")}
    FaceDetection.objects.update(**fields)
    run_finalise(AnalysisRun.objects.get().pk, again=True)
    assert RunBound.objects.get(emotion="angry").lacking == Lacking.NOT_MODELLED
    assert EmotionBound.objects.get(emotion="angry").high is None
    assert not is_visible(episode.pk, limits_parse("angry<=100%"))
    assert not is_visible(episode.pk, limits_parse("tom:angry<=100%"))
    assert is_visible(episode.pk, limits_parse("happy<=100%"))


def test_a_missing_part_closes_every_limit_on_an_emotion() -> None:
    episode = steady("E", {"tom": Emotion.HAPPY}, 120_000)
    Segment.objects.filter(index=1).update(status="failed", error_code="x", error_detail="y")
    run_finalise(AnalysisRun.objects.get().pk, again=True)
    assert set(RunBound.objects.values_list("lacking", flat=True)) == {Lacking.PARTIAL}
    for text in ("angry<=100%", "tom:angry<=100%", "pip:angry<=100%"):
        assert not is_visible(episode.pk, limits_parse(text))
    assert is_visible(episode.pk, limits_parse("length<=2min"))


def test_runs_of_before_get_the_bounds_that_are_derived_now() -> None:
    """What migration 0006 fills equals what ``derive`` makes."""
    for number in range(1, 4):
        world.analysed_episode(number, f"E{number}", 40_000)
    steady("Calm", {"tom": Emotion.HAPPY}, number=8)
    steady("Missing", {"tom": Emotion.HAPPY}, 120_000, number=9)
    last = AnalysisRun.objects.order_by("pk").last()
    assert last is not None
    last.segments.filter(index=1).update(status="failed", error_code="x", error_detail="y")
    run_finalise(last.pk, again=True)
    runs = list(AnalysisRun.objects.order_by("pk"))
    derived = [(r.strangers, rows_of(r, EmotionBound), rows_of(r, RunBound)) for r in runs]
    assert {lacking for (lacking,) in RunBound.objects.values_list("lacking")} == {"", "partial", "strangers"}
    EmotionBound.objects.all().delete()
    RunBound.objects.all().delete()
    AnalysisRun.objects.update(strangers=0)
    bounds_fill(connection, [str(e) for e in EMOTIONS], 0.05)
    filled = [(r.strangers, rows_of(r, EmotionBound), rows_of(r, RunBound)) for r in AnalysisRun.objects.order_by("pk")]
    assert [f[1:] for f in filled] == [d[1:] for d in derived]
    assert [f[0] for f in filled] == pytest.approx([d[0] for d in derived])
    bounds_fill(connection, [str(e) for e in EMOTIONS], 0.05)
    assert RunBound.objects.count() == 7 * len(runs)
