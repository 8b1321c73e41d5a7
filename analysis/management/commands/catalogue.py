"""``manage.py catalogue generate --episodes 100000``: a catalogue to measure on."""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from analysis.errors import CatalogueNotEmpty
from analysis.services.planting import catalogue_clear, catalogue_plant

MOST_EPISODES = 1_000_000
SAMPLE = 20


class Command(BaseCommand):
    help = "Fills an empty catalogue with planted episodes, to measure and test on, or takes them away again."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
        generate = actions.add_parser("generate", help="plant episodes with their truth")
        generate.add_argument("--episodes", type=int, default=100, help="how many (100)")
        generate.add_argument("--seed", type=int, default=1, help="equal seeds make equal catalogues (1)")
        generate.add_argument(
            "--detections", type=int, default=SAMPLE, help=f"so many of them with every face ({SAMPLE})"
        )
        generate.add_argument("--beside", action="store_true", help="also where the catalogue holds other episodes")
        actions.add_parser("remove", help="take away what was planted, and nothing else")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["action"] == "remove":
            self.stdout.write(f"Taken away: {catalogue_clear()} planted episodes.")
            return
        episodes, seed, detections = options["episodes"], options["seed"], options["detections"]
        if not 1 <= episodes <= MOST_EPISODES or not 0 <= detections <= episodes or seed < 0:
            raise CommandError(
                f"--episodes is from 1 to {MOST_EPISODES}, --detections at most as many, and --seed at least 0.",
                returncode=2,
            )
        began = time.monotonic()
        try:
            catalogue_plant(
                episodes=episodes, seed=seed, detections=detections, beside=options["beside"], told=self._tell
            )
        except CatalogueNotEmpty as error:
            raise CommandError(f"{error} [{error.code}]", returncode=1) from error
        self.stdout.write(f"Planted {episodes} episodes with seed {seed} in {time.monotonic() - began:.0f} s.")

    def _tell(self, done: int) -> None:
        if self.stderr.isatty():
            self.stderr.write(f"\r{done} episodes", ending="")
