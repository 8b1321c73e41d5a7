"""Cartoon characters that nobody has seen before, made up at random: families of designs with everything else free.

The detector learns from them what a cartoon face is, and that a grey cat need not be *our* grey cat.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import numpy as np

from ml.render.canvas import Colour, mix, scale_colour
from ml.render.design import Design, Hair
from ml.render.ink import BLACK, WHITE, chance, hsv, random_colour, u

Rng = np.random.Generator
Fields = dict[str, Any]
HAIRS: tuple[Hair, ...] = ("tuft", "curl", "spikes", "bob", "bun", "cap", "hat", "bow", "quiff")


def pick(rng: Rng, *options: Any) -> Any:
    return options[int(rng.integers(len(options)))]


def skin_tone(rng: Rng) -> Colour:
    return hsv(u(rng, 0.02, 0.11), u(rng, 0.15, 0.6), u(rng, 0.35, 1.0))


def fur(rng: Rng) -> Colour:
    r = rng.random()
    if r < 0.3:
        return hsv(u(rng, 0.5, 0.75), u(rng, 0.0, 0.25), u(rng, 0.15, 0.9))
    if r < 0.65:
        return hsv(u(rng, 0.02, 0.12), u(rng, 0.25, 0.85), u(rng, 0.25, 0.95))
    if r < 0.75:
        return (30.0, 28.0, 30.0) if chance(rng, 0.5) else (242.0, 240.0, 235.0)
    return random_colour(rng)


def hair_tone(rng: Rng) -> Colour:
    return pick(rng, BLACK, hsv(u(rng, 0.02, 0.12), u(rng, 0.3, 0.9), u(rng, 0.12, 0.9)), WHITE, random_colour(rng))  # type: ignore[no-any-return]


# ------------------------------------------------------------------------------------------------ families


def _human(rng: Rng) -> Fields:
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


def _sailor(rng: Rng) -> Fields:
    """A tough of the thirties: swollen jaw, small squinting eyes, bald or with a cap, bull neck."""
    return _human(rng) | {
        "chin": u(rng, 0.25, 0.5), "cheeks": u(rng, 0.1, 0.35), "height": u(rng, 0.9, 1.15), "power": u(rng, 2, 2.6),
        "eye": pick(rng, "dot", "pie", "separate"), "eye_width": u(rng, 0.08, 0.16),
        "nose": pick(rng, "ball", "human"), "nose_size": u(rng, 0.14, 0.3),
        "hair": pick(rng, "none", "cap", "hat", "tuft"), "brow_thickness": u(rng, 0.08, 0.16),
        "beard": u(rng, 0.3, 1.0) if chance(rng, 0.3) else 0.0, "stubble": chance(rng, 0.4),
        "mouth_y": u(rng, 0.55, 0.75),
    }  # fmt: skip


def _yellow(rng: Rng) -> Fields:
    """Flat bright people with bulging eyes."""
    return _human(rng) | {
        "skin": hsv(u(rng, 0.11, 0.16), u(rng, 0.6, 1), u(rng, 0.88, 1)), "width": u(rng, 0.65, 0.85),
        "height": u(rng, 1, 1.3), "power": u(rng, 2.2, 3), "eye": pick(rng, "separate", "touching"),
        "eye_width": u(rng, 0.27, 0.37), "eye_height": u(rng, 0.27, 0.37), "eye_x": u(rng, 0.26, 0.36),
        "pupil_size": u(rng, 0.15, 0.3), "nose": "human", "muzzle": u(rng, 0.05, 0.3) if chance(rng, 0.7) else 0.0,
        "muzzle_width": u(rng, 0.55, 0.8), "brow_thickness": 0.0,
    }  # fmt: skip


def _cutout(rng: Rng) -> Fields:
    """Paper people: wide round head, huge touching eyes, no nose."""
    return {
        "skin": hsv(u(rng, 0.05, 0.12), u(rng, 0.15, 0.4), u(rng, 0.7, 1)), "width": u(rng, 1, 1.2),
        "height": u(rng, 0.88, 1), "eye": "touching", "eye_width": u(rng, 0.3, 0.42),
        "eye_height": u(rng, 0.32, 0.44), "pupil_size": u(rng, 0.12, 0.25), "nose": "none",
        "hair": pick(rng, "cap", "hat", "spikes", "bob", "bow"), "outline": u(rng, 0, 0.025), "fill": "flat",
    }  # fmt: skip


def _hose(rng: Rng) -> Fields:
    """Rubber hose: black skull, pale face, pie-cut eyes, round black ears or none."""
    face = pick(rng, WHITE, (246.0, 224.0, 200.0), WHITE)
    return {
        "skin": hsv(0, 0, u(rng, 0.04, 0.2)), "light": face, "face_patch": True, "ink": BLACK,
        "eye": pick(rng, "pie", "pie", "dot", "separate"), "eye_height": u(rng, 0.26, 0.4),
        "nose": pick(rng, "ball", "button", "snout"), "nose_colour": BLACK, "nose_size": u(rng, 0.1, 0.2),
        "ears": pick(rng, "round", "round", "long", "none", "pointed"), "inner_ear": (30.0, 28.0, 30.0),
        "muzzle": u(rng, 0.05, 0.3), "hands": "glove", "tail": pick(rng, "mouse", "cat", "none"),
    }  # fmt: skip


def _cat(rng: Rng) -> Fields:
    return {
        "skin": fur(rng), "width": u(rng, 0.95, 1.2), "cheeks": u(rng, 0.0, 0.3), "ears": "pointed",
        "ear_size": u(rng, 0.4, 0.95), "fluff": u(rng, 0.1, 0.4) if chance(rng, 0.5) else 0.0,
        "muzzle": u(rng, 0.04, 0.25), "nose": pick(rng, "button", "heart", "heart"),
        "whiskers": u(rng, 0.3, 0.8) if chance(rng, 0.6) else 0.0, "stripes": chance(rng, 0.3),
        "face_patch": chance(rng, 0.25), "eye": pick(rng, "separate", "joined", "touching", "iris", "pie"),
        "tail": "cat",
    }  # fmt: skip


def _lion(rng: Rng) -> Fields:
    mane = hsv(u(rng, 0.01, 0.1), u(rng, 0.4, 0.95), u(rng, 0.25, 0.85))
    return _cat(rng) | {
        "skin": hsv(u(rng, 0.07, 0.13), u(rng, 0.35, 0.8), u(rng, 0.7, 1)), "ears": pick(rng, "round", "none"),
        "ear_size": u(rng, 0.25, 0.4), "mane": u(rng, 0.2, 0.7), "hair_colour": mane, "muzzle": u(rng, 0.15, 0.5),
        "muzzle_width": u(rng, 0.5, 0.75), "nose_size": u(rng, 0.15, 0.28),
    }  # fmt: skip


def _mouse(rng: Rng) -> Fields:
    return {
        "skin": fur(rng), "width": u(rng, 0.9, 1.1), "cheeks": u(rng, 0, 0.35), "ears": "round",
        "ear_size": u(rng, 0.4, 0.95), "ear_spread": u(rng, 0.6, 0.95), "muzzle": u(rng, 0.05, 0.4),
        "muzzle_width": u(rng, 0.3, 0.55), "buck_teeth": chance(rng, 0.35),
        "whiskers": u(rng, 0.3, 0.7) if chance(rng, 0.5) else 0.0, "nose": pick(rng, "button", "ball"),
        "face_patch": chance(rng, 0.3), "tail": "mouse",
    }  # fmt: skip


def _dog(rng: Rng) -> Fields:
    return {
        "skin": fur(rng), "height": u(rng, 0.9, 1.2), "cheeks": u(rng, 0, 0.25),
        "ears": pick(rng, "floppy", "floppy", "floppy", "pointed", "leaf"), "ear_size": u(rng, 0.5, 1.1),
        "muzzle": u(rng, 0.2, 0.65), "muzzle_width": u(rng, 0.42, 0.72), "muzzle_height": u(rng, 0.3, 0.48),
        "nose": pick(rng, "button", "ball"), "nose_size": u(rng, 0.13, 0.27), "nose_colour": BLACK,
        "tail": pick(rng, "stub", "bushy", "cat"),
    }  # fmt: skip


def _bear(rng: Rng) -> Fields:
    return _dog(rng) | {"ears": "round", "ear_size": u(rng, 0.25, 0.45), "muzzle": u(rng, 0.1, 0.4), "tail": "stub"}


def _pig(rng: Rng) -> Fields:
    skin = hsv(u(rng, 0.93, 1.03), u(rng, 0.2, 0.5), u(rng, 0.8, 1)) if chance(rng, 0.7) else fur(rng)
    return {
        "skin": skin, "nose": "snout", "nose_size": u(rng, 0.16, 0.32),
        "nose_colour": scale_colour(skin, u(rng, 0.75, 1.05)), "ears": pick(rng, "leaf", "floppy", "pointed"),
        "ear_size": u(rng, 0.3, 0.6), "cheeks": u(rng, 0.05, 0.35), "muzzle": u(rng, 0.05, 0.3), "tail": "curl",
        "hands": pick(rng, "hoof", "mitten"),
    }  # fmt: skip


def _bird(rng: Rng) -> Fields:
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


def _rabbit(rng: Rng) -> Fields:
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


def _rodent(rng: Rng) -> Fields:
    """Squirrels and the like, shaded, with large coloured eyes."""
    return _mouse(rng) | {
        "ears": pick(rng, "round", "pointed", "leaf"), "ear_size": u(rng, 0.3, 0.6),
        "eye": pick(rng, "iris", "separate"), "eye_width": u(rng, 0.2, 0.34),
        "fluff": u(rng, 0.1, 0.35) if chance(rng, 0.5) else 0.0, "fill": "radial", "shading": u(rng, 0.25, 0.6),
        "outline": 0.0 if chance(rng, 0.7) else 0.015, "tail": "bushy",
    }  # fmt: skip


def _computer(rng: Rng) -> Fields:
    """Soft shaded people and toys with irises."""
    return _human(rng) | {
        "eye": "iris", "eye_width": u(rng, 0.18, 0.32), "eye_height": u(rng, 0.18, 0.34), "fill": "radial",
        "shading": u(rng, 0.25, 0.65), "outline": 0.0 if chance(rng, 0.8) else 0.012, "lashes": u(rng, 0, 0.2),
    }  # fmt: skip


def _blob(rng: Rng) -> Fields:
    """Monsters, fruit, ghosts: any colour, any outline, few features."""
    return {
        "skin": random_colour(rng), "width": u(rng, 0.7, 1.3), "height": u(rng, 0.7, 1.25), "power": u(rng, 1.8, 4),
        "cheeks": u(rng, -0.1, 0.35), "chin": u(rng, -0.15, 0.3), "crown": u(rng, -0.1, 0.4),
        "nose": pick(rng, "none", "button", "ball", "none"),
        "ears": pick(rng, "none", "none", "pointed", "side", "leaf"), "hair": pick(rng, "none", "none", *HAIRS),
        "hands": pick(rng, "mitten", "hoof", "wing"),
    }  # fmt: skip


def _monkey(rng: Rng) -> Fields:
    return {
        "skin": fur(rng), "light": skin_tone(rng), "face_patch": True, "ears": pick(rng, "side", "round"),
        "ear_size": u(rng, 0.25, 0.5), "muzzle": u(rng, 0.1, 0.35), "muzzle_width": u(rng, 0.5, 0.75),
        "nose": pick(rng, "button", "human"), "nose_size": u(rng, 0.06, 0.14), "hair": pick(rng, "none", "tuft"),
        "tail": "mouse",
    }  # fmt: skip


def _robot(rng: Rng) -> Fields:
    return {
        "skin": hsv(u(rng, 0, 1), u(rng, 0, 0.35), u(rng, 0.4, 0.95)), "power": u(rng, 3.2, 7),
        "width": u(rng, 0.8, 1.15), "height": u(rng, 0.8, 1.1), "cheeks": 0.0, "chin": 0.0,
        "eye": pick(rng, "separate", "dot", "iris"), "nose": pick(rng, "none", "button"),
        "ears": pick(rng, "none", "side"), "hair": pick(rng, "none", "tuft"), "fill": pick(rng, "linear", "flat"),
    }  # fmt: skip


# The sample cast has a grey cat, a brown mouse, a yellow duckling and a pink pig: these are others of their kind.
def _other_grey_cat(rng: Rng) -> Fields:
    return _cat(rng) | {"skin": hsv(u(rng, 0.5, 0.75), u(rng, 0, 0.2), u(rng, 0.35, 0.75))}


def _other_brown_mouse(rng: Rng) -> Fields:
    return _mouse(rng) | {"skin": hsv(u(rng, 0.04, 0.1), u(rng, 0.35, 0.75), u(rng, 0.4, 0.8))}


def _other_yellow_bird(rng: Rng) -> Fields:
    return _bird(rng) | {"skin": hsv(u(rng, 0.12, 0.16), u(rng, 0.5, 0.85), u(rng, 0.9, 1))}


def _other_pink_pig(rng: Rng) -> Fields:
    return _pig(rng) | {"skin": hsv(u(rng, 0.94, 1.01), u(rng, 0.2, 0.42), u(rng, 0.9, 1))}


FAMILIES: dict[str, tuple[Callable[[Rng], Fields], float]] = {
    "human": (_human, 0.13), "sailor": (_sailor, 0.07), "yellow": (_yellow, 0.04), "cutout": (_cutout, 0.03),
    "hose": (_hose, 0.06), "cat": (_cat, 0.08), "lion": (_lion, 0.05), "mouse": (_mouse, 0.06), "dog": (_dog, 0.08),
    "bear": (_bear, 0.04), "pig": (_pig, 0.02), "bird": (_bird, 0.07), "rabbit": (_rabbit, 0.06),
    "rodent": (_rodent, 0.04), "computer": (_computer, 0.06), "blob": (_blob, 0.07), "monkey": (_monkey, 0.02),
    "robot": (_robot, 0.02), "other_grey_cat": (_other_grey_cat, 0.03),
    "other_brown_mouse": (_other_brown_mouse, 0.03), "other_yellow_bird": (_other_yellow_bird, 0.02),
    "other_pink_pig": (_other_pink_pig, 0.02),
}  # fmt: skip
_NAMES = tuple(FAMILIES)
_WEIGHTS = np.array([weight for _, weight in FAMILIES.values()])
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()
LOOK_ALIKES = tuple(name for name in _NAMES if name.startswith("other_"))


def _common(rng: Rng, skin: Colour) -> Fields:
    """What any family may have, unless it says otherwise."""
    eye = pick(rng, "separate", "separate", "joined", "touching", "pie", "dot", "iris")
    width = u(rng, 0.14, 0.3) * (0.5 if eye == "dot" else 1.0)
    r = rng.random()
    outline = 0.0 if r < 0.12 else u(rng, 0.012, 0.05) if r < 0.75 else u(rng, 0.05, 0.1)
    fill = pick(rng, "flat", "flat", "linear", "radial")
    cream = hsv(0.1, u(rng, 0.1, 0.35), u(rng, 0.85, 1))
    pink = hsv(u(rng, 0.95, 1.03), u(rng, 0.4, 0.8), u(rng, 0.5, 0.95))
    sick = hsv(u(rng, 0.1, 0.2), u(rng, 0.15, 0.5), 0.98)
    return {
        "light": pick(rng, WHITE, mix(skin, WHITE, 0.55), mix(skin, WHITE, 0.3), cream),
        "ink": BLACK if chance(rng, 0.65) else scale_colour(skin, u(rng, 0.25, 0.6)),
        "inner_ear": pick(rng, mix(skin, (255, 150, 150), 0.6), scale_colour(skin, 0.7), (240.0, 170.0, 170.0)),
        "nose_colour": pick(rng, BLACK, BLACK, pink, mix(skin, (230, 90, 80), 0.4)),
        "eye_white": pick(rng, (252.0, 252.0, 248.0), (255.0, 250.0, 222.0), sick, hsv(u(rng, 0, 1), 0.1, 1)),
        "iris": pick(rng, BLACK, BLACK, hsv(u(rng, 0, 1), u(rng, 0.4, 0.9), u(rng, 0.3, 0.9))),
        "hair_colour": hair_tone(rng), "clothes_colour": random_colour(rng), "clothes_trim": random_colour(rng),
        "feet_colour": random_colour(rng), "hand_colour": WHITE if chance(rng, 0.25) else None,
        "brow_colour": hair_tone(rng) if chance(rng, 0.3) else None, "outline": outline, "fill": fill,
        "shading": u(rng, 0.12, 0.55), "width": u(rng, 0.88, 1.1), "height": u(rng, 0.85, 1.12),
        "cheeks": u(rng, 0, 0.2), "chin": u(rng, -0.05, 0.08), "crown": u(rng, -0.05, 0.15),
        "muzzle_width": u(rng, 0.4, 0.65), "muzzle_height": u(rng, 0.26, 0.45), "muzzle_y": u(rng, 0.34, 0.5),
        "muzzle_light": chance(rng, 0.7), "nose_size": u(rng, 0.08, 0.2), "nose_y": u(rng, 0.1, 0.28), "eye": eye,
        "eye_x": width * u(rng, 1.1, 1.7) + (0.1 if eye == "dot" else 0.0), "eye_y": u(rng, -0.36, -0.06),
        "eye_width": width, "eye_height": width * u(rng, 0.9, 1.75), "pupil_size": u(rng, 0.28, 0.68),
        "lashes": u(rng, 0.08, 0.2) if chance(rng, 0.12) else 0.0,
        "brow_thickness": 0.0 if chance(rng, 0.15) else u(rng, 0.035, 0.13), "brow_length": u(rng, 0.8, 1.4),
        "brow_gap": u(rng, 0.06, 0.2), "lid_tone": u(rng, 0.7, 1.0), "mouth_y": u(rng, 0.46, 0.66),
        "mouth_width": u(rng, 0.28, 0.6),
        "mouth_inside": pick(rng, (120.0, 24.0, 40.0), (30.0, 8.0, 12.0), (160.0, 40.0, 50.0), (70.0, 14.0, 30.0)),
        "tongue_colour": hsv(u(rng, 0.95, 1.02), u(rng, 0.45, 0.75), u(rng, 0.75, 0.95)),
        "ear_size": u(rng, 0.35, 0.8), "ear_width": u(rng, 0.25, 0.5), "ear_spread": u(rng, 0.45, 0.8),
        "ear_height": u(rng, 0.55, 0.8), "freckles": chance(rng, 0.06), "head_share": u(rng, 0.25, 0.55),
        "body_width": u(rng, 0.16, 0.45), "body_round": u(rng, 0, 1), "belly": chance(rng, 0.55),
        "limb": u(rng, 0.04, 0.12), "leg_length": u(rng, 0.1, 0.32), "hands": pick(rng, "mitten", "glove", "mitten"),
        "clothes": pick(rng, "none", "none", "vest", "dress", "shirt", "scarf", "trousers", "bowtie"),
        "shoes": chance(rng, 0.3),
    }  # fmt: skip


def random_design(rng: Rng, family: str | None = None) -> Design:
    """A character that is not of the sample cast; ``family`` (a key of FAMILIES) narrows what it may be."""
    name = family if family is not None else _NAMES[int(rng.choice(len(_NAMES), p=_WEIGHTS))]
    fields = FAMILIES[name][0](rng)
    skin = cast(Colour, fields["skin"])
    for key, value in _common(rng, skin).items():
        if fields.get(key) is None:
            fields[key] = value
    if chance(rng, 0.07):  # a colour that nobody expects
        fields["skin"] = random_colour(rng)
    if chance(rng, 0.12) and fields.get("hair", "none") == "none":
        fields["hair"] = pick(rng, *HAIRS)
    if fields["eye_width"] > fields["eye_x"] * 1.05 and fields["eye"] != "joined":
        fields["eye_x"] = fields["eye_width"] * 0.97
    known = {key: value for key, value in fields.items() if key in Design.__dataclass_fields__}
    return Design(name="unknown", **known)


COMPUTER_FAMILIES = ("rabbit", "rodent", "computer", "bird", "bear", "dog", "blob")
FILM_FAMILIES = ("sailor", "human", "lion", "hose", "dog", "bird", "cat", "monkey")


def modelled(rng: Rng, design: Design) -> Design:
    """The same character as computers draw it: no outline, soft shading."""
    return replace(design, outline=0.0, fill="radial", shading=u(rng, 0.3, 0.65), ink=scale_colour(design.skin, 0.3))


def look_alike(rng: Rng) -> str | None:
    """A family for a stranger among the cast: at times one that resembles somebody of the cast."""
    return LOOK_ALIKES[int(rng.integers(len(LOOK_ALIKES)))] if chance(rng, 0.35) else None
