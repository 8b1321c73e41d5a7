"""How one studio draws the feelings of one character: which parts of the face speak, how loudly, and how it rests.

Drawn once per character and kept for all its drawings. Real cartoons seldom use every cue at once: some have no brows
or never move them, some let only the mouth speak, some are subtle, most talk and blink while they feel something.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ml.render.design import Design
from ml.render.drawn_face import Draw, Expression, blend
from ml.render.repertoire import MORE, Rule, takes
from ml.render.telling import borrowed, evidence, loosened, tells
from ml.types import Emotion

Rng = np.random.Generator


@dataclass(frozen=True, slots=True)
class Accent:
    """Factors are 1 for the textbook's drawing and 0 where a studio never uses the part."""

    brows: float = 1.0
    lids: float = 1.0  # how far lids close, and their angle
    eyes: float = 1.0  # how much eyes and pupils grow and shrink
    shut: float = 1.0  # the chance that eyes drawn closed by a rule are drawn closed
    mouth: float = 1.0  # curve, width and skew
    opening: float = 1.0
    teeth: float = 1.0  # chances, as all that follow up to ``tint``
    tears: float = 1.0
    sweat: float = 1.0
    signs: float = 1.0  # steam, shaking lines, folds, blush
    tint: float = 1.0
    ears: float = 1.0
    stretch: float = 1.0
    loudness: float = 1.0  # of all feelings
    borrow: float = 0.0  # chance of another feeling's mouth under eyes that tell, or the reverse
    loose: float = 0.0  # 0 every drawing on the spot .. 1 a loose hand
    lean: float = 0.0  # how far, at most, a drawing leans towards another emotion
    talk: float = 0.0  # chance of a mouth in mid-word over any feeling
    blink: float = 0.0
    take: float = 0.0  # chance that a strong feeling is exaggerated beyond anatomy
    own: float = 0.0  # chance of a drawing outside the textbook
    rest_brow: float = 0.0  # the face at rest: stern below 0
    rest_slant: float = 0.0  # inner minus outer end
    rest_lid: float = 0.0
    rest_curve: float = 0.0
    habit: int = 0  # which drawings of an emotion this studio favours


# Pairs that a person tells apart but that borrow each other's cues.
_NEAR: dict[Emotion, tuple[Emotion, ...]] = {
    Emotion.HAPPY: (Emotion.SURPRISED, Emotion.NEUTRAL),
    Emotion.SAD: (Emotion.SCARED, Emotion.NEUTRAL, Emotion.ANGRY),
    Emotion.ANGRY: (Emotion.DISGUSTED, Emotion.NEUTRAL, Emotion.SAD),
    Emotion.SURPRISED: (Emotion.SCARED, Emotion.HAPPY, Emotion.NEUTRAL),
    Emotion.SCARED: (Emotion.SURPRISED, Emotion.SAD),
    Emotion.DISGUSTED: (Emotion.ANGRY, Emotion.SAD, Emotion.NEUTRAL),
    Emotion.NEUTRAL: (Emotion.HAPPY, Emotion.SAD),
}


_WIDE_EYED = (Emotion.SURPRISED, Emotion.SCARED)


