"""The labels of a real film that the project ships: whole, readable, and agreeing as their page says."""

from __future__ import annotations

from pathlib import Path

from ml.data.labels import read_labels

FOLDER = Path(__file__).parents[3] / "docs" / "labels" / "popeye_1936"


def test_both_annotators_labelled_the_same_frames() -> None:
    a, b = (read_labels(FOLDER / name, need_pictures=False) for name in ("a.json", "b.json"))
    assert not a.problems
    assert not b.problems
    frames = [{(image.path.name, image.pts_ms) for image in one.images} for one in (a, b)]
    assert frames[0] == frames[1]
    assert len(frames[0]) == 150
    assert len({image.group for image in a.images}) == 19
    assert [sum(len(i.faces) for i in one.images) for one in (a, b)] == [62, 87]
    assert all(
        face.polygons and face.emotion and face.character for one in (a, b) for i in one.images for face in i.faces
    )
