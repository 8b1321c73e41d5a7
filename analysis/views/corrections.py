"""Pages for editors: a random sample of shots to check, and corrections of single faces. Plain forms throughout."""

from __future__ import annotations

import re
from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from analysis.errors import AnalysisError, CertificationUnknown
from analysis.layer import Says
from analysis.models import SAYS_CHOICES, Correction
from analysis.samples import NOT_THEM
from analysis.selectors.asking import Scope
from analysis.selectors.certify import certification_find, certifications_of, question_next
from analysis.selectors.episodes import episode_get, ratings_by_run
from analysis.selectors.layer import corrections_list
from analysis.selectors.runs import run_published
from analysis.services.certify import (
    USUAL_SHOTS,
    certification_answer,
    certification_start,
    certification_withdraw,
)
from analysis.services.corrections import LABELS, CorrectionRequest, correction_add, correction_withdraw
from analysis.views.asking import question_context
from catalog.models import Character, Episode
from catalog.roles import Right, needs
from ml.types import EMOTIONS, UNCLEAR, Box

KEYS = (*((str(i + 1), str(e)) for i, e in enumerate(EMOTIONS)), ("u", UNCLEAR), ("n", NOT_THEM))
CLOCK = re.compile(r"(?:(\d{1,4}):)?(\d{1,6}(?:\.\d{1,3})?)\Z", re.ASCII)
MOST_CUTS = 20


@require_safe
@needs(Right.CORRECT)
def certify(request: HttpRequest, pk: int) -> HttpResponse:
    """``?character=`` asks about the next shot of that sample; ``?place=`` about one of its shots again."""
    episode = _episode(pk)
    run = run_published(episode)
    person = _person(request)
    context: dict[str, object] = {
        "episode": episode,
        "run": run,
        "states": certifications_of(episode, person.pk),
        "ratings": [] if run is None else ratings_by_run([run.pk]).get(run.pk, []),
        "usual": USUAL_SHOTS,
        "keys": KEYS,
    }
    slug = request.GET.get("character", "")
    if slug:
        try:
            row = certification_find(episode, slug)
        except CertificationUnknown as error:
            raise Http404 from error
        cuts = [ms for text in request.GET.getlist("cut")[:MOST_CUTS] if (ms := clock_ms(text)) is not None]
        place = _number(request.GET.get("place", ""))
        if place is not None and place not in row.picked:
            raise Http404
        question = question_next(row, run, person.pk, place=place, cuts=cuts)
        context |= {"row": row, "question": question, "cuts": [_seconds(ms) for ms in cuts]}
    return render(request, "certify.html", context)


@require_POST
@needs(Right.CORRECT)
def certify_start(request: HttpRequest, pk: int) -> HttpResponse:
    slug = request.POST.get("character", "")
    shots = _number(request.POST.get("shots", ""))

    def start() -> object:
        return certification_start(
            episode=_episode(pk), actor=_person(request), character=slug, shots=0 if shots is None else shots
        )

    return _then(request, start, _("The sample is drawn."), pk, slug)


@require_POST
@needs(Right.CORRECT)
def certify_answer(request: HttpRequest, pk: int) -> HttpResponse:
    """``place``; ``start``, ``end`` and ``label-N`` of every piece, in order."""
    slug = request.POST.get("character", "")

    def answer() -> object:
        row = certification_find(_episode(pk), slug)
        starts, ends = ([_number(t) for t in request.POST.getlist(name)] for name in ("start", "end"))
        labels = [request.POST.get(f"label-{i}", "") for i in range(len(starts))]
        pieces = [(a or 0, b or 0, label) for a, b, label in zip(starts, ends, labels, strict=False)]
        place = _number(request.POST.get("place", ""))
        return certification_answer(
            certification=row, actor=_person(request), place=-1 if place is None else place, pieces=pieces
        )

    return _then(request, answer, "", pk, slug)


