"""The seven emotions as drawings: which brows, lids and mouths go together, and how each studio draws them.

The parts themselves are in drawn_face.py; an Accent (accent.py) says which of them one studio uses, and how much.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ml.render.accent import Accent, accented
from ml.render.canvas import Colour
from ml.render.drawn_face import Draw, Expression, Eyes, Mouth, blend
from ml.types import Emotion

__all__ = ["Expression", "Eyes", "Mouth", "blend", "expression_for"]

RED: Colour = (222.0, 48.0, 24.0)
BLUE: Colour = (150.0, 185.0, 235.0)
GREEN: Colour = (122.0, 182.0, 60.0)


def _happy(k: float, d: Draw) -> Expression:
    base = Expression(
        brow_inner=0.10 * k + d.jitter(0.03),
        brow_outer=0.08 * k + d.jitter(0.03),
        lid_top=0.02,
        lid_bottom=0.30 * k,
        eye_scale=1.0 + 0.05 * k,
        curve=0.45 + 0.5 * k,
        mouth_width=1.1 + 0.2 * k,
        ears=0.25 * k,
        pupil=1.1,
        blush=0.6 * k if d.chance(0.4) else 0.0,
        stretch=0.03 * k,
    )
    variant = d.rng.integers(5)
    if variant == 0:  # a broad smile
        return replace(base, curve=0.7 + 0.3 * k, skew=d.jitter(0.05))
    if variant == 1:  # arched, closed eyes over a laughing mouth
        return replace(base, eyes="arch", mouth="open", opening=0.35 + 0.45 * k, teeth=1, tongue=1.0)
    if variant == 2:  # a toothy grin
        return replace(base, mouth="grin", opening=0.25 + 0.15 * k, teeth=2)
    opening = (0.3 if variant == 3 else 0.5) + 0.4 * k
    return replace(base, mouth="open", opening=opening, teeth=int(d.chance(0.7)), tongue=1.0)


def _sad(k: float, d: Draw) -> Expression:
    base = Expression(
        brow_inner=0.16 + 0.22 * k + d.jitter(0.03),
        brow_outer=-0.12 - 0.16 * k + d.jitter(0.03),
        lid_top=0.22 + 0.2 * k,
        lid_angle=-0.3 - 0.3 * k,
        eye_scale=0.95,
        gaze_y=0.35 + d.jitter(0.1),
        gaze_x=d.jitter(0.25),
        curve=-0.5 - 0.4 * k,
        mouth_width=0.75 + d.jitter(0.08),
        ears=-0.7 * k,
        stretch=-0.03 * k,
    )
    variant = d.rng.integers(5)
    if variant == 0:
        return base
    if variant == 1:
        return replace(base, tears=0.5 + 0.5 * k)
    if variant == 2:  # looks away with shut eyes, a tear running
        return replace(base, eyes="shut", tears=0.6, lid_top=0.3)
    if variant == 3:  # bawling
        return replace(
            base,
            eyes="squeeze" if d.chance(0.4) else "shut",
            mouth="open",
            opening=0.4 + 0.4 * k,
            curve=-0.9,
            tears=1.0,
            tongue=0.8,
            mouth_width=0.95,
        )
    return replace(base, mouth="wavy", curve=-0.7, mouth_width=0.6, tears=0.55 + 0.3 * k, lid_top=0.32)


def _angry(k: float, d: Draw) -> Expression:
    base = Expression(
        brow_inner=-0.24 - 0.18 * k + d.jitter(0.02),
        brow_outer=0.16 + 0.18 * k + d.jitter(0.03),
        brow_weight=1.35,
        lid_top=0.20 + 0.12 * k,
        lid_angle=0.5 + 0.4 * k,
        lid_bottom=0.15 * k,
        pupil=0.8 - 0.1 * k,
        curve=-0.45 - 0.3 * k,
        ears=-0.35 * k,
        wrinkle=0.8 * k,
        tint=RED,
        tint_amount=(0.14 + 0.18 * k) if d.chance(0.5) else 0.0,
        steam=1.0 if k > 0.85 and d.chance(0.4) else 0.0,
        gaze_x=d.jitter(0.15),
    )
    variant = d.rng.integers(4)
    if variant == 0:  # clenched teeth
        return replace(base, mouth="clench", opening=0.32 + 0.12 * k, teeth=2, mouth_width=1.1)
    if variant == 1:  # shouting
        return replace(
            base, mouth="open", opening=0.45 + 0.5 * k, teeth=2 if d.chance(0.5) else 1, tongue=0.7, mouth_width=1.15
        )
    if variant == 2:  # pressed lips, pulled down
        return replace(base, curve=-0.6 - 0.3 * k, mouth_width=0.85, skew=d.jitter(0.08))
    return replace(base, mouth="snarl", opening=0.35, teeth=1, mouth_width=1.05, skew=0.2 * d.side())


def _surprised(k: float, d: Draw) -> Expression:
    base = Expression(
        brow_inner=0.24 + 0.10 * k + d.jitter(0.03),
        brow_outer=0.18 + 0.09 * k + d.jitter(0.03),
        lid_top=0.0,
        eye_scale=1.15 + 0.22 * k,
        pupil=0.72 + d.jitter(0.06),
        gaze_x=d.jitter(0.1),
        gaze_y=d.jitter(0.06),
        curve=0.0,
        ears=0.7 * k,
        stretch=0.06 + 0.08 * k,
        mouth="oval",
        opening=0.35 + 0.5 * k,
        mouth_width=0.5 + d.jitter(0.06),
    )
    variant = d.rng.integers(3)
    if variant == 0:
        return base
    if variant == 1:  # a small round o
        return replace(base, opening=0.26 + 0.14 * k, mouth_width=0.4)
    return replace(base, opening=0.7 + 0.5 * k, mouth_width=0.62, tongue=0.8)  # the jaw drops


def _scared(k: float, d: Draw) -> Expression:
    base = Expression(
        brow_inner=0.22 + 0.12 * k + d.jitter(0.03),
        brow_outer=-0.10 + d.jitter(0.03),
        lid_top=0.0,
        eye_scale=1.12 + 0.2 * k,
        pupil=0.36 + d.jitter(0.03),
        gaze_x=d.jitter(0.2),
        curve=-0.45,
        sweat=0.6 + 0.4 * k,
        ears=-0.6 * k,
        tint=BLUE,
        tint_amount=(0.15 + 0.2 * k) if d.chance(0.7) else 0.0,
        tremble=1.0 if d.chance(0.6) else 0.0,
        stretch=-0.02,
    )
    variant = d.rng.integers(3)
    if variant == 0:
        return replace(base, mouth="wavy", mouth_width=1.1)
    if variant == 1:  # chattering teeth
        return replace(base, mouth="clench", opening=0.3 + 0.1 * k, teeth=2, mouth_width=1.15, curve=-0.5)
    return replace(  # a scream with the corners pulled down
        base, mouth="open", opening=0.4 + 0.4 * k, curve=-0.8, mouth_width=1.0, teeth=1, tongue=0.6, stretch=0.08
    )


def _disgusted(k: float, d: Draw) -> Expression:
    side = d.side()
    base = Expression(
        brow_inner=-0.14 - 0.08 * k + d.jitter(0.02),
        brow_outer=0.0 + d.jitter(0.03),
        brow_asym=side * (0.12 + 0.08 * k),
        lid_top=0.38 + 0.12 * k,
        lid_bottom=0.28 + 0.12 * k,
        lid_asym=side * 0.14,
        lid_angle=0.12,
        pupil=0.85,
        gaze_x=d.between(0.3, 0.6) * d.side(),
        gaze_y=0.1,
        curve=-0.6,
        wrinkle=1.0,
        tint=GREEN,
        tint_amount=(0.2 + 0.16 * k) if d.chance(0.65) else 0.0,
        ears=-0.3 * k,
        stretch=-0.03 * k,
        skew=side * 0.15,
    )
    variant = d.rng.integers(3)
    if variant == 0:  # bleh
        return replace(base, mouth="tongue", opening=0.35 + 0.2 * k, tongue=1.0, mouth_width=1.0)
    if variant == 1:  # a curled lip
        return replace(base, mouth="snarl", opening=0.28, teeth=1, skew=side * 0.32)
    return replace(base, eyes="squeeze", mouth="tongue", opening=0.4, tongue=1.0, mouth_width=0.95)


def _neutral(k: float, d: Draw) -> Expression:
    base = Expression(
        brow_inner=0.03 + d.jitter(0.025),
        brow_outer=0.02 + d.jitter(0.025),
        lid_top=0.12 + d.between(0.0, 0.12),
        gaze_x=d.jitter(0.3),
        gaze_y=d.jitter(0.12),
        curve=0.06 + d.jitter(0.05),
        mouth_width=0.75 + d.jitter(0.08),
    )
    if d.chance(0.2):  # mid-word
        return replace(base, mouth="open", opening=d.between(0.08, 0.16), curve=0.05, mouth_width=0.6)
    return base


_EMOTIONS: dict[Emotion, Callable[[float, Draw], Expression]] = {
    Emotion.HAPPY: _happy,
    Emotion.SAD: _sad,
    Emotion.ANGRY: _angry,
    Emotion.SURPRISED: _surprised,
    Emotion.SCARED: _scared,
    Emotion.DISGUSTED: _disgusted,
    Emotion.NEUTRAL: _neutral,
}


def expression_for(
    emotion: Emotion, intensity: float, rng: np.random.Generator, accent: Accent | None = None
) -> Expression:
    """One of several drawings of ``emotion``; ``intensity`` 0 (barely) .. 1 (all out).

    ``accent``: the way in which one studio draws one character; None draws every cue there is, as textbooks do.
    """
    k = float(np.clip(intensity, 0.0, 1.0))
    draw = Draw(rng)
    if accent is None:
        return _EMOTIONS[emotion](k, draw)
    return accented(emotion, k, draw, accent, _EMOTIONS)
