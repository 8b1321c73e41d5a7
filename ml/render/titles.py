"""The words on an episode's cards. All of them made up here."""

from __future__ import annotations

import numpy as np

_ADJECTIVES = (
    "Missing", "Golden", "Haunted", "Very Last", "Runaway", "Secret", "Grumpy", "Midnight", "Upside-Down", "Borrowed",
    "Singing", "Great Big", "Forgotten", "Sleepy", "Invisible", "Sticky", "Flying", "Wobbly", "Thirteenth", "Lonely",
)  # fmt: skip
_NOUNS = (
    "Cheese", "Umbrella", "Snowman", "Picnic", "Pancake", "Balloon", "Birthday", "Teapot", "Treasure", "Moon",
    "Pumpkin", "Parade", "Rowing Boat",
    "Sandcastle", "Lighthouse", "Cuckoo Clock", "Kite", "Trumpet", "Pyjamas", "Sandwich",
)  # fmt: skip


def title_for(seed: int) -> str:
    rng = np.random.default_rng([seed, 11])
    return f"The {rng.choice(_ADJECTIVES)} {rng.choice(_NOUNS)}"


def credits_for(seed: int) -> tuple[str, ...]:
    """The lines of the credit card, the last one THE END."""
    rng = np.random.default_rng([seed, 13])
    names = ("A. Inkwell", "B. Cel", "C. Overlay", "D. Peg", "E. Tracer", "F. Onion-Skin", "G. Smear", "H. Dopesheet")
    order = rng.permutation(len(names))
    parts = ("Written by", "Drawn by", "Backgrounds by", "Painted by")
    return (*(f"{part} {names[k]}" for part, k in zip(parts, order, strict=False)), "THE END")
