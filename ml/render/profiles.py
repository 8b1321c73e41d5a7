"""Heads in true profile, looking to the right: people, birds, and animals with snouts of all lengths."""

from __future__ import annotations

import numpy as np

from ml.render.canvas import Path, ellipse, hull, mix, scale_colour, smooth
from ml.render.ink import BLACK, WHITE, chance, random_colour, u
from ml.render.profiles_odd import ODD
from ml.render.stranger_head import MOUTH, TONGUE, Head

Range = tuple[float, float]
# How far the snout stands out, how low it lies, and how thick it is.
_SNOUTS: dict[str, tuple[Range, Range, Range]] = {
    "dog": ((0.5, 1.1), (0.12, 0.32), (0.24, 0.36)),
    "cat": ((0.15, 0.4), (0.12, 0.32), (0.24, 0.34)),
    "rodent": ((0.2, 0.6), (0.12, 0.32), (0.2, 0.32)),
    "fox": ((0.6, 1.0), (0.16, 0.34), (0.18, 0.24)),
    "horse": ((0.7, 1.05), (0.3, 0.55), (0.32, 0.42)),
    "crocodile": ((0.9, 1.4), (0.15, 0.3), (0.2, 0.28)),
    "pig": ((0.15, 0.35), (0.1, 0.25), (0.26, 0.36)),
    "cow": ((0.35, 0.7), (0.25, 0.42), (0.36, 0.46)),
}


def profile(h: Head) -> None:
    """A head that looks to the right."""
    rng = h.rng
    if h.kind in ODD:
        ODD[h.kind](h)
        return
    _behind(h)
    opening = h.opening
    if h.kind in _SNOUTS:
        skull = ellipse(-0.1, -0.12, u(rng, 0.75, 0.95), u(rng, 0.72, 0.9))
        _snout(h, skull, opening)
    elif h.kind == "bird":
        skull = ellipse(-0.1, -0.1, u(rng, 0.65, 0.9), u(rng, 0.7, 0.95))
        _beak(h, skull, opening)
    elif h.kind == "child":
        _child(h, opening)
    else:
        _man(h, opening, h.kind == "tough")
    ex, ey = u(rng, 0.22, 0.42), u(rng, -0.38, -0.16)
    rx, ry = u(rng, 0.09, 0.2), u(rng, 0.14, 0.32)
    if h.kind == "child":
        ey += 0.2
    if chance(rng, 0.45):  # the far eye peeps over the bridge of the nose
        h.eye(ex + rx * 1.3, ey - 0.03, rx * 0.75, ry * 0.95)
    h.eye(ex, ey, rx, ry)
    _before(h)


def _behind(h: Head) -> None:
    rng = h.rng
    if h.kind in _SNOUTS and chance(rng, 0.8):
        far = [(0.0, -0.6), (u(rng, -0.1, 0.3), -u(rng, 1.1, 1.6)), (0.4, -0.6)]
        if h.kind == "rodent":
            h.part(ellipse(-0.05, -0.95, 0.42, 0.46), h.skin, face=False)
        elif h.kind in ("cat", "fox"):
            h.part(smooth(far), scale_colour(h.skin, 0.9), face=False)
        elif h.kind in ("cow", "crocodile"):
            horn = smooth([(-0.2, -0.75), (0.0, -1.2), (0.25, -1.35), (0.15, -0.95), (0.1, -0.75)])
            h.part(horn, (236.0, 222.0, 190.0), face=False)
    if h.person and chance(rng, 0.5):
        h.part(
            smooth([(-0.9, -0.9), (0.3, -1.15), (0.2, -0.6), (-0.5, 0.2), (-1.15, u(rng, 0.2, 0.9)), (-1.2, -0.3)]),
            h.hair,
            face=False,
        )


def _man(h: Head, opening: float, tough: bool) -> None:
    """Brow, nose, lips and chin in outline; the jaw of a tough runs ahead of his nose."""
    rng = h.rng
    nose, droop = u(rng, 0.12, 0.6), u(rng, -0.12, 0.2)
    jaw = u(rng, 0.15, 0.4) if tough else u(rng, -0.2, 0.12)
    forehead, low = u(rng, 0.5, 0.85), u(rng, 0.85, 1.15) + 0.3 * opening
    bulb = [(0.7, -0.14), (0.72 + nose, 0.04 + droop), (0.68 + 0.8 * nose, 0.2 + droop), (0.7, 0.26)]
    lips = [(0.76 + 0.3 * jaw, 0.38), (0.7, 0.47), (0.72 + 0.6 * jaw, 0.56 + 0.5 * opening)]
    chin = [(0.66 + jaw, low - 0.12), (0.4 + jaw, low), (-0.1, 0.95), (-0.6, 0.75)]
    skull = [(-0.92, 0.2), (-0.95, -0.35), (-0.55, -0.85), (0.0, -1.0), (forehead, -0.72), (0.74, -0.36)]
    outline = [*skull, *bulb, *lips, *chin]
    h.part(smooth(outline, steps=4), h.skin)
    curve = h.expression.curve
    corner = (u(rng, 0.15, 0.4), 0.48 - 0.2 * curve + 0.2 * opening)
    if opening > 0.12:
        mouth = smooth([(0.71, 0.42), corner, (0.4, 0.6 + 0.5 * opening), (0.7, 0.54 + 0.48 * opening)])
        h.canvas.fill(mouth, MOUTH, h.face)
        with h.canvas.clip(mouth):
            h.canvas.fill(ellipse(0.5, 0.66 + 0.5 * opening, 0.25, 0.18), TONGUE)
            if h.toothy:
                h.canvas.fill(ellipse(0.6, 0.42, 0.3, 0.09), WHITE)
    else:
        h.line([(0.74, 0.46), (0.5, 0.5), corner], 0.07)
    if chance(rng, 0.5):  # a bulb of a nose
        h.part(
            ellipse(0.72 + 0.7 * nose, 0.08 + droop, 0.1 + 0.3 * nose, 0.12 + 0.22 * nose),
            mix(h.skin, (230.0, 90.0, 80.0), u(rng, 0, 0.5)),
        )


