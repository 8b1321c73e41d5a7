"""Ratings as text, and how far they are from what was drawn."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from analysis.selectors.episodes import EpisodeCard
from analysis.selectors.profiles import Rating
from ml.types import EMOTIONS, Emotion

NAME_WIDTH = 10


def table(cards: Iterable[EpisodeCard]) -> str:
    """Shares of the time in which a character's face can be read, in percent, one line per episode and character."""
    blocks = []
    some_lack = False
    for card in cards:
        lines = [f"{card.episode.identity}  {card.episode.title}"]
        lines.append("  " + " " * NAME_WIDTH + "  seen  " + "".join(f"{e:>11}" for e in EMOTIONS))
        for rating in card.ratings:
            some_lack = some_lack or not rating.enough
            lines.append("  " + _row(rating))
        if not card.ratings:
            lines.append("  no character of the sample series was found")
        blocks.append("\n".join(lines))
    text = "\n\n".join(blocks)
    return f"{text}\n\n  * too little was seen for a rating that a parent should rely on" if some_lack else text


def _row(rating: Rating) -> str:
    name = rating.character.name[: NAME_WIDTH - 1] + ("" if rating.enough else "*")
    shares = {e.emotion: e.share for e in rating.emotions}
    cells = "".join(f"{shares[e]:>10.0%} " if e in shares else f"{'-':>10} " for e in EMOTIONS)
    return f"{name:<{NAME_WIDTH}}{rating.visible_ms / 1000:>5.0f} s {cells}".rstrip()


@dataclass(frozen=True, slots=True)
class Difference:
    """Mean and largest absolute difference of shares, over ``shares`` triples of episode, character and emotion."""

    mean: float
    largest: float
    shares: int


def difference(cards: Sequence[EpisodeCard], folder: Path) -> Difference | None:
    """Against the truth files in ``folder``; a character that was not found counts with shares of 0.

    None where no episode has a truth file.
    """
    parts: list[float] = []
    for card in cards:
        source = card.episode.source
        path = folder / f"{Path(source.original_name).stem}.truth.json" if source else None
        if path is None or not path.is_file():
            continue
        found = {r.character.slug: {e.emotion: e.share for e in r.emotions} for r in card.ratings}
        for slug, shares in _truth(path).items():
            here = found.get(slug, {})
            parts += [abs(here.get(e, 0.0) - shares.get(e, 0.0)) for e in EMOTIONS]
    return Difference(sum(parts) / len(parts), max(parts), len(parts)) if parts else None


def _truth(path: Path) -> dict[str, dict[Emotion, float]]:
    profiles = json.loads(path.read_text(encoding="utf-8"))["profiles"]
    return {
        slug: {Emotion(e): float(share) for e, share in profile["shares"].items()}
        for slug, profile in profiles.items()
        if slug != "unknown"
    }
