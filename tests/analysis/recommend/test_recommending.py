"""Recommendations over stored results: what is kept, that it stays up to date, limits, queries, the command."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from io import StringIO
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from analysis.errors import EpisodeHidden, EpisodeNotRated, EpisodeUnknown, RecommendationInvalid
from analysis.limits import Limits, limits_parse
from analysis.models import EmotionProfile, RunBound, RunFeatures
from analysis.recommend import Sliders
from analysis.selectors import features, gate
from analysis.selectors.features import catalogue_forget, catalogue_now
from analysis.selectors.recommending import Asked, evening_for, recommendations_for
from analysis.selectors.visible import episodes_visible
from analysis.services.features import features_fill
from analysis.services.finalise import run_finalise
from catalog.models import Character, Episode
from tests.analysis import world

pytestmark = pytest.mark.django_db
MINUTES = 4


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing of another test's rolled back rows, and no waiting."""
    monkeypatch.setattr(features, "FRESH", 0)
    catalogue_forget()
    yield
    catalogue_forget()


def made(number: int, series: str = "cheese") -> Episode:
    return world.analysed_episode(
        number, f"Episode {number}", MINUTES * 60_000, series=world.make_series(series, series)
    )


def test_what_is_kept_of_a_run_is_what_its_profiles_and_spans_say() -> None:
    episode = made(1)
    catalogue = catalogue_now()
    kept = catalogue.features(catalogue.row_of[episode.pk])
    profiles = [p for p in EmotionProfile.objects.filter(run__episode=episode) if p.enough]
    total = sum(p.readable_ms for p in profiles)
    happy = sum(p.shares["happy"]["share"] * p.readable_ms for p in profiles) / total
    assert kept.share[0] == pytest.approx(happy, abs=1e-6)
    assert kept.readable_ms == total
    assert set(kept.cast) == {p.character_id for p in profiles} != set()
    assert kept.arc.sum(axis=1) == pytest.approx(np.ones(10), abs=1e-5)


def test_what_is_published_derived_or_deleted_is_noticed() -> None:
    first = made(1)
    assert list(catalogue_now().row_of) == [first.pk]
    second = made(2)
    assert set(catalogue_now().row_of) == {first.pk, second.pk}
    row = RunFeatures.objects.get(run__episode=first)
    RunFeatures.objects.filter(pk=row.pk).delete()
    assert set(catalogue_now().row_of) == {second.pk}
    run_finalise(row.run_id, again=True)
    assert set(catalogue_now().row_of) == {first.pk, second.pk}
    EmotionProfile.objects.filter(run_id=row.run_id).update(enough=False)
    RunFeatures.objects.filter(run_id=row.run_id).delete()
    assert features_fill(batches=0) == 0
    assert features_fill(batches=1) == 1
    assert set(catalogue_now().row_of) == {second.pk}
    assert features_fill() == 0


def test_filling_makes_the_rows_that_finalising_makes() -> None:
    made(1)
    before = RunFeatures.objects.values_list("readable_ms", "packed", "members").get()
    RunFeatures.objects.all().delete()
    out = StringIO()
    call_command("recommend", "prepare", stdout=out)
    assert out.getvalue() == "Made the features of 1 runs.\n"
    after = RunFeatures.objects.values_list("readable_ms", "packed", "members").get()
    assert [bytes(x) if not isinstance(x, int) else x for x in after] == [
        bytes(x) if not isinstance(x, int) else x for x in before
    ]


def half_hidden() -> Limits:
    """A limit on anger that about half of what there is goes over."""
    known = RunBound.objects.filter(emotion="angry").values_list("high", flat=True)
    highs = sorted(high for high in known if high is not None)
    return limits_parse(f"angry<={100 * highs[len(highs) // 2 - 1] + 0.01:.2f}%")


def test_limits_are_kept_by_every_list_and_evening() -> None:
    episodes = [made(n, f"series-{n % 4}") for n in range(1, 11)]
    limits = half_hidden()
    safe = set(episodes_visible(limits).values_list("pk", flat=True))
    assert 0 < len(safe) < 10
    like = min(safe)
    found = recommendations_for(Asked((like,), Sliders(), limits))
    assert {r.card.episode.pk for r in found.results} <= safe - {like}
    assert found.results
    assert found.compared == len(safe) - 1
    assert max(Counter(r.card.episode.series_id for r in found.results).values()) <= 2
    plan = evening_for(Asked((), Sliders(), limits), 60)
    assert {r.card.episode.pk for r in plan.results} <= safe
    hidden = next(e.pk for e in episodes if e.pk not in safe)
    with pytest.raises(EpisodeHidden):
        recommendations_for(Asked((hidden,), Sliders(), limits))
    nothing = recommendations_for(Asked((), Sliders(calmer=1), limits_parse("length<=1s")))
    assert nothing.results == ()


