from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from ml.shots import FrameLooks, read_shots, writing
from ml.types import Shot, ShotKind

FRAME_MS = 42


def backdrop(seed: int) -> NDArray[np.uint8]:
    """A place of flat colours, wider than the picture, so that a camera can move over it."""
    noise = np.random.default_rng(seed)
    small = noise.integers(30, 230, (8, 22, 3))
    return np.kron(small, np.ones((8, 8, 1))).astype(np.uint8)


def view(seed: int, x: float = 0.0) -> NDArray[np.uint8]:
    """64 x 48 pixels of a place, from column ``x`` on."""
    return np.ascontiguousarray(backdrop(seed)[8:56, 8 + round(x) : 72 + round(x)])


def looks(frames: list[NDArray[np.uint8]], written: float = 0.0) -> FrameLooks:
    seen = FrameLooks()
    for i, frame in enumerate(frames):
        seen.add(i * FRAME_MS, frame, written)
    return seen


def cuts(frames: list[NDArray[np.uint8]]) -> tuple[int, ...]:
    return read_shots(looks(frames), 0, len(frames) * FRAME_MS)[0]


def test_a_cut_is_where_the_new_place_is_first_seen() -> None:
    assert cuts([view(1)] * 20 + [view(2)] * 20 + [view(3)] * 20) == (20 * FRAME_MS, 40 * FRAME_MS)


@pytest.mark.parametrize("speed", [0.5, 2, 3])
def test_a_moving_camera_is_no_cut(speed: float) -> None:
    assert cuts([view(1, speed * i) for i in range(20)]) == ()


def test_a_flash_is_no_cut() -> None:
    white = np.full_like(view(1), 250)

    assert cuts([view(1)] * 20 + [white] * 2 + [view(1)] * 20) == ()


def test_flicker_and_a_fade_are_no_cuts() -> None:
    flicker = [np.clip(view(1).astype(int) + 18 * (i % 3), 0, 255).astype(np.uint8) for i in range(30)]
    fade = [(view(1) * (i / 30)).astype(np.uint8) for i in range(8, 30)]

    assert cuts(flicker) == ()
    assert cuts(fade) == ()


def test_somebody_moving_on_twos_is_no_cut() -> None:
    frames = []
    for i in range(40):
        frame = view(1).copy()
        x = 4 * (i // 2) % 48
        frame[14:34, x : x + 14] = (250, 240, 40)
        frames.append(frame)

    assert cuts(frames) == ()


def test_a_cut_at_the_start_of_a_segment_is_seen_by_the_frame_before() -> None:
    seen = looks([view(1)] * 10 + [view(2)] * 30)

    assert read_shots(seen, 10 * FRAME_MS, 40 * FRAME_MS)[0] == (10 * FRAME_MS,)
    assert read_shots(seen, 0, 10 * FRAME_MS)[0] == ()


def test_black_is_found_to_the_frame_and_bounds_shots() -> None:
    black = np.zeros_like(view(1))

    found, kinds = read_shots(looks([black] * 12 + [view(1)] * 24 + [black] * 12), 0, 48 * FRAME_MS)

    assert found == (12 * FRAME_MS, 36 * FRAME_MS)
    assert kinds == (
        Shot(0, 12 * FRAME_MS, ShotKind.BLACK),
        Shot(36 * FRAME_MS, 48 * FRAME_MS, ShotKind.BLACK),
    )


def test_a_still_written_shot_is_a_card_and_a_moving_one_is_not() -> None:
    still = looks([view(1)] * 40, written=30.0)
    moving = looks([view(1, i / 4) for i in range(40)], written=30.0)
    plain = looks([view(1)] * 40, written=12.0)

    assert read_shots(still, 0, 40 * FRAME_MS)[1] == (Shot(0, 40 * FRAME_MS, ShotKind.TITLE),)
    assert read_shots(moving, 0, 40 * FRAME_MS)[1] == ()
    assert read_shots(plain, 0, 40 * FRAME_MS)[1] == ()


def test_letters_look_written_and_large_shapes_do_not() -> None:
    import cv2

    card = np.full((180, 320, 3), 40, np.uint8)
    for y in (50, 80, 110, 140):
        cv2.putText(card, "Backgrounds by E. Tracer", (40, y), cv2.FONT_HERSHEY_SIMPLEX, 0.55, (240, 240, 240), 1)
    shapes = np.kron(np.random.default_rng(1).integers(0, 255, (9, 16, 3)), np.ones((20, 20, 1))).astype(np.uint8)

    assert writing(card) > 20.5
    assert writing(shapes) < 18
    assert writing(np.zeros((8, 8, 3), np.uint8)) == 0.0


def test_nothing_seen_is_nothing_found() -> None:
    assert read_shots(FrameLooks(), 0, 1000) == ((), ())
