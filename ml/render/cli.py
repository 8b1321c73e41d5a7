"""``python -m ml render``: a season of episodes with their truth."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

from ml.render.cast import CAST
from ml.render.crowd import held_out_cast, training_cast
from ml.render.design import Design
from ml.render.episode import ALL_STYLES, render_episode, truth_path
from ml.render.titles import title_for

CASTS: dict[str, Callable[[int], dict[str, Design]]] = {
    "friends": lambda seed: CAST,
    "training": training_cast,
    "held-out": held_out_cast,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--episodes", type=int, default=3, metavar="N", help="how many (default 3)")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="of the first episode; the next has S + 1")
    parser.add_argument("--first", type=int, default=1, metavar="N", help="number of the first episode (default 1)")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the videos and truth files")
    parser.add_argument("--duration", type=float, default=40.0, metavar="SECONDS", help="of each episode (default 40)")
    parser.add_argument("--size", type=_size, default=(640, 360), metavar="WxH", help="of the picture (640x360)")
    parser.add_argument("--style", choices=ALL_STYLES, default="modern", help="look of the film (modern)")
    parser.add_argument("--cast", choices=list(CASTS), default="friends", help="who acts (the four friends)")
    parser.add_argument(
        "--cast-seed", type=int, metavar="S", help="of a cast other than the friends (that of the first episode)"
    )


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.lower().partition("x")
    if not (width.isdigit() and height.isdigit()):
        raise argparse.ArgumentTypeError(f"a size is written like 640x360, not {text!r}")
    return int(width), int(height)


def episode_name(number: int, seed: int) -> str:
    return f"S01E{number:02d} {title_for(seed)}"


def run(args: argparse.Namespace) -> int:
    """Renders, a progress line per episode. Exit status 2: the options make no episode; 1: it cannot be written."""
    cast_seed = args.seed if args.cast_seed is None else args.cast_seed
    if args.episodes < 1 or args.first < 1 or args.seed < 0 or cast_seed < 0:
        print("render: --episodes and --first are at least 1 and seeds at least 0", file=sys.stderr)  # noqa: T201
        return 2
    cast = CASTS[args.cast](cast_seed)
    for number in range(args.first, args.first + args.episodes):
        seed = args.seed + number - args.first
        path = args.out / f"{episode_name(number, seed)}.mp4"
        started = time.monotonic()
        try:
            args.out.mkdir(parents=True, exist_ok=True)
            truth = render_episode(
                path,
                seed,
                duration_s=args.duration,
                size=args.size,
                style=args.style,
                cast=cast,
                on_progress=_Line(path.name),
            )
        except ValueError as error:
            print(f"render: {error}", file=sys.stderr)  # noqa: T201
            return 2
        except OSError as error:
            print(f"render: {path} cannot be written: {error.strerror}", file=sys.stderr)  # noqa: T201
            return 1
        seconds = time.monotonic() - started
        print(  # noqa: T201
            f"\r{path.name}: {truth.video.frames} frames, {len(truth.drawings)} drawings, {seconds:.1f} s; "
            f"truth in {truth_path(path).name}"
        )
    return 0


class _Line:
    """A progress line on a terminal; silent elsewhere."""

    def __init__(self, name: str) -> None:
        self.name, self.percent = name, -1

    def __call__(self, done: int, total: int) -> None:
        percent = 100 * done // max(1, total)
        if percent != self.percent and sys.stderr.isatty():
            self.percent = percent
            print(f"\r{self.name}: {percent:3d} %", end="", file=sys.stderr, flush=True)  # noqa: T201