def random_accent(rng: Rng, design: Design | None = None) -> Accent:
    """A studio's way; what ``design`` lacks (brows) is spoken by the rest of its face."""
    d = Draw(rng)
    kind = rng.random()
    brows, lids, eyes, mouth, opening = (d.between(0.5, 1.2) for _ in range(5))
    if kind < 0.14:  # the mouth alone
        brows, lids, eyes, mouth, opening = 0.15 * d.between(0, 1), 0.3, 0.3, d.between(0.9, 1.3), d.between(0.8, 1.2)
    elif kind < 0.26:  # brows and lids alone
        mouth, opening, brows, lids = d.between(0.1, 0.4), d.between(0.1, 0.5), d.between(0.8, 1.4), d.between(0.8, 1.3)
    elif kind < 0.36:  # no brows
        brows, lids, eyes = 0.0, d.between(0.7, 1.3), d.between(0.7, 1.3)
    elif kind < 0.46:  # everything, and more of it
        brows, lids, eyes, mouth, opening = (d.between(1.0, 1.5) for _ in range(5))
    hidden = design is not None and (design.brow_thickness <= 0.0 or _hides_brows(design))
    if hidden:
        brows, lids, mouth, opening = 0.0, max(lids, 0.8), max(mouth, 0.8), max(opening, 0.6)
    if design is not None and (design.eye == "dot" or design.eye_height < 0.17):
        lids = min(lids, 0.5)  # hardly to be seen on them
        mouth, brows = max(mouth, 0.8), max(brows, 0.7) if brows > 0.0 else 0.0
    return Accent(
        brows=brows, lids=lids, eyes=eyes, mouth=mouth, opening=opening, shut=float(d.chance(0.75)),
        teeth=d.between(0.0, 1.0), tears=d.between(0.1, 1.0), sweat=d.between(0.0, 0.8), signs=d.between(0.0, 0.9),
        tint=float(d.chance(0.35)) * d.between(0.2, 1.0), ears=d.between(0.0, 1.3), stretch=d.between(0.0, 1.6),
        loudness=d.between(0.6, 1.1), lean=d.between(0.0, 0.3), talk=d.between(0.0, 0.3), blink=d.between(0.0, 0.05),
        take=d.between(0.1, 0.7) if d.chance(0.3) else 0.0, own=d.between(0.2, 0.8),
        rest_brow=d.jitter(0.04), rest_slant=d.jitter(0.05), rest_lid=d.between(0.15, 0.35) if d.chance(0.2) else 0.0,
        rest_curve=d.jitter(0.12), habit=int(rng.integers(1 << 31)),
        borrow=d.between(0.0, 0.4), loose=d.between(0.3, 1.0),
    )  # fmt: skip


def _hides_brows(design: Design) -> bool:
    """Whether a hat or hair comes down over the brows of this design."""
    low = -0.36 if design.gear == "fringe" else -0.55 if design.gear not in ("none", "wool", "crown") else -0.7
    if design.hair in ("cap", "hat", "bob", "bun", "spikes"):
        low = max(low, -0.6)
    return design.eye_y - design.eye_height - design.brow_gap < low - 0.12


def accented(emotion: Emotion, k: float, d: Draw, accent: Accent, textbook: Mapping[Emotion, Rule]) -> Expression:
    """A drawing of ``emotion`` in this accent, such that a person can still tell what it is."""
    strength = k * accent.loudness if emotion is not Emotion.NEUTRAL else k
    loud = _rule(emotion, d, accent, textbook)(strength, d)
    if accent.lean > 0.0 and d.chance(0.45):
        near = _NEAR[emotion]
        other = textbook[near[int(d.rng.integers(len(near)))]](0.6 * strength, d)
        loud = blend(loud, replace(other, tint_amount=0.0), d.between(0.0, accent.lean))
    rest = resting(accent)
    shown = _spoken(loud, rest, d, accent)
    lids = accent.lids > 0.5
    if d.chance(accent.borrow) and (lids or accent.brows > 0.4 or emotion is Emotion.HAPPY):
        shown = borrowed(shown, emotion, d)
    shown = loosened(shown, d, accent.loose)
    if emotion is not Emotion.NEUTRAL:
        wanted = 0.35 + 0.55 * k
        for _ in range(4):  # what is left must be enough for a person
            if evidence(shown, rest) >= wanted and tells(emotion, shown, accent.brows > 0.1, lids):
                break
            shown = blend(shown, replace(loud, tint_amount=shown.tint_amount), 0.5)
        if k > 0.6 and d.chance(accent.take):
            shown = takes(shown, emotion, d)
    if d.chance(accent.talk):
        shown = _in_mid_word(shown, d)
    told = emotion is Emotion.NEUTRAL or abs(shown.curve) > 0.4 or shown.tears > 0.3  # with the eyes shut as well
    if shown.eyes == "open" and told and emotion not in _WIDE_EYED and d.chance(accent.blink):
        shown = replace(shown, eyes="shut")
    return shown


