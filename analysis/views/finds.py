"""Draw to find: a picture in, the moments that look like it out. A worker reads the picture; the page waits for it."""

from __future__ import annotations

from collections.abc import Callable

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from analysis.errors import AnalysisError, FindRefused
from analysis.finding.alike import Alike
from analysis.limits_request import limits_of
from analysis.models import FindStatus, Scene
from analysis.selectors import finds as select
from analysis.selectors.episodes import character_choices
from analysis.selectors.visible import runs_visible
from analysis.services.finds import MAX_BYTES, box_read, find_request, pictures_request
from ml.types import EMOTIONS

HTMX_STOP_POLLING = 286


@require_http_methods(["GET", "HEAD", "POST"])
def find_page(request: HttpRequest) -> HttpResponse:
    """The form; with ``?face=`` or ``?scene=`` what is like a moment of ours."""
    if request.method == "POST":
        return _ask(request)
    filters = filters_from(request)
    face = _number(request.GET.get("face"))
    if face is None and (scene := _number(request.GET.get("scene"))) is not None:
        face = select.face_of_scene(get_object_or_404(Scene, pk=scene))
        if face is None:
            raise Http404("No face of that scene can be compared.")
    if face is None:
        return render(request, "find.html", {**_choices(filters), **_what(filters)})
    found = _answered(lambda: select.find_by_face(face, filters))
    if found["found"] is None and not found["error"]:
        raise Http404
    asked = {"picture": reverse("moment-picture", args=[face]), "face": face}
    return render(request, "find_answer.html", {**_choices(filters), **found, **asked})


def _ask(request: HttpRequest) -> HttpResponse:
    filters = filters_from(request)
    sent = request.FILES.get("picture")
    try:
        if sent is None or not sent.size:
            raise FindRefused(_("No picture was sent: choose a file, or draw one."))
        among = select.comparable(limits=filters.limits)
        find = find_request(
            picture=sent.read(MAX_BYTES + 1), bundle=among.bundle, box=box_read(request.POST.get("box", ""))
        )
    except AnalysisError as error:
        context = {**_choices(filters), **_what(filters), "error": str(error)}
        return render(request, "find.html", context, status=429 if error.code == "find_busy" else 400)
    parameters = {k: v for k, v in request.POST.items() if k in ("alike", "character", "emotion") and v}
    return redirect(reverse("find-answer", args=[find.token], query=parameters))


@require_safe
def answer(request: HttpRequest, token: str) -> HttpResponse:
    """Waits, then shows what was found. With htmx it renews itself until the picture was read."""
    find, filters = select.find_get(token), filters_from(request)
    if find is None:
        return render(request, "find.html", {**_choices(filters), **_what(filters), "gone": True}, status=404)
    context = {**_choices(filters), "find": find, "waiting": find.status == FindStatus.WAITING}
    if find.status == FindStatus.FAILED:
        context |= {"error": find.error_detail, "found": None}
    elif find.status == FindStatus.READ:
        context |= _answered(lambda: select.find_by_picture(find, filters))
        context["picture"] = reverse("find-picture", args=[token]) if find.crop else None
    if "HX-Request" in request.headers:
        status = 200 if context["waiting"] else HTMX_STOP_POLLING
        return render(request, "parts/find_state.html", context, status=status)
    return render(request, "find_answer.html", context)


def _answered(find: Callable[[], select.Found | None]) -> dict[str, object]:
    try:
        found = find()
    except AnalysisError as error:
        return {"found": None, "error": str(error)}
    if found is not None:
        pictures_request(found.moments)
    return {"found": found, "error": ""}


@require_safe
def asked_picture(request: HttpRequest, token: str) -> HttpResponse:
    """The face that was read, as we drew it anew: never the bytes that were sent."""
    find = select.find_get(token)
    if find is None or find.crop is None:
        raise Http404
    response = HttpResponse(bytes(find.crop), content_type="image/png")
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.headers["Cache-Control"] = "private, max-age=3600"
    return response


def filters_from(request: HttpRequest) -> select.Filters:
    """An unknown way of being alike is the default; unknown names are refused where they are used."""
    given = {**request.GET.dict(), **request.POST.dict()}
    alike = str(given.get("alike", ""))
    return select.Filters(
        alike=Alike(alike) if alike in list(Alike) else None,
        character=str(given.get("character", ""))[:200],
        emotion=str(given.get("emotion", ""))[:20],
        n=_number(str(given.get("n", "1"))) or 1,
        limits=limits_of(request),
    )


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) <= 18 else None


def _choices(filters: select.Filters) -> dict[str, object]:
    return {
        "filters": filters,
        "characters": [(c.slug, c.name) for c in character_choices(runs_visible(filters.limits))],
        "emotions": EMOTIONS,
    }


def _what(filters: select.Filters) -> dict[str, object]:
    """What a picture would be compared with, or why it cannot."""
    try:
        return {"among": select.comparable(limits=filters.limits), "impossible": ""}
    except AnalysisError as error:
        return {"among": None, "impossible": str(error)}
