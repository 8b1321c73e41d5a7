"""``manage.py import_episodes`` with real videos, real refusals and real exit statuses."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from analysis.models import AnalysisRun
from analysis.services.finalise import run_finalise
from analysis.services.leases import segment_fail
from analysis.services.runs import run_cancel
from catalog.models import Episode, Series, SourceFile
from tests.analysis.runs_helpers import claim, complete_all
from tests.workers.clips import write_clip
from tests.workers.conftest import make_fake_bundle
from workers import waiting
from workers.management.commands import import_episodes

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.TOONEMO_BUNDLE_DIR = tmp_path / "bundles"
    settings.TOONEMO_BUNDLE = "fake"
    return tmp_path / "media"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "Popeye"
    path.mkdir()
    write_clip(path / "S01E01 One.mp4", 1)
    write_clip(path / "S01E02 Two.mp4", 2)
    return path


def call(*arguments: object) -> tuple[int, str]:
    """Exit status, and everything that was said."""
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("import_episodes", *map(str, arguments), stdout=out, stderr=err)
    except CommandError as error:
        assert "Traceback" not in err.getvalue()
        return error.returncode, out.getvalue() + err.getvalue() + str(error)
    return 0, out.getvalue() + err.getvalue()


def call_json(*arguments: object) -> tuple[int, dict[str, Any]]:
    out = io.StringIO()
    try:
        call_command("import_episodes", *map(str, arguments), "--json", stdout=out, stderr=io.StringIO())
    except CommandError as error:
        return error.returncode, json.loads(out.getvalue())
    return 0, json.loads(out.getvalue())


def outcomes(answer: dict[str, Any]) -> dict[str, str]:
    """Name of a file to the code of its refusal, or to what became of it."""
    return {Path(f["path"]).name: f.get("code") or f["status"] for f in answer["files"]}


# ------------------------------------------------------------------------------------------------ what it does


def test_a_folder_twice(folder: Path) -> None:
    status, text = call(folder)
    assert status == 0
    assert "imported       Popeye S01E01: One (1.0 s) from “S01E01 One.mp4”" in text
    assert text.endswith("2 imported.\n")
    status, text = call(folder)
    assert status == 0
    assert text.endswith("2 already there.\n")
    assert Episode.objects.count() == 2


def test_a_dry_run_says_so_and_changes_nothing(folder: Path, media: Path) -> None:
    (folder / "S01E03 Three.mp4").write_text("hello")
    status, text = call(folder, "--dry-run", "--analyse")
    assert status == 1
    assert "to import      Popeye S01E01: One" in text
    assert "Nothing was changed: 2 to import, 1 refused." in text
    assert "An analysis would be asked for 2 episodes." in text
    assert Series.objects.count() == AnalysisRun.objects.count() == 0
    assert not media.exists()


def test_a_list_with_a_bad_line(folder: Path) -> None:
    lines = ["path,series,number,title", "S01E01 One.mp4,Listed,7,Seven", "S01E02 Two.mp4,Listed,x,", "none.mp4,,,"]
    (folder / "list.csv").write_text("\n".join(lines))
    status, answer = call_json(folder / "list.csv")
    assert status == 1
    first, second, third = answer["files"]
    assert (first["series"], first["identity"], first["title"]) == ("Listed", "S01E07", "Seven")
    assert (second["code"], second["line"]) == ("list_invalid", 3)
    assert (third["code"], third["line"]) == ("video_missing", 4)


def test_wrong_usage_and_nothing_to_do(tmp_path: Path, folder: Path) -> None:
    assert call(folder, "--wait")[0] == 2
    assert call(folder, "--series", " ")[0] == 2
    assert call(tmp_path / "none.mp4")[0] == 2
    (tmp_path / "empty").mkdir()
    status, text = call(tmp_path / "empty")
    assert status == 2
    assert "[nothing_to_import]" in text


def test_many_skipped_files_are_counted_few_are_named(folder: Path) -> None:
    (folder / "cover.jpg").touch()
    assert "no videos by their names: cover.jpg." in call(folder)[1]
    for n in range(20):
        (folder / f"{n}.txt").touch()
    assert "no videos by their names: 20 .txt, 1 .jpg." in call(folder)[1]
    assert len(call_json(folder)[1]["files"]) == 23


@pytest.mark.django_db(transaction=True)
def test_ctrl_c_ends_the_waiting_with_its_status(folder: Path, service_env: dict[str, str], tmp_path: Path) -> None:
    """Nobody works on the runs, so both commands wait until they are interrupted."""
    make_fake_bundle()
    environment = {
        **service_env,
        "MEDIA_ROOT": str(tmp_path / "media"),
        "TOONEMO_BUNDLE": "fake",
        "TOONEMO_BUNDLE_DIR": str(tmp_path),
    }
    root = Path(__file__).resolve().parents[2]
    for words in (["import_episodes", str(folder), "--analyse", "--wait"], ["analyse", "all", "--wait"]):
        command = [sys.executable, "manage.py", *words]
        pipe: Any = subprocess.PIPE
        with subprocess.Popen(command, cwd=root, env=environment, stdout=pipe, stderr=pipe, text=True) as process:
            assert process.stderr is not None
            waits = any(line.startswith("[") for line in process.stderr)  # the progress, after warnings of the checks
            process.send_signal(signal.SIGINT)
            _, rest = process.communicate(timeout=60)
        assert waits, rest
        assert process.returncode == 130, rest
        assert waiting.INTERRUPTED in rest
        assert "Traceback" not in rest
    assert {run.status for run in AnalysisRun.objects.all()} == {"queued"}


def test_stopping_and_a_lost_database_are_one_sentence(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for raised, status, said in ((KeyboardInterrupt, 130, "Stopped"), (OperationalError, 1, "[database_unavailable]")):

        def fails(*args: object, error: type[BaseException] = raised, **options: object) -> Any:
            raise error

        monkeypatch.setattr(import_episodes, "import_all", fails)
        found, text = call(folder)
        assert found == status
        assert said in text


# ------------------------------------------------------------------------------------------------ analysing


def test_analyse_asks_for_a_run_of_each_episode_once(folder: Path) -> None:
    make_fake_bundle()
    for _ in range(2):
        status, answer = call_json(folder, "--analyse")
        assert status == 0
        assert [r["status"] for r in answer["runs"]] == ["queued", "queued"]
    assert AnalysisRun.objects.count() == 2


def test_analyse_without_a_model_still_imports(folder: Path) -> None:
    status, text = call(folder, "--analyse")
    assert status == 1
    assert "[bundle_unknown]" in text
    assert Episode.objects.count() == 2


@pytest.mark.parametrize(
    ("how", "status", "said"),
    [
        ("complete", 0, "succeeded"),
        ("fail", 1, "The video is damaged. [video_damaged]"),
        ("cancel", 1, "cancelled"),
        ("leave", 1, "Not every analysis has ended."),
    ],
)
def test_waiting_ends_with_how_the_runs_ended(
    folder: Path, monkeypatch: pytest.MonkeyPatch, how: str, status: int, said: str
) -> None:
    make_fake_bundle()

    def work(run_ids: list[int], stream: object) -> None:
        for run in AnalysisRun.objects.filter(pk__in=run_ids):
            if how == "complete":
                complete_all(run)
            elif how == "fail":
                segment_fail(claim(run.segments.get()).token, "video_damaged", "The video is damaged.", final=True)
            elif how == "cancel":
                run_cancel(run=run)
            if how in ("complete", "fail"):
                run_finalise(run.pk)

    monkeypatch.setattr(import_episodes, "wait_for_runs", work)
    found, text = call(folder, "--analyse", "--wait")
    assert found == status
    assert said in text


# ------------------------------------------------------------------------------------------------ bad input


def write_picture(path: Path) -> None:
    """A PNG."""
    picture = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
    encoder = av.CodecContext.create("png", "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = 64, 64, "rgb24", Fraction(1, 25)
    path.write_bytes(b"".join(bytes(p) for p in [*encoder.encode(picture), *encoder.encode(None)]))


def write_long(path: Path, minutes: int) -> None:
    """A picture each ten minutes."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(1, 600))
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for n in range(minutes // 10):
            frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 10 * n, np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def write_sound(path: Path) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44_100)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4_410), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 44_100
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def test_bad_input_as_users_give_it(folder: Path, settings: Any, media: Path) -> None:
    settings.TOONEMO_MAX_DURATION_MINUTES = 60
    (folder / "-\n🐭 S01E03.mp4").write_bytes((folder / "S01E01 One.mp4").read_bytes() + b"\0")
    (folder / "empty.mp4").touch()
    (folder / "text.mp4").write_text("hello, I am a video\n")
    write_picture(folder / "picture.mp4")
    write_sound(folder / "sound.mp4")
    write_long(folder / "long.mp4", 180)
    (folder / "cut.mp4").write_bytes((folder / "S01E02 Two.mp4").read_bytes()[:3_000])
    os.mkfifo(folder / "pipe.mp4")
    (folder / "link.mp4").symlink_to(folder / "S01E01 One.mp4")
    (folder / "gone.mp4").symlink_to(folder / "nothing.mp4")
    (folder / "folder.mp4").mkdir()
    status, answer = call_json(folder)
    assert status == 1
    assert outcomes(answer) == {
        "-\\n🐭 S01E03.mp4": "imported",
        "S01E01 One.mp4": "imported",
        "S01E02 Two.mp4": "imported",
        "cut.mp4": "video_damaged",
        "empty.mp4": "video_empty",
        "folder.mp4": "not_a_file",
        "gone.mp4": "not_a_file",
        "link.mp4": "not_a_file",
        "long.mp4": "video_too_long",
        "picture.mp4": "not_a_video",
        "pipe.mp4": "not_a_file",
        "sound.mp4": "no_video_stream",
        "text.mp4": "not_a_video",
    }
    for file in answer["files"]:
        if file["status"] == "refused":
            assert Path(file["path"]).name in file["reason"]
            assert "\n" not in file["reason"]
            assert file["reason"].endswith(".")
    assert sum(p.is_file() for p in media.rglob("*")) == 3
    assert call(folder / "text.mp4")[0] == call(folder / "empty.mp4")[0] == 2


