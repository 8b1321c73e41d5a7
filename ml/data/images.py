"""From the name of a picture in a label, and what the label says of it, to where it lies, its size and its group."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ml.data.attributes import texts
from ml.data.reading import VIDEOS, Bad, Reading, relative_parts, split_of
from ml.data.records import LabelledImage

_OURS = ("pts_ms", "group", "split", "width", "height")


def place(
    reading: Reading, file: Path, name: str, said: Mapping[str, Any], beside: Path | None = None
) -> LabelledImage:
    """The picture without its faces; raises Bad.

    ``said``: fields of the label for the picture as a whole. ``pts_ms``, ``video``, ``shot``, ``episode``, ``group``,
    ``split``, ``width`` and ``height`` mean what they are called; all others become attributes. ``beside``: the folder
    that the name is to be read from, None for that of ``file``.
    """
    plain, pts = frame_name(name)
    if said.get("pts_ms") not in (None, ""):
        stated = _whole(said["pts_ms"], "pts_ms")
        if pts is not None and stated != pts:
            raise Bad(f"{name!r} and pts_ms {stated} do not agree")
        pts = stated
    path = reading.find(plain, beside or file.parent)
    if pts is None and path.suffix.lower() in VIDEOS:
        raise Bad(f"{plain!r} is a video, and nothing says which frame of it is meant")
    width, height = (_whole(said.get(k) or 0, k) for k in ("width", "height"))
    width, height = reading.size(path, width, height)
    split = str(said.get("split") or "") or split_of((*relative_parts(path, reading.root), *words(file.stem)))
    rest = {k: v for k, v in said.items() if k not in _OURS}
    if pts is not None and rest.get("video") == plain:
        del rest["video"]
    group = str(said.get("group") or "") or _group(reading, path, file, plain if pts is not None else "", said)
    return LabelledImage(path, width, height, (), pts, group, split, texts(rest))


def told(image: LabelledImage, name: str) -> dict[str, Any]:
    """The fields that ``place`` reads back as the same picture; ``name``: the video's, or the picture's."""
    fields: dict[str, Any] = {}
    if image.pts_ms is not None:
        fields["video"] = image.attributes.get("video", name)
        fields["pts_ms"] = image.pts_ms
    if image.width and image.height:
        fields |= {"width": image.width, "height": image.height}
    if image.split:
        fields["split"] = image.split
    shot = image.attributes.get("shot", "")
    if image.group and (image.pts_ms is None or not shot or image.group != f"{fields['video']}#{shot}"):
        fields["group"] = image.group
    return fields


def frame_name(name: str) -> tuple[str, int | None]:
    """``part2.mkv#t=44000`` -> ``part2.mkv``, 44000; any other name as it is."""
    match = re.fullmatch(r"(.+)#t=(\d{1,12})", name, re.DOTALL)
    return (match[1], int(match[2])) if match else (name, None)


def words(stem: str) -> list[str]:
    """``instances_train2017`` -> instances, train."""
    return [w for w in re.split(r"[^A-Za-z]+", stem) if w]


def _group(reading: Reading, path: Path, file: Path, video: str, said: Mapping[str, Any]) -> str:
    whole = next((str(said[k]) for k in ("video", "episode") if said.get(k) not in (None, "")), video)
    shot = said.get("shot")
    if shot not in (None, ""):
        return f"{whole or reading.group(path, file)}#{shot}"
    return whole or reading.group(path, file)


def _whole(value: Any, what: str) -> int:
    if isinstance(value, str) and value.strip().isdecimal() and len(value) < 13:
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 10**12:
        raise Bad(f"{what} is {str(value)[:40]!r}, not a whole number from 0 on")
    return value
