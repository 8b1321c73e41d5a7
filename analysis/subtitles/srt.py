"""SubRip (.srt): no standard, but every player reads it. Plain words: no colours, no weight, no notes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from analysis.subtitles.cues import Cue
from analysis.subtitles.text import isolated, timestamp

# SubRip has no way to write these as text: players take them for the beginning and end of tags.
_LOOKALIKES = str.maketrans({"<": "‹", ">": "›", "{": "(", "}": ")"})


def srt(cues: Iterable[Cue], *, names: Mapping[str, str]) -> str:
    """The whole file; empty without cues. ``names``: what to call each ``who`` of a line."""
    return "\n".join(_cue(number, cue, names) for number, cue in enumerate(cues, 1))


def _cue(number: int, cue: Cue, names: Mapping[str, str]) -> str:
    times = f"{timestamp(cue.start_ms, ',')} --> {timestamp(cue.end_ms, ',')}"
    lines = (f"{isolated(names[line.who].translate(_LOOKALIKES))}: {line.emotion}" for line in cue.lines)
    return "\n".join([str(number), times, *lines, ""])
