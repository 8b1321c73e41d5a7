"""Families of made-up characters: what each must have; everything else is free (crowd.py fills it in)."""

from __future__ import annotations

from typing import Any

import numpy as np

from ml.render.canvas import scale_colour
from ml.render.design import Hair
from ml.render.ink import BLACK, WHITE, chance, hsv, random_colour, u
from ml.render.palette import fur, pick, skin_tone

Rng = np.random.Generator
Fields = dict[str, Any]
HAIRS: tuple[Hair, ...] = ("tuft", "curl", "spikes", "bob", "bun", "cap", "hat", "bow", "quiff")


def human(rng: Rng) -> Fields:
    """People of any studio: long or wide heads, big jaws, bald or with hair, hats, beards."""
    jaw = u(rng, 0.1, 0.45) if chance(rng, 0.3) else u(rng, -0.08, 0.12)
    return {
        "skin": skin_tone(rng), "height": u(rng, 0.95, 1.3), "width": u(rng, 0.75, 1.05), "chin": jaw,
        "power": u(rng, 2, 3.2) if chance(rng, 0.4) else 2.0, "cheeks": u(rng, 0, 0.22), "muzzle": 0.0,
        "nose": pick(rng, "human", "ball", "human", "button"), "nose_size": u(rng, 0.08, 0.3), "nose_colour": None,
        "ears": pick(rng, "side", "side", "none"), "ear_size": u(rng, 0.2, 0.35),
        "hair": pick(rng, *HAIRS, "none"), "beard": u(rng, 0.3, 1.0) if chance(rng, 0.2) else 0.0,
        "moustache": u(rng, 0.3, 1.0) if chance(rng, 0.12) else 0.0,
        "eye_width": u(rng, 0.1, 0.24), "hands": "mitten", "clothes": pick(rng, "shirt", "vest", "dress", "trousers"),
    }  # fmt: skip


def sailor(rng: Rng) -> Fields:
    """A tough of the thirties: swollen jaw, small squinting eyes, bald or with a cap, bull neck."""
    return human(rng) | {
        "chin": u(rng, 0.25, 0.5), "cheeks": u(rng, 0.1, 0.35), "height": u(rng, 0.9, 1.15), "power": u(rng, 2, 2.6),
        "eye": pick(rng, "dot", "pie", "separate"), "eye_width": u(rng, 0.08, 0.16),
        "nose": pick(rng, "ball", "human"), "nose_size": u(rng, 0.14, 0.3),
        "hair": pick(rng, "none", "cap", "hat", "tuft"), "brow_thickness": u(rng, 0.08, 0.16),
        "beard": u(rng, 0.3, 1.0) if chance(rng, 0.3) else 0.0, "stubble": chance(rng, 0.4),
        "mouth_y": u(rng, 0.55, 0.75),
    }  # fmt: skip


def yellow(rng: Rng) -> Fields:
    """Flat bright people with bulging eyes."""
    return human(rng) | {
        "skin": hsv(u(rng, 0.11, 0.16), u(rng, 0.6, 1), u(rng, 0.88, 1)), "width": u(rng, 0.65, 0.85),
        "height": u(rng, 1, 1.3), "power": u(rng, 2.2, 3), "eye": pick(rng, "separate", "touching"),
        "eye_width": u(rng, 0.27, 0.37), "eye_height": u(rng, 0.27, 0.37), "eye_x": u(rng, 0.26, 0.36),
        "pupil_size": u(rng, 0.15, 0.3), "nose": "human", "muzzle": u(rng, 0.05, 0.3) if chance(rng, 0.7) else 0.0,
        "muzzle_width": u(rng, 0.55, 0.8), "brow_thickness": 0.0,
    }  # fmt: skip


def cutout(rng: Rng) -> Fields:
    """Paper people: wide round head, huge touching eyes, no nose."""
    return {
        "skin": hsv(u(rng, 0.05, 0.12), u(rng, 0.15, 0.4), u(rng, 0.7, 1)), "width": u(rng, 1, 1.2),
        "height": u(rng, 0.88, 1), "eye": "touching", "eye_width": u(rng, 0.3, 0.42),
        "eye_height": u(rng, 0.32, 0.44), "pupil_size": u(rng, 0.12, 0.25), "nose": "none",
        "hair": pick(rng, "cap", "hat", "spikes", "bob", "bow"), "outline": u(rng, 0, 0.025), "fill": "flat",
    }  # fmt: skip


def hose(rng: Rng) -> Fields:
    """Rubber hose: black skull, pale face, pie-cut eyes, round black ears or none."""
    face = pick(rng, WHITE, (246.0, 224.0, 200.0), WHITE)
    return {
        "skin": hsv(0, 0, u(rng, 0.04, 0.2)), "light": face, "face_patch": True, "ink": BLACK,
        "eye": pick(rng, "pie", "pie", "dot", "separate"), "eye_height": u(rng, 0.26, 0.4),
        "nose": pick(rng, "ball", "button", "snout"), "nose_colour": BLACK, "nose_size": u(rng, 0.1, 0.2),
        "ears": pick(rng, "round", "round", "long", "none", "pointed"), "inner_ear": (30.0, 28.0, 30.0),
        "muzzle": u(rng, 0.05, 0.3), "hands": "glove", "tail": pick(rng, "mouse", "cat", "none"),
    }  # fmt: skip


