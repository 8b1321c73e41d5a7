"""What each file of a folder gets when it is opened as a video. Writes the tables of docs/bad-media.md:

python -m tests.ml.bad_media_table FOLDER [FOLDER ...]
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ml.errors import UserError
from ml.video import probe


def outcome(path: Path) -> tuple[str, str]:
    """The code, and the sentence or what the video is."""
    try:
        info = probe(path)
    except UserError as error:
        return error.code, str(error)
    plural = "frame" if info.frames == 1 else "frames"
    return "OK", f"{info.frames} {plural}, {info.duration_ms} ms, {info.width} x {info.height}"


def outcomes(folder: Path) -> dict[str, tuple[str, str]]:
    """By name; hidden files and folders are left out."""
    files = sorted(p for p in folder.iterdir() if p.is_file() and not p.name.startswith("."))
    with ThreadPoolExecutor(4) as pool:
        return dict(zip([p.name for p in files], pool.map(outcome, files), strict=True))


def rows(folder: Path) -> list[str]:
    return [f"| `{name}` | `{code}` | {text} |" for name, (code, text) in outcomes(folder).items()]


def main(folders: list[str]) -> None:
    for folder in folders:
        lines = [f"## {Path(folder).name}", "", "| file | gets | says |", "|---|---|---|", *rows(Path(folder)), ""]
        sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
