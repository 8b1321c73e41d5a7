"""What the conditions of a question found, in words and as JSON. Pure but for the spans, which are handed in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from analysis.models import EmotionSpan
from analysis.search.lexicon import Registry
from analysis.search.query import Condition, How, Lasts, MoreThan, Op, ShareOf, Shows, Together, atoms_of
from analysis.search.query_json import condition_to_json
from analysis.search.verdicts import NEVER_MOST, READABLE_LEAST, Finding, Verdict
from analysis.wording import emotion_word


def clock(ms: int) -> str:
    minutes, seconds = divmod(ms // 1000, 60)
    return f"{minutes}:{seconds:02d}"


def finding_json(condition: Condition, finding: Finding, spans: Mapping[int, EmotionSpan]) -> dict[str, Any]:
    """``span``: the stretch that tells, or null."""
    facts = finding.facts
    span = spans.get(facts["span"]) if facts["span"] is not None else None
    return {
        "condition": condition_to_json(condition),
        "verdict": str(finding.verdict),
        "score": round(finding.score, 6),
        "low": _rounded(facts["low"]),
        "high": _rounded(facts["high"]),
        "readable_ms": int(facts["readable_ms"]),
        "visible_ms": int(facts["visible_ms"]),
        "enough_evidence": facts["enough"],
        "unknown_faces": facts["strangers"],
        "span": None if span is None else span_json(span),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(float(value), 4)


def span_json(span: EmotionSpan) -> dict[str, Any]:
    return {
        "episode": span.run.episode_id,
        "character": span.character.slug,
        "emotion": span.emotion,
        "start_ms": span.start_ms,
        "end_ms": span.end_ms,
        "strength": round(span.strength, 4),
    }


def finding_words(
    condition: Condition,
    finding: Finding,
    spans: Mapping[int, EmotionSpan],
    registry: Registry,
    *,
    name_episode: bool = False,
) -> str:
    """Why the answer is yes, no or unknown. ``name_episode``: of several, so the stretch says of which."""
    span = spans.get(finding.facts["span"]) if finding.facts["span"] is not None else None
    if finding.verdict is Verdict.UNKNOWN:
        return _why_unknown(condition, finding)
    if span is not None and not _absent(condition, finding):
        seconds = (span.end_ms - span.start_ms) / 1000
        return (
            _("%(name)s looks %(emotion)s from %(start)s to %(end)s of %(title)s (%(seconds)s s)")
            if name_episode
            else _("%(name)s looks %(emotion)s from %(start)s to %(end)s (%(seconds)s s)")
        ) % {
            "name": span.character.name,
            "emotion": emotion_word(span.emotion),
            "start": clock(span.start_ms),
            "end": clock(span.end_ms),
            "title": span.run.episode.title,
            "seconds": f"{seconds:.1f}",
        }
    low, high = finding.facts["low"], finding.facts["high"]
    emotion = emotion_word(atoms_of(condition)[0].emotion)
    match condition:
        case ShareOf():
            return _("%(emotion)s in %(low)s to %(high)s of the readable time") % {
                "emotion": emotion,
                "low": percent(low),
                "high": percent(high),
            }
        case MoreThan(_, atom, other):
            names = [c.name if (c := registry.character(s or "")) else str(s) for s in (atom.character, other)]
            return _("%(one)s at least %(low)s, %(other)s at most %(high)s of the readable time") % {
                "one": names[0],
                "low": percent(low),
                "other": names[1],
                "high": percent(high),
            }
        case Shows(How.ALWAYS, _):
            return _("%(emotion)s in at least %(low)s of the readable time, and nothing else was seen") % {
                "emotion": emotion,
                "low": percent(low),
            }
        case Lasts():
            return _("no stretch of it is so long") + _seen(finding)
        case Together():
            return _("no two such stretches were found") + _seen(finding)
        case _:
            return _("not seen once; at most %(high)s of the readable time") % {"high": percent(high)} + _seen(finding)


def _absent(condition: Condition, finding: Finding) -> bool:
    """Whether the answer rests on something that was not there, so that no stretch can show it."""
    return isinstance(condition, Lasts) and (condition.op in (Op.GT, Op.GE)) != (finding.verdict is Verdict.YES)


def _seen(finding: Finding) -> str:
    visible = int(finding.facts["visible_ms"])
    return _("; the face can be read in %(share)s of %(visible)s s") % {
        "share": percent(int(finding.facts["readable_ms"]) / visible),
        "visible": f"{visible / 1000:.0f}",
    }


def _why_unknown(condition: Condition, finding: Finding) -> str:
    facts = finding.facts
    readable, visible = int(facts["readable_ms"]), int(facts["visible_ms"])
    if not facts["enough"]:
        return _("not enough was seen for a rating (%(readable)s s readable)") % {"readable": f"{readable / 1000:.0f}"}
    if facts["strangers"]:
        return _("not seen of anybody known, but there are faces of nobody known")
    if not isinstance(condition, ShareOf | MoreThan) and readable < READABLE_LEAST * visible:
        return _("the face can be read in only %(share)s of %(visible)s s") % {
            "share": percent(readable / visible if visible else 0),
            "visible": f"{visible / 1000:.0f}",
        }
    low, high = facts["low"], facts["high"]
    if isinstance(condition, ShareOf):
        return _("between %(low)s and %(high)s of the readable time: it may be or not") % {
            "low": percent(low),
            "high": percent(high),
        }
    if isinstance(condition, Shows):
        if condition.how is How.ALWAYS:
            said = _(
                "no stretch says otherwise, but at least %(edge)s of the readable time, where %(most)s is the measure"
            )
            return said % {"edge": percent(low), "most": percent(NEVER_MOST)}
        said = _("no stretch says otherwise, but up to %(edge)s of the readable time, where %(most)s is the measure")
        return said % {"edge": percent(high), "most": percent(NEVER_MOST)}
    return _("the bounds of the two overlap")


def percent(share: float) -> str:
    """``7 %``; with one digit after the point under 2 and over 98 %."""
    value = 100 * float(share)
    return f"{value:.1f} %" if value < 2 or value > 98 else f"{value:.0f} %"
