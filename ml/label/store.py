"""The file of labels: VIA 2 annotation JSON, one entry per frame, written whole at each change.

An entry's key is ``filename + size`` as VIA has it. A frame of a video is called ``part2.mkv#t=44000`` (milliseconds)
and has the size -1; ``file_attributes`` say the rest. What the file holds beyond that is kept as it is.
"""

from __future__ import annotations

import fcntl
import glob
import json
import os
import re
import secrets
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from ml.errors import OutputUnwritable, UserError
from ml.label.regions import Region, from_via
from ml.outputs import check_writable, whole_file

MOST_FILE_BYTES = 256 << 20


class LabelFileUnusable(UserError):
    """A file of labels cannot be read, is another program's, or is open elsewhere."""

    code = "label_file_unusable"


@dataclass(slots=True)
class Entry:
    """A frame or a picture and its labels. ``path``: where its pixels are; None where that was not named.

    ``raw``: its regions as they stood in the file; they stay so until the frame is labelled anew.
    """

    filename: str
    size: int = -1
    path: Path | None = None
    video: str = ""
    pts_ms: int | None = None
    shot: int | None = None
    width: int = 0
    height: int = 0
    done: bool = False
    raw: list[Any] = field(default_factory=list)
    others: dict[str, Any] = field(default_factory=dict)
    annotator: str = ""

    @property
    def key(self) -> str:
        return f"{self.filename}{self.size}"

    @property
    def regions(self) -> list[Region]:
        return [r for r in map(from_via, self.raw) if r is not None]

    def to_via(self) -> dict[str, Any]:
        said: dict[str, Any] = dict(self.others)
        if self.pts_ms is not None:
            said |= {"video": self.video, "pts_ms": str(self.pts_ms)}
        if self.shot is not None:
            said["shot"] = str(self.shot)
        if self.width and self.height:
            said |= {"width": str(self.width), "height": str(self.height)}
        said |= {"annotator": self.annotator, "done": "true" if self.done else "false"}
        return {"filename": self.filename, "size": self.size, "regions": self.raw, "file_attributes": said}


def frame_entry(path: Path, pts_ms: int, shot: int | None) -> Entry:
    return Entry(f"{path.name}#t={pts_ms}", -1, path, path.name, pts_ms, shot)


def read_entries(path: Path) -> list[Entry]:
    """Entries of a VIA annotation file or project. Raises LabelFileUnusable."""
    try:
        if path.stat().st_size > MOST_FILE_BYTES:
            raise LabelFileUnusable(f"The file {path} is larger than {MOST_FILE_BYTES >> 20} MB.")
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise LabelFileUnusable(f"The file {path} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise LabelFileUnusable(f"The file {path} is no JSON: {error}.") from error
    if isinstance(document, dict) and isinstance(document.get("_via_img_metadata"), dict):
        document = document["_via_img_metadata"]
    if not isinstance(document, dict):
        raise LabelFileUnusable(f"The file {path} is no annotation file of VIA 2: it is no object.")
    return [_entry(path, key, raw) for key, raw in document.items()]


def _entry(path: Path, key: str, raw: Any) -> Entry:
    try:
        said = dict(raw.get("file_attributes") or {})
        regions = raw["regions"]
        entry = Entry(str(raw["filename"]), int(raw.get("size", -1)))
        entry.raw = list(regions.values()) if isinstance(regions, dict) else list(regions)
        entry.video = str(said.pop("video", ""))
        entry.pts_ms = _number(said.pop("pts_ms", ""))
        entry.shot = _number(said.pop("shot", ""))
        entry.width, entry.height = _number(said.pop("width", "")) or 0, _number(said.pop("height", "")) or 0
        entry.annotator = str(said.pop("annotator", ""))
        entry.done = str(said.pop("done", "")).lower() == "true"
        entry.others = said
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise LabelFileUnusable(
            f"The file {path} is no annotation file of VIA 2: entry “{key[:80]}” is broken."
        ) from error
    return entry


def _number(text: Any) -> int | None:
    return None if text in ("", None) else int(text)


class LabelFile:
    """Entries in memory and on disk; every change is on disk when its call returns.

    One process at a time holds it, by a lock on ``.NAME.lock`` beside it that the system drops when the process ends.
    ``token``: kept in there, so that the page's address stays the same. Raises LabelFileUnusable or OutputUnwritable.
    """

    def __init__(self, path: Path, annotator: str = "") -> None:
        check_writable(path, None)
        self.path, self.annotator = path, annotator
        self.lock = threading.Lock()
        self.holder, self.token = _hold(path)
        for left in path.parent.glob(f".{glob.escape(path.name[:100])}.*.part"):  # by a process that was killed
            left.unlink(missing_ok=True)
        try:
            self.entries: list[Entry] = read_entries(path) if path.exists() and path.stat().st_size else []
        except BaseException:
            self.close()
            raise

    def add(self, entries: list[Entry]) -> int:
        """Those not there yet. For those that are, the place of their pixels is taken over. Gives how many are new."""
        with self.lock:
            known = {entry.filename: entry for entry in self.entries}
            new = []
            for entry in entries:
                if entry.filename in known:
                    known[entry.filename].path = entry.path
                else:
                    new.append(entry)
                    known[entry.filename] = entry
            self.entries += new
            self.entries.sort(key=lambda e: (e.video, e.pts_ms or 0) if e.pts_ms is not None else ("", 0))
            return len(new)

    def put(self, entry: Entry, regions: list[Region], done: bool) -> None:
        """Labels of one entry, saved."""
        with self.lock:
            before = (entry.raw, entry.done, entry.annotator)
            entry.raw, entry.done = [r.to_via() for r in regions], done
            entry.annotator = self.annotator or entry.annotator
            try:
                self._write()
            except BaseException:
                entry.raw, entry.done, entry.annotator = before
                raise

    def save(self) -> None:
        with self.lock:
            self._write()

    def _write(self) -> None:
        document = {entry.key: entry.to_via() for entry in self.entries}
        text = json.dumps(document, ensure_ascii=False, allow_nan=False, indent=1) + "\n"
        with whole_file(self.path) as temporary, temporary.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())

    def close(self) -> None:
        self.holder.close()


def _hold(path: Path) -> tuple[TextIO, str]:
    """The locked file and the token in it, a new one where there is none. Only its owner can read it."""
    beside = path.with_name(f".{path.name}.lock")
    try:
        holder = os.fdopen(os.open(beside, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600), "r+")
    except OSError as error:
        raise OutputUnwritable(f"The lock {beside} cannot be made: {error.strerror}.") from error
    try:
        fcntl.flock(holder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder.close()
        raise LabelFileUnusable(f"The file {path} is open in another labelling process; close that first.") from error
    token = holder.read(100).strip()
    if not re.fullmatch(r"[\w-]{20,60}", token, re.ASCII) or os.fstat(holder.fileno()).st_mode & 0o077:
        token = secrets.token_urlsafe(16)
        os.fchmod(holder.fileno(), 0o600)
        holder.seek(0)
        holder.truncate()
        holder.write(token)
        holder.flush()
    return holder, token
