"""``manage.py bench``: every kind of question is asked, understood and timed."""

from __future__ import annotations

import json
import time
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from analysis.bench.clock import Clock, percentile
from analysis.bench.pages import LIMITED, PAGE, RECOMMENDED, casts
from analysis.bench.questions import TEMPLATES, WORDS, Cast, questions_of
from analysis.search.lexicon import Named, Registry
from analysis.search.parse import parse
from analysis.selectors.features import catalogue_forget
from analysis.services.features import features_fill
from analysis.services.planting import catalogue_plant
from catalog.models import Episode


def test_questions_are_understood_as_what_they_are_meant_to_measure() -> None:
    registry = Registry(
        (Named("brimo", "Brimo"), Named("flogwert", "Flogwert")), (Named("mill", "Hunk Mill"),), lambda w: w in WORDS
    )
    asked = list(questions_of([Cast("Hunk Mill", ("Brimo", "Flogwert"))], 20, 1))
    assert {q.kind for q in asked} == set(TEMPLATES)
    for question in asked:
        parsed = parse(question.text, registry)
        assert question.kind.startswith("refused") or (parsed.query is not None and not parsed.unused), question


def test_equal_seeds_ask_equal_questions() -> None:
    cast = [Cast("Hunk Mill", ("Brimo", "Flogwert", "Zeddy"))]
    assert list(questions_of(cast, 30, 1)) == list(questions_of(cast, 30, 1)) != list(questions_of(cast, 30, 2))


@pytest.mark.parametrize(("percent", "value"), [(50, 50.0), (95, 95.0), (99, 99.0), (100, 100.0)])
def test_a_percentile_is_not_exceeded_by_so_many(percent: int, value: float) -> None:
    assert percentile([float(n) for n in range(100, 0, -1)], percent) == value
    assert percentile([7.0], percent) == 7.0
    with pytest.raises(ValueError, match="no values"):
        percentile([], percent)


@pytest.mark.django_db
def test_the_clock_sees_what_the_database_does_and_what_we_do() -> None:
    def call() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(0.05)")
            cursor.execute("SELECT SUM(n) FROM generate_series(1, 300000) AS s (n)")
        until = time.process_time() + 0.02
        while time.process_time() < until:
            pass

    timed = Clock().time(call)
    assert timed.queries == 2
    assert timed.wall_ms >= timed.database_ms >= 50
    assert timed.cpu_ms is None or timed.cpu_ms >= 20  # asleep is no work


@pytest.mark.django_db
def test_it_tells_every_kind() -> None:
    with pytest.raises(CommandError, match="nothing_published"):
        call_command("bench")
    catalogue_plant(episodes=60, seed=1)
    features_fill()
    catalogue_forget()
    assert len(casts()) >= 2
    out = StringIO()
    call_command("bench", "--questions", "2", "--slowest", "3", "--json", stdout=out)
    document = json.loads(out.getvalue())
    assert set(document["kinds"]) == {*TEMPLATES, PAGE, LIMITED, RECOMMENDED, "all questions"}
    assert all(0 < row["wall_ms"]["p50"] <= row["wall_ms"]["p99"] for row in document["kinds"].values())
    assert document["episodes"] > 40
    assert len(document["slowest"]) == 3
    out = StringIO()
    call_command("bench", "--questions", "1", "--slowest", "1", stdout=out)
    assert "all questions" in out.getvalue()


@pytest.mark.django_db(transaction=True)
def test_it_measures_in_a_database_of_its_own() -> None:
    own = connection.settings_dict["NAME"]
    out = StringIO()
    call_command("bench", "--planted", "30", "--questions", "1", stdout=out)
    assert "all questions" in out.getvalue()
    assert connection.settings_dict["NAME"] == own
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM pg_database WHERE datname = %s", [f"{own}_bench"])
        assert cursor.fetchone() == (0,)
    assert not Episode.objects.exists()


@pytest.mark.parametrize("arguments", [["--planted", "3"], ["--questions", "0"]])
def test_numbers_that_cannot_be_are_refused(arguments: list[str]) -> None:
    with pytest.raises(CommandError, match="--questions is from 1"):
        call_command("bench", *arguments)