def cat(rng: Rng) -> Fields:
    return {
        "skin": fur(rng), "width": u(rng, 0.95, 1.2), "cheeks": u(rng, 0.0, 0.3), "ears": "pointed",
        "ear_size": u(rng, 0.4, 0.95), "fluff": u(rng, 0.1, 0.4) if chance(rng, 0.5) else 0.0,
        "muzzle": u(rng, 0.04, 0.25), "nose": pick(rng, "button", "heart", "heart"),
        "whiskers": u(rng, 0.3, 0.8) if chance(rng, 0.6) else 0.0, "stripes": chance(rng, 0.3),
        "face_patch": chance(rng, 0.25), "eye": pick(rng, "separate", "joined", "touching", "iris", "pie"),
        "tail": "cat",
    }  # fmt: skip


def lion(rng: Rng) -> Fields:
    mane = hsv(u(rng, 0.01, 0.1), u(rng, 0.4, 0.95), u(rng, 0.25, 0.85))
    return cat(rng) | {
        "skin": hsv(u(rng, 0.07, 0.13), u(rng, 0.35, 0.8), u(rng, 0.7, 1)), "ears": pick(rng, "round", "none"),
        "ear_size": u(rng, 0.25, 0.4), "mane": u(rng, 0.2, 0.7), "hair_colour": mane, "muzzle": u(rng, 0.15, 0.5),
        "muzzle_width": u(rng, 0.5, 0.75), "nose_size": u(rng, 0.15, 0.28),
    }  # fmt: skip


def mouse(rng: Rng) -> Fields:
    return {
        "skin": fur(rng), "width": u(rng, 0.9, 1.1), "cheeks": u(rng, 0, 0.35), "ears": "round",
        "ear_size": u(rng, 0.4, 0.95), "ear_spread": u(rng, 0.6, 0.95), "muzzle": u(rng, 0.05, 0.4),
        "muzzle_width": u(rng, 0.3, 0.55), "buck_teeth": chance(rng, 0.35),
        "whiskers": u(rng, 0.3, 0.7) if chance(rng, 0.5) else 0.0, "nose": pick(rng, "button", "ball"),
        "face_patch": chance(rng, 0.3), "tail": "mouse",
    }  # fmt: skip


def dog(rng: Rng) -> Fields:
    return {
        "skin": fur(rng), "height": u(rng, 0.9, 1.2), "cheeks": u(rng, 0, 0.25),
        "ears": pick(rng, "floppy", "floppy", "floppy", "pointed", "leaf"), "ear_size": u(rng, 0.5, 1.1),
        "muzzle": u(rng, 0.2, 0.65), "muzzle_width": u(rng, 0.42, 0.72), "muzzle_height": u(rng, 0.3, 0.48),
        "nose": pick(rng, "button", "ball"), "nose_size": u(rng, 0.13, 0.27), "nose_colour": BLACK,
        "tail": pick(rng, "stub", "bushy", "cat"),
    }  # fmt: skip


def bear(rng: Rng) -> Fields:
    return dog(rng) | {"ears": "round", "ear_size": u(rng, 0.25, 0.45), "muzzle": u(rng, 0.1, 0.4), "tail": "stub"}


def pig(rng: Rng) -> Fields:
    skin = hsv(u(rng, 0.93, 1.03), u(rng, 0.2, 0.5), u(rng, 0.8, 1)) if chance(rng, 0.7) else fur(rng)
    return {
        "skin": skin, "nose": "snout", "nose_size": u(rng, 0.16, 0.32),
        "nose_colour": scale_colour(skin, u(rng, 0.75, 1.05)), "ears": pick(rng, "leaf", "floppy", "pointed"),
        "ear_size": u(rng, 0.3, 0.6), "cheeks": u(rng, 0.05, 0.35), "muzzle": u(rng, 0.05, 0.3), "tail": "curl",
        "hands": pick(rng, "hoof", "mitten"),
    }  # fmt: skip


def bird(rng: Rng) -> Fields:
    """Ducklings, parrots, owls, hens, vultures with bald red heads."""
    r = rng.random()
    skin = hsv(u(rng, 0.11, 0.17), u(rng, 0.4, 0.95), u(rng, 0.85, 1)) if r < 0.3 else random_colour(rng)
    return {
        "skin": skin, "nose": "beak", "nose_size": u(rng, 0.2, 0.6),
        "nose_colour": hsv(u(rng, 0.05, 0.15), u(rng, 0.5, 1), u(rng, 0.7, 1)), "ears": "none",
        "hair": pick(rng, "none", "tuft", "spikes", "curl", "none", "quiff"),
        "hair_colour": skin if chance(rng, 0.6) else random_colour(rng), "muzzle": 0.0, "hands": "wing",
        "tail": "feathers", "cheeks": u(rng, -0.05, 0.3), "width": u(rng, 0.8, 1.1),
    }  # fmt: skip


