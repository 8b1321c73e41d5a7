"""``python -m ml label``: a local page to label faces on frames of videos and on pictures."""

from __future__ import annotations

import argparse
import csv
import json
import sys
from pathlib import Path

from ml.data.frames import IMAGE_SUFFIXES
from ml.errors import OutputUnwritable
from ml.label.choose import Outline, choose, every, outline
from ml.label.compare import compare_files, report
from ml.label.server import LabelServer
from ml.label.store import Entry, LabelFile, LabelFileUnusable, frame_entry
from ml.outputs import check_json, json_target, write_json
from ml.timeline import shot_at
from ml.video import check

DEFAULT_FRAMES = 50


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "sources", nargs="*", type=Path, metavar="VIDEO", help="a video, a picture or a folder of pictures"
    )
    parser.add_argument("--out", type=Path, metavar="LABELS.json", help="the labels; a file that exists is continued")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--frames", type=_count, metavar="N", help=f"so many over all shots ({DEFAULT_FRAMES})")
    which.add_argument("--every-ms", type=_count, metavar="M", help="one frame every so many milliseconds")
    which.add_argument("--times", type=Path, metavar="FILE", help="JSON or CSV with video and pts_ms of each frame")
    parser.add_argument("--compare", nargs=2, type=Path, metavar=("A", "B"), help="how far two files of labels agree")
    parser.add_argument("--json", type=json_target, metavar="OUT", help="with --compare: the figures; - is stdout")
    parser.add_argument("--list", action="store_true", help="print the chosen frames as JSON and end")
    parser.add_argument("--annotator", default="", metavar="NAME", help="written beside each frame that is labelled")
    parser.add_argument("--characters", default="", metavar="A,B,C", help="names that the page offers")
    parser.add_argument("--host", default="127.0.0.1", help="address to serve on (127.0.0.1: this machine only)")
    parser.add_argument("--port", type=int, default=8300, metavar="P", help="0: any that is free (default 8300)")


def _count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"a number from 1 on is needed, not {text!r}")
    return int(text)


def run(args: argparse.Namespace) -> int:
    """Serves until interrupted. Raises the UserErrors of videos, LabelFileUnusable or OutputUnwritable."""
    if args.compare:
        return compare(args)
    videos, pictures = sort_sources(args.sources)
    if not videos and not pictures:
        raise LabelFileUnusable("Name a video, a picture or a folder of pictures to label.")
    if args.list:
        entries = chosen(args, videos)
        keys = [{"video": e.video, "pts_ms": e.pts_ms, "shot": e.shot} for e in entries]
        sys.stdout.write(json.dumps(keys, indent=1) + "\n")
        return 0
    if args.out is None:
        raise OutputUnwritable("Say with --out which file the labels go to.")
    labels = LabelFile(args.out, args.annotator)
    continued = bool(labels.entries)
    asked = args.frames or args.every_ms or args.times
    if continued:
        name_sources(labels, videos)
    labels.add(pictures)
    if videos and (asked or not continued):
        labels.add(chosen(args, videos))
    labels.save()
    serve(args, labels)
    return 0


def compare(args: argparse.Namespace) -> int:
    """Prints how far two files agree; to standard error where the figures go to standard output."""
    check_json(args.json)
    found = compare_files(*args.compare)
    (sys.stderr if args.json == "-" else sys.stdout).write(report(found))
    if args.json is not None:
        write_json(args.json, found.to_json(), indent=1)
    return 0


def serve(args: argparse.Namespace, labels: LabelFile) -> None:
    characters = tuple(dict.fromkeys(c.strip() for c in args.characters.split(",") if c.strip()))
    try:
        server = LabelServer((args.host, args.port), labels, characters)
    except (OSError, OverflowError) as error:
        raise OutputUnwritable(f"The page cannot be served on {args.host}:{args.port}: {error}.") from error
    with server:
        done = sum(entry.done for entry in server.shown)
        _say(f"{len(server.shown)} frames, {done} of them done; labels go to {args.out}")
        _say(f"http://{args.host}:{server.server_address[1]}/?token={labels.token}")
        _say("Every change is saved at once; Ctrl-C ends this, the same command goes on.")
        server.serve_forever()


