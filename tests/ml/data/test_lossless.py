"""Read, write, read again: equal records, whatever they hold."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ml.data.attributes import JSON
from ml.data.coco_out import write_coco
from ml.data.labels import read_labels
from ml.data.records import Dataset, LabelledFace, LabelledImage, Polygon
from ml.data.rle import pack
from ml.data.shapes import area, bounds, crosses_itself
from ml.data.via_out import write_via
from ml.types import Mask
from tests.ml.data.sets import picture

WIDTH, HEIGHT = 120, 80
WRITERS: dict[str, Callable[[Dataset, Path], Path]] = {"via": write_via, "coco": write_coco}
# Fields that say something about the picture or the face by themselves, so that they never are attributes.
TAKEN = {"Character", "Emotion", "toonemo", "pts_ms", "group", "split", "width", "height", "video", "shot", "episode"}

words = (
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
    .map(str.strip)
    .filter(lambda w: w and w.lower() not in ("undefined",))
)
keys = words.filter(lambda k: k not in TAKEN and not k.startswith((JSON, "via:", "coco:")) and k != "iscrowd")
values = st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.lists(st.text(max_size=3), max_size=2))
texts = st.text(st.characters(codec="utf-8"), max_size=8)
attributes = st.dictionaries(keys, texts, max_size=3).flatmap(
    lambda plain: st.dictionaries(keys.filter(lambda k: k not in plain), values, max_size=2).map(
        lambda other: {**plain, **{JSON + k: json.dumps(v, ensure_ascii=False) for k, v in other.items()}}
    )
)


@st.composite
def boxes(draw: st.DrawFn) -> tuple[float, float, float, float]:
    across, down = st.floats(0, WIDTH, width=32), st.floats(0, HEIGHT, width=32)
    x1, x2 = sorted(draw(st.tuples(across, across).filter(lambda v: abs(v[0] - v[1]) > 0.01)))
    y1, y2 = sorted(draw(st.tuples(down, down).filter(lambda v: abs(v[0] - v[1]) > 0.01)))
    return x1, y1, x2, y2


@st.composite
def polygons(draw: st.DrawFn) -> Polygon:
    point = st.tuples(st.floats(0, WIDTH), st.floats(0, HEIGHT))
    points = tuple(draw(st.lists(point, min_size=3, max_size=7, unique=True)))
    x1, y1, x2, y2 = bounds([points])
    good = x2 - x1 > 0.01 and y2 - y1 > 0.01 and (crosses_itself(points) or abs(area(points)) > 1e-3)
    return points if good else ((x1 / 2, 1.0), (30.0, 2.5), (20.25, 40.125))


@st.composite
def masks(draw: st.DrawFn) -> Mask:
    cuts = draw(st.lists(st.integers(0, WIDTH * HEIGHT), min_size=2, max_size=8, unique=True).map(sorted))
    runs = [b - a for a, b in zip([0, *cuts], [*cuts, WIDTH * HEIGHT], strict=True)]
    return Mask((HEIGHT, WIDTH), pack(runs))


@st.composite
def faces(draw: st.DrawFn) -> LabelledFace:
    outlines = tuple(draw(st.lists(polygons(), max_size=3)))
    free = draw(st.booleans()) or not outlines
    word = st.one_of(st.none(), words, st.sampled_from(["Tom", "happy", "face", "Joy", "happy_tom"]))
    return LabelledFace(
        box=draw(boxes()) if free else bounds(outlines),
        character=draw(word),
        emotion=draw(word),
        polygons=outlines,
        mask=draw(st.one_of(st.none(), masks())),
        attributes=draw(attributes),
    )


@st.composite
def datasets(draw: st.DrawFn) -> list[LabelledImage]:
    images = []
    for name in draw(st.lists(st.sampled_from(["a.png", "ep1/ü b.png", "ep2/c.png"]), unique=True, max_size=3)):
        found = tuple(draw(st.lists(faces(), max_size=3)))
        group, split = draw(words), draw(st.sampled_from(["", "train", "test"]))
        images.append(LabelledImage(Path(name), WIDTH, HEIGHT, found, None, group, split, draw(attributes)))
    for time in draw(st.lists(st.integers(0, 10**7), unique=True, max_size=2)):
        found = tuple(draw(st.lists(faces(), max_size=2)))
        shot = draw(st.sampled_from(["", "7"]))
        more = {**draw(attributes), **({"shot": shot} if shot else {})}
        group = f"film.mkv#{shot}" if shot and draw(st.booleans()) else draw(words)
        images.append(LabelledImage(Path("film.mkv"), WIDTH, HEIGHT, found, time, group, "", more))
    return images


def bare(images: tuple[LabelledImage, ...]) -> list[LabelledImage]:
    """Without where each label stands, which is another file."""
    return [replace(i, faces=tuple(replace(f, where="") for f in i.faces)) for i in images]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("set")
    for name in ("a.png", "ep1/ü b.png", "ep2/c.png"):
        picture(root / name, WIDTH, HEIGHT)
    (root / "film.mkv").touch()
    return root


@pytest.mark.parametrize("format_name", ["via", "coco"])
@given(data=st.data())
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
def test_what_is_written_is_read_as_the_same(folder: Path, format_name: str, data: st.DataObject) -> None:
    images = tuple(replace(i, path=folder / i.path) for i in data.draw(datasets()))
    with tempfile.TemporaryDirectory(dir=folder) as place:
        out = Path(place) / "labels.json"
        root = WRITERS[format_name](Dataset(format_name, images), out)

        again = read_labels(out, format_name, pictures=root)

    assert bare(again.images) == list(images)
    assert all("crosses itself" in p.reason for p in again.problems)


def test_a_second_field_of_the_same_meaning_may_hold_anything(folder: Path) -> None:
    kept = {"json:감정": "false", "json:name": "[1]", "mood": "dark"}
    face = LabelledFace((1, 2, 30, 40), "Tom", "happy", attributes=kept)
    images = (LabelledImage(folder / "a.png", WIDTH, HEIGHT, (face,), None, "ep1"),)
    with tempfile.TemporaryDirectory(dir=folder) as place:
        for name, write in WRITERS.items():
            out = Path(place) / f"{name}.json"
            root = write(Dataset(name, images), out)
            assert bare(read_labels(out, name, pictures=root, strict=True).images) == list(images)


@given(data=st.data())
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
def test_nothing_is_lost_on_the_way_through_both(folder: Path, data: st.DataObject) -> None:
    images = tuple(replace(i, path=folder / i.path) for i in data.draw(datasets()))
    with tempfile.TemporaryDirectory(dir=folder) as place:
        first, second = Path(place) / "a.json", Path(place) / "b.json"
        root = write_via(Dataset("via", images), first)
        root = write_coco(read_labels(first, "via", pictures=root), second)
        root = write_via(read_labels(second, "coco", pictures=root), first)

        again = read_labels(first, "via", pictures=root)

    assert bare(again.images) == list(images)
