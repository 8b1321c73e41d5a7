"""Pascal VOC, YOLO with Roboflow's data.yaml, labelme, folders, FERG-DB, the manga set; and which of them it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ml.data.labels import detect, read_labels
from ml.data.reading import LabelInvalid
from ml.data.split import given_split
from tests.ml.data.sets import TRIANGLE, coco, picture, reasons, region, via, written

BOX = "<bndbox><xmin>10</xmin><ymin>12</ymin><xmax>60</xmax><ymax>58</ymax></bndbox>"


def voc(tmp_path: Path, *objects: str, name: str = "a.png", before: str = "") -> Path:
    listed = "\n".join(f"<object>{o}</object>" for o in objects)
    size = "<size><width>120</width><height>80</height></size>"
    text = f"{before}<annotation>\n<filename>{name}</filename>\n{size}\n{listed}\n</annotation>"
    return written(tmp_path / "Annotations" / "a.xml", text)


def test_voc(tmp_path: Path) -> None:
    picture(tmp_path / "JPEGImages" / "a.png")
    written(tmp_path / "ImageSets" / "Main" / "val.txt", "a\n")
    mood = "<attributes><attribute><name>emotion</name><value>happy</value></attribute></attributes>"
    outline = "<polygon><x1>10</x1><y1>12</y1><x2>60</x2><y2>14</y2><x3>35</x3><y3>58</y3></polygon>"
    voc(
        tmp_path,
        f"<name>Tom</name><difficult>1</difficult>{BOX}{mood}",
        f"<name>sad_jerry</name>{outline}",
        "<name>Tom</name>",
        f"<name>Tom</name>{BOX.replace('60', 'nan')}",
        f"<name>Tom</name>{BOX.replace('60', 'wide')}",
    )

    dataset = read_labels(tmp_path)

    assert dataset.format == "voc"
    assert dataset.images[0].split == "valid"
    tom, jerry = dataset.images[0].faces
    assert (tom.character, tom.emotion, tom.box) == ("Tom", "happy", (10, 12, 60, 58))
    assert dict(tom.attributes) == {"difficult": "1"}
    assert (jerry.character, jerry.emotion, len(jerry.polygons)) == ("jerry", "sad", 1)
    assert [(p.line, p.reason) for p in dataset.problems] == [
        (6, "the object has no bndbox"),
        (7, "xmax is not finite, or absurdly large"),
        (8, "xmax is 'wide', not a number"),
    ]


ENTITIES = "<!DOCTYPE a [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;'>]>\n"
FETCH = "<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>\n"


@pytest.mark.parametrize("before", [ENTITIES, FETCH])
def test_hostile_xml_neither_grows_nor_fetches(tmp_path: Path, before: str) -> None:
    picture(tmp_path / "a.png")
    file = voc(tmp_path, f"<name>&b;&x;</name>{BOX}", before=before)

    with pytest.raises(LabelInvalid, match=r"a\.xml:1: defines an entity"):
        read_labels(file)


def test_deep_and_broken_xml_cost_no_other_file(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    voc(tmp_path, f"<name>Tom</name>{BOX}")
    written(tmp_path / "Annotations" / "b.xml", "<annotation>" + "<a>" * 100)
    written(tmp_path / "Annotations" / "c.xml", "<annotation>\n<filename>a.png</annotation>")

    dataset = read_labels(tmp_path)

    assert len(dataset.images) == 1
    assert [(p.file.name, p.line) for p in dataset.problems] == [("b.xml", 1), ("c.xml", 2)]


def roboflow(root: Path, names: str, train: str = "../train/images") -> Path:
    for split in ("train", "valid", "test"):
        picture(root / split / "images" / f"{split}.png")
        written(root / split / "labels" / f"{split}.txt", "0 0.5 0.5 0.5 0.5\n1 0.1 0.1 0.5 0.1 0.3 0.6\n")
    text = f"train: {train}\nval: ../valid/images\ntest: ../test/images\nnc: 2\nnames: {names}\n"
    return written(root / "data.yaml", text)


@pytest.mark.parametrize("names", ["['Tom', 'happy_jerry']", "\n  0: Tom\n  1: happy_jerry"])
@pytest.mark.parametrize("train", ["../train/images", "train/images", "./train/images", "[train/images]"])
def test_roboflow(tmp_path: Path, names: str, train: str) -> None:
    roboflow(tmp_path, names, train)

    dataset = read_labels(tmp_path)

    assert dataset.format == "yolo"
    assert not dataset.problems
    assert [i.split for i in dataset.images] == ["train", "valid", "test"]
    box, outline = dataset.images[0].faces
    assert (box.character, box.box) == ("Tom", (30, 20, 90, 60))
    assert (outline.character, outline.emotion) == ("jerry", "happy")
    assert outline.box == pytest.approx((12, 8, 60, 48))


def test_characters_that_are_called_as_emotions_are(tmp_path: Path) -> None:
    roboflow(tmp_path, "[Joy, Sadness]")

    assert read_labels(tmp_path).emotions == ("Joy", "Sadness")
    assert read_labels(tmp_path, classes="character").characters == ("Joy", "Sadness")


def test_every_bad_line_of_yolo(tmp_path: Path) -> None:
    roboflow(tmp_path, "[Tom, Jerry]")
    lines = [
        "0 0.5 0.5 0.2 0.2",
        "7 0.5 0.5 0.2 0.2",
        "x 0.5 0.5 0.2 0.2",
        "0 0.5 0.5 0.2",
        "0 0.5 0.5 0 0.2",
        "0 0.5 nan 0.2 0.2",
        "0 60 40 20 20",
        "",
        "0 0.1 0.1 0.5 0.1 0.3 0.6 0.2",
        "0 0.1 0.1 0.1 0.1 0.1 0.1",
        "1 0.5 0.5 0.2 0.2 0.98",
    ]
    file = written(tmp_path / "train" / "labels" / "train.txt", "\n".join(lines))
    written(tmp_path / "train" / "labels" / "gone.txt", lines[0])

    dataset = read_labels(tmp_path)

    train = dataset.images[0]
    assert [f.where for f in train.faces] == [f"{file}:1", f"{file}:11"]
    assert train.faces[1].attributes["confidence"] == "0.98"
    assert [p.line for p in dataset.problems] == [2, 3, 4, 5, 6, 7, 9, 10, 0]
    assert dataset.problems[-1].file.name == "gone.txt"


@pytest.mark.parametrize("names", ["[no, 007]", "[no, '007']", "\n  0: no\n  1: 007", "\n  '0': no\n  1: 007"])
def test_names_of_classes_are_words_whatever_yaml_makes_of_them(tmp_path: Path, names: str) -> None:
    roboflow(tmp_path, names)

    dataset = read_labels(tmp_path)

    assert dataset.characters == ("007", "no")
    assert not dataset.problems


def test_a_class_that_is_named_twice_is_told(tmp_path: Path) -> None:
    roboflow(tmp_path, "\n  0: Tom\n  0: Jerry\n  1: Spike")

    with pytest.raises(LabelInvalid, match=r"data\.yaml:7: is not YAML: 0 is given twice"):
        read_labels(tmp_path)


def test_two_classes_of_one_name_are_said(tmp_path: Path) -> None:
    roboflow(tmp_path, "[Tom, Tom]")

    dataset = read_labels(tmp_path)

    assert dataset.characters == ("Tom",)
    assert [str(p.reason) for p in dataset.problems] == ["names the class 'Tom' 2 times; they count as one"]
    assert dataset.problems[0].kept
    with pytest.raises(LabelInvalid, match=r"data\.yaml.*2 times"):
        read_labels(tmp_path, strict=True)


def test_a_description_that_lists_no_pictures_is_of_those_beside_it(tmp_path: Path) -> None:
    roboflow(tmp_path, "[Tom, Jerry]")
    written(tmp_path / "data.yaml", "names: [Tom, Jerry]\n")

    dataset = read_labels(tmp_path)

    assert sorted((i.split, len(i.faces)) for i in dataset.images) == [("test", 2), ("train", 2), ("valid", 2)]
    assert dataset.characters == ("Jerry", "Tom")


@pytest.mark.parametrize("word", ["1", "1.0", "1.", "01", "1.000000e+00", "\ufeff1.0"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_a_class_may_be_written_as_coordinates_are(tmp_path: Path, word: str, ending: str) -> None:
    picture(tmp_path / "images" / "a.png")
    written(tmp_path / "labels" / "a.txt", f"{word}\t0.5  0.5 5e-1 5E-01{ending}0.0 0.5 0.5 .5 .5{ending}")
    written(tmp_path / "classes.txt", "Tom\nJerry\n")

    dataset = read_labels(tmp_path)

    assert dataset.format == "yolo"
    assert [(f.character, f.box) for f in dataset.images[0].faces] == [
        ("Jerry", (30, 20, 90, 60)),
        ("Tom", (30, 20, 90, 60)),
    ]
    assert not dataset.problems


@pytest.mark.parametrize(
    "word", ["0.5", "nan", "inf", "1e400", "-1", "-1.0", "1_0", "0x1", "1e9", "1,0", "Tom", "9" * 5000]
)
def test_a_class_that_is_no_whole_number_is_a_bad_label(tmp_path: Path, word: str) -> None:
    roboflow(tmp_path, "[Tom, Jerry]")
    file = written(tmp_path / "train" / "labels" / "train.txt", f"0 0.5 0.5 0.5 0.5\n{word} 0.5 0.5 0.5 0.5\n")

    dataset = read_labels(tmp_path)

    assert len(dataset.images[0].faces) == 1
    assert [(p.file, p.line) for p in dataset.problems] == [(file, 2)]
    assert reasons(dataset) == [f"the class is {word[:40]!r}, not a whole number from 0 on"]


def test_yolo_leads_nowhere_else(tmp_path: Path) -> None:
    picture(tmp_path / "secret" / "images" / "s.png")
    root = tmp_path / "set"
    roboflow(root, "[Tom, Jerry]", "../../secret/images")

    dataset = read_labels(root)

    assert [i.split for i in dataset.images] == ["valid", "test"]
    assert "neither a folder nor a list inside" in reasons(dataset)[0]


def test_yolo_without_a_description(tmp_path: Path) -> None:
    picture(tmp_path / "images" / "a.png")
    picture(tmp_path / "images" / "empty.png")
    written(tmp_path / "labels" / "a.txt", "1 0.5 0.5 0.5 0.5")
    written(tmp_path / "classes.txt", "Tom\nJerry\n")

    dataset = read_labels(tmp_path)

    assert [[f.character for f in i.faces] for i in dataset.images] == [["Jerry"], []]


@pytest.mark.parametrize("text", ["names: [a", "names: 5", "[1, 2]", "a: &a [x]\nnames: {0: *a}\nnc: 1"])
def test_a_bad_description_is_told(tmp_path: Path, text: str) -> None:
    written(tmp_path / "data.yaml", text)
    with pytest.raises(LabelInvalid, match=r"data\.yaml"):
        read_labels(tmp_path / "data.yaml", "yolo")


def labelme(tmp_path: Path, *shapes: dict[str, Any]) -> Path:
    picture(tmp_path / "images" / "a.png")
    document: dict[str, Any] = {
        "version": "5.4.1",
        "flags": {},
        "shapes": list(shapes),
        "imagePath": "..\\images\\a.png",
        "imageData": None,
        "imageHeight": 80,
        "imageWidth": 120,
    }
    return written(tmp_path / "labels" / "a.json", document)


def test_labelme(tmp_path: Path) -> None:
    points = list(zip(TRIANGLE["all_points_x"], TRIANGLE["all_points_y"], strict=True))
    file = labelme(
        tmp_path,
        {"label": "Tom", "points": points, "shape_type": "polygon", "flags": {"happy": True, "sad": False}},
        {"label": "Jerry", "points": [[60, 50], [20, 10]], "shape_type": "rectangle", "group_id": None},
        {"label": "Spike", "points": points, "group_id": 4},
        {"label": "Spike", "points": [[70, 50], [80, 50], [80, 60]], "group_id": 4, "description": ""},
        {
            "label": "Tyke",
            "points": [[50, 40], [50, 50]],
            "shape_type": "circle",
            "description": "emotion=fear, hat=red",
        },
        {"label": "Tom", "points": [[50, 40]], "shape_type": "point"},
        {"label": 5, "points": points},
    )

    dataset = read_labels(tmp_path)

    assert dataset.format == "labelme"
    tom, jerry, spike, tyke = dataset.images[0].faces
    assert (tom.character, tom.emotion, tom.box) == ("Tom", "happy", (10, 12, 60, 58))
    assert (jerry.box, jerry.polygons) == ((20, 10, 60, 50), ())
    assert (len(spike.polygons), spike.box) == (2, (10, 12, 80, 60))
    assert (tyke.emotion, dict(tyke.attributes), tyke.box) == ("fear", {"hat": "red"}, (40, 30, 60, 50))
    lines = file.read_text().splitlines()
    starts = [n for n, line in enumerate(lines, 1) if line == "  {"]
    assert [p.line for p in dataset.problems] == starts[-2:]


def test_folders_of_any_nesting(tmp_path: Path) -> None:
    for name in ("train/happy/Tom/1.png", "val/Jerry/sad/ep3_0007.png", "test/angry_jerry/2.png", "train/happy/3.png"):
        picture(tmp_path / name)
    picture(tmp_path / "loose.png")

    dataset = read_labels(tmp_path)

    assert dataset.format == "folders"
    found = {i.path.name: (i.split, i.faces[0].character, i.faces[0].emotion) for i in dataset.images}
    assert found == {
        "1.png": ("train", "Tom", "happy"),
        "ep3_0007.png": ("valid", "Jerry", "sad"),
        "2.png": ("test", "jerry", "angry"),
        "3.png": ("train", None, "happy"),
    }
    assert {i.group for i in dataset.images} >= {"ep3", "train/happy/3.png"}
    assert dataset.images[0].faces[0].box == (0, 0, 120, 80)
    assert reasons(dataset) == ["lies in no folder that says what it shows"]


def test_ferg(tmp_path: Path) -> None:
    for who in ("aia", "bonnie"):
        for mood in ("anger", "joy"):
            picture(tmp_path / "FERG_DB_256" / who / f"{who}_{mood}" / f"{who}_{mood}_1.png", 64, 64)

    for root in (tmp_path, tmp_path / "FERG_DB_256"):
        dataset = read_labels(root)
        assert dataset.format == "ferg"
        assert dataset.characters == ("aia", "bonnie")
        assert dataset.emotions == ("anger", "joy")
        assert {i.group for i in dataset.images} == {"aia", "bonnie"}


def test_the_manga_set(tmp_path: Path) -> None:
    for split in ("train", "test"):
        for mood in ("angry", "crying", "embarrassed", "happy", "pleased", "sad", "shock"):
            picture(tmp_path / split / mood / "12.jpg", 32, 32)

    dataset = read_labels(tmp_path)

    assert dataset.format == "manga"
    assert len(dataset.emotions) == 7
    assert not dataset.characters
    assert {part: len(images) for part, images in given_split(dataset.images).items()} == {"train": 7, "test": 7}


def test_it_says_what_it_looked_for(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    written(tmp_path / "package.json", {"name": "x"})
    with pytest.raises(LabelInvalid, match="looked for JSON of VIA, COCO or labelme"):
        detect(tmp_path)
    with pytest.raises(LabelInvalid, match=r"package\.json is in no format"):
        read_labels(tmp_path / "package.json")
    with pytest.raises(LabelInvalid, match="no labels at"):
        read_labels(tmp_path / "nowhere")
    written(tmp_path / "via.json", via(("a.png", [region()])))
    written(tmp_path / "coco.json", coco([]))
    with pytest.raises(LabelInvalid, match=r"several formats \(coco: coco.json, via: via.json\)"):
        read_labels(tmp_path)
    assert len(read_labels(tmp_path, "via").images) == 1
