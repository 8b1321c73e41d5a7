"""Cartoon characters that nobody has seen before, made up at random: families of designs with everything else free.

A model learns from them what a cartoon face is, and that a grey cat need not be *our* grey cat. Some families are held
out: nothing in training draws them, and what a model makes of them tells how it will do on an unseen cartoon.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal, cast

import numpy as np

from ml.render import families as f
from ml.render import families_held_out as h
from ml.render import families_more as m
from ml.render.canvas import Colour, mix, scale_colour
from ml.render.design import Design
from ml.render.families import HAIRS, Fields
from ml.render.ink import BLACK, WHITE, chance, hsv, random_colour, u
from ml.render.palette import hair_tone, pick

Rng = np.random.Generator
Split = Literal["training", "held_out"]
Family = Callable[[Rng], Fields]

# The families of training, each with how often it is drawn.
FAMILIES: dict[str, tuple[Family, float]] = {
    "human": (f.human, 0.13), "sailor": (f.sailor, 0.07), "yellow": (f.yellow, 0.04), "cutout": (f.cutout, 0.03),
    "hose": (f.hose, 0.06), "cat": (f.cat, 0.08), "lion": (f.lion, 0.05), "mouse": (f.mouse, 0.06),
    "dog": (f.dog, 0.08), "bear": (f.bear, 0.04), "pig": (f.pig, 0.02), "bird": (f.bird, 0.07),
    "rabbit": (f.rabbit, 0.06), "rodent": (f.rodent, 0.04), "computer": (f.computer, 0.06), "blob": (f.blob, 0.07),
    "monkey": (f.monkey, 0.03), "robot": (f.robot, 0.02), "other_grey_cat": (f.other_grey_cat, 0.03),
    "other_brown_mouse": (f.other_brown_mouse, 0.03), "other_yellow_bird": (f.other_yellow_bird, 0.02),
    "other_pink_pig": (f.other_pink_pig, 0.02), "fox": (m.fox, 0.04), "horse": (m.horse, 0.05), "cow": (m.cow, 0.03),
    "deer": (m.deer, 0.02), "devil": (m.devil, 0.03), "ghost": (m.ghost, 0.02), "wizard": (m.wizard, 0.04),
    "baby": (m.baby, 0.04), "royal": (m.royal, 0.07), "maned": (m.maned, 0.03), "crow": (m.crow, 0.03),
    "doll": (m.doll, 0.04),
}  # fmt: skip
HELD_OUT: dict[str, tuple[Family, float]] = {
    "frog": (h.frog, 1.0), "elephant": (h.elephant, 1.0), "dragon": (h.dragon, 1.0), "snowman": (h.snowman, 1.0),
    "owl": (h.owl, 1.0), "alien": (h.alien, 1.0), "sheep": (h.sheep, 1.0),
}  # fmt: skip
TRAINING_FAMILIES: tuple[str, ...] = tuple(FAMILIES)
HELD_OUT_FAMILIES: tuple[str, ...] = tuple(HELD_OUT)
LOOK_ALIKES = tuple(name for name in TRAINING_FAMILIES if name.startswith("other_"))
COMPUTER_FAMILIES = ("rabbit", "rodent", "computer", "bird", "bear", "dog", "blob", "fox", "baby", "doll", "horse")
FILM_FAMILIES = (
    "sailor", "human", "lion", "hose", "dog", "bird", "cat", "monkey", "royal", "wizard", "baby", "cow", "horse",
    "crow",
)  # fmt: skip
_SPLITS: dict[str, dict[str, tuple[Family, float]]] = {"training": FAMILIES, "held_out": HELD_OUT}


def families_of(split: Split, among: Sequence[str] = ()) -> tuple[str, ...]:
    """The families of a split; in training only those of ``among``, where it names any."""
    if split == "training" and among:
        return tuple(among)
    return tuple(_SPLITS[split])


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
        "shoes": chance(rng, 0.3), "taper": u(rng, -0.18, 0.18) if chance(rng, 0.3) else 0.0,
        "horn_colour": hsv(u(rng, 0.08, 0.14), u(rng, 0.1, 0.5), u(rng, 0.5, 1)), "horn_size": u(rng, 0.4, 0.8),
    }  # fmt: skip


def random_design(rng: Rng, family: str | None = None, split: Split = "training") -> Design:
    """A character that is not of the sample cast; ``family`` narrows what it may be.

    Raises ValueError where ``family`` is not one of the split's.
    """
    known = _SPLITS[split]
    if family is not None and family not in known:
        raise ValueError(f"{family} is no family of {split}")
    names = tuple(known)
    weights = np.array([weight for _, weight in known.values()])
    name = family if family is not None else names[int(rng.choice(len(names), p=weights / weights.sum()))]
    fields = known[name][0](rng)
    skin = cast(Colour, fields["skin"])
    for key, value in _common(rng, skin).items():
        if fields.get(key) is None:
            fields[key] = value
    if chance(rng, 0.07):  # a colour that nobody expects
        fields["skin"] = random_colour(rng)
    if split == "training" and chance(rng, 0.12) and fields.get("hair", "none") == fields.get("gear", "none") == "none":
        fields["hair"] = pick(rng, *HAIRS)
    if fields["eye_width"] > fields["eye_x"] * 1.05 and fields["eye"] != "joined":
        fields["eye_x"] = fields["eye_width"] * 0.97
    return Design(name="unknown", **{key: value for key, value in fields.items() if key in Design.__dataclass_fields__})


_TRAINING_NAMES = ("bella", "otto", "lulu", "max", "nina", "hugo", "ada", "fritz")
_HELD_OUT_NAMES = ("quentin", "wilma", "zeno", "olive", "igor", "yara", "ursula", "vito")


def _cast(rng: Rng, names: Sequence[str], families: Sequence[str], split: Split) -> dict[str, Design]:
    """Four characters of four families, whose colours can be told apart."""
    chosen = [names[int(i)] for i in rng.permutation(len(names))[:4]]
    found: dict[str, Design] = {}
    for slug, k in zip(chosen, rng.permutation(len(families)), strict=False):
        for _ in range(20):
            design = random_design(rng, families[int(k)], split)
            apart = min((float(np.abs(np.subtract(design.skin, d.skin)).sum()) for d in found.values()), default=999.0)
            if apart > 70.0 and sum(design.skin) > 150.0:
                break
        found[slug] = replace(design, name=slug)
    return found


def training_cast(seed: int) -> dict[str, Design]:
    """Four named characters of families that training draws, for a whole series. The same seed gives the same ones."""
    families = [name for name in TRAINING_FAMILIES if name not in LOOK_ALIKES]
    return _cast(np.random.default_rng([seed, 71]), _TRAINING_NAMES, families, "training")


def held_out_cast(seed: int) -> dict[str, Design]:
    """Four named characters of families that nothing in training draws."""
    return _cast(np.random.default_rng([seed, 72]), _HELD_OUT_NAMES, HELD_OUT_FAMILIES, "held_out")


def modelled(rng: Rng, design: Design) -> Design:
    """The same character as computers draw it: no outline, soft shading."""
    return replace(design, outline=0.0, fill="radial", shading=u(rng, 0.3, 0.65), ink=scale_colour(design.skin, 0.3))


def look_alike(rng: Rng) -> str | None:
    """A family for a stranger among the cast: at times one that resembles somebody of the cast."""
    return LOOK_ALIKES[int(rng.integers(len(LOOK_ALIKES)))] if chance(rng, 0.35) else None
