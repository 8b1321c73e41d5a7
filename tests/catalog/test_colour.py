"""Whether a colour can be told from the pages."""

from __future__ import annotations

import pytest

from catalog.colour import DARK, LEAST, LIGHT, contrast_of, is_colour, nearest_enough, ratio


def test_contrast_is_that_of_the_guidelines() -> None:
    assert ratio("#000000", "#ffffff") == pytest.approx(21)
    assert ratio("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert ratio(LIGHT, LIGHT) == 1


@pytest.mark.parametrize("colour", ["#f2c230", "#ffffff", "#000000", "#0000ff", "#6b7280", "#1e1b26"])
def test_there_is_always_a_colour_near_that_can_be_told(colour: str) -> None:
    found = contrast_of(nearest_enough(colour))
    assert min(found.light, found.dark) >= LEAST
    assert nearest_enough(nearest_enough(colour)) == nearest_enough(colour)


def test_what_is_no_colour() -> None:
    for text in ("red", "#fff", "#12345", "#1234567", "#12345G", "#ABCDEF", "#abcdef\n", ""):
        assert not is_colour(text)
        with pytest.raises(ValueError, match="written like"):
            contrast_of(text)


def test_the_pages_have_the_colours_that_are_compared() -> None:
    from pathlib import Path

    sheet = (Path(__file__).parents[2] / "toonemo_site/static/toonemo/app.css").read_text(encoding="utf-8")
    assert sheet.count(f"--sheet: {LIGHT}") == 1
    assert sheet.count(f"--sheet: {DARK}") == 1
