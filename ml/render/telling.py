"""Whether a drawing can still be told for what it is, and how far it may stray from the textbook before it cannot."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ml.render.drawn_face import Draw, Expression
from ml.types import Emotion


def evidence(e: Expression, rest: Expression) -> float:
    """How far an expression is from the face at rest, about 0 (not to be told) .. 4 (all out)."""
    eyes = 0.9 if e.eyes != "open" else abs(e.lid_top - rest.lid_top) + 0.9 * abs(e.lid_angle) + 0.6 * e.lid_bottom
    brows = 1.6 * (abs(e.brow_inner - rest.brow_inner) + abs(e.brow_outer - rest.brow_outer))
    size = 1.6 * abs(e.eye_scale - 1.0) + 0.5 * abs(e.pupil - 1.0)
    mouth = 0.6 * abs(e.curve - rest.curve) + 0.5 * e.opening * (e.mouth not in ("line", "wavy"))
    return float(eyes + brows + size + mouth + 0.5 * (e.tears > 0.3))


def tells(emotion: Emotion, e: Expression, brows: bool = True, lids: bool = True) -> bool:
    """Whether a person has the cue that sets this emotion apart.

    ``brows``, ``lids``: the character has brows and lids that can be seen and that move.
    """
    slant = e.brow_inner - e.brow_outer if brows else 0.0
    gapes = e.opening if e.mouth in ("open", "oval") else 0.0
    if emotion is Emotion.HAPPY:
        return e.curve > 0.35 and e.mouth not in ("oval", "wavy", "tongue")
    if emotion is Emotion.ANGRY:
        return slant < -0.15 or (lids and e.lid_angle > 0.3) or (e.mouth in ("clench", "snarl") and e.curve < 0.0)
    if emotion is Emotion.SAD:
        return e.tears > 0.2 or slant > 0.15 or (e.curve < -0.4 and e.lid_angle < 0.15)
    if emotion is Emotion.SURPRISED:
        raised = brows and e.brow_inner > 0.15
        return e.eyes == "open" and e.curve < 0.45 and (e.eye_scale > 1.12 or (raised and gapes > 0.2))
    if emotion is Emotion.SCARED:
        worry = slant > 0.15 or e.curve < -0.3 or e.mouth in ("wavy", "clench")
        return worry and (e.pupil < 0.6 or e.eye_scale > 1.08 or e.sweat > 0.3 or e.tremble > 0.3)
    if emotion is Emotion.DISGUSTED:
        return e.mouth in ("tongue", "snarl") or (e.wrinkle > 0.5 and e.curve < -0.2) or abs(e.skew) > 0.15
    return True


def loosened(e: Expression, d: Draw, amount: float) -> Expression:
    """Every part a little off, as no two drawings of a feeling have the same numbers; gaze is free to wander."""
    a = amount
    values: dict[str, Any] = {
        "brow_inner": e.brow_inner + a * d.jitter(0.05),
        "brow_outer": e.brow_outer + a * d.jitter(0.05),
        "brow_asym": e.brow_asym + a * d.jitter(0.04),
        "brow_weight": e.brow_weight * d.between(1.0 - 0.15 * a, 1.0 + 0.15 * a),
        "eye_scale": e.eye_scale * d.between(1.0 - 0.08 * a, 1.0 + 0.08 * a),
        "lid_top": float(np.clip(e.lid_top + a * d.jitter(0.06), 0.0, 0.8)),
        "lid_bottom": max(0.0, e.lid_bottom + a * d.jitter(0.06)),
        "lid_angle": e.lid_angle + a * d.jitter(0.1),
        "pupil": e.pupil * d.between(1.0 - 0.25 * a, 1.0 + 0.3 * a),
        "curve": float(np.clip(e.curve + a * d.jitter(0.12), -1.0, 1.0)),
        "opening": max(0.0, e.opening * d.between(1.0 - 0.3 * a, 1.0 + 0.3 * a)),
        "mouth_width": e.mouth_width * d.between(1.0 - 0.25 * a, 1.0 + 0.25 * a),
        "skew": e.skew + a * d.jitter(0.08),
        "ears": float(np.clip(e.ears + a * d.jitter(0.3), -1.0, 1.0)),
        "stretch": e.stretch + a * d.jitter(0.03),
    }
    if d.chance(0.5 * a):
        values["gaze_x"], values["gaze_y"] = d.between(-0.8, 0.8), float(np.clip(e.gaze_y + d.jitter(0.3), -0.9, 0.9))
    if e.mouth in ("open", "oval"):
        values["teeth"] = int(d.chance(0.5)) if d.chance(0.4 * a) else e.teeth
        values["tongue"] = float(d.chance(0.5)) if d.chance(0.4 * a) else e.tongue
    return replace(e, **values)


def borrowed(e: Expression, emotion: Emotion, d: Draw) -> Expression:
    """Another mouth under eyes that tell, or calm eyes over a mouth that tells."""
    if emotion is Emotion.HAPPY and e.curve > 0.4:
        lids = d.between(0.05, 0.4)
        brow = d.jitter(0.1)
        return replace(
            e, eyes="open", brow_inner=brow, brow_outer=brow + d.jitter(0.06), lid_top=lids, lid_bottom=0.0,
            eye_scale=d.between(0.95, 1.2), lid_angle=d.jitter(0.2),
        )  # fmt: skip
    if emotion in (Emotion.ANGRY, Emotion.SURPRISED, Emotion.SCARED) and e.eyes == "open":
        mouths: tuple[dict[str, Any], ...] = (
            {"mouth": "line", "curve": d.jitter(0.2), "mouth_width": d.between(0.5, 1.0), "opening": 0.0},
            {
                "mouth": "open",
                "curve": d.jitter(0.3),
                "opening": d.between(0.2, 0.7),
                "mouth_width": d.between(0.5, 1.1),
            },
            {"mouth": "oval", "opening": d.between(0.2, 0.6), "mouth_width": d.between(0.35, 0.7)},
            {"mouth": "grin", "curve": d.between(0.0, 0.4), "opening": 0.25, "teeth": 2},
            {"mouth": "wavy", "curve": d.jitter(0.3), "opening": 0.0},
        )
        return replace(e, **mouths[int(d.rng.integers(len(mouths)))])
    if emotion is Emotion.SAD and (e.tears > 0.3 or e.brow_inner - e.brow_outer > 0.25):
        if d.chance(0.5):
            return replace(e, mouth="open", opening=d.between(0.15, 0.4), curve=d.between(-0.4, 0.1), mouth_width=0.7)
        return replace(e, mouth="line", opening=0.0, curve=d.between(-0.3, 0.25), mouth_width=d.between(0.5, 0.9))
    return e
