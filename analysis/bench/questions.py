"""Questions of every kind that search answers, about a catalogue's own names. Pure and seeded."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

SUPERLATIVES = ("happiest", "saddest", "angriest", "most surprised", "most scared", "most disgusted")
FEELINGS = ("happy", "sad", "angry", "surprised", "scared", "disgusted")
WORDS = ("lighthouse", "teapot", "marmalade", "volcano", "penguin", "attic", "borrows", "carousel")
FIRST_PAGES = 7 / 8  # of all questions
TITLES = ("missing", "golden", "the hidden teapot", "clockwork", "sandcastle")

# Per kind, what is asked. {c} and {d} play in the series {s}; {best} and {most} are superlatives, {f} and {g} feelings.
TEMPLATES: dict[str, tuple[str, ...]] = {
    "superlative, of somebody": (
        "{best} {c} scenes",
        "{most} moments of {c}",
        "scenes with {c}",
        "{best} episodes of {c}",
        "least {f} episodes with {c}",
        "{best} {c} scenes under 30 seconds",
    ),
    "superlative, of anybody": (
        "{best} scenes",
        "{most} moments",
        "{best} scenes in the series {s}",
        "{most} episodes",
        "least {f} episodes",
        "{best} episodes in the series {s}",
        "calm episodes",
    ),
    "never, always, mostly, of somebody": (
        "episodes where {c} is never {f}",
        "episodes where {c} is always {f}",
        "episodes where {c} is mostly {f}",
        "episodes where {c} is {f} at least 20 %",
        "episodes where {c} is never {f} for more than 5 s",
        "episodes where {c} is ever {f} and {d} is never {g}",
        "episodes where {c} is {f} more than {d}",
        "{best} {d} scenes in episodes where {c} is never {f}",
    ),
    "never, always, mostly, of anybody": (
        "episodes where nobody is {f}",
        "episodes where nobody is {f} or {g}",
        "episodes where somebody is {f} for more than 10 s",
        "episodes where everybody is always {f}",
        "episodes under 8 minutes where nobody is {f}",
        "{best} scenes in episodes where nobody is {f}",
    ),
    "while, before, after, within": (
        "scenes where {c} is {f} while {d} is {g}",
        "scenes where {c} is {f} before {d} is {g}",
        "scenes where {c} is {f} within 5 s of {d} being {g}",
        "scenes where {c} is {f} after {d} is {g}",
        "episodes where {c} is {f} while {d} is {g}",
        "moments where {c} is {f} while {d} is {f}",
        "scenes where {c} is {f} for more than 5 s",
        "scenes where somebody is {f} while {c} is {g}",
        "scenes where somebody is {f} while somebody is {g}",
        "scenes where somebody is {f} within 2 s before somebody is {g}",
    ),
    "characters": (
        "{most} characters",
        "least {f} characters",
        "{most} characters in the series {s}",
        "who is never {f}",
        "who is mostly {f}",
        "{most} characters in season 2",
    ),
    "catalogue": (
        "episodes about {w}",
        "{best} scenes about {w}",
        'episodes titled "{t}"',
        '{best} scenes titled "{t}"',
        "season 2 of the series {s}",
        "{best} scenes in season 1",
        "scenes in the series {s}",
    ),
    "limits": (
        "episodes under 8 minutes",
        "least {f} episodes under 8 minutes",
        "calm episodes under 8 minutes",
        "{most} episodes from 1930 to 1939",
        "{best} scenes in episodes under 5 minutes",
        "{best} scenes under 20 seconds",
        "{best} {c} scenes since 1990",
        "{best} moments before 1950",
    ),
    "refused or corrected": (
        "{best} scenes of Nobodyknown",
        "hapiest {c} scenes",
        "episodes where {c} is not {f}",
        "{best} {c} scenes with wombats please",
    ),
}


@dataclass(frozen=True, slots=True)
class Cast:
    """A series and those who play in it, by name."""

    series: str
    characters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Question:
    kind: str
    text: str
    page: int = 1


def questions_of(casts: Sequence[Cast], per_kind: int, seed: int) -> Iterator[Question]:
    """Every template of a kind in turns; one in eight goes on to a later page. Only of casts of two or more."""
    rng = random.Random(seed)  # noqa: S311
    casts = [cast for cast in casts if len(cast.characters) > 1]
    for kind, templates in TEMPLATES.items() if casts else ():
        for n in range(per_kind):
            page = 1 if rng.random() < FIRST_PAGES else rng.randrange(2, 6)
            yield Question(kind, _filled(rng, templates[n % len(templates)], casts), page)


def _filled(rng: random.Random, template: str, casts: Sequence[Cast]) -> str:
    cast = rng.choice(casts)
    c, d = rng.sample(cast.characters, 2)
    best, most = rng.choice(SUPERLATIVES), rng.choice(SUPERLATIVES)
    f, g = rng.sample(FEELINGS, 2)
    words = {"w": rng.choice(WORDS), "t": rng.choice(TITLES)}
    return template.format(c=c, d=d, s=cast.series, best=best, most=most, f=f, g=g, **words)
