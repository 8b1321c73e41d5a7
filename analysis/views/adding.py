"""Adding episodes: send files, or name a folder of the server or a list; look at what would happen; confirm.

Every step is a form that works without scripts. With them, files are sent in pieces and the pages renew themselves.
"""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from analysis.errors import AnalysisError
from analysis.services import ingest
from catalog import places
from catalog.errors import CatalogError, PlanChanged, PlanUnknown
from catalog.models import Finding, ImportItem, ImportPlan, PlanStatus, UploadStatus
from catalog.naming import shown
from catalog.parsing import MOST
from catalog.probing import max_bytes
from catalog.roles import Right, needs
from catalog.selectors import plans_of, uploads_of, watched_lately
from catalog.services.findings import choices_of
from catalog.services.plan_carry import CHANGED
from catalog.services.plans import MOST_LIST_BYTES, Said, plan_get, plan_items
from catalog.services.uploads import upload_get
from catalog.services.watching import watched_folder

HTMX_STOP_POLLING = 286
SHOWN = 200  # files on one page; those that need a decision come first
PLANS, WATCHED = 8, 20
FORM_BYTES = 1_000_000  # of a form beside its files
FIRST = (Finding.COLLIDES, Finding.REFUSED, Finding.SAME_TITLE, Finding.RESTORES, Finding.FILLS)
CHOICE_WORDS = {
    "add": gettext_lazy("Add it"),
    "skip": gettext_lazy("Leave it out"),
    "replace": gettext_lazy("Put it in place of the other file"),
    "part": gettext_lazy("Add it as a further part"),
}
BADGE = {
    Finding.NEW: "good", Finding.FILLS: "good", Finding.RESTORES: "info", Finding.SAME_TITLE: "warn",
    Finding.COLLIDES: "warn", Finding.KNOWN: "none", Finding.TWICE: "none", Finding.REFUSED: "bad",
}  # fmt: skip
OUTCOMES = {
    "imported": ("good", gettext_lazy("Added")),
    "already": ("none", gettext_lazy("Was there already")),
    "restored": ("good", gettext_lazy("File put back")),
    "replaced": ("good", gettext_lazy("Added in place of the other")),
    "left_out": ("none", gettext_lazy("Left out")),
    CHANGED: ("warn", gettext_lazy("Left alone: it has changed")),
    "refused": ("bad", gettext_lazy("Could not be added")),
    "": ("info", gettext_lazy("Waiting")),
}


@require_safe
@needs(Right.INGEST)
def add(request: HttpRequest) -> HttpResponse:
    uploads = list(uploads_of(_person(request)))
    context: dict[str, object] = {
        "uploads": uploads,
        "waiting": any(u.status == UploadStatus.RECEIVED for u in uploads),
        "ready": [u for u in uploads if u.status == UploadStatus.READY],
    }
    if request.headers.get("HX-Request") and request.headers.get("HX-Target") == "uploads":
        return render(request, "parts/uploads.html", context)
    watched = watched_folder()
    context |= {
        "roots": places.roots_shown(),
        "most_bytes": max_bytes(),
        "plans": list(plans_of(_person(request))[:PLANS]),
        "watched": None if watched is None else shown(str(watched))[1:-1],
        "watched_files": [] if watched is None else watched_lately(WATCHED),
        "watched_address": None if watched is None else places.address_of(watched),
    }
    return render(request, "add.html", context)


@csrf_exempt
@require_POST
@needs(Right.INGEST)
def send(request: HttpRequest) -> HttpResponse:
    """Whole files from a plain form. Who may, and how much, is asked before the body is read."""
    length = request.headers.get("Content-Length", "")
    if not length.isdecimal() or len(length) > 18 or int(length) > max_bytes() + FORM_BYTES:
        messages.error(request, _("That is more than can be sent at once with a plain form."))
        return redirect("add")
    return _send(request)


