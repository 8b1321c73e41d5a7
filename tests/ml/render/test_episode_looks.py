"""Whole episodes in any look and with casts nobody trained on: the truth stays the truth."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pytest
from pycocotools import mask as coco

from ml.render import cli
from ml.render.crowd import held_out_cast
from ml.render.episode import ALL_STYLES, STYLES, render_episode, style_for
from ml.render.looks import LOOKS, Dress
from ml.render.stage import Stage
from ml.render.story import write_script
from ml.types import ShotKind

SIZE = (256, 144)


def test_the_styles_of_the_sample_series_and_every_look_can_be_asked_for() -> None:
    assert set(ALL_STYLES) == {"modern", "film", "grey"} | set(LOOKS)
    assert list(STYLES) == ["modern", "film", "grey"]


def test_a_cast_of_strangers_acts_under_its_own_names(tmp_path: Path) -> None:
    cast = held_out_cast(9)
    one = render_episode(tmp_path / "a.mp4", 9, duration_s=10.0, size=SIZE, style="watercolour", cast=cast)
    two = render_episode(tmp_path / "b.mp4", 9, duration_s=10.0, size=SIZE, style="watercolour", cast=cast)
    assert one == two
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()
    seen = {face.character for drawing in one.drawings for face in drawing.faces}
    assert len(seen & set(cast)) >= 2
    assert seen <= set(cast) | {"unknown"}
    assert one.style == "watercolour"


def test_the_story_does_not_depend_on_the_look() -> None:
    friends = write_script(4, 20.0)
    others = write_script(4, 20.0, cast=held_out_cast(1))
    assert friends.title == others.title
    with pytest.raises(ValueError, match="at least two"):
        write_script(4, 20.0, cast={"tom": held_out_cast(1).popitem()[1]})


@pytest.mark.filterwarnings("ignore:__array__ implementation")  # inside pycocotools 2.0 with numpy 2
@pytest.mark.parametrize("name", LOOKS)
def test_every_look_draws_scenes_and_lists_only_what_shows(name: str) -> None:
    script = write_script(12, 16.0, width=640.0)
    dress = style_for(name, 12, SIZE[0] / SIZE[1])
    assert isinstance(dress, Dress)
    stage = Stage(script, *SIZE, dress=dress)
    dark = dress.hidden(SIZE[1], SIZE[0])
    found = 0
    shots = [shot for shot in script.shots if shot.kind is ShotKind.STORY and shot.actors]
    for shot in shots[:3]:
        drawn = stage.draw(shot, shot.frames // 2)
        assert drawn.picture.shape == (SIZE[1], SIZE[0], 3)
        for face in drawn.faces:
            found += 1
            mask = coco.decode({"size": list(face.mask.size), "counts": face.mask.counts.encode()}).astype(bool)
            assert mask.any()
            assert dark is None or not (mask & dark).any()
    assert found >= 2


def test_the_same_look_differs_from_seed_to_seed() -> None:
    styles = {style_for("print_1930", seed, 16 / 9).style.gamma for seed in range(3)}  # type: ignore[union-attr]
    contrasts = {style_for("print_1930", seed, 16 / 9).style.contrast for seed in range(3)}  # type: ignore[union-attr]
    assert len(styles) + len(contrasts) >= 4
    assert style_for("grey", 1, 1.5) == STYLES["grey"]


def test_the_command_takes_looks_and_casts(tmp_path: Path) -> None:
    parser = argparse.ArgumentParser()
    cli.add_arguments(parser)
    common = ["--episodes", "2", "--seed", "3", "--duration", "4", "--size", "160x90", "--out", str(tmp_path)]
    assert cli.run(parser.parse_args([*common, "--cast", "held-out", "--style", "chalk"])) == 0
    cast = set(held_out_cast(3))  # one cast for the season
    for path in tmp_path.glob("*.truth.json"):
        data = json.loads(path.read_text(encoding="utf-8"))
        assert data["style"] == "chalk"
        assert {f["character"] for d in data["drawings"] for f in d["faces"]} <= cast | {"unknown"}
    with pytest.raises(SystemExit):
        parser.parse_args([*common, "--cast", "nobody"])
    assert cli.run(parser.parse_args([*common, "--cast-seed", "-1"])) == 2


def test_bars_of_a_narrow_picture_are_black() -> None:
    rng = np.random.default_rng(0)
    dresses = [LOOKS["two_colour"].dress(np.random.default_rng(k), 16 / 9) for k in range(12)]
    narrow = next(d for d in dresses if d.style.bars[1] > 0)
    picture = narrow.project(np.full((144, 256, 3), 200, np.uint8), rng)
    assert picture[:, :24].max() < 40
    assert picture[72, 128].min() > 60
