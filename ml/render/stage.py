"""Draws any frame of a script, and says which faces are in it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ml.render import props
from ml.render.acting import act
from ml.render.backgrounds import STAGE, Backdrop, paint_place
from ml.render.body import draw_character
from ml.render.canvas import Canvas, Colour, Image, Radial, ellipse, mix, polygon, scale_colour
from ml.render.foreground import FRONT
from ml.render.looks import Dress
from ml.render.story import Camera, Prop, Script, ShotPlan
from ml.render.truth import TruthFace, truth_face
from ml.types import ShotKind

_CLOSER = 1.6  # how much a place is enlarged behind a close-up


@dataclass(frozen=True, slots=True)
class Frame:
    """A finished picture (RGB uint8, height x width x 3) and its faces."""

    picture: Image
    faces: tuple[TruthFace, ...]


class Stage:
    """Draws the frames of one script at one size; keeps the painting of the current place.

    ``dress``: the look to draw in; None draws everybody in their own line and leaves colours alone.
    """

    def __init__(
        self, script: Script, width: int, height: int, supersample: int = 2, dress: Dress | None = None
    ) -> None:
        self.script, self.width, self.height, self.supersample = script, width, height, supersample
        self.scale = height / STAGE
        self.dress = dress
        self._painted: tuple[tuple[str, int, float, float], Backdrop] | None = None

    def changes(self, shot: ShotPlan, frame: int) -> bool:
        """Whether ``frame`` of ``shot`` may differ from the frame before it."""
        if frame == 0:
            return True
        if not shot.place:
            return False
        return frame % shot.hold == 0 or shot.camera.moving(frame) or shot.camera.moving(frame - 1)

    def draw(self, shot: ShotPlan, frame: int) -> Frame:
        canvas = Canvas(self.width, self.height, self.supersample, (0.0, 0.0, 0.0))
        if shot.kind is ShotKind.TITLE:
            self._title(canvas, shot)
        elif shot.kind is ShotKind.CREDITS:
            self._credits(canvas, shot)
        elif shot.kind is ShotKind.STORY:
            return self._story(canvas, shot, frame)
        self._develop(canvas)
        return Frame(canvas.image(), ())

    def _develop(self, canvas: Canvas) -> None:
        """Puts a drawn canvas into the look; what the look covers with black is nobody's face."""
        if self.dress is None:
            return
        self.dress.develop(canvas, np.random.default_rng([self.script.seed, 31]))
        covered = self.dress.hidden(self.height, self.width)
        if covered is not None:
            canvas.ids[covered] = 0

    def _story(self, canvas: Canvas, shot: ShotPlan, frame: int) -> Frame:
        x, y, zoom = camera_at(shot.camera, frame, shot.place_seed)
        s, faces = self.scale, []
        with canvas.at(s * self.script.width / 2, s * STAGE / 2, scale=s * zoom), canvas.at(-x, -y):
            backdrop = self._backdrop(shot)
            canvas.paste(backdrop.picture, _closer(shot, self.script.width) @ backdrop.matrix)
            for prop in shot.props:
                if not prop.front:
                    _draw_prop(canvas, prop, self.dress)
            ground = canvas.pixels.copy() if self.dress is not None and self.dress.dim < 1.0 else None
            for number, actor in enumerate(shot.actors, start=1):
                moment = act(actor, frame, shot.hold, shot.frames)
                shadow = ellipse(moment.x, actor.y, 0.2 * actor.height, 0.028 * actor.height)
                canvas.fill(shadow, (20.0, 20.0, 30.0), face=0, alpha=0.25)
                design = actor.design if self.dress is None else self.dress.design(actor.design)
                drawn = draw_character(
                    canvas, design, moment.expression, moment.pose, moment.x, actor.y, actor.height, number
                )
                faces.append((number, drawn.eyes, actor.character, moment))
            for prop in shot.props:
                if prop.front:
                    _draw_prop(canvas, prop, self.dress)
        if self.dress is not None and ground is not None:
            self.dress.before_the_light(canvas, ground)
        self._develop(canvas)
        found = []
        for number, eyes, character, moment in faces:
            whole = canvas.whole_area(number)
            face = truth_face(canvas.ids == number, whole, eyes, character, moment.emotion, moment.intensity)
            if face is not None:
                found.append(face)
        return Frame(canvas.image(), tuple(found))

    def _backdrop(self, shot: ShotPlan) -> Backdrop:
        key = (shot.place, shot.place_seed, shot.floor, shot.blur)
        if self._painted is None or self._painted[0] != key:
            density = 1.25 * self.scale
            painting = paint_place(shot.place, shot.place_seed, self.script.width, density, shot.floor, shot.blur)
            self._painted = (key, painting)
        return self._painted[1]

    # -- cards

    def _title(self, canvas: Canvas, shot: ShotPlan) -> None:
        rng = np.random.default_rng(shot.place_seed)
        w, s = self.script.width, self.scale
        base = props.hsv(rng.uniform(0, 1), 0.6, 0.62)
        with canvas.at(scale=s):
            canvas.fill(_rect(-2, -2, w + 4, STAGE + 4), base)
            for k in range(16):
                a, b = math.pi * k / 8, math.pi * (k + 0.5) / 8
                far = 800.0
                ray = [
                    (w / 2, 180.0),
                    (w / 2 + far * math.cos(a), 180 + far * math.sin(a)),
                    (w / 2 + far * math.cos(b), 180 + far * math.sin(b)),
                ]
                canvas.fill(polygon(ray), mix(base, (255.0, 255.0, 255.0), 0.13))
            for r, share in ((158.0, 0.35), (146.0, 0.0)):
                disc = ellipse(w / 2, 180, r * 1.25, r, n=80)
                canvas.fill(
                    disc,
                    Radial((w / 2, 180), 190, mix(base, (255.0, 244.0, 214.0), 0.75 - share), scale_colour(base, 0.85)),
                )
            words = shot.lines[0].split(" ")
            half = math.ceil(len(words) / 2) if len(words) > 2 else 1
            lines = [" ".join(words[:half]), " ".join(words[half:])]
            lines = [line for line in lines if line]
            size = min(34.0, 330.0 / max(4, max(len(line) for line in lines)) * 1.05)
            for k, line in enumerate(lines):
                y = 180 + (k - (len(lines) - 1) / 2) * size * 1.9
                for dx, dy, colour, weight in (
                    (2.5, 3.0, scale_colour(base, 0.3), 0.32),
                    (0.0, 0.0, scale_colour(base, 0.4), 0.32),
                    (0.0, 0.0, (255.0, 236.0, 150.0), 0.14),
                ):
                    canvas.text(line, w / 2 + dx, y + dy, size, colour, weight)

    def _credits(self, canvas: Canvas, shot: ShotPlan) -> None:
        rng = np.random.default_rng(shot.place_seed)
        base: Colour = mix(props.hsv(rng.uniform(0, 1), 0.5, 0.16), (12.0, 12.0, 18.0), 0.4)
        with canvas.at(scale=self.scale):
            canvas.fill(_rect(-2, -2, self.script.width + 4, STAGE + 4), base)
            for k, line in enumerate(shot.lines):
                last = k == len(shot.lines) - 1
                y = 64 + 46 * k + (28 if last else 0)
                canvas.text(line, self.script.width / 2, y, 22.0 if last else 13.0, (240.0, 236.0, 226.0), 0.1)