@csrf_protect
def _send(request: HttpRequest) -> HttpResponse:
    files = request.FILES.getlist("files") if isinstance(request.FILES, MultiValueDict) else []
    if not files:
        messages.error(request, _("No file was chosen."))
    for file in files:
        name, size = file.name or "", file.size or 0
        try:
            ingest.upload_whole(owner=_person(request), name=name, size=size, read=file.read)
        except CatalogError as error:
            messages.error(request, str(error))
        else:
            messages.success(request, _("%(name)s was sent.") % {"name": shown(name)})
    return redirect("add")


@require_POST
@needs(Right.INGEST)
def remove(request: HttpRequest, token: str) -> HttpResponse:
    try:
        upload = upload_get(_person(request), token)
        ingest.upload_give_up(upload, actor=_person(request))
    except CatalogError as error:
        messages.error(request, str(error))
    return redirect("add")


@require_POST
@needs(Right.INGEST)
def preview(request: HttpRequest) -> HttpResponse:
    """Asks for a preview of ``upload`` (several), of ``folder``, or of a ``list`` with either of them."""
    person, given = _person(request), request.POST
    series, address = given.get("series", ""), given.get("folder", "")
    sent = request.FILES.get("list")
    try:
        if "list_form" in given:
            if sent is None:
                messages.error(request, _("No list was chosen."))
                return redirect("add")
            tokens = [u.token for u in uploads_of(person) if u.status == UploadStatus.READY]
            plan = ingest.preview_of_list(
                owner=person,
                data=sent.read(MOST_LIST_BYTES + 1),
                called=sent.name or "",
                address=address,
                tokens=tokens,
                series=series,
            )
        elif address:
            plan = ingest.preview_of_folder(owner=person, address=address, series=series)
        else:
            plan = ingest.preview_of_uploads(owner=person, tokens=given.getlist("upload"), series=series)
    except CatalogError as error:
        messages.error(request, str(error))
        return redirect("add")
    return redirect("add-plan", pk=plan.pk)


@require_safe
@needs(Right.INGEST)
def folder(request: HttpRequest) -> HttpResponse:
    """``?at=`` one folder of the server: those in it, and what a preview of it would look at."""
    try:
        found = places.listing(request.GET.get("at", ""))
    except CatalogError as error:
        messages.error(request, str(error))
        return redirect("add")
    return render(request, "add_folder.html", {"found": found})


@require_safe
@needs(Right.INGEST)
def plan(request: HttpRequest, pk: int) -> HttpResponse:
    found = _plan(request, pk)
    items = plan_items(found)
    rows = _ordered(found, items)
    everything = request.GET.get("all") == "1"
    limit = len(rows) if everything else SHOWN
    context = {
        "plan": found,
        "rows": [_row(found, item) for item in rows[:limit]],
        "more": max(0, len(rows) - limit),
        "counts": _counts(found, items),
        "seen": len(items),
        "ended": sum(bool(i.outcome) for i in items),
        "addable": any(len(choices_of(i)) > 1 for i in items),
    }
    if request.headers.get("HX-Request"):
        status = 200 if found.is_working else HTMX_STOP_POLLING
        return render(request, "parts/plan.html", context, status=status)
    return render(request, "add_plan.html", context)


def _ordered(found: ImportPlan, items: list[ImportItem]) -> list[ImportItem]:
    """What a person has to decide comes first; what was done, in its order."""
    if found.status in (PlanStatus.CONFIRMED, PlanStatus.DONE):
        return items
    rank = {finding: place for place, finding in enumerate(FIRST)}
    return sorted(items, key=lambda i: (rank.get(Finding(i.finding), 9) if i.finding else 9, i.position))


def _row(found: ImportPlan, item: ImportItem) -> dict[str, object]:
    done = found.status in (PlanStatus.CONFIRMED, PlanStatus.DONE, PlanStatus.FAILED) and bool(item.choice)
    badge, words = _outcome(item.outcome) if done else _finding_words(item)
    return {
        "item": item,
        "badge": badge,
        "words": words,
        "choices": [(str(c), CHOICE_WORDS[c]) for c in choices_of(item)] if item.finding else [],
        "detail": (item.outcome_detail or ("" if item.outcome == "left_out" else item.finding_detail))
        if done
        else item.finding_detail,
        "code": item.outcome_code if done else item.finding_code,
        "duration_ms": None if item.facts is None else item.facts["duration_ms"],
    }


