"""The visible parts of an expression as numbers: the truth for a reader that predicts parts before emotions.

Each is scaled to about -1..1 (what has a middle) or 0..1 (what has none). NaN: the design has no such part, or it
cannot be seen, as a pupil behind a closed lid.
"""

from __future__ import annotations

import math

from ml.render.design import Design, Pose
from ml.render.drawn_face import Expression

PARTS: tuple[str, ...] = (
    "brow_inner",  # height of the brows' inner ends: -1 pressed down on the eyes .. 1 raised
    "brow_outer",
    "brow_asym",  # 1: the brow on the picture's left is higher
    "eye_open",  # 0 the upper lid is shut .. 1 wide open
    "lid_bottom",  # 0 down .. 1 pushed up by the cheek
    "lid_angle",  # 1 pressed down at the nose (anger) .. -1 drooping outwards
    "eye_size",  # -1 shrunk .. 1 popping; 0 as at rest
    "gaze_x",  # -1 the picture's left .. 1 right, of a head that stands upright
    "gaze_y",  # -1 up .. 1 down
    "pupil",  # -1 pin-pricks .. 1 huge; 0 as at rest
    "eyes_shut",  # 0 or 1
    "mouth_curve",  # -1 corners down .. 1 up
    "mouth_open",  # 0 .. 1 as wide as jaws go
    "mouth_width",  # -1 pursed .. 1 as wide as the face
    "teeth",  # 0 none .. 1 both rows
    "tongue",  # 0 .. 1 out
    "tears",
    "sweat",
    "ears",  # -1 flat .. 1 pricked
)
BROW_PARTS = ("brow_inner", "brow_outer", "brow_asym")
EYE_PARTS = ("eye_open", "lid_bottom", "lid_angle", "eye_size", "gaze_x", "gaze_y", "pupil", "eyes_shut")
MOUTH_PARTS = ("mouth_curve", "mouth_open", "mouth_width", "teeth", "tongue")
UNSEEN = tuple(math.nan for _ in PARTS)

_GAPING = ("open", "oval", "tongue", "grin", "clench", "snarl")


def parts_of(expression: Expression, design: Design | None = None, pose: Pose | None = None) -> tuple[float, ...]:
    """One number per name in PARTS. ``design`` says what the character has, ``pose`` whether it blinks."""
    e = expression
    blink = pose.blink if pose is not None else 0.0
    values = _brows(e) | _eyes(e, blink) | _mouth(e)
    values |= {"tears": e.tears if e.tears >= 0.15 else 0.0, "sweat": e.sweat if e.sweat > 0.1 else 0.0}
    values["ears"] = _within(e.ears)
    if design is not None:
        if design.brow_thickness <= 0.0:
            values |= dict.fromkeys(BROW_PARTS, math.nan)
        if design.ears == "none":
            values["ears"] = math.nan
        if design.eye == "dot" and values["eyes_shut"] < 0.5 and e.pupil > 0.6:
            values |= dict.fromkeys(("gaze_x", "gaze_y", "pupil"), math.nan)
    return tuple(values[name] for name in PARTS)


def hide_parts(parts: tuple[float, ...], names: tuple[str, ...]) -> tuple[float, ...]:
    """``parts`` with those that something covers as NaN."""
    return tuple(math.nan if name in names else value for name, value in zip(PARTS, parts, strict=True))


def _within(value: float, low: float = -1.0, high: float = 1.0) -> float:
    return min(high, max(low, value))


def _brows(e: Expression) -> dict[str, float]:
    return {
        "brow_inner": _within(2.5 * e.brow_inner),
        "brow_outer": _within(2.5 * e.brow_outer),
        "brow_asym": _within(4.0 * e.brow_asym),
    }


def _eyes(e: Expression, blink: float) -> dict[str, float]:
    if e.eyes != "open" or blink > 0.9:
        # A laughing arch is pushed up from below, a squeeze from both sides.
        bottom = {"open": 0.0, "shut": 0.0, "arch": 1.0, "squeeze": 0.6}[e.eyes]
        angle = {"open": 0.0, "shut": 0.5 * _within(e.lid_angle), "arch": 0.0, "squeeze": 0.6}[e.eyes]
        unseen = dict.fromkeys(("eye_size", "gaze_x", "gaze_y", "pupil"), math.nan)
        return {"eye_open": 0.0, "lid_bottom": bottom, "lid_angle": angle, "eyes_shut": 1.0} | unseen
    lid = e.lid_top + 0.5 * e.lid_asym
    return {
        "eye_open": _within(1.0 - (lid + (1.0 - lid) * blink), 0.0),
        "lid_bottom": _within(1.5 * e.lid_bottom, 0.0),
        "lid_angle": _within(e.lid_angle),
        "eye_size": _within((e.eye_scale - 1.0) / 0.5),
        "gaze_x": _within(e.gaze_x),
        "gaze_y": _within(e.gaze_y),
        "pupil": _within((e.pupil - 1.0) / 0.7),
        "eyes_shut": 0.0,
    }


def _mouth(e: Expression) -> dict[str, float]:
    gaping = e.mouth in _GAPING
    teeth = {"grin": 1.0, "clench": 1.0, "snarl": 0.7}.get(e.mouth, 0.5 * e.teeth if e.opening > 0.15 else 0.0)
    tongue = 1.0 if e.mouth == "tongue" else 0.5 * e.tongue if e.mouth in ("open", "oval") and e.opening > 0.15 else 0.0
    return {
        "mouth_curve": 0.0 if e.mouth == "oval" else _within(e.curve),
        "mouth_open": _within(e.opening / 1.2, 0.0) if gaping else 0.0,
        "mouth_width": _within((e.mouth_width - 0.85) / 0.5),
        "teeth": teeth if gaping else 0.0,
        "tongue": tongue,
    }
