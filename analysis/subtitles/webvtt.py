"""WebVTT (https://www.w3.org/TR/webvtt1/): the form that browsers play."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from analysis.subtitles.cues import Cue
from analysis.subtitles.lines import Line
from analysis.subtitles.text import isolated, plain, timestamp
from ml.types import Emotion

# Those of the site in the dark (app.css); on BOX each has a contrast of at least 4.5 whatever lies beneath.
COLOURS: Mapping[Emotion, str] = {
    Emotion.HAPPY: "#f2b632",
    Emotion.SAD: "#6fa8e0",
    Emotion.ANGRY: "#f0705f",
    Emotion.SURPRISED: "#ea86c6",
    Emotion.SCARED: "#ab8df0",
    Emotion.DISGUSTED: "#8cc662",
    Emotion.NEUTRAL: "#aaa49b",
}
TEXT = "#ffffff"
BOX_OPACITY = 0.85  # of the black behind the words
SURE = 0.75  # from this mean probability on, the word is bold


def webvtt(cues: Iterable[Cue], *, names: Mapping[str, str], note: Sequence[str], emotions: Iterable[str]) -> str:
    """The whole file, ending in a line end; valid also without cues.

    ``names``: what to call each ``who`` of a line. ``note``: sentences for people, one a line. ``emotions``: which
    may occur; each has its colour.
    """
    blocks = ["WEBVTT", _note(note), _style(emotions)]
    blocks += [_cue(cue, names) for cue in cues]
    return "\n\n".join(blocks) + "\n"


def _note(sentences: Sequence[str]) -> str:
    """A comment holds neither an empty line nor an arrow."""
    lines = [re.sub(r"-{2,}>", "->", plain(sentence)) for sentence in sentences]
    return "\n".join(["NOTE", *(line for line in lines if line)])


def _style(emotions: Iterable[str]) -> str:
    rules = [f"::cue {{ color: {TEXT}; background-color: rgba(0, 0, 0, {BOX_OPACITY}); }}"]
    rules += [f"::cue(.{e}) {{ color: {COLOURS[Emotion(e)]}; }}" for e in emotions]
    return "\n".join(["STYLE", *rules])


def _cue(cue: Cue, names: Mapping[str, str]) -> str:
    times = f"{timestamp(cue.start_ms, '.')} --> {timestamp(cue.end_ms, '.')}"
    return "\n".join([times, *(_line(line, names[line.who]) for line in cue.lines)])


def _line(line: Line, name: str) -> str:
    """``<v Tom>Tom: <c.angry><b>angry</b></c></v>``. Players do not show the name of a voice, so it is text as well."""
    word = f"<b>{line.emotion}</b>" if line.sure >= SURE else line.emotion
    return f"<v {_escaped(name)}>{_escaped(isolated(name))}: <c.{line.emotion}>{word}</c></v>"


def _escaped(text: str) -> str:
    """Without the characters that begin or end a tag, or make an arrow."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
