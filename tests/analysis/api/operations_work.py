"""The same for the routes of those who work here: faces, characters, the queue, uploads, imports."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from django.contrib.auth.models import User

from analysis.models import AskedFace, CharacterExample
from analysis.selectors.asking import NEW, Ask, Scope, asks_next
from analysis.services.asking import face_answer
from analysis.services.corrections import CorrectionRequest
from analysis.services.ingest import preview_of_uploads, upload_begin
from analysis.services.naming import example_add_face, naming_confirm
from catalog.models import Character, ImportPlan, Upload
from catalog.services.plan_look import plan_look
from tests.analysis import world
from tests.analysis.api.operations import Asked, Made
from tests.analysis.test_naming import MOODS, analyse
from tests.catalog.incoming_helpers import sent

PIECE = "application/offset+octet-stream"
TUS = {"Tus-Resumable": "1.0.0"}
DATA = b"VIDEO of a storm"


@dataclass
class Work:
    """``ask``: a face to answer; ``disputed``: one that two people differ about. Mia is known by three drawings."""

    ask: Ask
    disputed: AskedFace
    mia: Character
    drawing: CharacterExample
    face: int
    whole: Upload
    begun: Upload
    plan: ImportPlan


def make_work(made: Made) -> Work:
    third = world.make_episode(world.make_series(), 3, "The Stranger", 30_000)
    run = analyse(third, MOODS)
    mia = Character.objects.create(slug="mia", name="Mia", series=third.series)
    faces = run.detections.filter(character=None, pts_ms__in=(4_000, 7_000, 10_000, 13_000)).order_by("pts_ms")
    *known, more = faces.values_list("pk", flat=True)
    drawings = [example_add_face(character=mia, actor=made.staff, face_id=pk) for pk in known]
    first, second = asks_next(made.staff.pk, Scope(made.first.pk, "", NEW), 2)
    for name, emotion in (("ann", "sad"), ("ben", "happy")):
        _said(User.objects.create_user(name, is_staff=True), first, emotion)
    _said(made.staff, second, "angry")
    whole = sent(made.staff, "Cheese S01E05.mkv", "of a cheese")
    begun = upload_begin(owner=made.staff, name="Cheese S01E06.mkv", size=len(DATA), sha256="")
    plan = preview_of_uploads(owner=made.staff, tokens=[whole.token], series="")
    assert plan_look(plan.pk)
    plan.refresh_from_db()
    (third_ask,) = asks_next(made.staff.pk, Scope(made.first.pk, "", NEW), 1)
    disputed = AskedFace.objects.get(episode=made.first, start_ms=first.start_ms, subject=first.subject)
    return Work(third_ask, disputed, mia, drawings[0], more, whole, begun, plan)


def _said(person: User, ask: Ask, emotion: str) -> None:
    asked = CorrectionRequest(start_ms=ask.start_ms, end_ms=ask.end_ms, subject=ask.subject.slug, emotion=emotion,
                              character=ask.subject.slug)  # fmt: skip
    face_answer(episode=ask.episode, actor=person, asked=asked)


def operations_work(made: Made, work: Work) -> dict[str, Asked]:
    return _of_people(work) | _of_runs(made) | _of_files(work)


def _of_people(work: Work) -> dict[str, Asked]:
    ask = work.ask
    answer = {"episode": ask.episode.pk, "subject": ask.subject.slug, "start_ms": ask.start_ms, "end_ms": ask.end_ms,
              "emotion": "happy"}  # fmt: skip
    drawings = "characters/mia/drawings/"

    def name(made: Made) -> None:
        naming_confirm(character=work.mia, actor=made.staff)

    return {
        "agreement": Asked("get", "agreement/"),
        "faces_next": Asked("get", f"faces/next/?episode={ask.episode.pk}&limit=2"),
        "faces_answers": Asked("get", "faces/answers/"),
        "faces_answer": Asked("post", "faces/answers/", 201, answer),
        "faces_undo": Asked("delete", "faces/answers/last/"),
        "faces_settle": Asked("post", f"faces/{work.disputed.pk}/settle/", 201, {"emotion": "scared"}),
        "characters_create": Asked("post", "characters/", 201, {"name": "Nibbles", "colour": "#3b6ea5"}),
        "characters_partial_update": Asked("patch", "characters/mia/", body={"aliases": ["the stranger"]}),
        "character_drawings": Asked("get", drawings),
        "character_drawing_add": Asked("post", drawings, 201, {"face": work.face}),
        "character_drawing_remove": Asked("delete", f"{drawings}{work.drawing.pk}/", 204),
        "character_naming": Asked("get", "characters/mia/naming/"),
        "character_naming_confirm": Asked("post", "characters/mia/naming/", 201),
        "character_naming_withdraw": Asked("delete", "characters/mia/naming/", before=name),
    }


def _of_runs(made: Made) -> dict[str, Asked]:
    waiting = made.waiting.pk
    return {
        "queue": Asked("get", "queue/"),
        "queue_pause": Asked("post", "queue/pause/", body={"queue": "all", "reason": "The disk is being changed."}),
        "queue_resume": Asked("post", "queue/resume/", body={"queue": "all"}),
        "runs_priority": Asked("post", f"runs/{waiting}/priority/", body={"to": "top"}),
        "runs_bulk": Asked("post", "runs/bulk/", body={"action": "cancel", "runs": [waiting, made.runs[0].pk]}),
        "runs_events": Asked("get", "runs/events/"),
        "run_events": Asked("get", f"runs/{waiting}/events/"),
    }


def _of_files(work: Work) -> dict[str, Asked]:
    named = f"filename {base64.b64encode(b'Cheese S01E07.mkv').decode()}"
    begin = {**TUS, "Upload-Length": "2000000", "Upload-Metadata": named}
    plan = f"imports/{work.plan.pk}/"
    confirm = {"digest": work.plan.digest, "choices": {}, "analyse": False}
    return {
        "uploads_list": Asked("get", "uploads/"),
        "upload_create": Asked("post", "uploads/", 201, headers=begin),
        "upload_read": Asked("get", f"uploads/{work.whole.token}/"),
        "upload_append": Asked(
            "patch", f"uploads/{work.begun.token}/", 204, DATA, kind=PIECE, headers={**TUS, "Upload-Offset": "0"}
        ),
        "upload_remove": Asked("delete", f"uploads/{work.begun.token}/", 204, headers=TUS),
        "upload_known": Asked("get", f"uploads/known/?sha256={work.whole.sha256}"),
        "imports_list": Asked("get", "imports/"),
        "import_preview": Asked("post", "imports/", 202, {"uploads": [work.whole.token]}),
        "import_read": Asked("get", plan),
        "import_discard": Asked("delete", plan, 204),
        "import_confirm": Asked("post", f"{plan}confirm/", 202, confirm),
        "import_name": Asked("put", f"{plan}files/1/", body={"series": "Cheese", "season": 1, "number": 5}),
        "import_folders": Asked("get", "imports/folders/"),
    }