def test_the_files_that_break_other_programs(test_data: Path, media: Path) -> None:
    folder = test_data / "bad_media"
    status, answer = call_json(folder)
    assert status == 1
    found = outcomes(answer)
    assert len(answer["files"]) == sum(p.is_file() for p in folder.rglob("*"))
    assert found["-video-with-dash-.mp4"] == found["bitmap.mp4"] == "video_too_small"
    assert found["empty_0byte.webm"] == "video_empty"
    assert found["short-cenc.mp4"] == found["av1-clearkey-cbcs-video.mp4"] == "video_encrypted"
    assert found["bipbop_nonfragment_header.mp4"] == found["invalid_userdata.mp4"] == "no_frames"
    assert found["chunk_out_of_range.mp4"] == "video_damaged"
    assert found["amr_nb_1f.3gp"] == "no_video_stream"
    assert found["zip.zip"] == found["gif.gif"] == found["mp3.mp3"] == "skipped"
    assert found["no_duration.webm"] == found["smpte-2997.mp4"] == "imported"
    imported = sum(value == "imported" for value in found.values())
    assert Episode.objects.count() == SourceFile.objects.count() == imported
    assert sum(p.is_file() for p in media.rglob("*")) == imported
    for name in ("zip.zip", "gif.gif", "mp3.mp3", "png-truncated.png", "html5.html", "wav.wav"):
        code, text = call(folder / "small" / name)  # named, it is tried
        assert code == 2
        assert name in text
        assert "[not_a_video]" in text or "[no_video_stream]" in text


