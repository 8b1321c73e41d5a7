"""Charts and tables of a character over many episodes. Each chart has a table beside it, so it is decoration."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from analysis.ratings.across import ArcPoint, EpisodeShare
from analysis.selectors.characters import Arc, CharacterAcross, EmotionAcross
from catalog.models import Episode
from ml.types import EMOTIONS, Emotion

register = template.Library()
WIDTH, HEIGHT = 200.0, 60.0  # of an arc, in its own units


@register.simple_tag
def across_bar(e: EmotionAcross) -> SafeString:
    """A dot per episode, the usual range behind, the interval of the mean as a whisker."""
    a = e.across
    dots = format_html_join(
        "",
        '<circle class="f-{}" cx="{}" cy="10" r="3.5"/>',
        ((e.emotion, f"{100 * one.share:.2f}%") for one in e.episodes),
    )
    usual = whisker = SafeString("")
    if a.low is not None and a.high is not None and a.usual_low is not None and a.usual_high is not None:
        usual = format_html(
            '<rect class="range f-{}" x="{}" y="3" width="{}" height="14" rx="4"/>',
            e.emotion,
            f"{100 * a.usual_low:.2f}%",
            f"{100 * max(a.usual_high - a.usual_low, 0.004):.2f}%",
        )
        whisker = format_html(
            '<line class="whisker" x1="{0}" x2="{1}" y1="10" y2="10"/>'
            '<line class="whisker" x1="{0}" x2="{0}" y1="4" y2="16"/>'
            '<line class="whisker" x1="{1}" x2="{1}" y1="4" y2="16"/>',
            f"{100 * a.low:.2f}%",
            f"{100 * a.high:.2f}%",
        )
    return format_html(
        '<svg class="bar" aria-hidden="true" focusable="false">'
        '<rect class="track" x="0" y="3" width="100%" height="14" rx="4"/>{}{}{}</svg>',
        usual,
        dots,
        whisker,
    )


@register.simple_tag
def arc_chart(arc: Arc) -> SafeString:
    """The mean as a line, its interval as a band, where the face is read at all."""
    step = WIDTH / len(arc.points)
    middle = [(step * (i + 0.5), p) for i, p in enumerate(arc.points)]
    band = [(x, p) for x, p in middle if p.low is not None]
    edge = [f"{x:.1f},{_y(p.high)}" for x, p in band] + [f"{x:.1f},{_y(p.low)}" for x, p in reversed(band)]
    line = " ".join(f"{x:.1f},{_y(p.share)}" for x, p in middle if p.share is not None)
    return format_html(
        '<svg class="arc" viewBox="0 0 {w} {h}" preserveAspectRatio="none" aria-hidden="true" focusable="false">'
        '<rect class="track" width="{w}" height="{h}"/><polygon class="range f-{e}" points="{band}"/>'
        '<polyline class="line c-{e}" points="{line}"/></svg>',
        w=f"{WIDTH:.0f}",
        h=f"{HEIGHT:.0f}",
        e=arc.emotion,
        band=" ".join(edge),
        line=line,
    )


def _y(share: float | None) -> str:
    return f"{HEIGHT * (1.0 - (share or 0.0)):.1f}"


@register.filter
def by_episode(a: CharacterAcross) -> Iterator[tuple[Episode, list[tuple[EpisodeShare | None, bool]]]]:
    """A row per episode: each emotion's share and whether it is an exception."""
    tables = [{one.episode_id: one for one in e.episodes} for e in a.emotions]
    for episode in a.rated:
        yield (
            episode,
            [
                (table.get(episode.pk), episode.pk in e.across.exceptions)
                for table, e in zip(tables, a.emotions, strict=True)
            ],
        )


@register.filter
def by_tenth(a: CharacterAcross) -> Iterator[tuple[int, Sequence[ArcPoint]]]:
    yield from enumerate(zip(*(arc.points for arc in a.arcs), strict=True), 1)


@register.filter
def by_emotion(compared: Iterable[CharacterAcross]) -> Iterator[tuple[Emotion, list[EmotionAcross | None]]]:
    """A row per emotion that somebody shows; None for who does not."""
    found = [{e.emotion: e for e in a.emotions} for a in compared]
    for emotion in EMOTIONS:
        if any(emotion in table for table in found):
            yield emotion, [table.get(emotion) for table in found]
