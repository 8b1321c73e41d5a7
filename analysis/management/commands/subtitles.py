"""``manage.py subtitles EPISODE``: the emotions of an episode as subtitles, as the site gives them."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from analysis.errors import AnalysisError
from analysis.selectors.episodes import episode_named
from analysis.selectors.runs import run_published
from analysis.selectors.subtitles import Form, subtitles_request, subtitles_text


class Command(BaseCommand):
    help = (
        "Writes what each character's face shows as subtitles: WebVTT or SRT, to standard output or to a file. "
        "Exit status: 0 all is well, 1 nothing was written."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("episode", metavar="EPISODE", help="an id, SERIES/IDENTITY or a title")
        parser.add_argument("--format", choices=("vtt", "srt"), help="vtt, or what the name of FILE ends with")
        parser.add_argument("--out", type=Path, metavar="FILE", help="write to this file, not to standard output")
        parser.add_argument("--force", action="store_true", help="write over FILE where it exists")
        parser.add_argument("--characters", default="", metavar="SLUGS", help="only these, as in tom,jerry")
        parser.add_argument("--neutral", action="store_true", help="name neutral faces too")

    def handle(self, *args: Any, **options: Any) -> None:
        out: Path | None = options["out"]
        if out is not None and out.exists() and not options["force"]:
            raise CommandError(f"{out} exists; --force writes over it. [output_unwritable]")
        try:
            episode = episode_named(options["episode"])
            run = run_published(episode)
            if run is None:
                raise CommandError(f"{episode} shows no analysis yet. [not_analysed]")
            characters = [slug.strip() for slug in options["characters"].split(",") if slug.strip()]
            asked = subtitles_request(episode=episode, run=run, characters=characters, neutral=options["neutral"])
        except AnalysisError as error:
            raise CommandError(f"{error} [{error.code}]") from error
        implied: Form = "srt" if out is not None and out.suffix.lower() == ".srt" else "vtt"
        form: Form = options["format"] or implied
        text = subtitles_text(asked, form)
        if out is None:
            self.stdout.write(text, ending="")
            return
        try:
            write_whole(out, text)
        except OSError as error:
            raise CommandError(f"{out} cannot be written: {error.strerror}. [output_unwritable]") from error


def write_whole(out: Path, text: str) -> None:
    """All of it or nothing: to a temporary name beside it, then renamed. Raises OSError."""
    handle, name = tempfile.mkstemp(dir=out.parent, prefix=f".{out.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        Path(name).chmod(0o644)
        Path(name).replace(out)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
