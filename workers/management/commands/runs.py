from __future__ import annotations

import json
import re
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from analysis.comparison_text import comparison_lines
from analysis.errors import AnalysisError
from analysis.models import AnalysisRun, RunStatus
from analysis.selectors.comparing import comparison_json, runs_compare
from analysis.selectors.queue import pauses, waiting, workers
from analysis.selectors.runs import run_list, runs_progress
from analysis.services.finalise import run_finalise
from analysis.services.priorities import run_prioritise
from analysis.services.publishing import run_publish, run_rollback
from analysis.services.queues import queue_pause, queue_resume
from analysis.services.runs import run_cancel, run_retry


def _run(number: int) -> AnalysisRun:
    """Raises CommandError where there is none."""
    run = AnalysisRun.objects.select_related("episode__series", "bundle").filter(pk=number).first()
    if run is None:
        raise CommandError(f"There is no run {number}. [run_unknown]")
    return run


def _number(text: str) -> int | str:
    return int(text) if re.fullmatch(r"-?[0-9]{1,9}", text) else text


def queue_lines() -> list[str]:
    """What is paused, who works, and what waits, a line each."""
    lines = [f"Paused: {p.label}{': ' + p.reason if p.reason else ''}" for p in pauses().values()]
    lines += [f"Worker {w.name}: {'alive' if w.alive else 'ended' if w.ended else 'not answering'}" for w in workers()]
    lines += [
        f"{w.place:>4}. run {w.run.pk} of {w.run.episode}: {w.parts} parts, priority {w.run.priority}"
        for w in waiting()
    ]
    return lines or ["Nothing waits, nothing is paused, and no worker told of itself."]


class Command(BaseCommand):
    help = (
        "Lists runs; compares, cancels, retries or publishes one, or shows again what an episode showed before; "
        "says what waits, puts it in another order, pauses it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", metavar="ACTION")
        listing = actions.add_parser("list", help="the newest runs")
        listing.add_argument("--status", choices=RunStatus.values, help="only these")
        listing.add_argument("--json", action="store_true", help="answer as JSON")
        for name, text in (
            ("cancel", "stop a run"),
            ("retry", "do again what failed or was cancelled"),
            ("publish", "let the episode show this run"),
            ("rollback", "let the run's episode show what it showed before"),
        ):
            actions.add_parser(name, help=text).add_argument("run", type=int, help="the run's number")
        actions.add_parser("queue", help="what is paused, which workers there are, and what waits in which order")
        first = actions.add_parser("priority", help="which run goes first")
        first.add_argument("run", type=int, help="the run's number")
        first.add_argument("to", help="raise, lower, top, or a number from -1000 to 1000")
        pause = actions.add_parser("pause", help="begin nothing new; what is under way is finished")
        pause.add_argument("--reason", default="", help="why, for others to read")
        resume = actions.add_parser("resume", help="let paused work go on")
        for parser_of in (pause, resume):
            parser_of.add_argument("queue", nargs="?", default="all", help="all (default), inference or default")
        compare = actions.add_parser("compare", help="what would change if an episode showed another of its runs")
        compare.add_argument("before", type=int, metavar="A", help="the number of one run")
        compare.add_argument("after", type=int, metavar="B", help="the number of another run of the episode")
        compare.add_argument("--all", action="store_true", help="also ratings that hardly moved")
        compare.add_argument("--json", action="store_true", help="answer as JSON")
        derive = actions.add_parser("derive", help="scenes, spans and ratings anew from the faces that were found")
        derive.add_argument("run", type=int, nargs="?", help="the run's number; all that succeeded where none is named")

    def handle(self, *args: Any, **options: Any) -> None:
        action = options["action"] or "list"
        if action == "list":
            self._list(options.get("status"), as_json=bool(options.get("json")))
            return
        if action == "compare":
            self._compare(options["before"], options["after"], everything=options["all"], as_json=options["json"])
            return
        if action == "derive":
            self._derive(options["run"])
            return
        if action == "queue":
            self.stdout.write("\n".join(queue_lines()))
            return
        try:
            if action in ("pause", "resume"):
                self._pause(action, options)
                return
            run = _run(options["run"])
            if action == "cancel":
                run_cancel(run=run)
            elif action == "priority":
                run_prioritise(run=run, to=_number(options["to"]))
            elif action == "retry":
                run_retry(run=run)
            elif action == "publish":
                run_publish(run=run)
            else:
                run = run_rollback(episode=run.episode).run
        except AnalysisError as error:
            raise CommandError(f"{error} [{error.code}]") from error
        run.refresh_from_db()
        self.stdout.write(f"Run {run.pk} of {run.episode}: {run.status}")

    def _pause(self, action: str, options: dict[str, Any]) -> None:
        if action == "pause":
            queue = queue_pause(name=options["queue"], reason=options["reason"])
        else:
            queue = queue_resume(name=options["queue"])
        self.stdout.write(f"{queue.get_name_display()}: {'paused' if queue.paused_at else 'not paused'}")

    def _compare(self, before: int, after: int, *, everything: bool, as_json: bool) -> None:
        try:
            found = runs_compare(_run(before), _run(after))
        except AnalysisError as error:
            raise CommandError(f"{error} [{error.code}]") from error
        if as_json:
            self.stdout.write(json.dumps(comparison_json(found), ensure_ascii=False, indent=1))
            return
        for line in comparison_lines(found, everything=everything):
            self.stdout.write(line)

    def _derive(self, number: int | None) -> None:
        """After an update that derives more: no video is read again. One transaction per run."""
        runs = AnalysisRun.objects.filter(status=RunStatus.SUCCEEDED)
        numbers = list((runs if number is None else runs.filter(pk=number)).order_by("pk").values_list("pk", flat=True))
        if number is not None and not numbers:
            raise CommandError(f"There is no run {number} that succeeded. [run_unknown]")
        done = [pk for pk in numbers if run_finalise(pk, again=True) is not None]
        self.stdout.write(f"Derived anew: {len(done)} of {len(numbers)} runs.")
        if missed := sorted(set(numbers) - set(done)):
            raise CommandError(f"Somebody else is at runs {', '.join(map(str, missed))}; try these again. [run_busy]")

    def _list(self, status: str | None, *, as_json: bool) -> None:
        runs = list(run_list(status=status)[:50])
        progress = runs_progress(run.pk for run in runs)
        rows = [
            {
                "run": run.pk,
                "episode": {"id": run.episode_id, "title": str(run.episode)},
                "bundle": str(run.bundle),
                "status": run.status,
                "partial": run.partial,
                "percent": progress[run.pk].percent,
                "faces": progress[run.pk].faces,
                "error_code": run.error_code,
            }
            for run in runs
        ]
        if as_json:
            self.stdout.write(json.dumps(rows, ensure_ascii=False, indent=1))
            return
        for row in rows:
            state = f"{row['status']}{' (partial)' if row['partial'] else ''}"
            self.stdout.write(f"{row['run']:>6}  {state:<20} {row['percent']:>3} %  {row['episode']['title']}")  # type: ignore[index]
        if not rows:
            self.stdout.write("There are no runs.")
