"""Names, titles and synopses, made of words. Seeded; no name is a word that search knows."""

# ruff: noqa: SIM905 - words are easier to read without quotation marks

from __future__ import annotations

import numpy as np

from analysis.search.lexicon import meaning_of

ONSETS = tuple(
    """
    b br d dr f fl g gr h j k kl l m n p pl r s st t tr v w z
    """.split()
)
VOWELS = ("a", "e", "i", "o", "u", "oo", "ee")
MIDDLES = ("bb", "d", "lv", "mb", "mm", "nd", "nk", "pp", "rb", "rl", "rt", "st", "tt", "zz", "x", "gw")
ENDINGS = ("o", "a", "y", "in", "us", "el", "ick", "ert", "wyn", "ette", "ock", "umble")
ADJECTIVES = tuple(
    """
    Missing Hidden Golden Broken Frozen Flying Forgotten Wandering Tiny Giant Crooked Velvet Borrowed
    Secret Rusty Paper Wooden Silver Painted Stolen Hollow Windy Upside Clockwork Midnight Runaway Lucky
    Spotted Invisible Thirteenth
    """.split()
)
NOUNS = tuple(
    """
    Lighthouse Teapot Balloon Parade Orchard Umbrella Lantern Suitcase Piano Rocket Scarecrow Windmill
    Carousel Compass Blanket Submarine Snowman Telescope Bakery Library Treehouse Whistle Circus Ferry
    Museum Greenhouse Puppet Trumpet Avalanche Castle Carpet Beehive Cabbage Pumpkin Mirror Ladder
    Envelope Volcano Kite Tunnel Harbour Meadow Mountain Station Cupboard Cradle Anchor Donkey Walrus
    Penguin Hedgehog Kettle Pudding Marmalade Bicycle Sandcastle Festival Wedding Picnic Contest Voyage
    Rehearsal Birthday Treasure Bridge Tower Waterfall Island Jungle Desert Glacier
    """.split()
)
PLACES = tuple(
    """
    Valley Street Harbour Farm Forest Lane House Island Hill Bay Mill Square Garden Meadow Cove Station
    """.split()
)
VERBS = tuple(
    """
    finds loses borrows builds repairs hides paints follows sells guards trades wins
    """.split()
)
ROOMS = ("in the attic", "by the river", "at the market", "behind the mill", "under the bridge", "on the roof")


def names(rng: np.random.Generator, count: int) -> list[str]:
    """So many different ones, each said easily and no word of the lexicon, typos forgiven."""
    found: dict[str, None] = {}
    while len(found) < count:
        first, middle, last = (str(rng.choice(part)) for part in (ONSETS, MIDDLES, ENDINGS))
        name = first + str(rng.choice(VOWELS)) + middle + last
        if len(found) > 2_000:
            name += str(rng.choice(ENDINGS))
        if meaning_of(name) is None:
            found.setdefault(name.title())
    return list(found)


def series_titles(rng: np.random.Generator, count: int) -> list[str]:
    """``Brindo Valley``: a made name and a place, all different."""
    return [f"{name} {rng.choice(PLACES)}" for name in names(rng, count)]


def titles(rng: np.random.Generator, count: int) -> list[str]:
    """Of episodes; several may share one, as they do."""
    one, two = rng.integers(len(NOUNS), size=(2, count)).tolist()
    adjective = rng.integers(len(ADJECTIVES), size=count).tolist()
    kind = rng.integers(3, size=count).tolist()
    forms = ("The {a} {n}", "The {n} and the {m}", "{a} {n}")
    chosen = zip(kind, adjective, one, two, strict=True)
    return [forms[k].format(a=ADJECTIVES[a], n=NOUNS[n], m=NOUNS[m]) for k, a, n, m in chosen]


def synopses(rng: np.random.Generator, casts: list[list[str]]) -> list[str]:
    """A sentence or two about the first of each cast."""
    parts = (VERBS, NOUNS, ROOMS, NOUNS)
    verb, noun, room, other = (rng.integers(len(part), size=len(casts)).tolist() for part in parts)
    found = []
    for cast, v, n, r, o in zip(casts, verb, noun, room, other, strict=True):
        text = f"{cast[0]} {VERBS[v]} a {NOUNS[n].lower()} {ROOMS[r]}."
        found.append(text if len(cast) == 1 else f"{text} {cast[1]} looks for the {NOUNS[o].lower()}.")
    return found
