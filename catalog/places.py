"""The server's folders that may be imported from, and nothing outside them, whatever a path says."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from catalog.errors import FolderForbidden, FolderUnreadable
from catalog.naming import natural_key, shown
from catalog.parsing import has_video_extension

MOST_SHOWN = 2_000


@dataclass(frozen=True, slots=True)
class Folder:
    """One folder to choose from. ``address``: how it is asked for; ``videos``: files in it that are videos by name."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Listing:
    """``above``: address of the folder above, None for a root. ``left_out``: entries that cannot be chosen."""

    path: Path
    name: str
    address: str
    above: str | None
    folders: list[Folder]
    videos: list[str]
    left_out: int


def roots() -> list[Path]:
    """Those of the settings that exist, the watched folder last; none twice, none that is a link to another."""
    named = [*settings.TOONEMO_IMPORT_ROOTS, settings.TOONEMO_WATCH_DIR]
    found: list[Path] = []
    for text in named:
        if not text.strip():
            continue
        try:
            path = Path(text.strip()).resolve(strict=True)
        except (OSError, RuntimeError, ValueError):
            continue
        if path.is_dir() and path not in found:
            found.append(path)
    return found


def resolve(address: str) -> Path:
    """The folder or file of an address: a root's number, then names, with ``/`` between. Links lead nowhere.

    Raises FolderForbidden.
    """
    number, _, rest = address.partition("/")
    known = roots()
    if not (number.isascii() and number.isdecimal() and len(number) < 4 and int(number) < len(known)):
        raise FolderForbidden("There is no such folder to import from.")
    root = known[int(number)]
    parts = [p for p in rest.split("/") if p]
    if any(p in (".", "..") or "\0" in p for p in parts):
        raise FolderForbidden("A folder is named without going up: its path may not hold “..”.")
    return beneath(root.joinpath(*parts), root)


def beneath(path: Path, root: Path | None = None) -> Path:
    """``path``, where it lies below ``root`` or any root and no link is on the way. Raises FolderForbidden."""
    allowed = [root] if root is not None else roots()
    said = shown(path.name)
    try:
        real = path.resolve(strict=True)
    except (OSError, RuntimeError, ValueError) as error:
        raise FolderForbidden(f"{said} does not exist, or may not be entered.") from error
    if real != path or not any(real == r or real.is_relative_to(r) for r in allowed):
        raise FolderForbidden(f"{said} is a link, or lies outside the folders that may be imported from.")
    return real


def address_of(path: Path) -> str | None:
    """The address of a folder below a root; None for any other."""
    for number, root in enumerate(roots()):
        if path == root or path.is_relative_to(root):
            rest = str(path.relative_to(root))
            return str(number) if rest == "." else f"{number}/{rest}"
    return None


def title_of(path: Path) -> str:
    """A folder as people know it: from its root on, not from the top of the disk."""
    root = next((r for r in roots() if path == r or path.is_relative_to(r)), path)
    return shown(str(Path(root.name) / path.relative_to(root)))[1:-1]


def listing(address: str) -> Listing:
    """Raises FolderForbidden, FolderUnreadable."""
    path = resolve(address)
    folders, videos, left_out = [], [], 0
    try:
        with os.scandir(path) as scan:
            for entry in scan:
                kind = _kind(entry)
                if kind == "folder":
                    folders.append(Folder(entry.name, f"{address.rstrip('/')}/{entry.name}"))
                elif kind == "video":
                    videos.append(entry.name)
                elif kind == "unseen":
                    left_out += 1
                if len(folders) + len(videos) >= MOST_SHOWN:
                    left_out += 1
                    break
    except OSError as error:
        raise FolderUnreadable(f"The folder {shown(path.name)} cannot be read: {error.strerror}.") from error
    folders.sort(key=lambda f: natural_key(f.name))
    videos.sort(key=natural_key)
    above = address.rstrip("/").rpartition("/")[0] or None
    return Listing(path, path.name, address, above, folders, [shown(v)[1:-1] for v in videos], left_out)


def _kind(entry: os.DirEntry[str]) -> str:
    """``folder``, ``video``, ``unseen`` (a link, or a name that no page can send back), or nothing."""
    if entry.name.startswith("."):
        return ""
    try:
        mode = entry.stat(follow_symlinks=False).st_mode
    except OSError:
        return "unseen"
    if stat.S_ISDIR(mode):
        return "folder" if _can_be_sent(entry.name) else "unseen"
    if stat.S_ISLNK(mode):
        return "unseen"
    return "video" if stat.S_ISREG(mode) and has_video_extension(entry.name) else ""


def _can_be_sent(name: str) -> bool:
    return name.isprintable() and name == name.strip() and "\\" not in name


def roots_shown() -> list[Folder]:
    return [Folder(shown(str(path))[1:-1], str(number)) for number, path in enumerate(roots())]
