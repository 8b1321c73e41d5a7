"""Cascades: Hill's two, one made here whose faces are known, and files that must be refused."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from ml.__main__ import main
from ml.bundle import read_bundle
from ml.detect.cascade import Cascade, CascadeInvalid, parse_cascade, read_cascade
from ml.detect.haar import CascadeSettings, Found, HaarDetector, look, resolve, score_of
from ml.detect.haar_tools import CascadeOption, cut_faces, haar_bundle, parse_option
from ml.errors import BundleInvalid, OutputUnwritable
from ml.runtime import load_models
from tests.ml.films import DATA, film, needs_data

# Two stages of one stump: the left half of the window is darker than the right one by more than a threshold.
HALVES = """<?xml version="1.0"?>
<opencv_storage><cascade>
<stageType>BOOST</stageType><featureType>HAAR</featureType><height>24</height><width>24</width>
<stageParams><maxWeakCount>1</maxWeakCount></stageParams>
<featureParams><maxCatCount>0</maxCatCount><featSize>1</featSize><mode>BASIC</mode></featureParams>
<stageNum>2</stageNum>
<stages><_><maxWeakCount>1</maxWeakCount><stageThreshold>0.5</stageThreshold>
<weakClassifiers><_><internalNodes>0 -1 0 0.8</internalNodes><leafValues>-1. 2.</leafValues></_></weakClassifiers>
</_>
<_><maxWeakCount>1</maxWeakCount><stageThreshold>0.5</stageThreshold>
<weakClassifiers><_><internalNodes>0 -1 0 0.9</internalNodes><leafValues>-1. 3.</leafValues></_></weakClassifiers>
</_></stages>
<features><_><rects><_>0 0 12 24 -1.</_><_>12 0 12 24 1.</_></rects><tilted>0</tilted></_></features>
</cascade></opencv_storage>
"""


def halves() -> Cascade:
    return parse_cascade(HALVES.encode())


def picture(*places: tuple[int, int]) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Grey, with dark-light squares of 48 pixels whose upper left corners are ``places``."""
    made = np.full((200, 320, 3), 128, np.uint8)
    for x, y in places:
        made[y : y + 48, x : x + 24] = 20
        made[y : y + 48, x + 24 : x + 48] = 235
    return made


def detector(**changes: int) -> HaarDetector:
    return HaarDetector([(CascadeSettings("a.xml", "a", **{"neighbours": 5, **changes}), halves())])


def test_a_cascade_finds_what_it_describes() -> None:
    [faces] = detector().detect([picture((40, 60), (200, 100))])
    centres = sorted(((f.box[0] + f.box[2]) / 2, (f.box[1] + f.box[3]) / 2) for f in faces)
    assert len(faces) == 2
    assert centres[0] == pytest.approx((64, 84), abs=6)
    assert centres[1] == pytest.approx((224, 124), abs=6)
    for face in faces:
        assert (face.character, face.mask) == ("a", None)
        assert face.score == score_of(3.0 - 0.5)  # the leaf's value, less the stage's threshold


def test_an_empty_or_tiny_picture_has_no_faces() -> None:
    assert detector().detect([picture(), np.zeros((10, 400, 3), np.uint8)]) == [[], []]
    assert detector().detect([]) == []


