"""Readers of subtitles that forgive nothing.

WebVTT after section 4 of https://www.w3.org/TR/webvtt1/ (what a file must be, not what a player puts up with), in so
far as ours use it: a cue setting, a region, a ruby text or a time inside a cue is refused, because we write none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.entities import html5

VTT_TIMES = re.compile(r"((?:\d{2,}:)?[0-5]\d:[0-5]\d\.\d{3})[ \t]+-->[ \t]+((?:\d{2,}:)?[0-5]\d:[0-5]\d\.\d{3})")
SRT_TIMES = re.compile(r"(\d{2,}:[0-5]\d:[0-5]\d,\d{3}) --> (\d{2,}:[0-5]\d:[0-5]\d,\d{3})")
TOKEN = re.compile(r"<(?P<tag>[^>]*)>|&(?P<reference>[^;<&\s]+;)|(?P<text>[^<&]+)")
START = re.compile(r"(?P<name>c|i|b|u|v|lang)(?P<classes>(?:\.[^\s.&<>]+)*)(?:[ \t]+(?P<annotation>[^\n\r>]+))?")
RULE = re.compile(r"::cue(?:\(\.(?P<name>[a-z]+)\))? \{(?P<body>[^{}]*)\}")


@dataclass
class ReadLine:
    """``marks``: (text, names of the tags and classes around it); ``voice``: who speaks, of ``<v>``."""

    voice: str = ""
    marks: list[tuple[str, frozenset[str]]] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(text for text, _ in self.marks)


@dataclass
class ReadCue:
    start_ms: int
    end_ms: int
    lines: list[ReadLine]

    @property
    def text(self) -> str:
        return "\n".join(line.text for line in self.lines)


@dataclass
class ReadFile:
    notes: list[str]
    colours: dict[str, str]
    cues: list[ReadCue]


def milliseconds(text: str) -> int:
    """``01:02:03.004`` or ``02:03.004``, with a point or a comma."""
    *higher, seconds = re.split(r":", text)
    whole, _, rest = seconds.replace(",", ".").partition(".")
    minutes = 0
    for part in higher:
        minutes = 60 * minutes + int(part)
    return (60 * minutes + int(whole)) * 1000 + int(rest)


def read_vtt(content: bytes) -> ReadFile:
    text = content.decode("utf-8", "strict")
    assert "\0" not in text
    assert "\r" not in text, "we write LF only"
    assert text.endswith("\n")
    head, *rest = re.split(r"\n{2,}", text[:-1].rstrip("\n") if text.endswith("\n\n") else text[:-1])
    assert re.fullmatch(r"WEBVTT(?:[ \t][^\n]*)?", head), "the first block is the signature alone"
    found = ReadFile([], {}, [])
    for block in rest:
        first, _, body = block.partition("\n")
        if re.fullmatch(r"NOTE(?:[ \t].*)?", first):
            assert "-->" not in block
            found.notes.append(f"{first[5:]}{body}")
        elif re.fullmatch(r"STYLE[ \t]*", first):
            assert not found.cues, "styles come before cues"
            assert "-->" not in block
            found.colours |= _colours(body)
        else:
            found.cues.append(_cue(first, body))
    starts = [cue.start_ms for cue in found.cues]
    assert starts == sorted(starts)
    return found


def _colours(body: str) -> dict[str, str]:
    assert RULE.sub("", body).strip() == "", "rules and nothing else"
    colours = {}
    for rule in RULE.finditer(body):
        colour = re.search(r"(?:^|[ ;])color: (#[0-9a-f]{6});", rule["body"])
        assert colour is not None
        colours[rule["name"] or ""] = colour[1]
    return colours


def _cue(first: str, body: str) -> ReadCue:
    if "-->" not in first:
        first, _, body = body.partition("\n")
    times = VTT_TIMES.fullmatch(first)
    assert times is not None, f"no times: {first!r}"
    start, end = milliseconds(times[1]), milliseconds(times[2])
    assert start < end
    assert body, "a cue without text"
    assert "-->" not in body
    return ReadCue(start, end, _lines(body))


def _lines(body: str) -> list[ReadLine]:
    lines = [ReadLine()]
    open_tags: list[tuple[str, frozenset[str]]] = []
    at = 0
    while at < len(body):
        token = TOKEN.match(body, at)
        assert token is not None, f"a stray < or & in {body!r}"
        at = token.end()
        if token["tag"] is not None:
            _tag(token["tag"], open_tags, lines)
            continue
        text = token["text"] if token["text"] is not None else reference(token["reference"])
        around = frozenset().union(*(names for _, names in open_tags))
        for n, piece in enumerate(text.split("\n")):
            if n:
                lines.append(ReadLine())
            if piece:
                lines[-1].marks.append((piece, around))
    assert not open_tags, f"not closed: {open_tags}"
    return lines


def _tag(tag: str, open_tags: list[tuple[str, frozenset[str]]], lines: list[ReadLine]) -> None:
    if tag.startswith("/"):
        assert open_tags, f"nothing is open at </{tag}>"
        name, _ = open_tags.pop()
        assert name == tag[1:], f"</{tag[1:]}> closes <{name}>"
        return
    start = START.fullmatch(tag)
    assert start is not None, f"no tag: <{tag}>"
    name, annotation = start["name"], start["annotation"]
    assert (annotation is not None) == (name in ("v", "lang")), f"<{tag}>"
    if name == "v":
        assert not open_tags, "a voice holds the others"
        assert not lines[-1].marks, "a voice begins its line"
        lines[-1].voice = unescaped(annotation)
    open_tags.append((name, frozenset({name, *start["classes"].split(".")[1:]})))


def unescaped(text: str) -> str:
    assert re.sub(r"&[^;<&\s]+;", "", text).count("&") == 0, f"a stray & in {text!r}"
    return re.sub(r"&([^;<&\s]+;)", lambda m: reference(m[1]), text)


def reference(name: str) -> str:
    """``amp;`` -> ``&``. A name that HTML does not know is refused."""
    return html5[name]


def read_srt(content: bytes) -> list[ReadCue]:
    text = content.decode("utf-8", "strict")
    assert "\r" not in text
    if not text:
        return []
    assert text.endswith("\n")
    cues = []
    for number, block in enumerate(text[:-1].split("\n\n"), 1):
        counter, first, *lines = block.split("\n")
        assert counter == str(number)
        times = SRT_TIMES.fullmatch(first)
        assert times is not None, f"no times: {first!r}"
        assert lines
        assert all(line.strip() and "-->" not in line and not re.search(r"[<>{}]", line) for line in lines)
        start, end = milliseconds(times[1]), milliseconds(times[2])
        assert start < end
        cues.append(ReadCue(start, end, [ReadLine(marks=[(line, frozenset())]) for line in lines]))
    return cues