def test_real_films_keep_their_exact_length(test_data: Path) -> None:
    status, answer = call_json(test_data / "video" / "popeye_1936", "--series", "Popeye")
    assert status == 0
    assert [(f["series"], f["title"], f["duration_ms"]) for f in answer["files"]] == [
        ("Popeye", f"Popeye, part {n}", 60_000) for n in (1, 2, 3)
    ]
    episodes = Episode.objects.select_related("source").order_by("part")
    assert [(e.part, e.year, e.source and e.source.frames) for e in episodes] == [(n, 1936, 1_440) for n in (1, 2, 3)]
    assert call(test_data / "video" / "popeye_1936" / "part2.mkv", "--series", "Popeye")[1].endswith(
        "1 already there.\n"
    )


def test_films_in_other_containers(test_data: Path) -> None:
    status, answer = call_json(test_data / "video" / "big_buck_bunny")
    assert status == 0
    assert [(f["series"], f["title"], f["duration_ms"]) for f in answer["files"]] == [
        ("Big Buck Bunny", "Butterfly 2s", 2_000),
        ("Big Buck Bunny", "Cave exit 5s", 5_280),
        ("Big Buck Bunny", "First 30s", 30_000),
    ]
    assert set(SourceFile.objects.values_list("container", flat=True)) == {"mp4", "webm"}


