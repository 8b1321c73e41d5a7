"""``manage.py search "happiest Jerry scenes"``: the search that the site uses."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from analysis.limits import LimitsInvalid, limits_parse
from analysis.search.answer import Answer, search
from analysis.selectors.visible import characters_check


class Command(BaseCommand):
    help = "Find scenes, moments, episodes or characters by what faces show, asked in plain words."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("question", nargs="+", help='for example "happiest Jerry scenes"')
        parser.add_argument("--page", type=int, default=1, help="which page of the answer (from 1)")
        parser.add_argument("--explain", action="store_true", help="with the parts of each result's score")
        parser.add_argument(
            "--max",
            action="append",
            default=[],
            metavar="LIMIT",
            help="only in episodes that keep it, such as angry=10%%, jerry:scared=5%%, length=12min; may be repeated",
        )
        parser.add_argument("--json", action="store_true", help="print the documented JSON answer")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["page"] < 1:
            raise CommandError(f"--page counts from 1; {options['page']} is no page.", returncode=2)
        try:
            limits = limits_parse(", ".join(options["max"]))
            characters_check(limits)
        except LimitsInvalid as error:
            raise CommandError(f"{error} [limits_invalid]") from None
        question, page = " ".join(options["question"]), options["page"]
        answer = search(question, page, explain=options["explain"], limits=limits)
        if options["json"]:
            self.stdout.write(json.dumps(answer.to_json(), ensure_ascii=False, indent=2))
            return
        if answer.refusal is not None:
            raise CommandError(f"{answer.echo} [{answer.refusal.code}]")
        for line in lines(answer):
            self.stdout.write(line)


def lines(answer: Answer) -> list[str]:
    """The answer for a terminal."""
    out = [f"Understood: {answer.echo}"]
    if answer.unused:
        out.append(f"Not used: {', '.join(answer.unused)}")
    if answer.counts is not None:
        out.append(", ".join(f"{verdict}: {count}" for verdict, count in answer.counts.items()))
    if not answer.results:
        out.append("Nothing like that was found.")
    for place, r in enumerate(answer.results, answer.place):
        mark = "  (not enough evidence)" if r.lacking else ""
        verdict = "" if r.verdict is None else f"{r.verdict}: "
        out.append(f"{place:>3}. {r.score:.3f}  {verdict}{r.heading}  {r.where}{mark}")
        out.append(f"            {r.why}  [episode {r.episode_id}]")
        out += [f"            {p.name} = {p.value:.4g}: {p.words}" for p in r.parts or ()]
    if answer.more:
        out.append(f"More with --page {answer.next_page}")
    return out
