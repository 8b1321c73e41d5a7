"""What editors and admins see, and what any list has, for the patterns page: runs, uploads, faces to name, waiting.

Rows are made, never saved; where a template reads only a few values of something that the database computes, a plain
holder of these stands for it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from django.core.paginator import Paginator

from analysis.context import LimitsBar
from analysis.limits import NOTHING, limits_parse
from analysis.limits.form import Row
from analysis.models import RunEvent, RunPicture
from analysis.ratings import Agreement
from analysis.recommend import Reason
from analysis.selectors.agreement import PairAgreement
from analysis.selectors.asking import Ask
from analysis.selectors.queue import WorkerState
from analysis.selectors.runs import Stage
from analysis.views import samples
from catalog.models import Character, Episode, ImportItem, ImportPlan, Series, SourceFile, Upload
from ml.types import EMOTIONS, Emotion

AT = datetime(2026, 3, 1, 18, 30, tzinfo=UTC)
LONG_FILE = (
    "A name that goes on and on, as names of files do that somebody else has chosen S01E01 (1936) 猫とネズミ.mkv"
)
DETAIL = "The file notes.mp4 is a text file, not a video."


def _episode() -> Episode:
    series = Series(pk=1, title="Sample series", slug="sample")
    return Episode(
        pk=1, series=series, title="The cheese", identity="S01E01", number=1, source=SourceFile(duration_ms=1)
    )


def _bars() -> list[LimitsBar]:
    """Numbers are given, so that nothing is counted."""
    some = LimitsBar(limits_parse("angry<=10%, scared<=5%, sad<=30%, length<=20min"))
    vars(some).update(shown=3, total=8)
    return [some, LimitsBar(NOTHING)]


def _uploads() -> list[Upload]:
    facts = {"duration_ms": 412_000}
    return [
        Upload(token="a" * 32, name=LONG_FILE, size=734_003_200, offset=734_003_200, status="ready", facts=facts),
        Upload(token="b" * 32, name="Popeye S01E02.mkv", size=734_003_200, offset=91_000_000, status="open"),
        Upload(token="c" * 32, name="notes.mp4", size=500, offset=500, status="refused", error_code="not_a_video",
               error_detail=DETAIL),
    ]  # fmt: skip


def _plans() -> list[dict[str, Any]]:
    """Looked at, ready, failed and done; what each needs beside."""
    named = {"series": "Popeye", "season": 1, "number": 5, "title": "The Cat", "year": 1936}
    item = ImportItem(position=0, shown=LONG_FILE, name=named, size=734_003_200, warnings=["Its year is not known."])
    other = ImportItem(position=1, shown="notes.mp4", name={}, size=500, error_code="not_a_video")
    rows = [
        SimpleNamespace(item=item, badge="good", words="New", duration_ms=412_000, detail="", code="",
                        choices=[("add", "Add it"), ("skip", "Leave it out")]),
        SimpleNamespace(item=other, badge="bad", words="Cannot be added", duration_ms=None, detail=DETAIL,
                        code="not_a_video", choices=[("skip", "Leave it out")]),
    ]  # fmt: skip
    counts = [("good", "New", 1), ("bad", "Cannot be added", 1)]

    def plan(status: str, **values: Any) -> ImportPlan:
        return ImportPlan(pk=1, status=status, digest="0" * 64, **values)

    return [
        {"plan": plan("looking", total=40), "seen": 12},
        {"plan": plan("ready"), "rows": rows, "counts": counts, "addable": 1, "more": 7},
        {"plan": plan("failed", error_code="folder_gone", error_detail="The folder is not there any more.")},
        {"plan": plan("confirmed"), "seen": 40, "ended": 13},
        {"plan": plan("done"), "counts": counts},
    ]


def _asking() -> list[dict[str, Any]]:
    """A question, what came of an answer that was not taken, and nothing left to ask."""
    tom = Character(pk=1, slug="tom", name="Tom", colour="#8a8f98")
    other = Character(pk=2, slug="jerry", name="Maximilian-Alexander von der Großen Wiese", colour="#a8703c")
    ask = Ask(_episode(), tom, 61_000, 63_200, None, None, "angry", 0.021)
    keys = [*((str(n), str(e)) for n, e in enumerate(EMOTIONS, 1)), ("u", "unclear")]
    scope = SimpleNamespace(episode=None, character="", look="new")
    same = {
        "keys": keys,
        "who_keys": [("n", "nobody"), ("x", "no_face")],
        "characters": [tom, other],
        "scope": scope,
        "state": SimpleNamespace(latest=_words(tom, other), behind=True),
        "person": SimpleNamespace(pk=1),
    }
    quiet = {**same, "state": SimpleNamespace(latest=[], behind=False)}
    return [{**same, "ask": ask, "ask_error": "Jerry is not there at that time."}, {**quiet, "ask": None, "skipped": 2}]


def _words(tom: Character, other: Character) -> list[Any]:
    face = SimpleNamespace(episode_id=1, start_ms=61_000, subject=tom, subject_id=tom.pk, episode=_episode())
    by = SimpleNamespace(get_username=lambda: "ann")
    said = (("character", tom, "sad"), ("character", other, "happy"), ("nobody", None, ""), ("no_face", None, ""))
    return [
        SimpleNamespace(face=face, says=says, character=who, character_id=who and who.pk, emotion=emotion,
                        made_by_id=n % 2, made_by=by, made_at=AT)
        for n, (says, who, emotion) in enumerate(said)
    ]  # fmt: skip


def _run_events() -> list[RunEvent]:
    told = (("claimed", 0, "", ""), ("try_again", 1, "worker_lost", "It stopped answering."), ("failed", 1,
            "video_damaged", "cheese.mp4 cannot be read past 1:00."), ("published", None, "", ""))  # fmt: skip
    return [RunEvent(run_id=1, at=AT, kind=kind, part=part, worker="worker@kitchen", code=code, detail=detail)
            for kind, part, code, detail in told]  # fmt: skip


def _live() -> list[dict[str, Any]]:
    """The board: one that goes on with its workers and pictures, one that waits; and a board without any."""
    rows = samples.components()["rows"]
    assert rows[1][1] is not None
    reading = replace(rows[1][1], stage=Stage.READING, left_low_s=80.0, left_high_s=140.0)
    worker = WorkerState("worker@kitchen", ("inference",), 2, True, False, AT, ((2, 0),))
    gone = WorkerState("worker@cellar", ("inference",), 2, False, False, AT, ())
    picture = RunPicture(pk=1, run_id=2, pts_ms=61_000, faces=[{"character": "Tom", "emotion": "angry"}, {}])
    place = SimpleNamespace(run=rows[0][0], place=2, parts=7, later=None)
    waits = SimpleNamespace(run=rows[0][0], progress=rows[0][1], place=place, workers=[], pictures=[])
    goes = SimpleNamespace(run=rows[1][0], progress=reading, place=None, workers=[worker, gone], pictures=[picture])
    ended = [SimpleNamespace(run=run, progress=p, place=None, workers=[], pictures=[]) for run, p in rows[3:4]]
    queues = [
        ("inference", "Reading videos", None),
        ("default", "Everything else", {"since": AT, "reason": "Film night"}),
    ]
    page = Paginator(range(100), 10).page(2)
    work = {"behind": True, "queues": queues, "page": page}
    return [
        {**work, "running": [goes], "waiting": [waits], "rows": ended, "workers": [worker, gone], "readers": 1,
         "active": True},
        {**work, "running": [], "waiting": [], "rows": [], "workers": [], "readers": 0, "paused": True,
         "paused_any": True},
    ]  # fmt: skip


def _one_run() -> dict[str, Any]:
    run, progress = samples.components()["rows"][3]
    run.timings = {"decode": 1.5, "detect": 9.25}
    parts = [
        SimpleNamespace(start_ms=60_000 * n, end_ms=60_000 * (n + 1), status=status, get_status_display=status.title,
                        done_ms=30_000, drawings=240, faces=310, attempts=1, worker="worker@kitchen",
                        error_code="video_damaged" if status == "failed" else "", error_detail="")
        for n, status in enumerate(("done", "running", "queued", "failed"))
    ]  # fmt: skip
    return {"run": run, "progress": progress, "segments": parts, "behind": True, "log": _run_events()}


def _finds() -> list[dict[str, Any]]:
    """A picture that is being read, one that could not be, a search that found nothing."""
    among = SimpleNamespace(ways=[], bundle="toonemo-1", runs=[1], others=2, pending=1)
    found = SimpleNamespace(comparable=among, moments=[], alike=SimpleNamespace(words="by what is drawn"), exact=True)
    read = SimpleNamespace(
        error_code="", faces=[{"how": "found", "emotion": "sad", "character": "Tom"}, {"emotion": ""}]
    )
    same = {"emotions": EMOTIONS, "characters": [("tom", "Tom")], "filters": {"n": 1}}
    return [
        {"waiting": True},
        {"error": "The picture is broken.", "find": SimpleNamespace(error_code="picture_broken")},
        {**same, "found": found, "find": read},
    ]


def components() -> dict[str, Any]:
    """Each list holds what one part needs in each of its states."""
    card = samples.components()["cards"][0]
    reasons = (Reason("calmer", 0.3, 4, "calmer"),)
    told = SimpleNamespace(card=card, terms={"calmer": 0.3}, reasons=reasons,
                           why="It is calmer than “The cheese”, and Tom is in it as well.")  # fmt: skip
    pairs = [PairAgreement("ann", "ben", Agreement(40, 36, 0.85)), PairAgreement("ann", "cleo", Agreement(1, 1, None))]
    return {
        "bars": _bars(),
        "limit_rows": [(Row("angry", Emotion.ANGRY, "", True, "10", ""), ""),
                       (Row("tom:sad", Emotion.SAD, "tom", False, "2.25", "12"), "Maximilian-Alexander")],
        "uploads": _uploads(),
        "plans": _plans(),
        "askings": _asking(),
        "boards": _live(),
        "one_run": _one_run(),
        "finds": _finds(),
        "recommended": told,
        "agreeing": pairs,
        "given": {"name": "Tom", "aliases": "Thomas\nTommy", "series": "sample", "colour": "#8a8f98"},
        "series_known": [Series(pk=1, title="Sample series", slug="sample")],
        "hook_events": [("run.finished", "A run has ended well"), ("run.failed", "A run has failed")],
        "hook_made": {"name": "House", "secret": "a-secret-that-opens-nothing"},
        "some_page": Paginator(range(100), 10).page(2),
    }  # fmt: skip
