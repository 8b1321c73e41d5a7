"""Faces one after the other, for whoever may correct: one key an answer, take back, skip, settle, and how far people
agree. Plain forms throughout; htmx only swaps the question, and correct.js adds the keys.
"""

from __future__ import annotations

from dataclasses import replace

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from analysis.errors import AnalysisError
from analysis.layer import Says
from analysis.models import FaceWord
from analysis.selectors.agreement import agreement_of
from analysis.selectors.asking import (
    DISPUTED,
    LOOKS,
    NEW,
    Ask,
    Key,
    Scope,
    ask_again,
    asked_get,
    asked_state,
    asks_next,
    disputes,
)
from analysis.services.asking import face_answer, face_settle, face_undo, layer_catch_up, layers_behind
from analysis.services.corrections import CorrectionRequest
from analysis.services.finds import faces_request
from catalog.models import Character, Episode
from catalog.roles import Right, needs
from ml.types import EMOTIONS, UNCLEAR

OTHER = "other"
KEYS = (*((str(i + 1), str(e)) for i, e in enumerate(EMOTIONS)), ("u", UNCLEAR))
WHO_KEYS = (("n", str(Says.NOBODY)), ("x", str(Says.NO_FACE)))
AHEAD = 8  # questions whose pictures are asked for before they are needed
MOST_SKIPPED = 300
MOST_CHARACTERS = 300
AT_ONCE = 3  # episodes whose ratings are made anew while the person waits
SKIPPED = "correct_skipped"


@needs(Right.CORRECT)
def asking(request: HttpRequest) -> HttpResponse:
    """GET asks; POST takes an answer and asks on. ``episode``, ``character``, ``look`` choose among what is asked."""
    scope = scope_from(request)
    if request.method != "POST":
        again = key_from(request.GET, "again_")
        ask = None if again is None else ask_again(again)
        return render(request, "asking.html", question_context(request, scope, first=ask))
    error, said = "", None
    try:
        said = _answered(request)
    except AnalysisError as refused:
        error = str(refused)
    return _on(request, scope, said=said, error=error)


@require_POST
@needs(Right.CORRECT)
def undo(request: HttpRequest) -> HttpResponse:
    """Takes back what this person said last; the face is asked about again."""
    scope = scope_from(request)
    try:
        word = face_undo(actor=_person(request), episode=None)
    except AnalysisError as refused:
        return _on(request, scope, error=str(refused))
    return _on(request, scope, back=word)


@require_POST
@needs(Right.CORRECT)
def skip(request: HttpRequest) -> HttpResponse:
    """Asks about another face; this one comes back in another session."""
    key = key_from(request.POST)
    if key is not None:
        request.session[SKIPPED] = [*request.session.get(SKIPPED, []), list(key)][-MOST_SKIPPED:]
    return _on(request, scope_from(request))


@require_POST
@needs(Right.CORRECT)
def work_in(request: HttpRequest) -> HttpResponse:
    """Makes the ratings follow now, of a few episodes; a worker does the others."""
    behind = layers_behind()
    done = sum(layer_catch_up(pk) for pk in behind[:AT_ONCE])
    if done < len(behind):
        messages.success(request, _("Some ratings are up to date now. A worker makes the others follow."))
    else:
        messages.success(request, _("All ratings follow what was said."))
    return redirect(_address(scope_from(request)))


@require_safe
@needs(Right.CORRECT)
def disputed(request: HttpRequest) -> HttpResponse:
    scope = replace(scope_from(request), look=DISPUTED)
    rows = disputes(scope, 20)
    faces_request(row.face_id for row in rows if row.face_id is not None and not row.close_up)
    context = {"rows": rows, "keys": KEYS, "who_keys": WHO_KEYS, "characters": _characters(None), "scope": scope}
    return render(request, "disputed.html", context)


@require_POST
@needs(Right.CORRECT)
def settle(request: HttpRequest, pk: int) -> HttpResponse:
    face = asked_get(pk)
    if face is None:
        raise Http404
    given = request.POST
    try:
        says, character, emotion = said_from(given.get("answer", ""), given.get("character", ""), face.subject.slug)
        face_settle(face=face, actor=_person(request), says=says, character=character, emotion=emotion)
    except AnalysisError as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _("Settled. The ratings follow in a moment."))
    return redirect("correct-disputed")


@require_safe
@needs(Right.CORRECT)
def agreement(request: HttpRequest) -> HttpResponse:
    return render(request, "agreement.html", {"found": agreement_of()})


