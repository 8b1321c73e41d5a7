"""``manage.py bench``: how fast the catalogue answers, per kind of question."""

from __future__ import annotations

import gc
import json
import os
import platform
from collections import defaultdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from analysis.bench.addresses import addresses
from analysis.bench.clock import Clock, Timed, percentile
from analysis.bench.pages import asked
from analysis.bench.questions import TEMPLATES
from analysis.bench.scratch import scratch_database
from analysis.models import Publication, SceneEmotion
from analysis.selectors.features import catalogue_forget
from analysis.services.features import features_fill
from analysis.services.planting import catalogue_plant

LEAST_PLANTED = 25
PERCENTS = (50, 95, 99)
HEADS = {"wall_ms": "on the wall", "cpu_ms": "processor", "database_cpu_ms": "database's part"}


class Command(BaseCommand):
    help = (
        "Asks the catalogue questions of every kind and opens episodes, and prints how long that takes, in "
        "milliseconds on the wall and of processor time. manage.py catalogue generate makes a catalogue to measure on."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--planted", type=int, metavar="N", help="on N planted episodes in a database of their own, gone afterwards"
        )
        parser.add_argument(
            "--pages", action="store_true", help="opens the pages of parents instead, each with and without limits"
        )
        parser.add_argument("--questions", type=int, default=48, help="of each kind (48)")
        parser.add_argument("--seed", type=int, default=1, help="equal seeds ask equal questions (1)")
        parser.add_argument("--slowest", type=int, default=0, metavar="N", help="also name the N slowest")
        parser.add_argument("--json", action="store_true", help="answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        episodes = options["planted"]
        if not 1 <= options["questions"] <= 10_000 or not (episodes is None or LEAST_PLANTED <= episodes <= 1_000_000):
            raise CommandError(
                f"--questions is from 1 to 10000, --planted from {LEAST_PLANTED} to 1000000.", returncode=2
            )
        if episodes is None:
            self._measure(options)
            return
        with scratch_database():
            catalogue_plant(episodes=episodes, seed=options["seed"])
            features_fill()
            catalogue_forget()
            self._measure(options)

    def _measure(self, options: dict[str, Any]) -> None:
        ask = addresses if options["pages"] else asked
        calls = list(ask(options["questions"], options["seed"]))
        if not calls:
            raise CommandError("No episode shows an analysis yet. [nothing_published]", returncode=1)
        clock = Clock()
        for first in {kind: call for kind, _, call in reversed(calls)}.values():
            first()  # lexicons are read, plans are warm
        gc.collect()
        gc.freeze()  # what was loaded to measure is no part of what is measured
        took = [(kind, text, clock.time(call)) for kind, text, call in calls]
        gc.unfreeze()
        document = {
            "machine": {"processor": platform.processor() or platform.machine(), "processors": os.cpu_count()},
            "load": os.getloadavg(),
            "episodes": Publication.objects.filter(withdrawn_at__isnull=True).count(),
            "scene_rows": SceneEmotion.objects.count(),
            "kinds": _kinds(took),
            "slowest": _slowest(took, options["slowest"]),
        }
        if options["json"]:
            self.stdout.write(json.dumps(document, ensure_ascii=False, indent=1))
        else:
            self._print(document)

    def _print(self, document: dict[str, Any]) -> None:
        machine, load = document["machine"], document["load"]
        self.stdout.write(
            f"{document['episodes']} episodes, {document['scene_rows']} rows of scenes; {machine['processors']} "
            f"processors, load {load[0]:.1f}; milliseconds"
        )
        heads = "".join(f"{name:>21}" for name in HEADS.values())
        self.stdout.write(f"{'':<52}{'asked':>6}{heads}{'queries':>9}")
        percents = "".join(f"{f'p{p}':>7}" for p in PERCENTS)
        self.stdout.write(f"{'':<58}{percents * len(HEADS)}")
        for kind, row in document["kinds"].items():
            columns = "".join(_column(row[name]) for name in HEADS)
            self.stdout.write(f"{kind:<52}{row['asked']:>6}{columns}{row['queries']:>9}")
        for row in document["slowest"]:
            self.stdout.write(f"{row['ms']:8.1f} ms: {row['asked']} ({row['kind']})")


Took = list[tuple[str, str, Timed]]


def _kinds(took: Took) -> dict[str, dict[str, Any]]:
    groups: dict[str, list[Timed]] = defaultdict(list)
    for kind, _, timed in took:
        groups[kind].append(timed)
    if questions := [t for kind, _, t in took if kind in TEMPLATES]:
        groups["all questions"] = questions
    return {kind: _row(timed) for kind, timed in groups.items()}


def _row(timed: list[Timed]) -> dict[str, Any]:
    values = {name: [getattr(t, name) for t in timed] for name in HEADS}
    known = {name: None if None in found else _percentiles(found) for name, found in values.items()}
    return {"asked": len(timed), **known, "queries": max(t.queries for t in timed)}


def _percentiles(values: list[float]) -> dict[str, float]:
    return {f"p{p}": round(percentile(values, p), 2) for p in PERCENTS}


def _column(found: dict[str, float] | None) -> str:
    return f"{'not known':>21}" if found is None else "".join(f"{found[f'p{p}']:7.1f}" for p in PERCENTS)


def _slowest(took: Took, count: int) -> list[dict[str, Any]]:
    """By processor time where it is known, else on the wall."""

    def cost(row: tuple[str, str, Timed]) -> float:
        return row[2].wall_ms if row[2].cpu_ms is None else row[2].cpu_ms

    ordered = sorted(took, key=cost, reverse=True)[:count]
    return [{"kind": row[0], "asked": row[1], "ms": round(cost(row), 2)} for row in ordered]