def camera_at(camera: Camera, frame: int, seed: int) -> tuple[float, float, float]:
    """Where the picture's middle is (stage units) and the zoom, at one frame of a shot."""
    first, last = camera.moves
    t = 0.0 if last <= first else min(1.0, max(0.0, (frame - first) / (last - first)))
    x, y, zoom = (a + (b - a) * t for a, b in zip(camera.start, camera.end, strict=True))
    if camera.shake[0] <= frame < camera.shake[1]:
        rng = np.random.default_rng([seed, frame])
        x, y, zoom = x + float(rng.uniform(-4, 4)), y + float(rng.uniform(-4, 4)), zoom * 1.03
    return x, y, zoom


def _closer(shot: ShotPlan, width: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Close-ups look at an enlarged part of the place, always with something to see in it."""
    if shot.blur <= 0.0:
        return np.eye(3)
    k = _CLOSER
    cx, cy = width * (0.35 + 0.3 * ((shot.place_seed % 997) / 997)), 150.0
    return np.array([[k, 0.0, width / 2 - k * cx], [0.0, k, 180.0 - k * cy], [0.0, 0.0, 1.0]])


def _rect(x: float, y: float, w: float, h: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return polygon([(x, y), (x + w, y), (x + w, y + h), (x, y + h)])


_PROPS = {
    "cheese": props.cheese,
    "ball": props.ball,
    "barrel": props.barrel,
    "vase": props.vase,
    "flower": props.flower,
    "rock": props.rock,
}


def _draw_prop(canvas: Canvas, prop: Prop, dress: Dress | None) -> None:
    ink = props.Ink(colour=(60.0, 50.0, 56.0), width=0.035, tinted=0.7, shading=0.2)
    if dress is not None:
        ink = dress.ink(ink)
    with canvas.at(prop.x, prop.y, scale=prop.size):
        if prop.front:
            FRONT[prop.kind](canvas, np.random.default_rng(prop.seed))
            return
        _PROPS[prop.kind](canvas, np.random.default_rng(prop.seed), ink)