def question_context(
    request: HttpRequest, scope: Scope, *, first: Ask | None = None, said: FaceWord | None = None, error: str = ""
) -> dict[str, object]:
    """What ``parts/asking.html`` shows: the question, the next one, and what was said."""
    person = _person(request)
    skipped = {(int(a), str(b), int(c), int(d)) for a, b, c, d in request.session.get(SKIPPED, [])}
    asks = asks_next(person.pk, scope, AHEAD, skipped=skipped)
    faces_request(ask.face_id for ask in asks if ask.face_id is not None and not ask.close_up)
    if first is not None:
        asks = [first, *(ask for ask in asks if ask.key != first.key)]
    return {
        "scope": scope,
        "ask": asks[0] if asks else None,
        "following": asks[1] if len(asks) > 1 else None,
        "state": asked_state(scope),
        "keys": KEYS,
        "who_keys": WHO_KEYS,
        "characters": _characters(asks[0].episode) if asks else [],
        "said": said,
        "ask_error": error,
        "person": person,
        "skipped": len(skipped),
        "ask_name": scope.character and Character.objects.filter(slug=scope.character).first(),
    }


def scope_from(request: HttpRequest) -> Scope:
    """What does not exist narrows to nothing; a look that does not exist is the usual one."""
    given = request.POST if request.method == "POST" else request.GET
    prefix = "scope_" if request.method == "POST" else ""
    episode, look = _number(given.get(f"{prefix}episode", "")), given.get(f"{prefix}look", NEW)
    return Scope(episode, given.get(f"{prefix}character", "")[:120], look if look in LOOKS else NEW)


def key_from(given: object, prefix: str = "") -> Key | None:
    """The face that a form or an address names; None where it names none."""
    get = given.get  # type: ignore[attr-defined]
    episode, start, end = (_number(get(f"{prefix}{name}", "")) for name in ("episode", "start", "end"))
    slug = str(get(f"{prefix}subject", ""))[:120]
    return None if episode is None or start is None or end is None or not slug else (episode, slug, start, end)


def said_from(answer: str, character: str, subject: str) -> tuple[str, str | None, str]:
    """(says, slug, emotion) of a button: an emotion, ``unclear``, ``nobody``, ``no_face``, or ``other`` with a slug."""
    if answer in (str(Says.NOBODY), str(Says.NO_FACE)):
        return answer, None, ""
    if answer == OTHER:
        return str(Says.CHARACTER), character or None, ""
    return str(Says.CHARACTER), subject, answer


def _answered(request: HttpRequest) -> FaceWord:
    given = request.POST
    key = key_from(given)
    episode = None if key is None else Episode.objects.select_related("source").filter(pk=key[0]).first()
    if key is None or episode is None:
        raise Http404
    _, subject, start, end = key
    says, character, emotion = said_from(given.get("answer", ""), given.get("character", ""), subject)
    asked = CorrectionRequest(start, end, subject=subject, says=says, character=character, emotion=emotion)
    return face_answer(episode=episode, actor=_person(request), asked=asked)


def _on(
    request: HttpRequest, scope: Scope, *, said: FaceWord | None = None, error: str = "", back: FaceWord | None = None
) -> HttpResponse:
    """The next question: in place with htmx, on the page without."""
    again = None
    if back is not None:
        face = back.face
        again = (face.episode_id, face.subject.slug, face.start_ms, face.end_ms)
    if "HX-Request" in request.headers:
        first = None if again is None else ask_again(again)
        context = question_context(request, scope, first=first, said=said, error=error)
        return render(request, "parts/asking.html", {**context, "back": back})
    if error:
        messages.error(request, error)
    if back is not None:
        messages.success(request, _("Taken back. Here is the face again."))
    names = ("again_episode", "again_subject", "again_start", "again_end")
    extra = {} if again is None else dict(zip(names, map(str, again), strict=True))
    return redirect(_address(scope, extra))


def _address(scope: Scope, extra: dict[str, str] | None = None) -> str:
    given = {"episode": str(scope.episode or ""), "character": scope.character, "look": scope.look}
    kept = {name: value for name, value in given.items() if value and value != NEW} | (extra or {})
    address = reverse("correct-next")
    return f"{address}?{urlencode(kept)}" if kept else address


def _characters(episode: Episode | None) -> list[Character]:
    """Those of the same series first."""
    rows = list(Character.objects.order_by("name", "pk")[:MOST_CHARACTERS])
    return sorted(rows, key=lambda c: episode is not None and c.series_id != episode.series_id)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 9 else None


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user
