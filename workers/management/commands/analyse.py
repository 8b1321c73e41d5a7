from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from analysis.errors import AnalysisError, EpisodeUnknown
from analysis.models import AnalysisRun, RunStatus
from analysis.selectors.episodes import episode_named
from analysis.selectors.runs import run_missing_parts
from analysis.services.runs import run_request
from catalog.models import Episode
from workers.bundles import bundles_sync
from workers.waiting import wait_for_runs


class Command(BaseCommand):
    help = (
        "Asks for episodes to be analysed. The same request twice gives the same run. Exit status: 0 all is well, "
        "1 an episode could not be asked for or a run failed, 130 stopped with Ctrl-C."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("episodes", nargs="+", metavar="EPISODE", help="an id, SERIES/IDENTITY, a title, or all")
        parser.add_argument("--bundle", help="which model bundle, such as toonemo-4")
        parser.add_argument("--sampling", help="drawings (default), every-N or per-second")
        parser.add_argument("--force", action="store_true", help="analyse again what was analysed before")
        parser.add_argument("--wait", action="store_true", help="show the progress and return when all have ended")
        parser.add_argument("--json", action="store_true", help="answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        bundles_sync()
        config = {"sampling": options["sampling"]} if options["sampling"] else None
        episodes, problems = _episodes(options["episodes"])
        run_ids = []
        for episode in episodes:
            try:
                run = run_request(episode=episode, bundle_name=options["bundle"], config=config, force=options["force"])
            except AnalysisError as error:
                sentence = f"{error} [{error.code}]"
                problems += [] if sentence in problems else [sentence]  # what is wrong with all is said once
            else:
                run_ids.append(run.pk)
        if options["wait"] and run_ids:
            wait_for_runs(run_ids, self.stderr)  # Ctrl-C goes through: `manage.py` ends with 130, the demo ends too
        again = AnalysisRun.objects.select_related("episode__series", "bundle").in_bulk(run_ids)
        ended = [again[pk] for pk in run_ids if pk in again]
        if options["json"]:
            self.stdout.write(json.dumps([_as_json(run) for run in ended], ensure_ascii=False, indent=1))
        else:
            for run in ended:
                self.stdout.write(_sentence(run))
        if any(run.status in (RunStatus.FAILED, RunStatus.CANCELLED) for run in ended):
            problems.append("Not every episode could be analysed.")
        if problems:
            raise CommandError("\n".join(problems))


def _episodes(names: list[str]) -> tuple[list[Episode], list[str]]:
    """Each episode once, and a sentence for each name that means none or several."""
    found: dict[int, Episode] = {}
    problems = []
    for name in names:
        try:
            found |= {episode.pk: episode for episode in (_all() if name == "all" else [episode_named(name)])}
        except AnalysisError as error:
            problems.append(f"{error} [{error.code}]")
    return list(found.values()), problems


def _all() -> list[Episode]:
    episodes = Episode.objects.select_related("series", "source").filter(source__isnull=False)
    if not episodes:
        raise EpisodeUnknown("There is no episode that has a video.")
    return list(episodes.order_by("series_id", "pk"))


def _as_json(run: AnalysisRun) -> dict[str, Any]:
    return {
        "run": run.pk,
        "episode": {"id": run.episode_id, "title": run.episode.title},
        "bundle": str(run.bundle),
        "status": run.status,
        "partial": run.partial,
        "frames": run.frames,
        "drawings": run.drawings,
        "faces": run.faces,
        "error": {"code": run.error_code, "detail": run.error_detail} if run.error_code else None,
    }


def _sentence(run: AnalysisRun) -> str:
    text = f"Run {run.pk} of {run.episode}: {run.status}"
    if run.status == RunStatus.SUCCEEDED:
        text += f", {run.frames} frames, {run.drawings} drawings, {run.faces} faces"
    if run.partial:
        text += f"; {len(run_missing_parts(run))} parts are missing. {run.error_detail}"
    elif run.error_code:
        text += f". {run.error_detail} [{run.error_code}]"
    return text
