"""The engine under the episodes: characters differ, emotions differ, and the id map knows what hides what."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ml.render.actions import ACTIONS
from ml.render.body import draw_character
from ml.render.canvas import Canvas, Linear, Radial, ellipse, polygon
from ml.render.cast import CAST
from ml.render.design import Pose
from ml.render.expression import Expression, blend, expression_for
from ml.render.head import draw_head
from ml.render.truth import truth_face
from ml.types import EMOTIONS, Emotion


def head(name: str, expression: Expression, pose: Pose | None = None) -> tuple[np.ndarray, np.ndarray, int]:
    canvas = Canvas(160, 160)
    drawn = draw_head(canvas, CAST[name], expression, pose or Pose(), 80.0, 80.0, 90.0, 1)
    return canvas.image().astype(int), canvas.ids, drawn.eyes


@pytest.mark.parametrize("name", list(CAST))
def test_every_emotion_is_drawn_differently(name: str) -> None:
    pictures = [head(name, expression_for(e, 0.9, np.random.default_rng(4)))[0] for e in EMOTIONS]
    for i, one in enumerate(pictures):
        for other in pictures[i + 1 :]:
            assert np.count_nonzero(np.abs(one - other).max(axis=2) > 40) > 250


@pytest.mark.parametrize("emotion", [e for e in EMOTIONS if e is not Emotion.NEUTRAL])
def test_an_emotion_has_several_drawings_and_grows_with_its_intensity(emotion: Emotion) -> None:
    kinds = {
        (e.mouth, e.eyes, e.teeth, round(e.tears), e.tongue > 0)
        for e in (expression_for(emotion, 0.9, np.random.default_rng(k)) for k in range(40))
    }
    assert len(kinds) >= 2
    neutral = Expression()
    weak, strong = (expression_for(emotion, k, np.random.default_rng(1)) for k in (0.1, 1.0))

    def far(e: Expression) -> float:
        return abs(e.brow_inner - neutral.brow_inner) + abs(e.curve - neutral.curve) + abs(e.opening) + abs(e.ears)

    assert far(strong) > far(weak)


@pytest.mark.parametrize("name", list(CAST))
def test_the_face_leaves_out_ears_hair_and_body(name: str) -> None:
    canvas = Canvas(300, 400)
    draw_character(canvas, CAST[name], Expression(), Pose(), 150.0, 380.0, 340.0, 7)
    rows, columns = np.nonzero(canvas.ids == 7)
    tall = rows.max() - rows.min()
    assert 0.8 < tall / (340.0 * CAST[name].head_share) < 1.2
    assert rows.max() < 0.7 * 400
    assert abs((columns.min() + columns.max()) / 2 - 150) < 12


@pytest.mark.parametrize("action", list(ACTIONS))
def test_every_action_shows_the_face(action: str) -> None:
    for design in CAST.values():
        canvas = Canvas(300, 400, supersample=1)
        drawn = draw_character(canvas, design, Expression(), Pose(action=action, phase=0.3), 150.0, 380.0, 300.0, 1)
        assert drawn.eyes == 2
        assert np.count_nonzero(canvas.ids == 1) > 0.6 * canvas.whole_area(1)


def test_a_face_turned_away_shows_no_eye() -> None:
    seen = [head("tom", Expression(), Pose(yaw=yaw))[2] for yaw in (0.0, 75.0, 170.0)]
    assert seen == [2, 1, 0]


def test_what_stands_in_front_takes_the_face_away_exactly() -> None:
    canvas = Canvas(200, 200)
    draw_head(canvas, CAST["jerry"], Expression(), Pose(), 100.0, 100.0, 100.0, 3)
    before = int(np.count_nonzero(canvas.ids == 3))
    whole = canvas.whole_area(3)
    assert abs(before - whole) < 0.12 * whole
    canvas.fill(polygon([(0, 0), (100, 0), (100, 200), (0, 200)]), (10, 10, 10), face=0)
    ids = canvas.ids == 3
    assert not ids[:, :100].any()
    assert 0.35 < np.count_nonzero(ids) / whole < 0.65
    assert canvas.whole_area(3) == whole
    face = truth_face(ids, whole, 2, "jerry", Emotion.SAD, 0.5)
    assert face is not None
    assert face.box[0] >= 100
    canvas.fill(polygon([(100, 0), (130, 0), (130, 200), (100, 200)]), (10, 10, 10), face=0)
    assert truth_face(canvas.ids == 3, whole, 2, "jerry", Emotion.SAD, 0.5) is None


@pytest.mark.parametrize(("eyes", "size", "readable"), [(2, 60.0, True), (0, 60.0, False), (2, 10.0, False)])
def test_small_and_turned_faces_are_not_readable(eyes: int, size: float, readable: bool) -> None:
    canvas = Canvas(200, 200)
    draw_head(canvas, CAST["pip"], Expression(), Pose(), 100.0, 100.0, size, 1)
    face = truth_face(canvas.ids == 1, canvas.whole_area(1), eyes, None, Emotion.HAPPY, 1.0)
    assert face is not None
    assert face.character == "unknown"
    assert face.readable is readable


def test_blending_goes_from_one_expression_to_the_other() -> None:
    a, b = Expression(), replace(Expression(), curve=-0.9, mouth="open", opening=1.0)
    assert blend(a, b, 0.0) == a
    assert blend(a, b, 1.0) == b
    half = blend(a, b, 0.25)
    assert half.mouth == "line"
    assert a.curve > half.curve > b.curve


def test_clips_and_gradients_paint_only_where_they_should() -> None:
    canvas = Canvas(100, 100)
    with canvas.clip(ellipse(50.0, 50.0, 20.0, 20.0)):
        canvas.fill(polygon([(0, 0), (100, 0), (100, 100), (0, 100)]), (255, 0, 0), face=5)
    picture = canvas.image()
    assert tuple(picture[50, 50]) == (255, 0, 0)
    assert tuple(picture[10, 10]) == (255, 255, 255)
    assert abs(np.count_nonzero(canvas.ids == 5) - np.pi * 400) < 60
    with canvas.clip(ellipse(-90.0, -90.0, 5.0, 5.0)):
        canvas.fill(polygon([(0, 0), (100, 0), (100, 100), (0, 100)]), (0, 0, 0), face=0)
    assert np.array_equal(canvas.image(), picture)
    square = polygon([(0, 0), (100, 0), (100, 100), (0, 100)])
    canvas.fill(square, Linear((0.0, 0.0), (0.0, 100.0), (0, 0, 0), (200, 200, 200)))
    column = canvas.image()[:, 50, 0].astype(int)
    assert (np.diff(column) >= 0).all()
    assert column[0] < 5
    assert column[-1] > 195
    canvas.fill(square, Radial((50.0, 50.0), 50.0, (255, 255, 255), (0, 0, 0)))
    assert canvas.image()[50, 50, 0] > 245
    assert canvas.image()[50, 2, 0] < 20