def resting(accent: Accent) -> Expression:
    """The face that feels nothing."""
    half = 0.5 * accent.rest_slant
    return Expression(
        brow_inner=0.03 + accent.rest_brow + half, brow_outer=0.02 + accent.rest_brow - half,
        lid_top=0.08 + accent.rest_lid, curve=0.04 + accent.rest_curve, mouth_width=0.8,
    )  # fmt: skip


def _rule(emotion: Emotion, d: Draw, accent: Accent, textbook: Mapping[Emotion, Rule]) -> Rule:
    own = MORE[emotion]
    if not d.chance(accent.own):
        return textbook[emotion]
    taste = np.random.default_rng([accent.habit, len(emotion), ord(emotion[0])]).random(len(own)) ** 2 + 0.05
    return own[int(d.rng.choice(len(own), p=taste / taste.sum()))]


def _spoken(e: Expression, rest: Expression, d: Draw, a: Accent) -> Expression:
    """``e`` with each part as loud as the accent has it, above the character's own face at rest."""

    def part(name: str, factor: float) -> float:
        low = float(getattr(rest, name))
        return low + factor * (float(getattr(e, name)) - float(getattr(Expression(), name)))

    values: dict[str, Any] = {
        name: part(name, factor)
        for names, factor in (
            (("brow_inner", "brow_outer", "brow_asym"), a.brows),
            (("lid_bottom", "lid_angle", "lid_asym"), a.lids),
            (("eye_scale", "pupil"), a.eyes),
            (("curve", "skew"), a.mouth),
        )
        for name in names
    }
    feels = e.opening > 0.3 or abs(e.curve) > 0.2 or e.eye_scale > 1.05  # a face that acts rests less
    values["curve"] = float(np.clip(values["curve"] - 0.6 * a.rest_curve * feels, -1.0, 1.0))
    heavy = a.rest_lid if e.lid_top > 0.1 else 0.25 * a.rest_lid
    values["lid_top"] = float(np.clip(0.08 + heavy + a.lids * (e.lid_top - 0.08), 0.0, 0.75))
    values["brow_weight"] = 1.0 + a.brows * (e.brow_weight - 1.0)
    values["mouth_width"] = e.mouth_width * d.between(0.9, 1.1)
    values["opening"] = e.opening * min(1.3, a.opening)
    if e.mouth in ("open", "oval", "grin", "clench", "snarl", "tongue") and values["opening"] < 0.13:
        values["mouth"], values["opening"] = "line", 0.0
    if not d.chance(a.teeth):
        values["teeth"] = 0
        if e.mouth in ("grin", "snarl"):
            values["mouth"] = "line"
        elif e.mouth == "clench":
            values["mouth"] = "wavy" if d.chance(0.4) else "line"
    if e.eyes != "open" and not a.shut:
        values["eyes"] = "open"
        values["lid_top"] = max(values["lid_top"], 0.35)
    values["tears"] = e.tears if d.chance(a.tears) else 0.0
    values["sweat"] = e.sweat if d.chance(a.sweat) else 0.0
    values["tint_amount"] = e.tint_amount * a.tint
    values["ears"] = e.ears * a.ears
    values["stretch"] = e.stretch * a.stretch
    for name in ("steam", "tremble", "wrinkle", "blush"):
        values[name] = float(getattr(e, name)) if d.chance(a.signs) else 0.0
    return replace(e, **values)


def _in_mid_word(e: Expression, d: Draw) -> Expression:
    """Talking while feeling: the mouth's curve stays, its opening is the word's."""
    shape: Any = "oval" if d.chance(0.25) else "open"
    return replace(
        e, mouth=shape, opening=d.between(0.12, 0.6), mouth_width=d.between(0.45, 1.0), jaw=0.0,
        teeth=int(d.chance(0.5)), tongue=float(d.chance(0.6)), curve=0.85 * e.curve,
    )  # fmt: skip
