"""Puts training pictures together: a ground, things, and characters whose faces are remembered.

What a face is: skull, muzzle, beak and cheeks; without ears, hats and hair above the skull. A head of which no eye can
be seen is no face.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ml.render.bodies import draw_body, haunch, paw
from ml.render.body import ACTIONS, draw_character
from ml.render.canvas import Canvas, Colour
from ml.render.cast import CAST
from ml.render.crowd import random_design
from ml.render.design import Design, Pose
from ml.render.expression import expression_for
from ml.render.head import HeadDrawn, draw_head
from ml.render.ink import Ink, chance, random_ink, u
from ml.render.props import draw_prop
from ml.render.strangers import draw_stranger, stranger_look
from ml.render.styles import Style, apply_style, hidden
from ml.types import EMOTIONS, Box, Emotion

Rng = np.random.Generator
HEROES = tuple(CAST)
UNKNOWN = "unknown"
CHARACTERS = (*HEROES, UNKNOWN)
LEAST_SIDE = 6  # pixels of a face's box
LEAST_SHARE = 0.25  # of a face that must be in sight
READABLE_SHARE = 0.45
READABLE_HEIGHT = 18  # pixels


@dataclass(frozen=True, slots=True)
class SampleFace:
    """``box``: pixels, exclusive right and lower edges, tight around ``mask`` (bool, height x width: what is in sight).

    ``readable``: large and open enough that a viewer could say what it shows.
    """

    character: str  # one of CHARACTERS
    box: Box
    mask: NDArray[np.bool_]
    emotion: Emotion
    intensity: float
    readable: bool


@dataclass(frozen=True, slots=True)
class Sample:
    rgb: NDArray[np.uint8]
    faces: list[SampleFace]


@dataclass(frozen=True, slots=True)
class _Actor:
    character: str
    emotion: Emotion
    intensity: float
    head: HeadDrawn
    whole: int  # pixels of the face if nothing hid it and the picture had no edge
    legible: bool  # not in profile, and drawn by the rules of its emotion


# ------------------------------------------------------------------------------------------------ actors


class FrameSet:
    """A picture being put together: the canvas (units: pixels) and who stands on it."""

    def __init__(self, rng: Rng, width: int, height: int) -> None:
        self.rng, self.width, self.height = rng, width, height
        self.canvas = Canvas(width, height, supersample=2)
        self.actors: list[_Actor] = []
        self.ink: Ink = random_ink(rng)

    def add(self, character: str, design: Design, x: float, y: float, head: float, whole: float) -> None:
        """Draws a character with the middle of its head at (x, y) and a skull ``head`` pixels high.

        ``whole``: the chance that its own body is drawn rather than a bare head or a head on somebody's body.
        """
        rng, canvas = self.rng, self.canvas
        emotion = EMOTIONS[int(rng.integers(len(EMOTIONS)))]
        intensity = u(rng, 0.35, 1.0) if emotion is not Emotion.NEUTRAL else u(rng, 0.0, 0.5)
        expression = expression_for(emotion, intensity, rng)
        pose = random_pose(rng)
        face = len(self.actors) + 1
        if chance(rng, whole):
            height = head / design.head_share
            ground = y + height * (1.0 - 0.5 * design.head_share)
            drawn = draw_character(canvas, design, expression, pose, x, ground, height, face)
        else:
            self._body(x, y, head, design.skin)
            drawn = draw_head(canvas, design, expression, pose, x, y, head, face)
        legible = abs(pose.yaw) <= 65
        self.actors.append(_Actor(character, emotion, intensity, drawn, canvas.whole_area(face), legible))

    def add_stranger(self, x: float, y: float, head: float) -> None:
        """A head in true profile or thrown back, above a body of its colour or none."""
        rng, canvas = self.rng, self.canvas
        emotion = EMOTIONS[int(rng.integers(len(EMOTIONS)))]
        intensity = u(rng, 0.4, 1.0)
        expression = expression_for(emotion, intensity, rng)
        face = len(self.actors) + 1
        look = stranger_look(rng)
        self._body(x, y, head, look.skin)
        drawn = draw_stranger(canvas, rng, look, self.ink, expression, x, y, head, face)
        self.actors.append(_Actor(UNKNOWN, emotion, intensity, drawn, canvas.whole_area(face), False))

    def _body(self, x: float, y: float, head: float, skin: Colour) -> None:
        """A body for a head that has none: in its colour or another, or a lump that the head grows out of."""
        rng, kind = self.rng, self.rng.random()
        if kind < 0.15:
            ink = replace(self.ink, width=0.0) if chance(rng, 0.5) else self.ink
            size = head * u(rng, 0.6, 1.3)
            with self.canvas.at(x + u(rng, -0.2, 0.2) * head, y + 0.85 * size, scale=size):
                haunch(self.canvas, rng, ink, skin)
        elif kind < 0.7:
            fill = skin if chance(rng, 0.7) else None
            draw_body(self.canvas, rng, x, y + 0.4 * head, 0.5 * head, fill, self.ink)

    def add_back(self, x: float, y: float, head: float) -> None:
        """Somebody seen from behind: a head without a face."""
        rng = self.rng
        design = CAST[HEROES[int(rng.integers(len(HEROES)))]] if chance(rng, 0.4) else random_design(rng)
        pose = Pose(yaw=u(rng, 150, 210), roll=float(rng.normal()) * 8, action=_action(rng))
        height = head / design.head_share
        expression = expression_for(Emotion.NEUTRAL, 0.2, rng)
        draw_character(
            self.canvas, design, expression, pose, x, y + height * (1 - 0.5 * design.head_share), height, None
        )

    def foreground(self) -> None:
        """Things in front: at the lower edge, or over a part of somebody's face."""
        rng, canvas = self.rng, self.canvas
        if chance(rng, 0.15):
            size = u(rng, 0.1, 0.35) * self.height
            draw_prop(canvas, rng, u(rng, 0, self.width), self.height * u(rng, 0.9, 1.1), size, self.ink)
        for actor in self.actors:
            if chance(rng, 0.06) and actor.head.eye_places:
                x, y = actor.head.eye_places[0]
                size = math.sqrt(max(actor.whole, 16)) * u(rng, 0.15, 0.4)
                px, py = x + u(rng, -3, 3) * size, y + u(rng, -1, 3) * size
                if chance(rng, 0.3):
                    with canvas.at(px, py, scale=size):
                        paw(canvas, rng, self.ink)
                else:
                    draw_prop(canvas, rng, px, py, size, self.ink)

    def finish(self, style: Style) -> Sample:
        rgb = apply_style(self.canvas.image(), style, self.rng)
        ids = self.canvas.ids
        covered = hidden(style, self.height, self.width)
        if covered is not None:
            ids = np.where(covered, 0, ids).astype(np.uint8)
        faces = [face for k, actor in enumerate(self.actors, 1) if (face := _face_of(actor, ids, k)) is not None]
        return Sample(rgb, faces)


