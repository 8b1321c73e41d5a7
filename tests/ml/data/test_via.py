"""What VGG Image Annotator writes, in all its layouts."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from ml.data.labels import read_labels
from ml.data.reading import LabelInvalid
from ml.data.via_out import write_via
from ml.label.store import frame_entry, read_entries
from tests.ml.data.sets import TRIANGLE, picture, reasons, region, via, written


def one(tmp_path: Path, *regions: Any, **said: Any) -> Path:
    picture(tmp_path / "a.png")
    return written(tmp_path / "via.json", via(("a.png", list(regions)), **said))


def test_the_papers_layout_a_folder_and_a_file_per_episode(tmp_path: Path) -> None:
    for episode, character in (("ep1", "Tom"), ("ep2", "Jerry")):
        for number in (15, 30):
            picture(tmp_path / episode / f"{number:04}.png")
        entries = [(f"{n:04}.png", [region(Character=character, Emotion="happy")]) for n in (15, 30)]
        written(tmp_path / episode / "via_export.json", via(*entries))

    dataset = read_labels(tmp_path)

    assert dataset.format == "via"
    assert not dataset.problems
    assert [i.path.relative_to(tmp_path).as_posix() for i in dataset.images] == [
        "ep1/0015.png",
        "ep1/0030.png",
        "ep2/0015.png",
        "ep2/0030.png",
    ]
    assert [i.group for i in dataset.images] == ["ep1", "ep1", "ep2", "ep2"]
    assert dataset.characters == ("Jerry", "Tom")
    first = dataset.images[0]
    assert (first.width, first.height) == (120, 80)
    assert first.faces[0].box == (10, 12, 60, 58)
    assert first.faces[0].polygons == (((10, 12), (60, 14), (35, 58)),)
    assert first.faces[0].emotion == "happy"


def test_regions_of_via_1_and_a_whole_project(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    entry = via(("a.png", []))
    entry["a.png-1"]["regions"] = {"0": region(Character="Tom"), "1": region(Character="Jerry")}
    project = {"_via_settings": {"ui": {}}, "_via_img_metadata": entry, "_via_attributes": {"region": {}}}

    plain = read_labels(written(tmp_path / "one.json", entry))
    whole = read_labels(written(tmp_path / "two.json", project))

    assert [f.character for f in plain.images[0].faces] == ["Tom", "Jerry"]
    assert [f.character for f in whole.images[0].faces] == ["Tom", "Jerry"]
    out = tmp_path / "back.json"
    write_via(whole, out)
    assert json.loads(out.read_text())["_via_settings"] == {"ui": {}}


def test_csv_of_via(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    picture(tmp_path / "b.png")
    file = tmp_path / "via_region_data.csv"
    with file.open("w", newline="", encoding="utf-8") as stream:
        rows = csv.writer(stream)
        columns = "filename file_size file_attributes region_count region_id region_shape_attributes region_attributes"
        rows.writerow(columns.split())
        file_rows = [
            ["a.png", 99, "{}", 2, 0, json.dumps(TRIANGLE), json.dumps({"Character": "Tom"})],
            ["a.png", 99, "{}", 2, 1, json.dumps({"name": "point", "cx": 1, "cy": 2}), "{}"],
            ["b.png", 98, "{}", 0, 0, "{}", "{}"],
            ["b.png", 98, "{}", 0, 0, "{not json", "{}"],
        ]
        rows.writerows(file_rows)

    dataset = read_labels(file)

    assert [len(i.faces) for i in dataset.images] == [1, 0]
    assert dataset.images[0].faces[0].where == f"{file}:2"
    assert sorted((p.line, p.reason) for p in dataset.problems) == [
        (3, "a.png, region 2: a point has no area, so it is no face"),
        (5, "the row does not hold what VIA writes"),
    ]


COLUMNS = "filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,region_attributes"


def table(path: Path, *rows: list[Any], columns: str = COLUMNS, between: str = ",", ending: str = "\r\n") -> Path:
    with path.open("w", newline="", encoding="utf-8-sig") as stream:
        stream.write(columns.replace(",", between) + ending)
        csv.writer(stream, delimiter=between, lineterminator=ending).writerows(rows)
    return path


@pytest.mark.parametrize("columns", [COLUMNS, f"#{COLUMNS}"])
@pytest.mark.parametrize("between", [",", ";"])
@pytest.mark.parametrize("name", ["via.csv", "VIA.CSV"])
def test_csv_as_other_programs_leave_it(tmp_path: Path, columns: str, between: str, name: str) -> None:
    picture(tmp_path / "둘리.png")
    row = ["둘리.png", 9, "{}", 1, 0, json.dumps(TRIANGLE), json.dumps({"Character": "둘리"})]

    dataset = read_labels(table(tmp_path / name, row, columns=columns, between=between))

    assert dataset.characters == ("둘리",)
    assert not dataset.problems


@pytest.mark.parametrize("size", ["²", "--5", "9" * 5000, "1.5", "", "-1"])
def test_a_size_in_csv_that_is_none_costs_nothing(tmp_path: Path, size: str) -> None:
    picture(tmp_path / "a.png")

    dataset = read_labels(table(tmp_path / "v.csv", ["a.png", size, "{}", 1, 0, json.dumps(TRIANGLE), "{}"]))

    assert len(dataset.images[0].faces) == 1
    assert not dataset.problems


def test_a_row_of_csv_that_was_cut_off_is_no_picture_without_faces(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")

    dataset = read_labels(table(tmp_path / "v.csv", ["a.png", 9, "{}", 0, 0, "{}", "{}"], ["a.png", 9, "{}", 1, 0]))

    assert [(p.line, p.reason) for p in dataset.problems] == [(3, "the row does not hold what VIA writes")]


@pytest.mark.parametrize("key", ["emotion", "Emotion", "EMOTIONS", "emotion_label", "Facial Expression", "감정"])
def test_any_spelling_of_the_emotion(tmp_path: Path, key: str) -> None:
    face = read_labels(one(tmp_path, region(None, character="Tom", **{key: "joy"}))).images[0].faces[0]

    assert (face.character, face.emotion, dict(face.attributes)) == ("Tom", "joy", {})


def test_a_checkbox_is_one_word_and_two_ticks_are_doubtful(tmp_path: Path) -> None:
    ticked = region(Character="Tom", emotion={"happy": True, "sad": False})
    dataset = read_labels(one(tmp_path, ticked, region(emotion={"happy": True, "sad": True})))

    first, second = dataset.images[0].faces
    assert first.emotion == "happy"
    assert second.emotion is None
    assert reasons(dataset) == ["a.png, region 2: emotion names several: happy, sad"]
    assert dataset.problems[0].kept


@pytest.mark.parametrize(
    ("shape", "box", "corners"),
    [
        ({"name": "rect", "x": 5, "y": 6, "width": 20, "height": 10}, (5, 6, 25, 16), 0),
        ({"name": "circle", "cx": 40, "cy": 30, "r": 10}, (30, 20, 50, 40), 36),
        ({"name": "ellipse", "cx": 40, "cy": 30, "rx": 20, "ry": 10}, (20, 20, 60, 40), 36),
        (
            {"name": "ellipse", "cx": 40, "cy": 30, "rx": 20, "ry": 10, "theta": 1.5707963267948966},
            (30, 10, 50, 50),
            36,
        ),
        ({**TRIANGLE, "name": "polyline"}, (10, 12, 60, 58), 3),
    ],
)
def test_every_shape_is_read_and_written_back_as_it_was(
    tmp_path: Path, shape: dict[str, Any], box: tuple[float, ...], corners: int
) -> None:
    dataset = read_labels(one(tmp_path, region(shape, Character="Tom")))

    face = dataset.images[0].faces[0]
    assert face.box == pytest.approx(box, abs=0.01)
    assert sum(len(p) for p in face.polygons) == corners
    write_via(dataset, tmp_path / "out.json")
    entry = next(iter(json.loads((tmp_path / "out.json").read_text()).values()))
    assert entry["regions"][0]["shape_attributes"] == shape


def test_a_frame_of_a_video(tmp_path: Path) -> None:
    (tmp_path / "part2.mkv").write_bytes(b"not opened")
    said = {"video": "part2.mkv", "pts_ms": 44000, "shot": "12", "width": 1440, "height": 1072}
    file = written(tmp_path / "labels.json", via(("part2.mkv#t=44000", [region(Character="Sindbad")]), **said))

    image = read_labels(file).images[0]

    assert image.path == tmp_path / "part2.mkv"
    assert (image.pts_ms, image.group, image.width, image.height) == (44000, "part2.mkv#12", 1440, 1072)
    assert dict(image.attributes) == {"shot": "12"}
    entry = written(tmp_path / "bad.json", via(("part2.mkv#t=44000", []), **{**said, "pts_ms": 1}))
    assert "do not agree" in reasons(read_labels(entry))[0]
    assert "which frame" in reasons(read_labels(written(tmp_path / "no.json", via(("part2.mkv", [])))))[0]


def test_videos_that_lie_elsewhere_or_nowhere(tmp_path: Path) -> None:
    labels = tmp_path / "labels" / "popeye.json"
    written(labels, via(("part2.mkv#t=5", [region()]), shot="3"))
    films = tmp_path / "films"
    films.mkdir()

    missing = read_labels(labels)
    assert reasons(missing) == ["the picture 'part2.mkv' is missing"]
    assert not missing.images
    assert len(read_labels(labels, need_pictures=False).images[0].faces) == 1
    (films / "part2.mkv").touch()
    assert read_labels(labels, pictures=films).images[0].path == films / "part2.mkv"


def test_unknown_keys_and_values_are_written_back(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    document = via(("a.png", [{**region(Character="Tom", age="7", tags=["x", 1], who=None), "note": {"by": "me"}}]))
    document["a.png-1"]["fileref"] = "f"
    document["a.png-1"]["file_attributes"] = {"caption": "é😀", "score": 0.5}
    dataset = read_labels(written(tmp_path / "in.json", document))

    write_via(dataset, tmp_path / "out.json")
    entry = next(iter(json.loads((tmp_path / "out.json").read_text(encoding="utf-8")).values()))

    assert entry["fileref"] == "f"
    assert entry["file_attributes"]["caption"] == "é😀"
    assert entry["file_attributes"]["score"] == 0.5
    assert entry["regions"][0]["note"] == {"by": "me"}
    assert entry["regions"][0]["region_attributes"] == {"Character": "Tom", "age": "7", "tags": ["x", 1], "who": None}


def test_an_edit_of_the_shape_wins_over_the_note_of_a_former_writing(tmp_path: Path) -> None:
    note = json.dumps({"of": [10, 12, 60, 58], "box": [11, 13, 50, 50]})
    moved = {"name": "polygon", "all_points_x": [20, 70, 45], "all_points_y": [12, 14, 58]}

    kept, edited = read_labels(one(tmp_path, region(toonemo=note), region(moved, toonemo=note))).images[0].faces

    assert kept.box == (11, 13, 50, 50)
    assert edited.box == (20, 12, 70, 58)


def test_lines_are_those_of_the_file_and_one_bad_label_costs_no_other(tmp_path: Path) -> None:
    bad = region({"name": "polygon", "all_points_x": [1, 2], "all_points_y": [1, 2]})
    file = one(tmp_path, region(Character="Tom"), bad, "no object", region(Character="Jerry"))

    dataset = read_labels(file)

    lines = file.read_text().splitlines()
    assert [f.character for f in dataset.images[0].faces] == ["Tom", "Jerry"]
    assert [p.line for p in dataset.problems] == [
        [n for n, line in enumerate(lines, 1) if line.strip() == "{" and "shape_attributes" in lines[n]][1],
        next(n for n, line in enumerate(lines, 1) if '"no object"' in line),
    ]
    with pytest.raises(LabelInvalid, match=r"via\.json:\d+: a\.png, region 2: the outline has 2 different points"):
        read_labels(file, strict=True)


def test_a_picture_listed_twice_keeps_the_faces_of_both(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    document = {
        **via(("a.png", [region(Character="Tom")])),
        **{"again": {"filename": "a.png", "regions": [region(Character="Tom"), region(Character="Jerry")]}},
    }

    dataset = read_labels(written(tmp_path / "via.json", document))

    assert [f.character for f in dataset.images[0].faces] == ["Tom", "Jerry"]
    assert reasons(dataset) == ["a.png is listed a second time; 1 faces are new"]


def test_the_same_key_twice_in_an_object_is_not_lost(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    picture(tmp_path / "b.png")
    first, second = (json.dumps(next(iter(via((n, [region()])).values()))) for n in ("a.png", "b.png"))

    dataset = read_labels(written(tmp_path / "via.json", f'{{"k": {first},\n"k": {second}}}'))

    assert [i.path.name for i in dataset.images] == ["a.png", "b.png"]


def test_one_broken_file_costs_no_other(tmp_path: Path) -> None:
    one(tmp_path / "ep1", region())
    text = (tmp_path / "ep1" / "via.json").read_text()
    written(tmp_path / "ep2" / "via.json", text[: len(text) // 2])

    dataset = read_labels(tmp_path)

    assert len(dataset.images) == 1
    assert [(p.file.parent.name, p.line > 3) for p in dataset.problems] == [("ep2", True)]
    assert reasons(dataset)[0].startswith("is not JSON: ")


def via_3(path: Path) -> Path:
    project = {"pid": "__VIA_PROJECT_ID__", "rev": "1", "data_format_version": "3.1.1", "vid_list": ["1"]}
    files = {"1": {"fid": "1", "fname": "a.png", "type": 2, "loc": 1, "src": "a.png"}}
    drawn = {"1_x": {"vid": "1", "flg": 0, "z": [], "xy": [2, 10, 12, 50, 46], "av": {"1": "Tom"}}}
    sections = {"attribute": {"1": {"aname": "Character"}}, "file": files, "metadata": drawn, "view": {}}
    return written(path, {"project": project, "config": {"file": {}, "ui": {}}, **sections})


def test_a_project_of_via_3_is_called_so(tmp_path: Path) -> None:
    picture(tmp_path / "ep1" / "a.png")
    picture(tmp_path / "ep2" / "b.png")
    file = via_3(tmp_path / "ep1" / "project.json")
    table = tmp_path / "export.csv"
    table.write_text("# Exported using VGG Image Annotator\n# CSV_HEADER = metadata_id,file_list,spatial_coordinates\n")
    what = r"is a project of VIA 3, which is not read: export it as COCO, or label with VIA 2"

    for path, format_name, told in (
        (file, "auto", "project"),
        (file, "via", "project"),
        (file, "coco", "project"),
        (tmp_path / "ep1", "auto", "project"),
        (tmp_path / "ep1", "via", "project"),
        (table, "auto", "export"),
        (tmp_path, "auto", "export"),
    ):
        with pytest.raises(LabelInvalid, match=rf"{told}\.(json|csv)(:1:)? {what}"):
            read_labels(path, format_name)


def test_a_project_of_via_3_costs_no_other_file(tmp_path: Path) -> None:
    one(tmp_path / "ep1", region(Character="Tom"))
    file = via_3(tmp_path / "ep2" / "project.json")

    dataset = read_labels(tmp_path)

    assert dataset.characters == ("Tom",)
    assert [(p.file, p.line, p.kept) for p in dataset.problems] == [(file, 1, False)]
    assert "VIA 3" in reasons(dataset)[0]


def test_what_our_own_labelling_page_writes_and_back(tmp_path: Path) -> None:
    (tmp_path / "part2.mkv").touch()
    entry = frame_entry(tmp_path / "part2.mkv", 44000, 12)
    entry.width, entry.height = 1440, 1072
    entry.raw = [region(Character="Sindbad", Emotion="", note="beard")]
    file = written(tmp_path / "labels.json", {entry.key: entry.to_via()})

    dataset = read_labels(file, strict=True)

    image = dataset.images[0]
    assert (image.pts_ms, image.group, image.width) == (44000, "part2.mkv#12", 1440)
    assert (image.faces[0].character, image.faces[0].emotion) == ("Sindbad", None)
    write_via(dataset, tmp_path / "out.json")
    again = read_entries(tmp_path / "out.json")[0]
    assert (again.key, again.pts_ms, again.shot, again.width) == (entry.key, 44000, 12, 1440)
    assert [r.character for r in again.regions] == ["Sindbad"]