def _snout(h: Head, skull: Path, opening: float) -> None:
    rng = h.rng
    lengths, heights, widths = _SNOUTS[h.kind]
    length, y, thick = u(rng, *lengths), u(rng, *heights), u(rng, *widths)
    tip = 0.6 + length
    lower = hull(ellipse(0.2, 0.45, 0.35, 0.3), ellipse(tip - 0.25, y + 0.35 + 0.7 * opening, 0.16, 0.12))
    if opening > 0.1:
        h.part(lower, h.light)
        gap = np.array([(0.15, 0.4), (tip - 0.1, y + 0.15), (tip - 0.15, y + 0.35 + 0.65 * opening)])
        h.canvas.fill(gap, MOUTH, h.face)
        h.canvas.fill(
            ellipse(0.45 + 0.3 * length, y + 0.3 + 0.5 * opening, 0.3 * length + 0.08, 0.1, 20 * opening), TONGUE
        )
    h.part(skull, h.skin)
    muzzle = hull(ellipse(0.3, y + 0.1, 0.4, thick + 0.1), ellipse(tip - 0.2, y, 0.22, thick * 0.8))
    h.part(muzzle, h.light if chance(rng, 0.5) else h.skin, x=0.6, y=y, r=0.5)
    if opening <= 0.1:
        curve = h.expression.curve
        h.line([(tip - 0.15, y + 0.2), (0.6, y + 0.3), (0.2, y + 0.28 - 0.25 * curve)], 0.07)
    nose = u(rng, 0.09, 0.2)
    if h.kind in ("horse", "crocodile", "cow"):
        h.canvas.fill(ellipse(tip - 0.1, y - 0.4 * thick, 0.05, 0.07, 20), scale_colour(h.skin, 0.4))
    elif h.kind == "pig":
        h.part(ellipse(tip, y, 0.12, thick * 0.9), scale_colour(h.skin, 0.9))
    else:
        _nose_tip(h, tip, y, thick, nose)
    if (chance(rng, 0.3) or h.kind == "crocodile") and opening > 0.1:
        for k in range(4):
            x = 0.5 + (tip - 0.7) * k / 3
            h.canvas.fill(np.array([(x, y + 0.2), (x + 0.1, y + 0.2), (x + 0.05, y + 0.36)]), WHITE)


def _beak(h: Head, skull: Path, opening: float) -> None:
    rng = h.rng
    length, deep, hook = u(rng, 0.45, 1.3), u(rng, 0.14, 0.34), u(rng, 0.0, 0.45) if chance(rng, 0.5) else 0.0
    y = u(rng, 0.0, 0.22)
    drop = 0.7 * opening
    lower = smooth(
        [
            (0.4, y + 0.12),
            (0.6 + 0.6 * length, y + 0.2 + drop * 0.9),
            (0.55 + 0.8 * length, y + 0.22 + drop),
            (0.4, y + 0.38 + 0.3 * drop),
        ]
    )
    h.part(lower, scale_colour(h.bill, 0.88))
    if opening > 0.1:
        h.canvas.fill(
            np.array([(0.35, y + 0.1), (0.6 + 0.75 * length, y + 0.1), (0.5 + 0.7 * length, y + 0.18 + 0.85 * drop)]),
            MOUTH,
            h.face,
        )
    h.part(skull, h.skin)
    upper = [
        (0.45, y - deep),
        (0.6 + 0.5 * length, y - deep * 0.9),
        (0.6 + length, y + 0.05),
        (0.6 + length - 0.05, y + 0.12 + hook),
        (0.6 + 0.7 * length, y + 0.12),
        (0.4, y + 0.16),
    ]
    h.part(smooth(upper, steps=4), h.bill, x=0.7, y=y, r=0.5)
    h.canvas.fill(ellipse(0.72, y - 0.4 * deep, 0.06, 0.03), scale_colour(h.bill, 0.4))