@require_POST
@needs(Right.CORRECT)
def certify_withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    def withdraw() -> object:
        row = certification_find(_episode(pk), request.POST.get("character", ""))
        return certification_withdraw(certification=row, actor=_person(request))

    return _then(request, withdraw, _("The sample and its answers no longer count."), pk, "")


def _then(request: HttpRequest, act: Callable[[], object], done: str, pk: int, slug: str) -> HttpResponse:
    """On with the sample, or back to the list of samples where it could not be."""
    try:
        act()
    except CertificationUnknown as error:
        messages.error(request, str(error))
        slug = ""
    except AnalysisError as error:
        messages.error(request, str(error))
        known = {s.row.character.slug for s in certifications_of(_episode(pk), None)}
        slug = slug if slug in known else ""
    else:
        if done:
            messages.success(request, done)
    address = reverse("certify", args=[pk])
    return redirect(f"{address}?{urlencode({'character': slug})}" if slug else address)


@needs(Right.CORRECT)
def correct(request: HttpRequest, pk: int) -> HttpResponse:
    episode = _episode(pk)
    run = run_published(episode)
    given = {name: request.GET.get(name, "") for name in ("start", "end", "subject")}
    error, status = "", 200
    if request.method == "POST":
        given = {name: value for name, value in request.POST.items() if isinstance(value, str)}
        try:
            correction_add(episode=episode, actor=_person(request), asked=asked_of(given))
        except (AnalysisError, ValueError) as refused:
            error, status = str(refused), 400
        else:
            messages.success(request, _("Corrected. The ratings follow it."))
            return redirect("correct", pk=pk)
    context: dict[str, object] = {
        "episode": episode,
        "run": run,
        "given": given,
        "error": error,
        "rows": corrections_list(episode),
        "labels": LABELS,
        "says": SAYS_CHOICES,
        "who": Character.objects.order_by("name", "pk"),
    }
    if run is not None:
        context = {**question_context(request, Scope(episode=pk)), **context}
    return render(request, "correct.html", context, status=status)


@require_POST
@needs(Right.CORRECT)
def correction_withdrawn(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(Correction.objects.select_related("episode"), pk=pk)
    try:
        correction_withdraw(correction=row, actor=_person(request))
    except AnalysisError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("Withdrawn. The ratings are as if it had not been said."))
    return redirect("correct", pk=row.episode_id)


def asked_of(given: dict[str, str]) -> CorrectionRequest:
    """Raises ValueError with a sentence where a time or a box cannot be read."""
    start, end = clock_ms(given.get("start", "")), clock_ms(given.get("end", ""))
    if start is None or end is None:
        raise ValueError(_("Give both times as seconds or as minutes and seconds, such as 83.5 or 1:23.5."))
    says = given.get("says") or str(Says.CHARACTER)
    return CorrectionRequest(
        start_ms=start,
        end_ms=end,
        subject=given.get("subject") or None,
        box=_box(given.get("box", "")),
        says=says,
        character=(given.get("character") or None) if says == Says.CHARACTER else None,
        emotion=given.get("emotion", "") if says != Says.NO_FACE else "",
    )


def clock_ms(text: str) -> int | None:
    """``83.5`` or ``1:23.5`` as milliseconds; None for anything else."""
    match = CLOCK.match(text.strip())
    if match is None:
        return None
    minutes, seconds = match.groups()
    return round((60 * int(minutes or 0) + float(seconds)) * 1000)


def _box(text: str) -> Box | None:
    """Four numbers in percent of the picture."""
    if not text.strip():
        return None
    try:
        x1, y1, x2, y2 = (float(part) / 100 for part in text.replace(",", " ").split())
    except ValueError:
        raise ValueError("A place is four numbers in percent: left, top, right, bottom, such as 10 20 35 60.") from None
    return (x1, y1, x2, y2)


def _seconds(ms: int) -> str:
    return f"{ms / 1000:g}"


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 9 else None


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


def _episode(pk: int) -> Episode:
    found = episode_get(pk)
    if found is None:
        raise Http404
    return found
