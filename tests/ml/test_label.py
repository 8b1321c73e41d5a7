"""The labelling page's server, its files of labels, which frames it offers, and how two people's labels compare."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import ml.__main__ as cli
from ml.data.labels import read_labels
from ml.errors import OutputUnwritable
from ml.label.choose import LEAST_GAP_MS, Outline, choose, choose_times, every, share_out, times_in
from ml.label.cli import sort_sources
from ml.label.compare import compare, outline_ious
from ml.label.regions import LabelRefused, Region, from_via, read_sent
from ml.label.server import PAGE, LabelServer, decode
from ml.label.store import Entry, LabelFile, LabelFileUnusable, frame_entry, read_entries
from ml.types import Shot, ShotKind
from tests.ml.films import film

ROOT = Path(__file__).parents[2]
SQUARE = [[10, 20], [50, 20], [50, 60], [10, 60]]


def noise(seed: int) -> np.ndarray:
    """A picture of large random cells: a shot of its own."""
    cells = np.random.default_rng(seed).integers(30, 230, (6, 8, 3), dtype=np.uint8)
    return cv2.resize(cells, (192, 144), interpolation=cv2.INTER_NEAREST)


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three shots of a second each."""
    pictures = [noise(shot) for shot in (1, 2, 3) for _ in range(12)]
    return film(tmp_path_factory.mktemp("film") / "part2.mkv", pictures, fps=12)


# ---- which frames


def outlined(*lengths_ms: int, kind: ShotKind = ShotKind.STORY, frame_ms: int = 40) -> Outline:
    edges = np.cumsum([0, *lengths_ms]).tolist()
    shots = tuple(Shot(a, b, kind) for a, b in itertools.pairwise(edges))
    return Outline(shots, tuple(range(0, edges[-1], frame_ms)))


def test_every_shot_of_a_video_gets_a_frame_and_none_lies_at_a_cut(video: Path) -> None:
    found = choose_times(video, 6)

    assert [c.shot for c in found] == [0, 0, 1, 1, 2, 2]
    for choice in found:
        assert min(abs(choice.pts_ms - cut) for cut in (0, 1000, 2000, 3000)) >= 200
    times = {round(i * 1000 / 12) for i in range(36)}
    assert {c.pts_ms for c in found} <= times, "a chosen time is not that of a frame"


def test_long_shots_get_more_but_do_not_take_all() -> None:
    counts = [sum(c.shot == i for c in choose([outlined(400, 40_000, 10_000)], 20)[0]) for i in range(3)]

    assert sum(counts) == 20
    assert counts[0] == 1
    assert 1.5 < counts[1] / counts[2] < 2.5, "the share goes by the square root of the length, so 2 to 1"


def test_frames_are_shared_over_all_videos() -> None:
    found = choose([outlined(5000, 5000), outlined(5000)], 9)

    assert [len(of) for of in found] == [6, 3]


def test_with_fewer_frames_than_shots_shots_at_even_distances_are_taken() -> None:
    assert [c.shot for c in choose([outlined(*[1000] * 10)], 5)[0]] == [1, 3, 5, 7, 9]


def test_black_shots_are_left_out_unless_there_is_nothing_else() -> None:
    story, black = outlined(2000), outlined(2000, kind=ShotKind.BLACK)
    assert [len(of) for of in choose([story, black], 4)] == [4, 0]
    assert len(choose([black], 2)[0]) == 2


def test_no_more_frames_are_chosen_than_differ() -> None:
    chosen = choose([outlined(1000)], 500)[0]
    gaps = np.diff([c.pts_ms for c in chosen])
    assert 2 < len(chosen) <= 1000 // LEAST_GAP_MS
    assert gaps.min() >= LEAST_GAP_MS - 40


def test_shares_keep_to_what_there_is_room_for() -> None:
    assert share_out(10, [1.0, 1.0, 100.0], [9, 9, 3]) == [4, 3, 3]
    assert share_out(10, [1.0], [2]) == [2]


