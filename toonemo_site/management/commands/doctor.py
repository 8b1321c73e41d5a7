from __future__ import annotations

import json
import logging
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from toonemo_site.diagnosis import State, examine


class Command(BaseCommand):
    help = "Looks at services, disk, bundles and devices; says what is wrong and what mends it."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        logging.getLogger().setLevel(logging.ERROR)
        findings = []
        for finding in examine():
            findings.append(finding)
            if not options["json"]:
                self.stdout.write(f"{finding.state:<8} {finding.name:<11} {finding.detail}")
                if finding.mend:
                    self.stdout.write(f"{'':<20} -> {finding.mend}")
                self.stdout.flush()
        faults = sum(f.state is State.FAULT for f in findings)
        if options["json"]:
            answer = {"ok": not faults, "checks": [asdict(f) for f in findings]}
            self.stdout.write(json.dumps(answer, ensure_ascii=False, indent=1))
        if faults:
            raise SystemExit(1)
