"""``manage.py recommend --like 3 --calmer``: the recommendations that the site gives, and what they are made from."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from analysis.errors import AnalysisError
from analysis.limits import Limits, LimitsInvalid, limits_parse
from analysis.recommend import SLIDERS, Sliders, evaluate
from analysis.recommending_json import evening_json, recommendations_json
from analysis.selectors.episodes import episode_named
from analysis.selectors.recommending import COUNT, Asked, EveningPlan, Recommended, evening_for, recommendations_for
from analysis.selectors.visible import characters_check
from analysis.services.features import features_fill


class Command(BaseCommand):
    help = "Recommend episodes by what their characters show: like these, calmer, within limits; or plan an evening."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "action",
            nargs="?",
            choices=["list", "prepare", "evaluate"],
            default="list",
            help="prepare: make what older results lack; evaluate: measure it on a planted catalogue",
        )
        parser.add_argument(
            "--like", action="append", default=[], metavar="EPISODE", help="id, SERIES/IDENTITY or title; repeatable"
        )
        for name in SLIDERS:
            parser.add_argument(
                f"--{name.replace('_', '-')}",
                type=int,
                nargs="?",
                const=1,
                default=0,
                metavar="STEPS",
                help="1 or 2 steps; with a minus the opposite",
            )
        parser.add_argument(
            "--max",
            action="append",
            default=[],
            metavar="LIMIT",
            help="a limit, such as angry=10%% or length=12min; repeatable",
        )
        parser.add_argument("--evening", type=int, metavar="MINUTES", help="plan an evening that ends calm")
        parser.add_argument("--count", type=int, default=COUNT, help="how many (1 to 50)")
        parser.add_argument("--json", action="store_true", help="print the documented JSON answer")
        parser.add_argument("--seed", type=int, default=1, help="of evaluate")
        parser.add_argument("--people", type=int, default=300, help="of evaluate")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["action"] == "prepare":
            self.stdout.write(f"Made the features of {features_fill()} runs.")
            return
        if options["action"] == "evaluate":
            evaluate.main(["--seed", str(options["seed"]), "--people", str(options["people"])])
            return
        try:
            asked = self._asked(options)
            if options["evening"] is not None:
                self._evening(evening_for(asked, options["evening"]), options["json"])
            else:
                self._list(asked, options["json"])
        except AnalysisError as error:
            raise CommandError(f"{error} [{error.code}]") from None

    def _asked(self, options: dict[str, Any]) -> Asked:
        try:
            sliders = Sliders(**{name: options[name] for name in SLIDERS})
        except ValueError as error:
            raise CommandError(f"{error} [recommendation_invalid]") from None
        like = tuple(episode_named(name).pk for name in options["like"])
        return Asked(like, sliders, _limits(options["max"]), options["count"])

    def _list(self, asked: Asked, as_json: bool) -> None:
        found = recommendations_for(asked)
        if as_json:
            self.stdout.write(json.dumps(recommendations_json(found), ensure_ascii=False, indent=2))
            return
        if not found.results:
            self.stdout.write(
                "Nothing is left to recommend: no other episode within the limits has enough evidence to be compared."
            )
        for place, one in enumerate(found.results, 1):
            self._one(place, one)

    def _evening(self, plan: EveningPlan, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(evening_json(plan), ensure_ascii=False, indent=2))
        elif plan.refusal is not None:
            raise CommandError(f"{plan.why} [{plan.refusal.code}]")
        else:
            for place, one in enumerate(plan.results, 1):
                self._one(place, one)
            self.stdout.write(f"{_clock(plan.total_ms)} of {plan.minutes}:00. {plan.why}")

    def _one(self, place: int, one: Recommended) -> None:
        episode = one.card.episode
        length = _clock(episode.duration_ms or 0)
        self.stdout.write(
            f"{place:>3}. {one.score:+.2f}  {episode.series.title}: {episode.title} ({length})  [episode {episode.pk}]"
        )
        if one.reasons:
            self.stdout.write(f"            {one.why}")


def _limits(parts: list[str]) -> Limits:
    try:
        limits = limits_parse(", ".join(parts))
        characters_check(limits)
        return limits
    except LimitsInvalid as error:
        raise CommandError(f"{error} [limits_invalid]") from None


def _clock(ms: int) -> str:
    minutes, seconds = divmod(ms // 1000, 60)
    return f"{minutes}:{seconds:02d}"