@pytest.mark.parametrize("neighbours", [0, 1, 5])
def test_boxes_are_those_of_opencv(neighbours: int, tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    path.write_text(HALVES)
    grey = cv2.cvtColor(picture((40, 60), (200, 100), (150, 20)), cv2.COLOR_RGB2GRAY)
    cascade = read_cascade(path)
    ours = look(grey, CascadeSettings("a.xml", "a", neighbours), cascade, cascade.classifier())
    theirs = cv2.CascadeClassifier(str(path)).detectMultiScale(grey, 1.1, neighbours, minSize=(24, 24))
    assert len(theirs) >= 3
    assert sorted(one.box for one in ours) == sorted((x, y, x + w, y + h) for x, y, w, h in map(tuple, theirs))
    assert neighbours == 0 or all(one.support > 1 for one in ours)


def test_scores_grow_with_the_margin() -> None:
    scores = [score_of(m) for m in (-1.0, 0.0, 0.5, 2.0, 1e6)]
    assert scores[:2] == [0.5, 0.5]
    assert scores == sorted(scores)
    assert scores[2] < scores[3] < scores[4] <= 1.0


def test_of_two_characters_the_better_supported_one_stays() -> None:
    tom = Found((10, 10, 50, 50), 0, 1.2, 0.99)
    jerry = Found((12, 12, 52, 52), 1, 3.0, 0.6)
    far = Found((100, 10, 140, 50), 0, 1.1, 0.6)
    assert resolve([tom, jerry, far], 0.4, ["tom", "jerry"]) == [jerry, far]
    assert set(resolve([tom, jerry, far], 0.9, ["tom", "jerry"])) == {tom, jerry, far}
    assert len(resolve([tom, jerry], 0.4, ["tom", "tom"])) == 2  # one character's own grouping is left alone
    equal = Found(jerry.box, 1, tom.support, tom.score)
    assert resolve([equal, tom], 0.4, ["tom", "jerry"]) == [tom]


@needs_data
def test_hill_s_cascades_find_nobody_in_noise_with_his_settings() -> None:
    rng = np.random.default_rng(1)
    noise = rng.integers(0, 255, (240, 320, 3), np.uint8)
    files = [(CascadeSettings(f"{n}.xml", n, k), DATA / "haar" / f"{n}.xml") for n, k in (("tom", 40), ("jerry", 20))]
    found = HaarDetector([(s, read_cascade(p)) for s, p in files])
    assert found.detect([noise]) == [[]]


def altered(pattern: str, new: str) -> str:
    text, count = re.subn(pattern, lambda _: new, HALVES, count=1)
    assert count == 1
    return text


BAD = {
    "empty": ("", "no XML"),
    "text": ("hello", "no XML"),
    "truncated": (HALVES[:700], "cut off"),
    "html": ("<html><body/></html>", "opencv_storage"),
    "entities": (altered(r"\?>", '?><!DOCTYPE a [<!ENTITY b "c">]>'), "document type"),
    "other attribute": (altered("<cascade>", '<cascade type_id="opencv-matrix">'), "attribute"),
    "old form": (altered("<cascade>", '<cascade type_id="opencv-haar-classifier">'), "opencv_haartraining"),
    "HOG": (altered("HAAR", "HOG"), "featureType"),
    "window": (altered("<height>24", "<height>99999"), "height"),
    "one stage": (altered(r"(?s)(?<=<stages>)<_>.*?</_></w.*?</_>", ""), "one stage"),
    "no stages": (altered("(?s)<stages>.*</stages>", "<stages></stages>"), "stages"),
    "feature that is not there": (altered("0 -1 0 0.8", "0 -1 1 0.8"), "the feature 1 of 1"),
    "negative feature": (altered("0 -1 0 0.8", "0 -1 -7 0.8"), "the feature -7"),
    "endless tree": (altered("0 -1 0 0.8</internalNodes><leafValues>-1. 2.",
                             "1 -1 0 0.8 1 -1 0 0.8</internalNodes><leafValues>-1. 2. 1."), "leads nowhere, or back"),
    "leaf that is not there": (altered("0 -1 0 0.8", "0 -9 0 0.8"), "leads nowhere"),
    "leaves": (altered("-1. 2.", "-1."), "leaf"),
    "not finite": (altered("-1. 2.", "-1. nan"), "wrong number"),
    "outside": (altered("12 0 12 24 1.", "12 0 13 24 1."), "leaves the window"),
    "too many rectangles": (altered("<rects>", "<rects>" + "<_>0 0 2 2 1.</_>" * 4), "6 rectangles"),
    "deep": (altered("<stageNum>", "<_>" * 5000 + "</_>" * 5000 + "<stageNum>"), "nested"),
    "half a number": (altered("0 -1 0 0.8", "0 -1 0.5 0.8"), "not whole"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_file_that_is_no_cascade_is_refused(name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    text, reason = BAD[name]
    path = tmp_path / "bad.xml"
    path.write_text(text)
    with pytest.raises(CascadeInvalid, match=reason) as caught:
        read_cascade(path)
    assert "bad.xml" in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_binary_and_huge_and_missing_files_are_refused(tmp_path: Path) -> None:
    for raw in (b"\xff\xfe<\0", b"<" + b" " * 8_000_001, HALVES.encode().replace(b"BOOST", b"BO\0ST")):
        with pytest.raises(CascadeInvalid):
            parse_cascade(raw)
    with pytest.raises(CascadeInvalid, match="No such file"):
        read_cascade(tmp_path / "none.xml")


def test_opencv_s_own_cascades_are_taken() -> None:
    folder = Path(cv2.__file__).parent / "data"
    read = read_cascade(folder / "haarcascade_frontalface_alt2.xml")  # trees of two nodes, tilted features elsewhere
    assert (read.kind, read.window, read.stages) == ("HAAR", (20, 20), 20)
    assert read_cascade(folder / "haarcascade_smile.xml").window == (36, 18)


def test_a_bundle_of_cascades_analyses(tmp_path: Path) -> None:
    source = tmp_path / "mine.xml"
    source.write_text(HALVES)
    out = tmp_path / "bundle"
    assert main(["make-haar-bundle", "--cascade", f"grey-cat={source}:5", "--out", str(out)]) == 0
    models = load_models(out, "cpu")
    assert models.bundle.characters == {"grey-cat": "Grey cat"}
    [faces] = models.detector.detect([picture((40, 60))])
    assert [f.character for f in faces] == ["grey-cat"]
    assert models.classifier is None
    with pytest.raises(OutputUnwritable, match="exists already"):
        haar_bundle([parse_option(f"a={source}")], out)


def test_settings_of_a_bundle_are_checked(tmp_path: Path) -> None:
    source = tmp_path / "mine.xml"
    source.write_text(HALVES)
    bundle = haar_bundle([parse_option(f"a={source}")], tmp_path / "b")
    assert read_bundle(tmp_path / "b").digest == bundle.digest
    good = dict(bundle.detector.settings["cascades"][0])
    for change in (
        {"scale": 1.0},
        {"scale": "x"},
        {"neighbours": -1},
        {"file": "../x.xml"},
        {"character": "b"},
        {"x": 1},
    ):
        bundle.detector.settings["cascades"][0] = {**good, **change}
        with pytest.raises(BundleInvalid, match="cascades"):
            HaarDetector.of_bundle(bundle, "cpu")


def test_options_name_character_file_and_neighbours() -> None:
    settings, path = parse_option("tom=some dir/tom.xml:40")
    assert (settings.character, settings.neighbours, path) == ("tom", 40, Path("some dir/tom.xml"))
    assert parse_option("tom=a:b.xml")[1] == Path("a:b.xml")
    for bad in ("tom.xml", "=tom.xml", "tom=", "../x=tom.xml", "Tom=tom.xml", "tom=t.xml:99999999"):
        with pytest.raises(CascadeOption):
            parse_option(bad)


def test_faces_are_cut_into_a_folder_per_character(tmp_path: Path) -> None:
    video = film(tmp_path / "an episode.mp4", [picture((40, 60))] * 3 + [picture((200, 100))] * 3)
    out = tmp_path / "faces"
    counts = cut_faces(video, detector(), out, "every-1")
    assert counts == {"a": 6}
    files = sorted((out / "a").glob("an_episode_*.png"))
    assert len(files) == 6
    patch = cv2.imread(str(files[0]))
    assert patch is not None
    side = patch.shape[1]
    assert patch[:, : side // 4].mean() + 40 < patch[:, -side // 4 :].mean()
    with (out / "faces.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [out / row["file"] for row in rows] == files
    assert {row["video"] for row in rows} == {"an_episode"}
