"""More families for training: horned, long-faced, hooded and crowned ones, babies, wizards, ghosts."""

from __future__ import annotations

import numpy as np

from ml.render.canvas import mix, scale_colour
from ml.render.families import Fields, bird, cat, dog, human
from ml.render.ink import BLACK, WHITE, chance, hsv, random_colour, u
from ml.render.palette import fur, hair_tone, pick, skin_tone

Rng = np.random.Generator


def fox(rng: Rng) -> Fields:
    return cat(rng) | {
        "skin": hsv(u(rng, 0.02, 0.09), u(rng, 0.55, 0.95), u(rng, 0.6, 1)), "light": WHITE,
        "taper": -u(rng, 0.08, 0.25),
        "fluff": u(rng, 0.2, 0.5), "ear_size": u(rng, 0.6, 1.0), "muzzle": u(rng, 0.25, 0.6), "stripes": False,
        "muzzle_width": u(rng, 0.3, 0.42), "muzzle_y": u(rng, 0.4, 0.5), "nose": "button", "nose_colour": BLACK,
        "face_patch": chance(rng, 0.6), "tail": "bushy", "whiskers": 0.0,
    }  # fmt: skip


def horse(rng: Rng) -> Fields:
    """Horses, donkeys, goats: long faces with the muzzle at their end."""
    return {
        "skin": fur(rng), "height": u(rng, 1.15, 1.4), "width": u(rng, 0.72, 0.9), "chin": u(rng, 0.0, 0.2),
        "muzzle": u(rng, 0.2, 0.5), "muzzle_width": u(rng, 0.5, 0.7), "muzzle_height": u(rng, 0.34, 0.46),
        "muzzle_y": u(rng, 0.55, 0.68), "mouth_y": u(rng, 0.68, 0.8), "nose": "nostrils", "nose_size": u(rng, 0.1, 0.2),
        "nose_y": u(rng, 0.42, 0.52), "eye_y": u(rng, -0.45, -0.25), "ears": pick(rng, "pointed", "long", "leaf"),
        "ear_size": u(rng, 0.35, 0.9), "ear_width": u(rng, 0.18, 0.3), "ear_spread": u(rng, 0.4, 0.6),
        "hair": pick(rng, "quiff", "tuft", "none"), "gear": pick(rng, "none", "none", "fringe"),
        "horns": pick(rng, "none", "none", "none", "unicorn", "short"), "buck_teeth": chance(rng, 0.3),
        "hands": "hoof", "tail": "bushy",
    }  # fmt: skip


def cow(rng: Rng) -> Fields:
    """Cows and bulls."""
    skin = pick(rng, WHITE, fur(rng), hsv(0.06, u(rng, 0.3, 0.7), u(rng, 0.3, 0.7)))
    pink = hsv(u(rng, 0.97, 1.05), u(rng, 0.2, 0.45), u(rng, 0.8, 1))
    return {
        "skin": skin, "light": pink, "height": u(rng, 1.0, 1.2), "taper": u(rng, 0.0, 0.15),
        "muzzle": u(rng, 0.12, 0.35),
        "muzzle_width": u(rng, 0.65, 0.85), "muzzle_height": u(rng, 0.34, 0.46), "muzzle_y": u(rng, 0.5, 0.6),
        "nose": "nostrils", "nose_size": u(rng, 0.14, 0.26), "nose_y": u(rng, 0.34, 0.42),
        "mouth_y": u(rng, 0.62, 0.74),
        "ears": pick(rng, "leaf", "side", "floppy"), "ear_size": u(rng, 0.4, 0.65), "ear_height": u(rng, 0.4, 0.6),
        "horns": pick(rng, "short", "long", "none"), "horn_size": u(rng, 0.4, 0.9), "hands": "hoof", "tail": "mouse",
    }  # fmt: skip


def deer(rng: Rng) -> Fields:
    return dog(rng) | {
        "skin": hsv(u(rng, 0.05, 0.1), u(rng, 0.3, 0.7), u(rng, 0.4, 0.9)), "ears": "leaf",
        "ear_size": u(rng, 0.45, 0.7),
        "horns": pick(rng, "antlers", "short", "none"), "horn_size": u(rng, 0.5, 0.9), "taper": -u(rng, 0.0, 0.2),
        "muzzle_width": u(rng, 0.32, 0.48), "horn_colour": hsv(0.08, 0.4, u(rng, 0.3, 0.6)), "tail": "stub",
    }  # fmt: skip


def devil(rng: Rng) -> Fields:
    """Imps and ogres with horns."""
    return human(rng) | {
        "skin": pick(rng, hsv(u(rng, 0.98, 1.03), u(rng, 0.6, 0.95), u(rng, 0.5, 0.95)), random_colour(rng)),
        "horns": pick(rng, "short", "ram", "long"), "horn_size": u(rng, 0.35, 0.8),
        "ears": pick(rng, "pointed", "side"),
        "ear_size": u(rng, 0.3, 0.5), "hair": "none", "cheeks": u(rng, 0, 0.3), "tail": "mouse",
    }  # fmt: skip


