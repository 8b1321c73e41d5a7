"""``manage.py audit 3``: does what the site shows follow from what was detected?"""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from analysis.errors import AnalysisError
from analysis.models import AnalysisRun, Publication
from analysis.selectors.episodes import episode_named
from analysis.services.auditing import RunAudit, audit_run, run_rederive

MOST_SHOWN = 20


class Command(BaseCommand):
    help = (
        "Recomputes every published number of an episode from its stored detections and says where it differs by more "
        "than 1e-9. Exit status: 0 everything is as computed, 1 something differs, 2 the question was wrong."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("episodes", nargs="*", metavar="EPISODE", help="an id, SERIES/IDENTITY, or a title")
        parser.add_argument("--all", action="store_true", help="every episode that shows an analysis")
        parser.add_argument("--mend", action="store_true", help="derive anew, from the detections, what differs")
        parser.add_argument("--json", action="store_true", help="answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        if bool(options["episodes"]) == options["all"]:
            raise CommandError("Name episodes, or say --all.", returncode=2)
        try:
            runs = _shown(None if options["all"] else [episode_named(name).pk for name in options["episodes"]])
        except AnalysisError as error:
            raise CommandError(f"{error} [{error.code}]", returncode=2) from error
        found = {run.pk: audit_run(run) for run in runs}
        mended = self._mend([run for run in runs if not found[run.pk].equal]) if options["mend"] else []
        for run in mended:
            run.refresh_from_db()
            found[run.pk] = audit_run(run)
        done = {run.pk for run in mended}
        if options["json"]:
            rows = [_as_json(run, found[run.pk], run.pk in done) for run in runs]
            self.stdout.write(json.dumps(rows, ensure_ascii=False, indent=1))
        else:
            for run in runs:
                for line in _lines(run, found[run.pk], run.pk in done):
                    self.stdout.write(line)
        if not all(audit.equal for audit in found.values()):
            raise SystemExit(1)

    def _mend(self, runs: list[AnalysisRun]) -> list[AnalysisRun]:
        """Several are derived twice: only the second time can their baselines be made from one another."""
        mended = [run for run in runs if run_rederive(run=run)]
        if len(mended) > 1:
            for run in mended:
                run.refresh_from_db()
                run_rederive(run=run)
        return mended


def _shown(episodes: list[int] | None) -> list[AnalysisRun]:
    """The run that each episode shows, in the order asked for; all of them for None."""
    current = Publication.objects.filter(withdrawn_at__isnull=True).select_related(
        "run__episode__series", "run__bundle"
    )
    if episodes is None:
        runs = [p.run for p in current.order_by("episode_id")]
        if not runs:
            raise CommandError("No episode shows an analysis yet. [nothing_published]", returncode=2)
        return runs
    by_episode = {p.episode_id: p.run for p in current.filter(episode_id__in=episodes)}
    missing = [pk for pk in episodes if pk not in by_episode]
    if missing:
        names = ", ".join(map(str, missing))
        raise CommandError(f"No episode that shows an analysis has the id {names}. [nothing_published]", returncode=2)
    return [by_episode[pk] for pk in dict.fromkeys(episodes)]


def _lines(run: AnalysisRun, audit: RunAudit, mended: bool) -> list[str]:
    name = f"Episode {run.episode_id}, {run.episode.title} (run {run.pk})"
    again = " Derived anew." if mended else ""
    remedy = f"  -> manage.py audit --mend {run.episode_id}"
    if audit.outdated:
        return [f"{name}: made by version {audit.version} of the arithmetic, which is not this one.{again}", remedy]
    notes = [f"  {note}" for note in audit.notes]
    if audit.equal:
        return [f"{name}: {audit.numbers} values, all as computed.{again}", *notes]
    shown = [
        f"  {d.what}: stored {_short(d.stored)}, computed {_short(d.computed)}" for d in audit.differences[:MOST_SHOWN]
    ]
    left = len(audit.differences) - len(shown)
    more = [f"  and {left} more (--json lists all)"] if left else []
    count = f"{len(audit.differences)} of {audit.numbers} values differ.{again}"
    return [f"{name}: {count}", *shown, *more, *notes, remedy]


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _as_json(run: AnalysisRun, audit: RunAudit, mended: bool) -> dict[str, Any]:
    return {
        "episode": {"id": run.episode_id, "title": run.episode.title},
        "run": run.pk,
        "ratings_version": audit.version,
        "outdated": audit.outdated,
        "values": audit.numbers,
        "equal": audit.equal,
        "mended": mended,
        "differences": [{"what": d.what, "stored": d.stored, "computed": d.computed} for d in audit.differences],
        "notes": list(audit.notes),
    }