# ------------------------------------------------------------------------------------------------ real processes


def _process(environment: dict[str, str], *arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "django", "import_episodes", *map(str, arguments)]
    root = Path(__file__).resolve().parents[2]
    return subprocess.run(
        command, env=environment, cwd=root, capture_output=True, text=True, timeout=120, check=False, **options
    )


@pytest.mark.django_db(transaction=True)
def test_a_process_ends_with_its_status_and_no_trace(folder: Path, service_env: dict[str, str], tmp_path: Path) -> None:
    environment = {**service_env, "MEDIA_ROOT": str(tmp_path / "media")}
    (folder / "S01E03.mp4").write_text("hello")
    done = _process(environment, folder)
    assert done.returncode == 1, done.stderr
    assert "2 imported, 1 refused." in done.stdout
    assert "Not every file could be imported." in done.stderr
    nothing = _process(environment, tmp_path / "none.mp4")
    assert nothing.returncode == 2
    assert "none.mp4” does not exist. [video_missing]" in nothing.stdout
    assert "Traceback" not in done.stderr + nothing.stderr
    assert Episode.objects.count() == 2


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody who may not read")
@pytest.mark.django_db(transaction=True)
def test_files_and_folders_without_read_permission(service_env: dict[str, str]) -> None:
    """In a folder of its own, for only root may enter pytest's."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        for readable in (folder / "S01E01.mp4", folder / "S01E02.mp4"):
            readable.write_bytes(b"x")
        (folder / "S01E02.mp4").chmod(0o600)
        (folder / "secret").mkdir(mode=0o700)
        (folder / "secret" / "S01E09.mp4").write_bytes(b"x")
        done = _as_nobody(service_env, folder)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 3, done.stdout
    first, second, third = done.stdout.splitlines()
    assert first == "S01E01.mp4 opened"
    assert second.startswith("S01E02.mp4 video_forbidden The file “S01E02.mp4” cannot be read: permission is denied.")
    assert third.startswith("secret folder_unreadable The folder “secret” cannot be read: permission is denied.")


def _as_nobody(environment: dict[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Lists ``folder`` and opens what is found, as a user who owns nothing."""
    code = (
        "import json, sys; from pathlib import Path; from catalog.discovery import *; from catalog.errors import *;"
        "from catalog.services import storage; import os; os.setgid(65534); os.setuid(65534)\n"
        "for f in discover(Path(sys.argv[1])):\n"
        "    try:\n"
        "        error = f.error if isinstance(f, Refusal) else None\n"
        "        if error: raise error\n"
        "        with storage.opened(f.path, 10**9): print(f.path.name, 'opened')\n"
        "    except CatalogError as e: print(f.path.name, e.code, e)\n"
    )
    command = [sys.executable, "-c", f"import django; django.setup(); {code}", str(folder)]
    root = Path(__file__).resolve().parents[2]
    return subprocess.run(command, env=environment, cwd=root, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_disk_that_is_really_full(
    folder: Path, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plenty = shutil.disk_usage("/")._replace(free=10**12)  # as seen before others filled the disk
    monkeypatch.setattr("catalog.services.storage.shutil.disk_usage", lambda _: plenty)
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(small)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("this machine lets nobody mount")
    try:
        settings.MEDIA_ROOT = small / "media"
        (small / "filling").write_bytes(b"x" * 30_000)
        with (folder / "S01E00 Big.mp4").open("wb") as big:
            big.write((folder / "S01E01 One.mp4").read_bytes())
            big.truncate(200_000)
        status, answer = call_json(folder / "S01E00 Big.mp4")
        assert (status, answer["files"][0]["code"]) == (2, "disk_full")
        assert [p.name for p in small.rglob("*") if p.is_file()] == ["filling"]
        assert Episode.objects.count() == 0
    finally:
        subprocess.run(["umount", str(small)], check=True)
