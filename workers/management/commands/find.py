from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from analysis.errors import AnalysisError
from analysis.finding.alike import Alike
from analysis.selectors.finds import Filters, Found, Moment, comparable, find_like
from analysis.services.bundles import bundle_find
from analysis.services.finds import MAX_BYTES, box_read
from ml.errors import ToonemoError
from ml.types import EMOTIONS
from ml.video import shown_name
from workers.finding import read_bytes


class Command(BaseCommand):
    help = "Finds the moments that look most like a drawing or a face in a picture."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("picture", type=Path, help="PNG, JPEG, WebP, BMP or GIF")
        parser.add_argument("--character", default="", metavar="SLUG", help="only moments of this character")
        parser.add_argument("--emotion", default="", choices=["", *EMOTIONS], help="only moments that show it")
        parser.add_argument("--alike", default=None, choices=[str(a) for a in Alike], help="in what sense")
        parser.add_argument("--box", default="", help="where the face is: left,top,right,bottom in pixels")
        parser.add_argument("--bundle", default=None, help="whose episodes; else that of most of them")
        parser.add_argument("--limit", type=int, default=12, help="how many moments")
        parser.add_argument("--json", action="store_true", help="answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            faces, found = self._find(options)
        except (AnalysisError, ToonemoError) as error:
            raise CommandError(f"{error} [{error.code}]") from error
        if options["json"]:
            self.stdout.write(json.dumps(_as_json(faces, found), ensure_ascii=False, indent=1))
            return
        for m in found.moments:
            who = "nobody the model knows" if m.character is None else m.character.name
            at = f"{m.pts_ms // 60_000}:{m.pts_ms // 1000 % 60:02d}"
            self.stdout.write(f"{m.similarity:.3f}  {m.episode}, {at}  {who}, {m.emotion or 'unclear'}")
        if not found.moments:
            self.stdout.write("No face that can be found passes these filters.")
        if found.comparable.others:
            self.stdout.write(
                f"{found.comparable.others} episodes were read by other models, whose faces cannot be compared."
            )

    def _find(self, options: dict[str, Any]) -> tuple[list[dict[str, Any]], Found]:
        path: Path = options["picture"]
        try:
            if path.stat().st_size > MAX_BYTES:
                raise CommandError(f"The picture is larger than {MAX_BYTES >> 20} MB. [find_refused]")
            data = path.read_bytes()
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror}. [picture_unreadable]") from error
        among = comparable(bundle_find(options["bundle"]) if options["bundle"] else None)
        box = box_read(options["box"])
        edges = None if box is None else (box[0], box[1], box[2], box[3])
        bundle = among.bundle
        faces, _ = read_bytes(data, bundle.name, bundle.version, bundle.digest, edges, shown_name(path))
        alike = Alike(options["alike"]) if options["alike"] else None
        filters = Filters(alike=alike, character=options["character"], emotion=options["emotion"])
        return faces, find_like(tuple(faces[0]["embedding"]), among, filters, max(1, min(options["limit"], 400)))


def _as_json(faces: list[dict[str, Any]], found: Found) -> dict[str, Any]:
    return {
        "format": 1,
        "bundle": str(found.comparable.bundle),
        "alike": str(found.alike),
        "exact": found.exact,
        "episodes_searched": len(found.comparable.runs),
        "episodes_left_out": found.comparable.others,
        "faces": [{k: v for k, v in face.items() if k != "embedding"} for face in faces],
        "results": [_moment_json(m) for m in found.moments],
    }


def _moment_json(m: Moment) -> dict[str, Any]:
    return {
        "face": m.face_id,
        "episode": m.episode_id,
        "title": m.episode,
        "scene": m.scene_id,
        "pts_ms": m.pts_ms,
        "character": None if m.character is None else m.character.slug,
        "emotion": m.emotion,
        "similarity": m.similarity,
    }
