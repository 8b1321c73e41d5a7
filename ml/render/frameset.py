"""Puts training pictures together: a ground, things, and characters whose faces are remembered.

What a face is: skull, muzzle, beak and cheeks; without ears, hats and hair above the skull. A head of which no eye can
be seen is no face.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ml.render.accent import Accent, random_accent
from ml.render.bodies import draw_body, haunch, paw
from ml.render.body import ACTIONS, draw_character
from ml.render.canvas import Canvas, Colour
from ml.render.cast import CAST
from ml.render.covers import draw_cover
from ml.render.crowd import Split, random_design
from ml.render.design import Design, Pose
from ml.render.expression import Expression, Mouth, expression_for
from ml.render.head import HeadDrawn, draw_head
from ml.render.ink import Ink, chance, random_ink, u
from ml.render.parts import MOUTH_PARTS, PARTS, UNSEEN, hide_parts, parts_of
from ml.render.props import draw_prop
from ml.render.strangers import THROWN_BACK, Look, draw_stranger, stranger_look, stranger_parts
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
_MOUTH, _EYES = PARTS.index("mouth_curve"), PARTS.index("eyes_shut")


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
    parts: tuple[float, ...] = UNSEEN  # of PARTS; NaN where a part does not exist or cannot be seen
    identity: int = -1  # the same design drawn twice in one sample has the same number; -1 unknown


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
    legible: bool  # drawn by the rules of its emotion, towards the viewer
    parts: tuple[float, ...]
    identity: int
    without_mouth: bool  # eyes and brows alone would tell


# ------------------------------------------------------------------------------------------------ actors


class FrameSet:
    """A picture being put together: the canvas (units: pixels) and who stands on it."""

    def __init__(self, rng: Rng, width: int, height: int, split: Split = "training") -> None:
        self.rng, self.width, self.height, self.split = rng, width, height, split
        self.canvas = Canvas(width, height, supersample=2)
        self.actors: list[_Actor] = []
        self.ink: Ink = random_ink(rng)
        self.accents: dict[Design | Look, Accent | None] = {}  # how each character here is acted

    def add(
        self,
        character: str,
        design: Design,
        x: float,
        y: float,
        head: float,
        whole: float,
        emotion: Emotion | None = None,
        covered: float = 0.08,
    ) -> None:
        """Draws a character with the middle of its head at (x, y) and a skull ``head`` pixels high.

        ``whole``: the chance that its own body is drawn rather than a bare head or a head on somebody's body.
        ``covered``: the chance that something lies on a part of its face.
        """
        rng, canvas = self.rng, self.canvas
        if emotion is None:
            emotion = EMOTIONS[int(rng.integers(len(EMOTIONS)))]
        intensity = u(rng, 0.2, 1.0) if emotion is not Emotion.NEUTRAL else u(rng, 0.0, 0.5)
        expression = expression_for(emotion, intensity, rng, self._accent(character, design))
        pose = random_pose(rng)
        asleep = emotion is Emotion.NEUTRAL and chance(rng, 0.12)
        if asleep:
            expression, pose = _asleep(rng, expression, pose)
        face = len(self.actors) + 1
        if chance(rng, whole):
            height = head / design.head_share
            ground = y + height * (1.0 - 0.5 * design.head_share)
            drawn = draw_character(canvas, design, expression, pose, x, ground, height, face)
        else:
            self._body(x, y, head, design.skin)
            drawn = draw_head(canvas, design, expression, pose, x, y, head, face)
        parts = parts_of(expression, design, pose)
        if chance(rng, 0.6 if asleep else covered) and drawn.eye_places:
            parts = hide_parts(parts, draw_cover(canvas, rng, drawn, self.ink, lying=asleep))
        identity = self._identity(design)
        legible = abs(pose.yaw) <= 65
        tells = eyes_tell(expression) or emotion is Emotion.NEUTRAL
        area = canvas.whole_area(face)
        self.actors.append(_Actor(character, emotion, intensity, drawn, area, legible, parts, identity, tells))

    def _accent(self, character: str, who: Design | Look) -> Accent | None:
        if who not in self.accents:
            plain = chance(self.rng, 0.4 if character != UNKNOWN else 0.12)
            self.accents[who] = None if plain else random_accent(self.rng, who if isinstance(who, Design) else None)
        return self.accents[who]

    def _identity(self, who: Design | Look) -> int:
        return list(self.accents).index(who)

    def add_stranger(
        self, x: float, y: float, head: float, look: Look | None = None, emotion: Emotion | None = None
    ) -> None:
        """A head in true profile or thrown back, above a body of its colour or none."""
        rng, canvas = self.rng, self.canvas
        if look is None:
            look = stranger_look(rng, self.split)
        if emotion is None:
            emotion = EMOTIONS[int(rng.integers(len(EMOTIONS)))]
        # Heads thrown back look alike in all kinds, and so belong to training.
        back = chance(rng, 0.5) and emotion in THROWN_BACK and self.split == "training"
        intensity = u(rng, 0.4, 1.0) if emotion is not Emotion.NEUTRAL else u(rng, 0.0, 0.5)
        expression = expression_for(emotion, intensity, rng, self._accent(UNKNOWN, look))
        face = len(self.actors) + 1
        self._body(x, y, head, look.skin)
        drawn = draw_stranger(canvas, rng, look, self.ink, expression, x, y, head, face, back)
        parts = stranger_parts(expression, back)
        area, tells = canvas.whole_area(face), eyes_tell(expression)
        identity = self._identity(look)
        self.actors.append(_Actor(UNKNOWN, emotion, intensity, drawn, area, True, parts, identity, tells))

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
        design = CAST[HEROES[int(rng.integers(len(HEROES)))]] if chance(rng, 0.4) else None
        if design is None or self.split != "training":
            design = random_design(rng, None, self.split)
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


def eyes_tell(e: Expression) -> bool:
    """Whether brows and lids alone would give the feeling away."""
    brows = abs(e.brow_inner) + abs(e.brow_outer)
    return e.eyes != "open" or brows + abs(e.lid_angle) + 1.5 * abs(e.eye_scale - 1.0) + 0.4 * (e.tears > 0.3) > 0.4


def _asleep(rng: Rng, e: Expression, pose: Pose) -> tuple[Expression, Pose]:
    """Shut eyes, a slack mouth, and a head that lies or has sunk."""
    mouths: tuple[Mouth, ...] = ("line", "line", "open", "oval")
    mouth = mouths[int(rng.integers(len(mouths)))]
    slack = replace(
        e, eyes="shut", mouth=mouth, opening=u(rng, 0.15, 0.5), curve=u(rng, -0.1, 0.15), teeth=0, lid_angle=0.0
    )
    roll = u(rng, 55, 110) * (1 if chance(rng, 0.5) else -1) if chance(rng, 0.7) else u(rng, -30, 30)
    return slack, replace(pose, roll=roll, blink=0.0)


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
    roll = float(np.clip(rng.normal() * 9, -28, 28)) if chance(rng, 0.9) else u(rng, -115, 115)
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
    parts = actor.parts
    mouth = actor.head.mouth_place
    if mouth is not None and not _near(mask, *mouth):
        parts = hide_parts(parts, MOUTH_PARTS)
    speaks = not math.isnan(parts[_MOUTH]) or (actor.without_mouth and not math.isnan(parts[_EYES]))
    readable = actor.legible and speaks and tall >= READABLE_HEIGHT and area >= READABLE_SHARE * actor.whole
    return SampleFace(actor.character, box, mask, actor.emotion, actor.intensity, readable, parts, actor.identity)


def _near(mask: NDArray[np.bool_], x: float, y: float) -> bool:
    h, w = mask.shape
    i, j = math.floor(y), math.floor(x)
    return bool(0 <= i < h and 0 <= j < w and mask[max(0, i - 1) : i + 2, max(0, j - 1) : j + 2].any())