def _before(h: Head) -> None:
    """Near ear, hair, hat, pipe."""
    rng = h.rng
    if h.person:
        h.part(ellipse(-0.25, 0.05, u(rng, 0.1, 0.18), u(rng, 0.16, 0.26)), h.skin, face=False)
        r = rng.random()
        if r < 0.3:
            h.part(
                smooth(
                    [(-1.0, 0.1), (-1.05, -0.6), (-0.3, -1.1), (0.6, -0.85), (0.45, -0.55), (-0.1, -0.5), (-0.4, -0.05)]
                ),
                h.hair,
                face=False,
            )
        elif r < 0.6:
            cap = random_colour(rng)
            h.part(smooth([(-0.95, -0.5), (-0.85, -1.1), (0.2, -1.25), (0.75, -0.65), (0.0, -0.55)]), cap, face=False)
            if chance(rng, 0.6):
                h.part(
                    smooth([(0.3, -0.7), (1.2, -0.62), (1.1, -0.52), (0.3, -0.56)]), scale_colour(cap, 0.8), face=False
                )
        if chance(rng, 0.2):
            h.part(
                smooth([(-0.3, 0.3), (0.1, 0.35), (0.5, 0.62), (0.75, 0.7), (0.6, u(rng, 1.0, 1.6)), (-0.2, 1.1)]),
                h.hair,
                face=False,
            )
        if h.kind == "tough" and chance(rng, 0.5):  # a pipe
            h.canvas.stroke(
                smooth([(0.75, 0.5), (1.0, 0.55), (1.15, 0.5)], closed=False), (120.0, 84.0, 50.0), 0.08, face=0
            )
            h.part(ellipse(1.2, 0.4, 0.11, 0.16), (140.0, 96.0, 56.0), face=False)
    elif h.kind == "dog":
        h.part(
            smooth([(-0.35, -0.6), (0.0, -0.55), (0.1, 0.2), (-0.1, u(rng, 0.4, 0.9)), (-0.4, 0.3)]),
            scale_colour(h.skin, u(rng, 0.5, 1)),
            face=False,
        )
    elif h.kind in ("cat", "fox"):
        h.part(np.array([(-0.6, -0.6), (-0.35, -u(rng, 1.2, 1.7)), (0.05, -0.75)]), h.skin, face=False)
    elif h.kind in ("horse", "cow", "pig"):
        tall = u(rng, 0.5, 1.0) if h.kind == "horse" else u(rng, 0.3, 0.55)
        ear = ellipse(0.0, -tall * 0.6, 0.16, tall * 0.6)
        with h.canvas.at(-0.35, -0.75, rotate=-20.0 if h.kind == "horse" else -60.0):
            h.part(ear, h.skin, face=False)
        if h.kind == "horse" and chance(rng, 0.7):
            mane = smooth([(0.15, -1.1), (-0.5, -1.15), (-1.15, -0.5), (-1.2, 0.6), (-0.85, 0.3), (-0.6, -0.5)])
            h.part(mane, h.hair, face=False)
    elif h.kind == "rodent":
        h.part(ellipse(-0.45, -0.8, u(rng, 0.3, 0.55), u(rng, 0.35, 0.6)), h.skin, face=False)
    elif chance(rng, 0.4):
        for k in range(3):
            h.part(
                ellipse(-0.4 - 0.15 * k, -0.9 + 0.12 * k, 0.32, 0.1, 50 + 25 * k),
                h.skin if chance(rng, 0.6) else random_colour(rng),
                face=False,
            )


def _nose_tip(h: Head, tip: float, y: float, thick: float, size: float) -> None:
    colour = BLACK if chance(h.rng, 0.7) else (220.0, 110.0, 120.0)
    h.canvas.fill(ellipse(tip, y - thick * 0.5, size, size * 0.8), colour, h.face)


def _child(h: Head, opening: float) -> None:
    """A round head with a large brow, a button nose and a small chin."""
    rng = h.rng
    nose, low = u(rng, 0.06, 0.2), 0.82 + 0.2 * opening
    skull = [(-0.95, 0.2), (-1.0, -0.35), (-0.6, -0.9), (0.0, -1.05), (0.55, -0.85), (0.8, -0.35), (0.76, 0.0)]
    front = [(0.8 + nose, 0.18), (0.76, 0.3), (0.84, 0.42), (0.78, 0.55 + 0.35 * opening), (0.62, low), (0.1, 0.95)]
    h.part(smooth([*skull, *front, (-0.5, 0.75)], steps=4), h.skin)
    curve = h.expression.curve
    corner = (0.45, 0.46 - 0.18 * curve + 0.15 * opening)
    if opening > 0.12:
        mouth = smooth([(0.8, 0.42), corner, (0.5, 0.55 + 0.35 * opening), (0.76, 0.52 + 0.34 * opening)])
        h.canvas.fill(mouth, MOUTH, h.face)
        with h.canvas.clip(mouth):
            h.canvas.fill(ellipse(0.6, 0.6 + 0.35 * opening, 0.2, 0.14), TONGUE)
    else:
        h.line([(0.8, 0.45), (0.62, 0.48), corner], 0.07)
