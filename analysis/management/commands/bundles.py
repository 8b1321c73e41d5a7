from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Count, Q

from analysis.comparison_text import bundles_lines
from analysis.errors import AnalysisError
from analysis.models import ModelBundle
from analysis.selectors.comparing import bundles_compare, bundles_json
from analysis.services.bundle_publishing import Switched, bundle_publish, bundle_rollback
from analysis.services.bundles import bundle_find


class Command(BaseCommand):
    help = "Lists model bundles; compares two over the catalogue; lets every episode show one, or takes that back."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", metavar="ACTION")
        actions.add_parser("list", help="those that are known, and how many episodes show each").add_argument(
            "--json", action="store_true", help="answer as JSON"
        )
        compare = actions.add_parser("compare", help="what would change for the whole catalogue")
        compare.add_argument("before", metavar="OLD")
        compare.add_argument("after", metavar="NEW")
        compare.add_argument("--json", action="store_true", help="answer as JSON")
        publish = actions.add_parser("publish", help="episodes show their newest whole run of a bundle, all or none")
        publish.add_argument("bundle", metavar="NEW")
        publish.add_argument("--dry-run", action="store_true", help="say what would happen")
        rollback = actions.add_parser("rollback", help="undo the last publish of a bundle")
        rollback.add_argument("bundle", metavar="NEW")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._act(options["action"] or "list", options)
        except AnalysisError as error:
            raise CommandError(f"{error} [{error.code}]") from error

    def _act(self, action: str, options: dict[str, Any]) -> None:
        if action == "list":
            self._list(as_json=bool(options.get("json")))
        elif action == "compare":
            found = bundles_compare(bundle_find(options["before"]), bundle_find(options["after"]))
            lines = [json.dumps(bundles_json(found), ensure_ascii=False, indent=1)]
            for line in lines if options["json"] else bundles_lines(found):
                self.stdout.write(line)
        elif action == "publish":
            bundle = bundle_find(options["bundle"])
            self._say(bundle_publish(bundle=bundle, dry_run=options["dry_run"]), bundle)
        else:
            bundle = bundle_find(options["bundle"])
            self._say(bundle_rollback(bundle=bundle), bundle)

    def _say(self, done: Switched, bundle: ModelBundle) -> None:
        verb = "would show" if done.dry_run else "show"
        episodes = "1 episode" if len(done.runs) == 1 else f"{len(done.runs)} episodes"
        self.stdout.write(f"{bundle}: {episodes} {verb} another run now; {done.left} stay as they are.")

    def _list(self, *, as_json: bool) -> None:
        shown = Count("runs", filter=Q(runs__publications__withdrawn_at__isnull=True, runs__publications__isnull=False))
        rows = [
            {"bundle": str(b), "digest": b.digest, "runs": b.__dict__["all_runs"], "episodes": b.__dict__["shown"]}
            for b in ModelBundle.objects.annotate(all_runs=Count("runs", distinct=True), shown=shown)
        ]
        if as_json:
            self.stdout.write(json.dumps(rows, indent=1))
            return
        for row in rows:
            self.stdout.write(
                f"{row['bundle']:<24} {row['digest'][:12]}  {row['runs']} runs, {row['episodes']} episodes"
            )
        if not rows:
            self.stdout.write("No worker has made a model bundle known yet.")
