"""Profiles of creatures that are held out of training: frogs, aliens and elephants."""

from __future__ import annotations

from collections.abc import Callable

from ml.render.canvas import ellipse, scale_colour, smooth, tube
from ml.render.ink import chance, hsv, u
from ml.render.stranger_head import MOUTH, TONGUE, Head


def _lips(h: Head, x: float, y: float, back: float) -> None:
    """A mouth from the front of the face at (x, y) back to ``back``."""
    opening, curve = h.opening, h.expression.curve
    corner = (back, y - 0.2 * curve)
    if opening > 0.12:
        mouth = smooth(
            [(x, y - 0.02), corner, ((x + back) / 2, y + 0.15 + 0.5 * opening), (x, y + 0.1 + 0.4 * opening)]
        )
        h.canvas.fill(mouth, MOUTH, h.face)
        with h.canvas.clip(mouth):
            h.canvas.fill(ellipse((x + back) / 2, y + 0.2 + 0.5 * opening, 0.5 * (x - back), 0.14), TONGUE)
    else:
        h.line([(x, y), ((x + back) / 2, y + 0.03), corner], 0.07)


def _frog(h: Head) -> None:
    rng = h.rng
    drop = 0.4 * h.opening
    front = u(rng, 0.95, 1.2)
    skull = [(-1.0, 0.3), (-0.6, -0.35), (0.1, -0.55), (0.7, -0.3), (front, 0.05), (front - 0.08, 0.3 + drop)]
    h.part(smooth([*skull, (0.4, 0.65 + drop), (-0.6, 0.7)], steps=4), h.skin)
    ex, r = u(rng, 0.05, 0.3), u(rng, 0.2, 0.28)
    h.part(ellipse(ex, -0.6, 1.5 * r, 1.4 * r), h.skin)
    h.canvas.fill(ellipse(ex, -0.42, 1.4 * r, 1.1 * r), h.skin, h.face)
    h.canvas.fill(ellipse(front - 0.22, -0.05, 0.04, 0.03), scale_colour(h.skin, 0.4))
    _lips(h, front - 0.03, 0.18, u(rng, -0.3, 0.1))
    h.eye(ex + 0.05, -0.62, r, 1.1 * r)


def _alien(h: Head) -> None:
    rng = h.rng
    back = u(rng, 1.1, 1.5)
    chin = 0.9 + 0.2 * h.opening
    skull = [
        (-back, -0.4),
        (-0.9, -0.95),
        (0.0, -1.1),
        (0.6, -0.75),
        (0.72, -0.2),
        (0.64, 0.25),
        (0.6, 0.5),
        (0.45, chin),
    ]
    h.part(smooth([*skull, (0.15, 0.8), (-0.3, 0.35), (-0.9, 0.05)], steps=4), h.skin)
    h.line([(0.0, -1.05), (0.05, -1.5), (0.4, -1.7)], 0.06)
    h.part(ellipse(0.42, -1.72, 0.11, 0.11), hsv(u(rng, 0, 1), 0.7, 0.9), face=False)
    _lips(h, 0.62, 0.45, u(rng, 0.25, 0.4))
    h.eye(0.3, -0.2, u(rng, 0.18, 0.26), u(rng, 0.26, 0.38))


def _elephant(h: Head) -> None:
    rng = h.rng
    low = 0.85 + 0.2 * h.opening
    skull = [(-0.9, 0.3), (-0.9, -0.5), (-0.2, -1.0), (0.45, -0.8), (0.7, -0.2), (0.62, 0.35), (0.5, low), (0.0, 0.9)]
    h.part(smooth(skull, steps=4), h.skin)
    _lips(h, 0.55, 0.5, u(rng, 0.0, 0.2))
    lift = u(rng, -1.1, 0.3) if chance(rng, 0.4) else u(rng, 0.6, 1.0)
    trunk = smooth([(0.55, 0.0), (1.0, 0.25), (1.2, 0.45 + 0.4 * lift), (1.45, 0.45 + lift)], closed=False)
    h.part(tube(trunk, 0.5, 0.2), h.skin)
    h.canvas.fill(ellipse(0.5, 0.0, 0.2, 0.24), h.skin, h.face)
    h.eye(0.28, -0.3, u(rng, 0.1, 0.18), u(rng, 0.14, 0.24))
    ear = [(-0.2, -0.7), (0.1, -0.2), (-0.05, 0.5), (-0.7, 0.7), (-1.3, 0.1), (-1.1, -0.7)]
    h.part(smooth(ear), scale_colour(h.skin, 0.9), face=False)


ODD: dict[str, Callable[[Head], None]] = {"frog": _frog, "alien": _alien, "elephant": _elephant}