def test_times_in_a_shot_are_those_of_its_own_frames() -> None:
    assert times_in(Shot(1000, 2000), 2, range(0, 3000, 100)) == [1400, 1600]
    assert times_in(Shot(1000, 1040), 1, [0, 1000, 1040]) == [1000]


def test_every_so_many_milliseconds() -> None:
    assert [(c.pts_ms, c.shot) for c in every(outlined(2000, 1000), 1000)] == [(480, 0), (1480, 0), (2480, 1)]


# ---- what is refused


def face(**other: Any) -> dict[str, Any]:
    return {"polygon": SQUARE, "character": "Tom", "emotion": "happy", **other}


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ([], "an object"),
        ({"done": True}, "“regions” is missing"),
        ({"regions": {}}, "no list"),
        ({"regions": [], "done": "yes"}, "“done” is true or false"),
        ({"regions": [], "face": 1}, "no “face”"),
        ({"regions": [7]}, "Region 0 is no object"),
        ({"regions": [face(), face(mood="glad")]}, "Region 1 has “mood”"),
        ({"regions": [face(polygon=SQUARE[:2])]}, "Region 0: a polygon needs at least 3 points"),
        ({"regions": [face(polygon=[*SQUARE, [1, 2, 3]])]}, "point 4 is not two numbers"),
        ({"regions": [face(polygon=[*SQUARE, [True, 2]])]}, "point 4 is not two numbers"),
        ({"regions": [face(polygon=[*SQUARE, [float("nan"), 2]])]}, "point 4 is not two numbers"),
        ({"regions": [face(polygon=[*SQUARE, [101, 60]])]}, r"point 4, \(101, 60\), lies outside .* 100 x 80"),
        ({"regions": [face(polygon=[*SQUARE, [5, -0.2]])]}, "lies outside"),
        ({"regions": [face(polygon=[[1, 1], [5, 5], [9, 9]])]}, "no area"),
        ({"regions": [face(polygon=SQUARE * 600)]}, "2400 points"),
        ({"regions": [face(emotion="joyful")]}, "“joyful” is no emotion .* happy, .* unclear"),
        ({"regions": [face(emotion=3)]}, "the emotion is no text"),
        ({"regions": [face(emotion=None)], "done": True}, "Region 0 has no emotion"),
        ({"regions": [face(character="x" * 300)]}, "the character is longer"),
        ({"regions": [face(attributes={"note": 1})]}, "no object of texts"),
        ({"regions": [face(attributes={"emotion": "sad"})]}, "stands beside the polygon"),
        ({"regions": [face()] * 501}, "501 regions"),
    ],
)
def test_labels_that_cannot_be_stored_are_refused_by_name(sent: Any, words: str) -> None:
    with pytest.raises(LabelRefused, match=words):
        read_sent(sent, 100, 80)


def test_labels_at_the_very_edge_and_unfinished_ones_are_taken() -> None:
    edge = [[0, 0], [100, 0], [100, 80], [0, 80.04]]
    regions, done = read_sent({"regions": [face(polygon=edge, emotion=None, character="  ")]}, 100, 80)

    assert regions == [Region(((0, 0), (100, 0), (100, 80), (0, 80)))]
    assert not done


# ---- the file


def region(**other: Any) -> Region:
    return Region(**{"polygon": tuple(map(tuple, SQUARE)), "character": "Tom", "emotion": "happy", **other})


