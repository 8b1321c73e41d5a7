"""Heads thrown back, seen from the front and below: they laugh, wail, shout or scream with all of the face."""

from __future__ import annotations

import math

from ml.render.canvas import ellipse, scale_colour, smooth
from ml.render.ink import BLACK, WHITE, chance, u
from ml.render.palette import pick
from ml.render.stranger_head import MOUTH, TONGUE, Head


def _furry(h: Head) -> bool:
    return not h.person and h.kind not in ("bird", "alien", "frog", "crocodile")


def thrown_back(h: Head) -> None:
    """Seen from the front and below: the mouth fills the face, eyes and nose crowd its upper rim."""
    rng, c = h.rng, h.canvas
    wide, tall = u(rng, 0.75, 1.05), u(rng, 0.9, 1.15)
    if _furry(h):
        for side in (-1, 1):
            h.part(ellipse(side * 0.75, -0.72, u(rng, 0.25, 0.4), u(rng, 0.3, 0.5), side * 30), h.skin, face=False)
    elif chance(rng, 0.6):
        h.part(ellipse(0, -0.55 * tall, wide * 1.05, 0.55), h.hair, face=False)
    h.part(
        smooth(
            [
                (0, -tall),
                (0.75 * wide, -0.75 * tall),
                (wide, 0),
                (0.85 * wide, 0.75 * tall),
                (0, tall),
                (-0.85 * wide, 0.75 * tall),
                (-wide, 0),
                (-0.75 * wide, -0.75 * tall),
            ]
        ),
        h.skin,
    )
    mx, my = u(rng, -0.08, 0.08), u(rng, 0.15, 0.35)
    mw, mh = wide * u(rng, 0.45, 0.8), u(rng, 0.35, 0.62)
    if h.kind == "bird":
        beak = ellipse(mx, my, mw * 1.2, mh * 1.2, power=u(rng, 1.4, 2))
        h.part(beak, h.bill)
    elif not h.person and chance(rng, 0.6):
        h.part(ellipse(mx, my, mw * 1.25, mh * 1.2), h.light)
    # Corners high and the upper lip flat in laughter, corners low under an arch in tears and fear.
    curve = h.expression.curve
    left, right = (my - mh * (0.25 + 0.5 * curve) + u(rng, -0.1, 0.1) * mh for _ in range(2))
    rise = mh * (0.85 - 0.3 * max(0.0, curve))
    low = 0.72 - 0.12 * curve
    mouth = smooth(
        [
            (mx - mw, left),
            (mx, my - rise),
            (mx + mw, right),
            (mx + low * mw, my + 0.65 * mh),
            (mx, my + mh),
            (mx - low * mw, my + 0.65 * mh),
        ]
    )
    c.shape(
        mouth,
        pick(rng, MOUTH, (30.0, 8.0, 12.0), (150.0, 36.0, 46.0)),
        h.ink.line(h.skin),
        max(0.02, h.ink.width),
        face=h.face,
    )
    with c.clip(mouth):
        c.fill(ellipse(mx, my + mh * 0.9, 0.65 * mw, 0.5 * mh), TONGUE)
        if chance(rng, 0.7):
            c.fill(ellipse(mx, my - mh * 1.05, 0.9 * mw, 0.35 * mh), WHITE)
        if chance(rng, 0.3):
            c.fill(ellipse(mx, my - 0.35 * mh, 0.08, 0.2), scale_colour(TONGUE, 0.8))
    ey = my - mh - u(rng, 0.16, 0.3)
    ey = max(ey, -0.78 * tall)
    rx, ry = u(rng, 0.1, 0.22), u(rng, 0.09, 0.22)
    gap = rx * u(rng, 1.0, 1.8) + 0.02
    for side in (-1, 1):
        h.eye(mx + side * gap, ey, rx, ry, -side)
    if h.kind != "bird":
        nose = u(rng, 0.07, 0.2)
        ny = my - mh - 0.02
        animal = _furry(h)
        h.part(ellipse(mx, ny, nose * 1.2, nose * 0.8), BLACK if animal else h.skin, x=mx, y=ny, r=nose)
        if not animal:
            for side in (-1, 1):
                c.fill(
                    ellipse(mx + side * 0.45 * nose, ny + 0.2 * nose, 0.25 * nose, 0.2 * nose),
                    scale_colour(h.skin, 0.35),
                )
    if math.hypot(wide, tall) > 1.4 and chance(rng, 0.3):  # folds of the neck
        h.line([(-0.5 * wide, 0.92 * tall), (0, tall * 1.0), (0.5 * wide, 0.92 * tall)], 0.05)
