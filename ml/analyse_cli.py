"""``python -m ml analyse VIDEO``: the pipeline alone, from the command line."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

from ml.bundle import DEFAULT_BUNDLE, Bundle
from ml.detect.matterport_picture import Preparation
from ml.errors import OutputUnwritable
from ml.outputs import check_absent, check_json, json_target, write_json
from ml.types import EpisodeResult, Progress
from ml.video import VideoFile, check, shown_name

BAR = 28


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("video", metavar="VIDEO", help="a video file of this machine")
    parser.add_argument("--bundle", default=DEFAULT_BUNDLE, metavar="B", help=f"name or folder ({DEFAULT_BUNDLE})")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N (auto)")
    parser.add_argument(
        "--sampling",
        default="drawings",
        type=_sampling,
        metavar="HOW",
        help="drawings: each distinct drawing once (default); every-N: each N-th frame; per-second",
    )
    parser.add_argument(
        "--json",
        type=json_target,
        metavar="OUT",
        help="write the result here (docs/formats.md); - is standard output, the table then goes to standard error",
    )
    parser.add_argument("--overlay", type=Path, metavar="OUT.mp4", help="write a video with everything drawn in")
    parser.add_argument("--force", action="store_true", help="write over files that exist and are no result of ours")


def _sampling(text: str) -> str:
    from ml.sampling import is_sampling

    if not is_sampling(text):
        raise argparse.ArgumentTypeError(f"{text!r} is neither drawings, per-second nor every-N (N from 1 to 99999)")
    return text


def run(args: argparse.Namespace) -> int:
    path = Path(args.video)
    check_outputs(args, path)
    with VideoFile(path) as file:
        check(file)  # a broken file is refused before the models are loaded
        from ml.pipeline import AnalyseConfig, analyse
        from ml.runtime import load_models

        models = load_models(args.bundle, args.device)
        with Line(f"analysing {shown_name(path)}") as line:
            result = analyse(file, models, AnalyseConfig(sampling=args.sampling), line.analysed)
        if args.json is not None:
            write_json(args.json, result.to_json())
        if args.overlay is not None:
            from ml.overlay import write_overlay

            with Line(f"drawing into {shown_name(args.overlay)}") as line:
                write_overlay(file, result, args.overlay, models.bundle.characters, on_progress=line.reached)
    stream = sys.stderr if args.json == "-" else sys.stdout
    stream.write(table(shown_name(path), result, models.bundle) + "\n")
    return 0


def check_outputs(args: argparse.Namespace, source: Path) -> None:
    """Before anything is read or decoded. Raises OutputUnwritable."""
    check_json(args.json, source, force=args.force)
    if args.overlay is None:
        return
    check_absent(args.overlay, source, force=args.force)
    if isinstance(args.json, Path) and args.json.resolve() == args.overlay.resolve():
        raise OutputUnwritable(f"The result and the overlay cannot both be written to {args.overlay}.")


class Line:
    """Progress on stderr: a bar on a terminal, else a line at each tenth."""

    def __init__(self, title: str, write: Callable[[str], object] | None = None) -> None:
        self.title, self.write = title, write or sys.stderr.write
        self.tty = sys.stderr.isatty()
        self.begun = time.monotonic()
        self.said = -1
        self.shown = 0.0

    def __enter__(self) -> Line:
        if not self.tty:
            self.write(f"{self.title}\n")
        return self

    def __exit__(self, *_: object) -> None:
        if self.tty:
            self.write("\r\x1b[K")
        sys.stderr.flush()

    def analysed(self, now: Progress) -> None:
        self._say(now.done_ms, now.total_ms, f"{now.drawings} drawings, {now.faces} faces")

    def reached(self, done_ms: int, total_ms: int) -> None:
        self._say(done_ms, total_ms, "")

    def _say(self, done_ms: int, total_ms: int, found: str) -> None:
        share = min(1.0, done_ms / max(1, total_ms))
        seconds = f"{done_ms / 1000:.1f} of {total_ms / 1000:.1f} s"
        now = time.monotonic()
        if self.tty:
            if now - self.shown >= 0.1:
                self.shown = now
                bar = "#" * round(BAR * share)
                left = (now - self.begun) * (1 - share) / share if share > 0.02 else 0.0
                eta = f"about {left:.0f} s left" if left else ""
                line = f"{self.title} [{bar:.<{BAR}}] {100 * share:3.0f} %  {seconds}  {found}  {eta}"
                self.write(f"\r\x1b[K{line[:160]}")
                sys.stderr.flush()
        elif int(10 * share) > self.said:
            self.said = int(10 * share)
            self.write(f"  {100 * share:3.0f} %  {seconds}  {found}".rstrip() + "\n")
            sys.stderr.flush()


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def table(name: str, result: EpisodeResult, bundle: Bundle) -> str:
    """What a person wants to read: one line on the video, one per character, one on faces of nobody known."""
    names = bundle.characters
    picture = bundle.preprocessing.get("picture")
    video = result.video
    head = (
        f"{name}: {video.duration_ms / 1000:.3f} s, {video.frames} frames, {video.width} x {video.height}, "
        f"{_count(len(result.shots), 'shot')}, {_count(len(result.detections), 'face')}, "
        f"bundle {result.bundle.name}-{result.bundle.version}"
    )
    if picture is not None:
        head += f", pictures {Preparation.of(picture).said()}"
    modelled = bundle.emotions
    rows = [["character", "visible", *(str(e) for e in modelled)]]
    for slug, profile in result.profiles.items():
        shares = [f"{100 * profile.shares[e]:.0f} %" if e in profile.shares else "-" for e in modelled]
        rows.append([names.get(slug, slug), f"{profile.visible_ms / 1000:.1f} s", *shares])
    unknown = {d.pts_ms: d.shown_ms for d in result.detections if d.character is None}
    if unknown:
        rows.append(["unknown", f"{sum(unknown.values()) / 1000:.1f} s", *[""] * len(modelled)])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [cell.rjust(width) for cell, width in zip(row, widths, strict=True)]
        lines.append("  ".join([row[0].ljust(widths[0]), *cells[1:]]).rstrip())
    body = lines if len(rows) > 1 else ["No face was found."]
    if not modelled:
        body.append("This bundle has no classifier: no emotion is modelled.")
    return "\n".join([head, "", *body])
