"""Families that nothing in training draws: they test whether a model knows cartoon faces or only its own cartoons.

Their geometry is their own: eyes above the skull, trunks, feather discs, antennae, wool, plates along the crown.
"""

from __future__ import annotations

import numpy as np

from ml.render.canvas import mix, scale_colour
from ml.render.families import Fields
from ml.render.ink import BLACK, WHITE, chance, hsv, u
from ml.render.palette import pick

Rng = np.random.Generator


def frog(rng: Rng) -> Fields:
    skin = hsv(u(rng, 0.2, 0.42), u(rng, 0.4, 0.9), u(rng, 0.45, 0.95))
    return {
        "skin": skin, "light": mix(skin, (255.0, 250.0, 200.0), 0.6), "width": u(rng, 1.15, 1.4),
        "height": u(rng, 0.72, 0.88),
        "bumps": True, "eye": pick(rng, "separate", "iris", "pie"), "eye_x": u(rng, 0.42, 0.55),
        "eye_y": u(rng, -0.8, -0.66),
        "eye_width": u(rng, 0.24, 0.32), "eye_height": u(rng, 0.28, 0.38), "brow_gap": u(rng, 0.02, 0.1),
        "brow_thickness": u(rng, 0.04, 0.1), "mouth_y": u(rng, 0.2, 0.36), "mouth_width": u(rng, 0.6, 0.85),
        "nose": "nostrils", "nose_size": u(rng, 0.05, 0.1), "nose_y": u(rng, -0.2, -0.05), "muzzle": 0.0,
        "ears": "none",
        "hair": "none", "cheeks": u(rng, 0.1, 0.35), "tail": "none", "feet_colour": skin,
    }  # fmt: skip


def elephant(rng: Rng) -> Fields:
    skin = hsv(u(rng, 0.5, 0.95), u(rng, 0.03, 0.3), u(rng, 0.45, 0.85))
    return {
        "skin": skin, "inner_ear": mix(skin, (250.0, 160.0, 170.0), 0.5), "nose": "trunk",
        "nose_size": u(rng, 0.2, 0.5),
        "nose_y": u(rng, 0.08, 0.2), "ears": "round", "ear_size": u(rng, 0.85, 1.15), "ear_spread": u(rng, 0.95, 1.15),
        "ear_height": u(rng, 0.1, 0.35), "mouth_y": u(rng, 0.58, 0.7), "mouth_width": u(rng, 0.34, 0.48), "muzzle": 0.0,
        "height": u(rng, 0.95, 1.15), "hair": pick(rng, "none", "tuft", "hat"), "crown": u(rng, 0.0, 0.2),
        "eye_y": u(rng, -0.36, -0.24), "tail": "mouse", "hands": "hoof",
    }  # fmt: skip


def dragon(rng: Rng) -> Fields:
    skin = hsv(u(rng, 0.28, 0.9), u(rng, 0.4, 0.85), u(rng, 0.45, 0.9))
    return {
        "skin": skin, "light": mix(skin, (255.0, 240.0, 190.0), 0.5), "horns": "ridge", "horn_size": u(rng, 0.9, 1.4),
        "horn_colour": hsv(u(rng, 0.0, 0.16), u(rng, 0.5, 0.9), u(rng, 0.7, 1)), "width": u(rng, 0.8, 0.95),
        "height": u(rng, 1.0, 1.2), "taper": u(rng, 0.08, 0.2), "muzzle": u(rng, 0.4, 0.75),
        "muzzle_width": u(rng, 0.6, 0.78),
        "muzzle_height": u(rng, 0.3, 0.38), "muzzle_y": u(rng, 0.44, 0.52), "mouth_y": u(rng, 0.58, 0.66),
        "mouth_width": u(rng, 0.45, 0.62), "nose": "nostrils", "nose_size": u(rng, 0.13, 0.22),
        "nose_y": u(rng, 0.24, 0.3),
        "ears": pick(rng, "none", "leaf"), "ear_size": u(rng, 0.4, 0.6), "hair": "none", "tail": "cat",
        "eye": pick(rng, "separate", "touching", "iris"), "eye_y": u(rng, -0.42, -0.28),
    }  # fmt: skip


def snowman(rng: Rng) -> Fields:
    return {
        "skin": hsv(u(rng, 0.5, 0.65), u(rng, 0.0, 0.08), u(rng, 0.92, 1)), "light": WHITE, "width": 1.0, "height": 1.0,
        "cheeks": 0.0, "chin": 0.0, "nose": "carrot", "nose_size": u(rng, 0.14, 0.3), "nose_y": u(rng, 0.04, 0.14),
        "nose_colour": hsv(u(rng, 0.04, 0.09), u(rng, 0.75, 1), u(rng, 0.85, 1)), "eye": pick(rng, "dot", "pie", "dot"),
        "eye_width": u(rng, 0.1, 0.16), "eye_height": u(rng, 0.13, 0.22), "eye_x": u(rng, 0.28, 0.38), "iris": BLACK,
        "muzzle": 0.0, "ears": "none", "hair": pick(rng, "hat", "cap", "none"), "mouth_y": u(rng, 0.42, 0.52),
        "brow_thickness": u(rng, 0.05, 0.1), "brow_colour": (90.0, 62.0, 40.0), "clothes": "scarf",
        "fill": pick(rng, "radial", "linear"), "shading": u(rng, 0.15, 0.3), "body_width": u(rng, 0.38, 0.48),
        "limb": u(rng, 0.025, 0.04), "hand_colour": (110.0, 80.0, 56.0),
    }  # fmt: skip