def sort_sources(sources: list[Path]) -> tuple[list[Path], list[Entry]]:
    """Videos, and entries for picture files, also those in folders. Raises LabelFileUnusable where names are double."""
    videos: list[Path] = []
    pictures: list[Entry] = []
    for source in sources:
        if source.is_dir():
            inside = sorted(p for p in source.rglob("*") if p.suffix.lower() in IMAGE_SUFFIXES and p.is_file())
            pictures += [Entry(p.relative_to(source).as_posix(), p.stat().st_size, p) for p in inside]
            if not inside:
                raise LabelFileUnusable(f"The folder {source} holds no pictures.")
        elif source.suffix.lower() in IMAGE_SUFFIXES and source.is_file():
            pictures.append(Entry(source.name, source.stat().st_size, source))
        else:
            check(source)
            videos.append(source)
    names = [v.name for v in videos] + [p.filename for p in pictures]
    double = next((name for name in names if names.count(name) > 1), None)
    if double is not None:
        raise LabelFileUnusable(f"Two of the videos or pictures are called “{double}”; labels go by name.")
    return videos, pictures


def name_sources(labels: LabelFile, videos: list[Path]) -> None:
    """Tells frames that are in the file already where their video is now."""
    by_name = {video.name: video for video in videos}
    for entry in labels.entries:
        if entry.pts_ms is not None and entry.path is None:
            entry.path = by_name.get(entry.video)
    lost = sorted({entry.video for entry in labels.entries if entry.pts_ms is not None and entry.path is None})
    for video in lost:
        _say(f"{labels.path} has frames of “{video}”, which was not named: they stay in the file and are not shown.")


def chosen(args: argparse.Namespace, videos: list[Path]) -> list[Entry]:
    """The frames that the options ask for, of all videos."""
    if args.times:
        return listed(args.times, videos)
    outlines = [_outline(video) for video in videos]
    if args.every_ms:
        choices = [every(found, args.every_ms) for found in outlines]
    else:
        choices = choose(outlines, args.frames or DEFAULT_FRAMES)
    return [frame_entry(v, c.pts_ms, c.shot) for v, of in zip(videos, choices, strict=True) for c in of]


def _outline(video: Path) -> Outline:
    _say(f"looking for shots in {video.name}")
    return outline(video)


def listed(path: Path, videos: list[Path]) -> list[Entry]:
    """Frames of a list: JSON objects or CSV lines with ``pts_ms``, ``video`` where there are several, maybe ``shot``.

    Where a line does not say the shot, the video is looked through for it.
    """
    by_name = {video.name: video for video in videos}
    outlines: dict[str, Outline] = {}
    entries = []
    for name, pts_ms, shot in _rows(path):
        video = by_name.get(name) if name else videos[0]
        if video is None or (not name and len(videos) > 1):
            raise LabelFileUnusable(f"The list {path} has a frame of “{name}”, which is none of the videos given.")
        if shot is None:
            if video.name not in outlines:
                outlines[video.name] = _outline(video)
            shots = outlines[video.name].shots
            if pts_ms >= shots[-1].end_ms:
                raise LabelFileUnusable(f"The list {path} asks for {pts_ms} ms of “{video.name}”, which ends before.")
            shot = shot_at(shots, pts_ms)
        entries.append(frame_entry(video, pts_ms, shot))
    return entries


def _rows(path: Path) -> list[tuple[str, int, int | None]]:
    """Video, time and shot. Raises LabelFileUnusable."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        rows = json.loads(text) if path.suffix.lower() == ".json" else list(csv.DictReader(text.splitlines()))
        found = []
        for row in rows:
            shot = row.get("shot")
            found.append((str(row.get("video") or ""), int(row["pts_ms"]), None if shot in (None, "") else int(shot)))
    except OSError as error:
        raise LabelFileUnusable(f"The list {path} cannot be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise LabelFileUnusable(f"The list {path} needs “video” and “pts_ms” for each frame: {error!r}.") from error
    if any(pts_ms < 0 or (shot or 0) < 0 for _, pts_ms, shot in found):
        raise LabelFileUnusable(f"The list {path} has a time or a shot below 0.")
    return found


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()