def _action(rng: Rng) -> str:
    names = tuple(ACTIONS)
    return names[int(rng.integers(len(names)))]


def random_pose(rng: Rng) -> Pose:
    """Mostly towards the viewer, sometimes in profile, thrown back or lying."""
    yaw = (
        float(np.clip(rng.normal() * 27, -65, 65))
        if chance(rng, 0.85)
        else u(rng, 50, 82) * (-1 if chance(rng, 0.5) else 1)
    )
    pitch = float(np.clip(rng.normal() * 8, -22, 22)) if chance(rng, 0.9) else u(rng, -32, -15)
    roll = float(np.clip(rng.normal() * 9, -28, 28)) if chance(rng, 0.92) else u(rng, -100, 100)
    return Pose(
        yaw=yaw,
        pitch=pitch,
        roll=roll,
        action=_action(rng),
        phase=u(rng, 0, 1),
        facing=1.0 if chance(rng, 0.5) else -1.0,
        lean=float(rng.normal()) * 4,
        blink=u(rng, 0.3, 1.0) if chance(rng, 0.04) else 0.0,
    )


def _face_of(actor: _Actor, ids: NDArray[np.uint8], face: int) -> SampleFace | None:
    mask = ids == face
    area = int(np.count_nonzero(mask))
    if area < LEAST_SHARE * actor.whole or area < LEAST_SIDE * LEAST_SIDE // 2:
        return None
    seen = sum(_near(mask, x, y) for x, y in actor.head.eye_places)
    if seen == 0:
        return None
    xs, ys = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    box = (float(xs[0]), float(ys[0]), float(xs[-1] + 1), float(ys[-1] + 1))
    short, tall = min(box[2] - box[0], box[3] - box[1]), box[3] - box[1]
    if short < LEAST_SIDE:
        return None
    readable = actor.legible and tall >= READABLE_HEIGHT and area >= READABLE_SHARE * actor.whole
    return SampleFace(actor.character, box, mask, actor.emotion, actor.intensity, readable)


def _near(mask: NDArray[np.bool_], x: float, y: float) -> bool:
    h, w = mask.shape
    i, j = math.floor(y), math.floor(x)
    return bool(0 <= i < h and 0 <= j < w and mask[max(0, i - 1) : i + 2, max(0, j - 1) : j + 2].any())
