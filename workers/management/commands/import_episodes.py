from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path, PurePath
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError

from analysis.errors import AnalysisError
from analysis.models import AnalysisRun, RunStatus
from analysis.services.runs import run_request
from catalog.discovery import Candidate, discover
from catalog.models import Episode
from catalog.naming import plain_text, shown
from catalog.notes import noted
from catalog.services.batches import REFUSED, SKIPPED, Report, Summary, import_all
from catalog.services.imports import ImportStatus, Watcher
from workers.bundles import bundles_sync
from workers.waiting import wait_for_runs

WORDS = {  # what is said of a file, and of one in a dry run
    ImportStatus.IMPORTED: ("imported", "to import"),
    ImportStatus.ALREADY: ("already there", "already there"),
    ImportStatus.RESTORED: ("file restored", "to restore"),
    ImportStatus.REPLACED: ("replaced", "to replace"),
}
NAMED_SKIPPED = 12  # so many skipped files are named; of more, the kinds are counted


class Command(BaseCommand):
    help = (
        "Imports episodes from video files, folders and lists (CSV). Doing it again changes nothing. "
        "Exit status: 0 all is well, 1 something was refused or a run failed, 2 nothing could be done, "
        "130 stopped with Ctrl-C."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("paths", nargs="+", metavar="PATH", help="a video, a folder, or a CSV list of videos")
        parser.add_argument("--series", metavar="NAME", help="the series, whatever names and folders say")
        parser.add_argument("--replace", action="store_true", help="let a new video take the place of another one")
        parser.add_argument("--dry-run", action="store_true", help="look at every file, say what would happen")
        parser.add_argument("--analyse", action="store_true", help="ask for each episode to be analysed")
        parser.add_argument("--bundle", metavar="NAME", help="with which model bundle, such as toonemo-4")
        parser.add_argument("--wait", action="store_true", help="with --analyse: return when all runs have ended")
        parser.add_argument("--json", action="store_true", help="answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["wait"] and not options["analyse"]:
            raise CommandError("--wait needs --analyse: without it there is nothing to wait for.", returncode=2)
        if options["series"] is not None and not plain_text(options["series"]):
            raise CommandError("--series is empty.", returncode=2)
        analysis = _Analysis(options["bundle"]) if options["analyse"] and not options["dry_run"] else None
        reports, summary = [], Summary()
        try:
            for report in self._imported(options):
                summary.add(report)
                reports.append(report)
                if analysis and report.episode_id is not None:
                    analysis.request(report.episode_id)
                if not options["json"] and report.status != SKIPPED:
                    self.stdout.write(_line(report, options["dry_run"]))
                    for warning in report.warnings:
                        self.stdout.write(f"{'note':<14} {warning}")
        except KeyboardInterrupt:
            raise CommandError("Stopped. What was imported stays; the same command goes on.", returncode=130) from None
        except OperationalError as error:
            reason = "The database does not answer. What was imported stays; the same command goes on."
            raise CommandError(f"{reason} [database_unavailable]", returncode=1) from error
        runs = self._ended(analysis, wait=options["wait"]) if analysis else []
        if options["json"]:
            answer = _as_json(reports, summary, runs, dry_run=options["dry_run"])
            self.stdout.write(json.dumps(answer, ensure_ascii=False, indent=1))
        else:
            self._sum_up(reports, summary, runs, options)
        self._leave(summary, analysis, runs, waited=options["wait"])

    def _imported(self, options: dict[str, Any]) -> Any:
        progress = _Progress(self.stderr)
        found = (item for path in options["paths"] for item in discover(Path(path), options["series"]))
        reports = import_all(noted(found), replace=options["replace"], dry_run=options["dry_run"], watch=progress.watch)
        for report in reports:
            progress.clear()
            yield report

    def _ended(self, analysis: _Analysis, *, wait: bool) -> list[AnalysisRun]:
        if wait and analysis.run_ids:
            try:
                wait_for_runs(analysis.run_ids, self.stderr)
            except KeyboardInterrupt:
                raise SystemExit(130) from None  # the waiting has said what is to be said
        runs = AnalysisRun.objects.select_related("episode__series", "bundle").in_bulk(analysis.run_ids)
        return [runs[pk] for pk in analysis.run_ids if pk in runs]

    def _sum_up(
        self, reports: list[Report], summary: Summary, runs: list[AnalysisRun], options: dict[str, Any]
    ) -> None:
        skipped = [r for r in reports if r.status == SKIPPED]
        if skipped:
            self.stdout.write(f"Skipped, being no videos by their names: {_skipped(skipped)}.")
        for run in runs:
            self.stdout.write(_run_line(run))
        dry = options["dry_run"]
        counts = [f"{summary.counts[s]} {words[dry]}" for s, words in WORDS.items() if summary.counts[s]]
        counts += [f"{summary.counts[s]} {s}" for s in (REFUSED, SKIPPED) if summary.counts[s]]
        self.stdout.write(("Nothing was changed: " if dry else "") + (", ".join(counts) or "nothing found") + ".")
        if dry and options["analyse"] and summary.done:
            self.stdout.write(f"An analysis would be asked for {summary.done} episodes.")

    def _leave(self, summary: Summary, analysis: _Analysis | None, runs: list[AnalysisRun], *, waited: bool) -> None:
        if summary.exit_status == 2:
            if summary.refused:
                raise CommandError("Nothing could be imported.", returncode=2)
            raise CommandError("There is no video to import. [nothing_to_import]", returncode=2)
        if analysis and analysis.problem:
            raise CommandError(f"The analysis could not be asked for: {analysis.problem}", returncode=1)
        if waited and any(run.is_active for run in runs):
            raise CommandError("Not every analysis has ended.", returncode=1)
        failed = [run for run in runs if run.status in (RunStatus.FAILED, RunStatus.CANCELLED)]
        if failed:
            raise CommandError("Not every episode could be analysed.", returncode=1)
        if summary.exit_status:
            raise CommandError("Not every file could be imported.", returncode=summary.exit_status)


class _Analysis:
    """Asks for runs while the import goes on, so that workers need not wait for its end."""

    def __init__(self, bundle: str | None) -> None:
        self.bundle = bundle
        self.run_ids: list[int] = []
        self.problem = ""
        bundles_sync()

    def request(self, episode_id: int) -> None:
        episode = Episode.objects.select_related("source").get(pk=episode_id)
        try:
            run = run_request(episode=episode, bundle_name=self.bundle)
        except AnalysisError as error:
            self.problem = f"{error} [{error.code}]"
            return
        if run.pk not in self.run_ids:
            self.run_ids.append(run.pk)


class _Progress:
    """One line on a terminal that says how far the file at hand is; silent elsewhere."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self.on = bool(stream.isatty())
        self.said = 0.0

    def watch(self, item: Candidate) -> Watcher:
        name = shown(item.path.name)[:60]
        return Watcher(
            on_bytes=lambda done, total: self._say(f"{name}: copying {100 * done // max(1, total)} %"),
            on_pts=lambda pts_ms: self._say(f"{name}: looked at {_clock(pts_ms)}"),
        )

    def _say(self, text: str) -> None:
        now = time.monotonic()
        if self.on and now - self.said > 0.2:
            self.said = now
            self.stream.write(f"\r{text:<100}", str, ending="")
            self.stream.flush()

    def clear(self) -> None:
        if self.on and self.said:
            self.said = 0.0
            self.stream.write(f"\r{'':<100}\r", str, ending="")


def _line(report: Report, dry_run: bool) -> str:
    if report.status == REFUSED:
        return f"{'refused':<14} {report.reason} [{report.code}]"
    word = WORDS[ImportStatus(report.status)][dry_run]
    length = _clock(report.duration_ms or 0)
    name = shown(PurePath(report.path).name)
    return f"{word:<14} {report.series} {report.identity}: {report.title} ({length}) from {name}"


def _clock(ms: int) -> str:
    if ms < 10_000:
        return f"{ms / 1000:.1f} s"
    minutes, seconds = divmod(round(ms / 1000), 60)
    return f"{minutes}:{seconds:02d}"


def _skipped(skipped: list[Report]) -> str:
    if len(skipped) <= NAMED_SKIPPED:
        return ", ".join(PurePath(r.path).name for r in skipped)
    kinds = Counter(PurePath(r.path).suffix.lower() or "without ending" for r in skipped)
    return ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())


def _run_line(run: AnalysisRun) -> str:
    text = f"Run {run.pk} of {run.episode}: {run.status}"
    if run.status == RunStatus.SUCCEEDED:
        length = _clock(run.episode.duration_ms or 0)
        text += f", {run.frames} frames ({length}), {run.drawings} drawings, {run.faces} faces"
    if run.partial:
        text += "; partial"
    return text + (f". {run.error_detail} [{run.error_code}]" if run.error_code else "")


def _as_json(reports: list[Report], summary: Summary, runs: list[AnalysisRun], *, dry_run: bool) -> dict[str, Any]:
    return {
        "dry_run": dry_run,
        "files": [report.as_json() for report in reports],
        "counts": dict(summary.counts),
        "runs": [
            {"run": run.pk, "episode": run.episode_id, "status": run.status, "partial": run.partial}
            | {"frames": run.frames, "drawings": run.drawings, "faces": run.faces, "error_code": run.error_code}
            for run in runs
        ],
    }