def test_the_file_is_what_via_and_the_readers_know(tmp_path: Path, video: Path) -> None:
    labels = LabelFile(tmp_path / "l.json", "Ada")
    labels.add([frame_entry(video, 83, 0), frame_entry(video, 1000, 1)])
    entry = labels.entries[1]
    entry.width, entry.height = 192, 144
    labels.put(entry, [region(attributes={"note": "half hidden"})], True)
    labels.close()

    raw = json.loads((tmp_path / "l.json").read_text())["part2.mkv#t=1000-1"]
    assert (raw["filename"], raw["size"]) == ("part2.mkv#t=1000", -1)
    assert raw["regions"][0]["shape_attributes"] == {
        "name": "polygon",
        "all_points_x": [10, 50, 50, 10],
        "all_points_y": [20, 20, 60, 60],
    }
    assert raw["regions"][0]["region_attributes"] == {"Character": "Tom", "Emotion": "happy", "note": "half hidden"}
    image = read_labels(tmp_path / "l.json", pictures=video.parent).images[1]
    assert (image.path.name, image.pts_ms, image.width, image.height) == ("part2.mkv", 1000, 192, 144)
    assert (image.attributes["annotator"], image.attributes["done"], image.group) == ("Ada", "true", "part2.mkv#1")
    assert (image.faces[0].character, image.faces[0].emotion, image.faces[0].box) == ("Tom", "happy", (10, 20, 50, 60))


def test_what_is_known_is_continued_and_what_is_foreign_is_kept(tmp_path: Path, video: Path) -> None:
    out = tmp_path / "l.json"
    ellipse = {"name": "ellipse", "cx": 50, "cy": 40, "rx": 10, "ry": 5, "theta": 0}
    foreign = {"shape_attributes": ellipse, "region_attributes": {"Character": "Jerry", "hat": "red"}}
    picture = {"filename": "a.png", "size": 9, "regions": [foreign], "file_attributes": {"caption": "x"}}
    out.write_text(json.dumps({"_via_settings": {}, "_via_img_metadata": {"a.png9": picture}}))

    labels = LabelFile(out)
    assert labels.add([frame_entry(video, 0, 0)]) == 1
    assert labels.add([frame_entry(video, 0, 0)]) == 0
    labels.save()

    again = json.loads(out.read_text())
    assert again["a.png9"]["regions"] == [foreign]
    assert again["a.png9"]["file_attributes"]["caption"] == "x"
    shown = next(e for e in labels.entries if e.filename == "a.png").regions[0]
    assert (shown.character, shown.attributes) == ("Jerry", {"hat": "red"})
    assert shown.polygon[0] == (60, 40)
    labels.close()


@pytest.mark.parametrize("shape", [{"name": "point", "cx": 1, "cy": 2}, {"name": "polygon"}, {}, None])
def test_shapes_without_an_inside_are_not_shown(shape: Any) -> None:
    assert from_via({"shape_attributes": shape, "region_attributes": {}}) is None


@pytest.mark.parametrize("text", ["[1]", "no", '{"a": 1}', '{"a": {"filename": "a", "regions": 3}}', "[" * 90_000])
def test_a_file_that_is_no_file_of_labels_is_named_and_left_alone(tmp_path: Path, text: str) -> None:
    out = tmp_path / "l.json"
    out.write_text(text)
    with pytest.raises(LabelFileUnusable, match=r"l\.json"):
        LabelFile(out)
    assert out.read_text() == text


def test_one_file_is_open_in_one_process_and_keeps_its_token(tmp_path: Path) -> None:
    first = LabelFile(tmp_path / "l.json")
    with pytest.raises(LabelFileUnusable, match="another labelling process"):
        LabelFile(tmp_path / "l.json")
    first.close()
    second = LabelFile(tmp_path / "l.json")
    assert second.token == first.token
    assert (tmp_path / ".l.json.lock").stat().st_mode & 0o077 == 0
    second.close()
    other = LabelFile(tmp_path / "other.json")
    assert other.token != first.token
    other.close()


def test_a_save_that_fails_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    labels = LabelFile(tmp_path / "l.json")
    labels.add([Entry("a.png", 1)])
    labels.put(labels.entries[0], [region()], True)
    before = (tmp_path / "l.json").read_text()

    def full(number: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputUnwritable, match="No space left"):
        labels.put(labels.entries[0], [], False)

    assert (tmp_path / "l.json").read_text() == before
    assert (labels.entries[0].done, len(labels.entries[0].raw)) == (True, 1)
    assert not list(tmp_path.glob(".*.part"))
    labels.close()


