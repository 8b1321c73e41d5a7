"""Everything that makes a drawn character look like itself, as plain numbers and words.

Lengths of the head are in skull radii (the skull of a plain design spans about -1..1), heights of the body in
standing heights. The same fields describe the sample cast and characters made up at random.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ml.render.canvas import Colour

Ears = Literal["none", "pointed", "round", "long", "floppy", "side", "leaf"]
Nose = Literal["button", "heart", "snout", "beak", "ball", "human", "none", "trunk", "carrot", "nostrils"]
EyeStyle = Literal["separate", "joined", "touching", "pie", "dot", "iris"]
Hair = Literal["none", "tuft", "curl", "spikes", "bob", "bun", "cap", "hat", "bow", "quiff"]
Gear = Literal["none", "crown", "turban", "helmet", "hood", "fringe", "wool", "wizard", "headscarf"]
Horns = Literal["none", "short", "ram", "long", "antennae", "antlers", "unicorn", "ridge"]
Fill = Literal["flat", "linear", "radial"]
Tail = Literal["none", "cat", "mouse", "curl", "stub", "feathers", "bushy"]
Hands = Literal["mitten", "glove", "wing", "hoof"]
Clothes = Literal["none", "vest", "dress", "shirt", "scarf", "trousers", "bowtie"]


@dataclass(frozen=True, slots=True)
class Design:
    name: str
    # -- colours
    skin: Colour
    light: Colour  # muzzle, belly
    ink: Colour = (38.0, 30.0, 34.0)  # outlines
    inner_ear: Colour = (240.0, 170.0, 170.0)
    nose_colour: Colour = (40.0, 30.0, 34.0)
    eye_white: Colour = (252.0, 252.0, 248.0)
    iris: Colour = (30.0, 24.0, 28.0)
    hair_colour: Colour = (60.0, 40.0, 30.0)
    clothes_colour: Colour = (200.0, 60.0, 60.0)
    clothes_trim: Colour = (250.0, 240.0, 220.0)
    feet_colour: Colour = (240.0, 160.0, 40.0)
    hand_colour: Colour | None = None  # None: the skin's
    brow_colour: Colour | None = None  # None: the ink's
    # -- line and fill
    outline: float = 0.035  # skull radii; 0 draws none
    fill: Fill = "flat"
    shading: float = 0.28  # how dark a gradient's far side gets
    # -- skull
    width: float = 1.0
    height: float = 0.95
    power: float = 2.0  # 2 round, 3 boxy
    cheeks: float = 0.1  # swelling at the cheeks
    chin: float = 0.0  # positive lengthens, negative flattens
    crown: float = 0.0  # positive domes the top
    fluff: float = 0.0  # length of the hair tufts on the cheeks
    # -- muzzle and nose
    muzzle: float = 0.0  # how far it stands out from the sphere; 0 none
    muzzle_width: float = 0.5
    muzzle_height: float = 0.36
    muzzle_y: float = 0.42
    muzzle_light: bool = True  # coloured ``light``, else as the skin
    face_patch: bool = False  # light patches round the eyes and mouth
    nose: Nose = "button"
    nose_size: float = 0.13
    nose_y: float = 0.2
    whiskers: float = 0.0
    # -- eyes and brows
    eye: EyeStyle = "separate"
    eye_x: float = 0.34  # half the distance between the eyes
    eye_y: float = -0.18
    eye_width: float = 0.22
    eye_height: float = 0.3
    pupil_size: float = 0.5  # of the eye's width
    lashes: float = 0.0
    brow_thickness: float = 0.07
    brow_length: float = 1.1  # of the eye's diameter
    brow_gap: float = 0.14
    lid_tone: float = 0.82  # lid colour relative to the skin
    # -- mouth
    mouth_y: float = 0.55
    mouth_width: float = 0.42
    mouth_inside: Colour = (120.0, 24.0, 40.0)
    tongue_colour: Colour = (238.0, 110.0, 120.0)
    buck_teeth: bool = False
    # -- ears and hair
    ears: Ears = "none"
    ear_size: float = 0.6
    ear_width: float = 0.4
    ear_spread: float = 0.62
    ear_height: float = 0.7
    hair: Hair = "none"
    # -- markings
    stripes: bool = False
    freckles: bool = False
    # -- hair of the lower face, in the hair's colour
    mane: float = 0.0  # how far its locks stand out from the skull; 0 none
    beard: float = 0.0  # 0 none .. 1 down to the chest
    stubble: bool = False
    moustache: float = 0.0  # 0 none .. 1 as wide as the face
    # -- what only some kinds of creature have; the plain values draw nothing
    taper: float = 0.0  # positive: the skull widens downwards, negative: upwards
    horns: Horns = "none"
    horn_size: float = 0.6
    horn_colour: Colour = (232.0, 216.0, 176.0)
    bumps: bool = False  # eyes on bumps above the skull
    discs: float = 0.0  # feathers round each eye, in eye heights; 0 none
    gear: Gear = "none"  # hair or headgear that the skull is fused with
    # -- body
    head_share: float = 0.42  # the skull's height in a standing body
    body_width: float = 0.3
    body_round: float = 0.5  # 0 tube, 1 pear
    belly: bool = True
    limb: float = 0.075  # thickness of arms and legs
    leg_length: float = 0.2
    tail: Tail = "none"
    hands: Hands = "mitten"
    clothes: Clothes = "none"
    shoes: bool = False
    stretchable: float = 1.0  # how strongly squash and stretch shows


@dataclass(frozen=True, slots=True)
class Pose:
    """How a character holds itself. Angles in degrees: yaw to the viewer's right, pitch positive looking down."""

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    action: str = "stand"  # one of body.ACTIONS
    phase: float = 0.0  # 0..1 through the action's cycle
    facing: float = 1.0  # 1 the body looks right, -1 left
    lean: float = 0.0
    blink: float = 0.0  # 0..1