def ghost(rng: Rng) -> Fields:
    """A pale sheet: no nose, no ears, round or drawn out."""
    return {
        "skin": hsv(u(rng, 0.45, 0.75), u(rng, 0, 0.15), u(rng, 0.85, 1)), "width": u(rng, 0.8, 1.1),
        "height": u(rng, 1.0, 1.35), "power": u(rng, 1.9, 2.6), "taper": u(rng, 0.05, 0.25), "nose": "none",
        "ears": "none",
        "eye": pick(rng, "dot", "separate", "pie", "touching"), "brow_thickness": 0.0 if chance(rng, 0.4) else 0.06,
        "muzzle": 0.0, "hair": "none", "mouth_inside": (24.0, 16.0, 26.0), "head_share": u(rng, 0.45, 0.6),
    }  # fmt: skip


def wizard(rng: Rng) -> Fields:
    """Old people: long beards, bushy brows, tall hats or bald crowns."""
    grey = pick(rng, WHITE, (206.0, 206.0, 210.0), hsv(0.08, 0.15, u(rng, 0.5, 0.85)))
    return human(rng) | {
        "gear": pick(rng, "wizard", "wizard", "none", "hood"), "hair": "none", "beard": u(rng, 0.5, 1.0),
        "moustache": u(rng, 0.3, 0.8) if chance(rng, 0.5) else 0.0, "hair_colour": grey, "brow_colour": grey,
        "brow_thickness": u(rng, 0.1, 0.2), "nose": pick(rng, "human", "ball"), "nose_size": u(rng, 0.16, 0.3),
        "clothes": "dress", "lid_tone": u(rng, 0.6, 0.8),
    }  # fmt: skip


def baby(rng: Rng) -> Fields:
    """A wide low head with everything small and far down in it."""
    return {
        "skin": skin_tone(rng), "width": u(rng, 1.08, 1.3), "height": u(rng, 0.88, 1.02), "cheeks": u(rng, 0.15, 0.4),
        "chin": u(rng, -0.15, 0.0), "crown": u(rng, 0.0, 0.15), "eye_y": u(rng, -0.05, 0.1),
        "eye_width": u(rng, 0.12, 0.24),
        "mouth_y": u(rng, 0.5, 0.6), "mouth_width": u(rng, 0.2, 0.34), "nose": pick(rng, "button", "human", "none"),
        "nose_size": u(rng, 0.05, 0.1), "nose_colour": None, "nose_y": u(rng, 0.24, 0.32), "muzzle": 0.0,
        "ears": pick(rng, "side", "none"), "ear_size": u(rng, 0.2, 0.3), "ear_height": u(rng, 0.0, 0.2),
        "hair": pick(rng, "curl", "tuft", "none", "bow"), "brow_thickness": u(rng, 0.02, 0.05),
        "head_share": u(rng, 0.45, 0.6),
    }  # fmt: skip


def royal(rng: Rng) -> Fields:
    """Skulls that are one with a crown, a turban, a helmet, a hood or a fringe."""
    return human(rng) | {
        "gear": pick(rng, "crown", "turban", "helmet", "hood", "fringe", "fringe", "headscarf"), "hair": "none",
        "eye_y": u(rng, -0.2, -0.02), "crown": u(rng, 0.0, 0.2), "brow_gap": u(rng, 0.04, 0.1),
    }  # fmt: skip


def maned(rng: Rng) -> Fields:
    """Heads that are mostly hair: trolls, cave people, sheepdogs with locks over the brow."""
    skin = skin_tone(rng) if chance(rng, 0.6) else fur(rng)
    return human(rng) | {
        "skin": skin, "mane": u(rng, 0.25, 0.8), "hair_colour": hair_tone(rng), "gear": pick(rng, "fringe", "none"),
        "hair": "none", "beard": u(rng, 0.2, 0.8) if chance(rng, 0.5) else 0.0,
        "nose": pick(rng, "ball", "human", "button"),
        "nose_size": u(rng, 0.15, 0.35),
    }  # fmt: skip


def crow(rng: Rng) -> Fields:
    """Crows, ravens, cocks and turkeys: dark or bright, a large beak, a comb."""
    return bird(rng) | {
        "skin": pick(rng, (34.0, 32.0, 40.0), hsv(u(rng, 0.95, 1.05), u(rng, 0.6, 0.9), u(rng, 0.4, 0.8)), WHITE),
        "muzzle_width": u(rng, 0.5, 0.8), "muzzle_height": u(rng, 0.3, 0.46), "muzzle_y": u(rng, 0.3, 0.42),
        "hair": pick(rng, "spikes", "tuft", "hat"), "eye_width": u(rng, 0.18, 0.3),
    }  # fmt: skip


def doll(rng: Rng) -> Fields:
    """Big-eyed girls and dolls with lashes and small mouths."""
    skin = skin_tone(rng)
    return human(rng) | {
        "skin": skin, "chin": u(rng, -0.05, 0.1), "taper": -u(rng, 0.0, 0.15), "beard": 0.0, "moustache": 0.0,
        "eye": "iris", "eye_width": u(rng, 0.2, 0.3), "eye_height": u(rng, 0.28, 0.44), "lashes": u(rng, 0.1, 0.22),
        "iris": hsv(u(rng, 0, 1), u(rng, 0.4, 0.9), u(rng, 0.3, 0.9)), "nose": pick(rng, "none", "human"),
        "nose_size": u(rng, 0.04, 0.1), "mouth_width": u(rng, 0.2, 0.34),
        "hair": pick(rng, "bob", "bun", "bow", "none"),
        "gear": pick(rng, "none", "fringe", "fringe", "headscarf"), "brow_thickness": u(rng, 0.02, 0.05),
        "nose_colour": scale_colour(mix(skin, (230.0, 120.0, 110.0), 0.4), 0.9), "clothes": "dress",
    }  # fmt: skip