# ---- the server


class Client:
    def __init__(self, address: str, token: str) -> None:
        self.address, self.token = address, token

    def __call__(self, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Status and JSON, or bytes of another kind."""
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"X-Token": self.token, **{k.replace("_", "-"): v for k, v in headers.items()}}
        request = urllib.request.Request(self.address + path, data, sent, method="GET" if body is None else "PUT")
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                raw, kind, status = answer.read(), answer.headers["Content-Type"], answer.status
        except urllib.error.HTTPError as error:
            with error:
                raw, kind, status = error.read(), error.headers["Content-Type"], error.code
        return status, json.loads(raw) if kind == "application/json" else raw


@pytest.fixture
def client(tmp_path: Path, video: Path) -> Iterator[Client]:
    labels = LabelFile(tmp_path / "l.json", "Ada")
    labels.add([frame_entry(video, 500, 0), frame_entry(video, 1500, 1), Entry("gone.png", 1, tmp_path / "gone.png")])
    with LabelServer(("127.0.0.1", 0), labels, ("Tom",)) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield Client(f"http://127.0.0.1:{server.server_address[1]}", labels.token)
        server.shutdown()
        thread.join()
    labels.close()


def test_frames_are_listed_shown_and_labelled(client: Client, tmp_path: Path) -> None:
    status, overview = client("/api/frames")
    assert status == 200
    assert (overview["annotator"], overview["characters"], len(overview["emotions"])) == ("Ada", ["Tom"], 8)
    at = next(f["index"] for f in overview["frames"] if f["pts_ms"] == 1500)

    status, picture = client(f"/api/frames/{at}.jpg?width=96")
    assert (status, decode(picture).shape) == (200, (72, 96, 3))
    full = decode(client(f"/api/frames/{at}.jpg")[1])
    assert np.abs(full.astype(int) - noise(2)).mean() < 8, "the frame is not that of its time"

    status, one = client(f"/api/frames/{at}", {"regions": [face()], "done": True, "filename": "part2.mkv#t=1500"})
    assert (status, one["done"], one["width"], one["height"]) == (200, True, 192, 144)
    assert one["regions"] == [{**face(), "attributes": {}}]
    assert client(f"/api/frames/{at}")[1] == one
    stored = next(e for e in read_entries(tmp_path / "l.json") if e.pts_ms == 1500)
    assert (stored.regions, stored.done, stored.annotator) == ([region()], True, "Ada")


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        (
            "/api/frames/1",
            {"regions": [face(polygon=[[0, 0], [193, 0], [9, 9]])]},
            400,
            "outside the picture of 192 x 144",
        ),
        ("/api/frames/1", b"{", 400, "no JSON"),
        ("/api/frames/1", b"[" * 100_000, 400, "no JSON"),
        ("/api/frames/1", {"regions": [], "filename": "part2.mkv#t=7"}, 409, "Load the page anew"),
        ("/api/frames/3", {"regions": []}, 404, "counted from 0 to 2"),
        ("/api/frames/3", None, 404, "counted from 0 to 2"),
        ("/api/frames/1.jpg?width=many", None, 400, "number of pixels"),
        ("/api/frames/0.jpg", None, 400, "gone.png"),
        ("/api/nothing", None, 404, "nothing"),
        ("/../server.py", None, 404, "nothing"),
        ("/index.html/../../server.py", None, 404, "nothing"),
    ],
)
def test_faults_are_answered_in_a_sentence(client: Client, path: str, body: Any, status: int, words: str) -> None:
    found, said = client(path, body)

    assert (found, words in said["error"]) == (status, True), said
    assert said["code"]


def test_only_the_printed_address_opens_it(client: Client) -> None:
    right = client.token
    assert client("/api/frames", Host="localhost:8300")[0] == 200
    assert client(f"/api/frames?token={right}", X_Token="")[0] == 200
    for host in ("evil.example", "127.0.0.1.evil.example:80", "192.168.0.1", ""):
        status, said = client("/api/frames", Host=host)
        assert (status, said["code"]) == (403, "host_refused"), host
    for wrong in ("", "x", right[:-1], right + "x", "ä"):
        client.token = wrong.encode().decode("latin-1")
        status, said = client("/api/frames/1", {"regions": []})
        assert (status, said["code"]) == (403, "token_refused"), wrong


def test_the_page_and_all_it_loads_are_served_and_come_from_nowhere_else(client: Client) -> None:
    assert b"<canvas" in client("/")[1]
    for file in PAGE.iterdir():
        status, served = client(f"/{file.name}")
        assert (status, served) == (200, file.read_bytes())
        assert b"://" not in served, f"{file.name} names another site"


def test_a_page_of_another_site_may_do_nothing(client: Client) -> None:
    with urllib.request.urlopen(f"{client.address}/", timeout=30) as answer:
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Access-Control-Allow-Origin"] is None
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"


# ---- the command


def start(video: Path, out: Path, *options: str) -> tuple[subprocess.Popen[str], Client]:
    command = [sys.executable, "-m", "ml", "label", str(video), "--out", str(out), "--port", "0", *options]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("http"):
            address, _, token = line.strip().partition("/?token=")
            return process, Client(address, token)
    raise AssertionError(f"the server ended with {process.wait()}")


def test_killed_at_any_moment_it_keeps_what_it_answered_for(tmp_path: Path, video: Path) -> None:
    times, out = tmp_path / "times.json", tmp_path / "l.json"
    times.write_text(json.dumps([{"video": "part2.mkv", "pts_ms": t, "shot": 0} for t in (0, 250)]))
    process, client = start(video, out, "--times", str(times))
    answered = -1

    def hammer() -> None:
        nonlocal answered
        for count in range(10_000):
            try:
                client("/api/frames/1", {"regions": [face(character=str(count))] * 20, "done": True})
            except (OSError, ValueError):
                return
            answered = count

    thread = threading.Thread(target=hammer)
    thread.start()
    while answered < 5 and thread.is_alive():
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    thread.join()
    process.communicate()

    assert answered >= 5
    kept = read_entries(out)
    assert int(kept[1].regions[0].character or -1) >= answered
    process, again = start(video, out)
    assert again.token == client.token
    assert again("/api/frames")[1]["frames"][1]["faces"] == 20
    process.send_signal(signal.SIGINT)
    process.communicate()
    assert process.returncode == 130


def run(*words: str | Path) -> int:
    return cli.main(["label", *map(str, words)])


@pytest.fixture(autouse=True)
def no_signals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signal.signal", lambda number, handler: None)


def test_the_chosen_frames_can_be_listed_and_given_to_somebody_else(
    tmp_path: Path, video: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(video, "--frames", "3", "--list") == 0
    first = capsys.readouterr().out
    assert [(f["video"], f["shot"]) for f in json.loads(first)] == [
        ("part2.mkv", 0),
        ("part2.mkv", 1),
        ("part2.mkv", 2),
    ]

    (tmp_path / "t.json").write_text(first)
    assert run(video, "--times", tmp_path / "t.json", "--list") == 0
    assert capsys.readouterr().out == first
    (tmp_path / "t.csv").write_text("pts_ms\n1500\n")
    assert run(video, "--times", tmp_path / "t.csv", "--list") == 0
    assert json.loads(capsys.readouterr().out) == [{"video": "part2.mkv", "pts_ms": 1500, "shot": 1}]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "Name a video"),
        (["VIDEO"], "Say with --out"),
        (["VIDEO", "VIDEO", "--out", "l.json"], "Two of the videos or pictures are called “part2.mkv”"),
        (["none.mkv", "--out", "l.json"], "video_missing"),
        (["EMPTY", "--out", "l.json"], "holds no pictures"),
        (["VIDEO", "--times", "TIMES", "--list"], "“other.mkv”, which is none of the videos"),
        (["VIDEO", "--out", "nowhere/l.json"], "output_unwritable"),
        (["--compare", "TIMES", "TIMES"], "label_file_unusable"),
    ],
)
def test_faults_of_the_command_are_one_sentence(
    tmp_path: Path, video: Path, capsys: pytest.CaptureFixture[str], words: list[str], sentence: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "times.json").write_text('[{"video": "other.mkv", "pts_ms": 0}]')
    places = {"VIDEO": video, "EMPTY": tmp_path / "empty", "TIMES": tmp_path / "times.json"}

    assert run(*(places.get(w, tmp_path / w if w.endswith(".json") else w) for w in words)) == 2

    assert sentence in capsys.readouterr().err


def test_pictures_and_folders_of_them_go_by_their_names_below_the_folder(tmp_path: Path, video: Path) -> None:
    for name in ("b.png", "sub/a.JPG", "sub/notes.txt"):
        (tmp_path / "set" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "set" / name).write_bytes(b"1234")

    videos, pictures = sort_sources([video, tmp_path / "set"])

    assert videos == [video]
    assert [(p.key, p.path) for p in pictures] == [
        ("b.png4", tmp_path / "set" / "b.png"),
        ("sub/a.JPG4", tmp_path / "set" / "sub" / "a.JPG"),
    ]


# ---- two people


def done(name: str, *regions: Region) -> Entry:
    return Entry(name, raw=[r.to_via() for r in regions], done=True)


def square(x: float, side: float = 40, **words: str) -> Region:
    return region(polygon=((x, 0), (x + side, 0), (x + side, side), (x, side)), **words)


def test_two_files_are_compared_face_by_face(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = [
        done("a", square(0), square(100, emotion="sad"), square(200)),
        done("b", square(0, emotion="angry")),
        done("c"),
        Entry("d", raw=[square(0).to_via()]),
    ]
    second = [
        done("a", square(100, emotion="unclear"), square(10, character="Jerry"), square(300)),
        done("b", square(0, emotion="angry")),
        done("c"),
        done("d"),
    ]

    found = compare(first, second)

    assert (found.frames, found.only_one, found.first, found.second, found.matched) == (3, 1, 4, 4, 3)
    assert found.f1 == pytest.approx(3 / 4)
    assert found.iou == pytest.approx((1 + 1 + 30 / 50) / 3)
    assert found.emotion.share == pytest.approx(2 / 3)
    assert found.emotion.kappa == pytest.approx((2 / 3 - 2 / 9) / (1 - 2 / 9))
    assert found.emotion.rolling == pytest.approx(2 * 2 / 8)
    assert found.emotion.hooper == pytest.approx(2 / 6)
    assert (found.sure.faces, found.sure.share) == (2, 1)
    assert found.character.share == pytest.approx(2 / 3)
    assert found.table["sad"]["unclear"] == 1

    for name, entries in (("a.json", first), ("b.json", second)):
        (tmp_path / name).write_text(json.dumps({e.key: e.to_via() for e in entries}))
    assert run("--compare", tmp_path / "a.json", tmp_path / "b.json", "--json", tmp_path / "c.json") == 0
    assert "F1              0.750" in capsys.readouterr().out
    assert json.loads((tmp_path / "c.json").read_text())["matched"] == 3


def test_files_without_a_common_frame_cannot_be_compared() -> None:
    with pytest.raises(LabelFileUnusable, match="no frame in common"):
        compare([done("a")], [done("b"), Entry("a")])


def test_overlap_is_that_of_the_outlines_not_of_their_boxes() -> None:
    whole = ((0, 0), (40, 0), (40, 40), (0, 40))
    half = ((0, 0), (40, 0), (0, 40))
    assert outline_ious([whole], [half, whole])[0] == pytest.approx([0.5, 1], abs=0.03)
    assert outline_ious([], [whole]).shape == (0, 1)