def _outcome(outcome: str) -> tuple[str, str]:
    badge, words = OUTCOMES.get(outcome, ("none", outcome))
    return badge, str(words)


def _finding_words(item: ImportItem) -> tuple[str, str]:
    if not item.finding:
        return ("bad", _("Cannot be added")) if item.error_code else ("info", _("Looked at"))
    finding = Finding(item.finding)
    return BADGE[finding], str(finding.label).capitalize()


def _counts(found: ImportPlan, items: list[ImportItem]) -> list[tuple[str, str, int]]:
    """Badge, words and number of each kind that there is, the good ones first."""
    if found.status in (PlanStatus.CONFIRMED, PlanStatus.DONE):
        kinds = [(badge, str(words), sum(i.outcome == o for i in items)) for o, (badge, words) in OUTCOMES.items()]
    else:
        kinds = [(BADGE[f], str(f.label).capitalize(), sum(i.finding == f for i in items)) for f in Finding]
    return [kind for kind in kinds if kind[2]]


@require_POST
@needs(Right.INGEST)
def confirm(request: HttpRequest, pk: int) -> HttpResponse:
    found = _plan(request, pk)
    choices = {
        int(name.removeprefix("choice-")): str(value)
        for name, value in request.POST.items()
        if name.startswith("choice-") and name.removeprefix("choice-").isdecimal() and len(name) < 15
    }
    try:
        ingest.import_confirm(
            plan=found,
            digest=request.POST.get("digest", ""),
            choices=choices,
            actor=_person(request),
            analyse=request.POST.get("analyse") == "1",
        )
    except PlanChanged as error:
        messages.error(request, str(error))
    except (CatalogError, AnalysisError) as error:
        messages.error(request, str(error))
    return redirect("add-plan", pk=pk)


@require_POST
@needs(Right.INGEST)
def discard(request: HttpRequest, pk: int) -> HttpResponse:
    found = _plan(request, pk)
    try:
        ingest.import_discard(plan=found, actor=_person(request))
    except CatalogError as error:
        messages.error(request, str(error))
        return redirect("add-plan", pk=pk)
    messages.success(request, _("The preview was dropped. Nothing was added."))
    return redirect("add")


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Right.INGEST)
def name(request: HttpRequest, pk: int, position: int) -> HttpResponse:
    """Says what a file is, where its name does not."""
    found = _plan(request, pk)
    item = next((i for i in plan_items(found) if i.position == position), None)
    if item is None:
        raise Http404
    error, given = "", {k: "" if v is None else v for k, v in item.name.items()}
    if request.method == "POST":
        given = {k: str(v) for k, v in request.POST.items()}
        try:
            said = _said(given)
            ingest.import_name(plan=found, position=position, said=said, actor=_person(request))
            return redirect(f"{reverse('add-plan', args=[pk])}#file-{position}")
        except (CatalogError, ValueError) as refused:
            error = str(refused)
    context = {"plan": found, "item": item, "given": given, "error": error}
    return render(request, "add_name.html", context, status=400 if error else 200)


def _said(given: dict[str, str]) -> Said:
    """Raises ValueError with a sentence."""
    numbers: dict[str, int | None] = {}
    for what, most in MOST.items():
        text = given.get(what, "").strip()
        if text and not (text.isascii() and text.isdecimal() and len(text) < 11 and int(text) <= most):
            raise ValueError(f"{shown(text[:40])} is no whole number from 0 to {most}.")
        numbers[what] = int(text) if text else None
    return Said(series=given.get("series", ""), title=given.get("title", ""), **numbers)


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


def _plan(request: HttpRequest, pk: int) -> ImportPlan:
    try:
        return plan_get(_person(request), pk)
    except PlanUnknown as error:
        raise Http404 from error