def owl(rng: Rng) -> Fields:
    skin = hsv(u(rng, 0.03, 0.13), u(rng, 0.2, 0.7), u(rng, 0.3, 0.8))
    return {
        "skin": skin, "light": mix(skin, (255.0, 246.0, 224.0), u(rng, 0.5, 0.85)), "width": u(rng, 1.05, 1.25),
        "height": u(rng, 0.88, 1.0), "discs": u(rng, 1.45, 1.8), "eye": pick(rng, "iris", "separate"),
        "iris": hsv(u(rng, 0.08, 0.16), u(rng, 0.7, 1), u(rng, 0.8, 1)), "eye_width": u(rng, 0.24, 0.3),
        "eye_height": u(rng, 0.26, 0.32), "eye_x": u(rng, 0.42, 0.48), "eye_y": u(rng, -0.22, -0.1), "nose": "beak",
        "nose_colour": hsv(u(rng, 0.06, 0.14), u(rng, 0.5, 0.9), u(rng, 0.6, 0.95)), "muzzle_width": u(rng, 0.2, 0.3),
        "muzzle_height": u(rng, 0.22, 0.3), "muzzle_y": u(rng, 0.32, 0.4), "mouth_y": u(rng, 0.44, 0.5),
        "mouth_width": u(rng, 0.18, 0.26), "ears": "pointed", "ear_size": u(rng, 0.4, 0.6),
        "ear_width": u(rng, 0.15, 0.25),
        "ear_spread": u(rng, 0.6, 0.75), "inner_ear": scale_colour(skin, 0.8), "hair": "none", "hands": "wing",
        "brow_thickness": u(rng, 0.06, 0.14), "tail": "feathers",
    }  # fmt: skip


def alien(rng: Rng) -> Fields:
    skin = hsv(u(rng, 0.2, 0.85), u(rng, 0.2, 0.7), u(rng, 0.6, 0.95))
    return {
        "skin": skin, "taper": -u(rng, 0.3, 0.45), "height": u(rng, 1.1, 1.3), "width": u(rng, 0.95, 1.1),
        "crown": u(rng, 0.05, 0.25), "cheeks": 0.0, "chin": u(rng, 0.0, 0.15),
        "eye": pick(rng, "iris", "separate", "pie"),
        "eye_width": u(rng, 0.26, 0.34), "eye_height": u(rng, 0.32, 0.46), "eye_x": u(rng, 0.36, 0.44),
        "eye_y": u(rng, -0.2, -0.08), "horns": "antennae", "horn_size": u(rng, 0.4, 0.8),
        "horn_colour": hsv(u(rng, 0, 1), u(rng, 0.5, 0.9), u(rng, 0.7, 1)), "nose": pick(rng, "none", "nostrils"),
        "nose_size": u(rng, 0.04, 0.07), "nose_y": u(rng, 0.24, 0.3), "mouth_y": u(rng, 0.52, 0.6),
        "mouth_width": u(rng, 0.24, 0.36), "ears": "none", "hair": "none", "muzzle": 0.0,
        "brow_thickness": 0.0 if chance(rng, 0.4) else u(rng, 0.04, 0.08),
    }  # fmt: skip


def sheep(rng: Rng) -> Fields:
    dark = chance(rng, 0.5)
    skin = hsv(u(rng, 0.0, 0.1), u(rng, 0.05, 0.3), u(rng, 0.16, 0.35) if dark else u(rng, 0.8, 0.95))
    wool = (
        hsv(u(rng, 0.05, 0.15), u(rng, 0.0, 0.15), u(rng, 0.85, 1)) if dark or chance(rng, 0.6) else hsv(0.06, 0.3, 0.4)
    )
    return {
        "skin": skin, "light": mix(skin, WHITE, 0.25), "hair_colour": wool, "gear": "wool", "hair": "none",
        "height": u(rng, 1.05, 1.25), "width": u(rng, 0.75, 0.9), "taper": -u(rng, 0.05, 0.2),
        "muzzle": u(rng, 0.0, 0.2),
        "muzzle_y": u(rng, 0.5, 0.6), "nose": pick(rng, "heart", "nostrils"), "nose_size": u(rng, 0.08, 0.13),
        "nose_y": u(rng, 0.34, 0.42), "mouth_y": u(rng, 0.62, 0.72), "mouth_width": u(rng, 0.26, 0.36),
        "ears": "floppy",
        "ear_size": u(rng, 0.4, 0.6), "ear_height": u(rng, 0.2, 0.4), "ear_spread": u(rng, 0.85, 1.0), "ink": BLACK,
        "inner_ear": mix(skin, (250.0, 160.0, 160.0), 0.4), "brow_thickness": u(rng, 0.05, 0.09),
        "brow_colour": WHITE if dark else BLACK, "hands": "hoof", "tail": "stub",
    }  # fmt: skip