def test_however_limits_are_asked_the_same_is_visible(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few ids looked up, all fetched at once, and what was kept of that."""
    for n in range(1, 5):
        made(n, f"series-{n}")
    limits = half_hidden()
    catalogue = catalogue_now()
    seen = [bool(x) for x in gate.Gate(limits, catalogue)(catalogue.episode)]
    safe = set(episodes_visible(limits).values_list("pk", flat=True))
    assert [pk in safe for pk in catalogue.episode.tolist()] == seen
    assert 0 < sum(seen) < 4
    monkeypatch.setattr(gate, "FEW", 0)
    assert list(gate.Gate(limits, catalogue)(catalogue.episode)) == seen
    with CaptureQueriesContext(connection) as context:
        assert list(gate.Gate(limits, catalogue)(catalogue.episode)) == seen
    assert len(context) == 0
    made(5, "series-5")
    fifth = catalogue_now()
    assert fifth is not catalogue
    assert len(gate.Gate(limits, fifth)(fifth.episode)) == 5


def test_what_limits_hide_since_they_were_looked_at_is_not_shown() -> None:
    episodes = [made(n, f"series-{n}") for n in range(1, 5)]
    asked = Asked((), Sliders(calmer=1), limits_parse("happy<=99%"))
    before = {r.card.episode.pk for r in recommendations_for(asked).results}
    assert before
    gate._kept[asked.limits] = (catalogue_now(), catalogue_now().episode)
    RunBound.objects.filter(run__episode=episodes[0]).update(high=1.0)
    assert {r.card.episode.pk for r in recommendations_for(asked).results} == before - {episodes[0].pk}


def test_bad_requests_are_refused_with_a_sentence() -> None:
    made(1)
    unrated = world.make_episode(world.make_series(), 50, "Blank")
    for asked, error, words in [
        (Asked((999_999,)), EpisodeUnknown, "There is no episode 999999"),
        (Asked((unrated.pk,)), EpisodeNotRated, "Nothing of “Blank” is known well enough"),
        (Asked(), RecommendationInvalid, "Name an episode that you like, or move a slider"),
        (Asked((), Sliders(calmer=1), count=51), RecommendationInvalid, "A list has 1 to 50"),
        (Asked(tuple(range(30))), RecommendationInvalid, "At most 20"),
    ]:
        with pytest.raises(error, match=words):
            recommendations_for(asked)
    with pytest.raises(RecommendationInvalid, match="An evening has 1 to 360 minutes"):
        evening_for(Asked(), 0)


def test_an_evening_fits_ends_calm_or_says_what_would_fit() -> None:
    for n in range(1, 5):
        made(n, f"series-{n}")
    plan = evening_for(Asked(), 2 * MINUTES + 1)
    assert len(plan.results) == 2
    assert plan.total_ms == 2 * MINUTES * 60_000
    assert plan.refusal is None
    assert "From the liveliest to the calmest" in plan.why
    short = evening_for(Asked(), MINUTES - 1)
    assert short.results == ()
    assert short.refusal is not None
    assert short.why == "Nothing that may be shown fits in 3 minutes. The shortest that is calm takes 4 minutes."


def test_the_number_of_queries_does_not_grow() -> None:
    def queries(asked: Asked) -> int:
        with CaptureQueriesContext(connection) as context:
            recommendations_for(asked)
        return len(context)

    first = [made(n, f"series-{n}") for n in (1, 2, 3)]
    catalogue_now()
    few = queries(Asked((first[0].pk,)))
    more = [made(n, f"series-{n}") for n in (4, 5, 6, 7)]
    catalogue_now()
    assert queries(Asked((first[0].pk,))) == few
    assert queries(Asked((first[0].pk, more[0].pk))) == few
    assert few <= 9


def run(*arguments: Any, **options: Any) -> str:
    out = StringIO()
    call_command("recommend", *arguments, stdout=out, **options)
    return out.getvalue()


def test_the_command_lists_plans_and_refuses() -> None:
    episodes = [made(n, f"series-{n}") for n in range(1, 5)]
    text = run("--like", "Episode 1", "--calmer", "--less-angry", "2")
    assert text.startswith("  1. ")
    assert "[episode " in text
    data = json.loads(run("--like", str(episodes[0].pk), "--calmer=2", "--max", "length=12min", "--json"))
    assert data["asked"] == {
        "like": [episodes[0].pk],
        "sliders": {"calmer": 2},
        "limits": "length<=12min",
        "count": 10,
    }
    assert {r["episode"]["id"] for r in data["results"]} == {e.pk for e in episodes[1:]}
    for result in data["results"]:
        assert sum(result["terms"].values()) == pytest.approx(result["score"], abs=1e-4)
        assert all(r["value"] == result["terms"][r["term"]] for r in result["reasons"])
    assert "From the liveliest to the calmest" in run("--evening", "9")
    assert json.loads(run("--evening", "1", "--json"))["refusal"]["code"] == "nothing_fits"
    for arguments, words in [
        (("--evening", "1"), "nothing_fits"),
        ((), "recommendation_invalid"),
        (("--calmer", "7"), "calmer is from -2 to 2"),
        (("--like", "Nobody"), "episode_unknown"),
        (("--calmer", "--max", "rage=1%"), "limits_invalid"),
    ]:
        with pytest.raises(CommandError, match=words):
            run(*arguments)


def test_characters_of_the_cast_are_named() -> None:
    one, two = made(1), made(3)
    found = recommendations_for(Asked((one.pk,)))
    assert [r.card.episode.pk for r in found.results] == [two.pk]
    assert Character.objects.filter(name="Jerry").exists()
    assert set(found.results[0].terms) >= {"cast", "arc", "happy", "angry"}