def rabbit(rng: Rng) -> Fields:
    """Long ears; the fat ones of computer animation have a wide head with all features small and close."""
    fat = chance(rng, 0.5)
    fields: Fields = {
        "skin": fur(rng), "ears": "long", "ear_size": u(rng, 0.7, 1.6), "ear_width": u(rng, 0.2, 0.4),
        "ear_spread": u(rng, 0.25, 0.6), "buck_teeth": chance(rng, 0.6), "muzzle": u(rng, 0.05, 0.3),
        "nose": pick(rng, "button", "heart"), "nose_size": u(rng, 0.07, 0.16), "tail": "stub",
    }  # fmt: skip
    if fat:
        fields |= {
            "width": u(rng, 1.0, 1.25), "cheeks": u(rng, 0.15, 0.45), "crown": u(rng, 0, 0.2),
            "eye_width": u(rng, 0.1, 0.16), "eye_height": u(rng, 0.1, 0.18), "eye_x": u(rng, 0.18, 0.3),
            "fill": "radial", "shading": u(rng, 0.3, 0.6), "outline": 0.0,
        }  # fmt: skip
    return fields


def rodent(rng: Rng) -> Fields:
    """Squirrels and the like, shaded, with large coloured eyes."""
    return mouse(rng) | {
        "ears": pick(rng, "round", "pointed", "leaf"), "ear_size": u(rng, 0.3, 0.6),
        "eye": pick(rng, "iris", "separate"), "eye_width": u(rng, 0.2, 0.34),
        "fluff": u(rng, 0.1, 0.35) if chance(rng, 0.5) else 0.0, "fill": "radial", "shading": u(rng, 0.25, 0.6),
        "outline": 0.0 if chance(rng, 0.7) else 0.015, "tail": "bushy",
    }  # fmt: skip


def computer(rng: Rng) -> Fields:
    """Soft shaded people and toys with irises."""
    return human(rng) | {
        "eye": "iris", "eye_width": u(rng, 0.18, 0.32), "eye_height": u(rng, 0.18, 0.34), "fill": "radial",
        "shading": u(rng, 0.25, 0.65), "outline": 0.0 if chance(rng, 0.8) else 0.012, "lashes": u(rng, 0, 0.2),
    }  # fmt: skip


def blob(rng: Rng) -> Fields:
    """Monsters, fruit, ghosts: any colour, any outline, few features."""
    return {
        "skin": random_colour(rng), "width": u(rng, 0.7, 1.3), "height": u(rng, 0.7, 1.25), "power": u(rng, 1.8, 4),
        "cheeks": u(rng, -0.1, 0.35), "chin": u(rng, -0.15, 0.3), "crown": u(rng, -0.1, 0.4),
        "nose": pick(rng, "none", "button", "ball", "none"),
        "ears": pick(rng, "none", "none", "pointed", "side", "leaf"), "hair": pick(rng, "none", "none", *HAIRS),
        "hands": pick(rng, "mitten", "hoof", "wing"),
    }  # fmt: skip


def monkey(rng: Rng) -> Fields:
    return {
        "skin": fur(rng), "light": skin_tone(rng), "face_patch": True, "ears": pick(rng, "side", "round"),
        "ear_size": u(rng, 0.25, 0.5), "muzzle": u(rng, 0.1, 0.35), "muzzle_width": u(rng, 0.5, 0.75),
        "nose": pick(rng, "button", "human"), "nose_size": u(rng, 0.06, 0.14), "hair": pick(rng, "none", "tuft"),
        "tail": "mouse",
    }  # fmt: skip


def robot(rng: Rng) -> Fields:
    return {
        "skin": hsv(u(rng, 0, 1), u(rng, 0, 0.35), u(rng, 0.4, 0.95)), "power": u(rng, 3.2, 7),
        "width": u(rng, 0.8, 1.15), "height": u(rng, 0.8, 1.1), "cheeks": 0.0, "chin": 0.0,
        "eye": pick(rng, "separate", "dot", "iris"), "nose": pick(rng, "none", "button"),
        "ears": pick(rng, "none", "side"), "hair": pick(rng, "none", "tuft"), "fill": pick(rng, "linear", "flat"),
    }  # fmt: skip


# The sample cast has a grey cat, a brown mouse, a yellow duckling and a pink pig: these are others of their kind.
def other_grey_cat(rng: Rng) -> Fields:
    return cat(rng) | {"skin": hsv(u(rng, 0.5, 0.75), u(rng, 0, 0.2), u(rng, 0.35, 0.75))}


def other_brown_mouse(rng: Rng) -> Fields:
    return mouse(rng) | {"skin": hsv(u(rng, 0.04, 0.1), u(rng, 0.35, 0.75), u(rng, 0.4, 0.8))}


def other_yellow_bird(rng: Rng) -> Fields:
    return bird(rng) | {"skin": hsv(u(rng, 0.12, 0.16), u(rng, 0.5, 0.85), u(rng, 0.9, 1))}


def other_pink_pig(rng: Rng) -> Fields:
    return pig(rng) | {"skin": hsv(u(rng, 0.94, 1.01), u(rng, 0.2, 0.42), u(rng, 0.9, 1))}
