"""``python -m ml`` as a person meets it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import ml.__main__ as cli
from ml.analyse_cli import Line, table
from ml.pipeline import analyse
from ml.types import Progress
from tests.ml.films import film, scene, stand_in_models

ROOT = Path(__file__).parents[2]


@pytest.fixture
def quick_models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ml.runtime.load_models", lambda bundle, device: stand_in_models())
    monkeypatch.setattr("signal.signal", lambda number, handler: None)


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return film(tmp_path / "a.mp4", [scene()] * 12 + [scene(mouth=14)] * 12)


@pytest.mark.usefixtures("quick_models")
def test_it_prints_a_table_and_writes_both_files(
    video: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = cli.main(["analyse", str(video), "--json", str(tmp_path / "r.json"), "--overlay", str(tmp_path / "o.mp4")])

    out, err = capsys.readouterr()
    assert status == 0
    assert out.startswith("“a.mp4”: 1.000 s, 24 frames, 192 x 144, 1 shot, 2 faces, bundle stand-1\n")
    assert "\nPip          1.0 s" in out
    assert "100 %" in err
    document = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    assert document["profiles"]["pip"]["visible_ms"] == 1000
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.mp4", "o.mp4", "r.json"]


@pytest.mark.usefixtures("quick_models")
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["none.mp4"], "video_missing"),
        (["text.mp4"], "not_a_video"),
        (["a.mp4", "--json", "none/r.json"], "output_unwritable"),
        (["a.mp4", "--json", "."], "output_unwritable"),
        (["a.mp4", "--json", "other.mp4"], "output_unwritable"),
        (["a.mp4", "--json", "/dev/null", "--force"], "output_unwritable"),
        (["a.mp4", "--json", "a.mp4", "--force"], "output_unwritable"),
        (["a.mp4", "--json", "new.mp4", "--overlay", "./new.mp4"], "output_unwritable"),
        (["a.mp4", "--overlay", "other.mp4"], "output_unwritable"),
        (["none.mp4", "--json", "other.mp4"], "output_unwritable"),
        (["a.mp4", "--overlay", "a.mp4"], "output_unwritable"),
        (["a.mp4", "--overlay", "/dev/null/o.mp4"], "output_unwritable"),
    ],
)
def test_a_users_mistake_is_one_line_and_status_2(
    video: Path, arguments: list[str], code: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(video.parent)
    Path("text.mp4").write_text("no video", encoding="utf-8")
    Path("other.mp4").write_bytes(video.read_bytes())
    before = sorted(Path().iterdir())

    assert cli.main(["analyse", *arguments]) == 2

    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"error [{code}]: ")
    assert err.count("\n") == 1
    assert sorted(Path().iterdir()) == before


@pytest.mark.usefixtures("quick_models")
def test_a_result_goes_to_standard_output(
    video: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(video.parent)

    assert cli.main(["analyse", "a.mp4", "--json", "-"]) == 0

    out, err = capsys.readouterr()
    assert json.loads(out)["profiles"]["pip"]["visible_ms"] == 1000
    assert "\nPip          1.0 s" in err
    assert [p.name for p in Path().iterdir()] == ["a.mp4"]


@pytest.mark.usefixtures("quick_models")
def test_a_result_of_ours_is_written_over_and_anything_else_by_force_only(
    video: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(video.parent)
    asked = ["analyse", "a.mp4", "--json", "r.json"]
    assert [cli.main(asked), cli.main(asked)] == [0, 0]
    Path("r.json").write_text('{"mine": 1}', encoding="utf-8")

    assert cli.main(asked) == 2
    assert "r.json: that file exists and is no result of ours; --force overwrites it." in capsys.readouterr().err
    assert cli.main([*asked, "--force"]) == 0
    assert json.loads(Path("r.json").read_text(encoding="utf-8"))["format"] == 1


@pytest.mark.parametrize("command", [["bench"], ["evaluate", "--episodes", "."]])
def test_other_figures_too_are_refused_before_the_work(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("signal.signal", lambda number, handler: None)
    monkeypatch.setattr("ml.runtime.load_models", lambda bundle, device: pytest.fail("work was done"))

    assert cli.main([*command, "--json", str(tmp_path / "none" / "x.json")]) == 2
    assert "error [output_unwritable]" in capsys.readouterr().err


@pytest.mark.usefixtures("quick_models")
def test_our_fault_is_one_line_and_status_1_with_a_trace_on_request(
    video: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(bundle: str, device: str) -> None:
        raise ZeroDivisionError("by nothing")

    monkeypatch.setattr("ml.runtime.load_models", broken)

    assert cli.main(["analyse", str(video)]) == 1
    assert capsys.readouterr().err == "error [internal]: A fault of ours, ZeroDivisionError: by nothing\n"
    assert cli.main(["analyse", str(video), "--debug"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_help_is_quick_because_nothing_heavy_is_imported() -> None:
    code = (
        "import sys, ml.__main__ as m\n"
        "try: m.main(['--help'])\n"
        "except SystemExit: pass\n"
        "sys.exit(any(x in sys.modules for x in ('torch', 'cv2', 'av', 'numpy')))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0
    for command in cli.COMMANDS:
        assert command in done.stdout


@pytest.mark.parametrize("command", sorted(cli.COMMANDS))
def test_every_command_has_help(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("signal.signal", lambda number, handler: None)

    with pytest.raises(SystemExit) as ended:
        cli.main([command, "--help"])

    assert ended.value.code == 0
    assert f"usage: python -m ml {command}" in capsys.readouterr().out


def test_control_c_ends_it_with_130_and_leaves_nothing(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", [scene(shift=5 * (i % 8)) for i in range(240)])
    code = (
        "import sys, ml.runtime, ml.__main__ as m\n"
        "from tests.ml.films import stand_in_models\n"
        "ml.runtime.load_models = lambda bundle, device: stand_in_models()\n"
        "sys.exit(m.main(sys.argv[1:]))"
    )
    arguments = ["analyse", str(path), "--json", str(tmp_path / "r.json"), "--overlay", str(tmp_path / "o.mp4")]
    process = subprocess.Popen(
        [sys.executable, "-c", code, *arguments], cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    assert "analysing" in process.stderr.readline()
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)

    assert process.returncode == 130
    assert err.endswith("\nstopped\n")
    assert "Traceback" not in err
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_a_file_whose_name_begins_with_a_dash_is_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("signal.signal", lambda number, handler: None)
    Path("-dash.mp4").write_text("no video", encoding="utf-8")

    assert cli.main(["analyse", "-dash.mp4"]) == 2
    assert "“-dash.mp4” is a text file" in capsys.readouterr().err


def test_the_table_counts_faces_of_nobody_known_apart(video: Path) -> None:
    import dataclasses

    result = analyse(video, stand_in_models())
    first, second = result.detections
    mixed = dataclasses.replace(result, detections=(dataclasses.replace(first, character=None), second))
    none = dataclasses.replace(result, detections=(), profiles={})

    assert "unknown" in table("x", mixed, stand_in_models().bundle).splitlines()[-1]
    assert table("x", none, stand_in_models().bundle).endswith("No face was found.")


def test_progress_off_a_terminal_is_a_line_per_tenth(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    with Line("analysing x", said.append) as line:
        for done in range(0, 1001, 10):
            line.analysed(Progress(done, 1000, done // 10, 0))

    assert said[0] == "analysing x\n"
    assert len(said) == 12
    assert said[-1].startswith("  100 %  1.0 of 1.0 s")
